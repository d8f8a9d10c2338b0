/* What training and renewing a forecast model have alike: models under way. */
#include <math.h>
#include <string.h>

#include "ml/forecast_model_internal.h"

bool forecast_input_check(const ForecastInput *input, Error *error)
{
    if (input->last_ms < FREQUENCY_TIME_MIN_MS || input->last_ms > FREQUENCY_TIME_MAX_MS)
        return fail(error, ERROR_INVALID, "the last time is not of the years 1 to 9999");
    return series_check(&(Series){input->values, input->count, 1}, 1, error);
}

bool forecast_inputs_check(const ForecastInputs *inputs, Error *error)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    ForecastModel ids = {.arena = scratch, .count = inputs->count};

    if (inputs->count == 0 || inputs->count > FORECAST_SERIES_MAX)
        return fail(error, ERROR_INVALID, "a forecast model has 1 to %d series, not %zu",
                    FORECAST_SERIES_MAX, inputs->count);
    if (!known_columns_check(&inputs->known, error))
        return false;
    ids.entries = arena_array(scratch, ForecastEntry, inputs->count);
    for (size_t i = 0; i < inputs->count; i++)
        ids.entries[i].id = inputs->items[i].id;
    return forecast_model_index(&ids, error);
}

static void add_entries(ForecastModel *model, const ForecastInputs *inputs)
{
    model->entries = arena_array(model->arena, ForecastEntry, inputs->count);
    model->count = inputs->count;
    for (size_t i = 0; i < inputs->count; i++) {
        model->entries[i].id = arena_text(model->arena, inputs->items[i].id);
        model->entries[i].last_ms = inputs->items[i].last_ms;
    }
}

ForecastDraft forecast_draft_create(const ForecastModel *like, const ForecastInputs *inputs,
                                    Arena *arena, Arena *scratch)
{
    Arena *own = arena_create();
    ForecastModel *model = arena_new(own, ForecastModel);
    size_t steps = inputs->count * like->steps_max;
    ForecastDraft draft = {
        .model = model,
        .inputs = inputs->items,
        .count = inputs->count,
        .latest_ms = forecast_inputs_latest(inputs->items, inputs->count),
        .means = arena_array(scratch, double, steps),
        .deviations = arena_array(scratch, double, steps),
        .outcomes = arena_array(arena, ForecastOutcome, inputs->count),
        .arena = arena,
    };

    *model = *like;
    model->arena = own;
    model->known = known_columns_copy(&like->known, own);
    add_entries(model, inputs);
    for (size_t i = 0; i < inputs->count; i++)
        draft.outcomes[i] = (ForecastOutcome){
            .id = arena_text(arena, inputs->items[i].id), .choice = "", .failure = ""};
    return draft;
}

/* The values without what known columns do; they themselves where no member is with them. */
static const double *fit_effect(const ForecastDraft *draft, const ForecastInput *from,
                                const SeriesCandidate *members, size_t count, ForecastFit *fit)
{
    const ForecastModel *model = draft->model;
    KnownRows rows = {&model->known, from->known, from->count};
    Series series = {from->values, from->count, model->periods[0], model->periods + 1,
                     model->period_count - 1};
    bool with_known = false;
    double *rest;

    for (size_t i = 0; i < count; i++)
        with_known = with_known || members[i].with_known;
    fit->effect = (KnownEffect){0};
    if (!with_known)
        return from->values;
    rest = arena_array(fit->arena, double, from->count);
    fit->effect = known_effect_learn(&series, &rows, fit->arena);
    known_effect_remove(&fit->effect, &rows, from->values, rest);
    return rest;
}

bool forecast_draft_fit(const ForecastDraft *draft, size_t input, const SeriesCandidate *members,
                        const Combination *combination, ForecastFit *fit)
{
    const ForecastInput *from = &draft->inputs[input];
    size_t steps = draft->model->steps_max;
    const double *rest = fit_effect(draft, from, members, combination->count, fit);

    for (size_t i = 0; i < combination->count; i++) {
        const double *values = members[i].with_known ? rest : from->values;
        LagAsk ask = {{values, from->count, forecast_draft_behind(draft, input)}, steps};

        fit->failed = i;
        if (!series_candidate_forecast(&members[i], &ask, fit->arena, &fit->members[i],
                                       &fit->error))
            return false;
    }
    fit->forecast = (Forecast){steps, arena_array(fit->arena, double, steps),
                               arena_array(fit->arena, double, steps)};
    combination_forecast(combination, fit->members, &fit->forecast);
    return true;
}

