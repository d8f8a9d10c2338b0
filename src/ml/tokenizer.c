#include "ml/tokenizer.h"

#include <stdbool.h>
#include <string.h>
#include <utf8proc.h>

typedef enum CharacterClass {
    CHARACTER_OTHER, /* zero: what the table below does not name */
    CHARACTER_SPACE,
    CHARACTER_WORD,
    CHARACTER_DROPPED,
} CharacterClass;

enum {
    REPLACEMENT = 0xFFFD,
    CAPITAL_SIGMA = 0x3A3,
    FINAL_SIGMA = 0x3C2,
    CAPITAL_I_WITH_DOT = 0x130,
    COMBINING_DOT = 0x307,
    LOAD_BYTES = 8, /* a key reads eight bytes at once: so many are spare behind the text */
};

static const unsigned char ascii_classes[128] = {
    ['\t' ... '\r'] = CHARACTER_SPACE, [0x1C ... 0x1F] = CHARACTER_SPACE, [' '] = CHARACTER_SPACE,
    ['0' ... '9'] = CHARACTER_WORD,    ['A' ... 'Z'] = CHARACTER_WORD,    ['_'] = CHARACTER_WORD,
    ['a' ... 'z'] = CHARACTER_WORD,
};

typedef struct Reader {
    Tokens *tokens;
    const unsigned char *source;
    size_t length, at; /* at: the first byte not yet read */
    TokenStyle style;
    bool in_word, in_chunk;
    size_t word_characters;
    Token word, chunk;
} Reader;

/* ---- buffers ---- */

static void *grown(Arena *arena, void *items, size_t used, size_t wanted, size_t size)
{
    void *larger = arena_alloc(arena, wanted, size);

    if (used)
        memcpy(larger, items, used * size);
    return larger;
}

static Token *next_token(Arena *arena, Token **items, size_t *count, size_t *capacity)
{
    if (*count == *capacity) {
        *capacity = *capacity ? *capacity * 2 : 64;
        *items = grown(arena, *items, *count, *capacity, sizeof(Token));
    }
    return &(*items)[(*count)++];
}

static void make_room_for_grams(Tokens *tokens, size_t more)
{
    size_t wanted = tokens->gram_count + more;

    if (wanted <= tokens->gram_capacity)
        return;
    /* As much as is wanted at first: most readers read one short text, and memory comes zeroed. */
    if (wanted < tokens->gram_capacity * 2)
        wanted = tokens->gram_capacity * 2;
    tokens->gram_capacity = wanted;
    tokens->grams = grown(tokens->arena, tokens->grams, tokens->gram_count, tokens->gram_capacity,
                          sizeof(Gram));
}

Tokens tokens_in(Arena *arena)
{
    return (Tokens){.arena = arena};
}

/* ---- characters ---- */

static bool is_space(int32_t character)
{
    return character == 0x85 || character == 0xA0 || character == 0x1680 ||
           (character >= 0x2000 && character <= 0x200A) || character == 0x2028 ||
           character == 0x2029 || character == 0x202F || character == 0x205F || character == 0x3000;
}

static bool is_mark(utf8proc_category_t category)
{
    return category >= UTF8PROC_CATEGORY_MN && category <= UTF8PROC_CATEGORY_ME;
}

/* Python's \w is str.isalnum() or _: letters and all kinds of numbers, but not marks. The rich
 * style keeps the marks inside a word with it (Devanagari would fall to pieces) and drops invisible
 * characters: a byte-order mark at the end of a comment says how a file was made, not what it says.
 */
static CharacterClass class_of(int32_t character, const Reader *reader)
{
    utf8proc_category_t category;

    if (character < 128)
        return (CharacterClass)ascii_classes[character];
    if (is_space(character))
        return CHARACTER_SPACE;
    category = utf8proc_category(character);
    if ((category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO) ||
        (category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO))
        return CHARACTER_WORD;
    if (reader->style == TOKEN_STYLE_PLAIN)
        return CHARACTER_OTHER;
    if (is_mark(category))
        return reader->in_word ? CHARACTER_WORD : CHARACTER_DROPPED;
    return category == UTF8PROC_CATEGORY_CF ? CHARACTER_DROPPED : CHARACTER_OTHER;
}

