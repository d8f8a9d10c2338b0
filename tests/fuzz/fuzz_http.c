/* fuzz_http.c: any bytes on a connection get answers that begin as HTTP does, or none; the server
 * stays, and what its handler sees of a request is whole: texts, and one "Host". */
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "net/http_server.h"

enum { REPLY_SIZE = 64 * 1024 };

static void require(bool condition)
{
    if (!condition)
        abort();
}

static size_t read_pairs(const HttpPairList *pairs)
{
    size_t size = 0;

    for (size_t i = 0; i < pairs->count; i++)
        size += strlen(pairs->items[i].name) + strlen(pairs->items[i].value);
    return size;
}

static void on_request(void *context, HttpExchange *exchange)
{
    const HttpBody *body = http_exchange_body(exchange);
    Arena *arena = http_exchange_arena(exchange);
    size_t size = read_pairs(http_exchange_headers(exchange)) +
                  read_pairs(http_exchange_queries(exchange)) +
                  strlen(http_exchange_path(exchange));
    const char *text;

    (void)context;
    for (size_t i = 0; i < http_exchange_segments(exchange)->count; i++)
        size += strlen(http_exchange_segments(exchange)->items[i]);
    if (body->size)
        require(body->bytes && body->bytes[body->size] == '\0');
    text = arena_format(arena, "%s: %zu bytes", http_exchange_method(exchange), size + body->size);
    http_answer(exchange, &(HttpAnswer){.status = 200,
                                        .content_type = "text/plain",
                                        .body = text,
                                        .size = strlen(text),
                                        .body_lasts = true});
}

static uint16_t port_of_server(void)
{
    static HttpServer *server;
    Error error = {0};

    if (!server)
        require(http_server_open(
            &(HttpServerSpec){.handle = on_request, .header_seconds = 1, .body_seconds = 1},
            &server, &error));
    return http_server_port(server);
}

/* On a busy machine there may be no port left for a moment. */
static bool connect_patiently(int handle, const struct sockaddr_in *address)
{
    for (int turn = 0; turn < 100; turn++) {
        if (connect(handle, (const struct sockaddr *)address, sizeof(*address)) == 0)
            return true;
        if (errno != EADDRNOTAVAIL && errno != EAGAIN && errno != EINTR)
            return false;
        usleep(10000);
    }
    return false;
}

static int connect_to(uint16_t port)
{
    const struct timeval patience = {.tv_usec = 3000}; /* a deadline's answer is not waited for */
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int handle = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    require(handle >= 0 && connect_patiently(handle, &address));
    setsockopt(handle, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(handle, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    return handle;
}

/* What fits of the answers. */
static size_t read_reply(int handle, char *reply)
{
    size_t size = 0;

    while (size < REPLY_SIZE) {
        ssize_t more = recv(handle, reply + size, REPLY_SIZE - size, 0);

        if (more <= 0)
            break;
        size += (size_t)more;
    }
    return size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char start[] = "HTTP/1.";
    static char reply[REPLY_SIZE];
    const struct linger at_once = {.l_onoff = 1}; /* no port is left waiting */
    int handle = connect_to(port_of_server());
    size_t got;

    if (size)
        (void)!send(handle, data, size, MSG_NOSIGNAL);
    shutdown(handle, SHUT_WR);
    got = read_reply(handle, reply);
    require(memcmp(reply, start, got < strlen(start) ? got : strlen(start)) == 0 || got == 0);
    setsockopt(handle, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    close(handle);
    return 0;
}
