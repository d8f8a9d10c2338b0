/* test_migrations.c: a database is brought up to date step by step, or left as it was. */
#include "base/file.h"
#include "store/migrations.h"
#include "tests/test.h"

static const Migration one_step[] = {
    {"0001_people", "CREATE TABLE people (id BIGINT PRIMARY KEY, name TEXT);"
                    "CREATE TABLE pets (id BIGINT PRIMARY KEY,"
                    " person_id BIGINT NOT NULL REFERENCES people (id) ON DELETE CASCADE);"
                    "INSERT INTO people VALUES (1, 'Ada');"
                    "INSERT INTO pets VALUES (1, 1);"},
    {0},
};
static const Migration two_steps[] = {
    {"0001_people", ""},
    {"0002_ages", "CREATE TABLE rebuilt (id BIGINT PRIMARY KEY, name TEXT, age BIGINT);"
                  "INSERT INTO rebuilt SELECT id, name, 36 FROM people;"
                  "DROP TABLE people;"
                  "ALTER TABLE rebuilt RENAME TO people;"},
    {0},
};
static const Migration broken_steps[] = {
    {"0001_people", ""},
    {"0002_ages", "DELETE FROM people; CREATE TABLE half (id BIGINT); SELECT nonsense;"},
    {0},
};
static const Migration dangling_steps[] = {
    {"0001_people", ""},
    {"0002_forgets", "DELETE FROM people"},
    {0},
};

typedef struct Desk {
    Arena *arena;
    const char *folder, *path;
    Db *db;
    Error error;
} Desk;

/* Empty, with no schema of slipway's own: the file is opened for reading, then switched. */
static Desk desk_open(void)
{
    Desk desk = {.arena = arena_create()};

    EXPECT_OK(folder_make_temporary("/tmp", desk.arena, &desk.folder, &desk.error), desk.error);
    desk.path = arena_format(desk.arena, "%s/test.db", desk.folder);
    EXPECT_OK(file_write(desk.path, "", 0, &desk.error), desk.error);
    desk.db = db_open(desk.path, DB_READ, &desk.error);
    EXPECT_OK(desk.db, desk.error);
    EXPECT_OK(db_run(desk.db, &desk.error, "PRAGMA query_only = OFF"), desk.error);
    return desk;
}

static void desk_close(Desk *desk)
{
    db_close(desk->db);
    EXPECT_OK(folder_remove(desk->folder, &desk->error), desk->error);
    arena_destroy(desk->arena);
}

static int64_t ask(Desk *desk, const char *sql)
{
    int64_t number = -1;

    EXPECT_OK(db_get_int_values(desk->db, &desk->error, &number, sql, DB_VALUES()), desk->error);
    return number;
}

static int64_t ask_copy(Desk *desk, const char *name, const char *sql)
{
    Db *db = desk->db;
    int64_t number;

    desk->db =
        db_open(arena_format(desk->arena, "%s/%s", desk->folder, name), DB_READ, &desk->error);
    EXPECT_OK(desk->db, desk->error);
    number = ask(desk, sql);
    db_close(desk->db);
    desk->db = db;
    return number;
}

static void test_slipways_own_steps_run_on_a_fresh_database_and_once_only(void)
{
    CLEANUP(desk_close) Desk desk = desk_open();
    int64_t count = 0;

    while (migrations[count].name)
        count++;
    EXPECT_OK(migrate(desk.db, desk.path, migrations, &desk.error), desk.error);
    EXPECT(ask(&desk, "PRAGMA user_version") == count);
    EXPECT(ask(&desk, "SELECT count(*) FROM events") == 0);
    EXPECT_OK(migrate(desk.db, desk.path, migrations, &desk.error), desk.error);
    EXPECT(!file_exists(arena_format(desk.arena, "%s.before-1", desk.path)));
}

