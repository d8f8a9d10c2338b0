/* purge.c: /api/v1/purge */

#include "pipelines/purge.h"
#include "api/api.h"

static const JsonField purge_body[] = {
    {"older_than_days", JSON_INT, offsetof(PurgeSpec, older_than_days), JSON_OPTIONAL,
     "what was deleted so many days ago or earlier; 30, and 0 for all that is deleted"},
    {"dry_run", JSON_BOOL, offsetof(PurgeSpec, is_rehearsal), JSON_OPTIONAL,
     "only say what would go; false"},
    {0},
};

static bool purge(Scope *scope, const Request *request, Response *response)
{
    const Application *application = request->application;
    PurgeSpec spec = {.older_than_days = PURGE_DAYS_DEFAULT, .stopped = &application->is_stopping};
    PurgeReport report;

    if (!request_read(scope, request, purge_body, &spec) || !purge_run(scope, &spec, &report))
        return false;
    purge_report_write_json(response->json, NULL, &report);
    return true;
}

const Route purge_routes[] = {
    {"POST", "/api/v1/purge", ROLE_OWNER, ROUTE_SLOW, purge,
     "Remove for good what was deleted long ago, and the bytes that nothing refers to then.",
     purge_body},
    {0},
};
