/* holdout.h: the rows that no model of a project ever learns from, and on which every one is
 * judged.
 *
 * A hold-out is drawn once, from one version of a data set, by a seeded split, and then frozen: its
 * rows are kept as a Parquet blob of their own whose digest names it in every metric, report and
 * gate. Rows with the same feature content stay on one side. Later versions of the data set only
 * ever add training rows: a row that has the content of a hold-out row is set aside from training
 * and counted.
 */
#pragma once

#include "data/dataset.h"

typedef struct HoldoutSpec {
    const char *project;
    const char *dataset;
    double share;   /* 0.2 */
    const char *by; /* "stratified" (needs a target), "group", "time", "random" */
    int64_t seed;
    const char
        *group_values; /* by group: these groups (comma-separated) instead of a share; or NULL */
    int64_t version;   /* of the data set, to draw from; 0: the latest. No part of what is frozen */
} HoldoutSpec;

typedef struct Holdout {
    int64_t id;
    const char *project, *dataset;
    int64_t dataset_version; /* from which it was drawn */
    const char *by;
    double share;
    int64_t seed;
    const char *group_values;               /* "" unless groups were named */
    int64_t row_count, duplicate_row_count; /* duplicates: rows kept together with an equal one */
    const char *rows;                       /* digest of the Parquet blob: the hold-out's name */
    const char *classes;                    /* JSON: {"0": 114, "1": 114} */
    int64_t created_at;
} Holdout;

/* The project's hold-out of this data set; drawn and frozen at the first call (slow), the same ever
 * after. A spec that differs from the frozen one is refused with a conflict. */
bool holdout_ensure(Scope *scope, const HoldoutSpec *spec, Holdout *holdout) MUST_CHECK;
bool holdout_find(Scope *scope, const char *project, const char *dataset,
                  Holdout *holdout) MUST_CHECK;
/* By the digest of its rows; those of two projects that drew the same are the same. */
bool holdout_find_rows(Scope *scope, const char *rows, Holdout *holdout) MUST_CHECK;
void holdout_write_json(JsonWriter *json, const char *key, const Holdout *holdout);
