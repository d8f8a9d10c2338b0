/* reproduce.c: slipway reproduce RUN: of a pipeline, or a training. */

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "cli/commands.h"
#include "cli/pipeline_follow.h"
#include "cli/training.h"

enum { POLL_MS = 200 };

/* ---- a run of a pipeline ---- */

static const char *run_name(Cli *cli, const JsonValue *run)
{
    return cli_format(cli, "%s#%lld", json_as_text(json_member(run, "project"), ""),
                      (long long)json_as_int(json_member(run, "number"), 0));
}

/* What differs, or the note, of a step. */
static const char *remark(Cli *cli, const JsonValue *step)
{
    TextBuilder text = {.arena = cli->arena};
    const char *note = json_as_text(json_member(step, "note"), NULL);

    for (JsonWalk walk = json_walk(json_member(step, "differences")); json_walk_next(&walk);)
        text_append_format(&text, "%s%s", text.count ? "; " : "", json_as_text(walk.value, ""));
    if (note)
        text_append_format(&text, "%s%s", text.count ? " (" : "", note);
    if (note && text.count > strlen(note))
        text_append(&text, ")");
    return text_built(&text);
}

static void print_steps(Cli *cli, const JsonValue *reproduction)
{
    static const char *const head[] = {"step", "outcome", "what"};
    TextList cells = {0};

    for (size_t i = 0; i < COUNT(head); i++)
        text_list_add(&cells, cli->arena, head[i]);
    for (JsonWalk walk = json_walk(json_member(reproduction, "steps")); json_walk_next(&walk);) {
        text_list_add(&cells, cli->arena, cli_text(walk.value, "step"));
        text_list_add(&cells, cli->arena, cli_text(walk.value, "verdict"));
        text_list_add(&cells, cli->arena, remark(cli, walk.value));
    }
    cli_print_table(cells.items, COUNT(head), cells.count / COUNT(head), "lll");
}

static const char *first_difference(Cli *cli, const JsonValue *reproduction)
{
    for (JsonWalk walk = json_walk(json_member(reproduction, "steps")); json_walk_next(&walk);)
        if (strcmp(cli_text(walk.value, "verdict"), "differs") == 0)
            return cli_format(cli, "step \"%s\": %s", cli_text(walk.value, "step"),
                              remark(cli, walk.value));
    return "";
}

static bool judge(Cli *cli, const JsonValue *reproduction)
{
    const char *run = cli_text(reproduction, "run"), *of = cli_text(reproduction, "of");

    if (strcmp(cli_text(reproduction, "verdict"), "same") != 0)
        return fail(&cli->error, ERROR_DIFFERS, "%s did not come to the same as %s: %s", run, of,
                    first_difference(cli, reproduction));
    if (!cli->json)
        printf("%s came to the same as %s\n", run, of);
    return true;
}

/* Until it has ended; that it failed is a difference, which the comparison names. */
static bool follow(Cli *cli, const JsonValue *run)
{
    const char *path = cli_format(cli, "/api/v1/pipeline-runs/%s", cli_text(run, "id"));
    ClientReply reply;

    if (!cli->json) {
        if (cli_follow_pipeline(cli, run))
            return true;
        if (cli->error.kind != ERROR_CONFLICT)
            return false;
        cli->error = (Error){0};
        return true;
    }
    for (;;) {
        if (!cli_get(cli, path, &reply))
            return false;
        if (!json_is_null(json_member(reply.json, "ended_at")))
            return true;
        time_sleep_ms(POLL_MS);
    }
}

static bool reproduce_pipeline(Cli *cli, const JsonValue *first)
{
    const char *path = cli_format(cli, "/api/v1/pipeline-runs/%s/reproduce", cli_text(first, "id"));
    ClientReply started, reply;

    if (!cli_send(cli, "POST", path, NULL, &started))
        return false;
    if (cli_has_option(cli, "--no-wait")) {
        if (cli->json)
            return cli_print_json(cli, &started);
        printf("%s\n", cli_text(started.json, "id"));
        return true;
    }
    if (!cli->json)
        printf("%s does %s again\n", run_name(cli, started.json), run_name(cli, first));
    if (!follow(cli, started.json) ||
        !cli_get(
            cli,
            cli_format(cli, "/api/v1/pipeline-runs/%s/reproduction", cli_text(started.json, "id")),
            &reply))
        return false;
    if (cli->json)
        cli_print_json(cli, &reply);
    else
        print_steps(cli, reply.json);
    return judge(cli, reply.json);
}

