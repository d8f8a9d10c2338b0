#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/time.h"
#include "ml/search_internal.h"
#include "ml/split.h"

enum {
    COLUMNS_TRIED_MAX = 8,
    PLAN_TRIALS_MAX = 7, /* of run_plan(), beside the columns tried */
};

const Learner support_vectors = {"linear_svm", svm_fit, "C", 1};
const Learner weighted_vectors = {"nb_svm", nb_svm_fit, "C", 1};
static const Learner logistic = {"logistic_regression", logistic_fit, "C", 1};
static const Learner complement_bayes = {"complement_nb", complement_nb_fit, "smoothing", 0.25};

/* With character n-grams a search costs about so much per byte of text and margin; with a budget,
 * they must leave three quarters of it to the other candidates. Measured, rounded up. */
static const double seconds_per_byte_of_characters = 1.2e-6;
static const double characters_seconds_max = 300;

/* ---- features ---- */

static size_t largest_text(const Frame *frame)
{
    size_t best = SIZE_MAX, best_bytes = 0;

    for (size_t i = 0; i < frame->column_count; i++) {
        size_t bytes;

        if (frame->columns[i].kind != COLUMN_TEXT)
            continue;
        bytes = column_bytes(frame, i);
        if (best == SIZE_MAX || bytes > best_bytes) {
            best = i;
            best_bytes = bytes;
        }
    }
    return best;
}

static bool characters_are_affordable(const Search *search, double seconds_most)
{
    double bytes = 0, cost;

    for (size_t i = 0; i < search->frame->column_count; i++)
        if (search->frame->columns[i].kind == COLUMN_TEXT)
            bytes += (double)column_bytes(search->frame, i);
    cost = bytes * (double)search->margin_count * seconds_per_byte_of_characters;
    return cost <= seconds_most;
}

static void add_block(Search *search, const BlockSpec *spec)
{
    block_read(&search->corpus.blocks[search->corpus.block_count++], search->frame, spec,
               search->work);
}

void search_read_corpus(Search *search, double characters_seconds_most)
{
    const Frame *frame = search->frame;
    bool with_characters = characters_are_affordable(search, characters_seconds_most);

    search->corpus.row_count = frame->row_count;
    search->corpus.blocks = arena_array(search->work, Block, 2 * frame->column_count);
    for (size_t i = 0; i < frame->column_count; i++) {
        BlockSpec words = {BLOCK_WORDS, i, TOKEN_STYLE_RICH, 1, 2, 1, true};
        BlockSpec characters = {BLOCK_CHARACTERS, i, TOKEN_STYLE_RICH, 2, 5, 2, true};
        BlockSpec category = {.kind = BLOCK_CATEGORY, .column = i, .least_rows = 1};
        BlockSpec number = {.kind = BLOCK_NUMBER, .column = i};

        if (frame->columns[i].kind == COLUMN_TEXT) {
            add_block(search, &words);
            if (with_characters)
                add_block(search, &characters);
        } else if (frame->columns[i].kind == COLUMN_CATEGORY) {
            add_block(search, &category);
        } else {
            add_block(search, &number);
        }
    }
}

/* ---- candidates ---- */

void search_describe(const Search *search, const bool *used, TextBuilder *text)
{
    size_t last = SIZE_MAX;

    for (size_t i = 0; i < search->corpus.block_count; i++) {
        const BlockSpec *block = &search->corpus.blocks[i].spec;

        if (!used[i])
            continue;
        if (block->column != last) {
            text_append(text, last == SIZE_MAX ? "" : "; ");
            text_append(text, search->frame->columns[block->column].name);
        }
        if (block->kind == BLOCK_WORDS || block->kind == BLOCK_CHARACTERS)
            text_append_format(text, "%s%s %u-%u", block->column == last ? " + " : ": ",
                               block->kind == BLOCK_WORDS ? "words" : "characters", block->least,
                               block->most);
        last = block->column;
    }
}

static Candidate *new_candidate(Search *search, const char *name, const bool *used)
{
    Candidate *candidate = &search->candidates[search->candidate_count++];

    *candidate = (Candidate){.name = name, .used = used, .score = NAN, .threshold = 0.5};
    trial_record_begin(&candidate->trial);
    return candidate;
}

typedef struct Trial {
    const Learner *learner;
    double parameter;
    const bool *used; /* by block */
} Trial;

