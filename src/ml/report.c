#include "ml/report.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "ml/report_internal.h"

static bool check_class(int class_index, size_t class_count, size_t row, const char *what,
                        Error *error)
{
    if (class_index >= 0 && (size_t)class_index < class_count)
        return true;
    return fail(error, ERROR_INVALID, "the %s class of row %zu is %d, but classes are 0 to %zu",
                what, row, class_index, class_count - 1);
}

static bool check_probabilities(const Sample *sample, size_t row, const ClassNames *classes,
                                Error *error)
{
    for (size_t i = 0; i < sample->class_count; i++) {
        double probability = sample_probability(sample, row, (int)i);

        if (!(probability >= 0 && probability <= 1))
            return fail(error, ERROR_INVALID,
                        "the probability of \"%s\" in row %zu is %g, but it must be from 0 to 1",
                        classes->items[i], row, probability);
    }
    return true;
}

static bool check_row(const Sample *sample, size_t row, const ClassNames *classes, Error *error)
{
    return check_class(sample->truth[row], sample->class_count, row, "true", error) &&
           check_class(sample->predictions->predicted[row], sample->class_count, row, "predicted",
                       error) &&
           (!sample->predictions->probabilities ||
            check_probabilities(sample, row, classes, error));
}

bool sample_check(const Sample *sample, const ClassNames *classes, Error *error)
{
    if (sample->row_count == 0)
        return fail(error, ERROR_INVALID, "a report needs at least one row");
    if (sample->row_count > UINT32_MAX)
        return fail(error, ERROR_TOO_LARGE, "a report takes at most %u rows", UINT32_MAX);
    if (sample->class_count == 0 || sample->class_count > REPORT_CLASSES_MAX)
        return fail(error, ERROR_INVALID, "a report has 1 to %d classes, not %zu",
                    REPORT_CLASSES_MAX, sample->class_count);
    if (sample->positive >= sample->class_count)
        return fail(error, ERROR_INVALID, "the positive class is %zu, but classes are 0 to %zu",
                    sample->positive, sample->class_count - 1);
    for (size_t row = 0; row < sample->row_count; row++)
        if (!check_row(sample, row, classes, error))
            return false;
    return true;
}

Tally tally_create(const Sample *sample, Arena *arena)
{
    return (Tally){
        .class_count = sample->class_count,
        .positive = sample->positive,
        .support = arena_array(arena, size_t, sample->class_count),
        .predicted = arena_array(arena, size_t, sample->class_count),
        .hits = arena_array(arena, size_t, sample->class_count),
    };
}

void tally_fill(Tally *tally, const Sample *sample, const uint32_t *weights)
{
    size_t size = tally->class_count * sizeof(size_t);

    memset(tally->support, 0, size);
    memset(tally->predicted, 0, size);
    memset(tally->hits, 0, size);
    tally->total = 0;
    for (size_t row = 0; row < sample->row_count; row++) {
        size_t truth = (size_t)sample->truth[row];
        size_t predicted = (size_t)sample->predictions->predicted[row];

        tally->support[truth] += weights[row];
        tally->predicted[predicted] += weights[row];
        if (truth == predicted)
            tally->hits[truth] += weights[row];
        tally->total += weights[row];
    }
}

static double ratio(size_t part, size_t whole)
{
    return whole > 0 ? (double)part / (double)whole : 0;
}

static Average class_figures(const Tally *tally, size_t i)
{
    return (Average){
        .precision = ratio(tally->hits[i], tally->predicted[i]),
        .recall = ratio(tally->hits[i], tally->support[i]),
        .f1 = ratio(2 * tally->hits[i], tally->support[i] + tally->predicted[i]),
    };
}

static void average_add(Average *sum, const Average *figures, double weight)
{
    sum->precision += weight * figures->precision;
    sum->recall += weight * figures->recall;
    sum->f1 += weight * figures->f1;
}

