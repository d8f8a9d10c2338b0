#include "notify/delivery.h"

#include "base/time.h"
#include "registry/model.h"
#include "tests/unit/tracking/store_fixture.h"

static const EventKinds all_kinds = (EventKinds)-1;

static Webhook add(Scope *scope, const char *name, EventKinds events)
{
    const WebhookSpec spec = {.name = name,
                              .url = "https://example.com/hook",
                              .events = events & ((1u << EVENT_KIND_COUNT) - 1)};
    Webhook webhook;

    EXPECT_OK(webhook_create(scope, &spec, &webhook), scope->error);
    return webhook;
}

static DeliveryList told(Scope *scope, const Webhook *webhook)
{
    DeliveryList list = {0};

    EXPECT_OK(delivery_list(scope, webhook, &(Page){.limit = 1000}, &list), scope->error);
    return list;
}

static Webhook again(Scope *scope, const Webhook *webhook)
{
    Webhook found;

    EXPECT_OK(webhook_find_by_id(scope, webhook->id, &found), scope->error);
    return found;
}

static void raise_one(Scope *scope, const char *subject)
{
    EXPECT_OK(notify(scope, EVENT_RELEASE_REJECTED, subject, "text"), scope->error);
}

static Delivery first_head(Scope *scope)
{
    DeliveryList heads = {0};
    Delivery head;

    EXPECT_OK(delivery_list_heads(scope, &heads), scope->error);
    EXPECT(heads.count > 0);
    EXPECT_OK(delivery_find(scope, heads.items[0].id, &head), scope->error);
    return head;
}

static void record(Scope *scope, const Delivery *delivery, DeliveryResult result)
{
    result.id = delivery->id;
    snprintf(result.public_id, sizeof(result.public_id), "%s", delivery->public_id);
    EXPECT_OK(delivery_record(scope, &result), scope->error);
}

static const DeliveryResult failure = {
    .status = 503, .reason = "it answered with status 503", .may_try_again = true};

static void test_who_wants_an_event_is_told_and_nobody_else(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Webhook wants = add(scope, "wants", event_kind_bit(EVENT_RELEASE_REJECTED));
    Webhook other = add(scope, "other", event_kind_bit(EVENT_MODEL_CREATED));
    Webhook disabled = add(scope, "disabled", event_kind_bit(EVENT_RELEASE_REJECTED));

    EXPECT_OK(
        webhook_change(scope, &disabled, &(WebhookSpec){.status = WEBHOOK_DISABLED}, &disabled),
        scope->error);
    raise_one(scope, "one");
    EXPECT(told(scope, &wants).count == 1 && again(scope, &wants).waiting_count == 1);
    EXPECT(told(scope, &other).count == 0 && told(scope, &disabled).count == 0);
}

static bool fail_behind(Scope *scope, void *context)
{
    (void)context;
    return notify(scope, EVENT_RELEASE_REJECTED, "undone", "") &&
           fail(&scope->error, ERROR_CONFLICT, "on purpose");
}

static void test_what_is_undone_is_not_told(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Webhook webhook = add(&fixture.scope, "ci", all_kinds);

    EXPECT(!scope_write(&fixture.scope, fail_behind, NULL));
    EXPECT(told(&fixture.scope, &webhook).count == 0);
    EXPECT(again(&fixture.scope, &webhook).waiting_count == 0);
}

static void test_deliveries_go_in_order_and_one_that_waits_holds_up_its_own_webhook_only(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    DeliveryList heads = {0};
    Delivery first;

    add(scope, "a", event_kind_bit(EVENT_RELEASE_REJECTED));
    raise_one(scope, "one");
    add(scope, "b", event_kind_bit(EVENT_RELEASE_REJECTED));
    raise_one(scope, "two");
    EXPECT_OK(delivery_list_heads(scope, &heads), scope->error);
    EXPECT(heads.count == 2 && heads.items[0].id == 1 && heads.items[1].id != 2);
    first = first_head(scope);
    EXPECT(strstr(first.body, "\"subject\":\"one\""));
    record(scope, &first, failure);
    EXPECT(first_head(scope).id == first.id);
    record(scope, &first, (DeliveryResult){.status = 200});
    EXPECT(strstr(first_head(scope).body, "\"subject\":\"two\""));
}

