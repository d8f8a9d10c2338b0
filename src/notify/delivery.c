#include "notify/delivery.h"

#include <inttypes.h>
#include <string.h>

#include "base/time.h"

enum { PAUSE_SECONDS_MAX = 60 };

static const int64_t day_ms = INT64_C(24) * 60 * 60 * 1000;

/* Every select starts with these columns, in the order from_row() reads; the body comes last, if at
 * all. */
#define DELIVERY_COLUMNS                                                                           \
    "SELECT id, webhook_id, public_id, event, created_at, tries, due_at, status, reason,"          \
    "       ended_at, is_given_up"
#define SELECT_DELIVERY DELIVERY_COLUMNS " FROM deliveries"

static Delivery from_row(const Query *query, Arena *arena)
{
    return (Delivery){
        .id = query_int(query, 0),
        .webhook_id = query_int(query, 1),
        .public_id = query_text(query, 2, arena),
        .event = query_text(query, 3, arena),
        .body = "",
        .created_at = query_int(query, 4),
        .tries = query_int(query, 5),
        .due_at = query_int(query, 6),
        .status = (int)query_int(query, 7),
        .reason = query_text(query, 8, arena),
        .ended_at = query_int(query, 9),
        .is_given_up = query_int(query, 10) != 0,
    };
}

static bool read_list(Scope *scope, Query *query, DeliveryList *list)
{
    DeliveryList taken = {0};

    while (query_next(query))
        *arena_push(scope->arena, &taken) = from_row(query, scope->arena);
    if (!query_end(query, &scope->error))
        return false;
    *list = taken;
    return true;
}

bool delivery_list(Scope *scope, const Webhook *webhook, const Page *page, DeliveryList *list)
{
    CLEANUP(query_finalize)
    Query query = db_query(
        scope->db, SELECT_DELIVERY " WHERE webhook_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3",
        db_int(webhook->id), db_int(page_before(page)), db_int(page_limit(page)));

    return read_list(scope, &query, list);
}

bool delivery_list_heads(Scope *scope, DeliveryList *list)
{
    static const char sql[] =
        SELECT_DELIVERY " WHERE id IN"
                        " (SELECT (SELECT min(d.id) FROM deliveries d"
                        "           WHERE d.webhook_id = w.id AND d.ended_at IS NULL)"
                        "    FROM webhooks w WHERE w.is_active = 1 AND w.waiting_count > 0)";
    CLEANUP(query_finalize) Query query = db_query(scope->db, sql);

    return read_list(scope, &query, list);
}

bool delivery_find(Scope *scope, int64_t id, Delivery *delivery)
{
    CLEANUP(query_finalize)
    Query query =
        db_query(scope->db, DELIVERY_COLUMNS ", body FROM deliveries WHERE id = $1", db_int(id));
    Delivery found;

    if (!query_next(&query))
        return query_end(&query, &scope->error) &&
               fail(&scope->error, ERROR_NOT_FOUND, "delivery %" PRId64 " does not exist", id);
    found = from_row(&query, scope->arena);
    found.body = query_text(&query, 11, scope->arena);
    *delivery = found;
    return true;
}

/* ---- how a try went ---- */

/* 1 s, 2 s, 4 s ... 60 s; tries counts the one that failed. */
static int64_t pause_ms(int64_t tries, unsigned retry_after_seconds)
{
    int64_t seconds = tries > 6 ? PAUSE_SECONDS_MAX : INT64_C(1) << (tries - 1);

    if (seconds > PAUSE_SECONDS_MAX)
        seconds = PAUSE_SECONDS_MAX;
    if (seconds < retry_after_seconds)
        seconds = retry_after_seconds;
    return seconds < DELIVERY_PAUSE_MS_MAX / 1000 ? seconds * 1000 : DELIVERY_PAUSE_MS_MAX;
}

