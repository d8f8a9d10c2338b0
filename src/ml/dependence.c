#include "ml/dependence.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ml/random.h"

enum { ROWS_LEAST = 50 };

/* The points and shares of a column; the answers come later. */
typedef struct Grid {
    Arena *arena;
    DependencePoint *items;
    size_t count, row_count;
} Grid;

static DependencePoint *add_point(Grid *grid, size_t rows)
{
    DependencePoint *point = arena_push(grid->arena, grid);

    *point = (DependencePoint){.share = (double)rows / (double)grid->row_count};
    return point;
}

static void add_missing(Grid *grid, size_t present)
{
    if (present < grid->row_count)
        add_point(grid, grid->row_count - present)->is_missing = true;
}

/* ---- numbers ---- */

static int compare_numbers(const void *a, const void *b)
{
    double first = *(const double *)a, second = *(const double *)b;

    return (first > second) - (first < second);
}

/* Those that are numbers, rising. */
static double *sort_numbers(const double *numbers, size_t row_count, size_t *count, Arena *arena)
{
    double *sorted = arena_array(arena, double, row_count);

    *count = 0;
    for (size_t row = 0; row < row_count; row++)
        if (isfinite(numbers[row]))
            sorted[(*count)++] = numbers[row];
    qsort(sorted, *count, sizeof(*sorted), compare_numbers);
    return sorted;
}

static void add_number(Grid *grid, double number, size_t rows)
{
    DependencePoint *last = grid->count ? &grid->items[grid->count - 1] : NULL;

    if (last && last->number == number)
        last->share += (double)rows / (double)grid->row_count;
    else
        add_point(grid, rows)->number = number;
}

static size_t count_distinct(const double *sorted, size_t count)
{
    size_t distinct = 0;

    for (size_t i = 0; i < count; i++)
        distinct += i == 0 || sorted[i] != sorted[i - 1];
    return distinct;
}

static void add_numbers(Grid *grid, const double *numbers)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    size_t count, parts = DEPENDENCE_POINTS_MAX;
    double *sorted = sort_numbers(numbers, grid->row_count, &count, scratch);

    if (count_distinct(sorted, count) <= parts)
        parts = count;
    for (size_t i = 0; i < parts; i++) {
        size_t first = count * i / parts, end = count * (i + 1) / parts;

        add_number(grid, sorted[first + (end - first) / 2], end - first);
    }
    add_missing(grid, count);
}

/* ---- categories ---- */

typedef struct Value {
    TextRef text;
    size_t count;
} Value;

static int compare_texts(const TextRef *first, const TextRef *second)
{
    size_t shorter = first->length < second->length ? first->length : second->length;
    int order = memcmp(first->bytes, second->bytes, shorter);

    return order ? order : (first->length > second->length) - (first->length < second->length);
}

static int compare_by_text(const void *a, const void *b)
{
    return compare_texts(&((const Value *)a)->text, &((const Value *)b)->text);
}

static int compare_by_count(const void *a, const void *b)
{
    const Value *first = a, *second = b;

    if (first->count != second->count)
        return first->count < second->count ? 1 : -1;
    return compare_texts(&first->text, &second->text);
}

/* The distinct values, each once, with how often it occurs. */
static size_t count_values(Value *values, size_t count)
{
    size_t distinct = 0;

    qsort(values, count, sizeof(*values), compare_by_text);
    for (size_t i = 0; i < count; i++) {
        if (distinct && compare_texts(&values[distinct - 1].text, &values[i].text) == 0)
            values[distinct - 1].count++;
        else
            values[distinct++] = values[i];
    }
    return distinct;
}

static void add_categories(Grid *grid, const TextRef *texts)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    Value *values = arena_array(scratch, Value, grid->row_count);
    size_t count = 0, distinct;

    for (size_t row = 0; row < grid->row_count; row++)
        if (texts[row].bytes)
            values[count++] = (Value){texts[row], 1};
    distinct = count_values(values, count);
    qsort(values, distinct, sizeof(*values), compare_by_count);
    for (size_t i = 0; i < distinct && i < DEPENDENCE_POINTS_MAX; i++)
        add_point(grid, values[i].count)->text = values[i].text;
    add_missing(grid, count);
}

