#include <math.h>

#include "data/import.h"

enum { BIN_COUNT = 10, TOP_COUNT = 20 };

static const double quantiles[] = {0.05, 0.25, 0.5, 0.75, 0.95};
static const char *const quantile_names[] = {"p5", "p25", "p50", "p75", "p95"};

/* What is measured of a column, as a number: its value, the characters of a text, the seconds of a
 * time since 1970. */
static const struct {
    const char *type, *measure, *expression;
} measures[] = {
    {"text", "length", "CAST(length($) AS DOUBLE)"},
    {"category", "length", "CAST(length($) AS DOUBLE)"},
    {"integer", "value", "CAST($ AS DOUBLE)"},
    {"number", "value", "$"},
    {"boolean", "value", "CAST($ AS DOUBLE)"},
    {"time", "time", "epoch($)"},
};

typedef struct Spread {
    double min, max;
} Spread;

static bool write_numbers(Import *import, JsonWriter *json, const char *x, Spread *spread)
{
    TextBuilder sql = {.arena = import->arena};
    DuckQuery query;

    text_append(&sql, "SELECT low, high, mean, deviation");
    for (size_t i = 0; i < COUNT(quantiles); i++)
        text_append_format(&sql, ", q[%zu]", i + 1);
    text_append(&sql, " FROM (SELECT min(x) AS low, max(x) AS high, avg(x) AS mean,"
                      " stddev_samp(x) AS deviation, quantile_cont(x, [");
    for (size_t i = 0; i < COUNT(quantiles); i++) /* together: each alone would sort its own copy */
        text_append_format(&sql, "%s%g", i ? ", " : "", quantiles[i]);
    text_append_format(&sql, "]) AS q FROM (SELECT %s AS x FROM typed))", x);
    query = duck_query(import->duck, text_built(&sql));
    if (duck_next(&query)) {
        *spread = (Spread){duck_double(&query, 0), duck_double(&query, 1)};
        json_double(json, "min", spread->min);
        json_double(json, "max", spread->max);
        json_double(json, "mean", duck_double(&query, 2));
        json_double(json, "deviation", duck_double(&query, 3));
        json_open_object(json, "quantiles");
        for (size_t i = 0; i < COUNT(quantiles); i++)
            json_double(json, quantile_names[i], duck_double(&query, 4 + (int)i));
        json_close(json);
    }
    bool is_done = duck_end(&query, import->error);
    duck_finalize(&query);
    return is_done;
}

/* Ten bins of equal width from the least to the greatest value, which is in the last one. */
static bool write_histogram(Import *import, JsonWriter *json, const char *x, Spread spread)
{
    int64_t counts[BIN_COUNT] = {0};
    double width = (spread.max - spread.min) / BIN_COUNT;
    DuckQuery query;

    if (isnan(spread.min))
        return true;
    query = duck_query(
        import->duck,
        arena_format(import->arena,
                     "SELECT CASE WHEN $2 > 0"
                     "            THEN CAST(least(greatest(floor((x - $1) / $2), 0), 9) AS BIGINT)"
                     "            ELSE 0 END AS bin, count(*)"
                     "  FROM (SELECT %s AS x FROM typed) WHERE x IS NOT NULL GROUP BY bin",
                     x),
        db_double(spread.min), db_double(width));
    while (duck_next(&query))
        counts[duck_int(&query, 0) % BIN_COUNT] = duck_int(&query, 1);
    json_open_array(json, "histogram");
    for (size_t i = 0; i < BIN_COUNT; i++)
        json_int(json, NULL, counts[i]);
    json_close(json);
    bool is_done = duck_end(&query, import->error);
    duck_finalize(&query);
    return is_done;
}

static bool write_counts(Import *import, JsonWriter *json, size_t at, bool *is_few)
{
    CLEANUP(duck_finalize)
    DuckQuery query =
        duck_query(import->duck, arena_format(import->arena,
                                              "SELECT count(*) - count(c%zu), count(DISTINCT c%zu)"
                                              "  FROM typed",
                                              at, at));

    if (duck_next(&query)) {
        int64_t missing = duck_int(&query, 0), distinct = duck_int(&query, 1);

        import->columns[at].missing = missing;
        import->columns[at].distinct = distinct;

        json_int(json, "missing", missing);
        json_double(json, "missing_share", (double)missing / (double)import->row_count);
        json_int(json, "distinct", distinct);
        json_int(json, "repeated", import->row_count - missing - distinct);
        *is_few = distinct <= TOP_COUNT;
    }
    return duck_end(&query, import->error);
}

