/* Time zones: what Python's zoneinfo says of the same files, and what is refused with which
 * sentence. */
#include "base/zone.h"

#include <pthread.h>

#include "base/file.h"
#include "tests/fixtures/zone_cases.h"
#include "tests/test.h"

#define FOLDER "tests/fixtures/zoneinfo"

enum { HOUR_MS = 3600 * 1000 };

static const char *const names[] = {"Africa/Casablanca", "America/New_York",    "America/Nuuk",
                                    "Asia/Kathmandu",    "Australia/Lord_Howe", "Europe/Amsterdam",
                                    "Europe/Dublin",     "Pacific/Apia"};

static const Zone *found(const char *name, Arena *arena)
{
    const Zone *zone = NULL;
    Error error = {0};

    EXPECT_OK(zone_find(name, arena, &zone, &error), error);
    return zone;
}

static void test_a_change_is_where_python_has_it(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();

    for (size_t i = 0; i < COUNT(zone_changes); i++) {
        const Zone *zone = found(zone_changes[i].zone, arena);
        int64_t at_ms = zone_changes[i].second * 1000;
        ZoneSpan before = zone_span_at(zone, at_ms - 1), behind = zone_span_at(zone, at_ms);

        EXPECT(before.end_ms == at_ms && before.offset_ms == zone_changes[i].before * 1000);
        EXPECT(behind.begin_ms == at_ms && behind.offset_ms == zone_changes[i].behind * 1000);
    }
}

static void test_any_moment_has_the_offset_that_python_has(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();

    for (size_t i = 0; i < COUNT(zone_moments); i++) {
        const Zone *zone = found(zone_moments[i].zone, arena);
        ZoneSpan span = zone_span_at(zone, zone_moments[i].second * 1000);

        EXPECT(span.offset_ms == (int64_t)zone_moments[i].offset * 1000);
    }
}

/* From 1800 on, each span holds its moments and the next begins where it ends. */
static void expect_spans_without_a_hole(const Zone *zone)
{
    const int64_t begin_ms = -5364662400000, end_ms = 17000000000000;
    int64_t at_ms = begin_ms;

    while (at_ms < end_ms) {
        ZoneSpan span = zone_span_at(zone, at_ms), middle;

        EXPECT(at_ms == begin_ms || span.begin_ms == at_ms);
        EXPECT(span.begin_ms <= at_ms && at_ms < span.end_ms);
        middle = zone_span_at(zone, at_ms / 2 + span.end_ms / 2);
        EXPECT(memcmp(&span, &middle, sizeof(span)) == 0);
        EXPECT(span.offset_ms > -26 * HOUR_MS && span.offset_ms < 26 * HOUR_MS);
        at_ms = span.end_ms;
    }
}

static void test_spans_follow_each_other_without_a_hole(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();

    for (size_t i = 0; i < COUNT(names); i++)
        expect_spans_without_a_hole(found(names[i], arena));
}

static void test_all_zones_of_this_system_are_read(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    TextList paths = {0};
    size_t count = 0;
    Error error = {0};

    unsetenv("TZDIR");
    if (!folder_walk("/usr/share/zoneinfo", arena, &paths, &error)) {
        printf("SKIP the system has no tz database\n");
        return;
    }
    for (size_t i = 0; i < paths.count; i++) {
        if (text_has_prefix(paths.items[i], "right/") || strchr(paths.items[i], '.') ||
            strcmp(path_name(paths.items[i]), "leapseconds") == 0 ||
            strcmp(path_name(paths.items[i]), "SECURITY") == 0)
            continue;
        expect_spans_without_a_hole(found(paths.items[i], arena));
        count++;
    }
    EXPECT(count > 100);
}

static void test_utc_needs_no_database(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    char text[TIME_TEXT_SIZE];
    ZoneSpan span;

    setenv("TZDIR", "/missing", 1);
    span = zone_span_at(found("UTC", arena), 0);
    EXPECT(span.begin_ms == INT64_MIN && span.end_ms == INT64_MAX && span.offset_ms == 0);
    EXPECT_TEXT(zone_format(found("UTC", arena), 0, text), "1970-01-01T00:00:00.000+00:00");
}

static void test_a_local_time_is_written_with_its_offset(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const int64_t at_ms = 1795191600123;
    char text[TIME_TEXT_SIZE];

    EXPECT_TEXT(zone_format(found("Europe/Amsterdam", arena), at_ms, text),
                "2026-11-20T17:20:00.123+01:00");
    EXPECT_TEXT(zone_format(found("America/New_York", arena), at_ms, text),
                "2026-11-20T11:20:00.123-05:00");
    EXPECT_TEXT(zone_format(found("Asia/Kathmandu", arena), at_ms, text),
                "2026-11-20T22:05:00.123+05:45");
}

