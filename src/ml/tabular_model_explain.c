/* What each column adds to a margin: Shapley values of the trees, weight x (value - mean) of linear
 * models, added up over the features that a column became and over the members. */
#include <math.h>
#include <stdlib.h>

#include "ml/tabular_model_internal.h"

typedef struct Explainer {
    const TabularModel *model;
    const Cell *cells;
    size_t margin;
    double sign;    /* two classes have one margin: the first class's is its opposite */
    double *added;  /* by cell */
    double outside; /* what no input adds */
} Explainer;

static void add_forest(Explainer *explainer, const TabularMember *member)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    const Encoding *encoding = &explainer->model->encodings[member->encoding].encoding;
    size_t each = encoding->feature_count + 1;
    float *features = arena_array(scratch, float, encoding->feature_count + 1);
    double *all = arena_array(scratch, double, each * member->forest.group_count);
    const double *own = all + explainer->margin * each;

    encoding_dense(encoding, explainer->cells, features);
    forest_contributions(&member->forest, features, all, scratch);
    for (size_t i = 0; i < encoding->column_count; i++) {
        const EncodedColumn *column = &encoding->columns[i];

        for (size_t j = 0; j < column->count; j++)
            explainer->added[column->input] += member->weight * own[column->first + j];
    }
    explainer->outside += member->weight * own[encoding->feature_count];
}

static void add_linear(Explainer *explainer, const TabularMember *member)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    const Encoding *encoding = &explainer->model->encodings[member->encoding].encoding;
    const LinearModel *linear = &member->linear;
    const double *weights = linear->weights + explainer->margin * linear->column_count;
    double *row = arena_array(scratch, double, encoding->feature_count + 1);
    uint32_t *places = arena_array(scratch, uint32_t, encoding->column_count + 1);
    double *values = arena_array(scratch, double, encoding->column_count + 1);
    size_t count = encoding_sparse(encoding, explainer->cells, places, values);

    for (size_t i = 0; i < count; i++)
        row[places[i]] = values[i];
    explainer->outside += member->weight * linear->intercepts[explainer->margin];
    for (size_t i = 0; i < encoding->column_count; i++) {
        const EncodedColumn *column = &encoding->columns[i];

        for (size_t at = column->first; at < column->first + column->count; at++) {
            explainer->added[column->input] +=
                member->weight * weights[at] * (row[at] - member->means[at]);
            explainer->outside += member->weight * weights[at] * member->means[at];
        }
    }
}

/* What the parts of a date add is what the date adds, and so are the margins of a text. */
static void add_made(Explainer *explainer)
{
    const TabularModel *model = explainer->model;
    const double *added = explainer->added + model->input_count;

    for (size_t i = 0; i < model->date_count; i++)
        for (size_t left = tabular_date_cell_count(model->dates[i].parts); left > 0; left--)
            explainer->added[model->dates[i].input] += *added++;

    for (size_t i = 0; i < model->text_count; i++)
        for (size_t margin = 0; margin < model->margin_count; margin++)
            explainer->added[model->texts[i].input] += *added++;
}

static int larger_first(const void *a, const void *b)
{
    const Contribution *first = a, *second = b;
    double x = fabs(first->weight), y = fabs(second->weight);

    return (x < y) - (x > y);
}

enum { TEXT_SHOWN_BYTES = 60 };

/* The beginning of a long one. */
static const char *shown(const char *name, TextRef text, Arena *arena)
{
    size_t length = text.length;

    if (text_is_missing(text))
        return arena_format(arena, "%s is missing", name);
    if (length > TEXT_SHOWN_BYTES) {
        length = TEXT_SHOWN_BYTES;
        while (length && ((unsigned char)text.bytes[length] & 0xc0) == 0x80)
            length--;
    }
    return arena_format(arena, "%s=%.*s%s", name, (int)length, text.bytes,
                        length < text.length ? "\u2026" : "");
}

static const char *text_of(const FrameColumn *column, ColumnKind kind, size_t row, Arena *arena)
{
    if (kind == COLUMN_NUMBER) {
        double number = column->numbers[row];

        return isfinite(number) ? arena_format(arena, "%s=%.10g", column->name, number)
                                : arena_format(arena, "%s is missing", column->name);
    }
    if (kind == COLUMN_TEXT || kind == COLUMN_DATE)
        return shown(column->name, column->texts[row], arena);
    if (!column->texts[row].bytes)
        return arena_format(arena, "%s is missing", column->name);
    return arena_format(arena, "%s=%.*s", column->name, (int)column->texts[row].length,
                        column->texts[row].bytes);
}

static Explanation explanation_of(const Explainer *explainer, const FrameColumn *const *columns,
                                  size_t row, Arena *arena)
{
    const TabularModel *model = explainer->model;
    bool is_number = model->classes.count == 0;
    double scale = is_number ? model->scale : explainer->sign;
    Explanation made = {.items = arena_array(arena, Contribution, model->input_count),
                        .count = model->input_count,
                        .intercept = explainer->outside * scale + (is_number ? model->shift : 0)};

    made.margin = made.intercept;
    for (size_t i = 0; i < model->input_count; i++) {
        made.items[i] =
            (Contribution){.column = model->inputs[i].name,
                           .text = text_of(columns[i], model->inputs[i].kind, row, arena),
                           .weight = explainer->added[i] * scale};
        made.margin += made.items[i].weight;
    }
    qsort(made.items, made.count, sizeof(*made.items), larger_first);
    return made;
}

bool tabular_model_explain(const TabularModel *model, const Frame *frame, size_t row,
                           size_t class_index, Arena *arena, Explanation *explanation, Error *error)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    bool is_single = model->margin_count == 1;
    Cell *cells = arena_array(scratch, Cell, model->cell_count);
    Explainer explainer = {.model = model,
                           .cells = cells,
                           .margin = is_single ? 0 : class_index,
                           .sign = is_single && class_index == 0 ? -1 : 1,
                           .added = arena_array(scratch, double, model->cell_count)};
    const FrameColumn **columns;

    if (class_index >= tabular_model_width(model))
        return fail(error, ERROR_INVALID, "the model has %zu classes", model->classes.count);
    if (row >= frame->row_count)
        return fail(error, ERROR_INVALID, "there are %zu rows", frame->row_count);
    if (!tabular_model_bind(model, frame, scratch, &columns, error))
        return false;
    tabular_model_cells(model, columns, (RowRange){row, 1}, cells);
    for (size_t i = 0; i < model->member_count; i++) {
        if (model->members[i].kind == MEMBER_FOREST)
            add_forest(&explainer, &model->members[i]);
        else
            add_linear(&explainer, &model->members[i]);
    }
    add_made(&explainer);
    *explanation = explanation_of(&explainer, columns, row, arena);
    return true;
}
