/* training.c: the live leaderboard of a training, and its outcome. */

#include "cli/training.h"

#include <math.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"

enum {
    POLL_MS = 200,
    LEADERBOARD_ROWS_MAX = 15,
    DESCRIPTION_WIDTH = 49,
    NOTES_SHOWN_MAX = 20,
    NOTES_DRAWN_MAX = 5,   /* below the board, which must fit on the terminal */
    COLUMNS_SHOWN_MAX = 8, /* of a kind */
};

/* What stands on the terminal. */
typedef struct Board {
    Cli *cli;
    size_t line_count;
    int64_t done; /* of the folds that were drawn */
} Board;

static const char *row_note(const JsonValue *row)
{
    bool is_chosen = json_as_bool(json_member(row, "chosen"), false);
    bool is_below = json_as_bool(json_member(row, "below_baseline"), false);

    if (is_chosen)
        return is_below ? "chosen, below the baseline" : "chosen";
    if (json_as_bool(json_member(row, "is_baseline"), false))
        return "baseline";
    if (is_below)
        return "below the baseline";
    return json_as_text(json_member(row, "note"), "");
}

/* At most LEADERBOARD_ROWS_MAX rows; returns how many. */
static size_t draw_rows(Cli *cli, FILE *file, const JsonValue *rows)
{
    size_t shown = 0;

    for (JsonWalk walk = json_walk(rows); shown < LEADERBOARD_ROWS_MAX && json_walk_next(&walk);
         shown++) {
        const char *note = row_note(walk.value);

        fprintf(file, "  %-20s %8s  %-*s%s%s\n", json_as_text(json_member(walk.value, "name"), ""),
                cli_number(cli, json_as_double(json_member(walk.value, "score"), NAN), 4),
                *note ? DESCRIPTION_WIDTH : 0,
                json_as_text(json_member(walk.value, "description"), ""), *note ? "  " : "", note);
    }
    return shown;
}

/* A line each, and one for those beyond most; returns how many. */
static size_t draw_notes(FILE *file, const JsonValue *notes, size_t most)
{
    size_t count = json_count(notes), shown = 0;

    for (JsonWalk walk = json_walk(notes); shown < most && json_walk_next(&walk); shown++)
        fprintf(file, "note: %s\n", json_as_text(walk.value, ""));
    if (count == shown)
        return shown;
    fprintf(file, "note: and %zu more, in report.json of the run\n", count - shown);
    return shown + 1;
}

static void clear_board(Board *board)
{
    if (board->line_count)
        fprintf(stderr, "\033[%zuA\033[J", board->line_count);
    board->line_count = 0;
}

/* "3 of 12 series"; "25 of at most 75 folds", as some may be spared; "125 folds" where nobody knows
 * how many there will be. */
static const char *count_of(const Board *board, const JsonValue *progress)
{
    const char *unit = json_as_text(json_member(progress, "unit"), NULL);
    int64_t planned = json_as_int(json_member(progress, "planned"), 0);

    if (!planned)
        return cli_format(board->cli, "%lld folds", (long long)board->done);
    return cli_format(board->cli, "%lld of %s%lld %s", (long long)board->done,
                      unit ? "" : "at most ", (long long)planned, unit ? unit : "folds");
}

/* Lines wider than the terminal are cut, not wrapped: clear_board() counts them. */
static void draw_board(Board *board, const JsonValue *progress)
{
    int64_t done = json_as_int(json_member(progress, "done"), 0);

    if (done == board->done)
        return;
    cli_progress_end(board->cli);
    clear_board(board);
    board->done = done;
    fprintf(stderr, "\033[?7l%s, by %s\n", count_of(board, progress),
            json_as_text(json_member(progress, "metric"), ""));
    board->line_count = 1 + draw_rows(board->cli, stderr, json_member(progress, "leaderboard"));
    board->line_count += draw_notes(stderr, json_member(progress, "notes"), NOTES_DRAWN_MAX);
    fprintf(stderr, "\033[?7h");
    fflush(stderr);
}

static void print_count(Board *board, const JsonValue *progress)
{
    board->done = json_as_int(json_member(progress, "done"), 0);
    cli_progress(board->cli, "%s", count_of(board, progress));
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
    else if (json_is_null(progress) && !board->done)
        cli_progress(cli, "reading the data");
    else if (cli->is_terminal && !json_is_null(progress))
        draw_board(board, progress);
    else if (!json_is_null(progress))
        print_count(board, progress);
}

/* The outcome. */