static void test_pauses_double_up_to_a_minute_and_tries_end(void)
{
    static const int64_t seconds[] = {1, 2, 4, 8, 16, 32, 60, 60};
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Webhook webhook = add(scope, "ci", all_kinds);
    DeliveryList list;
    Delivery head;

    raise_one(scope, "one");
    for (int i = 0; i < DELIVERY_TRIES_MAX; i++) {
        int64_t before = time_now_ms();

        head = first_head(scope);
        EXPECT(head.tries == i);
        record(scope, &head, failure);
        if (i + 1 == DELIVERY_TRIES_MAX)
            break;
        head = first_head(scope);
        EXPECT(head.due_at >= before + 1000 * seconds[i < 7 ? i : 7]);
        EXPECT(head.due_at <= time_now_ms() + 1000 * seconds[i < 7 ? i : 7]);
    }
    list = told(scope, &webhook);
    EXPECT(list.count == 1 && list.items[0].is_given_up && list.items[0].status == 503);
    EXPECT_TEXT(list.items[0].reason, "it answered with status 503");
    EXPECT(again(scope, &webhook).waiting_count == 0);
}

static void test_a_receiver_says_when_to_come_again(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    DeliveryResult later = failure;
    Delivery head;

    add(scope, "ci", all_kinds);
    raise_one(scope, "one");
    head = first_head(scope);
    later.retry_after_seconds = 300;
    record(scope, &head, later);
    EXPECT(first_head(scope).due_at > time_now_ms() + 290 * 1000);
}

static void test_a_refusal_for_good_is_given_up_at_once(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Webhook webhook = add(scope, "ci", all_kinds);
    Delivery head;

    raise_one(scope, "one");
    raise_one(scope, "two");
    head = first_head(scope);
    record(scope, &head, (DeliveryResult){.status = 410, .reason = "it answered with status 410"});
    EXPECT(told(scope, &webhook).items[1].is_given_up);
    EXPECT(strstr(first_head(scope).body, "two"));
}

static void test_what_is_too_old_is_tried_a_last_time(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Webhook webhook = add(scope, "ci", all_kinds);
    Delivery head;

    raise_one(scope, "one");
    EXPECT_OK(db_run(scope->db, &scope->error, "UPDATE deliveries SET created_at = 1"),
              scope->error);
    head = first_head(scope);
    record(scope, &head, failure);
    EXPECT(told(scope, &webhook).items[0].is_given_up);
}

static void test_a_result_counts_for_its_own_delivery_though_numbers_come_again(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Webhook gone = add(scope, "gone", all_kinds), stays;
    Delivery old, head;

    raise_one(scope, "one");
    old = first_head(scope);
    EXPECT_OK(webhook_delete(scope, &gone), scope->error);
    record(scope, &old, (DeliveryResult){.status = 200});
    stays = add(scope, "stays", all_kinds);
    raise_one(scope, "two");
    head = first_head(scope);
    EXPECT(head.id == old.id);
    record(scope, &old, (DeliveryResult){.status = 200});
    EXPECT(again(scope, &stays).waiting_count == 1);
    record(scope, &head, (DeliveryResult){.status = 200});
    record(scope, &head, (DeliveryResult){.status = 200}); /* once is enough */
    EXPECT(again(scope, &stays).waiting_count == 0);
}

static void test_what_has_no_room_is_counted_and_the_change_goes_on(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Webhook full = add(scope, "full", all_kinds), heavy = add(scope, "heavy", all_kinds),
            free_one = add(scope, "free", all_kinds);

    EXPECT_OK(
        db_run(scope->db, &scope->error, "UPDATE webhooks SET waiting_count = $2 WHERE id = $1",
               db_int(full.id), db_int(DELIVERIES_WAITING_MAX)) &&
            db_run(scope->db, &scope->error, "UPDATE webhooks SET waiting_bytes = $2 WHERE id = $1",
                   db_int(heavy.id), db_int(DELIVERIES_WAITING_BYTES_MAX - 10)),
        scope->error);
    raise_one(scope, "one");
    EXPECT(told(scope, &full).count == 0 && again(scope, &full).dropped_count == 1);
    EXPECT(told(scope, &heavy).count == 0 && again(scope, &heavy).dropped_count == 1);
    EXPECT(told(scope, &free_one).count == 1 && again(scope, &free_one).dropped_count == 0);
}

