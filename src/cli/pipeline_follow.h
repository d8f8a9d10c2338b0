/* pipeline_follow.h: a run of a pipeline, as it goes on and as it ended. */
#pragma once

#include "cli/command.h"

/* An option of commands that follow: see below. */
#define FOLLOW_UNTIL_APPROVAL                                                                      \
    {                                                                                              \
        "--until-approval", OPTION_FLAG, NULL, "end, with status 0, when it only waits for people" \
    }

/* Prints what its steps print and how they end, until the run has; fails when the run did. With the
 * option --until-approval, or until nothing of it can go on unless somebody approves. */
bool cli_follow_pipeline(Cli *cli, const JsonValue *run) MUST_CHECK;

/* Which run is meant: "spam" the newest of the project, "spam#12" a certain one, 32 hexadecimal
 * digits an id. */
bool cli_find_pipeline(Cli *cli, const char *text, ClientReply *reply,
                       const JsonValue **run) MUST_CHECK;

/* The run and its steps as a table. */
bool cli_print_pipeline(Cli *cli, const JsonValue *run) MUST_CHECK;
