/* evidence.c: slipway audit served, slipway audit answer */

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"

#define NO_DATA "no data"

/* Texts of other people in one line, whatever they are. */
static const char *text_of(const JsonValue *object, const char *key)
{
    const char *text = json_as_text(json_member(object, key), "");

    return *text ? text : NO_DATA;
}

static long long number_of(const JsonValue *object, const char *key)
{
    return (long long)json_as_int(json_member(object, key), 0);
}

static void print_line(const char *label, const char *text)
{
    printf("  %-12s %s\n", label, text);
}

/* "2026-05-01 10:00:00 by ada" */
static const char *when_and_who(Cli *cli, const JsonValue *object, const char *at, const char *by)
{
    return cli_format(cli, "%s by %s", cli_time(cli, json_member(object, at)), text_of(object, by));
}

static const char *with_comment(Cli *cli, const char *text, const JsonValue *comment)
{
    const char *said = json_as_text(comment, "");

    return *said ? cli_format(cli, "%s: %s", text, said) : text;
}

/* ---- who put it there, and what came after ---- */

static void print_deployment(Cli *cli, const JsonValue *deployment)
{
    const JsonValue *next = json_member(deployment, "successor");
    const char *how = json_as_text(json_member(deployment, "reason"), "candidate");
    const char *end = "no: it serves still";

    print_line("version", cli_format(cli, "%s@%lld", text_of(deployment, "model"),
                                     number_of(deployment, "version")));
    print_line("package", text_of(deployment, "package"));
    print_line("deployed",
               with_comment(cli,
                            cli_format(cli, "%s (%s, number %lld)",
                                       when_and_who(cli, deployment, "created_at", "created_by"),
                                       how, number_of(deployment, "id")),
                            json_member(deployment, "comment")));
    if (!json_is_null(json_member(deployment, "ended_at")))
        end = with_comment(cli,
                           cli_format(cli, "%s (%s)",
                                      when_and_who(cli, deployment, "ended_at", "ended_by"),
                                      text_of(deployment, "end_reason")),
                           json_member(deployment, "end_comment"));
    print_line(json_is_object(next) || strcmp(how, "candidate") != 0 ? "replaced" : "ended", end);
    if (json_is_object(next))
        print_line("by version", cli_format(cli, "%s@%lld (number %lld)", text_of(next, "model"),
                                            number_of(next, "version"), number_of(next, "id")));
}

/* ---- who approved it ---- */

static void print_pipeline_run(Cli *cli, const JsonValue *run)
{
    const JsonValue *origin = json_member(run, "origin");
    const char *branch = json_as_text(json_member(origin, "branch"), "");

    if (!json_is_object(run)) {
        print_line("pipeline", NO_DATA ": no run of a pipeline brought it here");
        return;
    }
    print_line("pipeline", cli_format(cli, "%s#%lld, %s, started %s", text_of(run, "project"),
                                      number_of(run, "number"), text_of(run, "status"),
                                      when_and_who(cli, run, "created_at", "created_by")));
    print_line("trigger", cli_format(cli, "%s, commit %s%s%s%s", text_of(origin, "trigger"),
                                     text_of(origin, "commit"), *branch ? " on " : "", branch,
                                     json_as_bool(json_member(origin, "is_dirty"), false)
                                         ? ", and files had changed since"
                                         : ""));
}

static void print_approval(Cli *cli, const JsonValue *approval)
{
    print_line("approval", cli_format(cli, "%lld %s, %s, digest %.12s, asked %s",
                                      number_of(approval, "id"), text_of(approval, "title"),
                                      text_of(approval, "status"), text_of(approval, "digest"),
                                      when_and_who(cli, approval, "created_at", "asked_by")));
    for (JsonWalk walk = json_walk(json_member(approval, "decisions")); json_walk_next(&walk);)
        print_line(json_as_bool(json_member(walk.value, "approved"), false) ? "  approved"
                                                                            : "  rejected",
                   with_comment(cli, when_and_who(cli, walk.value, "created_at", "decided_by"),
                                json_member(walk.value, "comment")));
}

