#include "pipelines/pipeline_source.h"

#include <string.h>

#include "access/event.h"
#include "base/time.h"
#include "pipelines/pipeline_internal.h"
#include "pipelines/project.h"
#include "pipelines/schedule.h"

/* Every select starts with these columns, in the order from_row() reads. */
#define SELECT_SOURCE                                                                              \
    "SELECT project, file, tree, commit_id, branch, settings, updated_at, updated_by, originators" \
    " FROM pipelines"

static PipelineSource from_row(const Query *query, Arena *arena)
{
    return (PipelineSource){
        .project = query_text(query, 0, arena),
        .file = query_text(query, 1, arena),
        .tree = query_text(query, 2, arena),
        .commit = query_text(query, 3, arena),
        .branch = query_text(query, 4, arena),
        .settings = query_text(query, 5, arena),
        .updated_at = query_int(query, 6),
        .updated_by = query_text(query, 7, arena),
        .originators = query_text(query, 8, arena),
    };
}

void pipeline_source_write_json(JsonWriter *json, const char *key, const PipelineSource *source)
{
    json_open_object(json, key);
    {
        json_text(json, "project", source->project);
        json_text(json, "file", source->file);
        json_text(json, "tree", source->tree);
        json_text(json, "commit", source->commit);
        json_text(json, "branch", source->branch);
        json_raw(json, "settings", source->settings);
        json_time(json, "updated_at", source->updated_at);
        json_text(json, "updated_by", source->updated_by);
        json_raw(json, "originators", source->originators);
    }
    json_close(json);
}

static bool find_if_any(Scope *scope, const char *project, PipelineSource *source, bool *found)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, SELECT_SOURCE " WHERE project = $1", db_text(project));

    *found = query_next(&query);
    if (*found)
        *source = from_row(&query, scope->arena);
    return query_end(&query, &scope->error);
}

bool pipeline_source_find(Scope *scope, const char *project, PipelineSource *source)
{
    bool found;

    if (!find_if_any(scope, project, source, &found))
        return false;
    return found ||
           fail(&scope->error, ERROR_NOT_FOUND,
                "project \"%.128s\" has no pipeline: put its files by slipway up", project);
}

bool pipeline_source_list(Scope *scope, const Page *page, PipelineSourceList *list)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, SELECT_SOURCE " WHERE project > $1 ORDER BY project LIMIT $2",
                           db_text(page_after(page)), db_int(page_limit(page)));

    while (query_next(&query))
        *arena_push(scope->arena, list) = from_row(&query, scope->arena);
    return query_end(&query, &scope->error);
}

/* ---- what the file says, as JSON ---- */

static const char *const type_names[] = {
    [PIPELINE_TEXT] = "text",       [PIPELINE_INTEGER] = "integer", [PIPELINE_NUMBER] = "number",
    [PIPELINE_BOOLEAN] = "boolean", [PIPELINE_DATE] = "date",       [PIPELINE_CHOICE] = "choice",
};

static const char *const overlap_names[] = {
    [PIPELINE_QUEUE] = "queue", [PIPELINE_SKIP] = "skip", [PIPELINE_REPLACE] = "replace"};

static void write_params(JsonWriter *json, const PipelineParamList *params)
{
    json_open_array(json, "params");
    for (size_t i = 0; i < params->count; i++) {
        const PipelineParam *param = &params->items[i];

        json_open_object(json, NULL);
        json_text(json, "name", param->name);
        json_text(json, "type", type_names[param->type]);
        json_raw(json, "default", param->fallback);
        json_text(json, "description", param->description);
        json_texts(json, "choices", &param->choices);
        json_close(json);
    }
    json_close(json);
}

static void write_triggers(JsonWriter *json, const PipelineTriggers *on)
{
    json_open_object(json, "on");
    json_open_array(json, "schedule");
    for (size_t i = 0; i < on->schedules.count; i++) {
        json_open_object(json, NULL);
        json_text(json, "cron", on->schedules.items[i].cron);
        json_text(json, "timezone", on->schedules.items[i].timezone);
        json_text(json, "missed", on->schedules.items[i].missed);
        json_close(json);
    }
    json_close(json);
    json_texts(json, "push", &on->push);
    json_texts(json, "data", &on->data);
    json_texts(json, "alarm", &on->alarm);
    json_bool(json, "api", on->api);
    json_bool(json, "manual", on->manual);
    json_close(json);
}

static const char *settings_json(const PipelineFile *file, Arena *arena)
{
    JsonWriter *json = json_writer_create(arena);

    json_open_object(json, NULL);
    write_params(json, &file->params);
    write_triggers(json, &file->on);
    json_text(json, "concurrency", overlap_names[file->overlap]);
    json_close(json);
    return json_finish(json);
}

/* ---- putting ---- */

typedef struct Put {
    const PipelineOrder *order;
    const OrderRead *read;
    const char *settings;
    PipelineSource *source;
} Put;

static bool is_same(const PipelineSource *before, const Put *put)
{
    return strcmp(before->tree, put->read->listing.digest) == 0 &&
           strcmp(before->file, put->read->path) == 0 &&
           text_equal(before->commit, put->order->commit) &&
           text_equal(before->branch, put->order->branch);
}

