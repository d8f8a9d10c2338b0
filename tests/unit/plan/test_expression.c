/* The grammar between ${{ and }}: values, refusals with their place, and what only a start knows.
 */
#include "plan/expression.h"
#include "plan/template.h"
#include "tests/test.h"

static const char document[] =
    "{\"params\":{\"rows\":1000,\"c\":0.5,\"one\":1.0,\"name\":\"it's\",\"empty\":\"\",\"on\":true,"
    "\"none\":null,\"list\":[\"a\",2,null],\"map\":{\"x y\":{\"z\":[5,6]}},"
    "\"trap\":\"${{ run.id }}\",\"half\":\"$\"},"
    "\"steps\":{\"train@a\":{\"metrics\":{\"f1\":0.9,\"nan\":NaN,\"big\":Infinity}},"
    "\"b-1\":{\"outcome\":\"success\"}},"
    "\"run\":{\"id\":\"r7\",\"number\":12},\"success()\":true,\"failure()\":false}";

typedef struct Values {
    const JsonValue *root;
} Values;

static const JsonValue *find(void *context, const TextList *name)
{
    const JsonValue *value = ((Values *)context)->root;

    for (size_t i = 0; value && i < name->count; i++) {
        if (json_is_array(value)) {
            JsonWalk walk = json_walk(value);
            const char *wanted = name->items[i];

            for (value = NULL; json_walk_next(&walk);)
                if (walk.index == (size_t)atoi(wanted))
                    value = walk.value;
        } else {
            value = json_member(value, name->items[i]);
        }
    }
    return value;
}

static Values values_of(Arena *arena)
{
    Values values;
    Error error = {0};

    EXPECT_OK(json_parse_python(document, strlen(document), arena, &values.root, &error), error);
    return values;
}

static const struct {
    const char *text, *value;
} results[] = {
    {"'text'", "text"},
    {"'it''s'", "it's"},
    {"''", ""},
    {"42", "42"},
    {"-1.5e3", "-1.5e3"},
    {"true", "true"},
    {"null", ""},
    {"params.rows", "1000"},
    {"params.one", "1.0"},
    {"params['name']", "it's"},
    {"params.map['x y'].z[1]", "6"},
    {"params.list[0]", "a"},
    {"steps['train@a'].metrics.f1", "0.9"},
    {"steps.b-1.outcome", "success"},
    {"params.rows == 1000", "true"},
    {"params.rows==1000.0", "true"},
    {"params.rows != 1000", "false"},
    {"params.c < 1", "true"},
    {"1 <= 1", "true"},
    {"1 >= 2", "false"},
    {"2 > 1", "true"},
    {"'a' < 'b'", "true"},
    {"'2026-01-02' >= '2026-01-10'", "false"},
    {"'A' == 'a'", "false"},
    {"params.on == true", "true"},
    {"params.none == null", "true"},
    {"params.rows == null", "false"},
    {"null != 'x'", "true"},
    {"steps['train@a'].metrics.nan >= 0.8", "false"},
    {"steps['train@a'].metrics.nan < 0.8", "false"},
    {"steps['train@a'].metrics.nan == steps['train@a'].metrics.nan", "false"},
    {"steps['train@a'].metrics.big > 1", "true"},
    {"!params.empty", "true"},
    {"!!params.rows", "true"},
    {"!!!0", "true"},
    {"!(1 == 2)", "true"},
    {"! params.on == false", "true"},
    {"true && 'yes' || 'no'", "yes"},
    {"false && 'yes' || 'no'", "no"},
    {"params.empty || params.none || 'last'", "last"},
    {"1 == 2 || 2 == 2 && true", "true"},
    {"true || params.missing", "true"},
    {"false && params.missing", "false"},
    {"((((1))))", "1"},
    {"contains('abc', 'bc')", "true"},
    {"contains(params.list, 2)", "true"},
    {"contains(params.list, '2')", "false"},
    {"startsWith('abc', 'ab') && endsWith('abc', 'bc')", "true"},
    {"format('{1}-{0}-{{}}', params.rows, 'x')", "x-1000-{}"},
    {"success() && !failure() && always()", "true"},
    {"\n  params.rows\n", "1000"},
};

static void test_an_expression_has_the_value_that_is_written_down_for_it(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Values values = values_of(arena);
    Error error = {0};
    const ExpressionNames names = {find, &values, arena, &error};

    for (size_t i = 0; i < COUNT(results); i++) {
        const Expression *expression;
        ExpressionValue value;
        const char *text;

        EXPECT_OK(expression_parse(results[i].text, arena, &expression, &error), error);
        EXPECT_OK(expression_evaluate(expression, &names, &value), error);
        EXPECT_OK(expression_value_text(&value, &text, &error), error);
        EXPECT_TEXT(text, results[i].value);
    }
}

