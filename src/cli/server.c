/* server.c: slipway server */

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "cli/commands.h"
#include "net/url_parts.h"
#include "notify/target.h"
#include "pipelines/purge.h"
#include "server/origin.h"
#include "server/server.h"

enum {
    DEFAULT_PORT = 5000,
    PORT_MAX = 65535,
    CONNECTIONS_MAX = 1000000,
    STEPS_MAX = 1000,
    SECRET_BYTES_MAX = 4096,
};

static const CommandOption server_options[] = {
    {"--host", OPTION_TEXT, "ADDRESS",
     "the address to listen on (127.0.0.1); any but a loopback one demands tokens"},
    {"--port", OPTION_INT, "PORT", "the port (5000); 0: any free one"},
    {"--demand-token", OPTION_FLAG, NULL, "demand tokens on a loopback address too"},
    {"--probe-port", OPTION_INT, "PORT",
     "answer /healthz, /readyz and /metrics on this port too, on a thread of their own; 0: any"},
    {"--connections", OPTION_INT, "N", "the most connections at a time (8192)"},
    {"--connections-per-address", OPTION_INT, "N",
     "the most of one address (half of all); behind a proxy as many as --connections"},
    {"--steps", OPTION_INT, "N",
     "the most steps of pipelines at a time (as many as processors, 2 at least)"},
    {"--purge-after", OPTION_INT, "DAYS",
     "purge by itself, once a day at a quiet moment, what was deleted so many days ago"},
    {"--artifact-bytes-max", OPTION_INT, "BYTES",
     "refuse files that would take the artifact store over so many bytes; 0: none"},
    {"--webhook-host", OPTION_LIST, "HOST",
     "let webhooks go to this host by http, and at an address that is not public"},
    {"--smtp-url", OPTION_TEXT, "URL",
     "the mail server for webhooks to mailto: smtp://HOST:PORT or smtps://HOST:PORT"},
    {"--smtp-from", OPTION_TEXT, "ADDRESS", "the sender of mails"},
    {"--smtp-user", OPTION_TEXT, "NAME", "the user of the mail server"},
    {"--smtp-secret-file", OPTION_TEXT, "FILE", "whose first line is that user's password"},
    {"--executor", OPTION_TEXT, "NAME",
     "where steps of pipelines run that name no executor: local (the default) or slurm"},
    {"--slurm", OPTION_TEXT, "ADDRESS",
     "slurmrestd, for steps on a cluster: the absolute path of its socket, or its URL"},
    {"--slurm-user", OPTION_TEXT, "NAME", "whose jobs they are (who runs the server)"},
    {"--slurm-token-file", OPTION_TEXT, "FILE", "that user's token; needed with a URL"},
    {"--slurm-partition", OPTION_TEXT, "NAME", "where jobs go (the cluster's own choice)"},
    {"--slurm-account", OPTION_TEXT, "NAME", "who pays for jobs (the user's own)"},
    {"--slurm-qos", OPTION_TEXT, "NAME", "the quality of service of jobs (the user's own)"},
    {"--slurm-program", OPTION_TEXT, "PATH", "slipway on the nodes (the path of the server's own)"},
    {"--slurm-server", OPTION_TEXT, "URL", "where jobs reach this server (where it listens)"},
    {"--slurm-slots", OPTION_INT, "N", "the most jobs at a time, waiting ones included (500)"},
    {"--quiet", OPTION_FLAG, NULL, "log warnings and errors only"},
    {0},
};

/* Blocked in all threads, so that only sigwait() gets them. */
static sigset_t block_stop_signals(void)
{
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    return signals;
}

static bool read_port(Cli *cli, const char *option, int64_t otherwise, uint16_t *port)
{
    int64_t number = cli_option_int(cli, option, otherwise);

    if (number < 0 || number > PORT_MAX)
        return fail_field(&cli->error, option, "a port is 0 to %d", PORT_MAX);
    *port = (uint16_t)number;
    return true;
}

/* Leaves 0, which is the default, when the option was not given. */
static bool read_count(Cli *cli, const char *option, int64_t most, size_t *count)
{
    int64_t number = cli_option_int(cli, option, 1);

    if (number < 1 || number > most)
        return fail_field(&cli->error, option, "%s takes 1 to %lld", option, (long long)most);
    if (cli_has_option(cli, option))
        *count = (size_t)number;
    return true;
}

static bool read_upkeep(Cli *cli, ServerSpec *spec)
{
    int64_t days = cli_option_int(cli, "--purge-after", 1);
    int64_t bytes = cli_option_int(cli, "--artifact-bytes-max", 0);

    if (days < 1 || days > PURGE_DAYS_MAX)
        return fail_field(&cli->error, "--purge-after", "--purge-after takes 1 to %d days",
                          PURGE_DAYS_MAX);
    if (bytes < 0)
        return fail_field(&cli->error, "--artifact-bytes-max",
                          "--artifact-bytes-max takes a number of bytes, or 0 for no limit");
    spec->purge_after_days = cli_has_option(cli, "--purge-after") ? days : 0;
    spec->artifact_bytes_max = bytes;
    return true;
}

