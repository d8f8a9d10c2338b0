/* test_prediction_log.c: from the ring into the store and out of it again. */
#include <pthread.h>

#include "base/time.h"
#include "serving/prediction_log.h"
#include "serving/prediction_reader.h"
#include "serving/prediction_ring.h"
#include "tests/scene.h"
#include "tests/unit/serving/prediction_fixture.h"

static void log_one(PredictionLog *log, const FixturePrediction *spec, Arena *arena)
{
    const Prediction prediction = fixture_prediction(spec, arena);

    prediction_log_add(log, &prediction, spec->created_at, spec->duration_us);
}

/* As one server's life would. */
static void log_all(Scene *scene, const FixturePrediction specs[], size_t count)
{
    PredictionLog *log = prediction_log_create(scene->platform->writer);

    for (size_t i = 0; i < count; i++)
        log_one(log, &specs[i], scene->arena);
    prediction_log_flush(log);
    EXPECT(prediction_log_counts(log).written == count);
    EXPECT(prediction_log_counts(log).dropped == 0);
    prediction_log_destroy(log);
    EXPECT(atomic_load(&fixture_loaded(false)->references) == 1);
}

static bool run_sql(Scope *scope, void *sql)
{
    return db_run(scope->db, &scope->error, sql);
}

static void change_store(Scene *scene, const char *sql)
{
    EXPECT_OK(scope_write(&scene->scope, run_sql, (void *)(uintptr_t)sql), scene->scope.error);
}

/* The request ids of a list, one after the other. */
static const char *ids_after(Scene *scene, const char *endpoint, int64_t after, int64_t limit)
{
    TextBuilder text = {.arena = scene->arena};
    LoggedPredictionList list;

    EXPECT_OK(prediction_list(&scene->scope, endpoint, after, limit, &list), scene->scope.error);
    for (size_t i = 0; i < list.count; i++)
        text_append_format(&text, "%s%d:%s", i ? " " : "", (int)list.items[i].id,
                           list.items[i].request_id);
    return text_built(&text);
}

static void test_lists_are_in_order_by_endpoint_and_page_by_id(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    const FixturePrediction first[] = {
        {"a", .text = "1"},
        {"b", .text = "1", .endpoint = "other", .deployment_id = 8},
        {"c", .text = "1"},
        {"d", .text = "1", .deployment_id = 9},
    };
    const FixturePrediction second[] = {{"e", .text = "1"}, {"f", .text = "1"}};

    log_all(&scene, first, 4);
    log_all(&scene, second, 2);
    EXPECT_TEXT(ids_after(&scene, NULL, 0, 100), "1:a 2:c 3:b 4:d 5:e 6:f");
    EXPECT_TEXT(ids_after(&scene, NULL, 1, 4), "2:c 3:b 4:d 5:e");
    EXPECT_TEXT(ids_after(&scene, "spam", 0, 2), "1:a 2:c");
    EXPECT_TEXT(ids_after(&scene, "spam", 2, 100), "4:d 5:e 6:f");
    EXPECT_TEXT(ids_after(&scene, "spam", 5, 100), "6:f");
    EXPECT_TEXT(ids_after(&scene, "other", 0, 100), "3:b");
    EXPECT_TEXT(ids_after(&scene, "spam", 6, 100), "");
    EXPECT_TEXT(ids_after(&scene, "nobody", 0, 100), "");
}

static void test_each_request_is_found_by_its_id_whoever_made_it(void)
{
    enum { REQUESTS = 3000 };
    CLEANUP(scene_close) Scene scene = scene_open();
    FixturePrediction *specs = arena_array(scene.arena, FixturePrediction, REQUESTS);
    LoggedPrediction found;

    for (size_t i = 0; i < REQUESTS; i++) {
        char id[ID_TEXT_SIZE];
        int64_t now = time_now_ms();

        specs[i] = (FixturePrediction){
            .request_id = i % 3 ? arena_text(scene.arena, id_timed(id))
                                : arena_format(scene.arena, "order-%zu", i),
            .text = arena_format(scene.arena, "text %zu", i),
            .created_at = now + 1,
        };
    }
    log_all(&scene, specs, REQUESTS);
    for (size_t i = 0; i < REQUESTS; i += 7) {
        EXPECT_OK(prediction_find(&scene.scope, specs[i].request_id, &found), scene.scope.error);
        EXPECT(found.id == (int64_t)i + 1 && found.created_at == specs[i].created_at);
        EXPECT_TEXT(found.request_id, specs[i].request_id);
        EXPECT_TEXT(
            found.inputs,
            arena_format(scene.arena, "[{\"text\":\"text %zu\",\"kind\":null,\"age\":0}]", i));
    }
    EXPECT(!prediction_find(&scene.scope, "order-1", &found));
    EXPECT(scene.scope.error.kind == ERROR_NOT_FOUND);
}