static const char *param(const JsonValue *run, const char *key, const char *otherwise)
{
    return json_as_text(json_member(json_member(run, "params"), key), otherwise);
}

static const char *tag(const JsonValue *run, const char *key)
{
    return json_as_text(json_member(json_member(run, "tags"), key), NULL);
}

/* Metrics are a list of {"key", "value", ...}. */
static const JsonValue *metric_of(const JsonValue *run, const char *key)
{
    for (JsonWalk walk = json_walk(json_member(run, "metrics")); json_walk_next(&walk);)
        if (text_equal(json_as_text(json_member(walk.value, "key"), NULL), key))
            return json_member(walk.value, "value");
    return NULL;
}

static void print_metric(Cli *cli, const JsonValue *run, const char *name)
{
    const JsonValue *value = metric_of(run, cli_format(cli, "holdout.%s", name));

    if (json_is_number(value))
        printf("  %-18s %s\n", name, cli_number(cli, json_as_double(value, NAN), 4));
}

static bool is_forecast(const JsonValue *run)
{
    return text_equal(param(run, "task", ""), "forecast");
}

/* Why not the best score won, where it did not. */
static void print_reason(const JsonValue *rows)
{
    for (JsonWalk walk = json_walk(rows); json_walk_next(&walk);) {
        const char *note = json_as_text(json_member(walk.value, "note"), "");

        if (json_as_bool(json_member(walk.value, "chosen"), false) && *note)
            printf("%s\n", note);
    }
}

/* As what columns were learnt from: "9 number (age, campaign, ...), 1 left out (id)". */
static void print_columns(Cli *cli, const JsonValue *columns)
{
    static const char *const kinds[] = {"number", "category", "date",        "text",  "left out",
                                        "group",  "time",     "known_after", "ignore"};
    TextBuilder line = {.arena = cli->arena};

    for (size_t i = 0; i < COUNT(kinds); i++) {
        TextBuilder names = {.arena = cli->arena};
        size_t count = 0;

        for (JsonWalk walk = json_walk(columns); json_walk_next(&walk);)
            if (text_equal(cli_text(walk.value, "as"), kinds[i]) && ++count <= COLUMNS_SHOWN_MAX)
                text_append_format(&names, "%s%s", count > 1 ? ", " : "",
                                   cli_text(walk.value, "name"));
        if (count)
            text_append_format(&line, "%s%zu %s (%s%s)", line.count ? ", " : "", count, kinds[i],
                               text_built(&names), count > COLUMNS_SHOWN_MAX ? ", ..." : "");
    }
    if (line.count)
        printf("columns: %s\n", text_built(&line));
}

/* Of two classes: "yes" is named from probability 0.21 on: the best for f1, out of fold. */
static void print_decision(const JsonValue *decision)
{
    double threshold = json_as_double(json_member(decision, "threshold"), NAN);

    if (!isnan(threshold))
        printf("\"%s\" is named from probability %.4g on: %s\n", cli_text(decision, "positive"),
               threshold, cli_text(decision, "why"));
}

/* What was seen in the rows; a run that has no such report says it in its tag. */
static void print_notes(Cli *cli, const JsonValue *run)
{
    const char *path = cli_format(cli, "/api/v1/runs/%s/artifacts/file?path=model/report.json",
                                  json_as_text(json_member(run, "id"), ""));
    const char *notes = tag(run, "slipway.notes");
    ClientReply reply;
    Error kept = cli->error;

    if (cli_get(cli, path, &reply) && json_member(reply.json, "notes")) {
        print_decision(json_member(reply.json, "decision"));
        print_columns(cli, json_member(reply.json, "columns"));
        draw_notes(stdout, json_member(reply.json, "notes"), NOTES_SHOWN_MAX);
        return;
    }
    cli->error = kept;
    if (notes)
        printf("note: %s\n", notes);
}

/* What was tried, best first; a run that has no such file is shown without it. */
static void print_leaderboard(Cli *cli, const JsonValue *run)
{
    const char *path = cli_format(cli, "/api/v1/runs/%s/artifacts/file?path=leaderboard.json",
                                  json_as_text(json_member(run, "id"), ""));
    ClientReply reply;
    Error kept = cli->error;

    if (!cli_get(cli, path, &reply)) {
        cli->error = kept;
        return;
    }
    if (is_forecast(run))
        printf("tried, by mase in the back-tests:\n");
    else
        printf("tried, by %s over the folds of the training rows:\n", param(run, "metric", "f1"));
    draw_rows(cli, stdout, reply.json);
    print_reason(reply.json);
}

