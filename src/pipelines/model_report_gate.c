/* model_report_gate.c: the report as a document: what gates and steps of pipelines found of it. */

#include <inttypes.h>
#include <string.h>

#include "ml/report.h"
#include "pipelines/model_report_internal.h"

/* ---- gates ---- */

static void add_contender(const ReportPage *page, const JsonValue *verdict, const char *role)
{
    const JsonValue *one = json_member(verdict, role);
    const char *value = report_member(page->arena, one, "value");

    document_fact(page->document, role,
                  json_is_object(one)
                      ? arena_format(page->arena, "%s@%" PRId64 ": %s",
                                     json_as_text(json_member(one, "model"), DOCUMENT_NO_DATA),
                                     json_as_int(json_member(one, "version"), 0),
                                     value ? value : DOCUMENT_NO_DATA)
                      : "none: nothing served there");
}

static void add_difference(const ReportPage *page, const JsonValue *verdict)
{
    const JsonValue *interval = json_member(verdict, "interval");
    const char *low = report_member(page->arena, interval, "low");
    const char *high = report_member(page->arena, interval, "high");

    report_fact(page, "difference", verdict, "difference");
    document_fact(page->document, "interval of the difference",
                  low && high
                      ? arena_format(page->arena, "%s to %s, at %g %%, %" PRId64 " resamples", low,
                                     high, 100 * json_as_double(json_member(interval, "level"), 0),
                                     json_as_int(json_member(interval, "resamples"), 0))
                      : NULL);
    document_fact(page->document, "within noise",
                  json_as_bool(json_member(verdict, "within_noise"), false) ? "yes" : "no");
}

static bool is_of_numbers(const JsonValue *verdict)
{
    const MetricKind *kind = metric_find(json_as_text(json_member(verdict, "metric"), ""));

    return kind && kind->task != TASK_CLASSIFICATION;
}

static const char *describe_holdout(const ReportPage *page, const JsonValue *holdout)
{
    int64_t rows = json_as_int(json_member(holdout, "rows"), 0);
    const char *dataset = json_as_text(json_member(holdout, "dataset"), "");

    if (json_is_text(json_member(holdout, "first")))
        return arena_format(page->arena, "%" PRId64 " values of %s, %.10s to %.10s", rows, dataset,
                            json_as_text(json_member(holdout, "first"), ""),
                            json_as_text(json_member(holdout, "last"), ""));
    return arena_format(page->arena, "%" PRId64 " rows of the hold-out of %s", rows, dataset);
}

static void add_gate(const ReportPage *page, const Gate *gate)
{
    const JsonValue *verdict = model_report_parse(gate->verdict, page->arena);
    const JsonValue *holdout = json_member(verdict, "holdout");
    Document *document = page->document;

    document_heading(document, arena_format(page->arena, "Gate %" PRId64 " of endpoint %s",
                                            gate->id, gate->endpoint));
    document_fact(document, "outcome", gate->outcome);
    document_fact(document, "reason", gate->reason);
    document_fact(document, "asked", report_time_by(page, gate->created_at, gate->created_by));
    document_fact(document, "metric", report_text(verdict, "metric"));
    add_contender(page, verdict, "challenger");
    add_contender(page, verdict, "champion");
    report_fact(page, is_of_numbers(verdict) ? "always the mean" : "always the commonest answer",
                verdict, "baseline");
    if (json_is_object(json_member(verdict, "champion")))
        add_difference(page, verdict);
    document_fact(document, "judged on",
                  json_is_text(json_member(holdout, "dataset")) ? describe_holdout(page, holdout)
                                                                : NULL);
    document_fact(document, "rule", report_members(page->arena, json_member(verdict, "rule")));
    for (JsonWalk walk = json_walk(json_member(verdict, "notes")); json_walk_next(&walk);)
        document_fact(document, "note", json_as_text(walk.value, NULL));
    for (JsonWalk walk = json_walk(json_member(verdict, "warnings")); json_walk_next(&walk);)
        document_fact(document, "warning", json_as_text(walk.value, NULL));
}

void model_report_add_gates(const ReportPage *page)
{
    const GateList *gates = &page->report->gates;

    document_section(page->document, "Gate");
    for (size_t i = 0; i < gates->count; i++)
        add_gate(page, &gates->items[i]);
    if (!gates->count)
        document_no_data(page->document, "it was not asked.");
}

