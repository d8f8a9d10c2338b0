#include <assert.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "net/http_internal.h"
#include "net/http_range.h"

static bool is_one_line(const char *value)
{
    return !strchr(value, '\r') && !strchr(value, '\n');
}

static void add_header(HttpExchange *exchange, const char *name, const char *value)
{
    Arena *arena = exchange->arena;

    if (value && is_one_line(value))
        *arena_push(arena, &exchange->answer.headers) =
            (HttpPair){arena_text(arena, name), arena_text(arena, value)};
}

static void add_headers(HttpExchange *exchange, const HttpPair *headers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        add_header(exchange, headers[i].name, headers[i].value);
}

static void keep_header(HttpPairList *headers, const HttpPair *header)
{
    if (header->value && is_one_line(header->value))
        headers->items[headers->count++] = *header;
}

/* Keeps the texts where they are. */
static void keep_headers(HttpExchange *exchange, const HttpAnswer *answer)
{
    HttpPairList *headers = &exchange->answer.headers;

    headers->items = arena_array(exchange->arena, HttpPair, answer->header_count + 1);
    keep_header(headers, &(HttpPair){"Content-Type", answer->content_type});
    for (size_t i = 0; i < answer->header_count; i++)
        keep_header(headers, &answer->headers[i]);
}

void http_answer(HttpExchange *exchange, const HttpAnswer *answer)
{
    assert(!exchange->answer.status); /* each exchange is answered once */
    exchange->answer.status = answer->status;
    exchange->answer.size = answer->size;
    exchange->answer.body =
        answer->body_lasts ? answer->body : arena_copy(exchange->arena, answer->body, answer->size);
    if (answer->headers_last) {
        keep_headers(exchange, answer);
    } else {
        add_header(exchange, "Content-Type", answer->content_type);
        add_headers(exchange, answer->headers, answer->header_count);
    }
    http_exchange_finish(exchange);
}

static HttpRange asked_range(const HttpExchange *exchange, uint64_t file_size)
{
    const char *header = http_exchange_header(exchange, "Range");

    /* A condition that we cannot check: then the standard wants the whole. */
    if (http_exchange_header(exchange, "If-Range") || strcmp(exchange->method, "GET") != 0)
        header = NULL;
    return http_range_read(header, file_size);
}

static void answer_range(HttpExchange *exchange, int file, uint64_t file_size)
{
    HttpRange range = asked_range(exchange, file_size);
    HttpStoredAnswer *answer = &exchange->answer;
    Arena *arena = exchange->arena;

    add_header(exchange, "Accept-Ranges", "bytes");
    answer->file = file;
    answer->offset = range.offset;
    answer->size = range.size;
    answer->status = MHD_HTTP_OK;
    if (range.kind == HTTP_RANGE_UNSATISFIABLE) {
        answer->status = 416;
        add_header(exchange, "Content-Range", arena_format(arena, "bytes */%" PRIu64, file_size));
    }
    if (range.kind == HTTP_RANGE_PART) {
        answer->status = MHD_HTTP_PARTIAL_CONTENT;
        add_header(exchange, "Content-Range",
                   arena_format(arena, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, range.offset,
                                range.offset + range.size - 1, file_size));
    }
}

bool http_answer_file(HttpExchange *exchange, const HttpFileAnswer *answer, Error *error)
{
    int file = open(answer->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat about;

    if (file < 0)
        return fail_errno(error, "read", answer->path);
    if (fstat(file, &about) != 0 || !S_ISREG(about.st_mode)) {
        close(file);
        return fail(error, ERROR_INTERNAL, "\"%s\" is not a file", answer->path);
    }
    if (answer->is_temporary)
        unlink(answer->path);

    assert(!exchange->answer.status);
    answer_range(exchange, file, (uint64_t)about.st_size);
    add_header(exchange, "Content-Type", answer->content_type);
    add_headers(exchange, answer->headers, answer->header_count);
    http_exchange_finish(exchange);
    return true;
}

static struct MHD_Response *create_response(HttpStoredAnswer *answer)
{
    struct MHD_Response *response;

    if (answer->file < 0 || answer->size == 0)
        return MHD_create_response_from_buffer(answer->file < 0 ? (size_t)answer->size : 0,
                                               (void *)(uintptr_t)answer->body,
                                               MHD_RESPMEM_PERSISTENT);
    response = MHD_create_response_from_fd_at_offset64(answer->size, answer->file, answer->offset);
    if (response)
        answer->file = -1; /* the response closes it */
    return response;
}

/* All or, where there is no memory for one, none: no answer goes out without one of its headers. */
static bool give_headers(struct MHD_Response *response, const HttpExchange *exchange)
{
    const HttpStoredAnswer *answer = &exchange->answer;

    for (size_t i = 0; i < answer->headers.count; i++)
        if (MHD_add_response_header(response, answer->headers.items[i].name,
                                    answer->headers.items[i].value) != MHD_YES)
            return false;
    return !exchange->connection->loop->is_draining ||
           MHD_add_response_header(response, "Connection", "close") == MHD_YES;
}

enum MHD_Result http_answer_send(HttpExchange *exchange, struct MHD_Connection *connection)
{
    HttpStoredAnswer *answer = &exchange->answer;
    HttpConnection *own = exchange->connection;
    uint64_t grace_ms = own->loop->spec->idle_seconds * UINT64_C(1000);
    struct MHD_Response *response = create_response(answer);
    enum MHD_Result result;

    if (!response)
        return MHD_NO;
    if (!give_headers(response, exchange)) {
        MHD_destroy_response(response);
        return MHD_NO;
    }
    exchange->phase = HTTP_PHASE_SENDING;
    own->late_at =
        own->loop->now + (int64_t)(grace_ms + answer->size / BYTES_PER_SECOND_MIN * 1000);
    result = MHD_queue_response(connection, (unsigned)answer->status, response);
    MHD_destroy_response(response);
    return result;
}

void http_answer_send_raw(const HttpExchange *exchange, int socket)
{
    const HttpStoredAnswer *answer = &exchange->answer;
    TextBuilder text = {.arena = exchange->arena};

    text_append_format(&text, "HTTP/1.1 %d %s\r\n", answer->status,
                       MHD_get_reason_phrase_for((unsigned)answer->status));
    for (size_t i = 0; i < answer->headers.count; i++)
        text_append_format(&text, "%s: %s\r\n", answer->headers.items[i].name,
                           answer->headers.items[i].value);
    text_append_format(&text, "Content-Length: %" PRIu64 "\r\nConnection: close\r\n\r\n",
                       answer->size);
    if (strcmp(exchange->method, "HEAD") != 0)
        text_append_bytes(&text, answer->body, (size_t)answer->size);

    /* One small packet on a connection that has nothing else to send: it fits, or the client does
     * not read at all and deserves none. */
    (void)!send(socket, text.items, text.count, MSG_DONTWAIT | MSG_NOSIGNAL);
}
