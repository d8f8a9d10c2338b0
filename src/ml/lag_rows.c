#include "ml/lag_rows.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

enum {
    LEAST = 8,       /* values before the first origin */
    PLAIN_SPAN = 4,  /* without a season */
    LAGS = 8,        /* last values that are features */
    PLACES = 4,      /* the mean of as many values at the same place of a season */
    MEANS = 3,       /* of two, four and eight spans */
    MEMORY_MIN = 64, /* misses */
    UNEVEN_MAX = 64, /* values that are looked at for how uneven the last ones are */
    SEASON_GUESSES = 3,
};

static const double error_share_min = 1e-6; /* an error is taken as at least this of the largest */
static const float feature_max = 1e6F;

static size_t larger(size_t one, size_t two)
{
    return one > two ? one : two;
}

LagShape lag_shape(const size_t *periods, size_t period_count, size_t block)
{
    LagShape shape = {.block = block, .span = PLAIN_SPAN};
    size_t longest = 1;

    for (size_t i = 0; i < period_count && shape.season_count < LAG_SEASONS_MAX; i++)
        if (periods[i] > 1)
            shape.seasons[shape.season_count++] = longest = periods[i];
    if (shape.season_count > 0 && periods[0] > 1)
        shape.span = shape.seasons[0];
    shape.least = larger(LEAST, 2 * shape.span);
    shape.memory = larger(larger(MEMORY_MIN, 4 * block), 2 * longest);
    shape.guess_count = 2 + SEASON_GUESSES * shape.season_count;
    /* Besides: lags but the first, means, the step, unevenness, the size, the age. */
    shape.feature_count = 2 * shape.guess_count + 5 * shape.season_count + LAGS - 1 + MEANS + 4;
    return shape;
}

/* ---- guesses ---- */

/* Of the values from .. to - 1; NaN where they begin before the series. */
static double mean_of(const LagView *view, size_t to, size_t count)
{
    return to < count ? NAN : (view->sums[to] - view->sums[to - count]) / (double)count;
}

/* The last place before the origin that is whole seasons before the target; SIZE_MAX for none. */
static size_t place_of(size_t origin, size_t step, size_t season)
{
    size_t target = origin + step - 1, back = (step + season - 1) / season * season;

    return target < back ? SIZE_MAX : target - back;
}

static double mean_of_places(const LagView *view, size_t place, size_t season)
{
    double sum = 0;
    size_t count = 0;

    for (size_t at = place; count < PLACES; at -= season) {
        sum += view->values[at];
        count++;
        if (at < season)
            break;
    }
    return count > 1 ? sum / (double)count : NAN;
}

static void guess_by_season(const LagView *view, size_t origin, size_t step, size_t season,
                            double guesses[SEASON_GUESSES])
{
    size_t place = place_of(origin, step, season), span = view->shape->span, back;

    guesses[0] = guesses[1] = guesses[2] = NAN;
    if (place == SIZE_MAX)
        return;
    back = origin + step - 1 - place;
    guesses[0] = view->values[place];
    guesses[1] = mean_of_places(view, place, season);
    if (origin >= back + span)
        guesses[2] =
            view->values[place] + mean_of(view, origin, span) - mean_of(view, origin - back, span);
}

static void guess(const LagView *view, size_t origin, size_t step, double *guesses)
{
    const LagShape *shape = view->shape;

    guesses[0] = view->values[origin - 1];
    guesses[1] = mean_of(view, origin, shape->span);
    for (size_t i = 0; i < shape->season_count; i++)
        guess_by_season(view, origin, step, shape->seasons[i], guesses + 2 + SEASON_GUESSES * i);
}

/* ---- their errors ---- */

/* A running mean that forgets: all misses count alike until there are memory of them. */
static void add_misses(const LagShape *shape, const double *guesses, double value, size_t *counts,
                       double *errors)
{
    for (size_t i = 0; i < shape->guess_count; i++) {
        double miss = fabs(value - guesses[i]);
        size_t count;

        if (isnan(miss))
            continue;
        count = counts[i] < shape->memory ? ++counts[i] : shape->memory;
        errors[i] = count == 1 ? miss : errors[i] + (miss - errors[i]) / (double)count;
    }
}

/* Those of the step in the middle stand for all. */
static const double *errors_of(const LagView *view, Arena *arena)
{
    const LagShape *shape = view->shape;
    size_t width = shape->guess_count, step = (shape->block + 1) / 2;
    double *errors = arena_array(arena, double, (view->came + 1) * width);
    size_t counts[LAG_GUESSES_MAX] = {0};

    for (size_t i = 0; i < width; i++)
        errors[i] = NAN;
    for (size_t known = 1; known <= view->came; known++) {
        double guesses[LAG_GUESSES_MAX] = {0}, *now = errors + known * width;

        memcpy(now, now - width, width * sizeof(*now));
        if (known <= step)
            continue;
        guess(view, known - step, step, guesses);
        add_misses(shape, guesses, view->values[known - 1], counts, now);
    }
    return errors;
}

/* ---- the view ---- */

