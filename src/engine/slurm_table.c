#include "engine/slurm_table.h"

#include <stdlib.h>
#include <string.h>

enum { LATER_US = 5 * 1000 * 1000 };

/* ---- entries ---- */

static SlurmEntry *find(const SlurmTable *table, const char *key)
{
    for (size_t i = 0; i < table->count; i++)
        if (strcmp(table->entries[i].job.key, key) == 0)
            return &table->entries[i];
    return NULL;
}

static SlurmEntry *add(SlurmTable *table, const char *key)
{
    Arena *arena = arena_create();

    if (table->count == table->capacity) {
        table->capacity = table->capacity ? 2 * table->capacity : 16;
        table->entries = realloc(table->entries, table->capacity * sizeof(*table->entries));
        if (!table->entries)
            out_of_memory();
    }
    table->entries[table->count] = (SlurmEntry){.arena = arena, .job.key = arena_text(arena, key)};
    return &table->entries[table->count++];
}

void slurm_table_clear(SlurmTable *table)
{
    for (size_t i = 0; i < table->count; i++)
        arena_destroy(table->entries[i].arena);
    free(table->entries);
    if (table->arena)
        arena_destroy(table->arena);
    *table = (SlurmTable){0};
}

void slurm_table_forget(SlurmTable *table, const char *key)
{
    SlurmEntry *entry = find(table, key);

    if (!entry)
        return;
    arena_destroy(entry->arena);
    *entry = table->entries[--table->count];
}

bool slurm_table_has(const SlurmTable *table, const char *key)
{
    return find(table, key) || slurm_api_find(&table->jobs, key);
}

const char *slurm_table_folder(const SlurmTable *table, const char *key)
{
    const SlurmEntry *entry = find(table, key);
    const SlurmJob *job = slurm_api_find(&table->jobs, key);

    return entry && entry->job.folder ? entry->job.folder : job ? job->folder : NULL;
}

const char *slurm_table_refusal(const SlurmTable *table, const char *key)
{
    const SlurmEntry *entry = find(table, key);

    return entry && entry->stage == SLURM_TURNED_AWAY ? entry->reason : NULL;
}

/* ---- what is known ---- */

static bool is_alive(ExecutorState state)
{
    return state == EXECUTOR_QUEUED || state == EXECUTOR_RUNNING;
}

/* Whether the listing counts for it. */
static bool is_told(const SlurmTable *table, const SlurmEntry *entry)
{
    return table->listed_us > (entry ? entry->since_us : 0);
}

static const char *waiting_for(const SlurmTable *table, const char *what, Arena *arena)
{
    return *table->trouble ? arena_format(arena, "%s: %s", what, table->trouble)
                           : arena_text(arena, what);
}

/* By what Slurm said. */
static void probe_job(const SlurmTable *table, const SlurmEntry *entry, ExecutorProbe *probe,
                      Arena *arena)
{
    const SlurmJob *job = slurm_api_find(&table->jobs, probe->key);

    if (!is_told(table, entry)) {
        probe->state = EXECUTOR_QUEUED;
        probe->reason = waiting_for(table, "Slurm has not said yet how it is", arena);
    } else if (job) {
        probe->state = job->state;
        probe->reason = arena_text(arena, job->reason);
    } else {
        probe->state = EXECUTOR_UNKNOWN;
        probe->reason = entry && entry->id
                            ? arena_format(arena, "Slurm knows nothing of job %lld any more",
                                           (long long)entry->id)
                            : NULL;
    }
}

void slurm_table_probe(const SlurmTable *table, ExecutorProbe *probe, Arena *arena)
{
    const SlurmEntry *entry = find(table, probe->key);

    if (!entry || entry->stage == SLURM_TAKEN || entry->stage == SLURM_SEEN) {
        probe_job(table, entry, probe, arena);
        return;
    }
    if (entry->stage == SLURM_WANTED && !entry->is_cancelled) {
        probe->state = EXECUTOR_QUEUED;
        probe->reason = entry->reason ? arena_text(arena, entry->reason)
                                      : waiting_for(table, "it is to be handed to Slurm", arena);
        return;
    }
    if (entry->stage == SLURM_WANTED) { /* a call for it may have been done all the same */
        probe_job(table, entry, probe, arena);
        if (is_alive(probe->state))
            return;
    }
    probe->state = EXECUTOR_GONE;
    probe->reason = arena_text(arena, entry->reason);
}

/* ---- wishes ---- */

static void set_job(SlurmEntry *entry, const ExecutorJob *job)
{
    const char *key = entry->job.key;

    entry->job = *job;
    entry->job.key = key;
    entry->job.program = arena_text(entry->arena, job->program);
    entry->job.folder = arena_text(entry->arena, job->folder);
}

void slurm_table_want(SlurmTable *table, const ExecutorJob *job)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    ExecutorProbe probe = {.key = job->key};
    SlurmEntry *entry = find(table, job->key);

    slurm_table_probe(table, &probe, arena);
    if (entry && is_alive(probe.state))
        return;
    if (!entry)
        entry = add(table, job->key);
    set_job(entry, job);
    entry->stage = SLURM_WANTED;
    entry->reason = NULL;
    entry->not_before_us = entry->cancel_us = 0;
    entry->is_cancelled = entry->has_ended = false;
}

