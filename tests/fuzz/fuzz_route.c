/* fuzz_route.c: "METHOD PATH" finds a route that takes it, with a name for each hole, or an error
 * that reads as JSON. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "net/url.h"

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void check_found(const Route *route, const Request *request)
{
    size_t holes = 0;

    for (const char *at = route->path; *at; at++)
        holes += *at == '{';
    require(strcmp(route->method, request->method) == 0 || strcmp(request->method, "HEAD") == 0);
    for (size_t i = 0; i < holes; i++) {
        require(request->parameters[i].value[0] != '\0');
        require(request_parameter(request, request->parameters[i].name) ==
                request->parameters[i].value);
    }
}

static void check_missing(const Error *error, const Request *request, Arena *arena)
{
    Scope scope = {.arena = arena, .error = *error};
    Response response;
    const JsonValue *value;
    Error ignored = {0};

    require(error->kind == ERROR_NOT_FOUND || (error->kind == ERROR_METHOD && request->allowed));
    api_answer_error(NULL, &scope, &response);
    require(
        json_parse(json_finish(response.json), json_size(response.json), arena, &value, &ignored));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    char *method = arena_copy(arena, (const char *)data, size), *space = strchr(method, ' ');
    Request request = {.method = method};
    Error error = {0};
    const Route *route;

    if (!space)
        return 0;
    *space = '\0';
    request.path = space + 1;
    if (!url_split_path(arena, request.path, &request.segments))
        return 0;
    route = route_find(&request, arena, &error);
    if (route)
        check_found(route, &request);
    else
        check_missing(&error, &request, arena);
    return 0;
}
