#include "pipelines/version_name.h"

bool version_name_resolve(Scope *scope, const char *model, const JsonValue *name,
                          ModelVersion *version)
{
    int64_t number = json_as_int(name, 0);

    if (json_is_null(name))
        return model_version_resolve(scope, model, "latest", version);
    if (json_is_text(name))
        return model_version_resolve(scope, model, json_as_text(name, ""), version);
    if (json_is_number(name) && number > 0)
        return model_version_find(scope, model, number, version);
    return fail_field(&scope->error, "version",
                      "a version is a number from 1 on, \"latest\" or an alias");
}
