/* fuzz_project.c: any bytes as a slipway.yaml are read whole or refused with a sentence; what was
 * read has the settings that nothing works without, and a gate that can decide. */
#include <stdint.h>
#include <stdlib.h>

#include "pipelines/project_file.h"

static void require(bool condition)
{
    if (!condition)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    JsonWriter *json = json_writer_create(arena);
    const JsonValue *value;
    ProjectFile file = {0};
    Error error = {0};

    if (!project_file_read((const char *)data, size, arena, &file, &error)) {
        require(error.message[0] != '\0' && !file.name);
        return 0;
    }
    require(file.name && gate_rule_check(&file.gate, &error));
    for (size_t i = 0; i < file.data.count; i++)
        require(file.data.items[i].name && file.data.items[i].holdout_by);
    project_file_write_json(json, NULL, &file);
    require(json_parse(json_finish(json), json_size(json), arena, &value, &error));
    return 0;
}
