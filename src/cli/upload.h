/* upload.h: files of this machine, into the server's artifact store. */
#pragma once

#include "base/digest.h"
#include "cli/command.h"

/* Sends the file unless its bytes are there already; name is what progress calls it. */
bool cli_upload(Cli *cli, const char *name, const char *path,
                char digest[DIGEST_TEXT_SIZE]) MUST_CHECK;
