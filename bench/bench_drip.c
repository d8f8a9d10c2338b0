/* bench_drip: clients that drip, and good clients among them.
 *
 *     bench_drip port=5000 path=/predict body=FILE rate=1000 connections=32 seconds=10
 *                drippers=5000 kind=header sources=1 probe=5001 token=TOKEN
 *
 * Good clients ask at a constant rate, open loop: a request is due at its time whether or not the
 * ones before it were answered, and its latency counts from then, so that a stall of the server is
 * felt by all that were due during it. Drippers hold their number: who is cut comes again a second
 * later. Both ports are asked for /healthz ten times a second. Prints one JSON object.
 *
 * kind: header, body (a byte a second), silent (never sends), reader (never reads its answers).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/text.h"
#include "base/time.h"

enum {
    BODY_BYTES_MAX = 16 * 1024 * 1024,
    ANSWER_HEAD_MAX = 4096,
    RAMP_PER_TURN = 4, /* drippers opened in a millisecond */
    DRIPPERS_PER_TURN = 100,
    READER_REQUESTS = 16,
    HEALTH_PER_SECOND = 10,
    SAMPLES_MAX = 4000000,
    EVENTS_MAX = 512,
    DRAIN_US = 3000000,
    SETTLE_US = 3000000,
};

typedef struct Options {
    int64_t port, probe, rate, connections, seconds, drippers, sources;
    const char *path, *body, *kind, *token;
} Options;

typedef struct Samples {
    uint32_t *us;
    size_t count;
} Samples;

typedef enum ClientKind { CLIENT_DRIPPER, CLIENT_GOOD } ClientKind;

/* Asks at its times over some connections. */
typedef struct Stream Stream;

typedef struct Client {
    ClientKind kind;
    int socket;
    int64_t next_at; /* a dripper's next byte, or its next try when it has no socket */
    Stream *stream;
    int64_t due_at; /* of the request under way; 0: none */
    size_t sent;    /* of the request */
    size_t head_count;
    int64_t body_left; /* of the answer; -1: still in its head */
    int status;
    char *head; /* ANSWER_HEAD_MAX bytes; a dripper has none */
} Client;

struct Stream {
    uint16_t port;
    const char *request;
    size_t request_size;
    int64_t rate, begin_at, next_due, end_at;
    Client *clients;
    size_t client_count;
    Samples good, refused;
    size_t due_count, retry_count, failed_count;
    size_t timely_count; /* of the good answers, those before the end */
};

static int poll_handle;
static size_t cut_count;

static void watch(Client *client, int operation, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = client};

    epoll_ctl(poll_handle, operation, client->socket, &event);
}

