/* train_step.c: the step "train".
 *
 * The rows of the hold-out, and every row with the content of one, are left out before anything is
 * learnt; the chosen model is judged on them afterwards, once. Which candidate wins is decided by
 * cross-validation on the training rows alone.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "ml/report_slice.h"
#include "pipelines/judge.h"
#include "pipelines/leaderboard.h"
#include "pipelines/made_with.h"
#include "pipelines/step_job.h"
#include "pipelines/steps.h"
#include "pipelines/train_columns.h"
#include "pipelines/train_decision.h"
#include "pipelines/train_forecast.h"
#include "pipelines/train_guard.h"
#include "pipelines/train_ids.h"
#include "registry/package.h"

enum {
    GOLDEN_ROWS = 32,
    CELLS_MAX = 100 * 1000 * 1000, /* to learn from: some 3 GB at work, and in the minutes that a
                                      search has more rows would mean fewer trees */
};

typedef struct TrainJob {
    const char *rows, *holdout; /* paths of Parquet files */
    const char *holdout_digest;
    const JsonValue *columns;
    const char *task, *metric;
    const char *threshold_for; /* or NULL */
    double budget_seconds;
    int64_t trials, threads; /* 0: no limit */
    int64_t seed;
    bool balance;
    const char *folder;       /* empty, for the package */
    const JsonValue *profile; /* of the data, for the package */
} TrainJob;

static const JsonField job_fields[] = {
    {"rows", JSON_TEXT, offsetof(TrainJob, rows), JSON_REQUIRED, NULL},
    {"holdout", JSON_TEXT, offsetof(TrainJob, holdout), JSON_REQUIRED, NULL},
    {"holdout_digest", JSON_TEXT, offsetof(TrainJob, holdout_digest), JSON_REQUIRED, NULL},
    {"columns", JSON_ARRAY, offsetof(TrainJob, columns), JSON_REQUIRED, NULL},
    {"task", JSON_TEXT, offsetof(TrainJob, task), JSON_REQUIRED, NULL},
    {"metric", JSON_TEXT, offsetof(TrainJob, metric), JSON_REQUIRED, NULL},
    {"threshold_for", JSON_TEXT, offsetof(TrainJob, threshold_for), JSON_OPTIONAL, NULL},
    {"budget_seconds", JSON_NUMBER, offsetof(TrainJob, budget_seconds), JSON_REQUIRED, NULL},
    {"trials", JSON_COUNT, offsetof(TrainJob, trials), JSON_OPTIONAL, NULL},
    {"threads", JSON_COUNT, offsetof(TrainJob, threads), JSON_OPTIONAL, NULL},
    {"seed", JSON_INT, offsetof(TrainJob, seed), JSON_REQUIRED, NULL},
    {"balance", JSON_BOOL, offsetof(TrainJob, balance), JSON_REQUIRED, NULL},
    {"folder", JSON_TEXT, offsetof(TrainJob, folder), JSON_REQUIRED, NULL},
    {"profile", JSON_ANY, offsetof(TrainJob, profile), JSON_OPTIONAL, NULL},
    {0},
};

/* One training under way. */
typedef struct Training {
    TrainJob job;
    ModelTask task;
    DatasetColumns columns;
    const char *target;
    Rows rows; /* to learn from */
    size_t unlabelled_count;
    TrainGuard guard;
    const atomic_bool *finish;
    SearchSpec spec; /* of the search */
    Learnt found;
    Bench bench; /* the hold-out */
    Predictions predictions;
    Report report;
    Arena *arena;
    Error *error;
} Training;

/* Standard error is the log: its last lines are shown when the step is killed. */
static void log_fold(const Training *training, const Leaderboard *so_far, size_t done,
                     size_t planned)
{
    const LeaderboardRow *best = NULL;

    for (size_t i = 0; i < so_far->count && !best; i++)
        if (!so_far->items[i].is_baseline && !isnan(so_far->items[i].score))
            best = &so_far->items[i]; /* they come from best to worst */
    fprintf(stderr, "%zu ", done);
    if (planned)
        fprintf(stderr, "of at most %zu ", planned);
    fprintf(stderr, "folds");
    if (best)
        fprintf(stderr, ", best %s so far: %s %.4g, %s", training->job.metric, best->name,
                best->score, best->description);
    fputc('\n', stderr);
}

