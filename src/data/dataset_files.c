#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "data/dataset_internal.h"
#include "net/archive.h"
#include "net/http_client.h"

enum { FILES_MAX = 10000 };

static bool is_archive_name(const char *name)
{
    static const char *const suffixes[] = {".zip", ".tar", ".tgz", ".tar.gz"};

    for (size_t i = 0; i < COUNT(suffixes); i++)
        if (text_has_suffix(name, suffixes[i]))
            return true;
    return false;
}

/* A zip is known by its bytes too, as a URL may not tell by its name. */
static bool is_zip(const char *path)
{
    char start[4] = "";
    FILE *file = fopen(path, "rbe");

    if (!file)
        return false;
    if (fread(start, 1, sizeof(start), file) != sizeof(start))
        start[0] = 0;
    fclose(file);
    return memcmp(start, "PK\x03\x04", sizeof(start)) == 0;
}

static bool add_file(Scope *scope, Tree *files, const char *name, const char *path)
{
    TreeEntry entry = {.path = name};
    Artifact artifact;

    if (!artifact_add_file(scope->platform->artifacts, path, &artifact, &scope->error))
        return false;
    memcpy(entry.digest, artifact.digest, sizeof(entry.digest));
    entry.size = artifact.size;
    *arena_push(scope->arena, files) = entry;
    return true;
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp(((const ArchiveEntry *)a)->path, ((const ArchiveEntry *)b)->path);
}

/* The files with rows, in the order of their names: an archive's own order is an accident. */
static bool expand(Scope *scope, const char *archive, const char *folder, Tree *files)
{
    const ArchiveSpec spec = {.path = archive, .limits = {.file_count_max = FILES_MAX}};
    ArchiveEntryList entries = {0};
    const char *target = arena_format(scope->arena, "%s/unpacked-%zu", folder, files->count);
    size_t before = files->count;

    if (!archive_unpack(&spec, target, scope->arena, &entries, &scope->error))
        return false;
    qsort(entries.items, entries.count, sizeof(*entries.items), compare_paths);
    for (size_t i = 0; i < entries.count; i++) {
        const char *path = entries.items[i].path;

        if (dataset_file_has_rows(path) &&
            !add_file(scope, files, path, arena_format(scope->arena, "%s/%s", target, path)))
            return false;
    }
    return files->count > before ||
           fail(&scope->error, ERROR_INVALID,
                "the archive holds no file of rows (csv, tsv, jsonl, json or parquet)");
}

static bool add_blob(Scope *scope, const TreeEntry *entry, const char *folder, Tree *files)
{
    ArtifactStore *store = scope->platform->artifacts;
    const char *path;
    TreeEntry taken = *entry;

    if (!path_is_inside(entry->path))
        return fail_field(&scope->error, "files", "\"%.256s\" is not a plain relative path",
                          entry->path);
    if (!artifact_claim(store, entry->digest, &scope->error))
        return (scope->error.kind == ERROR_NOT_FOUND || scope->error.kind == ERROR_INVALID) &&
               fail_field(
                   &scope->error, "files",
                   "the bytes of \"%.256s\" are not here: put them to /api/v1/artifacts/%.64s "
                   "first",
                   entry->path, entry->digest);
    path = artifact_path(store, entry->digest, scope->arena);
    if (is_archive_name(entry->path) || is_zip(path))
        return expand(scope, path, folder, files) || fail_in(&scope->error, "\"%s\"", entry->path);
    if (!file_size(path, &taken.size, &scope->error))
        return false;
    *arena_push(scope->arena, files) = taken;
    return true;
}

/* "https://host/a/train.csv?x=1" is "train.csv". */
static const char *name_of_url(const char *url, Arena *arena)
{
    const char *start = strstr(url, "://");
    const char *path = arena_copy(arena, url, strcspn(url, "?#"));
    const char *name = path_name(path);

    if (!start || !*name || strlen(path) <= (size_t)(start - url) + 3 ||
        !strchr(path + (start - url) + 3, '/'))
        return "download";
    return name;
}

static bool add_url(Scope *scope, const char *url, const char *folder, Tree *files)
{
    const char *name = name_of_url(url, scope->arena);
    const HttpDownloadSpec spec = {
        .url = url,
        .target_path = arena_format(scope->arena, "%s/download-%zu", folder, files->count),
        .allow_private = getenv("SLIPWAY_ALLOW_PRIVATE_URLS") != NULL,
    };

    if (!http_download(&spec, &scope->error))
        return false;
    if (is_archive_name(name) || is_zip(spec.target_path))
        return expand(scope, spec.target_path, folder, files) ||
               fail_in(&scope->error, "\"%.200s\"", url);
    return add_file(scope, files, name, spec.target_path);
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool check_names(Scope *scope, const Tree *files)
{
    const char **names = arena_array(scope->arena, const char *, files->count + 1);

    if (files->count == 0)
        return fail_field(&scope->error, "files", "a data set needs at least one file or url");
    if (files->count > FILES_MAX)
        return fail_field(&scope->error, "files", "a data set has at most %d files", FILES_MAX);
    for (size_t i = 0; i < files->count; i++)
        names[i] = files->items[i].path;
    qsort(names, files->count, sizeof(*names), compare_texts);
    for (size_t i = 1; i < files->count; i++)
        if (text_equal(names[i - 1], names[i]))
            return fail_field(&scope->error, "files", "two files are named \"%.256s\"", names[i]);
    return true;
}

bool dataset_collect_files(Scope *scope, const DatasetSpec *spec, const char *folder, Tree *files)
{
    if (spec->urls.count > DATASET_URLS_MAX)
        return fail_field(&scope->error, "urls", "at most %d urls at once", DATASET_URLS_MAX);
    for (size_t i = 0; i < spec->files.count; i++)
        if (!add_blob(scope, &spec->files.items[i], folder, files))
            return false;
    for (size_t i = 0; i < spec->urls.count; i++)
        if (!add_url(scope, spec->urls.items[i], folder, files))
            return false;
    return check_names(scope, files);
}
