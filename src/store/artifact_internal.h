/* artifact_internal.h: what the files of the artifact store share. */
#pragma once

#include <pthread.h>
#include <sys/stat.h>

#include "store/artifact.h"

enum { ARTIFACT_FOLDERS = 256 };

/* One that puts a blob in its place. Others with the same bytes wait for it. */
typedef struct ArtifactPlacing {
    const Artifact *artifact;
    bool has_waited;  /* for another one: the blob may be there by now */
    int64_t replaced; /* bytes of a damaged one in its place */
    struct ArtifactPlacing *next;
} ArtifactPlacing;

/* What is under way in the store, and how much is in it. The lock is held for moments: while one
 * blob is claimed or removed, or those of one folder are counted. */
typedef struct ArtifactRoom {
    pthread_mutex_t lock;
    pthread_cond_t placed;
    ArtifactPlacing *placing;          /* guarded by lock */
    bool is_counted[ARTIFACT_FOLDERS]; /* guarded by lock: the folder's blobs are in bytes */
    int64_t reserved;                  /* guarded by lock */
    atomic_llong bytes, bytes_max;     /* changed with the lock held */
    atomic_bool all_counted;
} ArtifactRoom;

struct ArtifactStore {
    char *folder;
    char *partials;         /* the folder where files wait that are being added */
    pthread_mutex_t making; /* a folder for blobs */
    ArtifactRoom room;
};

void artifact_room_open(ArtifactRoom *room);
void artifact_room_close(ArtifactRoom *room);

/* Waits for another one of that digest. Fails when there is no room for it; else
 * artifact_placing_end() follows, done saying whether the blob was put there. */
bool artifact_placing_begin(ArtifactStore *store, ArtifactPlacing *placing,
                            Error *error) MUST_CHECK;
void artifact_placing_end(ArtifactStore *store, ArtifactPlacing *placing, bool done);

/* Removes the blob unless it was claimed or put there since then, in ms; whether it did is in
 * *removed. */
bool artifact_remove_unclaimed(ArtifactStore *store, const char *digest, int64_t since,
                               bool *removed, Error *error) MUST_CHECK;

/* Whether it is one of a folder's names ("ab") of a blob: the rest of a digest. */
bool artifact_name_is_blob(const char *name);

/* Of the folder that the blob is in. */
size_t artifact_folder_index(const char *digest);

static inline int64_t artifact_changed_ms(const struct stat *status)
{
    return status->st_mtim.tv_sec * INT64_C(1000) + status->st_mtim.tv_nsec / 1000000;
}
