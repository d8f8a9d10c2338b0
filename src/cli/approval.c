/* approval.c: slipway approval list, show; slipway approve, reject */

#include <stdio.h>
#include <string.h>

#include "cli/commands.h"

enum { SHOWN_ENDED = 20, SHOWN_BYTES = 120, DIGEST_SHOWN_MIN = 12 };

/* ---- which approval ---- */

/* The one that a step of this run waits for: of "spam#12". */
static bool find_pending(Cli *cli, const char *text, const char *hash, int64_t *id)
{
    const char *project = arena_copy(cli->arena, text, (size_t)(hash - text));
    const JsonValue *list;
    ClientReply run, pending;

    if (!cli_get(cli,
                 cli_format(cli, "/api/v1/pipelines/%s/runs/%s", cli_encoded(cli, project),
                            cli_encoded(cli, hash + 1)),
                 &run) ||
        !cli_get(cli,
                 cli_format(cli, "/api/v1/approvals?status=pending&pipeline_run_id=%s",
                            json_as_text(json_member(run.json, "id"), "")),
                 &pending))
        return false;
    list = json_member(pending.json, "approvals");
    if (json_count(list) == 0)
        return fail(&cli->error, ERROR_NOT_FOUND, "%s waits for no approval", text);
    if (json_count(list) > 1)
        return fail(&cli->error, ERROR_CONFLICT,
                    "%s waits for %zu approvals: name one by its number, see slipway approval list",
                    text, json_count(list));
    for (JsonWalk walk = json_walk(list); json_walk_next(&walk);)
        *id = json_as_int(json_member(walk.value, "id"), 0);
    return true;
}

/* "7", or "spam#12". */
static bool get_approval(Cli *cli, ClientReply *reply)
{
    const char *text = cli_argument(cli, 0), *hash = strchr(text, '#');
    int64_t id = 0;

    if (hash && !find_pending(cli, text, hash, &id))
        return false;
    if (!hash && !text_to_int(text, &id))
        return fail(&cli->error, ERROR_INVALID,
                    "\"%s\" is neither the number of an approval nor a run as spam#12", text);
    return cli_get(cli, cli_format(cli, "/api/v1/approvals/%lld", (long long)id), reply);
}

static const char *approval_text(Cli *cli, const JsonValue *approval, const char *key)
{
    return cli_plain(cli, json_as_text(json_member(approval, key), ""));
}

static long long number(const JsonValue *approval, const char *key)
{
    return (long long)json_as_int(json_member(approval, key), 0);
}

static const char *given_text(Cli *cli, const JsonValue *approval)
{
    return cli_format(cli, "%lld of %lld", number(approval, "given"), number(approval, "needed"));
}

/* ---- list ---- */

static bool is_pending(Cli *cli, const JsonValue *approval)
{
    return strcmp(approval_text(cli, approval, "status"), "pending") == 0;
}

static void add_rows(Cli *cli, const JsonValue *approvals, bool pending, TextList *cells)
{
    for (JsonWalk walk = json_walk(approvals); json_walk_next(&walk);) {
        if (is_pending(cli, walk.value) != pending)
            continue;
        text_list_add(cells, cli->arena, cli_format(cli, "%lld", number(walk.value, "id")));
        text_list_add(cells, cli->arena, approval_text(cli, walk.value, "status"));
        text_list_add(cells, cli->arena, approval_text(cli, walk.value, "title"));
        text_list_add(cells, cli->arena, approval_text(cli, walk.value, "environment"));
        text_list_add(cells, cli->arena, given_text(cli, walk.value));
        text_list_add(cells, cli->arena, approval_text(cli, walk.value, "asked_by"));
        text_list_add(cells, cli->arena, cli_time(cli, json_member(walk.value, "expires_at")));
    }
}

static const CommandOption list_options[] = {
    {"--pending", OPTION_FLAG, NULL, "only what waits"},
    {0},
};

/* What waits comes first, whatever its age. */
static bool list_approvals(Cli *cli)
{
    static const char *const head[] = {"id",       "status",   "what",   "environment",
                                       "approved", "asked by", "expires"};
    ClientReply pending, newest;
    TextList cells = {0};

    if (!cli_get(cli, "/api/v1/approvals?status=pending&limit=1000", &pending))
        return false;
    if (cli->json && cli_has_option(cli, "--pending"))
        return cli_print_json(cli, &pending);
    if (cli->json)
        return cli_get_all(cli, "/api/v1/approvals", "approvals", &newest) &&
               cli_print_json(cli, &newest);
    for (size_t i = 0; i < COUNT(head); i++)
        text_list_add(&cells, cli->arena, head[i]);
    add_rows(cli, json_member(pending.json, "approvals"), true, &cells);
    if (!cli_has_option(cli, "--pending")) {
        if (!cli_get(cli, cli_format(cli, "/api/v1/approvals?limit=%d", (int)SHOWN_ENDED), &newest))
            return false;
        add_rows(cli, json_member(newest.json, "approvals"), false, &cells);
    }
    cli_print_table(cells.items, COUNT(head), cells.count / COUNT(head), "rlllrll");
    return true;
}

