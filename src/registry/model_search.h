/* model_search.h: MLflow's searches of registered models and of versions: filter and order_by as
 * tracking/search_filter.h reads them.
 *
 * A prompt is a model with the tag "mlflow.prompt.is_prompt" = "true". A search leaves prompts out,
 * unless its filter asks for that tag.
 */
#pragma once

#include "registry/stage.h"

enum { MODEL_SEARCH_MAX = 1000, MODEL_VERSION_SEARCH_MAX = 200000 };

typedef struct ModelSearch {
    const char *filter; /* "name LIKE 'spam%' AND tags.team = 'fraud'"; NULL: all */
    TextList orders;    /* "name DESC"; none: models by name, versions by newest change */
    int64_t limit, offset;
} ModelSearch;

/* *has_more: there is a page behind this one. */
bool model_search(Scope *scope, const ModelSearch *search, ModelOverviewList *list,
                  bool *has_more) MUST_CHECK;
bool model_version_search(Scope *scope, const ModelSearch *search, ModelVersionList *list,
                          bool *has_more) MUST_CHECK;
