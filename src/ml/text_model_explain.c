#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ml/text_model_internal.h"

typedef struct Explainer {
    const TextModel *model;
    size_t margin;
    double sign; /* two classes have one margin: the first class's is its opposite */
    Arena *arena, *scratch;
    RowReader reader;
    Explanation *explanation;
} Explainer;

static Explainer explainer_of(const TextModel *model, size_t class_index, Arena *arena,
                              Arena *scratch, Explanation *explanation)
{
    bool is_single = model->margin_count == 1;

    *explanation = (Explanation){0};
    return (Explainer){.model = model,
                       .margin = is_single ? 0 : class_index,
                       .sign = is_single && class_index == 0 ? -1 : 1,
                       .arena = arena,
                       .scratch = scratch,
                       .reader = row_reader_of(model, scratch),
                       .explanation = explanation};
}

static double weight_of(const Explainer *explainer, const ModelBlock *block, uint32_t term)
{
    return explainer->sign * model_finite(model_block_values(block, term)[1 + explainer->margin]);
}

static void add_item(Explainer *explainer, Contribution item)
{
    *arena_push(explainer->arena, explainer->explanation) = item;
}

static int compare_items(const void *a, const void *b)
{
    const Contribution *first = a, *second = b;
    double difference = fabs(second->weight) - fabs(first->weight);

    if (difference != 0)
        return difference > 0 ? 1 : -1;
    if (first->start != second->start)
        return first->start < second->start ? -1 : 1;
    return strcmp(first->text, second->text);
}

static void sort_items(Explanation *explanation)
{
    if (explanation->count)
        qsort(explanation->items, explanation->count, sizeof(*explanation->items), compare_items);
}

/* ---- one row ---- */

static const char *name_of(const Explainer *explainer, const ModelBlock *block)
{
    return explainer->model->inputs[block->spec.column].name;
}

static void explain_number(Explainer *explainer, const ModelBlock *block, double number)
{
    const char *name = name_of(explainer, block);

    if (!isfinite(number))
        return;
    add_item(explainer,
             (Contribution){.column = name,
                            .text = arena_format(explainer->arena, "%s=%g", name, number),
                            .weight = weight_of(explainer, block, 0) *
                                      ((number - block->mean) / block->deviation)});
}

static void explain_category(Explainer *explainer, const ModelBlock *block, TextRef value)
{
    const char *name = name_of(explainer, block);

    model_block_count(block, &explainer->reader, value);
    if (explainer->reader.counter.count == 0)
        return;
    add_item(explainer, (Contribution){.column = name,
                                       .text = arena_format(explainer->arena, "%s=%.*s", name,
                                                            (int)value.length, value.bytes),
                                       .weight = weight_of(explainer, block,
                                                           explainer->reader.counter.items[0].id)});
}

/* What the chunks of one text add up to, by the byte at which each starts. */
typedef struct ChunkSums {
    double *weights;
    size_t *lengths; /* 0: no chunk starts here */
} ChunkSums;

/* What one occurrence of each counted term adds: the weight of the term over the times it occurs.
 */
static double *weights_per_occurrence(Explainer *explainer, const ModelBlock *block)
{
    const TermCounter *counter = &explainer->reader.counter;
    double *weights = arena_array(explainer->scratch, double, counter->count);
    double scale = model_block_scale(block, counter);

    for (size_t i = 0; i < counter->count; i++) {
        TermCount term = counter->items[i];
        double value = scale * term_frequency(term.count, block->spec.sublinear) *
                       model_finite(model_block_values(block, term.id)[0]);

        weights[i] = weight_of(explainer, block, term.id) * value / term.count;
    }
    return weights;
}

static void add_to_chunk(ChunkSums *sums, const Token *chunk, double weight)
{
    sums->weights[chunk->source_start] += weight;
    sums->lengths[chunk->source_start] = chunk->source_length;
}

static void spread_gram(const ModelBlock *block, const Tokens *tokens, const Gram *gram,
                        double weight, ChunkSums *sums)
{
    if (block->spec.kind == BLOCK_CHARACTERS) {
        add_to_chunk(sums, tokens_chunk_at(tokens, gram->first), weight);
        return;
    }
    for (uint32_t i = 0; i < gram->size; i++)
        add_to_chunk(sums, tokens_chunk_at(tokens, tokens->words.items[gram->first + i].start),
                     weight / gram->size);
}

static void explain_block(Explainer *explainer, const ModelBlock *block, TextRef text,
                          ChunkSums *sums)
{
    Tokens *tokens = &explainer->reader.tokens;
    double *weights;

    model_block_count(block, &explainer->reader, text);
    block_grams(&block->spec, tokens);
    weights = weights_per_occurrence(explainer, block);
    for (size_t i = 0; i < tokens->gram_count; i++) {
        uint32_t id = term_table_find(&block->terms, tokens->grams[i].key);
        size_t at = id == (uint32_t)TERM_NONE ? SIZE_MAX
                                              : term_counter_find(&explainer->reader.counter, id);

        if (at != SIZE_MAX)
            spread_gram(block, tokens, &tokens->grams[i], weights[at], sums);
    }
}

