/* test_db.c: values in and out, mistakes that stick, and the cache of statements. */
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "store/db.h"
#include "tests/test.h"

typedef struct Store {
    Arena *arena;
    const char *folder, *path;
    Db *db;
    Error error;
} Store;

static Store store_open(void)
{
    Store store = {.arena = arena_create()};

    EXPECT_OK(folder_make_temporary("/tmp", store.arena, &store.folder, &store.error), store.error);
    store.path = arena_format(store.arena, "%s/slipway.db", store.folder);
    store.db = db_open(store.path, DB_WRITE, &store.error);
    EXPECT_OK(store.db, store.error);
    EXPECT_OK(db_run(store.db, &store.error,
                     "CREATE TABLE things (id BIGINT PRIMARY KEY, name TEXT UNIQUE,"
                     " weight DOUBLE PRECISION, bytes BLOB)"),
              store.error);
    return store;
}

static void store_close(Store *store)
{
    db_close(store->db);
    EXPECT_OK(folder_remove(store->folder, &store->error), store->error);
    arena_destroy(store->arena);
}

static void add_things(Store *store, int64_t count)
{
    for (int64_t id = 1; id <= count; id++)
        EXPECT_OK(db_run(store->db, &store->error, "INSERT INTO things (id, name) VALUES ($1, $2)",
                         db_int(id),
                         db_text(arena_format(store->arena, "thing %lld", (long long)id))),
                  store->error);
}

static int64_t count_things(Store *store)
{
    int64_t count = -1;

    EXPECT_OK(db_get_int(store->db, &store->error, &count, "SELECT count(*) FROM things"),
              store->error);
    return count;
}

static void test_a_database_is_for_its_owner_alone(void)
{
    Store store = store_open();
    const char *const names[] = {"slipway.db", "slipway.db-wal", "slipway.db-shm"};
    struct stat status;

    for (size_t i = 0; i < COUNT(names); i++) {
        EXPECT(stat(arena_format(store.arena, "%s/%s", store.folder, names[i]), &status) == 0);
        EXPECT((status.st_mode & 0777) == 0600);
    }
    store_close(&store);
}

static void test_numbered_values_may_come_in_any_order_and_again(void)
{
    CLEANUP(store_close) Store store = store_open();
    CLEANUP(query_finalize)
    Query query =
        db_query(store.db, "SELECT $3, $1, $2, $1, $3", db_int(1), db_text("two"), db_double(3.5));

    EXPECT(query_next(&query));
    EXPECT(query_double(&query, 0) == 3.5 && query_double(&query, 4) == 3.5);
    EXPECT(query_int(&query, 1) == 1 && query_int(&query, 3) == 1);
    EXPECT_TEXT(query_text(&query, 2, store.arena), "two");
    EXPECT(!query_next(&query));
    EXPECT_OK(query_end(&query, &store.error), store.error);
}

static void test_a_value_too_few_or_too_many_is_an_error(void)
{
    CLEANUP(store_close) Store store = store_open();

    EXPECT(!db_run(store.db, &store.error, "SELECT $1, $2", db_int(1)));
    EXPECT(store.error.kind == ERROR_INTERNAL);
    EXPECT(!db_run(store.db, &store.error, "SELECT $1", db_int(1), db_int(2)));
    EXPECT(!db_run(store.db, &store.error, "SELECT $2", db_int(1)));
}

static void test_missing_values_come_back_missing(void)
{
    CLEANUP(store_close) Store store = store_open();
    CLEANUP(query_finalize)
    Query query = db_query(store.db, "SELECT $1, $2, $3, $4", db_int_or_null(0), db_double(NAN),
                           db_text(NULL), db_blob(NULL, 0));
    size_t size = 7;

    EXPECT(query_next(&query));
    for (int column = 0; column < 4; column++)
        EXPECT(query_is_null(&query, column));
    EXPECT(query_int(&query, 0) == 0);
    EXPECT(isnan(query_double(&query, 1)));
    EXPECT(query_text(&query, 2, store.arena) == NULL);
    EXPECT(query_blob(&query, 3, store.arena, &size) == NULL && size == 0);
}

