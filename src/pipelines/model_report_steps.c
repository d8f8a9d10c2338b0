/* model_report_steps.c: the report as a document: how good a forecast is at each step. */

#include <inttypes.h>

#include "pipelines/model_report_internal.h"

static const char *const figures[] = {"mase", "smape", "rmse", "mae", "r2", "msis", "coverage"};

/* "7", or "7 to 12" */
static const char *steps_text(Arena *arena, const JsonValue *part)
{
    int64_t first = json_as_int(json_member(part, "first"), 0);
    int64_t last = json_as_int(json_member(part, "last"), 0);

    return first == last ? arena_format(arena, "%" PRId64, first)
                         : arena_format(arena, "%" PRId64 " to %" PRId64, first, last);
}

static void add_table(const ReportPage *page, const JsonValue *parts, const char *count,
                      const char *metrics)
{
    document_table(page->document, "step|values|mase|smape|rmse|mae|r2|msis|coverage", "lrrrrrrrr");
    for (JsonWalk walk = json_walk(parts);
         json_walk_next(&walk) && walk.index < REPORT_LINES_MAX;) {
        const JsonValue *of = json_member(walk.value, metrics);

        document_cell(page->document, steps_text(page->arena, walk.value));
        report_cell(page, walk.value, count);
        for (size_t i = 0; i < COUNT(figures); i++)
            report_cell(page, of, figures[i]);
    }
    report_cut(page, json_count(parts), REPORT_LINES_MAX);
}

static bool has_backtests(const JsonValue *parts)
{
    for (JsonWalk walk = json_walk(parts); json_walk_next(&walk);)
        if (json_is_object(json_member(walk.value, "backtest_metrics")))
            return true;
    return false;
}

void model_report_add_steps(const ReportPage *page)
{
    const JsonValue *parts = json_member(model_report_judgement(page->report), "steps");

    document_heading(page->document, "By the step of the horizon");
    if (!json_count(parts)) {
        document_no_data(page->document, "its package has no figures by the step.");
        return;
    }
    add_table(page, parts, "values", "metrics");
    document_heading(page->document, "By the step, in back-tests");
    if (!has_backtests(parts)) {
        document_no_data(page->document, "no series was long enough to be back-tested.");
        return;
    }
    document_paragraph(page->document,
                       "Over the windows of the back-tests, of as many series as were sampled for "
                       "the rule; the intervals were made of what was missed there.");
    add_table(page, parts, "backtest_values", "backtest_metrics");
}
