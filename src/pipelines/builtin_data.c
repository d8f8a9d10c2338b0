/* builtin_data.c: "uses: check-data": the data set's files among those of the project become a
 * version, unless they are one or are not what is expected of them. A data set none of whose files
 * is in the project is taken as it is registered, and looked at in the same way. */

#include <fnmatch.h>
#include <string.h>

#include "data/expect.h"
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
    if (data->expect)
        expect_write_json(options, "expect", data->expect);
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

/* One that is named and not there must not go unnoticed among others that are. */
static bool check_sources(const ProjectData *data, const StepStart *start, Arena *arena,
                          const DatasetSpec *spec, Error *error)
{
    for (size_t i = 0; spec->files.count && i < data->sources.count; i++) {
        const char *source = data->sources.items[i];
        Tree found = {0};

        if (strstr(source, "://"))
            continue;
        add_files(start->tree, plain_path(source, arena), arena, &found);
        if (!found.count)
            return fail_field(error, "source", "no file of the project is \"%.200s\"", source);
    }
    return true;
}

/* What was looked at, also when nothing became of it. */
static const char *refused_result(const ProjectData *data, const char *report, Arena *arena)
{
    JsonWriter *json = json_writer_create(arena);

    json_open_object(json, NULL);
    json_text(json, "data", data->name);
    json_raw(json, "expect", report);
    json_close(json);
    return json_finish(json);
}

static const char *result_of(const DatasetVersion *version, bool is_new, const char *report,
                             Arena *arena)
{
    JsonWriter *json = json_writer_create(arena);

    json_open_object(json, NULL);
    json_text(json, "data", version->dataset);
    json_int(json, "version", version->version);
    json_text(json, "digest", version->digest);
    json_bool(json, "is_new", is_new);
    if (report)
        json_raw(json, "expect", report);
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

bool builtin_data_spec(Scope *scope, const ProjectData *data, DatasetSpec *spec)
{
    *spec = (DatasetSpec){.name = data->name, .expect = data->expect};
    return read_options(scope, data, &spec->options);
}

typedef struct CheckedData {
    const ProjectData *data;
    DatasetVersion version;
    bool is_new;
    const char *report;
} CheckedData;

static bool check(Scope *scope, const StepStart *start, CheckedData *checked)
{
    const ProjectData *data = checked->data;
    DatasetSpec spec = {.name = data->name, .expect = data->expect, .report = &checked->report};

    gather(start, data, scope->arena, &spec);
    if (spec.files.count || spec.urls.count)
        return check_sources(data, start, scope->arena, &spec, &scope->error) &&
               read_options(scope, data, &spec.options) &&
               dataset_add(scope, &spec, &checked->version, &checked->is_new);
    if (!dataset_version_find(scope, data->name, 0, &checked->version))
        return fail_in(&scope->error, "no file of the project is \"%s\"", spec.source);
    return !data->expect ||
           dataset_version_check(scope, &checked->version, data->expect, &checked->report);
}

static bool finish(Scope *scope, const BuiltinStep *step, AttemptEnd *end)
{
    CheckedData checked = {0};

    if (step->start->run->reproduces) {
        if (!find_first(scope, step->start, &checked.version))
            return false;
        end->result = result_of(&checked.version, false, NULL, scope->arena);
        return true;
    }
    if (!find_data(scope, step->start, &checked.data))
        return false;
    if (check(scope, step->start, &checked)) {
        end->result = result_of(&checked.version, checked.is_new, checked.report, scope->arena);
        return true;
    }
    if (checked.report)
        end->result = refused_result(checked.data, checked.report, scope->arena);
    return false;
}

const Builtin builtin_check_data = {.name = "check-data", .inputs = inputs, .finish = finish};
