#include "cli/pipeline_order.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cli/project_files.h"
#include "cli/upload.h"

bool cli_write_params(Cli *cli, JsonWriter *json)
{
    TextList params = cli_option_list(cli, "--param");

    json_open_object(json, "params");
    for (size_t i = 0; i < params.count; i++) {
        const char *equals = strchr(params.items[i], '=');

        if (!equals || equals == params.items[i])
            return fail(&cli->error, ERROR_INVALID, "--param takes NAME=VALUE, not \"%s\"",
                        params.items[i]);
        json_text(json, arena_copy(cli->arena, params.items[i], (size_t)(equals - params.items[i])),
                  equals + 1);
    }
    json_close(json);
    return true;
}

static bool write_files(Cli *cli, const char *folder, const ProjectFiles *files, JsonWriter *json)
{
    json_open_array(json, "files");
    for (size_t i = 0; i < files->paths.count; i++) {
        const char *path = files->paths.items[i];
        char digest[DIGEST_TEXT_SIZE];

        if (!cli_upload(cli, path, cli_format(cli, "%s/%s", folder, path), digest))
            return false;
        json_open_object(json, NULL);
        json_text(json, "path", path);
        json_text(json, "digest", digest);
        json_close(json);
    }
    json_close(json);
    cli_progress_end(cli);
    return true;
}

static void write_code(JsonWriter *json, const ProjectFiles *files)
{
    json_text(json, "commit", files->commit);
    json_text(json, "branch", files->branch);
    json_bool(json, "is_dirty", files->is_dirty);
}

/* A dvc.yaml names no project: it is that of its folder's name. */
static const char *default_project(Cli *cli, const char *folder, const ProjectFiles *files)
{
    const char *named = cli_option(cli, "--project");
    char whole[PATH_MAX];

    if (named || text_list_has(&files->paths, "slipway.yaml"))
        return named;
    if (!realpath(folder, whole))
        return NULL;
    return arena_text(cli->arena, path_name(whole));
}

bool cli_order_body(Cli *cli, const char *folder, const char **body)
{
    JsonWriter *json = json_writer_create(cli->arena);
    ProjectFiles files;

    if (!project_files_list(cli, folder, &files))
        return false;
    json_open_object(json, NULL);
    json_text(json, "project", default_project(cli, folder, &files));
    json_text(json, "file", cli_option(cli, "--file"));
    json_text(json, "key", cli_option(cli, "--key"));
    write_code(json, &files);
    json_bool(json, "force", cli_has_option(cli, "--force"));
    if (!cli_write_params(cli, json) || !write_files(cli, folder, &files, json))
        return false;
    json_close(json);
    *body = json_finish(json);
    return true;
}

bool cli_source_body(Cli *cli, const char *folder, const char *file, const char **body)
{
    JsonWriter *json = json_writer_create(cli->arena);
    ProjectFiles files;

    if (!project_files_list(cli, folder, &files))
        return false;
    json_open_object(json, NULL);
    json_text(json, "file", file);
    write_code(json, &files);
    if (!write_files(cli, folder, &files, json))
        return false;
    json_close(json);
    *body = json_finish(json);
    return true;
}
