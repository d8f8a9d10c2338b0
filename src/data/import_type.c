#include <inttypes.h>
#include <string.h>

#include "data/import.h"

enum { SAMPLE_ROWS = 2048, CATEGORY_BYTES_MAX = 64, CATEGORY_VALUES_MAX = 1000 };

/* Texts that stand for a missing number where all others are numbers. */
#define MISSING_NUMBER "$ IN ('NA', 'N/A', 'NaN', 'nan', 'NULL', 'null', 'None')"
#define ISO_TIME                                                                                   \
    "'[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,9})?"                  \
    "(Z|[+-][0-9]{2}(:?[0-9]{2})?)?)?)?'"
#define ISO_MONTH "'[0-9]{4}-[0-9]{2}'" /* its first day */

/* What a text can be read as, narrowest first. found: how a column is recognised, so strictly that
 * printing the value loses nothing: "007" and "+31" are texts, as are integers of more than 64
 * bits. told: how it is read when the user says so. $ is the column. */
static const struct ImportKind {
    const char *type, *sql_type, *missing, *found, *told;
} kinds[] = {
    {"boolean", "BOOLEAN", "false",
     "CASE lower(trim($)) WHEN 'true' THEN true WHEN 'false' THEN false END",
     "CASE WHEN lower(trim($)) IN ('true', 't', 'yes', 'y', '1') THEN true"
     " WHEN lower(trim($)) IN ('false', 'f', 'no', 'n', '0') THEN false END"},
    {"integer", "BIGINT", MISSING_NUMBER,
     "CASE WHEN regexp_full_match(trim($), '-?(0|[1-9][0-9]*)')"
     " THEN TRY_CAST(trim($) AS BIGINT) END",
     "CASE WHEN regexp_full_match(trim($), '[+-]?[0-9]+([.]0*)?')"
     " THEN TRY_CAST(trim($) AS BIGINT) END"},
    {"number", "DOUBLE", MISSING_NUMBER,
     "CASE WHEN regexp_full_match(trim($),"
     " '-?((0|[1-9][0-9]*)([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]+)?')"
     " AND (regexp_matches($, '[.eE]') OR TRY_CAST(trim($) AS BIGINT) IS NOT NULL)"
     " AND isfinite(TRY_CAST(trim($) AS DOUBLE)) THEN TRY_CAST(trim($) AS DOUBLE) END",
     "CASE WHEN isfinite(TRY_CAST(trim($) AS DOUBLE)) THEN TRY_CAST(trim($) AS DOUBLE) END"},
    {"time", "TIMESTAMP", "false",
     "CASE WHEN regexp_full_match(trim($), " ISO_TIME ")"
     " THEN CAST(TRY_CAST(trim($) AS TIMESTAMPTZ) AS TIMESTAMP)"
     " WHEN regexp_full_match(trim($), " ISO_MONTH
     ") THEN TRY_CAST(trim($) || '-01' AS TIMESTAMP) END",
     "CASE WHEN regexp_full_match(trim($), " ISO_MONTH
     ") THEN TRY_CAST(trim($) || '-01' AS TIMESTAMP)"
     " ELSE CAST(TRY_CAST(trim($) AS TIMESTAMPTZ) AS TIMESTAMP) END"},
};

typedef struct ImportKind ImportKind;

const char *import_fill(const char *template, const char *with, Arena *arena)
{
    TextBuilder text = {.arena = arena};

    for (const char *at = template; *at; at++) {
        if (*at == '$')
            text_append(&text, with);
        else
            text_append_bytes(&text, at, 1);
    }
    return text_built(&text);
}

static const ImportKind *kind_by_type(const char *type)
{
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (text_equal(kinds[i].type, type))
            return &kinds[i];
    return NULL;
}

static const ImportKind *kind_by_sql(const char *sql_type)
{
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (text_equal(kinds[i].sql_type, sql_type))
            return &kinds[i];
    return NULL;
}

bool import_reading(const char *type, const char *text, Arena *arena, ImportReading *reading)
{
    const ImportKind *kind = kind_by_type(type);

    if (kind)
        *reading = (ImportReading){kind->sql_type, import_fill(kind->missing, text, arena),
                                   import_fill(kind->told, text, arena)};
    return kind != NULL;
}

/* Which kinds all values of a column have: fits[i] for kinds[i]. Those that do not fit in already
 * are not tried. */
