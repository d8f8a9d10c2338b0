/* canary.h: whether a candidate may go on: its errors and its times against a rule.
 *
 * The rule is about the candidate alone and not about how much better the live version does: what
 * it may cost the callers is known beforehand.
 *
 *     CanaryTrial trial = {.rule = canary_rule_default()};
 *
 *     if (!canary_judge(scope, serving, "spam", &trial, &judgement))
 *         return false;
 *     if (judgement.verdict == CANARY_ABORT)
 *         ... endpoint_candidate_clear(scope, "spam", judgement.reason, &endpoint)
 */
#pragma once

#include "serving/serving.h"

typedef struct CanaryRule {
    double errors_max;    /* share of its requests that may be errors: 0.01 is 1 % */
    double p99_ms_max;    /* of its answers; NaN: any */
    int64_t requests_min; /* fewer of them say nothing; 0: none at all are good enough */
} CanaryRule;

/* 1 % errors, any time, 100 requests. */
CanaryRule canary_rule_default(void);
extern const JsonField canary_rule_fields[]; /* of a CanaryRule */
bool canary_rule_check(const CanaryRule *rule, Error *error) MUST_CHECK;
void canary_rule_write_json(JsonWriter *json, const char *key, const CanaryRule *rule);

typedef enum CanaryVerdict {
    CANARY_WAIT, /* there is not enough to judge by */
    CANARY_CONTINUE,
    CANARY_ABORT,
} CanaryVerdict;

typedef struct CanaryJudgement {
    CanaryVerdict verdict;
    const char *reason; /* one sentence, whatever the verdict */
    Window window;      /* what was judged */
    bool is_served;     /* false: not by this process, yet or at all */
} CanaryJudgement;

/* What a candidate did since it was set, also before this process: counts live in one process, and
 * begin at zero in the next (split.h). Whoever wants to know of more than one keeps the record, as
 * JSON; what was counted after it was written last goes with its process. */
typedef struct CanaryRecord {
    Window earlier; /* in processes that have ended */
    Window now;     /* in the one that was read last */
    int64_t since;  /* when that one began to count; 0: none has */
} CanaryRecord;

/* The counts of one process, as they are now. */
void canary_record_take(CanaryRecord *record, int64_t since, const Window *now);
Window canary_record_sum(const CanaryRecord *record);
void canary_record_write_json(JsonWriter *json, const char *key, const CanaryRecord *record);
CanaryRecord canary_record_read(const JsonValue *value);

typedef struct CanaryTrial {
    CanaryRule rule;
    CanaryRecord record; /* zeros: nothing is known from before */
} CanaryTrial;

/* Pure. Errors abort before there are enough requests as soon as they are so many that good ones
 * up to the minimum could not make up for them. */
CanaryJudgement canary_decide(const CanaryRule *rule, const Window *window, Arena *arena);

/* Of the endpoint's candidate by all that it did since it was set, which the record takes up; who
 * wants a shorter time keeps an earlier judgement's window, and decides by window_since(). A
 * conflict when no candidate is set. One that could not be loaded is to be aborted; one that is not
 * served yet waits. */
bool canary_judge(Scope *scope, Serving *serving, const char *endpoint, CanaryTrial *trial,
                  CanaryJudgement *judgement) MUST_CHECK;
