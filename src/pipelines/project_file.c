#include "pipelines/project_file.h"

#include <math.h>
#include <string.h>
#include <strings.h>

#include "base/yaml.h"
#include "ml/report.h"
#include "pipelines/builtin.h"
#include "pipelines/gate.h"
#include "plan/schema.h"

/* The file as the tables below read it, before anything is checked. */

typedef struct FileParts {
    const char *project;
    const YamlNode *data, *release, *monitor, *notify;
    const YamlNode *stages, *params, *vars, *env, *on, *concurrency; /* of the pipeline */
} FileParts;

static const YamlField file_fields[] = {
    {"project", YAML_FIELD_TEXT, offsetof(FileParts, project), JSON_REQUIRED},
    {"data", YAML_FIELD_MAP, offsetof(FileParts, data), JSON_OPTIONAL},
    {"release", YAML_FIELD_MAP, offsetof(FileParts, release), JSON_OPTIONAL},
    {"stages", YAML_FIELD_ANY, offsetof(FileParts, stages), JSON_OPTIONAL},
    {"params", YAML_FIELD_ANY, offsetof(FileParts, params), JSON_OPTIONAL},
    {"vars", YAML_FIELD_ANY, offsetof(FileParts, vars), JSON_OPTIONAL},
    {"env", YAML_FIELD_ANY, offsetof(FileParts, env), JSON_OPTIONAL},
    {"on", YAML_FIELD_ANY, offsetof(FileParts, on), JSON_OPTIONAL},
    {"concurrency", YAML_FIELD_ANY, offsetof(FileParts, concurrency), JSON_OPTIONAL},
    {"monitor", YAML_FIELD_ANY, offsetof(FileParts, monitor), JSON_OPTIONAL},
    {"notify", YAML_FIELD_ANY, offsetof(FileParts, notify), JSON_OPTIONAL},
    {0},
};

typedef struct DataParts {
    ProjectData data;
    const YamlNode *columns, *holdout, *expect;
} DataParts;

#define DATA_AT(member) offsetof(DataParts, data.member)

static const YamlField data_fields[] = {
    {"source", YAML_FIELD_TEXT_LIST, DATA_AT(sources), JSON_OPTIONAL},
    {"target", YAML_FIELD_TEXT, DATA_AT(target), JSON_OPTIONAL},
    {"columns", YAML_FIELD_MAP, offsetof(DataParts, columns), JSON_OPTIONAL},
    {"group", YAML_FIELD_TEXT, DATA_AT(group), JSON_OPTIONAL},
    {"time", YAML_FIELD_TEXT, DATA_AT(time), JSON_OPTIONAL},
    {"known", YAML_FIELD_TEXT_LIST, DATA_AT(known), JSON_OPTIONAL},
    {"format", YAML_FIELD_TEXT, DATA_AT(format), JSON_OPTIONAL},
    {"delimiter", YAML_FIELD_TEXT, DATA_AT(delimiter), JSON_OPTIONAL},
    {"header", YAML_FIELD_TEXT, DATA_AT(header), JSON_OPTIONAL},
    {"names", YAML_FIELD_TEXT_LIST, DATA_AT(names), JSON_OPTIONAL},
    {"encoding", YAML_FIELD_TEXT, DATA_AT(encoding), JSON_OPTIONAL},
    {"quote", YAML_FIELD_TEXT, DATA_AT(quote), JSON_OPTIONAL},
    {"on_error", YAML_FIELD_TEXT, DATA_AT(on_error), JSON_OPTIONAL},
    {"holdout", YAML_FIELD_MAP, offsetof(DataParts, holdout), JSON_OPTIONAL},
    {"expect", YAML_FIELD_MAP, offsetof(DataParts, expect), JSON_OPTIONAL},
    {0},
};

typedef struct HoldoutParts {
    double share;
    const char *by;
    int64_t seed;
    TextList group_values;
} HoldoutParts;

static const YamlField holdout_fields[] = {
    {"share", YAML_FIELD_NUMBER, offsetof(HoldoutParts, share), JSON_OPTIONAL},
    {"by", YAML_FIELD_TEXT, offsetof(HoldoutParts, by), JSON_OPTIONAL},
    {"seed", YAML_FIELD_INT, offsetof(HoldoutParts, seed), JSON_OPTIONAL},
    {"group_values", YAML_FIELD_TEXT_LIST, offsetof(HoldoutParts, group_values), JSON_OPTIONAL},
    {0},
};

