/* Approvals as tables: what an approval is at a moment, and who may say what to it. */
#include "pipelines/approval.h"

#include "access/event.h"
#include "access/token.h"
#include "base/time.h"
#include "notify/delivery.h"
#include "tests/scene.h"

#define DIGEST_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define DIGEST_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

/* Who decided, in order: a capital letter approves, a small one rejects. */
static ApprovalDecisionList decisions_of(const char *letters, Arena *arena)
{
    ApprovalDecisionList list = {0};

    for (const char *at = letters; *at; at++) {
        const char *who = arena_format(arena, "%c", *at | 0x20);

        *arena_push(arena, &list) = (ApprovalDecision){
            .decided_by = who,
            .person = who,
            .comment = "because",
            .is_approved = !(*at & 0x20),
        };
    }
    return list;
}

typedef struct Moment {
    const char *name;
    ApprovalStatus written;
    const char *decisions;
    int64_t needed, now; /* it expires at 100 */
    ApprovalStatus status;
} Moment;

static const Moment moments[] = {
    {"nobody has said anything", APPROVAL_PENDING, "", 1, 0, APPROVAL_PENDING},
    {"the last moment", APPROVAL_PENDING, "", 1, 99, APPROVAL_PENDING},
    {"its time is over", APPROVAL_PENDING, "", 1, 100, APPROVAL_EXPIRED},
    {"long ago", APPROVAL_PENDING, "", 1, INT64_MAX, APPROVAL_EXPIRED},
    {"one of one", APPROVAL_PENDING, "A", 1, 50, APPROVAL_APPROVED},
    {"one of two", APPROVAL_PENDING, "A", 2, 50, APPROVAL_PENDING},
    {"one of two, and its time is over", APPROVAL_PENDING, "A", 2, 100, APPROVAL_EXPIRED},
    {"two of two", APPROVAL_PENDING, "AB", 2, 50, APPROVAL_APPROVED},
    {"one rejects", APPROVAL_PENDING, "b", 2, 50, APPROVAL_REJECTED},
    {"one rejects after another approved", APPROVAL_PENDING, "Ab", 2, 50, APPROVAL_REJECTED},
    {"what was approved in time stays so", APPROVAL_APPROVED, "A", 1, 1000, APPROVAL_APPROVED},
    {"rejected stays rejected", APPROVAL_REJECTED, "a", 1, 1000, APPROVAL_REJECTED},
    {"expired stays so, if the clock goes back", APPROVAL_EXPIRED, "", 1, 0, APPROVAL_EXPIRED},
    {"withdrawn stays so", APPROVAL_WITHDRAWN, "", 1, 50, APPROVAL_WITHDRAWN},
    {0},
};

static void test_an_approval_is_what_decisions_and_time_make_it(void)
{
    Arena *arena = arena_create();

    for (const Moment *row = moments; row->name; row++) {
        Approval approval = {
            .status = row->written,
            .needed = row->needed,
            .expires_at = 100,
            .decisions = decisions_of(row->decisions, arena),
        };

        if (approval_state(&approval, row->now) != row->status)
            fprintf(stderr, "%s\n", row->name);
        EXPECT(approval_state(&approval, row->now) == row->status);
    }
    arena_destroy(arena);
}

typedef struct Saying {
    const char *name;
    const char *who;
    bool is_approved;
    const char *comment, *digest;
    bool four_eyes;
    const char *decisions;
    int64_t now;
    ErrorKind kind;
    const char *says; /* a part of the refusal; NULL: it is taken */
} Saying;

