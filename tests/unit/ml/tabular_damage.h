/* tabular_damage.h: the file of a model of a table with damage in it, for tests of such files. */
#pragma once

#include "ml/random.h"
#include "ml/tabular_model.h"
#include "tests/test.h"

static inline void expect_safe(const char *bytes, size_t size, const Frame *frame)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    CLEANUP(tabular_model_unload) TabularModel *model = NULL;
    Explanation explanation;
    double answers[3];
    Error error;

    if (!tabular_model_load(bytes, size, &model, &error) || tabular_model_width(model) != 3 ||
        !tabular_model_predict(model, frame, answers, scratch, &error))
        return;
    EXPECT_NEAR(answers[0] + answers[1] + answers[2], 1, 1e-6);
    EXPECT_OK(tabular_model_explain(model, frame, 0, 1, scratch, &explanation, &error), error);
}

/* One wrong byte at a time, so many times: first each of the head, then drawn ones; of every fifth
 * file all behind it is missing. The model has three classes, the frame a row of it. */
static inline void expect_any_byte_may_be_wrong(const TabularModel *model, const Frame *frame,
                                                size_t head, size_t turns)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Random random = random_seeded(1);
    const char *bytes;
    size_t size;
    char *damaged;

    tabular_model_save(model, arena, &bytes, &size);
    damaged = arena_copy(arena, bytes, size);
    for (size_t turn = 0; turn < turns; turn++) {
        size_t at = turn < head ? turn : random_below(&random, size);

        damaged[at] = (char)random_next(&random);
        expect_safe(damaged, turn % 5 ? size : at, frame);
        damaged[at] = bytes[at];
    }
}