static bool client_open(Client *client, uint16_t port, int64_t source)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in from = {.sin_family = AF_INET,
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t)source)};
    int on = 1;

    client->socket = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (client->socket < 0)
        return false;
    setsockopt(client->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    setsockopt(client->socket, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
    (void)!bind(client->socket, (struct sockaddr *)&from, sizeof(from));
    if (connect(client->socket, (struct sockaddr *)&to, sizeof(to)) != 0 && errno != EINPROGRESS) {
        close(client->socket);
        client->socket = -1;
        return false;
    }
    client->body_left = -1;
    client->head_count = client->sent = 0;
    return true;
}

static void client_close(Client *client)
{
    close(client->socket);
    client->socket = -1;
}

/* Drippers. */

static void drip(Client *client, const Options *options, const char *opening, int64_t now)
{
    const char *bytes = client->sent ? "x" : opening;
    bool is_silent = client->sent ? strcmp(options->kind, "reader") == 0 : !*opening;

    if (!is_silent && send(client->socket, bytes, strlen(bytes), MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
        client->sent = 1;
    client->next_at = now + 1000000;
}

static void dripper_turn(Client *client, size_t index, const Options *options, const char *opening,
                         int64_t now)
{
    const int little = 4096;

    if (now < client->next_at)
        return;
    if (client->socket >= 0) {
        drip(client, options, opening, now);
        return;
    }
    client->next_at = now + 10000;
    if (client_open(client, (uint16_t)options->port, 1 + (int64_t)index % options->sources)) {
        setsockopt(client->socket, SOL_SOCKET, SO_RCVBUF, &little, sizeof(little));
        watch(client, EPOLL_CTL_ADD, EPOLLRDHUP | EPOLLHUP);
    }
}

static void dripper_ended(Client *client, int64_t now)
{
    client_close(client);
    client->next_at = now + 1000000;
    cut_count++;
}

static const char *opening_of(const Options *options, Arena *arena)
{
    TextBuilder text = {.arena = arena};

    if (strcmp(options->kind, "header") == 0)
        text_append(&text, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ");
    if (strcmp(options->kind, "body") == 0)
        text_append_format(&text,
                           "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json"
                           "\r\nContent-Length: 2000\r\n\r\n",
                           options->path);
    if (strcmp(options->kind, "reader") == 0)
        for (int i = 0; i < READER_REQUESTS; i++)
            text_append(&text, "GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n");
    return text.count ? text_built(&text) : "";
}

/* Good clients. */

static void sample(Samples *samples, int64_t us)
{
    if (samples->count < SAMPLES_MAX)
        samples->us[samples->count++] = (uint32_t)us;
}

static void answered(Client *client, int64_t now)
{
    Stream *stream = client->stream;

    stream->timely_count += client->status == 200 && now < stream->end_at;
    if (client->status == 200)
        sample(&stream->good, now - client->due_at);
    else if (client->status == 429)
        sample(&stream->refused, now - client->due_at);
    else
        stream->failed_count++;
    stream->retry_count += client->status == 429 && strstr(client->head, "\r\nRetry-After: ");
    client->due_at = 0;
    client->body_left = -1;
    client->head_count = client->sent = 0;
}

static void ended(Client *client)
{
    if (client->due_at)
        client->stream->failed_count++;
    client->due_at = 0;
    client_close(client);
}

static void read_head(Client *client)
{
    char *end, *length;

    client->head[client->head_count] = '\0';
    end = strstr(client->head, "\r\n\r\n");
    if (!end)
        return;
    length = strstr(client->head, "Content-Length: ");
    client->status = (int)strtol(client->head + 9, NULL, 10);
    client->body_left = length ? strtoll(length + 16, NULL, 10) : 0;
    client->body_left -= client->head + client->head_count - (end + 4);
}

static void receive(Client *client)
{
    static char scrap[64 * 1024];
    bool in_head = client->body_left < 0;
    char *into = in_head ? client->head + client->head_count : scrap;
    size_t room = in_head ? ANSWER_HEAD_MAX - 1 - client->head_count : sizeof(scrap);
    ssize_t size = recv(client->socket, into, room, 0);

    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (size <= 0 || !client->due_at) {
        ended(client);
        return;
    }
    if (!in_head) {
        client->body_left -= size;
    } else {
        client->head_count += (size_t)size;
        read_head(client);
    }
    if (client->body_left == 0)
        answered(client, time_monotonic_us());
}

static void send_more(Client *client)
{
    const Stream *stream = client->stream;
    ssize_t size;

    if (!client->due_at || client->sent == stream->request_size)
        return;
    size = send(client->socket, stream->request + client->sent, stream->request_size - client->sent,
                MSG_NOSIGNAL);
    if (size > 0)
        client->sent += (size_t)size;
}

static void ask(Client *client, int64_t due_at)
{
    client->due_at = due_at;
    if (client->socket < 0) {
        if (!client_open(client, client->stream->port, 0)) {
            client->stream->failed_count++;
            client->due_at = 0;
            return;
        }
        watch(client, EPOLL_CTL_ADD, EPOLLIN | EPOLLOUT | EPOLLET);
    }
    send_more(client);
}

/* All that is due goes to clients that are free, in turn; what finds none stays due. */
static void stream_turn(Stream *stream, int64_t now)
{
    size_t i = 0;

    while (stream->next_due <= now && stream->next_due < stream->end_at) {
        while (i < stream->client_count && stream->clients[i].due_at)
            i++;
        if (i == stream->client_count)
            return;
        ask(&stream->clients[i], stream->next_due);
        stream->due_count++;
        stream->next_due = stream->begin_at + (int64_t)stream->due_count * 1000000 / stream->rate;
    }
}

static const char *request_text(const Options *options, Arena *arena, size_t *size)
{
    TextBuilder text = {.arena = arena};
    const char *body = NULL;
    size_t body_size = 0;
    Error error;

    if (options->body &&
        !file_read(options->body, BODY_BYTES_MAX, arena, &body, &body_size, &error)) {
        fprintf(stderr, "bench_drip: %s\n", error.message);
        exit(2);
    }
    text_append_format(&text, "%s %s HTTP/1.1\r\nHost: localhost\r\n", body ? "POST" : "GET",
                       options->path);
    if (options->token)
        text_append_format(&text, "Authorization: Bearer %s\r\n", options->token);
    if (body)
        text_append_format(&text, "Content-Type: application/json\r\nContent-Length: %zu\r\n",
                           body_size);
    text_append(&text, "\r\n");
    text_append_bytes(&text, body ? body : "", body_size);
    *size = text.count;
    return text_built(&text);
}

static Stream stream_create(Arena *arena, int64_t port, int64_t rate, int64_t clients)
{
    Stream stream = {
        .port = (uint16_t)port,
        .rate = rate,
        .clients = calloc((size_t)clients, sizeof(Client)),
        .client_count = (size_t)clients,
        .request = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
        .good.us = malloc(SAMPLES_MAX * sizeof(uint32_t)),
        .refused.us = malloc(SAMPLES_MAX * sizeof(uint32_t)),
    };

    if (!stream.clients || !stream.good.us || !stream.refused.us)
        abort();
    stream.request_size = strlen(stream.request);
    for (size_t i = 0; i < stream.client_count; i++) {
        stream.clients[i].kind = CLIENT_GOOD;
        stream.clients[i].socket = -1;
        stream.clients[i].body_left = -1;
        stream.clients[i].head = arena_alloc(arena, ANSWER_HEAD_MAX, 1);
    }
    return stream;
}

static void stream_begin(Stream *stream, int64_t now, int64_t seconds)
{
    for (size_t i = 0; i < stream->client_count; i++)
        stream->clients[i].stream = stream;
    stream->begin_at = stream->next_due = now;
    stream->end_at = stream->rate ? now + seconds * 1000000 : now;
}

static size_t busy_count(const Stream *stream)
{
    size_t count = 0;

    for (size_t i = 0; i < stream->client_count; i++)
        count += stream->clients[i].due_at != 0;
    return count;
}

/* The whole. */

static void handle_event(const struct epoll_event *event, int64_t now)
{
    Client *client = event->data.ptr;

    if (client->socket < 0)
        return;
    if (client->kind == CLIENT_DRIPPER) {
        dripper_ended(client, now);
        return;
    }
    send_more(client);
    for (int turn = 0; turn < 16 && client->socket >= 0 && (event->events & ~(uint32_t)EPOLLOUT);
         turn++) {
        size_t before = client->head_count;
        int64_t left = client->body_left;

        receive(client);
        if (client->head_count == before && client->body_left == left)
            break;
    }
}

static void wait_for_events(void)
{
    struct epoll_event events[EVENTS_MAX];
    int count = epoll_wait(poll_handle, events, EVENTS_MAX, 1);
    int64_t now = time_monotonic_us();

    for (int i = 0; i < count; i++)
        handle_event(&events[i], now);
}

static int compare(const void *a, const void *b)
{
    uint32_t one = *(const uint32_t *)a, other = *(const uint32_t *)b;

    return (one > other) - (one < other);
}

static uint32_t quantile(Samples *samples, double share)
{
    if (samples->count == 0)
        return 0;
    qsort(samples->us, samples->count, sizeof(*samples->us), compare);
    return samples->us[(size_t)((double)(samples->count - 1) * share)];
}

static void print_stream(const char *name, Stream *stream, int64_t seconds)
{
    printf("\"%s\":{\"due\":%zu,\"ok\":%zu,\"rate\":%.1f,\"p50_us\":%u,\"p99_us\":%u,\"max_us\":%u,"
           "\"refused\":%zu,\"refused_p50_us\":%u,\"refused_p99_us\":%u,\"retry_after\":%zu,"
           "\"failed\":%zu},",
           name, stream->due_count, stream->good.count,
           (double)stream->timely_count / (double)seconds, quantile(&stream->good, 0.5),
           quantile(&stream->good, 0.99), quantile(&stream->good, 1), stream->refused.count,
           quantile(&stream->refused, 0.5), quantile(&stream->refused, 0.99), stream->retry_count,
           stream->failed_count + busy_count(stream));
}

static bool read_option(Options *options, const char *word)
{
    const struct {
        const char *name;
        int64_t *number;
        const char **text;
    } known[] = {
        {"port=", &options->port, NULL},       {"probe=", &options->probe, NULL},
        {"rate=", &options->rate, NULL},       {"connections=", &options->connections, NULL},
        {"seconds=", &options->seconds, NULL}, {"drippers=", &options->drippers, NULL},
        {"sources=", &options->sources, NULL}, {"path=", NULL, &options->path},
        {"body=", NULL, &options->body},       {"kind=", NULL, &options->kind},
        {"token=", NULL, &options->token},
    };

    for (size_t i = 0; i < COUNT(known); i++) {
        const char *value = word + strlen(known[i].name);

        if (!text_has_prefix(word, known[i].name))
            continue;
        if (known[i].text)
            *known[i].text = value;
        return known[i].text || text_to_int(value, known[i].number);
    }
    return false;
}

/* Readers come more slowly: each makes the server fill its socket. */
static int64_t ramp_us(const Options *options, int64_t count)
{
    return count * 1000 / (strcmp(options->kind, "reader") == 0 ? 1 : RAMP_PER_TURN);
}

static Client *drippers_create(const Options *options, int64_t now, Arena *arena)
{
    Client *drippers = arena_array(arena, Client, (size_t)options->drippers + 1);

    for (int64_t i = 0; i < options->drippers; i++) {
        drippers[i].socket = -1;
        drippers[i].next_at = now + ramp_us(options, i);
    }
    return drippers;
}

static size_t alive_count(const Client *drippers, const Options *options)
{
    size_t count = 0;

    for (int64_t i = 0; i < options->drippers; i++)
        count += drippers[i].socket >= 0;
    return count;
}

/* A part of them in each turn, so that good clients are not kept waiting by this program. */
static void drippers_turn(Client *drippers, const Options *options, const char *opening,
                          int64_t now)
{
    static int64_t at;

    for (int64_t i = 0; i < options->drippers && i < DRIPPERS_PER_TURN; i++) {
        at = at + 1 < options->drippers ? at + 1 : 0;
        dripper_turn(&drippers[at], (size_t)at, options, opening, now);
    }
}

enum { MAIN, HEALTH, PROBE, STREAMS };

/* Ends when all is answered, or has been due for too long. */
static void run(Stream *streams, Client *drippers, const Options *options, const char *opening)
{
    int64_t end_at = streams[MAIN].end_at, now = time_monotonic_us();
    size_t busy_total = 1;

    while (now < end_at || (busy_total && now < end_at + DRAIN_US)) {
        drippers_turn(drippers, options, opening, now);
        busy_total = 0;
        for (int s = 0; s < STREAMS; s++) {
            stream_turn(&streams[s], now);
            busy_total += busy_count(&streams[s]);
        }
        wait_for_events();
        now = time_monotonic_us();
    }
}

int main(int count, char **words)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Options options = {
        .connections = 32, .seconds = 5, .sources = 1, .path = "/", .kind = "silent"};
    static const char *const names[STREAMS] = {"good", "health", "probe"};
    int64_t began = time_monotonic_us(), quiet_us = 0;
    Stream streams[STREAMS];
    Client *drippers;

    for (int i = 1; i < count; i++)
        if (!read_option(&options, words[i])) {
            fprintf(stderr, "bench_drip: what is %s?\n", words[i]);
            return 2;
        }
    poll_handle = epoll_create1(EPOLL_CLOEXEC);
    drippers = drippers_create(&options, began, arena);
    streams[MAIN] = stream_create(arena, options.port, options.rate, options.connections);
    streams[MAIN].request = request_text(&options, arena, &streams[MAIN].request_size);
    streams[HEALTH] = stream_create(arena, options.port, HEALTH_PER_SECOND, 4);
    streams[PROBE] = stream_create(arena, options.probe, options.probe ? HEALTH_PER_SECOND : 0, 4);

    /* The drippers first: all of them for a while. */
    if (options.drippers)
        quiet_us = ramp_us(&options, options.drippers) + SETTLE_US;
    for (int s = 0; s < STREAMS; s++)
        stream_begin(&streams[s], began + quiet_us, options.seconds);
    run(streams, drippers, &options, opening_of(&options, arena));

    printf("{");
    for (int s = 0; s < STREAMS; s++)
        print_stream(names[s], &streams[s], options.seconds);
    printf("\"drippers\":%zu,\"cut\":%zu}\n", alive_count(drippers, &options), cut_count);
    return 0;
}
