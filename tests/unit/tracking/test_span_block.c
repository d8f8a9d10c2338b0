#include "tracking/span_block.h"

#include "tests/test.h"

static const SpanList two = {
    (Span[]){
        {"0123456789abcdef", true, 1795732118953657411, "{\"name\":\"root\"}"},
        {"fedcba9876543210", false, 0, ""},
    },
    2,
};

static void test_spans_are_read_as_they_were_written(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    SpanBlock block;
    SpanList spans = {0};
    Error error = {0};

    EXPECT_OK(span_block_write(&two, arena, &block, &error), error);
    EXPECT_OK(span_block_read(block.bytes, block.size, arena, &spans, &error), error);
    EXPECT(spans.count == 2);
    for (size_t i = 0; i < 2; i++) {
        EXPECT_TEXT(spans.items[i].id, two.items[i].id);
        EXPECT_TEXT(spans.items[i].json, two.items[i].json);
        EXPECT(spans.items[i].is_root == two.items[i].is_root);
        EXPECT(spans.items[i].started_ns == two.items[i].started_ns);
    }
}

static void test_blocks_are_read_behind_one_another(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    SpanBlock block;
    SpanList spans = {0};
    Error error = {0};

    EXPECT_OK(span_block_write(&two, arena, &block, &error), error);
    for (size_t i = 0; i < 3; i++)
        EXPECT_OK(span_block_read(block.bytes, block.size, arena, &spans, &error), error);
    EXPECT(spans.count == 6);
}

static void test_a_block_with_any_byte_changed_is_refused(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    SpanBlock block;
    Error error = {0};

    EXPECT_OK(span_block_write(&two, arena, &block, &error), error);
    for (size_t i = 0; i < block.size; i++) {
        char *bytes = arena_copy(arena, block.bytes, block.size);
        SpanList spans = {0};

        bytes[i] ^= 0x11;
        EXPECT(!span_block_read(bytes, block.size, arena, &spans, &error));
        EXPECT_TEXT(error.message, "a block of a trace's spans is damaged");
        EXPECT(!span_block_read(block.bytes, i, arena, &spans, &error) && spans.count == 0);
    }
}

static void test_more_bytes_than_are_read_back_are_not_written(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    char *json = arena_take(arena, SPAN_BLOCK_BYTES_MAX + 1);
    SpanBlock block = {0};
    Error error = {0};

    memset(json, 'x', SPAN_BLOCK_BYTES_MAX);
    json[SPAN_BLOCK_BYTES_MAX] = '\0';
    EXPECT(!span_block_write(&(SpanList){&(Span){.json = json}, 1}, arena, &block, &error));
    EXPECT(error.kind == ERROR_INVALID && !block.bytes);
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_spans_are_read_as_they_were_written),
        TEST(test_blocks_are_read_behind_one_another),
        TEST(test_a_block_with_any_byte_changed_is_refused),
        TEST(test_more_bytes_than_are_read_back_are_not_written),
        {0},
    };

    return test_main(tests, count, names);
}