static void tell_progress(void *context, const Leaderboard *so_far, size_t done, size_t planned)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    JsonWriter *json = json_writer_create(arena);
    const Training *training = context;

    json_open_object(json, NULL);
    {
        json_text(json, "metric", training->job.metric);
        json_int(json, "done", (int64_t)done);
        if (planned)
            json_int(json, "planned", (int64_t)planned);
        else
            json_null(json, "planned"); /* no total is better than a false one */
        json_texts(json, "notes", &training->guard.notes);
        leaderboard_write_json(json, so_far, training->task, true);
    }
    json_close(json);
    worker_progress(json_finish(json));
    log_fold(training, so_far, done, planned);
}

/* Learning. */

static bool find_target(Training *training)
{
    const DatasetColumn *target = dataset_column_by_role(&training->columns, "target");

    if (!target)
        return fail_field(training->error, "target",
                          "the data has no column with the role \"target\"");
    training->target = target->name;
    return true;
}

static bool find_task(Training *training)
{
    if (!model_task_find(training->job.task, &training->task))
        return fail_field(training->error, "task", "\"%.64s\" is not a task", training->job.task);
    return metric_check(training->job.metric, training->task, training->error) &&
           (!training->job.threshold_for ||
            metric_check_threshold(training->job.threshold_for, training->error));
}

static bool check_numbers(const Training *training)
{
    const double *targets = training->rows.targets;

    for (size_t i = 1; i < training->rows.row_count; i++)
        if (targets[i] != targets[0])
            return true;
    return fail_field(training->error, training->target,
                      "the target \"%.128s\" is %g in every row to learn from: there is nothing to "
                      "learn",
                      training->target, targets[0]);
}

/* How many rows each class has, the search looks at. */
static bool check_classes(const Training *training)
{
    const int *labels = training->rows.labels;

    for (size_t i = 1; i < training->rows.row_count; i++)
        if (labels[i] != labels[0])
            return true;
    return fail_field(training->error, training->target,
                      "the target \"%.128s\" is \"%.64s\" in every row to learn from: there is "
                      "nothing to learn",
                      training->target, training->rows.classes.items[labels[0]]);
}

static bool check_threshold(const Training *training)
{
    return !training->job.threshold_for || training->rows.classes.count == 2 ||
           fail_field(training->error, "threshold_for",
                      "a threshold parts two classes, and the target \"%.128s\" has %zu",
                      training->target, training->rows.classes.count);
}

static bool check_targets(const Training *training)
{
    if (training->rows.row_count == 1)
        return fail(training->error, ERROR_CONFLICT,
                    "there is one row to learn from beside the hold-out: a model takes two rows of "
                    "each class, or of numbers some dozens");
    return training->rows.targets ? check_numbers(training)
                                  : check_classes(training) && check_threshold(training);
}

static bool read_rows(Training *training)
{
    RowsSpec spec = {
        .path = training->job.rows,
        .without_path = training->job.holdout,
        .columns = training->columns,
        .task = training->task,
        .cells_max = CELLS_MAX,
    };

    if (!rows_read(&spec, training->arena, &training->rows, training->error))
        return false;
    training->unlabelled_count = rows_drop_unlabelled(&training->rows, training->arena);
    fprintf(stderr, "%zu rows to learn from, %zu left out, %zu without a target\n",
            training->rows.row_count, training->rows.left_out_count, training->unlabelled_count);
    if (training->rows.row_count == 0)
        return fail(training->error, ERROR_CONFLICT, "the hold-out leaves no row to learn from");
    training->guard = (TrainGuard){&training->columns, training->job.balance};
    return check_targets(training) &&
           train_guard_look(&training->guard, &training->rows, training->arena, training->error);
}

