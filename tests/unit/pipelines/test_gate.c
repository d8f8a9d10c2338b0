/* The gate as a table of situations: numbers and a rule in, a decision out. Rows that are named
 * after a fault (FEATURES) show that ours does not have it. */
#include "pipelines/gate.h"
#include "tests/test.h"

#define NONE NAN

typedef struct Situation {
    const char *name;
    GateRule rule;
    GateNumbers numbers;
    GateOutcome outcome;
    const char *finding;
    const char *says; /* a part of the reason; NULL: anything */
} Situation;

#define RULE(metric_, demand_, margin_, minimum_)                                                  \
    {                                                                                              \
        .metric = (metric_), .margin = (margin_), .minimum = (minimum_), .level = 0.95,            \
        .demand = (demand_)                                                                        \
    }
#define RELATIVE_RULE(metric_, demand_, share_)                                                    \
    {                                                                                              \
        .metric = (metric_), .relative_margin = (share_), .minimum = NONE, .level = 0.95,          \
        .demand = (demand_)                                                                        \
    }
#define AGAINST(challenger_, champion_, low_, high_)                                               \
    {                                                                                              \
        .has_champion = true, .challenger = (challenger_), .champion = (champion_),                \
        .baseline = 0.5, .interval = {                                                             \
            .challenger = (challenger_),                                                           \
            .champion = (champion_),                                                               \
            .difference = (challenger_) - (champion_),                                             \
            .low = (low_),                                                                         \
            .high = (high_)                                                                        \
        }                                                                                          \
    }
#define FIRST(challenger_, baseline_)                                                              \
    {                                                                                              \
        .challenger = (challenger_), .baseline = (baseline_), .champion = NONE                     \
    }

