#include "api/route.h"

#include <math.h>
#include <string.h>
#include <strings.h>

#include "api/api.h"
#include "base/file.h"

/* The part of a route's path that begins here against one of the request; when they match, moves on
 * behind it. */
static bool part_matches(const char **part, const char *segment)
{
    const char *at = *part;

    if (*at == '{') {
        if (!*segment)
            return false;
        at = strchrnul(at, '/');
    } else {
        for (; *at && *at != '/' && *at == *segment; at++)
            segment++;
        if (*segment || (*at && *at != '/'))
            return false;
    }
    *part = *at ? at + 1 : at;
    return true;
}

/* No path of Slipway's own has a number there. */
static bool has_number_behind(const char *path, const char *prefix)
{
    const char *number = path + strlen(prefix);

    return text_has_prefix(path, prefix) && *number >= '0' && *number <= '9';
}

/* Of MLflow's that have no number there, two end so, and one begins with its version. */
bool route_speaks_mlflow(const Route *route)
{
    return route &&
           (has_number_behind(route->path, "/api/") || text_has_prefix(route->path, "/v1/") ||
            text_has_suffix(route->path, "/get-artifact"));
}

bool route_is_looked_for_by_mlflow(const Request *request)
{
    return has_number_behind(request->path, "/api/") ||
           has_number_behind(request->path, "/ajax-api/") || strcmp(request->path, "/graphql") == 0;
}

static bool is_left_out(const Route *route, const char *segment)
{
    return !*segment && route_speaks_mlflow(route);
}

/* The pages of MLflow ask at /ajax-api what its clients ask at /api. */
static const char *known_as(const Route *route, const char *segment)
{
    return strcmp(segment, "ajax-api") == 0 && route_speaks_mlflow(route) ? "api" : segment;
}

static bool path_matches(const Route *route, const TextList *segments)
{
    const char *part = route->path + 1;
    size_t seen = 0;

    for (size_t i = 0; i < segments->count; i++) {
        const char *segment = segments->items[i];

        if (is_left_out(route, segment))
            continue;
        if (part[0] == '{' && part[1] == '*')
            return true;
        if (!*part || !part_matches(&part, seen++ ? segment : known_as(route, segment)))
            return false;
    }
    return !*part;
}

static void add_method(TextBuilder *methods, const char *method)
{
    text_append_format(methods, "%s%s", methods->count ? ", " : "", method);
    if (strcmp(method, "GET") == 0)
        text_append(methods, ", HEAD");
}

/* Of the path; no route begins with {name}. */
static char first_letter(const TextList *segments)
{
    for (size_t i = 0; i < segments->count; i++)
        if (*segments->items[i])
            return segments->items[i][0];
    return '\0';
}

/* The path is compared where it stands in the tables, so that nothing has to be prepared or
 * allocated: most rows differ in the method's or the path's first letter. The rows of predictions,
 * which most requests are, come first. */
const Route *route_match(const char *method, const TextList *segments)
{
    const char *as = strcmp(method, "HEAD") == 0 ? "GET" : method;
    char first = first_letter(segments);

    for (size_t table = 0; api_tables[table]; table++)
        for (const Route *route = api_tables[table]; route->path; route++)
            if (route->path[1] == first && route->method[0] == as[0] &&
                path_matches(route, segments) && strcmp(route->method, as) == 0)
                return route;
    return NULL;
}

static const char *joined_rest(const TextList *segments, size_t from, Arena *arena)
{
    TextBuilder rest = {.arena = arena};

    for (size_t i = from; i < segments->count; i++) {
        if (*segments->items[i] && rest.count)
            text_append(&rest, "/");
        text_append(&rest, segments->items[i]);
    }
    return text_built(&rest);
}

void route_fill_parameters(const Route *route, Request *request, Arena *arena)
{
    const char *part = route->path + 1;
    size_t filled = 0;

    memset(request->parameters, 0, sizeof(request->parameters));
    for (size_t i = 0; i < request->segments.count; i++) {
        const char *segment = request->segments.items[i];
        size_t length;

        if (is_left_out(route, segment)) /* also behind the last part, where the route has ended */
            continue;
        length = (size_t)(strchrnul(part, '/') - part);
        if (part[0] == '{' && part[1] == '*') {
            request->parameters[filled] = (HttpPair){arena_copy(arena, part + 2, length - 3),
                                                     joined_rest(&request->segments, i, arena)};
            return;
        }
        if (part[0] == '{')
            request->parameters[filled++] =
                (HttpPair){arena_copy(arena, part + 1, length - 2), segment};
        part += length + 1;
    }
}

/* Where a path ends with a parameter, a word may be a route of MLflow that is not offered here: its
 * clients fall back on a 404, not on a 405. */
static bool names_any(const Route *route)
{
    return route_speaks_mlflow(route) && text_has_suffix(route->path, "}") &&
           !strstr(route->path, "{*");
}

static const char *allowed_methods(const TextList *segments, Arena *arena)
{
    TextBuilder allowed = {.arena = arena};

    for (size_t table = 0; api_tables[table]; table++)
        for (const Route *route = api_tables[table]; route->path; route++)
            if (path_matches(route, segments) && !names_any(route))
                add_method(&allowed, route->method);
    return allowed.count ? text_built(&allowed) : NULL;
}

