/* version_name.h: a model version as a request names it: 3, "3", "latest" or an alias. */
#pragma once

#include "registry/model.h"

/* The version of model that name (a number, a text, or absent: the latest) stands for. */
bool version_name_resolve(Scope *scope, const char *model, const JsonValue *name,
                          ModelVersion *version) MUST_CHECK;
