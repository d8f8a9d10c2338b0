#include "access/token_cache.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/id.h"
#include "base/time.h"

/* A project's name, "#", a number, "/" and the name of a step. */
enum { PLACES = 64, NAME_SIZE = 128 + 1 + 20 + 1 + 256 + 1 };

typedef struct Place {
    pthread_mutex_t lock;          /* guards all of it */
    char digest[DIGEST_TEXT_SIZE]; /* "": nobody */
    char name[NAME_SIZE];
    char run_id[ID_TEXT_SIZE]; /* "": none */
    int64_t experiment;
    Role role;
    int64_t expires_at; /* 0: never */
    uint64_t change;    /* of tokens, how many there had been before the store was asked */
} Place;

struct TokenCache {
    const Writer *writer;
    Place places[PLACES];
};

TokenCache *token_cache_create(const Writer *writer)
{
    TokenCache *cache = calloc(1, sizeof(*cache));

    if (!cache)
        out_of_memory();
    cache->writer = writer;
    for (size_t i = 0; i < PLACES; i++)
        pthread_mutex_init(&cache->places[i].lock, NULL);
    return cache;
}

void token_cache_destroy(TokenCache *cache)
{
    if (!cache)
        return;
    for (size_t i = 0; i < PLACES; i++)
        pthread_mutex_destroy(&cache->places[i].lock);
    free(cache);
}

/* Where a secret with this digest is, locked; NULL when another thread is there. */
static Place *place_enter(TokenCache *cache, const char *digest)
{
    size_t number = 0;

    for (size_t i = 0; i < 4; i++)
        number = number * 16 + (size_t)digest[i];
    return pthread_mutex_trylock(&cache->places[number % PLACES].lock) == 0
               ? &cache->places[number % PLACES]
               : NULL;
}

static bool place_holds(const Place *place, const char *digest, uint64_t change)
{
    return place->change == change && strcmp(place->digest, digest) == 0 &&
           (!place->expires_at || place->expires_at > time_now_ms());
}

static Principal principal_of(const Place *place, Arena *arena)
{
    return (Principal){
        .name = arena_text(arena, place->name),
        .role = place->role,
        .run_id = *place->run_id ? arena_text(arena, place->run_id) : NULL,
        .experiment = place->experiment,
    };
}

bool token_cache_find(TokenCache *cache, const char *secret, Arena *arena, Principal *principal)
{
    char digest[DIGEST_TEXT_SIZE];
    Place *place;
    bool holds;

    digest_bytes(secret, strlen(secret), digest);
    place = place_enter(cache, digest);
    if (!place)
        return false;
    holds = place_holds(place, digest, writer_announced_count(cache->writer));
    if (holds)
        *principal = principal_of(place, arena);
    pthread_mutex_unlock(&place->lock);
    return holds;
}

static void remember(TokenCache *cache, const char *secret, const TokenHolder *holder,
                     uint64_t change)
{
    const Principal *principal = &holder->principal;
    char digest[DIGEST_TEXT_SIZE];
    Place *place;

    digest_bytes(secret, strlen(secret), digest);
    place = place_enter(cache, digest);
    if (!place)
        return;
    memcpy(place->digest, digest, sizeof(digest));
    snprintf(place->name, sizeof(place->name), "%s", principal->name);
    snprintf(place->run_id, sizeof(place->run_id), "%s",
             principal->run_id ? principal->run_id : "");
    place->role = principal->role;
    place->experiment = principal->experiment;
    place->expires_at = holder->expires_at;
    place->change = change;
    pthread_mutex_unlock(&place->lock);
}

/* Changes are counted before the store is asked: what one does meanwhile is not remembered as the
 * state after it. */
bool token_cache_ask(TokenCache *cache, Scope *scope, const char *secret, TokenFind *find,
                     Principal *principal)
{
    uint64_t change = writer_announced_count(cache->writer);
    TokenHolder holder;

    if (!find(scope, secret, &holder))
        return false;
    if (strlen(holder.principal.name) < NAME_SIZE)
        remember(cache, secret, &holder, change);
    *principal = holder.principal;
    return true;
}
