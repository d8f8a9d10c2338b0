#include "ml/text_model.h"

#include <string.h>

#include "base/parallel.h"
#include "ml/decide.h"
#include "ml/text_model_file.h"

/* ---- building ---- */

/* The input of a column, added on first use; columns that no block reads are no inputs. */
static size_t input_of(TextModel *head, const Frame *frame, size_t *inputs, size_t column)
{
    if (inputs[column] == SIZE_MAX) {
        inputs[column] = head->input_count++;
        head->inputs[inputs[column]] =
            (ModelInput){frame->columns[column].name, frame->columns[column].kind};
    }
    return inputs[column];
}

static void copy_values(const ModelParts *parts, double idf, uint32_t column, float *values)
{
    const LinearModel *linear = parts->linear;

    values[0] = (float)idf;
    for (size_t margin = 0; margin < linear->margin_count; margin++)
        values[1 + margin] = (float)linear->weights[margin * linear->column_count + column];
}

/* Terms whose column was left out and terms without any weight do not change a margin, but the
 * latter count in the length of the vector: they stay. */
static void copy_terms(const ModelParts *parts, size_t from, DraftBlock *block, Arena *arena)
{
    const Block *source = &parts->vectorizer->corpus->blocks[from];
    const BlockFit *fit = &parts->vectorizer->fits[from];
    size_t stride = 1 + parts->linear->margin_count;

    block->key_mask = source->terms.key_mask;
    block->keys = arena_array(arena, uint64_t, fit->column_count);
    block->texts = arena_array(arena, const char *, fit->column_count);
    block->values = arena_array(arena, float, fit->column_count *stride);
    for (size_t id = 0; id < source->terms.count; id++) {
        if (fit->columns[id] == (uint32_t)TERM_NONE)
            continue;
        block->keys[block->count] = source->terms.keys[id];
        block->texts[block->count] = source->terms.texts[id];
        copy_values(parts, source->spec.kind == BLOCK_CATEGORY ? 1 : fit->idf[id], fit->columns[id],
                    block->values + block->count++ * stride);
    }
}

static void draft_block(const ModelParts *parts, size_t from, DraftBlock *block, Arena *arena)
{
    const BlockFit *fit = &parts->vectorizer->fits[from];

    block->mean = fit->mean;
    block->deviation = fit->deviation;
    if (block->spec.kind != BLOCK_NUMBER) {
        copy_terms(parts, from, block, arena);
        return;
    }
    block->values = arena_array(arena, float, 1 + parts->linear->margin_count);
    copy_values(parts, 1, (uint32_t)fit->first_column, block->values);
}

TextModel *text_model_build(const ModelParts *parts)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const Corpus *corpus = parts->vectorizer->corpus;
    size_t *inputs = arena_array(arena, size_t, parts->frame->column_count);
    ModelDraft draft = {.head = {.classes = *parts->classes,
                                 .positive = parts->positive,
                                 .margin_count = parts->linear->margin_count,
                                 .threshold = parts->threshold,
                                 .intercepts = parts->linear->intercepts,
                                 .calibration = *parts->calibration}};

    draft.head.inputs = arena_array(arena, ModelInput, parts->frame->column_count);
    draft.blocks = arena_array(arena, DraftBlock, corpus->block_count);
    memset(inputs, 0xff, parts->frame->column_count * sizeof(*inputs));
    for (size_t i = 0; i < corpus->block_count; i++) {
        DraftBlock *block = &draft.blocks[draft.block_count];

        if (!parts->vectorizer->used[i])
            continue;
        block->spec = corpus->blocks[i].spec;
        block->spec.column = input_of(&draft.head, parts->frame, inputs, block->spec.column);
        draft_block(parts, i, block, arena);
        draft.block_count++;
    }
    return text_model_of_draft(&draft);
}

void text_model_unload(TextModel **model)
{
    if (*model)
        arena_destroy((*model)->arena);
    *model = NULL;
}

/* ---- answering ---- */

