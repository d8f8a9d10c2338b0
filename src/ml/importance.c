#include "ml/importance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "ml/answers.h"
#include "ml/random.h"

enum {
    ROWS_LEAST = 300,  /* of a sample: with fewer there are fewer columns */
    COLUMNS_LEAST = 8, /* that are measured whatever it costs */
    CELLS_MAX = 40000, /* rows x classes */
    RANKING_ROWS = 20, /* that are explained to see which of very many columns add most */
    RESAMPLES_MAX = 200,
    RESAMPLES_LEAST = 100,
    SECONDS_LEAST = 10, /* before a clock stops it */
    SECONDS_TIMES = 4,  /* the time it was given */
};

static const double bootstrap_steps = 1e8; /* rows judged in all resamples */
static const double interval_level = 0.95;

/* One measurement under way. */
typedef struct Measuring {
    const ImportanceSpec *spec;
    Arena *arena;
    Error *error;
    size_t row_count, column_count; /* that are measured */
    size_t *inputs;                 /* the places of the columns in the frame, in their turn */
    Frame frame;                    /* the sample */
    Target target;
    Predictions plain; /* the answers to it */
    double score;
} Measuring;

/* ---- what is measured ---- */

bool importance_has_columns(const Predictor *model)
{
    size_t count = predictor_input_count(model), others = 0;

    for (size_t i = 0; i < count; i++)
        others += predictor_input(model, i).kind != COLUMN_TEXT;
    return count > 1 && others;
}

static bool is_measurable(const ImportanceSpec *spec, Error *error)
{
    if (!importance_has_columns(spec->model))
        return fail(error, ERROR_CONFLICT,
                    "a model of texts alone, or of one column, has no columns to compare");
    if (spec->target->classes && spec->target->classes->count > IMPORTANCE_CLASSES_MAX)
        return fail(error, ERROR_CONFLICT,
                    "with more than %d classes the importance of columns is not measured",
                    IMPORTANCE_CLASSES_MAX);
    return spec->frame->row_count > 0 || fail(error, ERROR_CONFLICT, "there are no rows");
}

static size_t size_least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* As many rows as the time allows; of more columns than it allows with few rows, fewer columns. */
static void plan(Measuring *measuring)
{
    const ImportanceSpec *spec = measuring->spec;
    double seconds = spec->seconds > 0 ? spec->seconds : 1;
    double shuffles = seconds / predictor_row_seconds(spec->model) / IMPORTANCE_REPEATS;
    size_t width = spec->target->classes ? spec->target->classes->count : 1;
    size_t columns = size_least(predictor_input_count(spec->model), IMPORTANCE_COLUMNS_MAX);
    size_t most = size_least(IMPORTANCE_ROWS_MAX, CELLS_MAX / width);
    double rows;

    if (shuffles / (double)columns < ROWS_LEAST && columns > COLUMNS_LEAST)
        columns = (size_t)fmax(COLUMNS_LEAST, floor(shuffles / ROWS_LEAST));
    rows = fmin((double)most, fmax(ROWS_LEAST, floor(shuffles / (double)columns)));
    measuring->row_count = size_least((size_t)rows, spec->frame->row_count);
    measuring->column_count = columns;
}

static void pick_target(Measuring *measuring, const size_t *rows)
{
    const Target *all = measuring->spec->target;
    int *labels = arena_array(measuring->arena, int, measuring->row_count);
    double *numbers = arena_array(measuring->arena, double, measuring->row_count);

    for (size_t i = 0; i < measuring->row_count; i++) {
        if (all->labels)
            labels[i] = all->labels[rows[i]];
        else
            numbers[i] = all->numbers[rows[i]];
    }
    measuring->target = all->labels ? (Target){.labels = labels, .classes = all->classes}
                                    : (Target){.numbers = numbers};
}

static void draw_sample(Measuring *measuring)
{
    const Frame *all = measuring->spec->frame;
    size_t *rows = arena_array(measuring->arena, size_t, all->row_count);
    Random random = random_seeded(measuring->spec->seed);

    for (size_t i = 0; i < all->row_count; i++)
        rows[i] = i;
    if (measuring->row_count < all->row_count)
        random_shuffle(&random, rows, all->row_count);
    measuring->frame = frame_pick(all, rows, measuring->row_count, measuring->arena);
    pick_target(measuring, rows);
}

