#include "pipelines/builtin_chosen.h"

#include <string.h>

#include "pipelines/version_name.h"

static const char version_prefix[] = "version ";
static const char data_prefix[] = "data ";

/* ---- choosing ---- */

static bool check_rows(Scope *scope, const StepStart *start)
{
    const char *data = builtin_with(start, "data"), *input = builtin_with(start, "input");

    return !data != !input || fail_field(&scope->error, "with",
                                         "it takes its rows from \"data\" or from \"input\": "
                                         "give one of the two");
}

bool builtin_chosen_write_inputs(Scope *scope, const StepStart *start, JsonWriter *json)
{
    const char *model = builtin_with(start, "model"), *name = builtin_with(start, "version");
    const char *data = builtin_with(start, "data");
    ModelVersion version;
    DatasetVersion rows;

    if (!check_rows(scope, start) ||
        !model_version_resolve(scope, model ? model : start->run->project, name ? name : "latest",
                               &version) ||
        !model_version_need_package(scope, &version))
        return false;
    json_text(json,
              arena_format(scope->arena, "%s%s@%lld", version_prefix, version.model,
                           (long long)version.version),
              version.package);
    if (!data)
        return true;
    if (!data_name_resolve(scope, data, &rows))
        return false;
    json_text(
        json,
        arena_format(scope->arena, "%s%s@%lld", data_prefix, rows.dataset, (long long)rows.version),
        rows.digest);
    return true;
}

/* ---- what was chosen ---- */

/* The name behind the prefix, and the number behind its last "@". */
static bool find_chosen(Scope *scope, const StepStart *start, const char *prefix, const char **name,
                        int64_t *number)
{
    const char *text = start->row->inputs ? start->row->inputs : "{}";
    const JsonValue *inputs;

    if (!json_parse(text, strlen(text), scope->arena, &inputs, &scope->error))
        return false;
    for (JsonWalk walk = json_walk(inputs); json_walk_next(&walk);) {
        const char *at = strrchr(walk.key, '@');

        if (!at || !text_has_prefix(walk.key, prefix) || !text_to_int(at + 1, number))
            continue;
        walk.key += strlen(prefix);
        *name = arena_copy(scope->arena, walk.key, (size_t)(at - walk.key));
        return true;
    }
    return fail(&scope->error, ERROR_INTERNAL, "the step's inputs have no \"%s\"", prefix);
}

bool builtin_chosen_version(Scope *scope, const StepStart *start, ModelVersion *version)
{
    const char *model;
    int64_t number;

    return find_chosen(scope, start, version_prefix, &model, &number) &&
           model_version_find(scope, model, number, version) &&
           model_version_need_package(scope, version);
}

void builtin_chosen_write_version(Scope *scope, const ModelVersion *version, JsonWriter *json)
{
    json_text(json, "artifacts",
              arena_format(scope->arena, "%s/artifacts", scope->platform->folder));
    json_text(json, "package", version->package);
    json_text(json, "model", version->model);
    json_int(json, "version", version->version);
}

/* ---- rows ---- */

static bool write_data(Scope *scope, const StepStart *start, JsonWriter *json)
{
    const char *name;
    int64_t number;
    DatasetVersion data;

    if (!find_chosen(scope, start, data_prefix, &name, &number) ||
        !dataset_version_find(scope, name, number, &data))
        return false;
    json_text(json, "path", artifact_path(scope->platform->artifacts, data.rows, scope->arena));
    json_text(json, "name", arena_format(scope->arena, "%s@%lld", name, (long long)number));
    json_text(json, "form", "parquet");
    dataset_columns_write_json(json, "columns", &data.columns);
    return true;
}

bool builtin_text_form(const char *path, const char **form)
{
    *form = text_has_suffix(path, ".csv")     ? "csv"
            : text_has_suffix(path, ".jsonl") ? "jsonl"
                                              : NULL;
    return *form != NULL;
}

static bool write_file(Scope *scope, const BuiltinStep *step, JsonWriter *json)
{
    const char *path, *form;

    if (!builtin_path(scope, step->start, "input", &path))
        return false;
    if (!builtin_text_form(path, &form))
        return fail_field(&scope->error, "input", "\"%.200s\" is neither a .csv nor a .jsonl file",
                          path);
    json_text(json, "path", arena_format(scope->arena, "%s/work/%s", step->folder, path));
    json_text(json, "name", path);
    json_text(json, "form", form);
    return true;
}

bool builtin_chosen_write_rows(Scope *scope, const BuiltinStep *step, JsonWriter *json)
{
    return builtin_with(step->start, "data") ? write_data(scope, step->start, json)
                                             : write_file(scope, step, json);
}
