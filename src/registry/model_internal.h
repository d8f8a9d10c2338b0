/* model_internal.h: what the files of the registry share. */
#pragma once

#include "registry/model.h"

/* The model, made if it is missing; its row id is *id. */
bool model_ensure(Scope *scope, const char *name, RegisteredModel *model) MUST_CHECK;
bool model_touch(Scope *scope, int64_t id) MUST_CHECK;

/* "spam@3", the object of a version's events. */
const char *model_version_object(Arena *arena, const char *model, int64_t number);

/* Drops the aliases that point to this version, with an event each. */
bool model_aliases_drop(Scope *scope, const RegisteredModel *model, int64_t number) MUST_CHECK;
