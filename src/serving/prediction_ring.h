/* prediction_ring.h: bytes on their way from any number of threads to one: two buffers that take
 * turns.
 *
 * A writer reserves a place in the open buffer, fills it and commits it; no lock, no allocation.
 * The reader opens the other buffer, waits for the places that are still being filled, and has
 * everything that was in the first, in one piece, until it gives it back. While it has it there is
 * the other buffer's room and no more.
 *
 *     RingPlace place;
 *     if (ring_reserve(ring, size, &place))
 *         fill(place.at), ring_commit(ring, &place);
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct RingBuffer {
    char *bytes;
    _Alignas(64) atomic_size_t committed;
} RingBuffer;

typedef struct PredictionRing {
    RingBuffer buffers[2];
    size_t size;                            /* of each; what was never used is not resident */
    _Alignas(64) atomic_uint_fast64_t open; /* the open buffer << 63 | bytes reserved in it */
    bool has_taken;                         /* the reader's */
} PredictionRing;

typedef struct RingPlace {
    char *at;
    size_t size, before; /* bytes reserved in the buffer before it */
    size_t buffer;
} RingPlace;

typedef struct RingBytes {
    char *bytes;
    size_t size;
} RingBytes;

void ring_init(PredictionRing *ring, size_t size);
void ring_clear(PredictionRing *ring);

/* false: no room now. Each place must be committed, and soon: the reader waits for it. Places are
 * aligned like their sizes are. */
bool ring_reserve(PredictionRing *ring, size_t size, RingPlace *place);
void ring_commit(PredictionRing *ring, const RingPlace *place);

/* All that was reserved until now, in that order; give it back before the next. */
RingBytes ring_take(PredictionRing *ring);
void ring_give_back(PredictionRing *ring, RingBytes taken);