static int64_t count_mentions(Desk *desk, const char *kind, const char *name)
{
    return ask(desk, arena_format(desk->arena,
                                  "SELECT coalesce(sum(m.event_id), 0) FROM event_mentions m"
                                  " JOIN event_subjects s ON s.id = m.subject_id"
                                  " WHERE s.kind = '%s' AND s.name = '%s'",
                                  kind, name));
}

/* Those before step 27; sums of their numbers tell which were found. */
static void test_events_that_were_there_are_found_by_what_they_are_about(void)
{
    static const char events[] =
        "INSERT INTO endpoints (id, name, project, rule_metric, rule_margin, rule_minimum,"
        " rule_level, rule_demand, rule_relative_margin, created_at)"
        " VALUES (1, 'mail', 'spam', 'f1', 0, NULL, 0.95, 'better', 0, 0);"
        "INSERT INTO events (id, created_at, principal, action, object, detail, hash) VALUES"
        " (1, 1, 'ada', 'project.created', 'spam', '{}', ''),"
        " (2, 2, 'bob', 'model_version.created', 'junk2@10', '{}', ''),"
        " (4, 3, 'ada', 'pipeline_run.created', 'spam#3', '{}', ''),"
        " (8, 4, 'ada', 'endpoint.deployed', 'mail', '{}', ''),"
        " (16, 5, 'ada', 'model.created', 'junk2', '{}', '');";
    CLEANUP(desk_close) Desk desk = desk_open();
    Migration before[64] = {0};

    for (size_t i = 0; i < 26; i++)
        before[i] = migrations[i];
    before[26] = (Migration){"0027_events", events};
    EXPECT_OK(migrate(desk.db, desk.path, before, &desk.error), desk.error);
    EXPECT_OK(db_run(desk.db, &desk.error, "PRAGMA user_version = 26"), desk.error);
    EXPECT_OK(migrate(desk.db, desk.path, migrations, &desk.error), desk.error);
    EXPECT(count_mentions(&desk, "by", "ada") == 1 + 4 + 8 + 16);
    EXPECT(count_mentions(&desk, "noun", "model_version") == 2);
    EXPECT(count_mentions(&desk, "noun", "pipeline_run") == 4);
    EXPECT(count_mentions(&desk, "project", "spam") == 1 + 4 + 8);
    EXPECT(count_mentions(&desk, "pipeline_run", "spam#3") == 4);
    EXPECT(count_mentions(&desk, "endpoint", "mail") == 8);
    EXPECT(count_mentions(&desk, "model", "junk2") == 2 + 16);
}

static void test_an_upgrade_keeps_a_copy_of_what_was_before(void)
{
    CLEANUP(desk_close) Desk desk = desk_open();

    EXPECT_OK(migrate(desk.db, desk.path, one_step, &desk.error), desk.error);
    EXPECT_OK(migrate(desk.db, desk.path, two_steps, &desk.error), desk.error);
    EXPECT(ask(&desk, "PRAGMA user_version") == 2);
    EXPECT(ask(&desk, "SELECT age FROM people WHERE id = 1") == 36);
    EXPECT(ask_copy(&desk, "test.db.before-2", "PRAGMA user_version") == 1);
    EXPECT(ask_copy(&desk, "test.db.before-2", "SELECT count(*) FROM people") == 1);
    EXPECT(!file_exists(arena_format(desk.arena, "%s.before-2.partial", desk.path)));
}

/* A copy from an earlier attempt, or half of one, must not pass for that of today. */
static void test_a_copy_that_is_there_already_is_replaced(void)
{
    CLEANUP(desk_close) Desk desk = desk_open();
    const char *copy = arena_format(desk.arena, "%s.before-2", desk.path);

    EXPECT_OK(migrate(desk.db, desk.path, one_step, &desk.error), desk.error);
    EXPECT_OK(file_write(copy, "half", 4, &desk.error), desk.error);
    EXPECT_OK(file_write(arena_format(desk.arena, "%s.partial", copy), "half", 4, &desk.error),
              desk.error);
    EXPECT_OK(migrate(desk.db, desk.path, two_steps, &desk.error), desk.error);
    EXPECT(ask_copy(&desk, "test.db.before-2", "SELECT count(*) FROM people") == 1);
}

