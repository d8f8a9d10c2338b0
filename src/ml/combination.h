/* combination.h: what to forecast with, by the errors that candidates made in back-tests: the best
 * one, or several together.
 *
 * The standing of a candidate is the logarithm of its mean error less the mean of that over all
 * candidates: below 0 is better than most; NaN is one that failed on a window, which takes no part.
 * A rule makes a Combination of standings: the best one, the median of the best few, or their mean
 * with weights exp(-power standing), which is 1 / error^power (Montero-Manso, Athanasopoulos,
 * Hyndman and Talagala 2020, "FFORMA", weigh by a softmax of errors, too). A rule may shrink the
 * standings that candidates have in a series towards those that they have on average over many.
 *
 * A rule is judged on each window with the standings of the other windows, so that what it is made
 * of has not seen the window, and the one of least error is taken. The first rule, a mean of the
 * best three, stands where all series together have fewer than COMBINATION_WINDOWS_MIN windows:
 * there the differences between rules are noise, the single best is often the lucky one, and a mean
 * of a few errs least.
 */
#pragma once

#include "ml/backtest.h"

enum {
    COMBINATION_MAX = 8,
    COMBINATION_WINDOWS_MIN = 30, /* more than one series can have */
};

typedef enum CombinationKind {
    COMBINATION_BEST,
    COMBINATION_MEDIAN,
    COMBINATION_WEIGHTED,
    COMBINATION_KIND_COUNT,
} CombinationKind;

typedef struct CombinationRule {
    CombinationKind kind;
    size_t member_max;
    double power;  /* of COMBINATION_WEIGHTED */
    double common; /* share of the standings over all series, 0 to 1 */
} CombinationRule;

/* Ends with a row whose member_max is 0. */
extern const CombinationRule combination_rules[];

typedef struct Combination {
    CombinationKind kind;
    size_t count, members[COMBINATION_MAX]; /* candidates by their numbers, best first */
    double weights[COMBINATION_MAX];        /* they add up to 1 */
} Combination;

/* Of a learner that forecasts without known columns and with them the better one takes part alone.
 *
 * The standing of each candidate, without the errors of one window (window_count: with all). */
double *combination_standings(const Backtest *backtest, size_t left_out, Arena *arena);

/* The mean of their standings over many series, which have the same candidates; NULL for less than
 * two series. */
double *combination_common(const Backtest *backtests, size_t count, Arena *arena);

/* The rule's choice; common may be NULL. False where no candidate has a standing. */
bool combination_make(const CombinationRule *rule, const double *standings, const double *common,
                      size_t candidate_count, Combination *combination);

/* The members' forecasts, in the order of combination->members, as one; deviations are combined as
 * means are, as if errors were the same for all. */
void combination_forecast(const Combination *combination, const Forecast *members,
                          Forecast *forecast);

/* What the rule would have forecast in all windows one after the other; false where it can make
 * nothing. */
bool combination_backtest(const Backtest *backtest, const CombinationRule *rule,
                          const double *common, Arena *arena, Forecast *forecast);

/* The rule of least error over the back-tests, or the first one, as said above. The error is the
 * sum of mase and of smape, each over what the first rule has. */
const CombinationRule *combination_choose(const Backtest *backtests, size_t count,
                                          const double *common);
