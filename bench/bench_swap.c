/* bench_swap: a client that checks each answer against what the version it names answered when it
 * served alone.
 *
 *     bench_swap PORT PLAN.json CONNECTIONS DEPTH RATE SECONDS
 *
 * PLAN.json: {"path": "/endpoints/spam/predict", "bodies": [text, ...],
 *             "answers": [[text per body], ... per version]}
 * where an answer is the text of a good response from "model": on, which names the version.
 *
 * RATE 0 is a closed loop: each connection sends DEPTH requests and the next ones when all of them
 * are answered. Any other RATE is that many requests a second, each due at a moment of its own: an
 * answer's time counts from there, also when the request had to wait for a connection, so that a
 * server that stalls is not asked less. Ends after SECONDS or at SIGTERM, and prints one JSON
 * object: how many answers were right, per version; failed (no answer, or not 200), mixed (names a
 * version but is not its answer), unknown (names none of them).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"

enum {
    PLAN_BYTES_MAX = 64 << 20,
    CONNECTIONS_MAX = 4096,
    DEPTH_MAX = 64,
    VERSIONS_MAX = 16,
    BUFFER_SIZE = 64 * 1024,
    EVENTS_MAX = 256,
    DRAIN_US = 10 * 1000 * 1000,
    WAIT_MS_MAX = 100,
    SHARE_BITS = 6, /* a latency is known to one part in 64 */
    BUCKETS = 40 << SHARE_BITS,
    EXAMPLE_SIZE = 600,
};

typedef struct Text {
    const char *bytes;
    size_t size;
} Text;

/* A request that waits for its answer. */
typedef struct Asked {
    size_t body;
    int64_t due_us;
} Asked;

typedef struct Connection {
    int descriptor;
    bool wants_to_write;
    Asked asked[DEPTH_MAX]; /* a ring */
    size_t first, waiting;
    char *out; /* not sent yet, behind out_sent */
    size_t out_size, out_sent;
    char *in;
    size_t in_size;
} Connection;

typedef struct Client {
    uint16_t port;
    size_t body_count, version_count, connection_count, depth;
    Text *requests; /* per body: the whole request */
    Text *answers;  /* version x body */
    double rate;
    int64_t ends_us, started_us;
    Connection *connections;
    int events;
    size_t next_body, next_connection;
    uint64_t due_count; /* requests that a constant rate has asked for */
    size_t waiting;     /* on all connections */
    uint64_t right[VERSIONS_MAX], failed, mixed, unknown, reconnected;
    uint64_t buckets[BUCKETS], slowest_us;
    char example[EXAMPLE_SIZE]; /* of the first answer that is not right */
} Client;

static volatile sig_atomic_t stopped;

static void stop(int number)
{
    (void)number;
    stopped = 1;
}

/* Buckets grow with what they hold: exact below 64 us, then 64 of them for each doubling. */
static size_t bucket_of(uint64_t us)
{
    size_t doublings = 0;

    while (us >> (SHARE_BITS + doublings + 1))
        doublings++;
    if (us >> SHARE_BITS == 0)
        return (size_t)us;
    return ((doublings + 1) << SHARE_BITS) + (size_t)(us >> doublings) - (1 << SHARE_BITS);
}

static uint64_t bucket_floor(size_t bucket)
{
    size_t doublings = bucket >> SHARE_BITS;
    uint64_t within = bucket & ((1 << SHARE_BITS) - 1);

    return doublings ? (within + (1 << SHARE_BITS)) << (doublings - 1) : within;
}