/* The most frequent values, as texts: of categories, and of anything with few values. */
static bool write_top(Import *import, JsonWriter *json, size_t at)
{
    CLEANUP(duck_finalize)
    DuckQuery query = duck_query(
        import->duck,
        arena_format(import->arena,
                     "SELECT CAST(c%zu AS VARCHAR) AS value, count(*) AS rows FROM typed"
                     " WHERE c%zu IS NOT NULL GROUP BY value ORDER BY rows DESC, value LIMIT %d",
                     at, at, TOP_COUNT));

    json_open_array(json, "top");
    while (duck_next(&query)) {
        json_open_object(json, NULL);
        {
            json_text(json, "value", duck_text(&query, 0, import->arena));
            json_int(json, "count", duck_int(&query, 1));
        }
        json_close(json);
    }
    json_close(json);
    return duck_end(&query, import->error);
}

static bool write_measure(Import *import, JsonWriter *json, size_t at)
{
    const char *name = arena_format(import->arena, "c%zu", at);
    Spread spread = {NAN, NAN};

    for (size_t i = 0; i < COUNT(measures); i++) {
        const char *x = import_fill(measures[i].expression, name, import->arena);

        if (!text_equal(measures[i].type, import->columns[at].column.type))
            continue;
        json_text(json, "measure", measures[i].measure);
        return write_numbers(import, json, x, &spread) && write_histogram(import, json, x, spread);
    }
    return true;
}

static bool write_column(Import *import, JsonWriter *json, size_t at)
{
    const DatasetColumn *column = &import->columns[at].column;
    bool is_few = false, is_done;

    json_open_object(json, NULL);
    json_text(json, "name", column->name);
    json_text(json, "type", column->type);
    json_text(json, "role", column->role);
    is_done = write_counts(import, json, at, &is_few) &&
              (!(is_few || text_equal(column->type, "category")) || write_top(import, json, at)) &&
              write_measure(import, json, at);
    json_close(json);
    return is_done;
}

/* {"0": 551, "1": 586}: every class, not only the most frequent. */
static bool write_classes(Import *import, JsonWriter *json, size_t at)
{
    CLEANUP(duck_finalize)
    DuckQuery query =
        duck_query(import->duck,
                   arena_format(import->arena,
                                "SELECT CAST(c%zu AS VARCHAR) AS value, count(*) FROM typed"
                                " WHERE c%zu IS NOT NULL GROUP BY value ORDER BY value LIMIT 1000",
                                at, at));

    json_open_object(json, "classes");
    while (duck_next(&query))
        json_int(json, duck_text(&query, 0, import->arena), duck_int(&query, 1));
    json_close(json);
    return duck_end(&query, import->error);
}

static bool write_target(Import *import, JsonWriter *json)
{
    for (size_t i = 0; i < import->column_count; i++) {
        const DatasetColumn *column = &import->columns[i].column;
        bool is_class = !text_equal(column->type, "number") && !text_equal(column->type, "time");

        if (!text_equal(column->role, "target"))
            continue;
        json_text(json, "target", column->name);
        return !is_class || write_classes(import, json, i);
    }
    return true;
}

static bool write_duplicates(Import *import, JsonWriter *json)
{
    TextBuilder all = {.arena = import->arena};
    int64_t distinct_rows = 0, distinct_contents = 0;

    for (size_t i = 0; i < import->column_count; i++)
        text_append_format(&all, "%sc%zu", i ? ", " : "", i);
    if (!duck_get_int(import->duck, import->error, &distinct_contents,
                      "SELECT count(DISTINCT id) FROM typed") ||
        !duck_get_int(import->duck, import->error, &distinct_rows,
                      arena_format(import->arena,
                                   "SELECT count(*) FROM (SELECT DISTINCT %s FROM typed)",
                                   text_built(&all))))
        return false;
    json_int(json, "duplicate_rows", import->row_count - distinct_rows);
    json_int(json, "duplicate_contents", import->row_count - distinct_contents);
    return true;
}

bool import_profile(Import *import, JsonWriter *json)
{
    json_open_object(json, "profile");
    json_int(json, "rows", import->row_count);
    json_int(json, "set_aside", import->rejected_count);
    if (!write_duplicates(import, json) || !write_target(import, json))
        return false;
    json_open_array(json, "columns");
    for (size_t i = 0; i < import->column_count; i++)
        if (!write_column(import, json, i))
            return false;
    json_close(json);
    if (!import_notes(import, json))
        return false;
    json_close(json);
    return true;
}
