/* package.h: a model package is a folder (a tree in the artifact store): preprocessing and model
 * together.
 *
 *     MLmodel              MLflow's YAML, so that other tools can read it: flavors, signature, ids
 *     model.slipway        the bytes of ml/predictor.h
 *     signature.json       task, input columns with kinds, classes, positive class, of two classes
 *                          the least probability that names it, target; of forecasts the first of
 *                          their series, frequency, horizon, most steps
 *     golden.json          some training rows with the answers that the model gave when it was
 * made; of forecasts some dates of some series (ml/forecast_rows.h) report.json ml/report.h on the
 * frozen hold-out, with the hold-out's digest holdout.json         per row of the hold-out: row id,
 * truth, probabilities or prediction; of forecasts per series and date: truth, value, low, high
 *     leaderboard.json     what was tried
 *     profile.json         the training data's profile: the reference for drift
 *     environment.json     slipway's version, libraries
 *     train_ids            which rows it has learnt from: pipelines/train_ids.h
 *
 * No file holds a time or a machine name: the same data, seed and binary give the same bytes.
 */
#pragma once

#include "access/scope.h"
#include "base/json.h"
#include "ml/predictor.h"
#include "store/artifact.h"

typedef struct PackageSpec {
    const char *folder; /* empty; filled by package_write() */
    const Predictor *model;
    const char *target;  /* the column that was learnt */
    const char *flavor;  /* the leaderboard's chosen candidate */
    const Frame *golden; /* some rows, at most 32 */
    const char *report, *holdout, *leaderboard, *profile,
        *environment; /* finished JSON; NULL: no such file */
} PackageSpec;

bool package_write(const PackageSpec *spec, Arena *arena, Error *error) MUST_CHECK;

/* A package in memory; package_close() gives back what it owns. */
typedef struct Package {
    Predictor *model; /* owned; it looks things up in the map */
    FileMap map;      /* owned: the model's file, which the store never changes */
    const char *target;
    const JsonValue *signature;
    const JsonValue *report; /* of a forecast: report.json, where it is small enough; else NULL */
} Package;

/* Reads it from the store; each file's digest is checked. */
bool package_open(const ArtifactStore *store, const char *tree_digest, Arena *arena,
                  Package *package, Error *error) MUST_CHECK;
void package_close(Package *package);

/* What its signature says that it answers with; the model is not read. */
bool package_task(const ArtifactStore *store, const char *tree_digest, Arena *arena,
                  ModelTask *task, Error *error) MUST_CHECK;

/* A conflict with the sentence that says so when it is a model of another kind, which Slipway can
 * neither ask nor serve. Reads its MLmodel only. */
bool package_check_kind(const ArtifactStore *store, const char *tree_digest, Arena *arena,
                        Error *error) MUST_CHECK;

/* Checks the digest of every file, then asks the model its golden rows; fails when an answer
 * differs by more than 1e-9. Run it in a child process first. */
bool package_check_golden(const ArtifactStore *store, const char *tree_digest, Arena *arena,
                          Error *error) MUST_CHECK;

/* Has a child do that, as everything must before it serves: a damaged package harms nobody there.
 */
bool package_verify(Scope *scope, const char *tree_digest) MUST_CHECK;

/* The step "verify-package": {"artifacts": folder, "package": digest}; the result is
 * {"golden_rows": n}. */
bool package_verify_step(const JsonValue *job, JsonWriter *result, Arena *arena, Error *error);
