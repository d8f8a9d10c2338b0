#include "serving/statistics.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

const int64_t duration_bucket_us[DURATION_BUCKETS] = {50,   100,   250,   500,    1000,   2500,
                                                      5000, 10000, 50000, 100000, 500000, 1000000};
const int counted_status[STATUS_COUNT] = {200, 400, 404, 413, 415, 422, 429, 503, 504, 500};

static void add(atomic_uint_fast64_t *counter, uint_fast64_t count)
{
    atomic_fetch_add_explicit(counter, count, memory_order_relaxed);
}

static EndpointStatistics *find(const StatisticsList *list, const char *name)
{
    EndpointStatistics *found = atomic_load_explicit(&list->first, memory_order_acquire);

    while (found && strcmp(found->name, name) != 0)
        found = found->next;
    return found;
}

EndpointStatistics *statistics_ensure(StatisticsList *list, const char *name)
{
    EndpointStatistics *counts = find(list, name);

    if (counts)
        return counts;
    counts = calloc(1, sizeof(*counts));
    if (!counts)
        out_of_memory();
    counts->name = strdup(name);
    if (!counts->name)
        out_of_memory();
    counts->next = atomic_load_explicit(&list->first, memory_order_relaxed);
    atomic_store_explicit(&list->first, counts, memory_order_release);
    return counts;
}

void statistics_clear(StatisticsList *list)
{
    EndpointStatistics *counts = atomic_exchange(&list->first, NULL);

    while (counts) {
        EndpointStatistics *next = counts->next;

        free((char *)(uintptr_t)counts->name);
        free(counts);
        counts = next;
    }
}

void statistics_count(EndpointStatistics *counts, int status, size_t rows, int64_t duration_us)
{
    size_t kind = 0, bucket = 0;

    while (kind < STATUS_COUNT - 1 && counted_status[kind] != status)
        kind++;
    add(&counts->requests[kind], 1);
    if (status != 200)
        return;
    while (bucket < DURATION_BUCKETS && duration_us > duration_bucket_us[bucket])
        bucket++;
    add(&counts->rows, rows);
    add(&counts->duration_us, (uint_fast64_t)duration_us);
    add(&counts->durations[bucket], 1);
}