static const struct {
    const char *text, *message;
} mistakes[] = {
    {"", "character 1 of \"\": a value is missing at the end"},
    {"params.", "character 8 of \"params.\": a name is missing behind the \".\""},
    {"a ==", "character 5 of \"a ==\": a value is missing at the end"},
    {"a = b", "character 3 of \"a = b\": \"= b\" is not expected here"},
    {"a == b == c", "character 10 of \"a == b == c\": two comparisons in a row want ( )"},
    {"a & b", "character 3 of \"a & b\": \"& b\" is not expected here"},
    {"(a", "character 3 of \"(a\": \")\" is missing here"},
    {"a)", "character 2 of \"a)\": \")\" is not expected here"},
    {"'abc", "character 1 of \"'abc\": the text that begins here has no end \"'\""},
    {"\"abc\"", "character 1 of \"\"abc\"\": a text stands in single quotes: 'text'"},
    {"a[b]",
     "character 3 of \"a[b]\": in \"[ ]\" stands a text, as in ['train@fast'], or a number"},
    {"a['b'", "character 6 of \"a['b'\": \"]\" is missing here"},
    {"1.2.3", "character 1 of \"1.2.3\": \"1.2.3\" is not a number"},
    {"now()",
     "character 1 of \"now()\": there is no function \"now\"; there are contains, startsWith, "
     "endsWith, format, success, failure, always"},
    {"contains('a')", "character 1 of \"contains('a')\": contains() takes 2 values, not 1"},
    {"success(1)", "character 1 of \"success(1)\": success() takes 0 values, not 1"},
    {"format()", "character 1 of \"format()\": format() takes at least 1 value, not 0"},
    {"a b", "character 3 of \"a b\": \"b\" is not expected here"},
    {"$x", "character 1 of \"$x\": a value is missing here"},
};

static void test_a_mistake_is_refused_at_its_character(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();

    for (size_t i = 0; i < COUNT(mistakes); i++) {
        const Expression *expression = NULL;
        Error error = {0};

        EXPECT(!expression_parse(mistakes[i].text, arena, &expression, &error));
        EXPECT_TEXT(error.message, mistakes[i].message);
        EXPECT(!expression && error.kind == ERROR_INVALID);
    }
}

static const struct {
    const char *text, *message;
} type_errors[] = {
    {"params.rows == '1000'", "\"==\" cannot compare a number with a text"},
    {"params.on < true", "\"<\" cannot compare true or false with true or false"},
    {"null < 1", "\"<\" cannot compare null with a number"},
    {"params.list == params.list", "\"==\" cannot compare a list with a list"},
    {"params.missing", "there is no \"params.missing\""},
    {"params.rows.x", "there is no \"params.rows.x\""},
    {"startsWith(1, 'a')", "startsWith(): it takes texts, not a number"},
    {"contains(1, 1)",
     "contains(): it takes a list and a value, or two texts, not a number and a number"},
    {"format('{1}', 'x')", "format(): in its first text stands {0}, {1} ... for the values behind "
                           "it, {{ for { and }} for "
                           "}, not \"{1}\""},
    {"format('{', 'x')", "format(): in its first text stands {0}, {1} ... for the values behind "
                         "it, {{ for { and }} for "
                         "}, not \"{\""},
    {"format('{0}', params.list)", "format(): it is a list, which cannot stand in a text"},
};

static void test_values_of_the_wrong_type_are_refused(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Values values = values_of(arena);

    for (size_t i = 0; i < COUNT(type_errors); i++) {
        Error error = {0};
        const ExpressionNames names = {find, &values, arena, &error};
        const Expression *expression;
        ExpressionValue value;

        EXPECT_OK(expression_parse(type_errors[i].text, arena, &expression, &error), error);
        EXPECT(!expression_evaluate(expression, &names, &value));
        EXPECT_TEXT(error.message, type_errors[i].message);
    }
}

/* n times before, the middle, n times behind. */
static const char *repeat(Arena *arena, const char *before, const char *behind, size_t count)
{
    TextBuilder text = {.arena = arena};

    for (size_t i = 0; i < count; i++)
        text_append(&text, before);
    text_append(&text, "1");
    for (size_t i = 0; i < count; i++)
        text_append(&text, behind);
    return text_built(&text);
}

static void test_depth_and_size_have_limits(void)
{
    static const struct {
        const char *before, *behind;
        size_t fine, over;
    } rows[] = {
        {"(", ")", EXPRESSION_DEPTH_MAX, EXPRESSION_DEPTH_MAX + 1},
        {"!", "", EXPRESSION_DEPTH_MAX, EXPRESSION_DEPTH_MAX + 1},
        {"format('{0}',", ")", EXPRESSION_DEPTH_MAX, EXPRESSION_DEPTH_MAX + 1},
        {"1||", "", 1000, EXPRESSION_BYTES_MAX / 3 + 1},
    };
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const Expression *expression;

    for (size_t i = 0; i < COUNT(rows); i++) {
        Error error = {0};

        EXPECT_OK(expression_parse(repeat(arena, rows[i].before, rows[i].behind, rows[i].fine),
                                   arena, &expression, &error),
                  error);
        EXPECT(!expression_parse(repeat(arena, rows[i].before, rows[i].behind, rows[i].over), arena,
                                 &expression, &error));
    }
}

