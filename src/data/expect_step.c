/* expect_step.c: the step "check-data": the rows of a Parquet file against what they must be.
 *
 * One pass counts the violations of all expectations; only those that fail are looked for again,
 * for their first rows. Memory: DuckDB's limit, whatever the size of the file; what a unique column
 * needs beyond goes to the step's folder.
 */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "data/expect.h"
#include "data/import.h"
#include "data/steps.h"

typedef struct Checked {
    const ExpectColumn *expect;
    const char *name; /* in SQL */
    const char *type; /* that it is read as */
    const char *value;
    const char *missing; /* condition that there is none */
    bool is_text_read;   /* a text that is read as another type */
} Checked;

/* One expectation about single rows: where the condition is true, it is not met. */
typedef struct RowCheck {
    const char *expect;
    const Checked *column;
    const char *condition;
    const char *sentence; /* behind the value */
    double share;         /* of the rows that may be so */
    const char *order; /* a source of the rows that has the condition's columns; NULL: the file */
} RowCheck;

typedef struct RowCheckList {
    RowCheck *items;
    size_t count;
} RowCheckList;

typedef struct Violation {
    const char *expect, *column, *message;
    int64_t count;
    const char *first; /* JSON */
} Violation;

typedef struct ExpectStep {
    Arena *arena;
    Error *error;
    Duck *duck;
    Expectations expect;
    TextList names, types; /* of the file's columns, without Slipway's own */
    RowCheckList checks;
    int64_t row_count;
    size_t check_count, failed_count;
    struct {
        Violation *items;
        size_t count;
    } violations;
} ExpectStep;

static void add_violation(ExpectStep *step, const Violation *violation)
{
    step->failed_count++;
    if (step->violations.count < EXPECT_SHOWN_MAX)
        *arena_push(step->arena, &step->violations) = *violation;
}

static bool is_own(const char *name)
{
    return text_equal(name, "_row") || text_equal(name, "_file") || text_equal(name, "_id");
}

static const char *type_of_sql(const char *sql)
{
    static const struct {
        const char *sql, *type;
    } types[] = {
        {"BIGINT", "integer"}, {"DOUBLE", "number"}, {"BOOLEAN", "boolean"}, {"TIMESTAMP", "time"}};

    for (size_t i = 0; i < COUNT(types); i++)
        if (text_has_prefix(sql, types[i].sql))
            return types[i].type;
    return "text";
}

static bool read_columns(ExpectStep *step)
{
    CLEANUP(duck_finalize) DuckQuery query = duck_query(step->duck, "DESCRIBE checked");

    while (duck_next(&query)) {
        const char *name = duck_text(&query, 0, step->arena);

        if (is_own(name))
            continue;
        text_list_add(&step->names, step->arena, name);
        text_list_add(&step->types, step->arena, type_of_sql(duck_text(&query, 1, step->arena)));
    }
    return duck_end(&query, step->error);
}

/* ---- what is expected of rows, as conditions ---- */

static void add_check(ExpectStep *step, const RowCheck *check)
{
    step->check_count++;
    *arena_push(step->arena, &step->checks) = *check;
}

static bool is_text_type(const char *type)
{
    return text_equal(type, "text") || text_equal(type, "category");
}

static bool is_numeric(const char *type)
{
    return text_equal(type, "number") || text_equal(type, "integer");
}

/* A column whose type in the file is another is read as the type that is expected. */
static void read_as(ExpectStep *step, Checked *column, const char *stored)
{
    const char *wanted = column->expect->type;
    const char *text = arena_format(step->arena, "CAST(%s AS VARCHAR)", column->name);
    ImportReading reading;

    column->type = stored;
    column->value = column->name;
    column->missing = arena_format(step->arena, "%s IS NULL", column->name);
    if (!wanted || text_equal(wanted, stored) || is_text_type(wanted))
        return;
    column->type = wanted;
    if (is_numeric(wanted) && text_equal(stored, "integer"))
        return;
    if (!import_reading(wanted, text, step->arena, &reading))
        return;
    column->is_text_read = true;
    column->value = reading.value;
    column->missing =
        arena_format(step->arena, "(%s IS NULL OR %s)", column->name, reading.missing);
}

