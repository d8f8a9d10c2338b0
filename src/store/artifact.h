/* artifact.h: files by the SHA-256 of their bytes.
 *
 * A blob is a file in the store's folder, named by its digest and never changed: adding the same
 * bytes again is a no-op, unless the blob was damaged meanwhile; then it is whole again. A tree is
 * a list of named blobs (a model package, a data set's files); its own digest is the SHA-256 of its
 * canonical listing, and that listing is a blob too. Adding is atomic and durable: once a digest is
 * returned, the bytes are on the disk. Reading checks the digest.
 *
 * Blobs that nothing refers to are removed after a while (store/artifact_purge.h). Whoever is about
 * to refer to one by its digest alone claims it first; adding its bytes claims it, too.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/file.h"

typedef struct ArtifactStore ArtifactStore;

/* folder is made if it is missing; an S3 bucket comes later behind the same functions. */
ArtifactStore *artifact_store_open(const char *folder, Error *error) MUST_CHECK;

/* For a process beside the one that owns the store: what it is adding waits in a folder of its own,
 * on the same file system, where the owner's sweep does not take it for something left behind. */
ArtifactStore *artifact_store_open_guest(const char *folder, const char *own_folder,
                                         Error *error) MUST_CHECK;
void artifact_store_close(ArtifactStore *store);

/* Removes what additions left behind that were killed, and makes all folders for blobs, so that no
 * addition has to. For the program that owns the folder, before anything is added. */
bool artifact_store_sweep(ArtifactStore *store, Error *error) MUST_CHECK;

typedef struct Artifact {
    char digest[DIGEST_TEXT_SIZE];
    int64_t size;
} Artifact;

bool artifact_add_bytes(ArtifactStore *store, const char *bytes, size_t size, Artifact *artifact,
                        Error *error) MUST_CHECK;

/* Copies the file; it stays where it is. */
bool artifact_add_file(ArtifactStore *store, const char *path, Artifact *artifact,
                       Error *error) MUST_CHECK;

/* The same of several, which share what waiting for the disk they can; artifacts has one for each.
 * A failure may leave blobs that nothing refers to. */
bool artifact_add_files(ArtifactStore *store, const TextList *paths, Artifact *artifacts,
                        Error *error) MUST_CHECK;

/* Moves the file, without copying it where it lies on the store's file system; it is gone also when
 * that fails. Nobody else may write to it. */
bool artifact_take_file(ArtifactStore *store, const char *path, Artifact *artifact,
                        Error *error) MUST_CHECK;

/* The bytes of these files, one behind the other. */
bool artifact_add_joined(ArtifactStore *store, const TextList *paths, Artifact *artifact,
                         Error *error) MUST_CHECK;

bool artifact_exists(const ArtifactStore *store, const char *digest);

/* Not found when it is not there; else it stays for ARTIFACT_GRACE_MS at least, and for as long as
 * something refers to it that was written meanwhile. */
bool artifact_claim(ArtifactStore *store, const char *digest, Error *error) MUST_CHECK;

enum { ARTIFACT_GRACE_MS = 60 * 60 * 1000 };

/* No addition takes the store over so many bytes: it is refused with ERROR_NO_ROOM. 0: none is. */
void artifact_store_limit(ArtifactStore *store, int64_t bytes_max);

/* Looks at the size of every blob, for artifact_store_usage(); until it has, a limit counts what it
 * has seen. Once, beside everything else. */
bool artifact_store_count(ArtifactStore *store, const atomic_bool *stopped,
                          Error *error) MUST_CHECK;

typedef struct ArtifactUsage {
    int64_t bytes, bytes_max; /* bytes_max 0: no limit */
    bool is_counted;
} ArtifactUsage;

/* From any thread, without waiting. */
ArtifactUsage artifact_store_usage(const ArtifactStore *store);

/* Refused as an addition of so many bytes would be; for what waits elsewhere to be added. */
bool artifact_store_check_room(ArtifactStore *store, int64_t size, Error *error) MUST_CHECK;

/* Reads the blob's bytes, whatever their size, and says what is wrong when they are not there, not
 * as many, or do not have the digest. */
bool artifact_check(const ArtifactStore *store, const Artifact *artifact, Error *error) MUST_CHECK;

/* The path of a blob, for reading only, whether or not it exists. The digest is a valid one. */
const char *artifact_path(const ArtifactStore *store, const char *digest, Arena *arena);

/* Reads a blob and checks that its bytes still have its digest. */
bool artifact_read(const ArtifactStore *store, const char *digest, size_t size_max, Arena *arena,
                   const char **bytes, size_t *size, Error *error) MUST_CHECK;

/* Maps a blob whose bytes have its digest; they are read once for that, but not through the map. */
bool artifact_map(const ArtifactStore *store, const char *digest, size_t size_max, FileMap *map,
                  Error *error) MUST_CHECK;

typedef struct TreeEntry {
    const char *path; /* relative, plain parts */
    char digest[DIGEST_TEXT_SIZE];
    int64_t size;
} TreeEntry;

typedef struct Tree {
    TreeEntry *items; /* sorted by path, each path once */
    size_t count;
} Tree;

/* Adds every regular file below folder. */
bool tree_add_folder(ArtifactStore *store, const char *folder, Arena *arena, Artifact *tree,
                     Error *error) MUST_CHECK;

/* Adds a listing of blobs that are there already; sorts it; refuses a repeated path or a missing
 * blob. */
bool tree_add(ArtifactStore *store, Tree *tree, Arena *arena, Artifact *artifact,
              Error *error) MUST_CHECK;
/* Reads a listing, which has a NUL behind it: anybody may have made it. Sizes are what it says. */
bool tree_parse(const char *bytes, size_t size, Arena *arena, Tree *tree, Error *error) MUST_CHECK;

bool tree_read(const ArtifactStore *store, const char *digest, Arena *arena, Tree *tree,
               Error *error) MUST_CHECK;

/* Claims every file of it; for whoever is about to refer to a listing that was there already, and
 * claims that besides. */
bool tree_claim(ArtifactStore *store, const Tree *tree, Error *error) MUST_CHECK;

/* Checks every file of it: artifact_check(). */
bool tree_check(const ArtifactStore *store, const Tree *tree, Error *error) MUST_CHECK;

/* The entry with this path, or NULL. */
const TreeEntry *tree_find(const Tree *tree, const char *path);

/* Writes all its files below folder, checking each digest. A failure leaves the files before it. */
bool tree_extract(const ArtifactStore *store, const char *digest, const char *folder,
                  Error *error) MUST_CHECK;
