#include "data/expect.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/worker.h"

enum { CHECK_TIMEOUT_MS = 60 * 60 * 1000 };

typedef struct FileParts {
    int64_t minimum, maximum;
    TextList names;
} FileParts;

typedef struct ExpectParts {
    const YamlNode *files, *rows, *columns;
    const char *others;
} ExpectParts;

const YamlField expect_fields[] = {
    {"files", YAML_FIELD_MAP, offsetof(ExpectParts, files), JSON_OPTIONAL},
    {"rows", YAML_FIELD_MAP, offsetof(ExpectParts, rows), JSON_OPTIONAL},
    {"columns", YAML_FIELD_MAP, offsetof(ExpectParts, columns), JSON_OPTIONAL},
    {"others", YAML_FIELD_TEXT, offsetof(ExpectParts, others), JSON_OPTIONAL},
    {0},
};

const YamlField expect_files_fields[] = {
    {"minimum", YAML_FIELD_INT, offsetof(FileParts, minimum), JSON_OPTIONAL},
    {"maximum", YAML_FIELD_INT, offsetof(FileParts, maximum), JSON_OPTIONAL},
    {"names", YAML_FIELD_TEXT_LIST, offsetof(FileParts, names), JSON_OPTIONAL},
    {0},
};

const YamlField expect_rows_fields[] = {
    {"minimum", YAML_FIELD_INT, offsetof(ExpectCount, minimum), JSON_OPTIONAL},
    {"maximum", YAML_FIELD_INT, offsetof(ExpectCount, maximum), JSON_OPTIONAL},
    {0},
};

static const YamlField column_fields[] = {
    {"type", YAML_FIELD_TEXT, offsetof(ExpectColumn, type), JSON_OPTIONAL},
    {"minimum", YAML_FIELD_TEXT, offsetof(ExpectColumn, minimum), JSON_OPTIONAL},
    {"maximum", YAML_FIELD_TEXT, offsetof(ExpectColumn, maximum), JSON_OPTIONAL},
    {"values", YAML_FIELD_TEXT_LIST, offsetof(ExpectColumn, values), JSON_OPTIONAL},
    {"pattern", YAML_FIELD_TEXT, offsetof(ExpectColumn, pattern), JSON_OPTIONAL},
    {"missing", YAML_FIELD_NUMBER, offsetof(ExpectColumn, missing), JSON_OPTIONAL},
    {"unique", YAML_FIELD_BOOL, offsetof(ExpectColumn, is_unique), JSON_OPTIONAL},
    {0},
};

const char *const expect_others[] = {"allow", "refuse", NULL};
static const char *const types[] = {"text",    "category", "integer", "number",
                                    "boolean", "time",     NULL};

static bool is_among(const char *word, const char *const words[])
{
    while (*words && strcmp(*words, word) != 0)
        words++;
    return *words != NULL;
}

static const char *joined(const char *const words[], Arena *arena)
{
    TextBuilder text = {.arena = arena};

    for (size_t i = 0; words[i]; i++)
        text_append_format(&text, "%s%s", i ? ", " : "", words[i]);
    return text_built(&text);
}

typedef struct Reader {
    Arena *arena;
    Error *error;
    Expectations *expect;
} Reader;

static bool fail_word(const Reader *reader, const YamlNode *node, const char *const words[])
{
    return yaml_fail(node, reader->arena, reader->error, "\"%s\" is one of %s, not \"%s\"",
                     yaml_path(node, reader->arena), joined(words, reader->arena), node->text);
}

static bool check_count(const Reader *reader, const YamlNode *map, const ExpectCount *count)
{
    const YamlNode *node = yaml_member(map, count->minimum < -1 ? "minimum" : "maximum");

    if (count->minimum < -1 || count->maximum < -1)
        return yaml_fail(node, reader->arena, reader->error, "\"%s\" is 0 or more",
                         yaml_path(node, reader->arena));
    if (count->maximum >= 0 && count->minimum > count->maximum)
        return yaml_fail(node, reader->arena, reader->error,
                         "the maximum of %" PRId64 " is below the minimum of %" PRId64,
                         count->maximum, count->minimum);
    return true;
}

/* "2021-01-31", with or without "T12:30" or " 12:30:59" behind it. */
static bool is_time(const char *text)
{
    static const char shape[] = "0000-00-00 00:00:00";
    size_t i = 0;

    for (; text[i] && shape[i]; i++) {
        bool fits = shape[i] == '0'   ? isdigit((unsigned char)text[i])
                    : shape[i] == ' ' ? text[i] == ' ' || text[i] == 'T'
                                      : text[i] == shape[i];

        if (!fits)
            return false;
    }
    return !text[i] && (i == 10 || i == 16 || i == 19);
}

