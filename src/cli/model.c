/* model.c: slipway model ... */

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "cli/commands.h"

static const char *number_member(Cli *cli, const JsonValue *value, const char *key)
{
    int64_t number = json_as_int(json_member(value, key), 0);

    return number ? cli_format(cli, "%lld", (long long)number) : "-";
}

static const char *aliases_text(Cli *cli, const JsonValue *version)
{
    TextBuilder text = {.arena = cli->arena};

    for (JsonWalk walk = json_walk(json_member(version, "aliases")); json_walk_next(&walk);)
        text_append_format(&text, "%s%s", walk.index ? ", " : "", json_as_text(walk.value, ""));
    return text_built(&text);
}

static bool list_models(Cli *cli)
{
    enum { COLUMNS = 4 };
    static const char *const head[COLUMNS] = {"NAME", "LATEST", "UPDATED", "DESCRIPTION"};
    TextList cells = {0};
    ClientReply reply;

    if (!cli_get_all(cli, "/api/v1/models", "models", &reply))
        return false;
    if (cli->json)
        return cli_print_json(cli, &reply);
    for (size_t i = 0; i < COLUMNS; i++)
        text_list_add(&cells, cli->arena, head[i]);
    for (JsonWalk walk = json_walk(json_member(reply.json, "models")); json_walk_next(&walk);) {
        text_list_add(&cells, cli->arena, cli_text(walk.value, "name"));
        text_list_add(&cells, cli->arena, number_member(cli, walk.value, "latest_version"));
        text_list_add(&cells, cli->arena, cli_time(cli, json_member(walk.value, "updated_at")));
        text_list_add(&cells, cli->arena, cli_text(walk.value, "description"));
    }
    cli_print_table(cells.items, COLUMNS, cells.count / COLUMNS, "lrll");
    return true;
}

static void print_versions(Cli *cli, const JsonValue *versions)
{
    enum { COLUMNS = 6 };
    static const char *const head[COLUMNS] = {"VERSION", "ALIASES", "DATA", "RUN", "CREATED", "BY"};
    TextList cells = {0};

    for (size_t i = 0; i < COLUMNS; i++)
        text_list_add(&cells, cli->arena, head[i]);
    for (JsonWalk walk = json_walk(versions); json_walk_next(&walk);) {
        text_list_add(&cells, cli->arena, number_member(cli, walk.value, "version"));
        text_list_add(&cells, cli->arena, aliases_text(cli, walk.value));
        text_list_add(&cells, cli->arena,
                      cli_format(cli, "%s %s", cli_text(walk.value, "dataset"),
                                 number_member(cli, walk.value, "dataset_version")));
        text_list_add(&cells, cli->arena, cli_text(walk.value, "run_id"));
        text_list_add(&cells, cli->arena, cli_time(cli, json_member(walk.value, "created_at")));
        text_list_add(&cells, cli->arena, cli_text(walk.value, "created_by"));
    }
    cli_print_table(cells.items, COLUMNS, cells.count / COLUMNS, "rlllll");
}

static bool show_model(Cli *cli, const char *name)
{
    ClientReply reply;

    if (!cli_get_all(cli, cli_format(cli, "/api/v1/models/%s/versions", cli_encoded(cli, name)),
                     "versions", &reply))
        return false;
    if (cli->json)
        return cli_print_json(cli, &reply);
    print_versions(cli, json_member(reply.json, "versions"));
    return true;
}

static void print_version(Cli *cli, const JsonValue *version)
{
    printf("model        %s\n", cli_text(version, "model"));
    printf("version      %s\n", number_member(cli, version, "version"));
    printf("aliases      %s\n", aliases_text(cli, version));
    printf("package      %s\n", cli_text(version, "package"));
    printf("source       %s\n", cli_text(version, "source"));
    printf("data         %s %s  %s\n", cli_text(version, "dataset"),
           number_member(cli, version, "dataset_version"), cli_text(version, "dataset_digest"));
    printf("hold-out     %s\n", cli_text(version, "holdout_digest"));
    printf("code         %s\n", cli_text(version, "code_commit"));
    printf("created      %s by %s\n", cli_time(cli, json_member(version, "created_at")),
           cli_text(version, "created_by"));
    printf("description  %s\n", cli_text(version, "description"));
}

static void print_lineage(Cli *cli, const JsonValue *lineage)
{
    const JsonValue *run = json_member(lineage, "run");

    print_version(cli, json_member(lineage, "version"));
    if (json_is_object(run))
        printf("run          %s  %s, %s\n", cli_text(run, "id"), cli_text(run, "name"),
               cli_text(run, "status"));
    for (JsonWalk walk = json_walk(json_member(run, "params")); json_walk_next(&walk);)
        printf("  param   %-24s %s\n", walk.key, json_as_text(walk.value, ""));
    for (JsonWalk walk = json_walk(json_member(run, "metrics")); json_walk_next(&walk);)
        printf("  metric  %-24s %s\n", cli_text(walk.value, "key"),
               json_print(json_member(walk.value, "value"), cli->arena));
    printf("history\n");
    for (JsonWalk walk = json_walk(json_member(lineage, "events")); json_walk_next(&walk);)
        printf("  %s  %-12s %s\n", cli_time(cli, json_member(walk.value, "created_at")),
               cli_text(walk.value, "principal"), cli_text(walk.value, "action"));
}

