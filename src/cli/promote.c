/* promote.c: slipway promote, slipway gate list */

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/rule.h"

static const CommandOption promote_options[] = {
    {"--model", OPTION_TEXT, "NAME", "the registered model; default: named as the project"},
    {"--version", OPTION_TEXT, "VERSION", "a number, latest (the default) or an alias"},
    {"--comment", OPTION_TEXT, "TEXT", "why, for the record"},
    {0},
};

static const char *promote_body(Cli *cli)
{
    static const struct {
        const char *option, *key;
    } texts[] = {{"--model", "model"}, {"--version", "version"}, {"--comment", "comment"}};
    JsonWriter *json = json_writer_create(cli->arena);

    json_open_object(json, NULL);
    for (size_t i = 0; i < COUNT(texts); i++)
        if (cli_has_option(cli, texts[i].option))
            json_text(json, texts[i].key, cli_option(cli, texts[i].option));
    json_close(json);
    return json_finish(json);
}

static void print_contender(Cli *cli, const JsonValue *verdict, const char *role)
{
    const JsonValue *contender = json_member(verdict, role);

    if (json_is_null(contender))
        printf("  %-12s none serves yet\n", role);
    else
        printf("  %-12s %s version %lld   %s\n", role,
               json_as_text(json_member(contender, "model"), ""),
               (long long)json_as_int(json_member(contender, "version"), 0),
               cli_number(cli, json_as_double(json_member(contender, "value"), NAN), 4));
}

static void print_difference(Cli *cli, const JsonValue *verdict)
{
    const JsonValue *interval = json_member(verdict, "interval");

    if (!json_is_number(json_member(verdict, "difference")))
        return;
    printf("  %-12s %s, %g %% interval %s to %s: %s the noise\n", "difference",
           cli_number(cli, json_as_double(json_member(verdict, "difference"), NAN), 4),
           json_as_double(json_member(interval, "level"), NAN) * 100,
           cli_number(cli, json_as_double(json_member(interval, "low"), NAN), 4),
           cli_number(cli, json_as_double(json_member(interval, "high"), NAN), 4),
           json_as_bool(json_member(verdict, "within_noise"), false) ? "inside" : "beyond");
}

/* Frozen rows, or of a forecast the dates. */
static const char *describe_holdout(Cli *cli, const JsonValue *holdout)
{
    long long rows = (long long)json_as_int(json_member(holdout, "rows"), 0);
    const char *first = json_as_text(json_member(holdout, "first"), NULL);

    if (first)
        return cli_format(cli, "%lld values of %lld series, %.10s to %.10s", rows,
                          (long long)json_as_int(json_member(holdout, "series"), 0), first,
                          json_as_text(json_member(holdout, "last"), ""));
    return cli_format(cli, "%lld frozen rows (hold-out %.12s)", rows,
                      json_as_text(json_member(holdout, "digest"), "none"));
}

static void print_verdict(Cli *cli, const JsonValue *gate)
{
    const JsonValue *verdict = json_member(gate, "verdict");
    const JsonValue *holdout = json_member(verdict, "holdout");

    printf("gate: %s by %s on %s\n", json_as_text(json_member(verdict, "outcome"), ""),
           json_as_text(json_member(verdict, "metric"), ""), describe_holdout(cli, holdout));
    printf("  %-12s %s\n", "finding", json_as_text(json_member(verdict, "finding"), "none"));
    print_contender(cli, verdict, "challenger");
    print_contender(cli, verdict, "champion");
    print_difference(cli, verdict);
    printf("  %-12s %s\n", "baseline",
           cli_number(cli, json_as_double(json_member(verdict, "baseline"), NAN), 4));
    printf("  %-12s %s\n", "rule", cli_rule(cli, json_member(verdict, "rule")));
    for (JsonWalk walk = json_walk(json_member(verdict, "notes")); json_walk_next(&walk);)
        printf("  %-12s %s\n", walk.index ? "" : "notes", json_as_text(walk.value, ""));
    for (JsonWalk walk = json_walk(json_member(verdict, "warnings")); json_walk_next(&walk);)
        printf("  warning: %s\n", json_as_text(walk.value, ""));
}

static bool promote(Cli *cli)
{
    const char *endpoint = cli_argument(cli, 0);
    ClientReply reply = {0};
    bool promoted = cli_send(
        cli, "POST", cli_format(cli, "/api/v1/endpoints/%s/promote", cli_encoded(cli, endpoint)),
        promote_body(cli), &reply);
    const JsonValue *gate = json_member(reply.json, "gate");

    if (cli->json && gate)
        cli_print_json(cli, &reply);
    else if (gate)
        print_verdict(cli, gate);
    if (!promoted || cli->json)
        return promoted;
    printf("endpoint \"%s\" serves %s version %lld\n", endpoint,
           json_as_text(json_member(gate, "model"), ""),
           (long long)json_as_int(json_member(gate, "version"), 0));
    return true;
}

static bool list_gates(Cli *cli)
{
    const char *name = cli_encoded(cli, cli_argument(cli, 0));
    ClientReply reply;

    if (!cli_get_all(cli, cli_format(cli, "/api/v1/endpoints/%s/gates", name), "gates", &reply))
        return false;
    if (cli->json)
        return cli_print_json(cli, &reply);
    for (JsonWalk walk = json_walk(json_member(reply.json, "gates")); json_walk_next(&walk);)
        printf("%s  %-8s  %s version %lld  %s\n",
               cli_time(cli, json_member(walk.value, "created_at")),
               json_as_text(json_member(walk.value, "outcome"), ""),
               json_as_text(json_member(walk.value, "model"), ""),
               (long long)json_as_int(json_member(walk.value, "version"), 0),
               json_as_text(json_member(walk.value, "reason"), ""));
    return true;
}

const Command promote_commands[] = {
    {"promote", "ENDPOINT", promote,
     "Judge a version against the one that serves; deploy it if the gate accepts it.",
     "slipway promote spam --version 2", promote_options},
    {"gate list", "ENDPOINT", list_gates, "List what an endpoint's gate has said.",
     "slipway gate list spam"},
    {0},
};
