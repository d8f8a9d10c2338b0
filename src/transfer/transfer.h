/* transfer.h: what an MLflow store holds, item by item, out of one of several kinds of store and
 * into whatever takes it.
 *
 * A source is read from its beginning to its end, in an order in which nothing comes before what it
 * names: experiments; each run, its points, its files; logged models and their files; registered
 * models, their versions, their aliases. Items are documents as MLflow's REST answers them, points
 * are numbers, files are named and fetched one by one. A source is only ever read, and nothing in
 * it is executed. Memory is for one run and some hundred points.
 *
 *     CLEANUP(source_close) TransferSource *source = sqlite_source_open(&spec, error);
 *
 *     return source && source->read(source, &sink, error);
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"

typedef enum TransferKind {
    TRANSFER_EXPERIMENT,
    TRANSFER_RUN,
    TRANSFER_LOGGED_MODEL,
    TRANSFER_MODEL,
    TRANSFER_VERSION,
    TRANSFER_ALIAS, /* {"name", "alias", "version"} */
} TransferKind;

typedef struct TransferItem {
    TransferKind kind;
    const char *experiment_id; /* of a run or a logged model, as the source has it; else NULL */
    const char *document;      /* JSON */
} TransferItem;

typedef struct TransferPoint {
    int64_t timestamp, step;
    double value;
} TransferPoint;

enum { TRANSFER_POINTS_MAX = 1024 };

/* Some points of one metric of a run, at most TRANSFER_POINTS_MAX. */
typedef struct TransferPoints {
    const char *run_id, *key;
    const TransferPoint *items;
    size_t count;
} TransferPoints;

typedef struct TransferFile {
    const char *path; /* in the run or model */
    int64_t size;
    const char *place; /* where the source finds it: the path of a file, or of a URL */
} TransferFile;

/* The files of a run or of a logged model. */
typedef struct TransferFiles {
    const char *run_id, *model_id; /* one of them; the other is NULL */
    const char *experiment_id;
    const char *uri;       /* where the source says that they are */
    const char *elsewhere; /* why they are out of reach; NULL: they are these */
    TransferFile *items;
    size_t count;
} TransferFiles;

/* Takes what is read; all it is given lives for the call. false ends the reading. */
typedef struct TransferSink {
    bool (*item)(void *context, const TransferItem *item, Error *error);
    bool (*points)(void *context, const TransferPoints *points, Error *error);
    bool (*files)(void *context, const TransferFiles *files, Error *error);

    /* Something that cannot be read, and why; the others are read. */
    void (*damage)(void *context, const char *what, const char *why);
    void *context;
} TransferSink;

/* How many there are, counted apart from the reading; -1: the source cannot say. */
typedef struct TransferTotals {
    int64_t experiments, runs, params, tags, points;
} TransferTotals;

typedef struct TransferSource TransferSource;

struct TransferSource {
    const char *kind; /* "an MLflow database" */
    TransferTotals totals;
    bool (*read)(TransferSource *source, const TransferSink *sink, Error *error);

    /* *path: a file with the bytes; target is one that may be written for that. */
    bool (*fetch)(TransferSource *source, const TransferFile *file, const char *target,
                  const char **path, Error *error);
    void (*close)(TransferSource *source);
};

typedef struct SourceSpec {
    const char *path;      /* of the database or the folder */
    const char *artifacts; /* the folder with the files of runs; NULL: looked for beside */
} SourceSpec;

/* NULL on failure. */
TransferSource *sqlite_source_open(const SourceSpec *spec, Error *error) MUST_CHECK;
TransferSource *folder_source_open(const SourceSpec *spec, Error *error) MUST_CHECK;

/* A question to a server, and where its answer lives. */
typedef struct RestQuestion {
    const char *path; /* with the query */
    const char *body; /* NULL: a GET */
    Arena *arena;
} RestQuestion;

/* Asks a server by MLflow's REST. */
typedef struct RestTransport {
    bool (*ask)(void *context, const RestQuestion *question, const JsonValue **answer,
                Error *error);
    bool (*download)(void *context, const char *path, const char *target, Error *error);
    void *context;
} RestTransport;

typedef struct RestSpec {
    RestTransport transport;
    const char *experiment; /* only the one with this name; NULL: all, and all models */
} RestSpec;

TransferSource *rest_source_open(const RestSpec *spec, Error *error) MUST_CHECK;

static inline void source_close(TransferSource **source)
{
    if (*source)
        (*source)->close(*source);
}
