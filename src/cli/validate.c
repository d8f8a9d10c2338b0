/* validate.c: slipway validate: what a file says, without a server. */

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/yaml.h"
#include "cli/commands.h"
#include "pipelines/builtin.h"
#include "pipelines/plan_files.h"
#include "pipelines/project_file.h"
#include "pipelines/release.h"
#include "pipelines/schedule.h"

enum { SHOWN_NEEDS_MAX = 3, SHOWN_BYTES_MAX = 60 };

typedef struct Validation {
    Cli *cli;
    const char *path, *folder;
    ProjectFile file; /* of a dvc.yaml: its pipeline alone */
    Plan plan;
    const char *not_planned; /* why there is no plan, though the file is fine; or NULL */
} Validation;

/* The file. */

static const char *choose_file(Cli *cli)
{
    static const char *const usual[] = {"slipway.yaml", "dvc.yaml"};
    const char *given = cli_argument(cli, 0), *path;

    if (given && !folder_exists(given))
        return given;
    for (size_t i = 0; i < COUNT(usual); i++) {
        path = given ? cli_format(cli, "%s/%s", given, usual[i]) : usual[i];
        if (file_exists(path))
            return path;
    }
    return NULL;
}

static bool read_file(Validation *validation)
{
    Cli *cli = validation->cli;
    const YamlNode *root;
    const char *bytes;
    size_t size;

    validation->path = choose_file(cli);
    if (!validation->path)
        return fail(&cli->error, ERROR_NOT_FOUND, "there is no slipway.yaml or dvc.yaml in \"%s\"",
                    cli_argument(cli, 0) ? cli_argument(cli, 0) : ".");
    validation->folder = path_folder(validation->path, cli->arena);
    if (!file_read(validation->path, YAML_BYTES_MAX, cli->arena, &bytes, &size, &cli->error))
        return false;
    if (!yaml_parse(bytes, size, cli->arena, &root, &cli->error))
        return fail_in(&cli->error, "%s", validation->path);
    if (yaml_member(root, "project")
            ? project_file_read(bytes, size, cli->arena, &validation->file, &cli->error)
            : pipeline_file_read(root, pipeline_builtins, cli->arena, &validation->file.pipeline,
                                 &cli->error))
        return true;
    return fail_in(&cli->error, "%s", validation->path);
}

/* The plan. */

static bool source_exists(void *context, const char *path)
{
    const Validation *validation = context;
    const char *whole = cli_format(validation->cli, "%s/%s", validation->folder, path);

    return file_exists(whole) || folder_exists(whole);
}

static bool source_read(void *context, const char *path, Arena *arena, PlanBytes *bytes,
                        Error *error)
{
    const Validation *validation = context;
    const char *whole = arena_format(arena, "%s/%s", validation->folder, path);

    if (!file_exists(whole))
        return fail(error, ERROR_NOT_FOUND, "there is no file \"%s\"", path);
    return file_read(whole, YAML_BYTES_MAX, arena, &bytes->bytes, &bytes->size, error);
}

/* {"rows": "100"} from --param rows=100: the reader knows what type that is to be. */
static bool read_params(Validation *validation, const JsonValue **values)
{
    Cli *cli = validation->cli;
    TextList given = cli_option_list(cli, "--param");
    JsonWriter *json = json_writer_create(cli->arena);

    json_open_object(json, NULL);
    for (size_t i = 0; i < given.count; i++) {
        const char *equals = strchr(given.items[i], '=');

        if (!equals)
            return fail_field(&cli->error, "--param", "--param takes NAME=VALUE, not \"%s\"",
                              given.items[i]);
        json_text(json, arena_copy(cli->arena, given.items[i], (size_t)(equals - given.items[i])),
                  equals + 1);
    }
    json_close(json);
    return json_parse(json_finish(json), json_size(json), cli->arena, values, &cli->error);
}

static const char *missing_param(const PipelineFile *file, const JsonValue *values)
{
    for (size_t i = 0; i < file->params.count; i++)
        if (!file->params.items[i].fallback && !json_member(values, file->params.items[i].name))
            return file->params.items[i].name;
    return NULL;
}

static bool make_plan(Validation *validation)
{
    const PlanSource source = {source_exists, source_read, validation};
    PlanRequest request = {.source = &source};
    Cli *cli = validation->cli;
    const char *missing;

    if (!read_params(validation, &request.values))
        return false;
    missing = missing_param(&validation->file.pipeline, request.values);
    if (missing) {
        validation->not_planned = cli_format(
            cli, "param \"%s\" has no default: give it with --param %s=VALUE to see the plan",
            missing, missing);
        return true;
    }
    if (!pipeline_plan(&validation->file.pipeline, &request, cli->arena, &validation->plan,
                       &cli->error))
        return fail_in(&cli->error, "%s", validation->path);
    release_add_steps(&validation->file.release, cli->arena, &validation->plan);
    return plan_files_check(&source, &validation->plan, cli->arena, &cli->error) ||
           fail_in(&cli->error, "%s", validation->path);
}

/* On a machine without the tz database the server has to know. */
static bool check_zones(Validation *validation)
{
    Cli *cli = validation->cli;

    if (schedules_check(&validation->file.pipeline.on.schedules, cli->arena, &cli->error))
        return true;
    if (cli->error.kind != ERROR_UNAVAILABLE)
        return fail_in(&cli->error, "%s", validation->path);
    cli->error = (Error){0};
    return true;
}

