/* What a rule would have forecast in back-tests: what it missed, and the points that figures by the
 * step are made of. */
#include <math.h>
#include <string.h>

#include "ml/forecast_model_internal.h"

Misses forecast_misses(const Backtest *backtest, const Forecast *made, Arena *arena)
{
    double *errors = arena_array(arena, double, made->horizon);

    for (size_t i = 0; i < made->horizon; i++)
        errors[i] = backtest->actual[i] - made->mean[i];
    return (Misses){made->horizon / backtest->horizon, errors, made->deviation};
}

/* Points under way. */
typedef struct Tested {
    double *truth, *mean, *low, *high, *scales;
    size_t count;
} Tested;

/* A step without a deviation has the one that is usual, as in the model. */
static void mend_deviations(const Forecast *made, double usual)
{
    for (size_t i = 0; i < made->horizon; i++)
        if (!(made->deviation[i] > 0) || !isfinite(made->deviation[i]))
            made->deviation[i] = usual;
}

static void add_window(const IntervalTable *table, double scale, const Forecast *window,
                       Tested *tested)
{
    IntervalBounds bounds = {tested->low + tested->count, tested->high + tested->count};

    interval_apply(table, scale, window, BACKTEST_LEVEL, bounds);
    memcpy(tested->mean + tested->count, window->mean, window->horizon * sizeof(double));
    tested->count += window->horizon;
}

static void add_backtest(const ForecastSample *sample, const Backtest *backtest, Tested *tested)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    size_t horizon = backtest->horizon, first = tested->count;
    Forecast made;
    Misses misses;
    double scale;

    if (!combination_backtest(backtest, sample->rule, sample->common, scratch, &made))
        return;
    misses = forecast_misses(backtest, &made, scratch);
    scale = interval_scale(sample->table, &misses);
    mend_deviations(&made, interval_spread(&misses, horizon));
    for (size_t at = 0; at < made.horizon; at += horizon)
        add_window(sample->table, scale, &(Forecast){horizon, made.mean + at, made.deviation + at},
                   tested);
    memcpy(tested->truth + first, backtest->actual, made.horizon * sizeof(double));
    for (size_t at = first; at < tested->count; at++)
        tested->scales[at] = backtest->scale > 0 ? backtest->scale : NAN;
}

ForecastPoints forecast_sample_points(const ForecastSample *sample, Arena *arena)
{
    size_t most = 0;
    Tested tested = {0};

    for (size_t i = 0; i < sample->count; i++)
        most += sample->tested[i].window_count * sample->tested[i].horizon;
    tested.truth = arena_array(arena, double, most);
    tested.mean = arena_array(arena, double, most);
    tested.low = arena_array(arena, double, most);
    tested.high = arena_array(arena, double, most);
    tested.scales = arena_array(arena, double, most);
    for (size_t i = 0; i < sample->count; i++)
        add_backtest(sample, &sample->tested[i], &tested);
    return (ForecastPoints){tested.truth,  tested.mean,  tested.low,    tested.high,
                            tested.scales, tested.count, BACKTEST_LEVEL};
}
