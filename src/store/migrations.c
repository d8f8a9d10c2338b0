#include "store/migrations.h"

#include <stdio.h>

#include "base/file.h"
#include "store/db_internal.h"

static int64_t step_count(void)
{
    int64_t count = 0;

    while (migrations[count].name)
        count++;
    return count;
}

static bool run_step(Db *db, int64_t step, Error *error)
{
    char set_version[64];
    Error ignored = {0};

    snprintf(set_version, sizeof(set_version), "PRAGMA user_version = %lld", (long long)step + 1);
    if (db_run_script(db, "BEGIN IMMEDIATE", error) &&
        db_run_script(db, migrations[step].sql, error) && db_run_script(db, set_version, error) &&
        db_run_script(db, "COMMIT", error))
        return true;
    (void)!db_run_script(db, "ROLLBACK", &ignored);
    return fail_in(error, "migration %s", migrations[step].name);
}

static bool keep_copy(Db *db, const char *path, int64_t version, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const char *copy = arena_format(arena, "%s.before-%lld", path, (long long)version + 1);

    if (file_exists(copy))
        return true;
    return db_run(db, error, "VACUUM INTO $1", db_text(copy));
}

bool migrate(Db *db, const char *path, Error *error)
{
    int64_t version = 0, count = step_count();

    if (!db_get_int(db, error, &version, "PRAGMA user_version"))
        return false;
    if (version > count)
        return fail(error, ERROR_CONFLICT,
                    "the schema is at step %lld, newer than this slipway, which knows %lld steps",
                    (long long)version, (long long)count);
    if (version > 0 && version < count && !keep_copy(db, path, version, error))
        return fail_in(error, "could not keep a copy of the database before its upgrade");

    for (int64_t step = version; step < count; step++)
        if (!run_step(db, step, error))
            return false;
    return true;
}
