/* dataset.h: a data set is a name for rows that grow; each state of it is an immutable version.
 *
 * A version is the files it was made from (blobs), one Parquet blob with all their rows in order
 * (typed columns, plus
 * "_row" BIGINT 0.. and "_file" TEXT), a schema, a profile and the rows that were set aside. Its
 * digest is the SHA-256 of its canonical description (the files' digests in order, the options, the
 * schema): the same files give the same digest, and registering them again makes no new version.
 */
#pragma once

#include "access/page.h"
#include "access/scope.h"
#include "ml/frame.h"
#include "ml/task.h"

typedef struct Dataset {
    int64_t id;
    const char *name;
    int64_t created_at;
    int64_t latest_version; /* 0: none yet */
} Dataset;

typedef struct DatasetColumn {
    const char *name;
    const char *type; /* "text", "category", "integer", "number", "boolean", "time" */
    const char *role; /* "feature", "target", "group", "time", "known" (for the future, too: a
                         feature with which a forecast is made), "ignore", "known_after" (known only
                         after the outcome) */
} DatasetColumn;

typedef struct DatasetColumns {
    DatasetColumn *items;
    size_t count;
} DatasetColumns;

typedef struct DatasetVersion {
    int64_t id, dataset_id;
    const char *dataset;
    int64_t version;
    const char *digest;
    int64_t row_count, set_aside_count;
    DatasetColumns columns;
    const char *rows;      /* digest of the Parquet blob */
    const char *files;     /* JSON: [{"path","digest","size","rows"}] */
    const char *profile;   /* JSON */
    const char *options;   /* JSON: how the files were read */
    const char *set_aside; /* JSON: [{"path","line","column","reason"}], the first of them */
    const char *source;    /* what the user named */
    int64_t created_at;
    const char *created_by;
} DatasetVersion;

typedef struct DatasetList {
    Dataset *items;
    size_t count;
} DatasetList;

typedef struct DatasetVersionList {
    DatasetVersion *items;
    size_t count;
} DatasetVersionList;

/* How to read the files. Absent members are found out from the files. */
typedef struct DatasetOptions {
    const char *format;    /* "csv", "jsonl", "parquet"; NULL: by name and content */
    const char *delimiter; /* one character, or "tab" */
    const char *header;    /* "yes", "no"; NULL: found out */
    TextList names;        /* of the columns, for a file without header */
    const char *encoding;  /* "utf-8", "latin-1"; NULL: utf-8, else latin-1 is named in the error */
    const char *quote;     /* one character, or "none" */
    const char *on_error;  /* "refuse" (the default) or "set-aside" */
    const JsonValue *
        columns; /* {"CONTENT": "text", "COMMENT_ID": "ignore", ...} overrides; see DatasetColumn */
    const char *target, *group, *time; /* roles by name; NULL: none */
    TextList known;                    /* columns of that role */
} DatasetOptions;

extern const JsonField dataset_options_fields[];

/* Every member has one of its values and the overrides name kinds or roles. */
bool dataset_options_check(const DatasetOptions *options, Error *error) MUST_CHECK;
void dataset_options_write_json(JsonWriter *json, const char *key, const DatasetOptions *options);

/* The columns as JSON, [{"name","type","role"}], and back. */
void dataset_columns_write_json(JsonWriter *json, const char *key, const DatasetColumns *columns);
DatasetColumns dataset_columns_read(const JsonValue *array, Arena *arena);

/* The column with this role, or NULL. */
const DatasetColumn *dataset_column_by_role(const DatasetColumns *columns, const char *role);
bool dataset_column_is_feature(const DatasetColumn *column);  /* or known */
bool dataset_column_has_numbers(const DatasetColumn *column); /* integers or numbers */

enum { TARGET_CLASSES_MAX = 20 };

/* What a target is by itself: numbers when its type is number, or integer with more than
 * TARGET_CLASSES_MAX distinct values; else classes. Who trains may say otherwise. */
ModelTask dataset_target_task(const DatasetVersion *version, const DatasetColumn *target,
                              Arena *arena);

typedef struct DatasetSpec {
    const char *name;
    const char *source; /* what the user said, for the record */
    Tree files; /* blobs already in the artifact store, in reading order (of an entry only path and
                   digest are used); a zip or tar.gz is expanded */
    TextList urls; /* fetched by the server; for none, files must be given */
    DatasetOptions options;
    const struct Expectations *expect; /* what is not so makes no version (expect.h); or NULL */
    const char **report;               /* of that look, also when it is refused; or NULL */
} DatasetSpec;

enum { DATASET_URLS_MAX = 100 };

/* Whether a file found in a folder or an archive holds rows, by its name: "data/a.csv.gz" does, a
 * README or a hidden file does not. */
bool dataset_file_has_rows(const char *path);

/* Imports in a child process and registers the version (slow; writes by itself). *is_new says
 * whether it made one. */
bool dataset_add(Scope *scope, const DatasetSpec *spec, DatasetVersion *version,
                 bool *is_new) MUST_CHECK;
bool dataset_find(Scope *scope, const char *name, Dataset *dataset) MUST_CHECK;
/* By name; page NULL: all. */
bool dataset_list(Scope *scope, const Page *page, DatasetList *list) MUST_CHECK;

/* number 0: the latest. */
bool dataset_version_find(Scope *scope, const char *name, int64_t number,
                          DatasetVersion *version) MUST_CHECK;
/* The newest first; page NULL: all. */
bool dataset_version_list(Scope *scope, const char *name, const Page *page,
                          DatasetVersionList *list) MUST_CHECK;

/* The first rows as a JSON array of objects (slow: a child reads the Parquet). */
bool dataset_version_preview(Scope *scope, const DatasetVersion *version, int64_t offset,
                             int64_t limit, const char **rows) MUST_CHECK;

void dataset_write_json(JsonWriter *json, const char *key, const Dataset *dataset);
void dataset_version_write_json(JsonWriter *json, const char *key, const DatasetVersion *version);

/* Work under way, below the platform's temporary folder; removed by CLEANUP(folder_cleanup). */
void folder_cleanup(const char **path);
