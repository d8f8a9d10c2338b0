#include "cli/upload.h"

static bool has_blob(Cli *cli, const char *digest)
{
    const ClientCall call = {.method = "HEAD",
                             .path = cli_format(cli, "/api/v1/artifacts/%s", digest)};
    ClientReply reply;
    bool is_there = cli_call(cli, &call, &reply);

    cli->error = (Error){0};
    return is_there;
}

bool cli_upload(Cli *cli, const char *name, const char *path, char digest[DIGEST_TEXT_SIZE])
{
    ClientCall call = {.method = "PUT",
                       .body_file = path,
                       .content_type = "application/octet-stream",
                       .timeout_seconds = 24 * 60 * 60};
    ClientReply reply;

    if (!digest_file(path, digest, &cli->error))
        return false;
    cli_progress(cli, "sending %s", name);
    call.path = cli_format(cli, "/api/v1/artifacts/%s", digest);
    return has_blob(cli, digest) || cli_call(cli, &call, &reply) ||
           fail_in(&cli->error, "\"%s\"", path);
}
