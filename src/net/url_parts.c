#include "net/url_parts.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <string.h>

#include "net/address.h"
#include "net/curl_library.h"

/* NULL: the URL has no such part. */
static const char *part_of(const CurlLibrary *curl, CURLU *url, CURLUPart part, Arena *arena)
{
    char *text = NULL;
    const char *copy;

    if (curl->url_get(url, part, &text, 0) != CURLUE_OK)
        return NULL;
    copy = arena_text(arena, text);
    curl->free(text);
    return copy;
}

static const char *plain_host(const char *host, Arena *arena)
{
    size_t length = strlen(host);
    bool has_brackets = length > 2 && host[0] == '[' && host[length - 1] == ']';
    char *plain = has_brackets ? arena_copy(arena, host + 1, length - 2) : arena_text(arena, host);

    for (char *at = plain; *at; at++)
        *at = (char)tolower((unsigned char)*at);
    return plain;
}

static void judge_host(UrlParts *parts)
{
    struct sockaddr_in four = {.sin_family = AF_INET};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};

    if (inet_pton(AF_INET, parts->host, &four.sin_addr) == 1) {
        parts->is_literal = true;
        parts->is_public = address_is_public((const struct sockaddr *)&four);
    } else if (inet_pton(AF_INET6, parts->host, &six.sin6_addr) == 1 || strchr(parts->host, ':')) {
        parts->is_literal = true; /* with a zone it is no public one */
        parts->is_public = address_is_public((const struct sockaddr *)&six);
    }
}

bool url_take_apart(const char *url, Arena *arena, UrlParts *parts, Error *error)
{
    const CurlLibrary *curl = curl_library_open(error);
    UrlParts found = {0};
    const char *host = NULL;
    CURLU *handle;

    if (!curl)
        return false;
    handle = curl->url();
    if (!handle)
        out_of_memory();
    if (curl->url_set(handle, CURLUPART_URL, url, 0) == CURLUE_OK) {
        host = part_of(curl, handle, CURLUPART_HOST, arena);
        found.scheme = part_of(curl, handle, CURLUPART_SCHEME, arena);
        found.has_user = part_of(curl, handle, CURLUPART_USER, arena) != NULL ||
                         part_of(curl, handle, CURLUPART_PASSWORD, arena) != NULL;
    }
    curl->url_cleanup(handle);
    if (!host || !*host || !found.scheme)
        return fail(error, ERROR_INVALID, "it is not a URL with a host");
    found.host = plain_host(host, arena);
    judge_host(&found);
    *parts = found;
    return true;
}
