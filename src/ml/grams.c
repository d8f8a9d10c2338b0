#include "ml/tokenizer.h"

#include <stdbool.h>
#include <string.h>

/* ---- keys ---- */

static const uint64_t length_factor = UINT64_C(0xa0761d6478bd642f);

static inline uint64_t mixed(uint64_t value)
{
    value ^= value >> 32;
    value *= UINT64_C(0xd6e8feb86659fd93);
    value ^= value >> 29;
    value *= UINT64_C(0x9e3779b97f4a7c15);
    return value ^ (value >> 32);
}

/* Up to eight bytes as a number; the bytes behind them are readable but do not count. */
static inline uint64_t loaded(const char *bytes, size_t length)
{
    uint64_t value;

    memcpy(&value, bytes, sizeof(value));
    return length < 8 ? value & ((UINT64_C(1) << (8 * length)) - 1) : value;
}

/* Needs TOKEN_SPARE_BYTES readable bytes behind the text. Little-endian machines only, like the
 * model file. */
static inline uint64_t key_of(const char *bytes, size_t length)
{
    uint64_t key = length * length_factor;

    for (; length > 8; bytes += 8, length -= 8)
        key = mixed(key ^ loaded(bytes, 8));
    key = mixed(key ^ loaded(bytes, length));
    return key ? key : 1;
}

uint64_t text_key(const char *bytes, size_t length)
{
    char tail[8] = {0};
    uint64_t key = length * length_factor;

    for (; length > 8; bytes += 8, length -= 8)
        key = mixed(key ^ loaded(bytes, 8));
    if (length)
        memcpy(tail, bytes, length);
    key = mixed(key ^ loaded(tail, length));
    return key ? key : 1;
}

/* The key of a longer n-gram from that of its beginning and of the word that follows. */
static uint64_t key_joined(uint64_t first, uint64_t next)
{
    uint64_t key = mixed(first * UINT64_C(0x9fb21c651e98df25) + next);

    return key ? key : 1;
}

/* ---- n-grams ---- */

static void make_room_for_grams(Tokens *tokens, size_t more)
{
    size_t wanted = tokens->gram_count + more;
    Gram *larger;

    if (wanted <= tokens->gram_capacity)
        return;
    /* As much as is wanted at first: most readers read one short text, and memory comes zeroed. */
    if (wanted < tokens->gram_capacity * 2)
        wanted = tokens->gram_capacity * 2;
    tokens->gram_capacity = wanted;
    larger = arena_array(tokens->arena, Gram, wanted);
    if (tokens->gram_count)
        memcpy(larger, tokens->grams, tokens->gram_count * sizeof(*larger));
    tokens->grams = larger;
}

void tokens_word_grams(Tokens *tokens, size_t least, size_t most)
{
    size_t count = tokens->words.count;

    tokens->gram_count = 0;
    make_room_for_grams(tokens, count * most);
    for (size_t i = 0; i < count; i++) {
        uint64_t key = 0;

        for (size_t size = 1; size <= most && i + size <= count; size++) {
            const Token *last = &tokens->words.items[i + size - 1];
            uint64_t word = key_of(tokens->bytes + last->start, last->length);

            key = size == 1 ? word : key_joined(key, word);
            if (size >= least)
                tokens->grams[tokens->gram_count++] = (Gram){key, (uint32_t)i, (uint32_t)size};
        }
    }
}

static bool is_character_start(char byte)
{
    return ((unsigned char)byte & 0xC0) != 0x80;
}

static size_t next_character(const char *bytes, size_t at)
{
    do
        at++;
    while (!is_character_start(bytes[at]));
    return at;
}

/* One chunk with its two blanks, [start, end), whose characters may have several bytes. A chunk
 * shorter than n counts once, whole, and ends there: that is what char_wb does. */
static void add_wide_chunk_grams(Tokens *tokens, size_t start, size_t end, size_t sizes[2])
{
    const char *bytes = tokens->bytes;
    size_t head = start; /* one behind the first n characters */

    for (size_t i = 0; i < sizes[0] && head < end; i++)
        head = next_character(bytes, head);
    for (size_t size = sizes[0]; size <= sizes[1]; size++) {
        size_t first = start, last = head;

        for (;;) {
            tokens->grams[tokens->gram_count++] = (Gram){key_of(bytes + first, last - first),
                                                         (uint32_t)first, (uint32_t)(last - first)};
            if (last >= end)
                break;
            first = next_character(bytes, first);
            last = next_character(bytes, last);
        }
        if (first == start)
            return;
        head = next_character(bytes, head);
    }
}

