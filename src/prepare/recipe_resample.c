/* recipe_resample.c: one row for each span of time, from the first to the last. Spans begin at
 * 1970-01-01 and its multiples. */
#include <inttypes.h>
#include <string.h>

#include "prepare/recipe_internal.h"

static const struct {
    const char *name, *sql; /* $ is the column */
    bool wants_number;
    const char *type; /* NULL: that of the column */
} aggregates[] = {
    {"mean", "avg(CAST(%s AS DOUBLE))", true, "number"},
    {"sum", "sum(CAST(%s AS DOUBLE))", true, "number"},
    {"min", "min(%s)", false, NULL},
    {"max", "max(%s)", false, NULL},
    {"first", "arg_min(%s, rowid)", false, NULL},
    {"last", "arg_max(%s, rowid)", false, NULL},
    {"count", "count(%s)", false, "integer"},
};

typedef struct Resample {
    const RecipeStep *step;
    const PrepareColumn *time;
    PrepareColumns columns;      /* of the result, the time first */
    TextBuilder grouped, filled; /* the values of a span; with the gaps filled */
    int64_t first, count;        /* of the spans, in microseconds; how many */
} Resample;

static bool is_numeric(const char *type)
{
    return text_equal(type, "integer") || text_equal(type, "number");
}

/* What a gap gets. w and v look at the spans up to this one, and from it on. */
static const char *fill_sql(const Preparation *run, const char *fill, const PrepareColumn *column)
{
    const char *x = column->sql;

    if (text_equal(fill, "zero"))
        return arena_format(run->arena, "coalesce(%s, 0)", x);
    if (text_equal(fill, "previous"))
        return arena_format(run->arena, "last_value(%s IGNORE NULLS) OVER w", x);
    if (!text_equal(fill, "interpolate"))
        return x;
    return arena_format(
        run->arena,
        "coalesce(%s, last_value(%s IGNORE NULLS) OVER w"
        " + (first_value(%s IGNORE NULLS) OVER v - last_value(%s IGNORE NULLS) OVER"
        " w) * CAST(b - last_value(CASE WHEN %s IS NOT NULL THEN b END IGNORE NULLS)"
        " OVER w AS DOUBLE) / CAST(first_value(CASE WHEN %s IS NOT NULL THEN b END"
        " IGNORE NULLS) OVER v - last_value(CASE WHEN %s IS NOT NULL THEN b END"
        " IGNORE NULLS) OVER w AS DOUBLE))",
        x, x, x, x, x, x, x);
}

static bool add_column(Preparation *run, Resample *resample, const YamlNode *node)
{
    const char *fill = resample->step->fill, *type;
    bool is_count = text_equal(fill, "interpolate") || text_equal(fill, "zero");
    PrepareColumn *column, *added;
    TextBuilder value = {.arena = run->arena};
    size_t i = 0;

    if (!preparation_find(run, &run->table, node, node->key, &column))
        return false;
    while (i + 1 < COUNT(aggregates) && !text_equal(aggregates[i].name, node->text))
        i++;
    type = aggregates[i].type ? aggregates[i].type : column->type;
    if ((aggregates[i].wants_number && !is_numeric(column->type)) ||
        (is_count && !is_numeric(type)))
        return yaml_fail(node, run->arena, run->error,
                         "column \"%s\" is %s: \"%s\" with fill \"%s\" is for numbers",
                         column->name, column->type, node->text, fill);
    if (text_equal(fill, "interpolate"))
        type = "number";
    for (const char *at = aggregates[i].sql; *at; at++) {
        if (at[0] == '%' && at[1] == 's') {
            text_append(&value, column->sql);
            at++;
        } else {
            text_append_bytes(&value, at, 1);
        }
    }
    added = preparation_column_add(run, &resample->columns, column->name, type);
    text_append_format(&resample->grouped, ", CAST(%s AS %s) AS %s", text_built(&value),
                       text_equal(type, "number")    ? "DOUBLE"
                       : text_equal(type, "integer") ? "BIGINT"
                       : text_equal(type, "time")    ? "TIMESTAMP"
                       : text_equal(type, "boolean") ? "BOOLEAN"
                                                     : "VARCHAR",
                       added->sql);
    text_append_format(&resample->filled, ", %s AS %s", fill_sql(run, fill, added), added->sql);
    return true;
}

