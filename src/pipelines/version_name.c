#include "pipelines/version_name.h"

#include <string.h>

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

bool data_name_resolve(Scope *scope, const char *name, DatasetVersion *version)
{
    const char *at = strrchr(name, '@');
    int64_t number = 0;

    if (at && strcmp(at, "@latest") != 0 && (!text_to_int(at + 1, &number) || number < 1))
        return fail_field(&scope->error, "data", "\"%.128s\" names no version, as comments@3 does",
                          name);
    if (at)
        name = arena_copy(scope->arena, name, (size_t)(at - name));
    return dataset_version_find(scope, name, number, version);
}
