#include "data/csv_scan.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "data/byte_source.h"

enum { SAMPLE_BYTES_MAX = 1 << 20, SAMPLE_RECORDS_MAX = 1000 };

/* Where a byte stands within its record. */
typedef enum CsvPlace {
    PLACE_RECORD_START,
    PLACE_FIELD_START,
    PLACE_PLAIN,
    PLACE_QUOTED,
    PLACE_AFTER_QUOTE, /* the field ends here, or a doubled quote does */
} CsvPlace;

typedef enum CsvEvent {
    EVENT_BYTE,       /* of a field */
    EVENT_FIELD_END,  /* a delimiter */
    EVENT_RECORD_END, /* a line end */
    EVENT_BLANK_LINE,
    EVENT_NONE, /* the second byte of a line end, a quote */
} CsvEvent;

typedef struct CsvMachine {
    CsvDialect dialect;
    CsvPlace place;
    int64_t line; /* of the next byte, from 1 */
    bool after_return;
    unsigned newline_kinds; /* outside quotes: 1 "\n", 2 "\r\n", 4 "\r" */
} CsvMachine;

static CsvMachine machine_start(CsvDialect dialect)
{
    return (CsvMachine){.dialect = dialect, .line = 1};
}

static CsvEvent end_line(CsvMachine *machine)
{
    CsvEvent event = machine->place == PLACE_RECORD_START ? EVENT_BLANK_LINE : EVENT_RECORD_END;

    machine->line++;
    machine->place = PLACE_RECORD_START;
    return event;
}

static CsvEvent take_quoted(CsvMachine *machine, char byte)
{
    if (byte == machine->dialect.quote) {
        machine->place = PLACE_AFTER_QUOTE;
        machine->after_return = false;
        return EVENT_NONE;
    }
    if (byte == '\r' || (byte == '\n' && !machine->after_return))
        machine->line++;
    machine->after_return = byte == '\r';
    return EVENT_BYTE;
}

static CsvEvent take_newline(CsvMachine *machine, char byte)
{
    if (byte == '\n' && machine->after_return) {
        machine->after_return = false;
        machine->newline_kinds = (machine->newline_kinds & ~4u) | 2u;
        return EVENT_NONE;
    }
    machine->after_return = byte == '\r';
    machine->newline_kinds |= byte == '\r' ? 4u : 1u;
    return end_line(machine);
}

static CsvEvent take(CsvMachine *machine, char byte)
{
    bool opens = machine->dialect.quote && byte == machine->dialect.quote &&
                 machine->place <= PLACE_FIELD_START;
    bool doubles = machine->place == PLACE_AFTER_QUOTE && byte == machine->dialect.quote;

    if (machine->place == PLACE_QUOTED)
        return take_quoted(machine, byte);
    if (byte == '\n' || byte == '\r')
        return take_newline(machine, byte);
    machine->after_return = false;
    if (opens || doubles) {
        machine->place = PLACE_QUOTED;
        return doubles ? EVENT_BYTE : EVENT_NONE;
    }
    if (byte == machine->dialect.delimiter) {
        machine->place = PLACE_FIELD_START;
        return EVENT_FIELD_END;
    }
    machine->place = PLACE_PLAIN;
    return EVENT_BYTE;
}

/* UTF-8, a byte at a time (Unicode 15, table 3-7: the second byte's range closes overlong forms,
 * surrogates and what is above U+10FFFF). */
typedef struct Utf8 {
    int left;
    unsigned char low, high;          /* of the next byte */
    int64_t start_offset, start_line; /* of the character */
} Utf8;

static bool utf8_start(Utf8 *state, unsigned char byte)
{
    state->low = 0x80;
    state->high = 0xbf;
    if (byte >= 0xc2 && byte <= 0xdf) {
        state->left = 1;
    } else if (byte >= 0xe0 && byte <= 0xef) {
        state->left = 2;
        state->low = byte == 0xe0 ? 0xa0 : 0x80;
        state->high = byte == 0xed ? 0x9f : 0xbf;
    } else if (byte >= 0xf0 && byte <= 0xf4) {
        state->left = 3;
        state->low = byte == 0xf0 ? 0x90 : 0x80;
        state->high = byte == 0xf4 ? 0x8f : 0xbf;
    } else {
        return byte < 0x80;
    }
    return true;
}

