/* test_writer.c: many threads, one writer: all or nothing for each, durable before it is answered.
 */
#include <pthread.h>
#include <semaphore.h>
#include <sqlite3.h>
#include <stdatomic.h>

#include "base/file.h"
#include "store/writer.h"
#include "tests/test.h"

enum { THREADS = 100, WORKS = 5 };

typedef struct Bench {
    Arena *arena;
    const char *folder, *path;
    Writer *writer;
    Error error;
} Bench;

static bool make_table(Db *db, void *context, Error *error)
{
    (void)context;
    return db_run(db, error, "CREATE TABLE marks (thread BIGINT, work BIGINT)");
}

static Bench bench_open(void)
{
    Bench bench = {.arena = arena_create()};

    EXPECT_OK(folder_make_temporary("/tmp", bench.arena, &bench.folder, &bench.error), bench.error);
    bench.path = arena_format(bench.arena, "%s/slipway.db", bench.folder);
    bench.writer = writer_create(bench.path, &bench.error);
    EXPECT_OK(bench.writer, bench.error);
    EXPECT_OK(writer_run(bench.writer, make_table, NULL, &bench.error), bench.error);
    return bench;
}

static void bench_close(Bench *bench)
{
    writer_destroy(bench->writer);
    EXPECT_OK(folder_remove(bench->folder, &bench->error), bench->error);
    arena_destroy(bench->arena);
}

static int64_t count_marks(Bench *bench)
{
    Db *db = db_open(bench->path, DB_READ, &bench->error);
    int64_t count = -1;

    EXPECT_OK(db, bench->error);
    EXPECT_OK(db_get_int(db, &bench->error, &count, "SELECT count(*) FROM marks"), bench->error);
    db_close(db);
    return count;
}

typedef struct Mark {
    int64_t thread, work;
} Mark;

/* Every third unit writes its row, then fails. */
static bool is_doomed(const Mark *mark)
{
    return (mark->thread + mark->work) % 3 == 0;
}

static bool add_mark(Db *db, void *context, Error *error)
{
    const Mark *mark = context;

    if (!db_run(db, error, "INSERT INTO marks (thread, work) VALUES ($1, $2)", db_int(mark->thread),
                db_int(mark->work)))
        return false;
    return !is_doomed(mark) ||
           fail(error, ERROR_CONFLICT, "mark %lld is doomed", (long long)mark->thread);
}

typedef struct Hand {
    Bench *bench;
    pthread_t thread;
    int64_t number;
    bool right;
} Hand;

/* Answered means committed: a connection that was opened before sees it at once. */
static bool is_visible(Db *reader, const Mark *mark, bool expected)
{
    Error error = {0};
    int64_t count = -1;

    return db_get_int(reader, &error, &count,
                      "SELECT count(*) FROM marks WHERE thread = $1 AND work = $2",
                      db_int(mark->thread), db_int(mark->work)) &&
           count == expected;
}

static bool do_one(Hand *hand, Db *reader, int64_t work)
{
    Mark mark = {hand->number, work};
    Error error = {0};
    bool done = writer_run(hand->bench->writer, add_mark, &mark, &error);
    bool expected = !is_doomed(&mark);

    if (done != expected || !is_visible(reader, &mark, expected))
        return false;
    return done ? error.kind == ERROR_NONE : error.kind == ERROR_CONFLICT;
}

static void *do_works(void *context)
{
    Hand *hand = context;
    Error error = {0};
    Db *reader = db_open(hand->bench->path, DB_READ, &error);

    hand->right = reader != NULL;
    for (int64_t work = 0; work < WORKS; work++)
        hand->right = hand->right && do_one(hand, reader, work);
    db_close(reader);
    return NULL;
}

