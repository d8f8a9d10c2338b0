/* model.h: registered models, their versions and aliases.
 *
 * A model version is one package (a tree of the artifact store: MLmodel, model.slipway, signature,
 * golden rows, report, ...) and where it came from. Versions count 1, 2, 3 ... per model and are
 * never reused. An alias
 * ("champion", "staging") points to one version and moves in one step. Metadata belongs to its own
 * model only.
 */
#pragma once

#include "access/event.h"
#include "access/page.h"
#include "tracking/run.h"

typedef struct RegisteredModel {
    int64_t id;
    const char *name;
    const char *description;
    ParamList tags;
    int64_t created_at, updated_at;
    int64_t latest_version; /* 0: none */
} RegisteredModel;

typedef struct ModelVersion {
    int64_t id;
    const char *model;
    int64_t version;
    const char *description;
    const char *package; /* digest of the tree */
    const char *run_id;  /* NULL: imported */
    const char *dataset; /* "comments" */
    int64_t dataset_version;
    const char *dataset_digest;
    const char *holdout_digest; /* of the frozen hold-out it was kept away from */
    const char *code_commit;    /* NULL: not in a git checkout */
    const char *environment;    /* a JSON object: slipway version, libraries, machine */
    const char *created_by;
    int64_t created_at;
    int64_t released_at; /* when it first went into production; 0: it never did */
    ParamList tags;
    TextList aliases;
} ModelVersion;

typedef struct ModelVersionSpec {
    const char *model; /* registered if it is not yet */
    const char *description;
    const char *package;
    const char *run_id;
    const char *dataset, *dataset_digest, *holdout_digest, *code_commit, *environment;
    int64_t dataset_version;
    ParamList tags;
    bool may_be_running; /* the run need not have ended: MLflow's clients register from inside it */
} ModelVersionSpec;

typedef struct ModelList {
    RegisteredModel *items;
    size_t count;
} ModelList;

typedef struct ModelVersionList {
    ModelVersion *items;
    size_t count;
} ModelVersionList;

/* All that change something are called inside a write. */
/* A name has 1 to 256 characters without "/" and ":", as MLflow's. */
bool model_create(Scope *scope, const char *name, const char *description,
                  RegisteredModel *model) MUST_CHECK;
bool model_find(Scope *scope, const char *name, RegisteredModel *model) MUST_CHECK;
/* By name; page NULL: all. */
bool model_list(Scope *scope, const Page *page, ModelList *list) MUST_CHECK;
bool model_describe(Scope *scope, const char *name, const char *description) MUST_CHECK;
bool model_set_tags(Scope *scope, const char *name, const ParamList *tags) MUST_CHECK;

/* The package must be a tree in the artifact store with an MLmodel in it. Only a run that finished
 * has a version: one that runs, failed, was killed or is deleted is a conflict. */
bool model_version_create(Scope *scope, const ModelVersionSpec *spec,
                          ModelVersion *version) MUST_CHECK;
bool model_version_find(Scope *scope, const char *model, int64_t number,
                        ModelVersion *version) MUST_CHECK;
/* The newest first; page NULL: all. */
bool model_version_list(Scope *scope, const char *model, const Page *page,
                        ModelVersionList *list) MUST_CHECK;
bool model_version_describe(Scope *scope, const char *model, int64_t number,
                            const char *description) MUST_CHECK;
bool model_version_set_tags(Scope *scope, const char *model, int64_t number,
                            const ParamList *tags) MUST_CHECK;

/* It goes into production: from now on it cannot be deleted. Once is enough. */
bool model_version_release(Scope *scope, const char *model, int64_t number) MUST_CHECK;

/* Hides it and drops its aliases; its number is never given again, and its package stays. A
 * conflict when it was ever released. */
bool model_version_delete(Scope *scope, const char *model, int64_t number) MUST_CHECK;

/* name: "3" a number, "latest" the newest, or an alias. */
bool model_version_resolve(Scope *scope, const char *model, const char *name,
                           ModelVersion *version) MUST_CHECK;

/* Where a version came from and what happened to it. */
typedef struct Lineage {
    ModelVersion version;
    bool has_run; /* the run is known here */
    Run run;
    EventList events; /* about this version and its run, oldest first */
} Lineage;

bool model_version_lineage(Scope *scope, const char *model, const char *name,
                           Lineage *lineage) MUST_CHECK;

/* 1 to 255 of letters, digits, "-", "_"; not "latest", not "v" and digits, not digits alone. */
bool model_alias_set(Scope *scope, const char *model, const char *alias, int64_t number) MUST_CHECK;
bool model_alias_delete(Scope *scope, const char *model, const char *alias) MUST_CHECK;

void model_write_json(JsonWriter *json, const char *key, const RegisteredModel *model);
void model_version_write_json(JsonWriter *json, const char *key, const ModelVersion *version);
void lineage_write_json(JsonWriter *json, const char *key, const Lineage *lineage);
