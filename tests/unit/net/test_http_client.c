#include <pthread.h>
#include <sys/un.h>

#include "base/file.h"
#include "tests/unit/net/http_fixture.h"

typedef struct Site {
    const char *other; /* where /away leads */
} Site;

static void redirect(HttpExchange *exchange, const char *target)
{
    http_answer(exchange, &(HttpAnswer){.status = 302,
                                        .headers = &(HttpPair){"Location", target},
                                        .header_count = 1});
}

static void serve(void *context, HttpExchange *exchange)
{
    const Site *site = context;
    const char *path = http_exchange_path(exchange);
    const HttpBody *body = http_exchange_body(exchange);

    if (strcmp(path, "/data.csv") == 0)
        answer_text(exchange, 200, "a,b\n1,2\n");
    else if (strcmp(path, "/moved") == 0)
        redirect(exchange, "/data.csv");
    else if (strcmp(path, "/loop") == 0)
        redirect(exchange, "/loop");
    else if (strcmp(path, "/away") == 0)
        redirect(exchange, site->other);
    else if (strcmp(path, "/echo") == 0)
        http_answer(exchange,
                    &(HttpAnswer){.status = 200, .body = body->bytes, .size = body->size});
    else
        answer_text(exchange, 404, "no such page");
}

typedef struct Fixture {
    Arena *arena;
    HttpServer *server;
    Site site;
    const char *folder;
    const char *target;
    Error error;
} Fixture;

static void fixture_open(Fixture *fixture)
{
    *fixture = (Fixture){.arena = arena_create()};
    fixture->server = server_start(&(HttpServerSpec){.handle = serve, .context = &fixture->site});
    EXPECT_OK(folder_make_temporary("/tmp", fixture->arena, &fixture->folder, &fixture->error),
              fixture->error);
    fixture->target = arena_format(fixture->arena, "%s/target", fixture->folder);
}

static void fixture_close(Fixture *fixture)
{
    http_server_close(fixture->server, 1);
    EXPECT_OK(folder_remove(fixture->folder, &fixture->error), fixture->error);
    arena_destroy(fixture->arena);
}

static bool download(Fixture *fixture, HttpDownloadSpec spec)
{
    if (spec.url[0] == '/')
        spec.url = url_of(fixture->server, fixture->arena, spec.url);
    spec.target_path = fixture->target;
    return http_download(&spec, &fixture->error);
}

static size_t files_left(Fixture *fixture)
{
    TextList names = {0};

    EXPECT_OK(folder_list(fixture->folder, fixture->arena, &names, &fixture->error),
              fixture->error);
    return names.count;
}

static void test_a_download_lands_in_its_file(void)
{
    static const char *const paths[] = {"/data.csv", "/moved"};
    Fixture fixture;
    const char *bytes;
    size_t size;

    fixture_open(&fixture);
    for (size_t i = 0; i < COUNT(paths); i++) {
        EXPECT_OK(download(&fixture, (HttpDownloadSpec){.url = paths[i], .allow_private = true}),
                  fixture.error);
        EXPECT_OK(file_read(fixture.target, 100, fixture.arena, &bytes, &size, &fixture.error),
                  fixture.error);
        EXPECT_TEXT(bytes, "a,b\n1,2\n");
        EXPECT(files_left(&fixture) == 1);
        EXPECT(unlink(fixture.target) == 0);
    }
    fixture_close(&fixture);
}

static void expect_refused(Fixture *fixture, HttpDownloadSpec spec, ErrorKind kind,
                           const char *reason)
{
    fixture->error = (Error){0};
    EXPECT(!download(fixture, spec));
    if (fixture->error.kind != kind || !strstr(fixture->error.message, reason))
        fprintf(stderr, "%s failed as: %s\n", spec.url, fixture->error.message);
    EXPECT(strstr(fixture->error.message, reason));
    EXPECT(fixture->error.kind == kind);
    EXPECT(files_left(fixture) == 0);
}