const Route *route_find(Request *request, Arena *arena, Error *error)
{
    const Route *route = route_match(request->method, &request->segments);

    if (route) {
        route_fill_parameters(route, request, arena);
        return route;
    }
    request->allowed = allowed_methods(&request->segments, arena);
    if (request->allowed)
        fail(error, ERROR_METHOD, "%.16s is not allowed at %.200s, only %s", request->method,
             request->path, request->allowed);
    else
        fail(error, ERROR_NOT_FOUND, "there is nothing at %.200s", request->path);
    return NULL;
}

bool route_needs_worker(const Route *route, size_t body_size)
{
    size_t most = route->fast_body_bytes_max ? route->fast_body_bytes_max : FAST_BODY_BYTES_MAX;

    return route->kind != ROUTE_FAST || body_size > most;
}

const char *request_parameter(const Request *request, const char *name)
{
    for (size_t i = 0; i < ROUTE_PARAMETERS_MAX && request->parameters[i].name; i++)
        if (strcmp(request->parameters[i].name, name) == 0)
            return request->parameters[i].value;
    return "";
}

const char *request_header(const Request *request, const char *name)
{
    for (size_t i = 0; i < request->headers.count; i++)
        if (strcasecmp(request->headers.items[i].name, name) == 0)
            return request->headers.items[i].value;
    return NULL;
}

bool request_body_size(Scope *scope, const Request *request, int64_t *size)
{
    *size = (int64_t)request->body_size;
    return !request->body_file || file_size(request->body_file, size, &scope->error);
}

bool request_store_body(Scope *scope, const Request *request, Artifact *artifact)
{
    ArtifactStore *store = scope->platform->artifacts;

    if (request->may_take_file)
        return artifact_take_file(store, request->body_file, artifact, &scope->error);
    if (request->body_file)
        return artifact_add_file(store, request->body_file, artifact, &scope->error);
    return artifact_add_bytes(store, request->body, request->body_size, artifact, &scope->error);
}

bool request_read(Scope *scope, const Request *request, const JsonField fields[], void *target)
{
    return json_read(request->body, request->body_size, fields, target, scope->arena,
                     &scope->error);
}

static bool take_text(Scope *scope, const JsonField *field, const char *value, void *target)
{
    char *at = (char *)target + field->offset;

    switch (field->type) {
    case JSON_TEXT:
    case JSON_ENUM:
        *(const char **)(void *)at = value;
        return text_is_utf8(value, strlen(value)) ||
               fail_field(&scope->error, field->name, "\"%s\" must be UTF-8", field->name);
    case JSON_INT:
        return text_to_int(value, (int64_t *)(void *)at) ||
               fail_field(&scope->error, field->name, "\"%s\" must be an integer", field->name);
    case JSON_COUNT:
        return (text_to_int(value, (int64_t *)(void *)at) && *(int64_t *)(void *)at >= 1) ||
               fail_field(&scope->error, field->name, "\"%s\" must be an integer from 1 on",
                          field->name);
    case JSON_NUMBER:
        return text_to_double(value, (double *)(void *)at) ||
               fail_field(&scope->error, field->name, "\"%s\" must be a number", field->name);
    case JSON_BOOL:
        *(bool *)at = strcmp(value, "true") == 0;
        return *at || strcmp(value, "false") == 0 ||
               fail_field(&scope->error, field->name, "\"%s\" must be true or false", field->name);
    case JSON_TEXT_LIST:
        text_list_add((TextList *)(void *)at, scope->arena, value);
        return text_is_utf8(value, strlen(value)) ||
               fail_field(&scope->error, field->name, "\"%s\" must be UTF-8", field->name);
    default:
        return fail(&scope->error, ERROR_INTERNAL, "\"%s\" cannot be a query parameter",
                    field->name);
    }
}

static const JsonField *find_field(const JsonField fields[], const char *name)
{
    for (const JsonField *field = fields; field->name; field++)
        if (strcmp(field->name, name) == 0)
            return field;
    return NULL;
}

static size_t count_pairs(const HttpPairList *pairs, const char *name)
{
    size_t count = 0;

    for (size_t i = 0; i < pairs->count; i++)
        count += strcmp(pairs->items[i].name, name) == 0;
    return count;
}

static bool check_names(Scope *scope, const HttpPairList *pairs, const JsonField fields[])
{
    for (size_t i = 0; i < pairs->count; i++)
        if (!find_field(fields, pairs->items[i].name))
            return fail_field(&scope->error, pairs->items[i].name,
                              "unrecognized parameter \"%.100s\"", pairs->items[i].name);
    for (const JsonField *field = fields; field->name; field++) {
        size_t count = count_pairs(pairs, field->name);

        if (count > 1 && field->type != JSON_TEXT_LIST)
            return fail_field(&scope->error, field->name, "\"%s\" is given twice", field->name);
        if (!count && field->need == JSON_REQUIRED)
            return fail_field(&scope->error, field->name, "\"%s\" is missing", field->name);
    }
    return true;
}

bool request_read_query(Scope *scope, const Request *request, const JsonField fields[],
                        void *target)
{
    const HttpPairList *pairs = &request->query;

    if (!check_names(scope, pairs, fields))
        return false;
    for (size_t i = 0; i < pairs->count; i++)
        if (!take_text(scope, find_field(fields, pairs->items[i].name), pairs->items[i].value,
                       target))
            return false;
    return true;
}

bool request_read_page(Scope *scope, const Request *request, const JsonField fields[], Page *page)
{
    return request_read_query(scope, request, fields, page) && page_check(page, &scope->error);
}
