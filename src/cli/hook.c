/* hook.c: slipway hook set, show, script */

#include <stdio.h>
#include <string.h>

#include "cli/commands.h"

static const CommandOption set_options[] = {
    {"--repository", OPTION_TEXT, "REPOSITORY",
     "a bare repository's path, or a URL that git knows"},
    {0},
};

static const char *hook_path(Cli *cli)
{
    return cli_format(cli, "/api/v1/hooks/%s", cli_encoded(cli, cli_argument(cli, 0)));
}

static bool set_hook(Cli *cli)
{
    JsonWriter *json = json_writer_create(cli->arena);
    ClientReply reply;

    if (!cli_option(cli, "--repository"))
        return fail(&cli->error, ERROR_INVALID,
                    "say with --repository where the project's code is pushed to");
    json_open_object(json, NULL);
    json_text(json, "repository", cli_option(cli, "--repository"));
    json_close(json);
    if (!cli_send(cli, "PUT", hook_path(cli), json_finish(json), &reply))
        return false;
    if (cli->json)
        return cli_print_json(cli, &reply);
    printf("%s\n", json_as_text(json_member(reply.json, "secret"), ""));
    return true;
}

static bool show_hook(Cli *cli)
{
    static const char *const columns[] = {"ref", "commit", "status", "told_by", "pusher", "reason"};
    const JsonValue *hook;
    TextList cells = {0};
    ClientReply reply;

    if (!cli_get(cli, hook_path(cli), &reply))
        return false;
    if (cli->json)
        return cli_print_json(cli, &reply);
    hook = json_member(reply.json, "hook");
    printf("repository  %s\n", json_as_text(json_member(hook, "repository"), ""));
    if (json_is_text(json_member(hook, "reason")))
        printf("not reached  %s\n", json_as_text(json_member(hook, "reason"), ""));
    for (size_t i = 0; i < COUNT(columns); i++)
        text_list_add(&cells, cli->arena, columns[i]);
    for (JsonWalk walk = json_walk(json_member(reply.json, "pushes")); json_walk_next(&walk);)
        for (size_t i = 0; i < COUNT(columns); i++)
            text_list_add(&cells, cli->arena,
                          cli_format(cli, i == 1 ? "%.12s" : "%s",
                                     json_as_text(json_member(walk.value, columns[i]), "-")));
    cli_print_table(cells.items, COUNT(columns), cells.count / COUNT(columns), "llllll");
    return true;
}

/* The push is done whatever becomes of this: what nobody hears of is found within a minute. */
static const char script[] =
    "#!/bin/sh\n"
    "# post-receive: tells Slipway of each push. Its secret is the line of the file\n"
    "# slipway-secret beside this folder, which only the repository's owner may read.\n"
    "secret=$(cat \"$(git rev-parse --git-dir)/slipway-secret\") || exit 0\n"
    "# Who pushes, by whoever lets them in: gitolite, a web server, else the system's login.\n"
    "pusher=${GL_USER:-${REMOTE_USER:-$(id -un)}}\n"
    "case $pusher in *[!A-Za-z0-9._@+-]*) pusher= ;; esac\n"
    "while read -r before after ref; do\n"
    "    "
    "body=\"{\\\"ref\\\":\\\"$ref\\\",\\\"before\\\":\\\"$before\\\",\\\"after\\\":\\\"$after\\\","
    "\\\"pusher\\\":\\\"$pusher\\\"}\"\n"
    "    sign=$(printf %%s \"$body\" | openssl dgst -sha256 -hmac \"$secret\" | sed 's/.* //')\n"
    "    curl --silent --show-error --max-time 10 --output /dev/null \\\n"
    "        --header \"X-Slipway-Signature: $sign\" --data-binary \"$body\" \\\n"
    "        '%s/api/v1/hooks/%s/git' || true\n"
    "done\n";

static const CommandOption script_options[] = {
    {"--url", OPTION_TEXT, "URL", "the server, as the repository reaches it"},
    {0},
};

static bool print_script(Cli *cli)
{
    const char *url = cli_option(cli, "--url");

    if (!url || strpbrk(url, "'\n\\"))
        return fail(
            &cli->error, ERROR_INVALID,
            "say with --url where the repository reaches the server: http://127.0.0.1:5000");
    printf(script, url, cli_encoded(cli, cli_argument(cli, 0)));
    return true;
}

const Command hook_commands[] = {
    {"hook set", "PROJECT", set_hook,
     "Say where a project's code is pushed to; prints the secret of its hook, once.",
     "slipway hook set spam --repository /srv/git/spam.git", set_options},
    {"hook show", "PROJECT", show_hook, "Show a project's repository and its last pushes.",
     "slipway hook show spam"},
    {"hook script", "PROJECT", print_script, "Print the post-receive hook of a bare repository.",
     "slipway hook script spam --url http://127.0.0.1:5000", script_options},
    {0},
};
