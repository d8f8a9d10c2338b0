/* import.h: the step "import-data" from inside: files in, one Parquet file out.
 *
 *     look     each file: format, dialect, column names            import_look.c
 *     load     all files into the table "raw", as they are         import_csv.c, _json.c,
 * _parquet.c type     what each column is, over all files together        import_type.c write the
 * table "typed", the Parquet file                 import_write.c profile  what is in it
 * import_profile.c
 *
 * "raw" has columns c0, c1 ... in the data set's order, file_index, and line (JSON only). A row
 * that cannot be read is refused, or set aside: it is never dropped without being counted.
 */
#pragma once

#include "data/csv_scan.h"
#include "data/dataset.h"
#include "data/duck.h"

enum {
    IMPORT_COLUMNS_MAX = 4096,
    IMPORT_FILES_MAX = 10000,
    IMPORT_REJECTED_MAX = 1000, /* that are listed; all are counted */
    IMPORT_RECORD_BYTES_MAX = 4 << 20,
};

typedef struct Import Import;
typedef struct ImportFile ImportFile;

typedef struct ImportFormat {
    const char *name;
    bool (*look)(Import *import, ImportFile *file); /* finds file->columns */
    bool (*load)(Import *import, ImportFile *file); /* appends its rows to raw */
} ImportFormat;

struct ImportFile {
    const char *name; /* relative, as the user knows it */
    const char *path; /* what is read: the blob, or a copy of it in the step's folder */
    size_t index;
    bool is_gzip;
    const ImportFormat *format;
    CsvDialect dialect;
    bool has_header;
    CsvFacts facts;              /* CSV */
    TextList columns;            /* in the file's order */
    TextList sql_types, sources; /* Parquet: of the column in raw, and how it gets there */
    size_t *places;              /* of the data set's column i in the file */
    int64_t first_row, row_count;
    struct Loader *loader;     /* JSON, while it is read */
    int64_t *rejected_offsets; /* CSV, ascending: where the rows that DuckDB refused start */
    size_t rejected_count;
};

typedef struct ImportColumn {
    DatasetColumn column;
    const char *sql_type;      /* in raw: "VARCHAR", or a type of Parquet */
    bool is_text;              /* a value is known to be a text: JSON, Parquet */
    const char *expression;    /* that makes the typed value of raw's column */
    const char *override;      /* the type that the user named, or NULL */
    int64_t missing, distinct; /* values, counted for the profile */
} ImportColumn;

typedef struct ImportRejected {
    const ImportFile *file;
    int64_t line;
    const char *column; /* or NULL */
    const char *reason;
} ImportRejected;

typedef struct ImportRejectedList {
    ImportRejected *items;
    size_t count; /* listed */
} ImportRejectedList;

struct Import {
    Arena *arena;
    Error *error;
    Duck *duck;
    const char *folder;
    const char *rows_path; /* of the Parquet file to write */
    DatasetOptions options;
    ImportFile *files;
    size_t file_count;
    ImportColumn *columns;
    size_t column_count;
    ImportRejectedList rejected;
    int64_t rejected_count, row_count;
};

extern const ImportFormat import_csv, import_jsonl, import_json, import_parquet;

bool import_look(Import *import) MUST_CHECK;
bool import_load(Import *import) MUST_CHECK;
bool import_type(Import *import) MUST_CHECK;
bool import_write(Import *import) MUST_CHECK;
bool import_profile(Import *import, JsonWriter *json) MUST_CHECK;

/* The member "notes" of the profile: sentences about columns that are not what one would hope. */
bool import_notes(Import *import, JsonWriter *json) MUST_CHECK;

/* A broken row: an error that names it, or on_error "set-aside" one more on the list. */
bool import_reject(Import *import, const ImportRejected *rejected) MUST_CHECK;
bool import_sets_aside(const Import *import);

/* The lines of rows of a CSV file, counted from 0 among those that were read; ascending. */
bool import_csv_lines(Import *import, const ImportFile *file, const int64_t *rows, int64_t *lines,
                      size_t count) MUST_CHECK;

/* The template with each "$" replaced. */
const char *import_fill(const char *template, const char *with, Arena *arena);

/* How a text is read as a type that the user named: its type in SQL, whether it stands for a
 * missing value, and the value, NULL where it is none. */
typedef struct ImportReading {
    const char *sql_type, *missing, *value;
} ImportReading;

/* text: an expression. False: the type is that of a text. */
bool import_reading(const char *type, const char *text, Arena *arena, ImportReading *reading);

/* The condition that a row of raw can be typed. */
const char *import_keep_condition(const Import *import);
