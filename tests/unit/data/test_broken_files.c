#include "import_fixture.h"

/* One file, its options, and what must come of it: an error, or rows and the rows set aside. */
static const struct Case {
    const char *name, *bytes;
    size_t size;
    const char *options, *error;
    int64_t rows, set_aside;
} cases[] = {
#define BYTES(text) text, sizeof(text) - 1
    {"short.csv", BYTES("a,b\n1,2\n3\n4,5\n"), NULL,
     "\"short.csv\" line 3, column \"b\": the row has 1 field, the header has 2", 0, 0},
    {"long.csv", BYTES("a,b\n1,2\n\n1,2,3\n4,5\n"), NULL,
     "\"long.csv\" line 4: the row has 3 fields, the header has 2", 0, 0},
    {"after-a-newline.csv", BYTES("a,b\n1,\"two\nlines\"\n3\n"), NULL,
     "\"after-a-newline.csv\" line 4, column \"b\": the row has 1 field, the header has 2", 0, 0},
    {"aside.csv", BYTES("a,b\n1,2\n3\n4,5\n6,7,8\n"), "{\"on_error\": \"set-aside\"}", NULL, 2, 2},
    {"number.csv", BYTES("a,b\n1,x\n2,7\n"), "{\"columns\": {\"b\": \"number\"}}",
     "\"number.csv\" line 2, column \"b\": \"x\" is not a number", 0, 0},
    {"integer.csv", BYTES("a,b\n1,5\n2,7.5\n"), "{\"columns\": {\"b\": \"integer\"}}",
     "\"integer.csv\" line 3, column \"b\": \"7.5\" is not an integer", 0, 0},
    {"number-aside.csv", BYTES("a,b\n1,x\n2,7\n3\n4,y\n"),
     "{\"columns\": {\"b\": \"number\"}, \"on_error\": \"set-aside\"}", NULL, 1, 3},
    {"missing-number.csv", BYTES("a,b\n1,NA\n2,7\n3,\n"), "{\"columns\": {\"b\": \"number\"}}",
     NULL, 3, 0},
    {"unclosed.csv", BYTES("a,b\n1,2\n\"open,3\n4,5\n"), NULL,
     "\"unclosed.csv\" line 3, column \"a\": a quote is not closed, or text follows the closing "
     "one",
     0, 0},
    {"latin.csv", BYTES("a,b\n1,caf\xe9\n"), NULL,
     "\"latin.csv\" line 2 is not UTF-8 (byte 9): if the file is Latin-1, pass encoding "
     "\"latin-1\"",
     0, 0},
    {"latin-told.csv", BYTES("a,b\n1,caf\xe9\n"), "{\"encoding\": \"latin-1\"}", NULL, 1, 0},
    {"mark.csv",
     BYTES("\xef\xbb\xbf"
           "a,b\n1,2\n"),
     NULL, NULL, 1, 0},
    {"crlf.csv", BYTES("a,b\r\n1,\"x\r\ny\"\r\n2,z\r\n"), NULL, NULL, 2, 0},
    {"mixed-line-ends.csv", BYTES("a,b\n1,2\r\n3,4\n"), NULL, NULL, 2, 0},
    {"old-mac.csv", BYTES("a,b\r1,2\r3,4\r"), NULL, NULL, 2, 0},
    {"no-last-newline.csv", BYTES("a,b\n1,2\n3,4"), NULL, NULL, 2, 0},
    {"blank-lines.csv", BYTES("\n\na,b\n\n1,2\n\n3,4\n\n"), NULL, NULL, 2, 0},
    {"one-column.csv", BYTES("a\nx\n\ny\n"), NULL, NULL, 3, 0},
    {"quotes.csv", BYTES("a,b\n1,\"he said \"\"hi\"\"\"\n2,5\" disk\n"), NULL, NULL, 2, 0},
    {"semicolons.csv", BYTES("a;b\n1,5;2\n3,5;4\n"), NULL, NULL, 2, 0},
    {"empty.csv", BYTES(""), NULL, "\"empty.csv\" is empty", 0, 0},
    {"only-blank.csv", BYTES("\n\n"), NULL, "\"only-blank.csv\" is empty", 0, 0},
    {"header.csv", BYTES("a,b\n"), NULL, "\"header.csv\" has no rows", 0, 0},
    {"twice.csv", BYTES("a,b,a\n1,2,3\n"), NULL,
     "\"twice.csv\" has two columns named \"a\" (columns 1 and 3)", 0, 0},
    {"case.csv", BYTES("a,A\n1,2\n"), NULL,
     "\"case.csv\" has two columns named \"A\" (columns 1 and 2)", 0, 0},
    {"own.csv", BYTES("_id,b\n1,2\n"), NULL,
     "\"own.csv\": a column cannot be named \"_id\", which is Slipway's own", 0, 0},
    {"nul.csv", BYTES("a,b\n1,x\0y\n"), NULL,
     "\"nul.csv\" line 2 has a NUL byte (byte 7): a text file has none", 0, 0},
    {"names.csv", BYTES("1,2\n"), "{\"names\": [\"a\"]}",
     "\"names.csv\" has 2 columns, but 1 names are given", 0, 0},
    {"no-target.csv", BYTES("a,b\n1,2\n"), "{\"target\": \"c\"}",
     "target \"c\" is not a column; the columns are \"a\", \"b\"", 0, 0},
    {"no-override.csv", BYTES("a,b\n1,2\n"), "{\"columns\": {\"c\": \"text\"}}",
     "the option \"columns\": \"c\" is not a column; the columns are \"a\", \"b\"", 0, 0},
    {"no-kind.csv", BYTES("a,b\n1,2\n"), "{\"columns\": {\"a\": \"float\"}}",
     "column \"a\" can be text, category, integer, number, boolean, time, date, ignore, known or "
     "known_after",
     0, 0},
    {"rows.jsonl", BYTES("{\"a\": 1}\n{\"a\": 2,\n{\"a\": 3}\n"), "{\"on_error\": \"set-aside\"}",
     NULL, 2, 1},
    {"list.jsonl", BYTES("{\"a\": 1}\n[2]\n"), NULL, "\"list.jsonl\" line 2: not a JSON object", 0,
     0},
    {"array.json", BYTES("[{\"a\": 1, \"b\": null}, {\"b\": \"x\"}]"), NULL, NULL, 2, 0},
    {"fake.parquet", BYTES("PAR1 and nothing else PAR1"), NULL, NULL, -1, 0},
#undef BYTES
};

