#include "base/log.h"

#include <stdatomic.h>
#include <unistd.h>

#include "base/json.h"
#include "base/time.h"

static atomic_int least_level = LOG_INFO;

void log_set_level(LogLevel level)
{
    atomic_store(&least_level, (int)level);
}

bool log_writes(LogLevel level)
{
    return (int)level >= atomic_load_explicit(&least_level, memory_order_relaxed);
}

void log_write(LogLevel level, const char *event, const LogField *fields, size_t count)
{
    static const char *const names[] = {"debug", "info", "warning", "error"};

    if (!log_writes(level))
        return;

    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    JsonWriter *json = json_writer_create(arena);
    char now[TIME_TEXT_SIZE];

    json_open_object(json, NULL);
    json_text(json, "time", time_format(time_now_ms(), now));
    json_text(json, "level", names[level]);
    json_text(json, "event", event);
    for (size_t i = 1; i < count; i++) {
        if (fields[i].type == LOG_FIELD_INT)
            json_int(json, fields[i].key, fields[i].integer);
        else
            json_text(json, fields[i].key, fields[i].text);
    }
    json_close(json);

    /* One write, so that lines of several threads do not mix; a lost log line is nobody's failure.
     */
    const char *line = arena_format(arena, "%s\n", json_finish(json));
    (void)!write(STDERR_FILENO, line, json_size(json) + 1);
}
