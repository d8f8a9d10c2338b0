/* study_tabular: how good the search for models of tables is on public sets.
 *
 *     study_tabular [SET [SECONDS [SEED]]]   a line for each set whose name has SET; 60 seconds
 * each, seed 42 study_tabular board [SET [SECONDS [SEED]]]   the leaderboard too study_tabular
 * split SET 0 [SEED]       the numbers of the rows that are tested on, for peers
 *
 * Fields are parted by tabs. One setting for all: what is learnt of two classes is judged by its
 * MCC, of more by its accuracy, of numbers by its RMSE. bench/study_tabular.py runs it beside its
 * peers and writes docs/results/tabular.md.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/parallel.h"
#include "base/text.h"
#include "base/time.h"
#include "ml/report.h"
#include "ml/split.h"
#include "ml/tabular_model.h"

enum { FIELDS_MAX = 128, FILE_BYTES_MAX = 1 << 26 };

typedef struct Set {
    const char *name, *file;
    const char *test_file; /* NULL: a share of the rows */
    const char *target;
    const char *left_out; /* columns, with commas around each */
    double share;
    bool is_number; /* the target */
    bool is_trip;   /* the columns and the target are made of trips' times and places */
    bool is_high;   /* the target is whether it is 6 or more */
} Set;

static const Set sets[] = {
    {"bank", "bank-marketing/bankmarketing_train.csv", NULL, "y", "", 0.1},
    {"bank, no duration", "bank-marketing/bankmarketing_train.csv", NULL, "y", ",duration,", 0.1},
    {"adult", "adult-income/adult-train.csv", "adult-income/adult-test.csv", "income", "", 0},
    {"credit-default", "credit-default/UCI_Credit_Card.csv", NULL, "default_next_month", ",ID,",
     0.2},
    {"titanic", "titanic/train.csv", NULL, "Survived", ",PassengerId,", 0.2},
    {"wine", "wine-quality/winequality-red.csv", "wine-quality/winequality-white.csv", "quality",
     "", 0.2, .is_high = true},
    {"covertype", "covertype-10k/covtype_sample.csv", NULL, "", "", 0.2},
    {"california", "california-housing/housing.csv", NULL, "median_house_value", "", 0.2, true},
    {"wine red", "wine-quality/winequality-red.csv", NULL, "quality", "", 0.2, true},
    {"wine white", "wine-quality/winequality-white.csv", NULL, "quality", "", 0.2, true},
    {"bike", "bike-sharing/hour.csv", NULL, "cnt", ",instant,dteday,casual,registered,", 0.2, true},
    {"taxi", "nyc-green-taxi/green_tripdata_2021-01.csv",
     "nyc-green-taxi/green_tripdata_2021-02.csv", "duration", "", 0, true, .is_trip = true},
};

/* ---- reading ---- */

typedef struct Grid {
    char **names, **cells; /* row_count x column_count; NULL where empty */
    size_t column_count, row_count, test_start;
} Grid;

/* Behind a field, which loses its quotes; *field: what is in it. */
static char *end_field(char *at, char **field)
{
    bool is_quoted = *at == '"';
    char *to = *field = at += is_quoted;

    while (*at && (is_quoted || *at != ',')) {
        if (is_quoted && *at == '"' && *++at != '"') {
            is_quoted = false;
            continue;
        }
        *to++ = *at++;
    }
    if (to < at)
        *to = '\0';
    return at;
}

/* An empty field is NULL. No set has a line's end in a field. */
static size_t split_line(char *line, char **fields)
{
    size_t count = 0;
    bool has_more = true;

    line[strcspn(line, "\r\n")] = '\0';
    while (has_more && count < FIELDS_MAX) {
        char *end = end_field(line, &fields[count]);

        has_more = *end == ',';
        *end = '\0';
        line = end + 1;
        if (!*fields[count])
            fields[count] = NULL;
        count++;
    }
    return count;
}

static bool read_text(const char *file, Arena *arena, char **text, Error *error)
{
    const char *root = getenv("SLIPWAY_DATA"), *read;
    size_t size;

    if (!file_read(arena_format(arena, "%s/%s", root ? root : "../shared/data", file),
                   FILE_BYTES_MAX, arena, &read, &size, error))
        return false;
    *text = arena_copy(arena, read, size);
    return true;
}