static void test_units_of_100_threads_are_each_whole_and_seen_once_answered(void)
{
    CLEANUP(bench_close) Bench bench = bench_open();
    Hand hands[THREADS];
    int64_t expected = 0;

    for (int64_t i = 0; i < THREADS; i++) {
        hands[i] = (Hand){.bench = &bench, .number = i};
        EXPECT(pthread_create(&hands[i].thread, NULL, do_works, &hands[i]) == 0);
    }
    for (int64_t i = 0; i < THREADS; i++) {
        pthread_join(hands[i].thread, NULL);
        EXPECT(hands[i].right);
        for (int64_t work = 0; work < WORKS; work++)
            expected += !is_doomed(&(Mark){i, work});
    }
    EXPECT(count_marks(&bench) == expected);
}

static void test_an_error_from_before_is_left_alone_by_success_and_replaced_by_failure(void)
{
    CLEANUP(bench_close) Bench bench = bench_open();
    Mark good = {1, 0}, doomed = {3, 0};
    Error error = {0};

    fail(&error, ERROR_TIMEOUT, "an older story");
    EXPECT(writer_run(bench.writer, add_mark, &good, &error));
    EXPECT_TEXT(error.message, "an older story");
    EXPECT(!writer_run(bench.writer, add_mark, &doomed, &error));
    EXPECT_TEXT(error.message, "mark 3 is doomed");
}

static bool end_transaction(Db *db, void *context, Error *error)
{
    (void)context;
    return db_run(db, error, "INSERT INTO marks (thread, work) VALUES (8, 8)") &&
           db_run(db, error, "ROLLBACK");
}

static void test_work_after_a_lost_transaction_goes_on(void)
{
    CLEANUP(bench_close) Bench bench = bench_open();
    Mark good = {1, 0};
    Error error = {0};

    EXPECT(!writer_run(bench.writer, end_transaction, NULL, &error));
    EXPECT(error.kind != ERROR_NONE);
    EXPECT(count_marks(&bench) == 0);
    EXPECT_OK(writer_run(bench.writer, add_mark, &good, &error), error);
    EXPECT(count_marks(&bench) == 1);
}

static bool add_mark_then_no_memory(Db *db, void *context, Error *error)
{
    const Mark *mark = context;
    bool is_added = db_run(db, error, "INSERT INTO marks (thread, work) VALUES ($1, $2)",
                           db_int(mark->thread), db_int(mark->work));

    sqlite3_hard_heap_limit64(1); /* from here on each allocation of SQLite fails */
    return is_added && (!is_doomed(mark) || fail(error, ERROR_CONFLICT, "mark %lld is doomed",
                                                 (long long)mark->thread));
}

/* Neither the commit nor the rollback got memory: the next work begins by rolling back. */
static void test_work_after_a_rollback_without_memory_goes_on(void)
{
    static const Mark lost[] = {{1, 0}, {3, 0}};

    for (size_t i = 0; i < 2; i++) {
        CLEANUP(bench_close) Bench bench = bench_open();
        Mark mark = lost[i], good = {4, 0};
        Error error = {0};
        bool worked = writer_run(bench.writer, add_mark_then_no_memory, &mark, &error);

        sqlite3_hard_heap_limit64(0);
        EXPECT(!worked);
        EXPECT(error.kind != ERROR_NONE);
        error = (Error){0};
        EXPECT_OK(writer_run(bench.writer, add_mark, &good, &error), error);
        EXPECT(count_marks(&bench) == 1);
    }
}

typedef struct Listener {
    pthread_mutex_t lock;
    pthread_cond_t called;
    int count;
} Listener;

static void hear_commit(void *context)
{
    Listener *listener = context;

    pthread_mutex_lock(&listener->lock);
    listener->count++;
    pthread_cond_signal(&listener->called);
    pthread_mutex_unlock(&listener->lock);
}

static void test_a_listener_hears_of_each_commit(void)
{
    CLEANUP(bench_close) Bench bench = bench_open();
    Listener listener = {.lock = PTHREAD_MUTEX_INITIALIZER, .called = PTHREAD_COND_INITIALIZER};

    writer_on_commit(bench.writer, hear_commit, &listener);
    for (int turn = 1; turn <= 3; turn++) {
        Mark good = {1, 0};

        EXPECT_OK(writer_run(bench.writer, add_mark, &good, &bench.error), bench.error);
        pthread_mutex_lock(&listener.lock);
        while (listener.count < turn) /* it is called after the answer */
            pthread_cond_wait(&listener.called, &listener.lock);
        pthread_mutex_unlock(&listener.lock);
    }
    EXPECT(listener.count == 3 || listener.count == 4); /* the one that opened the bench, too */
}

