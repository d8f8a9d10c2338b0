#include "ml/stl.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- local regression ---- */

/* Values that are smoothed, and the weights of distances, which most fits share. */
typedef struct Loess {
    StlLoess how;
    const double *values, *weights; /* weights: NULL for all 1 */
    size_t count;
    double *kernel; /* by distance, for reach; room for count + 1 */
    size_t reach;   /* 0: not filled */
} Loess;

/* The window of a fit: the values from first to last. */
typedef struct Span {
    size_t first, last;
} Span;

static void fill_kernel(Loess *loess, size_t reach)
{
    size_t most = reach < loess->count ? reach : loess->count;

    if (reach == loess->reach)
        return;
    for (size_t distance = 0; distance <= most; distance++) {
        double ratio = (double)distance / (double)reach, rest = 1 - ratio * ratio * ratio;

        loess->kernel[distance] = ratio <= 0.999 ? rest * rest * rest : 0;
        if (ratio <= 0.001)
            loess->kernel[distance] = 1;
    }
    loess->reach = reach;
}

static size_t reach_of(const Loess *loess, ptrdiff_t at, Span span)
{
    ptrdiff_t before = at - (ptrdiff_t)span.first, after = (ptrdiff_t)span.last - at;
    size_t reach = (size_t)(before > after ? before : after);

    if (loess->how.window > loess->count)
        reach += (loess->how.window - loess->count) / 2;
    return reach;
}

/* The fit's value at a time, which is at most one before or behind the values; otherwise where all
 * weights are 0. Sums are of distances from the time, so that long series lose nothing. */
static double fit_at(Loess *loess, ptrdiff_t at, Span span, double otherwise)
{
    double sum = 0, first = 0, second = 0, values = 0, products = 0, middle, spread;

    fill_kernel(loess, reach_of(loess, at, span));
    for (size_t t = span.first; t <= span.last; t++) {
        ptrdiff_t ahead = (ptrdiff_t)t - at;
        double weight = loess->kernel[ahead < 0 ? -ahead : ahead], along = (double)ahead;

        if (loess->weights)
            weight *= loess->weights[t];
        sum += weight;
        first += weight * along;
        second += weight * along * along;
        values += weight * loess->values[t];
        products += weight * along * loess->values[t];
    }
    if (!(sum > 0))
        return otherwise;
    middle = first / sum;
    spread = second / sum - middle * middle;
    if (loess->how.is_flat || !(sqrt(fmax(spread, 0)) > 0.001 * (double)(loess->count - 1)))
        return values / sum;
    return values / sum - middle * (products - middle * values) / (sum * spread);
}

static Span span_around(const Loess *loess, size_t at)
{
    size_t window = loess->how.window, before = (window - 1) / 2;
    size_t first = at > before ? at - before : 0;

    if (window >= loess->count)
        return (Span){0, loess->count - 1};
    if (first > loess->count - window)
        first = loess->count - window;
    return (Span){first, first + window - 1};
}

static void draw_line(double *smoothed, size_t from, size_t to)
{
    double step = (smoothed[to] - smoothed[from]) / (double)(to - from);

    for (size_t t = from + 1; t < to; t++)
        smoothed[t] = smoothed[from] + step * (double)(t - from);
}

/* The last value is fitted in the window of the last jump, as the authors do it. */
static void smooth(Loess *loess, double *smoothed)
{
    size_t end = loess->count - 1, jump = loess->how.jump < end ? loess->how.jump : end, last = 0;
    const double *values = loess->values;

    if (end == 0) {
        smoothed[0] = values[0];
        return;
    }
    for (size_t t = 0; t <= end; t += jump) {
        smoothed[t] = fit_at(loess, (ptrdiff_t)t, span_around(loess, t), values[t]);
        if (t > 0)
            draw_line(smoothed, t - jump, t);
        last = t;
    }
    if (last == end)
        return;
    smoothed[end] = fit_at(loess, (ptrdiff_t)end, span_around(loess, last), values[end]);
    draw_line(smoothed, last, end);
}

/* With one more value at both ends. */
static void smooth_beyond(Loess *loess, double *smoothed)
{
    size_t count = loess->count, window = loess->how.window < count ? loess->how.window : count;

    smooth(loess, smoothed + 1);
    smoothed[0] = fit_at(loess, -1, (Span){0, window - 1}, smoothed[1]);
    smoothed[count + 1] =
        fit_at(loess, (ptrdiff_t)count, (Span){count - window, count - 1}, smoothed[count]);
}

/* ---- turns ---- */

/* A decomposition that is being made. Buffers have room for count + 2 periods. */
typedef struct Work {
    StlSpec spec;
    const double *values;
    size_t count;
    const double *weights; /* NULL in the first outer turn */
    Stl parts;
    double *around; /* the season, from one period before the values to one behind them */
    double *one, *two, *kernel;
    double *position, *position_weights, *smoothed; /* of one position of the season */
} Work;

static Loess loess_of(const Work *work, StlLoess how, const double *values, size_t count)
{
    return (Loess){.how = how, .values = values, .count = count, .kernel = work->kernel};
}

/* Of the values without trend in one, by position of the season, into around. */
static void smooth_season(Work *work)
{
    size_t period = work->spec.period;

    for (size_t start = 0; start < period; start++) {
        size_t count = (work->count - start + period - 1) / period;
        Loess loess = loess_of(work, work->spec.season, work->position, count);

        for (size_t i = 0; i < count; i++)
            work->position[i] = work->one[start + i * period];
        if (work->weights) {
            loess.weights = work->position_weights;
            for (size_t i = 0; i < count; i++)
                work->position_weights[i] = work->weights[start + i * period];
        }
        smooth_beyond(&loess, work->smoothed);
        for (size_t i = 0; i < count + 2; i++)
            work->around[start + i * period] = work->smoothed[i];
    }
}

