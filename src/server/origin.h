/* origin.h: who may talk to a server that asks for no token.
 *
 * A page in the user's browser can send requests to a loopback address, directly or by letting its
 * own name point there. So without tokens the Host header must name the loopback, and an Origin,
 * where there is one, the loopback too.
 */
#pragma once

#include <stdbool.h>

/* "localhost", "127.0.0.1", "[::1]", each with or without a port. */
bool host_is_loopback(const char *host);

/* "http://localhost:5000"; NULL and "null": no page sent it, or a page without origin: the first
 * may, the second not. */
bool origin_is_loopback(const char *origin);

/* An address to listen on: "127.0.0.1" and the rest of 127.0.0.0/8, "::1", "localhost". */
bool address_is_loopback(const char *address);