/* ---- answers ---- */

/* One measurement under way. */
typedef struct Measuring {
    const DependenceSpec *spec;
    Frame frame;  /* the sample */
    size_t place; /* of the column */
    Dependence *made;
    Arena *arena;
    Error *error;
} Measuring;

static size_t sample_size(const DependenceSpec *spec, size_t point_count)
{
    double seconds = spec->seconds > 0 ? spec->seconds : 1;
    double rows = seconds / predictor_row_seconds(spec->model) / (double)point_count;
    size_t wanted = (size_t)fmax(ROWS_LEAST, fmin(DEPENDENCE_ROWS_MAX, floor(rows)));

    return wanted < spec->frame->row_count ? wanted : spec->frame->row_count;
}

static void draw_sample(Measuring *measuring)
{
    const DependenceSpec *spec = measuring->spec;
    size_t *rows = arena_array(measuring->arena, size_t, spec->frame->row_count);
    size_t count = sample_size(spec, measuring->made->count);
    Random random = random_seeded(spec->seed);

    for (size_t i = 0; i < spec->frame->row_count; i++)
        rows[i] = i;
    if (count < spec->frame->row_count)
        random_shuffle(&random, rows, spec->frame->row_count);
    measuring->frame = frame_pick(spec->frame, rows, count, measuring->arena);
    measuring->made->row_count = count;
}

/* A column that has the point's value in every row. */
static FrameColumn constant_column(const Measuring *measuring, const DependencePoint *point,
                                   Arena *arena)
{
    FrameColumn column = measuring->frame.columns[measuring->place];
    size_t row_count = measuring->frame.row_count;
    double *numbers = arena_array(arena, double, row_count);
    TextRef *texts = arena_array(arena, TextRef, row_count);

    for (size_t row = 0; row < row_count; row++) {
        numbers[row] = point->is_missing ? NAN : point->number;
        texts[row] = point->text;
    }
    if (column.kind == COLUMN_NUMBER)
        column.numbers = numbers;
    else
        column.texts = texts;
    return column;
}

/* The place of the first answer that is kept, and how many are. */
static void kept_answers(const Predictor *model, size_t *first, size_t *count)
{
    bool is_pair = predictor_classes(model)->count == 2;

    *first = is_pair ? predictor_positive(model) : 0;
    *count = is_pair ? 1 : predictor_width(model);
}

static bool answer_point(const Measuring *measuring, DependencePoint *point)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    const Predictor *model = measuring->spec->model;
    FrameColumn column = constant_column(measuring, point, scratch);
    Frame frame = frame_exchange(&measuring->frame, measuring->place, &column, scratch);
    size_t width = predictor_width(model), first, count;
    double *answers = arena_array(scratch, double, frame.row_count *width);

    if (!predictor_predict_on(measuring->spec->thread_count, model, &frame, answers,
                              measuring->error))
        return false;
    kept_answers(model, &first, &count);
    point->answers = arena_array(measuring->arena, double, count);
    for (size_t row = 0; row < frame.row_count; row++)
        for (size_t i = 0; i < count; i++)
            point->answers[i] += answers[row * width + first + i] / (double)frame.row_count;
    return true;
}

/* ---- the whole ---- */

static bool find_input(const DependenceSpec *spec, ColumnKind *kind, Error *error)
{
    for (size_t i = 0; i < predictor_input_count(spec->model); i++)
        if (strcmp(predictor_input(spec->model, i).name, spec->column) == 0) {
            *kind = predictor_input(spec->model, i).kind;
            return true;
        }
    return fail_field(error, spec->column, "the model has no column \"%s\"", spec->column);
}

