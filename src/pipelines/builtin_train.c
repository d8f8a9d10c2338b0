/* builtin_train.c: "uses: train". */

#include <string.h>

#include "pipelines/builtin.h"
#include "pipelines/project.h"
#include "pipelines/reproduction.h"
#include "pipelines/training_internal.h"

static bool read_number(Scope *scope, const StepStart *start, const char *name, double *value)
{
    const char *text = builtin_with(start, name);

    return !text || text_to_double(text, value) ||
           fail_field(&scope->error, name, "\"%s\" is not a number", text);
}

/* In the words of the route. */
static bool read_count(Scope *scope, const StepStart *start, const char *name, int64_t *value)
{
    const char *text = builtin_with(start, name);

    return !text || (text_to_int(text, value) && *value >= 1) ||
           fail_field(&scope->error, name, "\"%s\" must be an integer from 1 on", name);
}

/* What was ordered then, nothing left open. */
static bool read_first_order(Scope *scope, const StepStart *start, TrainingOrder *order)
{
    PipelineStep original;
    PipelineRun run;
    const char *tracked;

    if (!reproduction_original(scope, start, &original) ||
        !pipeline_step_done_in(scope, &original, &run, &tracked))
        return false;
    if (!tracked || !training_order_find(scope, tracked, order))
        return fail(&scope->error, ERROR_CONFLICT,
                    "the run of the training that it was is not there any more");
    order->rerun_of = tracked;
    return true;
}

static bool read_order(Scope *scope, const StepStart *start, TrainingOrder *order)
{
    TrainingSpec spec = training_spec_default();
    double seed = (double)spec.seed, horizon = 0;
    const char *balance = builtin_with(start, "balance");

    if (start->run->reproduces)
        return read_first_order(scope, start, order);
    spec.project = start->run->project;
    spec.data = builtin_with(start, "data");
    spec.task = builtin_with(start, "task");
    spec.metric = builtin_with(start, "metric");
    spec.threshold_for = builtin_with(start, "threshold_for");
    spec.model = builtin_with(start, "model");
    spec.balance = balance && strcmp(balance, "true") == 0;
    if (!read_number(scope, start, "budget", &spec.budget_seconds) ||
        !read_count(scope, start, "trials", &spec.trials) ||
        !read_count(scope, start, "threads", &spec.threads) ||
        !read_number(scope, start, "seed", &seed) ||
        !read_number(scope, start, "horizon", &horizon))
        return false;
    spec.seed = (int64_t)seed;
    spec.horizon = (int64_t)horizon;
    spec.code_commit = pipeline_run_commit(start->run, scope->arena);
    return training_order_make(scope, &spec, order);
}

/* Trained again when the data has another version, or the project's file another meaning. */
static bool inputs(Scope *scope, const StepStart *start, JsonWriter *json)
{
    char digest[DIGEST_TEXT_SIZE];
    TrainingOrder order;
    DatasetVersion data;
    Project project;

    if (!read_order(scope, start, &order) ||
        !dataset_version_find(scope, order.dataset, order.dataset_version, &data) ||
        !project_find(scope, order.project, &project))
        return false;
    json_text(json, arena_format(scope->arena, "data %s", order.dataset), data.digest);
    json_text(
        json, "project",
        arena_text(scope->arena, digest_bytes(project.settings, strlen(project.settings), digest)));
    return true;
}

static bool prepare(Scope *scope, const BuiltinStep *step, const char **job)
{
    TrainingOrder order;
    DatasetVersion data;
    Holdout holdout;
    TrainingResult training = {.order = &order, .data = &data, .holdout = &holdout};

    if (!read_order(scope, step->start, &order) || !training_find_rows(scope, &training))
        return false;
    *job = training_step_job(scope, &training, step->made);
    return true;
}

typedef struct Trained {
    TrainingOrder order;
    DatasetVersion data;
    Holdout holdout;
    TrainingResult result;
} Trained;

static bool write(Scope *scope, AttemptEnd *end)
{
    Trained *trained = end->context;
    JsonWriter *json = json_writer_create(scope->arena);
    ModelVersion version = {.model = trained->order.model};

    if (!training_write_as(scope, &trained->result, &version))
        return false;
    json_open_object(json, NULL);
    json_text(json, "run_id", trained->order.run_id);
    json_text(json, "model", version.model);
    if (version.version) /* a reproduction registers none */
        json_int(json, "version", version.version);
    json_text(json, "package", trained->result.package.digest);
    json_raw(json, "holdout",
             json_print(json_member(trained->result.step, "holdout"), scope->arena));
    json_close(json);
    end->result = json_finish(json);
    return true;
}

static bool finish(Scope *scope, const BuiltinStep *step, AttemptEnd *end)
{
    Trained *trained = arena_new(scope->arena, Trained);

    trained->result = (TrainingResult){.order = &trained->order,
                                       .data = &trained->data,
                                       .holdout = &trained->holdout,
                                       .step = json_member(end->document, "result")};
    if (!read_order(scope, step->start, &trained->order))
        return false;
    trained->order.run_id = step->attempt->tracked_run;
    end->write = write;
    end->context = trained;
    return training_find_rows(scope, &trained->result) &&
           training_store_files(scope, &trained->result, step->made);
}

const Builtin builtin_train = {
    .name = "train",
    .worker = "train",
    .inputs = inputs,
    .prepare = prepare,
    .finish = finish,
};