/* Gorodkin 2004, with counts instead of indicator vectors. */
static double tally_mcc(const Tally *tally)
{
    double total = (double)tally->total;
    double hits = 0, both = 0, truth = 0, predicted = 0;
    double truth_spread, predicted_spread;

    for (size_t i = 0; i < tally->class_count; i++) {
        hits += (double)tally->hits[i];
        both += (double)tally->support[i] * (double)tally->predicted[i];
        truth += (double)tally->support[i] * (double)tally->support[i];
        predicted += (double)tally->predicted[i] * (double)tally->predicted[i];
    }
    truth_spread = total * total - truth;
    predicted_spread = total * total - predicted;
    if (truth_spread <= 0 || predicted_spread <= 0)
        return 0;
    return (hits * total - both) / (sqrt(truth_spread) * sqrt(predicted_spread));
}

void tally_figures(const Tally *tally, Report *report)
{
    size_t hits = 0, in_truth = 0, present = 0;
    Average macro = {0}, weighted = {0}, chosen;
    double accuracy;

    for (size_t i = 0; i < tally->class_count; i++) {
        Average figures = class_figures(tally, i);

        hits += tally->hits[i];
        in_truth += tally->support[i] > 0;
        present += tally->support[i] + tally->predicted[i] > 0;
        average_add(&macro, &figures, 1);
        average_add(&weighted, &figures, ratio(tally->support[i], tally->total));
    }
    /* A class that does not occur added zeros only. */
    report->balanced_accuracy = macro.recall / (double)in_truth;
    report->macro = (Average){0};
    average_add(&report->macro, &macro, 1 / (double)present);
    accuracy = ratio(hits, tally->total);
    report->accuracy = accuracy;
    report->weighted = weighted;
    report->micro = (Average){accuracy, accuracy, accuracy};
    report->mcc = tally_mcc(tally);
    chosen = tally->class_count == 2 ? class_figures(tally, tally->positive) : report->macro;
    report->precision = chosen.precision;
    report->recall = chosen.recall;
    report->f1 = chosen.f1;
}

double *sample_log_losses(const Sample *sample, Arena *arena)
{
    double *losses = arena_array(arena, double, sample->row_count);

    for (size_t row = 0; row < sample->row_count; row++) {
        double probability = sample_probability(sample, row, sample->truth[row]);

        losses[row] = -log(fmin(fmax(probability, DBL_EPSILON), 1 - DBL_EPSILON));
    }
    return losses;
}

double *sample_briers(const Sample *sample, Arena *arena)
{
    double *losses = arena_array(arena, double, sample->row_count);

    for (size_t row = 0; row < sample->row_count; row++) {
        for (int i = 0; (size_t)i < sample->class_count; i++) {
            double gap = sample_probability(sample, row, i) - (i == sample->truth[row]);

            losses[row] += gap * gap;
        }
        if (sample->class_count == 2)
            losses[row] /= 2;
    }
    return losses;
}

double weighted_mean(const double *values, const uint32_t *weights, size_t count)
{
    double sum = 0, total = 0;

    for (size_t i = 0; i < count; i++) {
        sum += weights[i] * values[i];
        total += weights[i];
    }
    return sum / total;
}

/* Bounds are compared, not computed from the confidence: 0.3 belongs to the bin that ends at 0.3.
 */
static size_t calibration_bin(double confidence)
{
    size_t bin = 0;

    while (bin + 1 < CALIBRATION_BIN_COUNT &&
           confidence > (double)(bin + 1) / CALIBRATION_BIN_COUNT)
        bin++;
    return bin;
}

