/* model_report_judged.c: the report as a document: how good it is on which rows. */

#include <math.h>
#include <string.h>

#include "pipelines/model_report_internal.h"

/* ---- metrics ---- */

static double metric_of(const Run *run, const char *key)
{
    for (size_t i = 0; i < run->metrics.count; i++)
        if (strcmp(run->metrics.items[i].key, key) == 0)
            return run->metrics.items[i].value;
    return NAN;
}

static void add_training_metric(const ReportPage *page, const char *name, const char *better)
{
    const Run *run = &page->report->lineage.run;
    const char *note = text_equal(name, page->report->order.metric) ? ", chosen by" : "";
    double holdout = metric_of(run, arena_format(page->arena, "holdout.%s", name));
    double folds = metric_of(run, arena_format(page->arena, "cv.%s", name));

    document_cell(page->document, arena_format(page->arena, "%s%s", name, note));
    document_cell(page->document, report_number(page->arena, holdout));
    document_cell(page->document, report_number(page->arena, folds));
    document_cell(page->document, better);
}

/* Those of a training: on the hold-out, and by folds that did not see the rows. */
static void add_training_metrics(const ReportPage *page)
{
    ModelTask task;

    document_table(page->document, "metric|hold-out|cross-validation|better when", "lrrl");
    if (!model_task_find(page->report->order.task, &task))
        return;
    for (const MetricKind *kind = metric_kinds; kind->name; kind++)
        if (metric_is_of(kind, task))
            add_training_metric(page, kind->name, kind->higher_is_better ? "more" : "less");
    if (task == TASK_FORECAST)
        add_training_metric(page, "coverage", "close to 0.95");
}

/* The table of a training has it already. */
static bool is_shown(const ReportPage *page, const char *key)
{
    const char *dot = strchr(key, '.');

    if (text_has_prefix(key, "holdout_step.") || text_has_prefix(key, "backtest_step."))
        return model_report_is_forecast(page->report); /* model_report_add_steps() */
    return page->report->has_order && dot &&
           (metric_find(dot + 1) ||
            (text_equal(dot + 1, "coverage") && model_report_is_forecast(page->report))) &&
           (text_has_prefix(key, "holdout.") || text_has_prefix(key, "cv."));
}

static MetricList other_metrics(const ReportPage *page)
{
    const MetricList *metrics = &page->report->lineage.run.metrics;
    MetricList others = {0};

    for (size_t i = 0; i < metrics->count; i++)
        if (!is_shown(page, metrics->items[i].key))
            *arena_push(page->arena, &others) = metrics->items[i];
    return others;
}

static void add_other_metrics(const ReportPage *page)
{
    MetricList metrics = other_metrics(page);

    if (!metrics.count)
        return;
    document_heading(page->document, "Logged by the run");
    document_table(page->document, "metric|value|step", "lrr");
    for (size_t i = 0; i < metrics.count && i < REPORT_LINES_MAX; i++) {
        document_cell(page->document, metrics.items[i].key);
        document_cell(page->document, report_number(page->arena, metrics.items[i].value));
        document_cell(page->document, report_int(page->arena, metrics.items[i].step));
    }
    report_cut(page, metrics.count, REPORT_LINES_MAX);
}

void model_report_add_metrics(const ReportPage *page)
{
    document_section(page->document, "Metrics");
    if (!page->report->lineage.run.metrics.count) {
        document_no_data(page->document, "its run has none, or is not known here.");
        return;
    }
    if (page->report->has_order)
        add_training_metrics(page);
    document_paragraph(page->document,
                       "Intervals are known of the gate's comparison alone: see \"Gate\".");
    add_other_metrics(page);
}

/* ---- classes ---- */

static void add_class_figures(const ReportPage *page, const JsonValue *classes)
{
    document_heading(page->document, "Per class");
    document_table(page->document, "class|rows|named|precision|recall|f1", "lrrrrr");
    for (JsonWalk walk = json_walk(classes);
         json_walk_next(&walk) && walk.index < REPORT_LINES_MAX;) {
        document_cell(page->document, report_text(walk.value, "name"));
        report_cell(page, walk.value, "support");
        report_cell(page, walk.value, "predicted");
        report_cell(page, walk.value, "precision");
        report_cell(page, walk.value, "recall");
        report_cell(page, walk.value, "f1");
    }
    report_cut(page, json_count(classes), REPORT_LINES_MAX);
}

/* The names of the classes, as far as they all have one. */
static TextList class_names(const ReportPage *page, const JsonValue *classes)
{
    TextList names = {0};

    for (JsonWalk walk = json_walk(classes); json_walk_next(&walk);)
        text_list_add(&names, page->arena, json_as_text(json_member(walk.value, "name"), ""));
    return names;
}

