/* model_report_json.c: the report as JSON: each thing as its own route shows it. */

#include "pipelines/model_report_internal.h"

static void write_training(JsonWriter *json, const ModelReport *report)
{
    const TrainingOrder *order = &report->order;

    if (!report->has_order) {
        json_null(json, "training");
        return;
    }
    json_open_object(json, "training");
    json_text(json, "run_id", order->run_id);
    json_text(json, "project", order->project);
    training_order_write_search(order, json);
    json_close(json);
}

static void write_document(JsonWriter *json, const char *key, const JsonValue *value, Arena *arena)
{
    json_raw(json, key, value ? json_print(value, arena) : NULL);
}

static void write_package(JsonWriter *json, const ModelReport *report, Arena *arena)
{
    const ReportFiles *files = &report->files;

    if (!report->lineage.version.package) {
        json_null(json, "package");
        return;
    }
    json_open_object(json, "package");
    json_text(json, "digest", report->lineage.version.package);
    json_int(json, "file_count", (int64_t)files->count);
    json_int(json, "size", files->size);
    json_texts(json, "flavors", &files->flavors);
    json_text(json, "not_served", files->refusal);
    json_text(json, "problem", files->problem);
    write_document(json, "signature", files->signature, arena);
    write_document(json, "inputs", files->inputs, arena);
    write_document(json, "judgement", files->judgement, arena);
    write_document(json, "leaderboard", files->leaderboard, arena);
    json_close(json);
}

static void write_run(JsonWriter *json, const ReportRun *one)
{
    json_open_object(json, NULL);
    json_bool(json, "has_trained", one->has_trained);
    pipeline_run_write_json(json, "run", &one->run);
    originators_write_json(json, "originators", &one->originators);
    json_open_array(json, "approvals");
    for (size_t i = 0; i < one->approvals.count; i++)
        approval_write_json(json, NULL, &one->approvals.items[i]);
    json_close(json);
    json_close(json);
}

static void write_step(JsonWriter *json, const ReportStep *step)
{
    json_open_object(json, NULL);
    json_text(json, "pipeline_run", step->run);
    json_text(json, "uses", step->uses);
    pipeline_step_write_json(json, "step", &step->step);
    json_close(json);
}

static void write_lists(JsonWriter *json, const ModelReport *report)
{
    json_open_array(json, "pipeline_runs");
    for (size_t i = 0; i < report->runs.count; i++)
        write_run(json, &report->runs.items[i]);
    json_close(json);
    json_open_array(json, "steps");
    for (size_t i = 0; i < report->steps.count; i++)
        write_step(json, &report->steps.items[i]);
    json_close(json);
    json_open_array(json, "gates");
    for (size_t i = 0; i < report->gates.count; i++)
        gate_write_json(json, NULL, &report->gates.items[i]);
    json_close(json);
    json_open_array(json, "placements");
    for (size_t i = 0; i < report->placements.count; i++)
        placement_write_json(json, NULL, &report->placements.items[i]);
    json_close(json);
}

void model_report_write_json(JsonWriter *json, const ModelReport *report, Arena *arena)
{
    json_open_object(json, NULL);
    model_version_write_json(json, "version", &report->lineage.version);
    if (report->lineage.has_run)
        run_write_json(json, "run", &report->lineage.run);
    else
        json_null(json, "run");
    write_training(json, report);
    if (report->has_data)
        dataset_version_write_json(json, "dataset", &report->data);
    else
        json_null(json, "dataset");
    if (report->has_holdout)
        holdout_write_json(json, "holdout", &report->holdout);
    else
        json_null(json, "holdout");
    write_package(json, report, arena);
    write_lists(json, report);
    json_texts(json, "limits", &report->limits);
    json_close(json);
}