static void print_approvals(Cli *cli, const JsonValue *approvals)
{
    for (JsonWalk walk = json_walk(approvals); json_walk_next(&walk);)
        print_approval(cli, walk.value);
    if (!json_count(approvals))
        print_line("approval", NO_DATA ": nobody was asked");
}

/* ---- how it was judged ---- */

static const char *judged(Cli *cli, const JsonValue *verdict, const char *key)
{
    const JsonValue *one = json_member(verdict, key);

    if (!json_is_object(one))
        return cli_format(cli, "%s " NO_DATA, key);
    return cli_format(cli, "%s %s@%lld %s", key, text_of(one, "model"), number_of(one, "version"),
                      cli_number(cli, json_as_double(json_member(one, "value"), NAN), 4));
}

static void print_gate(Cli *cli, const JsonValue *gate)
{
    const JsonValue *verdict = json_member(gate, "verdict");
    const JsonValue *interval = json_member(verdict, "interval");

    if (!json_is_object(gate)) {
        print_line("gate", NO_DATA ": it was not asked");
        return;
    }
    print_line("gate", cli_format(cli, "%s, %s: %s", text_of(gate, "outcome"),
                                  when_and_who(cli, gate, "created_at", "created_by"),
                                  text_of(gate, "reason")));
    print_line(text_of(verdict, "metric"),
               cli_format(cli, "%s, %s", judged(cli, verdict, "challenger"),
                          judged(cli, verdict, "champion")));
    if (json_is_number(json_member(verdict, "difference")))
        print_line(
            "difference",
            cli_format(cli, "%s, from %s to %s",
                       cli_number(cli, json_as_double(json_member(verdict, "difference"), NAN), 4),
                       cli_number(cli, json_as_double(json_member(interval, "low"), NAN), 4),
                       cli_number(cli, json_as_double(json_member(interval, "high"), NAN), 4)));
}

/* ---- what it came from ---- */

static void print_data(Cli *cli, const JsonValue *evidence, const JsonValue *version)
{
    const JsonValue *data = json_member(evidence, "dataset");
    const JsonValue *holdout = json_member(evidence, "holdout");

    if (json_is_object(data))
        print_line("data", cli_format(cli, "%s@%lld, %lld rows, digest %s, added %s",
                                      text_of(data, "name"), number_of(data, "version"),
                                      number_of(data, "row_count"), text_of(data, "digest"),
                                      when_and_who(cli, data, "created_at", "created_by")));
    else
        print_line("data", NO_DATA);
    if (json_is_object(holdout))
        print_line("hold-out",
                   cli_format(cli, "%lld rows, %s, digest %s", number_of(holdout, "row_count"),
                              text_of(holdout, "by"), text_of(holdout, "digest")));
    else
        print_line("hold-out", text_of(version, "holdout_digest"));
}

static void print_run(Cli *cli, const JsonValue *run)
{
    if (!json_is_object(run)) {
        print_line("run", NO_DATA);
        return;
    }
    print_line("run",
               cli_format(cli, "%s  %s, %s, %s", text_of(run, "id"), text_of(run, "name"),
                          text_of(run, "status"), when_and_who(cli, run, "started_at", "user")));
    for (JsonWalk walk = json_walk(json_member(run, "params")); json_walk_next(&walk);)
        print_line("  param", cli_format(cli, "%-24s %s", walk.key, json_as_text(walk.value, "")));
    for (JsonWalk walk = json_walk(json_member(run, "metrics")); json_walk_next(&walk);)
        print_line("  metric",
                   cli_format(cli, "%-24s %s", text_of(walk.value, "key"),
                              json_print(json_member(walk.value, "value"), cli->arena)));
}

