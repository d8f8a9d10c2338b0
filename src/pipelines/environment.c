#include "pipelines/environment.h"

#include <fnmatch.h>
#include <string.h>

#include "access/event.h"
#include "base/time.h"
#include "pipelines/time_window.h"

/* ---- rules ---- */

const JsonField environment_rules_fields[] = {
    {"approvals", JSON_INT, offsetof(EnvironmentRules, approvals), JSON_OPTIONAL,
     "by so many people, 0 to 10"},
    {"four_eyes", JSON_BOOL, offsetof(EnvironmentRules, four_eyes), JSON_OPTIONAL,
     "whoever started a run may not approve it"},
    {"expires_seconds", JSON_INT, offsetof(EnvironmentRules, expires_seconds), JSON_OPTIONAL,
     "what nobody approved by then is rejected; 1 to 31622400, that is 366 days"},
    {"windows", JSON_TEXT_LIST, offsetof(EnvironmentRules, windows), JSON_OPTIONAL,
     "times of the week at which something may begin: \"mon-fri 08:00-17:00 Europe/Amsterdam\""},
    {"branches", JSON_TEXT_LIST, offsetof(EnvironmentRules, branches), JSON_OPTIONAL,
     "patterns of branches that may go there: \"main\", \"release/*\""},
    {0},
};

EnvironmentRules environment_rules_default(void)
{
    return (EnvironmentRules){.approvals = -1, .expires_seconds = ENVIRONMENT_EXPIRES_SECONDS};
}

static bool check_windows(const TextList *windows, Arena *arena, Error *error)
{
    TimeWindow ignored;

    if (windows->count > ENVIRONMENT_WINDOWS_MAX)
        return fail_field(error, "windows", "an environment has at most %d windows",
                          ENVIRONMENT_WINDOWS_MAX);
    for (size_t i = 0; i < windows->count; i++)
        if (!time_window_parse(windows->items[i], arena, &ignored, error)) {
            Error reason = *error;

            return reason.kind == ERROR_INVALID ? fail_field(error, "windows", "%s", reason.message)
                                                : false;
        }
    return true;
}

static bool check_branches(const TextList *branches, Error *error)
{
    if (branches->count > ENVIRONMENT_BRANCHES_MAX)
        return fail_field(error, "branches", "an environment has at most %d patterns of branches",
                          ENVIRONMENT_BRANCHES_MAX);
    for (size_t i = 0; i < branches->count; i++) {
        size_t size = strlen(branches->items[i]);

        if (size < 1 || size > ENVIRONMENT_BRANCH_BYTES_MAX)
            return fail_field(error, "branches", "a pattern of branches has 1 to %d bytes",
                              ENVIRONMENT_BRANCH_BYTES_MAX);
    }
    return true;
}

bool environment_rules_check(const EnvironmentRules *rules, Arena *arena, Error *error)
{
    if (rules->approvals < 0 || rules->approvals > ENVIRONMENT_APPROVALS_MAX)
        return fail_field(error, "approvals", "\"approvals\" is 0 (nobody is asked) to %d",
                          ENVIRONMENT_APPROVALS_MAX);
    if (rules->four_eyes && !rules->approvals)
        return fail_field(error, "four_eyes",
                          "four eyes need an approval: \"approvals\" is 1 or more");
    if (rules->expires_seconds < 1 || rules->expires_seconds > ENVIRONMENT_EXPIRES_SECONDS_MAX)
        return fail_field(error, "expires_seconds",
                          "an approval expires after 1 second to 366 days");
    return check_windows(&rules->windows, arena, error) && check_branches(&rules->branches, error);
}

void environment_rules_tighten(EnvironmentRules *rules, int64_t approvals, bool four_eyes)
{
    if (four_eyes && approvals < 1)
        approvals = 1;
    if (approvals > rules->approvals)
        rules->approvals = approvals;
    rules->four_eyes = rules->four_eyes || four_eyes;
}

bool environment_rules_take_branch(const EnvironmentRules *rules, const char *branch)
{
    if (!rules->branches.count)
        return true;
    for (size_t i = 0; branch && i < rules->branches.count; i++)
        if (fnmatch(rules->branches.items[i], branch, 0) == 0)
            return true;
    return false;
}

bool environment_rules_next(const EnvironmentRules *rules, int64_t now_ms, Arena *arena,
                            int64_t *next_ms, Error *error)
{
    TimeWindowList windows = {0};

    for (size_t i = 0; i < rules->windows.count; i++)
        if (!time_window_parse(rules->windows.items[i], arena, arena_push(arena, &windows), error))
            return false;
    *next_ms = time_window_next(&windows, now_ms);
    return true;
}

/* ---- rows ---- */

/* Every select starts with these columns, in the order from_row() reads. */
#define SELECT_ENVIRONMENT                                                                         \
    "SELECT name, approvals, four_eyes, expires_seconds, windows, branches, updated_at,"           \
    " updated_by FROM environments"

static const char *list_json(const TextList *list, Arena *arena)
{
    JsonWriter *json = json_writer_create(arena);

    json_texts(json, NULL, list);
    return json_finish(json);
}

static bool read_list(const char *text, Arena *arena, TextList *list, Error *error)
{
    const JsonValue *array;

    if (!json_parse(text, strlen(text), arena, &array, error))
        return false;
    for (JsonWalk walk = json_walk(array); json_walk_next(&walk);)
        text_list_add(list, arena, json_as_text(walk.value, ""));
    return true;
}

