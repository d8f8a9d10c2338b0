/* url.h: the parts of a URL as texts, and texts as parts of a URL.
 *
 * Pure functions of their arguments. Decoding is strict: a percent sign without
 * two hex digits, and an encoded or raw NUL, are refused, so that a decoded text
 * is always a C string of known length. Bytes above 127 pass unchecked: whether
 * a text is UTF-8 is for its reader to say.
 *
 *     const char *name = url_decode(arena, "a%20b", 5, URL_PLUS_STAYS);   "a b"
 *     char *path = arena_format(arena, "/api/runs/%s", url_encode(arena, name));
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/text.h"
#include "net/http.h"

/* In a query, '+' means a space; in a path it means itself. */
typedef enum UrlPlus { URL_PLUS_STAYS, URL_PLUS_IS_SPACE } UrlPlus;

/* The decoded text, or NULL when it cannot be decoded. */
const char *url_decode(Arena *arena, const char *text, size_t length, UrlPlus plus);

/* Everything but letters, digits and "-._~" (RFC 3986, 2.3) becomes %XX. */
const char *url_encode(Arena *arena, const char *text);

/* "/a/b%2Fc" has the segments "a" and "b/c"; "/" has none; "/a/" has "a" and "". Each segment is
 * decoded after the split. False when the path does not start with "/" or a segment cannot be
 * decoded. */
bool url_split_path(Arena *arena, const char *path, TextList *segments) MUST_CHECK;

/* "a=1&b" has a = "1" and b = "". Repeated names stay, in order. False when a name or value cannot
 * be decoded. */
bool url_split_query(Arena *arena, const char *query, HttpPairList *pairs) MUST_CHECK;
