#include "pipelines/builtin.h"

#include <string.h>

static const PlanBuiltinField train_fields[] = {
    {"data", JSON_TEXT, JSON_OPTIONAL, "The data set, or a version of it: comments@3."},
    {"metric", JSON_TEXT, JSON_OPTIONAL, "What candidates are compared by; the gate's if absent."},
    {"budget", JSON_TEXT, JSON_OPTIONAL, "Seconds for the search; 60 if absent, 0 for none."},
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

const PlanBuiltin pipeline_builtins[] = {
    {"check-data", "Register the data set's files, and look at what it must be.", data_fields},
    {"prepare", "Make a CSV or a data set from files, by a recipe.", prepare_fields},
    {"train", "Search, fit, judge on the hold-out, and register the version.", train_fields},
    {"evaluate", "Judge a version on the hold-out or on a data set.", evaluate_fields},
    {0},
};

static const Builtin *const builtins[] = {
    &builtin_check_data,        &builtin_prepare,      &builtin_train,
    &builtin_evaluate,          &builtin_release_gate, &builtin_release_staging,
    &builtin_release_production};

const Builtin *builtin_of(const PlanStep *step)
{
    for (size_t i = 0; step->uses && i < COUNT(builtins); i++)
        if (strcmp(builtins[i]->name, step->uses) == 0)
            return builtins[i];
    return NULL;
}

const char *builtin_with(const StepStart *start, const char *name)
{
    for (size_t i = 0; i < start->step.with.count; i++)
        if (strcmp(start->step.with.items[i].name, name) == 0)
            return start->step.with.items[i].text;
    return NULL;
}
