#include "serving/endpoint_openapi.h"

#include <inttypes.h>

static const char error_schema[] =
    "{\"type\":\"object\",\"required\":[\"error\"],\"properties\":{\"error\":{\"type\":\"object\","
    "\"required\":[\"code\",\"message\",\"request_id\"],\"properties\":{"
    "\"code\":{\"type\":\"string\"},\"message\":{\"type\":\"string\"},"
    "\"field\":{\"type\":\"string\",\"description\":\"the column or member that is wrong\"},"
    "\"request_id\":{\"type\":\"string\",\"nullable\":true}}}}}";

static const char responses_tail[] =
    "{\"description\":\"Refused or failed, and why: 400 malformed, 401 no token, 404 no such "
    "endpoint, 413 too large, 415 media type, 422 a column is wrong, 429 too many at "
    "once, 503 nothing is deployed, 504 no worker was free in time.\","
    "\"content\":{\"application/json\":{\"schema\":{\"$ref\":\"#/components/schemas/Error\"}}}}";

static const char probability_schema[] = "{\"type\":\"number\",\"minimum\":0,\"maximum\":1}";

static const char explanation_schema[] =
    "{\"type\":\"object\",\"required\":[\"intercept\",\"margin\",\"contributions\",\"rest\"],"
    "\"description\":\"intercept + weights + rest = margin of the label, before calibration, or "
    "the "
    "value\","
    "\"properties\":{\"intercept\":{\"type\":\"number\"},\"margin\":{\"type\":\"number\"},"
    "\"contributions\":{\"type\":\"array\",\"items\":{\"type\":\"object\","
    "\"required\":[\"text\",\"column\",\"start\",\"length\",\"weight\"],\"properties\":{"
    "\"text\":{\"type\":\"string\"},\"column\":{\"type\":\"string\"},"
    "\"start\":{\"type\":\"integer\",\"description\":\"byte of the column's text\"},"
    "\"length\":{\"type\":\"integer\",\"description\":\"bytes; 0: the whole value\"},"
    "\"weight\":{\"type\":\"number\"}}}},"
    "\"rest\":{\"type\":\"object\",\"required\":[\"count\",\"weight\"],\"properties\":{"
    "\"count\":{\"type\":\"integer\"},\"weight\":{\"type\":\"number\"}}},"
    "\"what_if\":{\"allOf\":[{\"$ref\":\"#/components/schemas/Prediction\"},"
    "{\"$ref\":\"#/components/schemas/WhatIf\"}]}}}";

static const char what_if_schema[] =
    "{\"type\":\"object\",\"required\":[\"margin\",\"columns\",\"rest\"],"
    "\"description\":\"the answer with the changes; margin of the row + differences + rest = "
    "margin\",\"properties\":{\"margin\":{\"type\":\"number\"},"
    "\"columns\":{\"type\":\"array\",\"items\":{\"type\":\"object\","
    "\"required\":[\"column\",\"weight_before\",\"weight_after\",\"difference\"],\"properties\":{"
    "\"column\":{\"type\":\"string\"},"
    "\"from\":{\"description\":\"the value of the row, where it is changed\"},"
    "\"to\":{\"description\":\"the value that it would have\"},"
    "\"weight_before\":{\"type\":\"number\"},\"weight_after\":{\"type\":\"number\"},"
    "\"difference\":{\"type\":\"number\"}}}},"
    "\"rest\":{\"type\":\"object\",\"required\":[\"count\",\"difference\"],\"properties\":{"
    "\"count\":{\"type\":\"integer\"},\"difference\":{\"type\":\"number\"}}}}}";

static const char what_if_parameters[] =
    "[{\"name\":\"what_if\",\"in\":\"query\",\"schema\":{\"type\":\"array\",\"items\":{"
    "\"type\":\"string\"}},\"description\":\"COLUMN=VALUE: also what would be answered if the "
    "column had this value, as a CSV has it; may be given for several columns\"}]";

static const char forecast_schema[] =
    "{\"type\":\"object\",\"required\":[\"series\",\"choice\",\"level\",\"forecast\"],"
    "\"properties\":{\"series\":{\"type\":\"string\"},"
    "\"choice\":{\"type\":\"string\",\"description\":\"what the series is forecast by\"},"
    "\"level\":{\"type\":\"number\",\"description\":\"of the intervals\"},"
    "\"forecast\":{\"type\":\"array\",\"items\":{\"type\":\"object\","
    "\"required\":[\"time\",\"value\",\"low\",\"high\"],\"properties\":{"
    "\"time\":{\"type\":\"string\",\"description\":\"a date, or a moment in UTC\"},"
    "\"value\":{\"type\":\"number\"},\"low\":{\"type\":\"number\"},"
    "\"high\":{\"type\":\"number\"}}}}}}";

