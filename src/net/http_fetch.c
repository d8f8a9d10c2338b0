#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "net/http_client_internal.h"

enum { TIMEOUT_SECONDS_DEFAULT = 30, REPLY_BYTES_MAX_DEFAULT = 16 * 1024 * 1024 };

typedef struct Fetch {
    HttpTransfer transfer;
    Arena *arena;
    HttpPairList headers;
    char *body;
    size_t capacity;
    FILE *upload;
} Fetch;

static void fetch_close(Fetch *fetch)
{
    http_transfer_close(&fetch->transfer);
    free(fetch->body);
    if (fetch->upload)
        fclose(fetch->upload);
}

static bool grow(Fetch *fetch, size_t needed)
{
    size_t capacity = needed < 2048 ? 4096 : needed * 2;
    char *grown;

    if (needed <= fetch->capacity)
        return true;
    grown = realloc(fetch->body, capacity);
    if (!grown)
        return false;
    fetch->body = grown;
    fetch->capacity = capacity;
    return true;
}

/* Returning less than was offered ends the transfer. */
static size_t on_body(char *bytes, size_t one, size_t size, void *context)
{
    Fetch *fetch = context;
    size_t before = (size_t)fetch->transfer.size;

    (void)one;
    if (!http_transfer_count(&fetch->transfer, size) || !grow(fetch, before + size))
        return 0;
    memcpy(fetch->body + before, bytes, size);
    return size;
}

static size_t on_header(char *line, size_t one, size_t size, void *context)
{
    Fetch *fetch = context;
    const char *colon = memchr(line, ':', size);
    const char *start, *end = line + size;

    (void)one;
    if (size > 5 && memcmp(line, "HTTP/", 5) == 0)
        fetch->headers = (HttpPairList){0}; /* an answer before the last one, as 100 */
    if (!colon)
        return size;

    for (start = colon + 1; start < end && strchr(" \t", *start);)
        start++;
    while (end > start && strchr(" \t\r\n", end[-1]))
        end--;
    *arena_push(fetch->arena, &fetch->headers) =
        (HttpPair){arena_copy(fetch->arena, line, (size_t)(colon - line)),
                   arena_copy(fetch->arena, start, (size_t)(end - start))};
    return size;
}

static bool open_upload(Fetch *fetch, const char *path, Error *error)
{
    const CurlLibrary *curl = fetch->transfer.curl;
    CURL *handle = fetch->transfer.handle;
    struct stat about;

    fetch->upload = fopen(path, "rbe");
    if (!fetch->upload || fstat(fileno(fetch->upload), &about) != 0)
        return fail_errno(error, "read", path);
    curl->easy_setopt(handle, CURLOPT_UPLOAD, 1L);
    curl->easy_setopt(handle, CURLOPT_READDATA, fetch->upload);
    curl->easy_setopt(handle, CURLOPT_INFILESIZE_LARGE, (curl_off_t)about.st_size);
    return true;
}

static bool set_body(Fetch *fetch, const HttpFetchSpec *spec, Error *error)
{
    const CurlLibrary *curl = fetch->transfer.curl;
    CURL *handle = fetch->transfer.handle;
    unsigned seconds = spec->timeout_seconds ? spec->timeout_seconds : TIMEOUT_SECONDS_DEFAULT;

    if (spec->body_file)
        return open_upload(fetch, spec->body_file, error);
    curl->easy_setopt(handle, CURLOPT_TIMEOUT, (long)seconds);
    if (spec->body) {
        curl->easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)spec->body_size);
        curl->easy_setopt(handle, CURLOPT_POSTFIELDS, spec->body);
    }
    return true;
}

/* libcurl asks some times a second. */
static int on_progress(void *context, curl_off_t down_total, curl_off_t down, curl_off_t up_total,
                       curl_off_t up)
{
    const atomic_bool *cancelled = context;

    (void)down_total;
    (void)down;
    (void)up_total;
    (void)up;
    return atomic_load(cancelled);
}

static void set_way(Fetch *fetch, const HttpFetchSpec *spec)
{
    const CurlLibrary *curl = fetch->transfer.curl;
    CURL *handle = fetch->transfer.handle;

    if (spec->unix_socket) {
        curl->easy_setopt(handle, CURLOPT_UNIX_SOCKET_PATH, spec->unix_socket);
        curl->easy_setopt(handle, CURLOPT_PROXY, "");
    } else if (!getenv("no_proxy") && !getenv("NO_PROXY")) {
        curl->easy_setopt(handle, CURLOPT_NOPROXY, "localhost,127.0.0.1,::1");
    }
    if (!spec->cancelled)
        return;
    curl->easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
    curl->easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl->easy_setopt(handle, CURLOPT_XFERINFODATA, spec->cancelled);
}

static bool prepare(Fetch *fetch, const HttpFetchSpec *spec, Error *error)
{
    const CurlLibrary *curl = fetch->transfer.curl;
    CURL *handle = fetch->transfer.handle;

    http_transfer_headers(&fetch->transfer, spec->headers, spec->header_count);
    set_way(fetch, spec);
    if (!set_body(fetch, spec, error))
        return false;
    if (spec->method)
        curl->easy_setopt(handle, CURLOPT_CUSTOMREQUEST, spec->method);
    if (spec->method && strcmp(spec->method, "HEAD") == 0)
        curl->easy_setopt(handle, CURLOPT_NOBODY, 1L);
    curl->easy_setopt(handle, CURLOPT_WRITEFUNCTION, on_body);
    curl->easy_setopt(handle, CURLOPT_WRITEDATA, fetch);
    curl->easy_setopt(handle, CURLOPT_HEADERFUNCTION, on_header);
    curl->easy_setopt(handle, CURLOPT_HEADERDATA, fetch);
    fetch->transfer.bytes_max =
        spec->reply_bytes_max ? spec->reply_bytes_max : REPLY_BYTES_MAX_DEFAULT;
    return true;
}

bool http_fetch(const HttpFetchSpec *spec, Arena *arena, HttpReply *reply, Error *error)
{
    CLEANUP(fetch_close) Fetch fetch = {.arena = arena, .transfer.connection = spec->connection};
    HttpReply got = {0};

    if (!http_transfer_open(&fetch.transfer, spec->url, error) || !prepare(&fetch, spec, error) ||
        !http_transfer_run(&fetch.transfer, error))
        return false;

    got.status = http_transfer_status(&fetch.transfer);
    got.headers = fetch.headers;
    got.body = arena_copy(arena, fetch.body, (size_t)fetch.transfer.size);
    got.size = (size_t)fetch.transfer.size;
    got.content_type = http_reply_header(&got, "Content-Type");
    if (!got.content_type)
        got.content_type = "";
    *reply = got;
    return true;
}

const char *http_reply_header(const HttpReply *reply, const char *name)
{
    for (size_t i = 0; i < reply->headers.count; i++)
        if (strcasecmp(reply->headers.items[i].name, name) == 0)
            return reply->headers.items[i].value;
    return NULL;
}