/* One that Slurm has, from an earlier server or by a call that was given up, is not asked for
 * twice.
 */
static bool is_there_already(const SlurmTable *table, SlurmEntry *entry)
{
    const SlurmJob *job = slurm_api_find(&table->jobs, entry->job.key);

    if (!job || !is_alive(job->state))
        return false;
    entry->stage = SLURM_TAKEN;
    entry->id = job->id;
    entry->reason = NULL;
    return true;
}

void slurm_table_cancel(SlurmTable *table, const char *key, int64_t now_us)
{
    SlurmEntry *entry = find(table, key);

    if (!entry)
        entry = add(table, key);
    if (entry->stage == SLURM_TURNED_AWAY)
        return;
    entry->is_cancelled = true;
    entry->cancel_us = now_us;
    if (entry->stage != SLURM_WANTED || entry->is_on_its_way)
        return;
    entry->reason = "it was cancelled before Slurm had it";
    if (is_told(table, entry) && !is_there_already(table, entry))
        entry->stage = SLURM_TURNED_AWAY;
}

/* ---- turns ---- */

bool slurm_table_needs_listing(const SlurmTable *table)
{
    bool needs = false;

    for (size_t i = 0; !needs && i < table->count; i++) {
        const SlurmEntry *entry = &table->entries[i];

        needs =
            entry->cancel_us != 0 || (entry->stage != SLURM_TURNED_AWAY && !is_told(table, entry));
    }
    return needs;
}

static bool has_just_ended(const SlurmTable *table, SlurmEntry *entry, Arena *arena)
{
    ExecutorProbe probe = {.key = entry->job.key};
    bool had = entry->has_ended;

    slurm_table_probe(table, &probe, arena);
    entry->has_ended = !is_alive(probe.state);
    return entry->has_ended && !had;
}

bool slurm_table_set(SlurmTable *table, Arena *arena, SlurmJobList jobs, int64_t began_us)
{
    CLEANUP(arena_cleanup) Arena *own = arena_create();
    bool news = false;

    if (table->arena)
        arena_destroy(table->arena);
    table->arena = arena;
    table->jobs = jobs;
    table->listed_us = began_us;
    *table->trouble = '\0';
    for (size_t i = 0; i < table->count; i++)
        news = has_just_ended(table, &table->entries[i], own) || news;
    return news;
}

const ExecutorJob *slurm_table_next(SlurmTable *table, int64_t now_us, int64_t *next_us,
                                    Arena *arena)
{
    for (size_t i = 0; i < table->count; i++) {
        SlurmEntry *entry = &table->entries[i];
        ExecutorJob *job;

        if (entry->stage != SLURM_WANTED || entry->is_cancelled || !is_told(table, entry) ||
            is_there_already(table, entry))
            continue;
        if (entry->not_before_us > now_us) {
            *next_us = entry->not_before_us < *next_us ? entry->not_before_us : *next_us;
            continue;
        }
        entry->is_on_its_way = true;
        job = arena_new(arena, ExecutorJob);
        *job = entry->job;
        job->key = arena_text(arena, entry->job.key);
        job->program = arena_text(arena, entry->job.program);
        job->folder = arena_text(arena, entry->job.folder);
        return job;
    }
    return NULL;
}

void slurm_table_settle(SlurmTable *table, const char *key, const SlurmOutcome *outcome,
                        int64_t now_us)
{
    SlurmEntry *entry = find(table, key);

    if (!entry || !entry->is_on_its_way) /* forgotten meanwhile */
        return;
    entry->is_on_its_way = false;
    entry->reason = arena_text(entry->arena, outcome->reason);
    switch (outcome->verdict) {
    case SLURM_DONE:
        entry->stage = SLURM_TAKEN;
        entry->id = outcome->id;
        entry->since_us = now_us;
        break;
    case SLURM_REFUSED:
        entry->stage = SLURM_TURNED_AWAY;
        entry->has_ended = true;
        break;
    case SLURM_LATER:
        entry->not_before_us = now_us + LATER_US;
        break;
    case SLURM_AWAY:
        entry->since_us = now_us;
        break;
    }
}

SlurmIdList slurm_table_cancels(SlurmTable *table, Arena *arena)
{
    SlurmIdList ids = {0};

    for (size_t i = 0; i < table->count; i++) {
        SlurmEntry *entry = &table->entries[i];
        const SlurmJob *job = slurm_api_find(&table->jobs, entry->job.key);
        const SlurmJob *end = table->jobs.items + table->jobs.count;

        if (!entry->cancel_us || table->listed_us <= entry->cancel_us || !is_told(table, entry) ||
            entry->is_on_its_way)
            continue;
        entry->cancel_us = 0;
        for (; job && job < end && strcmp(job->name, entry->job.key) == 0; job++)
            if (is_alive(job->state))
                *arena_push(arena, &ids) = job->id;
    }
    return ids;
}