static const Situation situations[] = {
    {"better beyond the noise", RULE("f1", "not-worse", 0, NONE), AGAINST(0.95, 0.90, 0.02, 0.08),
     GATE_ACCEPTED, "better",
     "f1 0.9500 against 0.9000 (difference +0.0500, beyond the noise: 95 % interval +0.0200 to "
     "+0.0800)"},
    {"F5: the retrained spam model, better by less than the noise",
     RULE("f1", "not-worse", 0, NONE), AGAINST(0.911, 0.909, -0.021, 0.025), GATE_ACCEPTED,
     "not worse, within noise", "inside the noise"},
    {"slightly worse inside the noise, no margin set", RULE("f1", "not-worse", 0, NONE),
     AGAINST(0.905, 0.909, -0.02, 0.01), GATE_ACCEPTED, "not worse, within noise", NULL},
    {"F3, F16: worse beyond the noise", RULE("f1", "not-worse", 0, NONE),
     AGAINST(0.80, 0.90, -0.14, -0.06), GATE_REJECTED, "worse", "worse beyond the noise"},
    {"worse by more than the margin, though inside the noise", RULE("f1", "not-worse", 0.01, NONE),
     AGAINST(0.88, 0.90, -0.05, 0.01), GATE_REJECTED, "worse",
     "worse by more than the margin of 0.01"},
    {"worse beyond the noise, but by less than the margin", RULE("f1", "not-worse", 0.01, NONE),
     AGAINST(0.895, 0.90, -0.007, -0.003), GATE_ACCEPTED, "worse within the margin", NULL},
    {"the same model again", RULE("f1", "not-worse", 0, NONE), AGAINST(0.9, 0.9, 0, 0),
     GATE_ACCEPTED, "not worse, within noise", NULL},
    {"misses the minimum, though better", RULE("f1", "not-worse", 0, 0.85),
     AGAINST(0.84, 0.80, 0.01, 0.07), GATE_REJECTED, "misses the minimum",
     "f1 0.8400 misses the minimum of 0.85; f1 0.8400 against 0.8000 (difference +0.0400, beyond "
     "the "
     "noise: 95 % interval +0.0100 to +0.0700)"},

    {"demand better: beyond margin and noise", RULE("f1", "better", 0.01, NONE),
     AGAINST(0.95, 0.90, 0.02, 0.08), GATE_ACCEPTED, "better", NULL},
    {"demand better: the interval reaches into the margin", RULE("f1", "better", 0.03, NONE),
     AGAINST(0.95, 0.90, 0.02, 0.08), GATE_REJECTED, "not better", "beyond the noise"},
    {"demand better: inside the noise", RULE("f1", "better", 0, NONE),
     AGAINST(0.911, 0.909, -0.021, 0.025), GATE_REJECTED, "not better", NULL},
    {"demand better: worse", RULE("f1", "better", 0, NONE), AGAINST(0.8, 0.9, -0.14, -0.06),
     GATE_REJECTED, "worse", NULL},

    {"R5: less is better, and it is less", RULE("log_loss", "not-worse", 0, NONE),
     AGAINST(0.20, 0.30, -0.15, -0.05), GATE_ACCEPTED, "better", NULL},
    {"R5: less is better, and it is more", RULE("log_loss", "not-worse", 0, NONE),
     AGAINST(0.30, 0.20, 0.05, 0.15), GATE_REJECTED, "worse", NULL},
    {"R5: a minimum where less is better is a limit from above",
     RULE("log_loss", "not-worse", 0, 0.25), AGAINST(0.30, 0.40, -0.15, -0.05), GATE_REJECTED,
     "misses the minimum", NULL},

    {"T7: numbers, whose errors are as large as they are", RULE("rmse", "not-worse", 0, NONE),
     AGAINST(389.93, 439.5, -71.25, -22.5), GATE_ACCEPTED, "better",
     "rmse 389.93 against 439.5 (difference -49.57, beyond the noise: 95 % interval -71.25 to "
     "-22.5)"},
    {"T7: R2 of numbers, below 0", RULE("r2", "not-worse", 0, NONE),
     AGAINST(0.069, -0.076, 0.02, 0.31), GATE_ACCEPTED, "better", "r2 0.069 against -0.076"},
    {"T7: a first model that is better than the mean", RULE("rmse", "not-worse", 0, NONE),
     FIRST(5.85, 12.5), GATE_ACCEPTED, "first model", "rmse 5.85, always the mean 12.5"},
    {"T7: a first model that is worse than the mean", RULE("mae", "not-worse", 0, NONE),
     FIRST(13.5, 12.5), GATE_REJECTED, "not better than the mean baseline",
     "no better than the mean baseline: mae 13.5, always the mean 12.5"},
    {"T7: a limit that always giving the mean keeps to", RULE("rmse", "not-worse", 0, 20),
     FIRST(5.85, 12.5), GATE_ACCEPTED, "first model", NULL},
    {"F1: numbers without a baseline", RULE("rmse", "not-worse", 0, NONE), FIRST(5.85, NONE),
     GATE_REFUSED, "refused", "the mean baseline has no number"},

    {"R7: lower by at least 1 % of the champion's, and it is, beyond the noise",
     RELATIVE_RULE("log_loss", "better", 0.01), AGAINST(0.27, 0.30, -0.05, -0.004), GATE_ACCEPTED,
     "better", NULL},
    {"R7: lower by at least 1 % of the champion's, and the noise reaches into it",
     RELATIVE_RULE("log_loss", "better", 0.01), AGAINST(0.27, 0.30, -0.05, -0.002), GATE_REJECTED,
     "not better", "by more than 0.003"},
    {"R7: worse, but by less than 1 % of the champion's", RELATIVE_RULE("f1", "not-worse", 0.01),
     AGAINST(0.895, 0.90, -0.008, -0.002), GATE_ACCEPTED, "worse within the margin", NULL},

    {"a first model that beats the baseline", RULE("f1", "not-worse", 0, 0.85), FIRST(0.93, 0.68),
     GATE_ACCEPTED, "first model", "f1 0.9300, always the commonest answer 0.6800"},
    {"a first model no better than the baseline", RULE("f1", "not-worse", 0, NONE),
     FIRST(0.68, 0.68), GATE_REJECTED, "not better than the majority baseline", NULL},
    {"a first model below the baseline", RULE("f1", "not-worse", 0, NONE), FIRST(0.60, 0.68),
     GATE_REJECTED, NULL, NULL},
    {"a first model that misses the minimum", RULE("f1", "not-worse", 0, 0.95), FIRST(0.93, 0.68),
     GATE_REJECTED, "misses the minimum", NULL},

    {"F1: the champion's number is missing", RULE("f1", "not-worse", 0, NONE),
     AGAINST(0.9, NONE, 0, 0), GATE_REFUSED, "refused", "the champion has no number for \"f1\""},
    {"F1: the challenger's number is missing", RULE("f1", "not-worse", 0, NONE),
     AGAINST(NONE, 0.9, 0, 0), GATE_REFUSED, "refused", "the challenger has no number"},
    {"F1: a number is infinite", RULE("f1", "not-worse", 0, NONE), AGAINST(INFINITY, 0.9, 0, 0),
     GATE_REFUSED, "refused", NULL},
    {"F1: the interval is missing", RULE("f1", "not-worse", 0, NONE),
     AGAINST(0.95, 0.9, NONE, 0.08), GATE_REFUSED, "refused", "the difference has no interval"},
    {"F1: the interval is upside down", RULE("f1", "not-worse", 0, NONE),
     AGAINST(0.95, 0.9, 0.08, 0.02), GATE_REFUSED, "refused", NULL},
    {"F1: a first model without a baseline", RULE("f1", "not-worse", 0, NONE), FIRST(0.93, NONE),
     GATE_REFUSED, "refused", "the majority baseline has no number"},
    {"F2: the metric is written otherwise", RULE("F1", "not-worse", 0, NONE),
     AGAINST(0.95, 0.9, 0.02, 0.08), GATE_REFUSED, "refused", "\"F1\" is not a metric"},
    {"F2: there is no metric", RULE(NULL, "not-worse", 0, NONE), AGAINST(0.95, 0.9, 0.02, 0.08),
     GATE_REFUSED, "refused", NULL},
    {"F13: a minimum that no model can reach", RULE("f1", "not-worse", 0, 85),
     AGAINST(0.95, 0.9, 0.02, 0.08), GATE_REFUSED, "refused", "no model can reach a minimum of 85"},
    {"a demand that nobody knows", RULE("f1", "any", 0, NONE), AGAINST(0.95, 0.9, 0.02, 0.08),
     GATE_REFUSED, "refused", NULL},
    {"a margin that is no number", RULE("f1", "not-worse", NONE, NONE),
     AGAINST(0.95, 0.9, 0.02, 0.08), GATE_REFUSED, "refused", NULL},
};

