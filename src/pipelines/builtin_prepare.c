/* builtin_prepare.c: "uses: prepare": rows by a recipe, into the output of the step, into a version
 * of a data set, or both. */

#include <fnmatch.h>
#include <string.h>

#include "access/platform.h"
#include "base/file.h"
#include "pipelines/builtin.h"
#include "pipelines/project.h"
#include "prepare/recipe.h"

static const TreeEntry *tree_entry(const Tree *tree, const char *path)
{
    for (size_t i = 0; tree && i < tree->count; i++)
        if (strcmp(tree->items[i].path, path) == 0)
            return &tree->items[i];
    return NULL;
}

typedef struct RecipeFile {
    const char *path, *text;
    char digest[DIGEST_TEXT_SIZE];
    Recipe recipe;
} RecipeFile;

static bool read_recipe(Scope *scope, const Tree *tree, const char *path, RecipeFile *file)
{
    const TreeEntry *entry = tree_entry(tree, path);
    size_t size;

    if (!entry)
        return fail(&scope->error, ERROR_NOT_FOUND,
                    "the recipe \"%.200s\" is not a file of the project", path);
    file->path = path;
    memcpy(file->digest, entry->digest, sizeof(file->digest));
    return artifact_read(scope->platform->artifacts, entry->digest, RECIPE_BYTES_MAX, scope->arena,
                         &file->text, &size, &scope->error) &&
           (recipe_read(file->text, size, scope->arena, &file->recipe, &scope->error) ||
            fail_in(&scope->error, "%s", path));
}

static bool find_recipe(Scope *scope, const StepStart *start, RecipeFile *file)
{
    return read_recipe(scope, start->tree, builtin_with(start, "recipe"), file);
}

/* ---- what it depends on ---- */

static bool is_dep(const StepStart *start, const char *path)
{
    for (size_t i = 0; i < start->step.deps.count; i++) {
        const char *dep = start->step.deps.items[i].path;
        size_t length = strlen(dep);

        if (strncmp(dep, path, length) == 0 && (!path[length] || path[length] == '/'))
            return true;
    }
    return false;
}

/* The project's files that a source names; what steps make is named by the step's deps. */
static bool digest_source(Scope *scope, const StepStart *start, const char *source, Digest *digest)
{
    bool found = is_dep(start, source) || strpbrk(source, "*?[") != NULL;

    for (size_t i = 0; start->tree && i < start->tree->count; i++) {
        const TreeEntry *entry = &start->tree->items[i];

        if (strcmp(entry->path, source) != 0 && fnmatch(source, entry->path, FNM_PATHNAME) != 0)
            continue;
        digest_add(digest, entry->path, strlen(entry->path) + 1);
        digest_add(digest, entry->digest, DIGEST_TEXT_SIZE);
        found = true;
    }
    return found || fail(&scope->error, ERROR_NOT_FOUND,
                         "\"%.200s\", which the recipe reads, is neither a file of the project nor "
                         "among the deps of the step",
                         source);
}

static bool find_data(Scope *scope, const char *text, DatasetVersion *version)
{
    const char *at = strchrnul(text, '@');
    int64_t number = 0;

    if (*at && (!text_to_int(at + 1, &number) || number < 1))
        return fail_field(&scope->error, "data", "\"%.200s\" is not NAME or NAME@VERSION", text);
    return dataset_version_find(scope, arena_copy(scope->arena, text, (size_t)(at - text)), number,
                                version);
}

static bool digest_sources(Scope *scope, const StepStart *start, const Recipe *recipe,
                           Digest *digest)
{
    for (size_t i = 0; i < recipe->count; i++) {
        const RecipeSource *source = &recipe->items[i].source;
        DatasetVersion version;

        for (size_t k = 0; k < source->files.count; k++)
            if (!digest_source(scope, start, source->files.items[k], digest))
                return false;
        if (!source->data)
            continue;
        if (!find_data(scope, source->data, &version))
            return false;
        digest_add(digest, version.digest, DIGEST_TEXT_SIZE);
    }
    return true;
}

static const char *settings_digest(Scope *scope, const ProjectData *data)
{
    JsonWriter *json = json_writer_create(scope->arena);
    char text[DIGEST_TEXT_SIZE];
    const char *document;

    json_open_object(json, NULL);
    project_data_write_options(json, data);
    if (data->expect)
        expect_write_json(json, "expect", data->expect);
    json_close(json);
    document = json_finish(json);
    return arena_text(scope->arena, digest_bytes(document, strlen(document), text));
}

