#include "serving/window.h"

#include <math.h>

enum { BIN_BITS = 4, BINS_EACH = 1 << BIN_BITS, DURATION_BITS_MAX = 27 };

static void add(atomic_uint_fast64_t *counter, uint_fast64_t count)
{
    atomic_fetch_add_explicit(counter, count, memory_order_relaxed);
}

static uint64_t read(const atomic_uint_fast64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

/* The first bins are a microsecond wide; from there on, the leading bits of the duration count. */
static size_t bin_of(int64_t duration_us)
{
    uint64_t duration = duration_us > 0 ? (uint64_t)duration_us : 0;
    unsigned shift;

    if (duration < BINS_EACH)
        return (size_t)duration;
    if (duration >> DURATION_BITS_MAX)
        return DURATION_BINS - 1;
    shift = (unsigned)(63 - BIN_BITS - __builtin_clzll(duration));
    return (size_t)shift * BINS_EACH + (size_t)(duration >> shift);
}

static double bin_begin_us(size_t bin)
{
    if (bin < 2 * BINS_EACH)
        return (double)bin;
    return ldexp((double)(BINS_EACH + bin % BINS_EACH), (int)(bin / BINS_EACH) - 1);
}

void counts_answer(DeploymentCounts *counts, int64_t duration_us)
{
    add(&counts->durations[bin_of(duration_us)], 1);
    add(&counts->duration_us, duration_us > 0 ? (uint_fast64_t)duration_us : 0);
}

void counts_error(DeploymentCounts *counts)
{
    add(&counts->errors, 1);
}

void counts_drop(DeploymentCounts *counts)
{
    add(&counts->dropped, 1);
}

Window counts_read(const DeploymentCounts *counts)
{
    Window window = {
        .errors = read(&counts->errors),
        .dropped = read(&counts->dropped),
        .duration_us = read(&counts->duration_us),
    };

    window.requests = window.errors;
    for (size_t i = 0; i < DURATION_BINS; i++) {
        window.durations[i] = read(&counts->durations[i]);
        window.requests += window.durations[i];
    }
    return window;
}

Window window_since(const Window *now, const Window *then)
{
    Window since = {
        .requests = now->requests - then->requests,
        .errors = now->errors - then->errors,
        .dropped = now->dropped - then->dropped,
        .duration_us = now->duration_us - then->duration_us,
    };

    for (size_t i = 0; i < DURATION_BINS; i++)
        since.durations[i] = now->durations[i] - then->durations[i];
    return since;
}

double window_error_share(const Window *window)
{
    return window->requests ? (double)window->errors / (double)window->requests : 0;
}

/* Within a bin durations are taken as spread evenly. */
double window_quantile_ms(const Window *window, double share)
{
    double wanted = share * (double)(window->requests - window->errors), passed = 0;

    for (size_t i = 0; i < DURATION_BINS && wanted > 0; i++) {
        double count = (double)window->durations[i], begin = bin_begin_us(i);

        if (count > 0 && passed + count >= wanted)
            return (begin + (bin_begin_us(i + 1) - begin) * (wanted - passed) / count) / 1000;
        passed += count;
    }
    return 0;
}

void window_write_json(JsonWriter *json, const Window *window)
{
    uint64_t answers = window->requests - window->errors;

    json_int(json, "requests", (int64_t)window->requests);
    json_int(json, "errors", (int64_t)window->errors);
    json_int(json, "dropped", (int64_t)window->dropped);
    json_double(json, "mean_ms",
                answers ? (double)window->duration_us / 1000 / (double)answers : NAN);
    json_double(json, "p50_ms", answers ? window_quantile_ms(window, 0.5) : NAN);
    json_double(json, "p99_ms", answers ? window_quantile_ms(window, 0.99) : NAN);
}
