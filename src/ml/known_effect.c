#include "ml/known_effect.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum {
    COUNT_MIN = 12,
    COUNT_KEPT = 1 << 14, /* older values are left out */
    WIDTH_MIN = 7,        /* of a moving mean */
    WIDTHS = 3,
    SEASONS_SEEN_MIN = 4, /* so many times is a season seen before its means are taken out */
    ERRORS_KEPT = 6,      /* usual errors (medians) that a value may be off */
    ROUNDS = 4,
};

/* Of features that reach from 0 to 1. */
static const double penalties[] = {0.1, 0.5, 2, 8, 32, 128};

static const double shift_max = 20; /* of logarithms, so that factors stay finite */

/* ---- the usual value ---- */

static int compare_doubles(const void *a, const void *b)
{
    double one = *(const double *)a, two = *(const double *)b;

    return (one > two) - (one < two);
}

/* The most frequent of sorted values, the least of those that are alike frequent. */
static double most_frequent(const double *sorted, size_t count, size_t *times)
{
    double best = NAN;

    *times = 0;
    for (size_t begin = 0, end; begin < count; begin = end) {
        for (end = begin; end < count && sorted[end] == sorted[begin];)
            end++;
        if (end - begin <= *times)
            continue;
        *times = end - begin;
        best = sorted[begin];
    }
    return best;
}

static double mean_of(const double *values, size_t count)
{
    double mean = 0;

    for (size_t i = 0; i < count; i++)
        mean += values[i] / (double)count;
    return mean;
}

/* scratch has room for all rows. */
static double usual_value(const KnownRows *rows, size_t column, double *scratch)
{
    size_t width = rows->columns->count, count = 0, times;
    bool is_category = rows->columns->items[column].level_count > 0;
    double best;

    for (size_t row = 0; row < rows->count; row++)
        if (!isnan(rows->values[row * width + column]))
            scratch[count++] = rows->values[row * width + column];
    if (count == 0)
        return 0;
    qsort(scratch, count, sizeof(*scratch), compare_doubles);
    best = most_frequent(scratch, count, &times);
    return is_category || times * 2 >= count ? best : mean_of(scratch, count);
}

/* ---- trend and season taken out ---- */

/* What is left of them is regressed. width 0: a line is taken out, not a moving mean. */
typedef struct Filter {
    size_t width;
    const size_t *seasons;
    size_t season_count;
} Filter;

static void take_line(double *values, size_t count)
{
    double middle = ((double)count - 1) / 2, mean = mean_of(values, count), slope = 0, sum = 0;

    for (size_t i = 0; i < count; i++) {
        slope += ((double)i - middle) * (values[i] - mean);
        sum += ((double)i - middle) * ((double)i - middle);
    }
    slope = sum > 0 ? slope / sum : 0;
    for (size_t i = 0; i < count; i++)
        values[i] -= mean + slope * ((double)i - middle);
}

/* At the ends the mean is that of what is there. sums has room for one more than count. */
static void take_moving_mean(double *values, size_t count, size_t width, double *sums)
{
    size_t half = width / 2;

    sums[0] = 0;
    for (size_t i = 0; i < count; i++)
        sums[i + 1] = sums[i] + values[i];
    for (size_t i = 0; i < count; i++) {
        size_t from = i > half ? i - half : 0, to = i + half + 1 < count ? i + half + 1 : count;

        values[i] -= (sums[to] - sums[from]) / (double)(to - from);
    }
}

static void take_season(double *values, size_t count, size_t season)
{
    for (size_t place = 0; place < season && place < count; place++) {
        size_t seen = (count - place + season - 1) / season;
        double mean = 0;

        for (size_t i = place; i < count; i += season)
            mean += values[i] / (double)seen;
        for (size_t i = place; i < count; i += season)
            values[i] -= mean;
    }
}

static void take_out(const Filter *how, double *values, size_t count, double *sums)
{
    if (how->width)
        take_moving_mean(values, count, how->width, sums);
    else
        take_line(values, count);
    for (size_t i = 0; i < how->season_count; i++)
        if (how->seasons[i] > 1 && how->seasons[i] * SEASONS_SEEN_MIN <= count)
            take_season(values, count, how->seasons[i]);
}

