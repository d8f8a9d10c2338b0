#include "base/json.h"
#include "tests/test.h"

typedef struct Spec {
    const char *name;
    int64_t count;
    double share;
    bool fast;
    TextList tags;
    const JsonValue *extra;
} Spec;

static const JsonField spec_fields[] = {
    {"name", JSON_TEXT, offsetof(Spec, name), JSON_REQUIRED},
    {"count", JSON_INT, offsetof(Spec, count)},
    {"share", JSON_NUMBER, offsetof(Spec, share)},
    {"fast", JSON_BOOL, offsetof(Spec, fast)},
    {"tags", JSON_TEXT_LIST, offsetof(Spec, tags)},
    {"extra", JSON_ANY, offsetof(Spec, extra)},
    {0},
};

static void test_each_mistake_in_a_body_is_named(void)
{
    static const struct {
        const char *body, *message;
    } rows[] = {
        {"", "the JSON document is empty"},
        {"[]", "the body must be a JSON object"},
        {"{}", "\"name\" is missing"},
        {"{\"name\":7}", "\"name\" must be a text"},
        {"{\"name\":\"a\",\"nmae\":1}", "unrecognized field \"nmae\""},
        {"{\"name\":\"a\",\"name\":\"b\"}", "\"name\" is given twice"},
        {"{\"name\":null,\"name\":\"b\"}", "\"name\" is given twice"},
        {"{\"name\":null}", "\"name\" is missing"},
        {"{\"name\":\"a\",\"count\":1.5}", "\"count\" must be an integer"},
        {"{\"name\":\"a\",\"count\":9223372036854775808}", "\"count\" must be an integer"},
        {"{\"name\":\"a\",\"tags\":[1]}", "\"tags\" must be a list of texts"},
        {"{\"name\":\"a\\u0000b\"}", "the JSON has a text with a NUL character in it"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP(arena_cleanup) Arena *arena = arena_create();
        Spec spec = {0};
        Error error = {0};

        EXPECT(!json_read(rows[i].body, strlen(rows[i].body), spec_fields, &spec, arena, &error));
        EXPECT_TEXT(error.message, rows[i].message);
    }
}

static void test_a_body_with_a_mistake_leaves_its_struct_as_it_was(void)
{
    static const char *const bodies[] = {
        "{\"count\":3,\"share\":2,\"fast\":true,\"tags\":[\"a\"],\"extra\":1}",
        "{\"name\":\"b\",\"count\":3,\"tags\":[\"a\",1]}",
        "{\"name\":\"b\",\"fast\":true,\"slow\":true}",
    };
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const Spec before = {.name = "before", .count = 7};
    Spec spec;
    Error error = {0};

    for (size_t i = 0; i < COUNT(bodies); i++) {
        memcpy(&spec, &before, sizeof(spec));
        EXPECT(!json_read(bodies[i], strlen(bodies[i]), spec_fields, &spec, arena, &error));
        EXPECT(memcmp(&spec, &before, sizeof(spec)) == 0);
    }
}

static void test_a_whole_body_lands_in_its_struct(void)
{
    static const char body[] = "{\"name\":\"caf\\u00e9\",\"count\":-3,\"share\":2,\"fast\":true,"
                               "\"tags\":[\"a\",\"b\"],\"extra\":{\"x\":[1,{\"y\":2}]}}";
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Spec spec = {0};
    Error error = {0};

    EXPECT_OK(json_read(body, strlen(body), spec_fields, &spec, arena, &error), error);
    EXPECT_TEXT(spec.name, "caf\xc3\xa9");
    EXPECT(spec.count == -3 && spec.share == 2.0 && spec.fast && spec.tags.count == 2);
    EXPECT_TEXT(json_print(spec.extra, arena), "{\"x\":[1,{\"y\":2}]}");
}

static void test_nesting_has_a_limit(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    char body[2 * JSON_DEPTH_MAX + 3] = "";
    const JsonValue *value;
    Error error = {0};

    memset(body, '[', JSON_DEPTH_MAX);
    memset(body + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
    EXPECT_OK(json_parse(body, strlen(body), arena, &value, &error), error);

    memset(body, '[', JSON_DEPTH_MAX + 1);
    EXPECT(!json_parse(body, strlen(body), arena, &value, &error));
    EXPECT(strstr(error.message, "nested deeper"));
}

static void test_what_is_written_reads_back(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    JsonWriter *json = json_writer_create(arena);

    json_open_object(json, NULL);
    json_text(json, "quote\"", "tab\t newline\n \x01 \\");
    json_double(json, "tenth", 0.1);
    json_double(json, "missing", NAN);
    json_open_array(json, "list");
    json_int(json, NULL, INT64_MIN);
    json_int(json, NULL, INT64_MAX);
    json_int(json, NULL, 0);
    json_int(json, NULL, -10);
    json_null(json, NULL);
    json_close(json);
    json_time(json, "at", 1234);
    json_close(json);
    EXPECT_TEXT(json_finish(json),
                "{\"quote\\\"\":\"tab\\t newline\\n \\u0001 \\\\\",\"tenth\":0.1,\"missing\":null,"
                "\"list\":[-9223372036854775808,9223372036854775807,0,-10,null],\"at\":\"1970-01-"
                "01T00:00:01.234Z\"}");
}

static void expect_reads_back(const char *text, size_t size, Arena *arena)
{
    JsonWriter *json = json_writer_create(arena);
    const JsonValue *read;
    Error mistake = {0};

    json_bytes(json, NULL, text, size);
    EXPECT_OK(json_parse(json_finish(json), json_size(json), arena, &read, &mistake), mistake);
    EXPECT(json_text_size(read) == size);
    EXPECT(memcmp(json_as_text(read, ""), text, size) == 0);
}

static void test_the_sign_of_nothing_is_kept(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    JsonWriter *json = json_writer_create(arena);
    const JsonValue *read;
    Error mistake = {0};

    json_double(json, NULL, -0.0);
    EXPECT_OK(json_parse(json_finish(json), json_size(json), arena, &read, &mistake), mistake);
    EXPECT(signbit(json_as_double(read, 1)) && json_as_double(read, 1) == 0);
}

/* Texts are looked at eight bytes at once. */
static void test_each_byte_reads_back_at_any_place(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    char text[20];

    for (int byte = 1; byte < 0x80; byte++)
        for (size_t place = 0; place < sizeof(text); place++) {
            memset(text, 'x', sizeof(text));
            text[place] = (char)byte;
            for (size_t size = place + 1; size <= sizeof(text); size++)
                expect_reads_back(text, size, arena);
            arena_reset(arena);
        }
}

static void test_bytes_that_are_no_utf8_are_replaced_and_the_rest_stays(void)
{
    static const struct {
        const char *bytes, *written;
    } rows[] = {
        {"caf\xc3\xa9 \"\x01\n", "\"caf\xc3\xa9 \\\"\\u0001\\n\""},
        {"\xff\xfe", "\"\xef\xbf\xbd\xef\xbf\xbd\""},
        {"cut \xc3", "\"cut \xef\xbf\xbd\""},
        {"\xe2\x82", "\"\xef\xbf\xbd\xef\xbf\xbd\""},
        {"\xc3\"", "\"\xef\xbf\xbd\\\"\""},
        {"\xf0\x9f\x98\x80\x80", "\"\xf0\x9f\x98\x80\xef\xbf\xbd\""},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP(arena_cleanup) Arena *arena = arena_create();
        JsonWriter *json = json_writer_create(arena);
        const JsonValue *value;
        Error error = {0};

        json_text(json, NULL, rows[i].bytes);
        EXPECT_TEXT(json_finish(json), rows[i].written);
        EXPECT_OK(json_parse(json_finish(json), json_size(json), arena, &value, &error), error);
    }
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_each_mistake_in_a_body_is_named),
        TEST(test_a_body_with_a_mistake_leaves_its_struct_as_it_was),
        TEST(test_a_whole_body_lands_in_its_struct),
        TEST(test_nesting_has_a_limit),
        TEST(test_what_is_written_reads_back),
        TEST(test_the_sign_of_nothing_is_kept),
        TEST(test_each_byte_reads_back_at_any_place),
        TEST(test_bytes_that_are_no_utf8_are_replaced_and_the_rest_stays),
        {0},
    };

    return test_main(tests, count, names);
}
