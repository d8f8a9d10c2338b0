#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "net/address.h"
#include "net/http_client_internal.h"

enum { CONNECT_SECONDS = 15, SLOW_SECONDS = 30, SLOW_BYTES_PER_SECOND = 64 };

static bool url_is_http(const char *url)
{
    return url && (strncasecmp(url, "http://", 7) == 0 || strncasecmp(url, "https://", 8) == 0);
}

bool http_transfer_start(HttpTransfer *transfer, const char *url, const char *protocols,
                         Error *error)
{
    const CurlLibrary *curl = transfer->curl = curl_library_open(error);

    if (!curl)
        return false;
    transfer->handle = transfer->connection ? transfer->connection->handle : curl->easy_init();
    if (!transfer->handle)
        return fail(error, ERROR_INTERNAL, "could not start a request");

    transfer->url = url;
    curl->easy_setopt(transfer->handle, CURLOPT_URL, url);
    curl->easy_setopt(transfer->handle, CURLOPT_PROTOCOLS_STR, protocols);
    curl->easy_setopt(transfer->handle, CURLOPT_REDIR_PROTOCOLS_STR, protocols);
    curl->easy_setopt(transfer->handle, CURLOPT_NOSIGNAL, 1L);
    curl->easy_setopt(transfer->handle, CURLOPT_ERRORBUFFER, transfer->detail);
    curl->easy_setopt(transfer->handle, CURLOPT_USERAGENT, "slipway");
    curl->easy_setopt(transfer->handle, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
    curl->easy_setopt(transfer->handle, CURLOPT_LOW_SPEED_TIME, (long)SLOW_SECONDS);
    curl->easy_setopt(transfer->handle, CURLOPT_LOW_SPEED_LIMIT, (long)SLOW_BYTES_PER_SECOND);
    return true;
}

bool http_transfer_open(HttpTransfer *transfer, const char *url, Error *error)
{
    if (!url_is_http(url))
        return fail(error, ERROR_INVALID, "a URL starts with http:// or https://, not \"%.200s\"",
                    url ? url : "");
    return http_transfer_start(transfer, url, "http,https", error);
}

/* libcurl asks for a socket when it has looked up the name and knows where to connect. The address
 * is checked here, and not the name before, because a second look-up may give another address. */
static curl_socket_t on_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    HttpTransfer *transfer = context;

    (void)purpose;
    if (transfer->public_only && !address_is_public(&address->addr)) {
        address_format(&address->addr, transfer->refused);
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

void http_transfer_guard(HttpTransfer *transfer, bool public_only)
{
    transfer->public_only = public_only;
    transfer->curl->easy_setopt(transfer->handle, CURLOPT_OPENSOCKETFUNCTION, on_socket);
    transfer->curl->easy_setopt(transfer->handle, CURLOPT_OPENSOCKETDATA, transfer);
}

static void add_header(HttpTransfer *transfer, Arena *arena, const HttpPair *header)
{
    /* libcurl takes "Name;" for a header without a value, "Name:" for one to leave out. */
    const char *format = *header->value ? "%s: %s" : "%s;%s";

    transfer->headers = transfer->curl->slist_append(
        transfer->headers, arena_format(arena, format, header->name, header->value));
}

void http_transfer_headers(HttpTransfer *transfer, const HttpPair *headers, size_t count)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();

    /* Waiting for "100 Continue" costs a second with servers that never send it. */
    transfer->headers = transfer->curl->slist_append(transfer->headers, "Expect:");
    for (size_t i = 0; i < count; i++)
        if (!headers[i].value[strcspn(headers[i].value, "\r\n")])
            add_header(transfer, arena, &headers[i]);
    transfer->curl->easy_setopt(transfer->handle, CURLOPT_HTTPHEADER, transfer->headers);
}

bool http_transfer_count(HttpTransfer *transfer, size_t size)
{
    if (size > transfer->bytes_max - transfer->size) {
        transfer->is_too_large = true;
        return false;
    }
    transfer->size += size;
    return true;
}

int http_transfer_status(HttpTransfer *transfer)
{
    long status = 0;

    transfer->curl->easy_getinfo(transfer->handle, CURLINFO_RESPONSE_CODE, &status);
    return (int)status;
}

static bool fail_transfer(HttpTransfer *transfer, CURLcode code, Error *error)
{
    const char *url = transfer->url;
    const char *detail = *transfer->detail ? transfer->detail : transfer->curl->easy_strerror(code);

    if (code == CURLE_HTTP_RETURNED_ERROR ||
        (code == CURLE_FILESIZE_EXCEEDED && http_transfer_status(transfer) >= 400))
        return fail(error, ERROR_UNAVAILABLE, "\"%.200s\" answered with HTTP status %d", url,
                    http_transfer_status(transfer));
    if (transfer->is_too_large || code == CURLE_FILESIZE_EXCEEDED)
        return fail(error, ERROR_TOO_LARGE, "\"%.200s\" has more than %llu bytes", url,
                    (unsigned long long)transfer->bytes_max);
    if (*transfer->refused)
        return fail(error, ERROR_FORBIDDEN, "\"%.200s\" leads to %s, which is not a public address",
                    url, transfer->refused);
    if (transfer->write_errno)
        return fail(error, ERROR_UNAVAILABLE, "could not store \"%.200s\": %s", url,
                    strerror(transfer->write_errno));
    if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL)
        return fail(error, ERROR_INVALID, "\"%.200s\" is not a URL of http or https", url);
    if (code == CURLE_ABORTED_BY_CALLBACK)
        return fail(error, ERROR_UNAVAILABLE, "\"%.200s\" was given up before it answered", url);
    if (code == CURLE_OPERATION_TIMEDOUT)
        return fail(error, ERROR_TIMEOUT, "\"%.200s\" took too long: %.200s", url, detail);
    if (code == CURLE_TOO_MANY_REDIRECTS)
        return fail(error, ERROR_UNAVAILABLE, "\"%.200s\" redirects too often", url);
    return fail(error, ERROR_UNAVAILABLE, "could not reach \"%.200s\": %.200s", url, detail);
}

bool http_transfer_run(HttpTransfer *transfer, Error *error)
{
    CURLcode code = transfer->curl->easy_perform(transfer->handle);

    return code == CURLE_OK || fail_transfer(transfer, code, error);
}

void http_transfer_close(HttpTransfer *transfer)
{
    if (!transfer->curl)
        return;
    transfer->curl->slist_free_all(transfer->headers);
    if (transfer->connection) /* what it pointed to goes now */
        transfer->curl->easy_reset(transfer->handle);
    else
        transfer->curl->easy_cleanup(transfer->handle);
}

HttpConnection *http_connection_open(Error *error)
{
    const CurlLibrary *curl = curl_library_open(error);
    HttpConnection *connection = curl ? calloc(1, sizeof(*connection)) : NULL;

    if (!curl)
        return NULL;
    if (!connection)
        out_of_memory();
    *connection = (HttpConnection){curl, curl->easy_init()};
    if (!connection->handle)
        out_of_memory();
    return connection;
}

void http_connection_close(HttpConnection *connection)
{
    if (!connection)
        return;
    connection->curl->easy_cleanup(connection->handle);
    free(connection);
}