/* ---- ridge ---- */

/* A series and its features, feature by feature, each from 0 to 1. */
typedef struct Sample {
    const double *values, *logs; /* logs NULL: a value is not above 0 */
    size_t count, split;         /* where the last quarter begins */
    size_t period, seasons[SERIES_LONGER_MAX + 1], season_count;
    size_t width;
    const double *features; /* width x count, less their usual values */
    const double *ranges;   /* of each feature before it was scaled; 0: it never changes */
} Sample;

typedef struct Equations {
    size_t size, count;
    const double *left;      /* size x count: what is left of the features */
    const double *values;    /* count: of the values */
    double *mended;          /* count: what weights are learnt from */
    double *sizes;           /* count, for the median */
    double *matrix, *factor; /* size x size, the lower triangle */
    double *target;
} Equations;

static double dot(const double *one, const double *two, size_t count)
{
    double sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += one[i] * two[i];
    return sum;
}

/* Of the first count values. */
static Equations make_equations(const Sample *sample, const Filter *how, bool is_log, size_t count,
                                Arena *arena)
{
    size_t size = sample->width;
    double *left = arena_array(arena, double, size *count);
    double *target = arena_array(arena, double, count);
    double *sums = arena_array(arena, double, count + 1);
    Equations made = {.size = size,
                      .count = count,
                      .left = left,
                      .values = target,
                      .mended = arena_array(arena, double, count),
                      .sizes = arena_array(arena, double, count),
                      .matrix = arena_array(arena, double, size *size),
                      .factor = arena_array(arena, double, size *size),
                      .target = arena_array(arena, double, size)};

    memcpy(target, is_log && sample->logs ? sample->logs : sample->values, count * sizeof(*target));
    take_out(how, target, count, sums);
    for (size_t i = 0; i < size; i++) {
        memcpy(left + i * count, sample->features + i * sample->count, count * sizeof(*left));
        take_out(how, left + i * count, count, sums);
        for (size_t j = 0; j <= i; j++)
            made.matrix[i * size + j] = dot(left + i * count, left + j * count, count);
    }
    return made;
}

/* Cholesky's L L' = X'X + penalty. */
static void solve(const Equations *equations, double penalty, double *weights)
{
    size_t size = equations->size;
    double *factor = equations->factor;

    for (size_t i = 0; i < size; i++) {
        for (size_t j = 0; j <= i; j++) {
            double sum = equations->matrix[i * size + j] + (i == j ? penalty : 0);

            sum -= dot(factor + i * size, factor + j * size, j);
            factor[i * size + j] = i == j ? sqrt(fmax(sum, 1e-12)) : sum / factor[j * size + j];
        }
        weights[i] = equations->target[i] - dot(factor + i * size, weights, i);
        weights[i] /= factor[i * size + i];
    }
    for (size_t i = size; i-- > 0;) {
        for (size_t k = i + 1; k < size; k++)
            weights[i] -= factor[k * size + i] * weights[k];
        weights[i] /= factor[i * size + i];
    }
}

/* Values whose errors are larger than ERRORS_KEPT times the usual one are taken as if they were so
 * large: a day of a storm is no effect of its weather. */
static void mend(const Equations *equations, const double *weights)
{
    size_t count = equations->count;
    double *mended = equations->mended, most;

    for (size_t t = 0; t < count; t++)
        mended[t] = 0;
    for (size_t i = 0; i < equations->size; i++)
        for (size_t t = 0; t < count; t++)
            mended[t] += weights[i] * equations->left[i * count + t];
    for (size_t t = 0; t < count; t++)
        equations->sizes[t] = fabs(equations->values[t] - mended[t]);
    qsort(equations->sizes, count, sizeof(*equations->sizes), compare_doubles);
    most = ERRORS_KEPT * equations->sizes[count / 2];
    for (size_t t = 0; t < count; t++)
        mended[t] += fmin(fmax(equations->values[t] - mended[t], -most), most);
}

static void learn(const Equations *equations, double penalty, double *weights)
{
    memcpy(equations->mended, equations->values, equations->count * sizeof(double));
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < equations->size; i++)
            equations->target[i] =
                dot(equations->left + i * equations->count, equations->mended, equations->count);
        solve(equations, penalty, weights);
        mend(equations, weights);
    }
}

