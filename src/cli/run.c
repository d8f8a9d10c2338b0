/* run.c: slipway run ... */

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/forecast.h"

static const char *metric_text(Cli *cli, const JsonValue *metric)
{
    const JsonValue *value = json_member(metric, "value");

    if (json_is_text(value))
        return json_as_text(value, "");
    return cli_format(cli, "%.6g", json_as_double(value, NAN));
}

/* "f1=0.968", or NULL: it has none of that name. */
static const char *metric_named(Cli *cli, const JsonValue *metrics, const char *key)
{
    for (JsonWalk walk = json_walk(metrics); json_walk_next(&walk);)
        if (text_equal(json_as_text(json_member(walk.value, "key"), NULL), key))
            return cli_format(cli, "%s=%s", key, metric_text(cli, walk.value));
    return NULL;
}

/* "holdout.f1=0.968" for a training, which chose by f1, "f1=0.968" for a trial of it; else
 * "accuracy=0.968 f1=0.962 ...": the first three. */
static const char *metrics_text(Cli *cli, const JsonValue *run)
{
    const JsonValue *metrics = json_member(run, "metrics");
    const char *chosen_by = json_as_text(json_member(json_member(run, "params"), "metric"), "");
    const char *found = metric_named(cli, metrics, cli_format(cli, "holdout.%s", chosen_by));
    TextBuilder text = {.arena = cli->arena};

    if (!found)
        found = metric_named(cli, metrics, chosen_by);
    if (found)
        return found;
    for (JsonWalk walk = json_walk(metrics); json_walk_next(&walk) && walk.index < 3;)
        text_append_format(&text, "%s%s=%s", walk.index ? " " : "", cli_text(walk.value, "key"),
                           metric_text(cli, walk.value));
    if (json_count(metrics) > 3)
        text_append(&text, " ...");
    return text_built(&text);
}

static const CommandOption list_options[] = {
    {"--experiment", OPTION_INT, "ID", "only of this experiment"},
    {"--status", OPTION_TEXT, "STATUS", "RUNNING, SCHEDULED, FINISHED, FAILED or KILLED"},
    {"--name", OPTION_TEXT, "PART", "only those whose name contains this"},
    {"--parent", OPTION_TEXT, "RUN", "those below this run, as the trials of a training"},
    {"--order-by", OPTION_TEXT, "ORDER", "\"started_at desc\", or as \"metrics.f1 desc\""},
    {"--limit", OPTION_INT, "COUNT", "at most so many (20)"},
    {0},
};

static const char *list_path(Cli *cli)
{
    static const struct {
        const char *option, *parameter;
    } parts[] = {{"--experiment", "experiment_id"},
                 {"--status", "status"},
                 {"--name", "name"},
                 {"--parent", "parent"},
                 {"--order-by", "order_by"}};
    enum { LIMIT = 20 };
    TextBuilder path = {.arena = cli->arena};

    text_append_format(&path, "/api/v1/runs?limit=%lld",
                       (long long)cli_option_int(cli, "--limit", LIMIT));
    for (size_t i = 0; i < COUNT(parts); i++) {
        const char *value = cli_option(cli, parts[i].option);

        if (value)
            text_append_format(&path, "&%s=%s", parts[i].parameter, cli_encoded(cli, value));
    }
    return text_built(&path);
}

static bool list_runs(Cli *cli)
{
    enum { COLUMNS = 6 };
    static const char *const head[COLUMNS] = {"RUN",    "NAME",    "EXPERIMENT",
                                              "STATUS", "STARTED", "METRICS"};
    TextList cells = {0};
    ClientReply reply;

    if (!cli_get(cli, list_path(cli), &reply))
        return false;
    if (cli->json)
        return cli_print_json(cli, &reply);
    for (size_t i = 0; i < COLUMNS; i++)
        text_list_add(&cells, cli->arena, head[i]);
    for (JsonWalk walk = json_walk(json_member(reply.json, "runs")); json_walk_next(&walk);) {
        const JsonValue *run = walk.value;
        int64_t experiment = json_as_int(json_member(run, "experiment_id"), 0);

        text_list_add(&cells, cli->arena, cli_text(run, "id"));
        text_list_add(&cells, cli->arena, cli_text(run, "name"));
        text_list_add(&cells, cli->arena, cli_format(cli, "%lld", (long long)experiment));
        text_list_add(&cells, cli->arena, cli_text(run, "status"));
        text_list_add(&cells, cli->arena, cli_time(cli, json_member(run, "started_at")));
        text_list_add(&cells, cli->arena, metrics_text(cli, run));
    }
    cli_print_table(cells.items, COLUMNS, cells.count / COLUMNS, "llrlll");
    return true;
}