static bool is_nonnegative(const double *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (values[i] < 0)
            return false;
    return true;
}

void forecast_draft_keep(ForecastDraft *draft, size_t input, const Forecast *forecast,
                         const double *usual)
{
    const ForecastInput *from = &draft->inputs[input];
    ForecastEntry *entry = &draft->model->entries[input];
    double *mean = draft->means + input * forecast->horizon;
    double *deviation = draft->deviations + input * forecast->horizon;

    entry->is_nonnegative = is_nonnegative(from->values, from->count);
    for (size_t i = 0; i < forecast->horizon; i++) {
        double own = forecast->deviation[i];

        mean[i] = entry->is_nonnegative ? fmax(forecast->mean[i], 0) : forecast->mean[i];
        deviation[i] = own > 0 && isfinite(own) ? own : usual[i];
    }
}

static const double *copied(Arena *arena, const double *values, size_t count)
{
    double *copy = arena_array(arena, double, count);

    if (count > 0)
        memcpy(copy, values, count * sizeof(*copy));
    return copy;
}

static Forecast copied_path(const ForecastDraft *draft, const Forecast *path,
                            const double *deviation)
{
    Arena *arena = draft->model->arena;
    size_t steps = path->horizon;
    Forecast copy = {steps, arena_array(arena, double, steps), arena_array(arena, double, steps)};

    memcpy(copy.mean, path->mean, steps * sizeof(*copy.mean));
    for (size_t i = 0; i < steps; i++) {
        double own = path->deviation[i];

        copy.deviation[i] = own > 0 && isfinite(own) ? own : deviation[i];
    }
    return copy;
}

void forecast_draft_keep_known(ForecastDraft *draft, size_t input, const ForecastFit *fit,
                               size_t member_count)
{
    const ForecastInput *from = &draft->inputs[input];
    ForecastModel *model = draft->model;
    size_t columns = model->known.count, features = known_feature_count(&model->known);
    const double *deviation = draft->deviations + input * model->steps_max;
    EntryKnown *kept;

    model->entries[input].known = NULL;
    if (!fit->effect.weights)
        return;
    kept = arena_new(model->arena, EntryKnown);
    kept->effect =
        (KnownEffect){fit->effect.is_log, copied(model->arena, fit->effect.weights, features),
                      copied(model->arena, fit->effect.usual, columns)};
    for (size_t i = 0; i < member_count; i++)
        kept->members[i] = copied_path(draft, &fit->members[i], deviation);
    kept->future_count =
        from->future_count < model->steps_max ? from->future_count : model->steps_max;
    kept->future =
        copied(model->arena, from->known + from->count * columns, kept->future_count * columns);
    model->entries[input].known = kept;
}

static void fill_entry(const ForecastDraft *draft, size_t input, ForecastEntry *entry)
{
    ForecastModel *model = draft->model;
    size_t steps = model->steps_max;

    for (size_t i = 0; i < entry->member_count; i++)
        entry->members[i].learner = arena_text(model->arena, entry->members[i].learner);
    entry->count = draft->inputs[input].count;
    entry->values = copied(model->arena, draft->inputs[input].values, entry->count);
    entry->mean = copied(model->arena, draft->means + input * steps, steps);
    entry->deviation = copied(model->arena, draft->deviations + input * steps, steps);
    entry->choice = forecast_entry_describe(entry, &model->known, model->arena);
    draft->outcomes[input].choice = arena_text(draft->arena, entry->choice);
}

bool forecast_draft_finish(ForecastDraft *draft, size_t *failed_count, Error *error)
{
    ForecastModel *model = draft->model;
    size_t kept = 0;

    for (size_t i = 0; i < draft->count; i++) {
        if (draft->outcomes[i].failure[0])
            continue;
        model->entries[kept] = model->entries[i];
        fill_entry(draft, i, &model->entries[kept++]);
    }
    model->count = kept;
    if (kept == 0)
        return fail(error, ERROR_INVALID, "no series can be forecast; \"%.80s\": %s",
                    draft->inputs[0].id, draft->outcomes[0].failure);
    if (!forecast_model_index(model, error))
        return false;
    *failed_count = draft->count - kept;
    return true;
}
