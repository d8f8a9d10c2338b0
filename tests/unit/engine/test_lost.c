/* test_lost.c: when an attempt counts as lost: on this machine, elsewhere, heard or silent. */
#include "base/text.h"
#include "engine/executor.h"
#include "tests/test.h"

static const ExecutorKind here = {.name = "here", .is_on_this_machine = true};
static const ExecutorKind elsewhere = {.name = "elsewhere"};

enum { HEARD = ATTEMPT_SILENT_MS_MAX - 1, SILENT = ATTEMPT_SILENT_MS_MAX };

typedef struct Case {
    const ExecutorKind *kind;
    AttemptState attempt;
    ExecutorState engine;
    int64_t silent_ms;
    bool is_lost;
} Case;

static const Case cases[] = {
    /* The lock alone counts here, whatever the engine says. */
    {&here, ATTEMPT_DEAD, EXECUTOR_UNKNOWN, 0, true},
    {&here, ATTEMPT_DEAD, EXECUTOR_RUNNING, 0, true},
    {&here, ATTEMPT_HELD, EXECUTOR_GONE, SILENT, false},
    {&here, ATTEMPT_ENDED, EXECUTOR_GONE, SILENT, false},
    {&here, ATTEMPT_ABSENT, EXECUTOR_GONE, SILENT, false},
    /* Elsewhere no lock is seen: it takes silence and the engine's word. */
    {&elsewhere, ATTEMPT_DEAD, EXECUTOR_GONE, SILENT, true},
    {&elsewhere, ATTEMPT_DEAD, EXECUTOR_UNKNOWN, SILENT, true},
    {&elsewhere, ATTEMPT_DEAD, EXECUTOR_GONE, HEARD, false},
    {&elsewhere, ATTEMPT_DEAD, EXECUTOR_UNKNOWN, HEARD, false},
    {&elsewhere, ATTEMPT_DEAD, EXECUTOR_RUNNING, 1000 * SILENT, false},
    {&elsewhere, ATTEMPT_DEAD, EXECUTOR_QUEUED, 1000 * SILENT, false},
    /* A lock that is seen all the same is somebody's. */
    {&elsewhere, ATTEMPT_HELD, EXECUTOR_UNKNOWN, 1000 * SILENT, false},
    {&elsewhere, ATTEMPT_ENDED, EXECUTOR_UNKNOWN, SILENT, false},
    {&elsewhere, ATTEMPT_ABSENT, EXECUTOR_UNKNOWN, SILENT, false},
};

static void test_an_attempt_is_lost_when_its_shim_can_be_nowhere(void)
{
    for (size_t i = 0; i < COUNT(cases); i++) {
        AttemptProbe probe = {.state = cases[i].attempt};
        bool is_lost = attempt_is_lost(&probe, cases[i].kind, cases[i].engine, cases[i].silent_ms);

        if (is_lost != cases[i].is_lost)
            fprintf(stderr, "case %zu\n", i);
        EXPECT(is_lost == cases[i].is_lost);
    }
}

/* heard_at is another machine's clock: it jumps, and only that it changes counts. */
static void test_silence_is_counted_by_our_own_clock(void)
{
    static const struct {
        int64_t heard_at, now_us, silent_ms;
    } steps[] = {
        {5000, 1000000, 0},          {5000, 3500000, 2500},
        {90000000, 4000000, 0},                          /* their clock was set forward */
        {90000000, 64000000, 60000}, {100, 65000000, 0}, /* and back */
        {100, 65001000, 1},
    };
    AttemptHearing hearing = {0};

    for (size_t i = 0; i < COUNT(steps); i++) {
        AttemptProbe probe = {.state = ATTEMPT_DEAD, .heard_at = steps[i].heard_at};

        EXPECT(attempt_silent_ms(&hearing, &probe, steps[i].now_us) == steps[i].silent_ms);
    }
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_an_attempt_is_lost_when_its_shim_can_be_nowhere),
        TEST(test_silence_is_counted_by_our_own_clock),
        {0},
    };

    return test_main(tests, count, names);
}
