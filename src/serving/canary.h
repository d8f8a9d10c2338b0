/* canary.h: whether a candidate may go on: its errors and its times against a rule.
 *
 * The rule is about the candidate alone and not about how much better the live version does: what
 * it may cost the callers is known beforehand.
 *
 *     if (!canary_judge(scope, serving, "spam", &rule, &judgement))
 *         return false;
 *     if (judgement.verdict == CANARY_ABORT)
 *         ... endpoint_candidate_clear(scope, "spam", judgement.reason, &endpoint)
 */
#pragma once

#include "serving/serving.h"

typedef struct CanaryRule {
    double errors_max;    /* share of its requests that may be errors: 0.01 is 1 % */
    double p99_ms_max;    /* of its answers; NaN: any */
    int64_t requests_min; /* fewer of them say nothing */
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
} CanaryJudgement;

/* Pure. Errors abort before there are enough requests as soon as they are so many that good ones
 * up to the minimum could not make up for them. */
CanaryJudgement canary_decide(const CanaryRule *rule, const Window *window, Arena *arena);

/* Of the endpoint's candidate by all that it did since it was set; who wants a shorter time keeps
 * an earlier judgement's window, and decides by window_since(). A conflict when no candidate is
 * set. One that could not be loaded is to be aborted; one that is not served yet waits. */
bool canary_judge(Scope *scope, Serving *serving, const char *endpoint, const CanaryRule *rule,
                  CanaryJudgement *judgement) MUST_CHECK;