/* It was asked for by "asker", needs three, expires at 100. */
static const Saying sayings[] = {
    {"an approval", "c", true, "fine", DIGEST_A, false, "AB", 50, ERROR_NONE, NULL},
    {"a rejection", "c", false, "no", DIGEST_A, false, "AB", 50, ERROR_NONE, NULL},
    {"no comment", "c", true, "", DIGEST_A, false, "", 50, ERROR_FIELD, "a comment says why"},
    {"only blanks", "c", true, " \n\t", DIGEST_A, false, "", 50, ERROR_FIELD, "a comment says why"},
    {"no digest", "c", true, "fine", "", false, "", 50, ERROR_FIELD, "64 lowercase"},
    {"a part of the digest", "c", true, "fine", "aaaaaaaaaaaa", false, "", 50, ERROR_FIELD,
     "64 lowercase"},
    {"another digest", "c", true, "fine", DIGEST_B, false, "", 50, ERROR_CONFLICT,
     "approval 7 is about aaaaaaaaaaaa, not about bbbbbbbbbbbb: look at it again"},
    {"another digest is not rejected, either", "c", false, "no", DIGEST_B, false, "", 50,
     ERROR_CONFLICT, "look at it again"},
    {"twice", "a", true, "fine", DIGEST_A, false, "AB", 50, ERROR_CONFLICT,
     "\"a\" has approved it already: 2 of 3 people have"},
    {"second thoughts", "a", false, "no", DIGEST_A, false, "A", 50, ERROR_CONFLICT,
     "has approved it already"},
    {"it was rejected", "c", true, "fine", DIGEST_A, false, "Ab", 50, ERROR_CONFLICT,
     "approval 7 was rejected"},
    {"it was approved", "d", true, "fine", DIGEST_A, false, "ABC", 50, ERROR_CONFLICT,
     "approval 7 was approved"},
    {"it has expired", "c", true, "fine", DIGEST_A, false, "", 100, ERROR_CONFLICT,
     "approval 7 has expired"},
    {"who asked, where that is allowed", "asker", true, "fine", DIGEST_A, false, "", 50, ERROR_NONE,
     NULL},
    {"four eyes", "asker", true, "fine", DIGEST_A, true, "", 50, ERROR_FORBIDDEN,
     "four eyes: \"asker\" has started what waits"},
    {"four eyes, and it is another one", "c", true, "fine", DIGEST_A, true, "", 50, ERROR_NONE,
     NULL},
    {"four eyes: everybody may reject", "asker", false, "no", DIGEST_A, true, "", 50, ERROR_NONE,
     NULL},
    {0},
};

static void test_who_may_say_what(void)
{
    Originator asker = {"asker", ORIGINATOR_STARTED, "asker", true};
    Arena *arena = arena_create();

    for (const Saying *row = sayings; row->name; row++) {
        Approval approval = {
            .id = 7,
            .digest = DIGEST_A,
            .needed = 3,
            .four_eyes = row->four_eyes,
            .asked_by = "asker",
            .originators = {&asker, 1},
            .expires_at = 100,
            .decisions = decisions_of(row->decisions, arena),
        };
        ApprovalAnswer answer = {7, row->digest, row->comment, row->is_approved};
        Error error = {0};
        bool taken = approval_check_answer(&approval, &answer, row->who, row->now, &error);

        if (taken != !row->says || error.kind != row->kind ||
            (row->says && !strstr(error.message, row->says))) {
            fprintf(stderr, "%s: %s\n", row->name, error.message);
            exit(1);
        }
    }
    arena_destroy(arena);
}

static void test_a_comment_has_a_limit(void)
{
    char comment[APPROVAL_COMMENT_BYTES_MAX + 2];
    Approval approval = {.digest = DIGEST_A, .needed = 1, .asked_by = "", .expires_at = 100};
    ApprovalAnswer answer = {0, DIGEST_A, comment, true};
    Error error = {0};

    memset(comment, 'x', sizeof(comment));
    comment[APPROVAL_COMMENT_BYTES_MAX + 1] = '\0';
    EXPECT(!approval_check_answer(&approval, &answer, "a", 0, &error));
    comment[APPROVAL_COMMENT_BYTES_MAX] = '\0';
    EXPECT_OK(approval_check_answer(&approval, &answer, "a", 0, &error), error);
}

/* ---- in the store ---- */

