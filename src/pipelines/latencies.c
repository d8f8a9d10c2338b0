#include "pipelines/latencies.h"

#include <math.h>
#include <stdlib.h>

#include "base/time.h"

void latencies_add(Latencies *latencies, long long began_us)
{
    latencies->ms[latencies->count++] = (double)(time_monotonic_us() - began_us) / 1000;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

void latencies_sort(Latencies *latencies)
{
    if (latencies->count)
        qsort(latencies->ms, latencies->count, sizeof(*latencies->ms), compare);
}

double latencies_quantile(const Latencies *latencies, double share)
{
    size_t at = (size_t)ceil(share * (double)latencies->count);

    return latencies->count ? latencies->ms[at ? at - 1 : 0] : 0;
}