static void add_confusion_rows(const ReportPage *page, const JsonValue *confusion,
                               const TextList *names)
{
    for (JsonWalk walk = json_walk(confusion); json_walk_next(&walk);) {
        document_cell(page->document, names->items[walk.index]);
        for (JsonWalk count = json_walk(walk.value); json_walk_next(&count);)
            document_cell(page->document,
                          report_number(page->arena, json_as_double(count.value, NAN)));
    }
}

static bool is_square(const JsonValue *confusion, size_t size)
{
    if (!size || !json_is_array(confusion) || json_count(confusion) != size)
        return false;
    for (JsonWalk walk = json_walk(confusion); json_walk_next(&walk);)
        if (!json_is_array(walk.value) || json_count(walk.value) != size)
            return false;
    return true;
}

static void add_confusion(const ReportPage *page, const JsonValue *judgement)
{
    const JsonValue *confusion = json_member(judgement, "confusion");
    TextList names = class_names(page, json_member(judgement, "classes")), head = {0};
    TextBuilder alignment = {.arena = page->arena};

    document_heading(page->document, "Confusion");
    if (!is_square(confusion, names.count)) {
        document_no_data(page->document, "none is stored.");
        return;
    }
    if (names.count > REPORT_CONFUSION_MAX) {
        document_paragraph(
            page->document,
            arena_format(page->arena, "Of %zu classes it is too large to be shown.", names.count));
        return;
    }
    text_list_add(&head, page->arena, "true class, by the class that was named");
    text_append(&alignment, "l");
    for (size_t i = 0; i < names.count; i++) {
        text_list_add(&head, page->arena, names.items[i]);
        text_append(&alignment, "r");
    }
    document_table_of(page->document, &head, text_built(&alignment));
    add_confusion_rows(page, confusion, &names);
}

static void add_calibration(const ReportPage *page, const JsonValue *judgement)
{
    const JsonValue *bins = json_member(judgement, "calibration");

    document_heading(page->document, "Calibration");
    report_fact(page, "calibration error", json_member(judgement, "metrics"), "calibration_error");
    if (!json_count(bins)) {
        document_no_data(page->document, "no bins of confidence are stored.");
        return;
    }
    document_table(page->document, "confidence over|up to|rows|mean confidence|right", "rrrrr");
    for (JsonWalk walk = json_walk(bins); json_walk_next(&walk) && walk.index < REPORT_LINES_MAX;) {
        bool is_empty = json_as_int(json_member(walk.value, "count"), -1) == 0;

        report_cell(page, walk.value, "low");
        report_cell(page, walk.value, "high");
        report_cell(page, walk.value, "count");
        document_cell(page->document,
                      is_empty ? "no rows"
                               : report_member(page->arena, walk.value, "mean_confidence"));
        document_cell(page->document,
                      is_empty ? "no rows" : report_member(page->arena, walk.value, "accuracy"));
    }
}

/* ---- numbers ---- */

static void add_residual_quantiles(const ReportPage *page, const JsonValue *quantiles)
{
    document_heading(page->document, "Residuals");
    document_table(page->document, "share of the rows|residual (truth - prediction) at most", "rr");
    for (JsonWalk walk = json_walk(quantiles);
         json_walk_next(&walk) && walk.index < REPORT_LINES_MAX;) {
        report_cell(page, walk.value, "share");
        report_cell(page, walk.value, "value");
    }
}

static void add_residual_parts(const ReportPage *page, const JsonValue *parts)
{
    document_heading(page->document, "By prediction");
    document_table(page->document,
                   "prediction from|up to|rows|mean prediction|mean truth|mean residual|rmse",
                   "rrrrrrr");
    for (JsonWalk walk = json_walk(parts);
         json_walk_next(&walk) && walk.index < REPORT_LINES_MAX;) {
        report_cell(page, walk.value, "low");
        report_cell(page, walk.value, "high");
        report_cell(page, walk.value, "count");
        report_cell(page, walk.value, "mean_prediction");
        report_cell(page, walk.value, "mean_truth");
        report_cell(page, walk.value, "mean_residual");
        report_cell(page, walk.value, "rmse");
    }
}

static void add_judged_rows(const ReportPage *page, const JsonValue *judgement)
{
    document_fact(page->document, "hold-out",
                  report_text(page->report->files.judgement, "holdout"));
    report_fact(page, "rows", judgement, "row_count");
}

/* ---- slices ---- */

static void add_slice(const ReportPage *page, const JsonValue *slice)
{
    document_cell(page->document, report_text(slice, "column"));
    document_cell(page->document, report_text(slice, "value"));
    report_cell(page, slice, "row_count");
    report_cell(page, slice, "score");
    report_cell(page, slice, "low");
    report_cell(page, slice, "high");
    document_cell(page->document, json_as_bool(json_member(slice, "apart"), false)
                                      ? "worse than all rows"
                                      : "may be chance");
}

