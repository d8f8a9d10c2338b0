#include "pipelines/train_forecast.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "ml/forecast_rows.h"
#include "pipelines/forecast_judge.h"
#include "pipelines/leaderboard.h"
#include "pipelines/made_with.h"
#include "pipelines/step_job.h"
#include "registry/package.h"

enum { GOLDEN_ROWS = 32, FAILURES_SHOWN_MAX = 5 };

typedef struct ForecastJob {
    const char *rows; /* path of a Parquet file */
    const JsonValue *columns;
    const char *task, *metric;
    double budget_seconds;
    int64_t seed, horizon;
    int64_t trials, threads;  /* 0: no limit */
    const char *folder;       /* empty, for the package */
    const JsonValue *profile; /* of the data, for the package */
} ForecastJob;

static const JsonField job_fields[] = {
    {"rows", JSON_TEXT, offsetof(ForecastJob, rows), JSON_REQUIRED, NULL},
    {"columns", JSON_ARRAY, offsetof(ForecastJob, columns), JSON_REQUIRED, NULL},
    {"task", JSON_TEXT, offsetof(ForecastJob, task), JSON_REQUIRED, NULL},
    {"metric", JSON_TEXT, offsetof(ForecastJob, metric), JSON_REQUIRED, NULL},
    {"budget_seconds", JSON_NUMBER, offsetof(ForecastJob, budget_seconds), JSON_REQUIRED, NULL},
    {"trials", JSON_COUNT, offsetof(ForecastJob, trials), JSON_OPTIONAL, NULL},
    {"threads", JSON_COUNT, offsetof(ForecastJob, threads), JSON_OPTIONAL, NULL},
    {"seed", JSON_INT, offsetof(ForecastJob, seed), JSON_REQUIRED, NULL},
    {"horizon", JSON_INT, offsetof(ForecastJob, horizon), JSON_REQUIRED, NULL},
    {"folder", JSON_TEXT, offsetof(ForecastJob, folder), JSON_REQUIRED, NULL},
    {"profile", JSON_ANY, offsetof(ForecastJob, profile), JSON_OPTIONAL, NULL},
    {0},
};

/* One training under way. */
typedef struct ForecastTraining {
    ForecastJob job;
    const char *target;
    SeriesSet set;
    ForecastResult found; /* has not seen the dates that are held out */
    const atomic_bool *finish;
    ForecastBench bench;
    BenchForecast asked;
    Report report;
    Predictor *renewed; /* has learnt from all values; is packaged */
    Arena *arena;
    Error *error;
} ForecastTraining;

static void training_clear(ForecastTraining *training)
{
    forecast_model_unload(&training->found.model);
    predictor_unload(&training->renewed);
}

/* Learning. */

static bool read_series(ForecastTraining *training)
{
    RowsSpec spec = {.path = training->job.rows,
                     .columns = dataset_columns_read(training->job.columns, training->arena)};
    const DatasetColumn *target = dataset_column_by_role(&spec.columns, "target");

    if (!target)
        return fail_field(training->error, "target",
                          "the data has no column with the role \"target\"");
    training->target = target->name;
    if (!metric_check(training->job.metric, TASK_FORECAST, training->error) ||
        !series_set_read(&spec, (size_t)training->job.horizon, training->arena, &training->set,
                         training->error))
        return false;
    fprintf(stderr, "%zu rows, %zu series\n", training->set.row_count, training->set.count);
    return true;
}

/* Standard error is the log: its last lines are shown when the step is killed. */
static void log_progress(const ForecastProgress *progress)
{
    const LeaderboardRow *best = NULL;

    for (size_t i = 0; i < progress->so_far.count; i++) {
        const LeaderboardRow *row = &progress->so_far.items[i];

        if (!isnan(row->score) && (!best || row->score < best->score))
            best = row;
    }
    fprintf(stderr, "%zu of %zu %s", progress->done, progress->planned, progress->unit);
    if (best)
        fprintf(stderr, ", best mase so far: %s %.4g", best->name, best->score);
    fputc('\n', stderr);
}

