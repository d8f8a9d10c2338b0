/* Values in a shell line: variables where the shell reads them, refused where it does not; and what
 * really comes through /bin/sh. */
#include "plan/command.h"
#include "tests/test.h"

static const char nasty[] = "a b  c; $(touch x) `id` \"q\" 'r' \\ * ? {1..3} ~ #!\n-n \xc3\xa9";

typedef struct Values {
    const JsonValue *root;
} Values;

static const JsonValue *find(void *context, const TextList *name)
{
    const JsonValue *value = ((Values *)context)->root;

    for (size_t i = name->items[0][0] == '$'; value && i < name->count; i++)
        value = json_member(value, name->items[i]);
    return value;
}

typedef struct Compiled {
    const char *line, *message;
    PlanValueList values;
} Compiled;

static Compiled compile(const char *text, TemplateStyle style, const char *json, Arena *arena)
{
    Values values;
    Error error = {0};
    const ExpressionNames names = {find, &values, arena, &error};
    Command command = {.names = &names, .arena = arena, .error = &error};
    Compiled compiled = {0};
    TemplatePartList parts;

    EXPECT_OK(json_parse(json, strlen(json), arena, &values.root, &error), error);
    if (!template_parse(text, style, arena, &parts, &error) ||
        !command_line(&command, &parts, &compiled.line))
        compiled.message = arena_text(arena, error.message);
    compiled.values = command.values;
    return compiled;
}

#define X "${{ x }}"
#define Q "\"${SLIPWAY_VALUE_1}\""
#define D "${SLIPWAY_VALUE_1}"

static const struct {
    const char *text, *line;
} places[] = {
    {"run " X, "run " Q},
    {"run --a=" X, "run --a=" Q},
    {"run \"" X "\"", "run \"" D "\""},
    {"run \"a " X " b\" " X, "run \"a " D " b\" " Q},
    {"run 'a' " X, "run 'a' " Q},
    {"run \"it's\" " X, "run \"it's\" " Q},
    {"run \\' " X, "run \\' " Q},
    {"run \\\\" X, "run \\\\" Q},
    {"run \"\\\"\" " X, "run \"\\\"\" " Q},
    {"A=" X " run", "A=" Q " run"},
    {"run $(cat " X ")", "run $(cat " Q ")"},
    {"run \"$(cat " X ")\"", "run \"$(cat " Q ")\""},
    {"run \"$(cat \"" X "\")\" \"" X "\"", "run \"$(cat \"" D "\")\" \"" D "\""},
    {"(cd d; run " X ")", "(cd d; run " Q ")"},
    {"run # it's\nrun " X, "run # it's\nrun " Q},
    {"run a#'b' " X, "run a#'b' " Q},
    {"cat <<END\nit's\nEND\nrun " X, "cat <<END\nit's\nEND\nrun " Q},
    {"cat <<-'END'\n\tit's\n\tEND\nrun " X, "cat <<-'END'\n\tit's\n\tEND\nrun " Q},
    {"cat <<< " X, "cat <<< " Q},
    {"run $((1 + (2))) " X, "run $((1 + (2))) " Q},
    {"run ${HOME} " X, "run ${HOME} " Q},
    {"run ${A:-'}'} " X, "run ${A:-'}'} " Q},
    {"run `id` " X, "run `id` " Q},
    {"run $'a' " X, "run $'a' " Q},
    {"case " X " in a) run;; esac", "case " Q " in a) run;; esac"},
    {"x && y | z > " X, "x && y | z > " Q},
};

