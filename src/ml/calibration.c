#include "ml/calibration.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double logistic(double x)
{
    if (x >= 0)
        return 1 / (1 + exp(-x));
    return exp(x) / (1 + exp(x));
}

/* ---- logistic ---- */

typedef struct Sigmoid {
    const MarginSet *set;
    size_t margin;
    double slope, offset;
    double positive_target,
        negative_target; /* softened, so that separable rows do not end at 0, 1 */
} Sigmoid;

static double margin_at(const Sigmoid *sigmoid, size_t row)
{
    return sigmoid->set->margins[row * sigmoid->set->margin_count + sigmoid->margin];
}

static bool is_positive(const Sigmoid *sigmoid, size_t row)
{
    int positive = sigmoid->set->margin_count == 1 ? 1 : (int)sigmoid->margin;

    return sigmoid->set->labels[row] == positive;
}

static double loss_of(const Sigmoid *sigmoid, double slope, double offset)
{
    double loss = 0;

    for (size_t row = 0; row < sigmoid->set->row_count; row++) {
        double x = slope * margin_at(sigmoid, row) + offset;
        double target =
            is_positive(sigmoid, row) ? sigmoid->positive_target : sigmoid->negative_target;

        /* -t ln p - (1 - t) ln(1 - p), written so that exp() cannot overflow */
        loss += x >= 0 ? (1 - target) * x + log1p(exp(-x)) : -target * x + log1p(exp(x));
    }
    return loss;
}

typedef struct Newton {
    double slope_gradient, offset_gradient;
    double slope_slope, slope_offset, offset_offset;
} Newton;

static Newton derivatives(const Sigmoid *sigmoid)
{
    Newton sums = {.slope_slope = 1e-9, .offset_offset = 1e-9};

    for (size_t row = 0; row < sigmoid->set->row_count; row++) {
        double margin = margin_at(sigmoid, row);
        double p = logistic(sigmoid->slope * margin + sigmoid->offset);
        double target =
            is_positive(sigmoid, row) ? sigmoid->positive_target : sigmoid->negative_target;
        double curvature = p * (1 - p);

        sums.slope_gradient += (p - target) * margin;
        sums.offset_gradient += p - target;
        sums.slope_slope += curvature * margin * margin;
        sums.slope_offset += curvature * margin;
        sums.offset_offset += curvature;
    }
    return sums;
}

/* One damped step; false when no step makes it better. */
static bool step_sigmoid(Sigmoid *sigmoid)
{
    Newton d = derivatives(sigmoid);
    double determinant = d.slope_slope * d.offset_offset - d.slope_offset * d.slope_offset;
    double slope_step =
        (d.offset_offset * d.slope_gradient - d.slope_offset * d.offset_gradient) / determinant;
    double offset_step =
        (d.slope_slope * d.offset_gradient - d.slope_offset * d.slope_gradient) / determinant;
    double loss = loss_of(sigmoid, sigmoid->slope, sigmoid->offset);

    if (!(determinant > 0) || fabs(d.slope_gradient) + fabs(d.offset_gradient) < 1e-7)
        return false;
    for (double share = 1; share > 1e-8; share /= 2) {
        double slope = sigmoid->slope - share * slope_step;
        double offset = sigmoid->offset - share * offset_step;

        if (loss_of(sigmoid, slope, offset) < loss) {
            sigmoid->slope = slope;
            sigmoid->offset = offset;
            return true;
        }
    }
    return false;
}

static void fit_logistic(const MarginSet *set, Calibration *calibration)
{
    for (size_t margin = 0; margin < set->margin_count; margin++) {
        Sigmoid sigmoid = {.set = set, .margin = margin};
        double positives = 0, negatives;

        for (size_t row = 0; row < set->row_count; row++)
            positives += is_positive(&sigmoid, row);
        negatives = (double)set->row_count - positives;
        sigmoid.positive_target = (positives + 1) / (positives + 2);
        sigmoid.negative_target = 1 / (negatives + 2);
        sigmoid.offset = log((positives + 1) / (negatives + 1));
        for (int i = 0; i < 100 && step_sigmoid(&sigmoid); i++)
            continue;
        /* A falling sigmoid would turn the model's order around: margins that say nothing. */
        calibration->slopes[margin] = fmax(sigmoid.slope, 0);
        calibration->offsets[margin] = sigmoid.offset;
    }
}

/* ---- isotonic ---- */

typedef struct Pool {
    double margin_sum, positives, rows;
} Pool;

