/* server.c: slipway server */

#include <signal.h>
#include <stdio.h>

#include "base/log.h"
#include "cli/commands.h"
#include "server/server.h"

enum { DEFAULT_PORT = 5000, PORT_MAX = 65535 };

static const CommandOption server_options[] = {
    {"--host", OPTION_TEXT, "ADDRESS",
     "the address to listen on (127.0.0.1); any but a loopback one demands tokens"},
    {"--port", OPTION_INT, "PORT", "the port (5000); 0: any free one"},
    {"--demand-token", OPTION_FLAG, NULL, "demand tokens on a loopback address too"},
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

static bool run_server(Cli *cli)
{
    int64_t port = cli_option_int(cli, "--port", DEFAULT_PORT);
    ServerSpec spec = {
        .folder = cli->folder,
        .address = cli_option(cli, "--host") ? cli_option(cli, "--host") : "127.0.0.1",
        .port = (uint16_t)port,
        .demands_token = cli_has_option(cli, "--demand-token"),
    };
    sigset_t signals;
    Server *server;
    int signal_number;

    if (port < 0 || port > PORT_MAX)
        return fail_field(&cli->error, "--port", "a port is 0 to %d", PORT_MAX);
    if (cli_has_option(cli, "--quiet"))
        log_set_level(LOG_WARNING);
    signals = block_stop_signals();
    if (!server_open(&spec, &server, &cli->error))
        return false;
    printf("slipway is at %s, its data in %s\n", server_url(server), cli->folder);
    fflush(stdout);
    log_event(LOG_INFO, "started", log_text("url", server_url(server)),
              log_text("folder", cli->folder));
    sigwait(&signals, &signal_number);
    log_event(LOG_INFO, "stopping", log_int("signal", signal_number));
    server_close(server);
    return true;
}

const Command server_commands[] = {
    {"server", NULL, run_server, "Start the server.", "slipway server --port 5000", server_options},
    {0},
};