bool delivery_heed_clock(Scope *scope, int64_t put_back_ms)
{
    return db_run(scope->db, &scope->error,
                  "UPDATE deliveries SET due_at ="
                  " CASE WHEN due_at - $2 <= $1 + $3 THEN due_at - $2 ELSE 0 END"
                  " WHERE ended_at IS NULL AND due_at > $1",
                  db_int(time_now_ms()), db_int(put_back_ms), db_int(DELIVERY_PAUSE_MS_MAX));
}

static bool try_again(Scope *scope, const Delivery *delivery, const DeliveryResult *result)
{
    int64_t tries = delivery->tries + 1;

    return db_run(scope->db, &scope->error,
                  "UPDATE deliveries SET tries = $2, due_at = $3, status = $4, reason = $5"
                  " WHERE id = $1",
                  db_int(delivery->id), db_int(tries),
                  db_int(time_now_ms() + pause_ms(tries, result->retry_after_seconds)),
                  db_int_or_null(result->status), db_text(result->reason));
}

/* Of those that ended, the newest are kept. */
static bool drop_old(Scope *scope, int64_t webhook_id)
{
    return db_run(scope->db, &scope->error,
                  "DELETE FROM deliveries WHERE webhook_id = $1 AND ended_at IS NOT NULL AND id <="
                  " (SELECT id FROM deliveries WHERE webhook_id = $1 AND ended_at IS NOT NULL"
                  "   ORDER BY id DESC LIMIT 1 OFFSET $2)",
                  db_int(webhook_id), db_int(DELIVERIES_KEPT));
}

static bool end(Scope *scope, const Delivery *delivery, const DeliveryResult *result)
{
    bool failed = *result->reason;

    return db_run(scope->db, &scope->error,
                  "UPDATE deliveries SET tries = $2, status = $3, reason = $4, ended_at = $5,"
                  "  is_given_up = $6, body = '' WHERE id = $1",
                  db_int(delivery->id), db_int(delivery->tries + 1), db_int_or_null(result->status),
                  db_text(failed ? result->reason : NULL), db_int(time_now_ms()), db_int(failed)) &&
           db_run(scope->db, &scope->error,
                  "UPDATE webhooks SET waiting_count = waiting_count - 1,"
                  "  waiting_bytes = waiting_bytes - $2 WHERE id = $1",
                  db_int(delivery->webhook_id), db_int((int64_t)strlen(delivery->body))) &&
           drop_old(scope, delivery->webhook_id);
}

static bool may_wait_on(const Delivery *delivery)
{
    return delivery->tries + 1 < DELIVERY_TRIES_MAX &&
           time_now_ms() - delivery->created_at < DELIVERY_DAYS_MAX * day_ms;
}

bool delivery_record(Scope *scope, const DeliveryResult *result)
{
    Delivery delivery;

    if (!delivery_find(scope, result->id, &delivery)) {
        if (scope->error.kind != ERROR_NOT_FOUND)
            return false;
        scope->error = (Error){0}; /* its webhook was deleted meanwhile */
        return true;
    }
    if (delivery.ended_at || strcmp(delivery.public_id, result->public_id) != 0)
        return true;
    if (*result->reason && result->may_try_again && may_wait_on(&delivery))
        return try_again(scope, &delivery, result);
    return end(scope, &delivery, result);
}

static const char *state_of(const Delivery *delivery)
{
    if (!delivery->ended_at)
        return "waiting";
    return delivery->is_given_up ? "given up" : "delivered";
}

void delivery_write_json(JsonWriter *json, const char *key, const Delivery *delivery)
{
    json_open_object(json, key);
    {
        json_int(json, "number", delivery->id);
        json_text(json, "id", delivery->public_id);
        json_text(json, "event", delivery->event);
        json_text(json, "state", state_of(delivery));
        json_time(json, "created_at", delivery->created_at);
        json_int(json, "tries", delivery->tries);
        json_time(json, "due_at", delivery->ended_at ? 0 : delivery->due_at);
        json_time(json, "ended_at", delivery->ended_at);
        if (delivery->status)
            json_int(json, "status", delivery->status);
        else
            json_null(json, "status");
        json_text(json, "reason", delivery->reason);
    }
    json_close(json);
}
