/* study_forest: what a row costs by our trees and by XGBoost's library, on Adult.
 *
 *     study_forest > docs/results/forest.md
 *
 * CPU time of one thread, the median of some rounds. SLIPWAY_DATA names the folder of the data. */
#include <time.h>

#include "ml/forest.h"
#include "tests/xgboost.h"

enum { TREES = 100, ROWS = 2000, EXPLAINED = 300, ROUNDS = 9 };

typedef struct Study {
    const char *depth;
    Numbers numbers;
    Forest forest;
    XgboostModel model, small; /* small: predicts the rows that are explained */
    double *margins, *contributions;
} Study;

static double cpu_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- what is measured ---- */

static void margins_alone(Study *study)
{
    for (size_t row = 0; row < ROWS; row++)
        forest_margins(&study->forest, study->numbers.values + row * study->numbers.column_count, 1,
                       study->margins + row);
}

static void margins_together(Study *study)
{
    forest_margins(&study->forest, study->numbers.values, ROWS, study->margins);
}

static void contributions(Study *study)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    size_t width = study->numbers.column_count;

    for (size_t row = 0; row < EXPLAINED; row++) {
        arena_reset(arena);
        forest_contributions(&study->forest, study->numbers.values + row * width,
                             study->contributions + row * (width + 1), arena);
    }
}

/* As a server would: a matrix of one row for each. */
static void library_alone(Study *study)
{
    void *all = study->model.matrix;
    Numbers row = study->numbers;

    for (size_t i = 0; i < ROWS; i++) {
        row.values = study->numbers.values + i * row.column_count;
        study->model.matrix = xgboost_matrix(&row, 1);
        xgboost_predict(&study->model, XGBOOST_MARGIN);
        EXPECT_XGBOOST(xgboost.matrix_free(study->model.matrix));
    }
    study->model.matrix = all;
}

/* A new matrix each time: the library remembers what it has predicted for one. */
static void library_together(Study *study)
{
    EXPECT_XGBOOST(xgboost.matrix_free(study->model.matrix));
    study->model.matrix = xgboost_matrix(&study->numbers, ROWS);
    xgboost_predict(&study->model, XGBOOST_MARGIN);
}

static void library_contributions(Study *study)
{
    xgboost_predict(&study->small, XGBOOST_CONTRIBUTIONS);
}

/* ---- measuring ---- */

static int by_size(const void *one, const void *other)
{
    double left = *(const double *)one, right = *(const double *)other;

    return (left > right) - (left < right);
}

/* Microseconds a row. */
static double measure(Study *study, void (*run)(Study *), size_t row_count)
{
    double seconds[ROUNDS];

    for (int round = 0; round < ROUNDS; round++) {
        double started = cpu_seconds();

        run(study);
        seconds[round] = cpu_seconds() - started;
    }
    qsort(seconds, ROUNDS, sizeof(*seconds), by_size);
    return seconds[ROUNDS / 2] / (double)row_count * 1e6;
}

static void print_row(const Study *study, const char *what, double ours, double theirs)
{
    printf("| %s | %s | %.2f | %.1f | %.1f |\n", study->depth, what, ours, theirs, theirs / ours);
}

static double largest_difference(const double *ours, const float *theirs, size_t count)
{
    double most = 0;

    for (size_t i = 0; i < count; i++)
        most = fmax(most, fabs(ours[i] - (double)theirs[i]));
    return most;
}

static void print_differences(Study *study)
{
    size_t width = study->numbers.column_count + 1;
    double margins, values;

    margins_together(study);
    margins =
        largest_difference(study->margins, xgboost_predict(&study->model, XGBOOST_MARGIN), ROWS);
    contributions(study);
    values = largest_difference(study->contributions,
                                xgboost_predict(&study->small, XGBOOST_CONTRIBUTIONS),
                                EXPLAINED * width);
    printf("The largest difference between both at depth %s: %g of a margin, %.1e of a "
           "contribution.\n",
           study->depth, margins, values);
}

static void print_reading(const Study *study)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    ByteWriter writer = {.arena = arena};
    double started = cpu_seconds(), of_json, of_section;
    ByteReader reader;
    Forest forest;
    Error error;

    EXPECT_OK(
        forest_from_xgboost(study->model.json, study->model.json_size, arena, &forest, &error),
        error);
    of_json = cpu_seconds() - started;
    forest_write(&forest, &writer);
    reader = (ByteReader){.bytes = writer.bytes, .size = writer.size};
    started = cpu_seconds();
    forest_read(&reader, arena, &forest);
    of_section = cpu_seconds() - started;
    EXPECT(!reader.is_bad);
    printf("Its %zu nodes are %zu bytes of JSON, read in %.2f ms, and %zu bytes of ours, checked "
           "and read in %.2f ms.\n\n",
           forest.node_count, study->model.json_size, of_json * 1e3, writer.size, of_section * 1e3);
}

static void train(Study *study, Arena *arena)
{
    const XgboostParameter parameters[] = {{"objective", "binary:logistic"},
                                           {"tree_method", "hist"},
                                           {"max_depth", study->depth},
                                           {"eta", "0.1"},
                                           {0}};
    Error error;

    study->model = xgboost_train(&study->numbers, parameters, TREES, ROWS);
    study->small = study->model;
    study->small.matrix = xgboost_matrix(&study->numbers, EXPLAINED);
    EXPECT_OK(forest_from_xgboost(study->model.json, study->model.json_size, arena, &study->forest,
                                  &error),
              error);
    study->margins = arena_array(arena, double, ROWS);
    study->contributions = arena_array(arena, double, EXPLAINED *(study->numbers.column_count + 1));
}

static void print_study(Study *study)
{
    printf("| depth | | ours | XGBoost | times |\n|---|---|---|---|---|\n");
    print_row(study, "margin, one row at a time", measure(study, margins_alone, ROWS),
              measure(study, library_alone, ROWS));
    print_row(study, "margin, 2,000 rows at once", measure(study, margins_together, ROWS),
              measure(study, library_together, ROWS));
    print_row(study, "contributions, exact", measure(study, contributions, EXPLAINED),
              measure(study, library_contributions, EXPLAINED));
    printf("\n");
    print_differences(study);
    print_reading(study);
}

static void print_heading(const Numbers *numbers)
{
    int version[3];

    xgboost.version(&version[0], &version[1], &version[2]);
    printf(
        "# Trees: what a row costs\n\n"
        "Written by `build/release/bench/study_forest > docs/results/forest.md`: %d trees learnt "
        "from Adult's %zu rows of\n%zu columns, words as numbers. Microseconds of CPU a row on "
        "one thread, the median of %d rounds, by our\ncode (`src/ml/forest*.c`) and by "
        "XGBoost %d.%d.%d, to which one row comes as a matrix of its own.\n\n",
        TREES, numbers->row_count, numbers->column_count, ROUNDS, version[0], version[1],
        version[2]);
}

int main(void)
{
    static const NumbersSpec adult = {"adult-income/adult-train.csv", 14, 40000};
    static const char *const depths[] = {"3", "6", "10"};
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Study study = {0};

    if (!xgboost_open() || !numbers_read(&adult, arena, &study.numbers))
        return 1;
    print_heading(&study.numbers);
    for (size_t i = 0; i < COUNT(depths); i++) {
        study.depth = depths[i];
        train(&study, arena);
        print_study(&study);
        EXPECT_XGBOOST(xgboost.matrix_free(study.small.matrix));
        xgboost_free(&study.model);
    }
    return 0;
}