/* Rows behind those that are there. */
static bool read_grid(const char *file, Grid *grid, Arena *arena, Error *error)
{
    char *text, *fields[FIELDS_MAX], **cells;
    size_t count, capacity = grid->row_count + 1;

    if (!read_text(file, arena, &text, error))
        return false;
    count = split_line(strsep(&text, "\n"), fields);
    if (!grid->names) {
        grid->column_count = count;
        grid->names = arena_array(arena, char *, count);
        memcpy(grid->names, fields, count * sizeof(char *));
    }
    for (const char *at = text; at; at = strchr(at + 1, '\n'))
        capacity++;
    cells = arena_array(arena, char *, capacity * grid->column_count);
    if (grid->cells)
        memcpy(cells, grid->cells, grid->row_count * grid->column_count * sizeof(char *));
    grid->cells = cells;
    for (char *line; (line = strsep(&text, "\n")) && *line;) {
        count = split_line(line, fields);
        if (count == grid->column_count)
            memcpy(cells + grid->row_count++ * count, fields, count * sizeof(char *));
    }
    return true;
}

static size_t column_named(const Grid *grid, const char *name)
{
    for (size_t i = 0; i < grid->column_count; i++)
        if (strcmp(grid->names[i], name) == 0)
            return i;
    return grid->column_count - 1; /* the last one */
}

static const char *cell_at(const Grid *grid, size_t row, size_t column)
{
    return grid->cells[row * grid->column_count + column];
}

/* ---- trips ---- */

/* Minutes since some day, from "2021-01-01 00:15:56"; *weekday: 0 to 6. */
static double minutes_of(const char *time, long *weekday)
{
    long year = strtol(time, NULL, 10), month = strtol(time + 5, NULL, 10), days;

    year -= month <= 2;
    month += month <= 2 ? 9 : -3; /* a year from March on, so that leap days come last */
    days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 +
           strtol(time + 8, NULL, 10);
    *weekday = days % 7;
    return (double)days * 1440 + (double)strtol(time + 11, NULL, 10) * 60 +
           (double)strtol(time + 14, NULL, 10) + (double)strtol(time + 17, NULL, 10) / 60;
}

/* What the course's notebooks learn from, with hour and weekday; the target last. */
static void make_trips(Grid *grid, Arena *arena)
{
    static const char *const names[] = {"PU", "DO", "trip_distance", "hour", "weekday", "duration"};
    size_t from[] = {column_named(grid, "PULocationID"), column_named(grid, "DOLocationID"),
                     column_named(grid, "trip_distance")};
    size_t pickup = column_named(grid, "lpep_pickup_datetime");
    size_t dropoff = column_named(grid, "lpep_dropoff_datetime"), count = COUNT(names);
    char **cells = arena_array(arena, char *, grid->row_count *count);

    for (size_t row = 0; row < grid->row_count; row++) {
        char **to = cells + row * count;
        const char *start = cell_at(grid, row, pickup);
        long weekday, ignored;
        double started = minutes_of(start, &weekday);
        double ended = minutes_of(cell_at(grid, row, dropoff), &ignored);

        for (size_t i = 0; i < COUNT(from); i++)
            to[i] = grid->cells[row * grid->column_count + from[i]];
        to[3] = arena_format(arena, "%ld", strtol(start + 11, NULL, 10));
        to[4] = arena_format(arena, "%ld", weekday);
        to[5] = arena_format(arena, "%.10g", ended - started);
    }
    grid->cells = cells;
    grid->column_count = count;
    grid->names = arena_array(arena, char *, count);
    for (size_t i = 0; i < count; i++)
        grid->names[i] = arena_text(arena, names[i]);
}

/* ---- a set in memory ---- */

typedef struct Data {
    Frame frame;
    int *labels;
    ClassNames classes;
    double *numbers;
    size_t test_start;
    double share; /* of the rows, that are tested on */
} Data;

static bool is_number_column(const Grid *grid, size_t column)
{
    for (size_t row = 0; row < grid->row_count; row++) {
        const char *cell = cell_at(grid, row, column);
        char *end = NULL;

        if (!cell)
            continue;
        strtod(cell, &end);
        if (*end)
            return false;
    }
    return true;
}

