/* study_table_texts: what texts beside numbers and categories add to a model, on public sets.
 *
 *     study_table_texts [SET [SECONDS]]   a row for each set whose name has SET, 20 seconds a
 * search
 *
 * Five folds, seed 42; the search has its own folds inside each. Learnt from the texts alone, from
 * the rest alone, and from both. Prints docs/results/table_texts.md.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/parallel.h"
#include "base/text.h"
#include "ml/predictor.h"
#include "ml/report.h"
#include "ml/split.h"

enum { FIELDS_MAX = 64, FILE_BYTES_MAX = 1 << 26, FOLDS = 5 };

typedef struct Set {
    const char *name, *file, *target;
    const char *left_out, *texts; /* columns, with commas around each */
    bool is_number;               /* the target */
} Set;

static const Set sets[] = {
    {"tweets", "disaster-tweets/train.csv", "target", ",id,", ",text,location,", false},
    {"tweets, without places", "disaster-tweets/train.csv", "target", ",id,location,", ",text,",
     false},
    {"titanic", "titanic/train.csv", "Survived", ",PassengerId,", ",Name,Ticket,Cabin,", false},
    {"tweets, as numbers", "disaster-tweets/train.csv", "target", ",id,", ",text,location,", true},
    {"titanic, fares", "titanic/train.csv", "Fare", ",PassengerId,", ",Name,Ticket,Cabin,", true},
};

/* ---- reading ---- */

typedef struct Grid {
    char **names, **cells; /* row_count x column_count; NULL where empty */
    size_t column_count, row_count;
} Grid;

/* The next field, which loses its quotes; *end: what was behind it. NULL at the end of the file. */
static char *next_field(char **at, char *end)
{
    bool is_quoted = **at == '"';
    char *from = *at + is_quoted, *field = from, *to = from;

    while (*from && (is_quoted || (*from != ',' && *from != '\n'))) {
        if (is_quoted && *from == '"' && *++from != '"') {
            is_quoted = false;
            continue;
        }
        if (is_quoted || *from != '\r')
            *to++ = *from;
        from++;
    }
    *end = *from;
    *at = from + (*from != '\0');
    *to = '\0';
    return field;
}

static size_t next_record(char **at, char **fields)
{
    size_t count = 0;
    char end = ',';

    while (end == ',' && count < FIELDS_MAX) {
        fields[count] = next_field(at, &end);
        if (!*fields[count])
            fields[count] = NULL;
        count++;
    }
    return count;
}

static bool read_grid(const char *file, Grid *grid, Arena *arena, Error *error)
{
    const char *root = getenv("SLIPWAY_DATA"), *read;
    char *fields[FIELDS_MAX], *at;
    size_t size, capacity = 1;

    if (!file_read(arena_format(arena, "%s/%s", root ? root : "../shared/data", file),
                   FILE_BYTES_MAX, arena, &read, &size, error))
        return false;
    at = arena_copy(arena, read, size);
    for (size_t i = 0; i < size; i++)
        capacity += read[i] == '\n';
    grid->column_count = next_record(&at, fields);
    grid->names = arena_array(arena, char *, grid->column_count);
    memcpy(grid->names, fields, grid->column_count * sizeof(char *));
    grid->cells = arena_array(arena, char *, capacity * grid->column_count);
    while (*at)
        if (next_record(&at, fields) == grid->column_count)
            memcpy(grid->cells + grid->row_count++ * grid->column_count, fields,
                   grid->column_count * sizeof(char *));
    return true;
}

static const char *cell_at(const Grid *grid, size_t row, size_t column)
{
    return grid->cells[row * grid->column_count + column];
}

/* ---- a set in memory ---- */

typedef struct Data {
    Frame frame;
    const int *labels;
    ClassNames classes;
    const double *numbers;
} Data;

static bool is_number_column(const Grid *grid, size_t column)
{
    double number;

    for (size_t row = 0; row < grid->row_count; row++)
        if (cell_at(grid, row, column) && !text_to_double(cell_at(grid, row, column), &number))
            return false;
    return true;
}