/* ---- which columns ---- */

typedef struct RankedInput {
    double weight; /* the mean size of what it adds */
    size_t input;
} RankedInput;

static int compare_ranked(const void *a, const void *b)
{
    const RankedInput *first = a, *second = b;

    if (first->weight != second->weight)
        return first->weight < second->weight ? 1 : -1;
    return (first->input > second->input) - (first->input < second->input);
}

static void add_weights(const Predictor *model, const Explanation *explanation, RankedInput *ranked)
{
    for (size_t i = 0; i < explanation->count; i++)
        for (size_t j = 0; j < predictor_input_count(model); j++)
            if (strcmp(predictor_input(model, j).name, explanation->items[i].column) == 0)
                ranked[j].weight += fabs(explanation->items[i].weight);
}

/* Of more than two classes each in its turn. */
static bool rank_inputs(const Measuring *measuring, RankedInput *ranked)
{
    const Predictor *model = measuring->spec->model;
    size_t count = size_least(RANKING_ROWS, measuring->row_count);

    for (size_t row = 0; row < count; row++) {
        CLEANUP(arena_cleanup) Arena *scratch = arena_create();
        Explanation explanation;

        if (!predictor_explain(model, &measuring->frame, row, row % predictor_width(model), scratch,
                               &explanation, measuring->error))
            return false;
        add_weights(model, &explanation, ranked);
    }
    qsort(ranked, predictor_input_count(model), sizeof(*ranked), compare_ranked);
    return true;
}

static bool choose_inputs(Measuring *measuring)
{
    const Predictor *model = measuring->spec->model;
    size_t count = predictor_input_count(model);
    RankedInput *ranked = arena_array(measuring->arena, RankedInput, count);

    for (size_t i = 0; i < count; i++)
        ranked[i].input = i;
    if (measuring->column_count < count && !rank_inputs(measuring, ranked))
        return false;
    measuring->inputs = arena_array(measuring->arena, size_t, measuring->column_count);
    for (size_t i = 0; i < measuring->column_count; i++) {
        const char *name = predictor_input(model, ranked[i].input).name;

        if (!frame_find(&measuring->frame, name, &measuring->inputs[i]))
            return fail_field(measuring->error, name, "the model needs a column \"%s\"", name);
    }
    return true;
}

/* ---- measuring ---- */

static AnswerSpec answer_spec(const Measuring *measuring)
{
    return (AnswerSpec){measuring->spec->model, measuring->target.classes,
                        measuring->spec->thread_count};
}

static void shuffled_rows(const Measuring *measuring, size_t place, size_t repeat, size_t *rows)
{
    uint64_t turn = (uint64_t)place * IMPORTANCE_REPEATS + repeat + 1;
    Random random = random_seeded(measuring->spec->seed + (turn << 20));

    for (size_t i = 0; i < measuring->row_count; i++)
        rows[i] = i;
    random_shuffle(&random, rows, measuring->row_count);
}

static bool answer_shuffled(const Measuring *measuring, size_t place, size_t repeat, Arena *arena,
                            Predictions *answers)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    size_t *rows = arena_array(scratch, size_t, measuring->row_count);
    AnswerSpec spec = answer_spec(measuring);
    FrameColumn column;
    Frame frame;

    shuffled_rows(measuring, place, repeat, rows);
    column =
        frame_column_pick(&measuring->frame.columns[place], rows, measuring->row_count, scratch);
    frame = frame_exchange(&measuring->frame, place, &column, scratch);
    return answer_frame(&spec, &frame, arena, answers, measuring->error);
}

/* Ranking metrics of many classes judge each row by each of them. */
static size_t resample_count(const Measuring *measuring)
{
    size_t classes = measuring->target.classes ? measuring->target.classes->count : 1;
    double each = (double)measuring->row_count * (IMPORTANCE_REPEATS + 1) *
                  (double)measuring->column_count * (classes > 2 ? (double)classes : 1);

    return (size_t)fmax(RESAMPLES_LEAST, fmin(RESAMPLES_MAX, bootstrap_steps / each));
}