static void test_the_last_ones_that_ended_are_kept_without_what_they_said(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Webhook webhook = add(scope, "ci", all_kinds);
    Delivery head;
    DeliveryList list;
    int64_t bytes = 0;

    for (int i = 0; i < DELIVERIES_KEPT + 5; i++) {
        raise_one(scope, "one");
        head = first_head(scope);
        record(scope, &head, (DeliveryResult){.status = 204});
    }
    raise_one(scope, "waits");
    list = told(scope, &webhook);
    EXPECT(list.count == DELIVERIES_KEPT + 1 && list.items[0].ended_at == 0);
    EXPECT_OK(db_get_int(scope->db, &scope->error, &bytes,
                         "SELECT sum(length(body)) FROM deliveries WHERE ended_at IS NOT NULL"),
              scope->error);
    EXPECT(bytes == 0);
}

/* ---- what models and prompts tell ---- */

static const char *last_body(Scope *scope, const Webhook *webhook)
{
    DeliveryList list = told(scope, webhook);
    Delivery delivery;

    EXPECT(list.count > 0);
    EXPECT_OK(delivery_find(scope, list.items[0].id, &delivery), scope->error);
    return delivery.body;
}

/* Its event and its data; count is of all that was told. */
static void expect_told(Scope *scope, const Webhook *webhook, size_t count, const char *event,
                        const char *data)
{
    TextList words = text_split(event, '.', scope->arena);
    const char *body;

    EXPECT(told(scope, webhook).count == count);
    EXPECT_TEXT(told(scope, webhook).items[0].event, event);
    body = last_body(scope, webhook);
    EXPECT(text_has_prefix(body, arena_format(scope->arena, "{\"entity\":\"%s\",\"action\":\"%s\",",
                                              words.items[0], words.items[1])));
    EXPECT_TEXT(strstr(body, "\"data\":"), arena_format(scope->arena, "\"data\":%s}", data));
}

static ModelVersion version_of(Scope *scope, const char *model, const ParamList *tags)
{
    ModelVersionSpec spec = {.model = model,
                             .source = "s3://bucket/m",
                             .location = "s3://bucket/m",
                             .run_id = "run7",
                             .tags = tags ? *tags : (ParamList){0},
                             .may_be_unknown = true};
    ModelVersion version;

    EXPECT_OK(model_version_create(scope, &spec, &version), scope->error);
    return version;
}

static void test_models_tell_as_mlflow_does(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Webhook hook = add(scope, "ci", all_kinds);
    const ParamList tags = {&(Param){"team", "a"}, 1};
    RegisteredModel model;

    EXPECT_OK(model_create(scope, "spam", "mails", &tags, &model), scope->error);
    expect_told(scope, &hook, 1, "registered_model.created",
                "{\"name\":\"spam\",\"tags\":{\"team\":\"a\"},\"description\":\"mails\"}");
    EXPECT_OK(model_set_tags(scope, "spam", &tags), scope->error); /* not told of models */
    version_of(scope, "spam", NULL);
    expect_told(scope, &hook, 2, "model_version.created",
                "{\"name\":\"spam\",\"version\":\"1\",\"source\":\"s3://bucket/m\","
                "\"run_id\":\"run7\",\"tags\":{},\"description\":null}");
    EXPECT_OK(model_version_set_tags(scope, "spam", 1, &tags), scope->error);
    expect_told(scope, &hook, 3, "model_version_tag.set",
                "{\"name\":\"spam\",\"version\":\"1\",\"key\":\"team\",\"value\":\"a\"}");
    EXPECT_OK(model_version_delete_tag(scope, "spam", 1, "team"), scope->error);
    expect_told(scope, &hook, 4, "model_version_tag.deleted",
                "{\"name\":\"spam\",\"version\":\"1\",\"key\":\"team\"}");
    EXPECT_OK(model_alias_set(scope, "spam", "best", 1), scope->error);
    expect_told(scope, &hook, 5, "model_version_alias.created",
                "{\"name\":\"spam\",\"alias\":\"best\",\"version\":\"1\"}");
    EXPECT_OK(model_alias_delete(scope, "spam", "best"), scope->error);
    expect_told(scope, &hook, 6, "model_version_alias.deleted",
                "{\"name\":\"spam\",\"alias\":\"best\"}");
}

