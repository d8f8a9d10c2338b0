/* random.h: a small seeded generator (xoshiro256**, seeded by splitmix64) for splits, folds,
 * bootstraps and samples. The same seed gives the same numbers on every machine. Not for secrets:
 * base/id.h is. */
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef struct Random {
    uint64_t state[4];
} Random;

Random random_seeded(uint64_t seed);
uint64_t random_next(Random *random);

/* Even over 0 .. bound-1, without bias; bound > 0. */
uint64_t random_below(Random *random, uint64_t bound);

/* Even over [0, 1). */
double random_unit(Random *random);

/* Fisher and Yates's shuffle of indices. */
void random_shuffle(Random *random, size_t *items, size_t count);