static void tell_progress(void *context, const ForecastProgress *progress)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    JsonWriter *json = json_writer_create(arena);

    (void)context; /* worker_progress() knows where to */
    json_open_object(json, NULL);
    {
        json_text(json, "metric", "mase");
        json_text(json, "unit", progress->unit);
        json_int(json, "done", (int64_t)progress->done);
        json_int(json, "planned", (int64_t)progress->planned);
        leaderboard_write_json(json, &progress->so_far, TASK_FORECAST, true);
    }
    json_close(json);
    worker_progress(json_finish(json));
    log_progress(progress);
}

static ForecastSpec spec_of(const ForecastTraining *training)
{
    const SeriesSet *set = &training->set;
    ForecastSpec spec = {.frequency = set->frequency,
                         .horizon = (size_t)training->job.horizon,
                         .period_count = set->period_count,
                         .budget_seconds = training->job.budget_seconds,
                         .trials_max = (size_t)training->job.trials,
                         .listener = {tell_progress, NULL},
                         .finish = training->finish};

    for (size_t i = 0; i < set->period_count; i++)
        spec.periods[i] = set->periods[i];
    return spec;
}

/* One whose forecast no number can hold would have nothing to be judged by. */
static void find_unanswered(ForecastTraining *training)
{
    const ForecastModel *model = training->found.model;
    ForecastAsk ask = {
        .steps = forecast_model_steps_max(model), .level = FORECAST_LEVEL, .may_miss_known = true};

    for (size_t i = 0; i < training->set.count; i++) {
        CLEANUP(arena_cleanup) Arena *scratch = arena_create();
        ForecastOutcome *outcome = &training->found.outcomes[i];
        Error error = {0};
        DatedForecast dated;

        if (forecast_model_find(model, outcome->id, &ask.series) &&
            !forecast_model_predict(model, &ask, scratch, &dated, &error))
            outcome->failure = arena_text(training->arena, error.message);
    }
}

static void note_failures(ForecastTraining *training)
{
    TextList *notes = &training->set.notes;
    size_t count = 0;

    for (size_t i = 0; i < training->set.count; i++) {
        const ForecastOutcome *outcome = &training->found.outcomes[i];

        if (*outcome->failure && count++ < FAILURES_SHOWN_MAX)
            text_list_add(notes, training->arena,
                          arena_format(training->arena, "series \"%.80s\" is left out: %s",
                                       outcome->id, outcome->failure));
    }
    if (count > FAILURES_SHOWN_MAX)
        text_list_add(notes, training->arena,
                      arena_format(training->arena,
                                   "%zu more series are left out, as no learner "
                                   "could learn them",
                                   count - FAILURES_SHOWN_MAX));
}

static void note_stopped(ForecastTraining *training)
{
    size_t count = training->found.stopped_count;
    const char *cause = "the search was told to end before its time, which";

    if (!atomic_load(training->finish))
        cause = arena_format(training->arena, "the time budget of %g seconds",
                             training->job.budget_seconds);
    if (count)
        text_list_add(&training->set.notes, training->arena,
                      arena_format(training->arena,
                                   "%s left out %zu back-tests, each of a learner on a series: the "
                                   "leaderboard says which",
                                   cause, count));
}

/* Of a series that could not be learnt nothing is judged, nor promised. */
static void drop_failed(ForecastTraining *training)
{
    SeriesSet *set = &training->set;
    size_t kept = 0;

    for (size_t i = 0; i < set->count; i++)
        if (!*training->found.outcomes[i].failure) {
            training->found.outcomes[kept] = training->found.outcomes[i];
            set->items[kept++] = set->items[i];
        }
    set->count = kept;
}

