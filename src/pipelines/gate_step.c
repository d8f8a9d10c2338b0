/* gate_step.c: the step "gate": the numbers of a challenger, of the champion and of the baseline on
 * the frozen hold-out. It decides nothing (gate.c does); whatever it cannot make sure of is an
 * error, and every error of a gate is a refusal. */
#include <string.h>

#include "pipelines/gate.h"
#include "pipelines/gate_forecast.h"
#include "pipelines/judge.h"
#include "pipelines/step_job.h"
#include "pipelines/steps.h"
#include "pipelines/train_ids.h"
#include "registry/package.h"

typedef struct GateJob {
    const char *artifacts;
    const char *challenger, *champion; /* digests of packages; champion NULL: none serves */
    const char *holdout, *holdout_digest;
    const JsonValue *columns;
    const char *metric;
    bool may_choose_metric; /* nobody has named one: the usual one of the task */
    double level;
} GateJob;

static const JsonField job_fields[] = {
    {"artifacts", JSON_TEXT, offsetof(GateJob, artifacts), JSON_REQUIRED, NULL},
    {"challenger", JSON_TEXT, offsetof(GateJob, challenger), JSON_REQUIRED, NULL},
    {"champion", JSON_TEXT, offsetof(GateJob, champion), JSON_OPTIONAL, NULL},
    {"holdout", JSON_TEXT, offsetof(GateJob, holdout), JSON_REQUIRED, NULL},
    {"holdout_digest", JSON_TEXT, offsetof(GateJob, holdout_digest), JSON_REQUIRED, NULL},
    {"columns", JSON_ARRAY, offsetof(GateJob, columns), JSON_REQUIRED, NULL},
    {"metric", JSON_TEXT, offsetof(GateJob, metric), JSON_REQUIRED, NULL},
    {"may_choose_metric", JSON_BOOL, offsetof(GateJob, may_choose_metric), JSON_REQUIRED, NULL},
    {"level", JSON_NUMBER, offsetof(GateJob, level), JSON_REQUIRED, NULL},
    {0},
};

/* One of the two that are compared. */
typedef struct Contender {
    const char *role; /* "challenger" */
    Package package;
    TrainIds ids;
    Predictions predictions;
    Report report;
} Contender;

typedef struct Match {
    GateJob job;
    const MetricKind *metric;
    ArtifactStore *store;
    Contender contenders[2]; /* the challenger; the champion, if there is one */
    size_t count;
    Bench bench;
    Arena *arena;
    Error *error;
} Match;

static void match_clear(Match *match)
{
    for (size_t i = 0; i < match->count; i++)
        package_close(&match->contenders[i].package);
    step_store_close(&match->store);
}

static bool check_holdout(const Match *match)
{
    char digest[DIGEST_TEXT_SIZE];

    if (!digest_file(match->job.holdout, digest, match->error))
        return false;
    return strcmp(digest, match->job.holdout_digest) == 0 ||
           fail(match->error, ERROR_CONFLICT,
                "the frozen hold-out has other bytes than when it was frozen");
}

static bool open_contender(Match *match, const char *role, const char *package)
{
    Contender *contender = &match->contenders[match->count++];

    contender->role = role;
    return (package_open(match->store, package, match->arena, &contender->package, match->error) &&
            train_ids_read(match->store, package, match->arena, &contender->ids, match->error)) ||
           fail_in(match->error, "the %s cannot be read", role);
}

static bool open_contenders(Match *match)
{
    match->store = artifact_store_open(match->job.artifacts, match->error);
    return match->store && open_contender(match, "challenger", match->job.challenger) &&
           (!match->job.champion || open_contender(match, "champion", match->job.champion));
}

static RowsSpec holdout_rows(const Match *match)
{
    return (RowsSpec){
        .path = match->job.holdout,
        .columns = dataset_columns_read(match->job.columns, match->arena),
    };
}

static bool read_bench(Match *match)
{
    ModelSet models = {.count = match->count};
    RowsSpec spec = holdout_rows(match);

    for (size_t i = 0; i < match->count; i++)
        models.items[i] = match->contenders[i].package.model;
    return bench_read(&spec, &models, match->arena, &match->bench, match->error);
}

static bool judge_contender(Match *match, Contender *contender)
{
    RowsSpec spec = holdout_rows(match);
    size_t seen;

    spec.task = match->bench.task;
    if (!train_ids_count_in(&contender->ids, &spec, match->arena, &seen, match->error))
        return fail_in(match->error, "the %s cannot be judged", contender->role);
    if (seen)
        return fail(match->error, ERROR_CONFLICT,
                    "the %s has learnt from %zu of the %zu rows of the hold-out", contender->role,
                    seen, match->bench.rows.row_count);
    return (bench_predict(&match->bench, contender->package.model, match->arena,
                          &contender->predictions, match->error) &&
            bench_report(&match->bench, &contender->predictions, match->arena, &contender->report,
                         match->error)) ||
           fail_in(match->error, "the %s cannot be judged", contender->role);
}

static bool compare(Match *match, PairedInterval *interval)
{
    const Predictions *challenger = &match->contenders[0].predictions;
    const Predictions *champion = &match->contenders[1].predictions;
    const Rows *rows = &match->bench.rows;
    const NumberRivals rivals = {rows->targets,   champion->numbers, challenger->numbers,
                                 rows->row_count, match->metric,     match->job.level,
                                 GATE_RESAMPLES,  GATE_SEED};

    if (match->bench.task == TASK_REGRESSION)
        return paired_bootstrap_numbers(&rivals, interval, match->error);
    return paired_bootstrap(rows->labels, champion, challenger, rows->row_count, &rows->classes,
                            match->bench.positive, match->metric, match->job.level, GATE_RESAMPLES,
                            GATE_SEED, interval, match->error);
}

static bool write_numbers(Match *match, JsonWriter *result)
{
    Predictions always = bench_baseline(&match->bench, match->arena);
    PairedInterval interval;
    Report baseline;

    if (!bench_report(&match->bench, &always, match->arena, &baseline, match->error) ||
        (match->count > 1 && !compare(match, &interval)))
        return false;
    json_int(result, "rows", (int64_t)match->bench.rows.row_count);
    json_text(result, "metric", match->metric->name);
    json_double(result, "baseline", metric_value(match->metric, &baseline));
    for (size_t i = 0; i < match->count; i++)
        json_double(result, match->contenders[i].role,
                    metric_value(match->metric, &match->contenders[i].report));
    if (match->count > 1)
        paired_interval_write_json(result, "interval", &interval);
    json_open_object(result, "metrics");
    for (size_t i = 0; i < match->count; i++)
        report_write_metrics(result, match->contenders[i].role, &match->contenders[i].report);
    report_write_metrics(result, "baseline", &baseline);
    json_close(result);
    return true;
}

bool gate_step(const JsonValue *job, JsonWriter *result, Arena *arena, Error *error)
{
    CLEANUP(match_clear) Match match = {.arena = arena, .error = error};

    if (step_job_is_forecast(job))
        return gate_forecast(job, result, arena, error);
    if (!json_read_value(job, job_fields, &match.job, arena, error))
        return false;
    if (!check_holdout(&match) || !open_contenders(&match) || !read_bench(&match) ||
        !judge_find_metric(match.bench.task, match.job.may_choose_metric ? NULL : match.job.metric,
                           &match.metric, error))
        return false;
    for (size_t i = 0; i < match.count; i++)
        if (!judge_contender(&match, &match.contenders[i]))
            return false;
    return write_numbers(&match, result);
}
