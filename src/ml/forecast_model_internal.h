/* forecast_model_internal.h: what a forecast model is made of, for the files forecast_model*.c. */
#pragma once

#include "ml/combination.h"
#include "ml/forecast_model.h"
#include "ml/interval.h"

/* What a series is forecast by: names, as a file outlives learners. */
typedef struct EntryMember {
    const char *learner;
    size_t period;
    double weight;
} EntryMember;

typedef struct ForecastEntry {
    const char *id, *choice;
    const double *values;
    size_t count;
    int64_t last_ms;
    CombinationKind kind;
    size_t member_count;
    EntryMember members[COMBINATION_MAX];
    double scale;        /* of its intervals */
    bool is_nonnegative; /* no value was below 0, so no forecast is */
    const double *mean;  /* steps_max of each */
    const double *deviation;
} ForecastEntry;

struct ForecastModel {
    Arena *arena; /* owns everything, the model too */
    Frequency frequency;
    size_t horizon, steps_max;
    IntervalTable table;
    ForecastEntry *entries;
    size_t count;
    const size_t *by_id; /* entries by their ids */
};

/* Makes by_id; false where two entries have the same id, which is given. */
bool forecast_model_index(ForecastModel *model, const char **twice);

/* How a choice reads: "ets", "ets 0.6, dotm 0.4", "median of ets, dotm, theta". */
const char *forecast_entry_describe(const ForecastEntry *entry, Arena *arena);

/* What a leaderboard is made of: by series and candidate the mase of the back-test, NaN where there
 * is none. */
typedef struct ForecastBoard {
    const SeriesCandidate *candidates;
    size_t candidate_count, series_count, main_period;
    const double *errors;     /* series_count x candidate_count */
    const double *automatic;  /* series_count: of what the rule would have chosen */
    const char *const *notes; /* by candidate: why it failed the first time, or "" */
    const double *seconds;    /* by candidate */
    const CombinationRule *rule;
    const size_t *chosen_by; /* by candidate: series that it is the best, or only, member of */
} ForecastBoard;

/* Baselines first, then by their scores; the rule's own row, "automatic", is the chosen one. */
Leaderboard forecast_leaderboard(const ForecastBoard *board, Arena *arena);

const char *forecast_rule_describe(const CombinationRule *rule, Arena *arena);