static void check_type(ExpectStep *step, const Checked *column)
{
    const char *article = text_equal(column->type, "integer") ? "an" : "a";

    if (column->is_text_read)
        add_check(step,
                  &(RowCheck){"type", column,
                              arena_format(step->arena, "NOT %s AND (%s) IS NULL", column->missing,
                                           column->value),
                              arena_format(step->arena, "is not %s %s", article, column->type)});
}

static bool check_bound(ExpectStep *step, const Checked *column, const char *name,
                        const char *bound)
{
    bool is_minimum = text_equal(name, "minimum");
    bool is_time = text_equal(column->type, "time");
    double number;

    if (!bound)
        return true;
    if (!is_time && !is_numeric(column->type)) {
        step->check_count++;
        add_violation(step, &(Violation){name, column->expect->name,
                                         arena_format(step->arena,
                                                      "column \"%s\" holds no numbers or times: it "
                                                      "is %s, and has no %s",
                                                      column->expect->name, column->type, name)});
        return true;
    }
    if (text_to_double(bound, &number) == is_time)
        return fail_field(step->error, column->expect->name,
                          "column \"%s\" is %s: \"%s\" is no %s of it", column->expect->name,
                          column->type, bound, name);
    add_check(step,
              &(RowCheck){name, column,
                          arena_format(step->arena, "(%s) %s CAST(%s AS %s)", column->value,
                                       is_minimum ? "<" : ">", duck_literal(bound, step->arena),
                                       is_time ? "TIMESTAMP" : "DOUBLE"),
                          arena_format(step->arena, "is %s the %s of %s",
                                       is_minimum ? "below" : "above", name, bound)});
    return true;
}

static bool are_numbers(const TextList *values)
{
    double number;

    for (size_t i = 0; i < values->count; i++)
        if (!text_to_double(values->items[i], &number))
            return false;
    return true;
}

static void check_values(ExpectStep *step, const Checked *column)
{
    const TextList *values = &column->expect->values;
    bool is_number = is_numeric(column->type) && are_numbers(values);
    const char *type = is_number ? "DOUBLE" : "VARCHAR";
    TextBuilder list = {.arena = step->arena}, shown = {.arena = step->arena};

    for (size_t i = 0; i < values->count; i++) {
        text_append_format(&list, "%sCAST(%s AS %s)", i ? ", " : "",
                           duck_literal(values->items[i], step->arena), type);
        if (shown.count < 120)
            text_append_format(&shown, "%s%s", i ? ", " : "", values->items[i]);
        else if (i + 1 == values->count)
            text_append(&shown, " ...");
    }
    if (values->count)
        add_check(
            step,
            &(RowCheck){"values", column,
                        arena_format(step->arena, "(%s) IS NOT NULL AND CAST(%s AS %s) NOT IN (%s)",
                                     column->value, column->value, type, text_built(&list)),
                        arena_format(step->arena, "is not one of %s", text_built(&shown))});
}

/* What else is the same value is found by a source that numbers the rows of each. */
static void check_unique(ExpectStep *step, const Checked *column)
{
    if (column->expect->is_unique)
        add_check(step,
                  &(RowCheck){.expect = "unique",
                              .column = column,
                              .condition = "repeats > 1",
                              .sentence = "is there before",
                              .order = arena_format(
                                  step->arena,
                                  "(SELECT *, row_number() OVER (PARTITION BY %s ORDER BY _row)"
                                  " AS repeats FROM checked WHERE (%s) IS NOT NULL)",
                                  column->value, column->value)});
}

static void check_missing(ExpectStep *step, const Checked *column)
{
    if (column->expect->missing < 1)
        add_check(step, &(RowCheck){.expect = "missing",
                                    .column = column,
                                    .condition = column->missing,
                                    .share = column->expect->missing});
}

static void check_pattern(ExpectStep *step, const Checked *column)
{
    const char *pattern = column->expect->pattern;

    if (pattern)
        add_check(step, &(RowCheck){"pattern", column,
                                    arena_format(step->arena,
                                                 "NOT regexp_full_match(CAST(%s AS VARCHAR), %s)",
                                                 column->name, duck_literal(pattern, step->arena)),
                                    arena_format(step->arena, "does not match %.100s", pattern)});
}