static void test_of_one_id_given_often_the_newest_is_found(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    const FixturePrediction first[] = {{"again", .text = "1"}, {"again", .text = "2"}};
    const FixturePrediction second[] = {
        {"again", .text = "3"}, {"again", .text = "4"}, {"other", .text = "5"}};
    LoggedPrediction found;

    log_all(&scene, first, 2);
    log_all(&scene, second, 3);
    EXPECT_OK(prediction_find(&scene.scope, "again", &found), scene.scope.error);
    EXPECT(found.id == 4);
}

static const char old_rows[] =
    "INSERT INTO predictions VALUES"
    " (1, 'old-1', 'spam', 'comments', 2, 5, 1000, 10, 1,"
    " '[{\"label\":\"ham\",\"confidence\":0.75}]', '[{\"CONTENT\":\"a\"}]'),"
    " (2, 'old-2', 'other', 'comments', 2, 6, 2000, 20, 1, '[]', '[]')";

static void test_rows_of_before_the_batches_stay_readable(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    const FixturePrediction specs[] = {{"new", .text = "1", .created_at = 3000}};
    LoggedPrediction found;

    change_store(&scene, old_rows);
    log_all(&scene, specs, 1);
    EXPECT_TEXT(ids_after(&scene, NULL, 0, 100), "1:old-1 2:old-2 3:new");
    EXPECT_TEXT(ids_after(&scene, "spam", 0, 100), "1:old-1 3:new");
    EXPECT_TEXT(ids_after(&scene, NULL, 1, 1), "2:old-2");
    EXPECT_OK(prediction_find(&scene.scope, "old-1", &found), scene.scope.error);
    EXPECT(found.id == 1 && found.version == 2 && found.duration_us == 10);
    EXPECT_TEXT(found.answers, "[{\"label\":\"ham\",\"confidence\":0.75}]");
    EXPECT_TEXT(found.inputs, "[{\"CONTENT\":\"a\"}]");
}

static const char *ids_between(Scene *scene, const PredictionFilter *filter)
{
    CLEANUP(prediction_reader_close)
    PredictionReader reader = prediction_read(&scene->scope, filter);
    TextBuilder text = {.arena = scene->arena};

    while (prediction_reader_next(&reader))
        text_append_format(&text, "%s ", reader.current.request_id);
    EXPECT_OK(prediction_reader_end(&reader, &scene->scope.error), scene->scope.error);
    return text_built(&text);
}

static void test_the_log_is_read_by_endpoint_and_time(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    const FixturePrediction specs[] = {
        {"a", .text = "1", .created_at = 3000},
        {"b", .text = "1", .created_at = 3001, .endpoint = "other", .deployment_id = 8},
        {"c", .text = "1", .created_at = 9000},
        {"d", .text = "1", .created_at = 9001},
        {"e", .text = "1", .created_at = 60000},
    };

    change_store(&scene, old_rows);
    log_all(&scene, specs, COUNT(specs));
    EXPECT_TEXT(
        ids_between(&scene, &(PredictionFilter){.endpoint = "other", .from = 2000, .until = 3002}),
        "old-2 b ");
    EXPECT_TEXT(
        ids_between(&scene, &(PredictionFilter){.endpoint = "spam", .from = 1000, .until = 9001}),
        "old-1 a c ");
    EXPECT_TEXT(
        ids_between(&scene, &(PredictionFilter){.endpoint = "spam", .from = 9001, .until = 60001}),
        "d e ");
    EXPECT_TEXT(
        ids_between(&scene, &(PredictionFilter){.endpoint = "spam", .from = 9002, .until = 60000}),
        "");
    EXPECT_TEXT(ids_between(&scene, &(PredictionFilter){.endpoint = "other"}), "old-2 b ");
}