static void print_members(const char *title, const JsonValue *object)
{
    if (json_count(object))
        printf("\n%s\n", title);
    for (JsonWalk walk = json_walk(object); json_walk_next(&walk);)
        printf("  %-24s %s\n", walk.key, json_as_text(walk.value, ""));
}

static bool is_forecast(const JsonValue *run)
{
    return text_equal(json_as_text(json_member(json_member(run, "params"), "task"), NULL),
                      "forecast");
}

/* One of those that print_by_step() shows, all steps of them. */
static bool is_by_step(const char *key)
{
    return text_has_prefix(key, "holdout_step.") || text_has_prefix(key, "backtest_step.");
}

static void print_metrics(Cli *cli, const JsonValue *run)
{
    const JsonValue *metrics = json_member(run, "metrics");

    if (json_count(metrics))
        printf("\nmetrics\n");
    for (JsonWalk walk = json_walk(metrics); json_walk_next(&walk);) {
        const char *key = cli_text(walk.value, "key");

        if (is_forecast(run) && is_by_step(key))
            continue;
        printf("  %-24s %-12s step %lld\n", key, metric_text(cli, walk.value),
               (long long)json_as_int(json_member(walk.value, "step"), 0));
    }
}

static void print_run(Cli *cli, const JsonValue *run)
{
    const char *failure = json_as_text(json_member(run, "failure"), NULL);
    const char *trials =
        json_as_text(json_member(json_member(run, "tags"), "slipway.trials"), NULL);

    printf("run         %s%s\n", cli_text(run, "id"),
           json_as_bool(json_member(run, "is_deleted"), false) ? " (deleted)" : "");
    printf("name        %s\n", cli_text(run, "name"));
    printf("experiment  %lld\n", (long long)json_as_int(json_member(run, "experiment_id"), 0));
    printf("user        %s\n", cli_text(run, "user"));
    printf("status      %s\n", cli_text(run, "status"));
    printf("started     %s\n", cli_time(cli, json_member(run, "started_at")));
    printf("ended       %s\n", cli_time(cli, json_member(run, "ended_at")));
    if (trials)
        printf("trials      %s: slipway run list --parent %s\n", trials, cli_text(run, "id"));
    print_members("params", json_member(run, "params"));
    print_metrics(cli, run);
    print_members("tags", json_member(run, "tags"));
    if (failure)
        printf("\nfailure\n%s\n", failure);
}

/* Of a forecast that was trained here; a run without the file is shown without it. */
static void print_by_step(Cli *cli, const JsonValue *run)
{
    Error kept = cli->error;
    ClientReply reply;

    if (!is_forecast(run))
        return;
    if (cli_get(
            cli,
            cli_format(cli, "/api/v1/runs/%s/artifacts/file?path=report.json", cli_text(run, "id")),
            &reply))
        cli_print_steps(cli, reply.json);
    else
        cli->error = kept;
}

static bool show_run(Cli *cli)
{
    ClientReply reply;

    if (!cli_get(cli, cli_format(cli, "/api/v1/runs/%s", cli_encoded(cli, cli_argument(cli, 0))),
                 &reply))
        return false;
    if (cli->json)
        return cli_print_json(cli, &reply);
    print_run(cli, reply.json);
    print_by_step(cli, reply.json);
    return true;
}

const Command run_commands[] = {
    {"run list", NULL, list_runs, "List runs, newest first.",
     "slipway run list --experiment 1 --order-by \"metrics.f1 desc\"", list_options},
    {"run show", "RUN", show_run, "Show a run's params, metrics and tags.",
     "slipway run show 4f0c2a7d9b1e4c55a3d2f6b8e7091c3d"},
    {0},
};
