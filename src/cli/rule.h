/* rule.h: the rule of a gate as a person reads it. */
#pragma once

#include "cli/command.h"

/* "f1 not-worse, margin 0.01 + 1 % of the champion's, minimum 0.85, level 0.95" */
const char *cli_rule(Cli *cli, const JsonValue *rule);