static FrameColumn column_of(const Grid *grid, size_t column, Arena *arena)
{
    bool is_number = is_number_column(grid, column);
    double *numbers = arena_array(arena, double, grid->row_count);
    TextRef *texts = arena_array(arena, TextRef, grid->row_count);

    for (size_t row = 0; row < grid->row_count; row++) {
        const char *cell = cell_at(grid, row, column);

        if (is_number)
            numbers[row] = cell ? strtod(cell, NULL) : NAN;
        else if (cell)
            texts[row] = (TextRef){cell, strlen(cell)};
    }
    return is_number ? (FrameColumn){grid->names[column], COLUMN_NUMBER, NULL, numbers}
                     : (FrameColumn){grid->names[column], COLUMN_CATEGORY, texts, NULL};
}

static int compare_texts(const void *a, const void *b)
{
    const char *const *first = a, *const *second = b;

    return strcmp(*first, *second);
}

static void read_labels(const Grid *grid, size_t column, Data *data, Arena *arena)
{
    const char **names = arena_array(arena, const char *, grid->row_count);
    size_t count = 0;

    data->labels = arena_array(arena, int, grid->row_count);
    for (size_t row = 0; row < grid->row_count; row++)
        names[row] = cell_at(grid, row, column);
    qsort(names, grid->row_count, sizeof(*names), compare_texts);
    for (size_t row = 0; row < grid->row_count; row++)
        if (count == 0 || strcmp(names[row], names[count - 1]) != 0)
            names[count++] = names[row];
    data->classes = (ClassNames){names, count};
    for (size_t row = 0; row < grid->row_count; row++) {
        const char *name = cell_at(grid, row, column);
        const char **found = bsearch(&name, names, count, sizeof(*names), compare_texts);

        data->labels[row] = (int)(found - names);
    }
}

static void read_target(const Set *set, const Grid *grid, size_t column, Data *data, Arena *arena)
{
    data->numbers = arena_array(arena, double, grid->row_count);
    for (size_t row = 0; row < grid->row_count; row++)
        data->numbers[row] = strtod(cell_at(grid, row, column), NULL);
    if (set->is_number)
        return;
    if (set->is_high)
        for (size_t row = 0; row < grid->row_count; row++)
            grid->cells[row * grid->column_count + column] =
                arena_text(arena, data->numbers[row] >= 6 ? "high" : "a low");
    data->numbers = NULL;
    read_labels(grid, column, data, arena);
}

static bool load(const Set *set, Data *data, Arena *arena, Error *error)
{
    Grid grid = {0};
    size_t target;
    FrameColumn *columns;

    if (!read_grid(set->file, &grid, arena, error))
        return false;
    if (set->test_file) {
        data->test_start = set->share > 0 ? 0 : grid.row_count;
        if (!read_grid(set->test_file, &grid, arena, error))
            return false;
    }
    if (set->is_trip)
        make_trips(&grid, arena);
    target = column_named(&grid, set->target);
    columns = arena_array(arena, FrameColumn, grid.column_count);
    for (size_t i = 0; i < grid.column_count; i++)
        if (i != target && !strstr(set->left_out, arena_format(arena, ",%s,", grid.names[i])))
            columns[data->frame.column_count++] = column_of(&grid, i, arena);
    data->frame.columns = columns;
    data->frame.row_count = grid.row_count;
    data->share = set->share;
    read_target(set, &grid, target, data, arena);
    return true;
}

/* ---- splitting ---- */

typedef struct Rows {
    size_t *items, count;
} Rows;

static bool split(const Data *data, uint64_t seed, Rows sides[2], Arena *arena, Error *error)
{
    size_t count = data->frame.row_count;
    uint8_t *side = arena_array(arena, uint8_t, count);
    SplitSpec spec = {count, data->share, seed};
    const int *labels = data->labels ? data->labels : arena_array(arena, int, count);

    for (size_t row = data->test_start; row < count && data->share <= 0; row++)
        side[row] = SPLIT_HOLDOUT;
    if (data->share > 0 && !split_stratified(&spec, labels, side, error))
        return false;
    for (size_t i = 0; i < 2; i++)
        sides[i] = (Rows){arena_array(arena, size_t, count), 0};
    for (size_t row = 0; row < count; row++)
        sides[side[row]].items[sides[side[row]].count++] = row;
    return true;
}