static void test_with_four_eyes_and_nobody_known_it_takes_one_more(void)
{
    Originator ada = {"ada", ORIGINATOR_STARTED, "ada", true};
    Originator author = {"bob", ORIGINATOR_WRITTEN, "bob", true};
    Originator both[] = {ada, {"octocat", ORIGINATOR_PUSHED, NULL, false}};
    OriginatorList nobody = {0}, known = {&ada, 1}, written = {&author, 1}, half = {both, 2};
    EnvironmentRules rules = {.approvals = 2};

    EXPECT(approval_count_needed(&rules, &nobody) == 2);
    rules.four_eyes = true;
    EXPECT(approval_count_needed(&rules, &known) == 2);
    EXPECT(approval_count_needed(&rules, &nobody) == 3);
    EXPECT(approval_count_needed(&rules, &written) == 3);
    EXPECT(approval_count_needed(&rules, &half) == 3);
    EXPECT(originators_find(&half, "ada") && originators_find(&written, "bob"));
    EXPECT(!originators_find(&half, "bob"));
}

typedef struct Asking {
    ApprovalSpec spec;
    EnvironmentRules rules;
    OriginatorList originators;
    Approval approval;
} Asking;

static bool write_ask(Scope *scope, void *context)
{
    Asking *asking = context;

    return approval_ask(scope, &asking->spec, &asking->approval);
}

static Asking asking_of(const char *digest)
{
    return (Asking){
        .spec = {.subject = "run/step",
                 .digest = digest,
                 .environment = "production",
                 .project = "spam",
                 .title = "spam#1/step",
                 .detail = "{}",
                 .run_id = "run",
                 .asked_by = "asker"},
        .rules = {.approvals = 2, .expires_seconds = 3600},
    };
}

static int64_t ask(Scene *scene, Asking *asking)
{
    asking->spec.rules = &asking->rules;
    asking->spec.originators = &asking->originators;
    EXPECT_OK(scope_write(&scene->scope, write_ask, asking), scene->scope.error);
    return asking->approval.id;
}

/* By whom, of approval 1. */
static bool say(Scene *scene, const char *who, bool is_approved)
{
    ApprovalAnswer answer = {1, DIGEST_A, "because", is_approved};
    Scope scope = scene->scope;
    Approval approval;
    bool done;

    scope.principal.name = who;
    scope.error = (Error){0};
    done = approval_answer(&scope, &answer, &approval);
    scene->scope.error = scope.error;
    return done;
}

static const char *status_now(Scene *scene, int64_t id)
{
    Approval approval;

    EXPECT_OK(approval_find(&scene->scope, id, &approval), scene->scope.error);
    return approval_status_name(approval.status);
}

/* The actions since the start, one letter for each: asked, given, approved, rejected, expired,
 * withdrawn. */
static const char *events(Scene *scene)
{
    EventFilter filter = {.action = "approval."};
    TextBuilder letters = {.arena = scene->arena};
    EventList list = {0};

    EXPECT_OK(event_list(&scene->scope, &filter, &list), scene->scope.error);
    for (size_t i = 0; i < list.count; i++) {
        const char *action = list.items[i].action + strlen("approval.");

        text_append_bytes(&letters, strcmp(action, "approved") == 0 ? "A" : action, 1);
    }
    return text_built(&letters);
}

static void test_asking_again_is_asking_once_and_another_digest_is_another_approval(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    Asking first = asking_of(DIGEST_A), second = asking_of(DIGEST_B);

    EXPECT(ask(&scene, &first) == 1);
    EXPECT(ask(&scene, &first) == 1);
    EXPECT_TEXT(events(&scene), "a");
    EXPECT(ask(&scene, &second) == 2);
    EXPECT_TEXT(status_now(&scene, 1), "withdrawn");
    EXPECT(!say(&scene, "ada", true));
    EXPECT(scene.scope.error.kind == ERROR_CONFLICT);
    EXPECT(ask(&scene, &first) == 3);
    EXPECT_TEXT(events(&scene), "awawa");
}

