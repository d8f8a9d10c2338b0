#include "server/caller.h"

#include <string.h>
#include <strings.h>

#include "net/basic.h"
#include "pipelines/step_token.h"
#include "server/origin.h"

static const char *bearer_token(const HttpExchange *exchange)
{
    const char *header = http_exchange_header(exchange, "Authorization");

    if (!header || strncasecmp(header, "Bearer ", 7) != 0)
        return NULL;
    return header + 7;
}

/* Sets what counts as the token: a header that names nobody still has to be refused. MLflow's
 * clients have a name and a password to send, which are those of a token. */
static void read_secret(Caller *caller, const HttpExchange *exchange)
{
    BasicPair pair;

    caller->secret = bearer_token(exchange);
    if (basic_read(http_exchange_header(exchange, "Authorization"), http_exchange_arena(exchange),
                   &pair)) {
        caller->secret = pair.secret;
        caller->name = pair.name;
    }
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
bool caller_is_known(Caller *caller, const Route *route, const HttpExchange *exchange,
                     TokenCache *tokens)
{
    if (route->role != ROLE_ANYONE)
        read_secret(caller, exchange);
    return !caller->secret ||
           token_cache_find(tokens, caller->secret, http_exchange_arena(exchange), &caller->known);
}

static TokenFind *finder_of(const char *secret)
{
    return step_token_is_one(secret) ? step_token_find : token_find_holder;
}

bool caller_find(const Caller *caller, const Application *application, TokenCache *tokens,
                 Scope *scope)
{
    scope->principal = caller->secret ? caller->known : api_caller_without_token(application);
    if (caller->secret && !caller->known.name &&
        !token_cache_ask(tokens, scope, caller->secret, finder_of(caller->secret),
                         &scope->principal))
        return false;
    return !caller->name || strcmp(caller->name, scope->principal.name) == 0 ||
           fail(&scope->error, ERROR_UNAUTHENTICATED,
                "the user name is not that of the token that came as the password");
}