static int compare_pools(const void *a, const void *b)
{
    const Pool *first = a, *second = b;

    return (first->margin_sum > second->margin_sum) - (first->margin_sum < second->margin_sum);
}

static double value_of(const Pool *pool)
{
    return pool->positives / pool->rows;
}

static void merge_into(Pool *pool, const Pool *next)
{
    pool->margin_sum += next->margin_sum;
    pool->positives += next->positives;
    pool->rows += next->rows;
}

/* Rows of one margin are one pool: their order says nothing. */
static size_t merge_equals(Pool *pools, size_t count)
{
    size_t kept = 0;
    double margin = 0;

    for (size_t i = 0; i < count; i++) {
        if (kept && pools[i].margin_sum <= margin) {
            merge_into(&pools[kept - 1], &pools[i]);
            continue;
        }
        margin = pools[i].margin_sum;
        pools[kept++] = pools[i];
    }
    return kept;
}

/* Merges neighbours until values rise; returns how many pools are left. */
static size_t merge_violators(Pool *pools, size_t count)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        pools[kept++] = pools[i];
        while (kept > 1 && value_of(&pools[kept - 2]) >= value_of(&pools[kept - 1])) {
            merge_into(&pools[kept - 2], &pools[kept - 1]);
            kept--;
        }
    }
    return kept;
}

static void fit_isotonic(const MarginSet *set, Calibration *calibration, Arena *arena)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    Pool *pools = arena_array(scratch, Pool, set->row_count);

    for (size_t row = 0; row < set->row_count; row++)
        pools[row] = (Pool){set->margins[row], set->labels[row] == 1, 1};
    qsort(pools, set->row_count, sizeof(*pools), compare_pools);
    calibration->knot_count = merge_violators(pools, merge_equals(pools, set->row_count));
    calibration->knot_margins = arena_array(arena, double, calibration->knot_count);
    calibration->knot_values = arena_array(arena, double, calibration->knot_count);
    for (size_t i = 0; i < calibration->knot_count; i++) {
        calibration->knot_margins[i] = pools[i].margin_sum / pools[i].rows;
        calibration->knot_values[i] = (pools[i].positives + 0.5) / (pools[i].rows + 1);
        if (i == 0)
            continue;
        /* A mean is rounded; and the half rows added may break the order of small pools. */
        calibration->knot_margins[i] =
            fmax(calibration->knot_margins[i], calibration->knot_margins[i - 1]);
        calibration->knot_values[i] =
            fmax(calibration->knot_values[i], calibration->knot_values[i - 1]);
    }
}

static double apply_isotonic(const Calibration *calibration, double margin)
{
    size_t low = 0, high = calibration->knot_count - 1;
    double width, share;

    if (margin <= calibration->knot_margins[low])
        return calibration->knot_values[low];
    if (margin >= calibration->knot_margins[high])
        return calibration->knot_values[high];
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;

        if (calibration->knot_margins[middle] <= margin)
            low = middle;
        else
            high = middle;
    }
    width = calibration->knot_margins[high] - calibration->knot_margins[low];
    share = width > 0 ? (margin - calibration->knot_margins[low]) / width : 0;
    return calibration->knot_values[low] +
           share * (calibration->knot_values[high] - calibration->knot_values[low]);
}

/* ---- softmax ---- */

static void apply_softmax(double slope, const double *margins, size_t count, double *probabilities)
{
    double most = margins[0], sum = 0;

    for (size_t i = 1; i < count; i++)
        most = fmax(most, margins[i]);
    for (size_t i = 0; i < count; i++)
        sum += probabilities[i] = exp(slope * (margins[i] - most));
    for (size_t i = 0; i < count; i++)
        probabilities[i] /= sum;
}

static double softmax_loss(const MarginSet *set, double slope, double *probabilities)
{
    double loss = 0;

    for (size_t row = 0; row < set->row_count; row++) {
        apply_softmax(slope, set->margins + row * set->margin_count, set->margin_count,
                      probabilities);
        loss -= log(fmax(probabilities[set->labels[row]], 1e-15));
    }
    return loss;
}

