/* pipeline_fields.c: the keys of a pipeline's file. Reading, messages, the JSON Schema and the
 * table of docs/reference/pipeline.md follow these rows. */

#include "plan/pipeline_internal.h"

#define FILE_AT(member)     offsetof(FileParts, member)
#define STAGE_AT(member)    offsetof(StageParts, member)
#define OUT_AT(member)      offsetof(OutParts, member)
#define PARAM_AT(member)    offsetof(ParamParts, member)
#define TRIGGER_AT(member)  offsetof(TriggerParts, member)
#define SCHEDULE_AT(member) offsetof(ScheduleParts, member)

const char *const param_types[] = {
    [PIPELINE_TEXT] = "text",       [PIPELINE_INTEGER] = "integer", [PIPELINE_NUMBER] = "number",
    [PIPELINE_BOOLEAN] = "boolean", [PIPELINE_DATE] = "date",       [PIPELINE_CHOICE] = "choice",
    [PIPELINE_CHOICE + 1] = NULL};

const char *const overlaps[] = {[PIPELINE_QUEUE] = "queue",
                                [PIPELINE_SKIP] = "skip",
                                [PIPELINE_REPLACE] = "replace",
                                [PIPELINE_REPLACE + 1] = NULL};

static const char *const missed_rules[] = {"latest", "skip", "all", NULL};

const Field retry_fields[] = {
    {"max", FORM_ONE, SHAPE_COUNT, offsetof(RetryParts, max),
     "how often it is tried again after a failure", .is_required = true},
    {"backoff", FORM_ONE, SHAPE_DURATION, offsetof(RetryParts, backoff),
     "the wait before the first retry; it doubles each time"},
    {0},
};

const Field resource_fields[] = {
    {"cpus", FORM_ONE, SHAPE_COUNT, offsetof(ResourceParts, cpus), "processors"},
    {"memory", FORM_ONE, SHAPE_BYTES, offsetof(ResourceParts, memory), "memory at most"},
    {"gpus", FORM_ONE, SHAPE_COUNT, offsetof(ResourceParts, gpus), "graphics processors"},
    {"files", FORM_ONE, SHAPE_COUNT, offsetof(ResourceParts, files), "open files at most"},
    {0},
};

#define OUT_ROWS                                                                                   \
    {"cache", FORM_ONE, SHAPE_BOOL, OUT_AT(cache), "DVC's; here every output is stored"},          \
        {"persist", FORM_ONE, SHAPE_BOOL, OUT_AT(persist),                                         \
         "that of the last time is there when the step starts"},                                   \
        {"push", FORM_ONE, SHAPE_BOOL, OUT_AT(push), "DVC's; not used"},                           \
        {"remote", FORM_ONE, SHAPE_TEXT, OUT_AT(remote), "DVC's; not used"},                       \
        {"desc", FORM_ONE, SHAPE_TEXT, OUT_AT(desc), "a description"},                             \
        {"type", FORM_ONE, SHAPE_TEXT, OUT_AT(type), "DVC's; not used"},                           \
        {"labels", FORM_LIST, SHAPE_TEXT, OUT_AT(labels), "DVC's; not used"},                      \
    {                                                                                              \
        "meta", FORM_ONE, SHAPE_ANY, OUT_AT(meta), "for other programs"                            \
    }

const Field out_fields[] = {OUT_ROWS, {0}};

const Field plot_fields[] = {
    OUT_ROWS,
    {"x", FORM_ONE, SHAPE_TEXT, OUT_AT(x), "the column along"},
    {"y", FORM_ONE, SHAPE_TEXT, OUT_AT(y), "the column upwards"},
    {"title", FORM_ONE, SHAPE_TEXT, OUT_AT(title), "of the plot"},
    {"x_label", FORM_ONE, SHAPE_TEXT, OUT_AT(x_label), "along the x axis"},
    {"y_label", FORM_ONE, SHAPE_TEXT, OUT_AT(y_label), "along the y axis"},
    {"header", FORM_ONE, SHAPE_BOOL, OUT_AT(header), "whether the first row has names"},
    {"template", FORM_ONE, SHAPE_TEXT, OUT_AT(template), "DVC's; not used"},
    {0},
};

