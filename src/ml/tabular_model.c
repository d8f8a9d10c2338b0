#include "ml/tabular_model.h"

#include <math.h>
#include <string.h>

#include "base/parallel.h"
#include "ml/decide.h"
#include "ml/tabular_model_internal.h"

static const FrameColumn *column_named(const Frame *frame, const char *name)
{
    for (size_t i = 0; i < frame->column_count; i++)
        if (strcmp(frame->columns[i].name, name) == 0)
            return &frame->columns[i];
    return NULL;
}

bool tabular_model_bind(const TabularModel *model, const Frame *frame, Arena *arena,
                        const FrameColumn ***columns, Error *error)
{
    const FrameColumn **bound = arena_array(arena, const FrameColumn *, model->input_count);

    for (size_t i = 0; i < model->input_count; i++) {
        const ModelInput *input = &model->inputs[i];
        bool is_number = input->kind == COLUMN_NUMBER;

        bound[i] = column_named(frame, input->name);
        if (!bound[i])
            return fail_field(error, input->name, "the model needs a column \"%s\"", input->name);
        if (is_number ? !bound[i]->numbers : !bound[i]->texts)
            return fail_field(error, input->name, "the column \"%s\" must hold %s", input->name,
                              is_number ? "numbers" : "texts");
    }
    *columns = bound;
    return true;
}

static Cell cell_of(const FrameColumn *column, ColumnKind kind, size_t row)
{
    switch (kind) {
    case COLUMN_NUMBER:
        return cell_of_number(column->numbers[row]);
    case COLUMN_CATEGORY:
        return cell_of_text(column->texts[row]);
    default: /* a text is read as its margins, a date as its parts */
        return (Cell){.key = CELL_MISSING};
    }
}

void tabular_model_cells(const TabularModel *model, const FrameColumn *const *columns,
                         RowRange rows, Cell *cells)
{
    for (size_t row = 0; row < rows.count; row++)
        for (size_t i = 0; i < model->input_count; i++)
            cells[row * model->cell_count + i] =
                cell_of(columns[i], model->inputs[i].kind, rows.first + row);
    if (model->date_count)
        tabular_model_date_cells(model, columns, rows, cells);
    if (model->text_count)
        tabular_model_text_cells(model, columns, rows, cells);
}

/* ---- margins ---- */

enum { ROWS_TOGETHER = 256 };

static const double margin_most = 1e6;

typedef struct Prediction {
    const TabularModel *model;
    const FrameColumn **columns;
    double *answers;
    size_t row_count;
} Prediction;

/* What one turn needs, taken once. */
typedef struct Bench {
    Cell *cells;     /* rows x cell_count */
    float *features; /* rows x feature_count of the encoding at hand */
    uint32_t *places;
    double *values, *part, *margins;
} Bench;

static size_t features_most(const TabularModel *model)
{
    size_t most = 0;

    for (size_t i = 0; i < model->encoding_count; i++) {
        const TabularEncoding *encoding = &model->encodings[i];

        if (encoding->kind == MEMBER_FOREST && encoding->encoding.feature_count > most)
            most = encoding->encoding.feature_count;
    }
    return most;
}

static Bench bench_of(const TabularModel *model, size_t rows, Arena *arena)
{
    return (Bench){
        .cells = arena_array(arena, Cell, rows * model->cell_count + 1),
        .features = arena_array(arena, float, rows *features_most(model) + 1),
        .places = arena_array(arena, uint32_t, model->cell_count + 1),
        .values = arena_array(arena, double, model->cell_count + 1),
        .part = arena_array(arena, double, rows * model->margin_count),
        .margins = arena_array(arena, double, rows * model->margin_count),
    };
}

static void add_forest(const TabularModel *model, const TabularMember *member, size_t rows,
                       Bench *bench)
{
    forest_margins(&member->forest, bench->features, rows, bench->part);
    for (size_t i = 0; i < rows * model->margin_count; i++)
        bench->margins[i] += member->weight * bench->part[i];
}

static void add_linear(const TabularModel *model, const TabularMember *member, size_t rows,
                       Bench *bench)
{
    const Encoding *encoding = &model->encodings[member->encoding].encoding;
    const LinearModel *linear = &member->linear;

    for (size_t row = 0; row < rows; row++) {
        size_t count = encoding_sparse(encoding, bench->cells + row * model->cell_count,
                                       bench->places, bench->values);

        for (size_t margin = 0; margin < model->margin_count; margin++) {
            double sum = linear->intercepts[margin];

            for (size_t i = 0; i < count; i++)
                sum += linear->weights[margin * linear->column_count + bench->places[i]] *
                       bench->values[i];
            bench->margins[row * model->margin_count + margin] += member->weight * sum;
        }
    }
}