/* The same where a character is a byte. */
static void add_ascii_chunk_grams(Tokens *tokens, size_t start, size_t end, size_t sizes[2])
{
    const char *bytes = tokens->bytes;
    Gram *gram = tokens->grams + tokens->gram_count;

    for (size_t size = sizes[0]; size <= sizes[1]; size++) {
        size_t length = size < end - start ? size : end - start;

        for (size_t first = start; first + length <= end; first++)
            *gram++ = (Gram){key_of(bytes + first, length), (uint32_t)first, (uint32_t)length};
        if (length == end - start)
            break;
    }
    tokens->gram_count = (size_t)(gram - tokens->grams);
}

static bool is_ascii(const char *bytes, size_t length)
{
    unsigned char all = 0;

    for (size_t i = 0; i < length; i++)
        all |= (unsigned char)bytes[i];
    return all < 128;
}

static void add_chunk_grams(Tokens *tokens, size_t start, size_t end, size_t sizes[2])
{
    if (is_ascii(tokens->bytes + start, end - start))
        add_ascii_chunk_grams(tokens, start, end, sizes);
    else
        add_wide_chunk_grams(tokens, start, end, sizes);
}

void tokens_character_grams(Tokens *tokens, size_t least, size_t most)
{
    size_t sizes[2] = {least, most};

    tokens->gram_count = 0;
    /* A NUL behind the text is a character start: the last step of a chunk may look at it. */
    tokens->bytes[tokens->length] = 0;
    make_room_for_grams(tokens, (tokens->length + tokens->chunks.count) * (most - least + 1));
    for (size_t i = 0; i < tokens->chunks.count; i++) {
        const Token *chunk = &tokens->chunks.items[i];

        add_chunk_grams(tokens, chunk->start - 1, chunk->start + chunk->length + 1, sizes);
    }
}

/* ---- keys alone ---- */

enum { SIZES_MAX = sizeof(uint64_t) }; /* of n-grams that one load holds */

/* For so many more keys, with room behind them for what is made and read four at once. */
static uint64_t *room_for_keys(Tokens *tokens, size_t more)
{
    size_t wanted = tokens->key_count + more + SIZES_MAX;
    uint64_t *larger;

    if (wanted > tokens->key_capacity) {
        tokens->key_capacity = wanted * 2;
        larger = arena_array(tokens->arena, uint64_t, tokens->key_capacity);
        if (tokens->key_count)
            memcpy(larger, tokens->keys, tokens->key_count * sizeof(*larger));
        tokens->keys = larger;
    }
    return tokens->keys + tokens->key_count;
}

static void join_keys(Tokens *tokens, const uint64_t *words, size_t least, size_t most)
{
    size_t count = tokens->words.count;
    uint64_t *next = tokens->keys + tokens->key_count;

    for (size_t i = 0; i < count; i++) {
        uint64_t key = words[i];

        if (least == 1)
            *next++ = key;
        for (size_t size = 2; size <= most && i + size <= count; size++) {
            key = key_joined(key, words[i + size - 1]);
            if (size >= least)
                *next++ = key;
        }
    }
    tokens->key_count = (size_t)(next - tokens->keys);
}

static LANES_AVX2 ALWAYS_INLINE Lanes4 mixed_four(Lanes4 values)
{
    values ^= values >> 32;
    values *= UINT64_C(0xd6e8feb86659fd93);
    values ^= values >> 29;
    values *= UINT64_C(0x9e3779b97f4a7c15);
    return values ^ (values >> 32);
}

static void make_word_keys(const Tokens *tokens, uint64_t *keys)
{
    for (size_t i = 0; i < tokens->words.count; i++) {
        const Token *word = &tokens->words.items[i];

        keys[i] = key_of(tokens->bytes + word->start, word->length);
    }
}

