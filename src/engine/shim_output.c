/* shim_output.c: what a command prints, without its token. */

#include <string.h>

#include "engine/shim_internal.h"

static const char blot[] = "***";

/* How much of the end may be the start of a token. */
static size_t length_of_start(const char *token, const char *bytes, size_t size)
{
    size_t length = strlen(token) - 1;

    if (length > size)
        length = size;
    while (length && memcmp(bytes + size - length, token, length) != 0)
        length--;
    return length;
}

/* What was held back stands before the bytes. */
static void log_whole(Shim *shim, const char *bytes, size_t size)
{
    size_t length = strlen(shim->token);

    for (const char *found; (found = memmem(bytes, size, shim->token, length)) != NULL;) {
        size_t before = (size_t)(found - bytes);

        shim_log(shim, bytes, before);
        shim_log(shim, blot, strlen(blot));
        bytes += before + length;
        size -= before + length;
    }
    shim->held_size = length_of_start(shim->token, bytes, size);
    shim_log(shim, bytes, size - shim->held_size);
    memcpy(shim->held, bytes + size - shim->held_size, shim->held_size);
}

/* Pieces of a size that fits on the stack beside what was held back. */
void shim_log_output(Shim *shim, const char *bytes, size_t size)
{
    char piece[sizeof(shim->held) + 4096];

    if (!shim->token) {
        shim_log(shim, bytes, size);
        return;
    }
    while (size) {
        size_t held = shim->held_size, taken = sizeof(piece) - held;

        if (taken > size)
            taken = size;
        memcpy(piece, shim->held, held);
        memcpy(piece + held, bytes, taken);
        log_whole(shim, piece, held + taken);
        bytes += taken;
        size -= taken;
    }
}

void shim_log_rest(Shim *shim)
{
    shim_log(shim, shim->held, shim->held_size);
    shim->held_size = 0;
}