/* Of the data set that it makes; one that the file does not have is read as it comes. */
static bool target_data(Scope *scope, const StepStart *start, const ProjectData **data)
{
    const char *name = builtin_with(start, "data");
    ProjectData *made = arena_new(scope->arena, ProjectData);
    ProjectFile file;
    Error ignored = {0};

    *data = NULL;
    if (!name)
        return true;
    made->name = name;
    *data = made;
    if (!name_check("data", "data set", name, &scope->error) ||
        !project_read_file(scope, start->run->project, &file))
        return false;
    if (!project_file_data(&file, name, data, &ignored))
        *data = made;
    return true;
}

static bool inputs(Scope *scope, const StepStart *start, JsonWriter *json)
{
    char text[DIGEST_TEXT_SIZE];
    Digest *digest = digest_create();
    const ProjectData *data;
    RecipeFile file;
    bool done = find_recipe(scope, start, &file) &&
                digest_sources(scope, start, &file.recipe, digest) &&
                target_data(scope, start, &data);

    digest_finish(digest, text);
    if (!done)
        return false;
    json_text(json, "recipe", arena_text(scope->arena, file.digest));
    json_text(json, "files that it reads", arena_text(scope->arena, text));
    if (data)
        json_text(json, arena_format(scope->arena, "data %s", data->name),
                  settings_digest(scope, data));
    return true;
}

/* ---- before and after ---- */

static const char *out_path(Scope *scope, const BuiltinStep *step)
{
    const PlanPathList *outs = &step->start->step.outs;

    return outs->count ? arena_format(scope->arena, "%s/work/%s", step->folder, outs->items[0].path)
                       : arena_format(scope->arena, "%s/%s.csv", step->made,
                                      builtin_with(step->start, "data"));
}

static bool write_data(Scope *scope, const Recipe *recipe, JsonWriter *job)
{
    json_open_object(job, "data");
    for (size_t i = 0; i < recipe->count; i++) {
        const char *name = recipe->items[i].source.data;
        DatasetVersion version;

        if (!name)
            continue;
        if (!find_data(scope, name, &version))
            return false;
        json_text(job, name, artifact_path(scope->platform->artifacts, version.rows, scope->arena));
    }
    json_close(job);
    return true;
}

static bool prepare(Scope *scope, const BuiltinStep *step, const char **job)
{
    JsonWriter *json = json_writer_create(scope->arena);
    RecipeFile file;

    if (!find_recipe(scope, step->start, &file))
        return false;
    json_open_object(json, NULL);
    json_text(json, "recipe", file.text);
    json_text(json, "name", file.path);
    json_text(json, "work", arena_format(scope->arena, "%s/work", step->folder));
    json_text(json, "folder", step->made);
    json_text(json, "out", out_path(scope, step));
    if (!write_data(scope, &file.recipe, json))
        return false;
    json_close(json);
    *job = json_finish(json);
    return true;
}

static bool add_version(Scope *scope, const BuiltinStep *step, const ProjectData *data,
                        DatasetVersion *version)
{
    const char *path = out_path(scope, step);
    TreeEntry entry = {.path = arena_format(scope->arena, "%s.csv", data->name)};
    DatasetSpec spec;
    Artifact artifact;
    bool is_new;

    if (!builtin_data_spec(scope, data, &spec) ||
        !artifact_add_file(scope->platform->artifacts, path, &artifact, &scope->error))
        return false;
    memcpy(entry.digest, artifact.digest, sizeof(entry.digest));
    entry.size = artifact.size;
    *arena_push(scope->arena, &spec.files) = entry;
    spec.source = builtin_with(step->start, "recipe");
    return dataset_add(scope, &spec, version, &is_new);
}

static bool finish(Scope *scope, const BuiltinStep *step, AttemptEnd *end)
{
    const JsonValue *result = json_member(end->document, "result");
    JsonWriter *json = json_writer_create(scope->arena);
    const ProjectData *data;
    DatasetVersion version;

    if (!target_data(scope, step->start, &data))
        return false;
    if (step->start->run->reproduces) /* which adds nothing */
        data = NULL;
    if (data && !add_version(scope, step, data, &version))
        return false;
    json_open_object(json, NULL);
    for (JsonWalk walk = json_walk(result); json_walk_next(&walk);)
        json_raw(json, walk.key, json_print(walk.value, scope->arena));
    if (data) {
        json_text(json, "data", version.dataset);
        json_int(json, "version", version.version);
        json_text(json, "digest", version.digest);
    }
    json_close(json);
    end->result = json_finish(json);
    return true;
}

const Builtin builtin_prepare = {
    .name = "prepare",
    .worker = "prepare",
    .inputs = inputs,
    .prepare = prepare,
    .finish = finish,
};
