/* platform_fixture.h: a platform in a new folder, and files of the data folder put into it. The
 * test program starts itself for steps: see run_as_step(). */
#pragma once

#include "access/platform.h"
#include "base/file.h"
#include "data/dataset.h"
#include "data/steps.h"
#include "tests/test.h"

typedef struct Bench {
    Arena *arena;
    const char *folder;
    Platform *platform;
    Session session;
    Scope scope;
} Bench;

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

static inline bool is_step(int count, char **arguments)
{
    return count == 3 && strcmp(arguments[1], "step") == 0;
}

static inline int run_as_step(const char *name)
{
    static const WorkerStep *const tables[] = {data_steps, NULL};

    return worker_main(tables, name);
}

static inline Bench bench_start(void)
{
    Bench bench = {.arena = arena_create()};
    Error error = {0};

    EXPECT_OK(folder_make_temporary("/tmp", bench.arena, &bench.folder, &error), error);
    EXPECT_OK(platform_open(bench.folder, &bench.platform, &error), error);
    EXPECT_OK(session_open(bench.platform, &bench.session, &error), error);
    bench.scope =
        session_scope(&bench.session, bench.platform, (Principal){"ada", ROLE_CONTRIBUTOR});
    return bench;
}

static inline void bench_end(Bench *bench)
{
    Error error = {0};

    session_close(&bench->session);
    platform_close(bench->platform);
    EXPECT_OK(folder_remove(bench->folder, &error), error);
    arena_destroy(bench->arena);
}

/* Puts a file ("youtube-spam/Youtube01-Psy.csv") among the files of a spec, under its own name. */
static inline void bench_put(Bench *bench, const char *path, DatasetSpec *spec)
{
    Artifact artifact;
    TreeEntry entry = {.path = path_name(path)};
    const char *full =
        *path == '/' ? path : arena_format(bench->arena, "%s/%s", data_folder(), path);

    EXPECT_OK(artifact_add_file(bench->platform->artifacts, full, &artifact, &bench->scope.error),
              bench->scope.error);
    memcpy(entry.digest, artifact.digest, sizeof(entry.digest));
    *arena_push(bench->arena, &spec->files) = entry;
}

static inline const JsonValue *bench_json(Bench *bench, const char *text)
{
    const JsonValue *value;

    EXPECT_OK(json_parse(text, strlen(text), bench->arena, &value, &bench->scope.error),
              bench->scope.error);
    return value;
}

/* The comments of the first count videos, of which only the text counts. */
static inline DatasetSpec bench_spam(Bench *bench, size_t count)
{
    static const char *const videos[] = {
        "youtube-spam/Youtube01-Psy.csv",     "youtube-spam/Youtube02-KatyPerry.csv",
        "youtube-spam/Youtube03-LMFAO.csv",   "youtube-spam/Youtube04-Eminem.csv",
        "youtube-spam/Youtube05-Shakira.csv",
    };
    DatasetSpec spec = {.name = "comments", .source = "youtube-spam", .options.target = "CLASS"};

    spec.options.columns = bench_json(bench, "{\"CONTENT\": \"text\", \"COMMENT_ID\": \"ignore\","
                                             " \"AUTHOR\": \"ignore\", \"DATE\": \"ignore\"}");
    for (size_t i = 0; i < count; i++)
        bench_put(bench, videos[i], &spec);
    return spec;
}
