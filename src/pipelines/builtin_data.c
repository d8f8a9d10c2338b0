/* builtin_data.c: "uses: check-data": the data set's files among those of the project become a
 * version, unless they are one. A data set whose files are not in the project is taken as it is
 * registered. */

#include <fnmatch.h>
#include <string.h>

#include "pipelines/builtin.h"
#include "pipelines/project.h"
#include "pipelines/reproduction.h"

static bool find_data(Scope *scope, const StepStart *start, const ProjectData **data)
{
    ProjectFile file;

    return project_read_file(scope, start->run->project, &file) &&
           project_file_data(&file, builtin_with(start, "data"), data, &scope->error);
}

static const char *plain_path(const char *source, Arena *arena)
{
    size_t length = strlen(source);

    if (text_has_prefix(source, "./"))
        return plain_path(source + 2, arena);
    return length && source[length - 1] == '/' ? arena_copy(arena, source, length - 1) : source;
}

static bool is_of(const char *path, const char *source)
{
    size_t length = strlen(source);

    if (strncmp(path, source, length) == 0 && path[length] == '/')
        return dataset_file_has_rows(path);
    return strcmp(path, source) == 0 || fnmatch(source, path, FNM_PATHNAME) == 0;
}

static void add_files(const Tree *tree, const char *source, Arena *arena, Tree *files)
{
    for (size_t i = 0; tree && i < tree->count; i++) {
        if (!is_of(tree->items[i].path, source))
            continue;
        *arena_push(arena, files) = tree->items[i];
        files->items[files->count - 1].path = path_name(tree->items[i].path);
    }
}

static void gather(const StepStart *start, const ProjectData *data, Arena *arena, DatasetSpec *spec)
{
    TextBuilder sources = {.arena = arena};

    for (size_t i = 0; i < data->sources.count; i++) {
        const char *source = data->sources.items[i];

        text_append_format(&sources, "%s%s", i ? " " : "", source);
        if (strstr(source, "://"))
            text_list_add(&spec->urls, arena, source);
        else
            add_files(start->tree, plain_path(source, arena), arena, &spec->files);
    }
    spec->source = text_built(&sources);
}

/* A reproduction adds no version: it takes the one that there was. */
static bool find_first(Scope *scope, const StepStart *start, DatasetVersion *version)
{
    const JsonValue *result;

    return reproduction_original_result(scope, start, &result) &&
           dataset_version_find(scope, json_as_text(json_member(result, "data"), ""),
                                json_as_int(json_member(result, "version"), -1), version);
}

static bool inputs(Scope *scope, const StepStart *start, JsonWriter *json)
{
    const ProjectData *data;
    DatasetSpec spec = {0};
    Digest *digest;
    char text[DIGEST_TEXT_SIZE];
    JsonWriter *options = json_writer_create(scope->arena);
    const char *document;

    if (start->run->reproduces)
        return true;
    if (!find_data(scope, start, &data))
        return false;
    gather(start, data, scope->arena, &spec);
    json_open_object(options, NULL);
    project_data_write_options(options, data);
    json_close(options);
    document = json_finish(options);
    digest = digest_create();
    digest_add(digest, document, strlen(document));
    for (size_t i = 0; i < spec.files.count; i++)
        digest_add(digest, spec.files.items[i].digest, DIGEST_TEXT_SIZE);
    json_text(json, arena_format(scope->arena, "data %s", data->name),
              arena_text(scope->arena, digest_finish(digest, text)));
    return true;
}

static const char *result_of(const DatasetVersion *version, bool is_new, Arena *arena)
{
    JsonWriter *json = json_writer_create(arena);

    json_open_object(json, NULL);
    json_text(json, "data", version->dataset);
    json_int(json, "version", version->version);
    json_text(json, "digest", version->digest);
    json_bool(json, "is_new", is_new);
    json_close(json);
    return json_finish(json);
}

static bool read_options(Scope *scope, const ProjectData *data, DatasetOptions *options)
{
    JsonWriter *json = json_writer_create(scope->arena);
    const JsonValue *value;
    const char *document;

    json_open_object(json, NULL);
    project_data_write_options(json, data);
    json_close(json);
    document = json_finish(json);
    return json_parse(document, strlen(document), scope->arena, &value, &scope->error) &&
           json_read_value(json_member(value, "options"), dataset_options_fields, options,
                           scope->arena, &scope->error);
}

static bool finish(Scope *scope, const BuiltinStep *step, AttemptEnd *end)
{
    const ProjectData *data;
    DatasetSpec spec = {0};
    DatasetVersion version;
    bool is_new = false;

    if (step->start->run->reproduces) {
        if (!find_first(scope, step->start, &version))
            return false;
        end->result = result_of(&version, false, scope->arena);
        return true;
    }
    if (!find_data(scope, step->start, &data))
        return false;
    spec.name = data->name;
    gather(step->start, data, scope->arena, &spec);
    if (spec.files.count || spec.urls.count) {
        if (!read_options(scope, data, &spec.options) ||
            !dataset_add(scope, &spec, &version, &is_new))
            return false;
    } else if (!dataset_version_find(scope, data->name, 0, &version)) {
        return fail_in(&scope->error, "no file of the project is \"%s\"", spec.source);
    }
    end->result = result_of(&version, is_new, scope->arena);
    return true;
}

const Builtin builtin_check_data = {.name = "check-data", .inputs = inputs, .finish = finish};
