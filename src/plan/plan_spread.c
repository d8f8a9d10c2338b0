/* plan_spread.c: foreach and matrix: what a stage is spread into, named as DVC names it. */

#include <ctype.h>
#include <string.h>

#include "plan/plan_internal.h"

static bool is_composite(const JsonValue *value)
{
    return json_is_object(value) || json_is_array(value);
}

static bool fail_items(Planner *planner, const YamlNode *node, const char *wanted)
{
    return yaml_fail(node, planner->arena, planner->error, "stage \"%s\": %s", planner->stage->name,
                     wanted);
}

static bool check_suffix(Planner *planner, const YamlNode *node, const char *suffix)
{
    size_t length = strlen(planner->stage->name) + 1 + strlen(suffix);

    for (const char *at = suffix; *at; at++)
        if (iscntrl((unsigned char)*at))
            return fail_items(planner, node, "a name of a step holds no control characters");
    if (!*suffix)
        return fail_items(planner, node, "an item is empty: it names a step");
    return length <= PIPELINE_NAME_MAX ||
           yaml_fail(node, planner->arena, planner->error,
                     "stage \"%s\": the name of a step has at most %d bytes", planner->stage->name,
                     PIPELINE_NAME_MAX);
}

static bool add_item(Planner *planner, const YamlNode *node, const PlanItem *item,
                     PlanItemList *items)
{
    if (!check_suffix(planner, node, item->suffix))
        return false;
    if (planner->plan.count + items->count >= PLAN_STEPS_MAX)
        return yaml_fail(node, planner->arena, planner->error, "a plan has at most %d steps",
                         PLAN_STEPS_MAX);
    *arena_push(planner->arena, items) = *item;
    return true;
}

static bool text_of(Planner *planner, const YamlNode *node, const JsonValue *value,
                    const char **text)
{
    const ExpressionValue scalar = expression_value_of(value, planner->arena);

    return expression_value_text(&scalar, text, planner->error) || planner_fail_at(planner, node);
}

/* What was written in the scratch, as a value of the planner's; the scratch is empty after that. */
static bool keep_json(Planner *planner, Arena *scratch, JsonWriter *json, const JsonValue **value)
{
    const bool is_kept =
        json_parse(json_finish(json), json_size(json), planner->arena, value, planner->error);

    arena_reset(scratch);
    return is_kept;
}

static bool json_of_text(Planner *planner, Arena *scratch, const char *text,
                         const JsonValue **value)
{
    JsonWriter *json = json_writer_create(scratch);

    json_text(json, NULL, text);
    return keep_json(planner, scratch, json, value);
}

/* A list with a list or a map in it names its steps by position. */
static bool has_composite(const JsonValue *list)
{
    for (JsonWalk walk = json_walk(list); json_walk_next(&walk);)
        if (is_composite(walk.value))
            return true;
    return false;
}

static bool spread_foreach(Planner *planner, const YamlNode *node, PlanItemList *items)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    bool by_position;
    const JsonValue *all;

    if (node->type == YAML_SCALAR)
        return fail_items(planner, node, "foreach is a list or a map");
    if (!yaml_to_json(node, planner->arena, &all, planner->error))
        return false;
    by_position = json_is_array(all) && has_composite(all);
    for (JsonWalk walk = json_walk(all); json_walk_next(&walk);) {
        PlanItem item = {.suffix = walk.key, .item = walk.value};

        if (walk.key && !json_of_text(planner, scratch, walk.key, &item.key))
            return false;
        if (!walk.key && by_position)
            item.suffix = arena_format(planner->arena, "%zu", walk.index);
        else if (!walk.key && !text_of(planner, node, walk.value, &item.suffix))
            return false;
        if (!add_item(planner, node, &item, items))
            return false;
    }
    return true;
}

/* One value of each list at a time; the last list turns first. */
typedef struct Dial {
    const char *key;
    JsonItem *items;
    size_t count, at;
} Dial;

