/* access.c: slipway token ..., slipway audit ... */

#include <stdio.h>
#include <string.h>

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

static const CommandOption audit_options[] = {
    {"--action", OPTION_TEXT, "ACTION", "only this action, or those that start so: \"endpoint.\""},
    {"--object", OPTION_TEXT, "OBJECT", "only about this object: \"spam@3\""},
    {"--limit", OPTION_INT, "COUNT", "at most so many, the newest (100)"},
    {0},
};

/* As much as fits beside the rest; --json has all of it. */
static const char *short_detail(Cli *cli, const JsonValue *detail)
{
    enum { SHOWN_BYTES = 120 };
    const char *text = json_print(detail, cli->arena);
    size_t end = SHOWN_BYTES;

    if (strlen(text) <= SHOWN_BYTES)
        return text;
    while (end && ((unsigned char)text[end] & 0xc0) == 0x80)
        end--;
    return cli_format(cli, "%.*s...", (int)end, text);
}

static void print_event(Cli *cli, const JsonValue *event)
{
    const char *detail = short_detail(cli, json_member(event, "detail"));

    printf("%5lld  %s  %-12s %-26s %-22s %s\n", (long long)json_as_int(json_member(event, "id"), 0),
           cli_time(cli, json_member(event, "created_at")),
           json_as_text(json_member(event, "principal"), ""),
           json_as_text(json_member(event, "action"), ""),
           json_as_text(json_member(event, "object"), ""), detail);
}

static bool show_audit(Cli *cli)
{
    enum { LIMIT = 100 };
    const char *action = cli_option(cli, "--action"), *object = cli_option(cli, "--object");
    const char *path = cli_format(cli, "/api/v1/audit?newest_first=true&limit=%lld%s%s%s%s",
                                  (long long)cli_option_int(cli, "--limit", LIMIT),
                                  action ? "&action=" : "", action ? cli_encoded(cli, action) : "",
                                  object ? "&object=" : "", object ? cli_encoded(cli, object) : "");
    const JsonValue *events;
    ClientReply reply;

    if (!cli_get(cli, path, &reply))
        return false;
    if (cli->json)
        return cli_print_json(cli, &reply);
    events = json_member(reply.json, "events");
    if (!json_count(events))
        printf("no events\n");
    for (size_t left = json_count(events); left; left--) { /* the oldest first */
        JsonWalk walk = json_walk(events);

        for (size_t i = 0; i < left; i++)
            json_walk_next(&walk);
        print_event(cli, walk.value);
    }
    return true;
}

static const CommandOption verify_options[] = {
    {"--known", OPTION_TEXT, "NUMBER:HASH",
     "the end of the trail as an earlier check printed it; without it nobody can tell whether the "
     "last events were removed"},
    {0},
};

static bool verify_audit(Cli *cli)
{
    const char *known = cli_option(cli, "--known"), *hash = known ? strchr(known, ':') : NULL;
    const char *path = "/api/v1/audit/verify";
    ClientReply reply;

    if (known && !hash)
        return fail_field(&cli->error, "--known", "--known takes NUMBER:HASH, not \"%s\"", known);
    if (known)
        path = cli_format(cli, "%s?event=%s&hash=%s", path,
                          cli_encoded(cli, cli_format(cli, "%.*s", (int)(hash - known), known)),
                          cli_encoded(cli, hash + 1));
    if (!cli_get(cli, path, &reply))
        return false;
    if (cli->json)
        return cli_print_json(cli, &reply);
    printf("the audit trail is whole: %lld events; its end is %lld:%s\n",
           (long long)json_as_int(json_member(reply.json, "events"), 0),
           (long long)json_as_int(json_member(reply.json, "events"), 0),
           json_as_text(json_member(reply.json, "last_hash"), ""));
    return true;
}

const Command access_commands[] = {
    {"token create", "NAME", create_token, "Create a token and show its secret once.",
     "slipway token create ci --role contributor --expires-days 90", token_options},
    {"token list", NULL, list_tokens, "List the tokens.", "slipway token list"},
    {"token revoke", "NAME", revoke_token, "Revoke a token.", "slipway token revoke ci"},
    {"audit log", NULL, show_audit, "Show the audit trail.", "slipway audit log --action endpoint.",
     audit_options},
    {"audit verify", NULL, verify_audit, "Check that the audit trail was not changed.",
     "slipway audit verify", verify_options},
    {0},
};
