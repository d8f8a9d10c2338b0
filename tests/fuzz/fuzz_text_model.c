/* fuzz_text_model.c: any bytes are either refused as a text model or are one: then they are saved
 * as they came, or in today's format, which is read again; and the model answers a row of hostile
 * values with probabilities that sum to one, and explains it. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ml/text_model.h"

enum { INPUTS_MAX = 16, VERSION_BYTE = 8 };

static void require(bool condition)
{
    if (!condition)
        abort();
}

static Frame hostile_row(const TextModel *model, FrameColumn *columns)
{
    static const char text[] =
        "free \xff\xc3\x28 \xe2\x82 Click!!! \xF0\x9F\x98\x80 click click 1e9 \xCE\xA3";
    static const TextRef texts[] = {{text, sizeof(text) - 1}};
    static const double numbers[] = {1e308};
    size_t count = text_model_input_count(model);

    for (size_t i = 0; i < count; i++) {
        ModelInput input = text_model_input(model, i);

        columns[i] = (FrameColumn){input.name, input.kind, texts, numbers};
    }
    return (Frame){columns, count, 1};
}

static void check_answers(const TextModel *model, Arena *arena)
{
    FrameColumn columns[INPUTS_MAX];
    size_t classes = text_model_classes(model)->count;
    double *probabilities = arena_array(arena, double, classes);
    Explanation explanation;
    Error error = {0};
    double sum = 0;
    Frame frame;

    if (text_model_input_count(model) > INPUTS_MAX)
        return;
    frame = hostile_row(model, columns);
    require(text_model_predict(model, &frame, probabilities, arena, &error));
    require(text_model_decide(model, probabilities) < classes);
    for (size_t i = 0; i < classes; i++)
        sum += probabilities[i];
    require(fabs(sum - 1) < 1e-6);
    require(text_model_explain(model, &frame, 0, classes - 1, arena, &explanation, &error));
    require(text_model_top_terms(model, 0, 5, arena, &explanation, &error));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    CLEANUP(text_model_unload) TextModel *model = NULL;
    CLEANUP(text_model_unload) TextModel *again = NULL;
    const char *saved;
    size_t saved_size;
    Error error = {0};

    if (!text_model_load((const char *)data, size, &model, &error)) {
        require(error.message[0] != '\0');
        return 0;
    }
    text_model_save(model, arena, &saved, &saved_size);
    require(text_model_load(saved, saved_size, &again, &error));
    require(data[VERSION_BYTE] == 1 || (saved_size == size && memcmp(saved, data, size) == 0));
    check_answers(model, arena);
    return 0;
}