static const struct {
    const char *text, *settled;
} settled[] = {
    {"a ${{ params.rows }} b", "a 1000 b"},
    {"${{ run.id }}", "${{ run['id'] }}"},
    {"${{ steps['train@a'].metrics.f1 > params.c }}",
     "${{ (steps['train@a']['metrics']['f1'] > 0.5) }}"},
    {"${{ params.name == steps.b-1.outcome || run.number }}",
     "${{ (('it''s' == steps['b-1']['outcome']) || run['number']) }}"},
    {"${{ !run.id }}", "${{ !(run['id']) }}"},
    {"${{ format('{0}}}', run.id) }}", "${{ format('{0}}}', run['id']) }}"},
    {"${{ params.trap }}", "${{ '${{' }} run.id }}"},
    {"${{ params.half }}{{ run.id }}", "${{ '${{' }} run.id }}"},
    {"${{ params.half }}${{ run.id }}", "$${{ run['id'] }}"},
    {"no expression", "no expression"},
};

static void test_what_is_known_is_put_in_and_what_is_late_stays(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Values values = values_of(arena);
    Error error = {0};
    const ExpressionNames names = {find, &values, arena, &error};

    for (size_t i = 0; i < COUNT(settled); i++) {
        TemplatePartList parts;
        const char *text;

        EXPECT_OK(template_parse(settled[i].text, TEMPLATE_PLAIN, arena, &parts, &error), error);
        EXPECT_OK(template_settle(&parts, &names, &text), error);
        EXPECT_TEXT(text, settled[i].settled);
    }
}

/* The second time is the start's: a value that looks like an expression is a text then, too. */
static void test_settling_and_then_resolving_is_resolving(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Values values = values_of(arena);
    Error error = {0};
    const ExpressionNames names = {find, &values, arena, &error};
    const PlanNames late = {find, &values};

    for (size_t i = 0; i < COUNT(settled); i++) {
        TemplatePartList parts;
        const char *text, *twice, *once;

        EXPECT_OK(template_parse(settled[i].text, TEMPLATE_PLAIN, arena, &parts, &error), error);
        EXPECT_OK(template_settle(&parts, &names, &text), error);
        EXPECT_OK(plan_resolve(text, &late, arena, &twice, &error), error);
        EXPECT_OK(plan_resolve(settled[i].text, &late, arena, &once, &error), error);
        EXPECT_TEXT(twice, once);
    }
}

static void test_a_condition_is_true_unless_it_is_false_zero_empty_or_null(void)
{
    static const struct {
        const char *text;
        bool is_true;
    } rows[] = {
        {"success()", true},
        {"failure()", false},
        {"params.rows", true},
        {"0", false},
        {"params.empty", false},
        {"params.none", false},
        {"'false'", true},
        {"params.list", true},
        {"success() && (steps['train@a']['metrics']['f1'] > 0.95)", false},
    };
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Values values = values_of(arena);
    const PlanNames names = {find, &values};

    for (size_t i = 0; i < COUNT(rows); i++) {
        Error error = {0};
        bool is_true = !rows[i].is_true;

        EXPECT_OK(plan_is_true(rows[i].text, &names, arena, &is_true, &error), error);
        EXPECT(is_true == rows[i].is_true);
    }
}

static void test_an_expression_without_an_end_is_refused(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Values values = values_of(arena);
    const PlanNames names = {find, &values};
    const char *text = "untouched";
    Error error = {0};

    EXPECT(!plan_resolve("a ${{ run.id }", &names, arena, &text, &error));
    EXPECT_TEXT(error.message, "\"${{ run.id }\" has no end \"}}\"");
    EXPECT_TEXT(text, "untouched");
    EXPECT(!plan_resolve("${{ run.name }}", &names, arena, &text, &error));
    EXPECT_TEXT(error.message, "\"${{ run.name }}\": there is no \"run.name\"");
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_an_expression_has_the_value_that_is_written_down_for_it),
        TEST(test_a_mistake_is_refused_at_its_character),
        TEST(test_values_of_the_wrong_type_are_refused),
        TEST(test_depth_and_size_have_limits),
        TEST(test_what_is_known_is_put_in_and_what_is_late_stays),
        TEST(test_settling_and_then_resolving_is_resolving),
        TEST(test_a_condition_is_true_unless_it_is_false_zero_empty_or_null),
        TEST(test_an_expression_without_an_end_is_refused),
        {0},
    };

    return test_main(tests, count, names);
}
