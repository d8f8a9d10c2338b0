/* What is learnt from all series of a forecast model together. */
#include "ml/forecast_model_internal.h"

/* The later of two times less the earlier one, in steps; a part of one is a whole one. */
static size_t steps_between(const Frequency *frequency, int64_t earlier_ms, int64_t later_ms)
{
    int64_t apart, step;

    if (frequency->months) {
        apart = calendar_month(later_ms) - calendar_month(earlier_ms);
        step = frequency->months;
    } else {
        apart = later_ms - earlier_ms;
        step = frequency->step_ms;
    }
    return apart > 0 ? (size_t)((apart + step - 1) / step) : 0;
}

int64_t forecast_inputs_latest(const ForecastInput *inputs, size_t count)
{
    int64_t latest_ms = FREQUENCY_TIME_MIN_MS;
    Error error;

    for (size_t i = 0; i < count; i++)
        if (inputs[i].last_ms > latest_ms && forecast_input_check(&inputs[i], &error))
            latest_ms = inputs[i].last_ms;
    return latest_ms;
}

size_t forecast_draft_behind(const ForecastDraft *draft, size_t input)
{
    return steps_between(&draft->model->frequency, draft->inputs[input].last_ms, draft->latest_ms);
}

static LagSeries *series_of(const ForecastDraft *draft, Arena *arena)
{
    LagSeries *series = arena_array(arena, LagSeries, draft->count);
    Error error;

    for (size_t i = 0; i < draft->count; i++)
        if (forecast_input_check(&draft->inputs[i], &error))
            series[i] = (LagSeries){draft->inputs[i].values, draft->inputs[i].count,
                                    forecast_draft_behind(draft, i)};
    return series;
}

/* One for all values, and one for each horizon that an origin lies before the latest end. */
static size_t models_wanted(const ForecastDraft *draft, const LagSeries *series, size_t windows)
{
    size_t horizon = draft->model->horizon, most = 0;

    for (size_t i = 0; i < draft->count; i++) {
        size_t own = backtest_window_count(series[i].count, draft->model->periods[0], horizon);
        size_t behind = (series[i].behind + horizon - 1) / horizon;
        size_t wanted = behind + (own < windows ? own : windows);

        if (wanted > most && wanted < LAG_MODELS_MAX)
            most = wanted;
    }
    return 1 + most;
}

LagBoost *forecast_draft_learn_shared(const ForecastDraft *draft, const LagLearning *learning)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    const ForecastModel *model = draft->model;
    LagSeries *series = series_of(draft, scratch);
    LagBoostSpec spec = {.series = series,
                         .count = draft->count,
                         .horizon = model->horizon,
                         .periods = model->periods,
                         .period_count = model->period_count,
                         .thread_count = learning->thread_count,
                         .deadline_us = learning->deadline_us,
                         .finish = learning->finish};

    if (!lag_boost_is_worth(series, draft->count))
        return NULL;
    spec.model_count = models_wanted(draft, series, learning->windows);
    return lag_boost_learn(&spec);
}
