#include "store/migrations.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/crash.h"
#include "base/file.h"
#include "store/db_internal.h"

static int64_t step_count(const Migration steps[])
{
    int64_t count = 0;

    while (steps[count].name)
        count++;
    return count;
}

/* Foreign keys are not enforced while steps run (below), so what a step left is looked over. */
static bool check_references(Db *db, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    CLEANUP(query_finalize) Query query = db_query(db, "PRAGMA foreign_key_check");

    if (query_next(&query))
        return fail(error, ERROR_CONFLICT, "table \"%s\" would refer to rows that are not there",
                    query_text(&query, 0, arena));
    return query_end(&query, error);
}

static bool commit_step(Db *db, Error *error)
{
    CRASH_POINT("migration: a step done, not committed");
    return db_run_script(db, "COMMIT", error);
}

static bool run_step(Db *db, const Migration steps[], int64_t step, Error *error)
{
    char set_version[64];
    Error ignored = {0};

    snprintf(set_version, sizeof(set_version), "PRAGMA user_version = %lld", (long long)step + 1);
    CRASH_POINT("migration: before a step");
    if (db_run_script(db, "BEGIN IMMEDIATE", error) && db_run_script(db, steps[step].sql, error) &&
        check_references(db, error) && db_run_script(db, set_version, error) &&
        commit_step(db, error))
        return true;
    (void)!db_run_script(db, "ROLLBACK", &ignored);
    return fail_in(error, "migration %s", steps[step].name);
}

/* Always anew: one that is there may be older than what was written since, or of an attempt that
 * broke off. */
static bool keep_copy(Db *db, const char *path, int64_t version, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const char *copy = arena_format(arena, "%s.before-%lld", path, (long long)version + 1);
    const char *partial = arena_format(arena, "%s.partial", copy);

    if (unlink(partial) != 0 && errno != ENOENT)
        return fail_errno(error, "remove", partial);
    db_create_file(partial);
    if (!db_run(db, error, "VACUUM INTO $1", db_text(partial)))
        return false;
    CRASH_POINT("migration: copy made, not in its place");
    return file_move_durably(partial, copy, error);
}

/* Enforced, foreign keys would make a table's rebuilding (copy, drop, rename) delete what refers to
 * it. They cannot be switched inside a transaction. */
static bool run_steps(Db *db, const Migration steps[], int64_t version, Error *error)
{
    bool done = db_run_script(db, "PRAGMA foreign_keys = OFF", error);

    for (; done && steps[version].name; version++)
        done = run_step(db, steps, version, error);
    return done && db_run_script(db, "PRAGMA foreign_keys = ON", error);
}

bool migrate(Db *db, const char *path, const Migration steps[], Error *error)
{
    int64_t version = 0, count = step_count(steps);

    if (!db_get_int(db, error, &version, "PRAGMA user_version"))
        return false;
    if (version < 0)
        return fail(error, ERROR_INVALID,
                    "the schema is at step %lld, which is not one of slipway's",
                    (long long)version);
    if (version > count)
        return fail(error, ERROR_CONFLICT,
                    "the schema is at step %lld, newer than this slipway, which knows %lld steps",
                    (long long)version, (long long)count);
    if (version > 0 && version < count && !keep_copy(db, path, version, error))
        return fail_in(error, "could not keep a copy of the database before its upgrade");
    return version == count || run_steps(db, steps, version, error);
}
