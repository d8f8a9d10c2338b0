/* attempt_token.h: the token of one attempt, by which its commands are known to the server.
 *
 * The shim makes it when it claims the attempt, gives it to the commands in their environment and
 * puts its SHA-256 into the claim. So it is in no file, in no queue and in nothing that an engine
 * is told, and whoever claims an attempt has the only one: no restart loses or doubles it. It names
 * its attempt, so that the server knows in which record to look; that attempt is over when the
 * store says so, and its token with it.
 *
 *     slws_KEY_64-hexadecimal-digits
 */
#pragma once

#include "engine/attempt.h"

enum {
    ATTEMPT_TOKEN_DIGITS = 64,
    ATTEMPT_TOKEN_BYTES_MAX = 5 + ATTEMPT_KEY_MAX + 1 + ATTEMPT_TOKEN_DIGITS,
};

/* The member of a claim that has its digest. */
#define ATTEMPT_TOKEN_MEMBER "token"

const char *attempt_token_make(const char *key, Arena *arena);

/* The key that it names; NULL: it has not the form of such a token. Whose it is shows only
 * attempt_token_is_of(). */
const char *attempt_token_key(const char *token, Arena *arena);

/* Whether it is that of whoever has claimed the attempt and goes on with it. */
bool attempt_token_is_of(const char *token, const AttemptProbe *probe);