static void test_two_people_approve_and_it_is_kept_who_and_why(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    Asking asking = asking_of(DIGEST_A);

    ask(&scene, &asking);
    EXPECT_OK(say(&scene, "ada", true), scene.scope.error);
    EXPECT_TEXT(status_now(&scene, 1), "pending");
    EXPECT(!say(&scene, "ada", true));
    EXPECT_OK(say(&scene, "bob", true), scene.scope.error);
    EXPECT_TEXT(status_now(&scene, 1), "approved");
    EXPECT(!say(&scene, "eve", false));
    EXPECT(ask(&scene, &asking) == 1);
    EXPECT(asking.approval.decisions.count == 2);
    EXPECT_TEXT(asking.approval.decisions.items[0].decided_by, "ada");
    EXPECT_TEXT(asking.approval.decisions.items[0].comment, "because");
    EXPECT_TEXT(asking.approval.reason, "approved by ada, bob");
    EXPECT_TEXT(events(&scene), "agA");
}

static void test_one_rejects_and_asking_again_does_not_help(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    Asking asking = asking_of(DIGEST_A);

    ask(&scene, &asking);
    EXPECT_OK(say(&scene, "ada", true), scene.scope.error);
    EXPECT_OK(say(&scene, "bob", false), scene.scope.error);
    EXPECT(ask(&scene, &asking) == 1);
    EXPECT_TEXT(approval_status_name(asking.approval.status), "rejected");
    EXPECT_TEXT(asking.approval.reason, "rejected by bob: because");
    EXPECT_TEXT(events(&scene), "agr");
}

static void test_stricter_rules_ask_again_and_looser_ones_do_not_undo(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    Asking asking = asking_of(DIGEST_A);

    asking.rules.approvals = 1;
    ask(&scene, &asking);
    asking.rules.approvals = 2;
    EXPECT(ask(&scene, &asking) == 2);
    EXPECT_TEXT(status_now(&scene, 1), "withdrawn");
    asking.rules.approvals = 1;
    EXPECT(ask(&scene, &asking) == 3);
    EXPECT_TEXT(status_now(&scene, 2), "withdrawn");
    EXPECT_OK(approval_answer(&scene.scope, &(ApprovalAnswer){3, DIGEST_A, "yes", true},
                              &asking.approval),
              scene.scope.error);
    asking.rules.four_eyes = true;
    originators_add(&asking.originators, scene.arena,
                    (Originator){"asker", ORIGINATOR_STARTED, "asker", true});
    EXPECT(ask(&scene, &asking) == 4);
    EXPECT_TEXT(status_now(&scene, 3), "approved");
    asking.rules.four_eyes = false;
    EXPECT(ask(&scene, &asking) == 5);
}

static bool write_withdraw(Scope *scope, void *context)
{
    return approval_withdraw_run(scope, context, "the run was cancelled");
}

static void test_with_its_run_goes_what_is_pending_alone(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    Asking asking = asking_of(DIGEST_A), other = asking_of(DIGEST_A);
    char run[] = "run";

    other.spec.subject = "other/step";
    other.spec.run_id = "other";
    ask(&scene, &asking);
    ask(&scene, &other);
    EXPECT_OK(scope_write(&scene.scope, write_withdraw, run), scene.scope.error);
    EXPECT_TEXT(status_now(&scene, 1), "withdrawn");
    EXPECT_TEXT(status_now(&scene, 2), "pending");
}

static bool write_expired(Scope *scope, void *context)
{
    return db_run(scope->db, &scope->error,
                  "UPDATE approvals SET expires_at = created_at WHERE subject = $1",
                  db_text(context));
}

static void make_expired(Scene *scene, const char *subject)
{
    EXPECT_OK(scope_write(&scene->scope, write_expired, (void *)(uintptr_t)subject),
              scene->scope.error);
}

static size_t count_with(Scene *scene, const char *status)
{
    ApprovalFilter filter = {.status = status};
    ApprovalList list = {0};

    EXPECT_OK(approval_list(&scene->scope, &filter, NULL, &list), scene->scope.error);
    return list.count;
}