typedef struct DialList {
    Dial *items;
    size_t count;
} DialList;

static bool read_matrix(Planner *planner, const YamlNode *node, DialList *dials)
{
    const JsonValue *matrix;

    if (node->type != YAML_MAP)
        return fail_items(planner, node, "matrix is a map of lists");
    if (!yaml_to_json(node, planner->arena, &matrix, planner->error))
        return false;
    for (JsonWalk walk = json_walk(matrix); json_walk_next(&walk);) {
        Dial *dial = arena_push(planner->arena, dials);

        if (!json_is_array(walk.value))
            return fail_items(planner, node, "matrix is a map of lists");
        *dial = (Dial){.key = walk.key};
        for (JsonWalk value = json_walk(walk.value); json_walk_next(&value);)
            arena_push(planner->arena, dial)->value = value.value;
    }
    return true;
}

static bool turn(DialList *dials)
{
    for (size_t i = dials->count; i-- > 0;) {
        if (++dials->items[i].at < dials->items[i].count)
            return true;
        dials->items[i].at = 0;
    }
    return false;
}

/* "a-b-feature0": a value, or of a list or a map its key and position. */
static bool name_combination(Planner *planner, const YamlNode *node, const DialList *dials,
                             const char **suffix)
{
    TextBuilder name = {.arena = planner->arena};

    for (size_t i = 0; i < dials->count; i++) {
        const Dial *dial = &dials->items[i];
        const JsonValue *value = dial->items[dial->at].value;
        const char *text = "";

        if (is_composite(value))
            text = arena_format(planner->arena, "%s%zu", dial->key, dial->at);
        else if (!text_of(planner, node, value, &text))
            return false;
        text_append_format(&name, "%s%s", i ? "-" : "", text);
    }
    *suffix = text_built(&name);
    return true;
}

/* Item and key are one document: a plan has up to PLAN_STEPS_MAX of them. */
static bool combine(Planner *planner, const YamlNode *node, const DialList *dials, Arena *scratch,
                    PlanItem *item)
{
    JsonWriter *json = json_writer_create(scratch);
    const JsonValue *both;

    *item = (PlanItem){0};
    if (!name_combination(planner, node, dials, &item->suffix))
        return false;
    json_open_object(json, NULL);
    {
        json_open_object(json, "item");
        for (size_t i = 0; i < dials->count; i++) {
            const Dial *dial = &dials->items[i];

            json_raw(json, dial->key, json_print(dial->items[dial->at].value, scratch));
        }
        json_close(json);
        json_text(json, "key", item->suffix);
    }
    json_close(json);
    if (!keep_json(planner, scratch, json, &both))
        return false;
    item->item = json_member(both, "item");
    item->key = json_member(both, "key");
    return true;
}

static bool spread_matrix(Planner *planner, const YamlNode *node, PlanItemList *items)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    DialList dials = {0};

    if (!read_matrix(planner, node, &dials))
        return false;
    for (size_t i = 0; i < dials.count; i++)
        if (!dials.items[i].count)
            return true;
    do {
        PlanItem item;

        if (!combine(planner, node, &dials, scratch, &item) ||
            !add_item(planner, node, &item, items))
            return false;
    } while (turn(&dials));
    return true;
}

bool planner_items(Planner *planner, const PipelineStage *stage, PlanItemList *items)
{
    const YamlNode *node = stage->foreach ? stage->foreach : stage->parts.matrix;

    *items = (PlanItemList){0};
    if (!node) {
        *arena_push(planner->arena, items) = (PlanItem){0};
        return planner->plan.count < PLAN_STEPS_MAX ||
               yaml_fail(stage->node, planner->arena, planner->error, "a plan has at most %d steps",
                         PLAN_STEPS_MAX);
    }
    if (!planner_resolve(planner, node, &node))
        return false;
    return stage->foreach ? spread_foreach(planner, node, items)
                          : spread_matrix(planner, node, items);
}
