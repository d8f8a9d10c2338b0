/* Texts of a table become numbers: margins of a linear model of their words and characters (Wolpert
 * 1992, "stacked generalization"). Those of a row come from a model of the other folds, which has
 * not seen the row: else they would say what only the row's own target tells. Those of new rows
 * come from one of all rows. The folds are those that judge the candidates, so that no row's
 * margins, and no tree that judges it, have seen its target.
 *
 * A text that is missing or empty is a missing number. */
#include <math.h>
#include <string.h>

#include "base/time.h"
#include "ml/ridge.h"
#include "ml/tabular_search_internal.h"

/* Of the budget, for the texts of all columns; without one, of characters, in seconds. */
static const double texts_share = 0.25, characters_seconds_max = 100;

/* Less than this share of the texts that differ from all others: they are kinds of rows, and two
 * rows with the same one are no copies. */
static const double differing_share = 0.5;

static LinearModel fit_ridge(const TrainingSet *set, double penalty, Arena *arena)
{
    return ridge_fit(set->matrix, set->numbers, penalty, arena);
}

static const Learner ridge = {"ridge", fit_ridge, "penalty", 1};

/* The one margin of a number is that of two classes. */
static const char *const number_names[] = {"less", "more"};
static const ClassNames number_classes = {number_names, 2};

const size_t *tabular_text_groups(const TabularSearch *search, Arena *arena)
{
    const Table *table = &search->table;
    FrameColumn *columns = arena_array(arena, FrameColumn, table->text_count + 1);
    Frame frame = {columns, table->text_count, table->row_count};
    const size_t *groups;
    size_t count = 0;

    for (size_t i = 0; i < table->text_count; i++)
        columns[i] = *table->texts[i];
    groups = table->text_count ? search_group_repeats(&frame, arena) : NULL;
    for (size_t row = 0; groups && row < frame.row_count; row++)
        count += groups[row] == row; /* a group is named by its first row */
    return (double)count >= differing_share * (double)frame.row_count ? groups : NULL;
}

/* ---- one text ---- */

/* The search for who reads one text column. */
typedef struct TextTask {
    const TabularSearch *table;
    const FrameColumn *column;
    Frame frame; /* of that column */
    SearchSpec spec;
    Search search;
    bool used[2]; /* words, characters */
    Arena *arena; /* until the margins are in the table */
} TextTask;

static TextTask *task_of(const TabularSearch *table, const FrameColumn *column, Arena *arena)
{
    const Search *outer = &table->search;
    bool is_number = table->target->numbers;
    TextTask *task = arena_new(arena, TextTask);

    *task = (TextTask){.table = table,
                       .column = column,
                       .frame = {column, 1, table->table.row_count},
                       .spec = *outer->spec,
                       .used = {true, true},
                       .arena = arena};
    task->spec.budget_seconds *= texts_share / (double)table->table.text_count;
    task->spec.listener = (SearchListener){0};
    task->search = (Search){.frame = &task->frame,
                            .labels = is_number ? NULL : table->target->labels,
                            .numbers = table->encoded.numbers,
                            .classes = is_number ? &number_classes : outer->classes,
                            .spec = &task->spec,
                            .positive = outer->positive,
                            .margin_count = outer->margin_count,
                            .fold_count = table->row_fold_count,
                            .folds = table->row_folds,
                            .started_us = time_monotonic_us(),
                            .arena = arena,
                            .work = arena};
    search_read_corpus(&task->search, task->spec.budget_seconds > 0 ? task->spec.budget_seconds
                                                                    : characters_seconds_max);
    return task;
}

static Calibration calibration_of(const Search *search, const Candidate *candidate, Arena *arena)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    size_t count = search->frame->row_count;
    int *labels = arena_array(scratch, int, count + 1);

    for (size_t row = 0; row < count; row++)
        labels[row] = search->labels ? search->labels[row] : search->numbers[row] > 0;
    return calibration_fit(&(MarginSet){candidate->margins, labels, count, search->margin_count},
                           CALIBRATION_LOGISTIC, arena);
}

/* Log loss of margins out of fold, or what they miss of numbers. */
static double loss_of(const Search *search, const Candidate *candidate)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    double *answers = arena_array(scratch, double, search->classes->count), loss = 0;
    Calibration calibration = calibration_of(search, candidate, scratch);

    for (size_t row = 0; row < search->frame->row_count; row++) {
        const double *margins = candidate->margins + row * search->margin_count;

        if (search->numbers) {
            loss += (margins[0] - search->numbers[row]) * (margins[0] - search->numbers[row]);
            continue;
        }
        calibration_apply(&calibration, margins, answers);
        loss -= log(fmax(answers[search->labels[row]], 1e-15));
    }
    return loss / (double)search->frame->row_count;
}

static Candidate *new_candidate(TextTask *task, const Learner *learner, double parameter)
{
    Candidate *candidate = &task->search.candidates[task->search.candidate_count++];

    *candidate = (Candidate){.name = learner ? learner->name : "linear_svm and nb_svm",
                             .learner = learner,
                             .parameter = parameter,
                             .used = task->used};
    return candidate;
}

static const Candidate *finish(TextTask *task, Candidate *candidate)
{
    candidate->log_loss = loss_of(&task->search, candidate);
    candidate->is_finished = true;
    return candidate;
}

