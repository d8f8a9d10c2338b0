/* system.c: /healthz, /readyz, /openapi.json, /docs and / */

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "serving/serving.h"

static bool answer_text(Response *response, const char *type, const char *text)
{
    response->content_type = type;
    response->body = text;
    response->body_size = strlen(text);
    return true;
}

static bool show_health(Scope *scope, const Request *request, Response *response)
{
    (void)scope;
    (void)request;
    json_open_object(response->json, NULL);
    json_bool(response->json, "live", true);
    json_close(response->json);
    return true;
}

static bool show_readiness(Scope *scope, const Request *request, Response *response)
{
    const Application *application = request->application;

    if (!serving_is_ready(application->serving))
        return fail(&scope->error, ERROR_UNAVAILABLE, "an endpoint's model is not loaded");
    json_open_object(response->json, NULL);
    json_bool(response->json, "ready", true);
    json_close(response->json);
    return true;
}

static void append_route(TextBuilder *page, const Route *route)
{
    text_append_format(page,
                       "<tr><td><code>%s</code></td><td><code>%s</code></td><td>%s</td>"
                       "<td>%s</td></tr>\n",
                       route->method, route->path, role_name(role_of_token(route->role)),
                       route->summary);
}

static const char *docs_page(Arena *arena)
{
    TextBuilder page = {.arena = arena};

    text_append(&page, "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">"
                       "<title>Slipway: the API</title><style>"
                       "body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;"
                       "padding:0 1rem}td,th{text-align:left;padding:.25rem 1rem .25rem 0;"
                       "border-bottom:1px solid #ddd;vertical-align:top}"
                       "td:nth-child(2){word-break:break-word}</style></head><body>"
                       "<h1>Slipway: the API</h1><p>As a document for programs: "
                       "<a href=\"/openapi.json\">/openapi.json</a>. Each endpoint describes "
                       "itself at <code>/endpoints/{name}/openapi.json</code> and can be tried at "
                       "<code>/endpoints/{name}/docs</code>.</p>"
                       "<table><tr><th>Method</th><th>Path</th><th>Least role</th><th>What it "
                       "does</th></tr>\n");
    for (size_t table = 0; api_tables[table]; table++)
        for (const Route *route = api_tables[table]; route->path; route++)
            append_route(&page, route);
    text_append(&page, "</table></body></html>\n");
    return text_built(&page);
}

/* Anyone may ask for these, and they take as long as a hundred predictions; so they are printed
 * once, for as long as the process lives, and a client that never reads them holds no copy. */
static struct {
    pthread_once_t once;
    const char *openapi, *docs;
} pages = {.once = PTHREAD_ONCE_INIT};

static void print_pages(void)
{
    Arena *arena = arena_create();
    const char *openapi = api_openapi(arena), *docs = docs_page(arena);

    pages.openapi = strdup(openapi);
    pages.docs = strdup(docs);
    arena_destroy(arena);
    if (!pages.openapi || !pages.docs)
        abort();
}

static bool show_openapi(Scope *scope, const Request *request, Response *response)
{
    (void)scope;
    (void)request;
    pthread_once(&pages.once, print_pages);
    return answer_text(response, "application/json", pages.openapi);
}

static bool show_docs(Scope *scope, const Request *request, Response *response)
{
    (void)scope;
    (void)request;
    pthread_once(&pages.once, print_pages);
    return answer_text(response, "text/html; charset=utf-8", pages.docs);
}

const Route system_routes[] = {
    {"GET", "/healthz", ROLE_ANYONE, ROUTE_FAST, show_health, "Say that the process is alive.",
     .is_probe = true},
    {"GET", "/readyz", ROLE_ANYONE, ROUTE_FAST, show_readiness,
     "Say whether every endpoint's model is loaded.", .is_probe = true},
    {"GET", "/openapi.json", ROLE_ANYONE, ROUTE_FAST, show_openapi,
     "Describe all routes as OpenAPI 3.0."},
    {"GET", "/docs", ROLE_ANYONE, ROUTE_FAST, show_docs, "Show all routes on a page."},
    {"GET", "/", ROLE_ANYONE, ROUTE_FAST, show_docs, "Show all routes on a page."},
    {0},
};
