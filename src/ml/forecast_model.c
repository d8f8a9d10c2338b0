#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ml/forecast_model_internal.h"

/* ---- entries by their ids ---- */

typedef struct IdPlace {
    const char *id;
    size_t at;
} IdPlace;

static int compare_ids(const void *a, const void *b)
{
    const IdPlace *one = a, *two = b;

    return strcmp(one->id, two->id);
}

bool forecast_model_index(ForecastModel *model, Error *error)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    IdPlace *places = arena_array(scratch, IdPlace, model->count);
    size_t *by_id = arena_array(model->arena, size_t, model->count);

    for (size_t i = 0; i < model->count; i++)
        places[i] = (IdPlace){model->entries[i].id, i};
    qsort(places, model->count, sizeof(*places), compare_ids);
    for (size_t i = 0; i < model->count; i++) {
        by_id[i] = places[i].at;
        if (i > 0 && strcmp(places[i].id, places[i - 1].id) == 0)
            return fail(error, ERROR_INVALID, "two series have the id \"%.80s\"", places[i].id);
    }
    model->by_id = by_id;
    return true;
}

bool forecast_model_find(const ForecastModel *model, const char *id, size_t *index)
{
    size_t low = 0, high = model->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(id, model->entries[model->by_id[middle]].id);

        if (order == 0) {
            *index = model->by_id[middle];
            return true;
        }
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return false;
}

/* ---- what it holds ---- */

size_t forecast_model_count(const ForecastModel *model)
{
    return model->count;
}

ForecastSeries forecast_model_series(const ForecastModel *model, size_t index)
{
    const ForecastEntry *entry = &model->entries[index];

    return (ForecastSeries){entry->id,    entry->choice,  entry->values,
                            entry->count, entry->last_ms, entry->known != NULL};
}

Frequency forecast_model_frequency(const ForecastModel *model)
{
    return model->frequency;
}

size_t forecast_model_horizon(const ForecastModel *model)
{
    return model->horizon;
}

size_t forecast_model_steps_max(const ForecastModel *model)
{
    return model->steps_max;
}

const KnownColumns *forecast_model_known(const ForecastModel *model)
{
    return &model->known;
}

static const char *describe_member(const EntryMember *member, Arena *arena)
{
    const SeriesLearner *learner = series_learner_find(member->learner);

    /* A season says something only where the learner takes the one or the other. */
    if (member->period == 1 || (learner && learner->period_max == 1))
        return member->learner;
    return arena_format(arena, "%s (season %zu)", member->learner, member->period);
}

const char *forecast_entry_describe(const ForecastEntry *entry, const KnownColumns *known,
                                    Arena *arena)
{
    const char *text =
        entry->kind == COMBINATION_MEDIAN && entry->member_count > 1 ? "median of " : "";

    for (size_t i = 0; i < entry->member_count; i++) {
        const char *name = describe_member(&entry->members[i], arena);

        if (entry->members[i].with_known)
            name = arena_format(arena, "%s with %s", name, known_columns_describe(known, arena));
        text = arena_format(arena, "%s%s%s", text, i > 0 ? ", " : "", name);
        if (entry->kind == COMBINATION_WEIGHTED && entry->member_count > 1)
            text = arena_format(arena, "%s %.2f", text, entry->members[i].weight);
    }
    return text;
}

/* ---- forecasts ---- */

static bool check_ask(const ForecastModel *model, const ForecastAsk *ask, Error *error)
{
    if (ask->series >= model->count)
        return fail(error, ERROR_INVALID, "the model has %zu series, there is no number %zu",
                    model->count, ask->series);
    if (ask->steps == 0 || ask->steps > model->steps_max)
        return fail(error, ERROR_INVALID, "this model forecasts 1 to %zu steps, not %zu",
                    model->steps_max, ask->steps);
    return (ask->level >= FORECAST_LEVEL_MIN && ask->level <= FORECAST_LEVEL_MAX) ||
           fail(error, ERROR_INVALID, "the level of an interval is %g to %g, not %g",
                FORECAST_LEVEL_MIN, FORECAST_LEVEL_MAX, ask->level);
}

static bool fill_times(const ForecastModel *model, const ForecastEntry *entry,
                       DatedForecast *forecast, Error *error)
{
    for (size_t i = 0; i < forecast->count; i++)
        if (!frequency_add(&model->frequency, entry->last_ms, (int64_t)i + 1,
                           &forecast->times_ms[i]))
            return fail(error, ERROR_INVALID, "step %zu would be after the year 9999", i + 1);
    return true;
}

bool forecast_model_predict(const ForecastModel *model, const ForecastAsk *ask, Arena *arena,
                            DatedForecast *forecast, Error *error)
{
    const ForecastEntry *entry;
    DatedForecast made = {.count = ask->steps};
    Forecast path = {.horizon = ask->steps};

    if (!check_ask(model, ask, error))
        return false;
    entry = &model->entries[ask->series];
    made.times_ms = arena_array(arena, int64_t, ask->steps);
    made.mean = arena_array(arena, double, ask->steps);
    made.low = arena_array(arena, double, ask->steps);
    made.high = arena_array(arena, double, ask->steps);
    if (!fill_times(model, entry, &made, error))
        return false;
    path.mean = memcpy(made.mean, entry->mean, ask->steps * sizeof(double));
    path.deviation = arena_array(arena, double, ask->steps);
    memcpy(path.deviation, entry->deviation, ask->steps * sizeof(double));
    if (entry->known && !forecast_entry_follow(model, ask, &path, error))
        return false;
    interval_apply(&model->table, entry->scale, &path, ask->level,
                   (IntervalBounds){made.low, made.high});
    for (size_t i = 0; i < ask->steps && entry->is_nonnegative; i++) {
        made.low[i] = fmax(made.low[i], 0);
        made.high[i] = fmax(made.high[i], 0);
    }
    for (size_t i = 0; i < ask->steps; i++)
        if (!isfinite(made.low[i]) || !isfinite(made.high[i]))
            return fail(error, ERROR_INVALID,
                        "the interval of step %zu is wider than a number can hold", i + 1);
    *forecast = made;
    return true;
}

void forecast_model_unload(ForecastModel **model)
{
    if (*model)
        arena_destroy((*model)->arena);
    *model = NULL;
}
