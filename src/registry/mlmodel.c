/* mlmodel.c: the file MLmodel: YAML of a fixed shape, so that other tools can read a package.
 *
 * Texts from outside are written as JSON texts, which YAML reads as they are.
 */

#include "base/digest.h"
#include "registry/package_internal.h"

static const char *quote(const char *text, Arena *arena)
{
    JsonWriter *json = json_writer_create(arena);

    json_text(json, NULL, text);
    return json_finish(json);
}

/* MLflow keeps each half of a signature as a JSON document in a text. */
static const char *type_of(ColumnKind kind)
{
    if (kind == COLUMN_NUMBER)
        return "double";
    return kind == COLUMN_DATE ? "datetime" : "string";
}

static void write_column(JsonWriter *json, const char *name, ColumnKind kind, bool is_required)
{
    json_open_object(json, NULL);
    json_text(json, "type", type_of(kind));
    json_text(json, "name", name);
    json_bool(json, "required", is_required);
    json_close(json);
}

static const char *print_inputs(const Predictor *model, Arena *arena)
{
    JsonWriter *json = json_writer_create(arena);

    json_open_array(json, NULL);
    for (size_t i = 0; i < predictor_input_count(model); i++) {
        ModelInput input = predictor_input(model, i);

        write_column(json, input.name, input.kind, !predictor_forecast(model));
    }
    json_close(json);
    return quote(json_finish(json), arena);
}

static const char *print_outputs(const PackageSpec *spec, Arena *arena)
{
    bool has_numbers = predictor_task(spec->model) != TASK_CLASSIFICATION;
    JsonWriter *json = json_writer_create(arena);

    json_open_array(json, NULL);
    write_column(json, spec->target, has_numbers ? COLUMN_NUMBER : COLUMN_CATEGORY, true);
    json_close(json);
    return quote(json_finish(json), arena);
}

/* The id comes from the model's bytes: the same model has the same one. */
const char *mlmodel_print(const PackageSpec *spec, const char *model_bytes, size_t model_size,
                          Arena *arena)
{
    TextBuilder yaml = {.arena = arena};
    char digest[DIGEST_TEXT_SIZE];

    digest_bytes(model_bytes, model_size, digest);
    text_append(&yaml, "flavors:\n");
    text_append(&yaml, "  slipway:\n");
    text_append_format(&yaml, "    data: %s\n", PACKAGE_MODEL);
    text_append_format(&yaml, "    format: %d\n", PACKAGE_FORMAT);
    text_append_format(&yaml, "    learner: %s\n", quote(spec->flavor, arena));
    text_append_format(&yaml, "    target: %s\n", quote(spec->target, arena));
    text_append_format(&yaml, "model_size_bytes: %zu\n", model_size);
    text_append_format(&yaml, "model_uuid: %.32s\n", digest);
    text_append(&yaml, "signature:\n");
    text_append_format(&yaml, "  inputs: %s\n", print_inputs(spec->model, arena));
    text_append_format(&yaml, "  outputs: %s\n", print_outputs(spec, arena));
    return text_built(&yaml);
}
