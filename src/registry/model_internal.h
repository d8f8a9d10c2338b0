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

/* The event of a version whose model got another name: {"before": "spam@3", "after": "ham@3"}. */
#define MODEL_VERSION_RENAMED "model_version.renamed"

/* The event of a tag that was removed. */
bool model_append_untagged(Scope *scope, const char *action, const char *object,
                           const Param *tag) MUST_CHECK;

/* For model_version_create(): a version's tags, and the event of what was done to it. */
bool model_version_put_tags(Scope *scope, int64_t id, const ParamList *tags) MUST_CHECK;
bool model_version_append_event(Scope *scope, const char *action,
                                const ModelVersion *version) MUST_CHECK;

bool model_description_check(Scope *scope, const char *description) MUST_CHECK;

/* The versions at a stage, oldest first. */
bool model_version_list_at(Scope *scope, const char *model, const char *stage,
                           ModelVersionList *list) MUST_CHECK;

/* The newest of each stage, oldest first. */
bool model_version_list_newest(Scope *scope, int64_t model_id, ModelVersionList *list) MUST_CHECK;

/* In the order of the ids; one that is gone is left out. */
bool model_version_list_by_ids(Scope *scope, const int64_t *ids, size_t count,
                               ModelVersionList *list) MUST_CHECK;

/* Fills the tags and aliases of all. */
bool model_version_load_details(Scope *scope, ModelVersionList *list) MUST_CHECK;

bool model_find_by_id(Scope *scope, int64_t id, RegisteredModel *model) MUST_CHECK;

/* A tree in the artifact store that has what a package needs. */
bool model_version_check_package(Scope *scope, const char *package) MUST_CHECK;
bool model_name_check(Scope *scope, const char *name) MUST_CHECK;

/* What webhooks are told. A tag whose value is NULL was deleted, and so was an alias of version 0.
 */
bool model_tell_created(Scope *scope, const char *name, const char *description,
                        const ParamList *tags) MUST_CHECK;
bool model_tell_tag(Scope *scope, const RegisteredModel *model, const Param *tag) MUST_CHECK;
bool model_tell_alias(Scope *scope, const RegisteredModel *model, const char *alias,
                      int64_t number) MUST_CHECK;
bool model_version_tell_created(Scope *scope, const ModelVersion *version) MUST_CHECK;
bool model_version_tell_tags(Scope *scope, const ModelVersion *version,
                             const ParamList *tags) MUST_CHECK;
bool model_version_tell_untagged(Scope *scope, const ModelVersion *version,
                                 const char *key) MUST_CHECK;