static void test_bytes_numbers_and_texts_come_back_as_they_went_in(void)
{
    CLEANUP(store_close) Store store = store_open();
    const char bytes[] = {0, 1, (char)0xff, 0};
    size_t size;

    EXPECT_OK(db_run(store.db, &store.error,
                     "INSERT INTO things (id, name, weight, bytes) VALUES ($1, $2, $3, $4)",
                     db_int(INT64_MIN), db_text("caf\xc3\xa9 'x'; --"), db_double(-INFINITY),
                     db_blob(bytes, sizeof(bytes))),
              store.error);
    EXPECT(db_changes(store.db) == 1);

    CLEANUP(query_finalize)
    Query query = db_query(store.db, "SELECT id, name, weight, bytes FROM things");

    EXPECT(query_next(&query));
    EXPECT(query_int(&query, 0) == INT64_MIN);
    EXPECT_TEXT(query_text(&query, 1, store.arena), "caf\xc3\xa9 'x'; --");
    EXPECT(query_double(&query, 2) == -INFINITY);
    EXPECT(memcmp(query_blob(&query, 3, store.arena, &size), bytes, sizeof(bytes)) == 0);
    EXPECT(size == sizeof(bytes));
}

static void test_an_empty_blob_is_not_a_missing_one(void)
{
    CLEANUP(store_close) Store store = store_open();
    CLEANUP(query_finalize) Query query = db_query(store.db, "SELECT $1", db_blob("", 0));
    size_t size = 7;

    EXPECT(query_next(&query) && !query_is_null(&query, 0));
    EXPECT(query_blob(&query, 0, store.arena, &size) != NULL && size == 0);
}

static void test_the_first_mistake_sticks_to_its_query(void)
{
    CLEANUP(store_close) Store store = store_open();
    CLEANUP(query_finalize) Query query = db_query(store.db, "SELECT nonsense FROM things");
    int64_t number;

    EXPECT(!query_next(&query) && !query_next(&query));
    EXPECT_OK(db_get_int(store.db, &store.error, &number, "SELECT 1"), store.error);
    EXPECT(!query_end(&query, &store.error));
    EXPECT(store.error.kind == ERROR_INTERNAL);
    EXPECT(!strstr(store.error.message, "not an error"));
}

static void test_a_row_that_is_there_already_is_a_conflict(void)
{
    CLEANUP(store_close) Store store = store_open();

    add_things(&store, 1);
    EXPECT(!db_run(store.db, &store.error, "INSERT INTO things (id, name) VALUES (2, 'thing 1')"));
    EXPECT(store.error.kind == ERROR_CONFLICT);
    EXPECT(count_things(&store) == 1);
}

static void test_a_row_that_is_missing_is_not_found_and_changes_nothing(void)
{
    CLEANUP(store_close) Store store = store_open();
    int64_t number = 42;

    EXPECT(!db_get_int(store.db, &store.error, &number, "SELECT id FROM things WHERE id = $1",
                       db_int(9)));
    EXPECT(store.error.kind == ERROR_NOT_FOUND && number == 42);
}

static void test_a_connection_for_reading_refuses_to_write_and_sees_what_was_written(void)
{
    CLEANUP(store_close) Store store = store_open();
    Db *reader = db_open(store.path, DB_READ, &store.error);
    Error error = {0};
    int64_t count;

    EXPECT_OK(reader, store.error);
    EXPECT(!db_can_write(reader) && db_can_write(store.db));
    EXPECT(!db_run(reader, &error, "INSERT INTO things (id) VALUES (1)"));
    EXPECT(!db_run(reader, &error, "DROP TABLE things"));
    add_things(&store, 3);
    EXPECT_OK(db_get_int(reader, &error, &count, "SELECT count(*) FROM things"), error);
    EXPECT(count == 3);
    db_close(reader);
}

static void test_a_database_that_is_missing_or_none_is_refused(void)
{
    CLEANUP(store_close) Store store = store_open();
    const char *path = arena_format(store.arena, "%s/other.db", store.folder);

    EXPECT(!db_open(path, DB_READ, &store.error));
    EXPECT(!file_exists(path));
    EXPECT_OK(
        file_write(path, "this is a letter, and a long one, not a database", 48, &store.error),
        store.error);
    EXPECT(!db_open(path, DB_WRITE, &store.error));
    EXPECT(store.error.kind == ERROR_INVALID);
    EXPECT(strstr(store.error.message, "other.db"));
}

