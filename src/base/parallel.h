/* parallel.h: the turns of a loop, shared out among threads.
 *
 * Which thread takes which turn is chance: turns must not depend on one another, and each writes
 * what is its own. Then what comes out is the same for any number of threads.
 *
 *     parallel_run(fold_count, 2, run_fold, &search);
 */
#pragma once

#include <stddef.h>

enum { PARALLEL_THREADS_MAX = 64 };

typedef void ParallelTurn(void *context, size_t turn);

/* Runs turns 0 to count - 1, at most thread_count (and PARALLEL_THREADS_MAX) at once, the caller
 * being one of the threads; 0 and 1 are the caller alone. Returns when all have ended. */
void parallel_run(size_t count, size_t thread_count, ParallelTurn *run, void *context);

/* How many threads this process may run on at once: the cores it was given. */
size_t parallel_core_count(void);
