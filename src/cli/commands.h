/* commands.h: each cli/ file's table of commands. */
#pragma once

#include "cli/command.h"

extern const Command server_commands[], access_commands[], project_commands[], train_commands[],
    promote_commands[];
