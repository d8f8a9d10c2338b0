#include "ml/report.h"

static void write_average(JsonWriter *json, const char *key, const Average *average)
{
    json_open_object(json, key);
    json_double(json, "precision", average->precision);
    json_double(json, "recall", average->recall);
    json_double(json, "f1", average->f1);
    json_close(json);
}

static void write_class(JsonWriter *json, const ClassReport *one)
{
    json_open_object(json, NULL);
    json_text(json, "name", one->name);
    json_int(json, "support", (int64_t)one->support);
    json_int(json, "predicted", (int64_t)one->predicted);
    json_double(json, "precision", one->precision);
    json_double(json, "recall", one->recall);
    json_double(json, "f1", one->f1);
    json_close(json);
}

static void write_confusion(JsonWriter *json, const Report *report)
{
    json_open_array(json, "confusion");
    for (size_t truth = 0; truth < report->class_count; truth++) {
        json_open_array(json, NULL);
        for (size_t i = 0; i < report->class_count; i++)
            json_int(json, NULL, (int64_t)report->confusion[truth * report->class_count + i]);
        json_close(json);
    }
    json_close(json);
}

static void write_calibration(JsonWriter *json, const Report *report)
{
    json_open_array(json, "calibration");
    for (size_t i = 0; i < CALIBRATION_BIN_COUNT; i++) {
        const CalibrationBin *bin = &report->calibration[i];

        json_open_object(json, NULL);
        json_double(json, "low", bin->low);
        json_double(json, "high", bin->high);
        json_int(json, "count", (int64_t)bin->count);
        json_double(json, "mean_confidence", bin->mean_confidence);
        json_double(json, "accuracy", bin->accuracy);
        json_close(json);
    }
    json_close(json);
}

static void write_classes(JsonWriter *json, const Report *report, const ClassNames *classes)
{
    json_int(json, "class_count", (int64_t)report->class_count);
    json_text(json, "positive", classes->items[report->positive]);
    report_write_metrics(json, "metrics", report);
    write_average(json, "macro", &report->macro);
    write_average(json, "micro", &report->micro);
    write_average(json, "weighted", &report->weighted);
    json_open_array(json, "classes");
    for (size_t i = 0; i < report->class_count; i++)
        write_class(json, &report->classes[i]);
    json_close(json);
    write_confusion(json, report);
    write_calibration(json, report);
}

static void write_quantiles(JsonWriter *json, const Report *report)
{
    json_open_array(json, "residual_quantiles");
    for (size_t i = 0; i < RESIDUAL_QUANTILE_COUNT; i++) {
        json_open_object(json, NULL);
        json_double(json, "share", report->residual_quantiles[i].share);
        json_double(json, "value", report->residual_quantiles[i].value);
        json_close(json);
    }
    json_close(json);
}

static void write_residuals(JsonWriter *json, const Report *report)
{
    json_open_array(json, "residuals");
    for (size_t i = 0; i < report->residual_part_count; i++) {
        const ResidualPart *part = &report->residuals[i];

        json_open_object(json, NULL);
        json_double(json, "low", part->low);
        json_double(json, "high", part->high);
        json_int(json, "count", (int64_t)part->count);
        json_double(json, "mean_prediction", part->mean_prediction);
        json_double(json, "mean_truth", part->mean_truth);
        json_double(json, "mean_residual", part->mean_residual);
        json_double(json, "rmse", part->rmse);
        json_close(json);
    }
    json_close(json);
}

static void write_step(JsonWriter *json, const HorizonPart *step)
{
    json_open_object(json, NULL);
    json_int(json, "first", (int64_t)step->first);
    json_int(json, "last", (int64_t)step->last);
    json_int(json, "values", (int64_t)step->judged.row_count);
    report_write_metrics(json, "metrics", &step->judged);
    json_int(json, "backtest_values", (int64_t)step->tested.row_count);
    if (step->tested.row_count > 0)
        report_write_metrics(json, "backtest_metrics", &step->tested);
    else
        json_null(json, "backtest_metrics");
    json_close(json);
}

static void write_steps(JsonWriter *json, const Report *report)
{
    json_open_array(json, "steps");
    for (size_t i = 0; i < report->step_count; i++)
        write_step(json, &report->steps[i]);
    json_close(json);
}

static void write_numbers(JsonWriter *json, const Report *report)
{
    report_write_metrics(json, "metrics", report);
    write_quantiles(json, report);
    write_residuals(json, report);
    if (report->step_count > 0)
        write_steps(json, report);
}

void report_write_json(JsonWriter *json, const char *key, const Report *report,
                       const ClassNames *classes)
{
    json_open_object(json, key);
    json_text(json, "task", model_task_name(report->task));
    json_int(json, "row_count", (int64_t)report->row_count);
    if (report->task == TASK_CLASSIFICATION)
        write_classes(json, report, classes);
    else
        write_numbers(json, report);
    json_close(json);
}

void paired_interval_write_json(JsonWriter *json, const char *key, const PairedInterval *interval)
{
    json_open_object(json, key);
    {
        json_double(json, "challenger", interval->challenger);
        json_double(json, "champion", interval->champion);
        json_double(json, "difference", interval->difference);
        json_double(json, "low", interval->low);
        json_double(json, "high", interval->high);
        json_int(json, "resamples", (int64_t)interval->resamples);
    }
    json_close(json);
}
