#include "serving/canary.h"

#include <inttypes.h>
#include <math.h>

const JsonField canary_rule_fields[] = {
    {"errors_max", JSON_NUMBER, offsetof(CanaryRule, errors_max), JSON_OPTIONAL,
     "share of its requests that a candidate may fail at: 0.01, which is 1 %"},
    {"p99_ms_max", JSON_NUMBER, offsetof(CanaryRule, p99_ms_max), JSON_OPTIONAL,
     "milliseconds within which 99 of 100 of its answers must be given; none"},
    {"requests_min", JSON_INT, offsetof(CanaryRule, requests_min), JSON_OPTIONAL,
     "requests that it must have had before it is judged; 100"},
    {0},
};

CanaryRule canary_rule_default(void)
{
    return (CanaryRule){.errors_max = 0.01, .p99_ms_max = NAN, .requests_min = 100};
}

bool canary_rule_check(const CanaryRule *rule, Error *error)
{
    if (!(rule->errors_max >= 0 && rule->errors_max <= 1))
        return fail_field(error, "errors_max",
                          "a share of errors is at least 0 and at most 1: 0.01 is 1 %%");
    if (!isnan(rule->p99_ms_max) && !(rule->p99_ms_max > 0 && isfinite(rule->p99_ms_max)))
        return fail_field(error, "p99_ms_max", "a limit of time is above 0 milliseconds");
    return rule->requests_min >= 0 ||
           fail_field(error, "requests_min", "a candidate is judged by 0 requests or more");
}

void canary_rule_write_json(JsonWriter *json, const char *key, const CanaryRule *rule)
{
    json_open_object(json, key);
    {
        json_double(json, "errors_max", rule->errors_max);
        json_double(json, "p99_ms_max", rule->p99_ms_max);
        json_int(json, "requests_min", rule->requests_min);
    }
    json_close(json);
}

static bool has_too_many_errors(const CanaryRule *rule, const Window *window)
{
    double requests = fmax((double)window->requests, (double)rule->requests_min);

    return (double)window->errors > rule->errors_max * requests;
}

CanaryJudgement canary_decide(const CanaryRule *rule, const Window *window, Arena *arena)
{
    CanaryJudgement judgement = {.verdict = CANARY_ABORT, .window = *window};
    double p99_ms = window_quantile_ms(window, 0.99);

    if (has_too_many_errors(rule, window)) {
        judgement.reason = arena_format(
            arena, "%" PRIu64 " of %" PRIu64 " requests failed, which is more than %g %%",
            window->errors, window->requests, rule->errors_max * 100);
    } else if (window->requests < (uint64_t)rule->requests_min) {
        judgement.verdict = CANARY_WAIT;
        judgement.reason = arena_format(arena, "%" PRIu64 " of %" PRId64 " requests so far",
                                        window->requests, rule->requests_min);
    } else if (p99_ms > rule->p99_ms_max) {
        judgement.reason =
            arena_format(arena, "99 of 100 answers took up to %.3g ms, which is more than %g ms",
                         p99_ms, rule->p99_ms_max);
    } else {
        judgement.verdict = CANARY_CONTINUE;
        judgement.reason =
            arena_format(arena, "%" PRIu64 " of %" PRIu64 " requests failed, p99 %.3g ms",
                         window->errors, window->requests, p99_ms);
    }
    return judgement;
}

/* Counts that went down are those of another process, whatever the clock says. */
void canary_record_take(CanaryRecord *record, int64_t since, const Window *now)
{
    if (since != record->since || now->requests < record->now.requests) {
        record->earlier = canary_record_sum(record);
        record->since = since;
    }
    record->now = *now;
}

Window canary_record_sum(const CanaryRecord *record)
{
    return window_sum(&record->earlier, &record->now);
}

void canary_record_write_json(JsonWriter *json, const char *key, const CanaryRecord *record)
{
    json_open_object(json, key);
    json_int(json, "since", record->since);
    window_write_counts(json, "earlier", &record->earlier);
    window_write_counts(json, "now", &record->now);
    json_close(json);
}

CanaryRecord canary_record_read(const JsonValue *value)
{
    return (CanaryRecord){
        .earlier = window_read_counts(json_member(value, "earlier")),
        .now = window_read_counts(json_member(value, "now")),
        .since = json_as_int(json_member(value, "since"), 0),
    };
}

/* Whatever it did before says nothing about why it does not serve. */
static CanaryJudgement not_served(const Error *why, const CanaryRecord *record, Arena *arena)
{
    return (CanaryJudgement){
        .verdict = why->kind == ERROR_UNAVAILABLE ? CANARY_ABORT : CANARY_WAIT,
        .reason = arena_text(arena, why->message),
        .window = canary_record_sum(record),
    };
}

static bool read_figures(Serving *serving, const Endpoint *endpoint, Arena *arena,
                         SplitFigures *figures, Error *error)
{
    if (!serving_figures(serving, endpoint->name, arena, figures, error))
        return false;
    return figures->candidate.deployment_id == endpoint->candidate.id ||
           fail(error, ERROR_NOT_FOUND,
                "candidate %" PRId64 " is not served yet at endpoint \"%s\"",
                endpoint->candidate.id, endpoint->name);
}

bool canary_judge(Scope *scope, Serving *serving, const char *endpoint, CanaryTrial *trial,
                  CanaryJudgement *judgement)
{
    Endpoint found;
    SplitFigures figures;
    Window window;
    Error why = {0};

    if (!canary_rule_check(&trial->rule, &scope->error) || !endpoint_find(scope, endpoint, &found))
        return false;
    if (!found.candidate.id)
        return fail(&scope->error, ERROR_CONFLICT, "endpoint \"%s\" has no candidate", endpoint);
    if (!read_figures(serving, &found, scope->arena, &figures, &why)) {
        *judgement = not_served(&why, &trial->record, scope->arena);
        return true;
    }
    canary_record_take(&trial->record, figures.since, &figures.candidate.window);
    window = canary_record_sum(&trial->record);
    *judgement = canary_decide(&trial->rule, &window, scope->arena);
    judgement->is_served = true;
    return true;
}
