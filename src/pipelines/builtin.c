#include "pipelines/builtin.h"

#include <string.h>

#include "plan/path.h"

static const PlanBuiltinField train_fields[] = {
    {"data", JSON_TEXT, JSON_OPTIONAL, "The data set, or a version of it: comments@3."},
    {"task", JSON_TEXT, JSON_OPTIONAL,
     "classification, regression or forecast; one of the first two, by the target, if absent."},
    {"horizon", JSON_TEXT, JSON_OPTIONAL, "Of a forecast: how many steps ahead it is judged by."},
    {"metric", JSON_TEXT, JSON_OPTIONAL, "What candidates are compared by; the gate's if absent."},
    {"threshold_for", JSON_TEXT, JSON_OPTIONAL,
     "Of two classes: the metric that the decision threshold is best for; metric if absent."},
    {"budget", JSON_TEXT, JSON_OPTIONAL,
     "Seconds for the search, 0 for none; if absent 60, or with trials none."},
    {"trials", JSON_TEXT, JSON_OPTIONAL,
     "How many candidates are learnt at most, 1 to 64; as many as there is time for if absent."},
    {"threads", JSON_TEXT, JSON_OPTIONAL,
     "How many threads learn at most, 1 to 64; all cores but one if absent."},
    {"seed", JSON_TEXT, JSON_OPTIONAL, "42 if absent."},
    {"model", JSON_TEXT, JSON_OPTIONAL, "The registered model; named as the project if absent."},
    {"balance", JSON_TEXT, JSON_OPTIONAL, "true: weigh classes by one over their frequency."},
    {0},
};

static const PlanBuiltinField data_fields[] = {
    {"data", JSON_TEXT, JSON_OPTIONAL, "The data set; the project's only one if absent."},
    {0},
};

static const PlanBuiltinField prepare_fields[] = {
    {"recipe", JSON_TEXT, JSON_REQUIRED, "A file of the project that says how rows are made."},
    {"data", JSON_TEXT, JSON_OPTIONAL, "The data set that the rows are a version of."},
    {0},
};

static const PlanBuiltinField evaluate_fields[] = {
    {"model", JSON_TEXT, JSON_OPTIONAL, "The registered model; named as the project if absent."},
    {"version", JSON_TEXT, JSON_OPTIONAL, "A number, latest (the default) or an alias."},
    {"data", JSON_TEXT, JSON_OPTIONAL, "A data set to judge on; the frozen hold-out if absent."},
    {0},
};

static const PlanBuiltinField register_fields[] = {
    {"path", JSON_TEXT, JSON_REQUIRED,
     "What a step made: a folder with an MLmodel, or a file NAME.onnx.", PLAN_USE_DEP},
    {"model", JSON_TEXT, JSON_OPTIONAL, "The registered model; named as the project if absent."},
    {"metrics", JSON_TEXT, JSON_OPTIONAL, "A JSON or YAML file of numbers about it.", PLAN_USE_DEP},
    {"data", JSON_TEXT, JSON_OPTIONAL,
     "The data set that it has learnt from, or a version; the one of the run "
     "if absent."},
    {"alias", JSON_TEXT, JSON_OPTIONAL, "An alias that then points to the version."},
    {0},
};

static const PlanBuiltinField score_fields[] = {
    {"model", JSON_TEXT, JSON_OPTIONAL, "The registered model; named as the project if absent."},
    {"version", JSON_TEXT, JSON_OPTIONAL, "A number, latest (the default) or an alias."},
    {"data", JSON_TEXT, JSON_OPTIONAL, "The rows: a data set, or a version of it: comments@3."},
    {"input", JSON_TEXT, JSON_OPTIONAL, "Or a file of rows: NAME.csv or NAME.jsonl.", PLAN_USE_DEP},
    {"keys", JSON_TEXT_LIST, JSON_OPTIONAL,
     "Columns that go along; the number of the row if absent."},
    {"output", JSON_TEXT, JSON_REQUIRED, "The file of answers: NAME.csv or NAME.jsonl.",
     PLAN_USE_OUT},
    {0},
};

static const PlanBuiltinField benchmark_fields[] = {
    {"model", JSON_TEXT, JSON_OPTIONAL, "The registered model; named as the project if absent."},
    {"version", JSON_TEXT, JSON_OPTIONAL, "A number, latest (the default) or an alias."},
    {"data", JSON_TEXT, JSON_OPTIONAL, "The rows: a data set, or a version of it: comments@3."},
    {"input", JSON_TEXT, JSON_OPTIONAL, "Or a file of rows: NAME.csv or NAME.jsonl.", PLAN_USE_DEP},
    {"requests", JSON_TEXT, JSON_OPTIONAL, "Requests of one row; 1000 if absent."},
    {"batch", JSON_TEXT, JSON_OPTIONAL, "Rows of a large request; 1000 if absent."},
    {"p50_ms", JSON_NUMBER, JSON_OPTIONAL, "The most that the median of a row's time may be."},
    {"p95_ms", JSON_NUMBER, JSON_OPTIONAL, "The most that its 95th percentile may be."},
    {"p99_ms", JSON_NUMBER, JSON_OPTIONAL, "The most that its 99th percentile may be."},
    {"rows_per_second", JSON_NUMBER, JSON_OPTIONAL, "The least throughput of large requests."},
    {"memory_mb", JSON_NUMBER, JSON_OPTIONAL, "The most memory of the process that answers."},
    {0},
};

const PlanBuiltin pipeline_builtins[] = {
    {"check-data", "Register the data set's files, and look at what it must be.", data_fields},
    {"prepare", "Make a CSV or a data set from files, by a recipe.", prepare_fields},
    {"train", "Search, fit, judge on the hold-out, and register the version.", train_fields},
    {"evaluate", "Judge a version on the hold-out or on a data set.", evaluate_fields},
    {"register", "Register a model that a step made as a version.", register_fields},
    {"score", "Write a version's answers to many rows into a file.", score_fields},
    {"benchmark", "Measure how fast a version answers, against limits.", benchmark_fields},
    {0},
};

static const Builtin *const builtins[] = {
    &builtin_check_data,     &builtin_prepare,           &builtin_train,
    &builtin_evaluate,       &builtin_register,          &builtin_score,
    &builtin_benchmark,      &builtin_release_gate,      &builtin_release_staging,
    &builtin_release_canary, &builtin_release_production};

const Builtin *builtin_of(const PlanStep *step)
{
    for (size_t i = 0; step->uses && i < COUNT(builtins); i++)
        if (strcmp(builtins[i]->name, step->uses) == 0)
            return builtins[i];
    return NULL;
}

bool builtin_takes(const char *uses, const char *name)
{
    for (const PlanBuiltin *builtin = pipeline_builtins; builtin->name; builtin++) {
        if (strcmp(builtin->name, uses) != 0)
            continue;
        for (const PlanBuiltinField *field = builtin->fields; field->name; field++)
            if (strcmp(field->name, name) == 0)
                return true;
    }
    return false;
}

const char *builtin_with(const StepStart *start, const char *name)
{
    return plan_step_with(&start->step, name);
}

bool builtin_path(Scope *scope, const StepStart *start, const char *name, const char **path)
{
    const char *written = builtin_with(start, name);

    *path = NULL;
    return !written || path_settle(".", written, scope->arena, path, &scope->error);
}
