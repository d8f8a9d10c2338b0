#include "serving/endpoint_tell.h"

#include <inttypes.h>
#include <string.h>

void gate_verdict_tell(Notice *notice, const JsonValue *verdict)
{
    static const char *const keys[] = {"outcome",  "finding",    "reason",   "metric", "challenger",
                                       "champion", "difference", "interval", "holdout"};
    Arena *arena = notice->text.arena;

    if (!json_is_object(verdict)) {
        json_null(notice->json, "gate");
        return;
    }
    json_open_object(notice->json, "gate");
    for (size_t i = 0; i < COUNT(keys); i++)
        if (json_member(verdict, keys[i]))
            json_raw(notice->json, keys[i], json_print(json_member(verdict, keys[i]), arena));
    json_close(notice->json);
    notice_line(
        notice, "gate",
        arena_format(
            arena, "%s: %s (%lld rows held out)", json_as_text(json_member(verdict, "outcome"), ""),
            json_as_text(json_member(verdict, "reason"), ""),
            (long long)json_as_int(json_member(json_member(verdict, "holdout"), "rows"), 0)));
}

const char *version_words(const char *model, int64_t version, Arena *arena)
{
    return arena_format(arena, "version %" PRId64 " of \"%s\"", version, model);
}

static bool is_rollback(const EndpointChange *change)
{
    return strcmp(change->reason, "rollback") == 0;
}

static void say_what(Notice *notice, const Endpoint *before, const EndpointChange *change)
{
    Arena *arena = notice->text.arena;
    const char *what = version_words(change->model, change->version, arena);

    notice->subject = is_rollback(change)
                          ? arena_format(arena, "%s: production is back at %s (endpoint \"%s\")",
                                         before->project, what, before->name)
                          : arena_format(arena, "%s: %s serves in production (endpoint \"%s\")",
                                         before->project, what, before->name);
    notice_say(notice, "%s.\n", notice_plain(notice->subject, arena));
}

/* What served before has a version; of the first one there is nothing to go back to. */
static void write_before(Notice *notice, const Endpoint *before)
{
    if (!before->model) {
        json_null(notice->json, "before");
        return;
    }
    json_open_object(notice->json, "before");
    json_text(notice->json, "model", before->model);
    json_int(notice->json, "version", before->version);
    json_close(notice->json);
    notice_line(notice, "before",
                version_words(before->model, before->version, notice->text.arena));
}

static void write_change(Notice *notice, const Endpoint *before, const EndpointChange *change)
{
    say_what(notice, before, change);
    notice_text(notice, "project", before->project);
    notice_text(notice, "environment", "production");
    notice_text(notice, "endpoint", before->name);
    notice_text(notice, "model", change->model);
    notice_int(notice, "version", change->version);
    notice_text(notice, "package", change->package);
    write_before(notice, before);
    notice_text(notice, "reason", change->reason);
    notice_text(notice, "comment", change->comment);
}

bool endpoint_tell(Scope *scope, const Endpoint *before, const EndpointChange *change)
{
    EventKind kind = is_rollback(change) ? EVENT_RELEASE_ROLLED_BACK : EVENT_RELEASE_DEPLOYED;
    Notice *notice;

    if (text_has_suffix(before->name, ENDPOINT_STAGING_SUFFIX))
        return true;
    if (!notice_begin(scope, kind, &notice))
        return false;
    if (!notice)
        return true;
    write_change(notice, before, change);
    notice_text(notice, "deployed_by", scope->principal.name ? scope->principal.name : "local");
    gate_verdict_tell(notice, notice_read(change->gate, scope->arena));
    if (before->model && !is_rollback(change))
        notice_say(notice,
                   "\nBack to what served before:\n\n  slipway rollback %s --comment \"why\"",
                   before->name);
    return notice_raise(scope, notice);
}
