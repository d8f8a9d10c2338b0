/* pipeline_triggers.c: what starts a run, and what a start does while one goes on. */

#include <string.h>

#include "base/cron.h"
#include "base/zone.h"
#include "plan/pipeline_internal.h"

enum { SCHEDULES_MAX = 100 };

/* Whether there is such a zone is the system's to say, not the file's. */
static bool check_times(PipelineReader *reader, const ScheduleParts *parts)
{
    CronSchedule schedule;
    Error error = {0};

    if (!cron_parse(parts->cron->text, &schedule, &error))
        return fail_node(reader, parts->cron, "%s", error.message);
    return !parts->timezone || zone_name_is_valid(parts->timezone->text) ||
           fail_node(reader, parts->timezone,
                     "a time zone has a name such as Europe/Amsterdam or UTC, not \"%.60s\"",
                     parts->timezone->text);
}

static bool read_schedule(PipelineReader *reader, const YamlNode *node)
{
    PipelineScheduleList *schedules = &reader->file->on.schedules;
    ScheduleParts parts = {0};

    if (!fields_read(&reader->fields, node, schedule_fields, &parts) ||
        !check_times(reader, &parts))
        return false;
    if (schedules->count == SCHEDULES_MAX)
        return fail_node(reader, node, "there are at most %d schedules", SCHEDULES_MAX);
    *arena_push(reader->fields.arena, schedules) =
        (PipelineSchedule){.cron = parts.cron->text,
                           .timezone = field_text(parts.timezone, "UTC"),
                           .missed = field_text(parts.missed, "latest")};
    return true;
}

static TextList read_texts(const PipelineReader *reader, const YamlNode *node)
{
    TextList texts = {0};

    for (const YamlNode *item = field_first(node); item; item = field_next(node, item))
        *arena_push(reader->fields.arena, &texts) = item->text;
    return texts;
}

static const char *all_data(const PipelineReader *reader)
{
    TextBuilder names = {.arena = reader->fields.arena};
    const YamlNode *data = reader->parts->nodes.data;

    for (const YamlNode *node = data ? data->first : NULL; node; node = node->next)
        text_append_format(&names, "%s%s", node == data->first ? "" : ", ", node->key);
    return names.count ? text_built(&names) : "none";
}

static bool check_data(PipelineReader *reader, const YamlNode *data)
{
    size_t place;

    for (const YamlNode *item = field_first(data); item; item = field_next(data, item))
        if (!name_index_find(&reader->parts->data_index, item->text, &place))
            return fail_node(reader, item, "there is no data set \"%.100s\"; there are: %s",
                             item->text, all_data(reader));
    return true;
}

static bool read_on(PipelineReader *reader, const YamlNode *map)
{
    PipelineTriggers *on = &reader->file->on;
    TriggerParts parts = {0};

    if (!fields_read(&reader->fields, map, trigger_fields, &parts) ||
        !check_data(reader, parts.data))
        return false;
    for (const YamlNode *item = field_first(parts.schedule); item;
         item = field_next(parts.schedule, item))
        if (!read_schedule(reader, item))
            return false;
    on->push = read_texts(reader, parts.push);
    on->data = read_texts(reader, parts.data);
    on->alarm = read_texts(reader, parts.alarm);
    on->api = field_bool(parts.api, true);
    on->manual = field_bool(parts.manual, true);
    return true;
}

bool triggers_read(PipelineReader *reader)
{
    const FileParts *nodes = &reader->parts->nodes;
    const YamlNode *rule = nodes->concurrency;

    reader->file->on.api = reader->file->on.manual = true;
    if (nodes->on && !read_on(reader, nodes->on))
        return false;
    if (rule && rule->type == YAML_MAP)
        rule = yaml_member(rule, "rule");
    while (rule && strcmp(overlaps[reader->file->overlap], rule->text) != 0)
        reader->file->overlap++;
    return true;
}