static void test_what_has_expired_is_seen_so_at_once_and_written_by_who_comes_first(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    Asking asking = asking_of(DIGEST_A);

    ask(&scene, &asking);
    EXPECT(count_with(&scene, "pending") == 1);
    make_expired(&scene, "run/step");
    EXPECT(count_with(&scene, "pending") == 0);
    EXPECT(count_with(&scene, "expired") == 1);
    EXPECT_TEXT(events(&scene), "a");
    EXPECT(!say(&scene, "ada", true));
    EXPECT_TEXT(scene.scope.error.message, "approval 1 has expired");
    EXPECT_TEXT(status_now(&scene, 1), "expired");
    EXPECT_TEXT(events(&scene), "ae");
    EXPECT(ask(&scene, &asking) == 1);
    EXPECT_TEXT(asking.approval.reason, "0 of 2 people had approved it in time");
    EXPECT_TEXT(events(&scene), "ae");
}

static void test_a_list_is_filtered_and_paged(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    ApprovalFilter filter = {.environment = "production", .project = "spam"};
    Page page = {.limit = 2};
    ApprovalList list = {0};

    for (int i = 0; i < 3; i++) {
        Asking asking = asking_of(DIGEST_A);

        asking.spec.subject = arena_format(scene.arena, "run%d/step", i);
        ask(&scene, &asking);
    }
    EXPECT_OK(approval_list(&scene.scope, &filter, &page, &list), scene.scope.error);
    EXPECT(list.count == 2);
    EXPECT(list.items[0].id == 3);
    EXPECT(!list.items[0].detail);
    page.before = 2;
    list = (ApprovalList){0};
    EXPECT_OK(approval_list(&scene.scope, &filter, &page, &list), scene.scope.error);
    EXPECT(list.count == 1);
    filter.project = "ham";
    list = (ApprovalList){0};
    EXPECT_OK(approval_list(&scene.scope, &filter, NULL, &list), scene.scope.error);
    EXPECT(list.count == 0);
    filter.status = "open";
    EXPECT(!approval_list(&scene.scope, &filter, NULL, &list));
    EXPECT_TEXT(scene.scope.error.field, "status");
}

/* ---- what is told ---- */

static bool write_webhook(Scope *scope, void *context)
{
    WebhookSpec spec = {.name = "ops",
                        .url = "https://example.com/hook",
                        .events = event_kind_bit(EVENT_KIND_COUNT) - 1};

    return webhook_create(scope, &spec, context);
}

/* The data of what was told, the newest first. */
static const JsonValue *told(Scene *scene, const Webhook *webhook, size_t count, size_t index)
{
    Scope *scope = &scene->scope;
    const JsonValue *body;
    DeliveryList list = {0};
    Delivery delivery;

    EXPECT_OK(delivery_list(scope, webhook, NULL, &list), scope->error);
    EXPECT(list.count == count);
    EXPECT_OK(delivery_find(scope, list.items[index].id, &delivery), scope->error);
    EXPECT_OK(json_parse(delivery.body, strlen(delivery.body), scope->arena, &body, &scope->error),
              scope->error);
    return json_member(body, "data");
}

static const char *member(const JsonValue *data, const char *key)
{
    return json_as_text(json_member(data, key), "");
}

static const char detail_of_release[] =
    "{\"run\":\"spam#1\",\"step\":\"release.production\",\"uses\":\"release.production\","
    "\"origin\":{\"trigger\":\"push\",\"commit\":\"abc\",\"branch\":\"main\\n  digest  0\"},"
    "\"inputs\":{\"candidate\":\"a@b@3\",\"package\":\"" DIGEST_B "\"},\"steps\":["
    "{\"name\":\"release.gate\",\"result\":{\"outcome\":\"accepted\",\"reason\":\"f1 0.9 against "
    "0.8\","
    "\"verdict\":{\"outcome\":\"accepted\",\"reason\":\"f1 0.9 against "
    "0.8\",\"holdout\":{\"rows\":60}}}},"
    "{\"name\":\"bench\",\"result\":null,\"metrics\":{\"p99_ms\":1.5}}]}";