static const FrameColumn *column_named(const Frame *frame, const char *name)
{
    for (size_t i = 0; i < frame->column_count; i++)
        if (strcmp(frame->columns[i].name, name) == 0)
            return &frame->columns[i];
    return NULL;
}

bool text_model_bind(const TextModel *model, const Frame *frame, Arena *arena,
                     const FrameColumn ***columns, Error *error)
{
    const FrameColumn **bound = arena_array(arena, const FrameColumn *, model->input_count);

    for (size_t i = 0; i < model->input_count; i++) {
        const ModelInput *input = &model->inputs[i];
        bool is_number = input->kind == COLUMN_NUMBER;

        bound[i] = column_named(frame, input->name);
        if (!bound[i])
            return fail_field(error, input->name, "the model needs a column \"%s\"", input->name);
        if (is_number ? !bound[i]->numbers : !bound[i]->texts)
            return fail_field(error, input->name, "the column \"%s\" must hold %s", input->name,
                              is_number ? "numbers" : "texts");
    }
    *columns = bound;
    return true;
}

typedef struct Prediction {
    const TextModel *model;
    const FrameColumn **columns;
    double *probabilities;
    size_t row_count;
} Prediction;

enum { MARGINS_TOGETHER = 64 };

/* The margins of some rows before their probabilities: those of one row wait for a logarithm and
 * divisions, those of many need not wait for each other. */
static void predict_rows(const Prediction *prediction, size_t row, size_t end, Arena *arena)
{
    const TextModel *model = prediction->model;
    size_t each = model->margin_count;
    size_t together = each < MARGINS_TOGETHER ? MARGINS_TOGETHER / each : 1;
    RowScratch scratch;
    RowReader reader = row_reader_on(&scratch, model, arena);
    double *margins;

    if (together > end - row)
        together = end - row;
    margins = arena_array(arena, double, together *each);
    while (row < end) {
        size_t count = together < end - row ? together : end - row;

        text_model_margins_of_rows(model, prediction->columns, (RowRange){row, count}, &reader,
                                   margins);
        for (size_t i = 0; i < count; i++)
            calibration_apply(&model->calibration, margins + i * each,
                              prediction->probabilities + (row + i) * model->classes.count);
        row += count;
    }
}

bool text_model_predict(const TextModel *model, const Frame *frame, double *probabilities,
                        Arena *arena, Error *error)
{
    Prediction prediction = {model, NULL, probabilities, frame->row_count};

    if (!text_model_bind(model, frame, arena, &prediction.columns, error))
        return false;
    predict_rows(&prediction, 0, frame->row_count, arena);
    return true;
}

enum { TURN_ROWS = 256 };

static void predict_turn(void *context, size_t turn)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const Prediction *prediction = context;
    size_t row = turn * TURN_ROWS, left = prediction->row_count - row;

    predict_rows(prediction, row, row + (left < TURN_ROWS ? left : TURN_ROWS), arena);
}

bool text_model_predict_on(size_t thread_count, const TextModel *model, const Frame *frame,
                           double *probabilities, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Prediction prediction = {model, NULL, probabilities, frame->row_count};

    if (!text_model_bind(model, frame, arena, &prediction.columns, error))
        return false;
    parallel_run((frame->row_count + TURN_ROWS - 1) / TURN_ROWS, thread_count, predict_turn,
                 &prediction);
    return true;
}

size_t text_model_decide(const TextModel *model, const double *probabilities)
{
    return class_decide(probabilities, model->classes.count, model->positive, model->threshold);
}

double text_model_threshold(const TextModel *model)
{
    return model->threshold;
}

size_t text_model_input_count(const TextModel *model)
{
    return model->input_count;
}

ModelInput text_model_input(const TextModel *model, size_t index)
{
    return model->inputs[index];
}

const ClassNames *text_model_classes(const TextModel *model)
{
    return &model->classes;
}

size_t text_model_positive(const TextModel *model)
{
    return model->positive;
}