static void record_learner(Search *search, Candidate *candidate)
{
    TextBuilder features = {.arena = search->arena};

    search_describe(search, candidate->used, &features);
    trial_record_number(&candidate->trial, candidate->learner->parameter, candidate->parameter,
                        search->arena);
    trial_record_text(&candidate->trial, "features", text_built(&features), search->arena);
}

/* Adds a candidate, cross-validates and scores it. *finished: NULL when the budget ended it. */
static bool try_learner(Search *search, Trial trial, Candidate **finished, Error *error)
{
    bool is_first = !search_best(search);
    TextBuilder text = {.arena = search->arena};
    Candidate *candidate;

    *finished = NULL;
    if (search->candidate_count == CANDIDATES_MAX || !search_may_try(search))
        return true;
    candidate = new_candidate(search, trial.learner->name, trial.used);
    candidate->learner = trial.learner;
    candidate->parameter = trial.parameter;
    search_describe(search, trial.used, &text);
    text_append_format(&text, ", %s=%g", trial.learner->parameter, trial.parameter);
    candidate->description = text_built(&text);
    record_learner(search, candidate);
    if (!is_first && search_seconds_left(search) < search_seconds_needed(search, trial.learner)) {
        candidate_run_out(search, candidate, false);
        return true;
    }
    search->tried++;
    if (!candidate_cross_validate(search, candidate, is_first))
        return true;
    if (!candidate_score(search, candidate, error))
        return false;
    *finished = candidate;
    search_report_progress(search);
    return true;
}

static bool try_average(Search *search, const Candidate *first, const Candidate *second,
                        Error *error)
{
    Candidate *candidate;

    if (!first || !second || first == second || first->used != second->used ||
        search->candidate_count == CANDIDATES_MAX)
        return true;
    candidate = new_candidate(search, "average", first->used);
    candidate->description =
        arena_format(search->arena, "%s %s=%g and %s %s=%g", first->name, first->learner->parameter,
                     first->parameter, second->name, second->learner->parameter, second->parameter);
    candidate->halves[0] = first;
    candidate->halves[1] = second;
    candidate->seconds = first->seconds + second->seconds;
    candidate->trial.folds = search->fold_count;
    trial_record_text(&candidate->trial, "parts", candidate->description, search->arena);
    candidate_average(search, candidate);
    if (!candidate_score(search, candidate, error))
        return false;
    search_report_progress(search);
    return true;
}

/* ---- the plan ---- */

static bool *columns_used(Search *search, const bool *columns)
{
    bool *used = arena_array(search->work, bool, search->corpus.block_count);

    for (size_t i = 0; i < search->corpus.block_count; i++)
        used[i] = columns[search->corpus.blocks[i].spec.column];
    return used;
}

/* How many columns must show that they help. Without a text, or with many columns, none: all of
 * them are used. */
static size_t columns_tried(const Search *search)
{
    size_t count = search->frame->column_count;

    return largest_text(search->frame) == SIZE_MAX || count > COLUMNS_TRIED_MAX ? 0 : count - 1;
}

/* Starts from the longest text and keeps each further column that makes the score better. */
static bool choose_columns(Search *search, const bool **chosen, Error *error)
{
    size_t count = search->frame->column_count, main = largest_text(search->frame);
    bool *columns = arena_array(search->work, bool, count);
    Candidate *best, *other;

    memset(columns, columns_tried(search) == 0, count);
    if (main != SIZE_MAX)
        columns[main] = true;
    *chosen = columns_used(search, columns);
    if (!try_learner(search, (Trial){&support_vectors, 0.3, *chosen}, &best, error))
        return false;
    for (size_t i = 0; i < count && best; i++) {
        if (columns[i])
            continue;
        columns[i] = true;
        if (!try_learner(search, (Trial){&support_vectors, 0.3, columns_used(search, columns)},
                         &other, error))
            return false;
        columns[i] = other && candidate_is_better(search, other, best);
        if (columns[i])
            best = other;
    }
    if (best)
        *chosen = best->used;
    return true;
}

/* The next cost in the direction that helped, until it helps no more. */
static bool climb_cost(Search *search, Candidate **best, Error *error)
{
    static const double costs[] = {0.1, 0.3, 1, 3};
    Candidate *found;
    int at = 1, direction = 1;

    if (!*best)
        return true;
    if (!try_learner(search, (Trial){(*best)->learner, costs[at + direction], (*best)->used},
                     &found, error))
        return false;
    if (!found || !candidate_is_better(search, found, *best)) {
        direction = -1;
        if (!try_learner(search, (Trial){(*best)->learner, costs[at + direction], (*best)->used},
                         &found, error))
            return false;
    }
    if (!found || !candidate_is_better(search, found, *best))
        return true;
    *best = found;
    if (direction < 0)
        return true;
    if (!try_learner(search, (Trial){(*best)->learner, costs[3], (*best)->used}, &found, error))
        return false;
    if (found && candidate_is_better(search, found, *best))
        *best = found;
    return true;
}

