#include <string.h>

#include "ml/tabular_search_internal.h"

typedef struct Build {
    TabularSearch *search;
    RowList rows; /* that linear models learn from: all, or of very many some */
    TabularModel parts;
    Arena *arena; /* until the model has its bytes */
} Build;

static TabularMember *new_member(Build *build, MemberKind kind, size_t encoding, double weight)
{
    TabularMember *member = &build->parts.members[build->parts.member_count++];

    *member = (TabularMember){.kind = kind, .encoding = encoding, .weight = weight};
    return member;
}

/* The encodings of the folds are the first ones. */
static bool add_forests(Build *build, const Trial *trial, double weight, Error *error)
{
    size_t count = build->search->fold_count;

    for (size_t fold = 0; fold < count; fold++) {
        CLEANUP(arena_cleanup) Arena *scratch = arena_create();
        TabularMember *member = new_member(build, MEMBER_FOREST, fold, weight / (double)count);
        const char *json;
        size_t size;

        if (!boost_model_save(trial->models[fold], scratch, &json, &size, error) ||
            !forest_from_xgboost(json, size, build->arena, &member->forest, error))
            return false;
    }
    return true;
}

static void add_linear(Build *build, const Trial *trial, double weight)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    size_t place = build->parts.encoding_count - 1;
    const Encoding *encoding = &build->parts.encodings[place].encoding;
    TabularMember *member = new_member(build, MEMBER_LINEAR, place, weight);
    Matrix matrix = encoding_apply_sparse(encoding, &build->search->table, build->rows, scratch);

    member->linear = tabular_fit_linear(build->search, trial, &matrix, build->rows, build->arena);
    member->means = arena_array(build->arena, double, encoding->feature_count + 1);
    for (size_t at = 0; at < matrix.starts[matrix.row_count]; at++)
        member->means[matrix.columns[at]] += matrix.values[at] / (double)matrix.row_count;
}

static bool add_part(Build *build, const Trial *trial, double weight, Error *error)
{
    if (!trial->is_linear)
        return add_forests(build, trial, weight, error);
    add_linear(build, trial, weight);
    return true;
}

static bool add_parts(Build *build, const Trial *trial, Error *error)
{
    build->parts.members = arena_array(build->arena, TabularMember, TABULAR_MEMBERS_MAX);
    if (trial->part_count == 0)
        return add_part(build, trial, 1, error);
    for (size_t i = 0; i < trial->part_count; i++)
        if (!add_part(build, &build->search->trials[trial->parts[i]], trial->weights[i], error))
            return false;
    return true;
}

/* Without a library there are no encodings for trees; then nothing refers to them. */
static void add_encodings(Build *build)
{
    const TabularSearch *search = build->search;
    TabularModel *parts = &build->parts;

    parts->encodings = arena_array(build->arena, TabularEncoding, search->fold_count + 1);
    for (size_t fold = 0; search->has_trees && fold < search->fold_count; fold++)
        parts->encodings[parts->encoding_count++] =
            (TabularEncoding){MEMBER_FOREST, search->folds[fold].encoding};
    parts->encodings[parts->encoding_count++] = (TabularEncoding){
        MEMBER_LINEAR, encoding_fit_linear(&search->table, build->rows, build->arena)};
}

static void add_input(TabularModel *parts, const char *name, ColumnKind kind)
{
    parts->inputs[parts->input_count++] = (ModelInput){name, kind};
}

/* The columns of the table that are the frame's own, not made of dates and texts. */
static size_t plain_count(const TabularSearch *search)
{
    return search->table.column_count - search->table.parts_of_dates - search->margins_of_texts;
}

static void add_dates(const Table *table, TabularModel *parts, Arena *arena)
{
    parts->dates = arena_array(arena, TabularDate, table->date_count + 1);
    for (size_t i = 0; i < table->date_count; i++) {
        const TableDate *date = &table->dates[i];

        parts->dates[parts->date_count++] =
            (TabularDate){parts->input_count, date->parts, date->first_day};
        add_input(parts, date->from->name, COLUMN_DATE);
    }
    parts->date_cell_count = table->parts_of_dates;
}

/* The plain columns; what is left out, because who has rows like those may send it; the dates, the
 * texts. */
static void add_inputs(const Build *build, TabularModel *parts)
{
    const TabularSearch *search = build->search;
    const Table *table = &search->table;
    size_t plain = plain_count(search);

    parts->inputs =
        arena_array(build->arena, ModelInput,
                    plain + table->left_out_count + table->date_count + table->text_count);
    parts->texts = arena_array(build->arena, TabularText, table->text_count);
    for (size_t i = 0; i < plain; i++)
        add_input(parts, table->columns[i].name, table->columns[i].kind);
    for (size_t i = 0; i < table->left_out_count; i++)
        add_input(parts, table->left_out[i]->name, table->left_out[i]->kind);
    add_dates(table, parts, build->arena);
    for (size_t i = 0; i < table->text_count; i++) {
        parts->texts[parts->text_count++] =
            (TabularText){parts->input_count, search->texts[i].model};
        add_input(parts, table->texts[i]->name, COLUMN_TEXT);
    }
}

/* The encodings read columns of the table: what dates and texts became are cells behind the inputs,
 * in the same order. */
static void place_cells(Build *build)
{
    TabularModel *parts = &build->parts;
    size_t plain = plain_count(build->search);

    for (size_t i = 0; i < parts->encoding_count; i++) {
        Encoding *encoding = &parts->encodings[i].encoding;
        EncodedColumn *columns;

        columns = arena_array(build->arena, EncodedColumn, encoding->column_count + 1);
        memcpy(columns, encoding->columns, encoding->column_count * sizeof(*columns));
        encoding->columns = columns;
        for (size_t j = 0; j < encoding->column_count; j++)
            if (encoding->columns[j].input >= plain)
                encoding->columns[j].input += (uint32_t)(parts->input_count - plain);
    }
}

static void fill_head(Build *build, const Candidate *candidate)
{
    const TabularSearch *search = build->search;
    TabularModel *parts = &build->parts;

    *parts = (TabularModel){.margin_count = search->search.margin_count,
                            .shift = search->shift,
                            .scale = search->scale,
                            .threshold = candidate->threshold};
    add_inputs(build, parts);
    if (search->target->numbers)
        return;
    parts->classes = *search->search.classes;
    parts->positive = search->search.positive;
    parts->calibration =
        calibration_fit(&(MarginSet){candidate->margins, search->search.labels,
                                     search->judged.row_count, search->search.margin_count},
                        candidate->calibration, build->arena);
}

bool tabular_build(TabularSearch *search, const Candidate *candidate, TabularModel **model,
                   Error *error)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    size_t count = search->table.row_count;
    size_t *rows = arena_array(scratch, size_t, count);
    Build build = {.search = search, .arena = scratch};

    for (size_t row = 0; row < count; row++)
        rows[row] = row;
    build.rows = tabular_spread((RowList){rows, count}, LINEAR_ROWS_MAX, scratch);
    fill_head(&build, candidate);
    add_encodings(&build);
    if (!add_parts(&build, trial_of(search, candidate), error))
        return false;
    place_cells(&build);
    *model = tabular_model_of(&build.parts);
    return *model || fail(error, ERROR_INTERNAL, "the model that was learnt cannot be read back");
}