static void check(const struct Case *one)
{
    Fixture fixture = fixture_start();
    bool is_read;

    fixture_add_bytes(&fixture, one->name, one->bytes, one->size);
    is_read = fixture_run(&fixture, one->options);
    if (one->error || one->rows < 0) {
        EXPECT(!is_read);
        if (one->error)
            EXPECT_TEXT(fixture.error.message, one->error);
    } else {
        EXPECT_OK(is_read, fixture.error);
        if (fixture_rows(&fixture) != one->rows)
            fprintf(stderr, "%s: %lld rows\n", one->name, (long long)fixture_rows(&fixture));
        EXPECT(fixture_rows(&fixture) == one->rows);
        EXPECT(json_as_int(json_member(fixture.result, "set_aside_count"), -1) == one->set_aside);
    }
    fixture_end(&fixture);
}

static void test_each_broken_or_odd_file_gives_its_error_or_its_rows(void)
{
    for (size_t i = 0; i < COUNT(cases); i++)
        check(&cases[i]);
}

static void test_files_with_other_columns_are_refused_by_file_and_column(void)
{
    Fixture fixture = fixture_start();

    fixture_add_bytes(&fixture, "one.csv", "a,b\n1,2\n", 8);
    fixture_add_bytes(&fixture, "two.csv", "b,c\n1,2\n", 8);
    EXPECT(!fixture_run(&fixture, NULL));
    EXPECT_TEXT(fixture.error.message, "\"two.csv\" has a column \"c\" that \"one.csv\" has not");
    EXPECT_TEXT(fixture.error.field, "c");
    fixture_end(&fixture);
}

static void test_columns_in_another_order_are_put_together_by_name(void)
{
    Fixture fixture = fixture_start();
    const JsonValue *profile;

    fixture_add_bytes(&fixture, "one.csv", "a,b\n1,x\n", 8);
    fixture_add_bytes(&fixture, "two.csv", "b,a\ny,2\n", 8);
    EXPECT_OK(fixture_run(&fixture, NULL), fixture.error);
    profile = fixture_column(&fixture, "a");
    EXPECT_TEXT(fixture_type(&fixture, "a"), "integer");
    EXPECT_NEAR(json_as_double(json_member(profile, "mean"), 0), 1.5, 0);
    fixture_end(&fixture);
}

