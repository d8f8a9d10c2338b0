#include "net/outgoing.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/eventfd.h>

#include "tests/unit/net/http_fixture.h"

enum { LONG_BYTES = 100000, KEPT_BYTES = 4096 };

typedef struct Site {
    pthread_mutex_t lock;
    HttpExchange *held; /* one that is not answered until the test says so */
} Site;

static void serve(void *context, HttpExchange *exchange)
{
    const char *path = http_exchange_path(exchange);
    const HttpBody *body = http_exchange_body(exchange);
    Site *site = context;
    static char text[LONG_BYTES];

    if (strcmp(path, "/echo") == 0) {
        http_answer(exchange,
                    &(HttpAnswer){.status = 200, .body = body->bytes, .size = body->size});
    } else if (strcmp(path, "/away") == 0) {
        http_answer(exchange, &(HttpAnswer){.status = 302,
                                            .headers = &(HttpPair){"Location", "/echo"},
                                            .header_count = 1});
    } else if (strcmp(path, "/later") == 0) {
        http_answer(exchange, &(HttpAnswer){.status = 503,
                                            .headers = &(HttpPair){"Retry-After", "7"},
                                            .header_count = 1});
    } else if (strcmp(path, "/long") == 0) {
        memset(text, 'x', sizeof(text));
        http_answer(exchange, &(HttpAnswer){.status = 200, .body = text, .size = sizeof(text)});
    } else {
        pthread_mutex_lock(&site->lock);
        site->held = exchange;
        pthread_mutex_unlock(&site->lock);
    }
}

typedef struct Fixture {
    Arena *arena;
    HttpServer *server;
    Site site;
    Error error;
    OutgoingReply replies[8]; /* in the order of their ends; bodies are in the arena */
    const char *names[8];
    size_t count;
} Fixture;

static void note(void *owner, void *context, const OutgoingReply *reply)
{
    Fixture *fixture = owner;

    fixture->replies[fixture->count] = *reply;
    fixture->replies[fixture->count].body = arena_copy(fixture->arena, reply->body, reply->size);
    fixture->names[fixture->count++] = context;
}

static HttpExchange *held(Site *site)
{
    HttpExchange *exchange;

    pthread_mutex_lock(&site->lock);
    exchange = site->held;
    pthread_mutex_unlock(&site->lock);
    return exchange;
}

static void fixture_open(Fixture *fixture)
{
    *fixture = (Fixture){.arena = arena_create(), .site.lock = PTHREAD_MUTEX_INITIALIZER};
    fixture->server = server_start(&(HttpServerSpec){.handle = serve, .context = &fixture->site});
}

static void fixture_close(Fixture *fixture)
{
    http_server_close(fixture->server, 1);
    arena_destroy(fixture->arena);
}

static OutgoingSpec post_to(Fixture *fixture, const char *path, const char *body)
{
    return (OutgoingSpec){.url = url_of(fixture->server, fixture->arena, path),
                          .body = body,
                          .body_size = strlen(body),
                          .may_be_private = true};
}

static OutgoingReply sent(Fixture *fixture, const char *path, const char *body)
{
    OutgoingSpec spec = post_to(fixture, path, body);
    OutgoingReply reply;

    outgoing_send(&spec, fixture->arena, &reply);
    return reply;
}

static void test_a_notice_is_a_post_and_its_answer_comes_back(void)
{
    CLEANUP(fixture_close) Fixture fixture;
    OutgoingReply reply;

    fixture_open(&fixture);
    reply = sent(&fixture, "/echo", "{\"a\":1}");
    EXPECT(reply.error.kind == ERROR_NONE && reply.status == 200);
    EXPECT_TEXT(reply.body, "{\"a\":1}");
}

static void test_redirects_are_not_followed(void)
{
    CLEANUP(fixture_close) Fixture fixture;
    OutgoingReply reply;

    fixture_open(&fixture);
    reply = sent(&fixture, "/away", "x");
    EXPECT(reply.error.kind == ERROR_NONE && reply.status == 302 && reply.size == 0);
}

static void test_when_to_come_again_is_heard(void)
{
    CLEANUP(fixture_close) Fixture fixture;
    OutgoingReply reply;

    fixture_open(&fixture);
    reply = sent(&fixture, "/later", "x");
    EXPECT(reply.status == 503 && reply.retry_after_seconds == 7);
}

static void test_of_a_long_answer_the_beginning_is_kept(void)
{
    CLEANUP(fixture_close) Fixture fixture;
    OutgoingReply reply;

    fixture_open(&fixture);
    reply = sent(&fixture, "/long", "x");
    EXPECT(reply.error.kind == ERROR_NONE && reply.status == 200 && reply.size == KEPT_BYTES);
}

static void test_addresses_that_are_not_public_are_refused_without_naming_the_path(void)
{
    CLEANUP(fixture_close) Fixture fixture;
    OutgoingReply reply;
    OutgoingSpec spec;

    fixture_open(&fixture);
    spec = post_to(&fixture, "/secret", "x");
    spec.may_be_private = false;
    outgoing_send(&spec, fixture.arena, &reply);
    EXPECT(reply.error.kind == ERROR_FORBIDDEN && reply.status == 0);
    EXPECT_TEXT(reply.error.message, "its host is at 127.0.0.1, which is not a public address");
    EXPECT(!fixture.site.held);
}

