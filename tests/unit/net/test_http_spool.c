/* test_http_spool.c: bodies in files, and a disk that has no room for them. */

#include "base/file.h"
#include "tests/unit/net/http_fixture.h"

static HttpBodyRule endless_bodies(void *context UNUSED, const HttpExchange *exchange UNUSED)
{
    return (HttpBodyRule){HTTP_BODY_FILE, SIZE_MAX};
}

static void answer_size(void *context UNUSED, HttpExchange *exchange)
{
    answer_text(
        exchange, 200,
        arena_format(http_exchange_arena(exchange), "%zu", http_exchange_body(exchange)->size));
}

static void test_a_body_that_no_disk_has_room_for_is_refused_before_it_comes(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const char *folder, *answer;
    HttpServer *server;
    TextList names;
    Error error;

    EXPECT_OK(folder_make_temporary("/tmp", arena, &folder, &error), error);
    server = server_start(&(HttpServerSpec){
        .handle = answer_size, .spool_folder = folder, .body_rule = endless_bodies});
    answer = raw_ask(server, arena,
                     "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 1152921504606846976\r\n\r\nab");
    EXPECT(text_has_prefix(answer, "HTTP/1.1 507 "));
    EXPECT(strstr(answer, "could not store the body: No space left on device"));
    EXPECT_TEXT(
        fetch(server, arena, (HttpFetchSpec){.url = "/", .body = "abc", .body_size = 3}).body, "3");
    http_server_close(server, 1);
    EXPECT_OK(folder_list(folder, arena, &names, &error), error);
    EXPECT(names.count == 0);
    EXPECT_OK(folder_remove(folder, &error), error);
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_a_body_that_no_disk_has_room_for_is_refused_before_it_comes),
        {0},
    };
    return test_main(tests, count, names);
}
