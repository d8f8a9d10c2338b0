#include "notify/target.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "net/url_parts.h"

enum { ADDRESS_BYTES_MAX = 254 };

static const char mailto[] = "mailto:";

/* The common form alone: quotes, comments and spaces have no place in a mail's header. */
bool target_is_address(const char *text)
{
    static const char others[] = "._%+-";
    const char *at = strchr(text, '@');

    if (!at || at == text || !at[1] || strchr(at + 1, '@') || strlen(text) > ADDRESS_BYTES_MAX)
        return false;
    for (const char *here = text; *here; here++)
        if (here != at && !isalnum((unsigned char)*here) &&
            !strchr(here < at ? others : ".-", *here))
            return false;
    return text[0] != '-' && at[1] != '.' && at[1] != '-';
}

static bool read_mail(const NotifySettings *settings, const char *url, Target *target, Error *error)
{
    const char *address = url + strlen(mailto);

    if (!target_is_address(address))
        return fail_field(error, "url", "\"%.100s\" is not one mail address, as ops@example.com",
                          address);
    if (!settings->mail_server.url)
        return fail_field(error, "url",
                          "mails need a mail server: start the server with --smtp-url");
    *target = (Target){.recipient = address, .origin = url};
    return true;
}

static bool host_is_named(const NotifySettings *settings, const char *host)
{
    for (size_t i = 0; i < settings->hosts.count; i++)
        if (strcasecmp(settings->hosts.items[i], host) == 0)
            return true;
    return settings->allows_any_host;
}

/* Names that never stand for a public address. */
static bool is_local_name(const char *host)
{
    return strcmp(host, "localhost") == 0 || text_has_suffix(host, ".localhost");
}

static bool check_host(const UrlParts *parts, Error *error)
{
    if (strcmp(parts->scheme, "https") != 0)
        return fail_field(error, "url",
                          "a webhook's URL begins with https://; http:// is for hosts that the "
                          "server was started with: --webhook-host %.100s",
                          parts->host);
    if ((parts->is_literal && !parts->is_public) || is_local_name(parts->host))
        return fail_field(error, "url",
                          "\"%.100s\" is not a public address; webhooks may lead there when the "
                          "server was started with --webhook-host %.100s",
                          parts->host, parts->host);
    return true;
}

static bool has_odd_bytes(const char *url)
{
    for (const char *at = url; *at; at++)
        if (iscntrl((unsigned char)*at) || isspace((unsigned char)*at))
            return true;
    return false;
}

bool target_read(const NotifySettings *settings, const char *url, Arena *arena, Target *target,
                 Error *error)
{
    UrlParts parts = {0};
    bool is_named;

    if (!*url || strlen(url) > TARGET_URL_BYTES_MAX || has_odd_bytes(url))
        return fail_field(error, "url",
                          "a webhook's URL has 1 to %d bytes without spaces and control characters",
                          TARGET_URL_BYTES_MAX);
    if (strncasecmp(url, mailto, strlen(mailto)) == 0)
        return read_mail(settings, url, target, error);
    if (strncasecmp(url, "http://", 7) != 0 && strncasecmp(url, "https://", 8) != 0)
        return fail_field(error, "url", "a webhook's URL begins with https:// or mailto:");
    if (!url_take_apart(url, arena, &parts, error))
        return error->kind == ERROR_INVALID &&
               fail_field(error, "url", "a webhook's URL has a host, as https://example.com/hook");
    if (parts.has_user)
        return fail_field(error, "url",
                          "a webhook's URL holds no user and no password; use a secret");
    is_named = host_is_named(settings, parts.host);
    if (!is_named && !check_host(&parts, error))
        return false;
    *target = (Target){.url = url, .origin = target_origin(url, arena), .may_be_private = is_named};
    return true;
}

const char *target_origin(const char *url, Arena *arena)
{
    const char *slashes = strstr(url, "://");

    if (!slashes)
        return url;
    slashes += strlen("://");
    return arena_copy(arena, url, (size_t)(slashes - url) + strcspn(slashes, "/?#"));
}
