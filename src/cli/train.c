/* train.c: slipway train, evaluate, run rerun, run stop, run cancel */

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/process.h"
#include "cli/commands.h"
#include "cli/forecast.h"
#include "cli/project.h"
#include "cli/training.h"

enum { GIT_TIMEOUT_MS = 10000 };

/* The commit of the project's folder, with "-dirty" behind it when files have changed since; NULL
 * when it is no git checkout. */

static void take_line(void *context, const char *line)
{
    TextBuilder *output = context;

    if (!output->count)
        text_append(output, line);
}

static const char *code_commit(Cli *cli)
{
    const char *const arguments[] = {"/usr/bin/env", "git",      "-C",      cli_project_folder(cli),
                                     "describe",     "--always", "--dirty", "--abbrev=40",
                                     "--exclude=*",  NULL};
    TextBuilder output = {.arena = cli->arena};
    ProcessSpec spec = {
        .arguments = arguments,
        .timeout_ms = GIT_TIMEOUT_MS,
        .on_line = take_line,
        .context = &output,
    };
    ProcessResult result;
    Error ignored = {0};

    if (!process_run(&spec, cli->arena, &result, &ignored) || result.exit_code || !output.count)
        return NULL;
    return text_built(&output);
}

static const CommandOption train_options[] = {
    {"--dataset", OPTION_TEXT, "NAME[@N]",
     "the data set or a version of it; default: the "
     "project's own, the latest"},
    {"--task", OPTION_TEXT, "NAME",
     "classification, regression or forecast; default: regression of a number, and of an integer "
     "with more "
     "than 20 distinct values"},
    {"--horizon", OPTION_INT, "STEPS", "of a forecast: how many steps ahead it is judged by"},
    {"--metric", OPTION_TEXT, "NAME", "what candidates are compared by; default: the gate's"},
    {"--threshold-for", OPTION_TEXT, "METRIC",
     "of two classes: what the decision threshold is best for; default: --metric"},
    {"--budget", OPTION_NUMBER, "SECONDS",
     "the time for the search (60, or with --trials none); 0: none"},
    {"--trials", OPTION_INT, "NUMBER", "how many candidates are learnt at most, 1 to 64"},
    {"--threads", OPTION_INT, "NUMBER",
     "how many threads learn at most, 1 to 64; default: all cores but one"},
    {"--seed", OPTION_INT, "NUMBER", "42 if not given"},
    {"--model", OPTION_TEXT, "NAME", "the registered model; default: named as the project"},
    {"--balance", OPTION_FLAG, NULL, "weigh classes by one over their frequency"},
    {"--no-wait", OPTION_FLAG, NULL, "print the run's id and leave"},
    PROJECT_OPTIONS,
    {0},
};

static void write_text(JsonWriter *json, const char *key, const char *value)
{
    if (value)
        json_text(json, key, value);
}

static const char *train_body(Cli *cli)
{
    JsonWriter *json = json_writer_create(cli->arena);

    json_open_object(json, NULL);
    write_text(json, "data", cli_option(cli, "--dataset"));
    write_text(json, "task", cli_option(cli, "--task"));
    write_text(json, "metric", cli_option(cli, "--metric"));
    write_text(json, "threshold_for", cli_option(cli, "--threshold-for"));
    if (cli_has_option(cli, "--budget"))
        json_double(json, "budget_seconds", cli_option_number(cli, "--budget", 0));
    if (cli_has_option(cli, "--trials"))
        json_int(json, "trials", cli_option_int(cli, "--trials", 0));
    if (cli_has_option(cli, "--threads"))
        json_int(json, "threads", cli_option_int(cli, "--threads", 0));
    json_int(json, "seed", cli_option_int(cli, "--seed", 42));
    write_text(json, "model", cli_option(cli, "--model"));
    json_bool(json, "balance", cli_has_option(cli, "--balance"));
    if (cli_has_option(cli, "--horizon"))
        json_int(json, "horizon", cli_option_int(cli, "--horizon", 0));
    write_text(json, "code_commit", code_commit(cli));
    json_close(json);
    return json_finish(json);
}

static bool follow(Cli *cli, const ClientReply *started)
{
    if (!cli_has_option(cli, "--no-wait"))
        return cli_follow_training(cli, started);
    if (cli->json)
        return cli_print_json(cli, started);
    printf("%s\n", json_as_text(json_member(started->json, "run_id"), ""));
    return true;
}

static bool train(Cli *cli)
{
    const char *project;
    ClientReply reply;

    return cli_project(cli, &project) &&
           cli_send(cli, "POST",
                    cli_format(cli, "/api/v1/projects/%s/train", cli_encoded(cli, project)),
                    train_body(cli), &reply) &&
           follow(cli, &reply);
}

