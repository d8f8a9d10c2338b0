/* project.c: slipway init, slipway up, slipway project ... */

#include "cli/project.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/yaml.h"
#include "cli/commands.h"
#include "cli/pipeline_order.h"

static const char *file_path(Cli *cli)
{
    const char *path = cli_option(cli, "--file");

    return path ? path : "slipway.yaml";
}

const char *cli_project_folder(Cli *cli)
{
    return path_folder(file_path(cli), cli->arena);
}

static bool read_project(Cli *cli, ProjectFile *file, const char **bytes, size_t *size)
{
    const char *path = file_path(cli);

    if (!file_exists(path))
        return fail(&cli->error, ERROR_NOT_FOUND,
                    "there is no \"%s\" here: name the project with --project, or make a file with "
                    "slipway init",
                    path);
    if (!file_read(path, YAML_BYTES_MAX, cli->arena, bytes, size, &cli->error))
        return false;
    return project_file_read(*bytes, *size, cli->arena, file, &cli->error) ||
           fail_in(&cli->error, "%s", path);
}

static bool put_file(Cli *cli, const char **name, ClientReply *reply)
{
    ClientCall call = {.method = "PUT", .content_type = "application/yaml"};
    ProjectFile file;

    if (!read_project(cli, &file, &call.body, &call.body_size))
        return false;
    call.path = cli_format(cli, "/api/v1/projects/%s", cli_encoded(cli, file.name));
    *name = file.name;
    return cli_call(cli, &call, reply);
}

bool cli_project_data(Cli *cli, const char *name, const ProjectData **data)
{
    const char *bytes;
    ProjectFile file;
    size_t size;

    return read_project(cli, &file, &bytes, &size) &&
           (project_file_data(&file, name, data, &cli->error) ||
            fail_in(&cli->error, "%s", file_path(cli)));
}

static void print_warnings(Cli *cli, const ClientReply *reply)
{
    for (JsonWalk walk = json_walk(json_member(reply->json, "warnings")); json_walk_next(&walk);)
        if (!cli->json)
            fprintf(stderr, "warning: %s\n", json_as_text(walk.value, ""));
}

bool cli_project(Cli *cli, const char **name)
{
    ClientReply reply;

    *name = cli_option(cli, "--project");
    if (*name)
        return true;
    if (!put_file(cli, name, &reply))
        return false;
    print_warnings(cli, &reply);
    return true;
}

/* With the files that its pipeline runs when nobody sends any. */
static bool put_pipeline(Cli *cli, const char *name)
{
    const char *body;
    ClientReply reply;

    return cli_source_body(cli, cli_project_folder(cli), path_name(file_path(cli)), &body) &&
           cli_send(cli, "POST",
                    cli_format(cli, "/api/v1/pipelines/%s/source", cli_encoded(cli, name)), body,
                    &reply);
}

static bool has_stages(Cli *cli, bool *found)
{
    const char *bytes;
    const YamlNode *root;
    size_t size;

    if (!file_read(file_path(cli), YAML_BYTES_MAX, cli->arena, &bytes, &size, &cli->error) ||
        !yaml_parse(bytes, size, cli->arena, &root, &cli->error))
        return false;
    *found = yaml_member(root, "stages") != NULL;
    return true;
}

static bool put_project(Cli *cli)
{
    const char *name;
    ClientReply reply;
    bool is_pipeline;

    if (!put_file(cli, &name, &reply) || !has_stages(cli, &is_pipeline) ||
        (is_pipeline && !put_pipeline(cli, name)))
        return false;
    if (cli->json)
        return cli_print_json(cli, &reply);
    print_warnings(cli, &reply);
    printf("project \"%s\" is %s\n", name,
           json_as_bool(json_member(reply.json, "is_new"), false)       ? "new"
           : json_as_bool(json_member(reply.json, "is_changed"), false) ? "changed"
                                                                        : "unchanged");
    return true;
}

static bool list_projects(Cli *cli)
{
    ClientReply reply;

    if (!cli_get_all(cli, "/api/v1/projects", "projects", &reply))
        return false;
    if (cli->json)
        return cli_print_json(cli, &reply);
    for (JsonWalk walk = json_walk(json_member(reply.json, "projects")); json_walk_next(&walk);)
        printf("%s\n", json_as_text(json_member(walk.value, "name"), ""));
    return true;
}

static bool show_project(Cli *cli)
{
    ClientReply reply;

    if (!cli_get(cli,
                 cli_format(cli, "/api/v1/projects/%s", cli_encoded(cli, cli_argument(cli, 0))),
                 &reply))
        return false;
    if (cli->json)
        return cli_print_json(cli, &reply);
    fputs(json_as_text(json_member(reply.json, "yaml"), ""), stdout);
    return true;
}

static const char template[] =
    "# What this project learns from, and what its models must do to serve.\n"
    "project: %s\n"
    "\n"
    "data:\n"
    "  %s:\n"
    "    source: data/                 # a file, a folder, a zip or a URL, or a list of them\n"
    "    target: label                 # the column to learn\n"
    "    # columns: {note: text, id: ignore, duration: known_after}\n"
    "    #   types: text, category, integer, number, boolean, time (or date)\n"
    "    #   roles: ignore; known_after (known only after the outcome: never learnt from)\n"
    "    # group: customer             # rows of one group stay on one side of the hold-out\n"
    "    # time: date                  # then the latest rows are the hold-out\n"
    "    holdout: {share: 0.2, seed: 42}   # frozen: every model of this project is judged on it\n"
    "\n"
    "release:\n"
    "  endpoint: %s\n"
    "  # A challenger takes the champion's place if it is not worse by more than the margin;\n"
    "  # without one, if it is not worse beyond the noise. minimum holds in any case.\n"
    "  gate: {metric: f1, margin: 0.01, minimum: 0.6}\n";

static bool init_project(Cli *cli)
{
    const char *path = file_path(cli), *name = cli_argument(cli, 0), *text;

    if (!name)
        name = "example";
    if (!name_check("project", "project", name, &cli->error))
        return false;
    if (file_exists(path))
        return fail(&cli->error, ERROR_CONFLICT, "\"%s\" exists already", path);
    text = cli_format(cli, template, name, name, name);
    if (!file_write(path, text, strlen(text), &cli->error))
        return false;
    if (!cli->json)
        printf("wrote %s; change it, then: slipway up\n", path);
    return true;
}

static const CommandOption file_options[] = {
    {"--file", OPTION_TEXT, "PATH", "the project's file (slipway.yaml)"},
    {0},
};

const Command project_commands[] = {
    {"init", "[PROJECT]", init_project, "Write a commented slipway.yaml.", "slipway init spam",
     file_options},
    {"up", NULL, put_project,
     "Put the project's slipway.yaml on the server, and the files of its pipeline.", "slipway up",
     file_options},
    {"project list", NULL, list_projects, "List the projects.", "slipway project list"},
    {"project show", "PROJECT", show_project, "Show a project's file.",
     "slipway project show spam"},
    {0},
};
