/* fuzz_forest.c: any bytes are either refused as a forest or are one: then it answers a row of
 * hostile values and explains it, and is read again, as it was written. The first byte chooses: 'J'
 * reads XGBoost's JSON, all others a section of a model's file. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ml/forest.h"

enum { ANSWERS_MAX = 1 << 16 };

static void require(bool condition)
{
    if (!condition)
        abort();
}

static bool read_json(const char *bytes, size_t size, Arena *arena, Forest *forest)
{
    Error error = {0};

    if (forest_from_xgboost(bytes, size, arena, forest, &error))
        return true;
    require(error.message[0] != '\0' && !forest->nodes);
    return false;
}

static bool read_section(const char *bytes, size_t size, Arena *arena, Forest *forest)
{
    ByteReader reader = {.bytes = bytes, .size = size};

    forest_read(&reader, arena, forest);
    require(!reader.is_bad || !forest->nodes);
    return !reader.is_bad;
}

static void check_answers(const Forest *forest, Arena *arena)
{
    static const float values[] = {NAN, 1e38F, -1e38F, 0, -INFINITY, INFINITY, 1};
    size_t width = forest->group_count * (forest->feature_count + 1);
    float *row = arena_array(arena, float, forest->feature_count);
    double *answers = arena_array(arena, double, width);

    for (size_t i = 0; i < forest->feature_count; i++)
        row[i] = values[i % COUNT(values)];
    forest_margins(forest, row, 1, answers);
    forest_contributions(forest, row, answers, arena);
}

static void check_again(const Forest *forest, Arena *arena)
{
    ByteWriter first = {.arena = arena}, second = {.arena = arena};
    Forest again = {0};

    forest_write(forest, &first);
    require(read_section(first.bytes, first.size, arena, &again));
    forest_write(&again, &second);
    require(first.size == second.size && memcmp(first.bytes, second.bytes, first.size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Forest forest = {0};
    char *bytes;

    if (!size)
        return 0;
    bytes = malloc(size - 1); /* of its own: aligned, and one byte too many is seen */
    memcpy(bytes, data + 1, size - 1);
    if ((data[0] == 'J' ? read_json : read_section)(bytes, size - 1, arena, &forest) &&
        forest.group_count * (forest.feature_count + 1) <= ANSWERS_MAX) {
        check_answers(&forest, arena);
        check_again(&forest, arena);
    }
    free(bytes);
    return 0;
}
