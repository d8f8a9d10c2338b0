/* uri.h: the URIs by which MLflow's clients say where files are. They are compared and looked up
 * in tables; nothing here is ever opened because of one.
 *
 *     if (!uri_read(scope, source, &uri))
 *         return false;
 *     if (uri_is_within(&uri, &root, scope->arena, &path))
 */
#pragma once

#include "access/scope.h"
#include "base/text.h"

enum { URI_BYTES_MAX = 2048 };

typedef struct Uri {
    const char *text;
    const char *scheme;    /* in lower case; "": a path of a file, also "file" and "C:" */
    const char *authority; /* in lower case; "": none */
    TextList parts;        /* of the path, without empty ones, not decoded */
} Uri;

/* Refuses what looks one way and leads another: ".." also behind any number of encodings, control
 * characters, backslashes; "?" and "#" where the server holds the files. */
bool uri_read(Scope *scope, const char *text, Uri *uri) MUST_CHECK;

/* *path: what is behind the root, "" or "model" or "model/data". */
bool uri_is_within(const Uri *uri, const Uri *root, Arena *arena, const char **path);

/* Whether its files are with an MLflow server, by its scheme or its path. */
bool uri_is_proxied(const Uri *uri);

/* Parts from..., with "/" between. */
const char *uri_path(const Uri *uri, size_t from, Arena *arena);

/* "Invalid model version source: ..." */
bool uri_refuse(Scope *scope, const Uri *uri, const char *why);