/* NULL: there is no time for it. The first one is learnt in any case. */
static const Candidate *try_learner(TextTask *task, const Learner *learner, double parameter)
{
    Search *search = &task->search;
    bool is_first = search->candidate_count == 0;
    Candidate *candidate = new_candidate(task, learner, parameter);

    if (!is_first && search_seconds_left(search) < search_seconds_needed(search, learner))
        return NULL;
    return candidate_cross_validate(search, candidate, is_first) ? finish(task, candidate) : NULL;
}

static void try_average(TextTask *task, const Candidate *first, const Candidate *second)
{
    Candidate *candidate;

    if (!first || !second)
        return;
    candidate = new_candidate(task, NULL, 0);
    candidate->halves[0] = first;
    candidate->halves[1] = second;
    candidate_average(&task->search, candidate);
    finish(task, candidate);
}

/* The best of the candidates of ml/search.c for texts, as a rule, and what they are made of. */
static void try_classes(TextTask *task)
{
    const Candidate *vectors = try_learner(task, &support_vectors, 0.3);

    try_average(task, vectors, try_learner(task, &weighted_vectors, 0.1));
    try_learner(task, &support_vectors, 0.1);
}

static void try_numbers(TextTask *task)
{
    const Candidate *first = try_learner(task, &ridge, 1), *other = try_learner(task, &ridge, 3);

    try_learner(task, &ridge, other && other->log_loss < first->log_loss ? 10 : 0.3);
}

static const Candidate *best_of(const TextTask *task)
{
    const Search *search = &task->search;
    const Candidate *best = &search->candidates[0];

    for (size_t i = 1; i < search->candidate_count; i++)
        if (search->candidates[i].is_finished && search->candidates[i].log_loss < best->log_loss)
            best = &search->candidates[i];
    return best;
}

static TextModel *fit_on_all(const TextTask *task, const Candidate *best)
{
    const Search *search = &task->search;
    RowList all = search_rows(search, SIZE_MAX, false, task->arena);
    Vectorizer vectorizer = vectorizer_fit(&search->corpus, best->used, all, task->arena);
    Matrix matrix = vectorizer_apply(&vectorizer, all, task->arena);
    Calibration calibration = calibration_of(search, best, task->arena);
    LinearModel linear;
    ModelParts parts = {.frame = search->frame,
                        .classes = search->classes,
                        .positive = search->positive,
                        .vectorizer = &vectorizer,
                        .linear = &linear,
                        .calibration = &calibration,
                        .threshold = 0.5};

    candidate_fit(search, best, &matrix, task->arena, &linear);
    return text_model_build(&parts);
}

/* ---- into the table ---- */

static void add_margins(TabularSearch *search, const FrameColumn *column, const double *margins)
{
    Table *table = &search->table;
    size_t each = search->search.margin_count;

    for (size_t margin = 0; margin < each; margin++) {
        Cell *cells = arena_take(search->search.work, table->row_count * sizeof(Cell));

        for (size_t row = 0; row < table->row_count; row++)
            cells[row] = cell_of_number(
                text_is_missing(column->texts[row]) ? NAN : margins[row * each + margin]);
        table->columns[table->column_count++] = (TableColumn){column->name, COLUMN_NUMBER, cells};
    }
    search->margins_of_texts += each;
}

/* "review: words 1-2 + characters 2-5, weighed by linear_svm, become a number" */
static void add_note(TabularSearch *search, const TextTask *task, const Candidate *best)
{
    Arena *arena = search->search.work;
    size_t each = search->search.margin_count;
    TextBuilder text = {.arena = arena};

    search_describe(&task->search, best->used, &text);
    text_append_format(&text, ", weighed by %s, become ", best->name);
    if (each == 1)
        text_append(&text, "a number");
    else
        text_append_format(&text, "%zu numbers", each);
    text_list_add(&search->table.notes, arena, text_built(&text));
}

static bool learn_text(TabularSearch *search, size_t index, Error *error)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    const FrameColumn *column = search->table.texts[index];
    TextTask *task = task_of(search, column, scratch);
    const Candidate *best;

    if (search->target->numbers)
        try_numbers(task);
    else
        try_classes(task);
    best = best_of(task);
    add_margins(search, column, best->margins);
    add_note(search, task, best);
    search->texts[index] = (TabularText){index, fit_on_all(task, best)};
    return search->texts[index].model ||
           fail(error, ERROR_INTERNAL, "the text model that was learnt cannot be read back");
}

static bool make_room(TabularSearch *search, Error *error)
{
    Table *table = &search->table;
    size_t count = table->column_count + table->text_count * search->search.margin_count;
    TableColumn *columns;

    if (count > TABLE_COLUMNS_MAX)
        return fail(error, ERROR_TOO_LARGE,
                    "training takes at most %d columns, of which a text is one for each class",
                    TABLE_COLUMNS_MAX);
    columns = arena_array(search->search.work, TableColumn, count);
    memcpy(columns, table->columns, table->column_count * sizeof(*columns));
    table->columns = columns;
    search->texts = arena_array(search->search.work, TabularText, table->text_count);
    return true;
}

bool tabular_learn_texts(TabularSearch *search, Error *error)
{
    if (!search->table.text_count)
        return true;
    if (!make_room(search, error))
        return false;
    for (size_t i = 0; i < search->table.text_count; i++)
        if (!learn_text(search, i, error))
            return false;
    return true;
}

void tabular_release_texts(TabularSearch *search)
{
    for (size_t i = 0; search->texts && i < search->table.text_count; i++)
        text_model_unload(&search->texts[i].model);
}