static void print_metrics(Cli *cli, const JsonValue *run)
{
    static const char *const shown[] = {
        "accuracy", "f1",   "auc", "mcc", "log_loss", "calibration_error", "mase",
        "smape",    "rmse", "mae", "r2",  "mape",     "coverage"};
    const char *metric = param(run, "metric", "f1");

    if (is_forecast(run))
        printf(
            "forecast of %s rows, judged on the last %s steps before it learnt from them, too:\n",
            param(run, "rows", "?"), param(run, "horizon", "?"));
    else
        printf("%s, learnt from %s rows, judged on the %s rows of the hold-out:\n",
               param(run, "task", "classification"), param(run, "rows", "?"),
               param(run, "holdout_rows", "?"));
    print_metric(cli, run, metric);
    for (size_t i = 0; i < COUNT(shown); i++)
        if (strcmp(shown[i], metric) != 0)
            print_metric(cli, run, shown[i]);
}

static const char *baseline_of(const JsonValue *run)
{
    if (is_forecast(run))
        return "the baselines";
    return text_equal(param(run, "task", ""), "regression") ? "always giving the mean"
                                                            : "always giving the commonest answer";
}

static void print_outcome(Cli *cli, const JsonValue *run)
{
    const char *excluded = tag(run, "slipway.excluded");
    const char *equal = tag(run, "slipway.rerun_equal");
    const char *unlabelled = param(run, "unlabelled", "0");

    print_leaderboard(cli, run);
    print_metrics(cli, run);
    if (excluded)
        printf("left out: %s\n", excluded);
    print_notes(cli, run);
    if (strcmp(unlabelled, "0") != 0)
        printf("left out: rows without a target: %s\n", unlabelled);
    if (tag(run, "slipway.below_baseline"))
        printf("warning: no candidate is better than %s\n", baseline_of(run));
    if (equal)
        printf("%s as run %s\n",
               strcmp(equal, "true") == 0 ? "the same metric" : "NOT the same metric",
               tag(run, "slipway.rerun_of"));
    printf("run %s finished", json_as_text(json_member(run, "id"), ""));
    if (tag(run, "slipway.model_version"))
        printf(": model version %s", tag(run, "slipway.model_version"));
    printf("\n");
}

static bool judge_outcome(Cli *cli, const JsonValue *run)
{
    const char *id = json_as_text(json_member(run, "id"), "");
    const char *status = json_as_text(json_member(run, "status"), "");
    const char *failure = json_as_text(json_member(run, "failure"), "no reason was given");

    if (strcmp(status, "FINISHED") == 0)
        return true;
    if (strcmp(status, "KILLED") == 0)
        return fail(&cli->error, ERROR_CONFLICT, "run %s was cancelled", id);
    return fail(&cli->error, ERROR_INTERNAL, "run %s failed: %.*s", id, (int)strcspn(failure, "\n"),
                failure);
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

static atomic_bool was_interrupted;

static void hear_interrupt(int number)
{
    (void)number;
    atomic_store(&was_interrupted, true);
}

/* The first interrupt ends the search, the second one the command. */
static void listen_for_interrupt(void)
{
    sigaction(SIGINT,
              &(struct sigaction){.sa_handler = hear_interrupt,
                                  .sa_flags = SA_RESTART | (int)SA_RESETHAND},
              NULL);
}

static void end_search(Cli *cli, const char *run_id)
{
    ClientReply reply;
    Error kept = cli->error;

    if (cli_send(cli, "POST", cli_format(cli, "/api/v1/runs/%s/stop", run_id), NULL, &reply))
        fprintf(stderr, "the search ends with the best so far; once more to leave\n");
    else
        fprintf(stderr, "%s; once more to leave\n", cli->error.message);
    cli->error = kept;
}

bool cli_follow_training(Cli *cli, const ClientReply *started)
{
    const char *run_id = json_as_text(json_member(started->json, "run_id"), "");
    const char *path = cli_format(cli, "/api/v1/runs/%s/progress", run_id);
    Board board = {.cli = cli};
    ClientReply reply;

    listen_for_interrupt();
    do {
        if (!cli_get(cli, path, &reply))
            return false;
        tell_progress(&board, reply.json);
        if (atomic_exchange(&was_interrupted, false))
            end_search(cli, run_id);
        time_sleep_ms(POLL_MS);
    } while (text_equal(json_as_text(json_member(reply.json, "status"), ""), "RUNNING"));
    clear_board(&board);
    cli_progress_end(cli);
    return show_outcome(cli, run_id);
}
