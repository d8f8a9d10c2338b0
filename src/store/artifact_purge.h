/* artifact_purge.h: blobs that nothing refers to go.
 *
 * Whoever purges gathers the digests of all blobs that something refers to. What is added or
 * claimed while that goes on was touched after it began, or within the grace time before: it stays.
 * So nobody has to wait for a purge, nor a purge for anybody.
 *
 *     int64_t since = time_now_ms() - ARTIFACT_GRACE_MS;
 *
 *     ... gather what is kept ...
 *     artifact_purge(store, &(ArtifactPurge){.kept = &kept, .since = since}, &purged, error)
 */
#pragma once

#include "base/digest_set.h"
#include "store/artifact.h"

typedef struct ArtifactPurge {
    const DigestSet *kept;      /* sorted */
    int64_t since;              /* ms: what was added or claimed since then stays */
    bool is_rehearsal;          /* only counts */
    const atomic_bool *stopped; /* or NULL */
} ArtifactPurge;

typedef struct ArtifactTally {
    int64_t count, bytes;
} ArtifactTally;

typedef struct ArtifactPurged {
    ArtifactTally removed, in_use, young;
} ArtifactPurged;

/* A failure leaves what it has not come to. */
bool artifact_purge(ArtifactStore *store, const ArtifactPurge *purge, ArtifactPurged *purged,
                    Error *error) MUST_CHECK;
