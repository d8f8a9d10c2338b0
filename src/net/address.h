/* address.h: IP addresses as texts, and which of them the public can reach. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

enum { ADDRESS_TEXT_SIZE = 64 };

/* The number without the port: "192.0.2.1", "2001:db8::1"; an IPv4 address mapped into IPv6 is
 * written as IPv4. Other families give "". */
void address_format(const struct sockaddr *address, char text[ADDRESS_TEXT_SIZE]);

/* False for loopback, private, link-local, carrier, multicast, documentation and reserved
 * addresses, for the metadata services of clouds, for IPv6 addresses that carry such an IPv4
 * address inside, and for families other than IPv4 and IPv6. Source: the special-purpose
 * registries of RFC 6890. */
bool address_is_public(const struct sockaddr *address);
