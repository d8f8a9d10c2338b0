/* project.h: the slipway.yaml that commands work on. */
#pragma once

#include "cli/command.h"
#include "pipelines/project_file.h"

/* Its options, for the tables of commands that use cli_project(). */
#define PROJECT_OPTIONS                                                                            \
    {"--project", OPTION_TEXT, "NAME", "the project; default: that of slipway.yaml"},              \
    {                                                                                              \
        "--file", OPTION_TEXT, "PATH", "the project's file (slipway.yaml)"                         \
    }

/* The name of the project: --project, or that of the file, which is then put on the server. */
bool cli_project(Cli *cli, const char **name) MUST_CHECK;

/* The folder of the project's file, where its git checkout is. */
const char *cli_project_folder(Cli *cli);

/* What the file says about the data set of this name, or about its only one when name is NULL. */
bool cli_project_data(Cli *cli, const char *name, const ProjectData **data) MUST_CHECK;
