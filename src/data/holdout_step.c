/* holdout_step.c: the step "draw-holdout". */

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/duck.h"
#include "data/row_id.h"
#include "data/rows.h"
#include "data/steps.h"
#include "ml/split.h"

enum { CLASSES_MAX = 1000, NUMBER_PARTS = 10 };

typedef struct Draw {
    Arena *arena;
    Error *error;
    const char *path, *holdout_path, *folder, *by;
    DatasetColumns columns;
    TextList group_values; /* these groups; empty: a share */
    SplitSpec split;
    Rows rows;
    int *strata; /* per row, an index into stratum_names, -1 without a target: its class, or
                    the part of the numbers that it is in; NULL without a target */
    ClassNames stratum_names;
    size_t *units;     /* per row: rows of the same content are one unit */
    size_t *unit_rows; /* the first row of each unit */
    size_t unit_count;
    uint8_t *sides; /* per row */
} Draw;

static bool read_job(Draw *draw, const JsonValue *job)
{
    draw->path = json_as_text(json_member(job, "rows"), "");
    draw->holdout_path = json_as_text(json_member(job, "holdout"), "");
    draw->folder = json_as_text(json_member(job, "folder"), NULL);
    draw->by = json_as_text(json_member(job, "by"), "");
    draw->columns = dataset_columns_read(json_member(job, "columns"), draw->arena);
    draw->split.share = json_as_double(json_member(job, "share"), 0);
    draw->split.seed = (uint64_t)json_as_int(json_member(job, "seed"), 0);
    for (JsonWalk walk = json_walk(json_member(job, "groups")); json_walk_next(&walk);)
        text_list_add(&draw->group_values, draw->arena, json_as_text(walk.value, ""));
    return draw->folder ||
           fail(draw->error, ERROR_INVALID, "the job needs \"folder\", where the work is done");
}

static uint64_t id_hash(const char *id)
{
    char start[17] = "";

    memcpy(start, id, strnlen(id, 16));
    return strtoull(start, NULL, 16);
}

/* Numbers the contents in the order in which they first appear, by open addressing. */
static void find_units(Draw *draw)
{
    size_t count = draw->rows.row_count, size = 16, mask;
    size_t *table;

    while (size < count * 2)
        size *= 2;
    mask = size - 1;
    table = arena_array(draw->arena, size_t, size); /* unit + 1 */
    draw->units = arena_array(draw->arena, size_t, count + 1);
    draw->unit_rows = arena_array(draw->arena, size_t, count + 1);
    for (size_t i = 0; i < count; i++) {
        const char *id = draw->rows.row_ids[i];
        size_t at = (size_t)id_hash(id) & mask;

        while (table[at] && strcmp(draw->rows.row_ids[draw->unit_rows[table[at] - 1]], id) != 0)
            at = (at + 1) & mask;
        if (!table[at]) {
            draw->unit_rows[draw->unit_count++] = i;
            table[at] = draw->unit_count;
        }
        draw->units[i] = table[at] - 1;
    }
}