static FrameColumn column_of(const Grid *grid, size_t column, bool is_text, Arena *arena)
{
    bool is_number = !is_text && is_number_column(grid, column);
    double *numbers = arena_array(arena, double, grid->row_count);
    TextRef *texts = arena_array(arena, TextRef, grid->row_count);

    for (size_t row = 0; row < grid->row_count; row++) {
        const char *cell = cell_at(grid, row, column);

        if (is_number)
            numbers[row] = cell ? strtod(cell, NULL) : NAN;
        else if (cell)
            texts[row] = (TextRef){cell, strlen(cell)};
    }
    return (FrameColumn){grid->names[column],
                         is_text     ? COLUMN_TEXT
                         : is_number ? COLUMN_NUMBER
                                     : COLUMN_CATEGORY,
                         is_number ? NULL : texts, is_number ? numbers : NULL};
}

/* Classes are 0 and 1 in these sets. */
static void read_target(const Set *set, const Grid *grid, size_t column, Data *data, Arena *arena)
{
    static const char *const names[] = {"0", "1"};
    double *numbers = arena_array(arena, double, grid->row_count);
    int *labels = arena_array(arena, int, grid->row_count);

    for (size_t row = 0; row < grid->row_count; row++) {
        numbers[row] = strtod(cell_at(grid, row, column), NULL);
        labels[row] = numbers[row] > 0;
    }
    data->labels = labels;
    data->numbers = set->is_number ? numbers : NULL;
    data->classes = (ClassNames){names, 2};
}

static bool names_column(const char *list, const char *name, Arena *arena)
{
    return strstr(list, arena_format(arena, ",%s,", name));
}

static bool load(const Set *set, Data *data, Arena *arena, Error *error)
{
    FrameColumn *columns = arena_array(arena, FrameColumn, FIELDS_MAX);
    Grid grid = {0};

    if (!read_grid(set->file, &grid, arena, error))
        return false;
    data->frame = (Frame){columns, 0, grid.row_count};
    for (size_t i = 0; i < grid.column_count; i++) {
        const char *name = grid.names[i];

        if (strcmp(name, set->target) == 0)
            read_target(set, &grid, i, data, arena);
        else if (!names_column(set->left_out, name, arena))
            columns[data->frame.column_count++] =
                column_of(&grid, i, names_column(set->texts, name, arena), arena);
    }
    return true;
}

/* ---- parts of it ---- */

typedef enum Part { PART_TEXTS, PART_REST, PART_BOTH, PART_COUNT } Part;

/* The rows of a fold, or all others. */
typedef struct Side {
    const uint32_t *folds;
    size_t fold;
    bool is_inside;
} Side;

static bool has_row(const Side *side, size_t row)
{
    return (side->folds[row] == side->fold) == side->is_inside;
}

static Data pick(const Data *data, Part part, Side side, Arena *arena)
{
    size_t rows = data->frame.row_count;
    FrameColumn *columns = arena_array(arena, FrameColumn, data->frame.column_count);
    int *labels = arena_array(arena, int, rows);
    double *numbers = arena_array(arena, double, rows);
    Data picked = {{columns, 0, 0}, labels, data->classes, data->numbers ? numbers : NULL};

    for (size_t i = 0; i < data->frame.column_count; i++) {
        const FrameColumn *from = &data->frame.columns[i];
        bool is_text = from->kind == COLUMN_TEXT;
        TextRef *texts = arena_array(arena, TextRef, rows);
        double *values = arena_array(arena, double, rows);
        size_t count = 0;

        if (part != PART_BOTH && is_text != (part == PART_TEXTS))
            continue;
        for (size_t row = 0; row < rows; row++) {
            if (!has_row(&side, row))
                continue;
            if (from->numbers)
                values[count++] = from->numbers[row];
            else
                texts[count++] = from->texts[row];
        }
        columns[picked.frame.column_count++] = (FrameColumn){
            from->name, from->kind, from->texts ? texts : NULL, from->numbers ? values : NULL};
    }
    for (size_t row = 0; row < rows; row++) {
        if (!has_row(&side, row))
            continue;
        labels[picked.frame.row_count] = data->labels[row];
        numbers[picked.frame.row_count++] = data->numbers ? data->numbers[row] : 0;
    }
    return picked;
}

/* ---- measuring ---- */

/* Of all folds together. */
typedef struct Answers {
    int *truth, *predicted;
    double *numbers, *answers;
    size_t count;
} Answers;

