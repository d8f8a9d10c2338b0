/* pipeline.c: slipway pipeline run, list, show, log, why, cancel */

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/time.h"
#include "cli/commands.h"
#include "cli/data_show.h"
#include "cli/pipeline_follow.h"
#include "cli/pipeline_order.h"

/* ---- which run ---- */

bool cli_find_pipeline(Cli *cli, const char *text, ClientReply *reply, const JsonValue **run)
{
    const char *hash = strchr(text, '#');
    bool is_id = strlen(text) == 32 && strspn(text, "0123456789abcdef") == 32;

    if (is_id || hash) {
        const char *path =
            is_id
                ? cli_format(cli, "/api/v1/pipeline-runs/%s", text)
                : cli_format(cli, "/api/v1/pipelines/%s/runs/%s",
                             cli_encoded(cli, arena_copy(cli->arena, text, (size_t)(hash - text))),
                             cli_encoded(cli, hash + 1));

        if (!cli_get(cli, path, reply))
            return false;
        *run = reply->json;
        return true;
    }
    if (!cli_get(cli, cli_format(cli, "/api/v1/pipelines/%s/runs?limit=1", cli_encoded(cli, text)),
                 reply))
        return false;
    for (JsonWalk walk = json_walk(json_member(reply->json, "pipeline_runs"));
         json_walk_next(&walk);) {
        *run = walk.value;
        return true;
    }
    return fail(&cli->error, ERROR_NOT_FOUND, "project \"%.128s\" has no pipeline run", text);
}

static const char *run_id(const JsonValue *run)
{
    return json_as_text(json_member(run, "id"), "");
}

/* ---- run ---- */

static const CommandOption run_options[] = {
    {"--param", OPTION_LIST, "NAME=VALUE", "a value of one of the file's params"},
    {"--file", OPTION_TEXT, "PATH", "in the folder; default: slipway.yaml, else dvc.yaml"},
    {"--project", OPTION_TEXT, "NAME", "where the file names none (dvc.yaml)"},
    {"--force", OPTION_FLAG, NULL, "take nothing from the cache"},
    {"--key", OPTION_TEXT, "TEXT", "what it is for: a second run of the same key is the first one"},
    {"--no-wait", OPTION_FLAG, NULL, "print the run's id and leave"},
    FOLLOW_UNTIL_APPROVAL,
    {0},
};

static bool run_pipeline(Cli *cli)
{
    const char *folder = cli_argument(cli, 0) ? cli_argument(cli, 0) : ".";
    const char *body;
    ClientReply reply;

    if (!folder_exists(folder))
        return fail(&cli->error, ERROR_NOT_FOUND, "\"%s\" is not a folder", folder);
    if (!cli_order_body(cli, folder, &body) ||
        !cli_send(cli, "POST", "/api/v1/pipeline-runs", body, &reply))
        return false;
    if (!cli_has_option(cli, "--no-wait"))
        return cli_follow_pipeline(cli, reply.json);
    if (cli->json)
        return cli_print_json(cli, &reply);
    printf("%s\n", run_id(reply.json));
    return true;
}

/* ---- follow ---- */

enum { COMMIT_WAIT_MS = 60 * 1000, COMMIT_POLL_MS = 200, COMMIT_LETTERS_MIN = 7 };

static const CommandOption follow_options[] = {
    {"--commit", OPTION_TEXT, "COMMIT",
     "the project's run of this commit, for which it waits a minute"},
    FOLLOW_UNTIL_APPROVAL,
    {0},
};

/* The newest run of the commit; *run is NULL while there is none. */
static bool look_for_commit(Cli *cli, const char *commit, ClientReply *reply, const JsonValue **run)
{
    *run = NULL;
    if (!cli_get(
            cli,
            cli_format(cli, "/api/v1/pipelines/%s/runs", cli_encoded(cli, cli_argument(cli, 0))),
            reply))
        return false;
    for (JsonWalk walk = json_walk(json_member(reply->json, "pipeline_runs"));
         !*run && json_walk_next(&walk);)
        if (text_has_prefix(
                json_as_text(json_member(json_member(walk.value, "origin"), "commit"), ""), commit))
            *run = walk.value;
    return true;
}

/* A push is answered before its run is there. */
static bool wait_for_commit(Cli *cli, const char *commit, ClientReply *reply, const JsonValue **run)
{
    int64_t end_us = time_monotonic_us() + (int64_t)COMMIT_WAIT_MS * 1000;

    if (strlen(commit) < COMMIT_LETTERS_MIN)
        return fail(&cli->error, ERROR_INVALID, "--commit has at least %d digits of a commit",
                    COMMIT_LETTERS_MIN);
    for (;;) {
        if (!look_for_commit(cli, commit, reply, run))
            return false;
        if (*run)
            return true;
        if (time_monotonic_us() >= end_us)
            return fail(&cli->error, ERROR_NOT_FOUND,
                        "project \"%s\" has no run of commit %s: slipway hook show %s says why",
                        cli_argument(cli, 0), commit, cli_argument(cli, 0));
        time_sleep_ms(COMMIT_POLL_MS);
    }
}

static bool follow_run(Cli *cli)
{
    const char *commit = cli_option(cli, "--commit");
    const JsonValue *run;
    ClientReply reply;

    if (!(commit ? wait_for_commit(cli, commit, &reply, &run)
                 : cli_find_pipeline(cli, cli_argument(cli, 0), &reply, &run)))
        return false;
    return cli_follow_pipeline(cli, run);
}

/* ---- list, show ---- */

