/* error.h: how a function says that it failed, and why.
 *
 * A function that can fail returns bool and takes an Error. On failure it
 * returns fail(error, KIND, "what went wrong"); on success it leaves the Error
 * alone. A caller that cannot mend a failure just returns false. Only the edges
 * (api, cli, server, worker steps) show an Error to anyone.
 *
 * Out of memory is not an Error: base aborts, because code that no test ever
 * runs cannot be right. Bugs are not Errors either: use assert.
 */
#pragma once

#include <stdbool.h>

#include "base/attributes.h"

typedef enum ErrorKind {
    ERROR_NONE,
    ERROR_INVALID,         /* the input is wrong              HTTP 400, exit 2 */
    ERROR_FIELD,           /* a field of the input is wrong   HTTP 422, exit 2 */
    ERROR_UNAUTHENTICATED, /* no or a wrong token             HTTP 401, exit 3 */
    ERROR_FORBIDDEN,       /* the principal may not           HTTP 403, exit 3 */
    ERROR_NOT_FOUND,       /* nothing has that name           HTTP 404, exit 4 */
    ERROR_METHOD,          /* the path takes other methods    HTTP 405, exit 2 */
    ERROR_CONFLICT,        /* the state forbids it            HTTP 409, exit 5 */
    ERROR_EXISTS,          /* the name is taken               HTTP 409, exit 5 */
    ERROR_TOO_LARGE,       /* over a named limit              HTTP 413, exit 2 */
    ERROR_MEDIA_TYPE,      /* a content type nobody reads     HTTP 415, exit 2 */
    ERROR_BUSY,            /* too much at once, try later     HTTP 429, exit 6 */
    ERROR_UNAVAILABLE,     /* may work on another try         HTTP 503, exit 6 */
    ERROR_TIMEOUT,         /* took too long                   HTTP 504, exit 6 */
    ERROR_INTERNAL,        /* a bug or a broken disk          HTTP 500, exit 1 */
    ERROR_NOT_IMPLEMENTED, /* known, but not offered here     HTTP 501, exit 2 */
    ERROR_NO_ROOM,         /* the store may not grow further  HTTP 507, exit 6 */
    ERROR_DIFFERS,         /* what was to be equal is not     HTTP 409, exit 7 */
} ErrorKind;

typedef struct Error {
    ErrorKind kind;
    char message[512];
    char field[96]; /* the offending field or column, or "" */
} Error;

/* Each of these records a failure and is false, so that a check takes two lines:
 *
 *     if (!name_is_valid(name))
 *         return fail(error, ERROR_INVALID, "an experiment name has 1 to 256 bytes");
 *
 * They are macros so that compilers and checkers see the false, too.
 */
#define fail(error, kind, ...)                                                                     \
    ({                                                                                             \
        error_set((error), (kind), __VA_ARGS__);                                                   \
        false;                                                                                     \
    })

/* A mistake in one field, which is named in the answer. */
#define fail_field(error, field, ...)                                                              \
    ({                                                                                             \
        error_set_field((error), (field), __VA_ARGS__);                                            \
        false;                                                                                     \
    })

/* Puts context before the message of a failure on its way up. */
#define fail_in(error, ...)                                                                        \
    ({                                                                                             \
        error_add_context((error), __VA_ARGS__);                                                   \
        false;                                                                                     \
    })

/* "could not <verb> <path>: <strerror(errno)>", as ERROR_INTERNAL (or NOT_FOUND, or UNAVAILABLE if
 * the disk is full). */
#define fail_errno(error, verb, path)                                                              \
    ({                                                                                             \
        error_set_errno((error), (verb), (path));                                                  \
        false;                                                                                     \
    })

/* What the macros call. */
void error_set(Error *error, ErrorKind kind, const char *format, ...) PRINTF_LIKE(3, 4);
void error_set_field(Error *error, const char *field, const char *format, ...) PRINTF_LIKE(3, 4);
void error_add_context(Error *error, const char *format, ...) PRINTF_LIKE(2, 3);
void error_set_errno(Error *error, const char *verb, const char *path);

int error_http_status(const Error *error);
int error_exit_code(const Error *error);

/* The kind as the word that answers carry in "code": "not_found". */
const char *error_code(const Error *error);

/* The kind whose code is given (as an answer of the API carries it), or ERROR_INTERNAL. */
ErrorKind error_kind_of_code(const char *code);