static bool run_fold(const Data *training, const Data *test, double seconds, Answers *all,
                     Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    CLEANUP(predictor_unload) Predictor *model = NULL;
    Target target = {training->labels, &training->classes, NULL};
    SearchSpec spec = {.metric = training->numbers ? "rmse" : "f1",
                       .budget_seconds = seconds,
                       .seed = 42,
                       .thread_count = parallel_core_count()};
    Learnt learnt;
    size_t width;
    double *answers;

    if (training->numbers)
        target = (Target){.numbers = training->numbers};
    if (!predictor_learn(&training->frame, &target, &spec, arena, &learnt, error))
        return false;
    model = learnt.model;
    width = predictor_width(model);
    answers = arena_array(arena, double, test->frame.row_count *width);
    if (!predictor_predict(model, &test->frame, answers, arena, error))
        return false;
    memcpy(all->answers + all->count * width, answers,
           test->frame.row_count * width * sizeof(double));
    for (size_t row = 0; row < test->frame.row_count; row++, all->count++) {
        all->truth[all->count] = test->labels[row];
        if (training->numbers)
            all->numbers[all->count] = test->numbers[row];
        else
            all->predicted[all->count] = (int)predictor_decide(model, answers + row * width);
    }
    return true;
}

static bool print_figures(const Data *data, const Answers *all, Arena *arena, Error *error)
{
    Report report;

    if (data->numbers) {
        if (!report_make_numbers(all->numbers, all->answers, all->count, &report, error))
            return false;
        printf(" rmse %.4f, mae %.4f, r2 %.4f |", report.rmse, report.mae, report.r2);
    } else {
        if (!report_make(all->truth, all->predicted, all->answers, all->count, &data->classes, 1,
                         arena, &report, error))
            return false;
        printf(" auc %.4f, log loss %.4f, f1 %.4f, accuracy %.4f |", report.auc, report.log_loss,
               report.f1, report.accuracy);
    }
    fflush(stdout);
    return true;
}

static bool run_part(const Data *data, Part part, const uint32_t *folds, double seconds,
                     Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    size_t rows = data->frame.row_count;
    Answers all = {arena_array(arena, int, rows), arena_array(arena, int, rows),
                   arena_array(arena, double, rows), arena_array(arena, double, 2 * rows), 0};

    for (size_t fold = 0; fold < FOLDS; fold++) {
        Data training = pick(data, part, (Side){folds, fold, false}, arena);
        Data test = pick(data, part, (Side){folds, fold, true}, arena);

        if (!run_fold(&training, &test, seconds, &all, error))
            return false;
    }
    return print_figures(data, &all, arena, error);
}

static bool run_set(const Set *set, double seconds, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    FoldSpec spec = {.fold_count = FOLDS, .seed = 42};
    uint32_t *folds;
    Data data = {0};

    if (!load(set, &data, arena, error))
        return false;
    spec.row_count = data.frame.row_count;
    folds = arena_array(arena, uint32_t, spec.row_count);
    if (!fold_assign(&spec, data.labels, NULL, folds, error))
        return false;
    printf("| %s | %zu |", set->name, spec.row_count);
    for (Part part = 0; part < PART_COUNT; part++)
        if (!run_part(&data, part, folds, seconds, error))
            return false;
    printf("\n");
    return true;
}

int main(int count, char **words)
{
    const char *name = count > 1 ? words[1] : "";
    double seconds = count > 2 ? strtod(words[2], NULL) : 20;
    Error error;

    printf(
        "# Texts in tables\n\n"
        "Written by `bench/study_table_texts.c`: five folds of all rows, seed 42, %g seconds for "
        "each search; figures of all\nfolds' answers together. Columns that are texts: of tweets "
        "the text and the place, of the titanic names, tickets and\ncabins. Classes of texts "
        "alone are learnt by the learner of texts, all else by `tabular_search()`.\n\n"
        "| set | rows | texts alone | the rest alone | both |\n|---|---|---|---|---|\n",
        seconds);
    for (size_t i = 0; i < COUNT(sets); i++) {
        if (!strstr(sets[i].name, name))
            continue;
        if (!run_set(&sets[i], seconds, &error)) {
            fprintf(stderr, "%s: %s\n", sets[i].name, error.message);
            return 1;
        }
    }
    return 0;
}
