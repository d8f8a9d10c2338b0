/* identities.c: /api/v1/identities: names of other systems, and whom they mean here. */

#include "access/identity.h"

#include "api/api.h"
#include "pipelines/environment.h"
#include "pipelines/scheduler.h"

static bool list_identities(Scope *scope, const Request *request, Response *response)
{
    IdentityList list = {0};
    Page page = {0};

    if (!request_read_page(scope, request, page_by_name_fields, &page) ||
        !identity_list(scope, &page, &list))
        return false;
    json_open_object(response->json, NULL);
    json_open_array(response->json, "identities");
    for (size_t i = 0; i < list.count; i++)
        identity_write_json(response->json, NULL, &list.items[i]);
    json_close(response->json);
    page_write_next_name(response->json, &page, list.count,
                         list.count ? list.items[list.count - 1].name : NULL);
    json_close(response->json);
    return true;
}

typedef struct IdentityBody {
    const char *principal;
} IdentityBody;

static const JsonField identity_fields[] = {
    {"principal", JSON_TEXT, offsetof(IdentityBody, principal), JSON_REQUIRED,
     "the name of a token that works"},
    {0},
};

typedef struct IdentityWork {
    const char *name, *principal; /* NULL: it is removed */
    Identity identity;
} IdentityWork;

/* Who waits for an approval may be somebody else now. */
static bool write_change(Scope *scope, void *context)
{
    IdentityWork *work = context;

    return (work->principal ? identity_set(scope, work->name, work->principal, &work->identity)
                            : identity_remove(scope, work->name)) &&
           environment_wake_held(scope);
}

static bool change(Scope *scope, const Request *request, IdentityWork *work)
{
    work->name = request_parameter(request, "name");
    if (!scope_write(scope, write_change, work))
        return false;
    scheduler_wake(((const Application *)request->application)->scheduler);
    return true;
}

static bool set_identity(Scope *scope, const Request *request, Response *response)
{
    IdentityBody body = {0};
    IdentityWork work = {0};

    if (!request_read(scope, request, identity_fields, &body))
        return false;
    work.principal = body.principal;
    if (!change(scope, request, &work))
        return false;
    identity_write_json(response->json, NULL, &work.identity);
    return true;
}

static bool remove_identity(Scope *scope, const Request *request, Response *response)
{
    IdentityWork work = {0};

    response->status = 204;
    return change(scope, request, &work);
}

const Route identity_routes[] = {
    {"GET", "/api/v1/identities", ROLE_VIEWER, ROUTE_READ, list_identities,
     "List the names of other systems and whom they mean here, by name.", NULL,
     page_by_name_fields},
    {"PUT", "/api/v1/identities/{name}", ROLE_OWNER, ROUTE_SLOW, set_identity,
     "Say whom a name of another system means here.", identity_fields},
    {"DELETE", "/api/v1/identities/{name}", ROLE_OWNER, ROUTE_SLOW, remove_identity,
     "The name means nobody any more."},
    {0},
};
