/* model.h: registered models, their versions and aliases.
 *
 * A model version is one package (a tree of the artifact store: MLmodel, model.slipway, signature,
 * golden rows, report, ...) and where it came from. Versions count 1, 2, 3 ... per model and are
 * never reused. An alias
 * ("champion", "staging") points to one version and moves in one step. Metadata belongs to its own
 * model only.
 *
 * MLflow's clients register versions too (registry/source.h). They say where the files are; where
 * that is not here, the version has no package, and everything that needs one says so. Their
 * stages are labels of theirs: what serves is an endpoint's business.
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
    const char *package;         /* digest of the tree; NULL: its files are not here */
    const char *run_id;          /* NULL: imported */
    const char *source;          /* a URI, as MLflow's client gave it; or of its run's files */
    const char *location;        /* the URI that the source leads to; both NULL: imported */
    const char *run_link;        /* of MLflow's client, or NULL */
    const char *logged_model_id; /* that it was registered from, or NULL */
    const char *stage;           /* "None", "Staging", "Production", "Archived" */
    const char *dataset;         /* "comments" */
    int64_t dataset_version;
    const char *dataset_digest;
    const char *holdout_digest; /* of the frozen hold-out it was kept away from */
    const char *code_commit;    /* NULL: not in a git checkout */
    const char *environment;    /* a JSON object: slipway version, libraries, machine */
    const char *created_by;
    int64_t created_at, updated_at;
    int64_t released_at; /* when it first went into production; 0: it never did */
    ParamList tags;
    TextList aliases;
} ModelVersion;

typedef struct ModelVersionSpec {
    const char *model; /* registered if it is not yet */
    const char *description;
    const char *package; /* NULL: its files are at the location */
    const char *run_id;
    const char *source, *location, *run_link, *logged_model_id;
    const char *dataset, *dataset_digest, *holdout_digest, *code_commit, *environment;
    int64_t dataset_version;
    ParamList tags;
    bool may_be_running; /* the run need not have ended: MLflow's clients register from inside it */
    bool may_be_unknown; /* the run may be another server's */
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
/* A name has 1 to 256 characters without "/" and ":", as MLflow's. tags may be NULL. */
bool model_create(Scope *scope, const char *name, const char *description, const ParamList *tags,
                  RegisteredModel *model) MUST_CHECK;
bool model_find(Scope *scope, const char *name, RegisteredModel *model) MUST_CHECK;
/* By name; page NULL: all. */
bool model_list(Scope *scope, const Page *page, ModelList *list) MUST_CHECK;

/* A prompt of MLflow's is a model, or a version of one, with this tag: "true" in any case. */
#define MODEL_PROMPT_TAG "mlflow.prompt.is_prompt"

/* And this one of its versions is what it says. */
#define MODEL_PROMPT_TEXT_TAG "mlflow.prompt.text"
bool model_is_prompt(const ParamList *tags);

bool model_describe(Scope *scope, const char *name, const char *description) MUST_CHECK;
bool model_set_tags(Scope *scope, const char *name, const ParamList *tags) MUST_CHECK;

/* Does nothing when there is no such tag. */
bool model_delete_tag(Scope *scope, const char *name, const char *key) MUST_CHECK;

/* Its versions, tags and aliases go with it; each version's history tells its names. A conflict
 * when a version was ever released: what it answered leads back to its name. */
bool model_rename(Scope *scope, const char *name, const char *new_name,
                  RegisteredModel *model) MUST_CHECK;

/* All of it is gone but the events and the packages. The same conflict. */
bool model_delete(Scope *scope, const char *name) MUST_CHECK;

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
bool model_version_delete_tag(Scope *scope, const char *model, int64_t number,
                              const char *key) MUST_CHECK;

/* The oldest that has this package, first of those that say what data they are of; *found: false
 * when none has. */
bool model_version_find_package(Scope *scope, const char *model, const char *package,
                                ModelVersion *version, bool *found) MUST_CHECK;

/* A conflict when it has none, which says where its files are. Before anything that opens it. */
bool model_version_need_package(Scope *scope, const ModelVersion *version) MUST_CHECK;

/* A file of its package. */
bool model_version_file(Scope *scope, const ModelVersion *version, const char *path,
                        TreeEntry *entry) MUST_CHECK;

/* It goes into production: from now on it cannot be deleted. Once is enough. */
bool model_version_release(Scope *scope, const char *model, int64_t number) MUST_CHECK;

/* Hides it and drops its aliases; its number is never given again, and its package stays. A
 * conflict when it was ever released. */
bool model_version_delete(Scope *scope, const char *model, int64_t number) MUST_CHECK;

/* Removes for good one that was deleted; id is that of its row. Its package stays until nothing
 * refers to its files. */
bool model_version_purge(Scope *scope, int64_t id) MUST_CHECK;

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

/* "latest" is the newest version, as ever. */
bool model_alias_find(Scope *scope, const char *model, const char *alias,
                      ModelVersion *version) MUST_CHECK;
bool model_alias_delete(Scope *scope, const char *model, const char *alias) MUST_CHECK;

typedef struct ModelAlias {
    const char *alias;
    int64_t version;
} ModelAlias;

typedef struct ModelAliasList {
    ModelAlias *items;
    size_t count;
} ModelAliasList;

bool model_alias_list(Scope *scope, const RegisteredModel *model, ModelAliasList *list) MUST_CHECK;

void model_write_json(JsonWriter *json, const char *key, const RegisteredModel *model);
void model_version_write_json(JsonWriter *json, const char *key, const ModelVersion *version);
void lineage_write_json(JsonWriter *json, const char *key, const Lineage *lineage);