static const char forecast_reasons_schema[] =
    "{\"type\":\"object\",\"required\":[\"values\",\"last\"],\"properties\":{"
    "\"values\":{\"type\":\"integer\",\"description\":\"that it was learnt from\"},"
    "\"last\":{\"type\":\"string\",\"description\":\"the time of the last of them\"},"
    "\"backtest\":{\"type\":\"object\",\"nullable\":true,"
    "\"description\":\"how well its choice did on its past\",\"properties\":{"
    "\"windows\":{\"type\":\"integer\"},\"mase\":{\"type\":\"number\",\"nullable\":true},"
    "\"smape\":{\"type\":\"number\",\"nullable\":true},"
    "\"rmse\":{\"type\":\"number\",\"nullable\":true},"
    "\"coverage\":{\"type\":\"number\",\"nullable\":true}}},"
    "\"known\":{\"type\":\"object\",\"description\":\"by known column: what it does at each step; "
    "absent where the model has none\",\"additionalProperties\":{\"type\":\"object\","
    "\"properties\":{\"usual\":{},\"values\":{\"type\":\"array\",\"items\":{}},"
    "\"effects\":{\"type\":\"array\",\"items\":{\"type\":\"number\"}}}}}}}";

/* A text that is all a model reads is not missing. */
static const char *input_schema(const InputList *inputs, size_t index)
{
    if (inputs->items[index].takes_object)
        return "{\"type\":\"object\",\"nullable\":true,\"description\":\"by known column a value "
               "for each step, or one for all; absent: as they came with the data\"}";
    switch (inputs->items[index].kind) {
    case COLUMN_TEXT:
        return inputs->count == 1 ? "{\"type\":\"string\"}"
                                  : "{\"type\":\"string\",\"nullable\":true}";
    case COLUMN_CATEGORY:
        return "{\"type\":\"string\",\"nullable\":true}";
    case COLUMN_DATE:
        return "{\"type\":\"string\",\"nullable\":true,\"description\":\"a date or time as "
               "it is written: 2026-01-31, 2026-01-31 13:45:00; with an offset "
               "(2026-01-31T13:45:00+02:00) what it is in UTC\"}";
    case COLUMN_NUMBER:
        return "{\"type\":\"number\",\"nullable\":true}";
    }
    return "{}";
}

static void write_reference(JsonWriter *json, const char *key, const char *schema)
{
    json_open_object(json, key);
    json_text(json, "$ref", schema);
    json_close(json);
}

static void write_required(JsonWriter *json, const InputList *inputs)
{
    json_open_array(json, "required");
    for (size_t i = 0; i < inputs->count; i++)
        json_text(json, NULL, inputs->items[i].name);
    json_close(json);
}

/* An object that has exactly the model's columns; of: the schema of each value, or NULL: by kind.
 */
static void write_row_schema(JsonWriter *json, const char *key, const InputList *inputs,
                             const char *of)
{
    json_open_object(json, key);
    json_text(json, "type", "object");
    json_bool(json, "additionalProperties", false);
    if (!inputs->are_optional)
        write_required(json, inputs);
    json_open_object(json, "properties");
    for (size_t i = 0; i < inputs->count; i++)
        json_raw(json, inputs->items[i].name, of ? of : input_schema(inputs, i));
    json_close(json);
    json_close(json);
}

static void write_list_schema(JsonWriter *json, const char *key, size_t least, size_t most)
{
    json_open_object(json, key);
    json_text(json, "type", "array");
    json_int(json, "minItems", (int64_t)least);
    json_int(json, "maxItems", (int64_t)most);
}

/* One row of a list: by name, by place, or the plain value of a single column. */
static void write_item_schema(JsonWriter *json, const char *key, const InputList *inputs)
{
    json_open_object(json, key);
    json_open_array(json, "anyOf");
    write_reference(json, NULL, "#/components/schemas/Row");
    write_list_schema(json, NULL, inputs->count, inputs->count);
    json_raw(json, "items", "{}");
    json_close(json);
    if (inputs->count == 1 || inputs->are_optional)
        json_raw(json, NULL, input_schema(inputs, 0));
    json_close(json);
    json_close(json);
}

static void write_rows_schema(JsonWriter *json, const InputList *inputs)
{
    static const char column[] = "{\"type\":\"array\",\"minItems\":1,\"items\":{}}";

    json_open_object(json, "Rows");
    json_open_array(json, "anyOf");
    write_list_schema(json, NULL, 1, PREDICT_ROWS_MAX);
    write_item_schema(json, "items", inputs);
    json_close(json);
    write_reference(json, NULL, "#/components/schemas/Row");
    write_row_schema(json, NULL, inputs, column);
    json_close(json);
    json_close(json);
}

