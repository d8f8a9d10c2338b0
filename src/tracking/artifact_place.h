/* artifact_place.h: where a path of MLflow's clients leads.
 *
 * "mlflow-artifacts:" is to clients a tree of files that the server keeps. "<experiment's
 * location>/<run>/artifacts/<path>" is a file of that run, the same that everybody sees there;
 * anything else is a file by its whole path (logged models and traces have theirs so). A path is
 * only ever a key of the store: no file of the disk is named by it. A folder is there as long as
 * files are below it, and no path leads through a file.
 *
 *     if (!artifact_path_read(scope, given, &path) || !artifact_place_find(scope, path, &place) ||
 *         !artifact_place_file(scope, &place, &entry))
 *         return false;
 */
#pragma once

#include "tracking/run.h"

typedef struct ArtifactPlace {
    int64_t run_key;    /* 0: of no run */
    const char *run_id; /* or NULL */
    int64_t experiment; /* of its run */
    const char *uri;    /* where clients find its run's files; or NULL */
    bool is_read_only;  /* its run is deleted */
    const char *path;   /* in the run, or the whole one; "": all of it */
} ArtifactPlace;

/* The path as a key, decoded for as long as there is something to decode (clients encode twice, and
 * attackers more often). Refuses all that could lead elsewhere for anybody who takes it for the
 * path of a file or for a URL. NULL or "": the whole tree. */
bool artifact_path_read(Scope *scope, const char *given, const char **path) MUST_CHECK;

/* Where these lead; each path is one of artifact_path_read(). */
bool artifact_place_find(Scope *scope, const char *path, ArtifactPlace *place) MUST_CHECK;
bool artifact_place_of_run(Scope *scope, const char *run_id, const char *path,
                           ArtifactPlace *place) MUST_CHECK;

/* Below "mlflow-artifacts:/0/models/m-1/artifacts", for example; refuses a URI of another store. */
bool artifact_place_below(Scope *scope, const char *uri, const char *path,
                          ArtifactPlace *place) MUST_CHECK;

/* The experiment whose workspace pays for a file there: that of its run, logged model or trace, the
 * one whose number the path begins with, or 0. */
bool artifact_place_owner(Scope *scope, const ArtifactPlace *place,
                          int64_t *experiment_id) MUST_CHECK;

/* The path of a URI that leads to this server's tree, or NULL. */
const char *artifact_path_of_uri(const char *uri, Arena *arena);

/* Not found when nothing is there; invalid when it is a folder. */
bool artifact_place_file(Scope *scope, const ArtifactPlace *place, TreeEntry *entry) MUST_CHECK;

typedef struct ArtifactName {
    const char *name; /* without "/" */
    bool is_folder;
    int64_t size; /* of a file */
} ArtifactName;

typedef struct ArtifactNameList {
    ArtifactName *items;
    size_t count;
} ArtifactNameList;

/* What is in a folder, by name; nothing in one that is not there, or in a file. */
bool artifact_place_list(Scope *scope, const ArtifactPlace *place,
                         ArtifactNameList *list) MUST_CHECK;

/* All files below a folder, with their paths in it. */
bool artifact_place_tree(Scope *scope, const ArtifactPlace *place, Tree *tree) MUST_CHECK;

/* Whether a file of so many bytes may be put there; for who has bytes to store before. */
bool artifact_place_check_put(Scope *scope, const ArtifactPlace *place, int64_t size) MUST_CHECK;

/* Of that only whether there is room. */
bool artifact_place_check_room(Scope *scope, const ArtifactPlace *place, int64_t size) MUST_CHECK;

/* Inside a write. The blob is in the artifact store; a file that is there is replaced. */
bool artifact_place_put(Scope *scope, const ArtifactPlace *place,
                        const Artifact *artifact) MUST_CHECK;

/* Inside a write. A file, or all below a folder; fine when nothing is there. The bytes stay. */
bool artifact_place_delete(Scope *scope, const ArtifactPlace *place) MUST_CHECK;
