/* fuzz_json.c: any bytes are either refused with a message or read; what was read, printed and read
 * again prints the same; and a table's required member is there when the table reader says so. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"

typedef struct Target {
    const char *text;
    int64_t integer;
    double number;
    bool truth;
    TextList list;
    const JsonValue *object, *array, *any;
} Target;

static const JsonField target_fields[] = {
    {"text", JSON_TEXT, offsetof(Target, text), JSON_REQUIRED, NULL},
    {"integer", JSON_INT, offsetof(Target, integer), JSON_OPTIONAL, NULL},
    {"number", JSON_NUMBER, offsetof(Target, number), JSON_OPTIONAL, NULL},
    {"truth", JSON_BOOL, offsetof(Target, truth), JSON_OPTIONAL, NULL},
    {"list", JSON_TEXT_LIST, offsetof(Target, list), JSON_OPTIONAL, NULL},
    {"object", JSON_OBJECT, offsetof(Target, object), JSON_OPTIONAL, NULL},
    {"array", JSON_ARRAY, offsetof(Target, array), JSON_OPTIONAL, NULL},
    {"any", JSON_ANY, offsetof(Target, any), JSON_OPTIONAL, NULL},
    {0},
};

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void check_round_trip(const JsonValue *value, Arena *arena)
{
    const char *once = json_print(value, arena), *twice;
    const JsonValue *again = NULL;
    Error error = {0};

    require(json_parse(once, strlen(once), arena, &again, &error));
    twice = json_print(again, arena);
    require(strcmp(once, twice) == 0);
}

static void check_table(const char *bytes, size_t size, Arena *arena)
{
    Target target = {0};
    Error error = {0};

    if (json_read(bytes, size, target_fields, &target, arena, &error)) {
        require(target.text != NULL);
        return;
    }
    require(error.message[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const JsonValue *value = NULL;
    Error error = {0};

    if (json_parse((const char *)data, size, arena, &value, &error))
        check_round_trip(value, arena);
    else
        require(error.message[0] != '\0');
    check_table((const char *)data, size, arena);
    return 0;
}
