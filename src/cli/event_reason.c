#include "cli/event_reason.h"

#include <string.h>

/* What is told, part by part. */
typedef struct Line {
    Cli *cli;
    TextBuilder text;
} Line;

static void add(Line *line, const char *separator, const char *text)
{
    if (text && *text)
        text_append_format(&line->text, "%s%s", line->text.count ? separator : "", text);
}

static void add_member(Line *line, const char *separator, const JsonValue *object, const char *key)
{
    add(line, separator, json_as_text(json_member(object, key), NULL));
}

/* "spam@3"; NULL where there is none. */
static const char *version_of(Line *line, const JsonValue *version)
{
    return json_is_object(version)
               ? cli_format(line->cli, "%s@%lld", cli_text(version, "model"),
                            (long long)json_as_int(json_member(version, "version"), 0))
               : NULL;
}

/* ---- by action ---- */

static void tell_deployment(Line *line, const JsonValue *detail)
{
    const char *before = version_of(line, json_member(detail, "before"));

    add(line, "", version_of(line, json_member(detail, "after")));
    if (before)
        add(line, "", cli_format(line->cli, " for %s", before));
    add_member(line, ", by ", detail, "reason");
    add_member(line, ": ", detail, "comment");
}

static void tell_candidate(Line *line, const JsonValue *detail)
{
    const JsonValue *after = json_member(detail, "after");
    const JsonValue *candidate = json_is_object(after) ? after : json_member(detail, "before");

    add(line, "", version_of(line, candidate));
    if (json_as_bool(json_member(candidate, "shadow"), false))
        add(line, ", ", "a shadow");
    else
        add(line, ", ",
            cli_format(line->cli, "%g %% of the requests",
                       json_as_double(json_member(candidate, "share"), 0)));
    add_member(line, ", ", detail, "reason");
    add_member(line, ": ", detail, "comment");
}

static void tell_gate(Line *line, const JsonValue *detail)
{
    add(line, "", version_of(line, json_member(detail, "challenger")));
    add_member(line, ": ", detail, "reason");
}

/* Of a commit its first digits, of a branch its own name. */
static void add_code(Line *line, const char *commit, const char *branch)
{
    static const char heads[] = "refs/heads/";

    if (commit)
        add(line, " ", cli_format(line->cli, "of %.10s", commit));
    if (branch)
        add(line, " ",
            cli_format(line->cli, "to %s",
                       text_has_prefix(branch, heads) ? branch + sizeof(heads) - 1 : branch));
}

/* "pushed by octocat, written by Ada, ada@example.com" */
static void add_originators(Line *line, const JsonValue *list)
{
    const char *before = "";

    for (JsonWalk walk = json_walk(list); json_walk_next(&walk);) {
        const char *did = json_as_text(json_member(walk.value, "did"), "");
        const char *name = json_as_text(json_member(walk.value, "name"), "somebody");

        add(line, ", ",
            strcmp(did, before) == 0 ? name : cli_format(line->cli, "%s by %s", did, name));
        before = did;
    }
}

/* Of what wanted to start a run: "push of 1a2b3c4d5e to main, pushed by octocat, told by hook". */
static void add_origin(Line *line, const JsonValue *origin, const JsonValue *originators)
{
    add_member(line, "", origin, "trigger");
    add_code(line, json_as_text(json_member(origin, "commit"), NULL),
             json_as_text(json_member(origin, "branch"), NULL));
    add_member(line, ": ", origin, "cause");
    add_originators(line, originators);
    add_member(line, ", told by ", origin, "told_by");
    add_member(line, ", signed by ", origin, "signed_by");
}

static void tell_start(Line *line, const JsonValue *detail)
{
    const JsonValue *origin = json_member(detail, "origin");

    add_origin(line, origin, json_member(detail, "originators"));
}

static void tell_trigger(Line *line, const JsonValue *detail)
{
    add_member(line, "", detail, "pipeline_run");
    if (line->text.count)
        add(line, "", " by ");
    add_origin(line, detail, json_member(detail, "originators"));
    add_member(line, ": ", detail, "reason");
}

static void tell_push(Line *line, const JsonValue *detail)
{
    add_code(line, json_as_text(json_member(detail, "commit"), NULL),
             json_as_text(json_member(detail, "ref"), NULL));
    add_member(line, ", pushed by ", detail, "pusher");
    add_member(line, ", told by ", detail, "told_by");
    add_member(line, ", signed by ", detail, "signed_by");
}