static const struct {
    const char *text, *message;
} refused[] = {
    {"run '" X "'", "stands in single quotes, where the shell reads no variable"},
    {"run $'" X "'", "stands in single quotes, where the shell reads no variable"},
    {"run 'it''s " X "'", "stands in single quotes, where the shell reads no variable"},
    {"run `cat " X "`", "stands in backquotes"},
    {"run \"`cat " X "`\"", "stands in backquotes"},
    {"run $((" X "))", "stands in arithmetic, which would take its value as code"},
    {"run \"$((" X " + 1))\"", "stands in arithmetic, which would take its value as code"},
    {"run $(( $(cat " X ") ))", "stands in arithmetic, which would take its value as code"},
    {"(( " X " ))", "stands in arithmetic, which would take its value as code"},
    {"run $[" X "]", "stands in arithmetic, which would take its value as code"},
    {"run ${A:-" X "}", "stands in \"${ }\""},
    {"run \"${A:-" X "}\"", "stands in \"${ }\""},
    {"cat <<END\n" X "\nEND", "stands in a here-document"},
    {"cat <<" X "\n", "stands in a here-document"},
    {"cat <<-END\n\tENDE\n" X, "stands in a here-document"},
    {"run \\" X, "stands behind a backslash"},
    {"run \"\\" X "\"", "stands behind a backslash"},
    {"run $" X, "stands where the quotes around it are not clear"},
    {"run $'a\\'b' " X, "stands where the quotes around it are not clear"},
    {"run \"${A:-'}'}\" " X, "stands where the quotes around it are not clear"},
    {"run $(case a in a) x;; esac) " X, "stands where the quotes around it are not clear"},
    {"cat <<A <<B\na\nA\nb\nB\nrun " X, "stands where the quotes around it are not clear"},
};

static void test_a_value_is_a_variable_by_the_quotes_around_it(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();

    for (size_t i = 0; i < COUNT(places); i++) {
        Compiled compiled = compile(places[i].text, TEMPLATE_PLAIN, "{\"x\":\"v\"}", arena);

        EXPECT_TEXT(compiled.line, places[i].line);
        EXPECT(compiled.values.count == 1 && !compiled.message);
        EXPECT_TEXT(compiled.values.items[0].name, "SLIPWAY_VALUE_1");
        EXPECT_TEXT(compiled.values.items[0].text, "v");
    }
}

static void test_where_the_shell_reads_no_variable_a_value_is_refused(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();

    for (size_t i = 0; i < COUNT(refused); i++) {
        Compiled compiled = compile(refused[i].text, TEMPLATE_PLAIN, "{\"x\":\"v\"}", arena);

        EXPECT_TEXT(compiled.message,
                    arena_format(arena,
                                 "\"" X "\" %s: give it to the command by \"env\", or use \"argv\"",
                                 refused[i].message));
        EXPECT(!compiled.line);
    }
}

/* What the line prints, with the values in its environment. */
static const char *run(const Compiled *compiled, Arena *arena)
{
    TextBuilder output = {.arena = arena};
    char buffer[4096];
    size_t length;
    FILE *pipe;

    for (size_t i = 0; i < compiled->values.count; i++)
        setenv(compiled->values.items[i].name, compiled->values.items[i].text, 1);
    pipe = popen(compiled->line, "r");
    EXPECT(pipe);
    while ((length = fread(buffer, 1, sizeof(buffer), pipe)) > 0)
        text_append_bytes(&output, buffer, length);
    EXPECT(pclose(pipe) == 0);
    return text_built(&output);
}

static void test_any_value_comes_through_the_shell_as_it_is(void)
{
    static const struct {
        const char *text, *before, *behind;
    } lines[] = {
        {"printf %s " X, "", ""},
        {"printf %s \"<" X ">\"", "<", ">"},
        {"printf '<%s>' " X, "<", ">"},
        {"A=" X "; printf %s \"$A\"", "", ""},
        {"printf %s \"$(printf %s " X "; echo .)\"", "", "."},
        {"# it's a comment\nprintf %s a" X "b", "a", "b"},
        {"cat <<END >&2\nit's\nEND\nprintf %s " X, "", ""},
        {"case " X " in a) : ;; *) printf %s " X ";; esac", "", ""},
    };
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    JsonWriter *json = json_writer_create(arena);
    const char *document;

    json_open_object(json, NULL);
    json_text(json, "x", nasty);
    json_close(json);
    document = json_finish(json);
    for (size_t i = 0; i < COUNT(lines); i++) {
        Compiled compiled = compile(lines[i].text, TEMPLATE_PLAIN, document, arena);

        EXPECT_TEXT(run(&compiled, arena),
                    arena_format(arena, "%s%s%s", lines[i].before, nasty, lines[i].behind));
    }
}