static bool search(Training *training)
{
    SearchSpec spec = {
        .metric = training->job.metric,
        .threshold_for = training->job.threshold_for,
        .budget_seconds = training->job.budget_seconds,
        .trials_max = (size_t)training->job.trials,
        .seed = (uint64_t)training->job.seed,
        .groups = training->rows.groups,
        .balance_classes = training->job.balance,
        .thread_count = step_thread_limit(training->job.threads),
        .listener = {tell_progress, training},
        .finish = training->finish,
    };
    const Rows *rows = &training->rows;
    Target target = {.numbers = rows->targets};

    if (training->task == TASK_CLASSIFICATION)
        target = (Target){.labels = rows->labels, .classes = &rows->classes};
    training->spec = spec;
    if (!predictor_learn(&training->rows.frame, &target, &spec, training->arena, &training->found,
                         training->error))
        return false;
    if (atomic_load(training->finish))
        text_list_add(&training->found.notes, training->arena,
                      "the search was told to end before its time: this is the best so far");
    if (training->found.ended_after)
        text_list_add(&training->found.notes, training->arena,
                      leaderboard_limit_note(training->found.ended_after, training->arena));
    train_guard_add_notes(&training->guard, &training->found.notes, training->arena);
    return true;
}

static void note_draw(Training *training)
{
    const Rows *rows = &training->rows;
    size_t all = rows->row_count + rows->undrawn_count + training->unlabelled_count;

    if (rows->undrawn_count)
        text_list_add(&training->found.notes, training->arena,
                      arena_format(training->arena,
                                   "%zu of %zu rows were drawn to learn from: a training takes at "
                                   "most %d cells",
                                   rows->row_count, all, CELLS_MAX));
}

static bool judge_on_holdout(Training *training)
{
    ModelSet models = {{training->found.model}, 1};
    RowsSpec spec = {.path = training->job.holdout, .columns = training->columns};
    char digest[DIGEST_TEXT_SIZE];

    if (!digest_file(training->job.holdout, digest, training->error))
        return false;
    if (strcmp(digest, training->job.holdout_digest) != 0)
        return fail(training->error, ERROR_CONFLICT,
                    "the frozen hold-out has other bytes than when it was frozen");
    if (!bench_read(&spec, &models, training->arena, &training->bench, training->error))
        return fail_in(training->error,
                       "the frozen hold-out, drawn from an earlier version of the data");
    training->bench.thread_count = training->spec.thread_count;
    train_guard_look_across(&training->guard, &training->rows, &training->bench,
                            &training->found.left_out, training->arena);
    return bench_predict(&training->bench, training->found.model, training->arena,
                         &training->predictions, training->error) &&
           bench_report(&training->bench, &training->predictions, training->arena,
                        &training->report, training->error);
}

/* The package. */

static void write_slices(JsonWriter *json, const Training *training)
{
    const Rows *rows = &training->bench.rows;
    const JudgedRows judged = {
        .truth = rows->labels,
        .predictions = training->predictions,
        .classes = training->task == TASK_CLASSIFICATION ? &rows->classes : NULL,
        .positive = training->bench.positive,
        .numbers = training->task == TASK_CLASSIFICATION ? NULL : rows->targets,
        .row_count = rows->row_count,
        .metric = metric_find(training->job.metric),
    };
    const SliceSpec spec = {&rows->frame, &judged, (uint64_t)training->job.seed};
    SliceReport slices;

    slices_make(&spec, training->arena, &slices);
    slices_write_json(json, "slices", &slices);
}

static void write_decision(JsonWriter *json, const Training *training)
{
    const DecisionSpec spec = {
        .model = training->found.model,
        .search = &training->spec,
        .rows = &training->rows,
        .out_of_fold = training->found.out_of_fold,
        .bench = &training->bench,
        .predictions = &training->predictions,
    };

    train_decision_write_json(json, &spec);
}

static const char *report_document(const Training *training)
{
    JsonWriter *json = json_writer_create(training->arena);
    ColumnsSpec columns = {
        .model = training->found.model,
        .bench = &training->bench,
        .metric = training->job.metric,
        .budget_seconds = training->job.budget_seconds,
        .seed = training->job.seed,
        .thread_count = training->spec.thread_count,
    };

    json_open_object(json, NULL);
    {
        json_text(json, "holdout", training->job.holdout_digest);
        json_int(json, "rows", (int64_t)training->bench.rows.row_count);
        report_write_json(json, "report", &training->report, &training->bench.rows.classes);
        write_decision(json, training);
        train_columns_write_json(json, &columns);
        train_guard_write_json(json, &training->guard, &training->found.left_out);
        write_slices(json, training);
    }
    json_close(json);
    return json_finish(json);
}