static bool check_times(Preparation *run, const Resample *resample)
{
    CLEANUP(duck_finalize)
    DuckQuery query = duck_query(
        run->duck,
        arena_format(run->arena, "SELECT rowid + 1 FROM %s WHERE %s IS NULL ORDER BY rowid LIMIT 1",
                     run->table.name, resample->time->sql));

    if (duck_next(&query))
        return yaml_fail(resample->step->node, run->arena, run->error,
                         "column \"%s\", row %" PRId64 ": the time is missing",
                         resample->time->name, duck_int(&query, 0));
    return duck_end(&query, run->error);
}

static const char *span_sql(const Preparation *run, const Resample *resample)
{
    const char *time = resample->time->sql;
    int64_t every = resample->step->every_us;

    return arena_format(run->arena,
                        "epoch_us(%s) - ((epoch_us(%s) %% %" PRId64 ") + %" PRId64 ") %% %" PRId64,
                        time, time, every, every, every);
}

static bool find_range(Preparation *run, Resample *resample)
{
    CLEANUP(duck_finalize)
    DuckQuery query =
        duck_query(run->duck, "SELECT coalesce(min(b), 0), coalesce(max(b), 0) FROM spans");
    int64_t last = 0;

    if (duck_next(&query)) {
        resample->first = duck_int(&query, 0);
        last = duck_int(&query, 1);
    }
    resample->count = (last - resample->first) / resample->step->every_us + 1;
    if (!duck_end(&query, run->error))
        return false;
    return resample->count <= RECIPE_RESAMPLE_ROWS_MAX ||
           yaml_fail(resample->step->node, run->arena, run->error,
                     "from the first to the last time are %" PRId64 " spans, %d are allowed",
                     resample->count, RECIPE_RESAMPLE_ROWS_MAX);
}

static const char *result_sql(const Preparation *run, const Resample *resample)
{
    bool skips = text_equal(resample->step->fill, "skip");

    return arena_format(
        run->arena,
        "SELECT make_timestamp(b) AS %s%s FROM (SELECT g.b, s.* EXCLUDE (b) FROM (SELECT %" PRId64
        " + i * %" PRId64 " AS b FROM range(%" PRId64 ") n(i)) g %sJOIN spans s ON s.b = g.b)"
        " WINDOW w AS (ORDER BY b ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW),"
        " v AS (ORDER BY b ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) ORDER BY b",
        resample->columns.items[0].sql, text_built((TextBuilder *)(uintptr_t)&resample->filled),
        resample->first, resample->step->every_us, resample->count, skips ? "" : "LEFT ");
}

bool recipe_resample(Preparation *run, const RecipeStep *step)
{
    Resample resample = {
        .step = step, .grouped = {.arena = run->arena}, .filled = {.arena = run->arena}};
    PrepareColumn *time;

    if (!preparation_find(run, &run->table, yaml_member(step->node, "time"), step->time, &time))
        return false;
    if (!text_equal(time->type, "time"))
        return yaml_fail(yaml_member(step->node, "time"), run->arena, run->error,
                         "column \"%s\" is %s, not a time", time->name, time->type);
    resample.time = time;
    preparation_column_add(run, &resample.columns, time->name, "time");
    for (const YamlNode *node = step->map->first; node; node = node->next)
        if (!add_column(run, &resample, node))
            return false;
    return check_times(run, &resample) &&
           duck_run(run->duck, run->error,
                    arena_format(run->arena,
                                 "CREATE TABLE spans AS SELECT %s AS b%s FROM %s GROUP BY 1",
                                 span_sql(run, &resample), text_built(&resample.grouped),
                                 run->table.name)) &&
           find_range(run, &resample) &&
           preparation_take(run, &resample.columns, result_sql(run, &resample)) &&
           duck_run(run->duck, run->error, "DROP TABLE spans");
}