static void test_moments_outside_of_the_calendar_have_the_nearest_span(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const Zone *zone = found("Europe/Amsterdam", arena);

    EXPECT(zone_span_at(zone, INT64_MIN).begin_ms == INT64_MIN);
    EXPECT(zone_span_at(zone, INT64_MIN).offset_ms == (19 * 60 + 32) * 1000);
    EXPECT(zone_span_at(zone, INT64_MAX).offset_ms == HOUR_MS);
}

#define NAME_SENTENCE                                                                              \
    "the name of a time zone is as \"Europe/Amsterdam\" or \"UTC\", at most 64 letters, digits, "  \
    "\"-\", \"+\" and \"_\" with \"/\" between its parts"
#define UNKNOWN(name)                                                                              \
    "the tz database has no time zone \"" name                                                     \
    "\"; its names are as \"Europe/Amsterdam\" or \"UTC\""

static const struct {
    const char *name, *message;
} refused[] = {
    {"", NAME_SENTENCE},
    {"/etc/localtime", NAME_SENTENCE},
    {"../zoneinfo/Europe/Amsterdam", NAME_SENTENCE},
    {"Europe/../Europe/Amsterdam", NAME_SENTENCE},
    {"Europe//Amsterdam", NAME_SENTENCE},
    {"Europe/Amsterdam/", NAME_SENTENCE},
    {"Europe/Amsterdam ", NAME_SENTENCE},
    {"./UTC", NAME_SENTENCE},
    {":Europe/Amsterdam", NAME_SENTENCE},
    {"Z\xC3\xBCrich", NAME_SENTENCE},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NAME_SENTENCE},
    {"Europe/Amsterdm", UNKNOWN("Europe/Amsterdm")},
    {"Europe", UNKNOWN("Europe")},
    {"CET-1CEST", UNKNOWN("CET-1CEST")},
};

static void test_a_name_that_is_none_is_refused(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();

    for (size_t i = 0; i < COUNT(refused); i++) {
        const Zone *zone = NULL;
        Error error = {0};

        EXPECT(!zone_find(refused[i].name, arena, &zone, &error) && !zone);
        EXPECT_TEXT(error.message, refused[i].message);
        EXPECT(error.kind == ERROR_INVALID);
    }
}

static void test_a_missing_database_is_told(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const Zone *zone = NULL;
    Error error = {0};

    setenv("TZDIR", "/missing", 1);
    EXPECT(!zone_find("Europe/Amsterdam", arena, &zone, &error) && !zone);
    EXPECT(error.kind == ERROR_UNAVAILABLE);
    EXPECT_TEXT(
        error.message,
        "the time zone \"Europe/Amsterdam\" needs the tz database, which is not in \"/missing\"; "
        "install the package tzdata, name its folder in TZDIR, or take \"UTC\"");
}

static void test_a_file_that_is_no_zone_is_told_by_its_path(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const Zone *zone = NULL;
    const char *folder;
    Error error = {0};

    EXPECT_OK(folder_make_temporary("/tmp", arena, &folder, &error), error);
    setenv("TZDIR", folder, 1);
    EXPECT(file_write(arena_format(arena, "%s/list", folder), "# a list\n", 9, &error));
    EXPECT(file_write(arena_format(arena, "%s/short", folder), "TZif2", 5, &error));
    EXPECT(!zone_find("list", arena, &zone, &error));
    EXPECT_TEXT(error.message, UNKNOWN("list"));
    EXPECT(!zone_find("short", arena, &zone, &error));
    EXPECT_TEXT(error.message,
                arena_format(arena,
                             "the file \"%s/short\" of the time zone \"short\": it is "
                             "not TZif data (RFC 8536)",
                             folder));
    EXPECT_OK(folder_remove(folder, &error), error);
}

static void test_a_file_that_is_cut_is_refused_wherever(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const char *bytes;
    size_t size;
    Error error = {0};

    EXPECT_OK(file_read(FOLDER "/Europe/Amsterdam", 4096, arena, &bytes, &size, &error), error);
    for (size_t length = 0; length < size; length++) {
        char *cut = malloc(length + 1); /* exactly so long that reading behind it is found */
        const Zone *zone = NULL;

        error = (Error){0};
        memcpy(cut, bytes, length);
        EXPECT(!zone_parse(cut, length, arena, &zone, &error) && !zone && error.message[0]);
        free(cut);
    }
}

typedef struct File {
    char bytes[256];
    size_t size;
} File;

