/* http_crowd.h: the connections of one loop, by what they wait for and by their address.
 *
 * When there are too many, in all or of one address, the newest comes in and another goes, of those
 * that have waited for a second at least: first the oldest whose request is not whole yet, then who
 * has been silent longest between requests, then who has been reading an answer longest. If all are
 * new, the oldest goes. A request that its handler works on is never cut for room. So a client that
 * drips holds a place only as long as nobody else needs it.
 *
 * Who was cut stays a member, without counting, until its connection has ended.
 *
 *     http_crowd_add(&crowd, &connection->guest, http_crowd_key(address));
 *     while ((guest = http_crowd_surplus(&crowd, &connection->guest)))
 *         cut(guest);
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

typedef enum HttpWait {
    HTTP_WAIT_REQUEST, /* it is due or on its way, or it went further since: see progress */
    HTTP_WAIT_NEXT,    /* kept alive, silent between requests */
    HTTP_WAIT_READER,  /* an answer is on its way */
    HTTP_WAIT_HANDLER, /* a request is worked on */
    HTTP_WAIT_END,     /* cut */
    HTTP_WAIT_COUNT
} HttpWait;

/* The lists that a guest is in at once. */
typedef enum HttpScope { HTTP_SCOPE_ALL, HTTP_SCOPE_ADDRESS, HTTP_SCOPE_COUNT } HttpScope;

typedef struct HttpGuest HttpGuest;
typedef struct HttpAddress HttpAddress;

struct HttpGuest {
    HttpWait wait;
    int64_t since; /* on the crowd's clock */
    HttpAddress *address;
    HttpGuest *next[HTTP_SCOPE_COUNT], *previous[HTTP_SCOPE_COUNT];
};

typedef struct HttpGuestList {
    HttpGuest *first, *last; /* the longest in this wait comes first */
} HttpGuestList;

typedef struct HttpGroup {
    size_t count; /* without those that were cut */
    HttpGuestList lists[HTTP_WAIT_COUNT];
} HttpGroup;

struct HttpAddress {
    uint64_t key;
    size_t member_count; /* with those that were cut */
    HttpGroup group;
    HttpAddress *next;
};

enum { HTTP_CROWD_TABLE_SIZE = 1024 };

/* All zero but the limits and progress(): nobody is there. */
typedef struct HttpCrowd {
    size_t count_max;   /* at least 1 */
    size_t address_max; /* of one address; 0: no limit */

    /* What a guest of HTTP_WAIT_REQUEST really waits for by now. Moving a
     * guest at each step of each request would cost all of them; so only who is looked at for being
     * cut is moved. */
    HttpWait (*progress)(const HttpGuest *guest);

    int64_t now; /* in milliseconds, set by the loop */
    HttpGroup all;
    HttpAddress *addresses[HTTP_CROWD_TABLE_SIZE];
} HttpCrowd;

/* What counts as one address: an IPv4 address, or the first half of an IPv6 one, since whoever has
 * one of these has all of them. */
uint64_t http_crowd_key(const struct sockaddr *address);

void http_crowd_add(HttpCrowd *crowd, HttpGuest *guest, uint64_t key);
void http_crowd_remove(HttpCrowd *crowd, HttpGuest *guest);

/* To the end of that list; who was cut stays cut. */
void http_crowd_move(HttpCrowd *crowd, HttpGuest *guest, HttpWait wait);

/* Who has to go after this one came, moved to HTTP_WAIT_END: NULL when there is room. It may be the
 * newcomer itself. */
HttpGuest *http_crowd_surplus(HttpCrowd *crowd, const HttpGuest *newcomer);

/* Calls visit() for each; it may move or remove that guest, no other one. */
void http_crowd_each(HttpCrowd *crowd, void (*visit)(void *context, HttpGuest *guest),
                     void *context);