static void test_the_reader_gives_cells_without_json(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    const FixturePrediction specs[] = {{"a", .text = "word", .age = 4, .row_count = 2}};
    const PredictionFilter filter = {.endpoint = "spam"};
    CLEANUP(prediction_reader_close) PredictionReader reader = {0};

    log_all(&scene, specs, 1);
    reader = prediction_read(&scene.scope, &filter);
    EXPECT(prediction_reader_next(&reader) && !reader.is_old && !reader.current.answers);
    EXPECT_TEXT(reader.batch.labels.items[batch_next_answer(&reader.record).label], "spam");
    EXPECT_TEXT(reader.batch.labels.items[batch_next_answer(&reader.record).label], "ham");
    EXPECT(batch_next_cell(&reader.record, COLUMN_TEXT).text.length == 4);
    EXPECT(!batch_next_cell(&reader.record, COLUMN_CATEGORY).text.bytes);
    EXPECT(batch_next_cell(&reader.record, COLUMN_NUMBER).number == 4);
    EXPECT(!prediction_reader_next(&reader));
}

static void test_a_damaged_batch_is_named_and_hides_no_other(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    const FixturePrediction first[] = {{"a", .text = "1"}, {"b", .text = "1"}};
    const FixturePrediction second[] = {{"c", .text = "1"}};
    LoggedPredictionList list;
    LoggedPrediction found;

    log_all(&scene, first, 2);
    log_all(&scene, second, 1);
    change_store(&scene, "UPDATE prediction_batches SET bytes = x'01020304050607' WHERE id = 2");
    EXPECT(!prediction_list(&scene.scope, NULL, 0, 100, &list));
    EXPECT_TEXT(scene.scope.error.message, "predictions 1 to 2 of the log cannot be read: its "
                                           "bytes are not those of its checksum");
    scene.scope.error = (Error){0};
    EXPECT(!prediction_find(&scene.scope, "a", &found));
    EXPECT(scene.scope.error.kind == ERROR_INTERNAL);
    scene.scope.error = (Error){0};
    EXPECT_OK(prediction_find(&scene.scope, "c", &found), scene.scope.error);
    EXPECT_TEXT(ids_after(&scene, NULL, 2, 100), "3:c");
}

/* 64 KiB each: the ring and what was taken from it hold about a thousand. */
static void test_what_a_refusing_disk_leaves_is_written_later_and_what_has_no_room_is_counted(void)
{
    enum { REQUESTS = 1500 };
    CLEANUP(scene_close) Scene scene = scene_open();
    PredictionLog *log = prediction_log_create(scene.platform->writer);
    char *text = arena_alloc(scene.arena, LOGGED_INPUT_BYTES_MAX, 1);
    const FixturePrediction spec = {"a", .text = text};
    PredictionLogCounts counts;
    LoggedPrediction found;

    memset(text, 'a', LOGGED_INPUT_BYTES_MAX - 100);
    change_store(&scene, "ALTER TABLE prediction_batches RENAME TO away");
    log_one(log, &spec, scene.arena);
    prediction_log_flush(log);
    counts = prediction_log_counts(log);
    EXPECT(counts.written == 0 && counts.dropped == 0 && counts.failed_writes > 0);
    for (size_t i = 1; i < REQUESTS; i++)
        log_one(log, &spec, scene.arena);
    EXPECT(prediction_log_counts(log).dropped > 0);
    change_store(&scene, "ALTER TABLE away RENAME TO prediction_batches");
    prediction_log_flush(log);
    counts = prediction_log_counts(log);
    EXPECT(counts.written > 400 && counts.written + counts.dropped == REQUESTS);
    EXPECT_OK(prediction_find(&scene.scope, "a", &found), scene.scope.error);
    EXPECT(found.id == (int64_t)counts.written);
    prediction_log_destroy(log);
    EXPECT(atomic_load(&fixture_loaded(false)->references) == 1);
}

