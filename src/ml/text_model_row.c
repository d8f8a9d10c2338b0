/* One row to margins: what a prediction costs is nearly all here. */
#include <math.h>
#include <string.h>

#include "ml/text_model_internal.h"

RowReader row_reader_of(const TextModel *model, Arena *arena)
{
    return (RowReader){.tokens = tokens_in(arena),
                       .counter = term_counter_in(arena),
                       .sums = arena_array(arena, double, model->margin_count)};
}

static bool has_characters(const TextModel *model)
{
    for (size_t i = 0; i < model->block_count; i++)
        if (model->blocks[i].spec.kind == BLOCK_CHARACTERS)
            return true;
    return false;
}

RowReader row_reader_on(RowScratch *scratch, const TextModel *model, Arena *arena)
{
    RowReader reader = row_reader_of(model, arena);

    reader.tokens.words_alone = !has_characters(model);
    reader.tokens.bytes = scratch->bytes;
    reader.tokens.byte_capacity = COUNT(scratch->bytes);
    reader.tokens.words = (TokenList){scratch->words, 0, COUNT(scratch->words)};
    reader.tokens.chunks = (TokenList){scratch->chunks, 0, COUNT(scratch->chunks)};
    reader.tokens.keys = scratch->keys;
    reader.tokens.key_capacity = COUNT(scratch->keys);
    scratch->counts[0] = (TermCount){0};
    reader.counter.items = scratch->counts + 1;
    reader.counter.slots = scratch->slots;
    reader.counter.capacity = COUNT(scratch->counts) - 1;
    return reader;
}

/* ---- counting ---- */

static void read_once(RowReader *reader, const BlockSpec *spec, TextRef text)
{
    if (text.bytes && text.bytes == reader->read.bytes && text.length == reader->read.length &&
        spec->style == reader->style)
        return;
    tokens_read(&reader->tokens, text, spec->style);
    reader->read = text;
    reader->style = spec->style;
}

/* The row of a match, which is TERM_NONE when only its tag is known. */
static inline uint32_t row_of_match(const TermTable *table, const TermMatches *matches, size_t i)
{
    uint64_t key = matches->keys[i];
    uint32_t row = matches->rows[i];

    return term_table_is(table, row, key) ? row : term_table_find(table, key);
}

static void count_matches(const TermTable *table, const TermMatches *matches, TermCounter *counter)
{
    const TermTable local = *table; /* nothing that is written below can change it */
    TermCounter counting = *counter;

    for (size_t i = 0; i < matches->count; i++) {
        uint32_t row = row_of_match(&local, matches, i);

        if (row != (uint32_t)TERM_NONE)
            term_counter_add(&counting, row);
    }
    counter->count = counting.count;
}

static void count_few_keys(const TermTable *table, const Tokens *tokens, size_t from,
                           TermCounter *counter)
{
    const TermTable local = *table;
    uint32_t rows[FEW_TERMS];
    TermMatches matches;
    size_t count = 0;

    term_table_match(table, tokens->lanes, tokens->keys + from, tokens->key_count - from, &matches);
    for (size_t i = 0; i < matches.count; i++) {
        uint32_t row = row_of_match(&local, &matches, i);

        if (row != (uint32_t)TERM_NONE)
            rows[count++] = row;
    }
    term_counter_count_few(counter, tokens->lanes, rows, count);
}

/* The keys from that one on. */
static void count_keys(const TermTable *table, const Tokens *tokens, size_t from,
                       TermCounter *counter)
{
    TermMatches matches;

    if (tokens->key_count - from <= FEW_TERMS) {
        count_few_keys(table, tokens, from, counter);
        return;
    }
    term_counter_start(counter, tokens->key_count - from);
    for (size_t at = from; at < tokens->key_count; at += MATCH_KEYS_MAX) {
        size_t left = tokens->key_count - at;

        term_table_match(table, tokens->lanes, tokens->keys + at,
                         left < MATCH_KEYS_MAX ? left : MATCH_KEYS_MAX, &matches);
        count_matches(table, &matches, counter);
    }
}

