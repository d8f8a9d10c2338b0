/* folder_writer.h: a new "mlruns" folder, as MLflow's file store keeps it, for its clients to read.
 *
 *     CLEANUP(folder_writer_close) FolderWriter *writer = folder_writer_open(&spec, error);
 *     TransferSink sink = folder_writer_sink(writer);
 *
 *     return source->read(source, &sink, error);
 */
#pragma once

#include "transfer/transfer.h"

typedef struct FolderWriter FolderWriter;

typedef struct FolderCounts {
    int64_t experiments, runs, points, logged_models, models, versions, files;
    int64_t elsewhere; /* runs and models whose files another store has */
} FolderCounts;

/* path: does not exist, or is empty. Files are fetched from the source, which outlives the writer.
 * NULL on failure. */
FolderWriter *folder_writer_open(const char *path, TransferSource *source, Error *error) MUST_CHECK;
void folder_writer_close(FolderWriter **writer); /* for CLEANUP */

/* What takes the items; damage is told to tell. */
TransferSink folder_writer_sink(FolderWriter *writer,
                                void (*tell)(void *context, const char *what, const char *why),
                                void *context);
FolderCounts folder_writer_counts(const FolderWriter *writer);
