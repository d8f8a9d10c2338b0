/* project_data.c: what slipway.yaml says of data sets, for slipway data add. */

#include <glob.h>
#include <string.h>

#include "base/file.h"
#include "base/yaml.h"
#include "cli/project.h"
#include "pipelines/project_file.h"

static bool is_url(const char *source)
{
    return text_has_prefix(source, "http://") || text_has_prefix(source, "https://");
}

/* A source of the file as paths from where the command runs. */
static bool add_paths(Cli *cli, const char *source, TextList *paths)
{
    const char *folder = cli_project_folder(cli);
    const char *path = source[0] == '/' || strcmp(folder, ".") == 0
                           ? source
                           : cli_format(cli, "%s/%s", folder, source);
    glob_t found;

    if (is_url(source)) {
        text_list_add(paths, cli->arena, source);
        return true;
    }
    if (glob(path, GLOB_ERR, NULL, &found) != 0)
        return fail(&cli->error, ERROR_NOT_FOUND, "no file matches the source \"%s\"", source);
    for (size_t i = 0; i < found.gl_pathc; i++)
        text_list_add(paths, cli->arena, found.gl_pathv[i]);
    globfree(&found);
    return true;
}

static const JsonValue *find_part(const JsonValue *parts, const char **name)
{
    for (JsonWalk walk = json_walk(parts); json_walk_next(&walk);) {
        if (*name && strcmp(*name, walk.key) != 0)
            continue;
        *name = walk.key;
        return walk.value;
    }
    return NULL;
}

static bool choose_part(Cli *cli, const JsonValue *parts, const char **name, const JsonValue **part)
{
    TextBuilder names = {.arena = cli->arena};

    for (JsonWalk walk = json_walk(parts); json_walk_next(&walk);)
        text_append_format(&names, "%s\"%s\"", names.count ? ", " : "", walk.key);
    if (!*name && json_count(parts) != 1)
        return fail(&cli->error, ERROR_INVALID, "say which data set: the project has %s",
                    names.count ? text_built(&names) : "none");
    *part = find_part(parts, name);
    return *part || fail(&cli->error, ERROR_NOT_FOUND,
                         "the project has no data set \"%s\", only %s", *name, text_built(&names));
}

bool cli_project_data(Cli *cli, const char *name, DataSource *data)
{
    const char *project;
    const JsonValue *part;
    DataSource found = {0};
    ClientReply reply;

    if (!cli_project(cli, &project) ||
        !cli_get(cli, cli_format(cli, "/api/v1/projects/%s", cli_encoded(cli, project)), &reply) ||
        !choose_part(cli, json_member(json_member(reply.json, "settings"), "data"), &name, &part))
        return false;
    found.name = name;
    found.options = json_member(part, "options");
    for (JsonWalk walk = json_walk(json_member(part, "source")); json_walk_next(&walk);)
        if (!add_paths(cli, json_as_text(walk.value, ""), &found.sources))
            return false;
    *data = found;
    return true;
}

bool cli_project_has_data(Cli *cli, const char *name)
{
    const char *path = cli_option(cli, "--file") ? cli_option(cli, "--file") : "slipway.yaml";
    Error ignored = {0};
    const char *bytes;
    ProjectFile file;
    size_t size;

    if (!file_read(path, YAML_BYTES_MAX, cli->arena, &bytes, &size, &ignored) ||
        !project_file_read(bytes, size, cli->arena, &file, &ignored))
        return false;
    for (size_t i = 0; i < file.data.count; i++)
        if (!name || strcmp(file.data.items[i].name, name) == 0)
            return true;
    return false;
}