/* For people. */

static const char *shorten(Cli *cli, const char *text)
{
    size_t length = strcspn(text, "\n"), shown = 0;

    if (length <= SHOWN_BYTES_MAX && !text[length])
        return text;
    while (shown < length) {
        size_t next = text_utf8_length(text + shown, length - shown);

        if (!next || shown + next > SHOWN_BYTES_MAX)
            break;
        shown += next;
    }
    return cli_format(cli, "%.*s ...", (int)shown, text);
}

static const char *join(Cli *cli, const TextList *texts, const char *between)
{
    TextBuilder joined = {.arena = cli->arena};

    for (size_t i = 0; i < texts->count; i++)
        text_append_format(&joined, "%s%s", i ? between : "", texts->items[i]);
    return text_built(&joined);
}

static const char *action(Cli *cli, const PlanStep *step)
{
    if (step->uses)
        return cli_format(cli, "uses %s%s%s", step->uses, step->summary ? ": " : "",
                          step->summary ? step->summary : "");
    if (step->arguments.count)
        return shorten(cli, join(cli, &step->arguments, " "));
    return shorten(cli, join(cli, &step->commands, " && "));
}

static const char *needs(Cli *cli, const Plan *plan, const PlanStep *step)
{
    TextBuilder names = {.arena = cli->arena};
    size_t count = step->needs.count;

    for (size_t i = 0; i < count && i < SHOWN_NEEDS_MAX; i++)
        text_append_format(&names, "%s%s", i ? ", " : "", plan->items[step->needs.items[i]].name);
    if (count > SHOWN_NEEDS_MAX)
        text_append_format(&names, " and %zu more", count - SHOWN_NEEDS_MAX);
    return count ? text_built(&names) : "-";
}

static void print_plan(Cli *cli, const Plan *plan)
{
    enum { COLUMNS = 3 };
    const char **cells = arena_array(cli->arena, const char *, (plan->count + 1) * COLUMNS);
    const char **at = cells;

    *at++ = "step";
    *at++ = "waits for";
    *at++ = "what it does";
    for (size_t i = 0; i < plan->count; i++) {
        *at++ = plan->items[i].name;
        *at++ = needs(cli, plan, &plan->items[i]);
        *at++ = action(cli, &plan->items[i]);
    }
    cli_print_table(cells, COLUMNS, plan->count + 1, "lll");
}

static void print_warnings(const TextList *warnings)
{
    for (size_t i = 0; i < warnings->count; i++)
        fprintf(stderr, "warning: %s\n", warnings->items[i]);
}

static void print_text(const Validation *validation)
{
    size_t count =
        validation->not_planned ? validation->file.pipeline.stages.count : validation->plan.count;

    print_warnings(&validation->file.warnings);
    print_warnings(&validation->file.pipeline.warnings);
    if (validation->plan.count)
        print_plan(validation->cli, &validation->plan);
    printf("%s is valid: %zu %s%s\n", validation->path, count,
           validation->not_planned ? "stage" : "step", count == 1 ? "" : "s");
    if (validation->not_planned)
        printf("%s\n", validation->not_planned);
}

/* For programs. */

static void write_texts(JsonWriter *json, const TextList *texts)
{
    for (size_t i = 0; i < texts->count; i++)
        json_text(json, NULL, texts->items[i]);
}

static void print_json(const Validation *validation)
{
    JsonWriter *json = json_writer_create(validation->cli->arena);

    json_open_object(json, NULL);
    json_text(json, "file", validation->path);
    json_text(json, "project", validation->file.name);
    json_open_array(json, "stages");
    write_texts(json, &validation->file.pipeline.stages);
    json_close(json);
    json_open_array(json, "steps");
    for (size_t i = 0; i < validation->plan.count; i++)
        plan_step_write_json(json, NULL, &validation->plan.items[i]);
    json_close(json);
    json_text(json, "not_planned", validation->not_planned);
    json_open_array(json, "warnings");
    write_texts(json, &validation->file.warnings);
    write_texts(json, &validation->file.pipeline.warnings);
    json_close(json);
    json_close(json);
    printf("%s\n", json_finish(json));
}

static bool print_schema(Cli *cli)
{
    JsonWriter *json = json_writer_create(cli->arena);

    project_file_write_schema(json);
    printf("%s\n", json_finish(json));
    return true;
}

static bool validate(Cli *cli)
{
    Validation validation = {.cli = cli};

    if (cli_has_option(cli, "--schema"))
        return print_schema(cli);
    if (!read_file(&validation) || !check_zones(&validation) || !make_plan(&validation))
        return false;
    if (cli->json)
        print_json(&validation);
    else
        print_text(&validation);
    return true;
}

static const CommandOption validate_options[] = {
    {"--param", OPTION_LIST, "NAME=VALUE", "a value of a param, for the plan that is shown"},
    {"--schema", OPTION_FLAG, NULL, "print the JSON Schema of the file instead, for editors"},
    {0},
};

const Command validate_commands[] = {
    {"validate", "[FILE]", validate,
     "Check a slipway.yaml or dvc.yaml (or the one in a folder), and show what it would run.",
     "slipway validate", validate_options},
    {0},
};
