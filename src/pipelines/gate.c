#include "pipelines/gate.h"

#include <math.h>
#include <string.h>

/* One decision under way. Every way through ends in decide(). */
typedef struct Judge {
    const GateRule *rule;
    const MetricKind *metric;
    const GateNumbers *numbers;
    double gain, low, high; /* of the difference, turned so that more is better */
    Arena *arena;
    GateDecision decision;
} Judge;

const char *gate_outcome_name(GateOutcome outcome)
{
    static const char *const names[] = {
        [GATE_REFUSED] = "refused",
        [GATE_REJECTED] = "rejected",
        [GATE_ACCEPTED] = "accepted",
    };

    return names[outcome];
}

static void decide(Judge *judge, GateOutcome outcome, const char *finding, const char *reason)
{
    judge->decision.outcome = outcome;
    judge->decision.finding = finding;
    judge->decision.reason = reason;
}

static void refuse(Judge *judge, const char *reason)
{
    decide(judge, GATE_REFUSED, "refused", reason);
}

/* Whether value is at least limit, in the metric's own sense of better. */
static bool reaches(const Judge *judge, double value, double limit)
{
    return judge->metric->higher_is_better ? value >= limit : value <= limit;
}

/* Metrics of classes are mostly from 0 to 1; those of numbers are as large as the numbers. */
static const char *figure(const Judge *judge, double value)
{
    return arena_format(judge->arena, judge->metric->task == TASK_CLASSIFICATION ? "%.4f" : "%.6g",
                        value);
}

static const char *signed_figure(const Judge *judge, double value)
{
    return arena_format(judge->arena,
                        judge->metric->task == TASK_CLASSIFICATION ? "%+.4f" : "%+.6g", value);
}

static const char *baseline_answer(const MetricKind *metric)
{
    return metric->task == TASK_CLASSIFICATION ? "the commonest answer" : "the mean";
}

static const char *baseline_name(const MetricKind *metric)
{
    return metric->task == TASK_CLASSIFICATION ? "majority" : "mean";
}

/* "f1 0.9110 against 0.9090 (difference +0.0020, inside the noise: 95 % interval -0.0210 to
 * +0.0250)" */
static const char *describe(const Judge *judge)
{
    const GateNumbers *numbers = judge->numbers;

    return arena_format(
        judge->arena, "%s %s against %s (difference %s, %s the noise: %g %% interval %s to %s)",
        judge->metric->name, figure(judge, numbers->challenger), figure(judge, numbers->champion),
        signed_figure(judge, numbers->interval.difference),
        judge->decision.within_noise ? "inside" : "beyond", judge->rule->level * 100,
        signed_figure(judge, numbers->interval.low), signed_figure(judge, numbers->interval.high));
}

static const char *explain(const Judge *judge, const char *finding)
{
    return arena_format(judge->arena, "%s: %s", finding, describe(judge));
}

/* A number that is missing, or two that contradict one another, decide nothing. */
static const char *missing_number(const Judge *judge)
{
    const GateNumbers *numbers = judge->numbers;
    const PairedInterval *interval = &numbers->interval;

    if (!isfinite(numbers->challenger))
        return "the challenger has no number";
    if (!isfinite(numbers->baseline))
        return arena_format(judge->arena, "the %s baseline has no number",
                            baseline_name(judge->metric));
    if (!numbers->has_champion)
        return NULL;
    if (!isfinite(numbers->champion))
        return "the champion has no number";
    if (!isfinite(interval->difference) || !isfinite(interval->low) || !isfinite(interval->high))
        return "the difference has no interval";
    if (interval->low > interval->high)
        return "the interval of the difference is upside down";
    if (interval->challenger != numbers->challenger || interval->champion != numbers->champion)
        return "the interval is of other numbers";
    return NULL;
}

static void warn_of_weak_minimum(Judge *judge)
{
    const GateRule *rule = judge->rule;
    const char *warning = gate_rule_warning(rule, judge->arena);

    if (warning)
        text_list_add(&judge->decision.warnings, judge->arena, warning);
    else if (!isnan(rule->minimum) && reaches(judge, judge->numbers->baseline, rule->minimum))
        text_list_add(&judge->decision.warnings, judge->arena,
                      arena_format(judge->arena,
                                   "the minimum %g stops nothing: always giving %s has %s",
                                   rule->minimum, baseline_answer(judge->metric),
                                   figure(judge, judge->numbers->baseline)));
}

