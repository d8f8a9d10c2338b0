#include "net/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

#include "base/attributes.h"

typedef struct Prefix {
    uint8_t bytes[16];
    unsigned bits;
} Prefix;

static const Prefix closed_4[] = {
    {{0}, 8},                 /* this network */
    {{10}, 8},                /* private */
    {{100, 64}, 10},          /* carrier; 100.100.100.200 is Alibaba's metadata */
    {{127}, 8},               /* loopback */
    {{168, 63, 129, 16}, 32}, /* Azure's host agent, public by its number only */
    {{169, 254}, 16},         /* link-local, metadata */
    {{172, 16}, 12},          /* private */
    {{192, 0, 0}, 24},        /* protocol assignments */
    {{192, 0, 2}, 24},        /* documentation */
    {{192, 168}, 16},         /* private */
    {{198, 18}, 15},          /* benchmarks */
    {{198, 51, 100}, 24},     /* documentation */
    {{203, 0, 113}, 24},      /* documentation */
    {{224}, 3},               /* multicast, reserved, broadcast */
};

/* Only 2000::/3 is given out at all; these parts of it are closed. */
static const Prefix global_6 = {{0x20}, 3};

static const Prefix closed_6[] = {
    {{0x20, 0x01, 0x00}, 23},       /* protocol assignments, Teredo, ORCHID */
    {{0x20, 0x01, 0x0d, 0xb8}, 32}, /* documentation */
    {{0x3f, 0xff, 0x00}, 20},       /* documentation */
};

/* Where an IPv6 address of that prefix carries an IPv4 address. */
static const struct {
    Prefix prefix;
    size_t at;
} carriers[] = {
    {{{[10] = 0xff, [11] = 0xff}, 96}, 12}, /* mapped */
    {{{0x00, 0x64, 0xff, 0x9b}, 96}, 12},   /* NAT64 */
    {{{0x20, 0x02}, 16}, 2},                /* 6to4 */
};

static bool has_prefix(const uint8_t *bytes, const Prefix *prefix)
{
    size_t whole = prefix->bits / 8;
    unsigned rest = prefix->bits % 8;

    if (memcmp(bytes, prefix->bytes, whole) != 0)
        return false;
    return rest == 0 || ((bytes[whole] ^ prefix->bytes[whole]) >> (8 - rest)) == 0;
}

static bool is_public_4(const uint8_t *bytes)
{
    for (size_t i = 0; i < COUNT(closed_4); i++)
        if (has_prefix(bytes, &closed_4[i]))
            return false;
    return true;
}

static bool is_public_6(const uint8_t *bytes)
{
    for (size_t i = 0; i < COUNT(carriers); i++)
        if (has_prefix(bytes, &carriers[i].prefix))
            return is_public_4(bytes + carriers[i].at);
    for (size_t i = 0; i < COUNT(closed_6); i++)
        if (has_prefix(bytes, &closed_6[i]))
            return false;
    return has_prefix(bytes, &global_6);
}

bool address_is_public(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET)
        return is_public_4((const uint8_t *)&((const struct sockaddr_in *)address)->sin_addr);
    if (address->sa_family == AF_INET6)
        return is_public_6(((const struct sockaddr_in6 *)address)->sin6_addr.s6_addr);
    return false;
}

void address_format(const struct sockaddr *address, char text[ADDRESS_TEXT_SIZE])
{
    text[0] = '\0';
    if (address->sa_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)address)->sin_addr, text,
                  ADDRESS_TEXT_SIZE);
    if (address->sa_family != AF_INET6)
        return;

    const struct in6_addr *number = &((const struct sockaddr_in6 *)address)->sin6_addr;
    if (IN6_IS_ADDR_V4MAPPED(number))
        inet_ntop(AF_INET, &number->s6_addr[12], text, ADDRESS_TEXT_SIZE);
    else
        inet_ntop(AF_INET6, number, text, ADDRESS_TEXT_SIZE);
}