static Data pick(const Data *data, Rows rows, Arena *arena)
{
    FrameColumn *columns = arena_array(arena, FrameColumn, data->frame.column_count);
    Data picked = *data;

    picked.labels = arena_array(arena, int, rows.count);
    picked.numbers = arena_array(arena, double, rows.count);
    for (size_t i = 0; i < data->frame.column_count; i++) {
        const FrameColumn *from = &data->frame.columns[i];
        double *numbers = arena_array(arena, double, rows.count);
        TextRef *texts = arena_array(arena, TextRef, rows.count);

        for (size_t row = 0; row < rows.count; row++) {
            if (from->numbers)
                numbers[row] = from->numbers[rows.items[row]];
            else
                texts[row] = from->texts[rows.items[row]];
        }
        columns[i] = (FrameColumn){from->name, from->kind, from->texts ? texts : NULL,
                                   from->numbers ? numbers : NULL};
    }
    for (size_t row = 0; row < rows.count; row++) {
        if (data->numbers)
            picked.numbers[row] = data->numbers[rows.items[row]];
        else
            picked.labels[row] = data->labels[rows.items[row]];
    }
    if (!data->numbers)
        picked.numbers = NULL;
    picked.frame = (Frame){columns, data->frame.column_count, rows.count};
    return picked;
}

/* ---- measuring ---- */

typedef struct Study {
    double seconds;
    uint64_t seed;
    bool shows_board;
} Study;

static void print_board(const TabularResult *result)
{
    for (size_t i = 0; i < result->notes.count; i++)
        printf("#\t%s\n", result->notes.items[i]);
    for (size_t i = 0; i < result->leaderboard.count; i++) {
        const LeaderboardRow *row = &result->leaderboard.items[i];

        printf("#\t%s%s\t%.5f\t+-%.5f\t%.5f\t%.1f s\t%s\t%s\n", row->chosen ? "* " : "", row->name,
               row->score, row->score_deviation, row->log_loss, row->seconds, row->description,
               row->note);
    }
}

static bool print_classes(const Data *test, const TabularModel *model, const double *answers,
                          Arena *arena, Error *error)
{
    size_t width = tabular_model_width(model);
    int *predicted = arena_array(arena, int, test->frame.row_count);
    Report report;

    for (size_t row = 0; row < test->frame.row_count; row++)
        predicted[row] = (int)tabular_model_decide(model, answers + row * width);
    if (!report_make(test->labels, predicted, answers, test->frame.row_count, &test->classes,
                     tabular_model_positive(model), arena, &report, error))
        return false;
    printf("auc=%.4f\tmcc=%.4f\taccuracy=%.4f\tf1=%.4f\tlog_loss=%.4f", report.auc, report.mcc,
           report.accuracy, report.f1, report.log_loss);
    return true;
}

static void print_numbers(const Data *test, const double *answers)
{
    double squares = 0, apart = 0, mean = 0, total = 0, count = (double)test->frame.row_count;

    for (size_t row = 0; row < test->frame.row_count; row++)
        mean += test->numbers[row] / count;
    for (size_t row = 0; row < test->frame.row_count; row++) {
        double error = answers[row] - test->numbers[row], from_mean = test->numbers[row] - mean;

        squares += error * error;
        apart += fabs(error);
        total += from_mean * from_mean;
    }
    printf("rmse=%.5g\tmae=%.5g\tr2=%.4f", sqrt(squares / count), apart / count,
           1 - squares / total);
}

static const char *metric_of(const Data *data)
{
    if (data->numbers)
        return "rmse";
    return data->classes.count == 2 ? "mcc" : "accuracy";
}

