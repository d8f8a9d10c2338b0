#include "net/address.h"
#include "net/http_range.h"
#include "net/url.h"
#include "tests/test.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>

static void test_texts_decode_or_are_refused(void)
{
    static const struct {
        const char *text;
        UrlPlus plus;
        const char *decoded;
    } rows[] = {
        {"", URL_PLUS_STAYS, ""},
        {"a%20b", URL_PLUS_STAYS, "a b"},
        {"a+b", URL_PLUS_STAYS, "a+b"},
        {"a+b%2B", URL_PLUS_IS_SPACE, "a b+"},
        {"%c3%A9", URL_PLUS_STAYS, "\xc3\xa9"},
        {"%252e", URL_PLUS_STAYS, "%2e"},
        {"%00", URL_PLUS_STAYS, NULL},
        {"%", URL_PLUS_STAYS, NULL},
        {"a%2", URL_PLUS_STAYS, NULL},
        {"%zz", URL_PLUS_STAYS, NULL},
        {"%2 ", URL_PLUS_STAYS, NULL},
        {"%+1", URL_PLUS_IS_SPACE, NULL},
    };
    CLEANUP(arena_cleanup) Arena *arena = arena_create();

    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *decoded = url_decode(arena, rows[i].text, strlen(rows[i].text), rows[i].plus);

        if (rows[i].decoded)
            EXPECT_TEXT(decoded, rows[i].decoded);
        else
            EXPECT(!decoded);
    }
    EXPECT(!url_decode(arena, "a\0b", 3, URL_PLUS_STAYS));
    EXPECT_TEXT(url_decode(arena, "a%20b", 1, URL_PLUS_STAYS), "a");
}

static void test_every_text_survives_encoding(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    char text[256] = {0};

    for (int i = 1; i < 256; i++)
        text[i - 1] = (char)i;
    const char *encoded = url_encode(arena, text);
    EXPECT(strspn(encoded, "%-._~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") ==
           strlen(encoded));
    EXPECT_TEXT(url_decode(arena, encoded, strlen(encoded), URL_PLUS_IS_SPACE), text);
    EXPECT_TEXT(url_encode(arena, "a/b c~"), "a%2Fb%20c~");
}

/* The segments between bars, or NULL when the path is refused. */
static const char *segments_of(Arena *arena, const char *path)
{
    TextBuilder shown = {.arena = arena};
    TextList segments;

    if (!url_split_path(arena, path, &segments))
        return NULL;
    for (size_t i = 0; i < segments.count; i++)
        text_append_format(&shown, "|%s", segments.items[i]);
    return text_built(&shown);
}

static void test_a_path_is_split_before_it_is_decoded(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();

    EXPECT_TEXT(segments_of(arena, "/"), "");
    EXPECT_TEXT(segments_of(arena, "/a"), "|a");
    EXPECT_TEXT(segments_of(arena, "/a/"), "|a|");
    EXPECT_TEXT(segments_of(arena, "//a"), "||a");
    EXPECT_TEXT(segments_of(arena, "/a/b%2Fc/%2e%2E/d+e"), "|a|b/c|..|d+e");
    EXPECT(!segments_of(arena, ""));
    EXPECT(!segments_of(arena, "a"));
    EXPECT(!segments_of(arena, "/a/%00"));
    EXPECT(!segments_of(arena, "/a%/b"));
}

static void test_a_query_keeps_order_and_repeats(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    HttpPairList pairs = {0};

    EXPECT(url_split_query(arena, "a=1&&b&a=x%3D+y=z&=v", &pairs));
    EXPECT(pairs.count == 4);
    EXPECT_TEXT(pairs.items[0].value, "1");
    EXPECT_TEXT(pairs.items[1].name, "b");
    EXPECT_TEXT(pairs.items[1].value, "");
    EXPECT_TEXT(pairs.items[2].value, "x= y=z");
    EXPECT_TEXT(pairs.items[3].name, "");

    EXPECT(!url_split_query(arena, "a=%", &pairs));
    EXPECT(!url_split_query(arena, "%0=1", &pairs));
    EXPECT(pairs.count == 4);
    EXPECT(url_split_query(arena, "", &pairs));
    EXPECT(pairs.count == 0);
}

