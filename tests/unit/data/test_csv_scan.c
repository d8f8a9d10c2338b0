#include "data/csv_scan.h"

#include <unistd.h>

#include "base/file.h"
#include "tests/test.h"

static const CsvDialect plain = {',', '"'};

/* Each found by the fuzzer or in somebody's file. */
static const struct Sample {
    const char *bytes;
    int64_t records;
} samples[] = {
    {"", 0},
    {"\n\n", 0},
    {"a,b", 1},
    {"a,b\r\n1,2\r\n", 2},
    {"a\n\"x\ny\"\n", 2},
    {"a\n\"x\r\"\nb\n", 3}, /* a return that ends a quoted text is not half of a line end */
    {"a\r\n\"x\r\n\"\r\nb", 3},
};

static const char *written(const char *bytes, Arena *arena)
{
    const char *folder, *path;
    Error error = {0};

    EXPECT_OK(folder_make_temporary("/tmp", arena, &folder, &error), error);
    path = arena_format(arena, "%s/table.csv", folder);
    EXPECT_OK(file_write(path, bytes, strlen(bytes), &error), error);
    return path;
}

static void remove_folder_of(const char *path)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();

    unlink(path);
    rmdir(arena_copy(arena, path, (size_t)(strrchr(path, '/') - path)));
}

static void test_records_are_counted_as_rfc_4180_ends_them(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();

    for (size_t i = 0; i < COUNT(samples); i++) {
        const char *path = written(samples[i].bytes, arena);
        CsvFacts facts = {0};
        Error error = {0};

        EXPECT_OK(csv_check(path, plain, &facts, &error), error);
        if (facts.record_count != samples[i].records)
            printf("sample %zu has %d records\n", i, (int)facts.record_count);
        EXPECT(facts.record_count == samples[i].records);
        remove_folder_of(path);
    }
}

static void test_a_copy_from_latin_1_has_no_byte_order_mark_for_letters(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const char *path = written("\xef\xbb\xbfname\n\xe9\n", arena);
    const char *copy = arena_format(arena, "%s-copy", path);
    TextList fields = {0};
    Error error = {0};

    EXPECT_OK(csv_copy(&(CsvCopy){path, copy, true, false}, &error), error);
    EXPECT_OK(csv_read_first(copy, plain, arena, &fields, &error), error);
    EXPECT(fields.count == 1);
    EXPECT_TEXT(fields.items[0], "name");
    unlink(copy);
    remove_folder_of(path);
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_records_are_counted_as_rfc_4180_ends_them),
        TEST(test_a_copy_from_latin_1_has_no_byte_order_mark_for_letters),
        {0},
    };

    return test_main(tests, count, names);
}
