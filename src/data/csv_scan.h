/* csv_scan.h: what a CSV file is made of, found without reading its values.
 *
 * DuckDB parses the values; this walks the same bytes once before, because only then can a mistake
 * be named by its line and can it be shown that no record was lost: the records counted here must
 * be the rows that DuckDB read and those that it refused. Files may be gzip. Lines count from 1,
 * offsets from 0, both in the uncompressed text.
 */
#pragma once

#include <stdint.h>

#include "base/text.h"

typedef struct CsvDialect {
    char delimiter;
    char quote; /* 0: none, quotes are plain characters */
} CsvDialect;

typedef struct CsvFacts {
    int64_t record_count;        /* with the header; a blank line is none */
    int64_t blank_count;         /* blank lines after the first record */
    int64_t leading_blank_count; /* and before it */
    bool has_mixed_newlines;
    bool has_unclosed_quote;
    int64_t invalid_line, invalid_offset; /* of the first byte that is not UTF-8; line 0: none */
    int64_t nul_line, nul_offset;         /* of the first NUL; line 0: none */
} CsvFacts;

/* Compressed files may hold this much; a bomb ends here. */
#define CSV_BYTES_MAX (INT64_C(64) << 30)

bool csv_check(const char *path, CsvDialect dialect, CsvFacts *facts, Error *error) MUST_CHECK;

/* Calls for every record, blank lines left out unless with_blank (a file of one column: a blank
 * line is a missing value). false from the call ends the walk, which is no failure. */
typedef struct CsvRecord {
    int64_t number; /* from 0: the header, if there is one */
    int64_t offset, line;
} CsvRecord;
typedef bool CsvRecordCall(void *context, const CsvRecord *record);

typedef struct CsvWalk {
    CsvDialect dialect;
    bool with_blank;
    CsvRecordCall *call;
    void *context;
} CsvWalk;

bool csv_walk(const char *path, const CsvWalk *walk, Error *error) MUST_CHECK;

/* The first record's fields, and the delimiter under which the first records are most alike: of
 * comma, semicolon, tab and bar, the one that gives the most fields in the most records. */
bool csv_read_first(const char *path, CsvDialect dialect, Arena *arena, TextList *fields,
                    Error *error) MUST_CHECK;
bool csv_find_delimiter(const char *path, char quote, char *delimiter, Error *error) MUST_CHECK;

/* A plain copy without a byte-order mark: Latin-1 becomes UTF-8, and every line ends in "\n"
 * (within quotes too where the endings of the file are mixed, which DuckDB refuses). */
typedef struct CsvCopy {
    const char *source, *target;
    bool from_latin1, one_newline;
} CsvCopy;

bool csv_copy(const CsvCopy *copy, Error *error) MUST_CHECK;
