#include <math.h>
#include <stdlib.h>

#include "ml/search_internal.h"

/* A model whose answers say no more than "the larger class" has a correlation of 0 with the truth;
 * where classes are uneven its accuracy can still be high. It is never better than one that knows
 * something. */
static bool is_useful(const Candidate *candidate)
{
    return candidate->mcc > 0;
}

bool candidate_is_better(const Search *search, const Candidate *a, const Candidate *b)
{
    double sign = search->metric->higher_is_better ? 1 : -1;

    if (is_useful(a) != is_useful(b))
        return is_useful(a);
    if (isnan(a->score) != isnan(b->score))
        return isnan(b->score);
    if (!isnan(a->score) && a->score != b->score)
        return sign * a->score > sign * b->score;
    return a->log_loss < b->log_loss;
}

Candidate *search_best(Search *search)
{
    Candidate *best = NULL;

    for (size_t i = 1; i < search->candidate_count; i++) {
        Candidate *candidate = &search->candidates[i];

        if (candidate->is_finished && (!best || candidate_is_better(search, candidate, best)))
            best = candidate;
    }
    return best;
}

Candidate *search_choose(Search *search)
{
    Candidate *best = search_best(search), *chosen = best;
    double sign = search->metric->higher_is_better ? 1 : -1;
    double margin = best->score_deviation / sqrt((double)search->fold_count);

    for (size_t i = 1; i < search->candidate_count; i++) {
        Candidate *candidate = &search->candidates[i];

        if (candidate->is_finished && is_useful(candidate) == is_useful(best) &&
            sign * (best->score - candidate->score) <= margin &&
            candidate->log_loss < chosen->log_loss)
            chosen = candidate;
    }
    if (chosen != best)
        chosen->note = "chosen: the least log loss within a standard error of the best score";
    return chosen;
}

static bool is_before(const Search *search, const Candidate *a, const Candidate *b)
{
    if (a->is_baseline || b->is_baseline)
        return a->is_baseline;
    if (a->is_finished != b->is_finished)
        return a->is_finished;
    return a->is_finished && candidate_is_better(search, a, b);
}

static LeaderboardRow row_of(const Search *search, const Candidate *candidate,
                             const Candidate *chosen)
{
    const Candidate *baseline = &search->candidates[0];
    double sign = search->metric->higher_is_better ? 1 : -1;
    bool is_finished = candidate->is_finished;

    return (LeaderboardRow){
        .name = candidate->name,
        .description = candidate->description,
        .score = is_finished ? candidate->score : NAN,
        .score_deviation = is_finished ? candidate->score_deviation : NAN,
        .accuracy = is_finished ? candidate->accuracy : NAN,
        .f1 = is_finished ? candidate->f1 : NAN,
        .log_loss = is_finished && search->labels ? candidate->log_loss : NAN,
        .seconds = candidate->seconds,
        .is_baseline = candidate->is_baseline,
        .below_baseline = is_finished && sign * candidate->score < sign * baseline->score,
        .chosen = candidate == chosen,
        .note = candidate->note ? candidate->note : "",
        .trial = candidate->trial,
    };
}

Leaderboard search_leaderboard(const Search *search, const Candidate *chosen, Arena *arena)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    const Candidate **order = arena_array(scratch, const Candidate *, search->candidate_count);
    Leaderboard board = {arena_array(arena, LeaderboardRow, search->candidate_count), 0};

    for (size_t i = 0; i < search->candidate_count; i++) {
        size_t at = i;

        for (; at > 0 && is_before(search, &search->candidates[i], order[at - 1]); at--)
            order[at] = order[at - 1];
        order[at] = &search->candidates[i];
    }
    for (; board.count < search->candidate_count; board.count++)
        board.items[board.count] = row_of(search, order[board.count], chosen);
    return board;
}

void search_report_progress(Search *search)
{
    CLEANUP(arena_cleanup) Arena *scratch = NULL;
    Leaderboard board;

    if (!search->spec->listener.call)
        return;
    scratch = arena_create();
    board = search_leaderboard(search, NULL, scratch);
    search->spec->listener.call(search->spec->listener.context, &board, search->done,
                                search->planned);
}