/* The loss is convex in the slope: golden section over its logarithm. */
static double fit_softmax(const MarginSet *set)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    double *probabilities = arena_array(scratch, double, set->margin_count);
    const double ratio = (sqrt(5) - 1) / 2;
    double low = log(1e-3), high = log(1e3);
    double left = high - ratio * (high - low), right = low + ratio * (high - low);
    double left_loss = softmax_loss(set, exp(left), probabilities);
    double right_loss = softmax_loss(set, exp(right), probabilities);

    while (high - low > 1e-3) {
        if (left_loss <= right_loss) {
            high = right;
            right = left;
            right_loss = left_loss;
            left = high - ratio * (high - low);
            left_loss = softmax_loss(set, exp(left), probabilities);
        } else {
            low = left;
            left = right;
            left_loss = right_loss;
            right = low + ratio * (high - low);
            right_loss = softmax_loss(set, exp(right), probabilities);
        }
    }
    return exp((low + high) / 2);
}

/* ---- all ---- */

bool calibration_suits(CalibrationKind kind, size_t margin_count)
{
    if (kind == CALIBRATION_ISOTONIC)
        return margin_count == 1;
    return kind == CALIBRATION_LOGISTIC || margin_count > 1;
}

Calibration calibration_fit(const MarginSet *set, CalibrationKind kind, Arena *arena)
{
    Calibration calibration = {
        .kind = kind, .margin_count = set->margin_count, .row_count = set->row_count};

    calibration.slopes = arena_array(arena, double, set->margin_count);
    calibration.offsets = arena_array(arena, double, set->margin_count);
    if (kind == CALIBRATION_LOGISTIC)
        fit_logistic(set, &calibration);
    else if (kind == CALIBRATION_ISOTONIC)
        fit_isotonic(set, &calibration, arena);
    else
        calibration.slopes[0] = fit_softmax(set);
    return calibration;
}

/* To sum 1, and no surer than the rows can tell. */
static void finish(const Calibration *calibration, double *probabilities, size_t count)
{
    double rows = (double)calibration->row_count, sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += probabilities[i];
    for (size_t i = 0; i < count; i++) {
        double share = sum > 0 ? probabilities[i] / sum : 1 / (double)count;

        probabilities[i] = (rows * share + 1) / (rows + (double)count);
    }
}

void calibration_apply(const Calibration *calibration, const double *margins, double *probabilities)
{
    size_t count = calibration->margin_count;

    if (count == 1) {
        probabilities[1] =
            calibration->kind == CALIBRATION_ISOTONIC
                ? apply_isotonic(calibration, margins[0])
                : logistic(calibration->slopes[0] * margins[0] + calibration->offsets[0]);
        probabilities[0] = 1 - probabilities[1];
        finish(calibration, probabilities, 2);
        return;
    }
    if (calibration->kind == CALIBRATION_SOFTMAX)
        apply_softmax(calibration->slopes[0], margins, count, probabilities);
    for (size_t i = 0; calibration->kind == CALIBRATION_LOGISTIC && i < count; i++)
        probabilities[i] = logistic(calibration->slopes[i] * margins[i] + calibration->offsets[i]);
    finish(calibration, probabilities, count);
}

/* ---- bytes ---- */

void calibration_write(const Calibration *calibration, ByteWriter *writer)
{
    write_u32(writer, calibration->kind);
    write_u64(writer, calibration->row_count);
    write_items(writer, calibration->slopes, calibration->margin_count, sizeof(double));
    write_items(writer, calibration->offsets, calibration->margin_count, sizeof(double));
    write_u64(writer, calibration->knot_count);
    write_items(writer, calibration->knot_margins, calibration->knot_count, sizeof(double));
    write_items(writer, calibration->knot_values, calibration->knot_count, sizeof(double));
}

static bool is_rising(const double *values, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (values[i] < values[i - 1])
            return false;
    return true;
}

void calibration_read(ByteReader *reader, size_t margin_count, Arena *arena,
                      Calibration *calibration)
{
    uint32_t kind = read_u32(reader);

    calibration->kind = (CalibrationKind)kind;
    calibration->margin_count = margin_count;
    calibration->row_count = read_u64(reader);
    calibration->slopes = read_doubles(reader, margin_count, arena);
    calibration->offsets = read_doubles(reader, margin_count, arena);
    calibration->knot_count = read_count(reader, 2 * sizeof(double), SIZE_MAX);
    calibration->knot_margins = read_doubles(reader, calibration->knot_count, arena);
    calibration->knot_values = read_doubles(reader, calibration->knot_count, arena);
    if (reader->is_bad)
        return;
    reader->is_bad = kind >= CALIBRATION_KIND_COUNT ||
                     !calibration_suits(calibration->kind, margin_count) ||
                     (kind == CALIBRATION_ISOTONIC && calibration->knot_count == 0) ||
                     !is_rising(calibration->knot_margins, calibration->knot_count);
}
