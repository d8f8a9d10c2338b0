#include "cli/pipeline_follow.h"

#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "cli/data_show.h"

enum { POLL_MS = 200, FOLLOWED_MAX = 200 };

/* One step, as far as it was printed. */
typedef struct Followed {
    const char *name, *status;
    const char *held; /* why it does not begin, as it was printed; or NULL */
    int64_t attempt, offset;
    bool is_begun; /* a line of it has no end yet */
} Followed;

typedef struct Follow {
    Cli *cli;
    const char *id;
    struct {
        Followed *items;
        size_t count;
    } steps;
} Follow;

static bool get_steps(Cli *cli, const char *id, ClientReply *reply, int64_t after)
{
    return cli_get(
        cli, cli_format(cli, "/api/v1/pipeline-runs/%s/steps?after=%lld", id, (long long)after),
        reply);
}

/* ---- following ---- */

/* Each line behind the step's name, so that those of several can be told apart. */
static void print_text(const Follow *follow, Followed *step, const char *text)
{
    for (const char *at = text; *at; at++) {
        if (!step->is_begun && follow->steps.count > 1)
            printf("%s | ", step->name);
        step->is_begun = *at != '\n';
        putchar(*at);
    }
}

static bool print_log(Follow *follow, Followed *step)
{
    Cli *cli = follow->cli;
    ClientReply reply;
    const char *text;

    do {
        if (!cli_get(cli,
                     cli_format(cli,
                                "/api/v1/pipeline-runs/%s/steps/%s/log?attempt=%lld&offset=%lld",
                                follow->id, cli_encoded(cli, step->name), (long long)step->attempt,
                                (long long)step->offset),
                     &reply))
            return false;
        text = json_as_text(json_member(reply.json, "text"), "");
        step->offset = json_as_int(json_member(reply.json, "next_offset"), step->offset);
        print_text(follow, step, text);
    } while (*text);
    return true;
}

static void print_end(Followed *step, const JsonValue *now)
{
    const char *reason = json_as_text(json_member(now, "reason"), NULL);
    bool is_cached = json_as_text(json_member(now, "cached_from"), NULL) != NULL;

    if (step->is_begun)
        putchar('\n');
    step->is_begun = false;
    printf("%s: %s%s%s\n", step->name, is_cached ? "cached" : step->status, reason ? ": " : "",
           reason ? reason : "");
}

/* It waits for people, for a time of the week, or until it was tried long enough: said once. */
static void print_held(Arena *arena, Followed *step, const JsonValue *now)
{
    const char *reason = json_as_text(json_member(now, "reason"), NULL);

    if (!reason || text_equal(reason, step->held))
        return;
    step->held = arena_text(arena, reason);
    printf("%s: %s\n", step->name, reason);
}

static bool is_end(const char *status)
{
    return strcmp(status, "waiting") != 0 && strcmp(status, "ready") != 0 &&
           strcmp(status, "running") != 0;
}

static bool take_step(Follow *follow, Followed *step, const JsonValue *now)
{
    const char *status = json_as_text(json_member(now, "status"), "");
    int64_t attempts = json_as_int(json_member(now, "attempts"), 0);

    if (is_end(step->status))
        return true;
    for (; step->attempt < attempts; step->offset = 0) {
        if (step->attempt && !print_log(follow, step))
            return false;
        step->attempt++;
    }
    step->status = arena_text(follow->cli->arena, status);
    if (step->attempt && !follow->cli->json && !print_log(follow, step))
        return false;
    if (is_end(status) && !follow->cli->json)
        print_end(step, now);
    if (!is_end(status) && !follow->cli->json)
        print_held(follow->cli->arena, step, now);
    fflush(stdout);
    return true;
}

static bool look(Follow *follow)
{
    ClientReply reply;
    size_t at = 0;

    if (!get_steps(follow->cli, follow->id, &reply, -1))
        return false;
    for (JsonWalk walk = json_walk(json_member(reply.json, "steps")); json_walk_next(&walk); at++) {
        if (at == follow->steps.count)
            *arena_push(follow->cli->arena, &follow->steps) = (Followed){
                .name = json_as_text(json_member(walk.value, "name"), ""), .status = "waiting"};
        if (at < FOLLOWED_MAX && !take_step(follow, &follow->steps.items[at], walk.value))
            return false;
    }
    return true;
}

/* How it ended; an exit code of its own for a run that failed, so that scripts can tell it from a
 * server that could not be asked. */
static bool report(Cli *cli, const ClientReply *reply)
{
    const JsonValue *run = reply->json;
    const char *status = json_as_text(json_member(run, "status"), "");
    const char *reason = json_as_text(json_member(run, "reason"), NULL);
    const char *name = cli_format(cli, "%s#%lld", json_as_text(json_member(run, "project"), ""),
                                  (long long)json_as_int(json_member(run, "number"), 0));

    if (cli->json && !cli_print_json(cli, reply))
        return false;
    if (strcmp(status, "succeeded") == 0) {
        if (!cli->json)
            printf("%s succeeded\n", name);
        return true;
    }
    return fail(&cli->error, ERROR_CONFLICT, "%s %s%s%s", name,
                strcmp(status, "cancelled") == 0 ? "was cancelled" : status, reason ? ": " : "",
                reason ? reason : "");
}

/* ---- until people are asked ---- */

static size_t steps_that_are(const Follow *follow, const char *status)
{
    size_t count = 0;

    for (size_t i = 0; i < follow->steps.count; i++)
        count += strcmp(follow->steps.items[i].status, status) == 0;
    return count;
}

