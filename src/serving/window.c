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

Window window_sum(const Window *one, const Window *other)
{
    Window sum = {
        .requests = one->requests + other->requests,
        .errors = one->errors + other->errors,
        .dropped = one->dropped + other->dropped,
        .duration_us = one->duration_us + other->duration_us,
    };

    for (size_t i = 0; i < DURATION_BINS; i++)
        sum.durations[i] = one->durations[i] + other->durations[i];
    return sum;
}

/* Few of the bins are ever used. */
static void write_bin(JsonWriter *json, size_t bin, uint64_t count)
{
    json_open_array(json, NULL);
    json_int(json, NULL, (int64_t)bin);
    json_int(json, NULL, (int64_t)count);
    json_close(json);
}

void window_write_counts(JsonWriter *json, const char *key, const Window *window)
{
    json_open_object(json, key);
    json_int(json, "errors", (int64_t)window->errors);
    json_int(json, "duration_us", (int64_t)window->duration_us);
    json_open_array(json, "durations");
    for (size_t i = 0; i < DURATION_BINS; i++)
        if (window->durations[i])
            write_bin(json, i, window->durations[i]);
    json_close(json);
    json_close(json);
}

static uint64_t read_count(const JsonValue *value)
{
    int64_t count = json_as_int(value, 0);

    return count > 0 ? (uint64_t)count : 0;
}

/* The two numbers of one bin. */
static void read_bin(const JsonValue *pair, Window *window)
{
    int64_t bin = -1;

    for (JsonWalk walk = json_walk(pair); json_walk_next(&walk);) {
        if (walk.index == 0)
            bin = json_as_int(walk.value, -1);
        else if (walk.index == 1 && bin >= 0 && bin < DURATION_BINS)
            window->durations[bin] = read_count(walk.value);
    }
}

Window window_read_counts(const JsonValue *value)
{
    Window window = {
        .errors = read_count(json_member(value, "errors")),
        .duration_us = read_count(json_member(value, "duration_us")),
    };

    for (JsonWalk walk = json_walk(json_member(value, "durations")); json_walk_next(&walk);)
        read_bin(walk.value, &window);
    window.requests = window.errors;
    for (size_t i = 0; i < DURATION_BINS; i++)
        window.requests += window.durations[i];
    return window;
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