static bool measure_column(Measuring *measuring, size_t place, ColumnImportance *made)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const ImportanceSpec *spec = measuring->spec;
    Predictions *answers = arena_array(arena, Predictions, IMPORTANCE_REPEATS);
    RepeatedRivals rivals = {
        .truth = measuring->target.labels,
        .true_numbers = measuring->target.numbers,
        .champion = &measuring->plain,
        .challengers = answers,
        .challenger_count = IMPORTANCE_REPEATS,
        .row_count = measuring->row_count,
        .classes = measuring->target.classes,
        .positive = spec->positive,
        .metric = spec->metric,
        .level = interval_level,
        .resamples = resample_count(measuring),
        .seed = spec->seed,
    };
    bool less = spec->metric->higher_is_better; /* is worse */
    PairedInterval found;

    for (size_t repeat = 0; repeat < IMPORTANCE_REPEATS; repeat++)
        if (!answer_shuffled(measuring, place, repeat, arena, &answers[repeat]))
            return false;
    if (!repeated_bootstrap(&rivals, &found, measuring->error))
        return false;
    measuring->score = found.champion;
    *made = (ColumnImportance){
        .column = measuring->frame.columns[place].name,
        .mean = less ? 0 - found.difference : found.difference, /* never -0 */
        .low = less ? 0 - found.high : found.low,
        .high = less ? 0 - found.low : found.high,
    };
    return true;
}

static int compare_items(const void *a, const void *b)
{
    const ColumnImportance *first = a, *second = b;

    if (first->mean != second->mean)
        return first->mean < second->mean ? 1 : -1;
    return strcmp(first->column, second->column);
}

static bool measure_columns(Measuring *measuring, Importance *made)
{
    double seconds = fmax(SECONDS_LEAST, SECONDS_TIMES * measuring->spec->seconds);
    int64_t deadline_us = time_monotonic_us() + (int64_t)(seconds * 1e6);

    made->items = arena_array(measuring->arena, ColumnImportance, measuring->column_count);
    while (made->count < measuring->column_count &&
           (!made->count || time_monotonic_us() < deadline_us)) {
        if (!measure_column(measuring, measuring->inputs[made->count], &made->items[made->count]))
            return false;
        made->count++;
    }
    qsort(made->items, made->count, sizeof(*made->items), compare_items);
    return true;
}

bool importance_measure(const ImportanceSpec *spec, Arena *arena, Importance *importance,
                        Error *error)
{
    Measuring measuring = {.spec = spec, .arena = arena, .error = error};
    Importance made = {.metric = spec->metric->name,
                       .of_rows = spec->frame->row_count,
                       .repeats = IMPORTANCE_REPEATS,
                       .level = interval_level};
    AnswerSpec answers;

    if (!is_measurable(spec, error))
        return false;
    plan(&measuring);
    draw_sample(&measuring);
    answers = answer_spec(&measuring);
    if (!choose_inputs(&measuring) ||
        !answer_frame(&answers, &measuring.frame, arena, &measuring.plain, error) ||
        !measure_columns(&measuring, &made))
        return false;
    made.score = measuring.score;
    made.row_count = measuring.row_count;
    made.left_out = predictor_input_count(spec->model) - made.count;
    *importance = made;
    return true;
}

/* ---- written ---- */

static void write_column(JsonWriter *json, const ColumnImportance *item)
{
    json_open_object(json, NULL);
    json_text(json, "column", item->column);
    json_double(json, "mean", item->mean);
    json_double(json, "low", item->low);
    json_double(json, "high", item->high);
    json_close(json);
}

void importance_write_json(JsonWriter *json, const char *key, const Importance *importance)
{
    json_open_object(json, key);
    json_text(json, "metric", importance->metric);
    json_double(json, "score", importance->score);
    json_int(json, "rows", (int64_t)importance->row_count);
    json_int(json, "of_rows", (int64_t)importance->of_rows);
    json_int(json, "repeats", (int64_t)importance->repeats);
    json_double(json, "level", importance->level);
    json_int(json, "left_out", (int64_t)importance->left_out);
    json_open_array(json, "columns");
    for (size_t i = 0; i < importance->count; i++)
        write_column(json, &importance->items[i]);
    json_close(json);
    json_close(json);
}