/* Gives count - length + 1 averages. */
static size_t average(const double *values, size_t count, size_t length, double *averages)
{
    double sum = 0;

    for (size_t i = 0; i < length; i++)
        sum += values[i];
    averages[0] = sum / (double)length;
    for (size_t i = length; i < count; i++) {
        sum += values[i] - values[i - length];
        averages[i - length + 1] = sum / (double)length;
    }
    return count - length + 1;
}

/* What of around is no season, into one. */
static void smooth_low(Work *work)
{
    size_t period = work->spec.period, count = work->count + 2 * period;
    Loess loess;

    count = average(work->around, count, period, work->one);
    count = average(work->one, count, period, work->two);
    count = average(work->two, count, 3, work->one);
    memcpy(work->two, work->one, count * sizeof(*work->two));
    loess = loess_of(work, work->spec.low, work->two, count);
    smooth(&loess, work->one);
}

static void turn_inner(Work *work)
{
    Loess loess = loess_of(work, work->spec.trend, work->two, work->count);

    for (size_t t = 0; t < work->count; t++)
        work->one[t] = work->values[t] - work->parts.trend[t];
    smooth_season(work);
    smooth_low(work);
    for (size_t t = 0; t < work->count; t++) {
        work->parts.season[t] = work->around[t + work->spec.period] - work->one[t];
        work->two[t] = work->values[t] - work->parts.season[t];
    }
    loess.weights = work->weights;
    smooth(&loess, work->parts.trend);
}

static int compare_numbers(const void *a, const void *b)
{
    double one = *(const double *)a, two = *(const double *)b;

    return (one > two) - (one < two);
}

static void weigh(Work *work)
{
    size_t count = work->count;
    double *sizes = work->one, limit;

    for (size_t t = 0; t < count; t++)
        sizes[t] = fabs(work->values[t] - work->parts.season[t] - work->parts.trend[t]);
    memcpy(work->two, sizes, count * sizeof(*sizes));
    qsort(work->two, count, sizeof(*work->two), compare_numbers);
    limit = 3 * (work->two[count / 2] + work->two[(count - 1) / 2]);
    for (size_t t = 0; t < count; t++) {
        double ratio = sizes[t] / limit, rest = 1 - ratio * ratio;

        work->parts.weights[t] = sizes[t] <= 0.999 * limit ? rest * rest : 0;
        if (sizes[t] <= 0.001 * limit)
            work->parts.weights[t] = 1;
    }
    work->weights = work->parts.weights;
}

static void make_periodic(Work *work)
{
    size_t period = work->spec.period;

    for (size_t start = 0; start < period; start++) {
        double sum = 0;
        size_t count = 0;

        for (size_t t = start; t < work->count; t += period, count++)
            sum += work->parts.season[t];
        for (size_t t = start; t < work->count; t += period)
            work->parts.season[t] = sum / (double)count;
    }
}

static Work begin(const double *values, size_t count, const StlSpec *spec, Arena *arena,
                  Arena *scratch)
{
    size_t room = count + 2 * spec->period, periods = count / spec->period + 3;
    Work work = {.spec = *spec, .values = values, .count = count};

    if (spec->is_periodic) /* as R does it: all weights are nearly 1 */
        work.spec.season = (StlLoess){10 * count + 1, count, true};
    work.parts = (Stl){arena_array(arena, double, count), arena_array(arena, double, count),
                       arena_array(arena, double, count), arena_array(arena, double, count)};
    work.around = arena_array(scratch, double, room);
    work.one = arena_array(scratch, double, room);
    work.two = arena_array(scratch, double, room);
    work.kernel = arena_array(scratch, double, count + 1);
    work.position = arena_array(scratch, double, periods);
    work.position_weights = arena_array(scratch, double, periods);
    work.smoothed = arena_array(scratch, double, periods);
    for (size_t t = 0; t < count; t++)
        work.parts.weights[t] = 1;
    return work;
}

Stl stl_decompose(const double *values, size_t count, const StlSpec *spec, Arena *arena)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    Work work;

    assert(spec->period >= 2 && count / 2 >= spec->period);
    work = begin(values, count, spec, arena, scratch);
    for (size_t outer = 0; outer <= spec->outer_turns; outer++) {
        if (outer > 0)
            weigh(&work);
        for (size_t inner = 0; inner < spec->inner_turns; inner++)
            turn_inner(&work);
    }
    if (spec->is_periodic)
        make_periodic(&work);
    for (size_t t = 0; t < count; t++)
        work.parts.remainder[t] = values[t] - work.parts.season[t] - work.parts.trend[t];
    return work.parts;
}

/* ---- R's choices ---- */

static size_t next_odd(double window)
{
    size_t whole = (size_t)nearbyint(window);

    return whole | 1;
}

static StlLoess loess_line(size_t window)
{
    return (StlLoess){.window = window < 3 ? 3 : window, .jump = (window + 9) / 10};
}

StlSpec stl_usual(size_t period, size_t season_window, bool is_robust)
{
    bool is_periodic = season_window == STL_PERIODIC;
    double share = is_periodic ? 1e-6 : 1.5 / (double)season_window; /* there it is nearly none */
    StlSpec spec = {.period = period, .is_periodic = is_periodic};

    spec.season = loess_line(is_periodic ? 3 : season_window);
    spec.season.is_flat = true;
    spec.trend = loess_line(next_odd(ceil(1.5 * (double)period / (1 - share))));
    spec.low = loess_line(next_odd((double)period));
    spec.inner_turns = is_robust ? 1 : 2;
    spec.outer_turns = is_robust ? 15 : 0;
    return spec;
}
