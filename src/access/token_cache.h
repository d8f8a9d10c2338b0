/* token_cache.h: who holds which secret, remembered for as long as the store says the same.
 *
 * A secret that the store knew is answered from memory until the next commit that changes tokens,
 * so a revocation counts from the moment it is answered. What is remembered is the secret's
 * SHA-256. Nothing is remembered of secrets that were refused. No caller waits: when two look at
 * the same place at once, one asks the store.
 *
 *     if (!token_cache_find(cache, secret, scope->arena, &scope->principal))
 *         return token_cache_ask(cache, scope, secret, token_find_holder, &scope->principal);
 */
#pragma once

#include "access/token.h"

typedef struct TokenCache TokenCache;

/* Of the store that this writer writes; the writer outlives the cache. */
TokenCache *token_cache_create(const Writer *writer);
void token_cache_destroy(TokenCache *cache);

/* Who holds this secret; false: ask the store. Their texts are in the arena. */
bool token_cache_find(TokenCache *cache, const char *secret, Arena *arena, Principal *principal);

/* Asks find(), and remembers who it was. */
bool token_cache_ask(TokenCache *cache, Scope *scope, const char *secret, TokenFind *find,
                     Principal *principal) MUST_CHECK;