typedef struct ReleaseParts {
    const char *endpoint;
    const YamlNode *gate, *staging, *production; /* the last two are read in release_file.c */
} ReleaseParts;

static const YamlField release_fields[] = {
    {"endpoint", YAML_FIELD_TEXT, offsetof(ReleaseParts, endpoint), JSON_REQUIRED},
    {"gate", YAML_FIELD_MAP, offsetof(ReleaseParts, gate), JSON_OPTIONAL},
    {"staging", YAML_FIELD_ANY, offsetof(ReleaseParts, staging), JSON_OPTIONAL},
    {"production", YAML_FIELD_ANY, offsetof(ReleaseParts, production), JSON_OPTIONAL},
    {0},
};

static const YamlField gate_fields[] = {
    {"metric", YAML_FIELD_TEXT, offsetof(GateRule, metric), JSON_OPTIONAL},
    {"margin", YAML_FIELD_NUMBER, offsetof(GateRule, margin), JSON_OPTIONAL},
    {"relative_margin", YAML_FIELD_NUMBER, offsetof(GateRule, relative_margin), JSON_OPTIONAL},
    {"minimum", YAML_FIELD_NUMBER, offsetof(GateRule, minimum), JSON_OPTIONAL},
    {"level", YAML_FIELD_NUMBER, offsetof(GateRule, level), JSON_OPTIONAL},
    {"demand", YAML_FIELD_TEXT, offsetof(GateRule, demand), JSON_OPTIONAL},
    {0},
};

/* What a text may be; each list ends with NULL. */
static const char *const formats[] = {"csv", "jsonl", "json", "parquet", NULL};
static const char *const headers[] = {"yes", "no", "true", "false", NULL};
static const char *const encodings[] = {"utf-8", "latin-1", NULL};
static const char *const on_errors[] = {"refuse", "set-aside", NULL};
static const char *const splits[] = {"stratified", "group", "time", "random", NULL};
static const char *const column_words[] = {"text",   "category", "integer",     "number", "boolean",
                                           "time",   "date",     "feature",     "target", "group",
                                           "ignore", "known",    "known_after", NULL};
enum { COLUMN_TYPE_COUNT = 7 }; /* the first words of column_words; the others are roles */

/* Everything that reading one file needs. */
typedef struct Reader {
    Arena *arena;
    Error *error;
    ProjectFile *file;
} Reader;

static void warn(Reader *reader, const char *sentence)
{
    text_list_add(&reader->file->warnings, reader->arena, sentence);
}

static void warn_unread(Reader *reader, const YamlNode *node)
{
    if (node)
        warn(reader, arena_format(reader->arena, "line %zu: \"%s\" is not read yet", node->key_line,
                                  yaml_path(node, reader->arena)));
}

static size_t word_index(const char *word, const char *const words[])
{
    size_t index = 0;

    while (words[index] && strcmp(words[index], word) != 0)
        index++;
    return index;
}

static const char *join_words(const char *const words[], Arena *arena)
{
    TextBuilder joined = {.arena = arena};

    for (size_t i = 0; words[i]; i++)
        text_append_format(&joined, "%s%s", i ? ", " : "", words[i]);
    return text_built(&joined);
}

/* A member of map that is one of some words, or absent. */
static bool check_word(Reader *reader, const YamlNode *map, const char *name,
                       const char *const words[])
{
    const YamlNode *node = yaml_member(map, name);

    if (yaml_is_null(node) || words[word_index(node->text, words)])
        return true;
    return yaml_fail(node, reader->arena, reader->error, "\"%s\" is one of %s, not \"%s\"",
                     yaml_path(node, reader->arena), join_words(words, reader->arena), node->text);
}

static bool check_name(Reader *reader, const YamlNode *node, const char *name)
{
    return name_is_valid(name) ||
           yaml_fail(node, reader->arena, reader->error,
                     "\"%s\" has 1 to 128 letters, digits, \"-\", \"_\" and \".\", and does not "
                     "start with \".\"",
                     yaml_path(node, reader->arena));
}

/* The data part. */

