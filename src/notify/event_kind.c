#include "notify/event_kind.h"

#include <string.h>

#define NAME(what)  "\"name\":\"example_" what "\""
#define VERSION     ",\"version\":\"1\""
#define KEY         ",\"key\":\"example_key\""
#define VALUE       ",\"value\":\"example_value\""
#define ALIAS       ",\"alias\":\"example_alias\""
#define TAGS        ",\"tags\":{\"example_key\":\"example_value\"}"
#define ABOUT(what) ",\"description\":\"An example " what "\""
#define KIND(what, event, is_known, data)                                                          \
    {                                                                                              \
        what "." event, what, event, "{" data "}", is_known                                        \
    }
#define MLFLOW(what, event, data) KIND(what, event, true, data)
#define OWN(what, event, data)    KIND(what, event, false, data)

/* Examples are MLflow's own, for receivers are written against them. */
static const EventKindInfo kinds[] = {
    [EVENT_MODEL_CREATED] =
        MLFLOW("registered_model", "created", NAME("model") TAGS ABOUT("registered model")),
    [EVENT_VERSION_CREATED] = MLFLOW(
        "model_version", "created",
        NAME("model") VERSION
        ",\"source\":\"models:/123\",\"run_id\":\"abcd1234abcd5678\"" TAGS ABOUT("model version")),
    [EVENT_VERSION_TAG_SET] = MLFLOW("model_version_tag", "set", NAME("model") VERSION KEY VALUE),
    [EVENT_VERSION_TAG_DELETED] = MLFLOW("model_version_tag", "deleted", NAME("model") VERSION KEY),
    [EVENT_ALIAS_CREATED] = MLFLOW("model_version_alias", "created", NAME("model") ALIAS VERSION),
    [EVENT_ALIAS_DELETED] = MLFLOW("model_version_alias", "deleted", NAME("model") ALIAS),
    [EVENT_PROMPT_CREATED] = MLFLOW("prompt", "created", NAME("prompt") TAGS ABOUT("prompt")),
    [EVENT_PROMPT_VERSION_CREATED] = MLFLOW(
        "prompt_version", "created",
        NAME("prompt") VERSION ",\"template\":\"Hello {{name}}!\"" TAGS ABOUT("prompt version")),
    [EVENT_PROMPT_VERSION_TAG_SET] =
        MLFLOW("prompt_version_tag", "set", NAME("prompt") VERSION KEY VALUE),
    [EVENT_PROMPT_VERSION_TAG_DELETED] =
        MLFLOW("prompt_version_tag", "deleted", NAME("prompt") VERSION KEY),
    [EVENT_PROMPT_ALIAS_CREATED] = MLFLOW("prompt_alias", "created", NAME("prompt") ALIAS VERSION),
    [EVENT_PROMPT_ALIAS_DELETED] = MLFLOW("prompt_alias", "deleted", NAME("prompt") ALIAS),
    [EVENT_PROMPT_TAG_SET] = MLFLOW("prompt_tag", "set", NAME("prompt") KEY VALUE),
    [EVENT_PROMPT_TAG_DELETED] = MLFLOW("prompt_tag", "deleted", NAME("prompt") KEY),
    [EVENT_BUDGET_EXCEEDED] = MLFLOW(
        "budget_policy", "exceeded",
        "\"budget_policy_id\":\"bp-abc123\",\"budget_unit\":\"USD\",\"budget_amount\":100.0,"
        "\"current_spend\":105.5,\"duration_unit\":\"MONTHS\",\"duration_value\":1,"
        "\"target_scope\":\"ENDPOINT\",\"workspace\":\"default\",\"target_value\":\"ep-abc123\","
        "\"window_start\":1704067200000"),
    [EVENT_RELEASE_REJECTED] = OWN("release", "rejected",
                                   "\"subject\":\"An example: version 2 of \\\"spam\\\" was "
                                   "rejected at endpoint \\\"spam\\\"\","
                                   "\"text\":\"This is a test.\""),
};

const EventKindInfo *event_kind_info(EventKind kind)
{
    return &kinds[kind];
}

bool event_kind_find(const char *name, EventKind *kind)
{
    for (size_t i = 0; i < COUNT(kinds); i++) {
        if (strcmp(kinds[i].name, name) != 0)
            continue;
        *kind = (EventKind)i;
        return true;
    }
    return false;
}

EventKinds event_kinds_of_mlflow(void)
{
    EventKinds set = 0;

    for (size_t i = 0; i < COUNT(kinds); i++)
        if (kinds[i].is_mlflow)
            set |= event_kind_bit((EventKind)i);
    return set;
}
