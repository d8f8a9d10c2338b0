/* lineage.c: where a version came from and what happened to it, in one answer. */

#include <stdlib.h>
#include <string.h>

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

static bool begins_history(const Event *event)
{
    return strcmp(event->action, "model_version.created") == 0 ||
           strcmp(event->action, MODEL_VERSION_RENAMED) == 0;
}

/* The name that the version had before this event, or NULL. */
static const char *name_before(const Event *event, Arena *arena)
{
    const JsonValue *detail = NULL;
    Error ignored = {0};

    if (strcmp(event->action, MODEL_VERSION_RENAMED) != 0 ||
        !json_parse(event->detail, strlen(event->detail), arena, &detail, &ignored))
        return NULL;
    return json_as_text(json_member(detail, "before"), NULL);
}

/* A name may have been another model's before this version was made or renamed to it, and will be
 * another's after it was renamed away. */
static bool add_history(Scope *scope, const char *object, EventList *events)
{
    int64_t end = INT64_MAX;

    while (object) {
        EventList found = {0};
        size_t first = 0, count = 0;

        if (!event_list(scope, &(EventFilter){.object = object}, &found))
            return false;
        for (; count < found.count && found.items[count].id < end; count++)
            if (begins_history(&found.items[count]))
                first = count;
        for (size_t i = first; i < count; i++)
            *arena_push(scope->arena, events) = found.items[i];
        object = first < count ? name_before(&found.items[first], scope->arena) : NULL;
        end = first < count ? found.items[first].id : 0;
    }
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
    if (!add_history(scope, object, &found.events))
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
