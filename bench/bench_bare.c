/* bench_bare: the limit that serving is measured against: libmicrohttpd alone.
 *
 *     bench_bare PORT ANSWER.json
 *
 * Reads the body of every request and answers the bytes of the file with the headers that Slipway
 * sends, on the same loop: one thread for each of two listeners on the port, polled from outside.
 */
#include <arpa/inet.h>
#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/text.h"

enum { LOOP_THREADS = 2, BODY_BYTES_MAX = 64 * 1024, CONNECTIONS_MAX = 4096 };

typedef struct Bare {
    const char *answer;
    size_t size;
    uint16_t port;
} Bare;

typedef struct BareRequest {
    size_t size;
    char body[BODY_BYTES_MAX];
} BareRequest;

static void add_headers(struct MHD_Response *response)
{
    MHD_add_response_header(response, "Content-Type", "application/json");
    MHD_add_response_header(response, "X-Request-Id", "0123456789abcdef0123456789abcdef");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(response, "Cache-Control", "no-store");
}

static enum MHD_Result answer(const Bare *bare, struct MHD_Connection *connection)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(
        bare->size, (void *)(uintptr_t)bare->answer, MHD_RESPMEM_PERSISTENT);
    enum MHD_Result result;

    add_headers(response);
    result = MHD_queue_response(connection, MHD_HTTP_OK, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result on_access(void *context, struct MHD_Connection *connection, const char *url,
                                 const char *method, const char *version, const char *bytes,
                                 size_t *size, void **state)
{
    BareRequest *request = *state;

    (void)url, (void)method, (void)version;
    if (!request) {
        *state = request = malloc(sizeof(*request));
        if (!request)
            return MHD_NO;
        request->size = 0;
        return MHD_YES;
    }
    if (*size == 0)
        return answer(context, connection);
    if (*size > BODY_BYTES_MAX - request->size)
        return MHD_NO;
    memcpy(request->body + request->size, bytes, *size);
    request->size += *size;
    *size = 0;
    return MHD_YES;
}

static void on_completed(void *context, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode code)
{
    (void)context, (void)connection, (void)code;
    free(*state);
}

static int listen_on(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;

    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    setsockopt(listener, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
    if (bind(listener, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(listener, 1024) != 0) {
        perror("bench_bare");
        exit(1);
    }
    return listener;
}

static void *run_loop(void *context)
{
    Bare *bare = context;
    struct MHD_Daemon *daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_USE_TURBO, 0, NULL, NULL, on_access, bare, MHD_OPTION_LISTEN_SOCKET,
        listen_on(bare->port), MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_END);
    struct pollfd event = {
        .fd = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd,
        .events = POLLIN,
    };

    for (;;) {
        MHD_UNSIGNED_LONG_LONG timeout = 0;
        int wait = MHD_get_timeout(daemon, &timeout) == MHD_YES ? (int)timeout : -1;

        poll(&event, 1, wait);
        MHD_run(daemon);
    }
    return NULL;
}

int main(int count, char **arguments)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    pthread_t threads[LOOP_THREADS];
    Error error = {0};
    Bare bare = {0};
    int64_t port;

    if (count != 3 || !text_to_int(arguments[1], &port) || port < 1 || port > UINT16_MAX ||
        !file_read(arguments[2], BODY_BYTES_MAX, arena, &bare.answer, &bare.size, &error)) {
        fprintf(stderr, "usage: bench_bare PORT ANSWER.json\n%s\n", error.message);
        return 2;
    }
    bare.port = (uint16_t)port;
    for (int i = 0; i < LOOP_THREADS; i++)
        if (pthread_create(&threads[i], NULL, run_loop, &bare) != 0)
            return 1;
    pthread_join(threads[0], NULL);
    return 0;
}
