#include "server/origin.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

bool host_is_loopback(const char *host)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};

    for (size_t i = 0; host && i < COUNT(names); i++) {
        size_t length = strlen(names[i]);
        const char *rest = host + length;

        if (strncasecmp(host, names[i], length) != 0)
            continue;
        if (!*rest || (*rest == ':' && rest[1 + strspn(rest + 1, "0123456789")] == '\0'))
            return true;
    }
    return false;
}

bool origin_is_loopback(const char *origin)
{
    if (!origin)
        return true;
    if (text_has_prefix(origin, "http://"))
        return host_is_loopback(origin + strlen("http://"));
    return text_has_prefix(origin, "https://") && host_is_loopback(origin + strlen("https://"));
}

bool address_is_loopback(const char *address)
{
    struct in_addr four;

    if (inet_pton(AF_INET, address, &four) == 1)
        return ntohl(four.s_addr) >> 24 == 127;
    return strcmp(address, "::1") == 0 || strcmp(address, "localhost") == 0;
}