static void test_a_line_is_named_after_a_thousand_lines_with_newlines_in_them(void)
{
    Fixture fixture = fixture_start();
    TextBuilder text = {.arena = fixture.arena};

    text_append(&text, "a,b\n");
    for (int i = 0; i < 1000; i++)
        text_append_format(&text, "%d,\"line\nand line\"\n", i);
    text_append(&text, "1000\n");
    fixture_add_bytes(&fixture, "far.csv", text.items, text.count);
    EXPECT(!fixture_run(&fixture, NULL));
    EXPECT_TEXT(fixture.error.message,
                "\"far.csv\" line 2002, column \"b\": the row has 1 field, the header has 2");
    fixture_end(&fixture);
}

/* What looks like a number or a time but loses something as one stays a text. */
static const struct {
    const char *values, *type;
} kinds[] = {
    {"1\n2\n3", "integer"},
    {"1\n2.5\n3", "number"},
    {"1\nNA\n3", "integer"},
    {"1e3\n-2.5\n.5", "number"},
    {"007\n008\n009\n010", "text"},
    {"+4479355\n+4479356", "text"},
    {"12345678901234567890\n12345678901234567891", "text"},
    {"9223372036854775807\n1", "integer"},
    {"true\nFALSE\ntrue", "boolean"},
    {"yes\nno\nyes\nno", "category"},
    {"2020-01-01\n2020-01-02T10:00:00\n2020-01-02 10:00:00.5", "time"},
    {"2020-01-01T10:00:00Z\n2020-01-01T10:00:00+02:00", "time"},
    {"1949-01\n1949-12", "time"},
    {"1949-01\n1949-13", "text"},
    {"2020-01-01\n2020-13-01", "text"},
    {"01/02/2020\n02/02/2020", "text"},
    {"1\n2\nthree", "text"},
    {"inf\n1\n2", "text"},
};

static void test_types_are_found_only_where_nothing_is_lost(void)
{
    for (size_t i = 0; i < COUNT(kinds); i++) {
        Fixture fixture = fixture_start();
        const char *bytes = arena_format(fixture.arena, "v\n%s\n", kinds[i].values);

        fixture_add_bytes(&fixture, "kinds.csv", bytes, strlen(bytes));
        EXPECT_OK(fixture_run(&fixture, "{\"header\": \"yes\"}"), fixture.error);
        if (strcmp(fixture_type(&fixture, "v"), kinds[i].type) != 0)
            fprintf(stderr, "%s\n", kinds[i].values);
        EXPECT_TEXT(fixture_type(&fixture, "v"), kinds[i].type);
        fixture_end(&fixture);
    }
}

static void test_slipways_own_columns_are_not_taken_for_the_users(void)
{
    Fixture csv = fixture_start(), parquet = fixture_start();

    fixture_add_bytes(&csv, "a.csv", "a,b\n1,x\n", 8);
    EXPECT_OK(fixture_run(&csv, NULL), csv.error);
    fixture_add_path(&parquet, "a.parquet", csv.rows);
    EXPECT(!fixture_run(&parquet, NULL));
    EXPECT_TEXT(parquet.error.message,
                "\"a.parquet\": a column cannot be named \"_row\", which is Slipway's own");
    fixture_end(&csv);
    fixture_end(&parquet);
}

static void test_the_same_files_give_the_same_bytes(void)
{
    char digests[2][DIGEST_TEXT_SIZE];

    for (int i = 0; i < 2; i++) {
        Fixture fixture = fixture_start();

        fixture_add_bytes(&fixture, "a.csv", "a,b\n1,x\n2,y\n3,\n", 15);
        EXPECT_OK(fixture_run(&fixture, NULL), fixture.error);
        EXPECT_OK(digest_file(fixture.rows, digests[i], &fixture.error), fixture.error);
        fixture_end(&fixture);
    }
    EXPECT_TEXT(digests[0], digests[1]);
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_each_broken_or_odd_file_gives_its_error_or_its_rows),
        TEST(test_files_with_other_columns_are_refused_by_file_and_column),
        TEST(test_columns_in_another_order_are_put_together_by_name),
        TEST(test_a_line_is_named_after_a_thousand_lines_with_newlines_in_them),
        TEST(test_types_are_found_only_where_nothing_is_lost),
        TEST(test_slipways_own_columns_are_not_taken_for_the_users),
        TEST(test_the_same_files_give_the_same_bytes),
        {0},
    };

    return test_main(tests, count, names);
}