static void tell_approval(Line *line, const JsonValue *detail)
{
    add(line, "",
        cli_format(line->cli, "%s, %lld of %lld", cli_text(detail, "environment"),
                   (long long)json_as_int(json_member(detail, "given"), 0),
                   (long long)json_as_int(json_member(detail, "needed"), 0)));
    add_member(line, ": ", detail, "comment");
    add_member(line, ": ", detail, "reason");
}

static void tell_alarm(Line *line, const JsonValue *detail)
{
    add_member(line, "", detail, "kind");
    add_member(line, ": ", detail, "detail");
}

static void tell_reason(Line *line, const JsonValue *detail)
{
    static const char *const members[] = {"reason", "comment", "cause"};

    for (size_t i = 0; i < COUNT(members); i++)
        add_member(line, ": ", detail, members[i]);
}

enum { MEMBERS_MAX = 4 };

typedef struct ReasonRow {
    const char *action; /* or the start of one */
    void (*tell)(Line *line, const JsonValue *detail);
    const char *members[MEMBERS_MAX]; /* instead: these, by name */
} ReasonRow;

static const ReasonRow rows[] = {
    {"alarm.", tell_alarm, {0}},
    {"approval.", tell_approval, {0}},
    {"dataset_version.", NULL, {"row_count", "set_aside_count"}},
    {"endpoint.candidate_", tell_candidate, {0}},
    {"endpoint.created", NULL, {"project"}},
    {"endpoint.deployed", tell_deployment, {0}},
    {"endpoint.rolled_back", tell_deployment, {0}},
    {"environment.bypassed", NULL, {"endpoint", "model", "version", "comment"}},
    {"gate.", tell_gate, {0}},
    {"holdout.", NULL, {"row_count", "by", "digest"}},
    {"hook.set", NULL, {"repository"}},
    {"model_alias.", NULL, {"alias", "before", "after"}},
    {"model_version.", NULL, {"run_id"}},
    {"pipeline.changed", NULL, {"file", "commit", "branch"}},
    {"pipeline_run.created", tell_start, {0}},
    {"pipeline_run.", NULL, {"reason"}},
    {"push.", tell_push, {0}},
    {"run.", NULL, {"name"}},
    {"trigger.", tell_trigger, {0}},
    {"", tell_reason, {0}},
};

static void tell_members(Line *line, const JsonValue *detail, const char *const members[])
{
    for (size_t i = 0; i < MEMBERS_MAX && members[i]; i++) {
        const JsonValue *value = json_member(detail, members[i]);

        if (json_is_text(value) || json_is_number(value))
            add(line, ", ",
                cli_format(line->cli, "%s %s", members[i],
                           json_as_text(value, json_print(value, line->cli->arena))));
    }
}

/* As much as fits beside the rest; --json has all of it. */
static const char *short_detail(Cli *cli, const JsonValue *detail)
{
    enum { SHOWN_BYTES = 120 };
    const char *text = json_print(detail, cli->arena);
    size_t end = SHOWN_BYTES;

    if (strcmp(text, "{}") == 0)
        return "-";
    if (strlen(text) <= SHOWN_BYTES)
        return text;
    while (end && ((unsigned char)text[end] & 0xc0) == 0x80)
        end--;
    return cli_format(cli, "%.*s...", (int)end, text);
}

const char *event_line_text(Cli *cli, const char *text)
{
    char *line = arena_text(cli->arena, text);

    for (char *at = line; *at; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f)
            *at = ' ';
    return line;
}

static const ReasonRow *row_of(const char *action)
{
    const ReasonRow *row = rows;

    while (!text_has_prefix(action, row->action)) /* the last one fits any */
        row++;
    return row;
}

const char *event_reason(Cli *cli, const JsonValue *event)
{
    const JsonValue *detail = json_member(event, "detail");
    const ReasonRow *row = row_of(cli_text(event, "action"));
    Line line = {.cli = cli, .text = {.arena = cli->arena}};

    if (row->tell)
        row->tell(&line, detail);
    else
        tell_members(&line, detail, row->members);
    if (line.text.count)
        return event_line_text(cli, text_built(&line.text));
    return row->tell ? event_line_text(cli, short_detail(cli, detail)) : "-";
}