static void write_split_schema(JsonWriter *json, const InputList *inputs)
{
    json_open_object(json, "dataframe_split");
    json_text(json, "type", "object");
    json_raw(json, "required", "[\"columns\",\"data\"]");
    json_open_object(json, "properties");
    write_list_schema(json, "columns", inputs->are_optional ? 1 : inputs->count, inputs->count);
    json_open_object(json, "items");
    json_text(json, "type", "string");
    json_open_array(json, "enum");
    for (size_t i = 0; i < inputs->count; i++)
        json_text(json, NULL, inputs->items[i].name);
    json_close(json);
    json_close(json);
    json_close(json);
    json_raw(json, "index", "{\"type\":\"array\",\"items\":{}}");
    write_list_schema(json, "data", 1, PREDICT_ROWS_MAX);
    json_raw(json, "items", "{\"type\":\"array\",\"items\":{}}");
    json_close(json);
    json_close(json);
    json_close(json);
}

static void write_body_schema(JsonWriter *json, const InputList *inputs)
{
    static const char *const keys[] = {"data", "inputs", "instances"};

    json_open_object(json, "Body");
    json_text(json, "type", "object");
    json_text(json, "description", "exactly one of the members");
    json_int(json, "minProperties", 1);
    json_int(json, "maxProperties", 1);
    json_bool(json, "additionalProperties", false);
    json_open_object(json, "properties");
    for (size_t i = 0; i < COUNT(keys); i++)
        write_reference(json, keys[i], "#/components/schemas/Rows");
    write_split_schema(json, inputs);
    write_list_schema(json, "dataframe_records", 1, PREDICT_ROWS_MAX);
    write_reference(json, "items", "#/components/schemas/Row");
    json_close(json);
    json_close(json);
    json_close(json);
}

static void write_number_schema(JsonWriter *json)
{
    json_raw(json, "Prediction",
             "{\"type\":\"object\",\"required\":[\"value\"],\"properties\":{\"value\":"
             "{\"type\":\"number\"}}}");
}

static void write_prediction_schema(JsonWriter *json, const ClassNames *classes)
{
    json_open_object(json, "Prediction");
    json_text(json, "type", "object");
    json_raw(json, "required", "[\"label\",\"confidence\",\"probabilities\"]");
    json_open_object(json, "properties");
    json_open_object(json, "label");
    json_text(json, "type", "string");
    json_open_array(json, "enum");
    for (size_t i = 0; i < classes->count; i++)
        json_text(json, NULL, classes->items[i]);
    json_close(json);
    json_close(json);
    json_raw(json, "confidence", probability_schema);
    json_open_object(json, "probabilities");
    json_text(json, "type", "object");
    json_bool(json, "additionalProperties", false);
    json_open_array(json, "required");
    for (size_t i = 0; i < classes->count; i++)
        json_text(json, NULL, classes->items[i]);
    json_close(json);
    json_open_object(json, "properties");
    for (size_t i = 0; i < classes->count; i++)
        json_raw(json, classes->items[i], probability_schema);
    json_close(json);
    json_close(json);
    json_close(json);
    json_close(json);
}

static void write_constant(JsonWriter *json, const char *key, const char *value)
{
    json_open_object(json, key);
    json_text(json, "type", "string");
    json_open_array(json, "enum");
    json_text(json, NULL, value);
    json_close(json);
    json_close(json);
}

/* member: "predictions" or "explanations"; item: the schema of each. */
static void write_answer_schema(JsonWriter *json, const ServedEndpoint *served, const char *member,
                                const char *item)
{
    json_open_object(json, member[0] == 'p' ? "Predictions" : "Explanations");
    json_text(json, "type", "object");
    json_open_array(json, "required");
    json_text(json, NULL, "request_id");
    json_text(json, NULL, "endpoint");
    json_text(json, NULL, "model");
    json_text(json, NULL, "version");
    json_text(json, NULL, member);
    json_close(json);
    json_open_object(json, "properties");
    json_raw(json, "request_id", "{\"type\":\"string\"}");
    write_constant(json, "endpoint", served->name);
    json_raw(json, "model", "{\"type\":\"string\"}");
    json_raw(json, "version", "{\"type\":\"integer\",\"minimum\":1}");
    json_open_object(json, member);
    json_text(json, "type", "array");
    json_text(json, "description", "one per row, in the order of the rows");
    json_raw(json, "items", item);
    json_close(json);
    json_close(json);
    json_close(json);
}

