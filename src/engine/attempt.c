#include "engine/attempt.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crash.h"
#include "base/file.h"
#include "base/id.h"
#include "base/text.h"

enum { ENVIRONMENT_BYTES_MAX = 256 * 1024 };

/* The shim's side. */

static bool write_line(int descriptor, const char *document)
{
    return descriptor_write(descriptor, document, strlen(document)) &&
           descriptor_write(descriptor, "\n", 1);
}

bool attempt_claim(const char *folder, const char *claim, int *descriptor, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    char id[ID_TEXT_SIZE];
    const char *record = arena_format(arena, "%s/record", folder);
    const char *made = arena_format(arena, "%s/.%s.record", folder, id_random(id));
    int held = open(made, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
    bool is_first, is_there;

    *descriptor = -1;
    if (held < 0 || flock(held, LOCK_EX | LOCK_NB) != 0 || !write_line(held, claim)) {
        (void)fail_errno(error, "write", made);
        file_close(&held);
        remove(made);
        return false;
    }
    is_first = link(made, record) == 0;
    is_there = !is_first && errno == EEXIST;
    if (!is_first && !is_there)
        (void)fail_errno(error, "write", record);
    remove(made);
    CRASH_POINT("attempt: claimed");
    if (is_first)
        *descriptor = held;
    else
        file_close(&held);
    return is_first || is_there;
}

/* After a line that was torn when the disk was full. */
static bool end_line(int descriptor)
{
    struct stat status;
    char last = '\n';

    return fstat(descriptor, &status) == 0 && status.st_size > 0 &&
           pread(descriptor, &last, 1, status.st_size - 1) == 1 &&
           (last == '\n' || descriptor_write(descriptor, "\n", 1));
}

bool attempt_end(int descriptor, const char *end, int64_t took_ms, Error *error)
{
    CRASH_POINT("attempt: done, its end not written");
    if (!end_line(descriptor) || !write_line(descriptor, end) ||
        (took_ms >= ATTEMPT_SHORT_MS && fdatasync(descriptor) != 0))
        return fail_errno(error, "write", "the end of the attempt");
    descriptor_begin_flush(descriptor);
    CRASH_POINT("attempt: its end written");
    return true;
}

void attempt_beat(int descriptor)
{
    futimens(descriptor, NULL);
}

/* The server's side. */

static const char *last_line(const char *text, size_t size)
{
    const char *line = text + size;

    if (size < 2 || text[size - 1] != '\n')
        return NULL;
    for (line--; line > text && line[-1] != '\n';)
        line--;
    return line > text ? line : NULL;
}

/* An end that was torn is none: the line is whole, and JSON, or it does not count. */
static void read_record(const char *text, size_t size, Arena *arena, AttemptProbe *probe)
{
    const char *newline = memchr(text, '\n', size);
    const char *end = last_line(text, size);
    Error ignored = {0};

    if (newline && !json_parse(text, (size_t)(newline - text), arena, &probe->claim, &ignored))
        probe->claim = NULL;
    if (probe->state == ATTEMPT_HELD)
        return;
    probe->state = end && json_parse(end, strlen(end), arena, &probe->end, &ignored) &&
                           json_is_object(probe->end)
                       ? ATTEMPT_ENDED
                       : ATTEMPT_DEAD;
}

/* Who holds the lock may be about to write the end, so the lock is looked at before the text. */
bool attempt_probe(const char *folder, Arena *arena, AttemptProbe *probe, Error *error)
{
    const char *path = arena_format(arena, "%s/record", folder);
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status = {0};
    const char *text;
    size_t size;

    *probe = (AttemptProbe){.state = ATTEMPT_ABSENT};
    if (descriptor < 0 && errno == ENOENT)
        return true;
    if (descriptor < 0 || fstat(descriptor, &status) != 0) {
        (void)fail_errno(error, "read", path);
        file_close(&descriptor);
        return false;
    }
    probe->state = flock(descriptor, LOCK_SH | LOCK_NB) == 0 ? ATTEMPT_DEAD : ATTEMPT_HELD;
    probe->heard_at = status.st_mtim.tv_sec * INT64_C(1000) + status.st_mtim.tv_nsec / 1000000;
    file_close(&descriptor);
    if (!file_read(path, ATTEMPT_RECORD_BYTES_MAX, arena, &text, &size, error))
        return false;
    read_record(text, size, arena, probe);
    return true;
}

/* Whether the variable is in the environment that the process was started with. Such files have no
 * size until they are read. */
static bool is_of_attempt(const char *process, const char *variable, char *text)
{
    char path[64];
    CLEANUP(file_close) int descriptor = -1;
    size_t size = 0;
    ssize_t got;

    snprintf(path, sizeof(path), "/proc/%.20s/environ", process);
    descriptor = open(path, O_RDONLY | O_CLOEXEC);
    while (descriptor >= 0 && size < ENVIRONMENT_BYTES_MAX &&
           (got = read(descriptor, text + size, ENVIRONMENT_BYTES_MAX - size)) > 0)
        size += (size_t)got;
    text[size] = '\0';
    for (const char *at = text; at < text + size; at += strlen(at) + 1)
        if (strcmp(at, variable) == 0)
            return true;
    return false;
}

static size_t kill_once(const char *variable, char *text)
{
    DIR *folder = opendir("/proc");
    size_t count = 0;

    for (struct dirent *entry; folder && (entry = readdir(folder)) != NULL;) {
        int64_t id;

        if (!text_to_int(entry->d_name, &id) || id <= 1 || id == getpid() ||
            !is_of_attempt(entry->d_name, variable, text))
            continue;
        count += kill((pid_t)id, SIGKILL) == 0;
    }
    if (folder)
        closedir(folder);
    return count;
}

/* Again, because a process that was about to make another one may have. */
size_t attempt_kill_processes(const char *key)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const char *variable = arena_format(arena, "SLIPWAY_ATTEMPT_KEY=%s", key);
    char *text = arena_take(arena, ENVIRONMENT_BYTES_MAX + 1);
    size_t count = kill_once(variable, text), again = count;

    for (int turn = 0; again && turn < 10; turn++)
        again = kill_once(variable, text);
    return count;
}
