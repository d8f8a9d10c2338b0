/* environment.c: slipway environment list, show, set */

#include <stdio.h>
#include <string.h>

#include "cli/commands.h"

static const CommandOption set_options[] = {
    {"--approvals", OPTION_INT, "COUNT", "by so many people, 0 to 10"},
    {"--four-eyes", OPTION_FLAG, NULL, "whoever started a run may not approve it"},
    {"--no-four-eyes", OPTION_FLAG, NULL, "whoever started it may, with the role"},
    {"--expires", OPTION_TEXT, "TIME", "what nobody approved by then is rejected: 30d, 12h, 90m"},
    {"--window", OPTION_LIST, "WINDOW",
     "when something may begin: \"mon-fri 08:00-17:00 Europe/Amsterdam\""},
    {"--any-time", OPTION_FLAG, NULL, "no windows"},
    {"--branch", OPTION_LIST, "PATTERN", "which branches may go there: main, \"release/*\""},
    {"--any-branch", OPTION_FLAG, NULL, "all of them"},
    {0},
};

/* "30d" as seconds. */
static bool read_seconds(Cli *cli, const char *text, int64_t *seconds)
{
    static const struct {
        char letter;
        int64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 60 * 60}, {'d', 24 * 60 * 60}};
    enum { COUNT_MAX = 1000000 };
    size_t size = strlen(text);
    int64_t count;

    for (size_t i = 0; size && i < COUNT(units); i++)
        if (text[size - 1] == units[i].letter &&
            text_to_int(arena_copy(cli->arena, text, size - 1), &count) && count > 0 &&
            count <= COUNT_MAX) {
            *seconds = count * units[i].seconds;
            return true;
        }
    return fail_field(&cli->error, "--expires", "--expires takes 30d, 12h, 90m or 60s, not \"%s\"",
                      text);
}

static bool exclude(Cli *cli, const char *one, const char *other)
{
    return !(cli_has_option(cli, one) && cli_has_option(cli, other)) ||
           fail(&cli->error, ERROR_INVALID, "%s and %s exclude each other", one, other);
}

static void write_texts(Cli *cli, JsonWriter *json, const char *key, const char *option,
                        const char *none)
{
    TextList texts = cli_option_list(cli, option);

    if (!texts.count && !cli_has_option(cli, none))
        return;
    json_texts(json, key, &texts);
}

static bool set_body(Cli *cli, const char **body)
{
    JsonWriter *json = json_writer_create(cli->arena);
    const char *expires = cli_option(cli, "--expires");
    int64_t seconds = 0;

    if (!exclude(cli, "--four-eyes", "--no-four-eyes") || !exclude(cli, "--window", "--any-time") ||
        !exclude(cli, "--branch", "--any-branch") ||
        (expires && !read_seconds(cli, expires, &seconds)))
        return false;
    json_open_object(json, NULL);
    if (cli_has_option(cli, "--approvals"))
        json_int(json, "approvals", cli_option_int(cli, "--approvals", 0));
    if (cli_has_option(cli, "--four-eyes") || cli_has_option(cli, "--no-four-eyes"))
        json_bool(json, "four_eyes", cli_has_option(cli, "--four-eyes"));
    if (expires)
        json_int(json, "expires_seconds", seconds);
    write_texts(cli, json, "windows", "--window", "--any-time");
    write_texts(cli, json, "branches", "--branch", "--any-branch");
    json_close(json);
    *body = json_finish(json);
    return true;
}

/* ---- for people ---- */

static const char *joined(Cli *cli, const JsonValue *list, const char *none)
{
    TextBuilder text = {.arena = cli->arena};

    for (JsonWalk walk = json_walk(list); json_walk_next(&walk);)
        text_append_format(&text, "%s%s", text.count ? "; " : "", json_as_text(walk.value, ""));
    return text.count ? text_built(&text) : none;
}

static const char *approvals_text(Cli *cli, const JsonValue *environment)
{
    int64_t count = json_as_int(json_member(environment, "approvals"), 0);

    return cli_format(cli, "%lld%s", (long long)count,
                      json_as_bool(json_member(environment, "four_eyes"), false) ? ", four eyes"
                                                                                 : "");
}

static const char *time_text(Cli *cli, int64_t seconds)
{
    enum { MINUTE = 60, HOUR = 60 * MINUTE, DAY = 24 * HOUR };

    if (seconds % DAY == 0)
        return cli_format(cli, "%lld d", (long long)seconds / DAY);
    if (seconds % HOUR == 0)
        return cli_format(cli, "%lld h", (long long)seconds / HOUR);
    return cli_format(cli, "%lld s", (long long)seconds);
}

static void print_environment(Cli *cli, const JsonValue *environment)
{
    printf("environment \"%s\"\n", json_as_text(json_member(environment, "name"), ""));
    printf("  %-10s %s\n", "approvals", approvals_text(cli, environment));
    printf("  %-10s after %s\n", "expires",
           time_text(cli, json_as_int(json_member(environment, "expires_seconds"), 0)));
    printf("  %-10s %s\n", "windows", joined(cli, json_member(environment, "windows"), "any time"));
    printf("  %-10s %s\n", "branches", joined(cli, json_member(environment, "branches"), "any"));
}

static bool list_environments(Cli *cli)
{
    static const char *const head[] = {"environment", "approvals", "expires", "windows",
                                       "branches"};
    TextList cells = {0};
    ClientReply reply;

    if (!cli_get_all(cli, "/api/v1/environments", "environments", &reply))
        return false;
    if (cli->json)
        return cli_print_json(cli, &reply);
    for (size_t i = 0; i < COUNT(head); i++)
        text_list_add(&cells, cli->arena, head[i]);
    for (JsonWalk walk = json_walk(json_member(reply.json, "environments"));
         json_walk_next(&walk);) {
        text_list_add(&cells, cli->arena, json_as_text(json_member(walk.value, "name"), ""));
        text_list_add(&cells, cli->arena, approvals_text(cli, walk.value));
        text_list_add(&cells, cli->arena,
                      time_text(cli, json_as_int(json_member(walk.value, "expires_seconds"), 0)));
        text_list_add(&cells, cli->arena,
                      joined(cli, json_member(walk.value, "windows"), "any time"));
        text_list_add(&cells, cli->arena, joined(cli, json_member(walk.value, "branches"), "any"));
    }
    cli_print_table(cells.items, COUNT(head), cells.count / COUNT(head), "llrll");
    return true;
}

static const char *environment_path(Cli *cli)
{
    return cli_format(cli, "/api/v1/environments/%s", cli_encoded(cli, cli_argument(cli, 0)));
}

static bool show_environment(Cli *cli)
{
    ClientReply reply;

    if (!cli_get(cli, environment_path(cli), &reply))
        return false;
    if (cli->json)
        return cli_print_json(cli, &reply);
    print_environment(cli, reply.json);
    return true;
}

static bool set_environment(Cli *cli)
{
    const char *body;
    ClientReply reply;

    if (!set_body(cli, &body) || !cli_send(cli, "PUT", environment_path(cli), body, &reply))
        return false;
    if (cli->json)
        return cli_print_json(cli, &reply);
    print_environment(cli, reply.json);
    return true;
}

const Command environment_commands[] = {
    {"environment list", NULL, list_environments, "List what environments demand.",
     "slipway environment list"},
    {"environment show", "NAME", show_environment, "Show what an environment demands.",
     "slipway environment show production"},
    {"environment set", "NAME", set_environment,
     "Set what an environment demands before anything begins there; what is not given stays.",
     "slipway environment set production --approvals 2 --four-eyes --expires 7d", set_options},
    {0},
};