LagView lag_view(const LagShape *shape, const LagSeries *series, size_t room, Arena *arena)
{
    size_t left_out = series->count > LAG_COUNT_KEPT ? series->count - LAG_COUNT_KEPT : 0;
    size_t count = series->count - left_out;
    LagView view = {.shape = shape,
                    .came = count,
                    .count = count,
                    .end = count + series->behind,
                    .values = arena_array(arena, double, count + room + 1),
                    .sums = arena_array(arena, double, count + room + 1),
                    .low = INFINITY,
                    .high = -INFINITY};

    for (size_t i = 0; i < count; i++) {
        view.values[i] = series->values[left_out + i];
        view.sums[i + 1] = view.sums[i] + view.values[i];
        view.low = fmin(view.low, view.values[i]);
        view.high = fmax(view.high, view.values[i]);
    }
    view.errors = errors_of(&view, arena);
    return view;
}

void lag_view_append(LagView *view, double value)
{
    view->values[view->count] = value;
    view->sums[view->count + 1] = view->sums[view->count] + value;
    view->count++;
}

/* ---- rows ---- */

/* False where no guess is there, or its errors are not known. */
static bool weigh(const LagShape *shape, const double *guesses, const double *errors, LagRow *row)
{
    double largest = 0, anchor = 0, scale = 0, sum = 0;

    for (size_t i = 0; i < shape->guess_count; i++)
        if (!isnan(guesses[i]) && !isnan(errors[i]))
            largest = fmax(largest, errors[i]);
    for (size_t i = 0; i < shape->guess_count; i++) {
        double share = largest > 0 ? fmax(errors[i] / largest, error_share_min) : 1;
        double weight = 1 / (share * share * share * share);

        if (isnan(guesses[i]) || isnan(errors[i]))
            continue;
        anchor += weight * guesses[i];
        scale += weight * errors[i];
        sum += weight;
    }
    row->anchor = anchor / sum;
    row->scale = scale / sum;
    return sum > 0;
}

/* The features are written one after the other. */
typedef struct Writer {
    LagRow *row;
    size_t count;
} Writer;

static void put(Writer *writer, double value)
{
    float number = (float)value;

    assert(writer->count < LAG_FEATURES_MAX);
    if (number > feature_max)
        number = feature_max;
    if (number < -feature_max)
        number = -feature_max;
    writer->row->features[writer->count++] = number;
}

static void put_value(Writer *writer, double value)
{
    put(writer, (value - writer->row->anchor) / writer->row->scale);
}

static void put_guesses(Writer *writer, const LagShape *shape, const double *guesses,
                        const double *errors)
{
    for (size_t i = 0; i < shape->guess_count; i++) {
        put_value(writer, guesses[i]);
        put(writer, errors[i] / writer->row->scale);
    }
}

static void put_last(Writer *writer, const LagView *view, size_t origin)
{
    size_t count = view->shape->span;

    for (size_t lag = 2; lag <= LAGS; lag++)
        put_value(writer, origin < lag ? NAN : view->values[origin - lag]);
    for (size_t i = 0; i < MEANS; i++)
        put_value(writer, mean_of(view, origin, count *= 2));
}

static double value_at(const LagView *view, size_t place, size_t origin)
{
    return place < origin ? view->values[place] : NAN;
}

/* Places count backwards from the end of the latest series, so that all series have the same. */
static double phase_of(const LagView *view, size_t target, size_t season)
{
    int64_t phase = ((int64_t)view->end - (int64_t)target) % (int64_t)season;

    return (double)(phase < 0 ? phase + (int64_t)season : phase);
}

static void put_season(Writer *writer, const LagView *view, size_t origin, size_t step,
                       size_t season)
{
    size_t place = place_of(origin, step, season);

    if (place == SIZE_MAX) {
        for (size_t i = 0; i < 4; i++)
            put(writer, NAN);
    } else {
        put_value(writer, place > 0 ? view->values[place - 1] : NAN);
        put_value(writer, value_at(view, place + 1, origin));
        put_value(writer, place < season ? NAN : view->values[place - season]);
        put_value(writer, place < 2 * season ? NAN : view->values[place - 2 * season]);
    }
    put(writer, phase_of(view, origin + step - 1, season));
}

/* The mean size of the last steps from one value to the next. */
static double unevenness(const LagView *view, size_t origin)
{
    size_t wanted = 2 * view->shape->span, count;
    double sum = 0;

    count = wanted < UNEVEN_MAX ? wanted : UNEVEN_MAX;
    if (count > origin - 1)
        count = origin - 1;
    for (size_t i = 1; i <= count; i++)
        sum += fabs(view->values[origin - i] - view->values[origin - i - 1]);
    return sum / (double)count;
}

static void put_traits(Writer *writer, const LagView *view, size_t origin, size_t step)
{
    double scale = writer->row->scale;

    put(writer, (double)step);
    put(writer, unevenness(view, origin) / scale);
    put(writer, log1p(fabs(mean_of(view, origin, view->shape->span)) / scale));
    put(writer, log((double)origin));
}

bool lag_row(const LagView *view, size_t origin, size_t step, LagRow *row)
{
    const LagShape *shape = view->shape;
    const double *errors;
    double guesses[LAG_GUESSES_MAX] = {0};
    Writer writer = {row, 0};

    if (origin < shape->least)
        return false;
    errors = view->errors + (origin < view->came ? origin : view->came) * shape->guess_count;
    guess(view, origin, step, guesses);
    if (!weigh(shape, guesses, errors, row))
        return false;
    if (row->scale <= 0)
        return true;
    put_guesses(&writer, shape, guesses, errors);
    put_last(&writer, view, origin);
    for (size_t i = 0; i < shape->season_count; i++)
        put_season(&writer, view, origin, step, shape->seasons[i]);
    put_traits(&writer, view, origin, step);
    assert(writer.count == shape->feature_count);
    return true;
}