static Candidate *best_of(Search *search, const Learner *learner, const bool *used)
{
    Candidate *best = NULL;

    for (size_t i = 1; i < search->candidate_count; i++) {
        Candidate *candidate = &search->candidates[i];

        if (candidate->is_finished && candidate->learner == learner && candidate->used == used &&
            (!best || candidate_is_better(search, candidate, best)))
            best = candidate;
    }
    return best;
}

static bool run_plan(Search *search, Error *error)
{
    const bool *used;
    Candidate *vectors, *weighted, *other;

    if (!choose_columns(search, &used, error))
        return false;
    vectors = best_of(search, &support_vectors, used);
    if (!try_learner(search, (Trial){&weighted_vectors, 0.1, used}, &weighted, error) ||
        !climb_cost(search, &vectors, error) || !try_average(search, vectors, weighted, error) ||
        !try_learner(search, (Trial){&complement_bayes, 0.05, used}, &other, error) ||
        !try_average(search, vectors, other, error) ||
        !try_learner(search, (Trial){&logistic, 10, used}, &other, error))
        return false;
    return true;
}

/* ---- the whole search ---- */

bool search_check_labels(const int *labels, size_t rows, const ClassNames *classes, Error *error)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    size_t *counts = arena_array(scratch, size_t, classes->count);
    size_t usable = 0;

    for (size_t row = 0; row < rows; row++) {
        if (labels[row] < 0 || (size_t)labels[row] >= classes->count)
            return fail(error, ERROR_INVALID, "row %zu has the label %d, but there are %zu classes",
                        row + 1, labels[row], classes->count);
        usable += ++counts[labels[row]] == 2;
    }
    if (usable < 2)
        return fail(error, ERROR_INVALID,
                    "training needs two classes with two rows each at least: %zu %s", usable,
                    usable == 1 ? "class has them" : "classes have them");
    return true;
}

static bool check_frame(const Frame *frame, Error *error)
{
    if (frame->column_count == 0)
        return fail(error, ERROR_INVALID, "training needs a column beside the target");
    if (frame->column_count > MODEL_INPUTS_MAX)
        return fail(error, ERROR_TOO_LARGE, "training takes at most %d columns", MODEL_INPUTS_MAX);
    for (size_t i = 0; i < frame->column_count; i++) {
        const FrameColumn *column = &frame->columns[i];
        bool is_number = column->kind == COLUMN_NUMBER;

        if (is_number ? !column->numbers : !column->texts)
            return fail_field(error, column->name, "the column \"%s\" holds no %s", column->name,
                              is_number ? "numbers" : "texts");
    }
    return true;
}

bool search_find_positive(const ClassNames *classes, const char *name, size_t *positive,
                          Error *error)
{
    *positive = classes->count - 1;
    if (!name)
        return true;
    for (size_t i = 0; i < classes->count; i++) {
        if (strcmp(classes->items[i], name) == 0) {
            *positive = i;
            return true;
        }
    }
    return fail_field(error, "positive", "there is no class \"%s\"", name);
}

typedef struct RowKey {
    uint64_t key;
    size_t row;
} RowKey;

static int compare_row_keys(const void *a, const void *b)
{
    const RowKey *first = a, *second = b;

    if (first->key != second->key)
        return first->key < second->key ? -1 : 1;
    return (first->row > second->row) - (first->row < second->row);
}

size_t *search_group_repeats(const Frame *frame, Arena *arena)
{
    size_t main = largest_text(frame), repeats = 0;
    RowKey *keys = arena_array(arena, RowKey, frame->row_count);
    size_t *groups = arena_array(arena, size_t, frame->row_count);

    if (main == SIZE_MAX)
        return NULL;
    for (size_t row = 0; row < frame->row_count; row++) {
        TextRef text = frame->columns[main].texts[row];
        /* rows without a text are not copies of one another */
        keys[row] = (RowKey){text.length ? text_key(text.bytes, text.length) : row, row};
    }
    qsort(keys, frame->row_count, sizeof(*keys), compare_row_keys);
    for (size_t i = 0; i < frame->row_count; i++) {
        bool is_repeat = i && keys[i].key == keys[i - 1].key;

        groups[keys[i].row] = is_repeat ? groups[keys[i - 1].row] : keys[i].row;
        repeats += is_repeat;
    }
    return repeats ? groups : NULL;
}

