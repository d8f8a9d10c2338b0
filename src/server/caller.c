#include "server/caller.h"

#include <strings.h>

#include "server/origin.h"

static const char *bearer_token(const HttpExchange *exchange)
{
    const char *header = http_exchange_header(exchange, "Authorization");

    if (!header || strncasecmp(header, "Bearer ", 7) != 0)
        return NULL;
    return header + 7;
}

bool caller_check_origin(const Application *application, const HttpExchange *exchange, Error *error)
{
    if (application->demands_token)
        return true;
    if (!host_is_loopback(http_exchange_header(exchange, "Host")))
        return fail(error, ERROR_FORBIDDEN,
                    "without tokens this server answers only to the hosts localhost, 127.0.0.1 and "
                    "[::1]");
    if (!origin_is_loopback(http_exchange_header(exchange, "Origin")))
        return fail(error, ERROR_FORBIDDEN,
                    "without tokens this server answers no page of another origin");
    return true;
}

/* What anyone may see is answered whatever token comes with it, and without the store: a probe must
 * work when the store does not. */
bool caller_is_known(Caller *caller, const Route *route, HttpExchange *exchange, TokenCache *tokens)
{
    caller->secret = route->role == ROLE_ANYONE ? NULL : bearer_token(exchange);
    return !caller->secret ||
           token_cache_find(tokens, caller->secret, http_exchange_arena(exchange), &caller->known);
}

bool caller_find(const Caller *caller, const Application *application, TokenCache *tokens,
                 Scope *scope)
{
    if (caller->secret && !caller->known.name)
        return token_cache_ask(tokens, scope, caller->secret, &scope->principal);
    scope->principal = caller->secret ? caller->known : api_caller_without_token(application);
    return true;
}
