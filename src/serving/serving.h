/* serving.h: all endpoints of a running server: what they serve, how they answer, what they log.
 *
 * Owned by the server, which makes it after the platform is open, ends it before the platform
 * closes and when no request runs any more, and calls serving_reload() at start and after each
 * change of a deployment. Requests call serving_predict() from any thread; they take no lock and
 * touch neither store nor disk.
 *
 *     Serving *serving = serving_create(platform);
 *     if (!serving_reload(serving, &scope)) log(scope.error);   what could be loaded serves
 */
#pragma once

#include "access/scope.h"
#include "serving/endpoint.h"
#include "serving/prediction_log.h"
#include "serving/split.h"

typedef struct Serving Serving;

Serving *serving_create(const Platform *platform);
void serving_destroy(Serving *serving);

/* The package is in memory, each file's digest checked, so that a change to it that follows serves
 * at once and cannot fail for the package's sake. For a version that has served before. */
bool serving_prepare(Serving *serving, Scope *scope, const char *package) MUST_CHECK;

/* The same for any version: a child has loaded it and answered its golden rows first. Slow, unless
 * it did so since this server started and the model is still in memory: see model_cache.h. */
bool serving_prepare_new(Serving *serving, Scope *scope, const char *package) MUST_CHECK;

/* Makes what is served equal to the newest deployments; cheap when it is already. false: some
 * endpoint could not be brought up to date; scope->error says which and why, it goes on serving
 * what it served, and the next call tries again. */
bool serving_reload(Serving *serving, Scope *scope) MUST_CHECK;

/* Whether this deployment is the one that answers, or this candidate is tried beside it. */
bool serving_serves(Serving *serving, const char *endpoint, int64_t deployment_id);

/* Each endpoint with a deployment answers: true only after a reload. */
bool serving_is_ready(Serving *serving);

/* Answers into json and logs it, by the live version or a canary (split.h). On failure the error is
 * counted with the endpoint's. */
bool serving_predict(Serving *serving, const PredictRequest *request, Arena *arena,
                     JsonWriter *json, Error *error) MUST_CHECK;

/* Why the live version answers each row so, and what it would answer if the request says so;
 * neither logged nor counted. */
bool serving_explain(Serving *serving, const PredictRequest *request, Arena *arena,
                     JsonWriter *json, Error *error) MUST_CHECK;

/* The API description of the live version. */
bool serving_openapi(Serving *serving, const char *endpoint, Arena *arena, JsonWriter *json,
                     Error *error) MUST_CHECK;

/* What a deployment did since it is compared: the candidate that is set, or what is live beside it;
 * by this process. Not found: it is neither. Unavailable: the candidate could not be loaded. */
bool serving_window(Serving *serving, const char *endpoint, int64_t deployment_id, Window *window,
                    Error *error) MUST_CHECK;

/* Both of them; fails as serving_window(). */
bool serving_figures(Serving *serving, const char *endpoint, Arena *arena, SplitFigures *figures,
                     Error *error) MUST_CHECK;

typedef struct SplitFiguresList {
    SplitFigures *items;
    size_t count;
} SplitFiguresList;

/* Of all endpoints with a candidate. */
SplitFiguresList serving_all_figures(Serving *serving, Arena *arena);

/* For /metrics: per endpoint, since the start. The list lives as long as serving. */
const StatisticsList *serving_statistics(const Serving *serving);
PredictionLog *serving_log(Serving *serving);
