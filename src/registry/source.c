#include "registry/source.h"

#include <string.h>

#include "registry/stage.h"
#include "registry/uri.h"

#define NOT_THE_RUN   "the run_id must be that of the run which has it"
#define NOT_THE_MODEL "the model_id must be that of the logged model which has it"

/* ---- packages ---- */

/* The files below path become a package, when an MLmodel is among them. */
static bool list_package(Scope *scope, const Tree *files, const char *path, const char **package)
{
    size_t length = *path ? strlen(path) + 1 : 0;
    Tree tree = {0};
    Artifact artifact;

    for (size_t i = 0; i < files->count; i++) {
        TreeEntry entry = files->items[i];

        if (length && (strncmp(entry.path, path, length - 1) != 0 || entry.path[length - 1] != '/'))
            continue;
        entry.path += length;
        *arena_push(scope->arena, &tree) = entry;
    }
    if (!tree_find(&tree, "MLmodel"))
        return true;
    if (!tree_add(scope->platform->artifacts, &tree, scope->arena, &artifact, &scope->error))
        return false;
    *package = arena_text(scope->arena, artifact.digest);
    return true;
}

static bool take_run_files(Scope *scope, const char *path, Source *source)
{
    Tree files = {0};

    return run_artifacts(scope, source->run_id, &files) &&
           list_package(scope, &files, path, &source->package);
}

/* ---- where it is ---- */

/* *found: false when there is no such run here. */
static bool find_run(Scope *scope, const char *id, Run *run, bool *found)
{
    *found = id && run_find(scope, id, run);
    if (*found || !id)
        return true;
    if (scope->error.kind != ERROR_NOT_FOUND)
        return false;
    scope->error = (Error){0};
    return true;
}

static bool resolve_run(Scope *scope, const Uri *uri, Source *source)
{
    bool is_named = source->run_id != NULL, found = false;
    Run run;

    if (*uri->authority || uri->parts.count < 2 ||
        (is_named && strcmp(source->run_id, uri->parts.items[0]) != 0))
        return uri_refuse(scope, uri, NOT_THE_RUN);
    source->run_id = uri->parts.items[0];
    if (!find_run(scope, source->run_id, &run, &found))
        return false;
    if (!found)
        return is_named || uri_refuse(scope, uri, NOT_THE_RUN);
    return take_run_files(scope, uri_path(uri, 1, scope->arena), source);
}

/* Whether the source is below where the run has its files; *path: what is behind that. */
static bool find_in_run(Scope *scope, const Uri *uri, const Source *source, const char **path)
{
    bool found = false, is_within = false;
    Uri root;
    Run run;

    if (!find_run(scope, source->run_id, &run, &found) ||
        (found && !uri_read(scope, run.artifact_uri, &root)))
        return false;
    is_within = found && uri_is_within(uri, &root, scope->arena, path);
    return is_within || uri_refuse(scope, uri, NOT_THE_RUN);
}

static bool resolve_held(Scope *scope, const Uri *uri, Source *source)
{
    const char *path;

    if (source->logged_model_id)
        return uri_refuse(scope, uri, NOT_THE_MODEL);
    return find_in_run(scope, uri, source, &path) && take_run_files(scope, path, source);
}

static bool resolve_local(Scope *scope, const Uri *uri, Source *source)
{
    const char *path;

    if (*uri->authority && strcmp(uri->authority, "localhost") != 0)
        return uri_refuse(scope, uri, "a file URI names no other machine");
    return find_in_run(scope, uri, source, &path);
}

/* ---- models:/ ---- */

/* name: "3", "latest", a stage or, behind "@", an alias. */
static bool find_version(Scope *scope, const char *model, const char *name, ModelVersion *version)
{
    ModelVersionList list = {0};
    const char *stage;

    if (!model_stage_read(scope, name, &stage)) {
        scope->error = (Error){0};
        return model_version_resolve(scope, model, name, version);
    }
    if (!model_latest_versions(scope, model, &(TextList){&stage, 1}, &list))
        return false;
    if (!list.count)
        return fail(&scope->error, ERROR_NOT_FOUND, "model \"%.256s\" has no version at stage %s",
                    model, stage);
    *version = list.items[0];
    return true;
}

