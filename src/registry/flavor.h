/* flavor.h: which kinds of model a package says that it is: "sklearn", "onnx", "slipway".
 *
 * An MLmodel lists them. It is read as YAML, and nothing that it names is opened or run. Slipway
 * serves its own kind; any other is kept, found and handed out, and whoever wants it served is told
 * so.
 */
#pragma once

#include "base/json.h"
#include "base/text.h"
#include "store/artifact.h"

#define FLAVOR_OWN "slipway"

/* Of the MLmodel in the tree. Invalid when it is no YAML, or lists none. */
bool flavors_read(const ArtifactStore *store, const Tree *tree, Arena *arena, TextList *flavors,
                  Error *error) MUST_CHECK;

/* The columns that the MLmodel says it takes, as MLflow writes them: [{"name", "type"}], or
 * [{"type": "tensor", ...}]. NULL when it says nothing of that form. */
const JsonValue *flavors_read_inputs(const ArtifactStore *store, const Tree *tree, Arena *arena);

/* NULL when they are served; else the sentence that says why not. */
const char *flavors_refusal(const TextList *flavors, Arena *arena);
