/* bench_tracking: clients of a tracking server, each with a connection that it keeps and one
 * request at a time.
 *
 *     bench_tracking [OPTION...] PORT REQUEST...
 *
 * A REQUEST is a file with a whole HTTP request; they take turns. In each that is sent "{number}"
 * is its own number in eight digits, the first of them 10000000, and "{random}" eight digits that
 * follow from the number. "{run id}" and what follows it, 32 bytes, is an id of the file IDS.
 *
 *     -c CONNECTIONS  so many clients (1)
 *     -n COUNT        at most so many requests (1000000)
 *     -s SECONDS      and no new one after so many seconds (3600)
 *     -f FIRST        the number of the first one (0)
 *     -i IDS          a file with an id a line, for the numbers from 0 on; they take turns
 *     -o IDS          write there the run's id that each answer has, as they come
 *
 * Prints one JSON object: answers, failed (none, or another status than 200), seconds, and
 * percentiles of the time from a request to the end of its answer.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"

enum {
    FILE_BYTES_MAX = 256 << 20,
    CONNECTIONS_MAX = 1024,
    REQUESTS_MAX = 64,
    COUNT_MAX = 50 * 1000 * 1000,
    PLACES_MAX = 8192,
    LINE_SIZE = 1024,
    KEPT_SIZE = 1024,
    READ_SIZE = 64 * 1024,
    EVENTS_MAX = 64,
    WAIT_MS = 100,
    DRAIN_US = 600 * 1000 * 1000,
    DIGITS = 8,
    ID_SIZE = 32,
    NUMBER_FIRST = 10 * 1000 * 1000,
    NUMBER_COUNT = 90 * 1000 * 1000,
};

/* Where a request has something that differs each time. */
typedef struct Place {
    enum { PLACE_NUMBER, PLACE_RANDOM, PLACE_ID } kind;
    size_t offset;
} Place;

typedef struct Request {
    const char *bytes;
    size_t size;
    Place *places;
    size_t place_count;
} Request;

typedef enum Phase {
    PHASE_STATUS,
    PHASE_HEADER,
    PHASE_BODY,
    PHASE_CHUNK_SIZE,
    PHASE_CHUNK,
    PHASE_CHUNK_END,
    PHASE_TRAILER,
} Phase;

typedef struct Connection {
    int descriptor;
    bool waiting; /* for an answer */
    int64_t asked_us;
    char *out;
    size_t out_size, out_sent;
    Phase phase;
    int status;
    bool chunked, closing;
    size_t left; /* of the body or the chunk */
    char line[LINE_SIZE];
    size_t line_size;
    char kept[KEPT_SIZE]; /* the body's beginning */
    size_t kept_size;
} Connection;

typedef struct Client {
    uint16_t port;
    size_t connection_count, count_max, request_count, request_size_max, id_count;
    int64_t seconds_max;
    uint64_t next;
    Request requests[REQUESTS_MAX];
    const char *ids; /* ID_SIZE bytes and an end of line each */
    FILE *ids_out;
    Connection *connections;
    int events;
    int64_t started_us;
    uint32_t *times_us;
    size_t asked, answered, failed, waiting;
    uint64_t bytes;
    char example[KEPT_SIZE];
} Client;

static void must(bool holds, const char *what)
{
    if (holds)
        return;
    perror(what);
    exit(1);
}

/* ---- sending ---- */

static void put_digits(char *target, uint64_t number)
{
    for (int i = DIGITS; i-- > 0; number /= 10)
        target[i] = (char)('0' + number % 10);
}

static void fill_in(const Client *client, const Request *request, uint64_t number, char *out)
{
    memcpy(out, request->bytes, request->size);
    for (size_t i = 0; i < request->place_count; i++) {
        const Place *place = &request->places[i];
        uint64_t mixed = number * UINT64_C(0x9E3779B97F4A7C15) >> 20;

        if (place->kind == PLACE_ID)
            memcpy(out + place->offset, client->ids + number % client->id_count * (ID_SIZE + 1),
                   ID_SIZE);
        else
            put_digits(out + place->offset,
                       NUMBER_FIRST +
                           (place->kind == PLACE_NUMBER ? number : mixed) % NUMBER_COUNT);
    }
}