static bool check_column(ExpectStep *step, const ExpectColumn *expect, const char *stored)
{
    Checked *column = arena_new(step->arena, Checked);

    *column = (Checked){.expect = expect, .name = duck_name(expect->name, step->arena)};
    read_as(step, column, stored);
    if (is_text_type(expect->type ? expect->type : "text") && expect->type &&
        !is_text_type(stored)) {
        step->check_count++;
        add_violation(step, &(Violation){"type", expect->name,
                                         arena_format(step->arena,
                                                      "column \"%s\" is %s, not %s: if it is one, "
                                                      "say so under \"columns\" of the data set",
                                                      expect->name, stored, expect->type)});
    }
    check_type(step, column);
    check_missing(step, column);
    if (!check_bound(step, column, "minimum", expect->minimum) ||
        !check_bound(step, column, "maximum", expect->maximum))
        return false;
    check_values(step, column);
    check_pattern(step, column);
    check_unique(step, column);
    return true;
}

/* ---- columns and the number of rows ---- */

static bool find_type(const ExpectStep *step, const char *name, const char **type)
{
    for (size_t i = 0; i < step->names.count; i++) {
        if (!text_equal(step->names.items[i], name))
            continue;
        *type = step->types.items[i];
        return true;
    }
    return false;
}

static void check_others(ExpectStep *step)
{
    for (size_t i = 0; i < step->names.count; i++) {
        const ExpectColumns *columns = &step->expect.columns;
        const char *name = step->names.items[i];
        size_t at = 0;

        while (at < columns->count && !text_equal(columns->items[at].name, name))
            at++;
        if (at == columns->count)
            add_violation(step, &(Violation){"others", name,
                                             arena_format(step->arena,
                                                          "column \"%s\" is not expected", name)});
    }
    step->check_count++;
}

static bool check_columns(ExpectStep *step)
{
    if (step->expect.columns.count > EXPECT_COLUMNS_MAX)
        return fail(step->error, ERROR_TOO_LARGE, "at most %d columns can be expected",
                    EXPECT_COLUMNS_MAX);
    for (size_t i = 0; i < step->expect.columns.count; i++) {
        const ExpectColumn *column = &step->expect.columns.items[i];
        const char *type;

        step->check_count++;
        if (!find_type(step, column->name, &type))
            add_violation(step, &(Violation){"columns", column->name,
                                             arena_format(step->arena, "column \"%s\" is missing",
                                                          column->name)});
        else if (!check_column(step, column, type))
            return false;
    }
    if (step->expect.refuses_others)
        check_others(step);
    return true;
}

static void check_row_count(ExpectStep *step)
{
    const ExpectCount *rows = &step->expect.rows;
    bool is_few = rows->minimum >= 0 && step->row_count < rows->minimum;
    bool is_many = rows->maximum >= 0 && step->row_count > rows->maximum;

    step->check_count += (size_t)(rows->minimum >= 0) + (size_t)(rows->maximum >= 0);
    if (is_few || is_many)
        add_violation(step, &(Violation){"rows", NULL,
                                         arena_format(step->arena,
                                                      "there are %" PRId64 " rows, at %s %" PRId64
                                                      " are expected",
                                                      step->row_count, is_few ? "least" : "most",
                                                      is_few ? rows->minimum : rows->maximum)});
}

/* ---- counting, and finding the first ---- */

static const char *count_statement(const ExpectStep *step)
{
    TextBuilder sql = {.arena = step->arena};

    text_append(&sql, "SELECT count(*)");
    for (size_t i = 0; i < step->checks.count; i++) {
        const RowCheck *check = &step->checks.items[i];

        if (check->order)
            text_append_format(&sql, ", count(%s) - count(DISTINCT %s)", check->column->value,
                               check->column->value);
        else
            text_append_format(&sql, ", count(*) FILTER (WHERE %s)", check->condition);
    }
    text_append(&sql, " FROM checked");
    return text_built(&sql);
}

static bool count_rows(ExpectStep *step, int64_t *counts)
{
    CLEANUP(duck_finalize) DuckQuery query = duck_query(step->duck, count_statement(step));

    if (duck_next(&query)) {
        step->row_count = duck_int(&query, 0);
        for (size_t i = 0; i < step->checks.count; i++)
            counts[i] = duck_int(&query, (int)i + 1);
    }
    return duck_end(&query, step->error);
}

static const char *first_statement(const ExpectStep *step, const RowCheck *check)
{
    return arena_format(step->arena,
                        "SELECT c._file, CAST(c._row - f.first + 1 AS BIGINT),"
                        " left(CAST(c.%s AS VARCHAR), 60)"
                        " FROM %s c JOIN firsts f ON f.file = c._file WHERE %s"
                        " ORDER BY c._row LIMIT %d",
                        check->column->name, check->order ? check->order : "checked",
                        check->condition, EXPECT_ROWS_MAX);
}