static void test_prompts_tell_as_mlflow_does(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Webhook hook = add(scope, "ci", all_kinds);
    Param made[] = {{MODEL_PROMPT_TAG, "true"}, {"_mlflow_prompt_type", "text"}, {"team", "a"}};
    Param said[] = {{MODEL_PROMPT_TAG, "true"}, {MODEL_PROMPT_TEXT_TAG, "Hello"}, {"k", "v"}};
    const ParamList model_tags = {made, 3}, version_tags = {said, 3}, one = {&said[2], 1};
    RegisteredModel model;

    EXPECT_OK(model_create(scope, "greet", NULL, &model_tags, &model), scope->error);
    expect_told(scope, &hook, 1, "prompt.created",
                "{\"name\":\"greet\",\"tags\":{\"team\":\"a\"},\"description\":\"\"}");
    version_of(scope, "greet", &version_tags);
    expect_told(
        scope, &hook, 2, "prompt_version.created",
        "{\"name\":\"greet\",\"version\":\"1\",\"template\":\"Hello\",\"tags\":{\"k\":\"v\"},"
        "\"description\":null}");
    EXPECT_OK(model_set_tags(scope, "greet", &one), scope->error);
    expect_told(scope, &hook, 3, "prompt_tag.set",
                "{\"name\":\"greet\",\"key\":\"k\",\"value\":\"v\"}");
    EXPECT_OK(model_delete_tag(scope, "greet", "k"), scope->error);
    expect_told(scope, &hook, 4, "prompt_tag.deleted", "{\"name\":\"greet\",\"key\":\"k\"}");
    EXPECT_OK(model_version_set_tags(scope, "greet", 1, &one), scope->error);
    expect_told(scope, &hook, 5, "prompt_version_tag.set",
                "{\"name\":\"greet\",\"version\":\"1\",\"key\":\"k\",\"value\":\"v\"}");
    EXPECT_OK(model_version_delete_tag(scope, "greet", 1, "k"), scope->error);
    expect_told(scope, &hook, 6, "prompt_version_tag.deleted",
                "{\"name\":\"greet\",\"version\":\"1\",\"key\":\"k\"}");
    EXPECT_OK(model_alias_set(scope, "greet", "live", 1), scope->error);
    expect_told(scope, &hook, 7, "prompt_alias.created",
                "{\"name\":\"greet\",\"alias\":\"live\",\"version\":\"1\"}");
    EXPECT_OK(model_alias_delete(scope, "greet", "live"), scope->error);
    expect_told(scope, &hook, 8, "prompt_alias.deleted", "{\"name\":\"greet\",\"alias\":\"live\"}");
}

static void test_what_changes_nothing_tells_nothing(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Webhook hook = add(scope, "ci", all_kinds);

    version_of(scope, "spam", NULL);
    EXPECT_OK(model_alias_set(scope, "spam", "best", 1), scope->error);
    EXPECT(told(scope, &hook).count == 3); /* the model, its version, the alias */
    EXPECT_OK(model_alias_set(scope, "spam", "best", 1), scope->error);
    EXPECT_OK(model_version_delete_tag(scope, "spam", 1, "none"), scope->error);
    EXPECT(!model_alias_delete(scope, "spam", "none"));
    EXPECT(told(scope, &hook).count == 3);
}

static void test_what_is_too_much_to_tell_is_told_in_short(void)
{
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Webhook hook = add(scope, "ci", all_kinds);
    char *value = arena_alloc(scope->arena, 100001, 1);
    const ParamList tags = {(Param[]){{"a", value}, {"b", value}, {"c", value}}, 3};

    memset(value, 'x', 100000);
    version_of(scope, "spam", &tags);
    expect_told(scope, &hook, 2, "model_version.created",
                "{\"name\":\"spam\",\"version\":\"1\",\"is_shortened\":true}");
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_who_wants_an_event_is_told_and_nobody_else),
        TEST(test_what_is_undone_is_not_told),
        TEST(test_deliveries_go_in_order_and_one_that_waits_holds_up_its_own_webhook_only),
        TEST(test_pauses_double_up_to_a_minute_and_tries_end),
        TEST(test_a_receiver_says_when_to_come_again),
        TEST(test_a_refusal_for_good_is_given_up_at_once),
        TEST(test_what_is_too_old_is_tried_a_last_time),
        TEST(test_a_result_counts_for_its_own_delivery_though_numbers_come_again),
        TEST(test_what_has_no_room_is_counted_and_the_change_goes_on),
        TEST(test_the_last_ones_that_ended_are_kept_without_what_they_said),
        TEST(test_models_tell_as_mlflow_does),
        TEST(test_prompts_tell_as_mlflow_does),
        TEST(test_what_changes_nothing_tells_nothing),
        TEST(test_what_is_too_much_to_tell_is_told_in_short),
        {0},
    };

    return test_main(tests, count, names);
}