static void test_addresses_that_are_not_public_are_refused(void)
{
    Fixture fixture;
    const char *port;

    fixture_open(&fixture);
    port = arena_format(fixture.arena, "%d", http_server_port(fixture.server));
    static const char *const hosts[] = {"127.0.0.1", "localhost",  "[::ffff:127.0.0.1]",
                                        "127.1",     "2130706433", "0.0.0.0"};
    for (size_t i = 0; i < COUNT(hosts); i++) {
        const char *url = arena_format(fixture.arena, "http://%s:%s/data.csv", hosts[i], port);

        expect_refused(&fixture, (HttpDownloadSpec){.url = url}, ERROR_FORBIDDEN,
                       "is not a public address");
    }
    expect_refused(&fixture, (HttpDownloadSpec){.url = "http://169.254.169.254/latest/meta-data/"},
                   ERROR_FORBIDDEN, "leads to 169.254.169.254");
    fixture_close(&fixture);
}

static void test_only_http_is_downloaded(void)
{
    static const char *const urls[] = {"file:///etc/passwd", "ftp://127.0.0.1/", "gopher://h/",
                                       "data.csv", ""};
    Fixture fixture;

    fixture_open(&fixture);
    for (size_t i = 0; i < COUNT(urls); i++)
        expect_refused(&fixture, (HttpDownloadSpec){.url = urls[i], .allow_private = true},
                       ERROR_INVALID, "a URL starts with http");
    expect_refused(&fixture, (HttpDownloadSpec){.url = "http://a b/", .allow_private = true},
                   ERROR_INVALID, "is not a URL");

    fixture.site.other = "file:///etc/passwd";
    expect_refused(&fixture, (HttpDownloadSpec){.url = "/away", .allow_private = true},
                   ERROR_INVALID, "/away");
    fixture_close(&fixture);
}

static void test_download_limits_hold(void)
{
    HttpDownloadSpec spec = {.url = "/data.csv", .allow_private = true, .bytes_max = 8};
    Fixture fixture;

    fixture_open(&fixture);
    EXPECT_OK(download(&fixture, spec), fixture.error);
    EXPECT(unlink(fixture.target) == 0);
    spec.bytes_max = 7;
    expect_refused(&fixture, spec, ERROR_TOO_LARGE, "has more than 7 bytes");
    spec.url = "/loop";
    expect_refused(&fixture, spec, ERROR_UNAVAILABLE, "redirects too often");
    spec.url = "/missing";
    expect_refused(&fixture, spec, ERROR_UNAVAILABLE, "404");
    fixture_close(&fixture);
}

static void test_a_failed_download_leaves_the_old_file(void)
{
    Fixture fixture;
    const char *bytes;
    size_t size;

    fixture_open(&fixture);
    EXPECT_OK(file_write(fixture.target, "old", 3, &fixture.error), fixture.error);
    EXPECT(!download(&fixture, (HttpDownloadSpec){.url = "/missing", .allow_private = true}));
    EXPECT(files_left(&fixture) == 1);
    EXPECT_OK(file_read(fixture.target, 10, fixture.arena, &bytes, &size, &fixture.error),
              fixture.error);
    EXPECT_TEXT(bytes, "old");
    fixture_close(&fixture);
}

static void test_fetch_sends_bodies_and_files(void)
{
    Fixture fixture;
    HttpReply reply;

    fixture_open(&fixture);
    reply = fetch(fixture.server, fixture.arena,
                  (HttpFetchSpec){.url = "/echo", .body = "in memory", .body_size = 9});
    EXPECT_TEXT(reply.body, "in memory");
    EXPECT_TEXT(reply.content_type, "");

    EXPECT_OK(file_write(fixture.target, "in a file", 9, &fixture.error), fixture.error);
    reply = fetch(fixture.server, fixture.arena,
                  (HttpFetchSpec){.url = "/echo", .method = "POST", .body_file = fixture.target});
    EXPECT_TEXT(reply.body, "in a file");

    reply = fetch(fixture.server, fixture.arena, (HttpFetchSpec){.url = "/missing"});
    EXPECT(reply.status == 404);
    EXPECT_TEXT(reply.body, "no such page");
    fixture_close(&fixture);
}

