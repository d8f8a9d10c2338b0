#include "serving/model_cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"

/* A file as it was when the model was loaded; any writing moves its times, replacing it its number.
 * A claim (artifact_claim()) moves them too: then its bytes tell. */
typedef struct FileMark {
    const char *path;
    const char *digest;
    dev_t device;
    ino_t number;
    off_t size;
    struct timespec modified, changed;
} FileMark;

typedef struct FileMarkList {
    FileMark *items;
    size_t count;
} FileMarkList;

typedef struct CachedModel {
    struct CachedModel *next;
    Arena *arena;
    LoadedModel *loaded;
    FileMarkList files;
    size_t size; /* of the package's files: about what it takes in memory */
    bool is_checked;
} CachedModel;

struct ModelCache {
    const ArtifactStore *store;
    pthread_mutex_t lock;
    CachedModel *first; /* the last used first; guarded by lock, as is all in it */
};

static void unlock(pthread_mutex_t **lock)
{
    pthread_mutex_unlock(*lock);
}

static void cached_destroy(CachedModel *cached)
{
    if (!cached)
        return;
    loaded_model_unref(cached->loaded);
    arena_destroy(cached->arena);
    free(cached);
}

/* The path and the digest are there; fills in the others. */
static bool mark_file(FileMark *mark)
{
    struct stat status;

    if (stat(mark->path, &status) != 0)
        return false;
    mark->device = status.st_dev;
    mark->number = status.st_ino;
    mark->size = status.st_size;
    mark->modified = status.st_mtim;
    mark->changed = status.st_ctim;
    return true;
}

