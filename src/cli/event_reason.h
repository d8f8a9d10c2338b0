/* event_reason.h: what an event of the audit trail tells beside who did what, in one line. */
#pragma once

#include "cli/command.h"

/* "-" when it tells nothing. */
const char *event_reason(Cli *cli, const JsonValue *event);

/* Texts of other people in one line, whatever they are: no comment makes a line of its own. */
const char *event_line_text(Cli *cli, const char *text);