static void send_out(Connection *connection)
{
    while (connection->out_sent < connection->out_size) {
        ssize_t sent =
            send(connection->descriptor, connection->out + connection->out_sent,
                 connection->out_size - connection->out_sent, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return; /* full: an event will say when not; broken: reading will tell */
        connection->out_sent += (size_t)sent;
    }
}

static bool is_over(const Client *client)
{
    return client->asked == client->count_max ||
           time_monotonic_us() - client->started_us >= client->seconds_max * 1000000;
}

static void ask(Client *client, Connection *connection)
{
    const Request *request = &client->requests[client->next % client->request_count];

    if (is_over(client))
        return;
    fill_in(client, request, client->next++, connection->out);
    connection->out_size = request->size;
    connection->out_sent = 0;
    connection->phase = PHASE_STATUS;
    connection->line_size = connection->kept_size = connection->left = 0;
    connection->chunked = connection->closing = false;
    connection->waiting = true;
    connection->asked_us = time_monotonic_us();
    client->asked++;
    client->waiting++;
    send_out(connection);
}

static void open_connection(Client *client, Connection *connection)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(client->port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = connection};
    int on = 1;

    connection->descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(connection->descriptor >= 0 &&
             connect(connection->descriptor, (struct sockaddr *)&address, sizeof(address)) == 0,
         "bench_tracking: connect");
    setsockopt(connection->descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    epoll_ctl(client->events, EPOLL_CTL_ADD, connection->descriptor, &event);
}

/* ---- receiving ---- */

static void count_failure(Client *client, const char *what, const Connection *connection)
{
    client->failed++;
    if (!*client->example)
        snprintf(
            client->example, sizeof(client->example), "%s %d: %.*s", what, connection->status,
            (int)(connection->kept_size < KEPT_SIZE / 2 ? connection->kept_size : KEPT_SIZE / 2),
            connection->kept);
}

static void write_id(FILE *file, const Connection *connection)
{
    static const char name[] = "\"run_id\"";
    const char *end = connection->kept + connection->kept_size;
    const char *at = memmem(connection->kept, connection->kept_size, name, sizeof(name) - 1);
    const char *id = at ? memchr(at + sizeof(name), '"', (size_t)(end - at) - sizeof(name)) : NULL;

    if (id && end - id > ID_SIZE)
        fprintf(file, "%.*s\n", ID_SIZE, id + 1);
}

static void finish(Client *client, Connection *connection)
{
    connection->waiting = false;
    client->waiting--;
    client->times_us[client->answered++] = (uint32_t)(time_monotonic_us() - connection->asked_us);
    if (connection->status != 200)
        count_failure(client, "status", connection);
    else if (client->ids_out)
        write_id(client->ids_out, connection);
    if (!connection->closing)
        ask(client, connection);
}

static const char *header_value(const char *line, const char *name)
{
    size_t size = strlen(name);

    return strncasecmp(line, name, size) == 0 ? line + size : NULL;
}

static void read_header(Connection *connection)
{
    const char *value = header_value(connection->line, "Content-Length:");

    if (value)
        connection->left = strtoul(value, NULL, 10);
    value = header_value(connection->line, "Transfer-Encoding:");
    connection->chunked = connection->chunked || (value && strstr(value, "chunked"));
    value = header_value(connection->line, "Connection:");
    connection->closing = connection->closing || (value && strstr(value, "close"));
}

/* The line is whole and has an end of text for its end of line. */
static void take_line(Client *client, Connection *connection)
{
    bool is_empty = connection->line[0] == '\0';

    switch (connection->phase) {
    case PHASE_STATUS:
        connection->status = (int)strtol(connection->line + strlen("HTTP/1.1"), NULL, 10);
        connection->phase = PHASE_HEADER;
        return;
    case PHASE_HEADER:
        if (!is_empty)
            read_header(connection);
        else if (connection->chunked)
            connection->phase = PHASE_CHUNK_SIZE;
        else if (connection->left)
            connection->phase = PHASE_BODY;
        else
            finish(client, connection);
        return;
    case PHASE_CHUNK_SIZE:
        connection->left = strtoul(connection->line, NULL, 16);
        connection->phase = connection->left ? PHASE_CHUNK : PHASE_TRAILER;
        return;
    case PHASE_CHUNK_END:
        connection->phase = PHASE_CHUNK_SIZE;
        return;
    default:
        if (is_empty)
            finish(client, connection);
    }
}

static size_t read_line(Client *client, Connection *connection, const char *bytes, size_t size)
{
    const char *end = memchr(bytes, '\n', size);
    size_t taken = end ? (size_t)(end - bytes) + 1 : size;
    size_t room = LINE_SIZE - 1 - connection->line_size;

    memcpy(connection->line + connection->line_size, bytes, taken < room ? taken : room);
    connection->line_size += taken < room ? taken : room;
    if (!end)
        return taken;
    connection->line[connection->line_size] = '\0';
    connection->line[strcspn(connection->line, "\r\n")] = '\0';
    connection->line_size = 0;
    take_line(client, connection);
    return taken;
}

static size_t read_body(Client *client, Connection *connection, const char *bytes, size_t size)
{
    size_t taken = size < connection->left ? size : connection->left;
    size_t room = KEPT_SIZE - connection->kept_size;

    memcpy(connection->kept + connection->kept_size, bytes, taken < room ? taken : room);
    connection->kept_size += taken < room ? taken : room;
    connection->left -= taken;
    client->bytes += taken;
    if (connection->left)
        return taken;
    if (connection->phase == PHASE_CHUNK)
        connection->phase = PHASE_CHUNK_END;
    else
        finish(client, connection);
    return taken;
}

static void take(Client *client, Connection *connection, const char *bytes, size_t size)
{
    for (size_t taken = 0; taken < size;) {
        bool in_body = connection->phase == PHASE_BODY || connection->phase == PHASE_CHUNK;

        taken += in_body ? read_body(client, connection, bytes + taken, size - taken)
                         : read_line(client, connection, bytes + taken, size - taken);
    }
}

static void connect_again(Client *client, Connection *connection)
{
    close(connection->descriptor);
    if (connection->waiting) {
        connection->waiting = false;
        client->waiting--;
        count_failure(client, "closed after status", connection);
    }
    open_connection(client, connection);
    ask(client, connection);
}

static void receive(Client *client, Connection *connection)
{
    static char bytes[READ_SIZE];
    ssize_t size;

    for (;;) {
        size = recv(connection->descriptor, bytes, sizeof(bytes), MSG_DONTWAIT);
        if (size < 0 && errno == EINTR)
            continue;
        if (size <= 0)
            break;
        take(client, connection, bytes, (size_t)size);
    }
    if ((size == 0 || errno != EAGAIN || (connection->closing && !connection->waiting)) &&
        !is_over(client))
        connect_again(client, connection);
}

static void run(Client *client)
{
    struct epoll_event events[EVENTS_MAX];
    int64_t given_up_us = client->started_us + client->seconds_max * 1000000 + DRAIN_US;

    for (size_t i = 0; i < client->connection_count; i++)
        ask(client, &client->connections[i]);
    while (client->waiting && time_monotonic_us() < given_up_us) {
        int count = epoll_wait(client->events, events, EVENTS_MAX, WAIT_MS);

        for (int i = 0; i < count; i++) {
            send_out(events[i].data.ptr);
            receive(client, events[i].data.ptr);
        }
    }
    client->failed += client->waiting;
}

/* ---- what is asked ---- */

static void find_places(Request *request, Arena *arena)
{
    static const char *const words[] = {"{number}", "{random}", "{run id}"};
    size_t size = strlen(words[0]);

    request->places = arena_array(arena, Place, PLACES_MAX);
    for (size_t at = 0; at + size <= request->size; at++)
        for (int kind = PLACE_NUMBER; kind <= PLACE_ID; kind++)
            if (memcmp(request->bytes + at, words[kind], size) == 0 &&
                request->place_count < PLACES_MAX)
                request->places[request->place_count++] = (Place){kind, at};
}

static bool read_request(Client *client, const char *path, Arena *arena, Error *error)
{
    Request *request = &client->requests[client->request_count++];

    if (!file_read(path, FILE_BYTES_MAX, arena, &request->bytes, &request->size, error))
        return false;
    find_places(request, arena);
    for (size_t i = 0; i < request->place_count; i++)
        if (request->places[i].kind == PLACE_ID &&
            (!client->id_count || request->places[i].offset + ID_SIZE > request->size))
            return fail(error, ERROR_INVALID, "\"%s\" needs ids", path);
    if (request->size > client->request_size_max)
        client->request_size_max = request->size;
    return true;
}

static bool read_ids(Client *client, const char *path, Arena *arena, Error *error)
{
    size_t size;

    if (!file_read(path, FILE_BYTES_MAX, arena, &client->ids, &size, error))
        return false;
    client->id_count = size / (ID_SIZE + 1);
    return client->id_count || fail(error, ERROR_INVALID, "there are no ids in \"%s\"", path);
}

static bool read_number(const char *text, int64_t most, int64_t *number, Error *error)
{
    return (text_to_int(text, number) && *number >= 0 && *number <= most) ||
           fail(error, ERROR_INVALID, "\"%s\" is not a number up to %lld", text, (long long)most);
}

static bool read_options(Client *client, int count, char **arguments, Arena *arena, Error *error)
{
    int64_t connections = 1, count_max = 1000 * 1000, first = 0;
    bool fine = true;

    client->seconds_max = 3600;
    for (int option; fine && (option = getopt(count, arguments, "c:n:s:f:i:o:")) != -1;) {
        if (option == 'c')
            fine = read_number(optarg, CONNECTIONS_MAX, &connections, error);
        else if (option == 'n')
            fine = read_number(optarg, COUNT_MAX, &count_max, error);
        else if (option == 's')
            fine = read_number(optarg, 86400, &client->seconds_max, error);
        else if (option == 'f')
            fine = read_number(optarg, NUMBER_COUNT, &first, error);
        else if (option == 'i')
            fine = read_ids(client, optarg, arena, error);
        else if (option == 'o')
            fine = (client->ids_out = fopen(optarg, "w")) != NULL;
        else
            fine = false;
    }
    client->connection_count = (size_t)connections;
    client->count_max = (size_t)count_max;
    client->next = (uint64_t)first;
    return fine;
}

static bool read_arguments(Client *client, int count, char **arguments, Arena *arena, Error *error)
{
    int64_t port;

    if (!read_options(client, count, arguments, arena, error) || count - optind < 2 ||
        count - optind - 1 > REQUESTS_MAX ||
        !read_number(arguments[optind], UINT16_MAX, &port, error))
        return false;
    client->port = (uint16_t)port;
    for (int i = optind + 1; i < count; i++)
        if (!read_request(client, arguments[i], arena, error))
            return false;
    return true;
}

/* ---- the result ---- */

static int compare_times(const void *one, const void *other)
{
    uint32_t a = *(const uint32_t *)one, b = *(const uint32_t *)other;

    return (a > b) - (a < b);
}

static int64_t percentile(const Client *client, double share)
{
    return client->answered ? client->times_us[(size_t)(share * (double)(client->answered - 1))]
                            : 0;
}

static void print_result(const Client *client, double seconds, Arena *arena)
{
    JsonWriter *json = json_writer_create(arena);
    struct rusage used;

    getrusage(RUSAGE_SELF, &used);
    qsort(client->times_us, client->answered, sizeof(*client->times_us), compare_times);
    json_open_object(json, NULL);
    json_int(json, "answers", (int64_t)client->answered);
    json_int(json, "failed", (int64_t)client->failed);
    json_int(json, "bytes", (int64_t)client->bytes);
    json_int(json, "next", (int64_t)client->next);
    json_double(json, "seconds", seconds);
    json_double(json, "cpu_seconds",
                (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                    (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6);
    json_int(json, "p50_us", percentile(client, 0.5));
    json_int(json, "p99_us", percentile(client, 0.99));
    json_text(json, "example", *client->example ? client->example : NULL);
    json_close(json);
    puts(json_finish(json));
}

int main(int count, char **arguments)
{
    static Client client;
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Error error = {0};

    if (!read_arguments(&client, count, arguments, arena, &error)) {
        fprintf(stderr, "usage: bench_tracking [OPTION...] PORT REQUEST...\n%s\n", error.message);
        return 2;
    }
    client.times_us = arena_array(arena, uint32_t, client.count_max + 1);
    client.connections = arena_array(arena, Connection, client.connection_count);
    client.events = epoll_create1(EPOLL_CLOEXEC);
    for (size_t i = 0; i < client.connection_count; i++) {
        client.connections[i].out = arena_array(arena, char, client.request_size_max);
        open_connection(&client, &client.connections[i]);
    }
    client.started_us = time_monotonic_us();
    run(&client);
    print_result(&client, (double)(time_monotonic_us() - client.started_us) / 1e6, arena);
    if (client.ids_out)
        fclose(client.ids_out);
    return 0;
}