static const char *percent(double share, Arena *arena)
{
    return arena_format(arena, "%.4g %%", share * 100);
}

static const char *message_of(const ExpectStep *step, const RowCheck *check, int64_t count,
                              const char *place, const char *value)
{
    const char *name = check->column->expect->name;
    const char *rows = count == 1 ? "row" : "rows";

    if (check->sentence)
        return arena_format(step->arena, "column \"%s\", %s: %s %s (%" PRId64 " %s)", name, place,
                            value ? value : "a missing value", check->sentence, count, rows);
    return arena_format(
        step->arena,
        "column \"%s\", first in %s: %s of the values are missing, %s may be (%" PRId64
        " of %" PRId64 " rows)",
        name, place, percent((double)count / (double)step->row_count, step->arena),
        percent(check->share, step->arena), count, step->row_count);
}

static bool describe(ExpectStep *step, const RowCheck *check, int64_t count)
{
    CLEANUP(duck_finalize)
    DuckQuery query = duck_query(step->duck, first_statement(step, check));
    JsonWriter *json = json_writer_create(step->arena);
    Violation violation = {check->expect, check->column->expect->name, .count = count};

    json_open_array(json, NULL);
    while (duck_next(&query)) {
        const char *file = duck_text(&query, 0, step->arena);
        const char *value = duck_text(&query, 2, step->arena);
        int64_t row = duck_int(&query, 1);

        if (!violation.message)
            violation.message = message_of(
                step, check, count,
                arena_format(step->arena, "row %" PRId64 " of \"%s\"", row, file), value);
        json_open_object(json, NULL);
        json_text(json, "file", file);
        json_int(json, "row", row);
        json_text(json, "value", value);
        json_close(json);
    }
    json_close(json);
    violation.first = json_finish(json);
    add_violation(step, &violation);
    return duck_end(&query, step->error);
}

static bool check_rows(ExpectStep *step)
{
    int64_t *counts = arena_array(step->arena, int64_t, step->checks.count + 1);

    if (!count_rows(step, counts) ||
        !duck_run(step->duck, step->error,
                  "CREATE TABLE firsts AS SELECT _file AS file, min(_row) AS first FROM checked"
                  " GROUP BY _file"))
        return false;
    check_row_count(step);
    for (size_t i = 0; i < step->checks.count; i++) {
        const RowCheck *check = &step->checks.items[i];

        if ((double)counts[i] > check->share * (double)step->row_count &&
            !describe(step, check, counts[i]))
            return false;
    }
    return true;
}

static void write_report(const ExpectStep *step, JsonWriter *json)
{
    json_int(json, "rows", step->row_count);
    json_int(json, "checks", (int64_t)step->check_count);
    json_int(json, "failed", (int64_t)step->failed_count);
    json_open_array(json, "violations");
    for (size_t i = 0; i < step->violations.count; i++) {
        const Violation *violation = &step->violations.items[i];

        json_open_object(json, NULL);
        json_text(json, "expect", violation->expect);
        json_text(json, "column", violation->column);
        json_int(json, "count", violation->count);
        json_text(json, "message", violation->message);
        json_raw(json, "first", violation->first ? violation->first : "[]");
        json_close(json);
    }
    json_close(json);
}

bool check_data_step(const JsonValue *job, JsonWriter *result, Arena *arena, Error *error)
{
    const char *path = json_as_text(json_member(job, "rows"), "");
    DuckSpec spec = {.folder = json_as_text(json_member(job, "folder"), "")};
    ExpectStep step = {.arena = arena, .error = error};
    CLEANUP(duck_close) Duck *duck = NULL;

    if (!expect_read_json(json_member(job, "expect"), arena, &step.expect, error))
        return false;
    text_list_add(&spec.files, arena, path);
    duck = duck_open(&spec, error);
    step.duck = duck;
    if (!duck ||
        !duck_run(duck, error,
                  arena_format(arena, "CREATE VIEW checked AS SELECT * FROM read_parquet(%s)",
                               duck_literal(path, arena))) ||
        !read_columns(&step) || !check_columns(&step) || !check_rows(&step))
        return false;
    write_report(&step, result);
    return true;
}