/* Each step that could begin has an approval that nobody gave yet. */
static bool waits_for_people(const Follow *follow, bool *waits)
{
    size_t ready = steps_that_are(follow, "ready");
    ClientReply reply;

    *waits = false;
    if (!ready || steps_that_are(follow, "running") > 0)
        return true;
    if (!cli_get(follow->cli,
                 cli_format(follow->cli, "/api/v1/approvals?status=pending&pipeline_run_id=%s",
                            follow->id),
                 &reply))
        return false;
    *waits = json_count(json_member(reply.json, "approvals")) == ready;
    return true;
}

bool cli_follow_pipeline(Cli *cli, const JsonValue *run)
{
    bool until_approval = cli_has_option(cli, "--until-approval"), waits = false;
    Follow follow = {.cli = cli,
                     .id = arena_text(cli->arena, json_as_text(json_member(run, "id"), ""))};
    ClientReply reply;

    for (;;) {
        if (!cli_get(cli, cli_format(cli, "/api/v1/pipeline-runs/%s", follow.id), &reply) ||
            !look(&follow))
            return false;
        if (!json_is_null(json_member(reply.json, "ended_at")))
            return report(cli, &reply);
        if (until_approval && !waits_for_people(&follow, &waits))
            return false;
        if (waits)
            return !cli->json || cli_print_json(cli, &reply);
        time_sleep_ms(POLL_MS);
    }
}

/* ---- showing ---- */

static const char *seconds_of(Cli *cli, const JsonValue *step)
{
    int64_t begin, end;

    if (!time_parse(json_as_text(json_member(step, "started_at"), ""), &begin) ||
        !time_parse(json_as_text(json_member(step, "ended_at"), ""), &end))
        return "-";
    return cli_format(cli, "%.1f s", (double)(end - begin) / 1000);
}

/* Of a share of the traffic also what it was judged by. */
static const char *reason_of(Cli *cli, const JsonValue *step)
{
    const char *reason = json_as_text(json_member(step, "reason"), "");
    const char *judged = json_as_text(json_member(json_member(step, "result"), "judgement"), NULL);

    if (!judged || strcmp(judged, reason) == 0)
        return reason;
    return *reason ? cli_format(cli, "%s; %s", reason, judged) : judged;
}

static void add_row(Cli *cli, const JsonValue *step, TextList *cells)
{
    bool is_cached = json_as_text(json_member(step, "cached_from"), NULL) != NULL;

    text_list_add(cells, cli->arena, json_as_text(json_member(step, "name"), ""));
    text_list_add(cells, cli->arena,
                  is_cached ? "cached" : json_as_text(json_member(step, "status"), ""));
    text_list_add(
        cells, cli->arena,
        cli_format(cli, "%lld", (long long)json_as_int(json_member(step, "attempts"), 0)));
    text_list_add(cells, cli->arena, seconds_of(cli, step));
    text_list_add(cells, cli->arena, reason_of(cli, step));
}

/* Who started it, when and why, of which files; and what it waits for as a whole. */
static void print_origin(Cli *cli, const JsonValue *run)
{
    enum { COMMIT_SHOWN = 12 };
    const JsonValue *origin = json_member(run, "origin");
    const char *cause = json_as_text(json_member(origin, "cause"), NULL);
    const char *commit = json_as_text(json_member(origin, "commit"), NULL);
    const char *branch = json_as_text(json_member(origin, "branch"), NULL);

    printf("started by %s at %s: %s%s%s",
           cli_plain(cli, json_as_text(json_member(run, "created_by"), "somebody")),
           cli_time(cli, json_member(run, "created_at")),
           json_as_text(json_member(origin, "trigger"), "manual"), cause ? ", " : "",
           cause ? cli_plain(cli, cause) : "");
    if (commit)
        printf(", commit %.*s%s%s%s", COMMIT_SHOWN, cli_plain(cli, commit), branch ? " of " : "",
               branch ? cli_plain(cli, branch) : "",
               json_as_bool(json_member(origin, "is_dirty"), false) ? ", with other files" : "");
    printf("\n");
    if (json_is_text(json_member(run, "follows")) &&
        strcmp(json_as_text(json_member(run, "status"), ""), "queued") == 0)
        printf("begins when pipeline run %s has ended\n",
               json_as_text(json_member(run, "follows"), ""));
}

bool cli_print_pipeline(Cli *cli, const JsonValue *run)
{
    static const char *const head[] = {"step", "status", "attempts", "time", "reason"};
    const char *id = json_as_text(json_member(run, "id"), "");
    const char *reason = json_as_text(json_member(run, "reason"), NULL);
    TextList cells = {0};
    ClientReply reply;

    if (!get_steps(cli, id, &reply, -1))
        return false;
    if (cli->json)
        return cli_print_json(cli, &reply);
    printf("%s#%lld  %s%s%s\n", json_as_text(json_member(run, "project"), ""),
           (long long)json_as_int(json_member(run, "number"), 0),
           json_as_text(json_member(run, "status"), ""), reason ? ": " : "",
           reason ? cli_plain(cli, reason) : "");
    print_origin(cli, run);
    if (json_is_text(json_member(run, "purged_at"))) {
        printf("purged at %s: its steps, their logs and what they made are gone\n",
               cli_time(cli, json_member(run, "purged_at")));
        return true;
    }
    for (size_t i = 0; i < COUNT(head); i++)
        text_list_add(&cells, cli->arena, head[i]);
    for (JsonWalk walk = json_walk(json_member(reply.json, "steps")); json_walk_next(&walk);)
        add_row(cli, walk.value, &cells);
    cli_print_table(cells.items, COUNT(head), cells.count / COUNT(head), "llrrl");
    for (JsonWalk walk = json_walk(json_member(reply.json, "steps")); json_walk_next(&walk);)
        data_print_violations(json_member(json_member(walk.value, "result"), "expect"));
    return true;
}
