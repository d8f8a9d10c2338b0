#include "engine/attempt_token.h"

#include <string.h>

#include "base/digest.h"
#include "base/id.h"
#include "base/text.h"

static const char prefix[] = "slws_";

const char *attempt_token_make(const char *key, Arena *arena)
{
    unsigned char bytes[ATTEMPT_TOKEN_DIGITS / 2];
    char digits[ATTEMPT_TOKEN_DIGITS + 1];

    random_bytes(bytes, sizeof(bytes));
    return arena_format(arena, "%s%s_%s", prefix, key, hex_format(bytes, sizeof(bytes), digits));
}

/* A key leads to a folder, so it is of the letters of a key and of nothing else. */
const char *attempt_token_key(const char *token, Arena *arena)
{
    const char *key = token + strlen(prefix), *digits;
    size_t length;

    if (!text_has_prefix(token, prefix))
        return NULL;
    length = strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789-");
    digits = key + length + 1;
    if (length < 1 || length > ATTEMPT_KEY_MAX || key[length] != '_' ||
        strlen(digits) != ATTEMPT_TOKEN_DIGITS ||
        strspn(digits, "0123456789abcdef") != ATTEMPT_TOKEN_DIGITS)
        return NULL;
    return arena_copy(arena, key, length);
}

bool attempt_token_is_of(const char *token, const AttemptProbe *probe)
{
    const char *claimed = json_as_text(json_member(probe->claim, ATTEMPT_TOKEN_MEMBER), NULL);
    char digest[DIGEST_TEXT_SIZE];

    return claimed && probe->state != ATTEMPT_ENDED &&
           text_equal(claimed, digest_bytes(token, strlen(token), digest));
}
