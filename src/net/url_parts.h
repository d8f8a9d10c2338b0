/* url_parts.h: what a URL of http or https leads to, as libcurl will read it when it is sent there:
 * who checks the host and who connects to it must not differ. */
#pragma once

#include "base/arena.h"
#include "base/error.h"

typedef struct UrlParts {
    const char *scheme; /* "https" */
    const char *host;   /* in lower case; of a literal IPv6 address without its brackets */
    bool has_user;      /* a user or password is in it */
    bool is_literal;    /* the host is an address, in whatever way it was written */
    bool is_public;     /* and one that the public can reach */
} UrlParts;

/* ERROR_INVALID when it is no URL with a host. */
bool url_take_apart(const char *url, Arena *arena, UrlParts *parts, Error *error) MUST_CHECK;