static void write_probabilities(JsonWriter *json, const Training *training, size_t row)
{
    size_t width = training->bench.rows.classes.count;

    json_int(json, "truth", training->bench.rows.labels[row]);
    json_open_array(json, "probabilities");
    for (size_t i = 0; i < width; i++)
        json_double(json, NULL, training->predictions.probabilities[row * width + i]);
    json_close(json);
}

static void write_holdout_row(JsonWriter *json, const Training *training, size_t row)
{
    json_open_object(json, NULL);
    json_text(json, "id", training->bench.rows.row_ids[row]);
    if (training->task == TASK_REGRESSION) {
        json_double(json, "truth", training->bench.rows.targets[row]);
        json_double(json, "prediction", training->predictions.numbers[row]);
    } else {
        write_probabilities(json, training, row);
    }
    json_close(json);
}

static const char *holdout_document(const Training *training)
{
    JsonWriter *json = json_writer_create(training->arena);
    const ClassNames *classes = &training->bench.rows.classes;

    json_open_object(json, NULL);
    json_text(json, "holdout", training->job.holdout_digest);
    json_text(json, "task", model_task_name(training->task));
    json_open_array(json, "classes");
    for (size_t i = 0; i < classes->count; i++)
        json_text(json, NULL, classes->items[i]);
    json_close(json);
    json_open_array(json, "rows");
    for (size_t row = 0; row < training->bench.rows.row_count; row++)
        write_holdout_row(json, training, row);
    json_close(json);
    json_close(json);
    return json_finish(json);
}

static bool write_package(const Training *training)
{
    const LeaderboardRow *chosen = leaderboard_chosen(&training->found.leaderboard);
    Frame golden = frame_head(&training->rows.frame, GOLDEN_ROWS);
    PackageSpec spec = {
        .folder = training->job.folder,
        .model = training->found.model,
        .target = training->target,
        .flavor = chosen ? chosen->name : "model",
        .golden = &golden,
        .report = report_document(training),
        .holdout = holdout_document(training),
        .leaderboard = leaderboard_document(&training->found.leaderboard, training->task,
                                            training->job.metric, training->arena),
        .profile = json_is_null(training->job.profile)
                       ? NULL
                       : json_print(training->job.profile, training->arena),
        .environment = made_with_json(false, training->arena),
    };

    return package_write(&spec, training->arena, training->error) &&
           train_ids_write(&training->rows, training->job.folder, training->arena, training->error);
}

/* The result. */

/* NULL: it is not. */
static const char *why_excluded(const Training *training, const DatasetColumn *column)
{
    if (text_equal(column->role, "known_after"))
        return "known only after the outcome";
    if (text_equal(column->role, "ignore"))
        return "ignored";
    return guardrail_leaves_out(&training->guard.found, column->name)
               ? "the target's own value in every row"
               : NULL;
}

static void write_excluded(JsonWriter *json, const Training *training)
{
    json_open_array(json, "excluded");
    for (size_t i = 0; i < training->columns.count; i++) {
        const DatasetColumn *column = &training->columns.items[i];
        const char *reason = why_excluded(training, column);

        if (!reason)
            continue;
        json_open_object(json, NULL);
        json_text(json, "column", column->name);
        json_text(json, "reason", reason);
        json_close(json);
    }
    json_close(json);
}

/* What folds that did not see them said of the training rows. A search that ran out of time may not
 * have all; of very many rows some are only learnt from. */
typedef struct Folded {
    size_t row_count;
    int *truth, *predicted;         /* of classes */
    double *probabilities;          /* of classes */
    double *true_numbers, *numbers; /* of numbers */
} Folded;

