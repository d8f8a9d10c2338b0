/* bench_store: the limit that durable writes are measured against: SQLite alone.
 *
 *     bench_store FOLDER ROWS_PER_COMMIT SECONDS
 *
 * Inserts points of metrics into the tables that Slipway keeps them in, as bare as they come: one
 * connection, write-ahead log, every commit flushed to the disk. Prints rows, seconds of wall clock
 * and seconds of CPU.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/arena.h"
#include "base/text.h"

static double seconds_of(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void must(sqlite3 *db, int status)
{
    if (status == SQLITE_OK || status == SQLITE_DONE)
        return;
    fprintf(stderr, "bench_store: %s\n", sqlite3_errmsg(db));
    exit(1);
}

static void run(sqlite3 *db, const char *sql)
{
    must(db, sqlite3_exec(db, sql, NULL, NULL, NULL));
}

static sqlite3 *open_store(const char *path)
{
    sqlite3 *db;

    must(NULL, sqlite3_open(path, &db));
    run(db, "PRAGMA journal_mode = WAL");
    run(db, "PRAGMA synchronous = FULL");
    run(db, "CREATE TABLE points (run_id INTEGER, key_id INTEGER, step INTEGER, timestamp INTEGER,"
            " value REAL, PRIMARY KEY (run_id, key_id, step, timestamp)) WITHOUT ROWID");
    return db;
}

static void insert(sqlite3 *db, sqlite3_stmt *statement, int64_t step)
{
    sqlite3_bind_int64(statement, 1, step);
    sqlite3_bind_double(statement, 2, (double)step / 3);
    must(db, sqlite3_step(statement));
    must(db, sqlite3_reset(statement));
}

int main(int count, char **arguments)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    int64_t batch, seconds, rows = 0;
    double began, cpu_began;
    sqlite3_stmt *statement;
    sqlite3 *db;

    if (count != 4 || !text_to_int(arguments[2], &batch) || !text_to_int(arguments[3], &seconds)) {
        fputs("usage: bench_store FOLDER ROWS_PER_COMMIT SECONDS\n", stderr);
        return 2;
    }
    db = open_store(arena_format(arena, "%s/limit-%s.db", arguments[1], arguments[2]));
    must(db, sqlite3_prepare_v2(db, "INSERT INTO points VALUES (1, 1, ?1, 1732118400000, ?2)", -1,
                                &statement, NULL));
    began = seconds_of(CLOCK_MONOTONIC);
    cpu_began = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    while (seconds_of(CLOCK_MONOTONIC) - began < (double)seconds) {
        run(db, "BEGIN IMMEDIATE");
        for (int64_t i = 0; i < batch; i++)
            insert(db, statement, rows++);
        run(db, "COMMIT");
    }
    printf("%lld %.6f %.6f\n", (long long)rows, seconds_of(CLOCK_MONOTONIC) - began,
           seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu_began);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return 0;
}
