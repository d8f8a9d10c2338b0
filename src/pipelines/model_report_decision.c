/* model_report_decision.c: the report as a document: from which probability on a class is named. */

#include "pipelines/model_report_internal.h"

enum { FIGURES = 8 };

static const char *const figures[FIGURES] = {
    "named",    "precision",         "recall", "false_positive_rate",
    "accuracy", "balanced_accuracy", "f1",     "mcc"};

static void add_point(const ReportPage *page, const char *where, const JsonValue *point)
{
    document_cell(page->document, where);
    for (size_t i = 0; i < FIGURES; i++)
        report_cell(page, point, figures[i]);
}

#define HEAD "|rows named|precision|recall|false positive rate|accuracy|balanced accuracy|f1|mcc"

void model_report_add_decision(const ReportPage *page)
{
    const JsonValue *decision = json_member(page->report->files.judgement, "decision");
    const JsonValue *curve = json_member(decision, "curve");

    if (!json_is_object(decision))
        return;
    document_heading(page->document, "Decision");
    document_fact(page->document, "class", report_text(decision, "positive"));
    report_fact(page, "named from this probability on", decision, "threshold");
    document_fact(page->document, "chosen for", report_text(decision, "for"));
    document_fact(page->document, "why", report_text(decision, "why"));
    document_table(page->document, "with this threshold" HEAD, "lrrrrrrrr");
    add_point(page, "out of fold", json_member(decision, "folds"));
    add_point(page, "on the hold-out", json_member(decision, "holdout"));
    if (!json_count(curve))
        return;
    document_paragraph(page->document, "What other thresholds give, out of fold:");
    document_table(page->document, "threshold" HEAD, "rrrrrrrrr");
    for (JsonWalk walk = json_walk(curve); json_walk_next(&walk) && walk.index < REPORT_LINES_MAX;)
        add_point(page, report_member(page->arena, walk.value, "threshold"), walk.value);
    report_cut(page, json_count(curve), REPORT_LINES_MAX);
}
