#include <string.h>

#include "ml/tabular_search_internal.h"

typedef struct Build {
    TabularSearch *search;
    RowList rows; /* all */
    TabularModel parts;
    Arena *arena; /* until the model has its bytes */
} Build;

static bool add_forest(Build *build, const Trial *trial, TabularMember *member, Error *error)
{
    CLEANUP(boost_matrix_destroy) BoostMatrix *matrix = NULL;
    BoostSpec spec = trial->boost;
    BoostResult result;

    spec.thread_count = build->search->search.spec->thread_count;
    return tabular_boost_matrix(build->search, build->rows, &build->parts.encodings[MEMBER_FOREST],
                                true, &matrix, error) &&
           boost_fit(&spec, matrix, NULL, build->arena, &result, error) &&
           forest_from_xgboost(result.json, result.json_size, build->arena, &member->forest, error);
}

static void add_linear(Build *build, const Trial *trial, TabularMember *member)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    const Encoding *encoding = &build->parts.encodings[MEMBER_LINEAR];
    Matrix matrix = encoding_apply_sparse(encoding, &build->search->table, build->rows, scratch);

    member->linear = tabular_fit_linear(build->search, trial, &matrix, build->rows, build->arena);
    member->means = arena_array(build->arena, double, encoding->feature_count + 1);
    for (size_t at = 0; at < matrix.starts[matrix.row_count]; at++)
        member->means[matrix.columns[at]] += matrix.values[at] / (double)matrix.row_count;
}

static bool add_member(Build *build, const Trial *trial, double weight, Error *error)
{
    const Table *table = &build->search->table;
    TabularMember *member = &build->parts.members[build->parts.member_count++];
    Encoding *encoding;

    *member =
        (TabularMember){.kind = trial->is_linear ? MEMBER_LINEAR : MEMBER_FOREST, .weight = weight};
    encoding = &build->parts.encodings[member->kind];
    if (encoding->column_count == 0)
        *encoding = trial->is_linear ? encoding_fit_linear(table, build->rows, build->arena)
                                     : encoding_fit_trees(table, build->rows,
                                                          &build->search->encoded, build->arena);
    if (!trial->is_linear)
        return add_forest(build, trial, member, error);
    add_linear(build, trial, member);
    return true;
}

static bool add_members(Build *build, const Trial *trial, Error *error)
{
    build->parts.members = arena_array(build->arena, TabularMember, ENSEMBLE_PARTS_MAX);
    if (trial->part_count == 0)
        return add_member(build, trial, 1, error);
    for (size_t i = 0; i < trial->part_count; i++)
        if (!add_member(build, &build->search->trials[trial->parts[i]], trial->weights[i], error))
            return false;
    return true;
}

static void fill_head(Build *build, const Candidate *candidate)
{
    const TabularSearch *search = build->search;
    const Table *table = &search->table;
    TabularModel *parts = &build->parts;
    ModelInput *inputs = arena_array(build->arena, ModelInput, table->column_count);

    for (size_t i = 0; i < table->column_count; i++)
        inputs[i] = (ModelInput){table->columns[i].name, table->columns[i].kind};
    *parts = (TabularModel){.margin_count = search->search.margin_count,
                            .inputs = inputs,
                            .input_count = table->column_count,
                            .shift = search->shift,
                            .scale = search->scale,
                            .threshold = candidate->threshold};
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
    Build build = {.search = search, .rows = {rows, count}, .arena = scratch};

    for (size_t row = 0; row < count; row++)
        rows[row] = row;
    fill_head(&build, candidate);
    if (!add_members(&build, trial_of(search, candidate), error))
        return false;
    *model = tabular_model_of(&build.parts);
    return *model || fail(error, ERROR_INTERNAL, "the model that was learnt cannot be read back");
}