static const char *name_of(Cli *cli, const JsonValue *run)
{
    return cli_format(cli, "%s#%lld", json_as_text(json_member(run, "project"), ""),
                      (long long)json_as_int(json_member(run, "number"), 0));
}

static bool list_runs(Cli *cli)
{
    const char *project = cli_argument(cli, 0);
    const char *path = project
                           ? cli_format(cli, "/api/v1/pipelines/%s/runs", cli_encoded(cli, project))
                           : "/api/v1/pipeline-runs";
    TextList cells = {0};
    ClientReply reply;

    if (!cli_get(cli, path, &reply))
        return false;
    if (cli->json)
        return cli_print_json(cli, &reply);
    for (size_t i = 0; i < 5; i++)
        text_list_add(&cells, cli->arena,
                      (const char *[]){"run", "status", "trigger", "started", "ended"}[i]);
    for (JsonWalk walk = json_walk(json_member(reply.json, "pipeline_runs"));
         json_walk_next(&walk);) {
        const JsonValue *origin = json_member(walk.value, "origin");

        text_list_add(&cells, cli->arena, name_of(cli, walk.value));
        text_list_add(&cells, cli->arena, json_as_text(json_member(walk.value, "status"), ""));
        text_list_add(&cells, cli->arena,
                      json_is_text(json_member(walk.value, "reproduces"))
                          ? "reproduce"
                          : json_as_text(json_member(origin, "trigger"), "-"));
        text_list_add(&cells, cli->arena, cli_time(cli, json_member(walk.value, "started_at")));
        text_list_add(&cells, cli->arena, cli_time(cli, json_member(walk.value, "ended_at")));
    }
    cli_print_table(cells.items, 5, cells.count / 5, "lllll");
    return true;
}

static bool show_run(Cli *cli)
{
    const JsonValue *run;
    ClientReply reply;

    if (!cli_find_pipeline(cli, cli_argument(cli, 0), &reply, &run))
        return false;
    return cli_print_pipeline(cli, run);
}

/* ---- a step ---- */

static bool step_path(Cli *cli, const char *what, const char **path)
{
    const JsonValue *run;
    ClientReply reply;

    if (!cli_find_pipeline(cli, cli_argument(cli, 0), &reply, &run))
        return false;
    *path = cli_format(cli, "/api/v1/pipeline-runs/%s/steps/%s/%s", run_id(run),
                       cli_encoded(cli, cli_argument(cli, 1)), what);
    return true;
}

static bool show_log(Cli *cli)
{
    int64_t attempt = cli_option_int(cli, "--attempt", 0), offset = 0;
    const char *path;
    ClientReply reply;

    if (!step_path(cli, "log", &path))
        return false;
    do {
        const char *query = attempt ? cli_format(cli, "&attempt=%lld", (long long)attempt) : "";

        if (!cli_get(cli, cli_format(cli, "%s?offset=%lld%s", path, (long long)offset, query),
                     &reply))
            return false;
        if (cli->json)
            return cli_print_json(cli, &reply);
        fputs(json_as_text(json_member(reply.json, "text"), ""), stdout);
        offset = json_as_int(json_member(reply.json, "next_offset"), offset);
    } while (*json_as_text(json_member(reply.json, "text"), ""));
    return true;
}

static bool show_why(Cli *cli)
{
    const char *path;
    ClientReply reply;

    if (!step_path(cli, "why", &path) || !cli_get(cli, path, &reply))
        return false;
    if (cli->json)
        return cli_print_json(cli, &reply);
    printf("%s: %s: %s\n", cli_argument(cli, 1),
           json_as_text(json_member(reply.json, "decision"), ""),
           json_as_text(json_member(reply.json, "reason"), ""));
    data_print_violations(json_member(json_member(reply.json, "result"), "expect"));
    return true;
}

static bool cancel_run(Cli *cli)
{
    const JsonValue *run;
    ClientReply reply;

    if (!cli_find_pipeline(cli, cli_argument(cli, 0), &reply, &run) ||
        !cli_send(cli, "POST", cli_format(cli, "/api/v1/pipeline-runs/%s/cancel", run_id(run)),
                  NULL, &reply))
        return false;
    if (cli->json)
        return cli_print_json(cli, &reply);
    printf("%s is being stopped\n", name_of(cli, reply.json));
    return true;
}

static const CommandOption log_options[] = {
    {"--attempt", OPTION_INT, "N", "the last one if not given"},
    {0},
};

const Command pipeline_commands[] = {
    {"pipeline run", "[FOLDER]", run_pipeline,
     "Run the pipeline of a project's folder; the exit code is 0 only when it succeeded.",
     "slipway pipeline run --param rows=1000", run_options},
    {"pipeline follow", "RUN", follow_run,
     "Print what the steps of a run print, until it has ended; the exit code is 0 only when it "
     "succeeded.",
     "slipway pipeline follow spam --commit 3f2a91c", follow_options},
    {"pipeline list", "[PROJECT]", list_runs, "List runs of pipelines, the newest first.",
     "slipway pipeline list spam"},
    {"pipeline show", "RUN", show_run,
     "Show a run and its steps: of a project the newest, or its number, or an id.",
     "slipway pipeline show spam#12"},
    {"pipeline log", "RUN STEP", show_log, "Print what a step printed, also while it runs.",
     "slipway pipeline log spam train", log_options},
    {"pipeline why", "RUN STEP", show_why, "Say why a step ran, or why it did not have to.",
     "slipway pipeline why spam train"},
    {"pipeline cancel", "RUN", cancel_run, "End a run and all that it has started.",
     "slipway pipeline cancel spam"},
    {0},
};
