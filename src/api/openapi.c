/* openapi.c: the OpenAPI document, printed from the route tables. */

#include <string.h>

#include "api/api.h"

static void write_field_schema(JsonWriter *json, const char *key, const JsonField *field)
{
    json_open_object(json, key);
    {
        if (field->type != JSON_ANY)
            json_text(json, "type", json_type_name(field->type));
        if (field->type == JSON_TEXT_LIST || field->type == JSON_ARRAY) {
            json_open_object(json, "items");
            if (field->type == JSON_TEXT_LIST)
                json_text(json, "type", "string");
            json_close(json);
        }
        if (field->summary)
            json_text(json, "description", field->summary);
    }
    json_close(json);
}

static bool has_required(const JsonField fields[])
{
    for (; fields->name; fields++)
        if (fields->need == JSON_REQUIRED)
            return true;
    return false;
}

static void write_object_schema(JsonWriter *json, const char *key, const JsonField fields[])
{
    json_open_object(json, key);
    json_text(json, "type", "object");
    json_bool(json, "additionalProperties", false);
    if (has_required(fields)) {
        json_open_array(json, "required");
        for (const JsonField *field = fields; field->name; field++)
            if (field->need == JSON_REQUIRED)
                json_text(json, NULL, field->name);
        json_close(json);
    }
    json_open_object(json, "properties");
    for (const JsonField *field = fields; field->name; field++)
        write_field_schema(json, field->name, field);
    json_close(json);
    json_close(json);
}

static void write_parameter(JsonWriter *json, const char *in, const JsonField *field)
{
    json_open_object(json, NULL);
    {
        json_text(json, "name", field->name);
        json_text(json, "in", in);
        if (strcmp(in, "path") == 0)
            json_bool(json, "required", true);
        write_field_schema(json, "schema", field);
    }
    json_close(json);
}

static void write_parameters(JsonWriter *json, const Route *route, Arena *arena)
{
    TextList parts = text_split(route->path + 1, '/', arena);

    json_open_array(json, "parameters");
    for (size_t i = 0; i < parts.count; i++) {
        size_t length = strlen(parts.items[i]);
        JsonField hole = {.type = JSON_TEXT};

        if (parts.items[i][0] != '{')
            continue;
        hole.name = arena_copy(arena, parts.items[i] + 1, length - 2);
        write_parameter(json, "path", &hole);
    }
    for (const JsonField *field = route->query; field && field->name; field++)
        write_parameter(json, "query", field);
    json_close(json);
}

static void write_request_body(JsonWriter *json, const Route *route)
{
    static const char *const types[] = {
        [BODY_JSON] = "application/json",
        [BODY_TEXT] = "text/plain",
        [BODY_FILE] = "application/octet-stream",
    };

    if (!route->body && route->body_kind == BODY_JSON)
        return;
    json_open_object(json, "requestBody");
    json_open_object(json, "content");
    json_open_object(json, types[route->body_kind]);
    if (route->body)
        write_object_schema(json, "schema", route->body);
    json_close(json);
    json_close(json);
    json_close(json);
}

static void write_responses(JsonWriter *json)
{
    json_open_object(json, "responses");
    {
        json_open_object(json, "2XX");
        json_text(json, "description", "Done.");
        json_close(json);
        json_open_object(json, "default");
        {
            json_text(json, "description", "Not done, and why.");
            json_open_object(json, "content");
            json_open_object(json, "application/json");
            json_open_object(json, "schema");
            json_text(json, "$ref", "#/components/schemas/Error");
            json_close(json);
            json_close(json);
            json_close(json);
        }
        json_close(json);
    }
    json_close(json);
}

static void write_operation(JsonWriter *json, const Route *route, Arena *arena)
{
    char method[16] = "";

    for (size_t i = 0; route->method[i] && i + 1 < sizeof(method); i++)
        method[i] = (char)(route->method[i] | 0x20); /* ASCII lower case */
    json_open_object(json, method);
    {
        json_text(json, "summary", route->summary);
        json_text(json, "x-role", role_name(role_of_token(route->role)));
        json_bool(json, "x-step", route->role <= ROLE_STEP);
        write_parameters(json, route, arena);
        write_request_body(json, route);
        write_responses(json);
        if (route->role == ROLE_ANYONE) {
            json_open_array(json, "security");
            json_close(json);
        }
    }
    json_close(json);
}

/* Routes of one path stand together in one table. */
static void write_path(JsonWriter *json, const Route table[], size_t first, Arena *arena)
{
    for (size_t i = 0; i < first; i++)
        if (strcmp(table[i].path, table[first].path) == 0)
            return;
    json_open_object(json, table[first].path);
    for (const Route *route = &table[first]; route->path; route++)
        if (strcmp(route->path, table[first].path) == 0)
            write_operation(json, route, arena);
    json_close(json);
}

static void write_components(JsonWriter *json)
{
    static const JsonField error_fields[] = {
        {"code", JSON_TEXT, 0, JSON_REQUIRED, "the kind of the error, one word"},
        {"message", JSON_TEXT, 0, JSON_REQUIRED, "one sentence"},
        {"field", JSON_TEXT, 0, JSON_OPTIONAL, "the offending field"},
        {"request_id", JSON_TEXT, 0, JSON_OPTIONAL, "to find it in the logs"},
        {0},
    };

    json_open_object(json, "components");
    {
        json_open_object(json, "schemas");
        json_open_object(json, "Error");
        json_text(json, "type", "object");
        json_open_object(json, "properties");
        write_object_schema(json, "error", error_fields);
        json_close(json);
        json_close(json);
        json_close(json);
        json_open_object(json, "securitySchemes");
        json_open_object(json, "token");
        json_text(json, "type", "http");
        json_text(json, "scheme", "bearer");
        json_close(json);
        json_close(json);
    }
    json_close(json);
}

const char *api_openapi(Arena *arena)
{
    JsonWriter *json = json_writer_create(arena);

    json_open_object(json, NULL);
    {
        json_text(json, "openapi", "3.0.3");
        json_open_object(json, "info");
        json_text(json, "title", "Slipway");
        json_text(json, "version", "1");
        json_close(json);
        json_open_array(json, "security");
        json_open_object(json, NULL);
        json_open_array(json, "token");
        json_close(json);
        json_close(json);
        json_close(json);
        json_open_object(json, "paths");
        for (size_t table = 0; api_tables[table]; table++)
            for (size_t i = 0; api_tables[table][i].path; i++)
                write_path(json, api_tables[table], i, arena);
        json_close(json);
        write_components(json);
    }
    json_close(json);
    return json_finish(json);
}
