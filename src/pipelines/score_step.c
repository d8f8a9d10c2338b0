/* score_step.c: the step "score": a package's answers to many rows, as a file. */

#include <math.h>
#include <string.h>

#include "pipelines/score_input.h"
#include "pipelines/score_output.h"
#include "pipelines/step_job.h"
#include "pipelines/steps.h"
#include "registry/package.h"

enum { PROGRESS_ROWS = 100000 };

typedef struct ScoreJob {
    const char *artifacts, *package;
    const char *model;
    int64_t version;
    const char *path, *name, *form; /* of the rows */
    const JsonValue *columns;       /* of a data set */
    TextList keys;
    const char *output;
} ScoreJob;

static const JsonField job_fields[] = {
    {"artifacts", JSON_TEXT, offsetof(ScoreJob, artifacts), JSON_REQUIRED, NULL},
    {"package", JSON_TEXT, offsetof(ScoreJob, package), JSON_REQUIRED, NULL},
    {"model", JSON_TEXT, offsetof(ScoreJob, model), JSON_REQUIRED, NULL},
    {"version", JSON_INT, offsetof(ScoreJob, version), JSON_REQUIRED, NULL},
    {"path", JSON_TEXT, offsetof(ScoreJob, path), JSON_REQUIRED, NULL},
    {"name", JSON_TEXT, offsetof(ScoreJob, name), JSON_REQUIRED, NULL},
    {"form", JSON_TEXT, offsetof(ScoreJob, form), JSON_REQUIRED, NULL},
    {"columns", JSON_ARRAY, offsetof(ScoreJob, columns), JSON_OPTIONAL, NULL},
    {"keys", JSON_TEXT_LIST, offsetof(ScoreJob, keys), JSON_OPTIONAL, NULL},
    {"output", JSON_TEXT, offsetof(ScoreJob, output), JSON_REQUIRED, NULL},
    {0},
};

typedef struct Scoring {
    const ScoreJob *job;
    const Predictor *model;
    const ClassNames *classes;
    ScoreInput *input;
    ScoreOutput *output;
    size_t row_count, told;
    size_t width;            /* of an answer */
    int64_t *counts;         /* per class */
    double least, most, sum; /* of numbers */
    Error *error;
} Scoring;

static void take_label(Scoring *scoring, const double *probabilities, ScoreAnswer *answer)
{
    size_t label = predictor_decide(scoring->model, probabilities);

    scoring->counts[label]++;
    answer->label = scoring->classes->items[label];
    answer->number = probabilities[label];
}

static void take_number(Scoring *scoring, double number, ScoreAnswer *answer)
{
    scoring->least = fmin(scoring->least, number);
    scoring->most = fmax(scoring->most, number);
    scoring->sum += number;
    answer->number = number;
}

static void write_batch(Scoring *scoring, const ScoreBatch *batch, const double *answers,
                        Arena *arena)
{
    for (size_t row = 0; row < batch->frame.row_count; row++) {
        const double *numbers = answers + row * scoring->width;
        ScoreAnswer answer = {.row = batch->first + row,
                              .keys = batch->keys + row * scoring->job->keys.count};

        if (scoring->output->has_numbers)
            take_number(scoring, *numbers, &answer);
        else
            take_label(scoring, numbers, &answer);
        score_output_write(scoring->output, &answer, arena);
    }
}

static void tell_progress(Scoring *scoring)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();

    if (scoring->row_count < scoring->told + PROGRESS_ROWS)
        return;
    scoring->told = scoring->row_count;
    worker_progress(arena_format(arena, "{\"rows\":%zu}", scoring->row_count));
}

/* *more: false at the end. What a batch needs goes with it. */
static bool score_batch(Scoring *scoring, bool *more)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    ScoreBatch batch;
    double *answers;

    if (!score_input_next(scoring->input, arena, &batch, scoring->error))
        return false;
    *more = batch.frame.row_count > 0;
    if (!*more)
        return true;
    answers = arena_array(arena, double, batch.frame.row_count * scoring->width);
    if (!predictor_predict_on(step_thread_count(), scoring->model, &batch.frame, answers,
                              scoring->error))
        return false;
    write_batch(scoring, &batch, answers, arena);
    scoring->row_count += batch.frame.row_count;
    tell_progress(scoring);
    return true;
}

static bool score_all(Scoring *scoring)
{
    bool more = true;

    while (more)
        if (!score_batch(scoring, &more))
            return false;
    return true;
}

static void write_labels(const Scoring *scoring, JsonWriter *result)
{
    json_open_object(result, "labels");
    for (size_t i = 0; i < scoring->classes->count; i++)
        json_int(result, scoring->classes->items[i], scoring->counts[i]);
    json_close(result);
}

static void write_values(const Scoring *scoring, JsonWriter *result)
{
    bool has_rows = scoring->row_count > 0;

    json_open_object(result, "values");
    json_double(result, "least", has_rows ? scoring->least : NAN);
    json_double(result, "mean", scoring->sum / (double)scoring->row_count);
    json_double(result, "most", has_rows ? scoring->most : NAN);
    json_close(result);
}

static void write_result(const Scoring *scoring, JsonWriter *result)
{
    json_text(result, "model", scoring->job->model);
    json_int(result, "version", scoring->job->version);
    json_text(result, "package", scoring->job->package);
    json_text(result, "rows_of", scoring->job->name);
    json_int(result, "rows", (int64_t)scoring->row_count);
    if (scoring->output->has_numbers)
        write_values(scoring, result);
    else
        write_labels(scoring, result);
}

static bool score(const ScoreJob *job, const Package *package, JsonWriter *result, Arena *arena,
                  Error *error)
{
    Scoring scoring = {.job = job,
                       .model = package->model,
                       .classes = predictor_classes(package->model),
                       .width = predictor_width(package->model),
                       .least = HUGE_VAL,
                       .most = -HUGE_VAL,
                       .error = error};
    CLEANUP(score_input_close) ScoreInput *input = NULL;
    CLEANUP(score_output_close)
    ScoreOutput output = {.keys = job->keys,
                          .has_numbers = predictor_task(package->model) == TASK_REGRESSION};
    InputList inputs = input_list_of(package->model, arena);
    ScoreSource source = {.path = job->path, .name = job->name, .form = job->form};

    source.columns = dataset_columns_read(job->columns, arena);
    source.keys = job->keys;
    input = score_input_open(&source, &inputs, arena, error);
    if (!input || !score_output_open(&output, job->output, error))
        return false;
    scoring.input = input;
    scoring.output = &output;
    scoring.counts = arena_array(arena, int64_t, scoring.classes->count);
    if (!score_all(&scoring) || !score_output_end(&output, error))
        return false;
    write_result(&scoring, result);
    return true;
}

bool score_step(const JsonValue *job_value, JsonWriter *result, Arena *arena, Error *error)
{
    CLEANUP(step_store_close) ArtifactStore *store = NULL;
    CLEANUP(package_close) Package package = {0};
    ScoreJob job = {0};

    if (!json_read_value(job_value, job_fields, &job, arena, error))
        return false;
    store = artifact_store_open(job.artifacts, error);
    return store && package_open(store, job.package, arena, &package, error) &&
           package_needs_rows(&package, error) && score(&job, &package, result, arena, error);
}
