/* project_files.h: the files of a project's folder, as a pipeline gets them. */
#pragma once

#include "cli/command.h"

typedef struct ProjectFiles {
    TextList paths;              /* relative to the folder, sorted */
    const char *commit, *branch; /* of a git checkout; else NULL */
    bool is_dirty;
} ProjectFiles;

/* Of a git checkout: what is in the index, and what is new and not ignored. Of another folder: all
 * but .git and a data folder of slipway. */
bool project_files_list(Cli *cli, const char *folder, ProjectFiles *files) MUST_CHECK;
