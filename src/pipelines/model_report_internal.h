/* model_report_internal.h: what the files of the report share. */
#pragma once

#include "pipelines/model_report.h"

/* NULL when it is no JSON. */
const JsonValue *model_report_parse(const char *text, Arena *arena);

/* What stored facts say of its weaknesses. */
void model_report_add_limits(ModelReport *report, Arena *arena);

bool model_report_is_forecast(const ModelReport *report);

/* The report on the hold-out (ml/report.h), or NULL. */
const JsonValue *model_report_judgement(const ModelReport *report);

/* The columns that it answers by, as far as its package says: [{"name", "kind"}], or "type" in the
 * words of MLflow; NULL: it does not. */
const JsonValue *model_report_inputs(const ModelReport *report);
const char *model_report_input_kind(const JsonValue *input);

/* Of the version; else as its run's client says it; or NULL. */
const char *model_report_commit(const ModelReport *report);

/* A report under way as a document. */
typedef struct ReportPage {
    const ModelReport *report;
    Document *document;
    Arena *arena;
} ReportPage;

/* "2026-05-01 10:00:00 UTC"; NULL for 0. */
const char *report_time(const ReportPage *page, int64_t time_ms);

/* "2026-05-01 10:00:00 UTC by ada" */
const char *report_time_by(const ReportPage *page, int64_t time_ms, const char *who);

/* Six digits; NULL, which is "no data", for what is not finite. */
const char *report_number(Arena *arena, double value);
const char *report_int(Arena *arena, int64_t value);

/* Of what a package or a step says: a number, or NULL. */
const char *report_member(Arena *arena, const JsonValue *object, const char *key);

/* The same as a text, a cell and a fact. */
const char *report_text(const JsonValue *object, const char *key);
void report_cell(const ReportPage *page, const JsonValue *object, const char *key);
void report_fact(const ReportPage *page, const char *label, const JsonValue *object,
                 const char *key);

/* "ham 114, spam 114" of an object's members; NULL: it has none. */
const char *report_members(Arena *arena, const JsonValue *object);

/* "spam@3"; NULL without a name. */
const char *report_version(Arena *arena, const char *name, int64_t version);

/* Says of a table that was cut how many rows it does not show. */
void report_cut(const ReportPage *page, size_t count, size_t shown);

/* The sections that say where it came from. */
void model_report_add_origin(const ReportPage *page);
void model_report_add_data(const ReportPage *page);
void model_report_add_learnt(const ReportPage *page);

/* The sections that say how it was judged. */
void model_report_add_metrics(const ReportPage *page);
void model_report_add_classes(const ReportPage *page);
void model_report_add_decision(const ReportPage *page); /* of two classes */
void model_report_add_columns(const ReportPage *page);
void model_report_add_steps(const ReportPage *page); /* of a forecast */
void model_report_add_leaderboard(const ReportPage *page);
void model_report_add_gates(const ReportPage *page);
void model_report_add_trials(const ReportPage *page);

/* The sections on people and places. */
void model_report_add_approvals(const ReportPage *page);
void model_report_add_placements(const ReportPage *page);