static void test_fetch_says_what_went_wrong(void)
{
    Fixture fixture;
    HttpReply reply;
    HttpFetchSpec spec;

    fixture_open(&fixture);
    spec = (HttpFetchSpec){.url = url_of(fixture.server, fixture.arena, "/data.csv"),
                           .reply_bytes_max = 7};
    EXPECT(!http_fetch(&spec, fixture.arena, &reply, &fixture.error));
    EXPECT(fixture.error.kind == ERROR_TOO_LARGE);

    http_server_close(fixture.server, 1);
    EXPECT(!http_fetch(&spec, fixture.arena, &reply, &fixture.error));
    EXPECT(fixture.error.kind == ERROR_UNAVAILABLE);
    EXPECT(strstr(fixture.error.message, "could not reach \"http://127.0.0.1:"));

    spec.body_file = "/nonexistent/file";
    EXPECT(!http_fetch(&spec, fixture.arena, &reply, &fixture.error));
    EXPECT(fixture.error.kind == ERROR_NOT_FOUND);
    fixture.server = NULL;
    fixture_close(&fixture);
}

/* ---- a socket of the file system ---- */

/* Answers so many requests on one connection, and takes no second one. */
typedef struct Door {
    char path[64];
    int listener, answers;
    pthread_t thread;
} Door;

static void *answer_at_door(void *context)
{
    static const char text[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
    const Door *door = context;
    int handle = accept(door->listener, NULL, NULL);
    char request[4096];

    for (int i = 0; i < door->answers && read(handle, request, sizeof(request)) > 0; i++)
        EXPECT(write(handle, text, sizeof(text) - 1) == sizeof(text) - 1);
    while (read(handle, request, sizeof(request)) > 0)
        ;
    close(handle);
    return NULL;
}

static void door_open(Door *door, const char *folder, int answers)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    *door = (Door){.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), .answers = answers};
    snprintf(door->path, sizeof(door->path), "%s/door", folder);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", door->path);
    EXPECT(bind(door->listener, (struct sockaddr *)&address, sizeof(address)) == 0);
    EXPECT(listen(door->listener, 1) == 0);
    EXPECT(pthread_create(&door->thread, NULL, answer_at_door, door) == 0);
}

static void door_close(Door *door)
{
    pthread_join(door->thread, NULL);
    close(door->listener);
}

static void test_requests_to_a_socket_share_a_connection(void)
{
    Fixture fixture;
    HttpConnection *connection;
    Door door;

    fixture_open(&fixture);
    door_open(&door, fixture.folder, 3);
    connection = http_connection_open(&fixture.error);
    EXPECT_OK(connection, fixture.error);
    for (int i = 0; i < door.answers; i++) {
        HttpFetchSpec spec = {.url = "http://nowhere.invalid/x",
                              .unix_socket = door.path,
                              .connection = connection,
                              .body = i ? "text" : NULL,
                              .body_size = i ? 4 : 0};
        HttpReply reply;

        EXPECT_OK(http_fetch(&spec, fixture.arena, &reply, &fixture.error), fixture.error);
        EXPECT_TEXT(reply.body, "hi");
    }
    http_connection_close(connection);
    door_close(&door);
    unlink(door.path);
    fixture_close(&fixture);
}

static void test_a_request_that_nobody_answers_can_be_given_up(void)
{
    const atomic_bool cancelled = true;
    HttpFetchSpec spec = {.url = "http://localhost/x", .cancelled = &cancelled};
    Fixture fixture;
    HttpReply reply;
    Door door;

    fixture_open(&fixture);
    door_open(&door, fixture.folder, 0);
    spec.unix_socket = door.path;
    EXPECT(!http_fetch(&spec, fixture.arena, &reply, &fixture.error));
    EXPECT(fixture.error.kind == ERROR_UNAVAILABLE);
    EXPECT_TEXT(fixture.error.message, "\"http://localhost/x\" was given up before it answered");
    shutdown(door.listener, SHUT_RDWR);
    door_close(&door);
    unlink(door.path);
    fixture_close(&fixture);
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_a_download_lands_in_its_file),
        TEST(test_addresses_that_are_not_public_are_refused),
        TEST(test_only_http_is_downloaded),
        TEST(test_download_limits_hold),
        TEST(test_a_failed_download_leaves_the_old_file),
        TEST(test_fetch_sends_bodies_and_files),
        TEST(test_fetch_says_what_went_wrong),
        TEST(test_requests_to_a_socket_share_a_connection),
        TEST(test_a_request_that_nobody_answers_can_be_given_up),
        {0},
    };

    return test_main(tests, count, names);
}
