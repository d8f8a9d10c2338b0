#include <arpa/inet.h>
#include <netinet/in.h>

#include "net/http_crowd.h"
#include "tests/test.h"

enum { GUEST_COUNT = 8 };

static HttpWait progress[GUEST_COUNT];
static HttpGuest guests[GUEST_COUNT];

static HttpWait progress_of(const HttpGuest *guest)
{
    return progress[guest - guests];
}

static HttpCrowd crowd_of(size_t count_max, size_t address_max)
{
    memset(progress, 0, sizeof(progress));
    memset(guests, 0, sizeof(guests));
    return (HttpCrowd){.count_max = count_max, .address_max = address_max, .progress = progress_of};
}

/* A second later the next one comes; returns the number of the one that goes for it, or -1. */
static long come(HttpCrowd *crowd, size_t guest, uint64_t key)
{
    HttpGuest *found;

    crowd->now += 1000;
    http_crowd_add(crowd, &guests[guest], key);
    found = http_crowd_surplus(crowd, &guests[guest]);
    EXPECT(!found || !http_crowd_surplus(crowd, &guests[guest]));
    return found ? found - guests : -1;
}

static void leave(HttpCrowd *crowd, size_t count)
{
    for (size_t i = 0; i < count; i++)
        http_crowd_remove(crowd, &guests[i]);
    EXPECT(crowd->all.count == 0);
    for (size_t i = 0; i < HTTP_CROWD_TABLE_SIZE; i++)
        EXPECT(!crowd->addresses[i]);
}

static void test_the_oldest_request_that_is_not_whole_goes_first(void)
{
    HttpCrowd crowd = crowd_of(3, 0);

    EXPECT(come(&crowd, 0, 1) == -1);
    EXPECT(come(&crowd, 1, 2) == -1);
    EXPECT(come(&crowd, 2, 3) == -1);
    http_crowd_move(&crowd, &guests[0], HTTP_WAIT_NEXT);
    EXPECT(come(&crowd, 3, 4) == 1);
    EXPECT(crowd.all.count == 3);
    EXPECT(come(&crowd, 4, 4) == 2);
    leave(&crowd, 5);
}

static void test_without_one_the_longest_silent_goes_and_then_the_longest_reader(void)
{
    HttpCrowd crowd = crowd_of(2, 0);

    EXPECT(come(&crowd, 0, 1) == -1);
    EXPECT(come(&crowd, 1, 2) == -1);
    progress[0] = HTTP_WAIT_READER;
    http_crowd_move(&crowd, &guests[1], HTTP_WAIT_NEXT);
    EXPECT(come(&crowd, 2, 3) == 1);
    progress[2] = HTTP_WAIT_READER;
    EXPECT(come(&crowd, 3, 4) == 0);
    EXPECT(come(&crowd, 4, 5) == 3);
    leave(&crowd, 5);
}

static void test_what_is_worked_on_stays_and_the_newcomer_goes(void)
{
    HttpCrowd crowd = crowd_of(2, 0);

    EXPECT(come(&crowd, 0, 1) == -1);
    EXPECT(come(&crowd, 1, 1) == -1);
    progress[0] = progress[1] = HTTP_WAIT_HANDLER;
    EXPECT(come(&crowd, 2, 2) == 2);
    http_crowd_move(&crowd, &guests[0], HTTP_WAIT_NEXT);
    EXPECT(come(&crowd, 3, 2) == 0);
    leave(&crowd, 4);
}

static void test_a_silent_client_goes_before_one_that_has_just_come(void)
{
    HttpCrowd crowd = crowd_of(2, 0);

    EXPECT(come(&crowd, 0, 1) == -1);
    http_crowd_move(&crowd, &guests[0], HTTP_WAIT_NEXT);
    EXPECT(come(&crowd, 1, 2) == -1);
    crowd.now -= 1000;
    EXPECT(come(&crowd, 2, 3) == 0);
    leave(&crowd, 3);
}

static void test_one_address_pushes_out_only_itself(void)
{
    HttpCrowd crowd = crowd_of(100, 2);

    EXPECT(come(&crowd, 0, 7) == -1);
    EXPECT(come(&crowd, 1, 8) == -1);
    EXPECT(come(&crowd, 2, 8) == -1);
    EXPECT(come(&crowd, 3, 8) == 1);
    EXPECT(come(&crowd, 4, 8) == 2);
    EXPECT(come(&crowd, 5, 7) == -1);
    EXPECT(crowd.all.count == 4);
    leave(&crowd, 6);
}

static void test_who_was_cut_stays_cut(void)
{
    HttpCrowd crowd = crowd_of(1, 0);

    EXPECT(come(&crowd, 0, 1) == -1);
    EXPECT(come(&crowd, 1, 1) == 0);
    http_crowd_move(&crowd, &guests[0], HTTP_WAIT_NEXT);
    EXPECT(guests[0].wait == HTTP_WAIT_END);
    EXPECT(crowd.all.count == 1);
    leave(&crowd, 2);
}

static uint64_t key_of(const char *text)
{
    struct sockaddr_in four = {.sin_family = AF_INET};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};

    if (inet_pton(AF_INET, text, &four.sin_addr) == 1)
        return http_crowd_key((const struct sockaddr *)&four);
    EXPECT(inet_pton(AF_INET6, text, &six.sin6_addr) == 1);
    return http_crowd_key((const struct sockaddr *)&six);
}

static void test_an_ipv6_network_of_one_customer_is_one_address(void)
{
    EXPECT(key_of("2001:db8:0:1::1") == key_of("2001:db8:0:1:ffff::2"));
    EXPECT(key_of("2001:db8:0:1::1") != key_of("2001:db8:0:2::1"));
    EXPECT(key_of("192.0.2.1") != key_of("192.0.2.2"));
    EXPECT(key_of("::ffff:192.0.2.1") == key_of("192.0.2.1"));
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_the_oldest_request_that_is_not_whole_goes_first),
        TEST(test_without_one_the_longest_silent_goes_and_then_the_longest_reader),
        TEST(test_what_is_worked_on_stays_and_the_newcomer_goes),
        TEST(test_a_silent_client_goes_before_one_that_has_just_come),
        TEST(test_one_address_pushes_out_only_itself),
        TEST(test_who_was_cut_stays_cut),
        TEST(test_an_ipv6_network_of_one_customer_is_one_address),
        {0},
    };

    return test_main(tests, count, names);
}