static int compare_numbers(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

/* Parts of about equal size, whatever the numbers are; equal ones are in one part. tops: the
 * greatest number of each; returns how many parts there are. */
static size_t cut_numbers(const double *sorted, size_t count, double tops[NUMBER_PARTS])
{
    size_t parts = 0;

    for (size_t i = 1; i <= NUMBER_PARTS && count; i++) {
        size_t end = count * i / NUMBER_PARTS;
        double top = sorted[end ? end - 1 : 0];

        if (parts == 0 || top > tops[parts - 1])
            tops[parts++] = top;
    }
    return parts;
}

static ClassNames name_parts(const double *sorted, const double *tops, size_t count, Arena *arena)
{
    const char **names = arena_array(arena, const char *, count + 1);
    double low = count ? sorted[0] : 0;

    for (size_t i = 0; i < count; i++) {
        names[i] = arena_format(arena, i ? "over %.6g to %.6g" : "%.6g to %.6g", low, tops[i]);
        low = tops[i];
    }
    return (ClassNames){names, count};
}

/* There is a hold-out with as many small and large numbers as the data has. */
static void stratify_numbers(Draw *draw, const double *numbers)
{
    size_t row_count = draw->rows.row_count, count = 0, part_count;
    double *sorted = arena_array(draw->arena, double, row_count + 1), tops[NUMBER_PARTS] = {0};

    for (size_t i = 0; i < row_count; i++)
        if (!isnan(numbers[i]))
            sorted[count++] = numbers[i];
    qsort(sorted, count, sizeof(*sorted), compare_numbers);
    part_count = cut_numbers(sorted, count, tops);
    draw->stratum_names = name_parts(sorted, tops, part_count, draw->arena);
    draw->strata = arena_array(draw->arena, int, row_count + 1);
    for (size_t i = 0; i < row_count; i++) {
        int part = 0;

        while ((size_t)part < part_count && numbers[i] > tops[part])
            part++;
        draw->strata[i] = isnan(numbers[i]) ? -1 : part;
    }
}

/* Integers of few values are as good as classes, whatever they will be learnt as. */
static void find_strata(Draw *draw)
{
    const DatasetColumn *target = dataset_column_by_role(&draw->columns, "target");
    Rows *rows = &draw->rows;
    double *numbers;

    if (rows->targets) {
        stratify_numbers(draw, rows->targets);
        return;
    }
    draw->strata = rows->labels;
    draw->stratum_names = rows->classes;
    if (!rows->labels || !text_equal(target->type, "integer") ||
        rows->classes.count <= TARGET_CLASSES_MAX)
        return;
    numbers = arena_array(draw->arena, double, rows->row_count + 1);
    for (size_t i = 0; i < rows->row_count; i++)
        numbers[i] = rows->labels[i] < 0 ? NAN : strtod(rows->classes.items[rows->labels[i]], NULL);
    stratify_numbers(draw, numbers);
}

/* The stratum of a row for the draw: that of its content's first row, so that a content goes to one
 * side as a whole even where its labels disagree. */
static int draw_stratum(const Draw *draw, size_t row, bool by_stratum)
{
    return by_stratum ? draw->strata[draw->unit_rows[draw->units[row]]] : 0;
}

/* Splits the rows of one stratum by whole contents, so that the share is met in rows. One of a
 * single content stays in training. */
static bool split_stratum(Draw *draw, int stratum, bool by_stratum)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create(); /* there may be many of them */
    size_t *chosen = arena_array(scratch, size_t, draw->rows.row_count + 1);
    size_t *units = arena_array(scratch, size_t, draw->rows.row_count + 1);
    uint8_t *sides = arena_array(scratch, uint8_t, draw->rows.row_count + 1);
    SplitSpec spec = {.share = draw->split.share, .seed = draw->split.seed + (uint64_t)stratum};
    bool is_one = true;

    for (size_t i = 0; i < draw->rows.row_count; i++) {
        if (draw_stratum(draw, i, by_stratum) != stratum)
            continue;
        chosen[spec.row_count] = i;
        units[spec.row_count] = draw->units[i];
        is_one &= units[spec.row_count] == units[0];
        spec.row_count++;
    }
    if (is_one)
        return true;
    if (!split_by_group(&spec, units, sides, draw->error))
        return false;
    for (size_t i = 0; i < spec.row_count; i++)
        draw->sides[chosen[i]] = sides[i];
    return true;
}

/* By stratum, or all alike: at random. A content whose first row has no target stays in training.
 */
static bool split_units(Draw *draw, bool by_stratum)
{
    size_t count = by_stratum ? draw->stratum_names.count : 1;

    if (count > CLASSES_MAX)
        return fail_field(draw->error, "by",
                          "a stratified hold-out takes at most %d classes; this target has %zu",
                          CLASSES_MAX, count);
    for (size_t i = 0; i < count; i++)
        if (!split_stratum(draw, (int)i, by_stratum))
            return false;
    return true;
}

static bool check_sides(const Draw *draw)
{
    const Rows *rows = &draw->rows;

    for (size_t i = 0; i < rows->row_count; i++)
        if (draw->sides[i] == SPLIT_HOLDOUT)
            return true;
    if (draw->strata && draw->stratum_names.count == 0)
        return fail_field(draw->error, "target", "no row has a value of the target");
    if (!dataset_column_by_role(&draw->columns, "feature"))
        return fail(draw->error, ERROR_INVALID,
                    "there is no column to learn from beside the target");
    if (rows->row_count == 1)
        return fail(draw->error, ERROR_INVALID,
                    "there is one row: a model learns from some rows and is judged on others");
    if (draw->unit_count == 1)
        return fail(draw->error, ERROR_INVALID,
                    "all %zu rows have the same features: nothing tells them apart",
                    rows->row_count);
    if (text_equal(draw->by, "stratified"))
        return fail(draw->error, ERROR_INVALID,
                    "there is nothing to hold out: none of the %zu values of the target has two "
                    "different rows; name another target, or more columns",
                    draw->stratum_names.count);
    return fail(
        draw->error, ERROR_INVALID, "%zu different row%s%s: too few to hold out a share of %g",
        draw->unit_count, draw->unit_count == 1 ? "" : "s",
        draw->rows.labels ? arena_format(draw->arena, " in %zu classes", draw->rows.classes.count)
                          : "",
        draw->split.share);
}

static bool draw_stratified(Draw *draw)
{
    return draw->strata
               ? split_units(draw, true)
               : fail_field(draw->error, "by", "a stratified hold-out needs a target column");
}

static bool draw_random(Draw *draw)
{
    return split_units(draw, false);
}

static bool draw_named_groups(Draw *draw)
{
    size_t found = 0;

    for (size_t i = 0; i < draw->group_values.count; i++) {
        size_t place = 0, before = found;

        while (place < draw->rows.group_names.count &&
               !text_equal(draw->rows.group_names.items[place], draw->group_values.items[i]))
            place++;
        for (size_t row = 0; row < draw->rows.row_count; row++)
            if (draw->rows.groups[row] == place && place < draw->rows.group_names.count) {
                draw->sides[row] = SPLIT_HOLDOUT;
                found++;
            }
        if (found == before)
            return fail_field(draw->error, "group_values", "no row has the group \"%s\"",
                              draw->group_values.items[i]);
    }
    return found < draw->rows.row_count ||
           fail_field(draw->error, "group_values", "no group would be left to train on");
}

