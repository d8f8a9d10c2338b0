/* benchmark_step.c: the step "benchmark": how fast a package answers, in a process of its own.
 *
 * A request goes the way that a server's goes, from the bytes of its body to those of its answer;
 * only the connection and the log are not there.
 */
#include <string.h>
#include <sys/resource.h>

#include "base/time.h"
#include "ml/forecast_rows.h"
#include "pipelines/latencies.h"
#include "pipelines/score_input.h"
#include "pipelines/step_job.h"
#include "pipelines/steps.h"
#include "serving/predict.h"

enum { ROWS_MAX = 1000, WARM_UP_REQUESTS = 50, BATCH_ROUNDS = 10 };

typedef struct BenchmarkJob {
    const char *artifacts, *package;
    const char *model;
    int64_t version;
    const char *path, *name, *form; /* of the rows */
    const JsonValue *columns;       /* of a data set */
    int64_t requests, batch;
} BenchmarkJob;

static const JsonField job_fields[] = {
    {"artifacts", JSON_TEXT, offsetof(BenchmarkJob, artifacts), JSON_REQUIRED, NULL},
    {"package", JSON_TEXT, offsetof(BenchmarkJob, package), JSON_REQUIRED, NULL},
    {"model", JSON_TEXT, offsetof(BenchmarkJob, model), JSON_REQUIRED, NULL},
    {"version", JSON_INT, offsetof(BenchmarkJob, version), JSON_REQUIRED, NULL},
    {"path", JSON_TEXT, offsetof(BenchmarkJob, path), JSON_REQUIRED, NULL},
    {"name", JSON_TEXT, offsetof(BenchmarkJob, name), JSON_REQUIRED, NULL},
    {"form", JSON_TEXT, offsetof(BenchmarkJob, form), JSON_REQUIRED, NULL},
    {"columns", JSON_ARRAY, offsetof(BenchmarkJob, columns), JSON_OPTIONAL, NULL},
    {"requests", JSON_COUNT, offsetof(BenchmarkJob, requests), JSON_REQUIRED, NULL},
    {"batch", JSON_COUNT, offsetof(BenchmarkJob, batch), JSON_REQUIRED, NULL},
    {0},
};

typedef struct Benchmark {
    const BenchmarkJob *job;
    ServedEndpoint served;
    Frame rows; /* the first ones */
    TextList bodies;
    Latencies latencies;
    double rows_per_second;
    size_t batch; /* rows of a request */
    Arena *arena;
    Error *error;
} Benchmark;

/* ---- what is asked ---- */

/* A missing text is an empty one, as a request has to give one. */
static void write_cell(JsonWriter *json, const FrameColumn *column, size_t row)
{
    if (column->kind == COLUMN_NUMBER)
        json_double(json, column->name, column->numbers[row]); /* NaN is null */
    else if (column->texts[row].bytes)
        json_bytes(json, column->name, column->texts[row].bytes, column->texts[row].length);
    else if (column->kind == COLUMN_TEXT)
        json_text(json, column->name, "");
    else
        json_null(json, column->name);
}

static void write_row(JsonWriter *json, const Frame *frame, size_t row)
{
    json_open_object(json, NULL);
    for (size_t i = 0; i < frame->column_count; i++)
        write_cell(json, &frame->columns[i], row);
    json_close(json);
}

/* {"data": [...]} of so many rows, the first again behind the last. */
static const char *body_of(const Benchmark *benchmark, size_t first, size_t count)
{
    JsonWriter *json = json_writer_create(benchmark->arena);

    json_open_object(json, NULL);
    json_open_array(json, "data");
    for (size_t i = 0; i < count; i++)
        write_row(json, &benchmark->rows, (first + i) % benchmark->rows.row_count);
    json_close(json);
    json_close(json);
    return json_finish(json);
}

static bool make_bodies(Benchmark *benchmark, ScoreInput *input)
{
    ScoreBatch batch;

    if (!score_input_next(input, benchmark->arena, &batch, benchmark->error))
        return false;
    if (!batch.frame.row_count)
        return fail(benchmark->error, ERROR_INVALID, "%s has no rows to ask", benchmark->job->name);
    benchmark->rows = batch.frame;
    for (size_t i = 0; i < batch.frame.row_count && i < ROWS_MAX; i++)
        text_list_add(&benchmark->bodies, benchmark->arena, body_of(benchmark, i, 1));
    return true;
}

/* ---- asking ---- */

static bool answer(const Benchmark *benchmark, const char *body)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    JsonWriter *json = json_writer_create(arena);
    PredictRequest request = {.endpoint = benchmark->served.name,
                              .request_id = "",
                              .body = {.bytes = body, .size = strlen(body)}};
    Prediction prediction;

    if (!predict_by(&benchmark->served, &request, arena, &prediction, benchmark->error))
        return false;
    prediction_write_json(json, &prediction);
    return *json_finish(json) == '{';
}

