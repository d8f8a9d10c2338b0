#include <stdio.h>
#include <string.h>

#include "data/dataset.h"

const JsonField dataset_options_fields[] = {
    {"format", JSON_TEXT, offsetof(DatasetOptions, format), JSON_OPTIONAL,
     "csv, jsonl, json or parquet; absent: by name and content"},
    {"delimiter", JSON_TEXT, offsetof(DatasetOptions, delimiter), JSON_OPTIONAL,
     "one character, or \"tab\"; absent: found out"},
    {"header", JSON_TEXT, offsetof(DatasetOptions, header), JSON_OPTIONAL,
     "yes or no; absent: a first row without numbers is a header"},
    {"names", JSON_TEXT_LIST, offsetof(DatasetOptions, names), JSON_OPTIONAL,
     "the columns' names, for a file without a header"},
    {"encoding", JSON_TEXT, offsetof(DatasetOptions, encoding), JSON_OPTIONAL, "utf-8 or latin-1"},
    {"quote", JSON_TEXT, offsetof(DatasetOptions, quote), JSON_OPTIONAL,
     "one character, or \"none\"; absent: \""},
    {"on_error", JSON_TEXT, offsetof(DatasetOptions, on_error), JSON_OPTIONAL,
     "what becomes of a broken row: refuse (the default) or set-aside"},
    {"columns", JSON_OBJECT, offsetof(DatasetOptions, columns), JSON_OPTIONAL,
     "per column a type (text, category, integer, number, boolean, time or date, which is the "
     "same), or ignore, known or known_after"},
    {"target", JSON_TEXT, offsetof(DatasetOptions, target), JSON_OPTIONAL,
     "the column to be predicted"},
    {"group", JSON_TEXT, offsetof(DatasetOptions, group), JSON_OPTIONAL,
     "rows with the same value stay on one side of a split; \"_file\" is the file's name"},
    {"time", JSON_TEXT, offsetof(DatasetOptions, time), JSON_OPTIONAL,
     "the column that orders the rows in time"},
    {"known", JSON_TEXT_LIST, offsetof(DatasetOptions, known), JSON_OPTIONAL,
     "columns whose values are known for the future, too: what a forecast is made with"},
    {0},
};

/* Each member that has a fixed set of values; lists end with NULL. */
static const struct {
    const char *name;
    size_t offset;
    const char *values[8];
} choices[] = {
    {"format", offsetof(DatasetOptions, format), {"csv", "jsonl", "json", "parquet"}},
    {"header", offsetof(DatasetOptions, header), {"yes", "no"}},
    {"encoding", offsetof(DatasetOptions, encoding), {"utf-8", "latin-1"}},
    {"on_error", offsetof(DatasetOptions, on_error), {"refuse", "set-aside"}},
};

static const char *const column_values[] = {"text",    "category",    "integer", "number",
                                            "boolean", "time",        "date",    "ignore",
                                            "known",   "known_after", NULL};

static bool is_among(const char *value, const char *const values[])
{
    while (*values && !text_equal(*values, value))
        values++;
    return *values != NULL;
}

static const char *member(const DatasetOptions *options, size_t offset)
{
    const char *value;

    memcpy(&value, (const char *)options + offset, sizeof(value));
    return value;
}

static bool check_choice(const DatasetOptions *options, size_t i, Error *error)
{
    const char *value = member(options, choices[i].offset);
    char allowed[128] = "";
    size_t used = 0;

    if (!value || is_among(value, choices[i].values))
        return true;
    for (const char *const *one = choices[i].values; *one; one++)
        used += (size_t)snprintf(allowed + used, sizeof(allowed) - used, "%s\"%s\"",
                                 used ? ", " : "", *one);
    return fail_field(error, choices[i].name, "\"%s\" is not a value of \"%s\": it takes %s", value,
                      choices[i].name, allowed);
}

static bool check_character(const char *name, const char *value, const char *word, Error *error)
{
    bool is_one = value && strlen(value) == 1 && !strchr("\r\n", *value) && (*value & 0x80) == 0;

    if (!value || is_one || text_equal(value, word))
        return true;
    return fail_field(error, name, "\"%s\" is one ASCII character or \"%s\"", name, word);
}

static bool check_overrides(const JsonValue *columns, Error *error)
{
    for (JsonWalk walk = json_walk(columns); json_walk_next(&walk);)
        if (!is_among(json_as_text(walk.value, ""), column_values))
            return fail_field(error, walk.key,
                              "column \"%s\" can be text, category, integer, number, boolean, "
                              "time, date, ignore, known or known_after",
                              walk.key);
    return true;
}

bool dataset_options_check(const DatasetOptions *options, Error *error)
{
    for (size_t i = 0; i < COUNT(choices); i++)
        if (!check_choice(options, i, error))
            return false;
    return check_character("delimiter", options->delimiter, "tab", error) &&
           check_character("quote", options->quote, "none", error) &&
           check_overrides(options->columns, error);
}

static void write_text(JsonWriter *json, const char *key, const char *value)
{
    if (value)
        json_text(json, key, value);
}

void dataset_options_write_json(JsonWriter *json, const char *key, const DatasetOptions *options)
{
    json_open_object(json, key);
    for (const JsonField *field = dataset_options_fields; field->name; field++)
        if (field->type == JSON_TEXT)
            write_text(json, field->name, member(options, field->offset));
    if (options->names.count)
        json_texts(json, "names", &options->names);
    if (options->known.count)
        json_texts(json, "known", &options->known);
    if (options->columns) {
        json_open_object(json, "columns");
        for (JsonWalk walk = json_walk(options->columns); json_walk_next(&walk);)
            json_text(json, walk.key, json_as_text(walk.value, ""));
        json_close(json);
    }
    json_close(json);
}

void dataset_columns_write_json(JsonWriter *json, const char *key, const DatasetColumns *columns)
{
    json_open_array(json, key);
    for (size_t i = 0; i < columns->count; i++) {
        json_open_object(json, NULL);
        {
            json_text(json, "name", columns->items[i].name);
            json_text(json, "type", columns->items[i].type);
            json_text(json, "role", columns->items[i].role);
        }
        json_close(json);
    }
    json_close(json);
}

DatasetColumns dataset_columns_read(const JsonValue *array, Arena *arena)
{
    DatasetColumns columns = {0};

    for (JsonWalk walk = json_walk(array); json_walk_next(&walk);)
        *arena_push(arena, &columns) = (DatasetColumn){
            .name = json_as_text(json_member(walk.value, "name"), ""),
            .type = json_as_text(json_member(walk.value, "type"), ""),
            .role = json_as_text(json_member(walk.value, "role"), ""),
        };
    return columns;
}

const DatasetColumn *dataset_column_by_role(const DatasetColumns *columns, const char *role)
{
    for (size_t i = 0; i < columns->count; i++)
        if (text_equal(columns->items[i].role, role))
            return &columns->items[i];
    return NULL;
}

bool dataset_column_is_feature(const DatasetColumn *column)
{
    return text_equal(column->role, "feature") || text_equal(column->role, "known");
}

bool dataset_column_has_numbers(const DatasetColumn *column)
{
    return text_equal(column->type, "number") || text_equal(column->type, "integer");
}