static void encode(const TabularModel *model, const TabularEncoding *encoding, size_t rows,
                   Bench *bench)
{
    if (encoding->kind != MEMBER_FOREST)
        return;
    for (size_t row = 0; row < rows; row++)
        encoding_dense(&encoding->encoding, bench->cells + row * model->cell_count,
                       bench->features + row * encoding->encoding.feature_count);
}

/* Encoding after encoding, so that rows are encoded once for all members that read by it. */
static void add_members(const TabularModel *model, size_t rows, Bench *bench)
{
    memset(bench->margins, 0, rows * model->margin_count * sizeof(double));
    for (size_t i = 0; i < model->encoding_count; i++) {
        encode(model, &model->encodings[i], rows, bench);
        for (size_t j = 0; j < model->member_count; j++) {
            const TabularMember *member = &model->members[j];

            if (member->encoding != i)
                continue;
            if (member->kind == MEMBER_FOREST)
                add_forest(model, member, rows, bench);
            else
                add_linear(model, member, rows, bench);
        }
    }
    for (size_t i = 0; i < rows * model->margin_count; i++)
        bench->margins[i] = fmax(-margin_most, fmin(margin_most, bench->margins[i]));
}

/* ---- answers ---- */

static void answer(const TabularModel *model, const double *margins, double *answers)
{
    if (model->classes.count)
        calibration_apply(&model->calibration, margins, answers);
    else
        answers[0] = model->shift + model->scale * margins[0];
}

static void predict_rows(const Prediction *prediction, size_t first, size_t end, Arena *arena)
{
    const TabularModel *model = prediction->model;
    size_t width = tabular_model_width(model);
    size_t together = end - first < ROWS_TOGETHER ? end - first : ROWS_TOGETHER;
    Bench bench = bench_of(model, together, arena);

    for (size_t row = first; row < end; row += together) {
        size_t count = end - row < together ? end - row : together;

        tabular_model_cells(model, prediction->columns, (RowRange){row, count}, bench.cells);
        add_members(model, count, &bench);
        for (size_t i = 0; i < count; i++)
            answer(model, bench.margins + i * model->margin_count,
                   prediction->answers + (row + i) * width);
    }
}

size_t tabular_model_width(const TabularModel *model)
{
    return model->classes.count ? model->classes.count : 1;
}

bool tabular_model_predict(const TabularModel *model, const Frame *frame, double *answers,
                           Arena *arena, Error *error)
{
    Prediction prediction = {model, NULL, answers, frame->row_count};

    if (!tabular_model_bind(model, frame, arena, &prediction.columns, error))
        return false;
    predict_rows(&prediction, 0, frame->row_count, arena);
    return true;
}

static void predict_turn(void *context, size_t turn)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const Prediction *prediction = context;
    size_t row = turn * ROWS_TOGETHER, left = prediction->row_count - row;

    predict_rows(prediction, row, row + (left < ROWS_TOGETHER ? left : ROWS_TOGETHER), arena);
}

bool tabular_model_predict_on(size_t thread_count, const TabularModel *model, const Frame *frame,
                              double *answers, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Prediction prediction = {model, NULL, answers, frame->row_count};

    if (!tabular_model_bind(model, frame, arena, &prediction.columns, error))
        return false;
    parallel_run((frame->row_count + ROWS_TOGETHER - 1) / ROWS_TOGETHER, thread_count, predict_turn,
                 &prediction);
    return true;
}

/* What a core of 2020 takes for a split that is passed, and for a value that is made of a cell. */
double tabular_model_row_seconds(const TabularModel *model)
{
    static const double of_split = 1e-9, of_value = 5e-9;
    size_t values = model->input_count + model->date_cell_count, splits = 0;

    for (size_t i = 0; i < model->encoding_count; i++)
        values += model->encodings[i].encoding.column_count;
    for (size_t i = 0; i < model->member_count; i++) {
        const Forest *forest = &model->members[i].forest;

        for (size_t tree = 0; tree < forest->tree_count; tree++)
            splits += forest->levels[tree] + 1;
    }
    return (double)values * of_value + (double)splits * of_split +
           (double)model->text_count * TEXT_SECONDS;
}

size_t tabular_model_decide(const TabularModel *model, const double *probabilities)
{
    return class_decide(probabilities, model->classes.count, model->positive, model->threshold);
}

double tabular_model_threshold(const TabularModel *model)
{
    return model->threshold;
}

/* ---- what it is ---- */

size_t tabular_model_input_count(const TabularModel *model)
{
    return model->input_count;
}

ModelInput tabular_model_input(const TabularModel *model, size_t index)
{
    return model->inputs[index];
}

const ClassNames *tabular_model_classes(const TabularModel *model)
{
    return &model->classes;
}

size_t tabular_model_positive(const TabularModel *model)
{
    return model->positive;
}

void tabular_model_unload(TabularModel **model)
{
    if (!*model)
        return;
    for (size_t i = 0; i < (*model)->text_count; i++)
        text_model_unload(&(*model)->texts[i].model);
    arena_destroy((*model)->arena);
    *model = NULL;
}
