#include <archive.h>
#include <archive_entry.h>

#include "base/file.h"
#include "net/archive.h"
#include "tests/test.h"

typedef struct Made {
    const char *name;
    const char *content; /* NULL: not a regular file */
    const char *link;
    mode_t type; /* 0: a regular file */
} Made;

static const char *scratch_folder(Arena *arena)
{
    const char *path;
    Error error;

    EXPECT_OK(folder_make_temporary("/tmp", arena, &path, &error), error);
    return path;
}

static void scratch_remove(const char *folder)
{
    Error error;

    EXPECT_OK(folder_remove(folder, &error), error);
}

static void write_entry(struct archive *archive, const Made *made)
{
    struct archive_entry *entry = archive_entry_new();
    size_t size = made->content ? strlen(made->content) : 0;

    archive_entry_set_pathname(entry, made->name);
    archive_entry_set_filetype(entry, made->type ? made->type : AE_IFREG);
    archive_entry_set_perm(entry, 04777);
    archive_entry_set_size(entry, (la_int64_t)size);
    if (made->link && made->type == AE_IFLNK)
        archive_entry_set_symlink(entry, made->link);
    else if (made->link)
        archive_entry_set_hardlink(entry, made->link);
    EXPECT(archive_write_header(archive, entry) >= ARCHIVE_WARN);
    if (size)
        EXPECT(archive_write_data(archive, made->content, size) == (la_ssize_t)size);
    archive_entry_free(entry);
}

static struct archive *archive_begin(const char *path, bool is_zip)
{
    struct archive *archive = archive_write_new();

    if (is_zip) {
        archive_write_set_format_zip(archive);
    } else {
        archive_write_set_format_pax_restricted(archive);
        archive_write_add_filter_gzip(archive);
    }
    EXPECT(archive_write_open_filename(archive, path) == ARCHIVE_OK);
    return archive;
}

static const char *make_archive(const char *folder, Arena *arena, bool is_zip, const Made *entries,
                                size_t count)
{
    const char *path = arena_format(arena, "%s/made", folder);
    struct archive *archive = archive_begin(path, is_zip);

    for (size_t i = 0; i < count; i++)
        write_entry(archive, &entries[i]);
    EXPECT(archive_write_close(archive) == ARCHIVE_OK);
    archive_write_free(archive);
    return path;
}

static void test_files_come_out_of_zip_and_tar(void)
{
    static const Made entries[] = {
        {"./", NULL, NULL, AE_IFDIR},
        {"./data/", NULL, NULL, AE_IFDIR},
        {"./data/a.csv", "x,y\n1,2\n"},
        {"data/deep/er/b.csv", "z\n"},
        {"empty", ""},
    };

    for (int is_zip = 0; is_zip < 2; is_zip++) {
        CLEANUP(arena_cleanup) Arena *arena = arena_create();
        const char *folder = scratch_folder(arena), *bytes;
        const char *target = arena_format(arena, "%s/out", folder);
        ArchiveSpec spec = {make_archive(folder, arena, is_zip, entries, COUNT(entries))};
        ArchiveEntryList listed, unpacked;
        TextList paths = {0};
        size_t size;
        Error error;

        EXPECT_OK(archive_list(&spec, arena, &listed, &error), error);
        EXPECT(listed.count == 3);
        EXPECT_TEXT(listed.items[0].path, "data/a.csv");
        EXPECT(listed.items[0].size == 8);
        EXPECT(!folder_exists(target));

        EXPECT_OK(archive_unpack(&spec, target, arena, &unpacked, &error), error);
        EXPECT(unpacked.count == 3);
        EXPECT_OK(folder_walk(target, arena, &paths, &error), error);
        EXPECT(paths.count == 3);
        EXPECT_TEXT(paths.items[1], "data/deep/er/b.csv");
        EXPECT_OK(file_read(arena_format(arena, "%s/data/a.csv", target), 100, arena, &bytes, &size,
                            &error),
                  error);
        EXPECT_TEXT(bytes, "x,y\n1,2\n");
        EXPECT(access(arena_format(arena, "%s/data/a.csv", target), X_OK) != 0);

        /* The target has files now, and keeps them. */
        EXPECT(!archive_unpack(&spec, target, arena, &unpacked, &error));
        EXPECT_OK(folder_list(folder, arena, &paths, &error), error);
        scratch_remove(folder);
    }
}

/* A zip and a tar with a harmless file and one more must be refused, and leave nothing. */
static void expect_refused(const Made *bad, bool is_zip, const char *reason)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const char *folder = scratch_folder(arena);
    const char *target = arena_format(arena, "%s/out", folder);
    const Made entries[] = {{"good.csv", "1"}, *bad};
    ArchiveSpec spec = {make_archive(folder, arena, is_zip, entries, 2)};
    ArchiveEntryList unpacked = {0};
    TextList names = {0};
    Error error = {0};

    EXPECT(!archive_unpack(&spec, target, arena, &unpacked, &error));
    EXPECT(unpacked.count == 0);
    EXPECT(error.kind == ERROR_INVALID);
    if (!strstr(error.message, reason)) {
        fprintf(stderr, "\"%s\" was refused as: %s\n", bad->name, error.message);
        exit(1);
    }
    EXPECT_OK(folder_list(folder, arena, &names, &error), error);
    EXPECT(names.count == 1); /* the archive itself */
    scratch_remove(folder);
}

