/* caller.h: who sends a request, by its headers, the route and the tokens of the store. */
#pragma once

#include "access/token_cache.h"
#include "api/api.h"
#include "net/http_exchange.h"

typedef struct Caller {
    const char *secret; /* the token that counts; or NULL */
    const char *name;   /* that came with it as a user name; or NULL */
    Principal known;    /* whose it is, without asking the store; name NULL: it is to be asked */
} Caller;

/* Without tokens, only programs and pages of this machine are answered. */
bool caller_check_origin(const Application *application, const HttpExchange *exchange,
                         Error *error) MUST_CHECK;

/* True when the principal is known without the store. */
bool caller_is_known(Caller *caller, const Route *route, const HttpExchange *exchange,
                     TokenCache *tokens);

/* Sets the scope's principal; asks the store, by its db, who is not known. */
bool caller_find(const Caller *caller, const Application *application, TokenCache *tokens,
                 Scope *scope) MUST_CHECK;