static bool utf8_take(Utf8 *state, unsigned char byte)
{
    if (state->left == 0)
        return utf8_start(state, byte);
    if (byte < state->low || byte > state->high)
        return false;
    state->left--;
    state->low = 0x80;
    state->high = 0xbf;
    return true;
}

/* Passes over a byte-order mark; DuckDB does the same. */
static int skip_mark(ByteSource *source)
{
    static const unsigned char mark[] = {0xef, 0xbb, 0xbf};
    int byte = byte_source_next(source);

    if (byte == mark[0] && source->size - source->at >= 2 &&
        memcmp(source->buffer + source->at, mark + 1, 2) == 0) {
        byte_source_next(source);
        byte_source_next(source);
        byte = byte_source_next(source);
    }
    return byte;
}

static void note_byte(CsvFacts *facts, Utf8 *utf8, const CsvMachine *machine,
                      const ByteSource *source, int byte)
{
    if (byte == 0 && !facts->nul_line) {
        facts->nul_line = machine->line;
        facts->nul_offset = source->offset - 1;
    }
    if (utf8->left == 0) {
        utf8->start_offset = source->offset - 1;
        utf8->start_line = machine->line;
    }
    if (!facts->invalid_line && !utf8_take(utf8, (unsigned char)byte)) {
        facts->invalid_line = utf8->start_line;
        facts->invalid_offset = utf8->start_offset;
    }
}

static void count_blank(CsvFacts *facts)
{
    if (facts->record_count)
        facts->blank_count++;
    else
        facts->leading_blank_count++;
}

bool csv_check(const char *path, CsvDialect dialect, CsvFacts *facts, Error *error)
{
    CLEANUP(byte_source_close) ByteSource source;
    CsvMachine machine = machine_start(dialect);
    CsvFacts found = {0};
    Utf8 utf8 = {0};

    if (!byte_source_open(&source, path, CSV_BYTES_MAX, error))
        return false;
    for (int byte = skip_mark(&source); byte >= 0; byte = byte_source_next(&source)) {
        CsvEvent event;

        note_byte(&found, &utf8, &machine, &source, byte);
        event = take(&machine, (char)byte);
        if (event == EVENT_BLANK_LINE)
            count_blank(&found);
        found.record_count += event == EVENT_RECORD_END;
    }
    found.record_count += machine.place != PLACE_RECORD_START;
    found.has_unclosed_quote = machine.place == PLACE_QUOTED;
    found.has_mixed_newlines = (machine.newline_kinds & (machine.newline_kinds - 1)) != 0;
    if (utf8.left && !found.invalid_line) {
        found.invalid_line = utf8.start_line;
        found.invalid_offset = utf8.start_offset;
    }
    *facts = found;
    return byte_source_end(&source, error);
}

bool csv_walk(const char *path, const CsvWalk *walk, Error *error)
{
    CLEANUP(byte_source_close) ByteSource source;
    CsvMachine machine = machine_start(walk->dialect);
    CsvRecord record = {.line = 1};
    bool is_open = false;

    if (!byte_source_open(&source, path, CSV_BYTES_MAX, error))
        return false;
    for (int byte = skip_mark(&source); byte >= 0; byte = byte_source_next(&source)) {
        int64_t line = machine.line;
        CsvEvent event = take(&machine, (char)byte);
        bool starts = event == EVENT_BLANK_LINE ? walk->with_blank && record.number > 0
                                                : !is_open && machine.place != PLACE_RECORD_START;

        if (starts) {
            record.offset = source.offset - 1;
            record.line = line;
            if (!walk->call(walk->context, &record))
                return true;
            record.number++;
        }
        is_open = machine.place != PLACE_RECORD_START;
    }
    return byte_source_end(&source, error);
}

