/* event.c: slipway audit log, slipway audit verify */

#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/event_reason.h"

/* ---- the log ---- */

static const CommandOption log_options[] = {
    {"--project", OPTION_TEXT, "PROJECT", "only what was done for this project"},
    {"--subject", OPTION_TEXT, "KIND:NAME",
     "only about this: \"model:spam\", \"endpoint:spam\", \"dataset:comments\", "
     "\"pipeline_run:spam#3\", \"run:ID\", \"environment:production\" ..."},
    {"--by", OPTION_TEXT, "WHO", "only what this one did"},
    {"--action", OPTION_TEXT, "ACTION", "only this action, or those that start so: \"endpoint.\""},
    {"--object", OPTION_TEXT, "OBJECT", "only of this object: \"spam@3\""},
    {"--from", OPTION_TEXT, "TIME", "from this moment on, with its zone: 2026-05-01T10:00Z"},
    {"--to", OPTION_TEXT, "TIME", "before this moment"},
    {"--before", OPTION_INT, "NUMBER", "only events before the one with this number"},
    {"--limit", OPTION_INT, "COUNT", "at most so many, the newest (100)"},
    {0},
};

typedef struct EventShown {
    const JsonValue *event;
} EventShown;

typedef struct EventPage {
    JsonWriter *json; /* the events, the newest first */
    struct {
        EventShown *items;
        size_t count;
    } events;
    int64_t left;
    int64_t next; /* 0: there are no others */
} EventPage;

static const char *query_of(Cli *cli)
{
    static const char *const names[] = {"project", "subject", "by", "action",
                                        "object",  "from",    "to"};
    TextBuilder text = {.arena = cli->arena};

    text_append(&text, "/api/v1/audit?newest_first=true");
    for (size_t i = 0; i < COUNT(names); i++) {
        const char *value = cli_option(cli, cli_format(cli, "--%s", names[i]));

        if (value)
            text_append_format(&text, "&%s=%s", names[i], cli_encoded(cli, value));
    }
    return text_built(&text);
}

static bool add_page(Cli *cli, const char *query, EventPage *page)
{
    enum { EVENTS_PER_PAGE = 1000 };
    long long limit = page->left < EVENTS_PER_PAGE ? page->left : EVENTS_PER_PAGE;
    const char *path = cli_format(cli, "%s&limit=%lld", query, limit);
    ClientReply reply;

    if (page->next)
        path = cli_format(cli, "%s&before=%lld", path, (long long)page->next);
    if (!cli_get(cli, path, &reply))
        return false;
    for (JsonWalk walk = json_walk(json_member(reply.json, "events")); json_walk_next(&walk);) {
        json_raw(page->json, NULL, json_print(walk.value, cli->arena));
        *arena_push(cli->arena, &page->events) = (EventShown){walk.value};
        page->left--;
    }
    page->next = json_as_int(json_member(reply.json, "next"), 0);
    return true;
}

static bool read_events(Cli *cli, EventPage *page)
{
    const char *query = query_of(cli);

    json_open_object(page->json, NULL);
    json_open_array(page->json, "events");
    do {
        if (!add_page(cli, query, page))
            return false;
    } while (page->left > 0 && page->next);
    json_close(page->json);
    if (page->next)
        json_int(page->json, "next", page->next);
    else
        json_null(page->json, "next");
    json_close(page->json);
    return true;
}

/* The oldest first. */
static void print_events(Cli *cli, const EventPage *page)
{
    enum { COLUMNS = 6 };
    static const char *const head[COLUMNS] = {"NUMBER", "TIME", "WHO", "WHAT", "ON", "WHY"};
    struct {
        const char **items;
        size_t count;
    } cells = {0};

    for (size_t i = 0; i < COLUMNS; i++)
        *arena_push(cli->arena, &cells) = head[i];
    for (size_t i = page->events.count; i; i--) {
        const JsonValue *event = page->events.items[i - 1].event;

        *arena_push(cli->arena, &cells) =
            cli_format(cli, "%lld", (long long)json_as_int(json_member(event, "id"), 0));
        *arena_push(cli->arena, &cells) = cli_time(cli, json_member(event, "created_at"));
        *arena_push(cli->arena, &cells) = event_line_text(cli, cli_text(event, "principal"));
        *arena_push(cli->arena, &cells) = cli_text(event, "action");
        *arena_push(cli->arena, &cells) = event_line_text(cli, cli_text(event, "object"));
        *arena_push(cli->arena, &cells) = event_reason(cli, event);
    }
    cli_print_table(cells.items, COLUMNS, cells.count / COLUMNS, "rlllll");
}

static bool show_log(Cli *cli)
{
    enum { LIMIT = 100 };
    EventPage page = {
        .json = json_writer_create(cli->arena),
        .left = cli_option_int(cli, "--limit", LIMIT),
        .next = cli_option_int(cli, "--before", 0),
    };

    if (page.left < 1)
        return fail_field(&cli->error, "--limit", "a limit is 1 or more");
    if (!read_events(cli, &page))
        return false;
    if (cli->json) {
        printf("%s\n", json_finish(page.json));
        return true;
    }
    if (page.events.count)
        print_events(cli, &page);
    else
        printf("no events\n");
    if (page.next)
        fprintf(stderr, "Older ones: --before %lld\n", (long long)page.next);
    return true;
}

/* ---- the check ---- */

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

const Command event_commands[] = {
    {"audit log", NULL, show_log,
     "Show the audit trail, the newest events last: when, who, what, on what, and why.",
     "slipway audit log --project spam --from 2026-05-01T00:00Z", log_options},
    {"audit verify", NULL, verify_audit, "Check that the audit trail was not changed.",
     "slipway audit verify", verify_options},
    {0},
};
