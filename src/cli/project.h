/* project.h: the slipway.yaml that commands work on. */
#pragma once

#include "cli/command.h"

/* Its options, for the tables of commands that use cli_project(). */
#define PROJECT_OPTIONS                                                                            \
    {"--project", OPTION_TEXT, "NAME", "the project; default: that of slipway.yaml"},              \
    {                                                                                              \
        "--file", OPTION_TEXT, "PATH", "the project's file (slipway.yaml)"                         \
    }

/* The name of the project: --project, or that of the file, which is then put on the server. */
bool cli_project(Cli *cli, const char **name) MUST_CHECK;

/* What the project's file says of a data set. */
typedef struct DataSource {
    const char *name;
    TextList sources;         /* files and folders as paths from here, or URLs; patterns expanded */
    const JsonValue *options; /* as the API takes them */
} DataSource;

/* That of the data set with this name, of the only one when name is NULL; the file is put on the
 * server. */
bool cli_project_data(Cli *cli, const char *name, DataSource *data) MUST_CHECK;

/* Whether there is a project's file that has a data set of this name (NULL: any). */
bool cli_project_has_data(Cli *cli, const char *name);

/* The folder of the project's file, where its git checkout is. */
const char *cli_project_folder(Cli *cli);
