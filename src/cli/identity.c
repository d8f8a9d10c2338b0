/* identity.c: slipway identity list, set, remove */

#include <stdio.h>

#include "cli/commands.h"

static const char *identity_path(Cli *cli)
{
    return cli_format(cli, "/api/v1/identities/%s", cli_encoded(cli, cli_argument(cli, 0)));
}

static bool list_identities(Cli *cli)
{
    static const char *const head[] = {"name", "principal", "created_at", "created_by"};
    TextList cells = {0};
    ClientReply reply;

    if (!cli_get_all(cli, "/api/v1/identities", "identities", &reply))
        return false;
    if (cli->json)
        return cli_print_json(cli, &reply);
    for (size_t i = 0; i < COUNT(head); i++)
        text_list_add(&cells, cli->arena, head[i]);
    for (JsonWalk walk = json_walk(json_member(reply.json, "identities")); json_walk_next(&walk);) {
        text_list_add(&cells, cli->arena, cli_text(walk.value, "name"));
        text_list_add(&cells, cli->arena, cli_text(walk.value, "principal"));
        text_list_add(&cells, cli->arena, cli_time(cli, json_member(walk.value, "created_at")));
        text_list_add(&cells, cli->arena, cli_text(walk.value, "created_by"));
    }
    cli_print_table(cells.items, COUNT(head), cells.count / COUNT(head), "llll");
    return true;
}

static const CommandOption set_options[] = {
    {"--principal", OPTION_TEXT, "NAME", "whom it means: the name of a token"},
    {0},
};

static bool set_identity(Cli *cli)
{
    JsonWriter *json = json_writer_create(cli->arena);
    const char *principal = cli_option(cli, "--principal");
    ClientReply reply;

    if (!principal)
        return fail_field(&cli->error, "--principal",
                          "say with --principal NAME whom it means: the name of a token");
    json_open_object(json, NULL);
    json_text(json, "principal", principal);
    json_close(json);
    if (!cli_send(cli, "PUT", identity_path(cli), json_finish(json), &reply))
        return false;
    if (cli->json)
        return cli_print_json(cli, &reply);
    printf("\"%s\" is %s\n", cli_text(reply.json, "name"), cli_text(reply.json, "principal"));
    return true;
}

static bool remove_identity(Cli *cli)
{
    ClientReply reply;

    if (!cli_send(cli, "DELETE", identity_path(cli), NULL, &reply))
        return false;
    if (!cli->json)
        printf("\"%s\" is nobody any more\n", cli_argument(cli, 0));
    return true;
}

const Command identity_commands[] = {
    {"identity list", NULL, list_identities,
     "List the names of other systems and whom they mean here.", "slipway identity list"},
    {"identity set", "NAME", set_identity,
     "Say whom a name of another system means here: a login, a mail address.",
     "slipway identity set octocat --principal ada", set_options},
    {"identity remove", "NAME", remove_identity, "Forget whom a name of another system means.",
     "slipway identity remove octocat"},
    {0},
};
