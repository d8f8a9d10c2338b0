#include <archive.h>
#include <archive_entry.h>

#include "access/event.h"
#include "platform_fixture.h"
#include "tests/unit/net/http_fixture.h"

static void add(Bench *bench, const DatasetSpec *spec, DatasetVersion *version, bool *is_new)
{
    EXPECT_OK(dataset_add(&bench->scope, spec, version, is_new), bench->scope.error);
}

static void test_adding_the_same_bytes_again_makes_no_version(void)
{
    Bench bench = bench_start();
    DatasetSpec spec = bench_spam(&bench, 3);
    DatasetVersion first, again;
    EventList events = {0};
    bool is_new;

    add(&bench, &spec, &first, &is_new);
    EXPECT(is_new);
    EXPECT(first.version == 1 && first.row_count == 1138);
    add(&bench, &spec, &again, &is_new);
    EXPECT(!is_new);
    EXPECT(again.version == 1);
    EXPECT_TEXT(again.digest, first.digest);
    EXPECT_OK(event_list(&bench.scope, &(EventFilter){.object = "comments@1"}, &events),
              bench.scope.error);
    EXPECT(events.count == 1);
    EXPECT_TEXT(events.items[0].action, "dataset_version.created");
    EXPECT_TEXT(events.items[0].principal, "ada");
    bench_end(&bench);
}

static void test_adding_a_file_makes_version_2_and_version_1_still_reads_1138_rows(void)
{
    Bench bench = bench_start();
    DatasetSpec three = bench_spam(&bench, 3), four = bench_spam(&bench, 4);
    DatasetVersion version, first, latest;
    DatasetVersionList versions = {0};
    const char *rows;
    bool is_new;

    add(&bench, &three, &version, &is_new);
    add(&bench, &four, &version, &is_new);
    EXPECT(is_new && version.version == 2 && version.row_count == 1586);
    EXPECT_OK(dataset_version_find(&bench.scope, "comments", 1, &first), bench.scope.error);
    EXPECT_OK(dataset_version_find(&bench.scope, "comments", 0, &latest), bench.scope.error);
    EXPECT(first.row_count == 1138 && latest.version == 2);
    EXPECT_OK(dataset_version_list(&bench.scope, "comments", NULL, &versions), bench.scope.error);
    EXPECT(versions.count == 2 && versions.items[0].version == 2);
    EXPECT_OK(dataset_version_preview(&bench.scope, &first, 1130, 100, &rows), bench.scope.error);
    EXPECT(json_count(bench_json(&bench, rows)) == 8);
    bench_end(&bench);
}

static void test_a_preview_shows_the_first_rows_with_their_values(void)
{
    Bench bench = bench_start();
    DatasetSpec spec = bench_spam(&bench, 1);
    DatasetVersion version;
    const char *text;
    const JsonValue *row;
    JsonWalk walk;
    bool is_new;

    add(&bench, &spec, &version, &is_new);
    EXPECT_OK(dataset_version_preview(&bench.scope, &version, 0, 10, &text), bench.scope.error);
    EXPECT(json_count(bench_json(&bench, text)) == 10);
    walk = json_walk(bench_json(&bench, text));
    json_walk_next(&walk);
    row = walk.value;
    EXPECT(json_as_int(json_member(row, "CLASS"), -1) == 1);
    EXPECT_TEXT(json_as_text(json_member(row, "_file"), ""), "Youtube01-Psy.csv");
    EXPECT_TEXT(json_as_text(json_member(row, "CONTENT"), ""),
                "Huh, anyway check out this you[tube] channel: kobyoshi02");
    EXPECT_TEXT(json_as_text(json_member(row, "DATE"), ""), "2013-11-07T06:20:48.000Z");
    EXPECT(strlen(json_as_text(json_member(row, "_id"), "")) == 32);
    bench_end(&bench);
}

static void zip_add(Bench *bench, struct archive *zip, const char *name, const char *path)
{
    struct archive_entry *entry = archive_entry_new();
    const char *bytes;
    size_t size;

    EXPECT_OK(file_read(path, 1 << 20, bench->arena, &bytes, &size, &bench->scope.error),
              bench->scope.error);
    archive_entry_set_pathname(entry, name);
    archive_entry_set_size(entry, (la_int64_t)size);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    EXPECT(archive_write_header(zip, entry) == ARCHIVE_OK);
    EXPECT(archive_write_data(zip, bytes, size) == (la_ssize_t)size);
    archive_entry_free(entry);
}

