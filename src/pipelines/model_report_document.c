/* model_report_document.c: the report as a document: what the version is, what it is weak at, and
 * how to make it again. */

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/time.h"
#include "pipelines/model_report_internal.h"

/* ---- texts ---- */

const char *report_time(const ReportPage *page, int64_t time_ms)
{
    enum { DAY = 10, CLOCK = 8 }; /* "2026-05-01T10:00:00.000Z" */
    char text[TIME_TEXT_SIZE];

    if (!time_ms)
        return NULL;
    time_format(time_ms, text);
    return arena_format(page->arena, "%.*s %.*s UTC", DAY, text, CLOCK, text + DAY + 1);
}

const char *report_time_by(const ReportPage *page, int64_t time_ms, const char *who)
{
    const char *when = report_time(page, time_ms);

    return when ? arena_format(page->arena, "%s by %s", when, who && *who ? who : "nobody known")
                : NULL;
}

const char *report_number(Arena *arena, double value)
{
    return isfinite(value) ? arena_format(arena, "%.6g", value) : NULL;
}

const char *report_int(Arena *arena, int64_t value)
{
    return arena_format(arena, "%" PRId64, value);
}

const char *report_member(Arena *arena, const JsonValue *object, const char *key)
{
    return report_number(arena, json_as_double(json_member(object, key), NAN));
}

const char *report_text(const JsonValue *object, const char *key)
{
    return json_as_text(json_member(object, key), NULL);
}

static const char *plain_text(Arena *arena, const JsonValue *value)
{
    if (json_is_null(value))
        return "none";
    return json_is_text(value) ? json_as_text(value, "") : json_print(value, arena);
}

static const char *inner_members(Arena *arena, const JsonValue *object)
{
    TextBuilder text = {.arena = arena};

    for (JsonWalk walk = json_walk(object); json_walk_next(&walk);)
        text_append_format(&text, "%s%s %s", walk.index ? ", " : "", walk.key,
                           plain_text(arena, walk.value));
    return text_built(&text);
}

const char *report_members(Arena *arena, const JsonValue *object)
{
    TextBuilder text = {.arena = arena};

    if (!json_is_object(object))
        return NULL;
    for (JsonWalk walk = json_walk(object); json_walk_next(&walk);)
        if (json_is_object(walk.value))
            text_append_format(&text, "%s%s (%s)", walk.index ? ", " : "", walk.key,
                               inner_members(arena, walk.value));
        else
            text_append_format(&text, "%s%s %s", walk.index ? ", " : "", walk.key,
                               plain_text(arena, walk.value));
    return text.count ? text_built(&text) : NULL;
}

void report_cell(const ReportPage *page, const JsonValue *object, const char *key)
{
    document_cell(page->document, report_member(page->arena, object, key));
}

void report_fact(const ReportPage *page, const char *label, const JsonValue *object,
                 const char *key)
{
    document_fact(page->document, label, report_member(page->arena, object, key));
}

void report_cut(const ReportPage *page, size_t count, size_t shown)
{
    if (count > shown)
        document_paragraph(page->document,
                           arena_format(page->arena, "%zu more are not shown.", count - shown));
}

bool model_report_is_forecast(const ModelReport *report)
{
    return text_equal(report_text(report->files.signature, "task"), "forecast");
}

const JsonValue *model_report_judgement(const ModelReport *report)
{
    const JsonValue *judgement = json_member(report->files.judgement, "report");

    return json_is_object(judgement) ? judgement : NULL;
}

const JsonValue *model_report_inputs(const ModelReport *report)
{
    const JsonValue *inputs = json_member(report->files.signature, "inputs");

    if (!inputs)
        inputs = report->files.inputs;
    return json_count(inputs) ? inputs : NULL;
}

const char *model_report_input_kind(const JsonValue *input)
{
    return json_as_text(json_member(input, "kind"), report_text(input, "type"));
}

const char *model_report_commit(const ModelReport *report)
{
    const char *commit = report->lineage.version.code_commit;

    return commit ? commit : param_find(&report->lineage.run.tags, "mlflow.source.git.commit");
}

const char *report_version(Arena *arena, const char *name, int64_t version)
{
    return name ? arena_format(arena, "%s@%" PRId64, name, version) : NULL;
}

/* ---- the version ---- */

static const char *joined(Arena *arena, const TextList *list)
{
    TextBuilder text = {.arena = arena};

    for (size_t i = 0; i < list->count; i++)
        text_append_format(&text, "%s%s", i ? ", " : "", list->items[i]);
    return text_built(&text);
}

static void add_version(const ReportPage *page)
{
    const ModelVersion *version = &page->report->lineage.version;
    const ReportFiles *files = &page->report->files;
    Document *document = page->document;

    document_section(document, "Version");
    document_fact(document, "model", version->model);
    document_fact(document, "version", report_int(page->arena, version->version));
    document_fact(document, "aliases",
                  version->aliases.count ? joined(page->arena, &version->aliases) : "none");
    document_fact(document, "description", version->description);
    document_fact(document, "package", version->package);
    document_fact(document, "files",
                  files->count ? arena_format(page->arena, "%zu, %" PRId64 " bytes", files->count,
                                              files->size)
                               : NULL);
    document_fact(document, "kind", joined(page->arena, &files->flavors));
    document_fact(document, "source", version->source);
    document_fact(document, "made", report_time_by(page, version->created_at, version->created_by));
    document_fact(document, "first served",
                  version->released_at ? report_time(page, version->released_at) : "never");
    for (size_t i = 0; i < version->tags.count && i < REPORT_LINES_MAX; i++)
        document_fact(document, arena_format(page->arena, "tag %s", version->tags.items[i].key),
                      version->tags.items[i].value);
}

/* ---- limits, and doing it again ---- */

static void add_limits(const ReportPage *page)
{
    document_section(page->document, "Known limits");
    for (size_t i = 0; i < page->report->limits.count; i++)
        document_item(page->document, page->report->limits.items[i]);
}

static void add_reproduction(const ReportPage *page)
{
    const ModelReport *report = page->report;
    const ReportRun *run = report->runs.count ? &report->runs.items[0] : NULL;

    document_section(page->document, "How to do it again");
    if (run && run->has_trained) {
        document_command(page->document, arena_format(page->arena, "slipway reproduce %s#%" PRId64,
                                                      run->run.project, run->run.number));
    } else if (report->has_order) {
        document_command(page->document,
                         arena_format(page->arena, "slipway reproduce %s", report->order.run_id));
    } else {
        document_no_data(page->document,
                         "no training and no run of a pipeline is recorded that made it.");
        return;
    }
    document_paragraph(page->document,
                       "It does the same from the recorded data, code, params and seed, and says "
                       "whether the same comes out.");
}

const Document *model_report_document(const ModelReport *report, Arena *arena)
{
    const ModelVersion *version = &report->lineage.version;
    const ReportPage page = {
        .report = report,
        .document = document_create(
            arena_format(arena, "%s, version %" PRId64, version->model, version->version), arena),
        .arena = arena,
    };

    add_version(&page);
    add_limits(&page);
    model_report_add_origin(&page);
    model_report_add_data(&page);
    model_report_add_learnt(&page);
    model_report_add_metrics(&page);
    model_report_add_classes(&page);
    model_report_add_columns(&page);
    model_report_add_leaderboard(&page);
    model_report_add_gates(&page);
    model_report_add_trials(&page);
    model_report_add_approvals(&page);
    model_report_add_placements(&page);
    add_reproduction(&page);
    return page.document;
}
