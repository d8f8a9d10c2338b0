/* study_tabular: how good the search for models of tables is on public sets.
 *
 *     study_tabular [SET [SECONDS [SEED]]]         a line for each set whose name has SET
 *     study_tabular board [SET [SECONDS [SEED]]]   the leaderboard too
 *     study_tabular rows SET                       its rows, for peers: the side of each, or its
 *                                                  fold, then its cells
 *     study_tabular sets [SET]                     the names of the sets
 *
 * SECONDS (60) is the budget of a search, but for sets that have one of their own; SEED is 42. A
 * SET that is a whole name is that one alone.
 *
 * Fields are parted by tabs. One setting for all: what is learnt of two classes is judged by its
 * MCC, of more by its accuracy, of numbers by its RMSE. Only adult's folds are judged by their AUC,
 * which is what others have published. bench/study_tabular.py runs it beside its peers and writes
 * docs/results/tabular.md.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/parallel.h"
#include "base/text.h"
#include "base/time.h"
#include "ml/report.h"
#include "ml/split.h"
#include "ml/table.h"
#include "ml/tabular_model.h"

enum { FIELDS_MAX = 128, FILE_BYTES_MAX = 1 << 26 };

typedef struct Set {
    const char *name, *file;
    const char *test_file; /* NULL: a share of the rows */
    const char *target;
    const char *left_out; /* columns, with commas around each */
    double share;
    bool is_number;     /* the target */
    bool is_trip;       /* the columns and the target are made of trips' times and places */
    bool is_high;       /* the target is whether it is 6 or more */
    size_t folds;       /* of all rows of both files, each tested on once; 0: a hold-out */
    double seconds;     /* of the search; 0: as asked for */
    const char *metric; /* NULL: the one for all */
    const char *date;   /* the column that is one; NULL: none */
} Set;

static const Set sets[] = {
    {"bank", "bank-marketing/bankmarketing_train.csv", NULL, "y", "", 0.1},
    {"bank, no duration", "bank-marketing/bankmarketing_train.csv", NULL, "y", ",duration,", 0.1},
    {"adult", "adult-income/adult-train.csv", "adult-income/adult-test.csv", "income", "", 0},
    {"adult, 10 folds of 5 s", "adult-income/adult-train.csv", "adult-income/adult-test.csv",
     "income", "", 0, .folds = 10, .seconds = 5, .metric = "auc"},
    {"adult, 10 folds", "adult-income/adult-train.csv", "adult-income/adult-test.csv", "income", "",
     0, .folds = 10, .metric = "auc"},
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
     "nyc-green-taxi/green_tripdata_2021-02.csv", "duration", ",pickup,", 0, true, .is_trip = true},
    {"taxi 2023", "nyc-green-taxi/green_tripdata_2023-01_raw.csv.gz",
     "nyc-green-taxi/green_tripdata_2023-02_raw.csv.gz", "duration", ",pickup,", 0, true,
     .is_trip = true},
    {"bike, its date", "bike-sharing/hour.csv", NULL, "cnt", ",instant,casual,registered,", 0.2,
     true, .date = "dteday"},
    {"bike, its date alone", "bike-sharing/hour.csv", NULL, "cnt",
     ",instant,casual,registered,season,yr,mnth,weekday,workingday,", 0.2, true, .date = "dteday"},
    {"taxi, its time", "nyc-green-taxi/green_tripdata_2021-01.csv",
     "nyc-green-taxi/green_tripdata_2021-02.csv", "duration", ",hour,weekday,", 0, true,
     .is_trip = true, .date = "pickup"},
    {"taxi, no time", "nyc-green-taxi/green_tripdata_2021-01.csv",
     "nyc-green-taxi/green_tripdata_2021-02.csv", "duration", ",hour,weekday,pickup,", 0, true,
     .is_trip = true},
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

static void close_gzip(gzFile *file)
{
    if (*file)
        gzclose(*file);
}