static void test_who_is_asked_is_told_what_it_is_about_and_how_to_answer(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    Asking asking = asking_of(DIGEST_A);
    const JsonValue *data;
    const char *text;
    Webhook webhook;

    EXPECT_OK(scope_write(&scene.scope, write_webhook, &webhook), scene.scope.error);
    asking.spec.detail = detail_of_release;
    asking.rules.four_eyes = true;
    originators_add(&asking.originators, scene.arena,
                    (Originator){"octocat", ORIGINATOR_PUSHED, "ada", true});
    ask(&scene, &asking);
    data = told(&scene, &webhook, 1, 0);
    text = member(data, "text");
    EXPECT_TEXT(member(data, "subject"),
                "spam#1 asks for approval 1: version 3 of \"a@b\" to production");
    EXPECT_TEXT(member(data, "model"), "a@b");
    EXPECT_TEXT(member(data, "package"), DIGEST_B);
    EXPECT_TEXT(member(data, "digest"), DIGEST_A);
    EXPECT_TEXT(member(data, "command"),
                "slipway approve 1 --digest aaaaaaaaaaaa --comment \"why\"");
    EXPECT_TEXT(member(json_member(data, "findings"), "bench"), "{\"p99_ms\":1.5}");
    EXPECT(strstr(text, "\n  branch        main   digest  0\n"));
    EXPECT(strstr(text, "\n  caused by     ada has pushed it as \"octocat\"\n"));
    EXPECT(strstr(text, "\n  gate          accepted: f1 0.9 against 0.8 (60 rows held out)\n"));
    EXPECT(strstr(text,
                  "\n  may approve   everybody who reaches the server, which has no tokens\n\n"
                  "It takes 2 persons with the role approver.\n"
                  "Four eyes: whoever caused it may only reject it.\n"));
    EXPECT(strstr(text, "\n  slipway reject 1 --digest aaaaaaaaaaaa --comment \"why\"\n"));
}

static bool write_token(Scope *scope, void *context)
{
    TokenSpec *spec = context;
    const char *secret;
    Token token;

    return token_create(scope, spec, &token, &secret);
}

static const char *may_approve(Scene *scene, const Webhook *webhook, size_t count)
{
    const JsonValue *data = told(scene, webhook, count, 0);
    const char *text = strstr(member(data, "text"), "  may approve   ");

    EXPECT(text);
    text += strlen("  may approve   ");
    return arena_copy(scene->arena, text, strcspn(text, "\n"));
}

static void test_those_are_named_who_would_not_be_refused(void)
{
    TokenSpec tokens[] = {
        {"ada", "approver"}, {"bob", "owner"}, {"eve", "approver"}, {"vic", "viewer"}};
    CLEANUP(scene_close) Scene scene = scene_open();
    Asking asking = asking_of(DIGEST_A);
    Webhook webhook;

    EXPECT_OK(scope_write(&scene.scope, write_webhook, &webhook), scene.scope.error);
    EXPECT_OK(scope_write(&scene.scope, write_token, &tokens[3]), scene.scope.error);
    ask(&scene, &asking);
    EXPECT_TEXT(may_approve(&scene, &webhook, 1),
                "nobody: it takes a token with the role approver");
    for (size_t i = 0; i < 3; i++)
        EXPECT_OK(scope_write(&scene.scope, write_token, &tokens[i]), scene.scope.error);
    asking.rules.four_eyes = true;
    originators_add(&asking.originators, scene.arena,
                    (Originator){"eve", ORIGINATOR_STARTED, "eve", true});
    EXPECT(ask(&scene, &asking) == 2);
    EXPECT_TEXT(may_approve(&scene, &webhook, 3), "ada, bob");
    scene.scope.principal.name = "ada";
    EXPECT_OK(approval_answer(&scene.scope, &(ApprovalAnswer){2, DIGEST_A, "yes", true},
                              &asking.approval),
              scene.scope.error);
    EXPECT_TEXT(may_approve(&scene, &webhook, 4), "bob");
}