/* All blocks of a text column together: a word and its characters are one thing to a reader. */
static void explain_text(Explainer *explainer, size_t input, TextRef text)
{
    const TextModel *model = explainer->model;
    size_t length = text.bytes ? text.length : 0;
    ChunkSums sums = {arena_array(explainer->scratch, double, length + 1),
                      arena_array(explainer->scratch, size_t, length + 1)};

    for (size_t i = 0; i < model->block_count; i++)
        if (model->blocks[i].spec.column == input)
            explain_block(explainer, &model->blocks[i], text, &sums);
    for (size_t start = 0; start < length; start++) {
        if (!sums.lengths[start])
            continue;
        add_item(explainer, (Contribution){.column = model->inputs[input].name,
                                           .text = arena_copy(explainer->arena, text.bytes + start,
                                                              sums.lengths[start]),
                                           .start = start,
                                           .length = sums.lengths[start],
                                           .weight = sums.weights[start]});
    }
}

static void explain_input(Explainer *explainer, size_t input, const FrameColumn *column, size_t row)
{
    const TextModel *model = explainer->model;

    if (model->inputs[input].kind == COLUMN_TEXT) {
        explain_text(explainer, input, column->texts[row]);
        return;
    }
    for (size_t i = 0; i < model->block_count; i++) {
        if (model->blocks[i].spec.column != input)
            continue;
        if (model->inputs[input].kind == COLUMN_NUMBER)
            explain_number(explainer, &model->blocks[i], column->numbers[row]);
        else
            explain_category(explainer, &model->blocks[i], column->texts[row]);
    }
}

static bool check_class(const TextModel *model, size_t class_index, Error *error)
{
    return class_index < model->classes.count ||
           fail(error, ERROR_INVALID, "the model has %zu classes", model->classes.count);
}

bool text_model_explain(const TextModel *model, const Frame *frame, size_t row, size_t class_index,
                        Arena *arena, Explanation *explanation, Error *error)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    const FrameColumn **columns;
    Explanation made;
    Explainer explainer = explainer_of(model, class_index, arena, scratch, &made);

    if (!check_class(model, class_index, error) ||
        !text_model_bind(model, frame, scratch, &columns, error))
        return false;
    if (row >= frame->row_count)
        return fail(error, ERROR_INVALID, "there are %zu rows", frame->row_count);
    for (size_t input = 0; input < model->input_count; input++)
        explain_input(&explainer, input, columns[input], row);
    made.intercept = explainer.sign * model->intercepts[explainer.margin];
    made.margin = made.intercept;
    for (size_t i = 0; i < made.count; i++)
        made.margin += made.items[i].weight;
    sort_items(&made);
    *explanation = made;
    return true;
}

/* ---- the whole model ---- */

/* Empty where the file says what cannot be. */
static const char *text_of_row(const ModelBlock *block, uint32_t row, Arena *arena)
{
    uint32_t start = block->text_starts[row], end = block->text_starts[row + 1];

    if (start > end || end > block->text_bytes)
        return "";
    return arena_copy(arena, block->texts + start, end - start);
}

static void add_terms(Explainer *explainer, const ModelBlock *block)
{
    const char *name = name_of(explainer, block);

    for (uint32_t row = 0; row < block->terms.row_count; row++) {
        double weight =
            weight_of(explainer, block, row) * model_finite(model_block_values(block, row)[0]);
        const char *text;

        if (weight <= 0)
            continue;
        text = text_of_row(block, row, explainer->arena);
        if (block->spec.kind == BLOCK_CATEGORY)
            text = arena_format(explainer->arena, "%s=%s", name, text);
        add_item(explainer, (Contribution){.column = name, .text = text, .weight = weight});
    }
}

bool text_model_top_terms(const TextModel *model, size_t class_index, size_t limit, Arena *arena,
                          Explanation *terms, Error *error)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    Explanation made;
    Explainer explainer = explainer_of(model, class_index, arena, scratch, &made);

    if (!check_class(model, class_index, error))
        return false;
    for (size_t i = 0; i < model->block_count; i++) {
        const ModelBlock *block = &model->blocks[i];

        if (block->spec.kind == BLOCK_WORDS || block->spec.kind == BLOCK_CATEGORY)
            add_terms(&explainer, block);
        else if (block->spec.kind == BLOCK_NUMBER && weight_of(&explainer, block, 0) > 0)
            add_item(&explainer, (Contribution){.column = name_of(&explainer, block),
                                                .text = name_of(&explainer, block),
                                                .weight = weight_of(&explainer, block, 0)});
    }
    sort_items(&made);
    if (made.count > limit)
        made.count = limit;
    made.intercept = made.margin = explainer.sign * model->intercepts[explainer.margin];
    *terms = made;
    return true;
}
