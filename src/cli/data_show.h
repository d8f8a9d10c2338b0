/* data_show.h: how data sets are shown: slipway data list, show, profile. */
#pragma once

#include "cli/command.h"

bool data_list(Cli *cli);
bool data_show(Cli *cli);
bool data_profile(Cli *cli);

/* What an import came to. */
void data_print_added(Cli *cli, const ClientReply *reply);