static bool from_row(const Query *query, Arena *arena, Environment *environment, Error *error)
{
    *environment = (Environment){
        .name = query_text(query, 0, arena),
        .rules = {.approvals = query_int(query, 1),
                  .four_eyes = query_int(query, 2),
                  .expires_seconds = query_int(query, 3)},
        .updated_at = query_int(query, 6),
        .updated_by = query_text(query, 7, arena),
    };
    return read_list(query_text(query, 4, arena), arena, &environment->rules.windows, error) &&
           read_list(query_text(query, 5, arena), arena, &environment->rules.branches, error);
}

static void write_rules(JsonWriter *json, const EnvironmentRules *rules)
{
    json_int(json, "approvals", rules->approvals);
    json_bool(json, "four_eyes", rules->four_eyes);
    json_int(json, "expires_seconds", rules->expires_seconds);
    json_texts(json, "windows", &rules->windows);
    json_texts(json, "branches", &rules->branches);
}

void environment_write_json(JsonWriter *json, const char *key, const Environment *environment)
{
    json_open_object(json, key);
    {
        json_text(json, "name", environment->name);
        write_rules(json, &environment->rules);
        json_time(json, "updated_at", environment->updated_at);
        json_text(json, "updated_by", environment->updated_by);
    }
    json_close(json);
}

static bool find_if_any(Scope *scope, const char *name, Environment *environment, bool *found)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, SELECT_ENVIRONMENT " WHERE name = $1", db_text(name));

    *found = query_next(&query);
    if (*found && !from_row(&query, scope->arena, environment, &scope->error))
        return false;
    return query_end(&query, &scope->error);
}

bool environment_find(Scope *scope, const char *name, Environment *environment)
{
    bool found;

    if (!find_if_any(scope, name, environment, &found))
        return false;
    return found ||
           fail(
               &scope->error, ERROR_NOT_FOUND,
               "environment \"%.128s\" was never set, so nothing goes there: an owner says what it "
               "demands, or nothing, by slipway environment set %.128s --approvals 0",
               name, name);
}

bool environment_get(Scope *scope, const char *name, Environment *environment)
{
    bool found;

    if (!find_if_any(scope, name, environment, &found))
        return false;
    if (!found)
        *environment = (Environment){.name = name, .rules = environment_rules_default()};
    return true;
}

bool environment_list(Scope *scope, const Page *page, EnvironmentList *list)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, SELECT_ENVIRONMENT " WHERE name > $1 ORDER BY name LIMIT $2",
                           db_text(page_after(page)), db_int(page_limit(page)));

    while (query_next(&query))
        if (!from_row(&query, scope->arena, arena_push(scope->arena, list), &scope->error))
            return false;
    return query_end(&query, &scope->error);
}

/* ---- setting ---- */

static const char *rules_json(const EnvironmentRules *rules, Arena *arena)
{
    JsonWriter *json = json_writer_create(arena);

    json_open_object(json, NULL);
    write_rules(json, rules);
    json_close(json);
    return json_finish(json);
}

static bool append_set(Scope *scope, const char *name, const char *before, const char *after)
{
    JsonWriter *json = json_writer_create(scope->arena);

    json_open_object(json, NULL);
    json_raw(json, "before", before);
    json_raw(json, "after", after);
    json_close(json);
    return event_append(scope, before ? "environment.changed" : "environment.created", name,
                        json_finish(json));
}

static bool save(Scope *scope, const char *name, const EnvironmentRules *rules)
{
    static const char upsert[] =
        "INSERT INTO environments (name, approvals, four_eyes, expires_seconds, windows, branches,"
        " updated_at, updated_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
        " ON CONFLICT (name) DO UPDATE SET approvals = excluded.approvals,"
        " four_eyes = excluded.four_eyes, expires_seconds = excluded.expires_seconds,"
        " windows = excluded.windows, branches = excluded.branches,"
        " updated_at = excluded.updated_at, updated_by = excluded.updated_by";

    return db_run(scope->db, &scope->error, upsert, db_text(name), db_int(rules->approvals),
                  db_int(rules->four_eyes), db_int(rules->expires_seconds),
                  db_text(list_json(&rules->windows, scope->arena)),
                  db_text(list_json(&rules->branches, scope->arena)), db_int(time_now_ms()),
                  db_text(scope->principal.name));
}

/* Only what an environment holds back is ready and has a reason why it does not begin. */
bool environment_wake_held(Scope *scope)
{
    return db_run(scope->db, &scope->error,
                  "UPDATE pipeline_steps SET ready_at = 0"
                  " WHERE status = 'ready' AND ready_at > 0 AND reason IS NOT NULL");
}

bool environment_set(Scope *scope, const char *name, const EnvironmentRules *rules,
                     Environment *environment)
{
    const char *before, *after = rules_json(rules, scope->arena);
    Environment now;
    bool found;

    if (!name_check("name", "environment", name, &scope->error) ||
        !environment_rules_check(rules, scope->arena, &scope->error) ||
        !find_if_any(scope, name, &now, &found))
        return false;
    before = found ? rules_json(&now.rules, scope->arena) : NULL;
    if (!text_equal(before, after) && (!save(scope, name, rules) || !environment_wake_held(scope) ||
                                       !append_set(scope, name, before, after)))
        return false;
    return environment_find(scope, name, environment);
}
