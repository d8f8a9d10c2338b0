/* trigger.c: slipway pipeline start, backfill, slipway schedule list */

#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/pipeline_follow.h"
#include "cli/pipeline_order.h"

static const CommandOption start_options[] = {
    {"--param", OPTION_LIST, "NAME=VALUE", "a value of one of the file's params"},
    {"--force", OPTION_FLAG, NULL, "take nothing from the cache"},
    {"--key", OPTION_TEXT, "TEXT", "what it is for: a second run of the same key is the first one"},
    {"--no-wait", OPTION_FLAG, NULL, "print the run's id and leave"},
    FOLLOW_UNTIL_APPROVAL,
    {0},
};

static bool start_pipeline(Cli *cli)
{
    JsonWriter *json = json_writer_create(cli->arena);
    ClientReply reply;

    json_open_object(json, NULL);
    json_text(json, "key", cli_option(cli, "--key"));
    json_bool(json, "force", cli_has_option(cli, "--force"));
    if (!cli_write_params(cli, json))
        return false;
    json_close(json);
    if (!cli_send(
            cli, "POST",
            cli_format(cli, "/api/v1/pipelines/%s/runs", cli_encoded(cli, cli_argument(cli, 0))),
            json_finish(json), &reply))
        return false;
    if (!cli_has_option(cli, "--no-wait"))
        return cli_follow_pipeline(cli, reply.json);
    if (cli->json)
        return cli_print_json(cli, &reply);
    printf("%s\n", json_as_text(json_member(reply.json, "id"), ""));
    return true;
}

static const CommandOption backfill_options[] = {
    {"--param", OPTION_TEXT, "NAME", "the param that gets the dates"},
    {"--from", OPTION_TEXT, "DATE", "the first, as 2020-01-01"},
    {"--to", OPTION_TEXT, "DATE", "the last"},
    {"--every", OPTION_TEXT, "PACE", "day (if not given), week, month or year"},
    {"--force", OPTION_FLAG, NULL, "take nothing from the cache"},
    {0},
};

static bool start_backfill(Cli *cli)
{
    JsonWriter *json = json_writer_create(cli->arena);
    ClientReply reply;

    json_open_object(json, NULL);
    json_text(json, "param", cli_option(cli, "--param"));
    json_text(json, "from", cli_option(cli, "--from"));
    json_text(json, "to", cli_option(cli, "--to"));
    json_text(json, "every", cli_option(cli, "--every"));
    json_bool(json, "force", cli_has_option(cli, "--force"));
    json_close(json);
    if (!cli_send(cli, "POST",
                  cli_format(cli, "/api/v1/pipelines/%s/backfill",
                             cli_encoded(cli, cli_argument(cli, 0))),
                  json_finish(json), &reply))
        return false;
    if (cli->json)
        return cli_print_json(cli, &reply);
    printf("%lld of %zu runs started, the others were there\n",
           (long long)json_as_int(json_member(reply.json, "started"), 0),
           json_count(json_member(reply.json, "pipeline_runs")));
    return true;
}

/* "2026-03-30T03:00:00.000+02:00" without seconds, for no schedule has any. */
static const char *to_the_minute(Cli *cli, const char *time)
{
    size_t seconds = strcspn(time, ".") + strspn(time + strcspn(time, "."), ".0123456789");

    return cli_format(cli, "%.16s%s", time, time + seconds);
}

static const char *next_times(Cli *cli, const JsonValue *schedule)
{
    TextBuilder text = {.arena = cli->arena};

    for (JsonWalk walk = json_walk(json_member(schedule, "next")); json_walk_next(&walk);)
        text_append_format(&text, "%s%s", text.count ? ", " : "",
                           to_the_minute(cli, json_as_text(walk.value, "")));
    return text.count ? text_built(&text) : "never";
}

static bool list_schedules(Cli *cli)
{
    const char *project = cli_argument(cli, 0);
    const char *path =
        project ? cli_format(cli, "/api/v1/pipelines/%s/schedules", cli_encoded(cli, project))
                : "/api/v1/schedules";
    const char *const head[] = {"project", "schedule", "zone", "next"};
    TextList cells = {0};
    ClientReply reply;

    if (!cli_get(cli, path, &reply))
        return false;
    if (cli->json)
        return cli_print_json(cli, &reply);
    for (size_t i = 0; i < COUNT(head); i++)
        text_list_add(&cells, cli->arena, head[i]);
    for (JsonWalk walk = json_walk(json_member(reply.json, "schedules")); json_walk_next(&walk);) {
        text_list_add(&cells, cli->arena, json_as_text(json_member(walk.value, "project"), ""));
        text_list_add(&cells, cli->arena, json_as_text(json_member(walk.value, "cron"), ""));
        text_list_add(&cells, cli->arena, json_as_text(json_member(walk.value, "timezone"), ""));
        text_list_add(&cells, cli->arena, next_times(cli, walk.value));
    }
    cli_print_table(cells.items, COUNT(head), cells.count / COUNT(head), "llll");
    return true;
}

const Command trigger_commands[] = {
    {"pipeline start", "PROJECT", start_pipeline,
     "Run the pipeline of a project as it was last put (slipway up) or pushed.",
     "slipway pipeline start spam --param rows=1000", start_options},
    {"pipeline backfill", "PROJECT", start_backfill,
     "Run the pipeline of a project for each date of a range; asked again, for those missing.",
     "slipway pipeline backfill spam --param date --from 2020-01-01 --to 2021-02-01 --every month",
     backfill_options},
    {"schedule list", "[PROJECT]", list_schedules,
     "List the schedules of pipelines with their next times, each in its zone.",
     "slipway schedule list"},
    {0},
};