static bool try_kinds(Import *import, const char *from, bool fits[COUNT(kinds)])
{
    TextBuilder sql = {.arena = import->arena};
    DuckQuery query;

    text_append(&sql, "SELECT 0");
    for (size_t i = 0; i < COUNT(kinds); i++)
        text_append_format(&sql, ", CAST(%s AS BIGINT)",
                           fits[i] ? arena_format(import->arena,
                                                  "count(%s) = count(v) - coalesce(sum(CAST(%s AS "
                                                  "INTEGER)), 0) AND count(%s) > 0",
                                                  import_fill(kinds[i].found, "v", import->arena),
                                                  import_fill(kinds[i].missing, "v", import->arena),
                                                  import_fill(kinds[i].found, "v", import->arena))
                                   : "0");
    text_append_format(&sql, " FROM (%s)", from);
    query = duck_query(import->duck, text_built(&sql));
    if (duck_next(&query))
        for (size_t i = 0; i < COUNT(kinds); i++)
            fits[i] = duck_int(&query, (int)i + 1) != 0;
    bool is_done = duck_end(&query, import->error);
    duck_finalize(&query);
    return is_done;
}

static const ImportKind *first_fitting(const bool fits[COUNT(kinds)])
{
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (fits[i])
            return &kinds[i];
    return NULL;
}

/* The first rows rule out most kinds, so that a long text is matched against few patterns. A text
 * of JSON or Parquet is one, but for times, which JSON cannot say otherwise. */
static bool find_kind(Import *import, size_t at, const ImportKind **kind)
{
    const ImportColumn *column = &import->columns[at];
    bool is_json = column->is_text && import->files[0].format != &import_parquet;
    bool fits[COUNT(kinds)];
    const char *all =
        arena_format(import->arena, "SELECT c%zu AS v FROM raw WHERE c%zu IS NOT NULL", at, at);

    for (size_t i = 0; i < COUNT(kinds); i++)
        fits[i] = !column->is_text || (is_json && text_equal(kinds[i].type, "time"));
    if (!try_kinds(import, arena_format(import->arena, "%s LIMIT %d", all, SAMPLE_ROWS), fits))
        return false;
    if (first_fitting(fits) && !try_kinds(import, all, fits))
        return false;
    *kind = first_fitting(fits);
    return true;
}

/* A category has few distinct short values: each is seen twice on average while they are at most
 * twenty, else twenty times. */
static bool find_text_type(Import *import, size_t at, const char **type)
{
    CLEANUP(duck_finalize)
    DuckQuery query = duck_query(
        import->duck,
        arena_format(import->arena,
                     "SELECT count(DISTINCT c%zu), count(c%zu), coalesce(avg(strlen(c%zu)), 0)"
                     "  FROM raw",
                     at, at, at));

    if (duck_next(&query)) {
        int64_t distinct = duck_int(&query, 0), count = duck_int(&query, 1);
        bool is_few = (distinct <= 20 && distinct * 2 <= count) ||
                      (distinct <= CATEGORY_VALUES_MAX && distinct * 20 <= count);

        *type = is_few && duck_double(&query, 2) <= CATEGORY_BYTES_MAX ? "category" : "text";
    }
    return duck_end(&query, import->error);
}

static bool is_label(const ImportColumn *column)
{
    return text_equal(column->column.role, "target") || text_equal(column->column.role, "group") ||
           text_equal(column->column.role, "known");
}

static bool type_text(Import *import, size_t at)
{
    ImportColumn *column = &import->columns[at];
    const ImportKind *kind = kind_by_type(column->override);

    if (!column->override && !find_kind(import, at, &kind))
        return false;
    column->column.type = kind ? kind->type : column->override;
    column->expression = arena_format(import->arena, "c%zu", at);
    if (kind)
        column->expression = import_fill(column->override ? kind->told : kind->found,
                                         column->expression, import->arena);
    if (column->column.type)
        return true;
    if (is_label(column)) {
        column->column.type = "category";
        return true;
    }
    return find_text_type(import, at, &column->column.type);
}

static bool type_native(Import *import, size_t at)
{
    ImportColumn *column = &import->columns[at];
    const ImportKind *native = kind_by_sql(column->sql_type);
    const ImportKind *kind = kind_by_type(column->override);
    const char *text = arena_format(import->arena, "CAST(c%zu AS VARCHAR)", at);

    column->column.type = column->override ? column->override : native->type;
    if (!column->override || kind == native)
        column->expression = arena_format(import->arena, "c%zu", at);
    else
        column->expression = kind ? import_fill(kind->told, text, import->arena) : text;
    return true;
}

const char *import_keep_condition(const Import *import)
{
    TextBuilder sql = {.arena = import->arena};

    text_append(&sql, "true");
    for (size_t i = 0; i < import->column_count; i++) {
        const ImportColumn *column = &import->columns[i];
        const ImportKind *kind = kind_by_type(column->override);
        const char *text = arena_format(import->arena, "CAST(c%zu AS VARCHAR)", i);

        if (kind)
            text_append_format(&sql, " AND (c%zu IS NULL OR %s OR %s IS NOT NULL)", i,
                               import_fill(kind->missing, text, import->arena), column->expression);
    }
    return text_built(&sql);
}