static const CommandOption rerun_options[] = {
    {"--no-wait", OPTION_FLAG, NULL, "print the run's id and leave"},
    {0},
};

static bool rerun(Cli *cli)
{
    const char *run = cli_encoded(cli, cli_argument(cli, 0));
    ClientReply reply;

    return cli_send(cli, "POST", cli_format(cli, "/api/v1/runs/%s/rerun", run), NULL, &reply) &&
           follow(cli, &reply);
}

static bool end_run(Cli *cli, const char *how, const char *said)
{
    const char *run = cli_encoded(cli, cli_argument(cli, 0));
    ClientReply reply;

    if (!cli_send(cli, "POST", cli_format(cli, "/api/v1/runs/%s/%s", run, how), NULL, &reply))
        return false;
    if (cli->json)
        return cli_print_json(cli, &reply);
    printf("run %s %s\n", cli_argument(cli, 0), said);
    return true;
}

static bool stop(Cli *cli)
{
    return end_run(cli, "stop", "ends with the best so far");
}

static bool cancel(Cli *cli)
{
    return end_run(cli, "cancel", "is being stopped");
}

/* Evaluating. */

static const CommandOption evaluate_options[] = {
    {"--model", OPTION_TEXT, "NAME", "the registered model; default: named as the project"},
    {"--version", OPTION_TEXT, "VERSION", "a number, latest (the default) or an alias"},
    {"--dataset", OPTION_TEXT, "NAME[@N]",
     "the rows to judge on; default: the frozen hold-out, of a forecast its data set"},
    {"--allow-training-rows", OPTION_FLAG, NULL,
     "judge on rows that the model has learnt from, too"},
    PROJECT_OPTIONS,
    {0},
};

static const char *evaluate_body(Cli *cli)
{
    JsonWriter *json = json_writer_create(cli->arena);

    json_open_object(json, NULL);
    write_text(json, "model", cli_option(cli, "--model"));
    write_text(json, "version", cli_option(cli, "--version"));
    write_text(json, "data", cli_option(cli, "--dataset"));
    json_bool(json, "allow_training_rows", cli_has_option(cli, "--allow-training-rows"));
    json_close(json);
    return json_finish(json);
}

static void print_evaluation(Cli *cli, const JsonValue *answer)
{
    int64_t seen = json_as_int(json_member(answer, "training_rows"), 0);

    printf("%s version %lld on %s: %lld rows\n", json_as_text(json_member(answer, "model"), ""),
           (long long)json_as_int(json_member(answer, "version"), 0),
           json_as_text(json_member(answer, "data"), ""),
           (long long)json_as_int(json_member(answer, "rows"), 0));
    if (seen)
        printf("TRAINING DATA: the model has learnt from %lld of these rows\n", (long long)seen);
    for (JsonWalk walk = json_walk(json_member(json_member(answer, "report"), "metrics"));
         json_walk_next(&walk);)
        printf("  %-18s %s\n", walk.key, cli_number(cli, json_as_double(walk.value, NAN), 4));
    cli_print_steps(cli, json_member(answer, "report"));
    for (JsonWalk walk = json_walk(json_member(answer, "notes")); json_walk_next(&walk);)
        printf("%s\n", json_as_text(walk.value, ""));
}

static bool evaluate(Cli *cli)
{
    const char *project;
    ClientReply reply;

    if (!cli_project(cli, &project) ||
        !cli_send(cli, "POST",
                  cli_format(cli, "/api/v1/projects/%s/evaluate", cli_encoded(cli, project)),
                  evaluate_body(cli), &reply))
        return false;
    if (cli->json)
        return cli_print_json(cli, &reply);
    print_evaluation(cli, reply.json);
    return true;
}

const Command train_commands[] = {
    {"train", NULL, train, "Train a model: search, judge on the hold-out, register a version.",
     "slipway train --budget 60", train_options},
    {"evaluate", NULL, evaluate, "Judge a model version on the hold-out or on a data set.",
     "slipway evaluate --dataset comments@2", evaluate_options},
    {"run rerun", "RUN", rerun, "Train again with what a run recorded, and compare.",
     "slipway run rerun 5f0c7d6e9f3b4c6f8f9a2b1c3d4e5f60", rerun_options},
    {"run stop", "RUN", stop, "End the search of a training now: the best so far is its model.",
     "slipway run stop 5f0c7d6e9f3b4c6f8f9a2b1c3d4e5f60"},
    {"run cancel", "RUN", cancel, "Stop a training and keep nothing of it.",
     "slipway run cancel 5f0c7d6e9f3b4c6f8f9a2b1c3d4e5f60"},
    {0},
};
