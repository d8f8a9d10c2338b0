/* source.h: where an MLflow client says that a version's files are, and what of that is here.
 *
 *     runs:/<run>/<path>                                  files of a run
 *     mlflow-artifacts:/<experiment>/<run>/artifacts/...  the same
 *     models:/<logged model>                              files of a logged model
 *     models:/<name>/<version>, models:/<name>@<alias>    what another version has
 *     s3://..., gs://..., ...                             elsewhere; nobody looks
 *
 * Nothing is fetched. A source that this server holds is taken only for the run or logged model
 * that has it, and a path of a file only when that one's own files are at such a path.
 */
#pragma once

#include "registry/model.h"
#include "tracking/artifact_place.h"

typedef struct SourceSpec {
    const char *source;
    const char *run_id, *logged_model_id; /* or NULL */
    bool is_prompt;                       /* whose text is a tag */
} SourceSpec;

typedef struct Source {
    const char *source;   /* to be kept: an alias or a stage is the version's number */
    const char *location; /* where clients download from */
    const char *run_id, *logged_model_id;
    const char *package;         /* NULL: its files are not here, or have no MLmodel */
    const ModelVersion *version; /* that it names; NULL: none */
} Source;

/* Lists the package in the artifact store, of blobs that are there: not inside a write. */
bool source_resolve(Scope *scope, const SourceSpec *spec, Source *source) MUST_CHECK;

/* The files there as a package, when an MLmodel is among them; else *package stays. The same rule.
 */
bool source_list_package(Scope *scope, const ArtifactPlace *place, const char **package) MUST_CHECK;

/* What a version of this source is made of. One that is made of another version has the same data
 * and the same hold-out that it was kept away from. */
void source_fill_spec(const Source *source, ModelVersionSpec *spec);
