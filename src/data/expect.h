/* expect.h: what a data set must be: data.NAME.expect of slipway.yaml.
 *
 *     expect:
 *       files: {minimum: 1, names: [january.csv]}
 *       rows: {minimum: 1000}
 *       columns:
 *         trip_distance: {type: number, minimum: 0, maximum: 100}
 *         passenger_count: {missing: 0.1}
 *         ride_id: {type: integer, unique: true}
 *       others: refuse
 *
 * The limits are those of this data set and stand in its own file. Rows that are not so never
 * become a version by way of the project's file (dataset_add() with expect); a version that is
 * there can be looked at again. A report is JSON:
 *
 *     {"rows", "checks", "failed", "violations": [{"expect", "column", "count", "message",
 *      "first": [{"file", "row", "value"}]}]}
 *
 * All violations are counted, EXPECT_SHOWN_MAX of them listed, each with its first rows. A row is
 * counted from 1 in its file, as it was read.
 */
#pragma once

#include "base/yaml.h"
#include "data/dataset.h"

enum { EXPECT_SHOWN_MAX = 100, EXPECT_ROWS_MAX = 5, EXPECT_COLUMNS_MAX = 4096 };

typedef struct ExpectCount {
    int64_t minimum, maximum; /* -1: none */
} ExpectCount;

typedef struct ExpectColumn {
    const char *name;
    const char *type;              /* as of a data set's column, or NULL */
    const char *minimum, *maximum; /* a number or a time, as written; or NULL */
    TextList values;               /* that are allowed; none: all */
    const char *pattern;           /* of the whole text; or NULL */
    double missing;                /* the share of rows that may have none; 1: all */
    bool is_unique;
} ExpectColumn;

typedef struct ExpectColumns {
    ExpectColumn *items;
    size_t count;
} ExpectColumns;

typedef struct Expectations {
    ExpectCount files, rows;
    TextList file_names; /* that must be there */
    ExpectColumns columns;
    bool refuses_others; /* columns that are not listed */
} Expectations;

/* The tables that the file is read by, for the JSON Schema. */
extern const YamlField expect_fields[], expect_files_fields[], expect_rows_fields[];
extern const char *const expect_others[]; /* ends with NULL */

bool expect_read(const YamlNode *map, Arena *arena, Expectations *expect, Error *error) MUST_CHECK;

/* As the step takes it, and for digests: the same expectations give the same text. */
void expect_write_json(JsonWriter *json, const char *key, const Expectations *expect);
bool expect_read_json(const JsonValue *object, Arena *arena, Expectations *expect,
                      Error *error) MUST_CHECK;

/* By the names alone, before anything is read. */
bool expect_check_files(const Expectations *expect, const TextList *names, Error *error) MUST_CHECK;

/* The rows of a Parquet file of a version, in a child (slow). ERROR_CONFLICT with the first
 * violation when there is one; *report is set whenever the rows could be looked at. */
typedef struct ExpectRows {
    const char *rows;   /* the file */
    const char *folder; /* for work under way */
    const Expectations *expect;
} ExpectRows;

bool expect_check_rows(Scope *scope, const ExpectRows *rows, const char **report) MUST_CHECK;

/* The files and rows of a version that is there. */
bool dataset_version_check(Scope *scope, const DatasetVersion *version, const Expectations *expect,
                           const char **report) MUST_CHECK;
