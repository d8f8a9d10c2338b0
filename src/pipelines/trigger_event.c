#include "pipelines/trigger_event.h"

#include <string.h>

#include "access/event.h"
#include "pipelines/pipeline_internal.h"

static void write_order(JsonWriter *json, const PipelineOrder *order)
{
    json_text(json, "trigger", order->trigger);
    json_text(json, "cause", order->cause);
    json_text(json, "commit", order->commit);
    json_text(json, "branch", order->branch);
    json_text(json, "told_by", order->told_by);
    json_text(json, "signed_by", order->signed_by);
    originators_write_json(json, "originators", &order->originators);
}

bool trigger_append(Scope *scope, const char *outcome, const TriggerEvent *event)
{
    JsonWriter *json = json_writer_create(scope->arena);
    const char *run = event->run ? pipeline_run_title(event->run, scope->arena) : NULL;

    json_open_object(json, NULL);
    write_order(json, event->order);
    json_text(json, "pipeline_run", run);
    json_text(json, "reason", event->reason);
    json_close(json);
    return event_append(scope, arena_format(scope->arena, "trigger.%s", outcome),
                        event->order->project, json_finish(json)) &&
           event_about(scope, EVENT_PIPELINE_RUN, run);
}

static bool is_by_itself(const PipelineOrder *order)
{
    static const char *const triggers[] = {"push", "schedule", "data", "alarm"};

    for (size_t i = 0; i < COUNT(triggers); i++)
        if (text_equal(order->trigger, triggers[i]))
            return true;
    return false;
}

bool trigger_was_skipped(const PipelineOrder *order, const PipelineRun *run, bool is_new)
{
    return !is_new && !(order->trigger_key && text_equal(order->trigger_key, run->trigger_key));
}

const char *trigger_skip_reason(const PipelineRun *open, Arena *arena)
{
    return arena_format(arena, "%s was open, and the file says concurrency: skip",
                        pipeline_run_title(open, arena));
}

bool trigger_append_start(Scope *scope, const PipelineOrder *order, const PipelineRun *run,
                          bool is_new)
{
    TriggerEvent event = {.order = order, .run = run};
    PipelineOrder whole = *order;

    event.order = &whole;
    whole.project = run->project;
    if (trigger_was_skipped(order, run, is_new)) {
        event.reason = trigger_skip_reason(run, scope->arena);
        return trigger_append(scope, "skipped", &event);
    }
    return !is_new || !is_by_itself(order) || trigger_append(scope, "started", &event);
}
