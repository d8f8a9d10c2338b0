#include "pipelines/train_decision.h"

#include <math.h>
#include <string.h>

#include "ml/decide.h"

/* Of two classes, with what was answered before any decision. */
typedef struct Answered {
    const int *truth;
    const double *probabilities; /* row_count x 2 */
    size_t row_count;
    const ClassNames *classes;
    size_t positive;
    const MetricKind *metric;
} Answered;

static const double thresholds[] = {0.01, 0.02, 0.05, 0.1, 0.15, 0.2,  0.25, 0.3,
                                    0.35, 0.4,  0.45, 0.5, 0.55, 0.6,  0.65, 0.7,
                                    0.75, 0.8,  0.85, 0.9, 0.95, 0.98, 0.99};

static bool judge_at(const Answered *answered, double threshold, Arena *arena, Report *report)
{
    int *predicted = arena_array(arena, int, answered->row_count);
    Error ignored = {0};

    for (size_t row = 0; row < answered->row_count; row++)
        predicted[row] =
            (int)class_decide(answered->probabilities + row * 2, 2, answered->positive, threshold);
    return report_make(answered->truth, predicted, NULL, answered->row_count, answered->classes,
                       answered->positive, arena, report, &ignored);
}

static double share(size_t part, size_t whole)
{
    return whole > 0 ? (double)part / (double)whole : NAN;
}

static void write_figures(JsonWriter *json, const Answered *answered, const Report *report)
{
    const ClassReport *positive = &report->classes[report->positive];
    size_t other = 1 - report->positive;
    size_t false_positives = report->confusion[other * 2 + report->positive];

    json_double(json, "score", metric_value(answered->metric, report));
    json_double(json, "named", share(positive->predicted, report->row_count));
    json_double(json, "precision", positive->precision);
    json_double(json, "recall", positive->recall);
    json_double(json, "false_positive_rate",
                share(false_positives, report->classes[other].support));
    json_double(json, "accuracy", report->accuracy);
    json_double(json, "balanced_accuracy", report->balanced_accuracy);
    json_double(json, "f1", report->f1);
    json_double(json, "mcc", report->mcc);
}

/* Null where there is no row to judge by. */
static void write_point(JsonWriter *json, const char *key, const Answered *answered,
                        double threshold)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Report report;

    if (!answered->row_count || !judge_at(answered, threshold, arena, &report)) {
        json_null(json, key);
        return;
    }
    json_open_object(json, key);
    json_double(json, "threshold", threshold);
    write_figures(json, answered, &report);
    json_close(json);
}

static void write_curve(JsonWriter *json, const Answered *answered, double chosen)
{
    bool is_written = false;

    json_open_array(json, "curve");
    for (size_t i = 0; answered->row_count && i < COUNT(thresholds); i++) {
        if (!is_written && chosen <= thresholds[i])
            write_point(json, NULL, answered, chosen);
        is_written = is_written || chosen <= thresholds[i];
        if (thresholds[i] != chosen)
            write_point(json, NULL, answered, thresholds[i]);
    }
    if (answered->row_count && !is_written)
        write_point(json, NULL, answered, chosen);
    json_close(json);
}

static const char *why(const DecisionSpec *spec, const char *positive, Arena *arena)
{
    const SearchSpec *search = spec->search;
    const MetricKind *metric = threshold_metric(search);

    if (!search->threshold_for && search->balance_classes)
        return arena_format(arena, "the share of \"%s\" in the rows: classes are balanced",
                            positive);
    if (!search->threshold_for && !text_equal(metric->name, search->metric))
        return arena_format(arena, "the likelier class: %s does not choose a threshold",
                            search->metric);
    if (predictor_threshold(spec->model) == 0.5)
        return arena_format(arena, "no other is better for %s beyond chance", metric->name);
    return arena_format(arena, "the best for %s, out of fold", metric->name);
}

/* Of the training rows those that a fold has judged. */
static Answered answered_by_folds(const DecisionSpec *spec, Arena *arena)
{
    size_t count = spec->out_of_fold ? spec->rows->row_count : 0;
    int *truth = arena_array(arena, int, count + 1);
    double *probabilities = arena_array(arena, double, 2 * count + 1);
    Answered answered = {truth, probabilities, .classes = predictor_classes(spec->model)};

    for (size_t row = 0; row < count; row++) {
        const double *answer = spec->out_of_fold + row * 2;

        if (isnan(answer[0]))
            continue;
        truth[answered.row_count] = spec->rows->labels[row];
        memcpy(probabilities + 2 * answered.row_count++, answer, 2 * sizeof(double));
    }
    answered.positive = predictor_positive(spec->model);
    return answered;
}

/* Where the hold-out has a third class, its figures are those of the report alone. */
static Answered answered_on_holdout(const DecisionSpec *spec)
{
    const Rows *rows = &spec->bench->rows;
    bool has_two = rows->classes.count == 2;

    return (Answered){rows->labels, spec->predictions->probabilities, has_two ? rows->row_count : 0,
                      &rows->classes, spec->bench->positive};
}

void train_decision_write_json(JsonWriter *json, const DecisionSpec *spec)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    double threshold = predictor_threshold(spec->model);
    Answered folds, holdout;
    const char *positive;

    if (isnan(threshold))
        return;
    positive = predictor_classes(spec->model)->items[predictor_positive(spec->model)];
    folds = answered_by_folds(spec, arena);
    holdout = answered_on_holdout(spec);
    folds.metric = holdout.metric = threshold_metric(spec->search);
    json_open_object(json, "decision");
    {
        json_double(json, "threshold", threshold);
        json_text(json, "positive", positive);
        json_text(json, "for", folds.metric->name);
        json_text(json, "why", why(spec, positive, arena));
        write_point(json, "folds", &folds, threshold);
        write_point(json, "holdout", &holdout, threshold);
        write_curve(json, &folds, threshold);
    }
    json_close(json);
}
