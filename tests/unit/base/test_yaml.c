/* What base/yaml.c takes and refuses, with the exact sentence. */
#include "base/yaml.h"
#include "tests/test.h"

static const struct {
    const char *yaml, *json; /* json NULL: refused with message */
    const char *message;
} documents[] = {
    {"a: 1\nb: [x, 2.5, true, null, \"3\"]\nc: {d: no}\n",
     "{\"a\":1,\"b\":[\"x\",2.5,true,null,\"3\"],\"c\":{\"d\":\"no\"}}", NULL},
    {"- a\n- b: 1\n  c: 2\n-\n  - d\n", "[\"a\",{\"b\":1,\"c\":2},[\"d\"]]", NULL},
    {"\xEF\xBB\xBF# a byte order mark\na: 1\n", "{\"a\":1}", NULL},
    {"a: 0x10\nb: nan\nc: 1e3\nd: 60s\n", "{\"a\":\"0x10\",\"b\":\"nan\",\"c\":1000,\"d\":\"60s\"}",
     NULL},
    {"a: |\n  two\n  lines\n", "{\"a\":\"two\\nlines\\n\"}", NULL},

    {"", NULL, "the file is empty"},
    {"# nothing\n", NULL, "the file is empty"},
    {"a: 1\nb:\n  c: 1\n  c: 2\n", NULL, "line 4, column 3: \"c\" is here twice, first in line 3"},
    {"a: &x 1\n", NULL, "line 1, column 4: anchors (&name) are not read here"},
    {"a: *x\n", NULL, "line 1, column 4: aliases (*name) are not read here"},
    {"a: !!python/object 1\n", NULL, "line 1, column 4: tags (!name) are not read here"},
    {"a: 1\n---\nb: 2\n", NULL, "line 2, column 1: a file holds one document"},
    {"[a]: 1\n", NULL, "line 1, column 1: a key is a text, not a list or a map"},
    {"a: b: c\n", NULL, "line 1, column 5: mapping values are not allowed in this context"},
    {"a:\n\tb: 1\n", NULL, "line 2, column 1: found character that cannot start any token"},
    {"a: \"\\0\"\n", NULL, "line 1, column 4: a text holds no NUL"},
    {"a: \xff\n", NULL, "the file is not UTF-8"},
    {"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", NULL,
     "line 1, column 33: the file is nested too deeply"},
};

static void test_a_document_is_read_whole_or_refused_with_its_place(void)
{
    for (size_t i = 0; i < COUNT(documents); i++) {
        CLEANUP(arena_cleanup) Arena *arena = arena_create();
        JsonWriter *json = json_writer_create(arena);
        const YamlNode *root = NULL;
        Error error = {0};

        if (!documents[i].json) {
            EXPECT(!yaml_parse(documents[i].yaml, strlen(documents[i].yaml), arena, &root, &error));
            EXPECT_TEXT(error.message, documents[i].message);
            continue;
        }
        EXPECT_OK(yaml_parse(documents[i].yaml, strlen(documents[i].yaml), arena, &root, &error),
                  error);
        yaml_write_json(json, NULL, root);
        EXPECT_TEXT(json_finish(json), documents[i].json);
    }
}

typedef struct Target {
    const char *text;
    int64_t integer;
    double number;
    bool truth;
    TextList list;
    const YamlNode *map;
} Target;

static const YamlField fields[] = {
    {"text", YAML_FIELD_TEXT, offsetof(Target, text), JSON_REQUIRED},
    {"integer", YAML_FIELD_INT, offsetof(Target, integer), JSON_OPTIONAL},
    {"number", YAML_FIELD_NUMBER, offsetof(Target, number), JSON_OPTIONAL},
    {"truth", YAML_FIELD_BOOL, offsetof(Target, truth), JSON_OPTIONAL},
    {"list", YAML_FIELD_TEXT_LIST, offsetof(Target, list), JSON_OPTIONAL},
    {"map", YAML_FIELD_MAP, offsetof(Target, map), JSON_OPTIONAL},
    {0},
};

static bool read_part(const char *yaml, Target *target, Arena *arena, Error *error)
{
    const YamlNode *root;

    return yaml_parse(yaml, strlen(yaml), arena, &root, error) &&
           yaml_read(root, fields, target, arena, error);
}

static void test_a_table_fills_a_struct(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Target target = {.integer = 7};
    Error error = {0};

    EXPECT_OK(read_part("text: 5\nnumber: 2\ntruth: true\nlist: one\nmap: {a: 1}\ninteger: null\n",
                        &target, arena, &error),
              error);
    EXPECT_TEXT(target.text, "5");
    EXPECT(target.integer == 7 && target.number == 2 && target.truth);
    EXPECT(target.list.count == 1 && target.map->count == 1);
}

static const struct {
    const char *yaml, *field, *message;
} mistakes[] = {
    {"text: a\ntxet: b\n", "txet",
     "line 2, column 1: \"txet\" is not a setting of the file, which has text, integer, number, "
     "truth, list, map"},
    {"integer: 1\n", "text", "line 1, column 1: \"text\" is missing"},
    {"text:\n", "text", "line 1, column 1: \"text\" is missing"},
    {"text: [a]\n", "text", "line 1, column 7: \"text\" is a text"},
    {"text: a\ninteger: 1.5\n", "integer", "line 2, column 10: \"integer\" is a whole number"},
    {"text: a\ninteger: \"1\"\n", "integer", "line 2, column 10: \"integer\" is a whole number"},
    {"text: a\nnumber: much\n", "number", "line 2, column 9: \"number\" is a number"},
    {"text: a\ntruth: yes\n", "truth", "line 2, column 8: \"truth\" is true or false"},
    {"text: a\nlist: [{b: 1}]\n", "list",
     "line 2, column 7: \"list\" is a text or a list of texts"},
    {"text: a\nmap: 1\n", "map", "line 2, column 6: \"map\" is a map"},
    {"- text\n", "", "line 1, column 1: the file is a map"},
};

static void test_a_wrong_member_is_named_with_its_place(void)
{
    for (size_t i = 0; i < COUNT(mistakes); i++) {
        CLEANUP(arena_cleanup) Arena *arena = arena_create();
        Target target = {0};
        Error error = {0};

        EXPECT(!read_part(mistakes[i].yaml, &target, arena, &error));
        EXPECT(error.kind == ERROR_FIELD);
        EXPECT_TEXT(error.message, mistakes[i].message);
        EXPECT_TEXT(error.field, mistakes[i].field);
    }
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_a_document_is_read_whole_or_refused_with_its_place),
        TEST(test_a_table_fills_a_struct),
        TEST(test_a_wrong_member_is_named_with_its_place),
        {0},
    };

    return test_main(tests, count, names);
}