static void test_a_log_that_ends_on_a_refusing_disk_lets_go_of_what_it_holds(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    PredictionLog *log = prediction_log_create(scene.platform->writer);
    const FixturePrediction spec = {"a", .text = "1"};

    change_store(&scene, "ALTER TABLE prediction_batches RENAME TO away");
    for (size_t i = 0; i < 20000; i++)
        log_one(log, &spec, scene.arena);
    prediction_log_destroy(log);
    EXPECT(atomic_load(&fixture_loaded(false)->references) == 1);
}

static void test_a_full_ring_has_room_again_when_it_is_taken(void)
{
    enum { PLACE_BYTES = 1024 * 1024 };
    PredictionRing ring;
    RingPlace place;
    RingBytes taken;
    size_t places = 0;

    ring_init(&ring, LOG_RING_BYTES);
    for (; ring_reserve(&ring, PLACE_BYTES, &place); places++)
        ring_commit(&ring, &place);
    EXPECT(places == LOG_RING_BYTES / PLACE_BYTES);
    taken = ring_take(&ring);
    EXPECT(taken.size == LOG_RING_BYTES);
    EXPECT(ring_reserve(&ring, 8, &place));
    ring_commit(&ring, &place);
    ring_give_back(&ring, taken);
    taken = ring_take(&ring);
    EXPECT(taken.size == 8);
    ring_give_back(&ring, taken);
    ring_clear(&ring);
}

enum { PUTTERS = 4, PUTS = 50000 };

typedef struct Putter {
    PredictionRing *ring;
    atomic_size_t *done;
    uint64_t number;
    pthread_t thread;
} Putter;

static void *put_all(void *context)
{
    Putter *putter = context;

    for (uint64_t i = 0; i < PUTS; i++) {
        const uint64_t record[2] = {putter->number, i};
        RingPlace place;

        while (!ring_reserve(putter->ring, sizeof(record), &place))
            sched_yield();
        memcpy(place.at, record, sizeof(record));
        ring_commit(putter->ring, &place);
    }
    atomic_fetch_add(putter->done, 1);
    return NULL;
}

static void test_threads_put_into_the_ring_while_it_is_emptied(void)
{
    PredictionRing ring;
    atomic_size_t done = 0;
    Putter putters[PUTTERS];
    uint64_t next[PUTTERS] = {0};
    bool ended;

    ring_init(&ring, LOG_RING_BYTES);
    for (size_t i = 0; i < PUTTERS; i++) {
        putters[i] = (Putter){&ring, &done, i};
        EXPECT(pthread_create(&putters[i].thread, NULL, put_all, &putters[i]) == 0);
    }
    do {
        RingBytes taken;

        ended = atomic_load(&done) == PUTTERS;
        taken = ring_take(&ring);
        for (size_t at = 0; at < taken.size; at += 2 * sizeof(uint64_t)) {
            uint64_t record[2];

            memcpy(record, taken.bytes + at, sizeof(record));
            EXPECT(record[0] < PUTTERS && record[1] == next[record[0]]);
            next[record[0]]++;
        }
        ring_give_back(&ring, taken);
    } while (!ended);
    for (size_t i = 0; i < PUTTERS; i++) {
        pthread_join(putters[i].thread, NULL);
        EXPECT(next[i] == PUTS);
    }
    ring_clear(&ring);
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_lists_are_in_order_by_endpoint_and_page_by_id),
        TEST(test_each_request_is_found_by_its_id_whoever_made_it),
        TEST(test_of_one_id_given_often_the_newest_is_found),
        TEST(test_rows_of_before_the_batches_stay_readable),
        TEST(test_the_log_is_read_by_endpoint_and_time),
        TEST(test_the_reader_gives_cells_without_json),
        TEST(test_a_damaged_batch_is_named_and_hides_no_other),
        TEST(test_what_a_refusing_disk_leaves_is_written_later_and_what_has_no_room_is_counted),
        TEST(test_a_log_that_ends_on_a_refusing_disk_lets_go_of_what_it_holds),
        TEST(test_a_full_ring_has_room_again_when_it_is_taken),
        TEST(test_threads_put_into_the_ring_while_it_is_emptied),
        {0},
    };

    return test_main(tests, count, names);
}
