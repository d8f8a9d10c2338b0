#include "net/outgoing.h"

#include <stdlib.h>
#include <string.h>

#include "net/http_client_internal.h"

enum {
    TIMEOUT_SECONDS_DEFAULT = 30,
    REPLY_KEPT_BYTES = 4096,
    REPLY_BYTES_MAX = 1024 * 1024,
    KEPT_CONNECTIONS_MAX = 16,
    RETRY_AFTER_SECONDS_MAX = 60 * 60,
};

/* One notice under way. */
typedef struct Sending {
    HttpTransfer transfer;
    Arena *arena;
    bool is_mail;
    const char *body;
    size_t body_size, body_sent;
    struct curl_slist *recipients;
    char kept[REPLY_KEPT_BYTES];
    size_t kept_size;
    void *context;
    struct Sending *next;
} Sending;

struct Outgoing {
    const CurlLibrary *curl;
    CURLM *multi;
    OutgoingDone *done;
    void *owner;
    Sending *first;
    size_t count;
};

/* ---- one of them ---- */

static void sending_destroy(Sending *sending)
{
    if (sending->recipients)
        sending->transfer.curl->slist_free_all(sending->recipients);
    http_transfer_close(&sending->transfer);
    arena_destroy(sending->arena);
    free(sending);
}

/* Of an answer that never ends, the beginning is enough. */
static size_t on_reply(char *bytes, size_t one, size_t size, void *context)
{
    Sending *sending = context;
    size_t room = REPLY_KEPT_BYTES - sending->kept_size;
    size_t taken = size < room ? size : room;

    (void)one;
    memcpy(sending->kept + sending->kept_size, bytes, taken);
    sending->kept_size += taken;
    return http_transfer_count(&sending->transfer, size) ? size : 0;
}

static size_t on_mail(char *target, size_t one, size_t size, void *context)
{
    Sending *sending = context;
    size_t left = sending->body_size - sending->body_sent, room = one * size;
    size_t taken = left < room ? left : room;

    memcpy(target, sending->body + sending->body_sent, taken);
    sending->body_sent += taken;
    return taken;
}

static void prepare_post(Sending *sending, const OutgoingSpec *spec)
{
    const CurlLibrary *curl = sending->transfer.curl;
    CURL *handle = sending->transfer.handle;

    http_transfer_headers(&sending->transfer, spec->headers, spec->header_count);
    curl->easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)sending->body_size);
    curl->easy_setopt(handle, CURLOPT_POSTFIELDS, sending->body);
    http_transfer_guard(&sending->transfer, !spec->may_be_private);
}

static void prepare_mail(Sending *sending, const OutgoingSpec *spec)
{
    const CurlLibrary *curl = sending->transfer.curl;
    CURL *handle = sending->transfer.handle;
    const MailServer *server = spec->mail_server;

    http_transfer_guard(&sending->transfer, false);
    sending->recipients =
        curl->slist_append(NULL, arena_format(sending->arena, "<%s>", spec->recipient));
    curl->easy_setopt(handle, CURLOPT_MAIL_FROM,
                      arena_format(sending->arena, "<%s>", spec->sender));
    curl->easy_setopt(handle, CURLOPT_MAIL_RCPT, sending->recipients);
    curl->easy_setopt(handle, CURLOPT_UPLOAD, 1L);
    curl->easy_setopt(handle, CURLOPT_READFUNCTION, on_mail);
    curl->easy_setopt(handle, CURLOPT_READDATA, sending);
    curl->easy_setopt(handle, CURLOPT_USE_SSL,
                      server->demands_tls ? (long)CURLUSESSL_ALL : (long)CURLUSESSL_TRY);
    if (!server->user)
        return;
    curl->easy_setopt(handle, CURLOPT_USERNAME, server->user);
    curl->easy_setopt(handle, CURLOPT_PASSWORD, server->secret ? server->secret : "");
}

static void prepare(Sending *sending, const OutgoingSpec *spec)
{
    const CurlLibrary *curl = sending->transfer.curl;
    CURL *handle = sending->transfer.handle;
    unsigned seconds = spec->timeout_seconds ? spec->timeout_seconds : TIMEOUT_SECONDS_DEFAULT;

    sending->transfer.bytes_max = REPLY_BYTES_MAX;
    sending->body = arena_copy(sending->arena, spec->body, spec->body_size);
    sending->body_size = spec->body_size;
    curl->easy_setopt(handle, CURLOPT_PRIVATE, sending);
    curl->easy_setopt(handle, CURLOPT_PROXY, "");
    curl->easy_setopt(handle, CURLOPT_TIMEOUT, (long)seconds);
    curl->easy_setopt(handle, CURLOPT_WRITEFUNCTION, on_reply);
    curl->easy_setopt(handle, CURLOPT_WRITEDATA, sending);
    if (sending->is_mail)
        prepare_mail(sending, spec);
    else
        prepare_post(sending, spec);
}

static Sending *sending_create(const OutgoingSpec *spec, void *context, Error *error)
{
    Sending *sending = calloc(1, sizeof(*sending));

    if (!sending)
        out_of_memory();
    sending->arena = arena_create();
    sending->is_mail = !spec->url;
    sending->context = context;
    if (sending->is_mail
            ? http_transfer_start(&sending->transfer, spec->mail_server->url, "smtp,smtps", error)
            : http_transfer_open(&sending->transfer, spec->url, error)) {
        prepare(sending, spec);
        return sending;
    }
    sending_destroy(sending);
    return NULL;
}