static bool read_column(Reader *reader, const YamlNode *node, ProjectData *data)
{
    size_t index = node->type == YAML_SCALAR ? word_index(node->text, column_words) : 0;
    DatasetColumn *column;

    if (node->type != YAML_SCALAR || !column_words[index])
        return yaml_fail(node, reader->arena, reader->error, "\"%s\" is one of %s",
                         yaml_path(node, reader->arena), join_words(column_words, reader->arena));
    column = arena_push(reader->arena, &data->columns);
    *column = (DatasetColumn){.name = node->key};
    if (index < COLUMN_TYPE_COUNT)
        column->type = column_words[index];
    else
        column->role = column_words[index];
    return true;
}

static const char *column_role(const ProjectData *data, const char *name)
{
    for (size_t i = 0; i < data->columns.count; i++)
        if (strcmp(data->columns.items[i].name, name) == 0)
            return data->columns.items[i].role;
    return NULL;
}

/* "target: CLASS" and "columns: {CLASS: ignore}" cannot both be meant. */
static bool check_role(Reader *reader, const YamlNode *map, const char *role)
{
    const YamlNode *node = yaml_member(map, role);
    const ProjectData *data = &reader->file->data.items[reader->file->data.count - 1];
    const char *other = yaml_is_null(node) ? NULL : column_role(data, node->text);

    if (!other || strcmp(other, role) == 0)
        return true;
    return yaml_fail(node, reader->arena, reader->error,
                     "\"%s\" is the %s and is listed as \"%s\" in columns", node->text, role,
                     other);
}

/* A role may be given under columns too: {CLASS: target}. */
static const char *role_column(const ProjectData *data, const char *role, const char *named)
{
    for (size_t i = 0; !named && i < data->columns.count; i++)
        if (text_equal(data->columns.items[i].role, role))
            return data->columns.items[i].name;
    return named;
}

static bool check_holdout_needs(Reader *reader, const YamlNode *map, const ProjectData *data)
{
    const struct {
        const char *by, *column;
        const char *needed;
    } needs[] = {
        {"stratified", data->target, "target"},
        {"group", data->group, "group"},
        {"time", data->time, "time"},
    };

    for (size_t i = 0; i < COUNT(needs); i++)
        if (strcmp(data->holdout_by, needs[i].by) == 0 && !needs[i].column)
            return yaml_fail(map, reader->arena, reader->error,
                             "a hold-out by \"%s\" needs the column \"%s\"", needs[i].by,
                             needs[i].needed);
    if (data->holdout_group_values && strcmp(data->holdout_by, "group") != 0)
        return yaml_fail(map, reader->arena, reader->error,
                         "\"group_values\" needs a hold-out by \"group\", not by \"%s\"",
                         data->holdout_by);
    return true;
}

static const char *join_values(Reader *reader, const TextList *values)
{
    TextBuilder joined = {.arena = reader->arena};

    for (size_t i = 0; i < values->count; i++)
        text_append_format(&joined, "%s%s", i ? "," : "", values->items[i]);
    return values->count ? text_built(&joined) : NULL;
}

static const char *default_split(const ProjectData *data)
{
    if (data->group)
        return "group";
    if (data->time)
        return "time";
    return data->target ? "stratified" : "random";
}

static bool read_holdout(Reader *reader, const YamlNode *map, ProjectData *data)
{
    HoldoutParts parts = {.share = 0.2, .by = default_split(data), .seed = 42};

    if (map && (!yaml_read(map, holdout_fields, &parts, reader->arena, reader->error) ||
                !check_word(reader, map, "by", splits)))
        return false;
    if (map && !(parts.share > 0 && parts.share < 1))
        return yaml_fail(yaml_member(map, "share"), reader->arena, reader->error,
                         "\"%s.share\" is between 0 and 1", yaml_path(map, reader->arena));
    data->holdout_by = parts.by;
    data->holdout_share = parts.share;
    data->holdout_seed = parts.seed;
    data->holdout_group_values = join_values(reader, &parts.group_values);
    return !map || check_holdout_needs(reader, map, data);
}

static bool read_columns(Reader *reader, const YamlNode *map, ProjectData *data)
{
    static const char *const roles[] = {"target", "group", "time"};
    const YamlNode *columns = yaml_member(map, "columns");

    for (const YamlNode *node = columns ? columns->first : NULL; node; node = node->next)
        if (!read_column(reader, node, data))
            return false;
    for (size_t i = 0; i < COUNT(roles); i++)
        if (!check_role(reader, map, roles[i]))
            return false;
    data->target = role_column(data, "target", data->target);
    data->group = role_column(data, "group", data->group);
    return true;
}

