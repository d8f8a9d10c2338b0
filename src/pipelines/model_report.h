/* model_report.h: all that is known of a model version, for people: where it came from, what it
 * learnt from, how it was judged, who approved it, where it served, what is known to be weak.
 *
 * Nothing is measured for it: each figure is one that the store has, and what the store does not
 * have is said to be missing. The files of a package may be anybody's, so they are read as far as
 * they are what they should be. The runs are those that trained, registered or released the
 * version; what a step of another run found of it is not looked for.
 *
 *     ModelReport report;
 *
 *     if (!model_report_gather(scope, "spam", "champion", &report))
 *         return false;
 *     puts(document_markdown(model_report_document(&report, scope->arena)));
 */
#pragma once

#include "base/document.h"
#include "data/holdout.h"
#include "pipelines/approval.h"
#include "pipelines/gate.h"
#include "pipelines/pipeline.h"
#include "pipelines/training_internal.h"
#include "serving/placement.h"

enum {
    REPORT_RUNS_MAX = 20,
    REPORT_STEPS_MAX = 200, /* that found something of the version */
    REPORT_GATES_MAX = 20,
    REPORT_PLACEMENTS_MAX = 200,
    REPORT_LINES_MAX = 200,    /* of one table */
    REPORT_CONFUSION_MAX = 20, /* classes */
};

/* A run of a pipeline, with whoever is known to have caused it. */
typedef struct ReportRun {
    PipelineRun run;
    OriginatorList originators; /* resolved */
    ApprovalList approvals;     /* the newest first */
    bool has_trained;           /* or registered; else it released what was there */
} ReportRun;

typedef struct ReportRunList {
    ReportRun *items;
    size_t count;
} ReportRunList;

/* A step that was about this version. */
typedef struct ReportStep {
    const char *run;  /* "spam#12" */
    const char *uses; /* "benchmark", "evaluate", "release.staging" */
    PipelineStep step;
    const JsonValue *result; /* NULL: it has none */
} ReportStep;

typedef struct ReportStepList {
    ReportStep *items;
    size_t count;
} ReportStepList;

/* Of the package; NULL where it has none, or none of that form. */
typedef struct ReportFiles {
    const JsonValue *signature;   /* {"target", "inputs", "classes", "positive"} */
    const JsonValue *judgement;   /* {"holdout", "rows", "report"} */
    const JsonValue *leaderboard; /* {"metric", "leaderboard"} */
    const JsonValue *inputs;      /* [{"name", "type"}], as its MLmodel has them */
    TextList flavors;             /* of its MLmodel */
    const char *refusal;          /* why it is not served; or NULL */
    const char *problem;          /* why some of it could not be read; or NULL */
    int64_t size;                 /* of all its files */
    size_t count;
} ReportFiles;

typedef struct ModelReport {
    Lineage lineage;
    bool has_order, has_data, has_holdout;
    TrainingOrder order; /* of the training */
    DatasetVersion data;
    Holdout holdout;
    ReportFiles files;
    ReportRunList runs; /* the oldest first */
    ReportStepList steps;
    GateList gates;           /* the newest first */
    PlacementList placements; /* the newest first */
    TextList limits;          /* sentences */
} ModelReport;

/* name: "3", "latest" or an alias. */
bool model_report_gather(Scope *scope, const char *model, const char *name,
                         ModelReport *report) MUST_CHECK;

/* {"version", "run", "training", "dataset", "holdout", "package", "pipeline_runs", "steps",
 * "gates", "placements", "limits"} */
void model_report_write_json(JsonWriter *json, const ModelReport *report, Arena *arena);

const Document *model_report_document(const ModelReport *report, Arena *arena);