/* ---- the choice ---- */

static double apply(bool is_log, double value, double shift)
{
    return is_log ? value * exp(fmin(fmax(shift, -shift_max), shift_max)) : value + shift;
}

/* The mean error on the last quarter, each value from the two seasons before it. shifts and rest
 * have room for all values. */
static double try_weights(const Sample *sample, bool is_log, const double *weights, double *shifts,
                          double *rest)
{
    size_t season = sample->period;
    double error = 0;

    for (size_t t = 0; t < sample->count; t++)
        shifts[t] = 0;
    for (size_t i = 0; i < sample->width; i++)
        for (size_t t = 0; t < sample->count; t++)
            shifts[t] += weights[i] * sample->features[i * sample->count + t];
    for (size_t t = 0; t < sample->count; t++)
        rest[t] = apply(is_log, sample->values[t], -shifts[t]);
    for (size_t t = sample->split; t < sample->count; t++) {
        double anchor = (rest[t - season] + rest[t - 2 * season]) / 2;

        error += fabs(sample->values[t] - apply(is_log, anchor, shifts[t]));
    }
    return error;
}

typedef struct Choice {
    double error;
    bool is_log;
    size_t width;
    double penalty;
} Choice;

static void try_form(const Sample *sample, bool is_log, size_t width, Choice *best)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    const Filter how = {width, sample->seasons, sample->season_count};
    double *weights = arena_array(scratch, double, sample->width);
    double *shifts = arena_array(scratch, double, sample->count);
    double *rest = arena_array(scratch, double, sample->count);
    Equations equations = make_equations(sample, &how, is_log, sample->split, scratch);

    for (size_t i = 0; i < COUNT(penalties); i++) {
        double error;

        learn(&equations, penalties[i], weights);
        error = try_weights(sample, is_log, weights, shifts, rest);
        if (error < best->error)
            *best = (Choice){error, is_log, width, penalties[i]};
    }
}

static size_t list_widths(const Sample *sample, size_t widths[WIDTHS])
{
    size_t base = sample->period > WIDTH_MIN ? sample->period : WIDTH_MIN, count = 0;

    for (size_t factor = 1; factor <= 4; factor *= 4)
        if (base * factor * 2 <= sample->split)
            widths[count++] = (base * factor) | 1;
    widths[count++] = 0;
    return count;
}

static Choice choose(const Sample *sample)
{
    Choice best = {.error = INFINITY, .penalty = penalties[COUNT(penalties) - 1]};
    size_t widths[WIDTHS], count = list_widths(sample, widths);

    for (int is_log = 0; is_log <= (sample->logs ? 1 : 0); is_log++)
        for (size_t i = 0; i < count; i++)
            try_form(sample, is_log != 0, widths[i], &best);
    return best;
}

/* ---- the sample ---- */

static const double *logs_of(const Series *series, Arena *arena)
{
    double *logs = arena_array(arena, double, series->count);

    if (!series_is_positive(series))
        return NULL;
    for (size_t i = 0; i < series->count; i++)
        logs[i] = log(series->values[i]);
    return logs;
}

static void fill_features(const KnownRows *rows, const double *usual, size_t width,
                          double *features)
{
    double row[KNOWN_COLUMNS_MAX], made[KNOWN_FEATURES_MAX], zero[KNOWN_FEATURES_MAX];
    size_t columns = rows->columns->count;

    known_features(rows->columns, usual, zero);
    for (size_t t = 0; t < rows->count; t++) {
        for (size_t i = 0; i < columns; i++)
            row[i] =
                isnan(rows->values[t * columns + i]) ? usual[i] : rows->values[t * columns + i];
        known_features(rows->columns, row, made);
        for (size_t i = 0; i < width; i++)
            features[i * rows->count + t] = made[i] - zero[i];
    }
}

static double scale_feature(double *feature, size_t count)
{
    double low = feature[0], high = feature[0], range;

    for (size_t t = 1; t < count; t++) {
        low = fmin(low, feature[t]);
        high = fmax(high, feature[t]);
    }
    range = high - low;
    for (size_t t = 0; t < count && range > 0; t++)
        feature[t] /= range;
    return range;
}

