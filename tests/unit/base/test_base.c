#include <signal.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/process.h"
#include "base/thread.h"
#include "base/time.h"
#include "tests/test.h"

static void test_a_reset_arena_gives_zeroed_memory_again(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();

    for (int turn = 0; turn < 3; turn++) {
        char *bytes = arena_alloc(arena, 1000, 1);

        for (int i = 0; i < 1000; i++)
            EXPECT(bytes[i] == 0);
        memset(bytes, 7, 1000);
        memset(arena_alloc(arena, 100000, 1), 7, 100000);
        memset(arena_take(arena, 3000), 7, 3000);
        arena_reset(arena);
    }
}

static void test_small_and_large_pieces_of_an_arena_are_apart(void)
{
    enum { PIECES = 200 };
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    unsigned char *pieces[PIECES];
    size_t sizes[PIECES];

    for (size_t i = 0; i < PIECES; i++) {
        sizes[i] = i % 7 ? 1 + i * 13 : 16000 + i * 97; /* around the size of a block, and small */
        pieces[i] = i % 2 ? arena_take(arena, sizes[i]) : arena_alloc(arena, sizes[i], 1);
        if (i % 2 == 0)
            for (size_t at = 0; at < sizes[i]; at++)
                EXPECT(pieces[i][at] == 0);
        memset(pieces[i], (int)i + 1, sizes[i]);
    }
    for (size_t i = 0; i < PIECES; i++)
        for (size_t at = 0; at < sizes[i]; at++)
            EXPECT(pieces[i][at] == (unsigned char)(i + 1));
}

static void test_times_read_back_and_nonsense_is_refused(void)
{
    char text[TIME_TEXT_SIZE];
    int64_t time_ms;

    EXPECT(time_parse("2026-11-20T17:20:00.5+01:00", &time_ms));
    EXPECT_TEXT(time_format(time_ms, text), "2026-11-20T16:20:00.500Z");
    EXPECT(!time_parse("2026-11-20", &time_ms));
    EXPECT(!time_parse("2026-11-20T16:20:00", &time_ms));
    EXPECT(!time_parse("2026-11-20T16:20:00Zx", &time_ms));
    EXPECT(!time_parse("2026-02-30T16:20:00Z", &time_ms));
    EXPECT(!time_parse("2026-02-29T16:20:00Z", &time_ms));
    EXPECT(time_parse("2028-02-29T16:20:00Z", &time_ms));
    EXPECT(!time_parse("2026-04-31T16:20:00Z", &time_ms));
}

static void test_only_plain_relative_paths_are_inside(void)
{
    EXPECT(path_is_inside("a") && path_is_inside("a/b.c"));
    EXPECT(!path_is_inside("") && !path_is_inside("/a") && !path_is_inside("a/../b"));
    EXPECT(!path_is_inside("a//b") && !path_is_inside("./a") && !path_is_inside("a/"));
}

static void test_a_number_is_decimal_finite_and_the_whole_text(void)
{
    static const char *const wrong[] = {"",   " 1",    "1 ",     "1,5", "0x10",     "nan", "inf",
                                        "1e", "1e999", "-1e999", "-",   "infinity", "e5"};
    double number = 7;

    for (size_t i = 0; i < COUNT(wrong); i++)
        EXPECT(!text_to_double(wrong[i], &number) && number == 7);
    EXPECT(text_to_double("-1.5e2", &number) && number == -150);
    EXPECT(text_to_double("+.5", &number) && number == 0.5);
    EXPECT(text_to_double("1e-999", &number) && number == 0);
}

static void test_a_name_that_cannot_be_names_the_users_field(void)
{
    Error error = {0};

    EXPECT(!name_check("name", "data set", "a b", &error));
    EXPECT_TEXT(error.field, "name");
    EXPECT(text_has_prefix(error.message, "a data set name has 1 to 128 letters"));
}

