/* training_trials.c: the trials of a training's search as runs below its own: one for each row of
 * the leaderboard, with what the step says of it beside. */

#include <math.h>
#include <string.h>

#include "base/time.h"
#include "ml/trial_record.h"
#include "pipelines/training_internal.h"
#include "tracking/run_trial.h"

enum { NAME_BYTES = 120 };

/* A leaderboard under way. */
typedef struct Board {
    Arena *arena;
    const JsonValue *rows;
    const char *metric;         /* that the scores are of */
    const char *folds;          /* what they are called */
    int64_t started_at, now_ms; /* of the training */
} Board;

static const char *cut(const char *text, size_t limit, Arena *arena)
{
    return strlen(text) <= limit ? text : arena_copy(arena, text, text_cut(text, limit));
}

static const char *text_of(const JsonValue *object, const char *key)
{
    return json_as_text(json_member(object, key), "");
}

static bool is_true(const JsonValue *row, const char *key)
{
    return json_as_bool(json_member(row, key), false);
}

/* ---- what tells it apart ---- */

static bool is_only_one(const Board *board, const char *name)
{
    size_t count = 0;

    for (JsonWalk walk = json_walk(board->rows); json_walk_next(&walk);)
        count += strcmp(text_of(walk.value, "name"), name) == 0;
    return count == 1;
}

/* "theta"; where several have the name, "linear_svm C=0.3 ...". */
static const char *name_of(const Board *board, const JsonValue *row, const JsonValue *record)
{
    const char *name = text_of(row, "name");
    TextBuilder text = {.arena = board->arena};

    text_append(&text, *name ? name : "trial");
    if (!is_only_one(board, name))
        for (JsonWalk walk = json_walk(json_member(record, "params")); json_walk_next(&walk);)
            text_append_format(&text, " %s=%s", walk.key, json_as_text(walk.value, ""));
    return text_as_line(text_built(&text), text_cut(text_built(&text), NAME_BYTES), board->arena);
}

static void add(const Board *board, ParamList *list, const char *key, const char *value)
{
    if (*value)
        *arena_push(board->arena, list) =
            (Param){key, cut(value, PARAM_CHARACTERS_MAX, board->arena)};
}

static ParamList params_of(const Board *board, const JsonValue *row, const JsonValue *record)
{
    const JsonValue *params = json_member(record, "params");
    ParamList list = {0};

    if (json_is_null(json_member(params, "learner")))
        add(board, &list, "learner", text_of(row, "name"));
    for (JsonWalk walk = json_walk(params); json_walk_next(&walk);)
        add(board, &list, walk.key, json_as_text(walk.value, ""));
    add(board, &list, "description", text_of(row, "description"));
    add(board, &list, "metric", board->metric);
    return list;
}

/* ---- what became of it ---- */

static RunStatus status_of(const JsonValue *record)
{
    const char *end = text_of(record, "end");

    if (strcmp(end, trial_end_name(TRIAL_FINISHED)) == 0)
        return RUN_FINISHED;
    return strcmp(end, trial_end_name(TRIAL_FAILED)) == 0 ? RUN_FAILED : RUN_KILLED;
}

static ParamList tags_of(const Board *board, const JsonValue *row, const JsonValue *record)
{
    static const struct {
        const char *member, *tag;
    } marks[] = {
        {"chosen", "slipway.chosen"},
        {"is_baseline", "slipway.baseline"},
        {"below_baseline", "slipway.below_baseline"},
    };
    ParamList list = {0};

    add(board, &list, "slipway.trial", text_of(record, "end"));
    add(board, &list, "slipway.trial_note", text_of(row, "note"));
    for (size_t i = 0; i < COUNT(marks); i++)
        add(board, &list, marks[i].tag, is_true(row, marks[i].member) ? "true" : "");
    return list;
}

static void add_metric(const Board *board, RunTrial *trial, const char *key, const JsonValue *value)
{
    if (json_is_number(value))
        *arena_push(board->arena, &trial->metrics) =
            (Metric){.key = key, .value = json_as_double(value, NAN), .timestamp = trial->ended_at};
}

/* What is 0 was not measured. */
static void add_measure(const Board *board, RunTrial *trial, const char *key,
                        const JsonValue *value)
{
    if (json_as_double(value, 0) > 0)
        add_metric(board, trial, key, value);
}

static void add_metrics(const Board *board, RunTrial *trial, const JsonValue *row,
                        const JsonValue *record)
{
    static const char *const others[] = {"accuracy", "f1", "log_loss"};

    add_metric(board, trial, board->metric, json_member(row, "score"));
    add_metric(board, trial, arena_format(board->arena, "%s_deviation", board->metric),
               json_member(row, "score_deviation"));
    for (size_t i = 0; i < COUNT(others); i++)
        if (strcmp(others[i], board->metric) != 0)
            add_metric(board, trial, others[i], json_member(row, others[i]));
    add_measure(board, trial, "seconds", json_member(row, "seconds"));
    add_measure(board, trial, board->folds, json_member(record, "folds"));
}

/* The clock of the step may have been put right meanwhile. */
static int64_t time_within(int64_t time_ms, int64_t first_ms, int64_t last_ms)
{
    if (time_ms < first_ms)
        return first_ms;
    return time_ms < last_ms ? time_ms : last_ms;
}

static RunTrial trial_of(const Board *board, const JsonValue *row, const JsonValue *record)
{
    int64_t started_at = json_as_int(json_member(record, "started_at"), 0);
    int64_t ended_at = json_as_int(json_member(record, "ended_at"), 0);
    RunTrial trial = {
        .name = name_of(board, row, record),
        .status = status_of(record),
        .started_at = time_within(started_at, board->started_at, board->now_ms),
        .params = params_of(board, row, record),
        .tags = tags_of(board, row, record),
    };

    trial.ended_at =
        time_within(ended_at ? ended_at : board->now_ms, trial.started_at, board->now_ms);
    if (trial.status == RUN_FAILED)
        trial.failure = text_of(row, "note");
    add_metrics(board, &trial, row, record);
    return trial;
}

/* ---- all of them ---- */

size_t training_trial_count(const JsonValue *step)
{
    size_t count = json_count(json_member(step, "leaderboard"));
    size_t known = json_count(json_member(step, "trials")); /* none: the step is of an older one */

    count = count < known ? count : known;
    return count < RUN_TRIALS_MAX ? count : RUN_TRIALS_MAX;
}

bool training_keep_trials(Scope *scope, const TrainingResult *result)
{
    bool is_forecast = training_order_is_forecast(result->order);
    Board board = {.arena = scope->arena,
                   .rows = json_member(result->step, "leaderboard"),
                   .metric = is_forecast ? "mase" : result->order->metric,
                   .folds = is_forecast ? "windows" : "folds"};
    JsonWalk rows = json_walk(board.rows);
    JsonWalk records = json_walk(json_member(result->step, "trials"));
    size_t count = training_trial_count(result->step);
    RunTrialList trials = {0};
    Run run;

    if (!run_find(scope, result->order->run_id, &run))
        return false;
    board.started_at = run.started_at;
    board.now_ms = time_within(time_now_ms(), run.started_at, INT64_MAX);
    while (trials.count < count && json_walk_next(&rows) && json_walk_next(&records))
        *arena_push(scope->arena, &trials) = trial_of(&board, rows.value, records.value);
    return run_add_trials(scope, &run, &trials);
}