static void count_category(const ModelBlock *block, RowReader *reader, TextRef text)
{
    uint32_t row = TERM_NONE;

    term_counter_start(&reader->counter, 1);
    if (text.bytes)
        row = term_table_find(&block->terms, text_key(text.bytes, text.length));
    if (row != (uint32_t)TERM_NONE)
        term_counter_add(&reader->counter, row);
}

void model_block_count(const ModelBlock *block, RowReader *reader, TextRef text)
{
    const BlockSpec *spec = &block->spec;

    if (spec->kind == BLOCK_CATEGORY) {
        count_category(block, reader, text);
        return;
    }
    read_once(reader, spec, text);
    if (spec->kind == BLOCK_WORDS)
        tokens_word_keys(&reader->tokens, spec->least, spec->most);
    else
        tokens_character_keys(&reader->tokens, spec->least, spec->most);
    count_keys(&block->terms, &reader->tokens, 0, &reader->counter);
}

/* ---- weighing ---- */

static double scale_of(const ModelBlock *block, double squares)
{
    if (block->spec.kind == BLOCK_CATEGORY)
        return 1;
    return squares > 0 ? 1 / sqrt(squares) : 0;
}

double model_block_scale(const ModelBlock *block, const TermCounter *counter)
{
    double squares = 0;

    for (size_t i = 0; i < counter->count; i++) {
        TermCount term = counter->items[i];
        double value = term_frequency(term.count, block->spec.sublinear) *
                       model_finite(model_block_values(block, term.id)[0]);

        squares += value * value;
    }
    return scale_of(block, squares);
}

static void add_number(const TextModel *model, const ModelBlock *block, double number,
                       double *margins)
{
    double value = isfinite(number) ? (number - block->mean) / block->deviation : 0;
    const float *values = model_block_values(block, 0);

    for (size_t margin = 0; margin < model->margin_count; margin++)
        margins[margin] += value * (double)values[1 + margin];
}

/* What a term adds to the sum of squares and to the margin. */
typedef double Pair __attribute__((vector_size(16)));

static inline Pair added_by(const TermTable *table, TermCount term, bool sublinear)
{
    float values[2]; /* idf and weight */
    double value;

    memcpy(values, term_table_weights(table, term.id)->values, sizeof(values));
    value = term_frequency(term.count, sublinear) * (double)values[0];
    return (Pair){value, value} * (Pair){value, (double)values[1]};
}

/* add_terms() for the one margin of two classes: the sums stay in registers, two of each so that an
 * addition need not wait for the one before. */
static void add_terms_once(const ModelBlock *block, const TermCounter *counter, double *margin)
{
    const TermTable table = block->terms;
    const bool sublinear = block->spec.sublinear;
    Pair sums[2] = {0};
    size_t i = 0;

    for (; i + 1 < counter->count; i += 2) {
        sums[0] += added_by(&table, counter->items[i], sublinear);
        sums[1] += added_by(&table, counter->items[i + 1], sublinear);
    }
    if (i < counter->count)
        sums[0] += added_by(&table, counter->items[i], sublinear);
    sums[0] += sums[1];
    *margin += scale_of(block, sums[0][0]) * sums[0][1];
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
        const float *values = model_block_values(block, reader->counter.items[i].id);
        double value = term_frequency(reader->counter.items[i].count, block->spec.sublinear) *
                       (double)values[0];

        squares += value * value;
        for (size_t margin = 0; margin < model->margin_count; margin++)
            sums[margin] += value * (double)values[1 + margin];
    }
    scale = scale_of(block, squares);
    for (size_t margin = 0; margin < model->margin_count; margin++)
        margins[margin] += scale * sums[margin];
}

/* Numbers at the end of their range times the weights of a hostile file can leave the range, or be
 * no number; so can its weights. */
static const double margin_most = 1e12;

/* What is no number is the least: it is not greater. */
static inline double bounded(double margin)
{
    if (!(margin > -margin_most))
        return -margin_most;
    return margin < margin_most ? margin : margin_most;
}

