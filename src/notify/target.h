/* target.h: where a webhook leads, by its URL and the server's settings.
 *
 * https to public addresses, and "mailto:" where the server has a mail server. Named hosts may also
 * be called by http and at other addresses. What a name stands for is checked each time a
 * connection is made; here, only addresses in numbers and "localhost" are told at once.
 */
#pragma once

#include "notify/outbox.h"

enum { TARGET_URL_BYTES_MAX = 2048 };

typedef struct Target {
    const char *url;       /* NULL: a mail */
    const char *recipient; /* of a mail: the address alone */
    const char *origin; /* "https://hooks.example.com": what may be shown, as paths are secrets */
    bool may_be_private;
} Target;

/* ERROR_FIELD ("url") for what a webhook cannot lead to. */
bool target_read(const NotifySettings *settings, const char *url, Arena *arena, Target *target,
                 Error *error) MUST_CHECK;

/* The URL up to its path, for who may not read the rest. */
const char *target_origin(const char *url, Arena *arena);

bool target_is_address(const char *text); /* "ops@example.com" */
