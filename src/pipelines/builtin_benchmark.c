/* builtin_benchmark.c: "uses: benchmark": how fast a version answers, against limits of the user's
 * own. What was measured is kept whether or not it is within them. */

#include <math.h>

#include "base/time.h"
#include "pipelines/builtin_chosen.h"
#include "serving/body.h"

enum {
    REQUESTS = 1000,
    REQUESTS_MAX = 1000000,
    BATCH = 1000,
};

static const struct {
    const char *name; /* in "with" and in the result */
    const char *what, *unit;
    bool is_least;
} figures[] = {
    {"p50_ms", "the median", " ms", false},
    {"p95_ms", "the 95th percentile", " ms", false},
    {"p99_ms", "the 99th percentile", " ms", false},
    {"rows_per_second", "the throughput", " rows a second", true},
    {"memory_mb", "the memory", " MB", false},
};

static bool inputs(Scope *scope, const StepStart *start, JsonWriter *json)
{
    /* What was measured once says nothing of today. */
    json_text(json, "time", arena_text(scope->arena, start->run->id));
    return builtin_chosen_write_inputs(scope, start, json);
}

static bool read_count(Scope *scope, const StepStart *start, const char *name, int64_t most,
                       int64_t *count)
{
    const char *text = builtin_with(start, name);

    return !text || (text_to_int(text, count) && *count >= 1 && *count <= most) ||
           fail_field(&scope->error, name, "\"%s\" is 1 to %lld", name, (long long)most);
}

static bool prepare(Scope *scope, const BuiltinStep *step, const char **job)
{
    JsonWriter *json = json_writer_create(scope->arena);
    int64_t requests = REQUESTS, batch = BATCH;
    ModelVersion version;

    if (!builtin_chosen_version(scope, step->start, &version) ||
        !read_count(scope, step->start, "requests", REQUESTS_MAX, &requests) ||
        !read_count(scope, step->start, "batch", PREDICT_ROWS_MAX, &batch))
        return false;
    json_open_object(json, NULL);
    builtin_chosen_write_version(scope, &version, json);
    json_int(json, "requests", requests);
    json_int(json, "batch", batch);
    if (!builtin_chosen_write_rows(scope, step, json))
        return false;
    json_close(json);
    *job = json_finish(json);
    return true;
}

/* Adds what is over its limit to the sentence. */
static bool compare(Scope *scope, const BuiltinStep *step, size_t figure, double value,
                    TextBuilder *sentence)
{
    bool is_judged = !step->start->run->reproduces; /* of a reproduction, times are not compared */
    const char *text = is_judged ? builtin_with(step->start, figures[figure].name) : NULL;
    bool is_least = figures[figure].is_least;
    double limit;

    if (!text)
        return true;
    if (!text_to_double(text, &limit))
        return fail_field(&scope->error, figures[figure].name, "\"%.64s\" is not a number", text);
    if (is_least ? value >= limit : value <= limit)
        return true;
    text_append_format(sentence, "%s%s is %.6g%s and must be %.6g%s at %s",
                       sentence->count ? "; " : "", figures[figure].what, value,
                       figures[figure].unit, limit, figures[figure].unit,
                       is_least ? "least" : "most");
    return true;
}

static bool finish(Scope *scope, const BuiltinStep *step, AttemptEnd *end)
{
    const JsonValue *result = json_member(end->document, "result");
    TextBuilder sentence = {.arena = scope->arena};

    for (size_t i = 0; i < COUNT(figures); i++) {
        double value = json_as_double(json_member(result, figures[i].name), NAN);

        *arena_push(scope->arena, &end->metrics) =
            (Metric){.key = figures[i].name, .value = value, .timestamp = time_now_ms()};
        if (!compare(scope, step, i, value, &sentence))
            return false;
    }
    attempt_end_print_metrics(scope, end);
    end->result = json_print(result, scope->arena);
    if (sentence.count) {
        end->status = "failed";
        end->reason = text_built(&sentence);
    }
    return true;
}

const Builtin builtin_benchmark = {
    .name = "benchmark",
    .worker = "benchmark",
    .inputs = inputs,
    .prepare = prepare,
    .finish = finish,
};
