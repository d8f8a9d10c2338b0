#include <math.h>
#include <string.h>

#include "base/text.h"
#include "ml/report.h"

#define LOG_LOSS_MAX (52 * M_LN2) /* of a row whose class was given probability 0 */

#define HIGHER        true
#define LOWER         false
#define VALUE(member) offsetof(Report, member)

const MetricKind metric_kinds[] = {
    {"accuracy", HIGHER, 0, 1, VALUE(accuracy), "share of rows that are right"},
    {"balanced_accuracy", HIGHER, 0, 1, VALUE(balanced_accuracy), "mean recall of the classes"},
    {"f1", HIGHER, 0, 1, VALUE(f1), "F1 of the positive class; macro mean with more than two"},
    {"f1_macro", HIGHER, 0, 1, VALUE(macro.f1), "mean F1 of the classes"},
    {"f1_micro", HIGHER, 0, 1, VALUE(micro.f1), "F1 of the counts of all classes together"},
    {"f1_weighted", HIGHER, 0, 1, VALUE(weighted.f1), "mean F1 of the classes, by their rows"},
    {"precision", HIGHER, 0, 1, VALUE(precision),
     "share of rows named positive that are; macro mean with more than two classes"},
    {"recall", HIGHER, 0, 1, VALUE(recall),
     "share of positive rows that are found; macro mean with more than two classes"},
    {"precision_macro", HIGHER, 0, 1, VALUE(macro.precision), "mean precision of the classes"},
    {"recall_macro", HIGHER, 0, 1, VALUE(macro.recall), "mean recall of the classes"},
    {"mcc", HIGHER, -1, 1, VALUE(mcc), "Matthews correlation of truth and prediction"},
    {"auc", HIGHER, 0, 1, VALUE(auc), "area under the ROC curve; one against the rest, macro"},
    {"average_precision", HIGHER, 0, 1, VALUE(average_precision),
     "area under the precision-recall curve, by steps"},
    {"log_loss", LOWER, 0, LOG_LOSS_MAX, VALUE(log_loss),
     "mean negative logarithm of the true class's probability"},
    {"brier", LOWER, 0, 2, VALUE(brier), "mean squared error of the probabilities"},
    {"calibration_error", LOWER, 0, 1, VALUE(calibration_error),
     "expected gap between confidence and accuracy, 10 bins"},
    {"rmse", LOWER, 0, HUGE_VAL, VALUE(rmse), "root of the mean squared error", TASK_REGRESSION,
     true},
    {"mae", LOWER, 0, HUGE_VAL, VALUE(mae), "mean absolute error", TASK_REGRESSION, true},
    {"r2", HIGHER, -HUGE_VAL, 1, VALUE(r2),
     "share of the truth's variance that is explained; 0: as good as always giving its mean",
     TASK_REGRESSION, true},
    {"mape", LOWER, 0, HUGE_VAL, VALUE(mape),
     "mean absolute error as a share of the truth; huge where the truth is 0", TASK_REGRESSION},
    {"median_absolute_error", LOWER, 0, HUGE_VAL, VALUE(median_absolute_error),
     "half of the rows are off by no more", TASK_REGRESSION},
    {"explained_variance", HIGHER, -HUGE_VAL, 1, VALUE(explained_variance),
     "as r2, but being off by the same amount in every row costs nothing", TASK_REGRESSION},
    {"max_error", LOWER, 0, HUGE_VAL, VALUE(max_error), "the largest error of a row",
     TASK_REGRESSION},
    {"mase", LOWER, 0, HUGE_VAL, VALUE(mase),
     "mean absolute error over that of the seasonal naive forecast of the past", TASK_FORECAST,
     true},
    {"smape", LOWER, 0, 200, VALUE(smape),
     "mean error in per cent of the mean size of truth and forecast", TASK_FORECAST, true},
    {"msis", LOWER, 0, HUGE_VAL, VALUE(msis),
     "width of the 95 % intervals and what they missed, over mase's scale", TASK_FORECAST, true},
    {0},
};

const MetricKind *metric_find(const char *name)
{
    for (const MetricKind *kind = metric_kinds; kind->name; kind++)
        if (strcmp(kind->name, name) == 0)
            return kind;
    return NULL;
}

bool metric_is_of(const MetricKind *kind, ModelTask task)
{
    return kind->task == task || (task == TASK_FORECAST && kind->of_forecasts);
}

double metric_value(const MetricKind *kind, const Report *report)
{
    double value;

    if (!metric_is_of(kind, report->task))
        return NAN;
    memcpy(&value, (const char *)report + kind->offset, sizeof(value));
    return value;
}

const char *metric_names(ModelTask task, Arena *arena)
{
    TextBuilder names = {.arena = arena};

    for (const MetricKind *kind = metric_kinds; kind->name; kind++)
        if (metric_is_of(kind, task))
            text_append_format(&names, "%s%s", names.count ? ", " : "", kind->name);
    return text_built(&names);
}

bool metric_check(const char *name, ModelTask task, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const MetricKind *kind = metric_find(name);

    if (!kind)
        return fail_field(error, "metric", "\"%.64s\" is not a metric; those of %s are %s", name,
                          model_task_name(task), metric_names(task, arena));
    if (!metric_is_of(kind, task))
        return fail_field(error, "metric", "\"%s\" is a metric of %s, not of %s, whose are %s",
                          name, model_task_name(kind->task), model_task_name(task),
                          metric_names(task, arena));
    return true;
}

static const char *const of_thresholds[] = {"accuracy", "balanced_accuracy", "f1",
                                            "f1_macro", "f1_weighted",       "mcc"};

bool metric_has_threshold(const MetricKind *kind)
{
    for (size_t i = 0; i < COUNT(of_thresholds); i++)
        if (strcmp(of_thresholds[i], kind->name) == 0)
            return true;
    return false;
}

bool metric_check_threshold(const char *name, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const MetricKind *kind = metric_find(name);
    TextBuilder names = {.arena = arena};

    if (kind && metric_has_threshold(kind))
        return true;
    for (size_t i = 0; i < COUNT(of_thresholds); i++)
        text_append_format(&names, "%s%s", i ? ", " : "", of_thresholds[i]);
    return fail_field(error, "threshold_for", "a threshold can be chosen for %s, not for \"%.64s\"",
                      text_built(&names), name);
}

const char *metric_default(ModelTask task)
{
    static const char *const names[] = {
        [TASK_CLASSIFICATION] = "f1",
        [TASK_REGRESSION] = "rmse",
        [TASK_FORECAST] = "mase",
    };

    return names[task];
}

void report_write_metrics(JsonWriter *json, const char *key, const Report *report)
{
    json_open_object(json, key);
    for (const MetricKind *kind = metric_kinds; kind->name; kind++)
        if (metric_is_of(kind, report->task))
            json_double(json, kind->name, metric_value(kind, report));
    if (report->task == TASK_FORECAST)
        json_double(json, "coverage", report->coverage);
    json_close(json);
}