void calibration_figures(const Sample *sample, const uint32_t *weights, Report *report)
{
    double confidence[CALIBRATION_BIN_COUNT] = {0};
    size_t count[CALIBRATION_BIN_COUNT] = {0}, hits[CALIBRATION_BIN_COUNT] = {0}, total = 0;
    double error = 0;

    for (size_t row = 0; row < sample->row_count; row++) {
        int named = sample->predictions->predicted[row];
        double probability = sample_probability(sample, row, named);
        size_t bin = calibration_bin(probability);

        confidence[bin] += weights[row] * probability;
        count[bin] += weights[row];
        hits[bin] += named == sample->truth[row] ? weights[row] : 0;
        total += weights[row];
    }
    for (size_t i = 0; i < CALIBRATION_BIN_COUNT; i++) {
        error += fabs((double)hits[i] - confidence[i]) / (double)total;
        report->calibration[i] = (CalibrationBin){
            .low = (double)i / CALIBRATION_BIN_COUNT,
            .high = (double)(i + 1) / CALIBRATION_BIN_COUNT,
            .count = count[i],
            .mean_confidence = count[i] > 0 ? confidence[i] / (double)count[i] : NAN,
            .accuracy = count[i] > 0 ? (double)hits[i] / (double)count[i] : NAN,
        };
    }
    report->calibration_error = error;
}

static void make_probability_figures(const Sample *sample, const uint32_t *weights, Report *report)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    RankingList rankings = rankings_create(sample, arena);

    rankings_figures(&rankings, weights, report);
    report->log_loss = weighted_mean(sample_log_losses(sample, arena), weights, sample->row_count);
    report->brier = weighted_mean(sample_briers(sample, arena), weights, sample->row_count);
    calibration_figures(sample, weights, report);
}

/* Bins without rows, so that a page or a file need not ask whether there are bins. */
static void forget_probability_figures(Report *report)
{
    report->auc = report->average_precision = NAN;
    report->log_loss = report->brier = report->calibration_error = NAN;
    for (size_t i = 0; i < CALIBRATION_BIN_COUNT; i++)
        report->calibration[i] = (CalibrationBin){
            .low = (double)i / CALIBRATION_BIN_COUNT,
            .high = (double)(i + 1) / CALIBRATION_BIN_COUNT,
            .mean_confidence = NAN,
            .accuracy = NAN,
        };
}

static ClassReport *make_class_reports(const Tally *tally, const ClassNames *classes, Arena *arena)
{
    ClassReport *reports = arena_array(arena, ClassReport, tally->class_count);

    for (size_t i = 0; i < tally->class_count; i++) {
        Average figures = class_figures(tally, i);

        reports[i] = (ClassReport){
            .name = classes->items[i],
            .support = tally->support[i],
            .predicted = tally->predicted[i],
            .precision = figures.precision,
            .recall = figures.recall,
            .f1 = figures.f1,
        };
    }
    return reports;
}

static size_t *make_confusion(const Sample *sample, Arena *arena)
{
    size_t *confusion = arena_array(arena, size_t, sample->class_count * sample->class_count);

    for (size_t row = 0; row < sample->row_count; row++)
        confusion[(size_t)sample->truth[row] * sample->class_count +
                  (size_t)sample->predictions->predicted[row]]++;
    return confusion;
}

bool report_make(const int *truth, const int *predicted, const double *probabilities,
                 size_t row_count, const ClassNames *classes, size_t positive, Arena *arena,
                 Report *report, Error *error)
{
    Predictions predictions = {predicted, probabilities};
    Sample sample = {truth, &predictions, row_count, classes->count, positive};
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    Tally tally;
    uint32_t *ones;

    if (!sample_check(&sample, classes, error))
        return false;
    ones = arena_array(scratch, uint32_t, row_count);
    for (size_t row = 0; row < row_count; row++)
        ones[row] = 1;

    *report = (Report){
        .row_count = row_count,
        .class_count = classes->count,
        .positive = positive,
        .confusion = make_confusion(&sample, arena),
    };
    tally = tally_create(&sample, scratch);
    tally_fill(&tally, &sample, ones);
    tally_figures(&tally, report);
    report->classes = make_class_reports(&tally, classes, arena);
    if (probabilities)
        make_probability_figures(&sample, ones, report);
    else
        forget_probability_figures(report);
    return true;
}