/* "true" is what a YAML writer may put for yes. */
static const char *plain_header(const char *header)
{
    if (!header)
        return NULL;
    return strcmp(header, "yes") == 0 || strcmp(header, "true") == 0 ? "yes" : "no";
}

static bool read_expect(Reader *reader, const YamlNode *map, ProjectData *data)
{
    Expectations *expect = arena_new(reader->arena, Expectations);

    if (!map)
        return true;
    data->expect = expect;
    return expect_read(map, reader->arena, expect, reader->error);
}

static bool read_data(Reader *reader, const YamlNode *map)
{
    DataParts parts = {0};
    ProjectData *data;

    if (!check_name(reader, map, map->key) ||
        !yaml_read(map, data_fields, &parts, reader->arena, reader->error) ||
        !check_word(reader, map, "format", formats) ||
        !check_word(reader, map, "header", headers) ||
        !check_word(reader, map, "encoding", encodings) ||
        !check_word(reader, map, "on_error", on_errors))
        return false;
    data = arena_push(reader->arena, &reader->file->data);
    *data = parts.data;
    data->name = map->key;
    data->header = plain_header(data->header);
    return read_columns(reader, map, data) && read_holdout(reader, parts.holdout, data) &&
           read_expect(reader, parts.expect, data);
}

/* The release part. */

static const char *all_metrics(Arena *arena)
{
    TextBuilder names = {.arena = arena};

    for (const MetricKind *kind = metric_kinds; kind->name; kind++)
        text_append_format(&names, "%s%s", kind == metric_kinds ? "" : ", ", kind->name);
    return text_built(&names);
}

/* "F1" and "f1" are two names to a program and one to a reader: a gate that looks for the wrong one
 * finds nothing. So it is refused here, long before. */
static bool check_metric(Reader *reader, const YamlNode *map, const char *metric)
{
    const YamlNode *node = yaml_member(map, "metric");

    if (metric_find(metric))
        return true;
    for (const MetricKind *kind = metric_kinds; kind->name; kind++)
        if (strcasecmp(kind->name, metric) == 0)
            return yaml_fail(node, reader->arena, reader->error,
                             "\"%s\" is not a metric; it is written \"%s\"", metric, kind->name);
    return yaml_fail(node, reader->arena, reader->error, "\"%s\" is not a metric; there are %s",
                     metric, all_metrics(reader->arena));
}

static bool read_gate(Reader *reader, const YamlNode *map)
{
    GateRule *rule = &reader->file->gate;
    const YamlNode *node;
    const char *warning;
    Error error = {0};

    if (!yaml_read(map, gate_fields, rule, reader->arena, reader->error) ||
        !check_metric(reader, map, rule->metric))
        return false;
    if (!gate_rule_check(rule, &error)) {
        node = yaml_member(map, error.field);
        return yaml_fail(node ? node : map, reader->arena, reader->error, "%s", error.message);
    }
    warning = gate_rule_warning(rule, reader->arena);
    if (warning)
        warn(reader, arena_format(reader->arena, "line %zu: %s", yaml_member(map, "minimum")->line,
                                  warning));
    reader->file->has_gate = true;
    reader->file->has_metric = yaml_member(map, "metric") != NULL;
    return true;
}

static bool read_release(Reader *reader, const YamlNode *root, const YamlNode *map)
{
    ReleaseParts parts = {0};

    if (!yaml_read(map, release_fields, &parts, reader->arena, reader->error) ||
        !check_name(reader, yaml_member(map, "endpoint"), parts.endpoint) ||
        !release_file_read(root, reader->arena, &reader->file->release, reader->error))
        return false;
    reader->file->endpoint = parts.endpoint;
    return !parts.gate || read_gate(reader, parts.gate);
}

static bool read_parts(Reader *reader, const YamlNode *root, const FileParts *parts)
{
    if (!check_name(reader, yaml_member(root, "project"), parts->project))
        return false;
    reader->file->name = parts->project;
    for (const YamlNode *map = parts->data ? parts->data->first : NULL; map; map = map->next)
        if (!read_data(reader, map))
            return false;
    if (parts->release && !read_release(reader, root, parts->release))
        return false;
    warn_unread(reader, parts->monitor);
    warn_unread(reader, parts->notify);
    return pipeline_file_read(root, pipeline_builtins, reader->arena, &reader->file->pipeline,
                              reader->error);
}

