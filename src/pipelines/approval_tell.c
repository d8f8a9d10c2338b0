/* approval_tell.c: what people and programs are told of an approval, by webhook and mail: enough to
 * act on it. */

#include <inttypes.h>
#include <string.h>

#include "access/identity.h"
#include "access/token.h"
#include "base/time.h"
#include "pipelines/approval_internal.h"
#include "pipelines/pipeline_tell.h"
#include "serving/endpoint_tell.h"

enum {
    COMMANDS_TOLD_MAX = 20,
    STEPS_TOLD_MAX = 10,
    ORIGINATORS_TOLD_MAX = 20,
    ANSWERERS_TOLD_MAX = 20,
    DIGEST_SHOWN = 12
};

/* What is told, with its detail read. */
typedef struct Tale {
    Scope *scope;
    Notice *notice;
    const Approval *approval;
    const char *run;   /* "spam#12" */
    const char *model; /* of the version that is to go there; NULL: it is about no version */
    int64_t version;
    const JsonValue *detail;
} Tale;

static const char *text_member(const JsonValue *object, const char *key)
{
    return json_as_text(json_member(object, key), NULL);
}

/* What a step of a release depends on names its version: "spam@3". */
static void find_version(Tale *tale)
{
    const char *candidate = text_member(json_member(tale->detail, "inputs"), "candidate");
    const char *at = candidate ? strrchr(candidate, '@') : NULL;

    if (at && text_to_int(at + 1, &tale->version))
        tale->model = arena_copy(tale->scope->arena, candidate, (size_t)(at - candidate));
}

static void read_tale(Tale *tale)
{
    tale->detail = notice_read(tale->approval->detail, tale->scope->arena);
    tale->run = json_as_text(json_member(tale->detail, "run"), tale->approval->project);
    find_version(tale);
}

/* ---- subject ---- */

static const char *what_happened(const Approval *approval, EventKind kind, Arena *arena)
{
    const char *number = arena_format(arena, "%" PRId64, approval->id);

    switch (kind) {
    case EVENT_APPROVAL_ASKED:
        return arena_format(arena, "asks for approval %s", number);
    case EVENT_APPROVAL_GIVEN:
        return arena_format(arena, "approval %s has %" PRId64 " of %" PRId64, number,
                            approval_count_given(approval), approval->needed);
    default:
        return arena_format(arena, "approval %s %s %s", number,
                            approval->status == APPROVAL_EXPIRED ? "has" : "was",
                            approval_status_name(approval->status));
    }
}

static void say_subject(const Tale *tale)
{
    const Approval *approval = tale->approval;
    Notice *notice = tale->notice;
    Arena *arena = tale->scope->arena;
    const char *step = json_as_text(json_member(tale->detail, "step"), approval->title);
    const char *what = tale->model ? version_words(tale->model, tale->version, arena)
                                   : arena_format(arena, "step \"%s\"", step);
    const char *subject =
        arena_format(arena, "%s %s: %s to %s", tale->run,
                     what_happened(approval, notice->kind, arena), what, approval->environment);

    notice->subject = notice_plain(subject, arena);
    notice_say(notice, "%s.\n", notice->subject);
}

/* ---- what it is about ---- */

static const char *originators_text(const OriginatorList *list, Arena *arena)
{
    TextBuilder text = {.arena = arena};

    for (size_t i = 0; i < list->count && i < ORIGINATORS_TOLD_MAX; i++) {
        const Originator *one = &list->items[i];
        const char *name = one->name ? one->name : "somebody unnamed";

        text_append_format(&text, "%s%s has %s it", i ? "; " : "",
                           one->principal ? one->principal : name, one->did);
        if (one->principal && strcmp(one->principal, name) != 0)
            text_append_format(&text, " as \"%s\"", name);
    }
    return list->count ? text_built(&text) : "nobody who is known";
}

/* What the step will do: a built-in one, or the lines of a shell. */
static void tell_commands(const Tale *tale)
{
    const JsonValue *commands = json_member(tale->detail, "commands");
    Notice *notice = tale->notice;

    if (!json_count(commands))
        commands = json_member(tale->detail, "arguments");
    notice_text(notice, "uses", text_member(tale->detail, "uses"));
    json_open_array(notice->json, "commands");
    for (JsonWalk walk = json_walk(commands); json_walk_next(&walk);) {
        const char *command = json_as_text(walk.value, "");

        if (walk.index >= COMMANDS_TOLD_MAX)
            break;
        json_bytes(notice->json, NULL, command, text_cut(command, NOTICE_LINE_BYTES_MAX));
        notice_line(notice, walk.index ? "" : "runs", command);
    }
    json_close(notice->json);
}