static bool same_moment(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool has_its_bytes(const FileMark *mark)
{
    char digest[DIGEST_TEXT_SIZE];
    Error ignored = {0};

    return digest_file(mark->path, digest, &ignored) && strcmp(digest, mark->digest) == 0;
}

static bool is_file_untouched(FileMark *then)
{
    FileMark now = *then;

    if (!mark_file(&now) || now.device != then->device || now.number != then->number ||
        now.size != then->size)
        return false;
    if (same_moment(now.modified, then->modified) && same_moment(now.changed, then->changed))
        return true;
    if (!has_its_bytes(&now))
        return false;
    *then = now;
    return true;
}

static bool is_untouched(CachedModel *cached)
{
    for (size_t i = 0; i < cached->files.count; i++)
        if (!is_file_untouched(&cached->files.items[i]))
            return false;
    return true;
}

static bool add_mark(CachedModel *cached, const ArtifactStore *store, const char *digest,
                     Error *error)
{
    FileMark *mark = arena_push(cached->arena, &cached->files);

    mark->path = artifact_path(store, digest, cached->arena);
    mark->digest = arena_text(cached->arena, digest);
    if (!mark_file(mark))
        return fail(error, ERROR_NOT_FOUND, "artifact %.12s is not in the store", digest);
    cached->size += (size_t)mark->size;
    return true;
}

static bool mark_files(CachedModel *cached, const ArtifactStore *store, const char *digest,
                       Error *error)
{
    Tree tree;

    if (!tree_read(store, digest, cached->arena, &tree, error) ||
        !add_mark(cached, store, digest, error))
        return false;
    for (size_t i = 0; i < tree.count; i++)
        if (!add_mark(cached, store, tree.items[i].digest, error))
            return false;
    return true;
}

/* The marks come first: what is written while the model is being read shows as a touched file. */
static CachedModel *cached_open(const ArtifactStore *store, const char *digest, Error *error)
{
    CachedModel *cached = calloc(1, sizeof(*cached));

    if (!cached)
        out_of_memory();
    cached->arena = arena_create();
    if (mark_files(cached, store, digest, error))
        cached->loaded = loaded_model_open(store, digest, error);
    else
        fail_in(error, "package \"%.64s\"", digest);
    if (cached->loaded)
        return cached;
    cached_destroy(cached);
    return NULL;
}

/* Takes it out of the list. */
static CachedModel *take_out(ModelCache *cache, const char *digest)
{
    for (CachedModel **link = &cache->first; *link; link = &(*link)->next) {
        CachedModel *found = *link;

        if (strcmp(found->loaded->digest, digest) != 0)
            continue;
        *link = found->next;
        return found;
    }
    return NULL;
}

static void put_first(ModelCache *cache, CachedModel *cached)
{
    cached->next = cache->first;
    cache->first = cached;
}

/* The cached model as the first of the list, untouched; one that was touched is gone. */
static CachedModel *find(ModelCache *cache, const char *digest)
{
    CachedModel *found = take_out(cache, digest);

    if (found && !is_untouched(found)) {
        cached_destroy(found);
        return NULL;
    }
    if (found)
        put_first(cache, found);
    return found;
}

/* With the cache's own reference alone: new ones come from here, under the lock. */
static bool is_idle(const CachedModel *cached)
{
    return atomic_load_explicit(&cached->loaded->references, memory_order_acquire) == 1;
}

/* The first one stays: whoever obtained it is about to use it. */
static void drop_the_old(ModelCache *cache)
{
    size_t count = 0, bytes = 0;

    for (CachedModel **link = &cache->first->next; *link;) {
        CachedModel *cached = *link;
        bool idle = is_idle(cached);

        count += idle;
        bytes += idle ? cached->size : 0;
        if (!idle || (count <= MODEL_CACHE_IDLE_MAX && bytes <= MODEL_CACHE_IDLE_BYTES_MAX)) {
            link = &cached->next;
            continue;
        }
        *link = cached->next;
        cached_destroy(cached);
    }
}

static LoadedModel *find_loaded(ModelCache *cache, const char *digest)
{
    CLEANUP(unlock) pthread_mutex_t *lock = &cache->lock;
    CachedModel *found;

    pthread_mutex_lock(lock);
    found = find(cache, digest);
    return found ? loaded_model_ref(found->loaded) : NULL;
}

/* Another thread may have loaded the same meanwhile: the one that came first stays. */
static LoadedModel *add(ModelCache *cache, CachedModel *opened)
{
    CLEANUP(unlock) pthread_mutex_t *lock = &cache->lock;
    CachedModel *found;

    pthread_mutex_lock(lock);
    found = find(cache, opened->loaded->digest);
    if (found)
        cached_destroy(opened);
    else
        put_first(cache, found = opened);
    drop_the_old(cache);
    return loaded_model_ref(found->loaded);
}

LoadedModel *model_cache_obtain(ModelCache *cache, const char *digest, Error *error)
{
    LoadedModel *loaded = find_loaded(cache, digest);
    CachedModel *opened;

    if (loaded)
        return loaded;
    opened = cached_open(cache->store, digest, error);
    return opened ? add(cache, opened) : NULL;
}

bool model_cache_is_checked(ModelCache *cache, const char *digest)
{
    CLEANUP(unlock) pthread_mutex_t *lock = &cache->lock;
    CachedModel *found;

    pthread_mutex_lock(lock);
    found = find(cache, digest);
    return found && found->is_checked;
}

void model_cache_set_checked(ModelCache *cache, const char *digest)
{
    CLEANUP(unlock) pthread_mutex_t *lock = &cache->lock;
    CachedModel *found;

    pthread_mutex_lock(lock);
    found = find(cache, digest);
    if (found)
        found->is_checked = true;
}

size_t model_cache_count(ModelCache *cache)
{
    CLEANUP(unlock) pthread_mutex_t *lock = &cache->lock;
    size_t count = 0;

    pthread_mutex_lock(lock);
    for (const CachedModel *cached = cache->first; cached; cached = cached->next)
        count++;
    return count;
}

ModelCache *model_cache_create(const ArtifactStore *store)
{
    ModelCache *cache = calloc(1, sizeof(*cache));

    if (!cache)
        out_of_memory();
    cache->store = store;
    pthread_mutex_init(&cache->lock, NULL);
    return cache;
}

void model_cache_destroy(ModelCache *cache)
{
    if (!cache)
        return;
    for (CachedModel *cached = cache->first, *next; cached; cached = next) {
        next = cached->next;
        cached_destroy(cached);
    }
    pthread_mutex_destroy(&cache->lock);
    free(cache);
}
