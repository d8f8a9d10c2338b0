/* dataset_internal.h: what dataset_add.c and dataset_version.c share. */
#pragma once

#include "data/dataset.h"

/* The version of this data set that was made from the same files with the same options. */
bool dataset_version_by_inputs(Scope *scope, const char *name, const char *inputs,
                               DatasetVersion *version, bool *found) MUST_CHECK;

/* The blobs to read: of spec->files and spec->urls, archives expanded, in order. *folder is for
 * work under way. */
bool dataset_collect_files(Scope *scope, const DatasetSpec *spec, const char *folder,
                           Tree *files) MUST_CHECK;
