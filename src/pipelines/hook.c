#include "pipelines/hook.h"

#include <string.h>

#include "access/event.h"
#include "base/digest.h"
#include "base/id.h"
#include "base/time.h"
#include "net/basic.h"
#include "pipelines/git.h"
#include "pipelines/hook_internal.h"
#include "pipelines/originator.h"

enum {
    SECRET_BYTES = 32,
    PUSHES_SHOWN = 100,
    REF_BYTES_MAX = 512,
    REFUSALS_APART_MS = 60 * 1000,
};

static Hook from_row(const Query *query, Arena *arena)
{
    return (Hook){
        .project = query_text(query, 0, arena),
        .repository = query_text(query, 1, arena),
        .secret = query_text(query, 2, arena),
        .looked_at = query_int(query, 3),
        .reason = query_text(query, 4, arena),
        .created_at = query_int(query, 5),
        .created_by = query_text(query, 6, arena),
    };
}

bool hooks_take(Scope *scope, Query *query, HookList *list)
{
    while (query_next(query))
        *arena_push(scope->arena, list) = from_row(query, scope->arena);
    return query_end(query, &scope->error);
}

void hook_write_json(JsonWriter *json, const char *key, const Hook *hook)
{
    json_open_object(json, key);
    {
        json_text(json, "project", hook->project);
        json_text(json, "repository", hook->repository);
        json_time(json, "looked_at", hook->looked_at);
        json_text(json, "reason", hook->reason);
        json_time(json, "created_at", hook->created_at);
        json_text(json, "created_by", hook->created_by);
    }
    json_close(json);
}

bool hook_find(Scope *scope, const char *project, Hook *hook)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, SELECT_HOOK " WHERE project = $1", db_text(project));
    HookList list = {0};

    if (!hooks_take(scope, &query, &list))
        return false;
    if (!list.count)
        return fail(&scope->error, ERROR_NOT_FOUND, "project \"%.128s\" has no hook", project);
    *hook = list.items[0];
    return true;
}

/* ---- setting ---- */

typedef struct Setting {
    const char *project, *repository, *secret;
    PushList seen;
    Hook *hook;
} Setting;

static bool append_set(Scope *scope, const Hook *hook)
{
    JsonWriter *json = json_writer_create(scope->arena);

    hook_write_json(json, NULL, hook);
    return event_append(scope, "hook.set", hook->project, json_finish(json));
}

static bool write_setting(Scope *scope, void *context)
{
    Setting *setting = context;

    return db_run(scope->db, &scope->error,
                  "INSERT INTO hooks (project, repository, secret, looked_at, created_at,"
                  " created_by) VALUES ($1, $2, $3, $4, $4, $5)"
                  " ON CONFLICT (project) DO UPDATE SET repository = excluded.repository,"
                  " secret = excluded.secret, looked_at = excluded.looked_at, reason = NULL,"
                  " created_at = excluded.created_at, created_by = excluded.created_by",
                  db_text(setting->project), db_text(setting->repository), db_text(setting->secret),
                  db_int(time_now_ms()), db_text(scope->principal.name)) &&
           push_add(scope, setting->project, "set", &setting->seen) &&
           hook_find(scope, setting->project, setting->hook) && append_set(scope, setting->hook);
}

void pushes_of_branches(const GitBranchList *branches, Arena *arena, PushList *list)
{
    for (size_t i = 0; i < branches->count; i++)
        *arena_push(arena, list) =
            (Push){.ref = branches->items[i].ref, .commit = branches->items[i].commit};
}

bool hook_set(Scope *scope, const char *project, const char *repository, Hook *hook)
{
    Setting setting = {.project = project, .repository = repository, .hook = hook};
    Git git = {.repository = repository, .arena = scope->arena};
    unsigned char random[SECRET_BYTES];
    char secret[2 * SECRET_BYTES + 1];
    GitBranchList branches = {0};

    if (!name_check("project", "project", project, &scope->error) ||
        !git_repository_check(repository, &scope->error) ||
        !git_list_branches(&git, &branches, &scope->error))
        return false;
    random_bytes(random, sizeof(random));
    setting.secret = hex_format(random, sizeof(random), secret);
    pushes_of_branches(&branches, scope->arena, &setting.seen);
    return scope_write(scope, write_setting, &setting);
}

/* ---- who says so ---- */

static bool is_signed(const char *secret, const char *digits, const char *body, size_t size)
{
    unsigned char mac[HMAC_SIZE];
    char expected[2 * HMAC_SIZE + 1];

    hmac_bytes(secret, strlen(secret), body, size, mac);
    return text_equal_secretly(digits, hex_format(mac, sizeof(mac), expected));
}

