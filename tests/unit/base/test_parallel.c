#include "base/parallel.h"

#include <stdatomic.h>
#include <string.h>

#include "base/attributes.h"

#include "tests/test.h"

enum { TURNS = 1000 };

typedef struct Counted {
    atomic_int turns[TURNS];
} Counted;

static void count_turn(void *context, size_t turn)
{
    Counted *counted = context;

    atomic_fetch_add(&counted->turns[turn], 1);
}

static void test_every_turn_runs_once_on_any_number_of_threads(void)
{
    static const size_t thread_counts[] = {0, 1, 2, 7, 5000};

    for (size_t i = 0; i < COUNT(thread_counts); i++) {
        static Counted counted;

        memset(&counted, 0, sizeof(counted));
        parallel_run(TURNS, thread_counts[i], count_turn, &counted);
        for (size_t turn = 0; turn < TURNS; turn++)
            EXPECT(counted.turns[turn] == 1);
    }
}

static void test_no_turns_are_done_at_once(void)
{
    static Counted counted;

    parallel_run(0, 4, count_turn, &counted);
    EXPECT(counted.turns[0] == 0);
}

static void test_there_is_a_core_at_least(void)
{
    EXPECT(parallel_core_count() >= 1);
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_every_turn_runs_once_on_any_number_of_threads),
        TEST(test_no_turns_are_done_at_once),
        TEST(test_there_is_a_core_at_least),
        {0},
    };

    return test_main(tests, count, names);
}