static bool is_letter(int32_t character)
{
    utf8proc_category_t category = utf8proc_category(character);

    return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
}

/* The character at an offset, and its bytes; a wrong byte is U+FFFD of one byte. */
static int32_t decode(const unsigned char *bytes, size_t left, size_t *used)
{
    int32_t character;
    utf8proc_ssize_t length = utf8proc_iterate(bytes, (utf8proc_ssize_t)left, &character);

    *used = length > 0 ? (size_t)length : 1;
    return length > 0 ? character : REPLACEMENT;
}

/* Greek sigma at the end of a word has a lower-case letter of its own. */
static int32_t lower_sigma(const Reader *reader)
{
    size_t used;

    if (!reader->in_word)
        return utf8proc_tolower(CAPITAL_SIGMA);
    if (reader->at < reader->length &&
        is_letter(decode(reader->source + reader->at, reader->length - reader->at, &used)))
        return utf8proc_tolower(CAPITAL_SIGMA);
    return FINAL_SIGMA;
}

/* ---- cutting ---- */

static void close_word(Reader *reader)
{
    Tokens *tokens = reader->tokens;
    size_t least = reader->style == TOKEN_STYLE_PLAIN ? 2 : 1;

    reader->in_word = false;
    reader->word.length = (uint32_t)tokens->length - reader->word.start;
    reader->word.chunk = (uint32_t)tokens->chunk_count;
    if (reader->word_characters >= least)
        *next_token(tokens->arena, &tokens->words, &tokens->word_count, &tokens->word_capacity) =
            reader->word;
}

static void close_chunk(Reader *reader)
{
    Tokens *tokens = reader->tokens;

    reader->in_chunk = false;
    reader->chunk.length = (uint32_t)tokens->length - reader->chunk.start;
    *next_token(tokens->arena, &tokens->chunks, &tokens->chunk_count, &tokens->chunk_capacity) =
        reader->chunk;
    tokens->bytes[tokens->length++] = ' ';
}

static Token opened(const Reader *reader, size_t source_start)
{
    return (Token){.start = (uint32_t)reader->tokens->length,
                   .source_start = (uint32_t)source_start};
}

/* Everything that a character ends or begins, before its bytes are written. */
static void turn(Reader *reader, CharacterClass class, size_t source_start)
{
    if (reader->in_word && class != CHARACTER_WORD)
        close_word(reader);
    if (reader->in_chunk && class == CHARACTER_SPACE)
        close_chunk(reader);
    if (!reader->in_chunk && class != CHARACTER_SPACE) {
        reader->in_chunk = true;
        reader->chunk = opened(reader, source_start);
    }
    if (!reader->in_word && class == CHARACTER_WORD) {
        reader->in_word = true;
        reader->word_characters = 0;
        reader->word = opened(reader, source_start);
    }
}

static void put(Reader *reader, int32_t character, size_t source_start)
{
    Tokens *tokens = reader->tokens;
    CharacterClass class = class_of(character, reader);
    uint32_t source_length = (uint32_t)(reader->at - source_start);
    size_t start;

    if (class == CHARACTER_DROPPED)
        return;
    turn(reader, class, source_start);
    if (class == CHARACTER_SPACE)
        return;
    start = tokens->length;
    if (character < 128)
        tokens->bytes[tokens->length++] = (char)character;
    else
        tokens->length +=
            (size_t)utf8proc_encode_char(character, (utf8proc_uint8_t *)tokens->bytes + start);
    reader->chunk.source_length = (uint32_t)reader->at - reader->chunk.source_start;
    if (class == CHARACTER_WORD) {
        reader->word_characters++;
        reader->word.source_length = (uint32_t)reader->at - reader->word.source_start;
    } else if (reader->style == TOKEN_STYLE_RICH) {
        *next_token(tokens->arena, &tokens->words, &tokens->word_count, &tokens->word_capacity) =
            (Token){(uint32_t)start, (uint32_t)(tokens->length - start), (uint32_t)source_start,
                    source_length, (uint32_t)tokens->chunk_count};
    }
}

