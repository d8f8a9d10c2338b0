/* candidate.h: what an endpoint tries beside its live version, as a person reads it. */
#pragma once

#include "cli/command.h"

/* A line with what is tried, and a table of what both versions did since; nothing when the
 * endpoint, as its route gave it, has no candidate. */
bool cli_print_candidate(Cli *cli, const JsonValue *endpoint) MUST_CHECK;
