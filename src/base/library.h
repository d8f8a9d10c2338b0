/* library.h: a shared library that is opened when it is first needed. A command or a step that does
 * without it does not pay for it: libcurl alone brings thirty others, 3 ms and 2 MB.
 *
 * Whoever needs one has a struct of its functions, a Library that names them, and asks for it
 * before the first call:
 *
 *     static const LibraryFunction functions[] = {
 *         {"yaml_parser_parse", offsetof(YamlFunctions, parser_parse)}, {0}};
 *     static const char *const files[] = {"libyaml-0.so.2", NULL};
 *     static YamlFunctions yaml;
 *     static Library library = {"reading YAML", files, functions, &yaml};
 *
 *     if (!library_open(&library, error))
 *         return false;
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "base/attributes.h"
#include "base/error.h"

typedef struct LibraryFunction {
    const char *symbol;
    size_t offset; /* of its pointer in the struct of functions */
} LibraryFunction;

typedef struct Library {
    const char *purpose;      /* what cannot be done without it, as "reading YAML" */
    const char *const *files; /* names as the loader knows them; the first that is there is taken */
    const LibraryFunction *functions;
    void *table;         /* the struct that gets the functions; untouched until it is open */
    atomic_bool is_open; /* set once: a library stays open until the process ends */
} Library;

/* From any thread, as often as one likes. ERROR_UNAVAILABLE when it is missing or too old. */
bool library_open(Library *library, Error *error) MUST_CHECK;

/* Looks up all functions in a library that the caller has opened; NULL, or the one it lacks. */
const char *library_find(void *handle, const LibraryFunction *functions, void *table);
