/* trainer.h: the thread that trains, one run after the other.
 *
 *     Trainer *trainer = trainer_create(platform, error);
 *     trainer_submit(trainer, run.id, &scope->principal, error);
 *     ...
 *     trainer_destroy(trainer);
 *
 * The queue is in memory: runs that wait or train when the program ends are failed with that
 * reason, at the end if it comes in order, else at the next start. Owned by the server (or the
 * command that runs alone). All functions may be called from any thread.
 */
#pragma once

#include "access/scope.h"

typedef struct Trainer Trainer;

enum { TRAINER_QUEUE_MAX = 100 };

/* Ends what an earlier program left behind, then starts the thread. */
Trainer *trainer_create(const Platform *platform, Error *error) MUST_CHECK;

/* Stops what is under way. */
void trainer_destroy(Trainer *trainer);

/* Waits until nothing trains and nothing waits. */
void trainer_drain(Trainer *trainer);

/* Busy when TRAINER_QUEUE_MAX runs wait. */
bool trainer_submit(Trainer *trainer, const char *run_id, const Principal *principal,
                    Error *error) MUST_CHECK;

/* The run ends as killed, soon. A conflict when it neither waits nor trains. */
bool trainer_cancel(Trainer *trainer, const char *run_id, Error *error) MUST_CHECK;

/* Its search ends soon, and the best so far is registered as at any end. A conflict when it does
 * not train, or has not begun to search. */
bool trainer_finish(Trainer *trainer, const char *run_id, Error *error) MUST_CHECK;

typedef struct TrainerProgress {
    bool is_here;         /* it waits or trains */
    size_t ahead;         /* how many train before it; 0: it trains */
    const char *document; /* the last progress of the step as JSON, or NULL */
} TrainerProgress;

TrainerProgress trainer_progress(Trainer *trainer, const char *run_id, Arena *arena);
