/* training.c: training, its progress and its repetition, and evaluation. */

#include "pipelines/training.h"
#include "api/api.h"
#include "pipelines/evaluation.h"
#include "pipelines/trainer.h"

static Trainer *trainer_of(const Request *request)
{
    return ((const Application *)request->application)->trainer;
}

static void answer_started(const Run *run, Response *response)
{
    response->status = 202;
    json_open_object(response->json, NULL);
    json_text(response->json, "run_id", run->id);
    run_write_json(response->json, "run", run);
    json_close(response->json);
}

static bool train(Scope *scope, const Request *request, Response *response)
{
    TrainingSpec spec = training_spec_default();
    Run run;

    spec.project = request_parameter(request, "project");
    if (!request_read(scope, request, training_spec_fields, &spec) ||
        !training_start(scope, trainer_of(request), &spec, &run))
        return false;
    answer_started(&run, response);
    return true;
}

static bool rerun(Scope *scope, const Request *request, Response *response)
{
    Run run;

    if (!training_start_again(scope, trainer_of(request), request_parameter(request, "run_id"),
                              &run))
        return false;
    answer_started(&run, response);
    return true;
}

static bool show_progress(Scope *scope, const Request *request, Response *response)
{
    TrainerProgress progress = {0};
    Run run;

    if (!run_find(scope, request_parameter(request, "run_id"), &run))
        return false;
    if (trainer_of(request))
        progress = trainer_progress(trainer_of(request), run.id, scope->arena);
    json_open_object(response->json, NULL);
    {
        json_text(response->json, "run_id", run.id);
        json_text(response->json, "status", run_status_name(run.status));
        json_text(response->json, "failure", run.failure);
        json_bool(response->json, "is_waiting", progress.is_here && progress.ahead > 0);
        json_int(response->json, "ahead", (int64_t)progress.ahead);
        json_raw(response->json, "progress", progress.document);
    }
    json_close(response->json);
    return true;
}

/* trainer_cancel() or trainer_finish() */
typedef bool EndTraining(Trainer *trainer, const char *run_id, Error *error);

static bool end_training(Scope *scope, const Request *request, Response *response, EndTraining *end)
{
    Run run;

    if (!run_find(scope, request_parameter(request, "run_id"), &run))
        return false;
    if (!trainer_of(request))
        return fail(&scope->error, ERROR_CONFLICT, "run \"%s\" is not training", run.id);
    if (!end(trainer_of(request), run.id, &scope->error))
        return false;
    response->status = 202;
    json_open_object(response->json, NULL);
    json_text(response->json, "run_id", run.id);
    json_close(response->json);
    return true;
}

static bool cancel(Scope *scope, const Request *request, Response *response)
{
    return end_training(scope, request, response, trainer_cancel);
}

static bool stop(Scope *scope, const Request *request, Response *response)
{
    return end_training(scope, request, response, trainer_finish);
}

static bool evaluate(Scope *scope, const Request *request, Response *response)
{
    EvaluationSpec spec = {.project = request_parameter(request, "project")};
    Evaluation evaluation;

    if (!request_read(scope, request, evaluation_spec_fields, &spec) ||
        !evaluation_run(scope, &spec, &evaluation))
        return false;
    evaluation_write_json(response->json, scope->arena, &evaluation);
    return true;
}

const Route training_routes[] = {
    {"POST", "/api/v1/projects/{project}/train", ROLE_CONTRIBUTOR, ROUTE_SLOW, train,
     "Start a training; the answer names its run.", training_spec_fields},
    {"GET", "/api/v1/runs/{run_id}/progress", ROLE_VIEWER, ROUTE_READ, show_progress,
     "Show how far a training is, with its leaderboard so far."},
    {"POST", "/api/v1/runs/{run_id}/cancel", ROLE_CONTRIBUTOR, ROUTE_SLOW, cancel,
     "Stop a training; its run ends as killed."},
    {"POST", "/api/v1/runs/{run_id}/stop", ROLE_CONTRIBUTOR, ROUTE_SLOW, stop,
     "End the search of a training now; the best so far is the model."},
    {"POST", "/api/v1/runs/{run_id}/rerun", ROLE_CONTRIBUTOR, ROUTE_SLOW, rerun,
     "Train again with what a run recorded, and compare."},
    {"POST", "/api/v1/projects/{project}/evaluate", ROLE_CONTRIBUTOR, ROUTE_SLOW, evaluate,
     "Judge a model version on the frozen hold-out or on a data set.", evaluation_spec_fields},
    {0},
};