static bool is_basic(const char *header, const char *secret)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    BasicPair pair;

    return basic_read(header, arena, &pair) && text_equal_secretly(pair.secret, secret);
}

bool hook_verify(const char *secret, const HookSigns *signs, const char *body, size_t size,
                 Error *error)
{
    bool is_right = signs->github || signs->gitlab || signs->plain || signs->authorization;

    if (!is_right)
        return fail(error, ERROR_UNAUTHENTICATED,
                    "a hook is signed: by X-Hub-Signature-256, X-Gitlab-Token, X-Slipway-Signature "
                    "or basic authentication with its secret");
    if (signs->github)
        is_right = text_has_prefix(signs->github, "sha256=") &&
                   is_signed(secret, signs->github + 7, body, size);
    if (signs->gitlab)
        is_right = is_right && text_equal_secretly(signs->gitlab, secret);
    if (signs->plain)
        is_right = is_right && is_signed(secret, signs->plain, body, size);
    if (signs->authorization)
        is_right = is_right && is_basic(signs->authorization, secret);
    return is_right || fail(error, ERROR_UNAUTHENTICATED,
                            "the signature is not that of the project's hook and this body");
}

const char *hook_signed_by(const HookSigns *signs)
{
    if (signs->github)
        return "github";
    if (signs->gitlab)
        return "gitlab";
    return signs->plain ? "plain" : "azure";
}

typedef struct HookRefusal {
    const char *project, *reason;
} HookRefusal;

static bool find_last_refusal(Scope *scope, const char *project, int64_t *at)
{
    EventFilter filter = {
        .action = "hook.refused", .project = project, .limit = 1, .newest_first = true};
    EventList last = {0};

    filter.from = time_now_ms() - REFUSALS_APART_MS;
    if (!event_list(scope, &filter, &last))
        return false;
    *at = last.count ? last.items[0].created_at : 0;
    return true;
}

static bool write_refusal(Scope *scope, void *context)
{
    const HookRefusal *refusal = context;
    JsonWriter *json = json_writer_create(scope->arena);
    int64_t last;

    if (!find_last_refusal(scope, refusal->project, &last))
        return false;
    if (last)
        return true;
    json_open_object(json, NULL);
    json_text(json, "reason", refusal->reason);
    json_close(json);
    return event_append(scope, "hook.refused", refusal->project, json_finish(json));
}

/* Most of them are read only: the write looks again. */
bool hook_note_refusal(Scope *scope, const char *project, const char *reason)
{
    HookRefusal refusal = {project, reason};
    int64_t last;

    return find_last_refusal(scope, project, &last) &&
           (last || scope_write(scope, write_refusal, &refusal));
}

/* ---- what it says ---- */

static bool is_gone(const char *commit)
{
    return commit[strspn(commit, "0")] == '\0';
}

typedef struct PushRead {
    const char *pusher;
    Arena *arena;
    PushList *list;
} PushRead;

/* By the name that the signed body gives: of GitHub the login of who caused the event, which for a
 * deploy key is whoever made the key. */
static const char *read_pusher(const JsonValue *body)
{
    const JsonValue *pusher = json_member(body, "pusher");
    const char *const names[] = {
        json_as_text(json_member(json_member(body, "sender"), "login"), NULL),
        json_as_text(json_member(pusher, "name"), NULL),
        json_as_text(json_member(body, "user_username"), NULL),
        json_as_text(
            json_member(json_member(json_member(body, "resource"), "pushedBy"), "uniqueName"),
            NULL),
        json_as_text(pusher, NULL),
    };

    for (size_t i = 0; i < COUNT(names); i++)
        if (names[i] && *names[i] && strlen(names[i]) <= ORIGINATOR_BYTES_MAX)
            return names[i];
    return NULL;
}

static bool read_push(const JsonValue *ref, const JsonValue *commit, const PushRead *read,
                      Error *error)
{
    Push push = {.ref = json_as_text(ref, NULL),
                 .commit = json_as_text(commit, NULL),
                 .pusher = read->pusher};

    if (!push.ref || !push.commit || strlen(push.ref) > REF_BYTES_MAX ||
        !git_commit_is_valid(push.commit))
        return fail(error, ERROR_INVALID,
                    "a push has a ref of at most %d bytes, and a commit of 40 or 64 lowercase "
                    "hexadecimal digits",
                    REF_BYTES_MAX);
    if (text_has_prefix(push.ref, "refs/heads/") && !is_gone(push.commit))
        *arena_push(read->arena, read->list) = push;
    return true;
}

