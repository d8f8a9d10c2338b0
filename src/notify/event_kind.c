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

#define DIGEST           "99069f74603519d0c5a2a4d2f6f1d5e2e6b3a37c1c1d0b7a8f7e6d5c4b3a2910"
#define EXAMPLE(subject) "\"subject\":\"An example: " subject "\",\"text\":\"This is a test.\\n\""
#define RELEASE                                                                                    \
    ",\"project\":\"spam\",\"environment\":\"production\",\"endpoint\":\"spam\",\"model\":"        \
    "\"spam\","                                                                                    \
    "\"version\":2"
#define APPROVAL(what)                                                                             \
    EXAMPLE("spam#12 " what ": version 2 of \\\"spam\\\" to production")                           \
    RELEASE ",\"approval\":7,\"digest\":\"" DIGEST                                                 \
            "\",\"run\":\"spam#12\",\"step\":\"release.production\""
#define PENDING(given)                                                                             \
    ",\"needed\":2,\"given\":" given ",\"command\":\"slipway approve 7 --digest 99069f746035\""
#define DECIDED ",\"decided_by\":\"ada\",\"comment\":\"looked at the confusions\""

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
    [EVENT_RELEASE_DEPLOYED] =
        OWN("release", "deployed",
            EXAMPLE("spam: version 2 of \\\"spam\\\" serves in production") RELEASE
            ",\"package\":\"" DIGEST "\",\"reason\":\"release\""),
    [EVENT_RELEASE_ABORTED] =
        OWN("release", "aborted",
            EXAMPLE("spam#12: version 2 of \\\"spam\\\" was aborted in production") RELEASE
            ",\"run\":\"spam#12\",\"share\":10,\"reason\":\"3 of 40 requests failed, which is more "
            "than 1 %\""),
    [EVENT_RELEASE_SUPERSEDED] =
        OWN("release", "superseded",
            EXAMPLE("spam#12: the release of version 2 of \\\"spam\\\" was superseded") RELEASE
            ",\"run\":\"spam#12\",\"step\":\"release.production\",\"reason\":\"endpoint spam has "
            "changed since the gate judged; run again\""),
    [EVENT_RELEASE_ROLLED_BACK] =
        OWN("release", "rolled_back",
            EXAMPLE("spam: production is back at version 2 of \\\"spam\\\"") RELEASE
            ",\"reason\":\"rollback\",\"comment\":\"too many were blocked\""),
    [EVENT_APPROVAL_ASKED] = OWN("approval", "asked", APPROVAL("asks for approval 7") PENDING("0")),
    [EVENT_APPROVAL_GIVEN] =
        OWN("approval", "given", APPROVAL("approval 7 has 1 of 2") PENDING("1") DECIDED),
    [EVENT_APPROVAL_APPROVED] =
        OWN("approval", "approved", APPROVAL("approval 7 was approved") DECIDED),
    [EVENT_APPROVAL_REJECTED] =
        OWN("approval", "rejected", APPROVAL("approval 7 was rejected") DECIDED),
    [EVENT_APPROVAL_EXPIRED] = OWN(
        "approval", "expired",
        APPROVAL("approval 7 has expired") ",\"reason\":\"0 of 1 people had approved it in time\""),
    [EVENT_APPROVAL_WITHDRAWN] =
        OWN("approval", "withdrawn",
            APPROVAL("approval 7 was withdrawn") ",\"reason\":\"the run has ended\""),
    [EVENT_PIPELINE_RUN_FAILED] = OWN(
        "pipeline_run", "failed",
        EXAMPLE(
            "spam#12 has failed at step \\\"train\\\"") ",\"project\":\"spam\",\"run\":\"spam#12\","
                                                        "\"step\":\"train\",\"reason\":\"exit code "
                                                        "1\""),
};

_Static_assert(COUNT(kinds) == EVENT_KIND_COUNT && EVENT_KIND_COUNT <= 8 * sizeof(EventKinds),
               "each kind has its row and its bit");

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

EventKinds event_kinds_named(const char *name)
{
    EventKinds set = 0;

    for (size_t i = 0; i < COUNT(kinds); i++) {
        size_t length = strlen(kinds[i].entity);
        bool is_of_all =
            strncmp(name, kinds[i].entity, length) == 0 && strcmp(name + length, ".*") == 0;

        if (is_of_all || strcmp(name, kinds[i].name) == 0)
            set |= event_kind_bit((EventKind)i);
    }
    return set;
}

EventKinds event_kinds_of_mlflow(void)
{
    EventKinds set = 0;

    for (size_t i = 0; i < COUNT(kinds); i++)
        if (kinds[i].is_mlflow)
            set |= event_kind_bit((EventKind)i);
    return set;
}
