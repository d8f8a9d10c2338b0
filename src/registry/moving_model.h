/* moving_model.h: registered models and versions of another store, with their numbers and times;
 * tracking/moving.h says what holds for all that is moved.
 */
#pragma once

#include "registry/model.h"
#include "tracking/moving.h"

/* Inside a write, as all but the next. */
bool model_import(Scope *scope, const RegisteredModel *given, MovingCounts *counts) MUST_CHECK;

/* Where the files of a version that comes are now: its location and its package, of blobs that are
 * in the artifact store: not inside a write. A version whose run did not end well has no package,
 * for nobody may release it. */
bool model_version_settle(Scope *scope, ModelVersion *given) MUST_CHECK;

/* A conflict when the number is another version's here. */
bool model_version_import(Scope *scope, const ModelVersion *given, MovingCounts *counts) MUST_CHECK;

/* A conflict when it points to another version here. */
bool model_alias_import(Scope *scope, const char *model, const ModelAlias *given,
                        MovingCounts *counts) MUST_CHECK;
