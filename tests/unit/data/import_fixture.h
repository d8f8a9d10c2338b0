/* import_fixture.h: runs "import-data" in this process on files of the data folder or made-up ones.
 */
#pragma once

#include "base/digest.h"
#include "base/file.h"
#include "base/json.h"
#include "data/steps.h"
#include "tests/test.h"

typedef struct Fixture {
    Arena *arena;
    const char *folder, *rows;
    JsonWriter *files;
    const JsonValue *result;
    Error error;
} Fixture;

static inline const char *data_folder(void)
{
    const char *folder = getenv("SLIPWAY_DATA");

    return folder && *folder ? folder : "../shared/data";
}

static inline bool data_is_absent(void)
{
    if (folder_exists(data_folder()))
        return false;
    printf("SKIP: no data in %s (set SLIPWAY_DATA)\n", data_folder());
    return true;
}

static inline Fixture fixture_start(void)
{
    Fixture fixture = {.arena = arena_create()};

    EXPECT_OK(folder_make_temporary("/tmp", fixture.arena, &fixture.folder, &fixture.error),
              fixture.error);
    fixture.rows = arena_format(fixture.arena, "%s/rows.parquet", fixture.folder);
    fixture.files = json_writer_create(fixture.arena);
    json_open_array(fixture.files, NULL);
    return fixture;
}

static inline void fixture_end(Fixture *fixture)
{
    EXPECT_OK(folder_remove(fixture->folder, &fixture->error), fixture->error);
    arena_destroy(fixture->arena);
}

static inline void fixture_add_path(Fixture *fixture, const char *name, const char *path)
{
    json_open_object(fixture->files, NULL);
    json_text(fixture->files, "path", name);
    json_text(fixture->files, "file", path);
    json_close(fixture->files);
}

/* A file of the data folder: "youtube-spam/Youtube01-Psy.csv". */
static inline void fixture_add(Fixture *fixture, const char *path)
{
    char absolute[4096];

    EXPECT(realpath(arena_format(fixture->arena, "%s/%s", data_folder(), path), absolute));
    fixture_add_path(fixture, path_name(path), arena_text(fixture->arena, absolute));
}

static inline void fixture_add_bytes(Fixture *fixture, const char *name, const char *bytes,
                                     size_t size)
{
    const char *path = arena_format(fixture->arena, "%s/%s", fixture->folder, name);

    EXPECT_OK(file_write(path, bytes, size, &fixture->error), fixture->error);
    fixture_add_path(fixture, name, path);
}

static inline bool fixture_run(Fixture *fixture, const char *options)
{
    JsonWriter *json = json_writer_create(fixture->arena);
    JsonWriter *result = json_writer_create(fixture->arena);
    const JsonValue *job;
    const char *text;

    json_close(fixture->files);
    json_open_object(json, NULL);
    json_raw(json, "files", json_finish(fixture->files));
    json_raw(json, "options", options);
    json_text(json, "folder", fixture->folder);
    json_text(json, "rows", fixture->rows);
    json_close(json);
    text = json_finish(json);
    EXPECT_OK(json_parse(text, strlen(text), fixture->arena, &job, &fixture->error),
              fixture->error);
    json_open_object(result, NULL);
    if (!import_data_step(job, result, fixture->arena, &fixture->error))
        return false;
    json_close(result);
    text = json_finish(result);
    EXPECT_OK(json_parse(text, strlen(text), fixture->arena, &fixture->result, &fixture->error),
              fixture->error);
    return true;
}

static inline int64_t fixture_rows(const Fixture *fixture)
{
    return json_as_int(json_member(fixture->result, "row_count"), -1);
}

static inline const JsonValue *fixture_profile(const Fixture *fixture)
{
    return json_member(fixture->result, "profile");
}

/* The column's part of the profile, which has its type too. */
static inline const JsonValue *fixture_column(const Fixture *fixture, const char *name)
{
    for (JsonWalk walk = json_walk(json_member(fixture_profile(fixture), "columns"));
         json_walk_next(&walk);)
        if (strcmp(json_as_text(json_member(walk.value, "name"), ""), name) == 0)
            return walk.value;
    return NULL;
}

static inline const char *fixture_type(const Fixture *fixture, const char *name)
{
    return json_as_text(json_member(fixture_column(fixture, name), "type"), "(no such column)");
}