static void count_time(Client *client, int64_t us)
{
    uint64_t time = us > 0 ? (uint64_t)us : 0;
    size_t bucket = bucket_of(time);

    client->buckets[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
    if (time > client->slowest_us)
        client->slowest_us = time;
}

static uint64_t percentile(const Client *client, double share)
{
    uint64_t all = 0, seen = 0;

    for (size_t i = 0; i < BUCKETS; i++)
        all += client->buckets[i];
    for (size_t i = 0; i < BUCKETS; i++) {
        seen += client->buckets[i];
        if (all && (double)seen >= share * (double)all)
            return bucket_floor(i);
    }
    return 0;
}

static void keep_example(Client *client, const char *what, Text text)
{
    if (!*client->example)
        snprintf(client->example, sizeof(client->example), "%s: %.*s", what,
                 (int)(text.size < EXAMPLE_SIZE / 2 ? text.size : EXAMPLE_SIZE / 2), text.bytes);
}

/* An answer's head, "model":"spam","version":3, is what names its version. */
static size_t head_size(Text answer)
{
    const char *end = memmem(answer.bytes, answer.size, "\"predictions\"", 13);

    return end ? (size_t)(end - answer.bytes) : answer.size;
}

static void judge_wrong(Client *client, Text answer)
{
    size_t head = head_size(answer);

    for (size_t i = 0; i < client->version_count; i++) {
        Text known = client->answers[i * client->body_count];

        if (head_size(known) != head || memcmp(known.bytes, answer.bytes, head) != 0)
            continue;
        client->mixed++;
        keep_example(client, "mixed", answer);
        return;
    }
    client->unknown++;
    keep_example(client, "unknown", answer);
}

static void judge(Client *client, size_t body, Text response)
{
    const char *start = memmem(response.bytes, response.size, "\"model\":", 8);
    Text answer = {start, start ? response.size - (size_t)(start - response.bytes) : 0};

    if (!start) {
        client->unknown++;
        keep_example(client, "unknown", response);
        return;
    }
    for (size_t i = 0; i < client->version_count; i++) {
        Text known = client->answers[i * client->body_count + body];

        if (known.size == answer.size && memcmp(known.bytes, answer.bytes, answer.size) == 0) {
            client->right[i]++;
            return;
        }
    }
    judge_wrong(client, answer);
}

static void watch(Client *client, Connection *connection, bool writing)
{
    struct epoll_event event = {.events = EPOLLIN | (writing ? EPOLLOUT : 0),
                                .data.ptr = connection};

    if (writing == connection->wants_to_write)
        return;
    epoll_ctl(client->events, EPOLL_CTL_MOD, connection->descriptor, &event);
    connection->wants_to_write = writing;
}

static void open_connection(Client *client, Connection *connection)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(client->port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

    if (descriptor < 0 || connect(descriptor, (struct sockaddr *)&address, sizeof(address)) != 0) {
        perror("bench_swap: connect");
        exit(1);
    }
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    connection->descriptor = descriptor;
    connection->wants_to_write = false;
    connection->first = connection->waiting = 0;
    connection->out_size = connection->out_sent = connection->in_size = 0;
    epoll_ctl(client->events, EPOLL_CTL_ADD, descriptor, &event);
}

/* What it was asked and did not answer has failed. */
static void lose_connection(Client *client, Connection *connection)
{
    Text words = {"a connection was closed", 23};

    close(connection->descriptor);
    client->failed += connection->waiting;
    client->waiting -= connection->waiting;
    client->reconnected++;
    if (connection->waiting)
        keep_example(client, "failed", words);
    open_connection(client, connection);
}

static void send_out(Client *client, Connection *connection)
{
    while (connection->out_sent < connection->out_size) {
        ssize_t sent =
            send(connection->descriptor, connection->out + connection->out_sent,
                 connection->out_size - connection->out_sent, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && errno != EAGAIN) {
            lose_connection(client, connection);
            return;
        }
        if (sent < 0)
            break;
        connection->out_sent += (size_t)sent;
    }
    if (connection->out_sent == connection->out_size)
        connection->out_sent = connection->out_size = 0;
    watch(client, connection, connection->out_size != 0);
}

/* One more request behind those that it holds; sent by send_out(). */
static bool ask(Client *client, Connection *connection, int64_t due_us)
{
    Text request = client->requests[client->next_body];

    if (connection->waiting == client->depth || BUFFER_SIZE - connection->out_size < request.size)
        return false;
    memcpy(connection->out + connection->out_size, request.bytes, request.size);
    connection->out_size += request.size;
    connection->asked[(connection->first + connection->waiting++) % DEPTH_MAX] =
        (Asked){client->next_body, due_us};
    client->next_body = (client->next_body + 1) % client->body_count;
    client->waiting++;
    return true;
}

static void ask_all_it_holds(Client *client, Connection *connection)
{
    int64_t now = time_monotonic_us();

    while (ask(client, connection, now))
        continue;
    send_out(client, connection);
}

/* The value of a response's Content-Length; false without one. */
static bool read_length(Text head, size_t *length)
{
    static const char name[] = "\nContent-Length:";

    for (const char *at = head.bytes;
         (at = memchr(at, '\n', head.size - (size_t)(at - head.bytes))); at++) {
        if (head.size - (size_t)(at - head.bytes) < sizeof(name) ||
            strncasecmp(at, name, sizeof(name) - 1) != 0)
            continue;
        *length = (size_t)strtoul(at + sizeof(name) - 1, NULL, 10);
        return true;
    }
    return false;
}

/* Takes one whole response from bytes; 0 when there is none yet. */
static size_t take_response(Client *client, Connection *connection, Text bytes)
{
    const char *end = memmem(bytes.bytes, bytes.size, "\r\n\r\n", 4);
    Text head = {bytes.bytes, end ? (size_t)(end - bytes.bytes) + 2 : 0}, body;
    Asked asked = connection->asked[connection->first];
    size_t length = 0;

    if (!end || !read_length(head, &length) || bytes.size < head.size + 2 + length)
        return 0;
    body = (Text){end + 4, length};
    if (memcmp(bytes.bytes, "HTTP/1.1 200", 12) == 0) {
        judge(client, asked.body, body);
    } else {
        client->failed++;
        keep_example(client, "failed", body);
    }
    count_time(client, time_monotonic_us() - asked.due_us);
    connection->first = (connection->first + 1) % DEPTH_MAX;
    connection->waiting--;
    client->waiting--;
    return head.size + 2 + length;
}

static void take_responses(Client *client, Connection *connection)
{
    size_t taken = 0;

    while (connection->waiting && taken < connection->in_size) {
        Text left = {connection->in + taken, connection->in_size - taken};
        size_t size = take_response(client, connection, left);

        if (!size)
            break;
        taken += size;
    }
    connection->in_size -= taken;
    memmove(connection->in, connection->in + taken, connection->in_size);
}

static void receive(Client *client, Connection *connection)
{
    ssize_t got = recv(connection->descriptor, connection->in + connection->in_size,
                       BUFFER_SIZE - connection->in_size, MSG_DONTWAIT);

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        lose_connection(client, connection);
        return;
    }
    connection->in_size += (size_t)got;
    take_responses(client, connection);
}

