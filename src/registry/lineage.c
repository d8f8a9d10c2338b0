/* lineage.c: where a version came from and what happened to it, in one answer. */

#include <stdlib.h>

#include "registry/model_internal.h"

static int compare_events(const void *left, const void *right)
{
    const Event *a = left, *b = right;

    return (a->id > b->id) - (a->id < b->id);
}

static bool add_events(Scope *scope, const char *object, EventList *events)
{
    EventList found = {0};

    if (!event_list(scope, &(EventFilter){.object = object}, &found))
        return false;
    for (size_t i = 0; i < found.count; i++)
        *arena_push(scope->arena, events) = found.items[i];
    return true;
}

/* A run that is gone is no failure: the version keeps its own record of where it came from. */
static bool load_run(Scope *scope, Lineage *lineage)
{
    if (!lineage->version.run_id)
        return true;
    if (!run_find(scope, lineage->version.run_id, &lineage->run)) {
        if (scope->error.kind != ERROR_NOT_FOUND)
            return false;
        scope->error = (Error){0};
        return true;
    }
    lineage->has_run = true;
    return add_events(scope, lineage->run.id, &lineage->events);
}

bool model_version_lineage(Scope *scope, const char *model, const char *name, Lineage *lineage)
{
    Lineage found = {0};
    const char *object;

    if (!model_version_resolve(scope, model, name, &found.version) || !load_run(scope, &found))
        return false;
    object = model_version_object(scope->arena, found.version.model, found.version.version);
    if (!add_events(scope, object, &found.events))
        return false;
    qsort(found.events.items, found.events.count, sizeof(Event), compare_events);
    *lineage = found;
    return true;
}

void lineage_write_json(JsonWriter *json, const char *key, const Lineage *lineage)
{
    json_open_object(json, key);
    {
        model_version_write_json(json, "version", &lineage->version);
        if (lineage->has_run)
            run_write_json(json, "run", &lineage->run);
        else
            json_null(json, "run");
        json_open_array(json, "events");
        for (size_t i = 0; i < lineage->events.count; i++)
            event_write_json(json, NULL, &lineage->events.items[i]);
        json_close(json);
    }
    json_close(json);
}
