/* What the rows of a data set must be: each expectation, met and not, by the step in this process.
 */
#include "data/expect.h"
#include "import_fixture.h"

static const char rows[] = "id,fare,when,flag,note\n"
                           "1,2.5,2021-01-01,true,ab\n"
                           "2,NA,2021-01-02,false,abc\n"
                           "3,7,2021-01-03,true,\n"
                           "3,8,2021-02-01,true,x\n";

static Expectations read_expect(const char *yaml, Arena *arena)
{
    const YamlNode *map;
    Expectations expect;
    Error error = {0};

    EXPECT_OK(yaml_parse(yaml, strlen(yaml), arena, &map, &error) &&
                  expect_read(map, arena, &expect, &error),
              error);
    return expect;
}

static bool check(Fixture *fixture, const char *yaml, const JsonValue **report)
{
    Expectations expect = read_expect(yaml, fixture->arena);
    JsonWriter *json = json_writer_create(fixture->arena);
    JsonWriter *result = json_writer_create(fixture->arena);
    const JsonValue *job;
    const char *text;

    json_open_object(json, NULL);
    json_text(json, "rows", fixture->rows);
    json_text(json, "folder", fixture->folder);
    expect_write_json(json, "expect", &expect);
    json_close(json);
    text = json_finish(json);
    EXPECT_OK(json_parse(text, strlen(text), fixture->arena, &job, &fixture->error),
              fixture->error);
    json_open_object(result, NULL);
    if (!check_data_step(job, result, fixture->arena, &fixture->error))
        return false;
    json_close(result);
    text = json_finish(result);
    EXPECT_OK(json_parse(text, strlen(text), fixture->arena, report, &fixture->error),
              fixture->error);
    return true;
}

static const struct {
    const char *yaml, *message; /* NULL: it is met */
} cases[] = {
    {"{}", NULL},
    {"rows: {minimum: 4, maximum: 4}", NULL},
    {"rows: {maximum: 3}", "there are 4 rows, at most 3 are expected"},
    {"columns: {id: , fare: , when: , flag: , note: }\nothers: refuse", NULL},
    {"columns: {id: , fare: , when: , flag: }\nothers: refuse", "column \"note\" is not expected"},
    {"columns: {ID: integer}", "column \"ID\" is missing"},
    {"columns: {id: number, fare: number, when: time, flag: boolean, note: text}", NULL},
    {"columns: {note: integer}",
     "column \"note\", row 1 of \"a.csv\": ab is not an integer (3 rows)"},
    {"columns: {fare: integer}",
     "column \"fare\", row 1 of \"a.csv\": 2.5 is not an integer (1 row)"},
    {"columns: {id: text}", "column \"id\" is integer, not text: if it is one, say so under "
                            "\"columns\" of the data set"},
    {"columns: {fare: {minimum: 2.5, maximum: 8}}", NULL},
    {"columns: {fare: {minimum: 2.6}}",
     "column \"fare\", row 1 of \"a.csv\": 2.5 is below the minimum of 2.6 (1 row)"},
    {"columns: {when: {maximum: 2021-01-31}}",
     "column \"when\", row 4 of \"a.csv\": 2021-02-01 00:00:00 is above the maximum of 2021-01-31 "
     "(1 row)"},
    {"columns: {note: {maximum: 3}}",
     "column \"note\" holds no numbers or times: it is text, and has no maximum"},
    {"columns: {fare: {missing: 0.25}, note: {missing: 0.25}}", NULL},
    {"columns: {fare: {missing: 0.24}}",
     "column \"fare\", first in row 2 of \"a.csv\": 25 % of the values are missing, 24 % may be (1 "
     "of 4 rows)"},
    {"columns: {fare: {values: [2.50, 7.0, 8]}, flag: {values: [true, false]}}", NULL},
    {"columns: {id: {values: [1, 2]}}",
     "column \"id\", row 3 of \"a.csv\": 3 is not one of 1, 2 (2 rows)"},
    {"columns: {note: {pattern: '[a-c]+|x'}}", NULL},
    {"columns: {note: {pattern: '[a-c]+'}}",
     "column \"note\", row 4 of \"a.csv\": x does not match [a-c]+ (1 row)"},
    {"columns: {note: {unique: true}}", NULL},
    {"columns: {id: {unique: true}}",
     "column \"id\", row 4 of \"a.csv\": 3 is there before (1 row)"},
};

static void test_each_expectation_is_met_or_named_with_its_column_and_row(void)
{
    Fixture fixture = fixture_start();

    fixture_add_bytes(&fixture, "a.csv", rows, strlen(rows));
    EXPECT_OK(fixture_run(&fixture, NULL), fixture.error);
    for (size_t i = 0; i < COUNT(cases); i++) {
        const JsonValue *report = NULL;
        JsonWalk walk;

        EXPECT_OK(check(&fixture, cases[i].yaml, &report), fixture.error);
        walk = json_walk(json_member(report, "violations"));
        EXPECT(json_walk_next(&walk) == (cases[i].message != NULL));
        if (cases[i].message)
            EXPECT_TEXT(json_as_text(json_member(walk.value, "message"), ""), cases[i].message);
        EXPECT(json_as_int(json_member(report, "rows"), 0) == 4);
    }
    fixture_end(&fixture);
}

static void test_what_cannot_be_asked_is_said(void)
{
    Fixture fixture = fixture_start();
    const JsonValue *report;

    fixture_add_bytes(&fixture, "a.csv", rows, strlen(rows));
    EXPECT_OK(fixture_run(&fixture, NULL), fixture.error);
    EXPECT(!check(&fixture, "columns: {id: {minimum: 2021-01-01}}", &report));
    EXPECT_TEXT(fixture.error.message,
                "column \"id\" is integer: \"2021-01-01\" is no minimum of it");
    EXPECT(!check(&fixture, "columns: {note: {pattern: '('}}", &report));
    EXPECT(strstr(fixture.error.message, "missing )"));
    fixture_end(&fixture);
}

static void test_files_are_counted_and_named(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Expectations expect = read_expect("files: {minimum: 2, maximum: 2, names: [a.csv]}", arena);
    TextList names = {0};
    Error error = {0};

    text_list_add(&names, arena, "b.csv");
    EXPECT(!expect_check_files(&expect, &names, &error));
    EXPECT_TEXT(error.message, "the file \"a.csv\" is missing");
    text_list_add(&names, arena, "a.csv");
    EXPECT_OK(expect_check_files(&expect, &names, &error), error);
    text_list_add(&names, arena, "c.csv");
    EXPECT(!expect_check_files(&expect, &names, &error));
    EXPECT_TEXT(error.message, "there are 3 files, at most 2 are expected");
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_each_expectation_is_met_or_named_with_its_column_and_row),
        TEST(test_what_cannot_be_asked_is_said),
        TEST(test_files_are_counted_and_named),
        {0},
    };

    return test_main(tests, count, names);
}