static bool is_over(const Client *client)
{
    return stopped || time_monotonic_us() >= client->ends_us;
}

/* When a constant rate wants this request to be sent. */
static int64_t moment_of(const Client *client, uint64_t number)
{
    return client->started_us + (int64_t)((double)number * 1e6 / client->rate);
}

/* All requests that are due and for which a connection has room, connections in turn. */
static void ask_what_is_due(Client *client)
{
    int64_t now = time_monotonic_us();

    for (size_t full = 0; full < client->connection_count;) {
        int64_t due = moment_of(client, client->due_count);
        Connection *connection = &client->connections[client->next_connection];

        if (due > now)
            return;
        client->next_connection = (client->next_connection + 1) % client->connection_count;
        if (!ask(client, connection, due)) {
            full++;
            continue;
        }
        full = 0;
        client->due_count++;
        send_out(client, connection);
    }
}

static void ask_more(Client *client)
{
    if (client->rate > 0) {
        ask_what_is_due(client);
        return;
    }
    for (size_t i = 0; i < client->connection_count; i++)
        if (!client->connections[i].waiting)
            ask_all_it_holds(client, &client->connections[i]);
}

/* Until something happens or, at a constant rate, the next request is due; one that is due already
 * waits for an answer to make room only where all connections are full. */
static int wait_for_events(const Client *client, struct epoll_event *events)
{
    struct timespec wait = {.tv_nsec = WAIT_MS_MAX * 1000000L};

    if (client->rate > 0 && client->waiting < client->connection_count * client->depth) {
        int64_t left_us = moment_of(client, client->due_count) - time_monotonic_us();

        if (left_us < WAIT_MS_MAX * 1000)
            wait.tv_nsec = left_us > 0 ? left_us * 1000 : 0;
    }
    return epoll_pwait2(client->events, events, EVENTS_MAX, &wait, NULL);
}

static void run(Client *client)
{
    struct epoll_event events[EVENTS_MAX];
    bool over = false;

    for (int64_t drained_us = 0; !over || (client->waiting && time_monotonic_us() < drained_us);) {
        if (!over)
            ask_more(client);
        for (int i = 0, count = wait_for_events(client, events); i < count; i++) {
            if (events[i].events & EPOLLOUT)
                send_out(client, events[i].data.ptr);
            if (events[i].events & ~(uint32_t)EPOLLOUT)
                receive(client, events[i].data.ptr);
        }
        if (over || !is_over(client))
            continue;
        over = true;
        drained_us = time_monotonic_us() + DRAIN_US;
    }
    client->failed += client->waiting;
}

static Text own_text(const JsonValue *value)
{
    return (Text){json_as_text(value, ""), json_text_size(value)};
}

static void read_bodies(Client *client, const JsonValue *plan, Arena *arena)
{
    const JsonValue *bodies = json_member(plan, "bodies");

    client->body_count = json_count(bodies);
    client->requests = arena_array(arena, Text, client->body_count);
    for (JsonWalk walk = json_walk(bodies); json_walk_next(&walk);) {
        const char *text = arena_format(
            arena,
            "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nContent-Type: application/json\r\n"
            "Content-Length: %zu\r\n\r\n%s",
            json_as_text(json_member(plan, "path"), ""), (unsigned)client->port,
            json_text_size(walk.value), json_as_text(walk.value, ""));

        client->requests[walk.index] = (Text){text, strlen(text)};
    }
}