static bool run_set(const Set *set, const Data *data, Rows sides[2], const Study *study,
                    Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    CLEANUP(tabular_model_unload) TabularModel *model = NULL;
    Data training = pick(data, sides[0], arena), test = pick(data, sides[1], arena);
    Target target = {training.labels, training.numbers ? NULL : &training.classes,
                     training.numbers};
    SearchSpec spec = {.metric = metric_of(data),
                       .budget_seconds = study->seconds,
                       .seed = study->seed,
                       .thread_count = parallel_core_count()};
    TabularResult result;
    int64_t started_us = time_monotonic_us();
    double *answers, seconds;
    const char *bytes;
    size_t size;

    if (!tabular_search(&training.frame, &target, &spec, arena, &result, error))
        return false;
    model = result.model;
    seconds = (double)(time_monotonic_us() - started_us) / 1e6;
    answers = arena_array(arena, double, test.frame.row_count *tabular_model_width(model));
    if (!tabular_model_predict(model, &test.frame, answers, arena, error))
        return false;
    if (study->shows_board)
        print_board(&result);
    tabular_model_save(model, arena, &bytes, &size);
    printf("%s\t%zu\t%zu\t%.1f\t%zu\t", set->name, training.frame.row_count, test.frame.row_count,
           seconds, size);
    if (data->numbers)
        print_numbers(&test, answers);
    else if (!print_classes(&test, model, answers, arena, error))
        return false;
    for (size_t i = 0; i < result.leaderboard.count; i++)
        if (result.leaderboard.items[i].chosen)
            printf("\t%s", result.leaderboard.items[i].name);
    printf("\t%zu\n", result.leaderboard.count);
    return true;
}

static void print_cell(const FrameColumn *column, size_t row)
{
    if (column->numbers && isnan(column->numbers[row]))
        printf("\t");
    else if (column->numbers)
        printf("\t%.17g", column->numbers[row]);
    else
        printf("\t%.*s", (int)column->texts[row].length,
               column->texts[row].bytes ? column->texts[row].bytes : "");
}

static void print_rows(const Data *data, const Rows sides[2])
{
    printf("%s", data->numbers ? "numbers" : "classes");
    for (size_t i = 0; i < data->frame.column_count; i++)
        printf("\t%s", data->frame.columns[i].numbers ? "number" : "category");
    printf("\n");
    for (size_t side = 0; side < 2; side++) {
        for (size_t at = 0; at < sides[side].count; at++) {
            size_t row = sides[side].items[at];

            printf("%zu", side);
            for (size_t i = 0; i < data->frame.column_count; i++)
                print_cell(&data->frame.columns[i], row);
            printf("\t%.17g\n", data->numbers ? data->numbers[row] : data->labels[row]);
        }
    }
}

static bool run_one(const char *what, const Set *set, const Study *study, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Data data = {0};
    Rows sides[2];

    if (!load(set, &data, arena, error) || !split(&data, study->seed, sides, arena, error))
        return fail_in(error, "%s", set->name);
    if (strcmp(what, "rows") == 0)
        print_rows(&data, sides);
    else if (!run_set(set, &data, sides, study, error))
        return fail_in(error, "%s", set->name);
    fflush(stdout);
    return true;
}

/* A whole name is that set alone. */
static bool run(const char *what, const char *name, const Study *study, Error *error)
{
    bool is_whole = false;

    for (size_t i = 0; i < COUNT(sets); i++)
        is_whole = is_whole || strcmp(sets[i].name, name) == 0;
    for (size_t i = 0; i < COUNT(sets); i++) {
        if (is_whole ? strcmp(sets[i].name, name) != 0 : !strstr(sets[i].name, name))
            continue;
        if (strcmp(what, "sets") == 0)
            printf("%s\n", sets[i].name);
        else if (!run_one(what, &sets[i], study, error))
            return false;
    }
    return true;
}

static bool is_word(const char *word)
{
    static const char *const words[] = {"board", "rows", "sets"};

    for (size_t i = 0; i < COUNT(words); i++)
        if (strcmp(words[i], word) == 0)
            return true;
    return false;
}

int main(int count, char **words)
{
    bool is_said = count > 1 && is_word(words[1]);
    int at = is_said ? 2 : 1;
    const char *what = is_said ? words[1] : "measure", *name = count > at ? words[at] : "";
    Study study = {.seconds = count > at + 1 ? strtod(words[at + 1], NULL) : 60,
                   .seed = count > at + 2 ? strtoul(words[at + 2], NULL, 10) : 42,
                   .shows_board = strcmp(what, "board") == 0};
    Error error;

    if (run(what, name, &study, &error))
        return 0;
    fprintf(stderr, "%s\n", error.message);
    return 1;
}