/* ---- show ---- */

/* As much as fits; --json has all of it. */
static const char *short_text(Cli *cli, const JsonValue *value)
{
    const char *text = cli_plain(cli, json_print(value, cli->arena));

    return strlen(text) <= SHOWN_BYTES
               ? text
               : cli_format(cli, "%.*s...", (int)text_cut(text, SHOWN_BYTES), text);
}

/* "accepted: f1 0.95 against 0.90", or all that it said. */
static void print_result(Cli *cli, const JsonValue *step)
{
    const JsonValue *result = json_member(step, "result");
    const char *name = approval_text(cli, step, "name"),
               *outcome = approval_text(cli, result, "outcome");
    const char *reason = approval_text(cli, result, "reason"),
               *model = approval_text(cli, result, "model");

    if (*outcome && *model)
        reason = cli_format(cli, "%s version %lld", model, number(result, "version"));
    if (*outcome)
        printf("  %-18s %s%s%s\n", name, outcome, *reason ? ": " : "", reason);
    else if (result && !json_is_null(result))
        printf("  %-18s %s\n", name, short_text(cli, result));
    if (json_count(json_member(step, "metrics")))
        printf("  %-18s %s\n", name, short_text(cli, json_member(step, "metrics")));
}

static void print_commands(Cli *cli, const JsonValue *commands)
{
    for (JsonWalk walk = json_walk(commands); json_walk_next(&walk);)
        printf("  %-18s %s\n", "runs", cli_plain(cli, json_as_text(walk.value, "")));
}

static void print_detail(Cli *cli, const JsonValue *detail)
{
    static const char *const keys[] = {"trigger", "commit", "branch", "cause"};
    const JsonValue *origin = json_member(detail, "origin");

    if (*approval_text(cli, detail, "uses"))
        printf("  %-18s %s\n", "uses", approval_text(cli, detail, "uses"));
    print_commands(cli, json_member(detail, "commands"));
    if (json_count(json_member(detail, "arguments")))
        printf("  %-18s %s\n", "runs", short_text(cli, json_member(detail, "arguments")));
    for (size_t i = 0; i < COUNT(keys); i++)
        if (*approval_text(cli, origin, keys[i]))
            printf("  %-18s %s%s\n", keys[i], approval_text(cli, origin, keys[i]),
                   i == 1 && json_as_bool(json_member(origin, "is_dirty"), false)
                       ? ", and files have changed since"
                       : "");
    for (JsonWalk walk = json_walk(json_member(detail, "steps")); json_walk_next(&walk);)
        print_result(cli, walk.value);
}

static void print_decisions(Cli *cli, const JsonValue *approval)
{
    for (JsonWalk walk = json_walk(json_member(approval, "decisions")); json_walk_next(&walk);)
        printf("  %s  %s by %s: %s\n", cli_time(cli, json_member(walk.value, "created_at")),
               json_as_bool(json_member(walk.value, "approved"), false) ? "approved" : "rejected",
               approval_text(cli, walk.value, "decided_by"),
               approval_text(cli, walk.value, "comment"));
}

/* "ada, who pushed it as octocat", or why nobody knows. */
static void print_originators(Cli *cli, const JsonValue *approval)
{
    const char *label = "caused by";

    for (JsonWalk walk = json_walk(json_member(approval, "originators")); json_walk_next(&walk);) {
        const char *name =
            cli_plain(cli, json_as_text(json_member(walk.value, "name"), "somebody unnamed"));
        const char *principal = json_as_text(json_member(walk.value, "principal"), NULL);
        const char *did = approval_text(cli, walk.value, "did");

        if (principal && strcmp(principal, name) == 0)
            printf("  %-18s %s: has %s it\n", label, name, did);
        else
            printf("  %-18s %s: has %s it as \"%s\"\n", label, principal ? principal : "not known",
                   did, name);
        label = "";
    }
    if (!json_as_bool(json_member(approval, "four_eyes"), false))
        return;
    if (json_as_bool(json_member(approval, "is_originator_known"), false))
        printf("  %-18s they cannot approve it\n", "");
    else
        printf("  %-18s nobody knows for sure, so it takes one approval more; an owner says who it "
               "was:\n  %-18s slipway identity set NAME --principal TOKEN\n",
               *label ? label : "", "");
}

