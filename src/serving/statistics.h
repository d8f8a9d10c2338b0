/* statistics.h: what each endpoint did since the server started: counters without a lock.
 *
 * One is made per endpoint name and lives as long as the list, so that a swap keeps the counts.
 */
#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* Upper ends of the answer times that are counted apart, in microseconds; above the last: the rest.
 */
enum { DURATION_BUCKETS = 12, STATUS_COUNT = 10 };
extern const int64_t duration_bucket_us[DURATION_BUCKETS];
extern const int counted_status[STATUS_COUNT]; /* 200, 400, ...; the last one, 500, takes others */

typedef struct EndpointStatistics {
    struct EndpointStatistics *next;
    const char *name;
    atomic_uint_fast64_t requests[STATUS_COUNT]; /* by counted_status */
    atomic_uint_fast64_t rows;                   /* predicted */
    atomic_uint_fast64_t duration_us;            /* of all answers with status 200 */
    atomic_uint_fast64_t durations[DURATION_BUCKETS + 1];
} EndpointStatistics;

typedef struct StatisticsList {
    _Atomic(EndpointStatistics *) first; /* grows at the front; walk it from any thread */
} StatisticsList;

/* One caller at a time. */
EndpointStatistics *statistics_ensure(StatisticsList *list, const char *name);
void statistics_clear(StatisticsList *list);

void statistics_count(EndpointStatistics *counts, int status, size_t rows, int64_t duration_us);