const Field stage_fields[] = {
    {"cmd", FORM_ONE_OR_LIST, SHAPE_TEXT, STAGE_AT(cmd),
     "a line for the shell, or several that run one after the other until one fails"},
    {"argv", FORM_LIST, SHAPE_TEXT, STAGE_AT(argv), "a program and its arguments, without a shell"},
    {"uses", FORM_ONE, SHAPE_TEXT, STAGE_AT(uses), "a built-in step"},
    {"with", FORM_MAP, SHAPE_ANY, STAGE_AT(with), "what the built-in step takes"},
    {"env", FORM_MAP, SHAPE_TEXT, STAGE_AT(env), "variables of the command's environment"},
    {"wdir", FORM_ONE, SHAPE_TEXT, STAGE_AT(wdir),
     "the folder where the command starts and its paths begin"},
    {"deps", FORM_LIST, SHAPE_TEXT, STAGE_AT(deps),
     "files and folders that it reads, and data sets by name"},
    {"outs", FORM_ENTRIES, SHAPE_FIELDS, STAGE_AT(outs), "files and folders that it makes",
     out_fields},
    {"metrics", FORM_ENTRIES, SHAPE_FIELDS, STAGE_AT(metrics), "files of numbers that it makes",
     out_fields},
    {"plots", FORM_ENTRIES, SHAPE_FIELDS, STAGE_AT(plots), "files to draw from that it makes",
     plot_fields},
    {"params", FORM_LIST, SHAPE_ANY, STAGE_AT(params),
     "keys of params.yaml, or of another file {file: [keys]}, that it depends on"},
    {"vars", FORM_ONE, SHAPE_ANY, STAGE_AT(vars), "values for this stage's expressions"},
    {"needs", FORM_ONE_OR_LIST, SHAPE_TEXT, STAGE_AT(needs), "stages that it waits for"},
    {"when", FORM_ONE, SHAPE_TEXT, STAGE_AT(when), "an expression that must be true for it to run"},
    {"timeout-minutes", FORM_ONE, SHAPE_COUNT, STAGE_AT(timeout), "it is stopped after that long"},
    {"retries", FORM_ONE, SHAPE_FIELDS, STAGE_AT(retries), "what follows a failure", retry_fields},
    {"resources", FORM_ONE, SHAPE_FIELDS, STAGE_AT(resources), "what it may use", resource_fields},
    {"environment", FORM_ONE, SHAPE_NAME, STAGE_AT(environment),
     "whose rules, set on the server, hold before it starts"},
    {"executor", FORM_ONE, SHAPE_NAME, STAGE_AT(executor), "where it runs"},
    {"frozen", FORM_ONE, SHAPE_BOOL, STAGE_AT(frozen),
     "its outputs stay those of the last time, whatever changed"},
    {"always_changed", FORM_ONE, SHAPE_BOOL, STAGE_AT(always_changed), "it runs every time"},
    {"desc", FORM_ONE, SHAPE_TEXT, STAGE_AT(desc), "a description"},
    {"meta", FORM_ONE, SHAPE_ANY, STAGE_AT(meta), "for other programs"},
    {"matrix", FORM_MAP, SHAPE_ANY, STAGE_AT(matrix), "lists by name: a step for each combination"},
    {0},
};

const Field foreach_fields[] = {
    {"foreach", FORM_ONE, SHAPE_ANY, STAGE_AT(foreach), "a list or a map: a step for each item",
     .is_required = true},
    {"do", FORM_ONE, SHAPE_FIELDS, STAGE_AT(body), "the stage", stage_fields, .is_required = true},
    {0},
};

const Field param_fields[] = {
    {"default", FORM_ONE, SHAPE_TEXT, PARAM_AT(fallback),
     "its value where a run gives none; without one a run must"},
    {"type", FORM_ONE, SHAPE_WORD, PARAM_AT(type), "what its values are", .words = param_types},
    {"choices", FORM_LIST, SHAPE_TEXT, PARAM_AT(choices), "the values that are allowed"},
    {"minimum", FORM_ONE, SHAPE_NUMBER, PARAM_AT(minimum), "the least number that is allowed"},
    {"maximum", FORM_ONE, SHAPE_NUMBER, PARAM_AT(maximum), "the greatest"},
    {"description", FORM_ONE, SHAPE_TEXT, PARAM_AT(description), "what it is for"},
    {0},
};