static void test_a_zip_gives_the_rows_of_its_files_and_its_readme_none(void)
{
    static const char *const names[] = {"Youtube02-KatyPerry.csv", "README.md", "Youtube01-Psy.csv",
                                        "Youtube03-LMFAO.csv"};
    Bench bench = bench_start();
    DatasetSpec files = bench_spam(&bench, 3), zipped = files;
    const char *path = arena_format(bench.arena, "%s/comments.zip", bench.folder);
    struct archive *zip = archive_write_new();
    DatasetVersion one_by_one, from_zip;
    bool is_new;

    EXPECT(archive_write_set_format_zip(zip) == ARCHIVE_OK);
    EXPECT(archive_write_open_filename(zip, path) == ARCHIVE_OK);
    for (size_t i = 0; i < COUNT(names); i++)
        zip_add(&bench, zip, arena_format(bench.arena, "data/%s", names[i]),
                arena_format(bench.arena, "%s/youtube-spam/%s", data_folder(), names[i]));
    EXPECT(archive_write_free(zip) == ARCHIVE_OK);
    zipped.name = "zipped";
    zipped.files = (Tree){0};
    bench_put(&bench, path, &zipped);
    add(&bench, &files, &one_by_one, &is_new);
    add(&bench, &zipped, &from_zip, &is_new);
    EXPECT(from_zip.row_count == 1138);
    EXPECT(json_count(bench_json(&bench, from_zip.files)) == 3);
    EXPECT_TEXT(from_zip.profile, one_by_one.profile);
    bench_end(&bench);
}

static void serve_bank(void *context, HttpExchange *exchange)
{
    const HttpFileAnswer answer = {.path = context, .content_type = "text/csv"};

    bool is_asked_for = strcmp(http_exchange_path(exchange), "/bankmarketing_train.csv") == 0;
    Error error;

    if (!is_asked_for || !http_answer_file(exchange, &answer, &error))
        answer_text(exchange, 404, "no such file");
}

static void test_a_url_gives_the_rows_of_its_file_and_a_private_one_only_where_allowed(void)
{
    Bench bench = bench_start();
    char *file =
        arena_format(bench.arena, "%s/bank-marketing/bankmarketing_train.csv", data_folder());
    HttpServer *server = server_start(&(HttpServerSpec){.handle = serve_bank, .context = file});
    DatasetSpec spec = {.name = "bank", .options.target = "y"};
    DatasetVersion version;
    bool is_new;

    text_list_add(&spec.urls, bench.arena, url_of(server, bench.arena, "/bankmarketing_train.csv"));
    unsetenv("SLIPWAY_ALLOW_PRIVATE_URLS");
    EXPECT(!dataset_add(&bench.scope, &spec, &version, &is_new));
    setenv("SLIPWAY_ALLOW_PRIVATE_URLS", "1", 1);
    add(&bench, &spec, &version, &is_new);
    EXPECT(version.row_count == 32950);
    EXPECT(strstr(version.files, "\"bankmarketing_train.csv\"") != NULL);
    http_server_close(server, 5);
    bench_end(&bench);
}

static void test_bytes_that_are_not_there_are_refused_and_nothing_is_made(void)
{
    Bench bench = bench_start();
    DatasetSpec spec = bench_spam(&bench, 1);
    DatasetVersion version;
    DatasetList list = {0};
    bool is_new;

    memset(spec.files.items[0].digest, 'a', 64);
    EXPECT(!dataset_add(&bench.scope, &spec, &version, &is_new));
    EXPECT(bench.scope.error.kind == ERROR_FIELD);
    bench.scope.error = (Error){0};
    EXPECT_OK(dataset_list(&bench.scope, NULL, &list), bench.scope.error);
    EXPECT(list.count == 0);
    bench_end(&bench);
}

static void test_a_broken_file_is_refused_through_the_child_and_nothing_is_made(void)
{
    Bench bench = bench_start();
    DatasetSpec spec = {.name = "broken"};
    const char *path = arena_format(bench.arena, "%s/broken.csv", bench.folder);
    DatasetVersion version;
    Dataset dataset;
    bool is_new;

    EXPECT_OK(file_write(path, "a,b\n1,2\n3\n", 10, &bench.scope.error), bench.scope.error);
    bench_put(&bench, path, &spec);
    EXPECT(!dataset_add(&bench.scope, &spec, &version, &is_new));
    EXPECT_TEXT(bench.scope.error.message,
                "\"broken.csv\" line 3, column \"b\": the row has 1 field, the header has 2");
    EXPECT(bench.scope.error.kind == ERROR_INVALID);
    EXPECT(!dataset_find(&bench.scope, "broken", &dataset));
    EXPECT(bench.scope.error.kind == ERROR_NOT_FOUND);
    bench_end(&bench);
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_adding_the_same_bytes_again_makes_no_version),
        TEST(test_adding_a_file_makes_version_2_and_version_1_still_reads_1138_rows),
        TEST(test_a_preview_shows_the_first_rows_with_their_values),
        TEST(test_a_zip_gives_the_rows_of_its_files_and_its_readme_none),
        TEST(test_a_url_gives_the_rows_of_its_file_and_a_private_one_only_where_allowed),
        TEST(test_bytes_that_are_not_there_are_refused_and_nothing_is_made),
        TEST(test_a_broken_file_is_refused_through_the_child_and_nothing_is_made),
        {0},
    };

    if (is_step(count, names))
        return run_as_step(names[2]);
    return data_is_absent() ? test_none() : test_main(tests, count, names);
}