static void tell_subject_matter(const Tale *tale)
{
    const Approval *approval = tale->approval;
    Notice *notice = tale->notice;
    Arena *arena = tale->scope->arena;

    notice_int(notice, "approval", approval->id);
    notice_text(notice, "project", approval->project);
    notice_text(notice, "run", tale->run);
    json_text(notice->json, "run_id", approval->run_id);
    notice_text(notice, "step", text_member(tale->detail, "step"));
    notice_text(notice, "environment", approval->environment);
    notice_text(notice, "model", tale->model);
    if (tale->model)
        notice_int(notice, "version", tale->version);
    notice_text(notice, "package", text_member(json_member(tale->detail, "inputs"), "package"));
    notice_text(notice, "digest", approval->digest);
    tell_commands(tale);
    pipeline_tell_origin(notice, json_member(tale->detail, "origin"));
    notice_text(notice, "asked_by", approval->asked_by);
    originators_write_json(notice->json, "originators", &approval->originators);
    notice_line(notice, "caused by", originators_text(&approval->originators, arena));
    notice_time(notice, "asked_at", approval->created_at);
    notice_time(notice, "expires_at", approval->expires_at);
}

/* ---- what was found out ---- */

/* "accepted: f1 0.95 against 0.90", or its metrics. */
static const char *finding_of(const JsonValue *step, Arena *arena)
{
    const JsonValue *result = json_member(step, "result"), *metrics = json_member(step, "metrics");
    const char *outcome = text_member(result, "outcome"), *reason = text_member(result, "reason");

    if (outcome)
        return arena_format(arena, "%s%s%s", outcome, reason ? ": " : "", reason ? reason : "");
    return json_count(metrics) ? json_print(metrics, arena) : NULL;
}

static void tell_findings(const Tale *tale)
{
    const JsonValue *verdict = NULL;
    Notice *notice = tale->notice;
    Arena *arena = tale->scope->arena;
    const char *label = "found out";
    size_t count = 0;

    json_open_object(notice->json, "findings");
    for (JsonWalk walk = json_walk(json_member(tale->detail, "steps")); json_walk_next(&walk);) {
        const JsonValue *judged = json_member(json_member(walk.value, "result"), "verdict");
        const char *name = text_member(walk.value, "name");
        const char *finding = finding_of(walk.value, arena);

        verdict = verdict ? verdict : judged;
        if (!name || !finding || count++ >= STEPS_TOLD_MAX)
            continue;
        json_bytes(notice->json, name, finding, text_cut(finding, NOTICE_LINE_BYTES_MAX));
        if (judged) /* which has a line of its own */
            continue;
        notice_line(notice, label, arena_format(arena, "%s: %s", name, finding));
        label = "";
    }
    json_close(notice->json);
    gate_verdict_tell(notice, verdict);
}

/* ---- who may answer, and how ---- */

/* Those of the approvers who would not be refused now. */
static bool find_answerers(const Tale *tale, TextList *answerers)
{
    const Approval *approval = tale->approval;
    ApprovalAnswer answer = {approval->id, approval->digest, "why", true};
    TextList names = {0};

    if (!token_list_approvers(tale->scope, &names))
        return false;
    for (size_t i = 0; i < names.count; i++) {
        const char *person;
        Error refusal = {0};

        if (!identity_person_of(tale->scope, names.items[i], &person))
            return false;
        if (approval_check_answer(approval, &answer, person, time_now_ms(), &refusal))
            text_list_add(answerers, tale->scope->arena, names.items[i]);
    }
    return true;
}

static const char *answerers_text(const TextList *answerers, int64_t tokens, Arena *arena)
{
    TextBuilder text = {.arena = arena};

    if (!tokens)
        return "everybody who reaches the server, which has no tokens";
    for (size_t i = 0; i < answerers->count && i < ANSWERERS_TOLD_MAX; i++)
        text_append_format(&text, "%s%s", i ? ", " : "", answerers->items[i]);
    if (answerers->count > ANSWERERS_TOLD_MAX)
        text_append_format(&text, " and %zu others", answerers->count - ANSWERERS_TOLD_MAX);
    return answerers->count ? text_built(&text) : "nobody: it takes a token with the role approver";
}

