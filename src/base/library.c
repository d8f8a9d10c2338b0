#include "base/library.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

const char *library_find(void *handle, const LibraryFunction *functions, void *table)
{
    for (; functions->symbol; functions++) {
        void *function = dlsym(handle, functions->symbol);

        if (!function)
            return functions->symbol;
        memcpy((char *)table + functions->offset, &function, sizeof(function));
    }
    return NULL;
}

static void *open_file(const Library *library, Error *error)
{
    const char *reason;

    for (const char *const *file = library->files; *file; file++) {
        void *handle = dlopen(*file, RTLD_NOW | RTLD_LOCAL);

        if (handle)
            return handle;
    }
    reason = dlerror();
    fail(error, ERROR_UNAVAILABLE, "%s needs the library \"%s\", which could not be opened: %s",
         library->purpose, library->files[0], reason ? reason : "no reason was given");
    return NULL;
}

static bool open_once(Library *library, Error *error)
{
    void *handle = open_file(library, error);
    const char *missing = handle ? library_find(handle, library->functions, library->table) : NULL;

    if (missing)
        return fail(error, ERROR_UNAVAILABLE,
                    "%s needs the function \"%s\", which the library \"%s\" does not have",
                    library->purpose, missing, library->files[0]);
    atomic_store(&library->is_open, handle != NULL);
    return handle != NULL;
}

bool library_open(Library *library, Error *error)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of all: none is opened twice */
    bool done;

    if (atomic_load(&library->is_open))
        return true;
    pthread_mutex_lock(&lock);
    done = atomic_load(&library->is_open) || open_once(library, error);
    pthread_mutex_unlock(&lock);
    return done;
}