static bool ask_single(Benchmark *benchmark)
{
    size_t count = (size_t)benchmark->job->requests;

    benchmark->latencies.ms = arena_array(benchmark->arena, double, count);
    for (size_t i = 0; i < WARM_UP_REQUESTS + count; i++) {
        const char *body = benchmark->bodies.items[i % benchmark->bodies.count];
        int64_t began_us = time_monotonic_us();

        if (!answer(benchmark, body))
            return false;
        if (i >= WARM_UP_REQUESTS)
            latencies_add(&benchmark->latencies, began_us);
    }
    latencies_sort(&benchmark->latencies);
    return true;
}

/* Of forecasts as many of the rows as a request may ask for, by their steps. */
static bool find_batch(Benchmark *benchmark)
{
    const ForecastModel *forecast = benchmark->served.loaded->forecast;
    size_t steps = 0, row = 0;

    benchmark->batch = (size_t)benchmark->job->batch;
    for (; forecast && row < benchmark->batch; row++) {
        ForecastAsk ask;

        if (!forecast_rows_ask(forecast, &benchmark->rows, row % benchmark->rows.row_count, &ask,
                               benchmark->error))
            return false;
        steps += ask.steps;
        if (steps > FORECAST_REQUEST_STEPS_MAX)
            break;
    }
    if (forecast)
        benchmark->batch = row;
    return true;
}

static bool ask_batches(Benchmark *benchmark)
{
    size_t rows = benchmark->batch;
    const char *body = body_of(benchmark, 0, rows);
    int64_t began_us = time_monotonic_us(), took_us;

    for (size_t i = 0; i < BATCH_ROUNDS; i++)
        if (!answer(benchmark, body))
            return false;
    took_us = time_monotonic_us() - began_us;
    benchmark->rows_per_second =
        (double)(rows * BATCH_ROUNDS) * 1e6 / (double)(took_us ? took_us : 1);
    return true;
}

/* ---- the result ---- */

static void write_result(const Benchmark *benchmark, JsonWriter *result)
{
    const BenchmarkJob *job = benchmark->job;
    struct rusage usage = {0};

    getrusage(RUSAGE_SELF, &usage);
    json_text(result, "model", job->model);
    json_int(result, "version", job->version);
    json_text(result, "package", job->package);
    json_text(result, "rows_of", job->name);
    json_int(result, "requests", job->requests);
    json_double(result, "p50_ms", latencies_quantile(&benchmark->latencies, 0.5));
    json_double(result, "p95_ms", latencies_quantile(&benchmark->latencies, 0.95));
    json_double(result, "p99_ms", latencies_quantile(&benchmark->latencies, 0.99));
    json_int(result, "batch", (int64_t)benchmark->batch);
    json_double(result, "rows_per_second", benchmark->rows_per_second);
    json_double(result, "memory_mb", (double)usage.ru_maxrss / 1024);
}

static bool measure(Benchmark *benchmark, const LoadedModel *loaded)
{
    const BenchmarkJob *job = benchmark->job;
    ScoreSource source = {.path = job->path, .name = job->name, .form = job->form};
    CLEANUP(score_input_close) ScoreInput *input = NULL;

    source.columns = dataset_columns_read(job->columns, benchmark->arena);
    input = score_input_open(&source, &loaded->inputs, benchmark->arena, benchmark->error);
    return input && make_bodies(benchmark, input) && ask_single(benchmark) &&
           find_batch(benchmark) && ask_batches(benchmark);
}

static void loaded_model_close(LoadedModel **loaded)
{
    loaded_model_unref(*loaded);
}

bool benchmark_step(const JsonValue *job_value, JsonWriter *result, Arena *arena, Error *error)
{
    CLEANUP(step_store_close) ArtifactStore *store = NULL;
    CLEANUP(loaded_model_close) LoadedModel *loaded = NULL;
    BenchmarkJob job = {0};
    Benchmark benchmark = {.job = &job, .arena = arena, .error = error};

    if (!json_read_value(job_value, job_fields, &job, arena, error))
        return false;
    store = artifact_store_open(job.artifacts, error);
    if (!store)
        return false;
    loaded = loaded_model_open(store, job.package, error);
    if (!loaded)
        return false;
    benchmark.served = (ServedEndpoint){
        .name = "benchmark", .loaded = loaded, .model = job.model, .version = job.version};
    if (!measure(&benchmark, loaded))
        return false;
    write_result(&benchmark, result);
    return true;
}
