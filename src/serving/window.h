/* window.h: what one deployment did in some time: answers, errors, how long answers took.
 *
 * Counted by any number of threads without a lock, and only where a live deployment and a candidate
 * are compared (split.h). Pure otherwise: a window is a copy of the counts, and the window between
 * two readings is their difference.
 *
 *     Window now = counts_read(&side->counts), minute = window_since(&now, &a_minute_ago);
 *     window_quantile_ms(&minute, 0.99)
 */
#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"

/* Sixteen bins to each doubling of microseconds, so that a duration is known to a sixteenth; what
 * takes 134 s or more is in the last one. */
enum { DURATION_BINS = 384 };

typedef struct DeploymentCounts {
    _Alignas(64) atomic_uint_fast64_t errors; /* the two sides share no cache line */
    atomic_uint_fast64_t dropped, duration_us;
    atomic_uint_fast64_t durations[DURATION_BINS];
} DeploymentCounts;

void counts_answer(DeploymentCounts *counts, int64_t duration_us);
void counts_error(DeploymentCounts *counts);
void counts_drop(DeploymentCounts *counts);

typedef struct Window {
    uint64_t requests;    /* answered, or errors */
    uint64_t errors;      /* by the model's fault: see split.h */
    uint64_t dropped;     /* that a shadow had no room for; no requests */
    uint64_t duration_us; /* of all answers */
    uint64_t durations[DURATION_BINS];
} Window;

Window counts_read(const DeploymentCounts *counts);

/* What came after an earlier reading of the same counts. */
Window window_since(const Window *now, const Window *then);

/* Both together. */
Window window_sum(const Window *one, const Window *other);

/* The counts themselves, for who keeps them longer than a process lives; dropped ones apart. What
 * is read is what was written; whatever is no such thing counts nothing. */
void window_write_counts(JsonWriter *json, const char *key, const Window *window);
Window window_read_counts(const JsonValue *value);

/* The time within which this share of the answers was given; 0 when there were none. */
double window_quantile_ms(const Window *window, double share);
double window_error_share(const Window *window); /* 0 when there were no requests */

/* "requests", "errors", "dropped", "mean_ms", "p50_ms", "p99_ms" of an open object; times are null
 * when nothing was answered. */
void window_write_json(JsonWriter *json, const Window *window);
