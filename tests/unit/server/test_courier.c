/* test_courier.c: what is in the outbox reaches its receivers, in order, again after a failure, and
 * a slow one holds up nobody else. */

#include "server/courier.h"

#include <pthread.h>

#include "base/time.h"
#include "notify/delivery.h"
#include "tests/stage.h"
#include "tests/unit/net/http_fixture.h"

enum { WAIT_MS_MAX = 20000, HEARD_MAX = 64 };

/* What a receiver heard, and how it answers. */
typedef struct Receiver {
    pthread_mutex_t lock;
    Arena *arena;
    HttpServer *server;
    int refusals;       /* so many are answered with 503 first */
    bool holds;         /* none is answered */
    HttpExchange *held; /* one that was not */
    const char *bodies[HEARD_MAX], *ids[HEARD_MAX];
    size_t count;
} Receiver;

static void hear(void *context, HttpExchange *exchange)
{
    Receiver *receiver = context;
    const HttpBody *body = http_exchange_body(exchange);
    int status = 200;
    bool holds;

    pthread_mutex_lock(&receiver->lock);
    holds = receiver->holds;
    receiver->ids[receiver->count] =
        arena_text(receiver->arena, http_exchange_header(exchange, "X-MLflow-Delivery-Id"));
    receiver->bodies[receiver->count++] = arena_copy(receiver->arena, body->bytes, body->size);
    if (receiver->refusals > 0) {
        receiver->refusals--;
        status = 503;
    }
    if (holds)
        receiver->held = exchange;
    pthread_mutex_unlock(&receiver->lock);
    if (!holds)
        answer_text(exchange, status, "");
}

static void set_holds(Receiver *receiver, bool holds)
{
    pthread_mutex_lock(&receiver->lock);
    receiver->holds = holds;
    pthread_mutex_unlock(&receiver->lock);
}

static void receiver_open(Receiver *receiver)
{
    *receiver = (Receiver){.lock = PTHREAD_MUTEX_INITIALIZER, .arena = arena_create()};
    receiver->server = server_start(&(HttpServerSpec){.handle = hear, .context = receiver});
}

static void receiver_close(Receiver *receiver)
{
    if (receiver->held)
        answer_text(receiver->held, 200, "");
    http_server_close(receiver->server, 1);
    arena_destroy(receiver->arena);
}

static size_t heard(Receiver *receiver)
{
    size_t count;

    pthread_mutex_lock(&receiver->lock);
    count = receiver->count;
    pthread_mutex_unlock(&receiver->lock);
    return count;
}

static void wait_for(Receiver *receiver, size_t count)
{
    for (int waited = 0; heard(receiver) < count; waited += 10) {
        EXPECT(waited < WAIT_MS_MAX);
        time_sleep_ms(10);
    }
}

/* The stage of a server that may tell this machine. */
static Stage open_stage(void)
{
    static const char *hosts[] = {"127.0.0.1"};

    return stage_open(&(ApplicationSpec){.notify = &(NotifySettings){.hosts = {hosts, 1}}});
}

static Courier *courier_start(Stage *stage)
{
    Error error = {0};
    Courier *courier = courier_create(stage->application->platform, &error);

    EXPECT_OK(courier, error);
    return courier;
}

static void courier_end(Courier **courier)
{
    courier_destroy(*courier);
}

static bool do_add(Scope *scope, void *context)
{
    const WebhookSpec *spec = context;
    Webhook made;

    return webhook_create(scope, spec, &made);
}

static void add(Stage *stage, const char *name, const Receiver *receiver)
{
    WebhookSpec spec = {.name = name,
                        .url = url_of(receiver->server, stage->arena, "/hook"),
                        .events = 1u << EVENT_RELEASE_REJECTED};

    EXPECT_OK(scope_write(&stage->scope, do_add, &spec), stage->scope.error);
}

static bool do_tell(Scope *scope, void *context)
{
    return notify(scope, EVENT_RELEASE_REJECTED, context, "");
}

static void tell(Stage *stage, const char *subject)
{
    EXPECT_OK(scope_write(&stage->scope, do_tell, (char *)subject), stage->scope.error);
}

static bool do_disable(Scope *scope, void *context)
{
    Webhook webhook;

    return webhook_find(scope, context, &webhook) &&
           webhook_change(scope, &webhook, &(WebhookSpec){.status = WEBHOOK_DISABLED}, &webhook);
}

static bool fail_behind(Scope *scope, void *context)
{
    return do_disable(scope, context) && notify(scope, EVENT_RELEASE_REJECTED, "nobody", "") &&
           fail(&scope->error, ERROR_CONFLICT, "on purpose");
}

static int64_t waiting(Stage *stage)
{
    int64_t count = 0;

    EXPECT_OK(db_get_int(stage->scope.db, &stage->scope.error, &count,
                         "SELECT coalesce(sum(waiting_count), 0) FROM webhooks"),
              stage->scope.error);
    return count;
}

