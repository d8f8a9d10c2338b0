/* hooks.c: /api/v1/hooks: where a project's code is pushed to, and what tells of pushes. */

#include "pipelines/hook.h"

#include "api/api.h"
#include "pipelines/triggers.h"

typedef struct HookBody {
    const char *repository;
} HookBody;

static const JsonField hook_fields[] = {
    {"repository", JSON_TEXT, offsetof(HookBody, repository), JSON_REQUIRED,
     "The path or URL of the project's git repository."},
    {0},
};

static bool set_hook(Scope *scope, const Request *request, Response *response)
{
    HookBody body = {0};
    Hook hook;

    if (!request_read(scope, request, hook_fields, &body) ||
        !hook_set(scope, request_parameter(request, "project"), body.repository, &hook))
        return false;
    json_open_object(response->json, NULL);
    hook_write_json(response->json, "hook", &hook);
    json_text(response->json, "secret", hook.secret);
    json_close(response->json);
    return true;
}

static bool write_pushes(const PushList *list, Response *response)
{
    json_open_array(response->json, "pushes");
    for (size_t i = 0; i < list->count; i++)
        push_write_json(response->json, NULL, &list->items[i]);
    json_close(response->json);
    return true;
}

static bool show_hook(Scope *scope, const Request *request, Response *response)
{
    PushList pushes = {0};
    Hook hook;

    if (!hook_find(scope, request_parameter(request, "project"), &hook) ||
        !push_list(scope, hook.project, &pushes))
        return false;
    json_open_object(response->json, NULL);
    hook_write_json(response->json, "hook", &hook);
    write_pushes(&pushes, response);
    json_close(response->json);
    return true;
}

/* A project without a hook answers as one with another secret does. */
static bool find_secret(Scope *scope, const Request *request, const char **secret)
{
    Hook hook;

    *secret = "";
    if (hook_find(scope, request_parameter(request, "project"), &hook))
        *secret = hook.secret;
    else if (scope->error.kind != ERROR_NOT_FOUND)
        return false;
    else
        scope->error = (Error){0};
    return true;
}

static bool check_signs(Scope *scope, const Request *request, const HookSigns *signs)
{
    const char *secret;
    Error refusal;

    if (!find_secret(scope, request, &secret))
        return false;
    if (hook_verify(secret, signs, request->body, request->body_size, &scope->error))
        return *secret || fail(&scope->error, ERROR_UNAUTHENTICATED,
                               "the signature is not that of the project's hook and this body");
    if (!*secret)
        return false;
    refusal = scope->error;
    scope->error = (Error){0};
    if (hook_note_refusal(scope, request_parameter(request, "project"), refusal.message))
        scope->error = refusal;
    return false;
}

typedef struct PushWork {
    const char *project;
    PushList pushes;
} PushWork;

static bool do_add(Scope *scope, void *context)
{
    const PushWork *work = context;

    return push_add(scope, work->project, "hook", &work->pushes);
}

static bool take_push(Scope *scope, const Request *request, Response *response)
{
    PushWork work = {.project = request_parameter(request, "project")};
    HookSigns signs = {
        .github = request_header(request, "X-Hub-Signature-256"),
        .gitlab = request_header(request, "X-Gitlab-Token"),
        .plain = request_header(request, "X-Slipway-Signature"),
        .authorization = request_header(request, "Authorization"),
    };

    if (!check_signs(scope, request, &signs) ||
        !hook_read_pushes(request->body, request->body_size, scope->arena, &work.pushes,
                          &scope->error))
        return false;
    for (size_t i = 0; i < work.pushes.count; i++)
        work.pushes.items[i].signed_by = hook_signed_by(&signs);
    scope->principal.name = PRINCIPAL_SERVER; /* whose secret signed it is all that is known */
    if (!scope_write(scope, do_add, &work))
        return false;
    triggers_wake(((const Application *)request->application)->triggers);
    response->status = 202;
    json_open_object(response->json, NULL);
    json_int(response->json, "pushes", (int64_t)work.pushes.count);
    json_close(response->json);
    return true;
}

const Route hook_routes[] = {
    {"PUT", "/api/v1/hooks/{project}", ROLE_OWNER, ROUTE_SLOW, set_hook,
     "Set where a project's code is pushed to; answers the secret of its hook, once.", hook_fields},
    {"GET", "/api/v1/hooks/{project}", ROLE_CONTRIBUTOR, ROUTE_READ, show_hook,
     "Show where a project's code is pushed to, and what became of its last pushes."},
    {"POST", "/api/v1/hooks/{project}/git", ROLE_ANYONE, ROUTE_SLOW, take_push,
     "Tell of a push, as GitHub, GitLab, Azure DevOps or a signed plain body; 202 when it is kept.",
     .body_kind = BODY_TEXT, .body_bytes_max = HOOK_BODY_BYTES_MAX},
    {0},
};