static void put_header(File *file, char version, const unsigned char counts[6])
{
    char *header = file->bytes + file->size;

    memcpy(header, "TZif", 4);
    header[4] = version;
    for (int i = 0; i < 6; i++)
        header[20 + 4 * i + 3] = (char)counts[i];
    file->size += 44;
}

static void put(File *file, const char *bytes, size_t size)
{
    memcpy(file->bytes + file->size, bytes, size);
    file->size += size;
}

static void test_a_file_of_the_first_version_has_its_table_alone(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    static const unsigned char counts[6] = {0, 0, 0, 1, 2, 1};
    File file = {0};
    const Zone *zone = NULL;
    Error error = {0};

    put_header(&file, 0, counts);
    put(&file, "\xff\xff\xff\xff\1", 5);                        /* a second before 1970 */
    put(&file, "\0\0\0\0\0\0\xff\xff\xf1\xf0\0\0A", 6 + 6 + 1); /* 0, an hour behind */
    EXPECT_OK(zone_parse(file.bytes, file.size, arena, &zone, &error), error);
    EXPECT(zone_span_at(zone, -1001).offset_ms == 0);
    EXPECT(zone_span_at(zone, -1000).offset_ms == -HOUR_MS);
    EXPECT(zone_span_at(zone, -1000).end_ms == INT64_MAX);
}

static const struct {
    unsigned char counts[6];
    const char *block;
    size_t size;
    const char *message;
} damaged[] = {
    {{0, 0, 0, 0, 0, 0}, "", 0, "its table is damaged"},                        /* no type */
    {{0, 0, 0, 0, 1, 0}, "\x7f\xff\xff\xff\0\0", 6, "its table is damaged"},    /* 68 years ahead */
    {{0, 0, 0, 1, 1, 0}, "\0\0\0\0\1\0\0\0\0\0\0", 11, "its table is damaged"}, /* no second type */
    {{0, 0, 0, 2, 1, 0},
     "\0\0\0\1\0\0\0\1\0\0\0\0\0\0\0\0",
     16,
     "its table is damaged"}, /* twice */
    {{0, 0, 1, 0, 1, 0},
     "\0\0\0\0\0\0\0\0\0\0\0\0\0\1",
     14,
     "it counts leap seconds, and only zones that do not are read"},
};

static void test_what_is_wrong_in_a_file_is_told(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();

    for (size_t i = 0; i < COUNT(damaged); i++) {
        const Zone *zone = NULL;
        Error error = {0};
        File file = {0};

        put_header(&file, 0, damaged[i].counts);
        put(&file, damaged[i].block, damaged[i].size);
        EXPECT(!zone_parse(file.bytes, file.size, arena, &zone, &error) && !zone);
        EXPECT_TEXT(error.message, damaged[i].message);
    }
}

static void *find_and_use(void *context)
{
    bool *is_done = context;

    for (size_t i = 0; i < COUNT(names); i++) {
        CLEANUP(arena_cleanup) Arena *arena = arena_create();

        expect_spans_without_a_hole(found(names[i], arena));
    }
    *is_done = true;
    return NULL;
}

static void test_threads_find_zones_at_once(void)
{
    bool are_done[4] = {0};
    pthread_t threads[COUNT(are_done)];

    for (size_t i = 0; i < COUNT(threads); i++)
        EXPECT(pthread_create(&threads[i], NULL, find_and_use, &are_done[i]) == 0);
    for (size_t i = 0; i < COUNT(threads); i++)
        EXPECT(pthread_join(threads[i], NULL) == 0 && are_done[i]);
}

int main(int count, char **arguments)
{
    static const Test tests[] = {TEST(test_a_change_is_where_python_has_it),
                                 TEST(test_any_moment_has_the_offset_that_python_has),
                                 TEST(test_spans_follow_each_other_without_a_hole),
                                 TEST(test_all_zones_of_this_system_are_read),
                                 TEST(test_utc_needs_no_database),
                                 TEST(test_a_local_time_is_written_with_its_offset),
                                 TEST(test_moments_outside_of_the_calendar_have_the_nearest_span),
                                 TEST(test_a_name_that_is_none_is_refused),
                                 TEST(test_a_missing_database_is_told),
                                 TEST(test_a_file_that_is_no_zone_is_told_by_its_path),
                                 TEST(test_a_file_that_is_cut_is_refused_wherever),
                                 TEST(test_a_file_of_the_first_version_has_its_table_alone),
                                 TEST(test_what_is_wrong_in_a_file_is_told),
                                 TEST(test_threads_find_zones_at_once),
                                 {0}};

    setenv("TZDIR", FOLDER, 1);
    return test_main(tests, count, arguments);
}
