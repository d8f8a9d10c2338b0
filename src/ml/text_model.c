#include "ml/text_model.h"

#include <math.h>
#include <string.h>

#include "ml/text_model_internal.h"

/* ---- building ---- */

static void copy_classes(TextModel *model, const ClassNames *classes)
{
    const char **names = arena_array(model->arena, const char *, classes->count);

    for (size_t i = 0; i < classes->count; i++)
        names[i] = arena_text(model->arena, classes->items[i]);
    model->classes = (ClassNames){names, classes->count};
}

/* The input of a column, added on first use; columns that no block reads are no inputs. */
static size_t input_of(TextModel *model, const Frame *frame, size_t *inputs, size_t column)
{
    if (inputs[column] == SIZE_MAX) {
        inputs[column] = model->input_count++;
        model->inputs[inputs[column]] = (ModelInput){
            arena_text(model->arena, frame->columns[column].name), frame->columns[column].kind};
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
static void copy_terms(const ModelParts *parts, size_t from, ModelBlock *block, Arena *arena)
{
    const Block *source = &parts->vectorizer->corpus->blocks[from];
    const BlockFit *fit = &parts->vectorizer->fits[from];
    size_t stride = 1 + parts->linear->margin_count;

    terms_init(&block->terms, fit->column_count, source->terms.key_mask, arena);
    block->values = arena_array(arena, float, fit->column_count *stride);
    for (size_t id = 0; id < source->terms.count; id++) {
        uint32_t kept;

        if (fit->columns[id] == (uint32_t)TERM_NONE)
            continue;
        kept = terms_add(&block->terms, source->terms.keys[id]);
        block->terms.texts[kept] = arena_text(arena, source->terms.texts[id]);
        copy_values(parts, source->spec.kind == BLOCK_CATEGORY ? 1 : fit->idf[id], fit->columns[id],
                    block->values + kept * stride);
    }
}

static void build_block(const ModelParts *parts, size_t from, ModelBlock *block, Arena *arena)
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

static Calibration copy_calibration(const Calibration *from, Arena *arena)
{
    Calibration copy = *from;

    copy.slopes = arena_array(arena, double, from->margin_count);
    copy.offsets = arena_array(arena, double, from->margin_count);
    copy.knot_margins = arena_array(arena, double, from->knot_count);
    copy.knot_values = arena_array(arena, double, from->knot_count);
    memcpy(copy.slopes, from->slopes, from->margin_count * sizeof(double));
    memcpy(copy.offsets, from->offsets, from->margin_count * sizeof(double));
    if (from->knot_count) {
        memcpy(copy.knot_margins, from->knot_margins, from->knot_count * sizeof(double));
        memcpy(copy.knot_values, from->knot_values, from->knot_count * sizeof(double));
    }
    return copy;
}

TextModel *text_model_build(const ModelParts *parts)
{
    Arena *arena = arena_create();
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    TextModel *model = arena_new(arena, TextModel);
    const Corpus *corpus = parts->vectorizer->corpus;
    size_t *inputs = arena_array(scratch, size_t, parts->frame->column_count);

    model->arena = arena;
    model->positive = parts->positive;
    model->margin_count = parts->linear->margin_count;
    model->threshold = parts->threshold;
    copy_classes(model, parts->classes);
    model->inputs = arena_array(arena, ModelInput, parts->frame->column_count);
    model->blocks = arena_array(arena, ModelBlock, corpus->block_count);
    memset(inputs, 0xff, parts->frame->column_count * sizeof(*inputs));
    for (size_t i = 0; i < corpus->block_count; i++) {
        ModelBlock *block = &model->blocks[model->block_count];

        if (!parts->vectorizer->used[i])
            continue;
        block->spec = corpus->blocks[i].spec;
        block->spec.column = input_of(model, parts->frame, inputs, block->spec.column);
        build_block(parts, i, block, arena);
        model->block_count++;
    }
    model->intercepts = arena_array(arena, double, model->margin_count);
    memcpy(model->intercepts, parts->linear->intercepts, model->margin_count * sizeof(double));
    model->calibration = copy_calibration(parts->calibration, arena);
    return model;
}

void text_model_unload(TextModel **model)
{
    if (*model)
        arena_destroy((*model)->arena);
    *model = NULL;
}

/* ---- reading rows ---- */

RowReader row_reader_of(const TextModel *model, Arena *arena)
{
    return (RowReader){.tokens = tokens_in(arena),
                       .counter = term_counter_in(arena),
                       .sums = arena_array(arena, double, model->margin_count)};
}

static void read_once(RowReader *reader, const BlockSpec *spec, TextRef text)
{
    if (text.bytes && text.bytes == reader->read.bytes && text.length == reader->read.length &&
        spec->style == reader->style)
        return;
    tokens_read(&reader->tokens, text, spec->style);
    reader->read = text;
    reader->style = spec->style;
}

/* In two turns, because what is known cannot be foretold: the first finds without a branch on it,
 * asking for places of the table well before it looks there; the second counts in place. */
static void count_grams(const ModelBlock *block, const Tokens *tokens, TermCounter *counter)
{
    enum { AHEAD = 12 };
    const Terms *terms = &block->terms;
    size_t count = tokens->gram_count, known = 0;

    term_counter_start(counter, count);
    for (size_t i = 0; i < AHEAD && i < count; i++)
        terms_prefetch(terms, tokens->grams[i].key);
    for (size_t i = 0; i < count; i++) {
        if (i + AHEAD < count)
            terms_prefetch(terms, tokens->grams[i + AHEAD].key);
        counter->items[known].id = terms_find(terms, tokens->grams[i].key);
        known += counter->items[known].id != (uint32_t)TERM_NONE;
    }
    for (size_t i = 0; i < known; i++) /* items[i] is read before it may be written */
        term_counter_add(counter, counter->items[i].id);
}

void model_block_count(const ModelBlock *block, RowReader *reader, TextRef text)
{
    uint32_t id;

    if (block->spec.kind == BLOCK_CATEGORY) {
        term_counter_start(&reader->counter, 1);
        id = text.bytes ? terms_find(&block->terms, text_key(text.bytes, text.length))
                        : (uint32_t)TERM_NONE;
        if (id != (uint32_t)TERM_NONE)
            term_counter_add(&reader->counter, id);
        return;
    }
    read_once(reader, &block->spec, text);
    block_grams(&block->spec, &reader->tokens);
    count_grams(block, &reader->tokens, &reader->counter);
}

static double scale_of(const ModelBlock *block, double squares)
{
    if (block->spec.kind == BLOCK_CATEGORY)
        return 1;
    return squares > 0 ? 1 / sqrt(squares) : 0;
}

double model_block_scale(const TextModel *model, const ModelBlock *block,
                         const TermCounter *counter)
{
    double squares = 0;

    for (size_t i = 0; i < counter->count; i++) {
        TermCount term = counter->items[i];
        double value = term_frequency(term.count, block->spec.sublinear) *
                       (double)model_block_values(model, block, term.id)[0];

        squares += value * value;
    }
    return scale_of(block, squares);
}

static void add_number(const TextModel *model, const ModelBlock *block, double number,
                       double *margins)
{
    double value = isfinite(number) ? (number - block->mean) / block->deviation : 0;

    for (size_t margin = 0; margin < model->margin_count; margin++)
        margins[margin] += value * (double)block->values[1 + margin];
}

/* add_terms() for the one margin of two classes: the sum stays in a register. */
static void add_terms_once(const ModelBlock *block, const TermCounter *counter, double *margin)
{
    double sum = 0, squares = 0;

    for (size_t i = 0; i < counter->count; i++) {
        TermCount term = counter->items[i];
        const float *values = block->values + 2 * (size_t)term.id;
        double value = term_frequency(term.count, block->spec.sublinear) * (double)values[0];

        squares += value * value;
        sum += value * (double)values[1];
    }
    *margin += scale_of(block, squares) * sum;
}

/* One pass: the length of the vector is known at its end and scales what the terms add up to. */
static void add_terms(const TextModel *model, const ModelBlock *block, RowReader *reader,
                      double *margins)
{
    double *sums = reader->sums, squares = 0, scale;

    if (model->margin_count == 1) {
        add_terms_once(block, &reader->counter, margins);
        return;
    }
    memset(sums, 0, model->margin_count * sizeof(*sums));
    for (size_t i = 0; i < reader->counter.count; i++) {
        TermCount term = reader->counter.items[i];
        const float *values = model_block_values(model, block, term.id);
        double value = term_frequency(term.count, block->spec.sublinear) * (double)values[0];

        squares += value * value;
        for (size_t margin = 0; margin < model->margin_count; margin++)
            sums[margin] += value * (double)values[1 + margin];
    }
    scale = scale_of(block, squares);
    for (size_t margin = 0; margin < model->margin_count; margin++)
        margins[margin] += scale * sums[margin];
}

/* Numbers at the end of their range times the weights of a hostile file can leave the range, or be
 * no number. */
static const double margin_most = 1e12;

void text_model_margins(const TextModel *model, const FrameColumn *const *columns, size_t row,
                        RowReader *reader, double *margins)
{
    memcpy(margins, model->intercepts, model->margin_count * sizeof(double));
    for (size_t i = 0; i < model->block_count; i++) {
        const ModelBlock *block = &model->blocks[i];
        const FrameColumn *column = columns[block->spec.column];

        if (block->spec.kind == BLOCK_NUMBER) {
            add_number(model, block, column->numbers[row], margins);
            continue;
        }
        model_block_count(block, reader, column->texts[row]);
        add_terms(model, block, reader, margins);
    }
    for (size_t margin = 0; margin < model->margin_count; margin++)
        margins[margin] = fmin(fmax(margins[margin], -margin_most), margin_most);
}

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

bool text_model_predict(const TextModel *model, const Frame *frame, double *probabilities,
                        Arena *arena, Error *error)
{
    RowReader reader;
    const FrameColumn **columns;
    double *margins;

    if (!text_model_bind(model, frame, arena, &columns, error))
        return false;
    reader = row_reader_of(model, arena);
    margins = arena_array(arena, double, model->margin_count);
    for (size_t row = 0; row < frame->row_count; row++) {
        text_model_margins(model, columns, row, &reader, margins);
        calibration_apply(&model->calibration, margins, probabilities + row * model->classes.count);
    }
    return true;
}

size_t text_model_decide(const TextModel *model, const double *probabilities)
{
    size_t best = 0;

    if (model->classes.count == 2)
        return probabilities[model->positive] >= model->threshold ? model->positive
                                                                  : 1 - model->positive;
    for (size_t i = 1; i < model->classes.count; i++)
        if (probabilities[i] > probabilities[best])
            best = i;
    return best;
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