static bool check(const DependenceSpec *spec, Measuring *measuring, Error *error)
{
    ColumnKind kind = COLUMN_TEXT;

    if (!find_input(spec, &kind, error))
        return false;
    if (!frame_find(spec->frame, spec->column, &measuring->place))
        return fail_field(error, spec->column, "the model needs a column \"%s\"", spec->column);
    if (kind == COLUMN_TEXT)
        return fail_field(error, spec->column, "\"%s\" is a text, which has no grid of values",
                          spec->column);
    if (kind == COLUMN_DATE)
        return fail_field(error, spec->column,
                          "\"%s\" is a date: how answers go with its month or hour is not drawn",
                          spec->column);
    if (predictor_classes(spec->model)->count > DEPENDENCE_CLASSES_MAX)
        return fail(error, ERROR_CONFLICT,
                    "with more than %d classes the answers by the value of a column are not "
                    "measured",
                    DEPENDENCE_CLASSES_MAX);
    return spec->frame->row_count > 0 || fail(error, ERROR_CONFLICT, "there are no rows");
}

static ClassNames answer_names(const Predictor *model)
{
    const ClassNames *classes = predictor_classes(model);

    if (classes->count == 2)
        return (ClassNames){classes->items + predictor_positive(model), 1};
    return *classes;
}

static void make_grid(Measuring *measuring)
{
    const DependenceSpec *spec = measuring->spec;
    const FrameColumn *column = &spec->frame->columns[measuring->place];
    Grid grid = {.arena = measuring->arena, .row_count = spec->frame->row_count};

    if (column->kind == COLUMN_NUMBER)
        add_numbers(&grid, column->numbers);
    else
        add_categories(&grid, column->texts);
    measuring->made->points = grid.items;
    measuring->made->count = grid.count;
}

bool dependence_measure(const DependenceSpec *spec, Arena *arena, Dependence *dependence,
                        Error *error)
{
    Dependence made = {.column = spec->column, .answers = answer_names(spec->model)};
    Measuring measuring = {.spec = spec, .made = &made, .arena = arena, .error = error};

    if (!check(spec, &measuring, error))
        return false;
    made.column = spec->frame->columns[measuring.place].name;
    made.kind = spec->frame->columns[measuring.place].kind;
    make_grid(&measuring);
    draw_sample(&measuring);
    for (size_t i = 0; i < made.count; i++)
        if (!answer_point(&measuring, &made.points[i]))
            return false;
    *dependence = made;
    return true;
}

/* ---- written ---- */

static void write_value(JsonWriter *json, ColumnKind kind, const DependencePoint *point)
{
    size_t length = point->text.length < DEPENDENCE_TEXT_BYTES_MAX ? point->text.length
                                                                   : DEPENDENCE_TEXT_BYTES_MAX;

    if (point->is_missing)
        json_null(json, "value");
    else if (kind == COLUMN_NUMBER)
        json_double(json, "value", point->number);
    else
        json_bytes(json, "value", point->text.bytes, length);
}

static void write_point(JsonWriter *json, const Dependence *dependence,
                        const DependencePoint *point)
{
    size_t count = dependence->answers.count ? dependence->answers.count : 1;

    json_open_object(json, NULL);
    write_value(json, dependence->kind, point);
    json_double(json, "share", point->share);
    json_open_array(json, "answers");
    for (size_t i = 0; i < count; i++)
        json_double(json, NULL, point->answers[i]);
    json_close(json);
    json_close(json);
}

void dependence_write_json(JsonWriter *json, const char *key, const Dependence *dependence)
{
    json_open_object(json, key);
    json_text(json, "column", dependence->column);
    json_text(json, "kind", dependence->kind == COLUMN_NUMBER ? "number" : "category");
    json_int(json, "rows", (int64_t)dependence->row_count);
    json_open_array(json, "classes");
    for (size_t i = 0; i < dependence->answers.count; i++)
        json_text(json, NULL, dependence->answers.items[i]);
    json_close(json);
    json_open_array(json, "points");
    for (size_t i = 0; i < dependence->count; i++)
        write_point(json, dependence, &dependence->points[i]);
    json_close(json);
    json_close(json);
}
