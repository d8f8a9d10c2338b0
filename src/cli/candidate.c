/* candidate.c: slipway endpoint canary */

#include "cli/candidate.h"

#include <math.h>
#include <stdio.h>

#include "cli/commands.h"

enum { COLUMNS = 6 };

static const char *candidate_path(Cli *cli, const char *name)
{
    return cli_format(cli, "/api/v1/endpoints/%s/candidate", cli_encoded(cli, name));
}

static const char *count_text(Cli *cli, const JsonValue *side, const char *key)
{
    return cli_format(cli, "%lld", (long long)json_as_int(json_member(side, key), 0));
}

static const char *share_text(Cli *cli, const JsonValue *candidate)
{
    if (json_as_bool(json_member(candidate, "shadow"), false))
        return "a shadow";
    return cli_format(cli, "%g %% of the requests",
                      json_as_double(json_member(candidate, "share"), 0));
}

static void fill_row(Cli *cli, const char **cells, const JsonValue *figures, const char *key)
{
    const JsonValue *side = json_member(figures, key);

    cells[0] = key;
    cells[1] = count_text(cli, side, "requests");
    cells[2] = count_text(cli, side, "errors");
    cells[3] = count_text(cli, side, "dropped");
    cells[4] = cli_number(cli, json_as_double(json_member(side, "p50_ms"), NAN), 3);
    cells[5] = cli_number(cli, json_as_double(json_member(side, "p99_ms"), NAN), 3);
}

static void print_figures(Cli *cli, const JsonValue *figures)
{
    const char *cells[3 * COLUMNS] = {"SIDE", "REQUESTS", "ERRORS", "DROPPED", "P50 MS", "P99 MS"};
    const char *failure = json_as_text(json_member(figures, "last_error"), NULL);

    fill_row(cli, cells + COLUMNS, figures, "live");
    fill_row(cli, cells + 2 * COLUMNS, figures, "candidate");
    printf("\n");
    cli_print_table(cells, COLUMNS, 3, "lrrrrr");
    if (failure)
        printf("a late error: %s\n", failure);
}

static bool print_shown(Cli *cli, const ClientReply *reply)
{
    const JsonValue *candidate = json_member(reply->json, "candidate");
    const JsonValue *figures = json_member(reply->json, "figures");

    printf("candidate %s@%lld, %s, since %s by %s\n",
           json_as_text(json_member(candidate, "model"), ""),
           (long long)json_as_int(json_member(candidate, "version"), 0), share_text(cli, candidate),
           cli_time(cli, json_member(candidate, "created_at")),
           json_as_text(json_member(candidate, "created_by"), ""));
    if (json_is_null(figures))
        printf("not served: %s\n", json_as_text(json_member(reply->json, "problem"), ""));
    else
        print_figures(cli, figures);
    return true;
}

static bool show_candidate(Cli *cli, const char *name)
{
    ClientReply reply;

    if (!cli_get(cli, candidate_path(cli, name), &reply))
        return false;
    return cli->json ? cli_print_json(cli, &reply) : print_shown(cli, &reply);
}

bool cli_print_candidate(Cli *cli, const JsonValue *endpoint)
{
    if (json_is_null(json_member(endpoint, "candidate")))
        return true;
    return show_candidate(cli, json_as_text(json_member(endpoint, "name"), ""));
}

static const char *set_body(Cli *cli)
{
    static const char *const texts[] = {"version", "model", "comment"};
    JsonWriter *json = json_writer_create(cli->arena);

    json_open_object(json, NULL);
    for (size_t i = 0; i < COUNT(texts); i++) {
        const char *value = cli_option(cli, cli_format(cli, "--%s", texts[i]));

        if (value)
            json_text(json, texts[i], value);
    }
    if (cli_has_option(cli, "--share"))
        json_double(json, "share", cli_option_number(cli, "--share", 0));
    if (cli_has_option(cli, "--shadow"))
        json_bool(json, "shadow", true);
    json_close(json);
    return json_finish(json);
}

static bool set_candidate(Cli *cli, const char *name)
{
    const JsonValue *candidate;
    ClientReply reply;

    if (!cli_send(cli, "PUT", candidate_path(cli, name), set_body(cli), &reply))
        return false;
    if (cli->json)
        return cli_print_json(cli, &reply);
    candidate = json_member(reply.json, "candidate");
    printf(
        "endpoint %s tries %s@%lld: %s\n", name, json_as_text(json_member(candidate, "model"), ""),
        (long long)json_as_int(json_member(candidate, "version"), 0), share_text(cli, candidate));
    return true;
}

static bool clear_candidate(Cli *cli, const char *name)
{
    const char *path = candidate_path(cli, name), *comment = cli_option(cli, "--comment");
    ClientReply reply;

    if (comment)
        path = cli_format(cli, "%s?comment=%s", path, cli_encoded(cli, comment));
    if (!cli_send(cli, "DELETE", path, NULL, &reply))
        return false;
    if (cli->json)
        return cli_print_json(cli, &reply);
    printf("endpoint %s tries nothing, %s@%lld answers all\n", name,
           json_as_text(json_member(reply.json, "model"), ""),
           (long long)json_as_int(json_member(reply.json, "version"), 0));
    return true;
}

static const CommandOption canary_options[] = {
    {"--version", OPTION_TEXT, "VERSION", "a number, latest or an alias; the one that is tried"},
    {"--share", OPTION_NUMBER, "PERCENT", "of the requests that it answers, from 0 to 100"},
    {"--shadow", OPTION_FLAG, NULL,
     "ask it beside the live version, and give its answers to nobody"},
    {"--clear", OPTION_FLAG, NULL, "try nothing any more"},
    {"--model", OPTION_TEXT, "NAME", "the registered model; the one that is live"},
    {"--comment", OPTION_TEXT, "TEXT", "why; needed for all requests, for the gate is not asked"},
    {0},
};

static bool canary(Cli *cli)
{
    const char *name = cli_argument(cli, 0);
    int ways = cli_has_option(cli, "--share") + cli_has_option(cli, "--shadow") +
               cli_has_option(cli, "--clear");

    if (ways > 1)
        return fail(&cli->error, ERROR_INVALID, "give one of --share, --shadow and --clear");
    if (cli_has_option(cli, "--clear"))
        return clear_candidate(cli, name);
    if (ways == 1)
        return set_candidate(cli, name);
    if (cli_has_option(cli, "--version"))
        return fail(&cli->error, ERROR_INVALID,
                    "say how it is to be tried: --share PERCENT or --shadow");
    return show_candidate(cli, name);
}

const Command candidate_commands[] = {
    {"endpoint canary", "NAME", canary,
     "Try a version beside the live one: on a share of the requests, or as a shadow; or show how "
     "it "
     "does.",
     "slipway endpoint canary spam --version 2 --share 10", canary_options},
    {0},
};
