#include "net/basic.h"

#include <openssl/evp.h>
#include <string.h>
#include <strings.h>

bool basic_read(const char *header, Arena *arena, BasicPair *pair)
{
    const char *colon;
    size_t length;
    char *text;

    if (!header || strncasecmp(header, "Basic ", 6) != 0)
        return false;
    header += 6;
    length = strlen(header);
    if (length > BASIC_BYTES_MAX || length % 4)
        return false;
    text = arena_alloc(arena, length + 1, 1);
    if (EVP_DecodeBlock((unsigned char *)text, (const unsigned char *)header, (int)length) <= 0)
        return false;
    colon = strchr(text, ':');
    if (!colon)
        return false;
    *pair = (BasicPair){arena_copy(arena, text, (size_t)(colon - text)), colon + 1};
    return true;
}