/* Both come from the same text, so only one of them can be the kept statement. */
static void test_two_open_queries_of_one_text_do_not_disturb_each_other(void)
{
    static const char sql[] = "SELECT id FROM things WHERE id >= $1 ORDER BY id";
    CLEANUP(store_close) Store store = store_open();
    int64_t pairs = 0;

    add_things(&store, 4);
    for (int turn = 0; turn < 2; turn++) {
        CLEANUP(query_finalize) Query outer = db_query(store.db, sql, db_int(1));

        while (query_next(&outer)) {
            CLEANUP(query_finalize) Query inner = db_query(store.db, sql, db_int(3));

            while (query_next(&inner))
                pairs++;
            EXPECT_OK(query_end(&inner, &store.error), store.error);
        }
        EXPECT_OK(query_end(&outer, &store.error), store.error);
    }
    EXPECT(pairs == 2 * 4 * 2);
}

static void test_more_texts_than_the_cache_holds_still_work(void)
{
    CLEANUP(store_close) Store store = store_open();

    for (int turn = 0; turn < 2; turn++) {
        for (int64_t i = 0; i < 500; i++) {
            int64_t number = -1;

            EXPECT_OK(db_get_int_values(store.db, &store.error, &number,
                                        arena_format(store.arena, "SELECT %lld", (long long)i),
                                        DB_VALUES()),
                      store.error);
            EXPECT(number == i);
        }
    }
}

static void test_a_kept_statement_forgets_its_last_values(void)
{
    static const char sql[] = "SELECT coalesce($1, -1)";
    CLEANUP(store_close) Store store = store_open();
    int64_t number;

    EXPECT_OK(db_get_int(store.db, &store.error, &number, sql, db_int(5)), store.error);
    EXPECT(number == 5);
    EXPECT_OK(db_get_int(store.db, &store.error, &number, sql, db_text(NULL)), store.error);
    EXPECT(number == -1);
}

static void test_a_kept_statement_follows_a_changed_table(void)
{
    static const char sql[] = "SELECT * FROM things";
    CLEANUP(store_close) Store store = store_open();
    int64_t number;

    add_things(&store, 1);
    EXPECT_OK(db_get_int(store.db, &store.error, &number, sql), store.error);
    EXPECT_OK(db_run(store.db, &store.error, "DROP TABLE things"), store.error);
    EXPECT_OK(db_run(store.db, &store.error, "CREATE TABLE things (other BIGINT)"), store.error);
    EXPECT_OK(db_run(store.db, &store.error, "INSERT INTO things (other) VALUES (77)"),
              store.error);
    EXPECT_OK(db_get_int(store.db, &store.error, &number, sql), store.error);
    EXPECT(number == 77);
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_a_database_is_for_its_owner_alone),
        TEST(test_numbered_values_may_come_in_any_order_and_again),
        TEST(test_a_value_too_few_or_too_many_is_an_error),
        TEST(test_missing_values_come_back_missing),
        TEST(test_bytes_numbers_and_texts_come_back_as_they_went_in),
        TEST(test_an_empty_blob_is_not_a_missing_one),
        TEST(test_the_first_mistake_sticks_to_its_query),
        TEST(test_a_row_that_is_there_already_is_a_conflict),
        TEST(test_a_row_that_is_missing_is_not_found_and_changes_nothing),
        TEST(test_a_connection_for_reading_refuses_to_write_and_sees_what_was_written),
        TEST(test_a_database_that_is_missing_or_none_is_refused),
        TEST(test_two_open_queries_of_one_text_do_not_disturb_each_other),
        TEST(test_more_texts_than_the_cache_holds_still_work),
        TEST(test_a_kept_statement_forgets_its_last_values),
        TEST(test_a_kept_statement_follows_a_changed_table),
        {0},
    };
    return test_main(tests, count, names);
}
