/* builtin_evaluate.c: "uses: evaluate". */

#include <string.h>

#include "pipelines/builtin.h"
#include "pipelines/evaluation.h"
#include "pipelines/step_job.h"
#include "registry/model.h"

static bool read_spec(Scope *scope, const StepStart *start, EvaluationSpec *spec)
{
    const char *version = builtin_with(start, "version");
    const char *document = NULL;
    int64_t number;

    *spec = (EvaluationSpec){
        .project = start->run->project,
        .model = builtin_with(start, "model"),
        .data = builtin_with(start, "data"),
    };
    if (!version)
        return true;
    if (text_to_int(version, &number)) {
        document = version;
    } else {
        JsonWriter *json = json_writer_create(scope->arena);

        json_text(json, NULL, version);
        document = json_finish(json);
    }
    return json_parse(document, strlen(document), scope->arena, &spec->version, &scope->error);
}

/* What is judged may have another meaning tomorrow (the latest, an alias), so it is judged anew. */
static bool inputs(Scope *scope, const StepStart *start, JsonWriter *json)
{
    json_text(json, "time", arena_format(scope->arena, "%s", start->run->id));
    return true;
}

static bool finish(Scope *scope, const BuiltinStep *step, AttemptEnd *end)
{
    JsonWriter *json = json_writer_create(scope->arena);
    Evaluation evaluation;
    EvaluationSpec spec;

    if (!read_spec(scope, step->start, &spec) || !evaluation_run(scope, &spec, &evaluation))
        return false;
    evaluation_write_json(json, scope->arena, &evaluation);
    end->result = json_finish(json);
    return true;
}

const Builtin builtin_evaluate = {.name = "evaluate", .inputs = inputs, .finish = finish};
