/* What a recipe may say, and the sentence for what it may not; what a formula is. */
#include "prepare/formula.h"
#include "prepare/recipe.h"
#include "tests/test.h"

#define READ "steps:\n  - read: a.csv\n"

static const struct {
    const char *yaml, *message;
} mistakes[] = {
    {"step: []\n", "line 1, column 1: \"step\" is not a setting of the file, which has steps"},
    {"steps: []\n", "line 1, column 8: \"steps\" is a list of steps"},
    {"steps: [{read: /a}]\n", "line 1, column 16: a file is a relative path of plain parts"},
    {READ "  - read: b.csv\n", "line 3, column 5: \"read\" is the first step; others add with "
                               "\"concat\" or \"join\""},
    {READ "  - compute: {}\n", "line 3, column 14: it is a map of names"},
    {READ "  - compute: {a: 1 +}\n",
     "line 3, column 18: character 4 of \"1 +\": a value is missing at the end"},
    {READ "  - filter: 'a > ''x'\n",
     "line 3, column 13: character 5 of \"a > 'x\": what begins here has no end '"},
    {READ "  - shuffle: {}\n", "line 3, column 14: \"steps.shuffle.seed\" is missing"},
    {READ "  - resample: {time: t, every: 1w, columns: {a: mean}}\n",
     "line 3, column 32: \"every\" is a time such as 15m, 1h or 1d, of at most 366d"},
    {READ "  - resample: {time: t, every: 1d, columns: {a: avg}}\n",
     "line 3, column 49: \"a\" is one of mean sum min max first last count, not \"avg\""},
    {"steps:\n  - read: {files: a.csv, delimitr: tab}\n", NULL},
    {"steps:\n  - read: {data: a, header: no}\n", NULL},
};

static void test_a_mistake_is_refused_with_its_line_and_column(void)
{
    for (size_t i = 0; i < COUNT(mistakes); i++) {
        CLEANUP(arena_cleanup) Arena *arena = arena_create();
        Recipe recipe = {0};
        Error error = {0};

        EXPECT(!recipe_read(mistakes[i].yaml, strlen(mistakes[i].yaml), arena, &recipe, &error));
        EXPECT(recipe.count == 0 && text_has_prefix(error.message, "line "));
        if (mistakes[i].message)
            EXPECT_TEXT(error.message, mistakes[i].message);
    }
}

/* NULL: it is refused. */
static const struct {
    const char *formula, *type;
} formulas[] = {
    {"i + 1", "integer"},
    {"i / 2", "number"},
    {"(d - d) / 60", "number"},
    {"d + 60", "time"},
    {"t + '_' + t", "text"},
    {"-i < 3 && !b", "boolean"},
    {"hour(d)", "integer"},
    {"number(t)", "number"},
    {"if(b, i, n)", "number"},
    {"t == null", "boolean"},
    {"d >= '2021-01-01'", "boolean"},
    {"\"n\" * 1e3", "number"},
    {"t - 1", NULL},
    {"b + b", NULL},
    {"d == 1", NULL},
    {"hour(t)", NULL},
    {"hour()", NULL},
    {"x", NULL},
    {"n n", NULL},
    {"1..2", NULL},
    {"if(b, t, i)", NULL},
    {"((n)", NULL},
    {"d + d", NULL},
    {"!n", NULL},
};

static void test_a_formula_has_a_type_or_is_refused(void)
{
    PrepareColumn items[] = {{"n", "number", "x0"},
                             {"i", "integer", "x1"},
                             {"t", "text", "x2"},
                             {"b", "boolean", "x3"},
                             {"d", "time", "x4"}};
    const PrepareColumns columns = {items, COUNT(items)};

    for (size_t i = 0; i < COUNT(formulas); i++) {
        CLEANUP(arena_cleanup) Arena *arena = arena_create();
        FormulaSql sql = {0};
        Error error = {0};
        bool done = formula_sql(formulas[i].formula, &columns, arena, &sql, &error);

        EXPECT(done == (formulas[i].type != NULL));
        if (done)
            EXPECT_TEXT(sql.type, formulas[i].type);
        else
            EXPECT(text_has_prefix(error.message, "character "));
    }
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_a_mistake_is_refused_with_its_line_and_column),
        TEST(test_a_formula_has_a_type_or_is_refused),
        {0},
    };

    return test_main(tests, count, names);
}
