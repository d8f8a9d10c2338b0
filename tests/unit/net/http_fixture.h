/* http_fixture.h: a server and a raw socket for the tests of HTTP. */
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "net/http_client.h"
#include "net/http_server.h"
#include "tests/test.h"

static inline HttpServer *server_start(const HttpServerSpec *spec)
{
    HttpServer *server = NULL;
    Error error;

    EXPECT_OK(http_server_open(spec, &server, &error), error);
    EXPECT(http_server_port(server) > 0);
    return server;
}

static inline void answer_text(HttpExchange *exchange, int status, const char *text)
{
    http_answer(exchange, &(HttpAnswer){.status = status,
                                        .content_type = "text/plain",
                                        .body = text,
                                        .size = strlen(text)});
}

static inline const char *url_of(const HttpServer *server, Arena *arena, const char *path)
{
    return arena_format(arena, "http://127.0.0.1:%d%s", http_server_port(server), path);
}

static inline HttpReply fetch(const HttpServer *server, Arena *arena, HttpFetchSpec spec)
{
    HttpReply reply = {0};
    Error error;

    spec.url = url_of(server, arena, spec.url);
    EXPECT_OK(http_fetch(&spec, arena, &reply, &error), error);
    return reply;
}

static inline int raw_connect(const HttpServer *server)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(http_server_port(server)),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    struct timeval patience = {.tv_sec = 20};
    int handle = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    EXPECT(handle >= 0);
    setsockopt(handle, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    EXPECT(connect(handle, (struct sockaddr *)&address, sizeof(address)) == 0);
    return handle;
}

static inline void raw_send(int handle, const char *text)
{
    EXPECT(send(handle, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text));
}

/* All that comes until the other side closes. */
static inline const char *raw_read_all(int handle, Arena *arena)
{
    char *text = arena_alloc(arena, 65536, 1);
    size_t used = 0;
    ssize_t size = 1;

    while (size > 0 && used < 65535) {
        size = recv(handle, text + used, 65535 - used, 0);
        used += size > 0 ? (size_t)size : 0;
    }
    EXPECT(size == 0); /* closed in order, neither reset nor silent */
    close(handle);
    return text;
}

/* What the server answers to these bytes. */
static inline const char *raw_ask(const HttpServer *server, Arena *arena, const char *request)
{
    int handle = raw_connect(server);

    raw_send(handle, request);
    return raw_read_all(handle, arena);
}