/* A row that an override does not fit. */
typedef struct Misfit {
    int64_t row; /* of raw */
    size_t file;
    int64_t line;
    size_t column;
    const char *value;
} Misfit;

typedef struct MisfitList {
    Misfit *items;
    size_t count;
} MisfitList;

static bool list_misfits(Import *import, MisfitList *list)
{
    TextBuilder sql = {.arena = import->arena};
    TextBuilder value = {.arena = import->arena};
    DuckQuery query;

    text_append(&sql, "CASE");
    text_append(&value, "CASE");
    for (size_t i = 0; i < import->column_count; i++) {
        const ImportKind *kind = kind_by_type(import->columns[i].override);
        const char *text = arena_format(import->arena, "CAST(c%zu AS VARCHAR)", i);
        const char *when;

        if (!kind)
            continue;
        when = arena_format(import->arena, " WHEN c%zu IS NOT NULL AND NOT %s AND %s IS NULL", i,
                            import_fill(kind->missing, text, import->arena),
                            import->columns[i].expression);
        text_append_format(&sql, "%s THEN %zu", when, i);
        text_append_format(&value, "%s THEN left(%s, 60)", when, text);
    }
    query = duck_query(import->duck,
                       arena_format(import->arena,
                                    "SELECT CAST(rowid AS BIGINT), file_index, coalesce(line, 0),"
                                    "       CAST(%s END AS BIGINT), %s END"
                                    "  FROM raw WHERE NOT (%s) ORDER BY rowid",
                                    text_built(&sql), text_built(&value),
                                    import_keep_condition(import)));
    while (duck_next(&query))
        *arena_push(import->arena, list) = (Misfit){
            .row = duck_int(&query, 0),
            .file = (size_t)duck_int(&query, 1),
            .line = duck_int(&query, 2),
            .column = (size_t)duck_int(&query, 3),
            .value = duck_text(&query, 4, import->arena),
        };
    bool is_done = duck_end(&query, import->error);
    duck_finalize(&query);
    return is_done;
}

/* CSV rows learn their lines now, all of one file at once; rows of Parquet are counted from 1. */
static bool find_lines(Import *import, Misfit *misfits, size_t count)
{
    const ImportFile *file = &import->files[misfits[0].file];
    int64_t *rows = arena_array(import->arena, int64_t, count);
    int64_t *lines = arena_array(import->arena, int64_t, count);

    for (size_t i = 0; i < count; i++)
        rows[i] = misfits[i].row - file->first_row;
    if (file->format == &import_csv && !import_csv_lines(import, file, rows, lines, count))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (file->format == &import_csv)
            misfits[i].line = lines[i];
        else if (file->format == &import_parquet)
            misfits[i].line = rows[i] + 1;
    }
    return true;
}

static bool reject_misfits(Import *import, Misfit *misfits, size_t count)
{
    if (!find_lines(import, misfits, count))
        return false;
    for (size_t i = 0; i < count; i++) {
        const ImportColumn *column = &import->columns[misfits[i].column];
        const char *article = text_equal(column->override, "integer") ? "an" : "a";
        const ImportRejected rejected = {
            .file = &import->files[misfits[i].file],
            .line = misfits[i].line,
            .column = column->column.name,
            .reason = arena_format(import->arena, "\"%s\" is not %s %s", misfits[i].value, article,
                                   column->override),
        };

        if (!import_reject(import, &rejected))
            return false;
    }
    return true;
}

static bool has_overrides(const Import *import)
{
    for (size_t i = 0; i < import->column_count; i++)
        if (kind_by_type(import->columns[i].override))
            return true;
    return false;
}

static bool apply_overrides(Import *import)
{
    MisfitList list = {0};
    size_t start = 0;

    if (!has_overrides(import))
        return true;
    if (!list_misfits(import, &list))
        return false;
    for (size_t i = 1; i <= list.count; i++) {
        if (i < list.count && list.items[i].file == list.items[start].file)
            continue;
        if (!reject_misfits(import, &list.items[start], i - start))
            return false;
        start = i;
    }
    return true;
}

bool import_type(Import *import)
{
    for (size_t i = 0; i < import->column_count; i++) {
        bool is_text = text_equal(import->columns[i].sql_type, "VARCHAR");

        if (!(is_text ? type_text(import, i) : type_native(import, i)))
            return false;
    }
    return apply_overrides(import);
}
