/* model_report_origin.c: the report as a document: where a version came from and what it has
 * learnt.
 */

#include <inttypes.h>
#include <string.h>

#include "pipelines/model_report_internal.h"

/* ---- where it came from ---- */

/* "trained", "pushed by octocat, who is ada here" */
static const char *originator_text(Arena *arena, const Originator *originator)
{
    const char *name = originator->name;

    if (!name)
        return arena_format(arena, "%s by somebody whom nobody has named", originator->did);
    if (!originator->principal)
        return arena_format(arena, "%s by %s, whom nobody here is known to be", originator->did,
                            name);
    return text_equal(originator->principal, originator->name)
               ? arena_format(arena, "%s by %s", originator->did, name)
               : arena_format(arena, "%s by %s, who is %s here", originator->did, name,
                              originator->principal);
}

static const char *originators_text(Arena *arena, const OriginatorList *list)
{
    TextBuilder text = {.arena = arena};

    for (size_t i = 0; i < list->count; i++)
        text_append_format(&text, "%s%s", i ? "; " : "", originator_text(arena, &list->items[i]));
    return text_built(&text);
}

static const char *origin_text(Arena *arena, const PipelineRun *run)
{
    const JsonValue *origin = model_report_parse(run->origin, arena);
    const char *branch = json_as_text(json_member(origin, "branch"), NULL);

    return arena_format(arena, "%s, commit %s%s%s%s",
                        json_as_text(json_member(origin, "trigger"), DOCUMENT_NO_DATA),
                        json_as_text(json_member(origin, "commit"), DOCUMENT_NO_DATA),
                        branch ? " on " : "", branch ? branch : "",
                        json_as_bool(json_member(origin, "is_dirty"), false)
                            ? ", and files had changed since"
                            : "");
}

static void add_pipeline_run(const ReportPage *page, const ReportRun *one)
{
    const PipelineRun *run = &one->run;
    const char *params = report_members(page->arena, model_report_parse(run->params, page->arena));
    Document *document = page->document;

    document_heading(document, arena_format(page->arena, "Pipeline run %s#%" PRId64 ", which %s it",
                                            run->project, run->number,
                                            one->has_trained ? "made" : "released"));
    document_fact(document, "id", run->id);
    document_fact(document, "status", run->status);
    document_fact(document, "started", report_time_by(page, run->created_at, run->created_by));
    document_fact(document, "by", originators_text(page->arena, &one->originators));
    document_fact(document, "trigger", origin_text(page->arena, run));
    document_fact(document, "params", params ? params : "none");
}

static const char *seed_text(const ReportPage *page)
{
    const ModelReport *report = page->report;

    return report->has_order ? report_int(page->arena, report->order.seed)
                             : param_find(&report->lineage.run.params, "seed");
}

void model_report_add_origin(const ReportPage *page)
{
    const Lineage *lineage = &page->report->lineage;
    const Run *run = lineage->has_run ? &lineage->run : &(const Run){0};
    Document *document = page->document;

    document_section(document, "Where it came from");
    document_fact(document, "run", lineage->version.run_id);
    document_fact(document, "name of the run", run->name);
    document_fact(document, "status of the run",
                  lineage->has_run ? run_status_name(run->status) : NULL);
    document_fact(document, "trained by", run->user);
    document_fact(document, "trained",
                  run->started_at && run->ended_at
                      ? arena_format(page->arena, "%s to %s", report_time(page, run->started_at),
                                     report_time(page, run->ended_at))
                      : report_time(page, run->started_at));
    document_fact(document, "commit", model_report_commit(page->report));
    document_fact(document, "seed", seed_text(page));
    document_fact(
        document, "environment",
        report_members(page->arena, model_report_parse(lineage->version.environment, page->arena)));
    for (size_t i = 0; i < page->report->runs.count; i++)
        add_pipeline_run(page, &page->report->runs.items[i]);
    if (!page->report->runs.count)
        document_no_data(document, "no run of a pipeline that is known made or released it.");
}

/* ---- data ---- */

static void add_columns(const ReportPage *page, const DatasetColumns *columns)
{
    document_table(page->document, "column|type|role", "lll");
    for (size_t i = 0; i < columns->count && i < REPORT_LINES_MAX; i++) {
        document_cell(page->document, columns->items[i].name);
        document_cell(page->document, columns->items[i].type);
        document_cell(page->document, columns->items[i].role);
    }
    report_cut(page, columns->count, REPORT_LINES_MAX);
}

/* Rows that did not get as far as learning. */
static void add_dropped(const ReportPage *page)
{
    static const struct {
        const char *label, *param;
    } counts[] = {
        {"rows learnt from", "rows"},
        {"rows left out, as they are in the hold-out", "left_out"},
        {"rows without a target", "unlabelled"},
        {"rows of the hold-out", "holdout_rows"},
    };
    const ModelReport *report = page->report;
    const ParamList *params = &report->lineage.run.params;

    if (report->has_order) /* params of other programs may have such names */
        for (size_t i = 0; i < COUNT(counts); i++)
            document_fact(page->document, counts[i].label, param_find(params, counts[i].param));
    if (report->has_data)
        document_fact(page->document, "broken rows set aside",
                      report_int(page->arena, report->data.set_aside_count));
}