static bool tell_answerers(const Tale *tale)
{
    const Approval *approval = tale->approval;
    JsonWriter *json = tale->notice->json;
    TextList answerers = {0};
    int64_t tokens;

    json_text(json, "role", role_name(ROLE_APPROVER));
    json_int(json, "needed", approval->needed);
    json_int(json, "given", approval_count_given(approval));
    json_bool(json, "four_eyes", approval->four_eyes);
    if (approval->status != APPROVAL_PENDING)
        return true;
    if (!token_count_valid(tale->scope, &tokens) || !find_answerers(tale, &answerers))
        return false;
    json_open_array(json, "may_approve");
    for (size_t i = 0; i < answerers.count && i < ANSWERERS_TOLD_MAX; i++)
        json_text(json, NULL, answerers.items[i]);
    json_close(json);
    notice_line(tale->notice, "may approve",
                answerers_text(&answerers, tokens, tale->scope->arena));
    return true;
}

/* Numbers and digits alone: nothing that others wrote is for anybody to paste into a shell. */
static void say_commands(const Tale *tale)
{
    const Approval *approval = tale->approval;
    const char *answer = arena_format(tale->scope->arena, "%" PRId64 " --digest %.*s", approval->id,
                                      DIGEST_SHOWN, approval->digest);

    notice_say(tale->notice, "\n  slipway approval show %" PRId64, approval->id);
    notice_say(tale->notice, "  slipway approve %s --comment \"why\"", answer);
    notice_say(tale->notice, "  slipway reject %s --comment \"why\"", answer);
    json_text(tale->notice->json, "command",
              arena_format(tale->scope->arena, "slipway approve %s --comment \"why\"", answer));
}

static void say_how(const Tale *tale)
{
    const Approval *approval = tale->approval;
    int64_t left = approval->needed - approval_count_given(approval);
    Notice *notice = tale->notice;

    if (approval->status != APPROVAL_PENDING)
        return;
    notice_say(notice, "\nIt takes %" PRId64 " %sperson%s with the role approver.", left,
               left < approval->needed ? "more " : "", left == 1 ? "" : "s");
    if (approval->four_eyes)
        notice_say(notice, "Four eyes: whoever caused it may only reject it.");
    notice_say(notice, "What nobody approves before it expires is rejected.");
    say_commands(tale);
}

/* ---- what was said ---- */

/* The one that has just been made is its maker's. */
static const ApprovalDecision *decision_now(const Tale *tale)
{
    const ApprovalDecisionList *list = &tale->approval->decisions;

    for (size_t i = 0; i < list->count; i++)
        if (text_equal(list->items[i].decided_by, tale->scope->principal.name))
            return &list->items[i];
    return NULL;
}

static void tell_decisions(const Tale *tale)
{
    const ApprovalDecisionList *list = &tale->approval->decisions;
    const ApprovalDecision *now = decision_now(tale);
    Arena *arena = tale->scope->arena;
    JsonWriter *json = tale->notice->json;

    json_text(json, "decided_by", now ? now->decided_by : NULL);
    json_text(json, "comment", now ? now->comment : NULL);
    json_open_array(json, "decisions");
    for (size_t i = 0; i < list->count; i++) {
        const ApprovalDecision *one = &list->items[i];

        json_open_object(json, NULL);
        json_text(json, "decided_by", one->decided_by);
        json_bool(json, "approved", one->is_approved);
        json_text(json, "comment", one->comment);
        json_time(json, "created_at", one->created_at);
        json_close(json);
        notice_say(tale->notice, "\n%s has %s it:", notice_plain(one->decided_by, arena),
                   one->is_approved ? "approved" : "rejected");
        notice_quote(tale->notice, one->comment);
    }
    json_close(json);
}

/* Of what people decided, who and why is in the decisions. */
static void tell_reason(const Tale *tale)
{
    const Approval *approval = tale->approval;

    if (approval->status == APPROVAL_EXPIRED || approval->status == APPROVAL_WITHDRAWN)
        notice_text(tale->notice, "reason", approval->reason);
    else
        json_text(tale->notice->json, "reason", approval->reason);
}

bool approval_tell(Scope *scope, const char *action, int64_t id)
{
    Approval approval;
    Tale tale = {.scope = scope, .approval = &approval};
    EventKind kind;

    if (!event_kind_find(action, &kind))
        return true;
    if (!notice_begin(scope, kind, &tale.notice))
        return false;
    if (!tale.notice)
        return true;
    if (!approval_find(scope, id, &approval))
        return false;
    read_tale(&tale);
    say_subject(&tale);
    tell_subject_matter(&tale);
    tell_findings(&tale);
    tell_reason(&tale);
    if (!tell_answerers(&tale))
        return false;
    tell_decisions(&tale);
    say_how(&tale);
    return notice_raise(scope, tale.notice);
}