static void read_wide_character(Reader *reader)
{
    size_t start = reader->at, used;
    int32_t character = decode(reader->source + start, reader->length - start, &used);

    reader->at += used;
    if (character == CAPITAL_SIGMA) {
        put(reader, lower_sigma(reader), start);
    } else if (character == CAPITAL_I_WITH_DOT) { /* the one letter that becomes two */
        put(reader, 'i', start);
        put(reader, COMBINING_DOT, start);
    } else {
        put(reader, utf8proc_tolower(character), start);
    }
}

/* The common case in a loop of its own: letters, digits and _ of ASCII inside a word. */
static void read_word_bytes(Reader *reader)
{
    const unsigned char *source = reader->source;
    Tokens *tokens = reader->tokens;
    size_t start = reader->at, at = start;
    char *target = tokens->bytes + tokens->length;

    for (; at < reader->length && source[at] < 128; at++) {
        unsigned char byte = source[at];

        if (ascii_classes[byte] != CHARACTER_WORD)
            break;
        *target++ = (char)(byte >= 'A' && byte <= 'Z' ? byte + ('a' - 'A') : byte);
    }
    if (at == start)
        return;
    tokens->length += at - start;
    reader->at = at;
    reader->word_characters += at - start;
    reader->word.source_length = (uint32_t)at - reader->word.source_start;
    reader->chunk.source_length = (uint32_t)at - reader->chunk.source_start;
}

static void read_character(Reader *reader)
{
    unsigned char byte = reader->source[reader->at];

    if (byte >= 128) {
        read_wide_character(reader);
        return;
    }
    if (byte >= 'A' && byte <= 'Z')
        byte = (unsigned char)(byte + ('a' - 'A'));
    reader->at++;
    put(reader, byte, reader->at - 1);
}

void tokens_read(Tokens *tokens, TextRef text, TokenStyle style)
{
    size_t length = text.bytes ? text.length : 0;
    Reader reader = {.tokens = tokens, .source = (const unsigned char *)text.bytes, .style = style};
    size_t wanted;

    reader.length = length > TEXT_BYTES_MAX ? TEXT_BYTES_MAX : length;
    wanted = reader.length * 3 + 2 + LOAD_BYTES;
    if (wanted > tokens->byte_capacity) {
        tokens->byte_capacity = wanted;
        tokens->bytes = arena_alloc(tokens->arena, wanted, 1);
    }
    tokens->word_count = tokens->chunk_count = tokens->gram_count = 0;
    tokens->bytes[0] = ' ';
    tokens->length = 1;
    while (reader.at < reader.length) {
        read_character(&reader);
        if (reader.in_word)
            read_word_bytes(&reader);
    }
    turn(&reader, CHARACTER_SPACE, reader.at);
}

/* ---- keys ---- */

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

/* Needs LOAD_BYTES readable bytes behind the text. Little-endian machines only, like the model
 * file. */
static inline uint64_t key_of(const char *bytes, size_t length)
{
    uint64_t key = length * UINT64_C(0xa0761d6478bd642f);

    for (; length > 8; bytes += 8, length -= 8)
        key = mixed(key ^ loaded(bytes, 8));
    key = mixed(key ^ loaded(bytes, length));
    return key ? key : 1;
}

uint64_t text_key(const char *bytes, size_t length)
{
    char tail[2 * LOAD_BYTES] = {0};
    uint64_t key = length * UINT64_C(0xa0761d6478bd642f);

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

void tokens_word_grams(Tokens *tokens, size_t least, size_t most)
{
    size_t count = tokens->word_count;

    tokens->gram_count = 0;
    make_room_for_grams(tokens, count * most);
    for (size_t i = 0; i < count; i++) {
        uint64_t key = 0;

        for (size_t size = 1; size <= most && i + size <= count; size++) {
            const Token *last = &tokens->words[i + size - 1];
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
    make_room_for_grams(tokens, (tokens->length + tokens->chunk_count) * (most - least + 1));
    for (size_t i = 0; i < tokens->chunk_count; i++) {
        const Token *chunk = &tokens->chunks[i];

        add_chunk_grams(tokens, chunk->start - 1, chunk->start + chunk->length + 1, sizes);
    }
}

char *tokens_word_gram_text(const Tokens *tokens, const Gram *gram, Arena *arena)
{
    const Token *words = tokens->words + gram->first;
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
