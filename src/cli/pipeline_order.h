/* pipeline_order.h: what the commands that start pipelines send. */
#pragma once

#include "cli/command.h"

/* Of the options --param NAME=VALUE. */
bool cli_write_params(Cli *cli, JsonWriter *json) MUST_CHECK;

/* Sends the files of a project's folder; the body names them, with the params and the other
 * options of the command. */
bool cli_order_body(Cli *cli, const char *folder, const char **body) MUST_CHECK;

/* The same without params and options: the files are kept, with the pipeline's file by its name. */
bool cli_source_body(Cli *cli, const char *folder, const char *file, const char **body) MUST_CHECK;