/* ---- how it ended ---- */

static void explain(const Sending *sending, CURLcode code, Error *error)
{
    const HttpTransfer *transfer = &sending->transfer;
    const char *detail = *transfer->detail ? transfer->detail : transfer->curl->easy_strerror(code);

    if (*transfer->refused)
        error_set(error, ERROR_FORBIDDEN, "its host is at %s, which is not a public address",
                  transfer->refused);
    else if (code == CURLE_OPERATION_TIMEDOUT)
        error_set(error, ERROR_TIMEOUT, "it took too long to answer");
    else if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL)
        error_set(error, ERROR_INVALID, "its URL cannot be used");
    else if (code == CURLE_LOGIN_DENIED)
        error_set(error, ERROR_UNAVAILABLE, "the mail server does not take the user or its secret");
    else
        error_set(error, ERROR_UNAVAILABLE, "it could not be reached: %.200s", detail);
}

static OutgoingReply reply_of(Sending *sending, CURLcode code)
{
    HttpTransfer *transfer = &sending->transfer;
    OutgoingReply reply = {
        .status = http_transfer_status(transfer),
        .body = sending->kept,
        .size = sending->kept_size,
    };
    curl_off_t seconds = 0;

    if (code != CURLE_OK && !transfer->is_too_large)
        explain(sending, code, &reply.error);
    transfer->curl->easy_getinfo(transfer->handle, CURLINFO_RETRY_AFTER, &seconds);
    if (seconds > 0)
        reply.retry_after_seconds =
            seconds < RETRY_AFTER_SECONDS_MAX ? (unsigned)seconds : RETRY_AFTER_SECONDS_MAX;
    return reply;
}

void outgoing_send(const OutgoingSpec *spec, Arena *arena, OutgoingReply *reply)
{
    OutgoingReply got = {0};
    Sending *sending = sending_create(spec, NULL, &got.error);

    if (sending) {
        const CurlLibrary *curl = sending->transfer.curl;

        got = reply_of(sending, curl->easy_perform(sending->transfer.handle));
        got.body = arena_copy(arena, got.body, got.size);
        sending_destroy(sending);
    }
    *reply = got;
}

/* ---- all of them ---- */

Outgoing *outgoing_create(OutgoingDone *done, void *owner, Error *error)
{
    const CurlLibrary *curl = curl_library_open(error);
    Outgoing *outgoing;

    if (!curl)
        return NULL;
    outgoing = calloc(1, sizeof(*outgoing));
    if (!outgoing)
        out_of_memory();
    *outgoing = (Outgoing){.curl = curl, .multi = curl->multi_init(), .done = done, .owner = owner};
    if (!outgoing->multi)
        out_of_memory();
    curl->multi_setopt(outgoing->multi, CURLMOPT_MAXCONNECTS, (long)KEPT_CONNECTIONS_MAX);
    return outgoing;
}

static void remove_sending(Outgoing *outgoing, Sending *sending)
{
    Sending **at = &outgoing->first;

    while (*at != sending)
        at = &(*at)->next;
    *at = sending->next;
    outgoing->count--;
    outgoing->curl->multi_remove_handle(outgoing->multi, sending->transfer.handle);
    sending_destroy(sending);
}

void outgoing_destroy(Outgoing *outgoing)
{
    if (!outgoing)
        return;
    while (outgoing->first)
        remove_sending(outgoing, outgoing->first);
    outgoing->curl->multi_cleanup(outgoing->multi);
    free(outgoing);
}

bool outgoing_start(Outgoing *outgoing, const OutgoingSpec *spec, void *context, Error *error)
{
    Sending *sending = sending_create(spec, context, error);

    if (!sending)
        return false;
    if (outgoing->curl->multi_add_handle(outgoing->multi, sending->transfer.handle) != CURLM_OK) {
        sending_destroy(sending);
        return fail(error, ERROR_UNAVAILABLE, "could not start a request");
    }
    sending->next = outgoing->first;
    outgoing->first = sending;
    outgoing->count++;
    return true;
}

size_t outgoing_count(const Outgoing *outgoing)
{
    return outgoing->count;
}

static void tell_ended(Outgoing *outgoing)
{
    const CurlLibrary *curl = outgoing->curl;
    int left = 0;

    for (CURLMsg *message; (message = curl->multi_info_read(outgoing->multi, &left)) != NULL;) {
        char *private = NULL;
        OutgoingReply reply;
        Sending *sending;

        if (message->msg != CURLMSG_DONE)
            continue;
        curl->easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &private);
        sending = (Sending *)private;
        reply = reply_of(sending, message->data.result);
        outgoing->done(outgoing->owner, sending->context, &reply);
        remove_sending(outgoing, sending);
    }
}

void outgoing_wait(Outgoing *outgoing, int wake_handle, int timeout_ms)
{
    struct curl_waitfd wake = {.fd = wake_handle, .events = CURL_WAIT_POLLIN};
    size_t before = outgoing->count;
    int running = 0;

    outgoing->curl->multi_perform(outgoing->multi, &running);
    tell_ended(outgoing);
    if (outgoing->count < before)
        return;
    outgoing->curl->multi_poll(outgoing->multi, &wake, wake_handle >= 0, timeout_ms, NULL);
    outgoing->curl->multi_perform(outgoing->multi, &running);
    tell_ended(outgoing);
}
