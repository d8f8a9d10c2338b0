/* import.h: what moves the items of a source (transfer/transfer.h) through the API. */
#pragma once

#include "cli/command.h"
#include "transfer/transfer.h"

/* What is counted, in the order of the summary; the names are those of POST /api/v1/import. */
typedef enum ImportKind {
    IMPORT_EXPERIMENTS,
    IMPORT_EXPERIMENT_TAGS,
    IMPORT_RUNS,
    IMPORT_PARAMS,
    IMPORT_TAGS,
    IMPORT_POINTS,
    IMPORT_DATASETS,
    IMPORT_LOGGED_MODELS,
    IMPORT_MODELS,
    IMPORT_VERSIONS,
    IMPORT_ALIASES,
    IMPORT_FILES,
    IMPORT_KINDS,
} ImportKind;

typedef struct ImportTally {
    int64_t source, imported, present;
} ImportTally;

typedef struct ImportReason {
    const char *what, *why;
} ImportReason;

typedef struct ImportReasonList {
    ImportReason *items;
    size_t count;
} ImportReasonList;

typedef struct ImportMapping {
    const char *there; /* an experiment's id in the source */
    int64_t id;
} ImportMapping;

typedef struct ImportMappingList {
    ImportMapping *items;
    size_t count;
} ImportMappingList;

typedef struct ImportFile {
    const char *owner, *owner_id; /* "run_id" or "model_id" */
    TransferFile file;
    const char *digest; /* NULL: not known yet */
} ImportFile;

typedef struct ImportFileList {
    ImportFile *items;
    size_t count;
} ImportFileList;

/* One import under way. Items are gathered and sent together; arena is that of what is gathered. */
typedef struct Importer {
    Cli *cli;
    TransferSource *source;
    const char *temporary; /* a folder for files on their way; NULL: none yet */
    Arena *arena;
    TextBuilder lists[IMPORT_KINDS]; /* of finished documents, by the kind that they begin */
    ImportFileList files;
    size_t gathered_bytes;
    ImportMappingList mappings;
    ImportTally tallies[IMPORT_KINDS];
    ImportReasonList refused;   /* the first of them */
    ImportReasonList elsewhere; /* URIs of files that are not within reach, the first of them */
    ImportReasonList merged;    /* experiments that were here already */
    int64_t elsewhere_count;    /* runs and models */
    int64_t damage_count;       /* what the source could not read */
    int64_t told_at;            /* when the progress line was last drawn */
} Importer;

extern const char *const import_kind_names[IMPORT_KINDS];

/* What takes the items; context is the importer. */
TransferSink import_sink(Importer *importer);

/* Sends what is gathered. */
bool import_flush(Importer *importer, Error *error) MUST_CHECK;

/* Up to a hundred; the text is kept. */
void import_note(Importer *importer, ImportReasonList *list, const char *what, const char *why);