static bool check_bound(const Reader *reader, const YamlNode *map, const char *name,
                        const char *type)
{
    const YamlNode *node = yaml_member(map, name);
    double number;
    bool is_number = !yaml_is_null(node) && text_to_double(node->text, &number);

    if (yaml_is_null(node))
        return true;
    if (!is_number && !is_time(node->text))
        return yaml_fail(node, reader->arena, reader->error,
                         "\"%s\" is a number or a time such as 2021-01-31, not \"%s\"",
                         yaml_path(node, reader->arena), node->text);
    if (!type || (is_number && (strcmp(type, "number") == 0 || strcmp(type, "integer") == 0)) ||
        (!is_number && strcmp(type, "time") == 0))
        return true;
    return yaml_fail(node, reader->arena, reader->error,
                     "\"%s\" does not bound a column of the type %s",
                     yaml_path(node, reader->arena), type);
}

static bool check_order(const Reader *reader, const YamlNode *map, const ExpectColumn *column)
{
    double minimum, maximum;

    if (!column->minimum || !column->maximum || !text_to_double(column->minimum, &minimum) ||
        !text_to_double(column->maximum, &maximum) || minimum <= maximum)
        return true;
    return yaml_fail(yaml_member(map, "maximum"), reader->arena, reader->error,
                     "the maximum of %s is below the minimum of %s", column->maximum,
                     column->minimum);
}

static bool read_column(const Reader *reader, const YamlNode *node)
{
    ExpectColumn *column = arena_push(reader->arena, &reader->expect->columns);
    const YamlNode *type = node;

    *column = (ExpectColumn){.name = node->key, .missing = 1};
    if (yaml_is_null(node))
        return true;
    if (node->type == YAML_SCALAR) {
        column->type = node->text;
    } else {
        if (!yaml_read(node, column_fields, column, reader->arena, reader->error))
            return false;
        type = yaml_member(node, "type");
    }
    if (column->type && !is_among(column->type, types))
        return fail_word(reader, type, types);
    if (!(column->missing >= 0 && column->missing <= 1))
        return yaml_fail(yaml_member(node, "missing"), reader->arena, reader->error,
                         "\"%s\" is a share from 0 to 1",
                         yaml_path(yaml_member(node, "missing"), reader->arena));
    return check_bound(reader, node, "minimum", column->type) &&
           check_bound(reader, node, "maximum", column->type) && check_order(reader, node, column);
}

static bool read_counts(const Reader *reader, const ExpectParts *parts)
{
    FileParts files = {-1, -1, {0}};
    Expectations *expect = reader->expect;

    if (parts->files &&
        !yaml_read(parts->files, expect_files_fields, &files, reader->arena, reader->error))
        return false;
    expect->files = (ExpectCount){files.minimum, files.maximum};
    expect->file_names = files.names;
    return (!parts->files || check_count(reader, parts->files, &expect->files)) &&
           (!parts->rows || (yaml_read(parts->rows, expect_rows_fields, &expect->rows,
                                       reader->arena, reader->error) &&
                             check_count(reader, parts->rows, &expect->rows)));
}

bool expect_read(const YamlNode *map, Arena *arena, Expectations *expect, Error *error)
{
    Expectations read = {.files = {-1, -1}, .rows = {-1, -1}};
    const Reader reader = {arena, error, &read};
    ExpectParts parts = {.others = "allow"};

    if (!yaml_read(map, expect_fields, &parts, arena, error) || !read_counts(&reader, &parts))
        return false;
    if (!is_among(parts.others, expect_others))
        return fail_word(&reader, yaml_member(map, "others"), expect_others);
    for (const YamlNode *node = parts.columns ? parts.columns->first : NULL; node;
         node = node->next)
        if (!read_column(&reader, node))
            return false;
    read.refuses_others = strcmp(parts.others, "refuse") == 0;
    *expect = read;
    return true;
}

/* ---- as JSON ---- */

static void write_count(JsonWriter *json, const char *key, const ExpectCount *count)
{
    json_open_object(json, key);
    json_int(json, "minimum", count->minimum);
    json_int(json, "maximum", count->maximum);
    json_close(json);
}

void expect_write_json(JsonWriter *json, const char *key, const Expectations *expect)
{
    json_open_object(json, key);
    write_count(json, "files", &expect->files);
    json_texts(json, "file_names", &expect->file_names);
    write_count(json, "rows", &expect->rows);
    json_open_array(json, "columns");
    for (size_t i = 0; i < expect->columns.count; i++) {
        const ExpectColumn *column = &expect->columns.items[i];

        json_open_object(json, NULL);
        json_text(json, "name", column->name);
        json_text(json, "type", column->type);
        json_text(json, "minimum", column->minimum);
        json_text(json, "maximum", column->maximum);
        json_texts(json, "values", &column->values);
        json_text(json, "pattern", column->pattern);
        json_double(json, "missing", column->missing);
        json_bool(json, "unique", column->is_unique);
        json_close(json);
    }
    json_close(json);
    json_bool(json, "refuses_others", expect->refuses_others);
    json_close(json);
}

