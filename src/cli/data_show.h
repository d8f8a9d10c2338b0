/* data_show.h: how data sets are shown: slipway data list, show, profile. */
#pragma once

#include "cli/command.h"

bool data_list(Cli *cli);
bool data_show(Cli *cli);
bool data_profile(Cli *cli);

/* What of a report about expected data is not met, a line each; nothing when all is. */
void data_print_violations(const JsonValue *report);

/* What an import came to. */
void data_print_added(Cli *cli, const ClientReply *reply);