static void bound_margins(const TextModel *model, double *margins)
{
    for (size_t margin = 0; margin < model->margin_count; margin++)
        margins[margin] = bounded(margins[margin]);
}

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
    bound_margins(model, margins);
}

/* ---- short texts together ---- */

enum { TEXTS_TOGETHER = 64, KEYS_TOGETHER = 2 * MATCH_KEYS_MAX };

/* Texts whose keys are made and not yet looked for: those of all in turn lie in the reader's
 * tokens. A look-up waits for memory, and a loop over some ten words for its end; those of many
 * texts wait once. */
typedef struct Batch {
    const TextModel *model;
    RowReader *reader;
    size_t count;
    uint32_t ends[TEXTS_TOGETHER]; /* of the keys of each */
    double *margins[TEXTS_TOGETHER];
} Batch;

/* The row of each key, or TERM_NONE. */
static void find_rows(const TermTable *table, const Tokens *tokens, uint32_t *rows)
{
    const TermTable local = *table; /* nothing that is written below can change it */
    TermMatches matches;

    memset(rows, 0xff, tokens->key_count * sizeof(*rows));
    for (size_t at = 0; at < tokens->key_count; at += MATCH_KEYS_MAX) {
        size_t left = tokens->key_count - at;

        term_table_match(&local, tokens->lanes, tokens->keys + at,
                         left < MATCH_KEYS_MAX ? left : MATCH_KEYS_MAX, &matches);
        for (size_t i = 0; i < matches.count; i++)
            rows[at + matches.places[i]] = row_of_match(&local, &matches, i);
    }
}

static void add_counted(const TextModel *model, RowReader *reader, double *margins)
{
    memcpy(margins, model->intercepts, model->margin_count * sizeof(double));
    add_terms(model, &model->blocks[0], reader, margins);
    bound_margins(model, margins);
}

static void finish_batch(Batch *batch)
{
    RowReader *reader = batch->reader;
    uint32_t rows[KEYS_TOGETHER + 2 * FEW_TERMS], start = 0;

    find_rows(&batch->model->blocks[0].terms, &reader->tokens, rows);
    for (size_t i = 0; i < batch->count; i++) {
        term_counter_count_few(&reader->counter, reader->tokens.lanes, rows + start,
                               batch->ends[i] - start);
        add_counted(batch->model, reader, batch->margins[i]);
        start = batch->ends[i];
    }
    batch->count = reader->tokens.key_count = 0;
}

/* A text of more words is counted at once, before those that wait. */
static void add_to_batch(Batch *batch, TextRef text, double *margins)
{
    const ModelBlock *block = &batch->model->blocks[0];
    Tokens *tokens = &batch->reader->tokens;
    size_t before = tokens->key_count;

    tokens_read(tokens, text, block->spec.style);
    tokens_add_word_keys(tokens, block->spec.least, block->spec.most);
    if (tokens->key_count - before > FEW_TERMS) {
        count_keys(&block->terms, tokens, before, &batch->reader->counter);
        add_counted(batch->model, batch->reader, margins);
        tokens->key_count = before;
        return;
    }
    batch->ends[batch->count] = (uint32_t)tokens->key_count;
    batch->margins[batch->count++] = margins;
    if (batch->count == TEXTS_TOGETHER || tokens->key_count > KEYS_TOGETHER)
        finish_batch(batch);
}

void text_model_margins_of_rows(const TextModel *model, const FrameColumn *const *columns,
                                RowRange rows, RowReader *reader, double *margins)
{
    Batch batch = {.model = model, .reader = reader};

    if (model->block_count != 1 || model->blocks[0].spec.kind != BLOCK_WORDS) {
        for (size_t i = 0; i < rows.count; i++)
            text_model_margins(model, columns, rows.first + i, reader,
                               margins + i * model->margin_count);
        return;
    }
    reader->tokens.key_count = 0;
    for (size_t i = 0; i < rows.count; i++)
        add_to_batch(&batch, columns[model->blocks[0].spec.column]->texts[rows.first + i],
                     margins + i * model->margin_count);
    finish_batch(&batch);
}