static void write_schemas(JsonWriter *json, const ServedEndpoint *served)
{
    const LoadedModel *loaded = served->loaded;
    bool forecast = loaded->forecast != NULL;

    json_open_object(json, "schemas");
    {
        write_row_schema(json, "Row", &loaded->inputs, NULL);
        write_rows_schema(json, &loaded->inputs);
        write_body_schema(json, &loaded->inputs);
        if (forecast)
            json_raw(json, "Prediction", forecast_schema);
        else if (loaded_model_has_numbers(loaded))
            write_number_schema(json);
        else
            write_prediction_schema(json, loaded->classes);
        json_raw(json, "Reasons", forecast ? forecast_reasons_schema : explanation_schema);
        if (!forecast)
            json_raw(json, "WhatIf", what_if_schema);
        write_answer_schema(json, served, "predictions",
                            "{\"$ref\":\"#/components/schemas/Prediction\"}");
        write_answer_schema(json, served, "explanations",
                            "{\"allOf\":[{\"$ref\":\"#/components/schemas/Prediction\"},"
                            "{\"$ref\":\"#/components/schemas/Reasons\"}]}");
        json_raw(json, "Error", error_schema);
    }
    json_close(json);
}

/* A body that a reader can send as it stands. */
static void write_example(JsonWriter *json, const InputList *inputs)
{
    if (inputs->are_optional) {
        json_raw(json, "example", "{\"data\":[3]}");
        return;
    }
    json_open_object(json, "example");
    json_open_array(json, "data");
    json_open_object(json, NULL);
    for (size_t i = 0; i < inputs->count; i++) {
        if (inputs->items[i].kind == COLUMN_NUMBER)
            json_int(json, inputs->items[i].name, 1);
        else if (inputs->items[i].kind == COLUMN_DATE)
            json_text(json, inputs->items[i].name, "2026-01-31 13:45:00");
        else
            json_text(json, inputs->items[i].name, "text");
    }
    json_close(json);
    json_close(json);
    json_close(json);
}

typedef struct Operation {
    const char *verb, *id, *summary, *answer;
    const char *parameters; /* NULL: it has none */
} Operation;

static void write_operation(JsonWriter *json, const ServedEndpoint *served,
                            const Operation *operation, Arena *arena)
{
    json_open_object(json, arena_format(arena, "/endpoints/%s/%s", served->name, operation->verb));
    json_open_object(json, "post");
    json_text(json, "operationId", operation->id);
    json_text(json, "summary", operation->summary);
    if (operation->parameters)
        json_raw(json, "parameters", operation->parameters);
    json_open_object(json, "requestBody");
    json_bool(json, "required", true);
    json_open_object(json, "content");
    json_open_object(json, "application/json");
    write_reference(json, "schema", "#/components/schemas/Body");
    write_example(json, &served->loaded->inputs);
    json_close(json);
    json_raw(json, "text/csv", "{\"schema\":{\"type\":\"string\"}}");
    json_raw(json, "application/jsonl", "{\"schema\":{\"type\":\"string\"}}");
    json_close(json);
    json_close(json);
    json_open_object(json, "responses");
    json_raw(json, "200",
             arena_format(arena,
                          "{\"description\":\"An answer for each row.\",\"content\":{"
                          "\"application/json\":{\"schema\":{\"$ref\":"
                          "\"#/components/schemas/%s\"}}}}",
                          operation->answer));
    json_raw(json, "default", responses_tail);
    json_close(json);
    json_close(json);
    json_close(json);
}

static void write_info(JsonWriter *json, const ServedEndpoint *served, Arena *arena)
{
    json_open_object(json, "info");
    json_text(json, "title", arena_format(arena, "Endpoint %s", served->name));
    json_text(json, "version", arena_format(arena, "%" PRId64, served->version));
    json_text(json, "description",
              arena_format(arena, "Served by version %" PRId64 " of model %s.", served->version,
                           served->model));
    json_close(json);
}

void endpoint_openapi_write(JsonWriter *json, const ServedEndpoint *served, Arena *arena)
{
    static const Operation predict = {"predict", "predict", "Predict each row.", "Predictions"};
    const Operation explain = {"explain", "explain", "Predict each row and say what drove it.",
                               "Explanations",
                               served->loaded->forecast ? NULL : what_if_parameters};

    json_open_object(json, NULL);
    json_text(json, "openapi", "3.0.3");
    write_info(json, served, arena);
    json_raw(json, "servers", "[{\"url\":\"/\"}]");
    json_raw(json, "security", "[{},{\"token\":[]}]");
    json_open_object(json, "paths");
    write_operation(json, served, &predict, arena);
    write_operation(json, served, &explain, arena);
    json_close(json);
    json_open_object(json, "components");
    write_schemas(json, served);
    json_raw(json, "securitySchemes", "{\"token\":{\"type\":\"http\",\"scheme\":\"bearer\"}}");
    json_close(json);
    json_close(json);
}
