/* artifact_upload.h: a file that comes in parts, in any order and at the same time, and is joined
 * at the end.
 *
 * The parts wait in the folder for work under way: an upload does not outlive its server, nor a
 * day. Only who knows its id has to do with it. Joining may take as long as copying the file does;
 * whoever asks for it again meanwhile is told to come back, and afterwards that it is done.
 *
 *     artifact_upload_begin(scope, path, 2, &id)
 *     artifact_upload_add(scope, id, 2, file) ... artifact_upload_add(scope, id, 1, file)
 *     artifact_upload_join(scope, &(ArtifactJoin){id, path, numbers, 2}, &artifact)
 *     artifact_upload_end(scope, id, true)
 */
#pragma once

#include "access/scope.h"

enum { UPLOAD_PARTS_MAX = 10000 };

/* path: of artifact_path_read(). */
bool artifact_upload_begin(Scope *scope, const char *path, int64_t part_count,
                           const char **id) MUST_CHECK;

/* Moves the file there; it replaces a part of that number. */
bool artifact_upload_add(Scope *scope, const char *id, int64_t number, const char *file) MUST_CHECK;

typedef struct ArtifactJoin {
    const char *id, *path;
    const int64_t *numbers; /* of all parts, in order */
    size_t count;
} ArtifactJoin;

/* Adds the whole file to the artifact store. *was_joined: there is nothing left to do. Else
 * artifact_upload_end() follows once the file is in its place. */
bool artifact_upload_join(Scope *scope, const ArtifactJoin *join, Artifact *artifact,
                          bool *was_joined) MUST_CHECK;

/* done false: it can be joined again. */
bool artifact_upload_end(Scope *scope, const char *id, bool done) MUST_CHECK;

typedef struct UploadSweep {
    int64_t count, bytes; /* that nobody ended for a day */
    int64_t open_count;   /* others */
} UploadSweep;

/* Removes what nobody ended for a day, and adds it up; a rehearsal only adds it up. */
bool artifact_upload_sweep(Scope *scope, bool is_rehearsal, UploadSweep *sweep) MUST_CHECK;

/* Forgets the parts; fine when there is no such upload. */
bool artifact_upload_abort(Scope *scope, const char *id) MUST_CHECK;
