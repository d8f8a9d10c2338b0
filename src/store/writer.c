#include "store/writer.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/crash.h"
#include "store/db_internal.h"

/* One unit of work that waits; it lives on the stack of the thread that handed it in. */
typedef struct Job {
    struct Job *next;
    WriteWork *work;
    void *context;
    Error error;
    bool worked;    /* the work said yes */
    bool durable;   /* the waiting thread's once it is answered, and so is the error */
    sem_t answered; /* its own: a commit wakes those whose work it holds, and they share no lock */
} Job;

struct Writer {
    Db *db;
    pthread_t thread;
    atomic_uint_fast64_t commit_count;
    pthread_mutex_t lock;
    pthread_cond_t handed_in;
    Job *first, **last;               /* guarded by lock */
    bool stopping;                    /* guarded by lock */
    void (*committed)(void *context); /* guarded by lock */
    void *committed_context;          /* guarded by lock */
};

static bool do_job(Db *db, Job *job)
{
    Error ignored = {0};

    if (!db_run(db, &job->error, "SAVEPOINT work"))
        return false;
    if (job->work(db, job->context, &job->error) && db_run(db, &job->error, "RELEASE work"))
        return true;
    if (db_in_transaction(db))
        (void)!db_run_script(db, "ROLLBACK TO work; RELEASE work", &ignored);
    return false;
}

/* All jobs of the list in one transaction; false when none of them is durable, for *error's reason.
 */
static bool do_jobs(Db *db, Job *jobs, Error *error)
{
    Error ignored = {0};

    CRASH_POINT("writer: before BEGIN");
    if (!db_run_script(db, "BEGIN IMMEDIATE", error))
        return false;
    for (Job *job = jobs; job; job = job->next) {
        job->worked = do_job(db, job);
        if (!db_in_transaction(db)) {
            *error = job->error;
            return false;
        }
    }
    CRASH_POINT("writer: before COMMIT");
    if (db_run_script(db, "COMMIT", error)) {
        CRASH_POINT("writer: committed, not answered");
        return true;
    }
    if (db_in_transaction(db))
        (void)!db_run_script(db, "ROLLBACK", &ignored);
    return false;
}

/* Waits for work and takes all there is; NULL when there is none and never will be. */
static Job *take_jobs(Writer *writer)
{
    Job *jobs;

    pthread_mutex_lock(&writer->lock);
    while (!writer->first && !writer->stopping)
        pthread_cond_wait(&writer->handed_in, &writer->lock);
    jobs = writer->first;
    writer->first = NULL;
    writer->last = &writer->first;
    pthread_mutex_unlock(&writer->lock);
    return jobs;
}

static void answer_jobs(Job *jobs, bool durable, const Error *error)
{
    for (Job *job = jobs, *next; job; job = next) {
        next = job->next; /* the job is gone once its thread is answered */
        job->durable = durable && job->worked;
        if (!durable && (job->worked || !job->error.kind))
            job->error = *error;
        sem_post(&job->answered);
    }
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

static void *write_loop(void *context)
{
    Writer *writer = context;

    for (Job *jobs; (jobs = take_jobs(writer)) != NULL;) {
        Error error = {0};
        bool durable = do_jobs(writer->db, jobs, &error);

        atomic_fetch_add(&writer->commit_count, 1); /* whether it went well or not */
        answer_jobs(jobs, durable, &error);
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

bool writer_run(Writer *writer, WriteWork *work, void *context, Error *error)
{
    Job job = {.work = work, .context = context};

    sem_init(&job.answered, 0, 0);
    pthread_mutex_lock(&writer->lock);
    *writer->last = &job;
    writer->last = &job.next;
    pthread_cond_signal(&writer->handed_in);
    pthread_mutex_unlock(&writer->lock);
    while (sem_wait(&job.answered) != 0) /* only ever a signal */
        continue;
    sem_destroy(&job.answered);
    if (!job.durable)
        *error = job.error;
    return job.durable;
}

uint64_t writer_commit_count(const Writer *writer)
{
    return atomic_load(&writer->commit_count);
}

void writer_on_commit(Writer *writer, void (*call)(void *context), void *context)
{
    pthread_mutex_lock(&writer->lock);
    writer->committed = call;
    writer->committed_context = context;
    pthread_mutex_unlock(&writer->lock);
}
