#include "net/http_server.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/time.h"
#include "net/http_internal.h"

enum { THREAD_COUNT_MAX = 64, BACKLOG = 1024 };

/* By itself the system lets a socket grow to some megabytes each way: of thousands of clients that
 * send much or never read, that would be gigabytes. */
enum { SOCKET_BUFFER_BYTES = 208 * 1024 };

typedef enum PortSharing { PORT_ALONE, PORT_SHARED } PortSharing;

struct HttpServer {
    Arena *arena;
    HttpServerSpec spec;
    uint16_t port;
    size_t loop_count; /* of those that run */
    HttpLoop *loops;
};

static void set_defaults(HttpServerSpec *spec)
{
    if (!spec->address)
        spec->address = "127.0.0.1";
    if (spec->thread_count == 0)
        spec->thread_count = 1;
    if (spec->connection_count_max == 0)
        spec->connection_count_max = 1024;
    if (spec->idle_seconds == 0)
        spec->idle_seconds = 60;
    if (spec->header_seconds == 0)
        spec->header_seconds = 10;
    if (spec->body_seconds == 0)
        spec->body_seconds = 30;
    if (spec->body_memory_max == 0)
        spec->body_memory_max = (size_t)512 * 1024 * 1024;
}

static HttpServer *server_create(const HttpServerSpec *spec)
{
    Arena *arena = arena_create();
    HttpServer *server = arena_new(arena, HttpServer);

    server->arena = arena;
    server->spec = *spec;
    set_defaults(&server->spec);
    server->spec.address = arena_text(arena, server->spec.address);
    server->spec.spool_folder = arena_text(arena, server->spec.spool_folder);
    server->port = spec->port;
    server->loops = arena_array(arena, HttpLoop, server->spec.thread_count);
    return server;
}

static bool address_read(const HttpServerSpec *spec, struct addrinfo **found, Error *error)
{
    const struct addrinfo hints = {
        .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
        .ai_socktype = SOCK_STREAM,
    };
    int status = getaddrinfo(spec->address, "0", &hints, found);

    if (status == EAI_MEMORY)
        out_of_memory();
    if (status != 0)
        return fail(error, ERROR_INVALID, "\"%s\" is not an IPv4 or IPv6 address", spec->address);
    return true;
}

static void set_port(struct sockaddr *address, uint16_t port)
{
    if (address->sa_family == AF_INET)
        ((struct sockaddr_in *)address)->sin_port = htons(port);
    else
        ((struct sockaddr_in6 *)address)->sin6_port = htons(port);
}

static bool socket_bind(int handle, const struct addrinfo *where, PortSharing sharing)
{
    const int yes = 1, buffer_bytes = SOCKET_BUFFER_BYTES; /* its connections have them too */

    if (setsockopt(handle, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) != 0)
        return false;
    if (sharing == PORT_SHARED &&
        setsockopt(handle, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof(yes)) != 0)
        return false;
    setsockopt(handle, SOL_SOCKET, SO_SNDBUF, &buffer_bytes, sizeof(buffer_bytes));
    setsockopt(handle, SOL_SOCKET, SO_RCVBUF, &buffer_bytes, sizeof(buffer_bytes));
    if (bind(handle, where->ai_addr, where->ai_addrlen) != 0)
        return false;
    return sharing == PORT_ALONE || listen(handle, BACKLOG) == 0;
}

static int socket_open(const struct addrinfo *where, PortSharing sharing)
{
    int handle = socket(where->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int number;

    if (handle < 0 || socket_bind(handle, where, sharing))
        return handle;
    number = errno;
    close(handle);
    errno = number;
    return -1;
}

static uint16_t bound_port(int handle)
{
    union {
        struct sockaddr any;
        struct sockaddr_in four;
        struct sockaddr_in6 six;
    } address = {.six = {0}};
    socklen_t size = sizeof(address);

    getsockname(handle, &address.any, &size);
    return ntohs(address.any.sa_family == AF_INET ? address.four.sin_port : address.six.sin6_port);
}

static bool fail_listen(const HttpServer *server, Error *error)
{
    return fail(error, ERROR_UNAVAILABLE, "could not listen on \"%s\" port %d: %s",
                server->spec.address, server->port, strerror(errno));
}

/* Loops share their port by SO_REUSEPORT, with which a second server of the same user would quietly
 * take half of the connections. A first socket without it finds the port taken. */
static bool check_port_is_free(const HttpServer *server, const struct addrinfo *where, Error *error)
{
    int probe;

    if (server->port == 0)
        return true;
    probe = socket_open(where, PORT_ALONE);
    if (probe < 0)
        return fail_listen(server, error);
    close(probe);
    return true;
}

static bool start_loops(HttpServer *server, const struct addrinfo *where, Error *error)
{
    set_port(where->ai_addr, server->port);
    if (!check_port_is_free(server, where, error))
        return false;

    while (server->loop_count < server->spec.thread_count) {
        int listener = socket_open(where, PORT_SHARED);

        if (listener < 0)
            return fail_listen(server, error);
        server->port = bound_port(listener);
        set_port(where->ai_addr, server->port);
        if (!http_loop_open(&server->loops[server->loop_count], &server->spec, listener, error))
            return false;
        server->loop_count++;
    }
    return true;
}

bool http_server_open(const HttpServerSpec *spec, HttpServer **server, Error *error)
{
    struct addrinfo *where;
    HttpServer *opened;
    bool is_open;

    if (spec->thread_count > THREAD_COUNT_MAX)
        return fail(error, ERROR_INVALID, "an HTTP server has 1 to %d threads", THREAD_COUNT_MAX);

    opened = server_create(spec);
    is_open = microhttpd_open(error) && address_read(&opened->spec, &where, error);
    if (is_open) {
        is_open = start_loops(opened, where, error);
        freeaddrinfo(where);
    }
    if (!is_open) {
        http_server_close(opened, 0);
        return false;
    }
    *server = opened;
    return true;
}

uint16_t http_server_port(const HttpServer *server)
{
    return server->port;
}

void http_server_close(HttpServer *server, unsigned wait_seconds)
{
    if (!server)
        return;

    int64_t stop_at = time_monotonic_us() / 1000 + (int64_t)wait_seconds * 1000;
    for (size_t i = 0; i < server->loop_count; i++)
        http_loop_stop(&server->loops[i], stop_at);
    for (size_t i = 0; i < server->loop_count; i++)
        http_loop_join(&server->loops[i]);
    arena_destroy(server->arena);
}
