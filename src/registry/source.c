#include "registry/source.h"

#include <inttypes.h>
#include <string.h>

#include "registry/stage.h"
#include "registry/uri.h"
#include "tracking/logged_model.h"

#define NOT_THE_RUN   "the run_id must be that of the run which has it"
#define NOT_THE_MODEL "the model_id must be that of the logged model which has it"

/* ---- packages ---- */

/* The files become a package, when an MLmodel is among them. */
bool source_list_package(Scope *scope, const ArtifactPlace *place, const char **package)
{
    Artifact artifact;
    Tree tree = {0};

    if (!artifact_place_tree(scope, place, &tree))
        return false;
    if (!tree_find(&tree, "MLmodel"))
        return true;
    if (!tree_add(scope->platform->artifacts, &tree, scope->arena, &artifact, &scope->error))
        return false;
    *package = arena_text(scope->arena, artifact.digest);
    return true;
}

static bool take_run_files(Scope *scope, const char *path, Source *source)
{
    ArtifactPlace place;

    return artifact_path_read(scope, path, &path) &&
           artifact_place_of_run(scope, source->run_id, path, &place) &&
           source_list_package(scope, &place, &source->package);
}

/* What is not ready has not all of its files. */
static bool take_model_files(Scope *scope, const LoggedModel *model, const char *path,
                             Source *source)
{
    ArtifactPlace place;

    if (model->status != LOGGED_MODEL_READY ||
        !text_has_prefix(model->artifact_uri, "mlflow-artifacts:"))
        return true;
    return artifact_path_read(scope, path, &path) &&
           artifact_place_below(scope, model->artifact_uri, path, &place) &&
           source_list_package(scope, &place, &source->package);
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

    if (source->logged_model_id)
        return uri_refuse(scope, uri, NOT_THE_MODEL);
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

/* *path: what is behind the root. */
static bool find_below(Scope *scope, const Uri *uri, const char *root_uri, const char **path)
{
    Uri root;

    return root_uri && uri_read(scope, root_uri, &root) &&
           uri_is_within(uri, &root, scope->arena, path);
}

/* Below where the logged model has its files, or the run where none is named. */
static bool resolve_inside(Scope *scope, const Uri *uri, Source *source)
{
    const char *path;
    LoggedModel model;
    bool found = false;
    Run run;

    if (source->logged_model_id)
        return logged_model_find(scope, source->logged_model_id, &model) &&
               (find_below(scope, uri, model.artifact_uri, &path)
                    ? take_model_files(scope, &model, path, source)
                    : uri_refuse(scope, uri, NOT_THE_MODEL));
    if (!find_run(scope, source->run_id, &run, &found))
        return false;
    if (!find_below(scope, uri, found ? run.artifact_uri : NULL, &path))
        return uri_refuse(scope, uri, NOT_THE_RUN);
    return !uri_is_proxied(uri) || take_run_files(scope, path, source);
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
    ModelVersion *version = arena_new(scope->arena, ModelVersion);
    RegisteredModel model;

    if (!model_find(scope, uri->parts.items[0], &model))
        return false;
    if (model_is_prompt(&model.tags))
        return uri_refuse(scope, uri, "a prompt is no source of a model version");
    if (!find_version(scope, model.name, name, version))
        return false;
    if ((source->run_id && !text_equal(source->run_id, version->run_id)) ||
        (source->logged_model_id && !text_equal(source->logged_model_id, version->logged_model_id)))
        return uri_refuse(scope, uri,
                          "the run_id and model_id must be those of the version that it names");
    *source = (Source){
        .source = arena_format(scope->arena, "models:/%s/%" PRId64, model.name, version->version),
        .location = version->location ? version->location : source->source,
        .run_id = version->run_id,
        .logged_model_id = version->logged_model_id,
        .package = version->package,
        .version = version,
    };
    return true;
}

static bool resolve_logged_model(Scope *scope, const Uri *uri, Source *source)
{
    const char *id = uri->parts.items[0];
    LoggedModel model;

    if (source->logged_model_id && strcmp(source->logged_model_id, id) != 0)
        return uri_refuse(scope, uri, NOT_THE_MODEL);
    if (!logged_model_find(scope, id, &model))
        return false;
    source->logged_model_id = model.id;
    source->location = model.artifact_uri;
    return take_model_files(scope, &model, "", source);
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
    if (*uri->scheme && !uri_is_proxied(uri))
        return true;
    return resolve_inside(scope, uri, source);
}

/* A version comes from the run that its logged model comes from. */
static bool take_run_of_model(Scope *scope, Source *source)
{
    LoggedModel model;

    if (!source->logged_model_id || source->run_id)
        return true;
    if (!logged_model_find(scope, source->logged_model_id, &model))
        return false;
    source->run_id = *model.source_run_id ? model.source_run_id : NULL;
    return true;
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

    if (spec->is_prompt) {
        if (!check_prompt(scope, spec->source))
            return false;
    } else if (!uri_read(scope, spec->source, &uri) || !resolve_uri(scope, &uri, &found) ||
               !take_run_of_model(scope, &found)) {
        return false;
    }
    *source = found;
    return true;
}

void source_fill_spec(const Source *source, ModelVersionSpec *spec)
{
    const ModelVersion *origin = source->version;

    spec->source = source->source;
    spec->location = source->location;
    spec->run_id = source->run_id;
    spec->logged_model_id = source->logged_model_id;
    spec->package = source->package;
    if (!origin)
        return;
    spec->dataset = origin->dataset;
    spec->dataset_version = origin->dataset_version;
    spec->dataset_digest = origin->dataset_digest;
    spec->holdout_digest = origin->holdout_digest;
    spec->code_commit = origin->code_commit;
    spec->environment = origin->environment;
}
