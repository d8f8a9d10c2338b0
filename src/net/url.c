#include "net/url.h"

#include <string.h>

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

/* The byte that starts at text, and in *width how many characters spell it; -1 when none does. */
static int decoded_byte(const char *text, size_t length, UrlPlus plus, size_t *width)
{
    int high, low;

    *width = 1;
    if (*text == '+' && plus == URL_PLUS_IS_SPACE)
        return ' ';
    if (*text != '%')
        return (unsigned char)*text;
    if (length < 3)
        return -1;

    *width = 3;
    high = hex_value(text[1]);
    low = hex_value(text[2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

const char *url_decode(Arena *arena, const char *text, size_t length, UrlPlus plus)
{
    char *decoded = arena_take(arena, length + 1);
    size_t used = 0;

    for (size_t at = 0, width; at < length; at += width) {
        int byte = decoded_byte(text + at, length - at, plus, &width);

        if (byte <= 0)
            return NULL;
        decoded[used++] = (char)byte;
    }
    decoded[used] = '\0';
    return decoded;
}

static bool is_unreserved(unsigned char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || (byte && strchr("-._~", byte));
}

const char *url_encode(Arena *arena, const char *text)
{
    static const char digits[] = "0123456789ABCDEF";
    char *encoded = arena_alloc(arena, strlen(text) * 3 + 1, 1);
    char *end = encoded;

    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;

        if (is_unreserved(byte)) {
            *end++ = *text;
            continue;
        }
        *end++ = '%';
        *end++ = digits[byte >> 4];
        *end++ = digits[byte & 15];
    }
    return encoded;
}

static size_t count_slashes(const char *path)
{
    size_t count = 0;

    for (; *path; path++)
        count += *path == '/';
    return count;
}

bool url_split_path(Arena *arena, const char *path, TextList *segments)
{
    TextList found = {0};

    if (*path != '/')
        return false;
    if (path[1] == '\0')
        path++;

    found.items = arena_array(arena, const char *, count_slashes(path));
    while (*path == '/') {
        const char *end = strchrnul(path + 1, '/');
        const char *segment = url_decode(arena, path + 1, (size_t)(end - path - 1), URL_PLUS_STAYS);

        if (!segment)
            return false;
        found.items[found.count++] = segment;
        path = end;
    }
    *segments = found;
    return true;
}

static bool split_pair(Arena *arena, const char *text, size_t length, HttpPair *pair)
{
    const char *equals = memchr(text, '=', length);
    size_t name_length = equals ? (size_t)(equals - text) : length;
    size_t value_at = equals ? name_length + 1 : length;

    pair->name = url_decode(arena, text, name_length, URL_PLUS_IS_SPACE);
    pair->value = url_decode(arena, text + value_at, length - value_at, URL_PLUS_IS_SPACE);
    return pair->name && pair->value;
}

bool url_split_query(Arena *arena, const char *query, HttpPairList *pairs)
{
    HttpPairList found = {0};

    while (*query) {
        size_t length = strcspn(query, "&");
        HttpPair pair;

        if (length > 0) {
            if (!split_pair(arena, query, length, &pair))
                return false;
            *arena_push(arena, &found) = pair;
        }
        query += length + (query[length] == '&');
    }
    *pairs = found;
    return true;
}
