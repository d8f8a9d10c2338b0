/* fuzz_url.c: any text either is no path, query or encoded text, or comes apart into texts that,
 * encoded and put together again, come apart the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "net/url.h"

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void check_decoding(const char *text, UrlPlus plus, Arena *arena)
{
    const char *once = url_decode(arena, text, strlen(text), plus), *encoded, *twice;

    if (!once)
        return;
    encoded = url_encode(arena, once);
    twice = url_decode(arena, encoded, strlen(encoded), plus);
    require(twice && strcmp(once, twice) == 0);
}

static void check_path(const char *text, Arena *arena)
{
    TextBuilder path = {.arena = arena};
    TextList once = {0}, twice;

    if (!url_split_path(arena, text, &once)) {
        require(once.count == 0);
        return;
    }
    for (size_t i = 0; i < once.count; i++)
        text_append_format(&path, "/%s", url_encode(arena, once.items[i]));
    require(url_split_path(arena, once.count ? text_built(&path) : "/", &twice));
    /* "/" has no segment, so a lone empty one cannot be written again. */
    if (once.count == 1 && !once.items[0][0])
        return;
    require(once.count == twice.count);
    for (size_t i = 0; i < once.count; i++)
        require(strcmp(once.items[i], twice.items[i]) == 0);
}

static void check_query(const char *text, Arena *arena)
{
    TextBuilder query = {.arena = arena};
    HttpPairList once = {0}, twice;

    if (!url_split_query(arena, text, &once)) {
        require(once.count == 0);
        return;
    }
    for (size_t i = 0; i < once.count; i++)
        text_append_format(&query, "&%s=%s", url_encode(arena, once.items[i].name),
                           url_encode(arena, once.items[i].value));
    require(url_split_query(arena, text_built(&query), &twice) && once.count == twice.count);
    for (size_t i = 0; i < once.count; i++) {
        require(strcmp(once.items[i].name, twice.items[i].name) == 0);
        require(strcmp(once.items[i].value, twice.items[i].value) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const char *text = arena_copy(arena, (const char *)data, size);

    url_decode(arena, (const char *)data, size,
               URL_PLUS_IS_SPACE); /* exactly so long, with no NUL */
    check_decoding(text, URL_PLUS_STAYS, arena);
    check_decoding(text, URL_PLUS_IS_SPACE, arena);
    check_path(text, arena);
    check_query(text, arena);
    return 0;
}
