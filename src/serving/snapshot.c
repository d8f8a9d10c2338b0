#include "serving/snapshot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "serving/split.h"

enum { SLOT_SHIFT = 56 };

static const uint_fast64_t taken_mask = (UINT64_C(1) << SLOT_SHIFT) - 1;

static void *allocate(size_t size)
{
    void *memory = calloc(1, size);

    if (!memory)
        out_of_memory();
    return memory;
}

LoadedModel *loaded_model_open(const ArtifactStore *store, const char *digest, Error *error)
{
    LoadedModel *loaded = allocate(sizeof(*loaded));

    atomic_init(&loaded->references, 1);
    loaded->arena = arena_create();
    if (!package_open(store, digest, loaded->arena, &loaded->package, error)) {
        arena_destroy(loaded->arena);
        free(loaded);
        return NULL;
    }
    snprintf(loaded->digest, sizeof(loaded->digest), "%s", digest);
    loaded->inputs = input_list_of(loaded->package.model, loaded->arena);
    loaded->classes = predictor_classes(loaded->package.model);
    loaded->forecast = predictor_forecast(loaded->package.model);
    return loaded;
}

LoadedModel *loaded_model_ref(LoadedModel *loaded)
{
    if (loaded)
        atomic_fetch_add_explicit(&loaded->references, 1, memory_order_relaxed);
    return loaded;
}

void loaded_model_unref(LoadedModel *loaded)
{
    if (!loaded || atomic_fetch_sub_explicit(&loaded->references, 1, memory_order_acq_rel) != 1)
        return;
    package_close(&loaded->package);
    arena_destroy(loaded->arena);
    free(loaded);
}

Snapshot *snapshot_create(void)
{
    Snapshot *snapshot = allocate(sizeof(*snapshot));

    snapshot->arena = arena_create();
    atomic_init(&snapshot->balance, 0);
    return snapshot;
}

void snapshot_destroy(Snapshot *snapshot)
{
    if (!snapshot)
        return;
    for (size_t i = 0; i < snapshot->count; i++) {
        loaded_model_unref(snapshot->items[i].loaded);
        split_unref(snapshot->items[i].split);
    }
    arena_destroy(snapshot->arena);
    free(snapshot);
}

void snapshot_add(Snapshot *snapshot, const ServedEndpoint *spec)
{
    Arena *arena = snapshot->arena;
    ServedEndpoint *added = arena_push(arena, snapshot);

    *added = *spec;
    added->name = arena_text(arena, spec->name);
    added->project = arena_text(arena, spec->project);
    added->model = arena_text(arena, spec->model);
    added->problem = arena_text(arena, spec->problem);
    added->split_problem = arena_text(arena, spec->split_problem);
    loaded_model_ref(added->loaded);
    split_ref(added->split);
}

static int compare_name(const void *name, const void *item)
{
    return strcmp(name, ((const ServedEndpoint *)item)->name);
}

const ServedEndpoint *snapshot_find(const Snapshot *snapshot, const char *name)
{
    if (!snapshot->count)
        return NULL;
    return bsearch(name, snapshot->items, snapshot->count, sizeof(*snapshot->items), compare_name);
}

void snapshot_holder_init(SnapshotHolder *holder)
{
    for (size_t i = 0; i < SNAPSHOT_SLOTS; i++)
        atomic_init(&holder->slots[i], NULL);
    atomic_init(&holder->slots[0], snapshot_create());
    atomic_init(&holder->current, 0);
}

void snapshot_holder_clear(SnapshotHolder *holder)
{
    for (size_t i = 0; i < SNAPSHOT_SLOTS; i++)
        snapshot_destroy(atomic_exchange(&holder->slots[i], NULL));
}

/* Adding to the word that also names the slot makes taking one step: whoever exchanges the word
 * learns exactly how often the old snapshot was taken. 2^56 takings do not overflow into the slot
 * within a thousand years of a million a second. */
const Snapshot *snapshot_acquire(SnapshotHolder *holder)
{
    uint_fast64_t word = atomic_fetch_add_explicit(&holder->current, 1, memory_order_acquire);

    return atomic_load_explicit(&holder->slots[word >> SLOT_SHIFT], memory_order_acquire);
}

static void discard(SnapshotHolder *holder, Snapshot *snapshot)
{
    atomic_store_explicit(&holder->slots[snapshot->slot], NULL, memory_order_release);
    snapshot_destroy(snapshot);
}

/* The balance only falls below zero until the snapshot is retired; then it gets the number of
 * takings, and reaches zero with the last one that is given back. */
void snapshot_release(SnapshotHolder *holder, const Snapshot *snapshot)
{
    Snapshot *held = (Snapshot *)(uintptr_t)snapshot;

    if (atomic_fetch_sub_explicit(&held->balance, 1, memory_order_acq_rel) == 1)
        discard(holder, held);
}

static void retire(SnapshotHolder *holder, uint_fast64_t word)
{
    Snapshot *old = atomic_load_explicit(&holder->slots[word >> SLOT_SHIFT], memory_order_acquire);
    int_fast64_t taken = (int_fast64_t)(word & taken_mask);

    if (atomic_fetch_add_explicit(&old->balance, taken, memory_order_acq_rel) == -taken)
        discard(holder, old);
}

bool snapshot_publish(SnapshotHolder *holder, Snapshot *next, Error *error)
{
    size_t slot = 0;

    while (slot < SNAPSHOT_SLOTS &&
           atomic_load_explicit(&holder->slots[slot], memory_order_acquire))
        slot++;
    if (slot == SNAPSHOT_SLOTS)
        return fail(error, ERROR_BUSY, "requests still hold %d earlier sets of endpoints",
                    SNAPSHOT_SLOTS - 1);
    next->slot = slot;
    atomic_store_explicit(&holder->slots[slot], next, memory_order_release);
    retire(holder, atomic_exchange_explicit(&holder->current, (uint_fast64_t)slot << SLOT_SHIFT,
                                            memory_order_acq_rel));
    return true;
}
