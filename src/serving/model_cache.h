/* model_cache.h: loaded models by the digest of their package, so that a version that comes back
 * serves at once.
 *
 * It holds every model that it handed out for as long as someone uses it, and after that the ones
 * used last, few and small enough (MODEL_CACHE_IDLE_MAX, MODEL_CACHE_IDLE_BYTES_MAX). What it hands
 * out are the bytes that have the digest: they were checked while they were loaded, never change in
 * memory, and a model is loaded anew once any file of its package on the disk is not the very file,
 * unwritten since, that it was loaded from. So what was found out about a digest in this process
 * (that a child answered its golden rows: the answers follow from bytes and program alone) stays
 * true of a model for as long as it is here.
 *
 *     LoadedModel *loaded = model_cache_obtain(cache, digest, error);
 *     ...
 *     loaded_model_unref(loaded);
 *
 * All functions from any thread; loading holds up no other digest.
 */
#pragma once

#include "serving/snapshot.h"

enum { MODEL_CACHE_IDLE_MAX = 4, MODEL_CACHE_IDLE_BYTES_MAX = 256 << 20 };

typedef struct ModelCache ModelCache;

ModelCache *model_cache_create(const ArtifactStore *store);
void model_cache_destroy(ModelCache *cache); /* models live on while others hold them */

/* A reference for the caller, of a model whose files are as they were when it was loaded; loads it
 * if need be. NULL: it could not. */
LoadedModel *model_cache_obtain(ModelCache *cache, const char *digest, Error *error) MUST_CHECK;

/* A child has passed this package, and the model is here with its files untouched. */
bool model_cache_is_checked(ModelCache *cache, const char *digest);
void model_cache_set_checked(ModelCache *cache, const char *digest); /* nothing if it is not here */

size_t model_cache_count(ModelCache *cache); /* in use or not */