static void test_nobody_listening_is_a_reason_without_the_path(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    OutgoingSpec spec = {
        .url = "http://127.0.0.1:1/secret", .body = "x", .body_size = 1, .may_be_private = true};
    OutgoingReply reply;

    outgoing_send(&spec, arena, &reply);
    EXPECT(reply.error.kind == ERROR_UNAVAILABLE);
    EXPECT(text_has_prefix(reply.error.message, "it could not be reached: "));
    EXPECT(!strstr(reply.error.message, "secret"));
}

static void test_one_that_waits_holds_up_no_other(void)
{
    CLEANUP(fixture_close) Fixture fixture;
    OutgoingSpec slow, quick;
    Outgoing *outgoing;

    fixture_open(&fixture);
    slow = post_to(&fixture, "/held", "x");
    quick = post_to(&fixture, "/echo", "y");
    outgoing = outgoing_create(note, &fixture, &fixture.error);
    EXPECT_OK(outgoing, fixture.error);
    EXPECT_OK(outgoing_start(outgoing, &slow, (char *)"slow", &fixture.error), fixture.error);
    EXPECT_OK(outgoing_start(outgoing, &quick, (char *)"quick", &fixture.error), fixture.error);
    while (!fixture.count)
        outgoing_wait(outgoing, -1, 1000);
    EXPECT(outgoing_count(outgoing) == 1);
    EXPECT_TEXT(fixture.names[0], "quick");
    while (!held(&fixture.site))
        outgoing_wait(outgoing, -1, 10);
    answer_text(fixture.site.held, 204, "");
    while (outgoing_count(outgoing))
        outgoing_wait(outgoing, -1, 1000);
    EXPECT_TEXT(fixture.names[1], "slow");
    EXPECT(fixture.replies[1].status == 204);
    outgoing_destroy(outgoing);
}

static void test_a_bell_ends_the_waiting(void)
{
    CLEANUP(fixture_close) Fixture fixture;
    Outgoing *outgoing;
    OutgoingSpec slow;
    int bell = eventfd(1, EFD_NONBLOCK);

    fixture_open(&fixture);
    slow = post_to(&fixture, "/held", "x");
    outgoing = outgoing_create(note, &fixture, &fixture.error);
    EXPECT_OK(outgoing, fixture.error);
    EXPECT_OK(outgoing_start(outgoing, &slow, NULL, &fixture.error), fixture.error);
    outgoing_wait(outgoing, bell, 60 * 60 * 1000); /* would not end */
    while (!held(&fixture.site))
        outgoing_wait(outgoing, -1, 10);
    outgoing_destroy(outgoing); /* breaks it off */
    answer_text(fixture.site.held, 200, "");
    EXPECT(fixture.count == 0);
    close(bell);
}

/* Whether all sockets that are connected to the server close in children; there is one at least. */
static bool sockets_close_in_children(const Fixture *fixture)
{
    size_t count = 0;

    for (int handle = 3; handle < 256; handle++) {
        struct sockaddr_in peer = {0};
        socklen_t size = sizeof(peer);

        if (getpeername(handle, (struct sockaddr *)&peer, &size) != 0 ||
            ntohs(peer.sin_port) != http_server_port(fixture->server))
            continue;
        count++;
        if (!(fcntl(handle, F_GETFD) & FD_CLOEXEC))
            return false;
    }
    return count > 0;
}

/* A training that starts meanwhile would keep the connection open for minutes. */
static void test_children_do_not_inherit_connections(void)
{
    CLEANUP(fixture_close) Fixture fixture;
    Outgoing *outgoing;
    OutgoingSpec slow;

    fixture_open(&fixture);
    slow = post_to(&fixture, "/held", "x");
    outgoing = outgoing_create(note, &fixture, &fixture.error);
    EXPECT_OK(outgoing, fixture.error);
    EXPECT_OK(outgoing_start(outgoing, &slow, NULL, &fixture.error), fixture.error);
    while (!held(&fixture.site))
        outgoing_wait(outgoing, -1, 10);
    EXPECT(sockets_close_in_children(&fixture));
    outgoing_destroy(outgoing);
    answer_text(fixture.site.held, 200, "");
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_a_notice_is_a_post_and_its_answer_comes_back),
        TEST(test_redirects_are_not_followed),
        TEST(test_when_to_come_again_is_heard),
        TEST(test_of_a_long_answer_the_beginning_is_kept),
        TEST(test_addresses_that_are_not_public_are_refused_without_naming_the_path),
        TEST(test_nobody_listening_is_a_reason_without_the_path),
        TEST(test_one_that_waits_holds_up_no_other),
        TEST(test_a_bell_ends_the_waiting),
        TEST(test_children_do_not_inherit_connections),
        {0},
    };

    return test_main(tests, count, names);
}
