/* basic.h: a name and a secret in an "Authorization" header: Basic base64(name:secret). */
#pragma once

#include <stdbool.h>

#include "base/arena.h"

enum { BASIC_BYTES_MAX = 1024 }; /* of the base64 */

typedef struct BasicPair {
    const char *name, *secret;
} BasicPair;

/* header NULL: none was sent. False when it is nothing of the kind; the texts are in the arena. */
bool basic_read(const char *header, Arena *arena, BasicPair *pair);
