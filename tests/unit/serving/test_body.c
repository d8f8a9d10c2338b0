/* Every form of a body, and every mistake in one: the columns it becomes or the error it is. */

#include "base/json.h"
#include "serving/cells.h"
#include "tests/test.h"

static const ModelInput text_only[] = {{"CONTENT", COLUMN_TEXT}};
static const ModelInput mixed[] = {
    {"text", COLUMN_TEXT}, {"kind", COLUMN_CATEGORY}, {"age", COLUMN_NUMBER}};
static const InputList one_column = {text_only, 1};
static const InputList three_columns = {mixed, 3};
static const ModelInput may_be_left_out[] = {
    {"steps", COLUMN_NUMBER}, {"series", COLUMN_CATEGORY}, {"level", COLUMN_NUMBER}};
static const InputList optional = {may_be_left_out, 3, true};

static const char json_type[] = "application/json", csv_type[] = "text/csv; charset=utf-8",
                  lines_type[] = "application/jsonl";

/* The frame as JSON, row by row. */
static const char *frame_text(const Frame *frame, Arena *arena)
{
    JsonWriter *json = json_writer_create(arena);

    json_open_array(json, NULL);
    for (size_t row = 0; row < frame->row_count; row++) {
        json_open_array(json, NULL);
        for (size_t i = 0; i < frame->column_count; i++) {
            const FrameColumn *column = &frame->columns[i];

            if (column->kind == COLUMN_NUMBER)
                json_double(json, NULL, column->numbers[row]);
            else if (!column->texts[row].bytes)
                json_null(json, NULL);
            else
                json_bytes(json, NULL, column->texts[row].bytes, column->texts[row].length);
        }
        json_close(json);
    }
    json_close(json);
    return json_finish(json);
}

static Body body_of(const char *type, const char *text)
{
    return (Body){.bytes = text, .size = strlen(text), .content_type = type, .rows_max = 4};
}

typedef struct Form {
    const InputList *inputs;
    const char *type, *body, *frame;
} Form;

