/* writer.h: the one thread that changes the store.
 *
 * Units of work that wait at the same moment share a transaction, each inside
 * a savepoint of its own, and each is answered only after the commit is on the
 * disk: durable as one commit each, at a fraction of the price.
 */
#pragma once

#include <stdint.h>

#include "store/db.h"

typedef struct Writer Writer;

/* Does its changes on db. false undoes them, and them alone; the reason is in *error. */
typedef bool WriteWork(Db *db, void *context, Error *error);

/* A unit of work that is handed in without waiting for it. It is its giver's, who leaves it alone
 * until done() is called: on the writer's thread, once the work is durable or undone, and with no
 * lock held. done() must be quick and must not write; the task may go with it. */
typedef struct WriteTask {
    WriteWork *work;
    void *context;
    void (*done)(struct WriteTask *task);
    bool durable; /* from here on the writer's until done() */
    bool worked;  /* the work said yes */
    Error error;  /* why it is not durable */
    struct WriteTask *next;
} WriteTask;

/* Opens the writing connection (which runs the migrations) and starts the thread. */
Writer *writer_create(const char *database_path, Error *error) MUST_CHECK;
void writer_destroy(Writer *writer); /* finishes what was handed in */

/* Runs work on the writer's thread and waits until it is durable or undone. Work must be quick: no
 * child process, no network, no file over a few KB. Never called from within work. */
bool writer_run(Writer *writer, WriteWork *work, void *context, Error *error) MUST_CHECK;

void writer_submit(Writer *writer, WriteTask *task);
size_t writer_waiting(Writer *writer); /* how many tasks were handed in and are not done */

/* Called by work that changes what others remember of the store (who holds which token, who is told
 * of what). */
void writer_announce(Writer *writer);

/* How many transactions with such a change have ended so far; whoever handed work in hears of it
 * after its own was counted. What was read and is remembered holds as long as the count from before
 * stands. */
uint64_t writer_announced_count(const Writer *writer);

/* Called on the writer's thread after each commit, with no lock held. */
void writer_on_commit(Writer *writer, void (*call)(void *context), void *context);
