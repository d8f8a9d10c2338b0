#include "base/parallel.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

typedef struct Turns {
    ParallelTurn *run;
    void *context;
    size_t count;
    atomic_size_t next;
} Turns;

static void *take_turns(void *context)
{
    Turns *turns = context;

    for (size_t turn; (turn = atomic_fetch_add(&turns->next, 1)) < turns->count;)
        turns->run(turns->context, turn);
    return NULL;
}

void parallel_run(size_t count, size_t thread_count, ParallelTurn *run, void *context)
{
    Turns turns = {.run = run, .context = context, .count = count};
    pthread_t threads[PARALLEL_THREADS_MAX];
    size_t most = thread_count < PARALLEL_THREADS_MAX ? thread_count : PARALLEL_THREADS_MAX;
    size_t started = 0;

    if (most > count)
        most = count;
    /* A thread that cannot be had is not missed: the others take its turns. */
    while (started + 1 < most && pthread_create(&threads[started], NULL, take_turns, &turns) == 0)
        started++;
    take_turns(&turns);
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
}

size_t parallel_core_count(void)
{
    cpu_set_t cores;

    if (sched_getaffinity(0, sizeof(cores), &cores) != 0 || CPU_COUNT(&cores) < 1)
        return 1;
    return (size_t)CPU_COUNT(&cores);
}
