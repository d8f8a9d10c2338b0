#include <semaphore.h>

#include "base/attributes.h"
#include "base/time.h"
#include "server/lane.h"
#include "server/open_files.h"
#include "tests/test.h"

static void test_the_wait_is_that_of_those_before_shared_by_the_workers(void)
{
    static const struct {
        size_t waiting, worker_count;
        int64_t each_us, wait_us;
    } rows[] = {
        {0, 4, 1000000, 0}, {1, 1, 1000, 1000}, {1, 4, 1000, 250},        {4, 4, 1000, 1000},
        {9, 4, 1000, 2250}, {100, 10, 0, 0},    {1024, 10, 5000, 512000},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        EXPECT(lane_wait_us(rows[i].waiting, rows[i].worker_count, rows[i].each_us) ==
               rows[i].wait_us);
}

static void test_what_requests_take_is_learned_and_forgotten(void)
{
    int64_t known_us = 0;

    for (int i = 0; i < 100; i++)
        known_us = lane_learn_us(known_us, 1000);
    EXPECT(known_us > 900 && known_us <= 1000);
    for (int i = 0; i < 200; i++)
        known_us = lane_learn_us(known_us, 0);
    EXPECT(known_us >= 0 && known_us < 20);
}

/* A worker that takes what it is given one after the other, when it is told to. */
typedef struct Gate {
    sem_t begun, open;
} Gate;

static void pass_gate(void *context)
{
    Gate *gate = context;

    sem_post(&gate->begun);
    sem_wait(&gate->open);
    time_sleep_ms(20);
}

static void gate_init(Gate *gate)
{
    sem_init(&gate->begun, 0, 0);
    sem_init(&gate->open, 0, 0);
}

static void test_a_request_that_would_wait_too_long_is_refused(void)
{
    Lane *lane = lane_create((LaneSpec){.worker_count = 1, .waiting_max = 100, .wait_ms_max = 0});
    LaneTicket tickets[4];
    unsigned retry_seconds = 0;
    Gate gate;

    gate_init(&gate);
    for (size_t i = 0; i < COUNT(tickets); i++)
        tickets[i] = (LaneTicket){.run = pass_gate, .context = &gate};

    /* After the first the lane knows that each takes time. */
    EXPECT(lane_submit(lane, &tickets[0], &retry_seconds));
    sem_wait(&gate.begun);
    sem_post(&gate.open);
    EXPECT(lane_submit(lane, &tickets[1], &retry_seconds));
    sem_wait(&gate.begun);

    EXPECT(lane_submit(lane, &tickets[2], &retry_seconds)); /* nobody waits: always */
    EXPECT(retry_seconds == 0);
    EXPECT(!lane_submit(lane, &tickets[3], &retry_seconds));
    EXPECT(retry_seconds == 1);

    sem_post(&gate.open);
    sem_post(&gate.open);
    lane_destroy(lane);
}

static void test_a_full_queue_refuses_whatever_they_take(void)
{
    Lane *lane = lane_create((LaneSpec){.worker_count = 1, .waiting_max = 2, .wait_ms_max = 60000});
    LaneTicket tickets[4];
    unsigned retry_seconds = 0;
    Gate gate;

    gate_init(&gate);
    for (size_t i = 0; i < COUNT(tickets); i++)
        tickets[i] = (LaneTicket){.run = pass_gate, .context = &gate};
    EXPECT(lane_submit(lane, &tickets[0], &retry_seconds));
    sem_wait(&gate.begun);
    EXPECT(lane_submit(lane, &tickets[1], &retry_seconds));
    EXPECT(lane_submit(lane, &tickets[2], &retry_seconds));
    EXPECT(!lane_submit(lane, &tickets[3], &retry_seconds));
    EXPECT(retry_seconds >= 1);
    for (int i = 0; i < 3; i++)
        sem_post(&gate.open);
    lane_destroy(lane);
}

static void test_open_files_are_left_for_the_rest(void)
{
    EXPECT(connections_within(1048576, 8192) == 8192);
    EXPECT(connections_within(4096, 8192) == 1920);
    EXPECT(connections_within(4096, 100) == 100);
    EXPECT(connections_within(100, 8192) == 1);
    EXPECT(connections_within(SIZE_MAX, 8192) == 8192);
    EXPECT(open_files_allow(1) == 1);
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_the_wait_is_that_of_those_before_shared_by_the_workers),
        TEST(test_what_requests_take_is_learned_and_forgotten),
        TEST(test_a_request_that_would_wait_too_long_is_refused),
        TEST(test_a_full_queue_refuses_whatever_they_take),
        TEST(test_open_files_are_left_for_the_rest),
        {0},
    };

    return test_main(tests, count, names);
}
