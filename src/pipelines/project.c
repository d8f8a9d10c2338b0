#include "pipelines/project.h"

#include <math.h>
#include <string.h>

#include "access/event.h"
#include "base/time.h"
#include "pipelines/gate.h"

/* Every select starts with these columns, in the order from_row() reads. */
#define SELECT_PROJECT                                                                             \
    "SELECT id, name, yaml, settings, created_at, updated_at, updated_by FROM projects"

static Project from_row(const Query *query, Arena *arena)
{
    return (Project){
        .id = query_int(query, 0),
        .name = query_text(query, 1, arena),
        .yaml = query_text(query, 2, arena),
        .settings = query_text(query, 3, arena),
        .created_at = query_int(query, 4),
        .updated_at = query_int(query, 5),
        .updated_by = query_text(query, 6, arena),
    };
}

static bool find_if_any(Scope *scope, const char *name, Project *project, bool *found)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, SELECT_PROJECT " WHERE name = $1", db_text(name));

    *found = query_next(&query);
    if (*found)
        *project = from_row(&query, scope->arena);
    return query_end(&query, &scope->error);
}

bool project_find(Scope *scope, const char *name, Project *project)
{
    bool found;

    if (!find_if_any(scope, name, project, &found))
        return false;
    return found || fail(&scope->error, ERROR_NOT_FOUND, "project \"%.128s\" does not exist", name);
}

bool project_list(Scope *scope, const Page *page, ProjectList *list)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, SELECT_PROJECT " WHERE name > $1 ORDER BY name LIMIT $2",
                           db_text(page_after(page)), db_int(page_limit(page)));

    while (query_next(&query))
        *arena_push(scope->arena, list) = from_row(&query, scope->arena);
    return query_end(&query, &scope->error);
}

bool project_read_file(Scope *scope, const char *name, ProjectFile *file)
{
    Project project;

    return project_find(scope, name, &project) &&
           project_file_read(project.yaml, strlen(project.yaml), scope->arena, file, &scope->error);
}

bool project_ensure_holdout(Scope *scope, const char *project, const char *dataset, int64_t version,
                            Holdout *holdout)
{
    const ProjectData *data;
    ProjectFile file;
    HoldoutSpec spec;

    if (!project_read_file(scope, project, &file) ||
        !project_file_data(&file, dataset, &data, &scope->error))
        return false;
    spec = (HoldoutSpec){
        .project = project,
        .dataset = dataset,
        .share = data->holdout_share,
        .by = data->holdout_by,
        .seed = data->holdout_seed,
        .group_values = data->holdout_group_values,
        .version = version,
    };
    return holdout_ensure(scope, &spec, holdout);
}

/* Putting. */

static bool save(Scope *scope, const char *name, const char *yaml, const char *settings)
{
    static const char upsert[] =
        "INSERT INTO projects (id, name, yaml, settings, created_at, updated_at, updated_by)"
        " VALUES ((SELECT coalesce(max(id), 0) + 1 FROM projects), $1, $2, $3, $4, $4, $5)"
        " ON CONFLICT (name) DO UPDATE SET yaml = excluded.yaml, settings = excluded.settings,"
        " updated_at = excluded.updated_at, updated_by = excluded.updated_by";

    return db_run(scope->db, &scope->error, upsert, db_text(name), db_text(yaml), db_text(settings),
                  db_int(time_now_ms()), db_text(scope->principal.name));
}

static bool append_event(Scope *scope, const ProjectChange *change, const char *before)
{
    JsonWriter *json = json_writer_create(scope->arena);

    json_open_object(json, NULL);
    json_raw(json, "before", before);
    json_raw(json, "after", change->project.settings);
    json_close(json);
    return event_append(scope, change->is_new ? "project.created" : "project.changed",
                        change->project.name, json_finish(json));
}

static bool find_endpoint(Scope *scope, const char *name, Endpoint *endpoint, bool *found)
{
    *found = endpoint_find(scope, name, endpoint);
    if (*found)
        return true;
    if (scope->error.kind != ERROR_NOT_FOUND)
        return false;
    scope->error = (Error){0};
    return true;
}

/* Of an endpoint that exists: a file may tighten its gate, and nothing else. */
static bool tighten(Scope *scope, const Endpoint *endpoint, const ProjectFile *file,
                    ProjectChange *change)
{
    if (!file->has_gate || gate_rule_is_equal(&endpoint->rule, &file->gate))
        return true;
    if (gate_rule_is_tighter(&endpoint->rule, &file->gate))
        return endpoint_set_rule(scope, file->endpoint, &file->gate);
    text_list_add(&change->warnings, scope->arena,
                  arena_format(scope->arena,
                               "release.gate is not stricter than the gate of endpoint \"%s\", "
                               "which stays as it is: an approver changes it on the server",
                               file->endpoint));
    return true;
}