static const Form forms[] = {
    {&one_column, json_type, "{\"data\":[\"a\",\"b\"]}", "[[\"a\"],[\"b\"]]"},
    {&one_column, NULL, "{\"data\":[\"a\"]}", "[[\"a\"]]"},
    {&one_column, json_type, "{\"data\":[{\"CONTENT\":\"a\"}]}", "[[\"a\"]]"},
    {&one_column, json_type, "{\"data\":{\"CONTENT\":\"a\"}}", "[[\"a\"]]"},
    {&one_column, json_type, "{\"data\":[[\"a\"],[\"b\"]]}", "[[\"a\"],[\"b\"]]"},
    {&one_column, json_type, "{\"inputs\":[\"a\"]}", "[[\"a\"]]"},
    {&one_column, json_type, "{\"inputs\":{\"CONTENT\":[\"a\",\"b\"]}}", "[[\"a\"],[\"b\"]]"},
    {&one_column, json_type, "{\"instances\":[\"\"]}", "[[\"\"]]"},
    {&one_column, csv_type, "CONTENT\na\nb\n", "[[\"a\"],[\"b\"]]"},
    {&one_column, csv_type, "\xef\xbb\xbf\"CONTENT\"\r\n\"a, \"\"b\"\"\nc\"\r\n\r\nd",
     "[[\"a, \\\"b\\\"\\nc\"],[\"d\"]]"},
    {&one_column, csv_type, "CONTENT\n\"\"\n", "[[\"\"]]"},
    {&one_column, csv_type, "CONTENT\n \n\t\n\r\r\n", "[[\" \"],[\"\\t\"],[\"\\r\"]]"},
    {&one_column, lines_type, "\"a\"\n{\"CONTENT\":\"b\"}\r\n\n", "[[\"a\"],[\"b\"]]"},
    {&one_column, "APPLICATION/X-NDJSON", "\"a\"", "[[\"a\"]]"},

    {&three_columns, json_type, "{\"data\":[{\"age\":3,\"kind\":\"k\",\"text\":\"t\"}]}",
     "[[\"t\",\"k\",3]]"},
    {&three_columns, json_type, "{\"data\":[{\"age\":null,\"kind\":null,\"text\":\"t\"}]}",
     "[[\"t\",null,null]]"},
    {&three_columns, json_type, "{\"data\":[[\"t\",1,2.5],[\"u\",true,-1e3]]}",
     "[[\"t\",\"1\",2.5],[\"u\",\"true\",-1000]]"},
    {&three_columns, json_type,
     "{\"inputs\":{\"kind\":[1,2],\"text\":[\"t\",\"u\"],\"age\":[3,4]}}",
     "[[\"t\",\"1\",3],[\"u\",\"2\",4]]"},
    {&three_columns, json_type,
     "{\"dataframe_split\":{\"columns\":[\"age\",\"text\",\"kind\"],\"index\":[0,1],"
     "\"data\":[[1,\"t\",\"k\"],[2,\"u\",\"l\"]]}}",
     "[[\"t\",\"k\",1],[\"u\",\"l\",2]]"},
    {&three_columns, json_type,
     "{\"dataframe_records\":[{\"text\":\"t\",\"kind\":\"k\",\"age\":1}]}", "[[\"t\",\"k\",1]]"},
    {&three_columns, csv_type, "age,text,kind\n1.5,t,k\n,u,\n",
     "[[\"t\",\"k\",1.5],[\"u\",null,null]]"},

    {&optional, json_type, "{\"data\":[3]}", "[[3,null,null]]"},
    {&optional, json_type, "{\"data\":[null,{},{\"level\":0.8},{\"series\":\"a\",\"steps\":2}]}",
     "[[null,null,null],[null,null,null],[null,null,0.8],[2,\"a\",null]]"},
    {&optional, json_type, "{\"inputs\":{\"steps\":[1,2]}}", "[[1,null,null],[2,null,null]]"},
    {&optional, json_type, "{\"data\":[[1,\"a\",0.5]]}", "[[1,\"a\",0.5]]"},
    {&optional, csv_type, "series\na\nb\n", "[[null,\"a\",null],[null,\"b\",null]]"},
    {&optional, lines_type, "3\n{\"series\":\"a\"}\n", "[[3,null,null],[null,\"a\",null]]"},
};

static void test_every_form_becomes_the_same_columns(void)
{
    for (size_t i = 0; i < COUNT(forms); i++) {
        CLEANUP(arena_cleanup) Arena *arena = arena_create();
        Body body = body_of(forms[i].type, forms[i].body);
        Error error = {0};
        Frame frame;

        EXPECT_OK(body_read(&body, forms[i].inputs, arena, &frame, &error), error);
        EXPECT_TEXT(frame_text(&frame, arena), forms[i].frame);
    }
}

typedef struct Mistake {
    const InputList *inputs;
    const char *type, *body;
    int status;
    const char *message, *field;
} Mistake;

#define ONE_MEMBER                                                                                 \
    "the body must have one member: \"data\", \"inputs\", \"instances\", \"dataframe_split\" or "  \
    "\"dataframe_records\""