bool hook_read_pushes(const char *body, size_t size, Arena *arena, PushList *list, Error *error)
{
    PushRead read = {.arena = arena, .list = list};
    const JsonValue *value, *updates;

    if (!json_parse(body, size, arena, &value, error))
        return false;
    read.pusher = read_pusher(value);
    updates = json_member(json_member(value, "resource"), "refUpdates");
    for (JsonWalk walk = json_walk(updates); json_walk_next(&walk);)
        if (!read_push(json_member(walk.value, "name"), json_member(walk.value, "newObjectId"),
                       &read, error))
            return false;
    if (json_is_null(json_member(value, "ref")))
        return true; /* GitHub's ping, and events of other kinds */
    return read_push(json_member(value, "ref"), json_member(value, "after"), &read, error);
}

/* ---- pushes ---- */

static bool is_known(Scope *scope, const char *project, const Push *push, bool *is)
{
    CLEANUP(query_finalize)
    Query query = db_query(
        scope->db, "SELECT 1 FROM pushes WHERE project = $1 AND ref = $2 AND commit_id = $3",
        db_text(project), db_text(push->ref), db_text(push->commit));

    *is = query_next(&query);
    return query_end(&query, &scope->error);
}

static bool append_received(Scope *scope, const char *project, const char *told_by,
                            const Push *push)
{
    JsonWriter *json = json_writer_create(scope->arena);

    json_open_object(json, NULL);
    json_text(json, "ref", push->ref);
    json_text(json, "commit", push->commit);
    json_text(json, "pusher", push->pusher);
    json_text(json, "told_by", told_by);
    json_text(json, "signed_by", push->signed_by);
    json_close(json);
    return event_append(scope, "push.received", project, json_finish(json));
}

static bool add_push(Scope *scope, const char *project, const char *told_by, const Push *push)
{
    bool is_set = strcmp(told_by, "set") == 0, is_there;

    return is_known(scope, project, push, &is_there) &&
           db_run(scope->db, &scope->error,
                  "INSERT INTO pushes (project, ref, commit_id, status, told_by, created_at,"
                  " pusher, signed_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
                  " ON CONFLICT (project, ref, commit_id) DO UPDATE SET pusher = excluded.pusher"
                  " WHERE pushes.pusher IS NULL AND pushes.status = 'waiting'",
                  db_text(project), db_text(push->ref), db_text(push->commit),
                  db_text(is_set ? "ignored" : "waiting"), db_text(told_by), db_int(time_now_ms()),
                  db_text(push->pusher), db_text(push->signed_by)) &&
           (is_set || is_there || append_received(scope, project, told_by, push));
}

bool push_add(Scope *scope, const char *project, const char *told_by, const PushList *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (!add_push(scope, project, told_by, &list->items[i]))
            return false;
    return true;
}

static Push push_from_row(const Query *query, Arena *arena)
{
    return (Push){
        .project = query_text(query, 0, arena),
        .ref = query_text(query, 1, arena),
        .commit = query_text(query, 2, arena),
        .status = query_text(query, 3, arena),
        .reason = query_text(query, 4, arena),
        .run_id = query_text(query, 5, arena),
        .told_by = query_text(query, 6, arena),
        .created_at = query_int(query, 7),
        .pusher = query_text(query, 8, arena),
        .signed_by = query_text(query, 9, arena),
    };
}

bool pushes_take(Scope *scope, Query *query, PushList *list)
{
    while (query_next(query))
        *arena_push(scope->arena, list) = push_from_row(query, scope->arena);
    return query_end(query, &scope->error);
}

bool push_list(Scope *scope, const char *project, PushList *list)
{
    CLEANUP(query_finalize)
    Query query =
        db_query(scope->db, SELECT_PUSH " WHERE project = $1 ORDER BY created_at DESC LIMIT $2",
                 db_text(project), db_int(PUSHES_SHOWN));

    return pushes_take(scope, &query, list);
}

void push_write_json(JsonWriter *json, const char *key, const Push *push)
{
    json_open_object(json, key);
    {
        json_text(json, "ref", push->ref);
        json_text(json, "commit", push->commit);
        json_text(json, "status", push->status);
        json_text(json, "reason", push->reason);
        json_text(json, "pipeline_run", push->run_id);
        json_text(json, "told_by", push->told_by);
        json_text(json, "signed_by", push->signed_by);
        json_text(json, "pusher", push->pusher);
        json_time(json, "created_at", push->created_at);
    }
    json_close(json);
}
