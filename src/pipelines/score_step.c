/* score_step.c: the step "score": a package's answers to many rows, as a file. */

#include <math.h>
#include <string.h>

#include "base/time.h"
#include "ml/forecast_rows.h"
#include "pipelines/score_input.h"
#include "pipelines/score_output.h"
#include "pipelines/step_job.h"
#include "pipelines/steps.h"
#include "registry/package.h"
#include "serving/predict_forecast.h"

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
    const ForecastModel *forecast; /* NULL: it is none */
    const ClassNames *classes;
    ScoreInput *input;
    ScoreOutput *output;
    size_t row_count, told;
    size_t line_count;       /* of a forecast: steps of all rows */
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

        if (scoring->output->kind == SCORE_NUMBERS)
            take_number(scoring, *numbers, &answer);
        else
            take_label(scoring, numbers, &answer);
        score_output_write(scoring->output, &answer, arena);
    }
}

/* A line for each step that the row asks for. */
static void write_forecast(Scoring *scoring, const DatedForecast *dated, ScoreAnswer *answer)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Frequency frequency = forecast_model_frequency(scoring->forecast);
    char text[TIME_TEXT_SIZE];

    for (size_t step = 0; step < dated->count; step++) {
        answer->time = forecast_time_text(dated->times_ms[step], &frequency, text);
        answer->low = dated->low[step];
        answer->high = dated->high[step];
        take_number(scoring, dated->mean[step], answer);
        score_output_write(scoring->output, answer, arena);
    }
    scoring->line_count += dated->count;
}

static bool forecast_row(Scoring *scoring, const ScoreBatch *batch, size_t row)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    ScoreAnswer answer = {.row = batch->first + row,
                          .keys = batch->keys + row * scoring->job->keys.count};
    DatedForecast dated;
    ForecastAsk ask;

    if (!forecast_rows_ask(scoring->forecast, &batch->frame, row, &ask, scoring->error) ||
        !forecast_rows_known(scoring->forecast, &(ForecastRow){&batch->frame, row}, arena, &ask,
                             scoring->error) ||
        !forecast_model_predict(scoring->forecast, &ask, arena, &dated, scoring->error))
        return batch->first
                   ? fail_in(scoring->error, "%s, after row %zu", scoring->job->name, batch->first)
                   : fail_in(scoring->error, "%s", scoring->job->name);
    answer.series = forecast_model_series(scoring->forecast, ask.series).id;
    write_forecast(scoring, &dated, &answer);
    return true;
}

static bool forecast_batch(Scoring *scoring, const ScoreBatch *batch)
{
    for (size_t row = 0; row < batch->frame.row_count; row++)
        if (!forecast_row(scoring, batch, row))
            return false;
    return true;
}

static bool answer_batch(Scoring *scoring, const ScoreBatch *batch, Arena *arena)
{
    double *answers;

    if (scoring->forecast)
        return forecast_batch(scoring, batch);
    answers = arena_array(arena, double, batch->frame.row_count * scoring->width);
    if (!predictor_predict_on(step_thread_count(), scoring->model, &batch->frame, answers,
                              scoring->error))
        return false;
    write_batch(scoring, batch, answers, arena);
    return true;
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

    if (!score_input_next(scoring->input, arena, &batch, scoring->error))
        return false;
    *more = batch.frame.row_count > 0;
    if (!*more)
        return true;
    if (!answer_batch(scoring, &batch, arena))
        return false;
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
    json_double(result, "mean",
                scoring->sum /
                    (double)(scoring->forecast ? scoring->line_count : scoring->row_count));
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
    if (scoring->forecast)
        json_int(result, "lines", (int64_t)scoring->line_count);
    if (scoring->output->kind != SCORE_LABELS)
        write_values(scoring, result);
    else
        write_labels(scoring, result);
}

static ScoreKind kind_of(const Predictor *model)
{
    static const ScoreKind kinds[] = {
        [TASK_CLASSIFICATION] = SCORE_LABELS,
        [TASK_REGRESSION] = SCORE_NUMBERS,
        [TASK_FORECAST] = SCORE_FORECASTS,
    };

    return kinds[predictor_task(model)];
}

/* Of a forecast every line has its series, its time and its numbers by itself. */
static bool check_keys(const ScoreJob *job, const Predictor *model, Error *error)
{
    static const char *const own[] = {"series", "time", "value", "low", "high"};

    for (size_t i = 0; predictor_forecast(model) && i < job->keys.count; i++)
        for (size_t at = 0; at < COUNT(own); at++)
            if (strcmp(job->keys.items[i], own[at]) == 0)
                return fail_field(error, "keys",
                                  "each line of a forecast has \"%s\" of its own: it cannot be a "
                                  "key",
                                  own[at]);
    return true;
}

static bool score(const ScoreJob *job, const Package *package, JsonWriter *result, Arena *arena,
                  Error *error)
{
    Scoring scoring = {.job = job,
                       .model = package->model,
                       .forecast = predictor_forecast(package->model),
                       .classes = predictor_classes(package->model),
                       .width = predictor_width(package->model),
                       .least = HUGE_VAL,
                       .most = -HUGE_VAL,
                       .error = error};
    CLEANUP(score_input_close) ScoreInput *input = NULL;
    CLEANUP(score_output_close)
    ScoreOutput output = {.keys = job->keys, .kind = kind_of(package->model)};
    InputList inputs = input_list_of(package->model, arena);
    ScoreSource source = {.path = job->path, .name = job->name, .form = job->form};

    if (!check_keys(job, package->model, error))
        return false;
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
           score(&job, &package, result, arena, error);
}