static void test_each_situation_is_decided_as_the_rule_says(void)
{
    for (size_t i = 0; i < COUNT(situations); i++) {
        CLEANUP(arena_cleanup) Arena *arena = arena_create();
        const Situation *situation = &situations[i];
        GateDecision decision = gate_decide(&situation->rule, &situation->numbers, arena);

        if (decision.outcome != situation->outcome)
            fprintf(stderr, "%s: %s\n", situation->name, decision.reason);
        EXPECT(decision.outcome == situation->outcome);
        if (situation->finding)
            EXPECT_TEXT(decision.finding, situation->finding);
        if (situation->says && !strstr(decision.reason, situation->says))
            fprintf(stderr, "%s: %s\n", situation->name, decision.reason);
        EXPECT(!situation->says || strstr(decision.reason, situation->says));
    }
}

static void test_f5_an_interval_of_other_numbers_is_refused(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    GateRule rule = RULE("f1", "not-worse", 0, NONE);
    GateNumbers numbers = AGAINST(0.95, 0.90, 0.02, 0.08);

    numbers.champion = 0.80;
    EXPECT(gate_decide(&rule, &numbers, arena).outcome == GATE_REFUSED);
}

static void test_a_decision_that_was_never_made_is_a_refusal(void)
{
    GateDecision decision = {0};

    EXPECT_TEXT(gate_outcome_name(decision.outcome), "refused");
}

