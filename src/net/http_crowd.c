#include "net/http_crowd.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/attributes.h"

enum { PATIENCE_MS = 1000 };

/* Who may be cut for room, in this order. */
static const HttpWait expendable[] = {HTTP_WAIT_REQUEST, HTTP_WAIT_NEXT, HTTP_WAIT_READER};

uint64_t http_crowd_key(const struct sockaddr *address)
{
    const struct sockaddr_in6 *six = (const void *)address;
    const unsigned char *bytes;
    uint64_t key = 0;

    if (address->sa_family == AF_INET)
        return ((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr;
    if (address->sa_family != AF_INET6)
        return 0;
    bytes = six->sin6_addr.s6_addr;
    if (IN6_IS_ADDR_V4MAPPED(&six->sin6_addr))
        memcpy(&key, bytes + 12, sizeof(uint32_t));
    else
        memcpy(&key, bytes, sizeof(key));
    return key;
}

static HttpAddress **address_place(HttpCrowd *crowd, uint64_t key)
{
    HttpAddress **place =
        &crowd->addresses[(key * UINT64_C(0x9e3779b97f4a7c15)) >> 32 & (HTTP_CROWD_TABLE_SIZE - 1)];

    while (*place && (*place)->key != key)
        place = &(*place)->next;
    return place;
}

static HttpAddress *address_take(HttpCrowd *crowd, uint64_t key)
{
    HttpAddress **place = address_place(crowd, key);

    if (!*place) {
        *place = calloc(1, sizeof(**place));
        if (!*place)
            out_of_memory();
        (*place)->key = key;
    }
    (*place)->member_count++;
    return *place;
}

static void address_leave(HttpCrowd *crowd, HttpAddress *address)
{
    HttpAddress **place = address_place(crowd, address->key);

    if (--address->member_count > 0)
        return;
    *place = address->next;
    free(address);
}

static HttpGroup *group_of(HttpCrowd *crowd, const HttpGuest *guest, HttpScope scope)
{
    return scope == HTTP_SCOPE_ALL ? &crowd->all : &guest->address->group;
}

static void link_last(HttpGroup *group, HttpGuest *guest, HttpScope scope)
{
    HttpGuestList *list = &group->lists[guest->wait];

    guest->next[scope] = NULL;
    guest->previous[scope] = list->last;
    if (list->last)
        list->last->next[scope] = guest;
    else
        list->first = guest;
    list->last = guest;
    group->count += guest->wait != HTTP_WAIT_END;
}

static void unlink_guest(HttpGroup *group, HttpGuest *guest, HttpScope scope)
{
    HttpGuestList *list = &group->lists[guest->wait];

    if (guest->next[scope])
        guest->next[scope]->previous[scope] = guest->previous[scope];
    else
        list->last = guest->previous[scope];
    if (guest->previous[scope])
        guest->previous[scope]->next[scope] = guest->next[scope];
    else
        list->first = guest->next[scope];
    group->count -= guest->wait != HTTP_WAIT_END;
}

void http_crowd_add(HttpCrowd *crowd, HttpGuest *guest, uint64_t key)
{
    guest->wait = HTTP_WAIT_REQUEST;
    guest->since = crowd->now;
    guest->address = address_take(crowd, key);
    for (HttpScope scope = 0; scope < HTTP_SCOPE_COUNT; scope++)
        link_last(group_of(crowd, guest, scope), guest, scope);
}

void http_crowd_remove(HttpCrowd *crowd, HttpGuest *guest)
{
    for (HttpScope scope = 0; scope < HTTP_SCOPE_COUNT; scope++)
        unlink_guest(group_of(crowd, guest, scope), guest, scope);
    address_leave(crowd, guest->address);
}

static void put_into(HttpCrowd *crowd, HttpGuest *guest, HttpWait wait)
{
    for (HttpScope scope = 0; scope < HTTP_SCOPE_COUNT; scope++)
        unlink_guest(group_of(crowd, guest, scope), guest, scope);
    guest->wait = wait;
    for (HttpScope scope = 0; scope < HTTP_SCOPE_COUNT; scope++)
        link_last(group_of(crowd, guest, scope), guest, scope);
}

void http_crowd_move(HttpCrowd *crowd, HttpGuest *guest, HttpWait wait)
{
    if (guest->wait == HTTP_WAIT_END)
        return;
    guest->since = crowd->now;
    put_into(crowd, guest, wait);
}

/* Those at the head of HTTP_WAIT_REQUEST that went further go where they belong. */
static void sort_out(HttpCrowd *crowd, const HttpGroup *group)
{
    const HttpGuestList *requests = &group->lists[HTTP_WAIT_REQUEST];

    while (requests->first) {
        HttpWait wait = crowd->progress(requests->first);

        if (wait == HTTP_WAIT_REQUEST)
            return;
        put_into(crowd, requests->first, wait);
    }
}

static HttpGuest *find_expendable(const HttpCrowd *crowd, const HttpGroup *group)
{
    HttpGuest *oldest = NULL;

    for (size_t i = 0; i < COUNT(expendable); i++) {
        HttpGuest *guest = group->lists[expendable[i]].first;

        if (guest && crowd->now - guest->since >= PATIENCE_MS)
            return guest;
        if (guest && (!oldest || guest->since < oldest->since))
            oldest = guest;
    }
    return oldest;
}

HttpGuest *http_crowd_surplus(HttpCrowd *crowd, const HttpGuest *newcomer)
{
    const HttpGroup *crowded = NULL;
    HttpGuest *found;

    if (crowd->address_max && newcomer->address->group.count > crowd->address_max)
        crowded = &newcomer->address->group;
    else if (crowd->all.count > crowd->count_max)
        crowded = &crowd->all;
    if (!crowded)
        return NULL;
    sort_out(crowd, crowded);
    found = find_expendable(crowd, crowded);
    if (found)
        http_crowd_move(crowd, found, HTTP_WAIT_END);
    return found;
}

void http_crowd_each(HttpCrowd *crowd, void (*visit)(void *context, HttpGuest *guest),
                     void *context)
{
    HttpGuest *next;

    for (HttpWait wait = 0; wait < HTTP_WAIT_COUNT; wait++)
        for (HttpGuest *guest = crowd->all.lists[wait].first; guest; guest = next) {
            next = guest->next[HTTP_SCOPE_ALL];
            visit(context, guest);
        }
}