/* key_of() of four words of up to eight bytes; that of a longer one is made again. */
static LANES_AVX2 ALWAYS_INLINE Lanes4 keys_of_four(const char *bytes, const Token words[4])
{
    Lanes4 lengths = {words[0].length, words[1].length, words[2].length, words[3].length};
    Lanes4 eights = {loaded(bytes + words[0].start, 8), loaded(bytes + words[1].start, 8),
                     loaded(bytes + words[2].start, 8), loaded(bytes + words[3].start, 8)};
    Lanes4 keys =
        mixed_four((lengths * length_factor) ^ (eights & UINT64_MAX >> ((64 - 8 * lengths) & 63)));

    return keys - (Lanes4)(keys == 0);
}

static LANES_AVX2 ALWAYS_INLINE void make_word_keys_by_four(const Tokens *tokens, uint64_t *keys)
{
    const Token *words = tokens->words.items;
    const char *bytes = tokens->bytes;
    size_t count = tokens->words.count, i = 0;

    for (; i + 4 <= count; i += 4) {
        Lanes4 four = keys_of_four(bytes, words + i);

        memcpy(keys + i, &four, sizeof(four));
    }
    for (; i < count; i++)
        keys[i] = key_of(bytes + words[i].start, words[i].length);
    for (i = 0; i < count; i++)
        if (words[i].length > 8)
            keys[i] = key_of(bytes + words[i].start, words[i].length);
}

static LANES_AVX2 void make_word_keys_avx2(const Tokens *tokens, uint64_t *keys)
{
    make_word_keys_by_four(tokens, keys);
}

static LANES_AVX512 void make_word_keys_avx512(const Tokens *tokens, uint64_t *keys)
{
    make_word_keys_by_four(tokens, keys);
}

static void (*const word_key_makers[LANE_LEVELS])(const Tokens *, uint64_t *) = {
    [LANES_OF_ALL] = make_word_keys,
    [LANES_OF_AVX2] = make_word_keys_avx2,
    [LANES_OF_AVX512] = make_word_keys_avx512,
};

/* Each word is hashed once: its key waits behind those of the n-grams. */
void tokens_add_word_keys(Tokens *tokens, size_t least, size_t most)
{
    size_t count = tokens->words.count, joined = most > 1 ? count * most : 0;
    uint64_t *words = room_for_keys(tokens, joined + count) + joined;

    word_key_makers[tokens->lanes](tokens, words);
    if (most > 1)
        join_keys(tokens, words, least, most);
    else
        tokens->key_count += count;
}

void tokens_word_keys(Tokens *tokens, size_t least, size_t most)
{
    tokens->key_count = 0;
    tokens_add_word_keys(tokens, least, most);
}

/* key_of() of the sizes that one load holds, from least on. */
typedef struct KeyMaker {
    size_t least, kinds;
    uint64_t seeds[SIZES_MAX], masks[SIZES_MAX];
} KeyMaker;

static KeyMaker key_maker(size_t least, size_t most)
{
    KeyMaker maker = {.least = least, .kinds = most - least + 1};

    for (size_t size = least; size <= most; size++) {
        maker.seeds[size - least] = size * length_factor;
        maker.masks[size - least] = size < 8 ? (UINT64_C(1) << (8 * size)) - 1 : UINT64_MAX;
    }
    return maker;
}

/* All sizes at each place, from one load of eight bytes. Those that would leave the chunk are made
 * too, because that costs less than to foretell its end, and overwritten. */
static uint64_t *make_keys(const KeyMaker *maker, const char *bytes, const char *end,
                           uint64_t *next)
{
    for (; bytes + maker->least <= end; bytes++) {
        size_t room = (size_t)(end - bytes) - maker->least + 1;
        uint64_t eight = loaded(bytes, 8);

        for (size_t i = 0; i < maker->kinds; i++) {
            uint64_t key = mixed(maker->seeds[i] ^ (eight & maker->masks[i]));

            next[i] = key + (key == 0);
        }
        next += room < maker->kinds ? room : maker->kinds;
    }
    return next;
}