static void test_each_answer_is_told_and_asking_again_is_not(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    Asking asking = asking_of(DIGEST_A);
    const JsonValue *data;
    Webhook webhook;

    EXPECT_OK(scope_write(&scene.scope, write_webhook, &webhook), scene.scope.error);
    ask(&scene, &asking);
    ask(&scene, &asking);
    data = told(&scene, &webhook, 1, 0);
    EXPECT_TEXT(member(data, "subject"),
                "spam asks for approval 1: step \"spam#1/step\" to production");
    EXPECT_OK(say(&scene, "ada", true), scene.scope.error);
    EXPECT(!say(&scene, "ada", true));
    EXPECT_TEXT(member(told(&scene, &webhook, 2, 0), "decided_by"), "ada");
    EXPECT_OK(say(&scene, "bob", false), scene.scope.error);
    data = told(&scene, &webhook, 3, 0);
    EXPECT_TEXT(member(data, "decided_by"), "bob");
    EXPECT_TEXT(member(data, "reason"), "rejected by bob: because");
    EXPECT(json_count(json_member(data, "decisions")) == 2 && !json_member(data, "command"));
    EXPECT(strstr(member(data, "text"), "\nada has approved it:\n  | because\n\n"
                                        "bob has rejected it:\n  | because\n"));
}

static bool write_undone(Scope *scope, void *context)
{
    return write_ask(scope, context) && fail(&scope->error, ERROR_CONFLICT, "on purpose");
}

static void test_what_is_undone_is_told_to_nobody(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    Asking asking = asking_of(DIGEST_A);
    DeliveryList list = {0};
    Webhook webhook;

    EXPECT_OK(scope_write(&scene.scope, write_webhook, &webhook), scene.scope.error);
    asking.spec.rules = &asking.rules;
    asking.spec.originators = &asking.originators;
    EXPECT(!scope_write(&scene.scope, write_undone, &asking));
    EXPECT_OK(delivery_list(&scene.scope, &webhook, NULL, &list), scene.scope.error);
    EXPECT(list.count == 0);
}

/* What cannot be read any more is told as far as it can be. */
static void test_a_detail_that_cannot_be_read_keeps_nobody_from_asking(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    Asking asking = asking_of(DIGEST_A);
    Webhook webhook;

    EXPECT_OK(scope_write(&scene.scope, write_webhook, &webhook), scene.scope.error);
    asking.spec.detail = "{\"run\":";
    ask(&scene, &asking);
    EXPECT_TEXT(member(told(&scene, &webhook, 1, 0), "digest"), DIGEST_A);
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_an_approval_is_what_decisions_and_time_make_it),
        TEST(test_who_may_say_what),
        TEST(test_a_comment_has_a_limit),
        TEST(test_with_four_eyes_and_nobody_known_it_takes_one_more),
        TEST(test_asking_again_is_asking_once_and_another_digest_is_another_approval),
        TEST(test_two_people_approve_and_it_is_kept_who_and_why),
        TEST(test_one_rejects_and_asking_again_does_not_help),
        TEST(test_stricter_rules_ask_again_and_looser_ones_do_not_undo),
        TEST(test_with_its_run_goes_what_is_pending_alone),
        TEST(test_what_has_expired_is_seen_so_at_once_and_written_by_who_comes_first),
        TEST(test_a_list_is_filtered_and_paged),
        TEST(test_who_is_asked_is_told_what_it_is_about_and_how_to_answer),
        TEST(test_those_are_named_who_would_not_be_refused),
        TEST(test_each_answer_is_told_and_asking_again_is_not),
        TEST(test_what_is_undone_is_told_to_nobody),
        TEST(test_a_detail_that_cannot_be_read_keeps_nobody_from_asking),
        {0},
    };

    return test_main(tests, count, names);
}
