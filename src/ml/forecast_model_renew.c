#include <pthread.h>
#include <string.h>

#include "base/parallel.h"
#include "ml/forecast_model_internal.h"

typedef struct Renewing {
    const ForecastModel *old;
    LagBoost *shared;    /* NULL where nobody asks for it, or the series are too few */
    ForecastDraft draft; /* its arenas guarded by lock while threads run */
    pthread_mutex_t lock;
} Renewing;

static bool is_shared(const EntryMember *member)
{
    return strcmp(member->learner, lag_boost_learner.name) == 0;
}

static bool wants_shared(const ForecastModel *model)
{
    for (size_t i = 0; i < model->count; i++)
        for (size_t j = 0; j < model->entries[i].member_count; j++)
            if (is_shared(&model->entries[i].members[j]))
                return true;
    return false;
}

/* A member as it was told its seasons in training. */
static bool find_member(const Renewing *renewing, const EntryMember *member,
                        SeriesCandidate *candidate, Error *error)
{
    const ForecastModel *model = renewing->old;
    size_t behind = 0;

    *candidate = (SeriesCandidate){.learner = series_learner_find(member->learner),
                                   .period = member->period,
                                   .with_known = member->with_known};
    if (is_shared(member)) {
        candidate->learner = &lag_boost_learner;
        candidate->shared = renewing->shared;
        return renewing->shared ||
               fail(error, ERROR_INVALID, "\"%s\" wants more series than these", member->learner);
    }
    if (!candidate->learner)
        return fail(error, ERROR_INVALID, "this program has no learner \"%.80s\"", member->learner);
    while (behind < model->period_count && model->periods[behind] <= member->period)
        behind++;
    candidate->longer = model->periods + behind;
    candidate->longer_count = model->period_count - behind;
    return true;
}

static bool fit_again(Renewing *renewing, size_t input, const ForecastEntry *old, ForecastFit *fit)
{
    Combination combination = {.kind = old->kind, .count = old->member_count};
    SeriesCandidate members[COMBINATION_MAX];

    for (size_t i = 0; i < old->member_count; i++) {
        combination.weights[i] = old->members[i].weight;
        if (!find_member(renewing, &old->members[i], &members[i], &fit->error))
            return false;
    }
    return forecast_draft_fit(&renewing->draft, input, members, &combination, fit);
}

static bool renew(Renewing *renewing, size_t input, ForecastFit *fit)
{
    const ForecastInput *from = &renewing->draft.inputs[input];
    ForecastEntry *entry = &renewing->draft.model->entries[input], kept = *entry;
    const ForecastEntry *old;
    size_t place;

    if (!forecast_model_find(renewing->old, from->id, &place))
        return fail(&fit->error, ERROR_NOT_FOUND, "the model has no series of that id");
    old = &renewing->old->entries[place];
    if (!forecast_input_check(from, &fit->error) || !fit_again(renewing, input, old, fit))
        return false;
    *entry = *old;
    entry->id = kept.id;
    entry->last_ms = kept.last_ms;
    forecast_draft_keep(&renewing->draft, input, &fit->forecast, old->deviation);
    pthread_mutex_lock(&renewing->lock);
    forecast_draft_keep_known(&renewing->draft, input, fit, old->member_count);
    pthread_mutex_unlock(&renewing->lock);
    return true;
}

static void renew_turn(void *context, size_t input)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    Renewing *renewing = context;
    ForecastFit fit = {.arena = scratch};

    if (renew(renewing, input, &fit))
        return;
    pthread_mutex_lock(&renewing->lock);
    renewing->draft.outcomes[input].failure = arena_text(renewing->draft.arena, fit.error.message);
    pthread_mutex_unlock(&renewing->lock);
}

static double *copy_doubles(Arena *arena, const double *values, size_t count)
{
    double *copy = arena_array(arena, double, count);

    if (count > 0)
        memcpy(copy, values, count * sizeof(*copy));
    return copy;
}

static IntervalTable copy_table(const IntervalTable *table, Arena *arena)
{
    IntervalTable copy = *table;

    copy.factors = copy_doubles(arena, table->factors, table->horizon);
    copy.scores = copy_doubles(arena, table->scores, table->count);
    copy.sizes = copy_doubles(arena, table->sizes, table->count);
    return copy;
}

/* The inputs with rows of the model's known columns, which may not be those of the data. */
static bool translate(const ForecastModel *model, const ForecastInputs *inputs, Arena *arena,
                      ForecastInputs *translated, Error *error)
{
    ForecastInput *items = arena_array(arena, ForecastInput, inputs->count);

    *translated = *inputs;
    if (model->known.count == 0)
        return true;
    for (size_t i = 0; i < inputs->count; i++) {
        KnownRows rows = {&inputs->known, inputs->items[i].known,
                          inputs->items[i].count + inputs->items[i].future_count};

        items[i] = inputs->items[i];
        if (!known_rows_translate(&rows, &model->known, arena, &items[i].known, error))
            return false;
    }
    translated->items = items;
    translated->known = model->known;
    return true;
}

bool forecast_model_renew(const ForecastModel *model, const ForecastInputs *inputs, Arena *arena,
                          ForecastResult *result, Error *error)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    CLEANUP(forecast_model_unload) ForecastModel *renewed = NULL;
    CLEANUP(lag_boost_destroy) LagBoost *shared = NULL;
    Renewing renewing = {.old = model};
    ForecastInputs translated;
    size_t failed;

    if (!forecast_inputs_check(inputs, error) ||
        !translate(model, inputs, scratch, &translated, error))
        return false;
    renewing.draft = forecast_draft_create(model, &translated, arena, scratch);
    renewed = renewing.draft.model;
    renewed->table = copy_table(&model->table, renewed->arena);
    if (wants_shared(model))
        shared = forecast_draft_learn_shared(&renewing.draft,
                                             &(LagLearning){.thread_count = inputs->thread_count});
    renewing.shared = shared;
    pthread_mutex_init(&renewing.lock, NULL);
    parallel_run(inputs->count, inputs->thread_count, renew_turn, &renewing);
    pthread_mutex_destroy(&renewing.lock);
    if (!forecast_draft_finish(&renewing.draft, &failed, error))
        return false;
    *result = (ForecastResult){.model = renewed,
                               .rule = "the choice that was made before",
                               .outcomes = renewing.draft.outcomes,
                               .failed_count = failed};
    renewed = NULL;
    return true;
}