/* With foreign keys enforced, dropping the old table would delete the pets. */
static void test_rebuilding_a_table_keeps_what_refers_to_it(void)
{
    CLEANUP(desk_close) Desk desk = desk_open();

    EXPECT_OK(migrate(desk.db, desk.path, one_step, &desk.error), desk.error);
    EXPECT_OK(migrate(desk.db, desk.path, two_steps, &desk.error), desk.error);
    EXPECT(ask(&desk, "SELECT count(*) FROM pets") == 1);
    EXPECT(ask(&desk, "PRAGMA foreign_keys") == 1);
    EXPECT(!db_run(desk.db, &desk.error, "INSERT INTO pets VALUES (2, 99)"));
}

static void test_a_step_that_fails_leaves_nothing_behind(void)
{
    CLEANUP(desk_close) Desk desk = desk_open();

    EXPECT_OK(migrate(desk.db, desk.path, one_step, &desk.error), desk.error);
    EXPECT(!migrate(desk.db, desk.path, broken_steps, &desk.error));
    EXPECT(text_has_prefix(desk.error.message, "migration 0002_ages: "));
    EXPECT(ask(&desk, "PRAGMA user_version") == 1);
    EXPECT(ask(&desk, "SELECT count(*) FROM people") == 1);
    EXPECT(ask(&desk, "SELECT count(*) FROM sqlite_master WHERE name = 'half'") == 0);
    EXPECT_OK(migrate(desk.db, desk.path, two_steps, &desk.error), desk.error);
}

static void test_a_step_that_leaves_references_to_nothing_fails(void)
{
    CLEANUP(desk_close) Desk desk = desk_open();

    EXPECT_OK(migrate(desk.db, desk.path, one_step, &desk.error), desk.error);
    EXPECT(!migrate(desk.db, desk.path, dangling_steps, &desk.error));
    EXPECT_TEXT(desk.error.message,
                "migration 0002_forgets: table \"pets\" would refer to rows that are not there");
    EXPECT(ask(&desk, "SELECT count(*) FROM people") == 1);
}

static void test_a_newer_database_is_refused_with_its_sentence(void)
{
    CLEANUP(desk_close) Desk desk = desk_open();

    EXPECT_OK(db_run(desk.db, &desk.error, "PRAGMA user_version = 9"), desk.error);
    EXPECT(!migrate(desk.db, desk.path, two_steps, &desk.error));
    EXPECT(desk.error.kind == ERROR_CONFLICT);
    EXPECT_TEXT(desk.error.message,
                "the schema is at step 9, newer than this slipway, which knows 2 steps");
    EXPECT(ask(&desk, "PRAGMA user_version") == 9);
}

static void test_a_step_below_zero_is_refused(void)
{
    CLEANUP(desk_close) Desk desk = desk_open();

    EXPECT_OK(db_run(desk.db, &desk.error, "PRAGMA user_version = -3"), desk.error);
    EXPECT(!migrate(desk.db, desk.path, two_steps, &desk.error));
    EXPECT(desk.error.kind == ERROR_INVALID);
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_slipways_own_steps_run_on_a_fresh_database_and_once_only),
        TEST(test_events_that_were_there_are_found_by_what_they_are_about),
        TEST(test_an_upgrade_keeps_a_copy_of_what_was_before),
        TEST(test_a_copy_that_is_there_already_is_replaced),
        TEST(test_rebuilding_a_table_keeps_what_refers_to_it),
        TEST(test_a_step_that_fails_leaves_nothing_behind),
        TEST(test_a_step_that_leaves_references_to_nothing_fails),
        TEST(test_a_newer_database_is_refused_with_its_sentence),
        TEST(test_a_step_below_zero_is_refused),
        {0},
    };
    return test_main(tests, count, names);
}
