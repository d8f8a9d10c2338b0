/* webhook.c: slipway webhook ... */

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "cli/commands.h"

enum { SECRET_BYTES_MAX = 1024 + 2, SHOWN_DELIVERIES = 20 };

static const char *number_member(Cli *cli, const JsonValue *object, const char *key)
{
    const JsonValue *value = json_member(object, key);

    return json_is_null(value) ? "-" : cli_format(cli, "%lld", (long long)json_as_int(value, 0));
}

static const char *webhook_path(Cli *cli, const char *rest)
{
    return cli_format(cli, "/api/v1/webhooks/%s%s", cli_encoded(cli, cli_argument(cli, 0)), rest);
}

static const char *events_text(Cli *cli, const JsonValue *webhook)
{
    TextBuilder builder = {.arena = cli->arena};

    for (JsonWalk walk = json_walk(json_member(webhook, "events")); json_walk_next(&walk);)
        text_append_format(&builder, "%s%s", walk.index ? ", " : "", json_as_text(walk.value, ""));
    return text_built(&builder);
}

static const CommandOption add_options[] = {
    {"--event", OPTION_LIST, "EVENT",
     "of which it is told, as model_version.created, or approval.*"},
    {"--secret-file", OPTION_TEXT, "FILE", "whose first line signs what is sent"},
    {"--description", OPTION_TEXT, "TEXT", "for people"},
    {"--disabled", OPTION_FLAG, NULL, "it is told nothing before slipway webhook enable"},
    {0},
};

/* On a command line, others would see it. */
static bool write_secret(Cli *cli, JsonWriter *json)
{
    const char *path = cli_option(cli, "--secret-file"), *bytes;
    size_t size;

    if (!path)
        return true;
    if (!file_read(path, SECRET_BYTES_MAX, cli->arena, &bytes, &size, &cli->error))
        return false;
    json_bytes(json, "secret", bytes, strcspn(bytes, "\r\n"));
    return true;
}

static bool add_webhook(Cli *cli)
{
    JsonWriter *json = json_writer_create(cli->arena);
    TextList events = cli_option_list(cli, "--event");
    ClientReply reply;

    json_open_object(json, NULL);
    json_text(json, "name", cli_argument(cli, 0));
    json_text(json, "url", cli_argument(cli, 1));
    json_texts(json, "events", &events);
    if (cli_option(cli, "--description"))
        json_text(json, "description", cli_option(cli, "--description"));
    if (!write_secret(cli, json))
        return false;
    json_bool(json, "active", !cli_has_option(cli, "--disabled"));
    json_close(json);
    if (!cli_send(cli, "POST", "/api/v1/webhooks", json_finish(json), &reply))
        return false;
    if (cli->json)
        return cli_print_json(cli, &reply);
    printf("webhook \"%s\" is told of %s\n", cli_argument(cli, 0), events_text(cli, reply.json));
    return true;
}

static bool list_webhooks(Cli *cli)
{
    static const char *const head[] = {"NAME", "URL", "ACTIVE", "WAITING", "EVENTS"};
    TextList cells = {0};
    ClientReply reply;

    if (!cli_get_all(cli, "/api/v1/webhooks", "webhooks", &reply))
        return false;
    if (cli->json)
        return cli_print_json(cli, &reply);
    for (size_t i = 0; i < COUNT(head); i++)
        text_list_add(&cells, cli->arena, head[i]);
    for (JsonWalk walk = json_walk(json_member(reply.json, "webhooks")); json_walk_next(&walk);) {
        bool is_active = json_as_bool(json_member(walk.value, "active"), false);

        text_list_add(&cells, cli->arena, cli_text(walk.value, "name"));
        text_list_add(&cells, cli->arena, cli_text(walk.value, "url"));
        text_list_add(&cells, cli->arena, is_active ? "yes" : "no");
        text_list_add(&cells, cli->arena, number_member(cli, walk.value, "waiting"));
        text_list_add(&cells, cli->arena, events_text(cli, walk.value));
    }
    cli_print_table(cells.items, COUNT(head), cells.count / COUNT(head), "lllrl");
    return true;
}