static bool search(ForecastTraining *training)
{
    size_t held = (size_t)training->job.horizon;
    ForecastInputs inputs = series_set_before(&training->set, held, training->arena);
    ForecastSpec spec = spec_of(training);

    inputs.thread_count = step_thread_limit(training->job.threads);
    if (!forecast_model_train(&inputs, &spec, training->arena, &training->found, training->error))
        return false;
    find_unanswered(training);
    note_failures(training);
    note_stopped(training);
    if (training->found.ended_after)
        text_list_add(&training->set.notes, training->arena,
                      leaderboard_limit_note(training->found.ended_after, training->arena));
    drop_failed(training);
    if (training->set.count == 0)
        return fail(training->error, ERROR_CONFLICT, "no series can be forecast: %s",
                    training->set.notes.items[0]);
    training->bench = forecast_bench_make(&training->set, held, training->arena);
    training->bench.tested = &training->found.tested;
    return forecast_bench_ask(&training->bench, training->found.model, training->arena,
                              &training->asked, training->error) &&
           forecast_bench_report(&training->bench, &training->asked, &training->report,
                                 training->error) &&
           forecast_bench_add_steps(&training->bench, &training->asked, training->arena,
                                    &training->report, training->error);
}

/* Judged, and yet not in the package. */
static void note_lost(ForecastTraining *training, const ForecastResult *renewed)
{
    if (renewed->failed_count)
        text_list_add(&training->set.notes, training->arena,
                      arena_format(training->arena,
                                   "%zu series were judged, but cannot be learnt with their last "
                                   "values, and are not forecast",
                                   renewed->failed_count));
}

static bool renew(ForecastTraining *training)
{
    ForecastInputs inputs = series_set_before(&training->set, 0, training->arena);
    ForecastResult renewed = {0};

    inputs.thread_count = step_thread_limit(training->job.threads);
    if (!forecast_model_renew(training->found.model, &inputs, training->arena, &renewed,
                              training->error))
        return fail_in(training->error, "what was chosen cannot learn from all values");
    note_lost(training, &renewed);
    training->renewed = predictor_of_forecast(renewed.model);
    return true;
}

/* The package. */

static void write_notes(JsonWriter *json, const ForecastTraining *training)
{
    json_texts(json, "notes", &training->set.notes);
}

static const char *date_of(const ForecastTraining *training, const DatedSeries *series,
                           size_t place)
{
    char text[TIME_TEXT_SIZE];

    return arena_text(training->arena,
                      time_format(dated_series_time(&training->set, series, place), text));
}

static void write_series(JsonWriter *json, const ForecastTraining *training, size_t index)
{
    const DatedSeries *series = &training->set.items[index];
    const ForecastOutcome *outcome = &training->found.outcomes[index];
    size_t count = series->index.count;

    json_open_object(json, NULL);
    {
        json_text(json, "id", series->id);
        json_int(json, "values", (int64_t)count);
        json_text(json, "first", date_of(training, series, 0));
        json_text(json, "last", date_of(training, series, count - 1));
        json_int(json, "filled", (int64_t)series->index.report.filled);
        json_int(json, "outliers", (int64_t)series->index.report.outliers);
        json_text(json, "choice", outcome->choice);
        json_int(json, "windows", (int64_t)outcome->window_count);
        json_double(json, "mase", outcome->score.mase);
        json_double(json, "smape", outcome->score.smape);
        json_double(json, "rmse", outcome->score.rmse);
        json_double(json, "coverage", outcome->score.coverage);
    }
    json_close(json);
}

static const char *report_document(const ForecastTraining *training)
{
    JsonWriter *json = json_writer_create(training->arena);

    json_open_object(json, NULL);
    {
        json_int(json, "rows", (int64_t)training->bench.count);
        report_write_json(json, "report", &training->report, NULL);
        json_text(json, "frequency", frequency_name(&training->set.frequency, training->arena));
        json_int(json, "horizon", training->job.horizon);
        json_text(json, "rule", training->found.rule);
        write_notes(json, training);
        json_open_array(json, "series");
        for (size_t i = 0; i < training->set.count; i++)
            write_series(json, training, i);
        json_close(json);
    }
    json_close(json);
    return json_finish(json);
}

