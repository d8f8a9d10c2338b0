/* training.h: from a data set to a registered model version: one tracked run.
 *
 * A training is asked for (training_start: quick, gives the run), then done by the trainer's thread
 * (training_run: slow): the version of the data, the frozen hold-out, the step "train" in a child
 * process, then in one write the run's metrics, its files, its end and the model version. Whatever
 * goes wrong ends the run as failed with the reason, and a failed run never has a version.
 *
 * A forecast has no frozen hold-out: it is judged on the last dates of the version that it is of.
 *
 * What a run logs:
 *     params    project, data, task, metric, budget_seconds, trials, threads, seed, balance,
 *               horizon, chosen, threshold, ...
 *     metrics   holdout.NAME and cv.NAME for each metric of the task: of the chosen model on the
 *               hold-out, and on the training rows by folds that did not see them
 *     tags      slipway.* and mlflow.source.git.commit
 *     children  each row of the leaderboard: tracking/run_trial.h
 *     files     leaderboard.json, report.json and the package below model/
 */
#pragma once

#include <stdatomic.h>

#include "access/scope.h"
#include "tracking/run.h"

struct Trainer;

typedef struct TrainingSpec {
    const char *project;
    const char *data;   /* "comments", "comments@3"; NULL: the project's only one, the latest */
    const char *task;   /* a name of ml/task.h; NULL: what the target is by itself */
    const char *metric; /* NULL: that of the project's gate, or the task's */
    const char *threshold_for; /* a metric; NULL: as ml/text_model.h's threshold_metric() */
    double budget_seconds;     /* NaN: 60, or with a limit of trials none */
    int64_t trials;            /* 1 to TRIALS_MAX; 0: no limit is given */
    int64_t threads;           /* 1 to PARALLEL_THREADS_MAX; 0: the same */
    int64_t seed;
    int64_t horizon;   /* of a forecast: steps; 0: none is given */
    const char *model; /* NULL: named as the project */
    bool balance;
    const char *code_commit; /* of the project's folder, as the client saw it; or NULL */
} TrainingSpec;

TrainingSpec training_spec_default(void);
extern const JsonField training_spec_fields[]; /* all but the project */

/* Makes the run and hands it to the trainer. Calls scope_write() itself. */
bool training_start(Scope *scope, struct Trainer *trainer, const TrainingSpec *spec,
                    Run *run) MUST_CHECK;

/* The same again: data version, task, metric, budget, seed and options as recorded. The new run
 * registers no version; it carries slipway.rerun_of, and at its end slipway.rerun_equal: whether
 * its metric on the hold-out is that of the first within 1e-9. */
bool training_start_again(Scope *scope, struct Trainer *trainer, const char *run_id,
                          Run *run) MUST_CHECK;

/* How a training under way is followed and stopped. */
typedef struct TrainingControl {
    const atomic_bool *cancelled;
    const atomic_bool *finish; /* the search ends, and the best so far wins */
    void (*on_progress)(void *context, const JsonValue *progress);
    void *context;
    const char **last_lines; /* set when the step died without giving a reason */
} TrainingControl;

/* Does the work of a run that was started. Always ends the run; false when it did not finish. */
bool training_run(Scope *scope, const char *run_id, const TrainingControl *control) MUST_CHECK;

/* Ends a run that was not, or not wholly, done: as killed when it was cancelled, else as failed. */
bool training_end(Scope *scope, const char *run_id, RunStatus status,
                  const char *reason) MUST_CHECK;

/* Ends every training that a stopped server left behind. */
bool training_recover(Scope *scope) MUST_CHECK;
