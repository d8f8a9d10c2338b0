/* model_report_columns.c: the report as a document: which columns it answers by, and how. */

#include <math.h>

#include "pipelines/model_report_internal.h"

/* ---- importance ---- */

static void add_measured(const ReportPage *page, const JsonValue *importance)
{
    const char *metric = report_text(importance, "metric");
    const MetricKind *kind = metric ? metric_find(metric) : NULL;
    const char *rows = report_member(page->arena, importance, "rows");
    const char *of_rows = report_member(page->arena, importance, "of_rows");
    const char *repeats = report_member(page->arena, importance, "repeats");
    double level = 100 * json_as_double(json_member(importance, "level"), NAN);

    if (!kind || !rows || !of_rows || !repeats || !isfinite(level))
        return;
    document_paragraph(
        page->document,
        arena_format(page->arena,
                     "How much %s %s when a column's values change places among the rows: the mean "
                     "of %s shuffles on %s of the %s rows of the hold-out, and its interval at %g "
                     "%%, over rows and shuffles. 0: it does without the column. Columns that say "
                     "the same share what they are worth.",
                     kind->name, kind->higher_is_better ? "falls" : "rises", repeats, rows, of_rows,
                     level));
}

static void add_importance(const ReportPage *page, const JsonValue *importance)
{
    const JsonValue *columns = json_member(importance, "columns");
    int64_t left_out = json_as_int(json_member(importance, "left_out"), 0);

    if (!json_count(columns)) {
        const char *problem = report_text(importance, "problem");

        document_no_data(page->document,
                         problem
                             ? arena_format(page->arena, "it could not be measured: %s.", problem)
                             : "its training has not measured it, as there was nothing to "
                               "compare, or it was made without Slipway.");
        return;
    }
    add_measured(page, importance);
    document_table(page->document, "column|importance|from|to", "lrrr");
    for (JsonWalk walk = json_walk(columns);
         json_walk_next(&walk) && walk.index < REPORT_LINES_MAX;) {
        document_cell(page->document, report_text(walk.value, "column"));
        report_cell(page, walk.value, "mean");
        report_cell(page, walk.value, "low");
        report_cell(page, walk.value, "high");
    }
    report_cut(page, json_count(columns), REPORT_LINES_MAX);
    if (left_out > 0)
        document_paragraph(page->document,
                           arena_format(page->arena,
                                        "%s more columns, which add less to the answers, were not "
                                        "measured.",
                                        report_int(page->arena, left_out)));
}

/* ---- dependence ---- */

static const char *value_of(const ReportPage *page, const JsonValue *point)
{
    const JsonValue *value = json_member(point, "value");

    if (json_is_number(value))
        return report_number(page->arena, json_as_double(value, NAN));
    return json_is_null(value) ? "missing" : json_as_text(value, NULL);
}

/* "12.5 %" */
static const char *share_of(const ReportPage *page, const JsonValue *point)
{
    double share = json_as_double(json_member(point, "share"), NAN);

    return isfinite(share) ? arena_format(page->arena, "%.3g %%", 100 * share) : NULL;
}

/* Always as many cells as the table has columns, whatever the file holds. */
static void add_point(const ReportPage *page, const JsonValue *point, size_t answer_count)
{
    const JsonValue *answers = json_member(point, "answers");
    size_t added = 0;

    document_cell(page->document, value_of(page, point));
    document_cell(page->document, share_of(page, point));
    for (JsonWalk walk = json_walk(answers); json_walk_next(&walk) && added < answer_count; added++)
        document_cell(page->document, report_number(page->arena, json_as_double(walk.value, NAN)));
    for (; added < answer_count; added++)
        document_cell(page->document, NULL);
}

static void add_dependence(const ReportPage *page, const JsonValue *dependence)
{
    const JsonValue *classes = json_member(dependence, "classes");
    const JsonValue *points = json_member(dependence, "points");
    const char *column = report_text(dependence, "column");
    TextList head = {0};
    TextBuilder alignment = {.arena = page->arena};

    if (!column || !json_count(points) || json_count(classes) > REPORT_CONFUSION_MAX)
        return;
    text_list_add(&head, page->arena, column);
    text_list_add(&head, page->arena, "rows near it");
    text_append(&alignment, "lr");
    for (JsonWalk walk = json_walk(classes); json_walk_next(&walk);) {
        text_list_add(&head, page->arena,
                      arena_format(page->arena, "mean probability of %s",
                                   json_as_text(walk.value, DOCUMENT_NO_DATA)));
        text_append(&alignment, "r");
    }
    if (!json_count(classes)) {
        text_list_add(&head, page->arena, "mean answer");
        text_append(&alignment, "r");
    }
    document_heading(page->document, arena_format(page->arena, "By %s", column));
    document_table_of(page->document, &head, text_built(&alignment));
    for (JsonWalk walk = json_walk(points); json_walk_next(&walk) && walk.index < REPORT_LINES_MAX;)
        add_point(page, walk.value, head.count - 2);
}

static void add_dependences(const ReportPage *page, const JsonValue *list)
{
    enum { SHOWN_MAX = 20 };

    if (!json_count(list))
        return;
    document_paragraph(
        page->document,
        "Below, how the answer goes with the most important columns: each value is "
        "put into every row of a sample, all else left as it is, and the answers are "
        "averaged.");
    for (JsonWalk walk = json_walk(list); json_walk_next(&walk) && walk.index < SHOWN_MAX;)
        add_dependence(page, walk.value);
}

void model_report_add_columns(const ReportPage *page)
{
    const JsonValue *judgement = page->report->files.judgement;

    document_section(page->document, "What it answers by");
    add_importance(page, json_member(judgement, "importance"));
    add_dependences(page, json_member(judgement, "dependence"));
}