static bool match_endpoint(Scope *scope, const ProjectFile *file, ProjectChange *change)
{
    Endpoint endpoint;
    bool found;

    if (!file->endpoint)
        return true;
    if (!find_endpoint(scope, file->endpoint, &endpoint, &found))
        return false;
    if (found && strcmp(endpoint.project, file->name) != 0)
        return fail(&scope->error, ERROR_CONFLICT, "endpoint \"%s\" belongs to project \"%s\"",
                    file->endpoint, endpoint.project);
    if (found)
        return tighten(scope, &endpoint, file, change);
    return endpoint_ensure(scope, file->endpoint, file->name, &endpoint) &&
           (!file->has_gate || endpoint_set_rule(scope, file->endpoint, &file->gate));
}

static const char *settings_of(const ProjectFile *file, Arena *arena)
{
    JsonWriter *json = json_writer_create(arena);

    project_file_write_json(json, NULL, file);
    return json_finish(json);
}

bool project_put(Scope *scope, const char *name, const char *yaml, size_t size,
                 ProjectChange *change)
{
    ProjectChange made = {0};
    ProjectFile file;
    Project before = {0};
    bool found;

    if (!project_file_read(yaml, size, scope->arena, &file, &scope->error))
        return false;
    if (strcmp(file.name, name) != 0)
        return fail_field(&scope->error, "project",
                          "the file describes project \"%s\", not \"%.128s\"", file.name, name);
    yaml = arena_copy(scope->arena, yaml, size);
    made.warnings = file.warnings;
    if (!find_if_any(scope, name, &before, &found) || !match_endpoint(scope, &file, &made))
        return false;
    made.is_new = !found;
    made.is_changed = !found || strcmp(before.yaml, yaml) != 0;
    if (made.is_changed && !save(scope, name, yaml, settings_of(&file, scope->arena)))
        return false;
    if (!project_find(scope, name, &made.project) ||
        (made.is_changed && !append_event(scope, &made, before.settings)))
        return false;
    *change = made;
    return true;
}

/* Checking. */

static bool split_version(Scope *scope, const char *text, const char **name, int64_t *number)
{
    const char *at = text ? strrchr(text, '@') : NULL;

    *name = at ? arena_copy(scope->arena, text, (size_t)(at - text)) : text;
    *number = 0;
    return !at || (text_to_int(at + 1, number) && *number >= 1) ||
           fail_field(&scope->error, "data", "\"%.200s\" is not NAME or NAME@VERSION", text);
}

bool project_check_data(Scope *scope, ProjectCheck *check)
{
    const ProjectData *data;
    const char *name;
    int64_t number;
    ProjectFile file;

    if (!split_version(scope, check->data, &name, &number) ||
        !project_read_file(scope, check->project, &file) ||
        !project_file_data(&file, name, &data, &scope->error))
        return false;
    if (!data->expect)
        return fail_field(&scope->error, "data",
                          "project \"%s\" expects nothing of data set \"%s\"", file.name,
                          data->name);
    if (!dataset_version_find(scope, data->name, number, &check->version))
        return false;
    if (dataset_version_check(scope, &check->version, data->expect, &check->report))
        return true;
    if (scope->error.kind != ERROR_CONFLICT)
        return false;
    check->failure = arena_text(scope->arena, scope->error.message);
    scope->error = (Error){0};
    return true;
}

void project_check_write_json(JsonWriter *json, const char *key, const ProjectCheck *check)
{
    json_open_object(json, key);
    json_text(json, "data", check->version.dataset);
    json_int(json, "version", check->version.version);
    json_bool(json, "is_met", !check->failure);
    json_text(json, "failure", check->failure);
    json_raw(json, "expect", check->report);
    json_close(json);
}

static void write_members(JsonWriter *json, const Project *project)
{
    json_text(json, "name", project->name);
    json_text(json, "yaml", project->yaml);
    json_raw(json, "settings", project->settings);
    json_time(json, "created_at", project->created_at);
    json_time(json, "updated_at", project->updated_at);
    json_text(json, "updated_by", project->updated_by);
}

void project_write_json(JsonWriter *json, const char *key, const Project *project)
{
    json_open_object(json, key);
    write_members(json, project);
    json_close(json);
}

void project_change_write_json(JsonWriter *json, const char *key, const ProjectChange *change)
{
    json_open_object(json, key);
    write_members(json, &change->project);
    json_bool(json, "is_new", change->is_new);
    json_bool(json, "is_changed", change->is_changed);
    json_texts(json, "warnings", &change->warnings);
    json_close(json);
}
