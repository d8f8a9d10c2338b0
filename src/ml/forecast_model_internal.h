/* forecast_model_internal.h: what a forecast model is made of, for the files forecast_model*.c. */
#pragma once

#include "ml/combination.h"
#include "ml/forecast_model.h"
#include "ml/interval.h"
#include "ml/known_effect.h"

/* What a series is forecast by: names, as a file outlives learners. */
typedef struct EntryMember {
    const char *learner;
    size_t period;
    double weight;
    bool with_known;
} EntryMember;

/* What the forecast of a series with known columns is made of. */
typedef struct EntryKnown {
    KnownEffect effect;
    Forecast members[COMBINATION_MAX]; /* steps_max each, at usual values of the columns */
    const double *future;              /* rows behind the series' end that came with it */
    size_t future_count;
} EntryKnown;

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
    const double *mean;  /* steps_max of each; with known columns: at their usual values */
    const double *deviation;
    const EntryKnown *known; /* NULL: no member is with known columns */
} ForecastEntry;

struct ForecastModel {
    Arena *arena; /* owns everything, the model too */
    Frequency frequency;
    size_t horizon, steps_max;
    size_t periods[FORECAST_PERIODS_MAX], period_count; /* rising, the main one first */
    KnownColumns known;
    IntervalTable table;
    ForecastEntry *entries;
    size_t count;
    const size_t *by_id; /* entries by their ids */
};

/* Makes by_id; fails where two entries have the same id. */
bool forecast_model_index(ForecastModel *model, Error *error) MUST_CHECK;

typedef struct ForecastFit {
    Arena *arena;
    Forecast forecast;
    Forecast members[COMBINATION_MAX];
    KnownEffect effect; /* where a member is with known columns */
    size_t failed;      /* the member that could not learn the values */
    Error error;        /* why */
} ForecastFit;

/* A model under way: an entry for each input until those that failed are taken out. Threads write
 * what is their entry's; the arenas are used by one at a time. */
typedef struct ForecastDraft {
    ForecastModel *model;
    const ForecastInput *inputs;
    size_t count;
    int64_t latest_ms;          /* when the latest of them ends */
    double *means, *deviations; /* the paths of all entries, steps_max each */
    ForecastOutcome *outcomes;
    Arena *arena; /* of the outcomes */
} ForecastDraft;

/* 1 to FORECAST_SERIES_MAX of them, no two with the same id. */
bool forecast_inputs_check(const ForecastInputs *inputs, Error *error) MUST_CHECK;
bool forecast_input_check(const ForecastInput *input, Error *error) MUST_CHECK;

/* A model with an entry that is empty but for its id and time for each input; like, which has no
 * entries, says all else. */
ForecastDraft forecast_draft_create(const ForecastModel *like, const ForecastInputs *inputs,
                                    Arena *arena, Arena *scratch);

/* The members' forecasts of steps_max steps from all values of the input, as one. members has the
 * combination's members in their order; failed is the one among them that could not learn. */
bool forecast_draft_fit(const ForecastDraft *draft, size_t input, const SeriesCandidate *members,
                        const Combination *combination, ForecastFit *fit) MUST_CHECK;

/* When the latest of those that can be learnt ends. */
int64_t forecast_inputs_latest(const ForecastInput *inputs, size_t count);

/* Steps that an input ends before the latest one. */
size_t forecast_draft_behind(const ForecastDraft *draft, size_t input);

typedef struct LagLearning {
    size_t windows; /* of back-tests that it is for, too */
    size_t thread_count;
    int64_t deadline_us;       /* 0: none */
    const atomic_bool *finish; /* as ForecastSpec's */
} LagLearning;

/* CPU time that a candidate has taken before the first series. */
static inline double forecast_candidate_seconds(const SeriesCandidate *candidate)
{
    return candidate->shared && !candidate->with_known ? lag_boost_seconds(candidate->shared) : 0;
}

/* What is learnt from all inputs together (lag_boost.h); NULL where it is not worth it. Owned by
 * the caller. */
LagBoost *forecast_draft_learn_shared(const ForecastDraft *draft, const LagLearning *learning);

/* Writes the path of an entry; steps without a deviation have the one that is usual there. */
void forecast_draft_keep(ForecastDraft *draft, size_t input, const Forecast *forecast,
                         const double *usual);

/* After that, of a fit that has a member with known columns: keeps them in the model's arena. */
void forecast_draft_keep_known(ForecastDraft *draft, size_t input, const ForecastFit *fit,
                               size_t member_count);

/* Takes failed ones out, copies what the model keeps, finds ids. How many failed; fails when all
 * did. */
bool forecast_draft_finish(ForecastDraft *draft, size_t *failed_count, Error *error) MUST_CHECK;

/* How a choice reads: "ets", "ets 0.6, dotm 0.4", "median of ets, dotm with promotion, theta". */
const char *forecast_entry_describe(const ForecastEntry *entry, const KnownColumns *known,
                                    Arena *arena);

/* The path of a series as the ask's rows of known columns make it; deviation is above 0 or as the
 * entry has it. */
bool forecast_entry_follow(const ForecastModel *model, const ForecastAsk *ask, Forecast *path,
                           Error *error) MUST_CHECK;

/* What the rule would have missed; made: combination_backtest()'s. */
Misses forecast_misses(const Backtest *backtest, const Forecast *made, Arena *arena);

/* Series that were back-tested, and what is common to them. */
typedef struct ForecastSample {
    const Backtest *tested; /* each has windows */
    size_t count;
    const CombinationRule *rule;
    const double *common; /* combination.h; NULL without */
    const IntervalTable *table;
} ForecastSample;

/* What the rule would have forecast, with intervals at BACKTEST_LEVEL. */
ForecastPoints forecast_sample_points(const ForecastSample *sample, Arena *arena);

/* What a leaderboard is made of: by series and candidate the mase of the back-test, NaN where there
 * is none. */
typedef struct ForecastBoard {
    const SeriesCandidate *candidates;
    size_t candidate_count, series_count, main_period;
    const double *errors;     /* series_count x candidate_count */
    const double *automatic;  /* series_count: of what the rule would have chosen */
    const char *const *notes; /* by candidate: why it failed the first time, or ""; may be NULL */
    const double *seconds;    /* by candidate */
    const CombinationRule *rule; /* NULL: it is not known yet, and has no row */
    const size_t *chosen_by; /* by candidate: series that it is the best, or only, member of; NULL
                                where the rule is not known */
    const size_t *stopped;   /* by candidate: series that the time did not suffice for */
    const char *known;       /* the known columns, as they read */
    bool is_told;            /* somebody told the search to end, which stopped those that are */
    size_t windows;          /* of the only series; 0: there are several */
} ForecastBoard;

/* Baselines first, then by their scores; the rule's own row, "automatic", is the chosen one. */
Leaderboard forecast_leaderboard(const ForecastBoard *board, Arena *arena);

const char *forecast_rule_describe(const CombinationRule *rule, Arena *arena);