static void take_folded(const Training *training, size_t row, Folded *folded)
{
    size_t width = predictor_width(training->found.model), place = folded->row_count++;
    const double *answer = training->found.out_of_fold + row * width;

    if (training->task == TASK_REGRESSION) {
        folded->true_numbers[place] = training->rows.targets[row];
        folded->numbers[place] = *answer;
        return;
    }
    folded->truth[place] = training->rows.labels[row];
    folded->predicted[place] = (int)predictor_decide(training->found.model, answer);
    memcpy(folded->probabilities + place * width, answer, width * sizeof(double));
}

static Folded find_folded(const Training *training)
{
    size_t row_count = training->rows.row_count, width = predictor_width(training->found.model);
    Arena *arena = training->arena;
    Folded folded = {
        .truth = arena_array(arena, int, row_count + 1),
        .predicted = arena_array(arena, int, row_count + 1),
        .probabilities = arena_array(arena, double, row_count *width + 1),
        .true_numbers = arena_array(arena, double, row_count + 1),
        .numbers = arena_array(arena, double, row_count + 1),
    };

    for (size_t row = 0; row < row_count; row++)
        if (!isnan(training->found.out_of_fold[row * width]))
            take_folded(training, row, &folded);
    return folded;
}

static bool report_folded(const Training *training, const Folded *folded, Report *report,
                          Error *error)
{
    if (training->task == TASK_REGRESSION)
        return report_make_numbers(folded->true_numbers, folded->numbers, folded->row_count, report,
                                   error);
    return report_make(folded->truth, folded->predicted, folded->probabilities, folded->row_count,
                       &training->rows.classes, predictor_positive(training->found.model),
                       training->arena, report, error);
}

static void write_cross_validated(JsonWriter *json, const Training *training)
{
    Folded folded;
    Report report;
    Error ignored = {0};

    if (!training->found.out_of_fold)
        return;
    folded = find_folded(training);
    if (report_folded(training, &folded, &report, &ignored))
        report_write_metrics(json, "cv", &report);
}

static void write_threshold(JsonWriter *json, const Training *training)
{
    double threshold = predictor_threshold(training->found.model);

    if (isnan(threshold))
        return;
    json_double(json, "threshold", threshold);
    json_text(json, "threshold_for", threshold_metric(&training->spec)->name);
}

static void write_result(JsonWriter *json, const Training *training)
{
    const LeaderboardRow *chosen = leaderboard_chosen(&training->found.leaderboard);

    json_int(json, "rows", (int64_t)training->rows.row_count);
    json_int(json, "left_out", (int64_t)training->rows.left_out_count);
    json_int(json, "unlabelled", (int64_t)training->unlabelled_count);
    json_int(json, "holdout_rows", (int64_t)training->bench.rows.row_count);
    write_excluded(json, training);
    json_texts(json, "notes", &training->guard.notes);
    json_text(json, "task", model_task_name(training->task));
    json_text(json, "metric", training->job.metric);
    json_text(json, "chosen", chosen ? chosen->name : NULL);
    json_text(json, "chosen_description", chosen ? chosen->description : NULL);
    json_bool(json, "below_baseline", chosen && (chosen->below_baseline || chosen->is_baseline));
    leaderboard_write_json(json, &training->found.leaderboard, training->task, true);
    leaderboard_write_trials(json, &training->found.leaderboard);
    write_cross_validated(json, training);
    write_threshold(json, training);
    report_write_metrics(json, "holdout", &training->report);
    report_write_json(json, "report", &training->report, &training->bench.rows.classes);
}

static void training_clear(Training *training)
{
    predictor_unload(&training->found.model);
}

bool train_step(const JsonValue *job, JsonWriter *result, Arena *arena, Error *error)
{
    CLEANUP(training_clear)
    Training training = {.finish = step_listen_for_finish(), .arena = arena, .error = error};

    if (step_job_is_forecast(job))
        return train_forecast(job, result, arena, error);
    if (!json_read_value(job, job_fields, &training.job, arena, error))
        return false;
    training.columns = dataset_columns_read(training.job.columns, arena);
    if (!find_target(&training) || !find_task(&training) || !read_rows(&training) ||
        !search(&training) || !judge_on_holdout(&training) || !write_package(&training))
        return false;
    note_draw(&training);
    write_result(result, &training);
    return true;
}