static void test_f13_a_minimum_below_the_baseline_is_warned_of(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    GateRule rule = RULE("f1", "not-worse", 0, 0.10);
    GateNumbers numbers = AGAINST(0.95, 0.90, 0.02, 0.08);
    GateDecision decision = gate_decide(&rule, &numbers, arena);

    EXPECT(decision.warnings.count == 1);
    EXPECT_TEXT(decision.warnings.items[0],
                "the minimum 0.1 stops nothing: always giving the commonest answer has 0.5000");
}

static const struct {
    const char *name;
    GateRule current, proposed;
    bool is_tighter;
} changes[] = {
    {"the same", RULE("f1", "not-worse", 0.01, NONE), RULE("f1", "not-worse", 0.01, NONE), true},
    {"a smaller margin", RULE("f1", "not-worse", 0.02, NONE), RULE("f1", "not-worse", 0.01, NONE),
     true},
    {"a larger margin", RULE("f1", "not-worse", 0.01, NONE), RULE("f1", "not-worse", 0.02, NONE),
     false},
    {"noise instead of a margin", RULE("f1", "not-worse", 0.01, NONE),
     RULE("f1", "not-worse", 0, NONE), false},
    {"a margin instead of noise", RULE("f1", "not-worse", 0, NONE),
     RULE("f1", "not-worse", 0.01, NONE), false},
    {"a minimum where there was none", RULE("f1", "not-worse", 0, NONE),
     RULE("f1", "not-worse", 0, 0.8), true},
    {"a higher minimum", RULE("f1", "not-worse", 0, 0.8), RULE("f1", "not-worse", 0, 0.9), true},
    {"a lower minimum", RULE("f1", "not-worse", 0, 0.9), RULE("f1", "not-worse", 0, 0.8), false},
    {"no minimum any more", RULE("f1", "not-worse", 0, 0.9), RULE("f1", "not-worse", 0, NONE),
     false},
    {"a lower limit where less is better", RULE("log_loss", "not-worse", 0, 0.5),
     RULE("log_loss", "not-worse", 0, 0.4), true},
    {"a higher limit where less is better", RULE("log_loss", "not-worse", 0, 0.4),
     RULE("log_loss", "not-worse", 0, 0.5), false},
    {"another metric", RULE("f1", "not-worse", 0, NONE), RULE("accuracy", "not-worse", 0, NONE),
     false},
    {"better instead of not worse", RULE("f1", "not-worse", 0, NONE), RULE("f1", "better", 0, NONE),
     true},
    {"not worse instead of better", RULE("f1", "better", 0, NONE), RULE("f1", "not-worse", 0, NONE),
     false},
    {"better by more", RULE("f1", "better", 0, NONE), RULE("f1", "better", 0.01, NONE), true},
    {"better by less", RULE("f1", "better", 0.01, NONE), RULE("f1", "better", 0, NONE), false},
};

static void test_a_file_may_tighten_a_rule_and_nothing_else(void)
{
    for (size_t i = 0; i < COUNT(changes); i++) {
        bool is_tighter = gate_rule_is_tighter(&changes[i].current, &changes[i].proposed);

        if (is_tighter != changes[i].is_tighter)
            fprintf(stderr, "%s\n", changes[i].name);
        EXPECT(is_tighter == changes[i].is_tighter);
    }
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_each_situation_is_decided_as_the_rule_says),
        TEST(test_f5_an_interval_of_other_numbers_is_refused),
        TEST(test_a_decision_that_was_never_made_is_a_refusal),
        TEST(test_f13_a_minimum_below_the_baseline_is_warned_of),
        TEST(test_a_file_may_tighten_a_rule_and_nothing_else),
        {0},
    };

    return test_main(tests, count, names);
}
