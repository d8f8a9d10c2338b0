#include "server/courier.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/crash.h"
#include "base/log.h"
#include "base/time.h"
#include "notify/message.h"

enum {
    SLEEP_MS_MAX = 60 * 60 * 1000,
    TROUBLE_MS = 5000, /* until the next look, after the store could not be read or written */
    STOP_MS = 2000,
};

/* A webhook whose delivery is under way, or whose result is not written down yet. */
typedef struct Flight {
    int64_t webhook_id;
    Webhook webhook; /* name, url: copied into the arena */
    Arena *arena;
    bool has_ended;
    DeliveryResult result;
    struct Flight *next;
} Flight;

struct Courier {
    const Platform *platform;
    Session session;
    Outgoing *outgoing; /* NULL until there is something to send */
    Flight *first;
    size_t ended_count;
    ClockWatch clock;
    int64_t put_back_ms; /* by so much the clock was, and due times were not yet */
    bool has_heeded;     /* the clock, since the start */
    pthread_t thread;
    atomic_bool stopping;
};

static void log_trouble(const Error *error)
{
    log_event(LOG_ERROR, "not_delivered", log_text("reason", error->message));
}

static Scope scope_of(Courier *courier)
{
    return session_scope(&courier->session, courier->platform, (Principal){"slipway", ROLE_OWNER});
}

/* ---- flights ---- */

static Flight *flight_find(const Courier *courier, int64_t webhook_id)
{
    Flight *flight = courier->first;

    while (flight && flight->webhook_id != webhook_id)
        flight = flight->next;
    return flight;
}

static Flight *flight_add(Courier *courier, const Webhook *webhook, const Delivery *delivery)
{
    Flight *flight = calloc(1, sizeof(*flight));

    if (!flight)
        out_of_memory();
    flight->arena = arena_create();
    flight->webhook_id = webhook->id;
    flight->webhook = (Webhook){.name = arena_text(flight->arena, webhook->name),
                                .url = arena_text(flight->arena, webhook->url)};
    flight->result.id = delivery->id;
    memcpy(flight->result.public_id, delivery->public_id,
           strnlen(delivery->public_id, UUID_TEXT_SIZE - 1));
    flight->next = courier->first;
    courier->first = flight;
    return flight;
}

static void flight_destroy(Flight *flight)
{
    arena_destroy(flight->arena);
    free(flight);
}

static void flight_end(Courier *courier, Flight *flight)
{
    flight->has_ended = true;
    courier->ended_count++;
    if (*flight->result.reason)
        log_event(flight->result.may_try_again ? LOG_INFO : LOG_WARNING, "webhook_failed",
                  log_text("webhook", flight->webhook.name),
                  log_text("delivery", flight->result.public_id),
                  log_text("reason", flight->result.reason));
}

static void on_reply(void *owner, void *context, const OutgoingReply *reply)
{
    Flight *flight = context;

    message_judge(&flight->webhook, reply, &flight->result);
    flight_end(owner, flight);
}

/* ---- a turn ---- */

static bool record_ended(Scope *scope, void *context)
{
    const Courier *courier = context;

    for (const Flight *flight = courier->first; flight; flight = flight->next)
        if (flight->has_ended && !delivery_record(scope, &flight->result))
            return false;
    return true;
}

static void drop_ended(Courier *courier)
{
    for (Flight **at = &courier->first; *at;) {
        Flight *flight = *at;

        if (!flight->has_ended) {
            at = &flight->next;
            continue;
        }
        *at = flight->next;
        flight_destroy(flight);
    }
    courier->ended_count = 0;
}

/* Writes down how those that ended went, all in one transaction. While that fails, their webhooks
 * get nothing new. */
static bool write_down(Courier *courier)
{
    Scope scope = scope_of(courier);

    if (!courier->ended_count)
        return true;
    CRASH_POINT("courier: answered, not written down");
    if (!scope_write(&scope, record_ended, courier)) {
        log_trouble(&scope.error);
        return false;
    }
    drop_ended(courier);
    return true;
}

static bool start(Courier *courier, Scope *scope, const Delivery *head)
{
    Delivery delivery;
    OutgoingSpec message;
    Webhook webhook;
    Flight *flight;

    if (!delivery_find(scope, head->id, &delivery) ||
        !webhook_find_by_id(scope, head->webhook_id, &webhook))
        return scope->error.kind == ERROR_NOT_FOUND; /* deleted this moment */
    flight = flight_add(courier, &webhook, &delivery);
    if (message_make(scope, &webhook, &delivery, &message) &&
        outgoing_start(courier->outgoing, &message, flight, &scope->error))
        return true;
    message_fail(&scope->error, &flight->result);
    flight_end(courier, flight);
    return true;
}

static bool put_back_due(Scope *scope, void *context)
{
    const Courier *courier = context;

    return delivery_heed_clock(scope, courier->put_back_ms);
}

