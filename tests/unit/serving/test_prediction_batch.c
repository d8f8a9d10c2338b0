/* test_prediction_batch.c: what is logged comes back as it was, and what is damaged does not. */
#include <zstd.h>

#include "tests/test.h"
#include "tests/unit/serving/prediction_fixture.h"

static const char own_id[] = "0193485c6f00aabbccddeeff00112233"; /* of 1732113444608 */
static const int64_t own_time = 0x0193485c6f00;

static BatchBytes finish(BatchBuilder *batch)
{
    ZSTD_CCtx *packer = ZSTD_createCCtx();
    BatchBytes bytes = batch_finish(batch, packer);

    ZSTD_freeCCtx(packer);
    return bytes;
}

static BatchBytes batch_of(const FixturePrediction specs[], size_t count, Arena *arena)
{
    BatchBuilder batch;

    batch_begin(&batch, fixture_record(&specs[0], arena), arena);
    for (size_t i = 0; i < count; i++)
        EXPECT(batch_add(&batch, fixture_record(&specs[i], arena)));
    return finish(&batch);
}

static PredictionBatch open_batch(BatchBytes bytes, Arena *arena)
{
    PredictionBatch batch = {0};
    Error error = {0};

    EXPECT_OK(batch_open(bytes.bytes, bytes.size, arena, &batch, &error), error);
    return batch;
}

static void test_a_batch_comes_back_as_it_was(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const FixturePrediction specs[] = {
        {own_id, .created_at = own_time + 12, .duration_us = 345, .text = "a \"b\"", .age = 1.5},
        {"order-1", .created_at = own_time - 5, .text = "", .kind = "x", .age = NAN,
         .row_count = 2},
    };
    PredictionBatch batch = open_batch(batch_of(specs, 2, arena), arena);
    BatchRecord record;

    EXPECT(batch.record_count == 2 && batch.labels.count == 2 && batch.columns.count == 3);
    EXPECT(batch_next(&batch, &record));
    EXPECT_TEXT(record.request_id, own_id);
    EXPECT(record.created_at == own_time + 12 && record.duration_us == 345);
    EXPECT_TEXT(batch_answers_json(&batch, record, arena),
                "[{\"label\":\"spam\",\"confidence\":0.9}]");
    EXPECT_TEXT(batch_inputs_json(&batch, record, arena),
                "[{\"text\":\"a \\\"b\\\"\",\"kind\":null,\"age\":1.5}]");
    EXPECT(batch_next(&batch, &record));
    EXPECT_TEXT(record.request_id, "order-1");
    EXPECT(record.created_at == own_time - 5 && record.row_count == 2);
    EXPECT_TEXT(batch_answers_json(&batch, record, arena),
                "[{\"label\":\"spam\",\"confidence\":0.9},{\"label\":\"ham\",\"confidence\":0.9}]");
    EXPECT_TEXT(batch_inputs_json(&batch, record, arena),
                "[{\"text\":\"\",\"kind\":\"x\",\"age\":null},"
                "{\"text\":\"\",\"kind\":\"x\",\"age\":null}]");
    EXPECT(!batch_next(&batch, &record));
}

static void test_a_batch_of_numbers_comes_back_as_values(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const FixturePrediction specs[] = {
        {own_id, .created_at = own_time, .text = "a", .has_numbers = true, .row_count = 2},
        {"order-1", .created_at = own_time, .text = "b", .has_numbers = true},
    };
    BatchBytes bytes = batch_of(specs, 2, arena);
    PredictionBatch batch = open_batch(bytes, arena);
    BatchRecord record;

    EXPECT(bytes.bytes[0] == 2);
    EXPECT(batch.has_numbers && batch.labels.count == 0 && batch.record_count == 2);
    EXPECT(batch_next(&batch, &record));
    EXPECT_TEXT(batch_answers_json(&batch, record, arena), "[{\"value\":12.5},{\"value\":13.5}]");
    EXPECT(batch_next_answer(&record).number == 12.5);
    EXPECT(batch_next_answer(&record).number == 13.5);
    EXPECT(batch_next(&batch, &record));
    EXPECT_TEXT(record.request_id, "order-1");
    EXPECT_TEXT(batch_answers_json(&batch, record, arena), "[{\"value\":12.5}]");
    EXPECT_TEXT(batch_inputs_json(&batch, record, arena),
                "[{\"text\":\"b\",\"kind\":null,\"age\":0}]");
    EXPECT(!batch_next(&batch, &record));
}

