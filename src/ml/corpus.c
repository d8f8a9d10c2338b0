#include "ml/corpus.h"

#include <string.h>

/* Above this a block of n-grams hashes them into 2^22 buckets: the table would outgrow caches and
 * memory. */
static const size_t exact_bytes_max = (size_t)64 << 20;
static const uint64_t bucket_mask = ((uint64_t)1 << 22) - 1;

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

typedef struct CountList {
    TermCount *items;
    size_t count, capacity;
} CountList;

static void append_row(CountList *list, const TermCounter *counter, Arena *arena)
{
    size_t wanted = list->count + counter->count;

    if (wanted > list->capacity) {
        TermCount *larger;

        list->capacity = wanted * 2;
        larger = arena_array(arena, TermCount, list->capacity);
        if (list->count)
            memcpy(larger, list->items, list->count * sizeof(*larger));
        list->items = larger;
    }
    if (counter->count)
        memcpy(list->items + list->count, counter->items, counter->count * sizeof(TermCount));
    list->count = wanted;
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

void block_read(Block *block, const Frame *frame, const BlockSpec *spec, Arena *arena)
{
    const FrameColumn *column = &frame->columns[spec->column];
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    Tokens tokens = tokens_in(scratch);
    TermCounter counter = term_counter_in(scratch);
    CountList counts = {0};
    size_t bytes = column_bytes(frame, spec->column);

    *block = (Block){.spec = *spec, .numbers = column->numbers};
    block->starts = arena_array(arena, size_t, frame->row_count + 1);
    if (spec->kind == BLOCK_NUMBER)
        return;
    terms_init(&block->terms, bytes / 64, bytes > exact_bytes_max ? bucket_mask : UINT64_MAX,
               arena);
    for (size_t row = 0; row < frame->row_count; row++) {
        if (spec->kind == BLOCK_CATEGORY)
            count_category(block, column->texts[row], &counter);
        else
            count_text(block, &tokens, column->texts[row], &counter);
        append_row(&counts, &counter, arena);
        block->starts[row + 1] = counts.count;
    }
    block->counts = counts.items;
}