static void read_answers(Client *client, const JsonValue *plan, Arena *arena)
{
    const JsonValue *versions = json_member(plan, "answers");

    client->version_count = json_count(versions);
    client->answers = arena_array(arena, Text, client->version_count * client->body_count);
    for (JsonWalk version = json_walk(versions); json_walk_next(&version);)
        for (JsonWalk walk = json_walk(version.value); json_walk_next(&walk);)
            client->answers[version.index * client->body_count + walk.index] = own_text(walk.value);
}

static bool read_plan(Client *client, const char *path, Arena *arena, Error *error)
{
    const JsonValue *plan;
    const char *bytes;
    size_t size;

    if (!file_read(path, PLAN_BYTES_MAX, arena, &bytes, &size, error) ||
        !json_parse(bytes, size, arena, &plan, error))
        return false;
    read_bodies(client, plan, arena);
    for (JsonWalk walk = json_walk(json_member(plan, "answers")); json_walk_next(&walk);)
        if (json_count(walk.value) != client->body_count)
            return fail(error, ERROR_INVALID, "a version needs an answer for each body");
    read_answers(client, plan, arena);
    return (client->body_count && client->version_count <= VERSIONS_MAX) ||
           fail(error, ERROR_INVALID, "a plan has bodies and at most %d versions", VERSIONS_MAX);
}

static bool read_arguments(Client *client, char **arguments, Arena *arena, Error *error)
{
    int64_t port, connections, depth;
    double seconds;

    if (!text_to_int(arguments[1], &port) || port < 1 || port > UINT16_MAX ||
        !text_to_int(arguments[3], &connections) || connections < 1 ||
        connections > CONNECTIONS_MAX || !text_to_int(arguments[4], &depth) || depth < 1 ||
        depth > DEPTH_MAX || !text_to_double(arguments[5], &client->rate) || client->rate < 0 ||
        !text_to_double(arguments[6], &seconds))
        return fail(error, ERROR_INVALID, "a number is missing or out of range");
    client->port = (uint16_t)port;
    client->connection_count = (size_t)connections;
    client->depth = (size_t)depth;
    client->started_us = time_monotonic_us();
    client->ends_us = client->started_us + (int64_t)(seconds * 1e6);
    return read_plan(client, arguments[2], arena, error);
}

static void open_connections(Client *client, Arena *arena)
{
    client->events = epoll_create1(EPOLL_CLOEXEC);
    client->connections = arena_array(arena, Connection, client->connection_count);
    for (size_t i = 0; i < client->connection_count; i++) {
        client->connections[i].out = arena_array(arena, char, BUFFER_SIZE);
        client->connections[i].in = arena_array(arena, char, BUFFER_SIZE);
        open_connection(client, &client->connections[i]);
    }
}

static void print_result(const Client *client, double seconds, Arena *arena)
{
    JsonWriter *json = json_writer_create(arena);
    struct rusage used;
    uint64_t right = 0;

    getrusage(RUSAGE_SELF, &used);
    json_open_object(json, NULL);
    json_open_array(json, "versions");
    for (size_t i = 0; i < client->version_count; right += client->right[i++])
        json_int(json, NULL, (int64_t)client->right[i]);
    json_close(json);
    json_int(json, "right", (int64_t)right);
    json_int(json, "failed", (int64_t)client->failed);
    json_int(json, "mixed", (int64_t)client->mixed);
    json_int(json, "unknown", (int64_t)client->unknown);
    json_int(json, "reconnected", (int64_t)client->reconnected);
    json_double(json, "seconds", seconds);
    json_double(json, "cpu_seconds",
                (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                    (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6);
    json_int(json, "p50_us", (int64_t)percentile(client, 0.5));
    json_int(json, "p99_us", (int64_t)percentile(client, 0.99));
    json_int(json, "p999_us", (int64_t)percentile(client, 0.999));
    json_int(json, "slowest_us", (int64_t)client->slowest_us);
    json_text(json, "example", *client->example ? client->example : NULL);
    json_close(json);
    puts(json_finish(json));
}

int main(int count, char **arguments)
{
    static Client client;
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Error error = {0};

    if (count != 7 || !read_arguments(&client, arguments, arena, &error)) {
        fprintf(stderr, "usage: bench_swap PORT PLAN.json CONNECTIONS DEPTH RATE SECONDS\n%s\n",
                error.message);
        return 2;
    }
    signal(SIGTERM, stop);
    signal(SIGINT, stop);
    open_connections(&client, arena);
    client.started_us = time_monotonic_us();
    run(&client);
    print_result(&client, (double)(time_monotonic_us() - client.started_us) / 1e6, arena);
    return 0;
}