static void write_point(JsonWriter *json, const ForecastTraining *training, size_t at)
{
    size_t horizon = training->bench.horizon;
    const DatedSeries *series = &training->set.items[at / horizon];
    size_t place = series->index.count - horizon + at % horizon;

    json_open_object(json, NULL);
    {
        json_text(json, "series", series->id);
        json_text(json, "time", date_of(training, series, place));
        json_double(json, "truth", training->bench.truth[at]);
        json_double(json, "value", training->asked.mean[at]);
        json_double(json, "low", training->asked.low[at]);
        json_double(json, "high", training->asked.high[at]);
    }
    json_close(json);
}

static const char *holdout_document(const ForecastTraining *training)
{
    JsonWriter *json = json_writer_create(training->arena);

    json_open_object(json, NULL);
    json_text(json, "task", model_task_name(TASK_FORECAST));
    json_double(json, "level", FORECAST_LEVEL);
    json_open_array(json, "rows");
    for (size_t at = 0; at < training->bench.count; at++)
        write_point(json, training, at);
    json_close(json);
    json_close(json);
    return json_finish(json);
}

static bool write_package(const ForecastTraining *training)
{
    const LeaderboardRow *chosen = leaderboard_chosen(&training->found.leaderboard);
    Frame golden =
        forecast_rows_spread(predictor_forecast(training->renewed), GOLDEN_ROWS, training->arena);
    PackageSpec spec = {
        .folder = training->job.folder,
        .model = training->renewed,
        .target = training->target,
        .flavor = chosen ? chosen->name : "forecast",
        .golden = &golden,
        .report = report_document(training),
        .holdout = holdout_document(training),
        .leaderboard = leaderboard_document(&training->found.leaderboard, TASK_FORECAST, "mase",
                                            training->arena),
        .profile = json_is_null(training->job.profile)
                       ? NULL
                       : json_print(training->job.profile, training->arena),
        .environment = made_with_json(false, training->arena),
    };

    return package_write(&spec, training->arena, training->error);
}

/* The result. */

/* What the only series is forecast by, else the rule that chose for each. */
static const char *describe_choice(const ForecastTraining *training)
{
    return training->set.count == 1 ? training->found.outcomes[0].choice : training->found.rule;
}

static void write_result(JsonWriter *json, const ForecastTraining *training)
{
    const LeaderboardRow *chosen = leaderboard_chosen(&training->found.leaderboard);

    json_int(json, "rows", (int64_t)training->set.row_count);
    json_int(json, "left_out", (int64_t)training->set.left_out_count);
    json_int(json, "series", (int64_t)training->set.count);
    json_int(json, "holdout_rows", (int64_t)training->bench.count);
    write_notes(json, training);
    json_text(json, "task", model_task_name(TASK_FORECAST));
    json_text(json, "metric", training->job.metric);
    json_text(json, "frequency", frequency_name(&training->set.frequency, training->arena));
    json_text(json, "chosen", chosen ? chosen->name : NULL);
    json_text(json, "chosen_description", describe_choice(training));
    json_bool(json, "below_baseline", chosen && (chosen->below_baseline || chosen->is_baseline));
    leaderboard_write_json(json, &training->found.leaderboard, TASK_FORECAST, true);
    leaderboard_write_trials(json, &training->found.leaderboard);
    report_write_metrics(json, "holdout", &training->report);
    report_write_json(json, "report", &training->report, NULL);
}

bool train_forecast(const JsonValue *job, JsonWriter *result, Arena *arena, Error *error)
{
    CLEANUP(training_clear)
    ForecastTraining training = {
        .finish = step_listen_for_finish(), .arena = arena, .error = error};

    if (!json_read_value(job, job_fields, &training.job, arena, error))
        return false;
    if (training.job.horizon < 1 || training.job.horizon > FORECAST_HORIZON_MAX)
        return fail_field(error, "horizon", "a horizon is 1 to %d steps", FORECAST_HORIZON_MAX);
    if (!read_series(&training) || !search(&training) || !renew(&training) ||
        !write_package(&training))
        return false;
    write_result(result, &training);
    return true;
}