static void add_slices(const ReportPage *page)
{
    const JsonValue *slices = json_member(page->report->files.judgement, "slices");
    const JsonValue *items = json_member(slices, "items");
    const char *metric = report_text(slices, "metric");

    document_heading(page->document, "Slices");
    if (!json_count(items)) {
        document_no_data(page->document, "no evaluation of parts of the rows is stored.");
        return;
    }
    document_paragraph(
        page->document,
        arena_format(
            page->arena,
            "Rows with a value of a column, by %s, the worst first, with its 95 %% interval; "
            "all rows have %s. Of many slices some are worse by chance.",
            metric ? metric : DOCUMENT_NO_DATA,
            report_member(page->arena, slices, "score")
                ? report_member(page->arena, slices, "score")
                : DOCUMENT_NO_DATA));
    document_table(page->document, "column|value|rows|score|low|high|note", "llrrrrl");
    for (JsonWalk walk = json_walk(items); json_walk_next(&walk) && walk.index < REPORT_LINES_MAX;)
        add_slice(page, walk.value);
    report_cut(page, json_count(items), REPORT_LINES_MAX);
}

void model_report_add_classes(const ReportPage *page)
{
    const JsonValue *judgement = model_report_judgement(page->report);
    const JsonValue *classes = json_member(judgement, "classes");
    const JsonValue *residuals = json_member(judgement, "residuals");

    document_section(page->document, "On the hold-out");
    if (json_count(classes)) {
        add_judged_rows(page, judgement);
        add_class_figures(page, classes);
        add_confusion(page, judgement);
        add_calibration(page, judgement);
        model_report_add_decision(page);
    } else if (json_count(residuals)) {
        add_judged_rows(page, judgement);
        add_residual_quantiles(page, json_member(judgement, "residual_quantiles"));
        add_residual_parts(page, residuals);
        if (model_report_is_forecast(page->report))
            model_report_add_steps(page);
    } else {
        document_no_data(page->document,
                         "its package has no report of Slipway's kind, so nothing is known of "
                         "classes, confusion and calibration.");
    }
    add_slices(page);
}

/* ---- the leaderboard ---- */

static const char *note_of(Arena *arena, const JsonValue *row)
{
    static const char *const marks[][2] = {{"chosen", "chosen"},
                                           {"is_baseline", "baseline"},
                                           {"below_baseline", "below the baseline"}};
    const char *note = json_as_text(json_member(row, "note"), "");
    TextBuilder text = {.arena = arena};

    for (size_t i = 0; i < COUNT(marks); i++)
        if (json_as_bool(json_member(row, marks[i][0]), false))
            text_append_format(&text, "%s%s", text.count ? "; " : "", marks[i][1]);
    if (*note)
        text_append_format(&text, "%s%s", text.count ? "; " : "", note);
    return text.count ? text_built(&text) : "none";
}

static void add_candidate(const ReportPage *page, const JsonValue *row, bool has_classes)
{
    document_cell(page->document, report_text(row, "name"));
    document_cell(page->document, report_text(row, "description"));
    report_cell(page, row, "score");
    report_cell(page, row, "score_deviation");
    if (has_classes) {
        report_cell(page, row, "accuracy");
        report_cell(page, row, "f1");
        report_cell(page, row, "log_loss");
    }
    document_cell(page->document, note_of(page->arena, row));
}

void model_report_add_leaderboard(const ReportPage *page)
{
    const JsonValue *board = page->report->files.leaderboard;
    const JsonValue *rows = json_member(board, "leaderboard");
    const char *metric = report_text(board, "metric");
    JsonWalk first = json_walk(rows);
    bool has_classes = json_walk_next(&first) && json_member(first.value, "log_loss");

    document_section(page->document, "Leaderboard");
    if (!json_count(rows)) {
        document_no_data(page->document, "its package does not say what else was tried.");
        return;
    }
    document_paragraph(page->document,
                       arena_format(page->arena,
                                    model_report_is_forecast(page->report)
                                        ? "Candidates by back-tests on the values before the "
                                          "hold-out; the score is %s, with its deviation over the "
                                          "series."
                                        : "Candidates by cross-validation on the training rows; "
                                          "the score is %s, with its deviation over the folds.",
                                    metric ? metric : DOCUMENT_NO_DATA));
    if (has_classes)
        document_table(page->document, "learner|settings|score|deviation|accuracy|f1|log loss|note",
                       "llrrrrrl");
    else
        document_table(page->document, "learner|settings|score|deviation|note", "llrrl");
    for (JsonWalk walk = json_walk(rows); json_walk_next(&walk) && walk.index < REPORT_LINES_MAX;)
        add_candidate(page, walk.value, has_classes);
    report_cut(page, json_count(rows), REPORT_LINES_MAX);
}