static void wait_until_none_waits(Stage *stage)
{
    for (int waited = 0; waiting(stage) > 0; waited += 10) {
        EXPECT(waited < WAIT_MS_MAX);
        time_sleep_ms(10);
    }
}

static void test_events_arrive_once_and_in_order(void)
{
    CLEANUP(receiver_close) Receiver receiver;
    CLEANUP(stage_close) Stage stage = open_stage();
    CLEANUP(courier_end) Courier *courier UNUSED = courier_start(&stage);

    receiver_open(&receiver);
    add(&stage, "ci", &receiver);
    for (int i = 0; i < 20; i++)
        tell(&stage, arena_format(stage.arena, "event %d", i));
    wait_until_none_waits(&stage);
    EXPECT(heard(&receiver) == 20);
    for (int i = 0; i < 20; i++)
        EXPECT(strstr(receiver.bodies[i], arena_format(stage.arena, "\"event %d\"", i)));
}

static void test_a_refusal_is_tried_again_by_the_same_id_before_what_is_behind_it(void)
{
    CLEANUP(receiver_close) Receiver receiver;
    CLEANUP(stage_close) Stage stage = open_stage();
    CLEANUP(courier_end) Courier *courier UNUSED = courier_start(&stage);

    receiver_open(&receiver);
    receiver.refusals = 2;
    add(&stage, "ci", &receiver);
    tell(&stage, "first");
    tell(&stage, "second");
    wait_for(&receiver, 4);
    for (int i = 0; i < 3; i++) {
        EXPECT(strstr(receiver.bodies[i], "first"));
        EXPECT_TEXT(receiver.ids[i], receiver.ids[0]);
    }
    EXPECT(strstr(receiver.bodies[3], "second"));
    EXPECT(strcmp(receiver.ids[3], receiver.ids[0]) != 0);
    wait_until_none_waits(&stage);
}

static void test_a_receiver_that_does_not_answer_holds_up_itself_alone(void)
{
    CLEANUP(receiver_close) Receiver slow;
    CLEANUP(receiver_close) Receiver quick;
    CLEANUP(stage_close) Stage stage = open_stage();
    CLEANUP(courier_end) Courier *courier UNUSED = courier_start(&stage);

    receiver_open(&slow);
    receiver_open(&quick);
    set_holds(&slow, true);
    add(&stage, "slow", &slow);
    add(&stage, "quick", &quick);
    for (int i = 0; i < 10; i++)
        tell(&stage, "event");
    wait_for(&quick, 10);
    EXPECT(heard(&slow) <= 1);
}

static void test_what_was_not_answered_is_sent_after_the_next_start(void)
{
    CLEANUP(receiver_close) Receiver receiver;
    CLEANUP(stage_close) Stage stage = open_stage();
    CLEANUP(courier_end) Courier *courier = courier_start(&stage);

    receiver_open(&receiver);
    set_holds(&receiver, true);
    add(&stage, "ci", &receiver);
    tell(&stage, "event");
    wait_for(&receiver, 1);
    courier_destroy(courier);
    EXPECT(waiting(&stage) == 1);
    set_holds(&receiver, false);
    courier = courier_start(&stage);
    wait_until_none_waits(&stage);
    EXPECT(heard(&receiver) == 2);
    EXPECT_TEXT(receiver.ids[1], receiver.ids[0]);
}

/* Which events are wanted is remembered between changes of webhooks. */
static void test_who_begins_or_ends_to_want_events_is_heeded_at_once(void)
{
    CLEANUP(receiver_close) Receiver receiver;
    CLEANUP(stage_close) Stage stage = open_stage();
    CLEANUP(courier_end) Courier *courier UNUSED = courier_start(&stage);

    receiver_open(&receiver);
    tell(&stage, "before");
    add(&stage, "ci", &receiver);
    tell(&stage, "first");
    EXPECT(!scope_write(&stage.scope, fail_behind, (char *)"ci")); /* it wants them all the same */
    tell(&stage, "second");
    wait_until_none_waits(&stage);
    EXPECT_OK(scope_write(&stage.scope, do_disable, (char *)"ci"), stage.scope.error);
    tell(&stage, "behind");
    EXPECT(waiting(&stage) == 0 && heard(&receiver) == 2);
    EXPECT(strstr(receiver.bodies[0], "first") && strstr(receiver.bodies[1], "second"));
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_events_arrive_once_and_in_order),
        TEST(test_a_refusal_is_tried_again_by_the_same_id_before_what_is_behind_it),
        TEST(test_a_receiver_that_does_not_answer_holds_up_itself_alone),
        TEST(test_what_was_not_answered_is_sent_after_the_next_start),
        TEST(test_who_begins_or_ends_to_want_events_is_heeded_at_once),
        {0},
    };

    return test_main(tests, count, names);
}