static bool append_changed(Scope *scope, const PipelineSource *source)
{
    JsonWriter *json = json_writer_create(scope->arena);

    pipeline_source_write_json(json, NULL, source);
    return event_append(scope, "pipeline.changed", source->project, json_finish(json));
}

static bool save(Scope *scope, const Put *put)
{
    static const char upsert[] =
        "INSERT INTO pipelines (project, file, tree, commit_id, branch, settings, updated_at,"
        " updated_by, originators) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
        " ON CONFLICT (project) DO UPDATE SET file = excluded.file, tree = excluded.tree,"
        " commit_id = excluded.commit_id, branch = excluded.branch, settings = excluded.settings,"
        " updated_at = excluded.updated_at, updated_by = excluded.updated_by,"
        " originators = excluded.originators";
    OriginatorList originators = {0};

    originators_add_all(&originators, scope->arena, &put->order->originators);
    originators_add_caller(&originators, scope, ORIGINATOR_PUT);
    return db_run(scope->db, &scope->error, upsert, db_text(put->read->project),
                  db_text(put->read->path), db_text(put->read->listing.digest),
                  db_text(put->order->commit), db_text(put->order->branch), db_text(put->settings),
                  db_int(time_now_ms()), db_text(scope->principal.name),
                  db_text(originators_print(&originators, scope->arena)));
}

static bool write_put(Scope *scope, void *context)
{
    Put *put = context;
    const OrderRead *read = put->read;
    PipelineSource before;
    ProjectChange change;
    bool found;

    scope->topic.project = read->project;
    if ((read->yaml && !project_put(scope, read->project, read->yaml, read->yaml_size, &change)) ||
        !find_if_any(scope, read->project, &before, &found))
        return false;
    if (found && is_same(&before, put)) {
        *put->source = before;
        return true;
    }
    return save(scope, put) &&
           schedules_put(scope, read->project, &read->file.on.schedules, time_now_ms()) &&
           pipeline_source_find(scope, read->project, put->source) &&
           append_changed(scope, put->source);
}

/* A param without a default gets its value when a run is asked for; then is the plan made. */
static bool can_plan(const PipelineFile *file)
{
    for (size_t i = 0; i < file->params.count; i++)
        if (!file->params.items[i].fallback)
            return false;
    return true;
}

bool pipeline_source_put(Scope *scope, const PipelineOrder *order, PipelineSource *source)
{
    Plan plan = {0};
    OrderRead read;
    Put put = {.order = order, .read = &read, .source = source};

    if (!pipeline_order_read(scope, order, &read) ||
        !schedules_check(&read.file.on.schedules, scope->arena, &scope->error) ||
        (can_plan(&read.file) && !pipeline_order_plan(scope, order, &read, &plan)))
        return false;
    put.settings = settings_json(&read.file, scope->arena);
    return scope_write(scope, write_put, &put);
}

/* ---- starting ---- */

/* What a schedule or a program starts is what somebody has put. */
static bool add_originators(Scope *scope, const PipelineSource *source, OriginatorList *list)
{
    OriginatorList put = {0};

    if (!originators_parse(source->originators, scope->arena, &put, &scope->error))
        return false;
    if (!put.count)
        originators_add(&put, scope->arena, (Originator){NULL, ORIGINATOR_PUT});
    originators_add_all(list, scope->arena, &put);
    return true;
}

bool pipeline_source_start(Scope *scope, const PipelineOrder *order, PipelineRun *run, bool *is_new)
{
    PipelineOrder whole = *order;
    PipelineSource source;

    whole.originators = (OriginatorList){0};
    originators_add_all(&whole.originators, scope->arena, &order->originators);

    if (!pipeline_source_find(scope, order->project, &source) ||
        !add_originators(scope, &source, &whole.originators) ||
        !tree_read(scope->platform->artifacts, source.tree, scope->arena, &whole.files,
                   &scope->error))
        return false;
    whole.file = source.file;
    whole.commit = source.commit;
    whole.branch = source.branch;
    whole.is_stored = true;
    return pipeline_start(scope, &whole, run, is_new);
}

/* ---- what it is on ---- */

bool trigger_name_fits(const char *pattern, const char *name)
{
    const char *star = NULL, *retry = NULL;

    while (*name) {
        if (*pattern == '*') {
            star = pattern++;
            retry = name;
        } else if (*pattern == *name) {
            pattern++;
            name++;
        } else if (star) {
            pattern = star + 1;
            name = ++retry;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return !*pattern;
}

bool pipeline_source_is_on(Scope *scope, const PipelineSource *source, const char *trigger,
                           const char *name, bool *is_on)
{
    const JsonValue *settings;

    if (!json_parse(source->settings, strlen(source->settings), scope->arena, &settings,
                    &scope->error))
        return false;
    *is_on = false;
    for (JsonWalk walk = json_walk(json_member(json_member(settings, "on"), trigger));
         json_walk_next(&walk);)
        *is_on = *is_on || trigger_name_fits(json_as_text(walk.value, ""), name);
    return true;
}