static void test_names_that_leave_the_folder_are_refused(void)
{
    static const struct {
        Made entry;
        const char *reason;
    } rows[] = {
        {{"../evil", "x"}, "\"../evil\" in the archive"},
        {{"a/../../evil", "x"}, "plain relative path"},
        {{"/etc/evil", "x"}, "absolute"},
        {{"C:/evil", "x"}, "absolute"},
        {{"..\\evil", "x"}, "evil\" in the archive has a name"}, /* read as "../evil" from a zip */
        {{"a\nb", "x"}, "characters"},
        {{"a//b", "x"}, "plain relative path"},
        {{"../folder/", NULL, NULL, AE_IFDIR}, "plain relative path"},
        {{"good.csv", "x"}, "appears twice"},
        {{"good.csv/inside", "x"}, "needs a folder where a file is"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        expect_refused(&rows[i].entry, true, rows[i].reason);
        expect_refused(&rows[i].entry, false, rows[i].reason);
    }
}

static void test_links_and_devices_are_refused(void)
{
    expect_refused(&(Made){"link", NULL, "/etc/passwd", AE_IFLNK}, true, "is a link");
    expect_refused(&(Made){"link", NULL, "/etc/passwd", AE_IFLNK}, false, "is a link");
    expect_refused(&(Made){"hard", NULL, "good.csv", AE_IFREG}, false, "is a link");
    expect_refused(&(Made){"pipe", NULL, NULL, AE_IFIFO}, false, "is not a regular file");
    expect_refused(&(Made){"disk", NULL, NULL, AE_IFBLK}, false, "is not a regular file");
}

static void test_a_name_in_utf8_comes_out_as_it_is(void)
{
    static const Made entries[] = {{"donn\xc3\xa9"
                                    "es.csv",
                                    "1\n"}};
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const char *folder = scratch_folder(arena);
    ArchiveSpec spec = {make_archive(folder, arena, false, entries, 1)};
    ArchiveEntryList listed;
    Error error;

    EXPECT_OK(archive_list(&spec, arena, &listed, &error), error);
    EXPECT_TEXT(listed.items[0].path, entries[0].name);
    scratch_remove(folder);
}

static void expect_too_large(const ArchiveSpec *spec, const char *folder, const char *reason)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const char *target = arena_format(arena, "%s/out", folder);
    ArchiveEntryList entries;
    Error error = {0};

    EXPECT(!archive_list(spec, arena, &entries, &error));
    EXPECT(error.kind == ERROR_TOO_LARGE);
    EXPECT(strstr(error.message, reason));
    EXPECT(!archive_unpack(spec, target, arena, &entries, &error));
    EXPECT(error.kind == ERROR_TOO_LARGE);
    EXPECT(!folder_exists(target));
}

static void test_limits_hold(void)
{
    static const Made entries[] = {{"a", "12345"}, {"b", "67890"}, {"c", ""}};
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const char *folder = scratch_folder(arena);
    ArchiveSpec spec = {make_archive(folder, arena, true, entries, 3)};
    ArchiveEntryList listed;
    Error error;

    spec.limits = (ArchiveLimits){.file_count_max = 3, .bytes_max = 10};
    EXPECT_OK(archive_list(&spec, arena, &listed, &error), error);
    spec.limits.bytes_max = 9;
    expect_too_large(&spec, folder, "more than 9 bytes unpacked, reached in \"b\"");
    spec.limits = (ArchiveLimits){.file_count_max = 2};
    expect_too_large(&spec, folder, "more than 2 files");
    scratch_remove(folder);
}

static void test_a_bomb_is_refused(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const char *folder = scratch_folder(arena);
    char *zeros = memset(arena_alloc(arena, 40000001, 1), '0', 40000000);
    Made entry = {"zeros", zeros};
    ArchiveSpec zip = {make_archive(folder, arena, true, &entry, 1)};

    expect_too_large(&zip, folder, "200 times its size, reached in \"zeros\"");
    ArchiveSpec tar = {make_archive(folder, arena, false, &entry, 1)};
    expect_too_large(&tar, folder, "200 times its size, reached in \"zeros\"");
    scratch_remove(folder);
}

static void test_what_is_no_archive_or_damaged_is_refused(void)
{
    static const Made entries[] = {{"a", "some text that is long enough to be deflated, deflated"}};
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const char *folder = scratch_folder(arena), *bytes;
    ArchiveSpec spec = {arena_format(arena, "%s/text", folder)};
    ArchiveEntryList listed;
    size_t size;
    Error error;

    EXPECT(!archive_list(&spec, arena, &listed, &error));
    EXPECT(error.kind == ERROR_NOT_FOUND);
    EXPECT_OK(file_write(spec.path, "a,b\n1,2\n", 8, &error), error);
    EXPECT(!archive_list(&spec, arena, &listed, &error));
    EXPECT(error.kind == ERROR_INVALID);
    EXPECT_OK(file_write(spec.path, "", 0, &error), error);
    EXPECT(!archive_list(&spec, arena, &listed, &error));

    spec.path = make_archive(folder, arena, true, entries, 1);
    EXPECT_OK(file_read(spec.path, 10000, arena, &bytes, &size, &error), error);
    char *damaged = arena_copy(arena, bytes, size);
    damaged[60] ^= 0x55; /* in the data: the checksum tells */
    EXPECT_OK(file_write(spec.path, damaged, size, &error), error);
    EXPECT(!archive_list(&spec, arena, &listed, &error));
    EXPECT(error.kind == ERROR_INVALID);
    scratch_remove(folder);
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_files_come_out_of_zip_and_tar),
        TEST(test_names_that_leave_the_folder_are_refused),
        TEST(test_links_and_devices_are_refused),
        TEST(test_a_name_in_utf8_comes_out_as_it_is),
        TEST(test_limits_hold),
        TEST(test_a_bomb_is_refused),
        TEST(test_what_is_no_archive_or_damaged_is_refused),
        {0},
    };

    return test_main(tests, count, names);
}
