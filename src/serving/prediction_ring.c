#include "serving/prediction_ring.h"

#include <assert.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/arena.h"

enum { BUFFER_SHIFT = 63, KEPT_BYTES = 1024 * 1024 };

static const uint64_t reserved_mask = ((uint64_t)1 << BUFFER_SHIFT) - 1;

void ring_init(PredictionRing *ring, size_t size)
{
    *ring = (PredictionRing){.size = size};
    for (size_t i = 0; i < 2; i++) {
        void *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

        if (bytes == MAP_FAILED)
            out_of_memory();
        ring->buffers[i].bytes = bytes;
    }
}

void ring_clear(PredictionRing *ring)
{
    for (size_t i = 0; i < 2; i++)
        munmap(ring->buffers[i].bytes, ring->size);
}

bool ring_reserve(PredictionRing *ring, size_t size, RingPlace *place)
{
    uint64_t open = atomic_load_explicit(&ring->open, memory_order_relaxed);

    do {
        if (size > ring->size - (open & reserved_mask))
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&ring->open, &open, open + size,
                                                    memory_order_acquire, memory_order_relaxed));
    *place = (RingPlace){
        .size = size,
        .before = (size_t)(open & reserved_mask),
        .buffer = (size_t)(open >> BUFFER_SHIFT),
    };
    place->at = ring->buffers[place->buffer].bytes + place->before;
    return true;
}

void ring_commit(PredictionRing *ring, const RingPlace *place)
{
    atomic_fetch_add_explicit(&ring->buffers[place->buffer].committed, place->size,
                              memory_order_release);
}

RingBytes ring_take(PredictionRing *ring)
{
    uint64_t open = atomic_load_explicit(&ring->open, memory_order_relaxed);
    uint64_t other = (open >> BUFFER_SHIFT ^ 1) << BUFFER_SHIFT;
    RingBuffer *buffer = &ring->buffers[open >> BUFFER_SHIFT];
    size_t size;

    assert(!ring->has_taken);
    ring->has_taken = true;
    size = (size_t)(atomic_exchange_explicit(&ring->open, other, memory_order_acq_rel) &
                    reserved_mask);
    while (atomic_load_explicit(&buffer->committed, memory_order_acquire) != size)
        sched_yield();
    return (RingBytes){buffer->bytes, size};
}

/* After a rush the pages go back to the system; an everyday load keeps its own. */
void ring_give_back(PredictionRing *ring, RingBytes taken)
{
    RingBuffer *buffer = &ring->buffers[taken.bytes == ring->buffers[1].bytes];

    if (taken.size > KEPT_BYTES)
        madvise(taken.bytes + KEPT_BYTES, taken.size - KEPT_BYTES, MADV_DONTNEED);
    atomic_store_explicit(&buffer->committed, 0, memory_order_relaxed);
    ring->has_taken = false;
}