static const JsonField json_column_fields[] = {
    {"name", JSON_TEXT, offsetof(ExpectColumn, name), JSON_REQUIRED, NULL},
    {"type", JSON_TEXT, offsetof(ExpectColumn, type), JSON_OPTIONAL, NULL},
    {"minimum", JSON_TEXT, offsetof(ExpectColumn, minimum), JSON_OPTIONAL, NULL},
    {"maximum", JSON_TEXT, offsetof(ExpectColumn, maximum), JSON_OPTIONAL, NULL},
    {"values", JSON_TEXT_LIST, offsetof(ExpectColumn, values), JSON_OPTIONAL, NULL},
    {"pattern", JSON_TEXT, offsetof(ExpectColumn, pattern), JSON_OPTIONAL, NULL},
    {"missing", JSON_NUMBER, offsetof(ExpectColumn, missing), JSON_OPTIONAL, NULL},
    {"unique", JSON_BOOL, offsetof(ExpectColumn, is_unique), JSON_OPTIONAL, NULL},
    {0},
};

static ExpectCount read_count(const JsonValue *object)
{
    return (ExpectCount){json_as_int(json_member(object, "minimum"), -1),
                         json_as_int(json_member(object, "maximum"), -1)};
}

bool expect_read_json(const JsonValue *object, Arena *arena, Expectations *expect, Error *error)
{
    Expectations read = {
        .files = read_count(json_member(object, "files")),
        .rows = read_count(json_member(object, "rows")),
        .refuses_others = json_as_bool(json_member(object, "refuses_others"), false),
    };

    for (JsonWalk walk = json_walk(json_member(object, "file_names")); json_walk_next(&walk);)
        text_list_add(&read.file_names, arena, json_as_text(walk.value, ""));
    for (JsonWalk walk = json_walk(json_member(object, "columns")); json_walk_next(&walk);) {
        ExpectColumn *column = arena_push(arena, &read.columns);

        *column = (ExpectColumn){.missing = 1};
        if (!json_read_value(walk.value, json_column_fields, column, arena, error))
            return false;
    }
    *expect = read;
    return true;
}

/* ---- checking ---- */

bool expect_check_files(const Expectations *expect, const TextList *names, Error *error)
{
    for (size_t i = 0; i < expect->file_names.count; i++)
        if (!text_list_has(names, expect->file_names.items[i]))
            return fail(error, ERROR_CONFLICT, "the file \"%.200s\" is missing",
                        expect->file_names.items[i]);
    if (expect->files.minimum >= 0 && names->count < (size_t)expect->files.minimum)
        return fail(error, ERROR_CONFLICT, "there are %zu files, at least %" PRId64 " are expected",
                    names->count, expect->files.minimum);
    if (expect->files.maximum >= 0 && names->count > (size_t)expect->files.maximum)
        return fail(error, ERROR_CONFLICT, "there are %zu files, at most %" PRId64 " are expected",
                    names->count, expect->files.maximum);
    return true;
}

static const char *job_of(const ExpectRows *rows, Arena *arena)
{
    JsonWriter *job = json_writer_create(arena);

    json_open_object(job, NULL);
    json_text(job, "rows", rows->rows);
    json_text(job, "folder", rows->folder);
    expect_write_json(job, "expect", rows->expect);
    json_close(job);
    return json_finish(job);
}

bool expect_check_rows(Scope *scope, const ExpectRows *rows, const char **report)
{
    const WorkerSpec step = {
        .step = "check-data", .job = job_of(rows, scope->arena), .timeout_ms = CHECK_TIMEOUT_MS};
    const JsonValue *result;
    JsonWalk walk;
    int64_t failed;

    if (!worker_run(&step, scope->arena, &result, &scope->error))
        return false;
    *report = json_print(result, scope->arena);
    failed = json_as_int(json_member(result, "failed"), 0);
    walk = json_walk(json_member(result, "violations"));
    if (failed == 0 || !json_walk_next(&walk))
        return true;
    fail_field(&scope->error, json_as_text(json_member(walk.value, "column"), ""), "%s%s",
               json_as_text(json_member(walk.value, "message"), ""),
               failed == 1 ? ""
                           : arena_format(scope->arena, "; %" PRId64 " expectations fail", failed));
    scope->error.kind = ERROR_CONFLICT;
    return false;
}

static bool list_names(Scope *scope, const DatasetVersion *version, TextList *names)
{
    const JsonValue *files;

    if (!json_parse(version->files, strlen(version->files), scope->arena, &files, &scope->error))
        return false;
    for (JsonWalk walk = json_walk(files); json_walk_next(&walk);)
        text_list_add(names, scope->arena, json_as_text(json_member(walk.value, "path"), ""));
    return true;
}

bool dataset_version_check(Scope *scope, const DatasetVersion *version, const Expectations *expect,
                           const char **report)
{
    CLEANUP(folder_cleanup) const char *folder = NULL;
    TextList names = {0};
    ExpectRows rows = {.expect = expect};

    if (!list_names(scope, version, &names) || !expect_check_files(expect, &names, &scope->error) ||
        !folder_make_temporary(scope->platform->temporary, scope->arena, &folder, &scope->error))
        return false;
    rows.folder = folder;
    rows.rows = artifact_path(scope->platform->artifacts, version->rows, scope->arena);
    return expect_check_rows(scope, &rows, report);
}