typedef struct Gate {
    sem_t entered, opened;
} Gate;

static bool pass_gate(Db *db UNUSED, void *context, Error *error UNUSED)
{
    Gate *gate = context;

    sem_post(&gate->entered);
    sem_wait(&gate->opened);
    return true;
}

typedef struct Task {
    WriteTask task;
    Mark mark;
    sem_t *done;
} Task;

static void report_end(WriteTask *task)
{
    sem_post(((Task *)task)->done);
}

static void expect_end(Bench *bench, const Task *task)
{
    bool doomed = is_doomed(&task->mark);
    Db *reader = db_open(bench->path, DB_READ, &bench->error);

    EXPECT(task->task.durable == !doomed);
    EXPECT(task->task.error.kind == (doomed ? ERROR_CONFLICT : ERROR_NONE));
    EXPECT(is_visible(reader, &task->mark, !doomed));
    db_close(reader);
}

static void test_tasks_that_one_thread_hands_in_share_a_commit(void)
{
    enum { TASKS = 40 };
    CLEANUP(bench_close) Bench bench = bench_open();
    Listener listener = {.lock = PTHREAD_MUTEX_INITIALIZER, .called = PTHREAD_COND_INITIALIZER};
    Gate gate;
    Task tasks[TASKS + 1];
    sem_t done;

    sem_init(&gate.entered, 0, 0);
    sem_init(&gate.opened, 0, 0);
    sem_init(&done, 0, 0);
    tasks[TASKS] = (Task){{.work = pass_gate, .context = &gate, .done = report_end}, .done = &done};
    writer_submit(bench.writer, &tasks[TASKS].task);
    sem_wait(&gate.entered);
    writer_on_commit(bench.writer, hear_commit, &listener);
    for (size_t i = 0; i < TASKS; i++) {
        tasks[i] = (Task){{.work = add_mark, .done = report_end}, {(int64_t)i, 1}, &done};
        tasks[i].task.context = &tasks[i].mark;
        writer_submit(bench.writer, &tasks[i].task);
    }
    EXPECT(writer_waiting(bench.writer) == TASKS + 1);
    EXPECT(sem_trywait(&done) != 0);
    sem_post(&gate.opened);
    for (size_t i = 0; i < TASKS + 1; i++)
        sem_wait(&done);
    for (size_t i = 0; i < TASKS; i++)
        expect_end(&bench, &tasks[i]);
    pthread_mutex_lock(&listener.lock);
    while (listener.count < 2)
        pthread_cond_wait(&listener.called, &listener.lock);
    EXPECT(listener.count == 2); /* of the gate, and of all others */
    pthread_mutex_unlock(&listener.lock);
    EXPECT(writer_waiting(bench.writer) == 0);
}

static void test_what_was_written_is_there_after_opening_again(void)
{
    CLEANUP(bench_close) Bench bench = bench_open();
    Mark good = {1, 0};

    EXPECT_OK(writer_run(bench.writer, add_mark, &good, &bench.error), bench.error);
    writer_destroy(bench.writer);
    bench.writer = writer_create(bench.path, &bench.error);
    EXPECT_OK(bench.writer, bench.error);
    EXPECT(count_marks(&bench) == 1);
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_units_of_100_threads_are_each_whole_and_seen_once_answered),
        TEST(test_an_error_from_before_is_left_alone_by_success_and_replaced_by_failure),
        TEST(test_work_after_a_lost_transaction_goes_on),
        TEST(test_work_after_a_rollback_without_memory_goes_on),
        TEST(test_a_listener_hears_of_each_commit),
        TEST(test_tasks_that_one_thread_hands_in_share_a_commit),
        TEST(test_what_was_written_is_there_after_opening_again),
        {0},
    };
    return test_main(tests, count, names);
}
