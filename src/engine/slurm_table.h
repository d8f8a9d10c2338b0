/* slurm_table.h: what we asked of Slurm, and what it said of all our jobs when it was last asked.
 *
 * No connection, no thread, no clock: callers say when, and take turns. A listing tells of what was
 * there when it began to be asked for, so it counts only against what is older.
 */
#pragma once

#include "engine/slurm_api.h"

typedef enum SlurmStage {
    SLURM_SEEN,   /* not handed over by us; somebody asked for it */
    SLURM_WANTED, /* to be handed over */
    SLURM_TAKEN,
    SLURM_TURNED_AWAY, /* refused, or cancelled before */
} SlurmStage;

typedef struct SlurmEntry {
    Arena *arena;
    ExecutorJob job;
    SlurmStage stage;
    int64_t id;            /* of TAKEN */
    const char *reason;    /* why it is not taken, or NULL */
    int64_t since_us;      /* listings from before say nothing of it */
    int64_t not_before_us; /* WANTED */
    int64_t cancel_us;     /* when it was asked to end, and is to be told so; 0: it is not */
    bool is_cancelled;
    bool is_on_its_way; /* the call is being made */
    bool has_ended;     /* as far as was told */
} SlurmEntry;

typedef struct SlurmTable {
    SlurmEntry *entries;
    size_t count, capacity;
    Arena *arena; /* of the listing */
    SlurmJobList jobs;
    int64_t listed_us; /* when the listing began; 0: there is none */
    char trouble[512]; /* why Slurm could not be asked the last time, or "" */
} SlurmTable;

void slurm_table_clear(SlurmTable *table);

/* Again is fine: what lives is left, what ended is handed over again. */
void slurm_table_want(SlurmTable *table, const ExecutorJob *job);
void slurm_table_cancel(SlurmTable *table, const char *key, int64_t now_us);
void slurm_table_forget(SlurmTable *table, const char *key);
bool slurm_table_has(const SlurmTable *table, const char *key);

/* Fills in the state and the reason, which live in the arena. */
void slurm_table_probe(const SlurmTable *table, ExecutorProbe *probe, Arena *arena);

/* Where the attempt works, or NULL; why it was turned away, or NULL. */
const char *slurm_table_folder(const SlurmTable *table, const char *key);
const char *slurm_table_refusal(const SlurmTable *table, const char *key);

/* Takes the arena, in which jobs are. Whether something ended that had not before. */
bool slurm_table_set(SlurmTable *table, Arena *arena, SlurmJobList jobs, int64_t began_us);

/* Whether something waits for a listing. */
bool slurm_table_needs_listing(const SlurmTable *table);

/* The next job to hand over now, copied into the arena, or NULL; then how that went. *next_us: when
 * to ask again, if that is sooner. */
const ExecutorJob *slurm_table_next(SlurmTable *table, int64_t now_us, int64_t *next_us,
                                    Arena *arena);

typedef struct SlurmOutcome {
    SlurmVerdict verdict;
    int64_t id;
    const char *reason;
} SlurmOutcome;

void slurm_table_settle(SlurmTable *table, const char *key, const SlurmOutcome *outcome,
                        int64_t now_us);

/* The numbers of jobs that are to end now. */
typedef struct SlurmIdList {
    int64_t *items;
    size_t count;
} SlurmIdList;

SlurmIdList slurm_table_cancels(SlurmTable *table, Arena *arena);
