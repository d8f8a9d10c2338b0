#include "data/duck_library.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/library.h"
#include "base/process.h"

#define FUNCTION(name)                                                                             \
    {                                                                                              \
        "duckdb_" #name, offsetof(DuckLibrary, name)                                               \
    }

static const LibraryFunction functions[] = {
    FUNCTION(create_config),
    FUNCTION(set_config),
    FUNCTION(destroy_config),
    FUNCTION(open_ext),
    FUNCTION(close),
    FUNCTION(connect),
    FUNCTION(disconnect),
    FUNCTION(free),
    FUNCTION(prepare),
    FUNCTION(prepare_error),
    FUNCTION(destroy_prepare),
    FUNCTION(bind_int64),
    FUNCTION(bind_double),
    FUNCTION(bind_varchar),
    FUNCTION(bind_null),
    FUNCTION(pending_prepared_streaming),
    FUNCTION(pending_error),
    FUNCTION(destroy_pending),
    FUNCTION(execute_pending),
    FUNCTION(result_error),
    FUNCTION(result_error_type),
    FUNCTION(destroy_result),
    FUNCTION(column_count),
    FUNCTION(fetch_chunk),
    FUNCTION(destroy_data_chunk),
    FUNCTION(data_chunk_get_size),
    FUNCTION(data_chunk_get_vector),
    FUNCTION(vector_get_data),
    FUNCTION(vector_get_validity),
    FUNCTION(appender_create),
    FUNCTION(appender_error),
    FUNCTION(appender_end_row),
    FUNCTION(appender_close),
    FUNCTION(appender_destroy),
    FUNCTION(append_int64),
    FUNCTION(append_varchar_length),
    FUNCTION(append_null),
    {0},
};

/* The folders that the loader searches for the program itself: with its run path, also where an
 * interposed dlopen() (a sanitizer's) would search for another caller. */
static void list_run_path(TextList *paths, Arena *arena)
{
    void *program = dlopen(NULL, RTLD_NOW);
    Dl_serinfo size, *info;

    if (!program || dlinfo(program, RTLD_DI_SERINFOSIZE, &size) != 0)
        return;
    info = arena_alloc(arena, 1, size.dls_size);
    *info = size;
    if (dlinfo(program, RTLD_DI_SERINFOSIZE, info) != 0 ||
        dlinfo(program, RTLD_DI_SERINFO, info) != 0)
        return;
    for (unsigned i = 0; i < info->dls_cnt; i++)
        text_list_add(paths, arena,
                      arena_format(arena, "%s/libduckdb.so", info->dls_serpath[i].dls_name));
}

static void *open_library(Arena *arena)
{
    const char *chosen = getenv("SLIPWAY_DUCKDB");
    const char *folder = path_folder(process_own_path(arena), arena);
    TextList paths = {0};

    /* A named library is the only one tried: a wrong name must not go unnoticed. */
    if (chosen && *chosen)
        return dlopen(chosen, RTLD_NOW | RTLD_LOCAL);
    text_list_add(&paths, arena, arena_format(arena, "%s/libduckdb.so", folder));
    text_list_add(&paths, arena, arena_format(arena, "%s/lib/libduckdb.so", folder));
    list_run_path(&paths, arena);
    text_list_add(&paths, arena, "libduckdb.so");
    for (size_t i = 0; i < paths.count; i++) {
        void *handle = dlopen(paths.items[i], RTLD_NOW | RTLD_LOCAL);

        if (handle)
            return handle;
    }
    return NULL;
}

static bool find_functions(void *handle, DuckLibrary *library, Error *error)
{
    const char *missing = library_find(handle, functions, library);

    return !missing || fail(error, ERROR_UNAVAILABLE,
                            "the DuckDB library has no function \"%s\": version 1.4 or newer is "
                            "needed",
                            missing);
}

const DuckLibrary *duck_library_open(Error *error)
{
    static DuckLibrary library; /* set once; a worker step has one thread */
    static bool is_open;
    CLEANUP(arena_cleanup) Arena *arena = NULL;
    void *handle;

    if (is_open)
        return &library;
    arena = arena_create();
    handle = open_library(arena);
    if (!handle) {
        fail(error, ERROR_UNAVAILABLE,
             "reading data needs the DuckDB library, which was not found: put libduckdb.so (1.4) "
             "beside the slipway program or name it in SLIPWAY_DUCKDB");
        return NULL;
    }
    is_open = find_functions(handle, &library, error);
    return is_open ? &library : NULL;
}