/* ---- what steps found ---- */

static bool is_use(const ReportStep *step, const char *uses)
{
    return strcmp(step->uses, uses) == 0;
}

static void add_step_heading(const ReportPage *page, const ReportStep *step)
{
    document_heading(page->document,
                     arena_format(page->arena, "%s, step %s", step->run, step->step.name));
    document_fact(page->document, "status", step->step.status);
    if (step->step.reason)
        document_fact(page->document, "reason", step->step.reason);
    document_fact(page->document, "ended", report_time(page, step->step.ended_at));
}

/* Of a step "benchmark", or of the requests of a smoke test. */
static void add_latencies(const ReportPage *page, const JsonValue *figures)
{
    static const struct {
        const char *label, *member;
    } lines[] = {
        {"requests", "requests"},          {"median, ms", "p50_ms"},
        {"95th percentile, ms", "p95_ms"}, {"99th percentile, ms", "p99_ms"},
        {"rows at once", "batch"},         {"rows a second", "rows_per_second"},
        {"memory, MB", "memory_mb"},
    };

    for (size_t i = 0; i < COUNT(lines); i++)
        if (json_member(figures, lines[i].member))
            report_fact(page, lines[i].label, figures, lines[i].member);
}

static void add_benchmark(const ReportPage *page, const ReportStep *step)
{
    add_step_heading(page, step);
    document_fact(page->document, "rows of", report_text(step->result, "rows_of"));
    add_latencies(page, step->result);
}

static void add_evaluation(const ReportPage *page, const ReportStep *step)
{
    const JsonValue *metrics = json_member(json_member(step->result, "report"), "metrics");

    add_step_heading(page, step);
    document_fact(page->document, "data", report_text(step->result, "data"));
    document_fact(page->document, "digest of the rows", report_text(step->result, "rows_digest"));
    report_fact(page, "rows", step->result, "rows");
    report_fact(page, "of them learnt from", step->result, "training_rows");
    for (JsonWalk walk = json_walk(metrics);
         json_walk_next(&walk) && walk.index < REPORT_LINES_MAX;)
        report_fact(page, walk.key, metrics, walk.key);
}

static void add_smoke(const ReportPage *page, const ReportStep *step)
{
    const JsonValue *smoke = json_member(step->result, "smoke");

    add_step_heading(page, step);
    if (!step->result)
        return;
    if (!json_is_object(smoke)) {
        document_fact(page->document, "smoke test", "none: the file names no rows for it");
        return;
    }
    document_fact(page->document, "rows with known answers", report_text(smoke, "file"));
    report_fact(page, "rows, all answered as they must be", smoke, "rows");
    add_latencies(page, json_member(step->result, "benchmark"));
}

static void add_canary(const ReportPage *page, const ReportStep *step)
{
    const JsonValue *figures = json_member(step->result, "figures");

    add_step_heading(page, step);
    for (JsonWalk walk = json_walk(figures);
         json_walk_next(&walk) && walk.index < REPORT_LINES_MAX;)
        report_fact(page, walk.key, figures, walk.key);
}

typedef struct Trial {
    const char *uses, *title, *missing;
    void (*add)(const ReportPage *page, const ReportStep *step);
} Trial;

static const Trial trials[] = {
    {"evaluate", "Evaluations", "no step of its runs has evaluated it.", add_evaluation},
    {"benchmark", "Benchmark", "no step of its runs has measured how fast it answers.",
     add_benchmark},
    {"release.staging", "Smoke test", "no release has brought it to staging.", add_smoke},
    {"release.canary", "Steps of traffic", "no release has sent it a share of the requests.",
     add_canary},
};

static void add_trial(const ReportPage *page, const Trial *trial)
{
    const ReportStepList *steps = &page->report->steps;
    bool any = false;

    document_section(page->document, trial->title);
    for (size_t i = 0; i < steps->count; i++) {
        if (!is_use(&steps->items[i], trial->uses))
            continue;
        trial->add(page, &steps->items[i]);
        any = true;
    }
    if (!any)
        document_no_data(page->document, trial->missing);
}

void model_report_add_trials(const ReportPage *page)
{
    for (size_t i = 0; i < COUNT(trials); i++)
        add_trial(page, &trials[i]);
}