/* The same, four sizes at once; with fewer the next place overwrites the rest as well. */
static LANES_AVX2 ALWAYS_INLINE uint64_t *
make_keys_by_four(const KeyMaker *maker, const char *bytes, const char *end, uint64_t *next)
{
    const size_t least = maker->least, kinds = maker->kinds;
    Lanes4 seeds[2], masks[2];

    memcpy(seeds, maker->seeds, sizeof(seeds));
    memcpy(masks, maker->masks, sizeof(masks));
    for (; bytes + least <= end; bytes++) {
        size_t room = (size_t)(end - bytes) - least + 1;
        uint64_t eight = loaded(bytes, 8);
        Lanes4 keys = mixed_four((masks[0] & eight) ^ seeds[0]);

        keys -= (Lanes4)(keys == 0);
        memcpy(next, &keys, sizeof(keys));
        if (kinds > 4) {
            keys = mixed_four((masks[1] & eight) ^ seeds[1]);
            keys -= (Lanes4)(keys == 0);
            memcpy(next + 4, &keys, sizeof(keys));
        }
        next += room < kinds ? room : kinds;
    }
    return next;
}

static LANES_AVX2 uint64_t *make_keys_avx2(const KeyMaker *maker, const char *bytes,
                                           const char *end, uint64_t *next)
{
    return make_keys_by_four(maker, bytes, end, next);
}

static LANES_AVX512 uint64_t *make_keys_avx512(const KeyMaker *maker, const char *bytes,
                                               const char *end, uint64_t *next)
{
    return make_keys_by_four(maker, bytes, end, next);
}

static uint64_t *(*const key_makers[LANE_LEVELS])(const KeyMaker *, const char *, const char *,
                                                  uint64_t *) = {
    [LANES_OF_ALL] = make_keys,
    [LANES_OF_AVX2] = make_keys_avx2,
    [LANES_OF_AVX512] = make_keys_avx512,
};

/* Of a chunk whose characters may have several bytes, or sizes that a load does not hold. */
static uint64_t *add_other_keys(Tokens *tokens, size_t start, size_t end, size_t sizes[2],
                                uint64_t *next)
{
    tokens->gram_count = 0;
    make_room_for_grams(tokens, (end - start) * (sizes[1] - sizes[0] + 1));
    add_chunk_grams(tokens, start, end, sizes);
    for (size_t i = 0; i < tokens->gram_count; i++)
        *next++ = tokens->grams[i].key;
    return next;
}

void tokens_character_keys(Tokens *tokens, size_t least, size_t most)
{
    enum { SHORTEST_CHUNK = 3 }; /* with its blanks: no smaller n-gram is cut to its chunk */
    bool is_plain = least <= SHORTEST_CHUNK && most <= SIZES_MAX;
    KeyMaker maker = is_plain ? key_maker(least, most) : (KeyMaker){0};
    uint64_t *(*make)(const KeyMaker *, const char *, const char *, uint64_t *) =
        key_makers[tokens->lanes];
    size_t sizes[2] = {least, most}, kinds = most - least + 1;
    uint64_t *next;

    tokens->key_count = 0;
    next = room_for_keys(tokens, (tokens->length + tokens->chunks.count + 1) * kinds);
    tokens->bytes[tokens->length] = 0; /* as in tokens_character_grams() */
    for (size_t i = 0; i < tokens->chunks.count; i++) {
        const Token *chunk = &tokens->chunks.items[i];
        size_t start = chunk->start - 1, end = chunk->start + chunk->length + 1;

        if (is_plain && (tokens->is_ascii || is_ascii(tokens->bytes + start, end - start)))
            next = make(&maker, tokens->bytes + start, tokens->bytes + end, next);
        else
            next = add_other_keys(tokens, start, end, sizes, next);
    }
    tokens->key_count = (size_t)(next - tokens->keys);
}

/* ---- texts ---- */

char *tokens_word_gram_text(const Tokens *tokens, const Gram *gram, Arena *arena)
{
    const Token *words = tokens->words.items + gram->first;
    size_t length = gram->size - 1, at = 0;
    char *text;

    for (uint32_t i = 0; i < gram->size; i++)
        length += words[i].length;
    text = arena_alloc(arena, length + 1, 1);
    for (uint32_t i = 0; i < gram->size; i++) {
        if (i)
            text[at++] = ' ';
        memcpy(text + at, tokens->bytes + words[i].start, words[i].length);
        at += words[i].length;
    }
    return text;
}

char *tokens_character_gram_text(const Tokens *tokens, const Gram *gram, Arena *arena)
{
    return arena_copy(arena, tokens->bytes + gram->first, gram->size);
}