static bool show_version(Cli *cli, const char *name, const char *version)
{
    ClientReply reply;

    if (!cli_get(cli,
                 cli_format(cli, "/api/v1/models/%s/versions/%s/lineage", cli_encoded(cli, name),
                            cli_encoded(cli, version)),
                 &reply))
        return false;
    if (cli->json)
        return cli_print_json(cli, &reply);
    print_lineage(cli, reply.json);
    return true;
}

typedef struct Named {
    const char *model;
    const char *version; /* NULL: none was named */
} Named;

/* NAME or NAME@VERSION, parted at the last "@". */
static Named read_name(Cli *cli)
{
    const char *argument = cli_argument(cli, 0), *at = strrchr(argument, '@');

    if (!at)
        return (Named){.model = argument};
    return (Named){arena_copy(cli->arena, argument, (size_t)(at - argument)), at + 1};
}

static bool show(Cli *cli)
{
    Named named = read_name(cli);

    return named.version ? show_version(cli, named.model, named.version)
                         : show_model(cli, named.model);
}

/* ---- the report ---- */

static const CommandOption report_options[] = {
    {"--html", OPTION_FLAG, NULL, "one page of HTML, with all that it needs, instead of Markdown"},
    {"--output", OPTION_TEXT, "FILE", "write it there instead of printing it"},
    {0},
};

static const char *report_format(const Cli *cli)
{
    if (cli->json)
        return "json";
    return cli_has_option(cli, "--html") ? "html" : "markdown";
}

static bool keep_report(Cli *cli, const ClientReply *reply, const char *path)
{
    if (!file_write(path, reply->body, reply->size, &cli->error))
        return false;
    if (!cli->json)
        printf("%s\n", path);
    return true;
}

static bool report(Cli *cli)
{
    Named named = read_name(cli);
    const char *output = cli_option(cli, "--output");
    ClientReply reply;

    if (cli->json && cli_has_option(cli, "--html"))
        return fail(&cli->error, ERROR_INVALID,
                    "a report is JSON (--json) or HTML (--html), not both");
    if (!cli_get(cli,
                 cli_format(cli, "/api/v1/models/%s/versions/%s/report?format=%s",
                            cli_encoded(cli, named.model),
                            cli_encoded(cli, named.version ? named.version : "latest"),
                            report_format(cli)),
                 &reply))
        return false;
    if (output)
        return keep_report(cli, &reply, output);
    if (cli->json)
        return cli_print_json(cli, &reply);
    fwrite(reply.body, 1, reply.size, stdout);
    return true;
}

static const CommandOption alias_options[] = {
    {"--remove", OPTION_FLAG, NULL, "remove the alias instead"},
    {0},
};

static bool remove_alias(Cli *cli, const char *path)
{
    ClientReply reply;

    if (!cli_send(cli, "DELETE", path, NULL, &reply))
        return false;
    if (!cli->json)
        printf("model \"%s\" has no alias \"%s\" any more\n", cli_argument(cli, 0),
               cli_argument(cli, 1));
    return true;
}

static bool set_alias(Cli *cli, const char *path, int64_t version)
{
    ClientReply reply;

    if (!cli_send(cli, "PUT", path, cli_format(cli, "{\"version\":%lld}", (long long)version),
                  &reply))
        return false;
    if (cli->json)
        return cli_print_json(cli, &reply);
    printf("\"%s\" of model \"%s\" is version %lld\n", cli_argument(cli, 1), cli_argument(cli, 0),
           (long long)version);
    return true;
}

static bool change_alias(Cli *cli)
{
    const char *path =
        cli_format(cli, "/api/v1/models/%s/aliases/%s", cli_encoded(cli, cli_argument(cli, 0)),
                   cli_encoded(cli, cli_argument(cli, 1)));
    int64_t version = 0;

    if (cli_has_option(cli, "--remove"))
        return remove_alias(cli, path);
    if (!text_to_int(cli_argument(cli, 2), &version))
        return fail(&cli->error, ERROR_INVALID,
                    "an alias needs the number of a version, as \"slipway model alias spam "
                    "champion 3\"");
    return set_alias(cli, path, version);
}

const Command model_commands[] = {
    {"model list", NULL, list_models, "List the registered models.", "slipway model list"},
    {"model show", "NAME[@VERSION]", show,
     "Show the versions of a model, or where one version came from; VERSION is a number, latest or "
     "an alias.",
     "slipway model show spam@champion"},
    {"model report", "NAME[@VERSION]", report,
     "Print all that is known of a version, the latest if none is named: origin, data, figures, "
     "gate, approvals, where it served, known limits.",
     "slipway model report spam@champion --html --output spam.html", report_options},
    {"model alias", "NAME ALIAS [VERSION]", change_alias, "Point an alias to a version.",
     "slipway model alias spam champion 3", alias_options},
    {0},
};
