/* pipeline_follow.h: a run of a pipeline, as it goes on and as it ended. */
#pragma once

#include "cli/command.h"

/* Prints what its steps print and how they end, until the run has; fails when the run did. */
bool cli_follow_pipeline(Cli *cli, const JsonValue *run) MUST_CHECK;

/* The run and its steps as a table. */
bool cli_print_pipeline(Cli *cli, const JsonValue *run) MUST_CHECK;
