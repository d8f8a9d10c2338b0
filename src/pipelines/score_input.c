#include "pipelines/score_input.h"

#include <string.h>

#include "pipelines/score_internal.h"

static const struct {
    const char *name;
    bool (*open)(ScoreInput *input, Arena *arena, Error *error);
} forms[] = {
    {"csv", score_open_csv},
    {"jsonl", score_open_jsonl},
    {"parquet", score_open_parquet},
};

bool score_input_check_found(const ScoreInput *input, size_t found, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    TextBuilder names = {.arena = arena};

    if (found > 0 || !input->inputs->are_optional)
        return true;
    for (size_t i = 0; i < input->inputs->count; i++)
        text_append_format(&names, "%s\"%s\"", i ? ", " : "", input->inputs->items[i].name);
    return fail(error, ERROR_INVALID, "it has none of the columns that the model is asked by: %s",
                text_built(&names));
}

ScoreInput *score_input_open(const ScoreSource *source, const InputList *inputs, Arena *arena,
                             Error *error)
{
    ScoreInput *input = arena_new(arena, ScoreInput);
    bool done = false;

    input->source = source;
    input->inputs = inputs;
    for (size_t i = 0; i < COUNT(forms) && !input->next; i++)
        if (strcmp(forms[i].name, source->form) == 0)
            done = forms[i].open(input, arena, error);
    if (!done)
        score_input_close(&input);
    return input;
}

bool score_input_next(ScoreInput *input, Arena *arena, ScoreBatch *batch, Error *error)
{
    ScoreBatch read = {.first = input->row_count};

    if (!input->next(input, arena, &read, error))
        return fail_in(error, "%s", input->source->name);
    input->row_count += read.frame.row_count;
    *batch = read;
    return true;
}

void score_input_close(ScoreInput **input)
{
    if (*input && (*input)->reader)
        (*input)->close((*input)->reader);
    *input = NULL;
}
