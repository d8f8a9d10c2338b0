#include "serving/split.h"

#include <stdlib.h>

#include "base/time.h"

static const uint64_t golden_ratio = UINT64_C(0x9E3779B97F4A7C15); /* of 2^64 */

Split *split_create(const ServedEndpoint *candidate, const Candidate *set, int64_t live_id)
{
    Split *split = aligned_alloc(_Alignof(Split), sizeof(*split));
    Arena *arena = arena_create();

    if (!split)
        out_of_memory();
    *split = (Split){
        .references = 1,
        .arena = arena,
        .candidate = *candidate,
        .live_id = live_id,
        .share = set->share,
        .is_shadow = set->is_shadow,
        .below = set->is_shadow ? 0 : ((uint64_t)set->share << 32) / SHARE_WHOLE,
        .since = time_now_ms(),
    };
    split->candidate.name = arena_text(arena, candidate->name);
    split->candidate.project = arena_text(arena, candidate->project);
    split->candidate.model = arena_text(arena, candidate->model);
    loaded_model_ref(candidate->loaded);
    pthread_mutex_init(&split->lock, NULL);
    return split;
}

Split *split_ref(Split *split)
{
    if (split)
        atomic_fetch_add_explicit(&split->references, 1, memory_order_relaxed);
    return split;
}

void split_unref(Split *split)
{
    if (!split || atomic_fetch_sub_explicit(&split->references, 1, memory_order_acq_rel) != 1)
        return;
    loaded_model_unref(split->candidate.loaded);
    pthread_mutex_destroy(&split->lock);
    arena_destroy(split->arena);
    free(split);
}

bool split_takes_next(Split *split)
{
    uint64_t turn = atomic_fetch_add_explicit(&split->turn, 1, memory_order_relaxed);

    return turn * golden_ratio >> 32 < split->below;
}

static bool is_fault(const Error *error)
{
    return error_http_status(error) >= 500;
}

static bool predict_live(const ServedEndpoint *live, const PredictRequest *request, Arena *arena,
                         SplitAnswer *answer, Error *error)
{
    answer->began_us = time_monotonic_us();
    if (predict_by(live, request, arena, &answer->prediction, error))
        return true;
    if (is_fault(error))
        counts_error(&live->split->live_counts);
    return false;
}

/* The canary failed; the live version answers. */
static bool fall_back(const ServedEndpoint *live, const PredictRequest *request, Arena *arena,
                      SplitAnswer *answer, Error *error)
{
    Error failure = *error;
    bool answered;

    *error = (Error){0};
    answered = predict_live(live, request, arena, answer, error);
    if (answered || is_fault(&failure))
        split_fail(live->split, &failure);
    return answered;
}

bool split_predict(const ServedEndpoint *live, const PredictRequest *request, Arena *arena,
                   SplitAnswer *answer, Error *error)
{
    Split *split = live->split;

    if (split->is_shadow || !split_takes_next(split))
        return predict_live(live, request, arena, answer, error);
    answer->began_us = time_monotonic_us();
    return predict_by(&split->candidate, request, arena, &answer->prediction, error) ||
           fall_back(live, request, arena, answer, error);
}

void split_count(Split *split, const SplitAnswer *answer)
{
    bool by_candidate = answer->prediction.endpoint == &split->candidate;

    counts_answer(by_candidate ? &split->candidate_counts : &split->live_counts,
                  time_monotonic_us() - answer->began_us);
}

/* Whoever finds the place taken leaves it: no request waits for another. */
void split_fail(Split *split, const Error *error)
{
    counts_error(&split->candidate_counts);
    if (pthread_mutex_trylock(&split->lock) != 0)
        return;
    split->failure = *error;
    pthread_mutex_unlock(&split->lock);
}

static const char *late_failure(Split *split, Arena *arena)
{
    const char *failure;

    pthread_mutex_lock(&split->lock);
    failure = split->failure.kind ? arena_text(arena, split->failure.message) : NULL;
    pthread_mutex_unlock(&split->lock);
    return failure;
}

static SplitSide read_side(const ServedEndpoint *served, const DeploymentCounts *counts,
                           Arena *arena)
{
    return (SplitSide){
        .model = arena_text(arena, served->model),
        .version = served->version,
        .deployment_id = served->deployment_id,
        .window = counts_read(counts),
    };
}

SplitFigures split_figures(const ServedEndpoint *live, Arena *arena)
{
    Split *split = live->split;

    return (SplitFigures){
        .endpoint = arena_text(arena, live->name),
        .is_shadow = split->is_shadow,
        .share = split->share,
        .since = split->since,
        .live = read_side(live, &split->live_counts, arena),
        .candidate = read_side(&split->candidate, &split->candidate_counts, arena),
        .failure = late_failure(split, arena),
    };
}

static void write_side(JsonWriter *json, const char *key, const SplitSide *side)
{
    json_open_object(json, key);
    {
        json_text(json, "model", side->model);
        json_int(json, "version", side->version);
        json_int(json, "deployment_id", side->deployment_id);
        window_write_json(json, &side->window);
    }
    json_close(json);
}

void split_figures_write_json(JsonWriter *json, const char *key, const SplitFigures *figures)
{
    json_open_object(json, key);
    {
        json_time(json, "since", figures->since);
        write_side(json, "live", &figures->live);
        write_side(json, "candidate", &figures->candidate);
        json_text(json, "last_error", figures->failure);
    }
    json_close(json);
}
