/* log.h: structured logs: one JSON object a line, on standard error.
 *
 *     log_event(LOG_INFO, "request", log_text("path", path), log_int("status", 200));
 *
 * Only api, server, cli and worker steps log; what is below returns Errors. Never put a secret in a
 * field.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"

typedef enum LogLevel { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR, LOG_OFF } LogLevel;

typedef struct LogField {
    const char *key;
    enum { LOG_FIELD_TEXT, LOG_FIELD_INT } type;
    const char *text;
    int64_t integer;
} LogField;

static inline LogField log_text(const char *key, const char *text)
{
    return (LogField){.key = key, .type = LOG_FIELD_TEXT, .text = text};
}

static inline LogField log_int(const char *key, int64_t integer)
{
    return (LogField){.key = key, .type = LOG_FIELD_INT, .integer = integer};
}

/* Lines below this level are dropped; safe to call at any time from any thread. */
void log_set_level(LogLevel level);

/* Whether lines of this level are written: for callers that would do much to say little. */
bool log_writes(LogLevel level);

#define log_event(level, event, ...)                                                               \
    log_write((level), (event), (LogField[]){{0}, ##__VA_ARGS__},                                  \
              COUNT(((LogField[]){{0}, ##__VA_ARGS__})))

/* fields[0] is a dummy, so that there may be no field at all. */
void log_write(LogLevel level, const char *event, const LogField *fields, size_t count);
