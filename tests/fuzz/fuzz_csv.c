/* fuzz_csv.c: the walk over a CSV file says the same of any bytes, whichever way it is asked: as
 * many records are walked as were counted, in order, and a copy that makes line ends alike and
 * Latin-1 UTF-8 has as many records and is UTF-8. The first two bytes choose the dialect. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "data/csv_scan.h"

enum { PATH_SIZE = 32, CONTENT_SIZE_MAX = 1 << 20 };

static void require(bool condition)
{
    if (!condition)
        abort();
}

/* A file in memory, under a name that csv_check() can open. */
static int open_bytes(const void *bytes, size_t size, char path[PATH_SIZE])
{
    int file = memfd_create("csv", MFD_CLOEXEC);

    require(file >= 0 && write(file, bytes, size) == (ssize_t)size);
    snprintf(path, PATH_SIZE, "/proc/self/fd/%d", file);
    return file;
}

typedef struct Count {
    int64_t records, offset, line;
} Count;

static bool count_record(void *context, const CsvRecord *record)
{
    Count *count = context;

    require(record->number == count->records++);
    require(record->offset > count->offset && record->line >= count->line);
    count->offset = record->offset;
    count->line = record->line;
    return true;
}

static void check_walk(const char *path, CsvDialect dialect, const CsvFacts *facts)
{
    Count count = {.offset = -1};
    Error error = {0};

    require(csv_walk(path, &(CsvWalk){dialect, false, count_record, &count}, &error));
    require(count.records == facts->record_count);
}

static void check_first(const char *path, CsvDialect dialect)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    TextList fields = {0};
    Error error = {0};
    char delimiter = 0;

    if (csv_read_first(path, dialect, arena, &fields, &error))
        for (size_t i = 0; i < fields.count; i++)
            require(strlen(fields.items[i]) <= CONTENT_SIZE_MAX);
    if (csv_find_delimiter(path, dialect.quote, &delimiter, &error))
        require(delimiter == ',' || delimiter == ';' || delimiter == '\t' || delimiter == '|');
}

static void check_copy(const char *path, CsvDialect dialect, const CsvFacts *facts)
{
    char target[PATH_SIZE];
    int file = open_bytes("", 0, target);
    CsvFacts copied = {0};
    Error error = {0};

    require(csv_copy(&(CsvCopy){path, target, true, true}, &error));
    require(csv_check(target, dialect, &copied, &error));
    require(copied.record_count == facts->record_count && copied.invalid_line == 0);
    require(!copied.has_mixed_newlines);
    close(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char delimiters[] = ",;\t|", quotes[] = {'"', '\'', 0};
    CsvFacts facts = {0};
    char path[PATH_SIZE];
    CsvDialect dialect;
    Error error = {0};
    int file;

    if (size < 2 || size > CONTENT_SIZE_MAX)
        return 0;
    dialect = (CsvDialect){delimiters[data[0] % 4], quotes[data[1] % sizeof(quotes)]};
    file = open_bytes(data + 2, size - 2, path);
    if (csv_check(path, dialect, &facts, &error)) {
        check_walk(path, dialect, &facts);
        check_first(path, dialect);
        check_copy(path, dialect, &facts);
    } else {
        require(error.message[0]);
    }
    close(file);
    return 0;
}
