/* project_tree.h: the files of a project, as a body names them. */
#pragma once

#include "api/api.h"

/* files: [{path, digest}], of blobs that are in the store. */
bool project_tree_read(Scope *scope, const JsonValue *files, Tree *tree) MUST_CHECK;