static void decide_first(Judge *judge)
{
    double baseline = judge->numbers->baseline, challenger = judge->numbers->challenger;
    const char *name = baseline_name(judge->metric);
    const char *numbers = arena_format(judge->arena, "%s %s, always %s %s", judge->metric->name,
                                       figure(judge, challenger), baseline_answer(judge->metric),
                                       figure(judge, baseline));

    if (challenger == baseline || !reaches(judge, challenger, baseline))
        decide(judge, GATE_REJECTED,
               arena_format(judge->arena, "not better than the %s baseline", name),
               arena_format(judge->arena, "no better than the %s baseline: %s", name, numbers));
    else
        decide(judge, GATE_ACCEPTED, "first model",
               arena_format(judge->arena, "the first model of this endpoint: %s", numbers));
}

static double margin_of(const Judge *judge)
{
    return gate_rule_margin(judge->rule, judge->numbers->champion);
}

static void decide_better(Judge *judge)
{
    if (judge->low > margin_of(judge))
        decide(judge, GATE_ACCEPTED, "better", explain(judge, "better"));
    else if (judge->high < 0)
        decide(judge, GATE_REJECTED, "worse", explain(judge, "worse"));
    else
        decide(judge, GATE_REJECTED, "not better",
               arena_format(judge->arena, "not better by more than %g beyond the noise: %s",
                            margin_of(judge), describe(judge)));
}

static void decide_not_worse(Judge *judge)
{
    double margin = margin_of(judge);
    bool has_margin = gate_rule_has_margin(judge->rule);

    if (judge->low > 0)
        decide(judge, GATE_ACCEPTED, "better", explain(judge, "better"));
    else if (has_margin && judge->gain < -margin)
        decide(judge, GATE_REJECTED, "worse",
               arena_format(judge->arena, "worse by more than the margin of %g: %s", margin,
                            describe(judge)));
    else if (!has_margin && judge->gain < 0 && judge->high < 0)
        decide(judge, GATE_REJECTED, "worse", explain(judge, "worse beyond the noise"));
    else if (judge->decision.within_noise)
        decide(judge, GATE_ACCEPTED, "not worse, within noise",
               explain(judge, "not worse, within noise"));
    else
        decide(judge, GATE_ACCEPTED, "worse within the margin",
               arena_format(judge->arena, "worse, but by no more than the margin of %g: %s", margin,
                            describe(judge)));
}

static void turn_difference(Judge *judge)
{
    const PairedInterval *interval = &judge->numbers->interval;
    bool higher = judge->metric->higher_is_better;

    judge->gain = higher ? interval->difference : -interval->difference;
    judge->low = higher ? interval->low : -interval->high;
    judge->high = higher ? interval->high : -interval->low;
    judge->decision.within_noise = judge->low <= 0 && judge->high >= 0;
}

static void decide_by_numbers(Judge *judge)
{
    const GateRule *rule = judge->rule;

    warn_of_weak_minimum(judge);
    if (judge->numbers->has_champion)
        turn_difference(judge);
    if (!isnan(rule->minimum) && !reaches(judge, judge->numbers->challenger, rule->minimum))
        decide(judge, GATE_REJECTED, "misses the minimum",
               arena_format(judge->arena, "%s %s misses the minimum of %g%s%s", rule->metric,
                            figure(judge, judge->numbers->challenger), rule->minimum,
                            judge->numbers->has_champion ? "; " : "",
                            judge->numbers->has_champion ? describe(judge) : ""));
    else if (!judge->numbers->has_champion)
        decide_first(judge);
    else if (strcmp(rule->demand, "better") == 0)
        decide_better(judge);
    else
        decide_not_worse(judge);
}

GateDecision gate_decide(const GateRule *rule, const GateNumbers *numbers, Arena *arena)
{
    Judge judge = {.rule = rule, .numbers = numbers, .arena = arena};
    const char *missing;
    Error error = {0};

    if (!gate_rule_check(rule, &error)) {
        refuse(&judge, arena_format(arena, "the gate's rule cannot decide: %s", error.message));
        return judge.decision;
    }
    judge.metric = metric_find(rule->metric);
    missing = missing_number(&judge);
    if (missing)
        refuse(&judge, arena_format(arena, "%s for \"%s\"", missing, rule->metric));
    else
        decide_by_numbers(&judge);
    return judge.decision;
}