const Field schedule_fields[] = {
    {"cron", FORM_ONE, SHAPE_TEXT, SCHEDULE_AT(cron),
     "minute, hour, day, month and weekday, as in crontab(5); or @daily and the like",
     .is_required = true},
    {"timezone", FORM_ONE, SHAPE_TEXT, SCHEDULE_AT(timezone), "of the tz database; UTC"},
    {"missed", FORM_ONE, SHAPE_WORD, SCHEDULE_AT(missed),
     "which of the times that passed while the server was away are made up for",
     .words = missed_rules},
    {0},
};

const Field trigger_fields[] = {
    {"schedule", FORM_ONE_OR_LIST, SHAPE_FIELDS, TRIGGER_AT(schedule), "times", schedule_fields},
    {"push", FORM_ONE_OR_LIST, SHAPE_TEXT, TRIGGER_AT(push), "a push to one of these branches"},
    {"data", FORM_ONE_OR_LIST, SHAPE_TEXT, TRIGGER_AT(data), "a new version of these data sets"},
    {"alarm", FORM_ONE_OR_LIST, SHAPE_NAME, TRIGGER_AT(alarm), "alarms of these kinds"},
    {"api", FORM_ONE, SHAPE_BOOL, TRIGGER_AT(api), "whether other programs may start it"},
    {"manual", FORM_ONE, SHAPE_BOOL, TRIGGER_AT(manual), "whether people may start it by hand"},
    {0},
};

static const Field concurrency_fields[] = {
    {"rule", FORM_ONE, SHAPE_WORD, 0, "what a start does while a run goes on", .words = overlaps,
     .is_required = true},
    {0},
};

/* A stage has the rows of stage_fields, or those of foreach_fields: stages_read() looks. */
#define PIPELINE_ROWS                                                                              \
    {"stages", FORM_MAP, SHAPE_ANY, FILE_AT(stages), "what there is to run"},                      \
        {"vars", FORM_ONE, SHAPE_ANY, FILE_AT(vars),                                               \
         "values for expressions: maps, and files of them"},                                       \
        {"env", FORM_MAP, SHAPE_TEXT, FILE_AT(env), "variables of every command's environment"},   \
        {"on", FORM_ONE, SHAPE_FIELDS, FILE_AT(on), "what starts a run", trigger_fields},          \
    {                                                                                              \
        "concurrency", FORM_ONE, SHAPE_FIELDS, FILE_AT(concurrency),                               \
            "what a start does while a run goes on", concurrency_fields, .is_short = true          \
    }

const Field slipway_fields[] = {
    {"project", FORM_ONE, SHAPE_TEXT, FILE_AT(project), "the project's name", .is_elsewhere = true},
    {"data", FORM_ONE, SHAPE_ANY, FILE_AT(data), "data sets", .is_elsewhere = true},
    {"release", FORM_ONE, SHAPE_ANY, FILE_AT(release), "where its models serve",
     .is_elsewhere = true},
    {"params", FORM_MAP, SHAPE_ANY, FILE_AT(params), "what a run can be given", param_fields},
    PIPELINE_ROWS,
    {"monitor", FORM_ONE, SHAPE_ANY, FILE_AT(monitor), "not read yet", .is_elsewhere = true},
    {"notify", FORM_ONE, SHAPE_ANY, FILE_AT(notify), "not read yet", .is_elsewhere = true},
    {0},
};

const Field dvc_fields[] = {
    PIPELINE_ROWS,
    {"params", FORM_ONE, SHAPE_ANY, FILE_AT(params),
     "what a run can be given; or, as a list, files that DVC shows"},
    {"metrics", FORM_ONE, SHAPE_ANY, FILE_AT(metrics), "files that DVC shows"},
    {"plots", FORM_ONE, SHAPE_ANY, FILE_AT(plots), "files that DVC draws"},
    {"artifacts", FORM_ONE, SHAPE_ANY, FILE_AT(artifacts), "names that DVC gives to files"},
    {"datasets", FORM_ONE, SHAPE_ANY, FILE_AT(datasets), "data that DVC keeps elsewhere"},
    {0},
};
