#include "pipelines/builtin.h"

static const PlanBuiltinField data_fields[] = {
    {"data", JSON_TEXT, JSON_OPTIONAL, "The data set; the project's only one if absent."},
    {0},
};

static const PlanBuiltinField prepare_fields[] = {
    {"data", JSON_TEXT, JSON_OPTIONAL, "The data set; the project's only one if absent."},
    {"recipe", JSON_ANY, JSON_OPTIONAL, "The steps, or a file of them."},
    {"as", JSON_TEXT, JSON_OPTIONAL, "The data set that it makes."},
    {0},
};

static const PlanBuiltinField train_fields[] = {
    {"data", JSON_TEXT, JSON_OPTIONAL, "The data set, or a version of it: comments@3."},
    {"metric", JSON_TEXT, JSON_OPTIONAL, "What candidates are compared by; the gate's if absent."},
    {"budget", JSON_TEXT, JSON_OPTIONAL, "Seconds for the search; 60 if absent, 0 for none."},
    {"seed", JSON_TEXT, JSON_OPTIONAL, "42 if absent."},
    {"model", JSON_TEXT, JSON_OPTIONAL, "The registered model; named as the project if absent."},
    {"balance", JSON_TEXT, JSON_OPTIONAL, "true: weigh classes by one over their frequency."},
    {0},
};

static const PlanBuiltinField evaluate_fields[] = {
    {"model", JSON_TEXT, JSON_OPTIONAL, "The registered model; named as the project if absent."},
    {"version", JSON_TEXT, JSON_OPTIONAL, "A number, latest (the default) or an alias."},
    {"data", JSON_TEXT, JSON_OPTIONAL, "A data set to judge on; the frozen hold-out if absent."},
    {0},
};

static const PlanBuiltinField register_fields[] = {
    {"package", JSON_TEXT, JSON_REQUIRED, "The folder of the model's package."},
    {"model", JSON_TEXT, JSON_OPTIONAL, "The registered model; named as the project if absent."},
    {0},
};

static const PlanBuiltinField benchmark_fields[] = {
    {"model", JSON_TEXT, JSON_OPTIONAL, "The registered model; named as the project if absent."},
    {"version", JSON_TEXT, JSON_OPTIONAL, "A number, latest (the default) or an alias."},
    {"requests", JSON_COUNT, JSON_OPTIONAL, "How many."},
    {"concurrency", JSON_COUNT, JSON_OPTIONAL, "How many at once."},
    {0},
};

static const PlanBuiltinField score_fields[] = {
    {"model", JSON_TEXT, JSON_OPTIONAL, "The registered model; named as the project if absent."},
    {"version", JSON_TEXT, JSON_OPTIONAL, "A number, latest (the default) or an alias."},
    {"data", JSON_TEXT, JSON_REQUIRED, "The data set, or a version of it."},
    {0},
};

const PlanBuiltin pipeline_builtins[] = {
    {"check-data", "Register the data set's files, and look at what it must be.", data_fields},
    {"prepare", "Make a data set from another by a recipe.", prepare_fields},
    {"train", "Search, fit, judge on the hold-out, and register the version.", train_fields},
    {"evaluate", "Judge a version on the hold-out or on a data set.", evaluate_fields},
    {"register", "Register the package that a stage has made.", register_fields},
    {"benchmark", "Measure how fast a version answers.", benchmark_fields},
    {"score", "Score a whole data set.", score_fields},
    {0},
};
