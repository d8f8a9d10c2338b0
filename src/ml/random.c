#include "ml/random.h"

static uint64_t splitmix(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

Random random_seeded(uint64_t seed)
{
    Random random;

    for (size_t i = 0; i < 4; i++)
        random.state[i] = splitmix(&seed);
    return random;
}

static uint64_t rotate_left(uint64_t value, int bits)
{
    return (value << bits) | (value >> (64 - bits));
}

uint64_t random_next(Random *random)
{
    uint64_t *state = random->state;
    uint64_t result = rotate_left(state[1] * 5, 7) * 9;
    uint64_t shifted = state[1] << 17;

    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= shifted;
    state[3] = rotate_left(state[3], 45);
    return result;
}

uint64_t random_below(Random *random, uint64_t bound)
{
    uint64_t least = -bound % bound; /* values below it would favour the first remainders */
    uint64_t value;

    do
        value = random_next(random);
    while (value < least);
    return value % bound;
}

double random_unit(Random *random)
{
    return (double)(random_next(random) >> 11) * 0x1.0p-53;
}

void random_shuffle(Random *random, size_t *items, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        size_t j = (size_t)random_below(random, i);
        size_t item = items[i - 1];

        items[i - 1] = items[j];
        items[j] = item;
    }
}
