#include "base/crash.h"

#ifdef SLIPWAY_CRASH_POINTS

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int64_t own_count;       /* guarded by lock */
static int64_t deadly_number;   /* 0: none; written once */
static const char *deadly_name; /* NULL: none; written once */
static int64_t deadly_turn = 1; /* which pass of it; written once */
static int log_file = -1;       /* written once */
static bool prints;             /* written once */

/* "NAME", or "3 NAME". */
static void read_name(const char *text)
{
    size_t digits = strspn(text, "0123456789");

    deadly_name = text;
    if (!digits || text[digits] != ' ')
        return;
    deadly_name = text + digits + 1;
    deadly_turn = strtoll(text, NULL, 10);
}

static void read_settings(void)
{
    const char *crash = getenv("SLIPWAY_CRASH");
    const char *path = getenv("SLIPWAY_CRASH_LOG");

    prints = crash && strcmp(crash, "list") == 0;
    if (crash && !prints && !text_to_int(crash, &deadly_number))
        read_name(crash);
    if (path)
        log_file = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (path && log_file < 0)
        abort();
}

static void format_line(const char *name, char line[CRASH_LINE_BYTES + 1])
{
    snprintf(line, CRASH_LINE_BYTES + 1, "%-*.*s\n", CRASH_LINE_BYTES - 1, CRASH_LINE_BYTES - 1,
             name);
}

/* Whether it is the deadly pass of this name, of all processes that share the file. */
static bool is_deadly_turn(const char *name, int64_t number)
{
    char line[CRASH_LINE_BYTES + 1], passed[CRASH_LINE_BYTES];
    int64_t turn = 1;

    format_line(name, line);
    for (int64_t before = 0; log_file >= 0 && before < number - 1; before++) {
        if (pread(log_file, passed, CRASH_LINE_BYTES, before * CRASH_LINE_BYTES) !=
            CRASH_LINE_BYTES)
            return false;
        turn += memcmp(passed, line, CRASH_LINE_BYTES) == 0;
    }
    return turn == deadly_turn;
}

/* Appending is one step for all processes, and where it ended is how many came before. */
static int64_t log_point(const char *name)
{
    char line[CRASH_LINE_BYTES + 1];

    format_line(name, line);
    if (write(log_file, line, CRASH_LINE_BYTES) != CRASH_LINE_BYTES)
        abort();
    return lseek(log_file, 0, SEEK_CUR) / CRASH_LINE_BYTES;
}

void crash_point(const char *name)
{
    int64_t number;

    pthread_once(&once, read_settings);
    pthread_mutex_lock(&lock);
    number = log_file >= 0 ? log_point(name) : ++own_count;
    if (prints)
        fprintf(stderr, "crash point %lld: %s\n", (long long)number, name);
    if (number == deadly_number ||
        (deadly_name && strcmp(name, deadly_name) == 0 && is_deadly_turn(name, number)))
        raise(SIGKILL);
    pthread_mutex_unlock(&lock);
}

#endif
