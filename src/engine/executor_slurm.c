#include "engine/executor_slurm.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/thread.h"
#include "base/time.h"
#include "engine/slurm_internal.h"

enum { ERRORS_BYTES_MAX = 64 * 1024 };

static SlurmExecutor *slurm_of(Executor *executor)
{
    return (SlurmExecutor *)executor;
}

/* The lock is held. */
static void give_work(SlurmExecutor *slurm)
{
    slurm->has_work = true;
    pthread_cond_signal(&slurm->work);
}

static bool key_is_valid(const char *key)
{
    size_t length = strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789-");

    return length > 0 && length <= ATTEMPT_KEY_MAX && !key[length];
}

static bool submit(Executor *executor, const ExecutorJob *job, Arena *arena, const char **handle,
                   Error *error)
{
    SlurmExecutor *slurm = slurm_of(executor);

    if (!key_is_valid(job->key))
        return fail_field(error, "key",
                          "a key has at most %d lowercase letters, digits and \"-\", not \"%.80s\"",
                          ATTEMPT_KEY_MAX, job->key);
    slurm_lock(slurm);
    slurm_table_want(&slurm->table, job);
    give_work(slurm);
    slurm_unlock(slurm);
    *handle = arena_text(arena, job->key);
    return true;
}

static bool find(Executor *executor, const char *key, Arena *arena, const char **handle,
                 Error *error)
{
    SlurmExecutor *slurm = slurm_of(executor);
    bool has, is_told;

    slurm_lock(slurm);
    has = slurm_table_has(&slurm->table, key);
    is_told = slurm->table.listed_us != 0;
    if (!has && !is_told)
        error_set(error, ERROR_UNAVAILABLE, "Slurm has not said yet what it has%s%.400s",
                  *slurm->table.trouble ? ": " : "", slurm->table.trouble);
    slurm_unlock(slurm);
    *handle = has ? arena_text(arena, key) : NULL;
    return has || is_told;
}

static bool poll_all(Executor *executor, ExecutorProbe *probes, size_t count, Arena *arena,
                     Error *error)
{
    SlurmExecutor *slurm = slurm_of(executor);

    (void)error;
    slurm_lock(slurm);
    for (size_t i = 0; i < count; i++)
        slurm_table_probe(&slurm->table, &probes[i], arena);
    if (count && !slurm->was_polled) {
        slurm->was_polled = true;
        give_work(slurm);
    }
    slurm_unlock(slurm);
    return true;
}

static bool cancel(Executor *executor, const char *key, const char *handle, Error *error)
{
    SlurmExecutor *slurm = slurm_of(executor);

    (void)handle;
    (void)error;
    slurm_lock(slurm);
    slurm_table_cancel(&slurm->table, key, time_monotonic_us());
    give_work(slurm);
    slurm_unlock(slurm);
    return true;
}

/* A file that is not there says nothing. */
static bool logs(Executor *executor, const char *handle, Arena *arena, const char **text,
                 Error *error)
{
    SlurmExecutor *slurm = slurm_of(executor);
    const char *folder, *refusal;
    Error ignored = {0};
    size_t size;

    (void)error;
    slurm_lock(slurm);
    folder = arena_text(arena, slurm_table_folder(&slurm->table, handle));
    refusal = arena_text(arena, slurm_table_refusal(&slurm->table, handle));
    slurm_unlock(slurm);
    *text = refusal ? refusal : "";
    if (!refusal && folder &&
        !file_read(arena_format(arena, "%s/" ATTEMPT_ERRORS, folder), ERRORS_BYTES_MAX, arena, text,
                   &size, &ignored))
        *text = "";
    return true;
}

static void forget(Executor *executor, const char *handle)
{
    SlurmExecutor *slurm = slurm_of(executor);

    slurm_lock(slurm);
    slurm_table_forget(&slurm->table, handle);
    slurm_unlock(slurm);
}

static void wait_for_news(Executor *executor, unsigned timeout_ms)
{
    SlurmExecutor *slurm = slurm_of(executor);
    int64_t until_us = time_monotonic_us() + timeout_ms * INT64_C(1000);
    struct timespec until = slurm_timespec(until_us);

    slurm_lock(slurm);
    while (!slurm->has_news && time_monotonic_us() < until_us)
        pthread_cond_timedwait(&slurm->news, &slurm->lock, &until);
    slurm->has_news = false;
    slurm_unlock(slurm);
}

static void wake(Executor *executor)
{
    SlurmExecutor *slurm = slurm_of(executor);

    slurm_lock(slurm);
    slurm->has_news = true;
    pthread_cond_signal(&slurm->news);
    slurm_unlock(slurm);
}

/* ---- beginning and end ---- */

static void destroy(SlurmExecutor *slurm)
{
    slurm_client_clear(&slurm->client);
    slurm_table_clear(&slurm->table);
    pthread_cond_destroy(&slurm->work);
    pthread_cond_destroy(&slurm->news);
    pthread_mutex_destroy(&slurm->lock);
    arena_destroy(slurm->arena);
    free(slurm);
}

/* What runs goes on. What is not handed over yet is not: it is still to be begun when the server
 * starts again. */
static void close_executor(Executor *executor)
{
    SlurmExecutor *slurm = slurm_of(executor);

    slurm_lock(slurm);
    atomic_store(&slurm->is_closing, true);
    pthread_cond_signal(&slurm->work);
    slurm_unlock(slurm);
    pthread_join(slurm->thread, NULL);
    destroy(slurm);
}

static const ExecutorKind kind = {
    .name = "slurm",
    .is_on_this_machine = false,
    .submit = submit,
    .find = find,
    .poll = poll_all,
    .cancel = cancel,
    .logs = logs,
    .forget = forget,
    .close = close_executor,
    .wait = wait_for_news,
    .wake = wake,
};

static SlurmSpec copy_spec(const SlurmSpec *spec, Arena *arena)
{
    SlurmSpec copy = *spec;

    copy.address = arena_text(arena, spec->address);
    copy.user = arena_text(arena, spec->user);
    copy.token_file = arena_text(arena, spec->token_file);
    copy.partition = arena_text(arena, spec->partition);
    copy.account = arena_text(arena, spec->account);
    copy.qos = arena_text(arena, spec->qos);
    copy.program = arena_text(arena, spec->program);
    return copy;
}

static void open_conditions(SlurmExecutor *slurm)
{
    condition_init(&slurm->work);
    condition_init(&slurm->news);
    pthread_mutex_init(&slurm->lock, NULL);
}

Executor *executor_slurm_create(const SlurmSpec *spec, Error *error)
{
    SlurmExecutor *slurm = calloc(1, sizeof(*slurm));

    if (!slurm)
        out_of_memory();
    slurm->executor.kind = &kind;
    slurm->arena = arena_create();
    slurm->spec = copy_spec(spec, slurm->arena);
    open_conditions(slurm);
    if (slurm_client_init(&slurm->client, &slurm->spec, slurm->arena, error)) {
        slurm->client.cancelled = &slurm->is_closing;
        if (pthread_create(&slurm->thread, NULL, slurm_turns, slurm) == 0)
            return &slurm->executor;
        (void)fail(error, ERROR_UNAVAILABLE, "could not start the thread that asks Slurm");
    }
    destroy(slurm);
    return NULL;
}