static void test_a_map_of_dvc_becomes_options(void)
{
    static const struct {
        const char *text, *json, *printed;
    } rows[] = {
        {"printf '[%s]' ${m}", "{\"m\":{\"a\":1,\"b\":0.5,\"c\":\"x y\"}}",
         "[--a][1][--b][0.5][--c][x y]"},
        {"printf '[%s]' ${m}", "{\"m\":{\"on\":true,\"off\":false,\"n\":{\"deep\":{\"er\":2}}}}",
         "[--on][--n.deep.er][2]"},
        {"printf '[%s]' ${m}", "{\"m\":{\"list\":[1,\"b c\",true]}}", "[--list][1][b c][true]"},
        {"printf '[%s]' ${m} ${m}", "{\"m\":{\"a\":1}}", "[--a][1][--a][1]"},
        {"printf '[%s]' a${x}b \"${x}\"", "{\"x\":\"1 2\"}", "[a1 2b][1 2]"},
        {"printf '[%s]' \\${HOME_OF_NOBODY} ${x}", "{\"x\":true}", "[true]"},
    };
    CLEANUP(arena_cleanup) Arena *arena = arena_create();

    for (size_t i = 0; i < COUNT(rows); i++) {
        Compiled compiled = compile(rows[i].text, TEMPLATE_DVC, rows[i].json, arena);

        EXPECT_TEXT(compiled.message ? compiled.message : "fine", "fine");
        EXPECT_TEXT(run(&compiled, arena), rows[i].printed);
    }
}

static void test_a_map_that_is_no_option_is_refused(void)
{
    static const struct {
        const char *text, *json, *message;
    } rows[] = {
        {"run ${m}", "{\"m\":{\"a;b\":1}}",
         "\"${m}\": \"a;b\" cannot be an option of a command: it has letters, digits, \"_\", \"-\" "
         "and \".\""},
        {"run \"${m}\"", "{\"m\":{\"a\":1}}",
         "\"${m}\": a map becomes several arguments: it cannot stand in quotes"},
        {"run ${m}", "{\"m\":{\"a\":[[1]]}}",
         "\"${m}\": in \"a\": it is a list, which cannot stand in a text"},
        {"run ${m}", "{\"m\":[1]}", "\"${m}\": it is a list, which cannot stand in a text"},
        {"run ${n}", "{\"m\":1}", "\"${n}\": there is no \"n\""},
        {"run ${HOME:-x}", "{\"m\":1}",
         "\"${HOME:-x}\" is no name such as ${train.lr} or ${layers[0]}; a \"${\" for the shell is "
         "written \"\\${\""},
        {"run ${m", "{\"m\":1}", "\"${m\" has no end \"}\"; a plain \"${\" is written \"\\${\""},
    };
    CLEANUP(arena_cleanup) Arena *arena = arena_create();

    for (size_t i = 0; i < COUNT(rows); i++)
        EXPECT_TEXT(compile(rows[i].text, TEMPLATE_DVC, rows[i].json, arena).message,
                    rows[i].message);
}

/* In slipway.yaml ${ } is the shell's. */
static void test_the_shells_own_variables_stay_its_own(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Compiled compiled =
        compile("run ${HOME:-/x} $USER \"${A%%.*}\" " X, TEMPLATE_PLAIN, "{\"x\":1}", arena);

    EXPECT_TEXT(compiled.line, "run ${HOME:-/x} $USER \"${A%%.*}\" " Q);
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_a_value_is_a_variable_by_the_quotes_around_it),
        TEST(test_where_the_shell_reads_no_variable_a_value_is_refused),
        TEST(test_any_value_comes_through_the_shell_as_it_is),
        TEST(test_a_map_of_dvc_becomes_options),
        TEST(test_a_map_that_is_no_option_is_refused),
        TEST(test_the_shells_own_variables_stay_its_own),
        {0},
    };

    return test_main(tests, count, names);
}