static bool resolve_version(Scope *scope, const Uri *uri, const char *name, Source *source)
{
    RegisteredModel model;
    ModelVersion version;

    if (!model_find(scope, uri->parts.items[0], &model))
        return false;
    if (model_is_prompt(&model.tags))
        return uri_refuse(scope, uri, "a prompt is no source of a model version");
    if (!find_version(scope, model.name, name, &version))
        return false;
    if ((source->run_id && !text_equal(source->run_id, version.run_id)) ||
        (source->logged_model_id && !text_equal(source->logged_model_id, version.logged_model_id)))
        return uri_refuse(scope, uri,
                          "the run_id and model_id must be those of the version that it names");
    *source = (Source){
        .source =
            arena_format(scope->arena, "models:/%s/%lld", model.name, (long long)version.version),
        .location = version.location ? version.location : source->source,
        .run_id = version.run_id,
        .logged_model_id = version.logged_model_id,
        .package = version.package,
    };
    return true;
}

static bool resolve_logged_model(Scope *scope, const Uri *uri, Source *source)
{
    if (source->logged_model_id && strcmp(source->logged_model_id, uri->parts.items[0]) != 0)
        return uri_refuse(scope, uri, NOT_THE_MODEL);
    return fail(&scope->error, ERROR_NOT_FOUND, "logged model \"%.100s\" does not exist",
                uri->parts.items[0]);
}

static bool resolve_model(Scope *scope, const Uri *uri, Source *source)
{
    Uri named = *uri;
    const char *at = uri->parts.count ? strrchr(uri->parts.items[0], '@') : NULL;

    if (*uri->authority || !uri->parts.count || uri->parts.count > 2)
        return uri_refuse(scope, uri,
                          "it is models:/<name>/<version>, models:/<name>@<alias> or models:/<id>");
    if (uri->parts.count == 2)
        return resolve_version(scope, uri, uri->parts.items[1], source);
    if (!at)
        return resolve_logged_model(scope, uri, source);
    named.parts.items = arena_array(scope->arena, const char *, 1);
    named.parts.items[0] =
        arena_copy(scope->arena, uri->parts.items[0], (size_t)(at - uri->parts.items[0]));
    return resolve_version(scope, &named, at + 1, source);
}

/* ---- all of them ---- */

static bool check_prompt(Scope *scope, const char *source)
{
    return strcmp(source, "dummy-source") == 0 || strcmp(source, "prompt-template") == 0 ||
           fail(
               &scope->error, ERROR_INVALID,
               "Invalid prompt source: '%.100s': a prompt's is \"dummy-source\", for its text is a "
               "tag",
               source);
}

static bool resolve_uri(Scope *scope, const Uri *uri, Source *source)
{
    if (strcmp(uri->scheme, "runs") == 0)
        return resolve_run(scope, uri, source);
    if (strcmp(uri->scheme, "models") == 0)
        return resolve_model(scope, uri, source);
    if (uri_is_proxied(uri))
        return resolve_held(scope, uri, source);
    return *uri->scheme || resolve_local(scope, uri, source);
}

bool source_resolve(Scope *scope, const SourceSpec *spec, Source *source)
{
    Source found = {
        .source = spec->source,
        .location = spec->source,
        .run_id = spec->run_id,
        .logged_model_id = spec->logged_model_id,
    };
    Uri uri;

    if (spec->is_prompt ? !check_prompt(scope, spec->source)
                        : !uri_read(scope, spec->source, &uri) || !resolve_uri(scope, &uri, &found))
        return false;
    *source = found;
    return true;
}