/* Due times are by the clock on the wall: where that was put back, they are, too. */
static bool heed_clock(Courier *courier, Scope *scope)
{
    courier->put_back_ms += clock_watch_put_back_ms(&courier->clock);
    if (courier->has_heeded && !courier->put_back_ms)
        return true;
    if (!scope_write(scope, put_back_due, courier))
        return false;
    courier->put_back_ms = 0;
    courier->has_heeded = true;
    return true;
}

/* Starts what is due; *wait_ms is until the next one is, or -1. */
static bool start_due(Courier *courier, Scope *scope, int *wait_ms)
{
    DeliveryList heads = {0};

    *wait_ms = -1;
    if (!delivery_list_heads(scope, &heads))
        return false;
    if (heads.count && !courier->outgoing)
        courier->outgoing = outgoing_create(on_reply, courier, &scope->error);
    if (heads.count && !courier->outgoing)
        return false;
    for (size_t i = 0; i < heads.count; i++) {
        int64_t left_ms = heads.items[i].due_at - time_now_ms();

        if (flight_find(courier, heads.items[i].webhook_id))
            continue;
        if (left_ms <= 0 && !start(courier, scope, &heads.items[i]))
            return false;
        left_ms = left_ms < SLEEP_MS_MAX ? left_ms : SLEEP_MS_MAX;
        if (left_ms > 0 && (*wait_ms < 0 || left_ms < *wait_ms))
            *wait_ms = (int)left_ms;
    }
    return true;
}

/* A look into the outbox; how long to wait until the next, when nothing happens before. */
static int look(Courier *courier)
{
    Scope scope;
    int wait_ms = -1;

    if (!write_down(courier))
        return TROUBLE_MS;
    arena_reset(courier->session.arena);
    scope = scope_of(courier);
    if (heed_clock(courier, &scope) && start_due(courier, &scope, &wait_ms))
        return courier->ended_count ? 0 : wait_ms;
    log_trouble(&scope.error);
    return TROUBLE_MS;
}

static size_t under_way(const Courier *courier)
{
    return courier->outgoing ? outgoing_count(courier->outgoing) : 0;
}

/* Until the bell rings, something under way ends, or the time is over; libcurl's own timers and
 * bytes that come are no reason to look into the store. */
static void wait_for_news(Courier *courier, int wait_ms)
{
    struct pollfd bell = {.fd = outbox_bell(courier->platform->outbox), .events = POLLIN};
    int64_t until_us = time_monotonic_us() + (int64_t)wait_ms * 1000;
    size_t ended_before = courier->ended_count;

    while (courier->ended_count == ended_before && poll(&bell, 1, 0) == 0) {
        int64_t left_us =
            wait_ms < 0 ? SLEEP_MS_MAX * INT64_C(1000) : until_us - time_monotonic_us();

        if (left_us <= 0)
            return;
        if (under_way(courier))
            outgoing_wait(courier->outgoing, bell.fd, (int)((left_us + 999) / 1000));
        else
            poll(&bell, 1, (int)((left_us + 999) / 1000));
    }
    outbox_silence(courier->platform->outbox);
}

/* What is under way may still end. */
static void finish(Courier *courier)
{
    int64_t until_us = time_monotonic_us() + STOP_MS * 1000;

    while (under_way(courier) && time_monotonic_us() < until_us)
        outgoing_wait(courier->outgoing, -1, 100);
    (void)!write_down(courier);
}

static void *deliver(void *context)
{
    Courier *courier = context;

    while (!atomic_load(&courier->stopping))
        wait_for_news(courier, look(courier));
    finish(courier);
    return NULL;
}

Courier *courier_create(const Platform *platform, Error *error)
{
    Courier *courier = calloc(1, sizeof(*courier));

    if (!courier)
        out_of_memory();
    courier->platform = platform;
    if (!session_open(platform, &courier->session, error)) {
        free(courier);
        return NULL;
    }
    writer_on_commit(platform->writer, outbox_on_commit, platform->outbox);
    if (pthread_create(&courier->thread, NULL, deliver, courier) == 0) {
        pthread_setname_np(courier->thread, "courier");
        return courier;
    }
    writer_on_commit(platform->writer, NULL, NULL);
    session_close(&courier->session);
    free(courier);
    fail(error, ERROR_UNAVAILABLE, "could not start the thread that calls webhooks");
    return NULL;
}

void courier_destroy(Courier *courier)
{
    if (!courier)
        return;
    writer_on_commit(courier->platform->writer, NULL, NULL);
    atomic_store(&courier->stopping, true);
    outbox_ring(courier->platform->outbox);
    pthread_join(courier->thread, NULL);
    outgoing_destroy(courier->outgoing);
    while (courier->first) {
        Flight *next = courier->first->next;

        flight_destroy(courier->first);
        courier->first = next;
    }
    session_close(&courier->session);
    free(courier);
}