static void add_holdout(const ReportPage *page)
{
    const Holdout *holdout = &page->report->holdout;
    const char *digest = page->report->lineage.version.holdout_digest;
    Document *document = page->document;

    document_heading(document, "Hold-out");
    if (!page->report->has_holdout) {
        if (digest)
            document_fact(document, "digest", digest);
        else if (model_report_is_forecast(page->report))
            report_fact(page, "last steps of each series", page->report->files.signature,
                        "horizon");
        else
            document_no_data(document, "it does not say which rows it was kept away from.");
        return;
    }
    document_fact(document, "digest", holdout->rows);
    document_fact(document, "rows", report_int(page->arena, holdout->row_count));
    document_fact(document, "drawn from",
                  report_version(page->arena, holdout->dataset, holdout->dataset_version));
    document_fact(document, "how",
                  arena_format(page->arena, "%s, share %g, seed %" PRId64, holdout->by,
                               holdout->share, holdout->seed));
    document_fact(document, "frozen", report_time(page, holdout->created_at));
    document_fact(document, "rows by class",
                  report_members(page->arena, model_report_parse(holdout->classes, page->arena)));
}

static void add_logged_data(const ReportPage *page)
{
    const DatasetInputList *list = &page->report->lineage.run.datasets;

    if (!list->count)
        return;
    document_heading(page->document, "Data that the run says it used");
    document_table(page->document, "name|digest|kind of source|for", "llll");
    for (size_t i = 0; i < list->count && i < REPORT_LINES_MAX; i++) {
        document_cell(page->document, list->items[i].name);
        document_cell(page->document, list->items[i].digest);
        document_cell(page->document, list->items[i].source_type);
        document_cell(page->document, param_find(&list->items[i].tags, DATASET_CONTEXT_TAG));
    }
    report_cut(page, list->count, REPORT_LINES_MAX);
}

void model_report_add_data(const ReportPage *page)
{
    const ModelVersion *version = &page->report->lineage.version;
    const DatasetVersion *data = &page->report->data;
    Document *document = page->document;

    document_section(document, "Data");
    if (!version->dataset)
        document_no_data(document, "it does not say which data set it has learnt from.");
    else {
        document_fact(document, "data set",
                      report_version(page->arena, version->dataset, version->dataset_version));
        document_fact(document, "digest", version->dataset_digest);
    }
    if (page->report->has_data) {
        document_fact(document, "rows", report_int(page->arena, data->row_count));
        document_fact(document, "source", data->source);
        document_fact(document, "added", report_time_by(page, data->created_at, data->created_by));
    }
    add_dropped(page);
    if (page->report->has_data)
        add_columns(page, &data->columns);
    add_holdout(page);
    add_logged_data(page);
}

/* ---- what was learnt ---- */

static void add_inputs(const ReportPage *page)
{
    const JsonValue *inputs = model_report_inputs(page->report);

    document_heading(page->document, "Columns that it answers by");
    if (!inputs) {
        document_no_data(page->document, "its package does not say which.");
        return;
    }
    document_table(page->document, "column|kind", "ll");
    for (JsonWalk walk = json_walk(inputs);
         json_walk_next(&walk) && walk.index < REPORT_LINES_MAX;) {
        document_cell(page->document, json_as_text(json_member(walk.value, "name"), NULL));
        document_cell(page->document, model_report_input_kind(walk.value));
    }
    report_cut(page, json_count(inputs), REPORT_LINES_MAX);
}

static void add_params(const ReportPage *page)
{
    const ParamList *params = &page->report->lineage.run.params;

    document_heading(page->document, "Params of the run");
    if (!params->count) {
        document_no_data(page->document, "its run has none, or is not known here.");
        return;
    }
    document_table(page->document, "param|value", "ll");
    for (size_t i = 0; i < params->count && i < REPORT_LINES_MAX; i++) {
        document_cell(page->document, params->items[i].key);
        document_cell(page->document, params->items[i].value);
    }
    report_cut(page, params->count, REPORT_LINES_MAX);
}

/* Which series, and how far ahead. */
static void add_forecast(const ReportPage *page)
{
    const JsonValue *signature = page->report->files.signature;

    if (!model_report_is_forecast(page->report))
        return;
    report_fact(page, "series", signature, "series_count");
    document_fact(page->document, "a step is a", report_text(signature, "frequency"));
    report_fact(page, "horizon", signature, "horizon");
    report_fact(page, "most steps", signature, "steps_max");
}

void model_report_add_learnt(const ReportPage *page)
{
    const ModelReport *report = page->report;
    const ParamList *params = &report->lineage.run.params;
    const JsonValue *signature = report->files.signature;
    Document *document = page->document;

    document_section(document, "What was learnt");
    document_fact(document, "task", report->has_order ? report->order.task : NULL);
    document_fact(document, "target", json_as_text(json_member(signature, "target"), NULL));
    if (!text_equal(report_text(signature, "task"), "regression") &&
        !model_report_is_forecast(report))
        document_fact(document, "positive class",
                      json_as_text(json_member(signature, "positive"), NULL));
    document_fact(document, "learner", report->has_order ? param_find(params, "chosen") : NULL);
    document_fact(document, "settings and features",
                  report->has_order ? param_find(params, "chosen_description") : NULL);
    document_fact(document, "chosen by", report->has_order ? report->order.metric : NULL);
    add_forecast(page);
    add_inputs(page);
    add_params(page);
}