static bool show_approval(Cli *cli)
{
    const JsonValue *approval;
    ClientReply reply;

    if (!get_approval(cli, &reply))
        return false;
    if (cli->json)
        return cli_print_json(cli, &reply);
    approval = reply.json;
    printf("approval %lld: %s\n", number(approval, "id"), approval_text(cli, approval, "status"));
    printf("  %-18s %s\n", "what", approval_text(cli, approval, "title"));
    printf("  %-18s %s\n", "digest", approval_text(cli, approval, "digest"));
    printf("  %-18s %s\n", "environment", approval_text(cli, approval, "environment"));
    printf("  %-18s %s%s\n", "approved by", given_text(cli, approval),
           json_as_bool(json_member(approval, "four_eyes"), false) ? ", four eyes" : "");
    printf("  %-18s %s, %s\n", "asked by", approval_text(cli, approval, "asked_by"),
           cli_time(cli, json_member(approval, "created_at")));
    print_originators(cli, approval);
    printf("  %-18s %s\n", "expires", cli_time(cli, json_member(approval, "expires_at")));
    if (!json_count(json_member(approval, "decisions")) && *approval_text(cli, approval, "reason"))
        printf("  %-18s %s\n", "reason", approval_text(cli, approval, "reason"));
    print_detail(cli, json_member(approval, "detail"));
    print_decisions(cli, approval);
    return true;
}

/* ---- deciding ---- */

static const CommandOption decide_options[] = {
    {"--comment", OPTION_TEXT, "TEXT", "why, for the record; it is needed"},
    {"--digest", OPTION_TEXT, "DIGEST",
     "of what you have looked at, or its first 12 digits; else what it is about now"},
    {0},
};

/* Of what was looked at; what it is about now where nothing was said. */
static bool check_digest(Cli *cli, const JsonValue *approval)
{
    const char *seen = cli_option(cli, "--digest"),
               *digest = approval_text(cli, approval, "digest");

    if (!seen)
        return true;
    if (strlen(seen) < DIGEST_SHOWN_MIN)
        return fail_field(&cli->error, "--digest", "--digest takes at least %d digits",
                          DIGEST_SHOWN_MIN);
    return text_has_prefix(digest, seen) ||
           fail(&cli->error, ERROR_CONFLICT,
                "approval %lld is about %.12s, not about %.12s: look at it again",
                number(approval, "id"), digest, seen);
}

static bool decide(Cli *cli, bool is_approved)
{
    JsonWriter *json = json_writer_create(cli->arena);
    const char *comment = cli_option(cli, "--comment");
    ClientReply reply, decided;

    if (!comment)
        return fail_field(&cli->error, "--comment", "--comment TEXT says why, and is needed");
    if (!get_approval(cli, &reply) || !check_digest(cli, reply.json))
        return false;
    json_open_object(json, NULL);
    json_bool(json, "approved", is_approved);
    json_text(json, "comment", comment);
    json_text(json, "digest", approval_text(cli, reply.json, "digest"));
    json_close(json);
    if (!cli_send(cli, "POST",
                  cli_format(cli, "/api/v1/approvals/%lld/decide", number(reply.json, "id")),
                  json_finish(json), &decided))
        return false;
    if (cli->json)
        return cli_print_json(cli, &decided);
    printf("approval %lld of %s (%.12s): %s", number(decided.json, "id"),
           approval_text(cli, decided.json, "title"), approval_text(cli, decided.json, "digest"),
           approval_text(cli, decided.json, "status"));
    if (is_pending(cli, decided.json))
        printf(", %s", given_text(cli, decided.json));
    printf("\n");
    return true;
}

static bool approve(Cli *cli)
{
    return decide(cli, true);
}

static bool reject(Cli *cli)
{
    return decide(cli, false);
}

const Command approval_commands[] = {
    {"approval list", NULL, list_approvals,
     "List what waits for people, then what they decided last.", "slipway approval list",
     list_options},
    {"approval show", "APPROVAL", show_approval,
     "Show what is to be approved: by its number, or what a run waits for.",
     "slipway approval show spam#12"},
    {"approve", "APPROVAL", approve, "Approve: by its number, or what a run waits for, as spam#12.",
     "slipway approve spam#12 --comment \"looked at the confusions\"", decide_options},
    {"reject", "APPROVAL", reject, "Reject: by its number, or what a run waits for, as spam#12.",
     "slipway reject 7 --comment \"not before the holidays\"", decide_options},
    {0},
};
