#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/lanes.h"
#include "net/http_internal.h"

/* The headers that say whom a request is for and where it ends. */
typedef enum Framing {
    FRAMING_HOST,
    FRAMING_LENGTH,
    FRAMING_ENCODING,
    FRAMING_COUNT,
} Framing;

static const struct {
    const char *name;
    size_t length;
} framing_names[FRAMING_COUNT] = {
    [FRAMING_HOST] = {"Host", sizeof("Host") - 1},
    [FRAMING_LENGTH] = {"Content-Length", sizeof("Content-Length") - 1},
    [FRAMING_ENCODING] = {"Transfer-Encoding", sizeof("Transfer-Encoding") - 1},
};

/* What is learned of a header while it is copied. */
typedef struct Reading {
    HttpExchange *exchange;
    HttpLines lines;
    const char *fault; /* the first one */
    size_t counts[FRAMING_COUNT];
    const char *values[FRAMING_COUNT]; /* the first of each */
} Reading;

/* How many bytes the name has as far as it is proper (RFC 9110, 5.6.2). */
static size_t token_length(const char *name)
{
    static const bool is_token[256] = {
        ['!'] = true,         ['#'] = true,         ['$'] = true, ['%'] = true,
        ['&'] = true,         ['\''] = true,        ['*'] = true, ['+'] = true,
        ['-'] = true,         ['.'] = true,         ['^'] = true, ['_'] = true,
        ['`'] = true,         ['|'] = true,         ['~'] = true, ['0' ... '9'] = true,
        ['a' ... 'z'] = true, ['A' ... 'Z'] = true,
    };
    size_t length = 0;

    while (is_token[(unsigned char)name[length]])
        length++;
    return length;
}

static bool is_control(char byte)
{
    return ((unsigned char)byte < 0x20 && byte != '\t') || byte == 0x7f;
}

static bool may_have_control(uint64_t eight)
{
    return lanes_any_below(eight, 0x20) || lanes_any_equal(eight, 0x7f);
}

static bool has_control(const char *text, size_t length)
{
    size_t at = 0;

    while (length - at >= sizeof(uint64_t) && !may_have_control(lanes_eight(text + at)))
        at += sizeof(uint64_t);
    for (; at < length; at++)
        if (is_control(text[at]))
            return true;
    return false;
}

static const char *fault_of_pair(const char *name, size_t name_length, const char *value,
                                 size_t value_length)
{
    if (!name_length || name[name_length])
        return "the name of a header has a character that is not allowed there";
    if (has_control(value, value_length))
        return "the value of a header has a control character";
    return NULL;
}

static void note_framing(Reading *reading, const HttpPair *header, size_t name_length)
{
    for (size_t i = 0; i < FRAMING_COUNT; i++) {
        if (framing_names[i].length != name_length ||
            strcasecmp(framing_names[i].name, header->name) != 0)
            continue;
        if (!reading->counts[i]++)
            reading->values[i] = header->value;
        return;
    }
}

static enum MHD_Result keep_pair(void *context, enum MHD_ValueKind kind UNUSED, const char *name,
                                 const char *value)
{
    Reading *reading = context;
    HttpExchange *exchange = reading->exchange;
    const char *given = value ? value : "";
    size_t name_length = token_length(name), value_length = strlen(given);
    HttpPair *kept = &exchange->headers.items[exchange->headers.count++];

    http_lines_pass(&reading->lines, name, value, value_length);
    if (!reading->fault)
        reading->fault = fault_of_pair(name, name_length, given, value_length);
    kept->name = arena_copy(exchange->arena, name, name_length + strlen(name + name_length));
    kept->value = arena_copy(exchange->arena, given, value_length);
    note_framing(reading, kept, name_length);
    return MHD_YES;
}

/* What a proxy in front of us may read in another way than we do lets a second request be
 * smuggled in the first (RFC 9112, 11.2); libmicrohttpd lets these pass. */
static const char *fault_of_length(const Reading *reading, const char *version)
{
    const char *encoding = reading->values[FRAMING_ENCODING];

    if (reading->counts[FRAMING_LENGTH] > 1)
        return "a request has at most one \"Content-Length\" header";
    if (!encoding)
        return NULL;
    if (reading->counts[FRAMING_LENGTH])
        return "a request has \"Content-Length\" or \"Transfer-Encoding\", not both";
    if (strcmp(version, MHD_HTTP_VERSION_1_1) != 0)
        return "\"Transfer-Encoding\" needs HTTP/1.1";
    if (reading->counts[FRAMING_ENCODING] > 1 || strcasecmp(encoding, "chunked") != 0)
        return "the only \"Transfer-Encoding\" of a request is \"chunked\"";
    return NULL;
}

static const char *fault_of_request(const Reading *reading, const char *version)
{
    HttpExchange *exchange = reading->exchange;
    size_t host_count = reading->counts[FRAMING_HOST];

    if (reading->fault)
        return reading->fault;
    if (host_count > 1 || (host_count == 0 && strcmp(version, MHD_HTTP_VERSION_1_1) == 0))
        return "a request needs one \"Host\" header";
    if (!url_split_path(exchange->arena, exchange->path, &exchange->segments) &&
        strcmp(exchange->path, "*") != 0)
        return "the path of the URL cannot be decoded";
    if (!url_split_query(exchange->arena, exchange->query, &exchange->queries))
        return "the query of the URL cannot be decoded";
    return fault_of_length(reading, version);
}

/* libmicrohttpd ends a target at a NUL, and takes what is behind it for nothing. */
static bool is_cut_target(const HttpExchange *exchange, const char *version)
{
    return *version && exchange->target_end + 1 != version;
}

const char *http_header_read(HttpExchange *exchange, const char *method, const char *version)
{
    struct MHD_Connection *connection = exchange->connection->handle;
    Reading reading = {.exchange = exchange, .lines = http_lines_begin(version)};
    int count = MHD_get_connection_values(connection, MHD_HEADER_KIND, NULL, NULL);
    const char *length;

    exchange->method = arena_text(exchange->arena, method);
    exchange->headers.items = arena_array(exchange->arena, HttpPair, (size_t)count);
    MHD_get_connection_values(connection, MHD_HEADER_KIND, keep_pair, &reading);
    length = reading.values[FRAMING_LENGTH];
    exchange->announced_size = length ? strtoull(length, NULL, 10) : 0;
    if (is_cut_target(exchange, version))
        return "the target of a request has no NUL";
    if (!http_lines_are_whole(&reading.lines, connection, method))
        return "each line of a header ends in CR LF and stands alone";
    return fault_of_request(&reading, version);
}
