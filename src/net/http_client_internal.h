/* http_client_internal.h: what http_fetch(), http_download() and outgoing_start() share of libcurl.
 */
#pragma once

#include "net/curl_library.h"
#include "net/http_client.h"

struct HttpConnection {
    const CurlLibrary *curl;
    CURL *handle;
};

/* One request. Zero it, but for its connection, http_transfer_open() it, set options on its handle,
 * run it, close it. */
typedef struct HttpTransfer {
    const CurlLibrary *curl;
    HttpConnection *connection; /* whose handle it is; NULL: its own */
    CURL *handle;
    struct curl_slist *headers;
    const char *url;
    uint64_t bytes_max;
    uint64_t size;     /* of what came so far */
    bool is_too_large; /* set by a writer that stopped because of bytes_max */
    bool public_only;  /* connects to public addresses alone */
    char refused[80];  /* the address that was refused for it, or "" */
    int write_errno;   /* why a writer stopped, or 0 */
    char detail[CURL_ERROR_SIZE];
} HttpTransfer;

bool http_transfer_open(HttpTransfer *transfer, const char *url, Error *error);

/* The same for other protocols: "smtp,smtps". */
bool http_transfer_start(HttpTransfer *transfer, const char *url, const char *protocols,
                         Error *error);

/* Its sockets are not inherited by children, and may be connected to public addresses only. */
void http_transfer_guard(HttpTransfer *transfer, bool public_only);
void http_transfer_headers(HttpTransfer *transfer, const HttpPair *headers, size_t count);

/* True when a whole answer was received, of whatever status. */
bool http_transfer_run(HttpTransfer *transfer, Error *error);
int http_transfer_status(HttpTransfer *transfer);
void http_transfer_close(HttpTransfer *transfer);

/* Counts size more bytes; false when that is too many. */
bool http_transfer_count(HttpTransfer *transfer, size_t size);
