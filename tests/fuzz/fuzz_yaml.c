/* fuzz_yaml.c: any bytes are either refused with a message or read; what was read, written as JSON,
 * is JSON; and a project's file is read whole or refused with a sentence. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/yaml.h"
#include "pipelines/project_file.h"

static void require(bool condition)
{
    if (!condition)
        abort();
}

static const char *as_json(const YamlNode *root, Arena *arena)
{
    JsonWriter *json = json_writer_create(arena);

    yaml_write_json(json, NULL, root);
    return json_finish(json);
}

static void check_json(const YamlNode *root, Arena *arena)
{
    const char *json = as_json(root, arena);
    const JsonValue *value;
    Error error = {0};

    require(json_parse(json, strlen(json), arena, &value, &error));
}

static void check_project(const char *bytes, size_t size, Arena *arena)
{
    ProjectFile file = {0};
    Error error = {0};

    if (project_file_read(bytes, size, arena, &file, &error)) {
        require(file.name && file.gate.metric);
        return;
    }
    require(error.message[0] != '\0' && !file.name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const YamlNode *root = NULL;
    Error error = {0};

    if (yaml_parse((const char *)data, size, arena, &root, &error))
        check_json(root, arena);
    else
        require(error.message[0] != '\0');
    check_project((const char *)data, size, arena);
    return 0;
}
