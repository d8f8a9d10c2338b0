/* model_report_people.c: the report as a document: who approved it, and where it served. */

#include <inttypes.h>
#include <string.h>

#include "base/time.h"
#include "pipelines/model_report_internal.h"

/* ---- approvals ---- */

static void add_decision(const ReportPage *page, const ApprovalDecision *decision)
{
    const char *who =
        text_equal(decision->person, decision->decided_by) || !decision->person
            ? decision->decided_by
            : arena_format(page->arena, "%s, who is %s", decision->decided_by, decision->person);

    document_fact(page->document, decision->is_approved ? "approved" : "rejected",
                  arena_format(page->arena, "%s: %s",
                               report_time_by(page, decision->created_at, who), decision->comment));
}

static void add_approval(const ReportPage *page, const Approval *approval)
{
    Document *document = page->document;

    document_heading(document, arena_format(page->arena, "Approval %" PRId64 ": %s", approval->id,
                                            approval->title));
    document_fact(document, "status",
                  approval_status_name(approval_state(approval, time_now_ms())));
    document_fact(document, "reason", approval->reason);
    document_fact(document, "environment", approval->environment);
    document_fact(document, "asked",
                  report_time_by(page, approval->created_at, approval->asked_by));
    document_fact(document, "needed",
                  arena_format(page->arena, "%" PRId64 ", of whom %" PRId64 " gave it",
                               approval->needed, approval_count_given(approval)));
    document_fact(document, "four eyes",
                  approval->four_eyes ? "yes: nobody who caused it" : "not demanded");
    document_fact(document, "digest", approval->digest);
    for (size_t i = 0; i < approval->decisions.count; i++)
        add_decision(page, &approval->decisions.items[i]);
    if (!approval->decisions.count)
        document_fact(document, "decisions", "none");
}

void model_report_add_approvals(const ReportPage *page)
{
    const ReportRunList *runs = &page->report->runs;
    size_t count = 0;

    document_section(page->document, "Approvals");
    for (size_t i = 0; i < runs->count; i++)
        for (size_t j = runs->items[i].approvals.count; j; j--, count++)
            add_approval(page, &runs->items[i].approvals.items[j - 1]);
    if (!count)
        document_no_data(page->document, "nobody was asked.");
}

/* ---- where it served ---- */

static const char *role_text(Arena *arena, const Placement *placement)
{
    return text_equal(placement->role, "canary")
               ? arena_format(arena, "canary, %g %% of the requests", (double)placement->share / 10)
               : placement->role;
}

static const char *end_text(const ReportPage *page, const Placement *placement)
{
    if (!placement->ended_at)
        return "serves still";
    return arena_format(page->arena, "%s (%s)",
                        report_time_by(page, placement->ended_at, placement->ended_by),
                        placement->end_reason ? placement->end_reason : DOCUMENT_NO_DATA);
}

static void add_placement(const ReportPage *page, const Placement *placement)
{
    Document *document = page->document;

    document_cell(document, placement->endpoint);
    document_cell(document, role_text(page->arena, placement));
    document_cell(document, report_time_by(page, placement->created_at, placement->created_by));
    document_cell(document, end_text(page, placement));
    document_cell(document, placement->reason ? placement->reason : "try");
    document_cell(document, placement->comment ? placement->comment : "none");
}

void model_report_add_placements(const ReportPage *page)
{
    const PlacementList *list = &page->report->placements;

    document_section(page->document, "Where it serves or served");
    if (!list->count) {
        document_no_data(page->document, "it was never deployed and never tried.");
        return;
    }
    document_table(page->document, "endpoint|as|from|until|how|comment", "llllll");
    for (size_t i = list->count; i; i--)
        add_placement(page, &list->items[i - 1]);
}
