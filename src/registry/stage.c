#include "registry/stage.h"

#include <string.h>
#include <strings.h>

#include "base/time.h"
#include "registry/model_internal.h"

static const char *const stages[] = {"None", "Staging", "Production", "Archived"};

bool model_stage_read(Scope *scope, const char *given, const char **stage)
{
    for (size_t i = 0; i < COUNT(stages); i++) {
        if (strcasecmp(given, stages[i]) != 0)
            continue;
        *stage = stages[i];
        return true;
    }
    return fail(&scope->error, ERROR_INVALID,
                "Invalid Model Version stage: %.100s. Value must be one of None, Staging, "
                "Production, Archived.",
                given);
}

static bool append_event(Scope *scope, const ModelVersion *version, const char *stage)
{
    JsonWriter *json = json_writer_create(scope->arena);

    json_open_object(json, NULL);
    json_text(json, "before", version->stage);
    json_text(json, "after", stage);
    json_close(json);
    return event_append(scope, "model_version.stage_changed",
                        model_version_object(scope->arena, version->model, version->version),
                        json_finish(json));
}

static bool move(Scope *scope, const ModelVersion *version, const char *stage)
{
    return db_run(scope->db, &scope->error,
                  "UPDATE model_versions SET stage = $2, updated_at = $3 WHERE id = $1",
                  db_int(version->id), db_text(stage), db_int(time_now_ms())) &&
           (strcmp(version->stage, stage) == 0 || append_event(scope, version, stage));
}

static bool archive_others(Scope *scope, const ModelVersion *kept, const char *stage)
{
    ModelVersionList list = {0};

    if (!model_version_list_at(scope, kept->model, stage, &list))
        return false;
    for (size_t i = 0; i < list.count; i++)
        if (list.items[i].id != kept->id && !move(scope, &list.items[i], "Archived"))
            return false;
    return true;
}

bool model_version_set_stage(Scope *scope, const StageChange *change, ModelVersion *version)
{
    const char *stage;
    RegisteredModel model;
    ModelVersion found;

    if (!model_stage_read(scope, change->stage, &stage))
        return false;
    if (change->archive_existing && strcmp(stage, "Staging") != 0 &&
        strcmp(stage, "Production") != 0)
        return fail(&scope->error, ERROR_INVALID,
                    "existing versions are archived by a move to Staging or Production, not to %s",
                    stage);
    if (!model_find(scope, change->model, &model) ||
        !model_version_find(scope, change->model, change->version, &found))
        return false;
    return (!change->archive_existing || archive_others(scope, &found, stage)) &&
           move(scope, &found, stage) && model_touch(scope, model.id) &&
           model_version_find(scope, change->model, change->version, version);
}

static bool is_asked_for(const TextList *asked, const char *stage)
{
    return !asked->count || text_list_has(asked, stage);
}

static bool read_stages(Scope *scope, const TextList *given, TextList *read)
{
    for (size_t i = 0; i < given->count; i++) {
        const char *stage;

        if (!model_stage_read(scope, given->items[i], &stage))
            return false;
        text_list_add(read, scope->arena, stage);
    }
    return true;
}

bool model_latest_versions(Scope *scope, const char *model, const TextList *given,
                           ModelVersionList *list)
{
    ModelVersionList newest = {0}, taken = {0};
    TextList asked = {0};
    RegisteredModel found;

    if (!read_stages(scope, given, &asked) || !model_find(scope, model, &found) ||
        !model_version_list_newest(scope, found.id, &newest))
        return false;
    for (size_t i = 0; i < newest.count; i++)
        if (is_asked_for(&asked, newest.items[i].stage))
            *arena_push(scope->arena, &taken) = newest.items[i];
    *list = taken;
    return true;
}

static bool add_details(Scope *scope, ModelOverview *overview)
{
    return model_version_list_newest(scope, overview->model.id, &overview->latest) &&
           model_alias_list(scope, &overview->model, &overview->aliases);
}

bool model_overview(Scope *scope, const char *name, ModelOverview *overview)
{
    return model_find(scope, name, &overview->model) && add_details(scope, overview);
}

bool model_overview_by_id(Scope *scope, int64_t id, ModelOverview *overview)
{
    return model_find_by_id(scope, id, &overview->model) && add_details(scope, overview);
}