static void print_evidence(Cli *cli, const JsonValue *evidence)
{
    const JsonValue *lineage = json_member(evidence, "lineage");
    const JsonValue *version = json_member(lineage, "version");

    print_deployment(cli, json_member(evidence, "deployment"));
    print_pipeline_run(cli, json_member(evidence, "pipeline_run"));
    print_approvals(cli, json_member(evidence, "approvals"));
    print_gate(cli, json_member(evidence, "gate"));
    print_data(cli, evidence, version);
    print_line("code", text_of(version, "code_commit"));
    print_line("trained by", when_and_who(cli, version, "created_at", "created_by"));
    print_run(cli, json_member(lineage, "run"));
}

/* ---- the commands ---- */

static const CommandOption served_options[] = {
    {"--at", OPTION_TEXT, "TIME",
     "a moment with its zone, as 2026-05-01T10:00Z or 2026-05-01T12:00+02:00; now if it is not "
     "given"},
    {0},
};

static void print_candidate(Cli *cli, const JsonValue *candidate)
{
    const JsonValue *deployment = json_member(candidate, "deployment");

    if (!json_is_object(candidate)) {
        printf("candidate: none\n");
        return;
    }
    if (json_is_number(json_member(deployment, "share")))
        printf("candidate: a canary that answered %g %% of the requests\n",
               json_as_double(json_member(deployment, "share"), 0));
    else
        printf("candidate: a shadow, whose answers nobody got\n");
    print_evidence(cli, candidate);
}

static bool show_served(Cli *cli)
{
    const char *at = cli_option(cli, "--at");
    const char *path =
        cli_format(cli, "/api/v1/audit/served/%s%s%s", cli_encoded(cli, cli_argument(cli, 0)),
                   at ? "?at=" : "", at ? cli_encoded(cli, at) : "");
    ClientReply reply;

    if (!cli_get(cli, path, &reply))
        return false;
    if (cli->json)
        return cli_print_json(cli, &reply);
    printf("endpoint %s at %s UTC\n", text_of(reply.json, "endpoint"),
           cli_time(cli, json_member(reply.json, "at")));
    if (json_is_object(json_member(reply.json, "live"))) {
        printf("live:\n");
        print_evidence(cli, json_member(reply.json, "live"));
    } else {
        printf("live: " NO_DATA ", nothing was deployed\n");
    }
    print_candidate(cli, json_member(reply.json, "candidate"));
    return true;
}

static bool show_answer(Cli *cli)
{
    const JsonValue *prediction, *deployment;
    ClientReply reply;

    if (!cli_get(
            cli,
            cli_format(cli, "/api/v1/audit/answers/%s", cli_encoded(cli, cli_argument(cli, 0))),
            &reply))
        return false;
    if (cli->json)
        return cli_print_json(cli, &reply);
    prediction = json_member(reply.json, "prediction");
    deployment = json_member(json_member(reply.json, "evidence"), "deployment");
    printf("request %s at %s UTC\n", text_of(prediction, "request_id"),
           cli_time(cli, json_member(prediction, "created_at")));
    print_line("inputs", json_print(json_member(prediction, "inputs"), cli->arena));
    print_line("answers", json_print(json_member(prediction, "predictions"), cli->arena));
    printf("answered by endpoint %s, %s:\n", text_of(prediction, "endpoint"),
           text_of(deployment, "role"));
    print_evidence(cli, json_member(reply.json, "evidence"));
    return true;
}

const Command evidence_commands[] = {
    {"audit served", "ENDPOINT", show_served,
     "Show what an endpoint served at a moment: trained on what, judged how, approved and deployed "
     "by whom, replaced by what.",
     "slipway audit served spam --at 2026-05-01T10:00Z", served_options},
    {"audit answer", "REQUEST", show_answer, "Show a logged answer and the same of what gave it.",
     "slipway audit answer 0af7651916cd43dd8448eb211c80319c"},
    {0},
};
