/* made_with.h: with what a model was made: this program, its compiler and its libraries. */
#pragma once

#include "base/json.h"

/* with_machine adds the system, its processors and their number; without it the object is the same
 * on every machine that runs the same binary. */
const char *made_with_json(bool with_machine, Arena *arena);
