/* commands.c: the tables of all commands, in the order of help. */

#include "cli/commands.h"

const Command *const command_tables[] = {
    server_commands, project_commands, train_commands, promote_commands, access_commands, NULL,
};