static const Mistake mistakes[] = {
    {&one_column, json_type, "", 400, "the JSON document is empty", ""},
    {&one_column, json_type, "[\"a\"]", 400, "the body must be a JSON object", ""},
    {&one_column, json_type, "\"{\\\"data\\\":[\\\"a\\\"]}\"", 400,
     "the body must be a JSON object, not a text that holds one", ""},
    {&one_column, json_type, "{}", 400, ONE_MEMBER, ""},
    {&one_column, json_type, "{\"texts\":[\"a\"]}", 400, ONE_MEMBER, ""},
    {&one_column, json_type, "{\"data\":[\"a\"],\"inputs\":[\"a\"]}", 400, ONE_MEMBER, ""},
    {&one_column, "application/xml", "<a/>", 415,
     "a body is application/json, text/csv or application/jsonl, in UTF-8", ""},
    {&one_column, "text/csv; charset=latin-1", "CONTENT\na", 415,
     "a body is application/json, text/csv or application/jsonl, in UTF-8", ""},

    {&one_column, json_type, "{\"data\":\"a\"}", 422,
     "\"data\" must be a list of rows or an object", "data"},
    {&one_column, json_type, "{\"data\":[]}", 422, "the body has no rows", ""},
    {&one_column, json_type, "{\"data\":{}}", 422, "\"CONTENT\" is missing in row 1", "CONTENT"},
    {&one_column, json_type, "{\"data\":[\"a\",7]}", 422, "\"CONTENT\" in row 2 must be a text",
     "CONTENT"},
    {&one_column, json_type, "{\"data\":[null]}", 422, "\"CONTENT\" in row 1 must be a text",
     "CONTENT"},
    {&one_column, json_type, "{\"data\":[{\"content\":\"a\"}]}", 422,
     "unrecognized column \"content\" in row 1: the model reads \"CONTENT\"", "content"},
    {&one_column, json_type, "{\"data\":[{\"CONTENT\":\"a\",\"CONTENT\":\"b\"}]}", 422,
     "\"CONTENT\" is given twice in row 1", "CONTENT"},
    {&one_column, json_type, "{\"data\":[\"a\",\"a\",\"a\",\"a\",\"a\"]}", 413,
     "a request has at most 4 rows", ""},
    {&one_column, json_type, "{\"inputs\":{\"CONTENT\":[\"a\",\"a\",\"a\",\"a\",\"a\"]}}", 413,
     "a request has at most 4 rows", ""},

    {&three_columns, json_type,
     "{\"data\":[{\"text\":\"t\",\"kind\":\"k\",\"age\":1},{\"text\":"
     "\"t\",\"age\":1}]}",
     422, "\"kind\" is missing in row 2", "kind"},
    {&three_columns, json_type, "{\"data\":[{\"text\":7,\"kind\":\"k\",\"age\":1}]}", 422,
     "\"text\" in row 1 must be a text or null", "text"},
    {&three_columns, json_type, "{\"data\":[{\"text\":\"t\",\"kind\":\"k\",\"age\":\"1\"}]}", 422,
     "\"age\" in row 1 must be a number or null", "age"},
    {&three_columns, json_type, "{\"data\":[{\"text\":\"t\",\"kind\":{},\"age\":1}]}", 422,
     "\"kind\" in row 1 must be a text, a number, true, false or null", "kind"},
    {&three_columns, json_type, "{\"data\":[\"t\"]}", 422,
     "row 1 must be an object by column name or a list of 3 values", ""},
    {&three_columns, json_type, "{\"data\":[[\"t\",\"k\"]]}", 422,
     "row 1 has 2 values where the model reads 3", ""},
    {&three_columns, json_type, "{\"inputs\":{\"text\":[\"t\"],\"kind\":[\"k\",\"l\"]}}", 422,
     "\"kind\" must be a list of 1 values", "kind"},
    {&three_columns, json_type, "{\"inputs\":{\"text\":[\"t\"],\"kind\":[\"k\"]}}", 422,
     "\"age\" is missing", "age"},
    {&three_columns, json_type, "{\"dataframe_records\":{\"text\":\"t\"}}", 422,
     "\"dataframe_records\" must be a list of objects", "dataframe_records"},
    {&three_columns, json_type, "{\"dataframe_split\":{\"data\":[[1]]}}", 422,
     "\"columns\" is missing", "columns"},
    {&three_columns, json_type,
     "{\"dataframe_split\":{\"columns\":[\"age\",\"sex\"],\"data\":[[1]]}}", 422,
     "unrecognized column \"sex\": the model reads \"text\", \"kind\", \"age\"", "sex"},
    {&three_columns, json_type, "{\"dataframe_split\":{\"columns\":[\"age\"],\"data\":[[1]]}}", 422,
     "\"text\" is missing", "text"},

    {&optional, json_type, "{\"data\":[\"3\"]}", 422, "\"steps\" in row 1 must be a number or null",
     "steps"},
    {&optional, json_type, "{\"data\":[{\"steps\":1,\"steps\":2}]}", 422,
     "\"steps\" is given twice in row 1", "steps"},
    {&optional, json_type, "{\"data\":[{\"days\":1}]}", 422,
     "unrecognized column \"days\" in row 1: the model reads \"steps\", \"series\", \"level\"",
     "days"},
    {&optional, json_type, "{\"data\":[[1]]}", 422, "row 1 has 1 values where the model reads 3",
     ""},

    {&one_column, csv_type, "", 400, "the CSV must start with a header line", ""},
    {&one_column, csv_type, "CONTENT\n", 422, "the body has no rows", ""},
    {&one_column, csv_type, "CONTENT,AUTHOR\na,b", 422,
     "unrecognized column \"AUTHOR\": the model reads \"CONTENT\"", "AUTHOR"},
    {&one_column, csv_type, "CONTENT\na,b", 422, "row 1 has 2 values where the header has 1", ""},
    {&one_column, csv_type, "CONTENT\na\n\"b\nc", 400,
     "the CSV has a quote in line 3 that is never closed", ""},
    {&one_column, csv_type, "CONTENT\na\"b\"", 400,
     "the CSV has a quote inside an unquoted field in line 2", ""},
    {&one_column, csv_type, "CONTENT\n\"a\"b", 400,
     "the CSV has text behind a closing quote in line 2", ""},
    {&one_column, csv_type, "CONTENT\n\xff", 400, "the CSV must be UTF-8 text", ""},
    {&one_column, csv_type, "CONTENT\na\nb\nc\nd\ne", 413, "a request has at most 4 rows", ""},
    {&three_columns, csv_type, "text,kind,age\nt,k,inf", 422,
     "\"age\" in row 1 must be a number or empty", "age"},
    {&three_columns, csv_type, "text,kind,age\nt,k,0x10", 422,
     "\"age\" in row 1 must be a number or empty", "age"},
    {&three_columns, csv_type, "text,text,age\nt,k,1", 422, "\"text\" is given twice", "text"},

    {&one_column, lines_type, "\n \n", 422, "the body has no rows", ""},
    {&one_column, lines_type, "\"a\"\n7", 422, "\"CONTENT\" in row 2 must be a text", "CONTENT"},
    {&one_column, lines_type, "1\n2\n3\n4\n5", 413, "a request has at most 4 rows", ""},
};

