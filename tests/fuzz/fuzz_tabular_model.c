/* fuzz_tabular_model.c: any bytes are either refused as a model of a table or are one: then they
 * are saved as they came, and the model answers a row of hostile values with probabilities that sum
 * to one or with a number, and explains it. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ml/tabular_model.h"

enum { INPUTS_MAX = 16 };

static void require(bool condition)
{
    if (!condition)
        abort();
}

static Frame hostile_row(const TabularModel *model, FrameColumn *columns)
{
    static const TextRef texts[] = {{"red \xff\xc3\x28", 7}};
    static const TextRef dates[] = {{"9999-12-31 23:59:59.999999999", 29}};
    static const double numbers[] = {1e308};
    size_t count = tabular_model_input_count(model);

    for (size_t i = 0; i < count; i++) {
        ModelInput input = tabular_model_input(model, i);

        columns[i] = (FrameColumn){input.name, input.kind,
                                   input.kind == COLUMN_DATE ? dates : texts, numbers};
    }
    return (Frame){columns, count, 1};
}

static void check_answers(const TabularModel *model, Arena *arena)
{
    FrameColumn columns[INPUTS_MAX];
    size_t width = tabular_model_width(model);
    double *answers = arena_array(arena, double, width), sum = 0;
    Explanation explanation;
    Error error = {0};
    Frame frame;

    if (tabular_model_input_count(model) > INPUTS_MAX)
        return;
    frame = hostile_row(model, columns);
    require(tabular_model_predict(model, &frame, answers, arena, &error));
    for (size_t i = 0; i < width; i++)
        sum += answers[i];
    require(!isnan(sum));
    if (tabular_model_classes(model)->count) {
        require(fabs(sum - 1) < 1e-6);
        require(tabular_model_decide(model, answers) < width);
    }
    require(tabular_model_explain(model, &frame, 0, width - 1, arena, &explanation, &error));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    CLEANUP(tabular_model_unload) TabularModel *model = NULL;
    const char *saved;
    size_t saved_size;
    Error error = {0};

    if (!tabular_model_load((const char *)data, size, &model, &error)) {
        require(error.message[0] != '\0');
        return 0;
    }
    tabular_model_save(model, arena, &saved, &saved_size);
    require(saved_size == size && memcmp(saved, data, size) == 0);
    check_answers(model, arena);
    return 0;
}
