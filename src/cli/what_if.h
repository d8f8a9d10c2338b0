/* what_if.h: what would be answered if some columns had other values, asked and as a person reads
 * it. */
#pragma once

#include "cli/command.h"

/* "what_if=age%3D41&..." by the options --what-if; "" without any. */
const char *cli_what_if_query(Cli *cli);

/* Of an explained row, as its route answers it; nothing where no changes were asked for. */
void cli_print_what_if(Cli *cli, const JsonValue *explanation);