static void test_each_mistake_is_named_with_its_column_and_row(void)
{
    for (size_t i = 0; i < COUNT(mistakes); i++) {
        const Mistake *mistake = &mistakes[i];
        CLEANUP(arena_cleanup) Arena *arena = arena_create();
        Body body = body_of(mistake->type, mistake->body);
        Error error = {0};
        Frame frame;

        EXPECT(!body_read(&body, mistake->inputs, arena, &frame, &error));
        EXPECT_TEXT(error.message, mistake->message);
        EXPECT_TEXT(error.field, mistake->field);
        EXPECT(error_http_status(&error) == mistake->status);
    }
}

static void test_columns_that_the_model_does_not_read_are_left_out_where_that_is_asked_for(void)
{
    static const Form asked[] = {
        {&one_column, csv_type, "ID,CONTENT,CLASS\n7,\"a\nb\",1\n8,c,\n", "[[\"a\\nb\"],[\"c\"]]"},
        {&one_column, json_type, "{\"data\":[{\"ID\":{\"x\":[]},\"CONTENT\":\"a\"}]}", "[[\"a\"]]"},
        {&one_column, json_type,
         "{\"dataframe_split\":{\"columns\":[\"ID\",\"CONTENT\"],\"data\":[[7,\"a\"],[8,\"b\"]]}}",
         "[[\"a\"],[\"b\"]]"},
        {&one_column, json_type, "{\"inputs\":{\"ID\":[1,2],\"CONTENT\":[\"a\",\"b\"]}}",
         "[[\"a\"],[\"b\"]]"},
        {&one_column, lines_type, "{\"CONTENT\":\"a\",\"ID\":1}", "[[\"a\"]]"},
    };
    static const Mistake missed = {
        &one_column, csv_type, "ID,CLASS\n7,1", 422, "\"CONTENT\" is missing", "CONTENT"};

    for (size_t i = 0; i <= COUNT(asked); i++) {
        CLEANUP(arena_cleanup) Arena *arena = arena_create();
        Body body = i < COUNT(asked) ? body_of(asked[i].type, asked[i].body)
                                     : body_of(missed.type, missed.body);
        Error error = {0};
        Frame frame;

        body.leaves_out_others = true;
        if (i == COUNT(asked)) {
            EXPECT(!body_read(&body, missed.inputs, arena, &frame, &error));
            EXPECT_TEXT(error.message, missed.message);
            continue;
        }
        EXPECT_OK(body_read(&body, asked[i].inputs, arena, &frame, &error), error);
        EXPECT_TEXT(frame_text(&frame, arena), asked[i].frame);
    }
}

