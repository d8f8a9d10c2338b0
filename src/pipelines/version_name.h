/* version_name.h: versions as a request names them: of a model 3, "3", "latest" or an alias; of a
 * data set "comments" (the latest) or "comments@3". */
#pragma once

#include "data/dataset.h"
#include "registry/model.h"

/* The version of model that name (a number, a text, or absent: the latest) stands for. */
bool version_name_resolve(Scope *scope, const char *model, const JsonValue *name,
                          ModelVersion *version) MUST_CHECK;

bool data_name_resolve(Scope *scope, const char *name, DatasetVersion *version) MUST_CHECK;