static bool print_deliveries(Cli *cli)
{
    static const char *const head[] = {"CREATED", "EVENT", "STATE", "TRIES", "STATUS", "REASON"};
    TextList cells = {0};
    ClientReply reply;

    if (!cli_get(cli,
                 webhook_path(cli, cli_format(cli, "/deliveries?limit=%d", (int)SHOWN_DELIVERIES)),
                 &reply))
        return false;
    for (size_t i = 0; i < COUNT(head); i++)
        text_list_add(&cells, cli->arena, head[i]);
    for (JsonWalk walk = json_walk(json_member(reply.json, "deliveries")); json_walk_next(&walk);) {
        text_list_add(&cells, cli->arena, cli_time(cli, json_member(walk.value, "created_at")));
        text_list_add(&cells, cli->arena, cli_text(walk.value, "event"));
        text_list_add(&cells, cli->arena, cli_text(walk.value, "state"));
        text_list_add(&cells, cli->arena, number_member(cli, walk.value, "tries"));
        text_list_add(&cells, cli->arena, number_member(cli, walk.value, "status"));
        text_list_add(&cells, cli->arena, cli_text(walk.value, "reason"));
    }
    printf("\n");
    cli_print_table(cells.items, COUNT(head), cells.count / COUNT(head), "lllrrl");
    return true;
}

static bool show_webhook(Cli *cli)
{
    ClientReply reply;

    if (!cli_get(cli, webhook_path(cli, ""), &reply))
        return false;
    if (cli->json)
        return cli_print_json(cli, &reply);
    printf("webhook  %s\nurl      %s\nevents   %s\nactive   %s\nsigned   %s\nwaiting  %s\n"
           "dropped  %s\n",
           cli_text(reply.json, "name"), cli_text(reply.json, "url"), events_text(cli, reply.json),
           json_as_bool(json_member(reply.json, "active"), false) ? "yes" : "no",
           json_as_bool(json_member(reply.json, "signed"), false) ? "yes" : "no",
           number_member(cli, reply.json, "waiting"), number_member(cli, reply.json, "dropped"));
    return print_deliveries(cli);
}

static bool set_active(Cli *cli, bool active)
{
    const char *body = active ? "{\"active\":true}" : "{\"active\":false}";
    ClientReply reply;

    if (!cli_send(cli, "PATCH", webhook_path(cli, ""), body, &reply))
        return false;
    if (cli->json)
        return cli_print_json(cli, &reply);
    printf("webhook \"%s\" is %s\n", cli_argument(cli, 0), active ? "active" : "disabled");
    return true;
}

static bool enable_webhook(Cli *cli)
{
    return set_active(cli, true);
}

static bool disable_webhook(Cli *cli)
{
    return set_active(cli, false);
}

static bool delete_webhook(Cli *cli)
{
    ClientReply reply;

    if (!cli_send(cli, "DELETE", webhook_path(cli, ""), NULL, &reply))
        return false;
    if (!cli->json)
        printf("webhook \"%s\" is deleted\n", cli_argument(cli, 0));
    return true;
}

static const CommandOption test_options[] = {
    {"--event", OPTION_TEXT, "EVENT", "of which an example is sent (one that it wants)"},
    {0},
};

static bool test_webhook(Cli *cli)
{
    JsonWriter *json = json_writer_create(cli->arena);
    ClientReply reply;

    json_open_object(json, NULL);
    if (cli_option(cli, "--event"))
        json_text(json, "event", cli_option(cli, "--event"));
    json_close(json);
    if (!cli_send(cli, "POST", webhook_path(cli, "/test"), json_finish(json), &reply))
        return false;
    if (cli->json)
        return cli_print_json(cli, &reply);
    if (!json_as_bool(json_member(reply.json, "delivered"), false))
        return fail(&cli->error, ERROR_UNAVAILABLE, "webhook \"%s\" was not told: %s",
                    cli_argument(cli, 0), cli_text(reply.json, "reason"));
    printf("webhook \"%s\" took an example, with status %s\n", cli_argument(cli, 0),
           number_member(cli, reply.json, "status"));
    return true;
}

const Command webhook_commands[] = {
    {"webhook add", "NAME URL", add_webhook,
     "Have a URL called, or a mail sent (mailto:ADDRESS), when something happens.",
     "slipway webhook add ci https://ci.example.com/hook --event model_version.created",
     add_options},
    {"webhook list", NULL, list_webhooks, "List the webhooks.", "slipway webhook list"},
    {"webhook show", "NAME", show_webhook, "Show a webhook and what it was told last.",
     "slipway webhook show ci"},
    {"webhook enable", "NAME", enable_webhook, "Tell a webhook again.",
     "slipway webhook enable ci"},
    {"webhook disable", "NAME", disable_webhook, "Tell a webhook nothing until it is enabled.",
     "slipway webhook disable ci"},
    {"webhook test", "NAME", test_webhook, "Send an example now and say what was answered.",
     "slipway webhook test ci", test_options},
    {"webhook delete", "NAME", delete_webhook, "Delete a webhook and what it was not told yet.",
     "slipway webhook delete ci"},
    {0},
};