bool project_file_read(const char *bytes, size_t size, Arena *arena, ProjectFile *file,
                       Error *error)
{
    ProjectFile read = {
        .gate = {.metric = "f1", .minimum = NAN, .level = 0.95, .demand = "not-worse"}};
    Reader reader = {arena, error, &read};
    const YamlNode *root;
    FileParts parts = {0};

    if (!yaml_parse(bytes, size, arena, &root, error) ||
        !yaml_read(root, file_fields, &parts, arena, error) || !read_parts(&reader, root, &parts))
        return false;
    *file = read;
    return true;
}

bool project_file_data(const ProjectFile *file, const char *name, const ProjectData **data,
                       Error *error)
{
    if (!name && file->data.count != 1)
        return fail_field(error, "data",
                          file->data.count ? "project \"%s\" has several data sets; name one"
                                           : "project \"%s\" names no data set",
                          file->name);
    for (size_t i = 0; i < file->data.count; i++) {
        if (name && strcmp(file->data.items[i].name, name) != 0)
            continue;
        *data = &file->data.items[i];
        return true;
    }
    return fail_field(error, "data", "project \"%s\" has no data set \"%s\"", file->name, name);
}

/* As JSON. */

static void write_if_set(JsonWriter *json, const char *key, const char *value)
{
    if (value)
        json_text(json, key, value);
}

void project_data_write_options(JsonWriter *json, const ProjectData *data)
{
    json_open_object(json, "options");
    write_if_set(json, "format", data->format);
    write_if_set(json, "delimiter", data->delimiter);
    write_if_set(json, "header", data->header);
    if (data->names.count)
        json_texts(json, "names", &data->names);
    if (data->known.count)
        json_texts(json, "known", &data->known);
    write_if_set(json, "encoding", data->encoding);
    write_if_set(json, "quote", data->quote);
    write_if_set(json, "on_error", data->on_error);
    json_open_object(json, "columns");
    for (size_t i = 0; i < data->columns.count; i++)
        json_text(json, data->columns.items[i].name,
                  data->columns.items[i].type ? data->columns.items[i].type
                                              : data->columns.items[i].role);
    json_close(json);
    write_if_set(json, "target", data->target);
    write_if_set(json, "group", data->group);
    write_if_set(json, "time", data->time);
    json_close(json);
}

static void write_data(JsonWriter *json, const ProjectData *data)
{
    json_open_object(json, data->name);
    json_texts(json, "source", &data->sources);
    project_data_write_options(json, data);
    json_open_object(json, "holdout");
    {
        json_double(json, "share", data->holdout_share);
        json_text(json, "by", data->holdout_by);
        json_int(json, "seed", data->holdout_seed);
        json_text(json, "group_values", data->holdout_group_values);
    }
    json_close(json);
    if (data->expect)
        expect_write_json(json, "expect", data->expect);
    json_close(json);
}

void project_file_write_json(JsonWriter *json, const char *key, const ProjectFile *file)
{
    json_open_object(json, key);
    json_text(json, "project", file->name);
    json_open_object(json, "data");
    for (size_t i = 0; i < file->data.count; i++)
        write_data(json, &file->data.items[i]);
    json_close(json);
    if (file->endpoint) {
        json_open_object(json, "release");
        json_text(json, "endpoint", file->endpoint);
        gate_rule_write_json(json, "gate", &file->gate);
        json_close(json);
    }
    json_close(json);
}

/* The JSON Schema: what the tables of fields do not say of a member is said here. */

typedef struct FieldDetail {
    const YamlField *fields;
    const char *name;
    const char *const *words; /* it is one of these */
    const YamlField *members; /* it is a map of these */
    bool is_named;            /* it is a map of any names to that */
} FieldDetail;

static const char *const demands[] = {"not-worse", "better", NULL};
static const char *const approval_words[] = {"required", NULL};

static const FieldDetail details[] = {
    {file_fields, "data", NULL, data_fields, true},
    {file_fields, "release", NULL, release_fields},
    {data_fields, "columns", column_words, .is_named = true},
    {data_fields, "holdout", NULL, holdout_fields},
    {data_fields, "expect", NULL, expect_fields},
    {expect_fields, "files", NULL, expect_files_fields},
    {expect_fields, "rows", NULL, expect_rows_fields},
    {expect_fields, "others", expect_others},
    {data_fields, "format", formats},
    {data_fields, "encoding", encodings},
    {data_fields, "on_error", on_errors},
    {holdout_fields, "by", splits},
    {release_fields, "gate", NULL, gate_fields},
    {release_fields, "staging", NULL, release_staging_fields},
    {release_fields, "production", NULL, release_production_fields},
    {release_staging_fields, "benchmark", NULL, release_benchmark_fields},
    {release_production_fields, "approval", approval_words},
    {release_production_fields, "abort", NULL, release_abort_fields},
    {gate_fields, "demand", demands},
};

