#include "net/url_parts.h"

#include "base/text.h"
#include "tests/test.h"

static void test_hosts_are_read_as_they_will_be_called(void)
{
    static const struct {
        const char *url, *scheme, *host;
        bool is_literal, is_public, has_user;
    } cases[] = {
        {"https://Hooks.Example.com/a?b#c", "https", "hooks.example.com", false, false, false},
        {"http://93.184.216.34:8080", "http", "93.184.216.34", true, true, false},
        {"http://127.0.0.1/", "http", "127.0.0.1", true, false, false},
        {"http://2130706433/", "http", "127.0.0.1", true, false, false},
        {"http://0x7f.1/", "http", "127.0.0.1", true, false, false},
        {"http://0177.0.0.1/", "http", "127.0.0.1", true, false, false},
        {"http://[::1]:80/", "http", "::1", true, false, false},
        {"http://[::ffff:10.0.0.1]/", "http", "::ffff:10.0.0.1", true, false, false},
        {"http://[2606:2800:220:1::1]/", "http", "2606:2800:220:1::1", true, true, false},
        {"https://user:word@example.com/", "https", "example.com", false, false, true},
        {"https://user@example.com/", "https", "example.com", false, false, true},
        {"https://example.com\\@127.0.0.1/", NULL, NULL, false, false, false},
        {"smtp://mail.example.com:587", "smtp", "mail.example.com", false, false, false},
    };
    CLEANUP(arena_cleanup) Arena *arena = arena_create();

    for (size_t i = 0; i < COUNT(cases); i++) {
        UrlParts parts = {0};
        Error error = {0};
        bool is_url = url_take_apart(cases[i].url, arena, &parts, &error);

        if (!cases[i].host && !is_url)
            continue;
        EXPECT_OK(is_url, error);
        if (!cases[i].host) { /* whatever it is, it is not the other host */
            EXPECT(strcmp(parts.host, "127.0.0.1") != 0 || parts.has_user);
            continue;
        }
        EXPECT_TEXT(parts.scheme, cases[i].scheme);
        EXPECT_TEXT(parts.host, cases[i].host);
        EXPECT(parts.is_literal == cases[i].is_literal);
        EXPECT(parts.is_public == cases[i].is_public);
        EXPECT(parts.has_user == cases[i].has_user);
    }
}

static void test_what_has_no_host_is_no_url(void)
{
    static const char *const urls[] = {"", "https://", "nothing", "mailto:a@b.c", "https://a b/"};
    CLEANUP(arena_cleanup) Arena *arena = arena_create();

    for (size_t i = 0; i < COUNT(urls); i++) {
        UrlParts parts;
        Error error = {0};

        EXPECT(!url_take_apart(urls[i], arena, &parts, &error) && error.kind == ERROR_INVALID);
    }
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_hosts_are_read_as_they_will_be_called),
        TEST(test_what_has_no_host_is_no_url),
        {0},
    };

    return test_main(tests, count, names);
}
