#include "store/writer.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/crash.h"
#include "store/db_internal.h"

/* A task whose giver waits; it lives on the stack of the giver's thread. */
typedef struct WaitedTask {
    WriteTask task;
    sem_t done; /* its own: a commit wakes those whose work it holds, and they share no lock */
} WaitedTask;

struct Writer {
    Db *db;
    pthread_t thread;
    atomic_uint_fast64_t announced_count;
    bool has_announced; /* the writer's thread's: the transaction under way */
    pthread_mutex_t lock;
    pthread_cond_t handed_in;
    WriteTask *first, **last;         /* guarded by lock */
    size_t waiting;                   /* guarded by lock; those under way included */
    bool stopping;                    /* guarded by lock */
    void (*committed)(void *context); /* guarded by lock */
    void *committed_context;          /* guarded by lock */
};

/* False when the transaction cannot go on, as what the task wrote could not be taken back alone. */
static bool do_task(Db *db, WriteTask *task)
{
    Error ignored = {0};

    task->worked = false;
    if (!db_run(db, &task->error, "SAVEPOINT work"))
        return db_in_transaction(db);
    task->worked =
        task->work(db, task->context, &task->error) && db_run(db, &task->error, "RELEASE work");
    return task->worked ||
           (db_in_transaction(db) && db_run_script(db, "ROLLBACK TO work; RELEASE work", &ignored));
}

static bool roll_back(Db *db, Error *error)
{
    return !db_in_transaction(db) || db_run_script(db, "ROLLBACK", error);
}

static bool do_all_or_none(Db *db, WriteTask *tasks, Error *error)
{
    for (WriteTask *task = tasks; task; task = task->next) {
        if (!do_task(db, task)) {
            *error = task->error;
            return false;
        }
    }
    CRASH_POINT("writer: before COMMIT");
    return db_run_script(db, "COMMIT", error);
}

/* All tasks of the list in one transaction; false when none of them is durable, for *error's
 * reason. A rollback needs memory, too: one that got none is made up for before the next begins.
 */
static bool do_tasks(Db *db, WriteTask *tasks, Error *error)
{
    Error ignored = {0};

    CRASH_POINT("writer: before BEGIN");
    if (!roll_back(db, error) || !db_run_script(db, "BEGIN IMMEDIATE", error))
        return false;
    if (do_all_or_none(db, tasks, error)) {
        CRASH_POINT("writer: committed, not answered");
        return true;
    }
    (void)!roll_back(db, &ignored);
    return false;
}

/* Waits for work and takes all there is; NULL when there is none and never will be. */
static WriteTask *take_tasks(Writer *writer)
{
    WriteTask *tasks;

    pthread_mutex_lock(&writer->lock);
    while (!writer->first && !writer->stopping)
        pthread_cond_wait(&writer->handed_in, &writer->lock);
    tasks = writer->first;
    writer->first = NULL;
    writer->last = &writer->first;
    pthread_mutex_unlock(&writer->lock);
    return tasks;
}

/* Calls done() of each and says how many there were. */
static size_t end_tasks(WriteTask *tasks, bool durable, const Error *error)
{
    size_t count = 0;

    for (WriteTask *task = tasks, *next; task; task = next, count++) {
        next = task->next; /* the task may go with its end */
        task->durable = durable && task->worked;
        if (!durable && (task->worked || !task->error.kind))
            task->error = *error;
        task->done(task);
    }
    return count;
}

static void call_listener(Writer *writer)
{
    void (*call)(void *context);
    void *context;

    pthread_mutex_lock(&writer->lock);
    call = writer->committed;
    context = writer->committed_context;
    pthread_mutex_unlock(&writer->lock);
    if (call)
        call(context);
}

/* Whether the transaction went well or not: what was undone was perhaps read, too. */
static void count_announced(Writer *writer)
{
    if (writer->has_announced)
        atomic_fetch_add(&writer->announced_count, 1);
    writer->has_announced = false;
}

static void *write_loop(void *context)
{
    Writer *writer = context;

    for (WriteTask *tasks; (tasks = take_tasks(writer)) != NULL;) {
        Error error = {0};
        bool durable = do_tasks(writer->db, tasks, &error);
        size_t ended;

        count_announced(writer);
        ended = end_tasks(tasks, durable, &error);
        pthread_mutex_lock(&writer->lock);
        writer->waiting -= ended;
        pthread_mutex_unlock(&writer->lock);
        if (durable)
            call_listener(writer);
    }
    return NULL;
}

Writer *writer_create(const char *database_path, Error *error)
{
    Db *db = db_open(database_path, DB_WRITE, error);
    Writer *writer;

    if (!db)
        return NULL;
    writer = calloc(1, sizeof(*writer));
    if (!writer)
        out_of_memory();
    writer->db = db;
    writer->last = &writer->first;
    pthread_mutex_init(&writer->lock, NULL);
    pthread_cond_init(&writer->handed_in, NULL);
    if (pthread_create(&writer->thread, NULL, write_loop, writer) != 0)
        out_of_memory();
    pthread_setname_np(writer->thread, "writer");
    return writer;
}

void writer_destroy(Writer *writer)
{
    if (!writer)
        return;
    pthread_mutex_lock(&writer->lock);
    writer->stopping = true;
    pthread_cond_signal(&writer->handed_in);
    pthread_mutex_unlock(&writer->lock);
    pthread_join(writer->thread, NULL);
    pthread_cond_destroy(&writer->handed_in);
    pthread_mutex_destroy(&writer->lock);
    db_close(writer->db);
    free(writer);
}

void writer_submit(Writer *writer, WriteTask *task)
{
    task->next = NULL;
    pthread_mutex_lock(&writer->lock);
    *writer->last = task;
    writer->last = &task->next;
    writer->waiting++;
    pthread_cond_signal(&writer->handed_in);
    pthread_mutex_unlock(&writer->lock);
}

size_t writer_waiting(Writer *writer)
{
    size_t count;

    pthread_mutex_lock(&writer->lock);
    count = writer->waiting;
    pthread_mutex_unlock(&writer->lock);
    return count;
}

static void wake_giver(WriteTask *task)
{
    sem_post(&((WaitedTask *)task)->done);
}

bool writer_run(Writer *writer, WriteWork *work, void *context, Error *error)
{
    WaitedTask waited = {.task = {.work = work, .context = context, .done = wake_giver}};

    sem_init(&waited.done, 0, 0);
    writer_submit(writer, &waited.task);
    while (sem_wait(&waited.done) != 0) /* only ever a signal */
        continue;
    sem_destroy(&waited.done);
    if (!waited.task.durable)
        *error = waited.task.error;
    return waited.task.durable;
}

void writer_announce(Writer *writer)
{
    writer->has_announced = true;
}

uint64_t writer_announced_count(const Writer *writer)
{
    return atomic_load(&writer->announced_count);
}

void writer_on_commit(Writer *writer, void (*call)(void *context), void *context)
{
    pthread_mutex_lock(&writer->lock);
    writer->committed = call;
    writer->committed_context = context;
    pthread_mutex_unlock(&writer->lock);
}
