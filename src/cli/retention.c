/* retention.c: slipway retention list, set, remove */

#include <inttypes.h>
#include <stdio.h>

#include "cli/commands.h"

static const CommandOption set_options[] = {
    {"--runs", OPTION_INT, "COUNT", "the newest so many runs stay, 1 or more"},
    {"--days", OPTION_INT, "DAYS", "and those that ended within so many days; 0: none for that"},
    {0},
};

/* The project, or all that have no rule of their own. */
static const char *project_of(Cli *cli)
{
    return cli_argument(cli, 0) ? cli_argument(cli, 0) : "*";
}

static const char *path_of(Cli *cli)
{
    return cli_format(cli, "/api/v1/retentions/%s", cli_encoded(cli, project_of(cli)));
}

static int64_t number(const JsonValue *rule, const char *key)
{
    return json_as_int(json_member(rule, key), 0);
}

static bool list_retentions(Cli *cli)
{
    static const char *const head[] = {"project", "runs", "days", "set by"};
    TextList cells = {0};
    ClientReply reply;

    if (!cli_get_all(cli, "/api/v1/retentions", "retentions", &reply))
        return false;
    if (cli->json)
        return cli_print_json(cli, &reply);
    if (!json_count(json_member(reply.json, "retentions"))) {
        printf("all runs of pipelines are kept\n");
        return true;
    }
    for (size_t i = 0; i < COUNT(head); i++)
        text_list_add(&cells, cli->arena, head[i]);
    for (JsonWalk walk = json_walk(json_member(reply.json, "retentions")); json_walk_next(&walk);) {
        text_list_add(&cells, cli->arena, json_as_text(json_member(walk.value, "project"), ""));
        text_list_add(&cells, cli->arena, cli_format(cli, "%" PRId64, number(walk.value, "runs")));
        text_list_add(&cells, cli->arena, cli_format(cli, "%" PRId64, number(walk.value, "days")));
        text_list_add(&cells, cli->arena, json_as_text(json_member(walk.value, "updated_by"), ""));
    }
    cli_print_table(cells.items, COUNT(head), cells.count / COUNT(head), "lrrl");
    return true;
}

static bool set_retention(Cli *cli)
{
    JsonWriter *json = json_writer_create(cli->arena);
    ClientReply reply;

    if (!cli_has_option(cli, "--runs") || !cli_has_option(cli, "--days"))
        return fail(&cli->error, ERROR_INVALID,
                    "--runs and --days are needed: a run goes when neither keeps it");
    json_open_object(json, NULL);
    json_int(json, "runs", cli_option_int(cli, "--runs", 0));
    json_int(json, "days", cli_option_int(cli, "--days", 0));
    json_close(json);
    if (!cli_send(cli, "PUT", path_of(cli), json_finish(json), &reply))
        return false;
    if (cli->json)
        return cli_print_json(cli, &reply);
    printf("%s: the newest %" PRId64 " runs stay, and those of the last %" PRId64
           " days; see what goes by: slipway purge --dry-run\n",
           json_as_text(json_member(reply.json, "project"), ""), number(reply.json, "runs"),
           number(reply.json, "days"));
    return true;
}

static bool remove_retention(Cli *cli)
{
    ClientReply reply;

    if (!cli_send(cli, "DELETE", path_of(cli), NULL, &reply))
        return false;
    if (!cli->json)
        printf("%s: no rule any more\n", project_of(cli));
    return true;
}

const Command retention_commands[] = {
    {"retention list", NULL, list_retentions,
     "List how many runs of pipelines are kept, and for how long.", "slipway retention list"},
    {"retention set", "[PROJECT]", set_retention,
     "Say how many runs of a project's pipeline are kept; without PROJECT, of all that have no "
     "rule of their own.",
     "slipway retention set spam --runs 50 --days 90", set_options},
    {"retention remove", "[PROJECT]", remove_retention,
     "Take back a rule: all runs are kept, or as long as the rule for all says.",
     "slipway retention remove spam"},
    {0},
};