static void test_utf8_is_strict(void)
{
    static const char *const good[] = {"", "abc", "\xc3\xa9", "\xf0\x9f\x98\x80"};
    static const char *const bad[] = {"\xc3", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                                      "\xff"};

    for (size_t i = 0; i < COUNT(good); i++)
        EXPECT(text_is_utf8(good[i], strlen(good[i])));
    for (size_t i = 0; i < COUNT(bad); i++)
        EXPECT(!text_is_utf8(bad[i], strlen(bad[i])));
}

static void test_a_cut_leaves_whole_characters(void)
{
    EXPECT(text_cut("abc", 3) == 3 && text_cut("abc", 2) == 2 && text_cut("", 0) == 0);
    EXPECT(text_cut("a\xc3\xa9z", 2) == 1 && text_cut("a\xc3\xa9z", 3) == 3);
    EXPECT(text_cut("\xf0\x9f\x98\x80", 4) == 4);
    EXPECT(text_cut("\x80\x80\x80", 2) == 2); /* no characters at all: it goes forward */
}

static void test_files_are_written_whole_and_walked_in_order(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const char *folder, *bytes, *file;
    char digest[DIGEST_TEXT_SIZE];
    TextList paths;
    size_t size;
    Error error = {0};

    EXPECT_OK(folder_make_temporary("/tmp", arena, &folder, &error), error);
    file = arena_format(arena, "%s/b/c", folder);
    EXPECT_OK(folder_make(path_folder(file, arena), &error), error);
    EXPECT_OK(file_write(file, "abc", 3, &error), error);
    EXPECT_OK(file_copy(file, arena_format(arena, "%s/a", folder), &error), error);
    EXPECT_OK(file_read(file, 3, arena, &bytes, &size, &error), error);
    EXPECT(size == 3 && memcmp(bytes, "abc", 4) == 0);
    EXPECT(!file_read(file, 2, arena, &bytes, &size, &error) && error.kind == ERROR_TOO_LARGE);
    EXPECT_OK(digest_file(file, digest, &error), error);
    EXPECT_TEXT(digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_OK(folder_walk(folder, arena, &paths, &error), error);
    EXPECT(paths.count == 2);
    EXPECT_TEXT(paths.items[0], "a");
    EXPECT_TEXT(paths.items[1], "b/c");
    EXPECT_OK(folder_remove(folder, &error), error);
    EXPECT(!folder_exists(folder));
}

static void collect_line(void *context, const char *line)
{
    text_append_format(context, "[%s]", line);
}

static void test_a_child_is_fed_heard_and_judged(void)
{
    static const char *const arguments[] = {
        "/bin/sh", "-c", "read x; echo got $x; echo two; echo oops >&2; exit 3", NULL};
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    TextBuilder lines = {.arena = arena};
    ProcessSpec spec = {.arguments = arguments,
                        .input = "hello\n",
                        .input_size = 6,
                        .on_line = collect_line,
                        .context = &lines};
    ProcessResult result;
    Error error = {0};

    EXPECT_OK(process_run(&spec, arena, &result, &error), error);
    EXPECT_TEXT(text_built(&lines), "[got hello][two]");
    EXPECT_TEXT(result.error_output, "oops\n");
    EXPECT(result.exit_code == 3 && result.signal == 0);
}

static void test_a_child_that_takes_too_long_is_killed_with_its_children(void)
{
    static const char *const arguments[] = {"/bin/sh", "-c", "sleep 100 & sleep 100", NULL};
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    ProcessSpec spec = {.arguments = arguments, .timeout_ms = 100};
    ProcessResult result;
    Error error = {0};

    EXPECT_OK(process_run(&spec, arena, &result, &error), error);
    EXPECT(result.timed_out && result.signal == SIGKILL);
}

static void test_a_child_gets_the_priority_asked_for(void)
{
    /* its niceness, and the class of its scheduling: 0 is the usual one, 3 is batch */
    static const char *const arguments[] = {"/bin/sh", "-c",
                                            "read x; nice; cut -d ' ' -f 41 /proc/self/stat", NULL};
    static const struct {
        ProcessPriority priority;
        const char *lines;
    } rows[] = {{PRIORITY_LOW, "[10][0]"}, {PRIORITY_LOWEST, "[19][3]"}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP(arena_cleanup) Arena *arena = arena_create();
        TextBuilder lines = {.arena = arena};
        ProcessSpec spec = {.arguments = arguments,
                            .input = "go\n", /* comes when the priority is set */
                            .input_size = 3,
                            .priority = rows[i].priority,
                            .on_line = collect_line,
                            .context = &lines};
        ProcessResult result;
        Error error = {0};

        EXPECT_OK(process_run(&spec, arena, &result, &error), error);
        EXPECT_TEXT(text_built(&lines), rows[i].lines);
    }
}

static void test_a_program_that_is_not_there_is_an_error(void)
{
    static const char *const arguments[] = {"/nonexistent/program", NULL};
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    ProcessSpec spec = {.arguments = arguments};
    ProcessResult result;
    Error error = {0};

    EXPECT(!process_run(&spec, arena, &result, &error));
    EXPECT(error.kind == ERROR_NOT_FOUND);
}

static void add_one(void *context)
{
    atomic_fetch_add((atomic_int *)context, 1);
}

static void test_a_pool_runs_all_it_accepted(void)
{
    ThreadPool *pool = thread_pool_create(4, 16);
    atomic_int sum = 0;
    int accepted = 0;

    for (int i = 0; i < 1000; i++)
        accepted += thread_pool_submit(pool, add_one, &sum);
    thread_pool_destroy(pool);
    EXPECT(accepted > 0 && atomic_load(&sum) == accepted);
}

static void test_only_the_whole_secret_is_the_secret(void)
{
    static const char *const others[] = {"abd", "ab", "", "abcd", "ABC"};

    EXPECT(text_equal_secretly("abc", "abc"));
    for (size_t i = 0; i < COUNT(others); i++)
        EXPECT(!text_equal_secretly(others[i], "abc"));
}

static void test_hmacs_are_those_of_rfc_4231(void)
{
    char long_key[132] = {0};
    const struct {
        const char *key, *text, *expected;
    } cases[] = {
        {"Jefe", "what do ya want for nothing?",
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {"\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b",
         "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {long_key, "Test Using Larger Than Block-Size Key - Hash Key First",
         "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
    };

    memset(long_key, 0xaa, sizeof(long_key) - 1);
    for (size_t i = 0; i < COUNT(cases); i++) {
        unsigned char mac[HMAC_SIZE];
        char digits[DIGEST_TEXT_SIZE];

        hmac_bytes(cases[i].key, strlen(cases[i].key), cases[i].text, strlen(cases[i].text), mac);
        EXPECT_TEXT(hex_format(mac, sizeof(mac), digits), cases[i].expected);
    }
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_a_reset_arena_gives_zeroed_memory_again),
        TEST(test_small_and_large_pieces_of_an_arena_are_apart),
        TEST(test_times_read_back_and_nonsense_is_refused),
        TEST(test_only_plain_relative_paths_are_inside),
        TEST(test_a_number_is_decimal_finite_and_the_whole_text),
        TEST(test_a_name_that_cannot_be_names_the_users_field),
        TEST(test_utf8_is_strict),
        TEST(test_a_cut_leaves_whole_characters),
        TEST(test_files_are_written_whole_and_walked_in_order),
        TEST(test_a_child_is_fed_heard_and_judged),
        TEST(test_a_child_that_takes_too_long_is_killed_with_its_children),
        TEST(test_a_child_gets_the_priority_asked_for),
        TEST(test_a_program_that_is_not_there_is_an_error),
        TEST(test_a_pool_runs_all_it_accepted),
        TEST(test_hmacs_are_those_of_rfc_4231),
        TEST(test_only_the_whole_secret_is_the_secret),
        {0},
    };

    return test_main(tests, count, names);
}