/* Gzipped or as it is. */
static bool read_text(const char *file, Arena *arena, char **text, Error *error)
{
    const char *root = getenv("SLIPWAY_DATA");
    const char *path = arena_format(arena, "%s/%s", root ? root : "../shared/data", file);
    CLEANUP(close_gzip) gzFile stream = gzopen(path, "rb");
    char *bytes = arena_alloc(arena, FILE_BYTES_MAX + 1, 1);
    int count = stream ? gzread(stream, bytes, FILE_BYTES_MAX) : -1;

    if (count < 0)
        return fail(error, ERROR_NOT_FOUND, "cannot read \"%s\"", path);
    bytes[count] = '\0';
    *text = bytes;
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

/* Trips of 1 to 60 minutes, as the course takes them; the files of 2021 have no others. */
static void keep_trips(Grid *grid, size_t *test_start)
{
    size_t kept = 0, start = *test_start, width = grid->column_count;

    for (size_t row = 0; row < grid->row_count; row++) {
        double minutes = strtod(cell_at(grid, row, width - 1), NULL);

        if (row == start)
            *test_start = kept;
        if (minutes >= 1 && minutes <= 60)
            memmove(grid->cells + kept++ * width, grid->cells + row * width,
                    width * sizeof(char *));
    }
    grid->row_count = kept;
}

/* What the course's notebooks learn from, with hour and weekday, and the time that they are of; the
 * target last. */
static void make_trips(Grid *grid, Arena *arena)
{
    static const char *const names[] = {"PU",      "DO",     "trip_distance", "hour",
                                        "weekday", "pickup", "duration"};
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
        to[5] = grid->cells[row * grid->column_count + pickup];
        to[6] = arena_format(arena, "%.10g", ended - started);
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
    size_t folds; /* or each row once */
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
    if (set->is_trip) {
        make_trips(&grid, arena);
        keep_trips(&grid, &data->test_start);
    }
    target = column_named(&grid, set->target);
    columns = arena_array(arena, FrameColumn, grid.column_count);
    for (size_t i = 0; i < grid.column_count; i++) {
        FrameColumn *column = &columns[data->frame.column_count];

        if (i == target || strstr(set->left_out, arena_format(arena, ",%s,", grid.names[i])))
            continue;
        *column = column_of(&grid, i, arena);
        if (set->date && strcmp(set->date, column->name) == 0)
            column->kind = COLUMN_DATE;
        data->frame.column_count++;
    }
    data->frame.columns = columns;
    data->frame.row_count = grid.row_count;
    data->share = set->share;
    data->folds = set->folds;
    read_target(set, &grid, target, data, arena);
    return true;
}

/* ---- splitting ---- */

typedef struct Rows {
    size_t *items, count;
} Rows;

/* Of each row: whether it is tested on, or by which fold. */
static bool deal(const Data *data, uint64_t seed, uint32_t *parts, Arena *arena, Error *error)
{
    size_t count = data->frame.row_count;
    uint8_t *sides = arena_array(arena, uint8_t, count);
    SplitSpec spec = {count, data->share, seed};
    const int *labels = data->labels ? data->labels : arena_array(arena, int, count);

    if (data->folds)
        return fold_assign(&(FoldSpec){count, data->folds, seed}, labels, NULL, parts, error);
    for (size_t row = data->test_start; row < count && data->share <= 0; row++)
        sides[row] = SPLIT_HOLDOUT;
    if (data->share > 0 && !split_stratified(&spec, labels, sides, error))
        return false;
    for (size_t row = 0; row < count; row++)
        parts[row] = sides[row];
    return true;
}

/* Those to learn from, and the tested part. */
static void part_rows(const uint32_t *parts, size_t count, uint32_t tested, Rows sides[2],
                      Arena *arena)
{
    for (size_t i = 0; i < 2; i++)
        sides[i] = (Rows){arena_array(arena, size_t, count), 0};
    for (size_t row = 0; row < count; row++) {
        Rows *side = &sides[parts[row] == tested];

        side->items[side->count++] = row;
    }
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

/* Of one hold-out, or the means of all folds. */
typedef struct Outcome {
    double trained, tested, seconds, bytes, candidates;
    const char *chosen; /* in the last fold */
    const char *names[5];
    double figures[5];
} Outcome;

static void set_figure(Outcome *outcome, size_t place, const char *name, double value)
{
    outcome->names[place] = name;
    outcome->figures[place] = value;
}

static bool judge_classes(const Data *test, const TabularModel *model, const double *answers,
                          Outcome *outcome, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    size_t width = tabular_model_width(model);
    int *predicted = arena_array(arena, int, test->frame.row_count);
    Report report;

    for (size_t row = 0; row < test->frame.row_count; row++)
        predicted[row] = (int)tabular_model_decide(model, answers + row * width);
    if (!report_make(test->labels, predicted, answers, test->frame.row_count, &test->classes,
                     tabular_model_positive(model), arena, &report, error))
        return false;
    set_figure(outcome, 0, "auc", report.auc);
    set_figure(outcome, 1, "mcc", report.mcc);
    set_figure(outcome, 2, "accuracy", report.accuracy);
    set_figure(outcome, 3, "f1", report.f1);
    set_figure(outcome, 4, "log_loss", report.log_loss);
    return true;
}

static void judge_numbers(const Data *test, const double *answers, Outcome *outcome)
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
    set_figure(outcome, 0, "rmse", sqrt(squares / count));
    set_figure(outcome, 1, "mae", apart / count);
    set_figure(outcome, 2, "r2", 1 - squares / total);
}

static const char *metric_of(const Set *set, const Data *data)
{
    if (set->metric)
        return set->metric;
    if (data->numbers)
        return "rmse";
    return data->classes.count == 2 ? "mcc" : "accuracy";
}

static const char *chosen_name(const TabularResult *result)
{
    for (size_t i = 0; i < result->leaderboard.count; i++)
        if (result->leaderboard.items[i].chosen) /* a fixed text, which lives on */
            return result->leaderboard.items[i].name;
    return "";
}

static bool judge(const Data *test, const TabularModel *model, Arena *arena, Outcome *outcome,
                  Error *error)
{
    size_t size, width = tabular_model_width(model);
    double *answers = arena_array(arena, double, test->frame.row_count *width);
    const char *bytes;

    if (!tabular_model_predict(model, &test->frame, answers, arena, error))
        return false;
    tabular_model_save(model, arena, &bytes, &size);
    outcome->bytes = (double)size;
    if (!test->numbers)
        return judge_classes(test, model, answers, outcome, error);
    judge_numbers(test, answers, outcome);
    return true;
}

static bool search(const Set *set, const Study *study, const Data sides[2], Outcome *outcome,
                   Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    CLEANUP(tabular_model_unload) TabularModel *model = NULL;
    const Data *training = &sides[0];
    Target target = {training->labels, training->numbers ? NULL : &training->classes,
                     training->numbers};
    SearchSpec spec = {.metric = metric_of(set, training),
                       .budget_seconds = set->seconds > 0 ? set->seconds : study->seconds,
                       .seed = study->seed,
                       .thread_count = parallel_core_count()};
    TabularResult result;
    int64_t started_us = time_monotonic_us();

    if (!tabular_search(&training->frame, &target, &spec, arena, &result, error))
        return false;
    model = result.model;
    *outcome = (Outcome){.trained = (double)training->frame.row_count,
                         .tested = (double)sides[1].frame.row_count,
                         .seconds = (double)(time_monotonic_us() - started_us) / 1e6,
                         .candidates = (double)result.leaderboard.count,
                         .chosen = chosen_name(&result)};
    if (study->shows_board)
        print_board(&result);
    return judge(&sides[1], model, arena, outcome, error);
}

static void add_share(Outcome *sum, const Outcome *one, double share)
{
    sum->trained += share * one->trained;
    sum->tested += share * one->tested;
    sum->seconds += share * one->seconds;
    sum->bytes += share * one->bytes;
    sum->candidates += share * one->candidates;
    sum->chosen = one->chosen;
    for (size_t i = 0; i < COUNT(one->figures); i++)
        set_figure(sum, i, one->names[i], sum->figures[i] + share * one->figures[i]);
}

static void print_outcome(const Set *set, const Outcome *outcome)
{
    printf("%s\t%.0f\t%.0f\t%.1f\t%.0f", set->name, outcome->trained, outcome->tested,
           outcome->seconds, outcome->bytes);
    for (size_t i = 0; i < COUNT(outcome->figures) && outcome->names[i]; i++)
        printf("\t%s=%.*g", outcome->names[i], 5, outcome->figures[i]);
    printf("\t%s\t%.0f\n", outcome->chosen, outcome->candidates);
}

static bool measure(const Set *set, const Data *data, const uint32_t *parts, const Study *study,
                    Error *error)
{
    size_t folds = data->folds ? data->folds : 1;
    Outcome mean = {0};

    for (size_t fold = 0; fold < folds; fold++) {
        CLEANUP(arena_cleanup) Arena *arena = arena_create();
        Outcome outcome;
        Data both[2];
        Rows sides[2];

        part_rows(parts, data->frame.row_count, data->folds ? (uint32_t)fold : SPLIT_HOLDOUT, sides,
                  arena);
        for (size_t i = 0; i < 2; i++)
            both[i] = pick(data, sides[i], arena);
        if (!search(set, study, both, &outcome, error))
            return false;
        add_share(&mean, &outcome, 1 / (double)folds);
        if (data->folds)
            fprintf(stderr, "fold %zu of %zu: %s %.4f after %.1f s\n", fold + 1, folds,
                    outcome.names[0], outcome.figures[0], outcome.seconds);
    }
    print_outcome(set, &mean);
    return true;
}

/* Peers have dates as numbers. */
static void print_cell(const FrameColumn *column, size_t row)
{
    double number = column->numbers ? column->numbers[row] : NAN;
    bool is_number = column->numbers || column->kind == COLUMN_DATE;

    if (column->kind == COLUMN_DATE)
        number = cell_of_date(column->texts[row]).number;
    if (is_number && isnan(number))
        printf("\t");
    else if (is_number)
        printf("\t%.17g", number);
    else
        printf("\t%.*s", (int)column->texts[row].length,
               column->texts[row].bytes ? column->texts[row].bytes : "");
}

/* What is learnt, how often rows are tested on, and the columns; then the rows. */
static void print_rows(const Data *data, const uint32_t *parts)
{
    printf("%s %zu", data->numbers ? "numbers" : "classes", data->folds ? data->folds : 1);
    for (size_t i = 0; i < data->frame.column_count; i++)
        printf("\t%s", data->frame.columns[i].kind == COLUMN_CATEGORY ? "category" : "number");
    printf("\n");
    for (size_t row = 0; row < data->frame.row_count; row++) {
        printf("%u", parts[row]);
        for (size_t i = 0; i < data->frame.column_count; i++)
            print_cell(&data->frame.columns[i], row);
        printf("\t%.17g\n", data->numbers ? data->numbers[row] : data->labels[row]);
    }
}

static bool run_one(const char *what, const Set *set, const Study *study, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Data data = {0};
    uint32_t *parts;

    if (!load(set, &data, arena, error))
        return fail_in(error, "%s", set->name);
    parts = arena_array(arena, uint32_t, data.frame.row_count);
    if (!deal(&data, study->seed, parts, arena, error))
        return fail_in(error, "%s", set->name);
    if (strcmp(what, "rows") == 0)
        print_rows(&data, parts);
    else if (!measure(set, &data, parts, study, error))
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