bool csv_read_first(const char *path, CsvDialect dialect, Arena *arena, TextList *fields,
                    Error *error)
{
    CLEANUP(byte_source_close) ByteSource source;
    CsvMachine machine = machine_start(dialect);
    TextBuilder field = {.arena = arena};
    TextList found = {0};

    if (!byte_source_open(&source, path, SAMPLE_BYTES_MAX, error))
        return false;
    for (int byte = skip_mark(&source); byte >= 0; byte = byte_source_next(&source)) {
        char one = (char)byte;
        CsvEvent event = take(&machine, one);

        if (event == EVENT_BYTE)
            text_append_bytes(&field, &one, 1);
        if (event == EVENT_RECORD_END)
            break;
        if (event == EVENT_FIELD_END) {
            text_list_add(&found, arena, text_built(&field));
            field = (TextBuilder){.arena = arena};
        }
    }
    if (field.count || found.count)
        text_list_add(&found, arena, text_built(&field));
    *fields = found;
    return source.offset >= SAMPLE_BYTES_MAX || byte_source_end(&source, error);
}

/* How many of the first records have as many fields as the first one, times the number of fields;
 * 0 where there is one field only. */
static bool rate_delimiter(const char *path, CsvDialect dialect, int64_t *rating, Error *error)
{
    CLEANUP(byte_source_close) ByteSource source;
    CsvMachine machine = machine_start(dialect);
    int64_t first = 0, fields = 1, alike = 0, records = 0;

    if (!byte_source_open(&source, path, SAMPLE_BYTES_MAX, error))
        return false;
    for (int byte = skip_mark(&source); byte >= 0 && records < SAMPLE_RECORDS_MAX;
         byte = byte_source_next(&source)) {
        CsvEvent event = take(&machine, (char)byte);

        fields += event == EVENT_FIELD_END;
        if (event != EVENT_RECORD_END)
            continue;
        first = records == 0 ? fields : first;
        alike += fields == first;
        records++;
        fields = 1;
    }
    if (records == 0)
        first = fields;
    *rating = first > 1 ? first + (alike * 1000000 / (records ? records : 1)) * 1000 : 0;
    return source.offset >= SAMPLE_BYTES_MAX || byte_source_end(&source, error);
}

bool csv_find_delimiter(const char *path, char quote, char *delimiter, Error *error)
{
    static const char candidates[] = {',', ';', '\t', '|'};
    int64_t best = 0;

    *delimiter = ',';
    for (size_t i = 0; i < sizeof(candidates); i++) {
        int64_t rating = 0;

        if (!rate_delimiter(path, (CsvDialect){candidates[i], quote}, &rating, error))
            return false;
        if (rating > best) {
            best = rating;
            *delimiter = candidates[i];
        }
    }
    return true;
}

static void put(FILE *target, const CsvCopy *copy, int byte, bool *after_return)
{
    bool is_second = byte == '\n' && *after_return;

    *after_return = byte == '\r';
    if (copy->one_newline && is_second)
        return;
    if (copy->one_newline && byte == '\r')
        byte = '\n';
    if (copy->from_latin1 && byte >= 0x80) {
        putc_unlocked(0xc0 | byte >> 6, target);
        byte = 0x80 | (byte & 0x3f);
    }
    putc_unlocked(byte, target);
}

bool csv_copy(const CsvCopy *copy, Error *error)
{
    CLEANUP(byte_source_close) ByteSource source;
    bool after_return = false, is_written;
    FILE *target;

    if (!byte_source_open(&source, copy->source, CSV_BYTES_MAX, error))
        return false;
    target = fopen(copy->target, "we");
    if (!target)
        return fail_errno(error, "write", copy->target);
    for (int byte = skip_mark(&source); byte >= 0; byte = byte_source_next(&source))
        put(target, copy, byte, &after_return);
    is_written = !ferror(target);
    is_written = fclose(target) == 0 && is_written;
    return is_written ? byte_source_end(&source, error) : fail_errno(error, "write", copy->target);
}