static void test_ranges_follow_the_standard(void)
{
    static const struct {
        const char *header;
        uint64_t file_size;
        HttpRange range;
    } rows[] = {
        {NULL, 10, {HTTP_RANGE_WHOLE, 0, 10}},
        {"bytes=0-3", 10, {HTTP_RANGE_PART, 0, 4}},
        {"bytes=4-", 10, {HTTP_RANGE_PART, 4, 6}},
        {"bytes=-3", 10, {HTTP_RANGE_PART, 7, 3}},
        {"bytes=-30", 10, {HTTP_RANGE_PART, 0, 10}},
        {"BYTES=9-99", 10, {HTTP_RANGE_PART, 9, 1}},
        {"bytes=3-18446744073709551616", 10, {HTTP_RANGE_PART, 3, 7}},
        {"bytes=10-", 10, {.kind = HTTP_RANGE_UNSATISFIABLE}},
        {"bytes=18446744073709551616-", 10, {.kind = HTTP_RANGE_UNSATISFIABLE}},
        {"bytes=-0", 10, {.kind = HTTP_RANGE_UNSATISFIABLE}},
        {"bytes=0-0", 0, {.kind = HTTP_RANGE_UNSATISFIABLE}},
        {"bytes=-1", 0, {.kind = HTTP_RANGE_UNSATISFIABLE}},
        {"bytes=3-1", 10, {HTTP_RANGE_WHOLE, 0, 10}},
        {"bytes=0-1,3-4", 10, {HTTP_RANGE_WHOLE, 0, 10}},
        {"bytes=-", 10, {HTTP_RANGE_WHOLE, 0, 10}},
        {"bytes= 0-1", 10, {HTTP_RANGE_WHOLE, 0, 10}},
        {"lines=0-1", 10, {HTTP_RANGE_WHOLE, 0, 10}},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        HttpRange range = http_range_read(rows[i].header, rows[i].file_size);

        EXPECT(range.kind == rows[i].range.kind);
        EXPECT(range.offset == rows[i].range.offset);
        EXPECT(range.size == rows[i].range.size);
    }
}

static bool is_public(const char *text)
{
    struct sockaddr_in six_or_four = {.sin_family = AF_INET};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};

    if (inet_pton(AF_INET, text, &six_or_four.sin_addr) == 1)
        return address_is_public((struct sockaddr *)&six_or_four);
    EXPECT(inet_pton(AF_INET6, text, &six.sin6_addr) == 1);
    return address_is_public((struct sockaddr *)&six);
}

static void test_only_public_addresses_are_public(void)
{
    static const char *const closed[] = {
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "100.127.255.255",
        "100.100.100.200",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "198.19.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "168.63.129.16",
        "::",
        "::1",
        "::ffff:10.0.0.1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "fe80::1",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "2001:db8::1",
        "2001:0:1::",
        "::7f00:1",
    };
    static const char *const open[] = {
        "8.8.8.8",        "100.63.255.255", "100.128.0.1",      "172.15.0.1",
        "172.32.0.1",     "168.63.129.17",  "223.255.255.255",  "2606:4700::1111",
        "::ffff:8.8.8.8", "2a00:1450::1",   "64:ff9b::808:808",
    };

    for (size_t i = 0; i < COUNT(closed); i++)
        if (is_public(closed[i])) {
            fprintf(stderr, "%s passed as public\n", closed[i]);
            exit(1);
        }
    for (size_t i = 0; i < COUNT(open); i++)
        if (!is_public(open[i])) {
            fprintf(stderr, "%s did not pass as public\n", open[i]);
            exit(1);
        }
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_texts_decode_or_are_refused),
        TEST(test_every_text_survives_encoding),
        TEST(test_a_path_is_split_before_it_is_decoded),
        TEST(test_a_query_keeps_order_and_repeats),
        TEST(test_ranges_follow_the_standard),
        TEST(test_only_public_addresses_are_public),
        {0},
    };

    return test_main(tests, count, names);
}
