#include <math.h>
#include <string.h>

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
    {0},
};

const MetricKind *metric_find(const char *name)
{
    for (const MetricKind *kind = metric_kinds; kind->name; kind++)
        if (strcmp(kind->name, name) == 0)
            return kind;
    return NULL;
}

double metric_value(const MetricKind *kind, const Report *report)
{
    double value;

    memcpy(&value, (const char *)report + kind->offset, sizeof(value));
    return value;
}
