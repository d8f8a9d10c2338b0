#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *code;
    int http_status;
    int exit_code;
} kinds[] = {
    [ERROR_NONE] = {"none", 200, 0},
    [ERROR_INVALID] = {"invalid", 400, 2},
    [ERROR_FIELD] = {"invalid_field", 422, 2},
    [ERROR_UNAUTHENTICATED] = {"unauthenticated", 401, 3},
    [ERROR_FORBIDDEN] = {"forbidden", 403, 3},
    [ERROR_NOT_FOUND] = {"not_found", 404, 4},
    [ERROR_METHOD] = {"method_not_allowed", 405, 2},
    [ERROR_CONFLICT] = {"conflict", 409, 5},
    [ERROR_EXISTS] = {"already_exists", 409, 5},
    [ERROR_TOO_LARGE] = {"too_large", 413, 2},
    [ERROR_MEDIA_TYPE] = {"unsupported_media_type", 415, 2},
    [ERROR_BUSY] = {"busy", 429, 6},
    [ERROR_UNAVAILABLE] = {"unavailable", 503, 6},
    [ERROR_TIMEOUT] = {"timeout", 504, 6},
    [ERROR_INTERNAL] = {"internal", 500, 1},
    [ERROR_NOT_IMPLEMENTED] = {"not_implemented", 501, 2},
    [ERROR_NO_ROOM] = {"insufficient_storage", 507, 6},
    [ERROR_DIFFERS] = {"differs", 409, 7},
};

static void set(Error *error, ErrorKind kind, const char *field, const char *format,
                va_list arguments)
{
    error->kind = kind;
    snprintf(error->field, sizeof(error->field), "%s", field);
    vsnprintf(error->message, sizeof(error->message), format, arguments);
}

void error_set(Error *error, ErrorKind kind, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    set(error, kind, "", format, arguments);
    va_end(arguments);
}

void error_set_field(Error *error, const char *field, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    set(error, ERROR_FIELD, field, format, arguments);
    va_end(arguments);
}

void error_add_context(Error *error, const char *format, ...)
{
    char inner[sizeof(error->message)];
    va_list arguments;
    size_t length;

    memcpy(inner, error->message, sizeof(inner));
    va_start(arguments, format);
    vsnprintf(error->message, sizeof(error->message), format, arguments);
    va_end(arguments);

    length = strlen(error->message);
    snprintf(error->message + length, sizeof(error->message) - length, ": %s", inner);
}

void error_set_errno(Error *error, const char *verb, const char *path)
{
    int number = errno;
    ErrorKind kind = number == ENOSPC || number == EDQUOT ? ERROR_UNAVAILABLE : ERROR_INTERNAL;

    if (number == ENOENT)
        kind = ERROR_NOT_FOUND;
    error_set(error, kind, "could not %s \"%s\": %s", verb, path, strerror(number));
}

int error_http_status(const Error *error)
{
    return kinds[error->kind].http_status;
}

int error_exit_code(const Error *error)
{
    return kinds[error->kind].exit_code;
}

const char *error_code(const Error *error)
{
    return kinds[error->kind].code;
}

ErrorKind error_kind_of_code(const char *code)
{
    for (size_t i = 1; i < COUNT(kinds); i++)
        if (strcmp(kinds[i].code, code) == 0)
            return (ErrorKind)i;
    return ERROR_INTERNAL;
}