static const FieldDetail *find_detail(const YamlField *fields, const char *name)
{
    for (size_t i = 0; i < COUNT(details); i++)
        if (details[i].fields == fields && strcmp(details[i].name, name) == 0)
            return &details[i];
    return NULL;
}

static void write_types(JsonWriter *json, YamlFieldType type)
{
    static const char *const types[][4] = {
        [YAML_FIELD_TEXT] = {"string", "number", "boolean"},
        [YAML_FIELD_INT] = {"integer"},
        [YAML_FIELD_NUMBER] = {"number"},
        [YAML_FIELD_BOOL] = {"boolean"},
        [YAML_FIELD_TEXT_LIST] = {"string", "number", "boolean", "array"},
        [YAML_FIELD_MAP] = {"object"},
        [YAML_FIELD_ANY] = {NULL},
    };

    if (!types[type][0])
        return;
    json_open_array(json, "type");
    for (size_t i = 0; i < COUNT(types[type]) && types[type][i]; i++)
        json_text(json, NULL, types[type][i]);
    json_close(json);
}

static void write_members(JsonWriter *json, const YamlField *fields);

/* The members of the schema of one field, where its detail says more than its type. */
static void write_detail(JsonWriter *json, const FieldDetail *detail)
{
    if (detail->words) {
        json_open_array(json, "enum");
        for (size_t i = 0; detail->words[i]; i++)
            json_text(json, NULL, detail->words[i]);
        json_close(json);
        return;
    }
    json_text(json, "type", "object");
    json_open_object(json, "properties");
    write_members(json, detail->members);
    json_close(json);
    json_bool(json, "additionalProperties", false);
}

/* The deepest nesting is that of the tables. */
static void write_member(JsonWriter *json, const YamlField *field, const FieldDetail *detail)
{
    json_open_object(json, field->name);
    if (!detail) {
        write_types(json, field->type);
    } else if (detail->is_named) {
        json_text(json, "type", "object");
        json_open_object(json, "additionalProperties");
        write_detail(json, detail);
        json_close(json);
    } else {
        write_detail(json, detail);
    }
    json_close(json);
}

/* Of the file, the parts of the pipeline are written where its tables are. */
static bool is_pipeline(const YamlField *field)
{
    static const size_t parts[] = {offsetof(FileParts, stages), offsetof(FileParts, params),
                                   offsetof(FileParts, vars),   offsetof(FileParts, env),
                                   offsetof(FileParts, on),     offsetof(FileParts, concurrency)};

    for (size_t i = 0; i < COUNT(parts); i++)
        if (field->offset == parts[i])
            return true;
    return false;
}

static void write_members(JsonWriter *json, const YamlField *fields)
{
    for (const YamlField *field = fields; field->name; field++)
        if (fields != file_fields || !is_pipeline(field))
            write_member(json, field, find_detail(fields, field->name));
}

static void write_document(JsonWriter *json, const char *key, bool is_dvc)
{
    json_open_object(json, key);
    json_open_object(json, "properties");
    if (!is_dvc)
        write_members(json, file_fields);
    pipeline_schema_write_properties(json, is_dvc);
    json_close(json);
    json_bool(json, "additionalProperties", false);
    json_close(json);
}

void project_file_write_schema(JsonWriter *json)
{
    json_open_object(json, NULL);
    json_text(json, "$schema", "http://json-schema.org/draft-07/schema#");
    json_text(json, "title", "slipway.yaml, or a dvc.yaml");
    json_text(json, "type", "object");
    json_open_object(json, "if");
    json_open_array(json, "required");
    json_text(json, NULL, "project");
    json_close(json);
    json_close(json);
    write_document(json, "then", false);
    write_document(json, "else", true);
    json_open_object(json, "$defs");
    pipeline_schema_write_definitions(json, pipeline_builtins);
    json_close(json);
    json_close(json);
}
