/* training.c: the live leaderboard of a training, and its outcome. */

#include "cli/training.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"

enum { POLL_MS = 200, LEADERBOARD_ROWS_MAX = 15 };

/* What stands on the terminal. */
typedef struct Board {
    Cli *cli;
    size_t line_count;
    int64_t done; /* of the folds that were drawn */
} Board;

static const char *row_note(const JsonValue *row)
{
    if (json_as_bool(json_member(row, "chosen"), false))
        return "chosen";
    if (json_as_bool(json_member(row, "is_baseline"), false))
        return "baseline";
    if (json_as_bool(json_member(row, "below_baseline"), false))
        return "below the baseline";
    return json_as_text(json_member(row, "note"), "");
}

static void draw_row(Board *board, const JsonValue *row)
{
    fprintf(stderr, "  %-16s %8s  %-44s %s\n", json_as_text(json_member(row, "name"), ""),
            cli_number(board->cli, json_as_double(json_member(row, "score"), NAN), 4),
            json_as_text(json_member(row, "description"), ""), row_note(row));
    board->line_count++;
}

static void draw_board(Board *board, const JsonValue *progress)
{
    int64_t done = json_as_int(json_member(progress, "done"), 0);
    int64_t planned = json_as_int(json_member(progress, "planned"), 0);
    size_t shown = 0;

    if (done == board->done)
        return;
    if (board->line_count)
        fprintf(stderr, "\033[%zuA\033[J", board->line_count);
    board->done = done;
    board->line_count = 1;
    fprintf(stderr, "%lld of %lld folds, by %s\n", (long long)done, (long long)planned,
            json_as_text(json_member(progress, "metric"), ""));
    for (JsonWalk walk = json_walk(json_member(progress, "leaderboard"));
         json_walk_next(&walk) && shown < LEADERBOARD_ROWS_MAX; shown++)
        draw_row(board, walk.value);
    fflush(stderr);
}

static void tell_progress(Board *board, const JsonValue *answer)
{
    const JsonValue *progress = json_member(answer, "progress");
    Cli *cli = board->cli;

    if (cli->json)
        return;
    if (json_as_bool(json_member(answer, "is_waiting"), false))
        cli_progress(cli, "waits for %lld other trainings",
                     (long long)json_as_int(json_member(answer, "ahead"), 0));
    else if (json_is_null(progress))
        cli_progress(cli, "reading the data");
    else if (cli->is_terminal)
        draw_board(board, progress);
    else
        cli_progress(cli, "%lld of %lld folds",
                     (long long)json_as_int(json_member(progress, "done"), 0),
                     (long long)json_as_int(json_member(progress, "planned"), 0));
}

/* The outcome. */

static const char *entry(const JsonValue *run, const char *list, const char *key,
                         const char *otherwise)
{
    return json_as_text(json_member(json_member(run, list), key), otherwise);
}

/* Metrics are a list of {"key", "value", ...}. */
static double metric_value(const JsonValue *run, const char *key)
{
    for (JsonWalk walk = json_walk(json_member(run, "metrics")); json_walk_next(&walk);)
        if (text_equal(json_as_text(json_member(walk.value, "key"), NULL), key))
            return json_as_double(json_member(walk.value, "value"), NAN);
    return NAN;
}

static void print_metric(Cli *cli, const JsonValue *run, const char *name)
{
    double value = metric_value(run, cli_format(cli, "holdout.%s", name));

    if (!isnan(value))
        printf("  %-12s %s\n", name, cli_number(cli, value, 4));
}

static void print_outcome(Cli *cli, const JsonValue *run)
{
    static const char *const shown[] = {"accuracy", "f1", "auc", "mcc", "log_loss"};
    const char *metric = entry(run, "params", "metric", "f1");
    const char *version = entry(run, "tags", "slipway.model_version", NULL);
    const char *excluded = entry(run, "tags", "slipway.excluded", NULL);
    const char *equal = entry(run, "tags", "slipway.rerun_equal", NULL);

    printf("run %s finished\n", json_as_text(json_member(run, "id"), ""));
    printf("chosen: %s, %s\n", entry(run, "params", "chosen", ""),
           entry(run, "params", "chosen_description", ""));
    printf("learnt from %s rows, judged on the %s rows of the hold-out:\n",
           entry(run, "params", "rows", "?"), entry(run, "params", "holdout_rows", "?"));
    print_metric(cli, run, metric);
    for (size_t i = 0; i < COUNT(shown); i++)
        if (strcmp(shown[i], metric) != 0)
            print_metric(cli, run, shown[i]);
    if (excluded)
        printf("left out: %s\n", excluded);
    if (entry(run, "tags", "slipway.below_baseline", NULL))
        printf("warning: no candidate is better than always giving the commonest answer\n");
    if (equal)
        printf("%s as run %s\n", strcmp(equal, "true") == 0 ? "the same metric" : "NOT the same",
               entry(run, "tags", "slipway.rerun_of", ""));
    if (version)
        printf("model version: %s\n", version);
}

static bool judge_outcome(Cli *cli, const JsonValue *run)
{
    const char *id = json_as_text(json_member(run, "id"), "");
    const char *status = json_as_text(json_member(run, "status"), "");

    if (strcmp(status, "FINISHED") == 0)
        return true;
    if (strcmp(status, "KILLED") == 0)
        return fail(&cli->error, ERROR_CONFLICT, "run %s was cancelled", id);
    return fail(&cli->error, ERROR_INTERNAL, "run %s failed: %s", id,
                json_as_text(json_member(run, "failure"), "no reason was given"));
}

static bool show_outcome(Cli *cli, const char *run_id)
{
    const JsonValue *run;
    ClientReply reply;

    if (!cli_get(cli, cli_format(cli, "/api/v1/runs/%s", run_id), &reply))
        return false;
    run = json_member(reply.json, "run") ? json_member(reply.json, "run") : reply.json;
    if (cli->json)
        cli_print_json(cli, &reply);
    else if (judge_outcome(cli, run))
        print_outcome(cli, run);
    return judge_outcome(cli, run);
}

bool cli_follow_training(Cli *cli, const ClientReply *started)
{
    const char *run_id = json_as_text(json_member(started->json, "run_id"), "");
    const char *path = cli_format(cli, "/api/v1/runs/%s/progress", run_id);
    Board board = {.cli = cli};
    ClientReply reply;

    do {
        if (!cli_get(cli, path, &reply))
            return false;
        tell_progress(&board, reply.json);
        time_sleep_ms(POLL_MS);
    } while (text_equal(json_as_text(json_member(reply.json, "status"), ""), "RUNNING"));
    cli_progress_end(cli);
    return show_outcome(cli, run_id);
}
