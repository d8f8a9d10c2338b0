#include <math.h>
#include <string.h>

#include "ml/forecast_model_internal.h"

const char *forecast_rule_describe(const CombinationRule *rule, Arena *arena)
{
    const char *shared = rule->common > 0
                             ? arena_format(arena, ", %.0f %% of it by its errors over all series",
                                            100 * rule->common)
                             : "";

    switch (rule->kind) {
    case COMBINATION_BEST:
        return arena_format(arena, "the best of each series%s", shared);
    case COMBINATION_MEDIAN:
        return arena_format(arena, "the median of the best %zu of each series%s", rule->member_max,
                            shared);
    case COMBINATION_WEIGHTED:
    case COMBINATION_KIND_COUNT:
        break;
    }
    return arena_format(arena, "the mean of the best %zu of each series, by 1 / error^%g%s",
                        rule->member_max, rule->power, shared);
}

typedef struct Standing {
    double mean, deviation;
} Standing;

/* Over the series that have one; stride doubles from one to the next. */
static Standing standing_of(const double *errors, size_t count, size_t stride)
{
    double sum = 0, squares = 0, n = 0, mean;

    for (size_t i = 0; i < count; i++) {
        double error = errors[i * stride];

        if (isnan(error))
            continue;
        sum += error;
        squares += error * error;
        n++;
    }
    mean = n > 0 ? sum / n : NAN;
    return (Standing){mean, sqrt(fmax(squares / n - mean * mean, 0))};
}

static const char *note_of(const ForecastBoard *board, size_t index, Arena *arena)
{
    size_t stopped = board->stopped[index];

    if (stopped > 0 && board->series_count > 1)
        return arena_format(arena, "stopped on %zu of %zu series: the time budget is used up",
                            stopped, board->series_count);
    if (stopped > 0)
        return "stopped: the time budget is used up";
    if (board->notes && board->notes[index][0])
        return board->notes[index];
    if (board->chosen_by && board->chosen_by[index] > 0 && board->series_count > 1)
        return arena_format(arena, "first choice of %zu series", board->chosen_by[index]);
    return "";
}

static TrialEnd end_of(const ForecastBoard *board, size_t index, double mean)
{
    if (board->stopped[index] > 0)
        return board->is_told ? TRIAL_TOLD : TRIAL_BUDGET;
    return isnan(mean) && board->notes && board->notes[index][0] ? TRIAL_FAILED : TRIAL_FINISHED;
}

static TrialRecord record_of(const ForecastBoard *board, size_t index, double mean, Arena *arena)
{
    const SeriesCandidate *candidate = &board->candidates[index];
    TrialRecord record = {.end = end_of(board, index, mean),
                          .folds = isnan(mean) ? 0 : board->windows};

    trial_record_text(&record, "learner", candidate->learner->name, arena);
    trial_record_number(&record, "season", (double)candidate->period, arena);
    if (candidate->with_known)
        trial_record_text(&record, "known", board->known, arena);
    return record;
}

static LeaderboardRow candidate_row(const ForecastBoard *board, size_t index, Arena *arena)
{
    const SeriesCandidate *candidate = &board->candidates[index];
    Standing standing =
        standing_of(board->errors + index, board->series_count, board->candidate_count);
    const char *name = series_candidate_name(candidate, board->main_period, arena);

    if (candidate->with_known)
        name = arena_format(arena, "%s with %s", name, board->known);
    return (LeaderboardRow){
        .name = name,
        .description = candidate->learner->summary,
        .score = standing.mean,
        .score_deviation = standing.deviation,
        .accuracy = NAN,
        .f1 = NAN,
        .log_loss = NAN,
        .seconds = board->seconds[index],
        .is_baseline = candidate->learner->is_baseline,
        .note = note_of(board, index, arena),
        .trial = record_of(board, index, standing.mean, arena),
    };
}

static LeaderboardRow automatic_row(const ForecastBoard *board, Arena *arena)
{
    Standing standing = standing_of(board->automatic, board->series_count, 1);

    return (LeaderboardRow){
        .name = "automatic",
        .description = forecast_rule_describe(board->rule, arena),
        .score = standing.mean,
        .score_deviation = standing.deviation,
        .accuracy = NAN,
        .f1 = NAN,
        .log_loss = NAN,
        .chosen = true,
        .note = "",
        .trial.folds = isnan(standing.mean) ? 0 : board->windows,
    };
}

static bool is_before(const LeaderboardRow *a, const LeaderboardRow *b)
{
    if (a->is_baseline != b->is_baseline)
        return a->is_baseline;
    if (isnan(a->score) || isnan(b->score))
        return !isnan(a->score) && isnan(b->score);
    return a->score < b->score;
}

static void add_row(Leaderboard *leaderboard, LeaderboardRow row)
{
    size_t at = leaderboard->count++;

    for (; at > 0 && is_before(&row, &leaderboard->items[at - 1]); at--)
        leaderboard->items[at] = leaderboard->items[at - 1];
    leaderboard->items[at] = row;
}

/* Worse than the best of the baselines, which are not marked themselves. */
static void mark_those_below(Leaderboard *leaderboard)
{
    double least = NAN;

    for (size_t i = 0; i < leaderboard->count; i++)
        if (leaderboard->items[i].is_baseline)
            least = fmin(least, leaderboard->items[i].score);
    for (size_t i = 0; i < leaderboard->count; i++)
        leaderboard->items[i].below_baseline =
            !leaderboard->items[i].is_baseline && leaderboard->items[i].score > least;
}

Leaderboard forecast_leaderboard(const ForecastBoard *board, Arena *arena)
{
    Leaderboard leaderboard = {arena_array(arena, LeaderboardRow, board->candidate_count + 1), 0};

    if (board->rule)
        add_row(&leaderboard, automatic_row(board, arena));
    for (size_t i = 0; i < board->candidate_count; i++)
        add_row(&leaderboard, candidate_row(board, i, arena));
    mark_those_below(&leaderboard);
    return leaderboard;
}
