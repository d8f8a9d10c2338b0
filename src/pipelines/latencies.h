/* latencies.h: how long answers took, one after the other, and the quantiles of that. */
#pragma once

#include <stddef.h>

typedef struct Latencies {
    double *ms; /* with room for all that are to come */
    size_t count;
} Latencies;

/* What was begun at this time (time_monotonic_us()) is done now. */
void latencies_add(Latencies *latencies, long long began_us);
void latencies_sort(Latencies *latencies);

/* Of those that are sorted, the smallest that at least this share is not over; 0: there are none.
 */
double latencies_quantile(const Latencies *latencies, double share);
