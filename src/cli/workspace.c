/* workspace.c: slipway workspace list, show, set, move, remove */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/unit.h"
#include "cli/commands.h"

static const CommandOption set_options[] = {
    {"--artifact-bytes-max", OPTION_TEXT, "SIZE",
     "what the files of its experiments may be together: bytes, 500MB, 10GB or 1TiB; none: no "
     "limit"},
    {0},
};

static const char *path_of(Cli *cli, size_t argument)
{
    return cli_format(cli, "/api/v1/workspaces/%s", cli_encoded(cli, cli_argument(cli, argument)));
}

static const char *bytes_of(Cli *cli, const JsonValue *object)
{
    return cli_format(cli, "%" PRId64, json_as_int(json_member(object, "artifact_bytes"), 0));
}

static const char *limit_of(Cli *cli, const JsonValue *workspace)
{
    int64_t most = json_as_int(json_member(workspace, "artifact_bytes_max"), 0);

    return most ? cli_format(cli, "%" PRId64, most) : "none";
}

static void add_row(Cli *cli, TextList *cells, const JsonValue *workspace)
{
    text_list_add(cells, cli->arena, cli_text(workspace, "name"));
    text_list_add(cells, cli->arena, bytes_of(cli, workspace));
    text_list_add(cells, cli->arena, limit_of(cli, workspace));
    text_list_add(cells, cli->arena, cli_text(workspace, "updated_by"));
}

static bool list_workspaces(Cli *cli)
{
    static const char *const head[] = {"workspace", "bytes", "limit", "set by"};
    TextList cells = {0};
    ClientReply reply;

    if (!cli_get_all(cli, "/api/v1/workspaces", "workspaces", &reply))
        return false;
    if (cli->json)
        return cli_print_json(cli, &reply);
    for (size_t i = 0; i < COUNT(head); i++)
        text_list_add(&cells, cli->arena, head[i]);
    for (JsonWalk walk = json_walk(json_member(reply.json, "workspaces")); json_walk_next(&walk);)
        add_row(cli, &cells, walk.value);
    cli_print_table(cells.items, COUNT(head), cells.count / COUNT(head), "lrrl");
    return true;
}

/* Names are anybody's. */
static const char *experiment_of(Cli *cli, const JsonValue *share)
{
    const char *name = json_as_text(json_member(share, "name"), NULL);

    return name
               ? cli_plain(cli, name)
               : cli_format(cli, "(%" PRId64 ", purged)", json_as_int(json_member(share, "id"), 0));
}

static bool show_workspace(Cli *cli)
{
    static const char *const head[] = {"experiment", "bytes"};
    TextList cells = {0};
    const JsonValue *shown;
    ClientReply reply;

    if (!cli_get(cli, path_of(cli, 0), &reply))
        return false;
    if (cli->json)
        return cli_print_json(cli, &reply);
    shown = json_member(reply.json, "workspace");
    printf("%s: %s bytes, limit: %s\n", cli_text(shown, "name"), bytes_of(cli, shown),
           limit_of(cli, shown));
    if (!json_count(json_member(reply.json, "experiments")))
        return true;
    for (size_t i = 0; i < COUNT(head); i++)
        text_list_add(&cells, cli->arena, head[i]);
    for (JsonWalk walk = json_walk(json_member(reply.json, "experiments"));
         json_walk_next(&walk);) {
        text_list_add(&cells, cli->arena, experiment_of(cli, walk.value));
        text_list_add(&cells, cli->arena, bytes_of(cli, walk.value));
    }
    printf("\n");
    cli_print_table(cells.items, COUNT(head), cells.count / COUNT(head), "lr");
    return true;
}

/* With a unit, or of bytes. */
static bool read_size(const char *text, int64_t *bytes)
{
    size_t digits = strspn(text, "0123456789");
    bool is_plain = digits <= UNIT_DIGITS_MAX && text[digits] == '\0';

    return (unit_read(text, unit_sizes, UNIT_DIGITS_MAX, bytes) ||
            (is_plain && text_to_int(text, bytes))) &&
           *bytes > 0;
}

static bool take_limit(Cli *cli, int64_t *bytes)
{
    const char *given = cli_option(cli, "--artifact-bytes-max");

    *bytes = 0;
    if (!given)
        return fail_field(&cli->error, "--artifact-bytes-max",
                          "--artifact-bytes-max is needed: a size, or none");
    return strcmp(given, "none") == 0 || read_size(given, bytes) ||
           fail_field(&cli->error, "--artifact-bytes-max",
                      "--artifact-bytes-max takes a size, as 500MB, 10GB or 1TiB, a number of "
                      "bytes, or none");
}

static bool set_workspace(Cli *cli)
{
    JsonWriter *json = json_writer_create(cli->arena);
    ClientReply reply;
    int64_t bytes;

    if (!take_limit(cli, &bytes))
        return false;
    json_open_object(json, NULL);
    json_int(json, "artifact_bytes_max", bytes);
    json_close(json);
    if (!cli_send(cli, "PUT", path_of(cli, 0), json_finish(json), &reply))
        return false;
    if (cli->json)
        return cli_print_json(cli, &reply);
    printf("%s: %s bytes, limit: %s\n", cli_text(reply.json, "name"), bytes_of(cli, reply.json),
           limit_of(cli, reply.json));
    return true;
}

static bool move_experiment(Cli *cli)
{
    JsonWriter *json = json_writer_create(cli->arena);
    ClientReply reply;

    json_open_object(json, NULL);
    json_text(json, "experiment", cli_argument(cli, 0));
    json_close(json);
    if (!cli_send(cli, "POST", cli_format(cli, "%s/experiments", path_of(cli, 1)),
                  json_finish(json), &reply))
        return false;
    if (cli->json)
        return cli_print_json(cli, &reply);
    printf("%s is in workspace %s, which has %s bytes now, limit: %s\n",
           cli_plain(cli, cli_argument(cli, 0)), cli_text(reply.json, "name"),
           bytes_of(cli, reply.json), limit_of(cli, reply.json));
    return true;
}

static bool remove_workspace(Cli *cli)
{
    ClientReply reply;

    if (!cli_send(cli, "DELETE", path_of(cli, 0), NULL, &reply))
        return false;
    if (!cli->json)
        printf("%s: removed; its experiments are in default\n", cli_argument(cli, 0));
    return true;
}

const Command workspace_commands[] = {
    {"workspace list", NULL, list_workspaces,
     "List the workspaces, with what their files are and may be together.",
     "slipway workspace list"},
    {"workspace show", "NAME", show_workspace,
     "Show a workspace, and the experiments that have most of it.", "slipway workspace show fraud"},
    {"workspace set", "NAME", set_workspace,
     "Say what the files of a workspace may be together; makes it if it is missing.",
     "slipway workspace set fraud --artifact-bytes-max 10GB", set_options},
    {"workspace move", "EXPERIMENT NAME", move_experiment, "Move an experiment into a workspace.",
     "slipway workspace move churn fraud"},
    {"workspace remove", "NAME", remove_workspace,
     "Remove a workspace; its experiments are in default then.", "slipway workspace remove fraud"},
    {0},
};