/* Files to be scored are looked at for NULs behind this. */
static void test_a_name_with_a_nul_in_it_is_another_name(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    static const char given[] = "CONTENT\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    Error error = {0};
    Cells cells = {
        .inputs = &one_column, .leaves_out_others = true, .arena = arena, .error = &error};
    size_t column;

    EXPECT_OK(cells_begin(&cells, 1, 1), error);
    EXPECT_OK(cells_find(&cells, (TextRef){given, sizeof(given) - 1}, 0, &column), error);
    EXPECT(column == COLUMN_LEFT_OUT);
}

/* A line of blanks is a row, with a text of blanks: there must be room for it. */
static void test_every_row_of_blanks_has_its_room(void)
{
    enum { ROWS = 20000 };
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    char *text = arena_alloc(arena, ROWS + 5, 2);
    Body body = body_of(csv_type, "");
    Error error = {0};
    Frame frame;

    memcpy(text, "CONTENT\n", 8);
    for (size_t row = 0; row < ROWS; row++)
        memcpy(text + 8 + 2 * row, " \n", 2);
    body.bytes = text;
    body.size = 8 + 2 * ROWS;
    body.rows_max = ROWS;
    EXPECT_OK(body_read(&body, &one_column, arena, &frame, &error), error);
    EXPECT(frame.row_count == ROWS);
    for (size_t row = 0; row < ROWS; row++)
        EXPECT(frame.columns[0].texts[row].length == 1);
}

static void test_malformed_json_says_where(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Body body = body_of(json_type, "{\"data\":[\"a\"");
    Body lines = body_of(lines_type, "\"a\"\n{");
    Error error = {0};
    Frame frame;

    EXPECT(!body_read(&body, &one_column, arena, &frame, &error));
    EXPECT(strstr(error.message, "malformed JSON at byte 12") && error_http_status(&error) == 400);

    EXPECT(!body_read(&lines, &one_column, arena, &frame, &error));
    EXPECT(strstr(error.message, "row 2: malformed JSON") && error_http_status(&error) == 400);
}

/* Each form of body, cut after every byte: read or refused with a sentence, nothing else. */
static void test_a_body_cut_anywhere_is_read_or_refused(void)
{
    for (size_t i = 0; i < COUNT(forms); i++) {
        for (size_t size = 0; size < strlen(forms[i].body); size++) {
            CLEANUP(arena_cleanup) Arena *arena = arena_create();
            char *bytes = malloc(size ? size : 1); /* so that a read behind its end is found */
            Body body = {.bytes = bytes, .size = size, .content_type = forms[i].type};
            Error error = {0};
            Frame frame;

            memcpy(bytes, forms[i].body, size);
            if (!body_read(&body, forms[i].inputs, arena, &frame, &error))
                EXPECT(error.kind && error.message[0]);
            free(bytes);
        }
    }
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_every_form_becomes_the_same_columns),
        TEST(test_each_mistake_is_named_with_its_column_and_row),
        TEST(test_columns_that_the_model_does_not_read_are_left_out_where_that_is_asked_for),
        TEST(test_a_name_with_a_nul_in_it_is_another_name),
        TEST(test_every_row_of_blanks_has_its_room),
        TEST(test_malformed_json_says_where),
        TEST(test_a_body_cut_anywhere_is_read_or_refused),
        {0},
    };

    return test_main(tests, count, names);
}
