#include "ml/corpus.h"

#include <string.h>

/* Above this a block of n-grams hashes them into 2^22 buckets: the table would outgrow caches and
 * memory. */
static const size_t exact_bytes_max = (size_t)64 << 20;
static const uint64_t bucket_mask = ((uint64_t)1 << 22) - 1;

enum { ROOM_COUNTS = 8192 }; /* taken from the arena at a time */

size_t column_bytes(const Frame *frame, size_t column)
{
    size_t bytes = 0;

    if (!frame->columns[column].texts)
        return 0;
    for (size_t row = 0; row < frame->row_count; row++)
        bytes += frame->columns[column].texts[row].length;
    return bytes;
}

void block_grams(const BlockSpec *spec, Tokens *tokens)
{
    if (spec->kind == BLOCK_WORDS)
        tokens_word_grams(tokens, spec->least, spec->most);
    else
        tokens_character_grams(tokens, spec->least, spec->most);
}

/* Rows are never moved: what a growing array leaves behind would be as much again. */
static void append_row(BlockReader *reader)
{
    Block *block = reader->block;
    const TermCounter *counter = &reader->counter;

    if (counter->count > reader->room_count) {
        reader->room_count = counter->count > ROOM_COUNTS ? counter->count : ROOM_COUNTS;
        reader->room = arena_array(reader->arena, TermCount, reader->room_count);
    }
    if (counter->count)
        memcpy(reader->room, counter->items, counter->count * sizeof(TermCount));
    block->rows[block->row_count++] = (CountedRow){reader->room, counter->count};
    reader->room += counter->count;
    reader->room_count -= counter->count;
}

static void name_term(Block *block, const Tokens *tokens, const Gram *gram, uint32_t id)
{
    if (block->spec.kind == BLOCK_WORDS)
        block->terms.texts[id] = tokens_word_gram_text(tokens, gram, block->terms.arena);
    else
        block->terms.texts[id] = tokens_character_gram_text(tokens, gram, block->terms.arena);
}

static void count_text(Block *block, Tokens *tokens, TextRef text, TermCounter *counter)
{
    tokens_read(tokens, text, block->spec.style);
    block_grams(&block->spec, tokens);
    term_counter_start(counter, tokens->gram_count);
    for (size_t i = 0; i < tokens->gram_count; i++) {
        uint32_t id = terms_add(&block->terms, tokens->grams[i].key);

        if (!block->terms.texts[id])
            name_term(block, tokens, &tokens->grams[i], id);
        term_counter_add(counter, id);
    }
}

static void count_category(Block *block, TextRef value, TermCounter *counter)
{
    uint32_t id;

    term_counter_start(counter, 1);
    if (!value.bytes)
        return;
    id = terms_add(&block->terms, text_key(value.bytes, value.length));
    if (!block->terms.texts[id])
        block->terms.texts[id] = arena_copy(block->terms.arena, value.bytes, value.length);
    term_counter_add(counter, id);
}

/* How many terms texts have about: single words come again sooner than n-grams. */
static size_t expected_terms(const BlockSpec *spec, size_t text_bytes)
{
    return text_bytes / (spec->kind == BLOCK_WORDS && spec->most == 1 ? 256 : 64);
}

void block_reader_start(BlockReader *reader, Block *block, const BlockSpec *spec, size_t text_bytes,
                        Arena *arena)
{
    Arena *scratch = arena_create();

    *block = (Block){.spec = *spec};
    *reader = (BlockReader){.block = block,
                            .tokens = tokens_in(scratch),
                            .counter = term_counter_in(scratch),
                            .arena = arena,
                            .scratch = scratch};
    terms_init(&block->terms, expected_terms(spec, text_bytes),
               text_bytes > exact_bytes_max ? bucket_mask : UINT64_MAX, arena);
}

static void make_room_for_rows(BlockReader *reader, size_t count)
{
    Block *block = reader->block;
    CountedRow *rows;

    if (count <= reader->row_capacity)
        return;
    rows = arena_array(reader->arena, CountedRow, count);
    if (block->row_count)
        memcpy(rows, block->rows, block->row_count * sizeof(*rows));
    block->rows = rows;
    reader->row_capacity = count;
}

void block_reader_add(BlockReader *reader, TextRef text)
{
    Block *block = reader->block;

    if (block->row_count == reader->row_capacity)
        make_room_for_rows(reader, reader->row_capacity ? reader->row_capacity * 2 : 1024);
    if (block->spec.kind == BLOCK_CATEGORY)
        count_category(block, text, &reader->counter);
    else
        count_text(block, &reader->tokens, text, &reader->counter);
    append_row(reader);
}

void block_reader_end(BlockReader *reader)
{
    arena_destroy(reader->scratch);
}

void block_read(Block *block, const Frame *frame, const BlockSpec *spec, Arena *arena)
{
    const FrameColumn *column = &frame->columns[spec->column];
    CLEANUP(block_reader_end) BlockReader reader = {0};

    if (spec->kind == BLOCK_NUMBER) {
        *block = (Block){.spec = *spec, .row_count = frame->row_count, .numbers = column->numbers};
        return;
    }
    block_reader_start(&reader, block, spec, column_bytes(frame, spec->column), arena);
    make_room_for_rows(&reader, frame->row_count);
    for (size_t row = 0; row < frame->row_count; row++)
        block_reader_add(&reader, column->texts[row]);
}
