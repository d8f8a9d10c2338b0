/* local_files.h: the files of a run or model on this machine, below one folder.
 *
 * A source names any path it likes: only files below the root are ever looked at, and links are not
 * followed. A URI is found by its end, which says which experiment and run: the folder may have
 * been moved.
 */
#pragma once

#include "transfer/transfer.h"

/* Lists them all into files, or says in files->elsewhere why not. A run that has no folder has no
 * files, unless there is no root at all. */
bool local_files_list(const char *root, Arena *arena, TransferFiles *files,
                      Error *error) MUST_CHECK;