static void set_seasons(Sample *sample, const Series *series)
{
    sample->period = series->period;
    if (2 * sample->period > sample->split)
        sample->period = 1;
    sample->seasons[sample->season_count++] = series->period;
    for (size_t i = 0; i < series->longer_count && i < SERIES_LONGER_MAX; i++)
        sample->seasons[sample->season_count++] = series->longer[i];
}

static Sample sample_of(const Series *series, const KnownRows *rows, const double *usual,
                        Arena *arena)
{
    size_t width = known_feature_count(rows->columns), count = series->count;
    double *features = arena_array(arena, double, width *count);
    double *ranges = arena_array(arena, double, width);
    Sample sample = {.values = series->values,
                     .logs = logs_of(series, arena),
                     .count = count,
                     .split = count - count / 4,
                     .width = width,
                     .features = features,
                     .ranges = ranges};

    fill_features(rows, usual, width, features);
    for (size_t i = 0; i < width; i++)
        ranges[i] = scale_feature(features + i * count, count);
    set_seasons(&sample, series);
    return sample;
}

static void learn_weights(const Sample *sample, const Choice *choice, double *weights)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    const Filter how = {choice->width, sample->seasons, sample->season_count};
    Equations equations = make_equations(sample, &how, choice->is_log, sample->count, scratch);

    learn(&equations, choice->penalty, weights);
    for (size_t i = 0; i < sample->width; i++) {
        double weight = sample->ranges[i] > 0 ? weights[i] / sample->ranges[i] : 0;

        weights[i] = fabs(weight) <= SERIES_VALUE_MAX ? weight : 0;
    }
}

KnownEffect known_effect_learn(const Series *whole, const KnownRows *all, Arena *arena)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    size_t left_out = whole->count > COUNT_KEPT ? whole->count - COUNT_KEPT : 0;
    size_t columns = all->columns->count;
    Series series = {whole->values + left_out, whole->count - left_out, whole->period,
                     whole->longer, whole->longer_count};
    KnownRows rows = {all->columns, all->values + left_out * columns, series.count};
    double *weights = arena_array(arena, double, known_feature_count(all->columns));
    double *usual = arena_array(arena, double, columns);
    double *values = arena_array(scratch, double, series.count);
    KnownEffect effect = {false, weights, usual};
    Sample sample;
    Choice choice;

    for (size_t i = 0; i < columns; i++)
        usual[i] = usual_value(&rows, i, values);
    if (series.count < COUNT_MIN)
        return effect;
    sample = sample_of(&series, &rows, usual, scratch);
    choice = choose(&sample);
    effect.is_log = choice.is_log;
    learn_weights(&sample, &choice, weights);
    return effect;
}

/* ---- effects ---- */

double known_effect_of(const KnownEffect *effect, const KnownColumns *columns, const double *row)
{
    double sum = 0;
    size_t at = 0;

    for (size_t i = 0; i < columns->count; i++) {
        size_t levels = columns->items[i].level_count;
        const double *weights = effect->weights + at;

        at += levels ? levels : 1;
        if (isnan(row[i]))
            continue;
        if (levels)
            sum += weights[(size_t)row[i]] - weights[(size_t)effect->usual[i]];
        else
            sum += weights[0] * (row[i] - effect->usual[i]);
    }
    return sum;
}

void known_effect_remove(const KnownEffect *effect, const KnownRows *rows, const double *values,
                         double *rest)
{
    for (size_t t = 0; t < rows->count; t++)
        rest[t] =
            apply(effect->is_log, values[t],
                  -known_effect_of(effect, rows->columns, rows->values + t * rows->columns->count));
}

void known_effect_add(const KnownEffect *effect, const KnownRows *rows, Forecast *forecast)
{
    for (size_t step = 0; step < forecast->horizon; step++) {
        double shift =
            known_effect_of(effect, rows->columns, rows->values + step * rows->columns->count);

        forecast->mean[step] = apply(effect->is_log, forecast->mean[step], shift);
        if (effect->is_log)
            forecast->deviation[step] = apply(true, forecast->deviation[step], shift);
    }
}