static bool draw_group(Draw *draw)
{
    SplitSpec spec = draw->split;

    if (!draw->rows.groups)
        return fail_field(draw->error, "by", "a hold-out by group needs a group column");
    if (draw->group_values.count)
        return draw_named_groups(draw);
    spec.row_count = draw->rows.row_count;
    return split_by_group(&spec, draw->rows.groups, draw->sides, draw->error);
}

static bool draw_time(Draw *draw)
{
    SplitSpec spec = draw->split;

    if (!draw->rows.times)
        return fail_field(draw->error, "by", "a hold-out by time needs a time column");
    spec.row_count = draw->rows.row_count;
    return split_by_time(&spec, draw->rows.times, draw->sides, draw->error);
}

static const struct {
    const char *by;
    bool (*draw)(Draw *draw);
} ways[] = {
    {"stratified", draw_stratified},
    {"group", draw_group},
    {"time", draw_time},
    {"random", draw_random},
};

static bool draw_sides(Draw *draw)
{
    draw->sides = arena_array(draw->arena, uint8_t, draw->rows.row_count + 1);
    for (size_t i = 0; i < COUNT(ways); i++)
        if (text_equal(ways[i].by, draw->by))
            return ways[i].draw(draw) && check_sides(draw);
    return fail_field(draw->error, "by", "\"by\" is stratified, group, time or random");
}

static bool write_rows(Draw *draw)
{
    DuckSpec spec = {.folder = draw->folder};
    CLEANUP(duck_close) Duck *duck = NULL;
    DuckAppender chosen;
    DatasetColumns note;

    text_list_add(&spec.files, draw->arena, draw->path);
    text_list_add(&spec.files, draw->arena, draw->holdout_path);
    duck = duck_open(&spec, draw->error);
    if (!duck || !duck_run(duck, draw->error, "CREATE TABLE chosen (r BIGINT)"))
        return false;
    chosen = duck_append_begin(duck, "chosen");
    for (size_t i = 0; i < draw->rows.row_count; i++) {
        if (draw->sides[i] != SPLIT_HOLDOUT)
            continue;
        duck_append_int(&chosen, (int64_t)i);
        duck_append_row_end(&chosen);
    }
    if (!duck_append_end(&chosen, draw->error))
        return false;
    note = row_id_columns(&draw->columns, draw->arena);
    return duck_run(duck, draw->error,
                    arena_format(draw->arena,
                                 "COPY (SELECT * FROM read_parquet(%s)"
                                 "       WHERE _row IN (SELECT r FROM chosen) ORDER BY _row)"
                                 " TO %s (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880,"
                                 " KV_METADATA {" ROW_ID_KEY ": %s})",
                                 duck_literal(draw->path, draw->arena),
                                 duck_literal(draw->holdout_path, draw->arena),
                                 duck_literal(row_id_note(&note, draw->arena), draw->arena)));
}

static void write_result(const Draw *draw, JsonWriter *json)
{
    const Rows *rows = &draw->rows;
    size_t *sizes = arena_array(draw->arena, size_t, draw->unit_count + 1);
    int64_t *strata = arena_array(draw->arena, int64_t, draw->stratum_names.count + 1);
    int64_t count = 0, duplicates = 0;

    for (size_t i = 0; i < rows->row_count; i++) {
        if (draw->sides[i] != SPLIT_HOLDOUT)
            continue;
        count++;
        sizes[draw->units[i]]++;
        if (draw->strata && draw->strata[i] >= 0)
            strata[draw->strata[i]]++;
    }
    for (size_t i = 0; i < draw->unit_count; i++)
        duplicates += sizes[i] > 1 ? (int64_t)sizes[i] : 0;
    json_int(json, "row_count", count);
    json_int(json, "duplicate_row_count", duplicates);
    json_open_object(json, "classes");
    for (size_t i = 0; i < draw->stratum_names.count && i < CLASSES_MAX; i++)
        json_int(json, draw->stratum_names.items[i], strata[i]);
    json_close(json);
}

bool draw_holdout_step(const JsonValue *job, JsonWriter *result, Arena *arena, Error *error)
{
    Draw draw = {.arena = arena, .error = error};
    RowsSpec spec = {0};

    if (!read_job(&draw, job))
        return false;
    spec.path = draw.path;
    for (size_t i = 0; i < draw.columns.count; i++) { /* features are not needed to draw */
        const DatasetColumn *column = &draw.columns.items[i];

        if (!dataset_column_is_feature(column))
            *arena_push(arena, &spec.columns) = *column;
        if (text_equal(column->role, "target") && text_equal(column->type, "number"))
            spec.task = TASK_REGRESSION;
    }
    if (!rows_read(&spec, arena, &draw.rows, error))
        return false;
    find_strata(&draw);
    find_units(&draw);
    if (!draw_sides(&draw) || !write_rows(&draw))
        return false;
    write_result(&draw, result);
    return true;
}