/* As many folds as asked for, fewer when rows or groups are few. */
static bool assign_folds(Search *search, Error *error)
{
    const size_t *groups = search->spec->groups;
    FoldSpec spec = {.row_count = search->frame->row_count,
                     .fold_count = search->spec->fold_count ? search->spec->fold_count : 5,
                     .seed = search->spec->seed};
    Error too_many = {0}; /* folds, for these rows: one fewer is tried */

    if (!groups)
        groups = search_group_repeats(search->frame, search->work);
    if (spec.fold_count > spec.row_count)
        spec.fold_count = spec.row_count;
    search->folds = arena_array(search->work, uint32_t, spec.row_count);
    while (spec.fold_count > 2 &&
           !fold_assign(&spec, search->labels, groups, search->folds, &too_many))
        spec.fold_count--;
    search->fold_count = spec.fold_count;
    if (spec.fold_count > 2 || fold_assign(&spec, search->labels, groups, search->folds, error))
        return true;
    return fail(
        error, ERROR_INVALID,
        search->spec->groups
            ? "training needs rows of two groups at least, to judge one by the other"
            : "training needs two different texts at least: repeats cannot judge themselves");
}

static bool prepare(Search *search, Error *error)
{
    const char *metric = search->spec->metric ? search->spec->metric : "accuracy";
    size_t most = search->spec->trials_max, candidates;

    search->started_us = time_monotonic_us();
    if (!metric_check(metric, TASK_CLASSIFICATION, error))
        return false;
    search->metric = metric_find(metric);
    if (search->classes->count > MODEL_CLASSES_MAX)
        return fail(error, ERROR_TOO_LARGE, "training takes at most %d classes", MODEL_CLASSES_MAX);
    if (!check_frame(search->frame, error) ||
        !search_check_labels(search->labels, search->frame->row_count, search->classes, error) ||
        !search_find_positive(search->classes, search->spec->positive, &search->positive, error) ||
        !assign_folds(search, error))
        return false;
    search->margin_count = margin_count_of(search->classes->count);
    candidates = PLAN_TRIALS_MAX + columns_tried(search);
    search->planned = search->fold_count * (most && most < candidates ? most : candidates);
    search_read_corpus(search, search->spec->budget_seconds > 0 ? search->spec->budget_seconds / 4
                                                                : characters_seconds_max);
    return true;
}

static bool finish(Search *search, const Candidate *best, SearchResult *result, Error *error)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    size_t values = search->frame->row_count * search->classes->count;
    RowList all = search_rows(search, SIZE_MAX, false, scratch);
    Vectorizer vectorizer = vectorizer_fit(&search->corpus, best->used, all, scratch);
    Matrix matrix = vectorizer_apply(&vectorizer, all, scratch);
    LinearModel linear;
    MarginSet margins = {best->margins, search->labels, all.count, search->margin_count};
    Calibration calibration = calibration_fit(&margins, best->calibration, scratch);
    ModelParts parts = {search->frame, search->classes, search->positive, &vectorizer,
                        &linear,       &calibration,    best->threshold};

    candidate_fit(search, best, &matrix, scratch, &linear);
    result->model = text_model_build(&parts);
    result->leaderboard = search_leaderboard(search, best, search->arena);
    result->out_of_fold = arena_array(search->arena, double, values);
    memcpy(result->out_of_fold, best->probabilities, values * sizeof(double));
    result->ended_after = search_ended_after(search);
    return result->model ||
           fail(error, ERROR_INTERNAL, "the model that was learnt cannot be read back");
}

bool text_model_search(const Frame *frame, const int *labels, const ClassNames *classes,
                       const SearchSpec *spec, Arena *arena, SearchResult *result, Error *error)
{
    CLEANUP(arena_cleanup) Arena *work = arena_create();
    Search *search = arena_new(work, Search);
    Candidate *baseline;

    *search = (Search){.frame = frame,
                       .labels = labels,
                       .classes = classes,
                       .spec = spec,
                       .arena = arena,
                       .work = work};
    if (!prepare(search, error))
        return false;
    baseline = new_candidate(search, "majority", NULL);
    baseline->description = "always the most frequent class";
    baseline->is_baseline = true;
    baseline->trial.folds = search->fold_count;
    if (!candidate_score(search, baseline, error) || !run_plan(search, error))
        return false;
    return finish(search, search_choose(search), result, error);
}
