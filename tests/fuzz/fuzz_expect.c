/* fuzz_expect.c: any bytes as what is expected of data are refused with a message, or are the same
 * when they are written as JSON for the step that looks at the rows and read there. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/yaml.h"
#include "data/expect.h"

static void require(bool condition)
{
    if (!condition)
        abort();
}

static const char *print(const Expectations *expect, Arena *arena)
{
    JsonWriter *json = json_writer_create(arena);

    json_open_object(json, NULL);
    expect_write_json(json, "expect", expect);
    json_close(json);
    return json_finish(json);
}

static void check_same(const Expectations *expect, Arena *arena)
{
    static const char *names[] = {"a.csv", "b/c.json"};
    const TextList files = {names, COUNT(names)};
    const char *text = print(expect, arena);
    const JsonValue *document = NULL;
    Expectations again = {0};
    Error error = {0};

    require(json_parse(text, strlen(text), arena, &document, &error));
    require(expect_read_json(json_member(document, "expect"), arena, &again, &error));
    require(strcmp(print(&again, arena), text) == 0);
    if (!expect_check_files(expect, &files, &error))
        require(error.kind && error.message[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Expectations expect = {0};
    const YamlNode *root = NULL;
    Error error = {0};

    if (yaml_parse((const char *)data, size, arena, &root, &error) &&
        expect_read(root, arena, &expect, &error))
        check_same(&expect, arena);
    else
        require(error.kind && error.message[0]);
    return 0;
}
