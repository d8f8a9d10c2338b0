/* shim_files.c: the files of a step: put into its folder before, added to the store after. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "engine/shim_internal.h"

enum { COPY_BYTES = 1 << 20 };

/* Before. */

/* A tree does not say which files are programs; those that say it themselves are. */
static mode_t mode_of(const char *bytes, size_t size)
{
    bool is_script = size >= 2 && memcmp(bytes, "#!", 2) == 0;
    bool is_binary = size >= 4 && memcmp(bytes, "\177ELF", 4) == 0;

    return is_script || is_binary ? 0755 : 0644;
}

/* Not flushed: the copy is thrown away with the attempt. */
static bool copy_bytes(int from, int to, char *buffer, Digest *digest)
{
    ssize_t got;

    while ((got = read(from, buffer, COPY_BYTES)) > 0) {
        digest_add(digest, buffer, (size_t)got);
        if (!descriptor_write(to, buffer, (size_t)got))
            return false;
    }
    return got == 0;
}

static bool copy_blob(Shim *shim, const char *digest, const char *target, Error *error)
{
    const char *source = artifact_path(shim->artifacts, digest, shim->arena);
    CLEANUP(file_close) int from = open(source, O_RDONLY | O_CLOEXEC);
    CLEANUP(file_close) int to = -1;
    char *buffer = arena_take(shim->arena, COPY_BYTES);
    char copied[DIGEST_TEXT_SIZE];
    Digest *copy = digest_create();
    bool done;

    unlink(target);
    to = from < 0 ? -1 : open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    done = to >= 0 && copy_bytes(from, to, buffer, copy);
    digest_finish(copy, copied);
    if (!done)
        return from < 0 ? fail_errno(error, "read", source) : fail_errno(error, "write", target);
    if (strcmp(copied, digest) != 0)
        return fail(error, ERROR_INTERNAL, "artifact %.12s is damaged: its bytes have digest %.12s",
                    digest, copied);
    if (pread(from, buffer, 4, 0) >= 2 && fchmod(to, mode_of(buffer, 4)) != 0)
        return fail_errno(error, "write", target);
    return true;
}

static bool stage_file(Shim *shim, const char *path, const char *digest, Error *error)
{
    const char *target = arena_format(shim->arena, "%s/%s", shim->work, path);

    if (!path_is_inside(path) || !digest_is_valid(digest))
        return fail(error, ERROR_INVALID, "\"%s\" is not a file that can be put in place", path);
    return folder_make(path_folder(target, shim->arena), error) &&
           copy_blob(shim, digest, target, error);
}

/* Below a folder, or at the top when it is "". */
static bool stage_tree(Shim *shim, const char *folder, const char *digest, Error *error)
{
    Tree tree;

    if (!tree_read(shim->artifacts, digest, shim->arena, &tree, error))
        return false;
    for (size_t i = 0; i < tree.count; i++) {
        const char *path = *folder ? arena_format(shim->arena, "%s/%s", folder, tree.items[i].path)
                                   : tree.items[i].path;

        if (!stage_file(shim, path, tree.items[i].digest, error))
            return false;
    }
    return true;
}

static bool stage_one(Shim *shim, const JsonValue *file, Error *error)
{
    const char *path = json_as_text(json_member(file, "path"), "");
    const char *digest = json_as_text(json_member(file, "digest"), "");
    const char *target = arena_format(shim->arena, "%s/%s", shim->work, path);

    if (!path_is_inside(path) || !digest_is_valid(digest))
        return fail(error, ERROR_INVALID, "\"%s\" is not a file that can be put in place", path);
    if (!json_as_bool(json_member(file, "is_folder"), false))
        return stage_file(shim, path, digest, error);
    return folder_remove(target, error) && folder_make(target, error) &&
           stage_tree(shim, path, digest, error);
}

bool shim_stage(Shim *shim, Error *error)
{
    if (shim->spec.tree && !stage_tree(shim, "", shim->spec.tree, error))
        return false;
    for (JsonWalk walk = json_walk(shim->spec.files); json_walk_next(&walk);)
        if (!stage_one(shim, walk.value, error))
            return false;
    return true;
}

/* After. */

static bool add_out(Shim *shim, const char *path, JsonWriter *end, Error *error)
{
    const char *made = arena_format(shim->arena, "%s/%s", shim->work, path);
    bool is_folder = folder_exists(made);
    Artifact artifact;

    if (!is_folder && !file_exists(made))
        return fail(error, ERROR_NOT_FOUND, "it did not make \"%s\"", path);
    while (is_folder ? !tree_add_folder(shim->artifacts, made, shim->arena, &artifact, error)
                     : !artifact_add_file(shim->artifacts, made, &artifact, error))
        if (!shim_wait_for_room(shim, error))
            return false;
    json_text(end, "digest", artifact.digest);
    json_int(end, "size", artifact.size);
    json_bool(end, "is_folder", is_folder);
    return true;
}

bool shim_store(Shim *shim, JsonWriter *end, Error *error)
{
    bool done = true;

    json_open_array(end, "outs");
    for (JsonWalk walk = json_walk(shim->spec.outs); done && json_walk_next(&walk);) {
        const char *path = json_as_text(json_member(walk.value, "path"), "");

        json_open_object(end, NULL);
        json_text(end, "path", path);
        json_text(end, "use", json_as_text(json_member(walk.value, "use"), "out"));
        done = add_out(shim, path, end, error);
        json_close(end);
    }
    json_close(end);
    return done;
}