static void test_long_inputs_are_packed_and_come_back(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    char *text = arena_alloc(arena, 10001, 1);
    FixturePrediction specs[3];
    PredictionBatch batch;
    BatchRecord record;
    BatchBytes bytes;

    memset(text, 'y', 10000);
    for (size_t i = 0; i < 3; i++)
        specs[i] = (FixturePrediction){"order-1", .text = text};
    bytes = batch_of(specs, 3, arena);
    EXPECT(bytes.size < 1000);
    batch = open_batch(bytes, arena);
    for (size_t i = 0; i < 3; i++) {
        BatchCell cell;

        EXPECT(batch_next(&batch, &record));
        cell = batch_next_cell(&record, COLUMN_TEXT);
        EXPECT(cell.text.length == 10000 && memcmp(cell.text.bytes, text, 10000) == 0);
    }
}

static void test_only_ids_that_do_not_tell_their_time_are_hashed(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const FixturePrediction specs[] = {
        {own_id, .created_at = own_time, .text = "a"},
        {own_id, .created_at = own_time + BATCH_SPAN_MS_MAX + 1, .text = "an old id again"},
        {own_id, .created_at = own_time - 1, .text = "an id of the future"},
        {"order-1", .created_at = own_time, .text = "a"},
    };

    for (size_t i = 0; i < COUNT(specs); i++) {
        BatchBuilder batch;

        batch_begin(&batch, fixture_record(&specs[i], arena), arena);
        EXPECT(batch_add(&batch, fixture_record(&specs[i], arena)));
        EXPECT(batch.ids.count == (i > 0) && batch.first_at == specs[i].created_at);
        EXPECT(!i || batch.ids.items[0] == request_id_hash(specs[i].request_id));
    }
}

static void test_no_batch_spans_more_than_its_time_or_grows_without_end(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const FixturePrediction first = {own_id, .created_at = own_time + 100, .text = "a"};
    FixturePrediction next = {"order-1", .text = "a", .created_at = own_time + BATCH_SPAN_MS_MAX};
    BatchBuilder batch;

    batch_begin(&batch, fixture_record(&first, arena), arena);
    EXPECT(batch_add(&batch, fixture_record(&first, arena)));
    EXPECT(batch.first_at == own_time && batch.last_at == own_time + 100);
    EXPECT(batch_add(&batch, fixture_record(&next, arena)));
    next.created_at++;
    EXPECT(!batch_add(&batch, fixture_record(&next, arena)));
    next.created_at = own_time - 1;
    EXPECT(!batch_add(&batch, fixture_record(&next, arena)) && batch.record_count == 2);
    while (batch_add(&batch, fixture_record(&first, arena)))
        continue;
    EXPECT(batch.heads.count + batch.inputs.count < BATCH_BYTES + 1000);
}

static void test_a_damaged_batch_is_refused_with_a_sentence(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const FixturePrediction spec = {own_id, .created_at = own_time, .text = "some text", .age = 2};
    BatchBytes bytes = batch_of(&spec, 1, arena);
    char *copy = arena_copy(arena, bytes.bytes, bytes.size);
    PredictionBatch batch;
    Error error = {0};

    for (size_t i = 0; i < bytes.size; i++) {
        copy[i] ^= 4;
        EXPECT(!batch_open(copy, bytes.size, arena, &batch, &error) && error.message[0]);
        copy[i] ^= 4;
        EXPECT(!batch_open(copy, i, arena, &batch, &error) && error.message[0]);
    }
    EXPECT_OK(batch_open(copy, bytes.size, arena, &batch, &error), error);
    copy[0] = 9;
    EXPECT(!batch_open(copy, bytes.size, arena, &batch, &error));
    EXPECT_TEXT(error.message, "its version is 9, not 1 or 2");
    copy[0] = 2;
    EXPECT(!batch_open(copy, bytes.size, arena, &batch, &error));
    EXPECT_TEXT(error.message, "its bytes are not those of its checksum");
}

static void test_ids_of_ours_tell_their_time(void)
{
    int64_t time_ms = 0;

    EXPECT(request_id_time(own_id, &time_ms) && time_ms == own_time);
    EXPECT(!request_id_time("order-1", &time_ms));
    EXPECT(!request_id_time("0193485C6F00AABBCCDDEEFF00112233", &time_ms));
    EXPECT(!request_id_time("0193485c6f00aabbccddeeff001122334", &time_ms));
    EXPECT(!request_id_time("0193485c6f00aabbccddeeff0011223g", &time_ms));
    EXPECT(!request_id_time("/193485c6f00aabbccddeeff00112233", &time_ms));
    EXPECT(!request_id_time("0193485c6f00aabb\303ddeeff00112233", &time_ms));
    EXPECT(!request_id_time("", &time_ms));
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_a_batch_comes_back_as_it_was),
        TEST(test_a_batch_of_numbers_comes_back_as_values),
        TEST(test_long_inputs_are_packed_and_come_back),
        TEST(test_only_ids_that_do_not_tell_their_time_are_hashed),
        TEST(test_no_batch_spans_more_than_its_time_or_grows_without_end),
        TEST(test_a_damaged_batch_is_refused_with_a_sentence),
        TEST(test_ids_of_ours_tell_their_time),
        {0},
    };

    return test_main(tests, count, names);
}