/* ---- a training ---- */

static bool get_run(Cli *cli, const char *id, const JsonValue **run)
{
    ClientReply reply;

    if (!cli_get(cli, cli_format(cli, "/api/v1/runs/%s", cli_encoded(cli, id)), &reply))
        return false;
    *run = json_member(reply.json, "run") ? json_member(reply.json, "run") : reply.json;
    return true;
}

static double metric_of(const JsonValue *run, const char *key)
{
    for (JsonWalk walk = json_walk(json_member(run, "metrics")); json_walk_next(&walk);)
        if (strcmp(cli_text(walk.value, "key"), key) == 0)
            return json_as_double(json_member(walk.value, "value"), NAN);
    return NAN;
}

static const char *package_of(const JsonValue *run)
{
    return cli_text(json_member(run, "tags"), "slipway.package");
}

static void add_row(Cli *cli, TextList *cells, const char *what, const char *was, const char *is)
{
    text_list_add(cells, cli->arena, what);
    text_list_add(cells, cli->arena, was);
    text_list_add(cells, cli->arena, is);
    text_list_add(cells, cli->arena, strcmp(was, is) == 0 ? "same" : "differs");
}

/* The metrics of the hold-out and of the folds, with all their digits, and the package. */
static void compare_runs(Cli *cli, const JsonValue *first, const JsonValue *again, TextList *cells)
{
    for (JsonWalk walk = json_walk(json_member(first, "metrics")); json_walk_next(&walk);) {
        const char *key = cli_text(walk.value, "key");

        if (!text_has_prefix(key, "holdout.") && !text_has_prefix(key, "cv."))
            continue;
        add_row(cli, cells, key, cli_format(cli, "%.17g", metric_of(first, key)),
                cli_format(cli, "%.17g", metric_of(again, key)));
    }
    add_row(cli, cells, "package", cli_format(cli, "%.12s", package_of(first)),
            cli_format(cli, "%.12s", package_of(again)));
}

static bool judge_training(Cli *cli, const TextList *cells, const char *id)
{
    TextBuilder differing = {.arena = cli->arena};

    for (size_t i = 4; i < cells->count; i += 4)
        if (strcmp(cells->items[i + 3], "differs") == 0)
            text_append_format(&differing, "%s%s", differing.count ? ", " : "", cells->items[i]);
    if (differing.count)
        return fail(&cli->error, ERROR_DIFFERS, "run %s does not come to the same again: %s", id,
                    text_built(&differing));
    if (!cli->json)
        printf("run %s comes to the same again, byte for byte\n", id);
    return true;
}

static bool reproduce_training(Cli *cli, const char *id)
{
    const JsonValue *first, *again;
    TextList cells = {0};
    ClientReply started;

    if (!get_run(cli, id, &first) ||
        !cli_send(cli, "POST", cli_format(cli, "/api/v1/runs/%s/rerun", cli_encoded(cli, id)), NULL,
                  &started))
        return false;
    if (cli_has_option(cli, "--no-wait")) {
        printf("%s\n", cli_text(started.json, "run_id"));
        return true;
    }
    if (!cli_follow_training(cli, &started) ||
        !get_run(cli, cli_text(started.json, "run_id"), &again))
        return false;
    for (size_t i = 0; i < 4; i++)
        text_list_add(&cells, cli->arena,
                      (const char *[]){"what", "before", "again", "outcome"}[i]);
    compare_runs(cli, first, again, &cells);
    if (!cli->json)
        cli_print_table(cells.items, 4, cells.count / 4, "llll");
    return judge_training(cli, &cells, id);
}

/* ---- either ---- */

static bool reproduce(Cli *cli)
{
    const char *name = cli_argument(cli, 0);
    const JsonValue *run;
    ClientReply reply;

    if (cli_find_pipeline(cli, name, &reply, &run))
        return reproduce_pipeline(cli, run);
    if (cli->error.kind != ERROR_NOT_FOUND || strlen(name) != 32 || strchr(name, '#'))
        return false;
    cli->error = (Error){0};
    return reproduce_training(cli, name);
}

static const CommandOption reproduce_options[] = {
    {"--no-wait", OPTION_FLAG, NULL, "print the new run's id and leave"},
    {0},
};

const Command reproduce_commands[] = {
    {"reproduce", "RUN", reproduce,
     "Do a run again from what it recorded, and say whether the same comes out; exit code 7 if "
     "not.",
     "slipway reproduce spam#12", reproduce_options},
    {0},
};
