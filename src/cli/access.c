/* access.c: slipway token ... */

#include <stdio.h>

#include "cli/commands.h"

static const CommandOption token_options[] = {
    {"--role", OPTION_TEXT, "ROLE", "viewer (the default), contributor, approver or owner"},
    {"--expires-days", OPTION_INT, "DAYS", "days until it stops working; 0: never"},
    {0},
};

static bool create_token(Cli *cli)
{
    JsonWriter *json = json_writer_create(cli->arena);
    const char *role = cli_option(cli, "--role");
    ClientReply reply;

    json_open_object(json, NULL);
    json_text(json, "name", cli_argument(cli, 0));
    json_text(json, "role", role ? role : "viewer");
    json_int(json, "expires_days", cli_option_int(cli, "--expires-days", 0));
    json_close(json);
    if (!cli_send(cli, "POST", "/api/v1/tokens", json_finish(json), &reply))
        return false;
    if (cli->json)
        return cli_print_json(cli, &reply);
    printf("%s\n", json_as_text(json_member(reply.json, "secret"), ""));
    fprintf(stderr, "This is the only time it is shown. Send it as \"Authorization: Bearer ...\" "
                    "or keep it in $SLIPWAY_TOKEN.\n");
    return true;
}

static bool list_tokens(Cli *cli)
{
    enum { COLUMNS = 5 };
    struct {
        const char **items;
        size_t count;
    } cells = {0};
    static const char *const head[COLUMNS] = {"NAME", "ROLE", "CREATED", "EXPIRES", "REVOKED"};
    ClientReply reply;

    if (!cli_get_all(cli, "/api/v1/tokens", "tokens", &reply))
        return false;
    if (cli->json)
        return cli_print_json(cli, &reply);
    for (size_t i = 0; i < COLUMNS; i++)
        *arena_push(cli->arena, &cells) = head[i];
    for (JsonWalk walk = json_walk(json_member(reply.json, "tokens")); json_walk_next(&walk);) {
        *arena_push(cli->arena, &cells) = json_as_text(json_member(walk.value, "name"), "");
        *arena_push(cli->arena, &cells) = json_as_text(json_member(walk.value, "role"), "");
        *arena_push(cli->arena, &cells) = cli_time(cli, json_member(walk.value, "created_at"));
        *arena_push(cli->arena, &cells) = cli_time(cli, json_member(walk.value, "expires_at"));
        *arena_push(cli->arena, &cells) = cli_time(cli, json_member(walk.value, "revoked_at"));
    }
    cli_print_table(cells.items, COLUMNS, cells.count / COLUMNS, "lllll");
    return true;
}

static bool revoke_token(Cli *cli)
{
    const char *name = cli_argument(cli, 0);
    ClientReply reply;

    if (!cli_send(cli, "DELETE", cli_format(cli, "/api/v1/tokens/%s", cli_encoded(cli, name)), NULL,
                  &reply))
        return false;
    if (!cli->json)
        printf("token \"%s\" is revoked\n", name);
    return true;
}

const Command access_commands[] = {
    {"token create", "NAME", create_token, "Create a token and show its secret once.",
     "slipway token create ci --role contributor --expires-days 90", token_options},
    {"token list", NULL, list_tokens, "List the tokens.", "slipway token list"},
    {"token revoke", "NAME", revoke_token, "Revoke a token.", "slipway token revoke ci"},
    {0},
};
