/* Greedy selection with replacement (Caruana, Niculescu-Mizil, Crew & Ksikes 2004) on margins out
 * of fold: each step adds the candidate that makes the loss of the mean least. */
#include <math.h>
#include <string.h>

#include "base/text.h"
#include "ml/tabular_search_internal.h"

enum { STEPS = 15 };

typedef struct Selection {
    TabularSearch *search;
    size_t pool[POOL_MAX], pool_count; /* candidates, from the least loss on */
    size_t taken[POOL_MAX];            /* how often */
    double *sums;                      /* of the margins taken */
    size_t steps, distinct;
    size_t sizes[POOL_MAX], size; /* bytes in the model's file: of each, of those taken */
} Selection;

static size_t value_count(const TabularSearch *search)
{
    return search->judged.row_count * search->search.margin_count;
}

size_t tabular_pool(const TabularSearch *search, size_t pool[POOL_MAX])
{
    const Candidate *candidates = search->search.candidates;
    size_t count = 0;

    for (size_t i = 1; i < search->search.candidate_count; i++) {
        size_t at = count;

        if (!candidates[i].is_finished || search->trials[i].part_count)
            continue;
        while (at > 0 && candidates[i].log_loss < candidates[pool[at - 1]].log_loss)
            at--;
        if (at == POOL_MAX)
            continue;
        count += count < POOL_MAX;
        memmove(pool + at + 1, pool + at, (count - 1 - at) * sizeof(size_t));
        pool[at] = i;
    }
    return count;
}

/* The loss of the mean when the margins are taken once more. */
static double loss_with(const Selection *selection, const double *margins, double *mean)
{
    const TabularSearch *search = selection->search;
    size_t each = search->search.margin_count;
    double count = (double)selection->steps + 1, loss = 0;

    for (size_t row = 0; row < search->table.row_count; row++) {
        size_t at = search->places[row];

        if (at == SIZE_MAX)
            continue;
        at *= each;
        for (size_t i = 0; i < each; i++)
            mean[i] = (selection->sums[at + i] + margins[at + i]) / count;
        loss += tabular_row_loss(search, row, mean);
    }
    return loss;
}

/* What is taken already costs no more. */
static bool fits(const Selection *selection, size_t at)
{
    return selection->taken[at] ||
           (selection->distinct < TABULAR_PARTS_MAX &&
            (selection->distinct == 0 ||
             selection->size + selection->sizes[at] <= TABULAR_ENSEMBLE_BYTES_MAX));
}

static void take(Selection *selection, size_t at)
{
    const TabularSearch *search = selection->search;
    const double *margins = search->search.candidates[selection->pool[at]].margins;

    selection->size += selection->taken[at] ? 0 : selection->sizes[at];
    selection->distinct += selection->taken[at]++ == 0;
    for (size_t i = 0; i < value_count(search); i++)
        selection->sums[i] += margins[i];
    selection->steps++;
}

static bool take_best(Selection *selection, double *least, double *mean)
{
    size_t best = SIZE_MAX;

    for (size_t at = 0; at < selection->pool_count; at++) {
        const double *margins = selection->search->search.candidates[selection->pool[at]].margins;
        double loss;

        if (!fits(selection, at))
            continue;
        loss = loss_with(selection, margins, mean);
        if (loss < *least) {
            *least = loss;
            best = at;
        }
    }
    if (best != SIZE_MAX)
        take(selection, best);
    return best != SIZE_MAX;
}

static const char *describe(const Trial *trial, const Candidate *candidates, Arena *arena)
{
    TextBuilder text = {.arena = arena};

    for (size_t i = 0; i < trial->part_count; i++)
        text_append_format(&text, "%s%.2f x %s (%s)", i ? " + " : "", trial->weights[i],
                           candidates[trial->parts[i]].name,
                           candidates[trial->parts[i]].description);
    return text_built(&text);
}

static bool add_candidate(const Selection *selection, Error *error)
{
    TabularSearch *search = selection->search;
    Search *inner = &search->search;
    Candidate *candidate = &inner->candidates[inner->candidate_count];
    Trial *trial = &search->trials[inner->candidate_count];

    *trial = (Trial){0};
    for (size_t at = 0; at < selection->pool_count; at++) {
        if (!selection->taken[at])
            continue;
        trial->parts[trial->part_count] = selection->pool[at];
        trial->weights[trial->part_count++] =
            (double)selection->taken[at] / (double)selection->steps;
    }
    *candidate = (Candidate){.name = "ensemble",
                             .description = describe(trial, inner->candidates, inner->arena),
                             .score = NAN,
                             .threshold = 0.5,
                             .margins = selection->sums};
    for (size_t i = 0; i < value_count(search); i++)
        candidate->margins[i] /= (double)selection->steps;
    trial_record_begin(&candidate->trial);
    trial_record_text(&candidate->trial, "parts", candidate->description, inner->arena);
    candidate->trial.folds = search->fold_count;
    for (size_t i = 0; i < trial->part_count; i++)
        candidate->seconds += inner->candidates[trial->parts[i]].seconds;
    inner->candidate_count++;
    return tabular_score(search, candidate, error);
}

static bool find_sizes(Selection *selection, Error *error)
{
    const TabularSearch *search = selection->search;

    for (size_t at = 0; at < selection->pool_count; at++) {
        BoostModel **models = search->trials[selection->pool[at]].models;

        for (size_t fold = 0; models && fold < search->fold_count; fold++) {
            size_t bytes = 0;

            if (models[fold] && !boost_model_size(models[fold], &bytes, error))
                return false;
            selection->sizes[at] += bytes;
        }
    }
    return true;
}

bool tabular_add_ensemble(TabularSearch *search, Error *error)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    Selection selection = {.search = search,
                           .sums = arena_array(search->search.work, double, value_count(search))};
    double *mean = arena_array(scratch, double, search->search.margin_count);
    double least = HUGE_VAL;

    selection.pool_count = tabular_pool(search, selection.pool);
    if (selection.pool_count < 2 || search->search.candidate_count == CANDIDATES_MAX)
        return true;
    if (!find_sizes(&selection, error))
        return false;
    while (selection.steps < STEPS && take_best(&selection, &least, mean)) {
    }
    return selection.distinct < 2 || add_candidate(&selection, error);
}