/* A password goes out over TLS, or to this machine. */
static bool read_mail_secret(Cli *cli, MailServer *server, const char *host)
{
    const char *path = cli_option(cli, "--smtp-secret-file"), *bytes;
    size_t size;

    server->user = cli_option(cli, "--smtp-user");
    if (!server->user != !path)
        return fail_field(&cli->error, "--smtp-user",
                          "--smtp-user and --smtp-secret-file come together");
    if (!path)
        return true;
    if (!file_read(path, SECRET_BYTES_MAX, cli->arena, &bytes, &size, &cli->error))
        return false;
    server->secret = arena_copy(cli->arena, bytes, strcspn(bytes, "\r\n"));
    server->demands_tls = !address_is_loopback(host);
    return true;
}

static bool read_mail(Cli *cli, NotifySettings *notify)
{
    const char *url = cli_option(cli, "--smtp-url"), *from = cli_option(cli, "--smtp-from");
    UrlParts parts;

    if (!url && !from && !cli_option(cli, "--smtp-user"))
        return true;
    if (!url || !from || !target_is_address(from))
        return fail_field(&cli->error, "--smtp-from",
                          "mails need --smtp-url and --smtp-from, which is an address as "
                          "slipway@example.com");
    if (!url_take_apart(url, cli->arena, &parts, &cli->error) || parts.has_user ||
        (strcmp(parts.scheme, "smtp") != 0 && strcmp(parts.scheme, "smtps") != 0))
        return fail_field(&cli->error, "--smtp-url",
                          "--smtp-url takes smtp://HOST:PORT or smtps://HOST:PORT");
    notify->mail_server.url = url;
    notify->mail_sender = from;
    return read_mail_secret(cli, &notify->mail_server, parts.host);
}

static bool refuse_without_slurm(Cli *cli)
{
    static const char *const options[] = {
        "--slurm-user", "--slurm-token-file", "--slurm-partition", "--slurm-account",
        "--slurm-qos",  "--slurm-program",    "--slurm-server",    "--slurm-slots"};

    for (size_t i = 0; i < COUNT(options); i++)
        if (cli_has_option(cli, options[i]))
            return fail_field(&cli->error, options[i], "%s goes with --slurm", options[i]);
    return true;
}

static bool read_executors(Cli *cli, ExecutorSettings *settings)
{
    int64_t slots = cli_option_int(cli, "--slurm-slots", SLURM_SLOTS_DEFAULT);
    const char *server = cli_option(cli, "--slurm-server");

    settings->standard = cli_option(cli, "--executor");
    settings->slurm_server = server;
    settings->slurm_slots = (size_t)slots;
    settings->slurm = (SlurmSpec){.address = cli_option(cli, "--slurm"),
                                  .user = cli_option(cli, "--slurm-user"),
                                  .token_file = cli_option(cli, "--slurm-token-file"),
                                  .partition = cli_option(cli, "--slurm-partition"),
                                  .account = cli_option(cli, "--slurm-account"),
                                  .qos = cli_option(cli, "--slurm-qos"),
                                  .program = cli_option(cli, "--slurm-program")};
    if (!settings->slurm.address && !refuse_without_slurm(cli))
        return false;
    if (slots < 1 || slots > SLURM_SLOTS_MAX)
        return fail_field(&cli->error, "--slurm-slots", "--slurm-slots takes 1 to %d",
                          SLURM_SLOTS_MAX);
    return !server || text_has_prefix(server, "http://") || text_has_prefix(server, "https://") ||
           fail_field(&cli->error, "--slurm-server",
                      "--slurm-server takes a URL as "
                      "http://slipway.example.com:5000");
}

static void say_where(const Cli *cli, const Server *server)
{
    printf("slipway is at %s, its data in %s\n", server_url(server), cli->folder);
    if (server_probe_url(server))
        printf("probes are at %s\n", server_probe_url(server));
    fflush(stdout);
    log_event(LOG_INFO, "started", log_text("url", server_url(server)),
              log_text("folder", cli->folder));
}

static bool run_server(Cli *cli)
{
    ServerSpec spec = {
        .folder = cli->folder,
        .address = cli_option(cli, "--host") ? cli_option(cli, "--host") : "127.0.0.1",
        .demands_token = cli_has_option(cli, "--demand-token"),
        .has_probe_port = cli_has_option(cli, "--probe-port"),
    };
    sigset_t signals;
    Server *server;
    int signal_number;

    if (!read_port(cli, "--port", DEFAULT_PORT, &spec.port) ||
        !read_port(cli, "--probe-port", 0, &spec.probe_port) ||
        !read_count(cli, "--connections", CONNECTIONS_MAX, &spec.connections_max) ||
        !read_count(cli, "--connections-per-address", CONNECTIONS_MAX, &spec.per_address_max) ||
        !read_count(cli, "--steps", STEPS_MAX, &spec.steps_max) || !read_upkeep(cli, &spec) ||
        !read_mail(cli, &spec.notify) || !read_executors(cli, &spec.executors))
        return false;
    spec.notify.hosts = cli_option_list(cli, "--webhook-host");
    if (cli_has_option(cli, "--quiet"))
        log_set_level(LOG_WARNING);
    signals = block_stop_signals();
    if (!server_open(&spec, &server, &cli->error))
        return false;
    say_where(cli, server);
    sigwait(&signals, &signal_number);
    log_event(LOG_INFO, "stopping", log_int("signal", signal_number));
    server_close(server);
    return true;
}

const Command server_commands[] = {
    {"server", NULL, run_server, "Start the server.", "slipway server --port 5000", server_options},
    {0},
};
