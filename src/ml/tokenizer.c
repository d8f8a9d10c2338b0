#include "ml/tokenizer.h"

#include <stdbool.h>
#include <string.h>
#include <utf8proc.h>

#include "base/lanes.h"

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

/* Lower-cased, with what Unicode says of it. */
typedef struct Character {
    int32_t code;
    utf8proc_category_t category;
} Character;

/* ---- buffers ---- */

static void make_room(TokenList *list, size_t more, Arena *arena)
{
    Token *larger;

    if (list->count + more <= list->capacity)
        return;
    list->capacity = list->capacity * 2 + more;
    larger = arena_array(arena, Token, list->capacity);
    if (list->count)
        memcpy(larger, list->items, list->count * sizeof(*larger));
    list->items = larger;
}

static void append(TokenList *list, Token token, Arena *arena)
{
    make_room(list, 1, arena);
    list->items[list->count++] = token;
}

Tokens tokens_in(Arena *arena)
{
    return (Tokens){.lanes = lanes_level(), .arena = arena};
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
static CharacterClass class_of(Character character, const Reader *reader)
{
    utf8proc_category_t category = character.category;

    if (character.code < 128)
        return (CharacterClass)ascii_classes[character.code];
    if (is_space(character.code))
        return CHARACTER_SPACE;
    if ((category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO) ||
        (category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO))
        return CHARACTER_WORD;
    if (reader->style == TOKEN_STYLE_PLAIN)
        return CHARACTER_OTHER;
    if (is_mark(category))
        return reader->in_word ? CHARACTER_WORD : CHARACTER_DROPPED;
    return category == UTF8PROC_CATEGORY_CF ? CHARACTER_DROPPED : CHARACTER_OTHER;
}

/* One look at the properties tells both. */
static Character lower_case(int32_t code)
{
    const utf8proc_property_t *property = utf8proc_get_property(code);

    if (property->lowercase_seqindex != UINT16_MAX) {
        code = utf8proc_tolower(code);
        property = utf8proc_get_property(code);
    }
    return (Character){code, (utf8proc_category_t)property->category};
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

/* The word that was open has its length. */
static void finish_word(Reader *reader)
{
    size_t least = reader->style == TOKEN_STYLE_PLAIN ? 2 : 1;

    reader->in_word = false;
    if (reader->word_characters >= least)
        append(&reader->tokens->words, reader->word, reader->tokens->arena);
}

static void close_word(Reader *reader)
{
    reader->word.length = (uint32_t)reader->tokens->length - reader->word.start;
    finish_word(reader);
}

static void close_chunk(Reader *reader)
{
    Tokens *tokens = reader->tokens;

    reader->in_chunk = false;
    reader->chunk.length = (uint32_t)tokens->length - reader->chunk.start;
    if (!tokens->words_alone)
        append(&tokens->chunks, reader->chunk, tokens->arena);
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

static void put(Reader *reader, Character character, size_t source_start)
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
    if (character.code < 128)
        tokens->bytes[tokens->length++] = (char)character.code;
    else
        tokens->length +=
            (size_t)utf8proc_encode_char(character.code, (utf8proc_uint8_t *)tokens->bytes + start);
    reader->chunk.source_length = (uint32_t)reader->at - reader->chunk.source_start;
    if (class == CHARACTER_WORD) {
        reader->word_characters++;
        reader->word.source_length = (uint32_t)reader->at - reader->word.source_start;
    } else if (reader->style == TOKEN_STYLE_RICH) {
        append(&tokens->words,
               (Token){(uint32_t)start, (uint32_t)(tokens->length - start), (uint32_t)source_start,
                       source_length},
               tokens->arena);
    }
}

static void read_wide_character(Reader *reader)
{
    size_t start = reader->at, used;
    int32_t character = decode(reader->source + start, reader->length - start, &used);

    reader->at += used;
    if (character == CAPITAL_SIGMA) {
        put(reader, lower_case(lower_sigma(reader)), start);
    } else if (character == CAPITAL_I_WITH_DOT) { /* the one letter that becomes two */
        put(reader, lower_case('i'), start);
        put(reader, lower_case(COMBINING_DOT), start);
    } else {
        put(reader, lower_case(character), start);
    }
}

/* ---- ASCII, up to 63 bytes at once ---- */

static TextLanes read_lanes(const unsigned char *source, size_t count, char *target)
{
    unsigned char padded[LANE_BYTES] = {0};

    if (count < LANE_BYTES)
        source = memcpy(padded, source, count);
    return lanes_read_text(source, target);
}

static LANES_AVX512 TextLanes read_lanes_avx512(const unsigned char *source, size_t count,
                                                char *target)
{
    return lanes_read_text_avx512(source, count, target);
}

/* Up to 64 bytes; those behind them are as NULs. */
static TextLanes (*const lane_readers[LANE_LEVELS])(const unsigned char *, size_t, char *) = {
    [LANES_OF_ALL] = read_lanes,
    [LANES_OF_AVX2] = read_lanes,
    [LANES_OF_AVX512] = read_lanes_avx512,
};

/* What every character of a step has in common. */
typedef struct Step {
    size_t source, target, count; /* the first byte of each, how many: 1 to STEP_BYTES */
    bool is_last;                 /* the text ends with it */
} Step;

/* Less than what is read by a place, so that the end of the last token has a bit, too. */
enum { STEP_BYTES = LANE_BYTES - 1 };

/* Where a run that goes on from the bytes before ends; so many bytes when it does not. */
static size_t run_length(uint64_t members, size_t count)
{
    uint64_t others = ~members;
    size_t length = others ? (size_t)__builtin_ctzll(others) : 64;

    return length < count ? length : count;
}

/* Tokens that begin in a step: the first byte of each and the one behind it, a bit each. There is
 * no end of the last one when the next bytes may belong to it. */
typedef struct Runs {
    uint64_t starts, ends;
} Runs;

/* The bits of its characters. */
static uint64_t bits_of(const Step *step)
{
    return (UINT64_C(1) << step->count % LANE_BYTES) - 1;
}

static Runs runs_of(uint64_t members, const Step *step)
{
    uint64_t all = bits_of(step), follow = members << 1;

    return (Runs){.starts = members & ~follow & all,
                  .ends = follow & ~members & (step->is_last ? UINT64_MAX : all)};
}

/* With both its places at once, by two additions. */
static void put_token(const Step *step, uint64_t start, uint64_t end, Token *token)
{
    uint64_t place = start | (end - start) << 32;
    uint64_t places[2] = {step->target + place, step->source + place};

    memcpy(token, places, sizeof(places));
}

/* Those that end, but for shorter ones than least; returns the start of one that does not. */
static uint64_t append_runs(TokenList *list, Runs runs, size_t least, const Step *step)
{
    const Step local = *step; /* nothing that is written below can change it */
    Token *next = list->items + list->count;

    for (; runs.ends; runs.ends &= runs.ends - 1, runs.starts &= runs.starts - 1) {
        size_t start = (size_t)__builtin_ctzll(runs.starts);
        size_t end = (size_t)__builtin_ctzll(runs.ends);

        put_token(&local, start, end, next);
        next += end - start >= least;
    }
    list->count = (size_t)(next - list->items);
    return runs.starts;
}

static Token open_token(const Step *step, uint64_t starts)
{
    size_t start = (size_t)__builtin_ctzll(starts);
    Token token;

    put_token(step, start, step->count, &token);
    return token;
}

/* The rest of a token that the bytes before have begun, which may be none. */
static void extend(Token *token, size_t length, const Step *step)
{
    token->length = (uint32_t)(step->target + length) - token->start;
    if (length)
        token->source_length = (uint32_t)(step->source + length) - token->source_start;
}

static void step_words(Reader *reader, TextLanes lanes, const Step *step)
{
    TokenList *words = &reader->tokens->words;
    bool is_rich = reader->style == TOKEN_STYLE_RICH;
    uint64_t members = lanes.words, open;
    Runs runs;

    if (reader->in_word) {
        size_t length = run_length(members, step->count);

        extend(&reader->word, length, step);
        reader->word_characters += length;
        if (length == step->count)
            return;
        finish_word(reader);
        members &= ~UINT64_C(0) << length;
    }
    runs = runs_of(members, step);
    if (is_rich) { /* another character stands alone */
        uint64_t alone = ~(lanes.words | lanes.spaces) & bits_of(step);

        runs.starts |= alone;
        runs.ends |= alone << 1;
    }
    make_room(words, LANE_BYTES, reader->tokens->arena);
    open = append_runs(words, runs, is_rich ? 1 : 2, step);
    reader->in_word = open != 0;
    if (reader->in_word) {
        reader->word = open_token(step, open);
        reader->word_characters = reader->word.length;
    }
}

static void step_chunks(Reader *reader, TextLanes lanes, const Step *step)
{
    TokenList *chunks = &reader->tokens->chunks;
    uint64_t members = ~lanes.spaces, open;

    make_room(chunks, LANE_BYTES, reader->tokens->arena);
    if (reader->in_chunk) {
        size_t length = run_length(members, step->count);

        extend(&reader->chunk, length, step);
        if (length == step->count)
            return;
        chunks->items[chunks->count++] = reader->chunk;
        members &= ~UINT64_C(0) << length;
    }
    open = append_runs(chunks, runs_of(members, step), 1, step);
    reader->in_chunk = open != 0;
    if (reader->in_chunk)
        reader->chunk = open_token(step, open);
}

/* A full step gives back a word at its end that may go on, if it is not all of the step: it is
 * found whole by the next one, which is less work than to put it together. */
static size_t without_open_word(uint64_t words)
{
    uint64_t others = ~(words << 1); /* from the last byte of the step down */
    size_t open = others ? (size_t)__builtin_clzll(others) : 64;

    return open < STEP_BYTES ? STEP_BYTES - open : STEP_BYTES;
}

/* The ASCII characters ahead, up to STEP_BYTES, to the first space of a run that is not alone: then
 * source and target keep their distance. */
static void read_ascii(Reader *reader)
{
    Tokens *tokens = reader->tokens;
    size_t left = reader->length - reader->at;
    Step step = {.source = reader->at, .target = tokens->length};
    TextLanes lanes = lane_readers[tokens->lanes](reader->source + reader->at,
                                                  left < LANE_BYTES ? left : LANE_BYTES,
                                                  tokens->bytes + tokens->length);
    uint64_t repeated = lanes.spaces & (lanes.spaces << 1 | !reader->in_chunk);
    uint64_t stops = lanes.wide | repeated;
    size_t stop = stops ? (size_t)__builtin_ctzll(stops) : LANE_BYTES;

    step.count = left <= STEP_BYTES ? left : without_open_word(lanes.words);
    step.is_last = step.count == left && stop >= left;
    if (stop < step.count)
        step.count = stop;
    if (step.count) {
        step_words(reader, lanes, &step);
        if (tokens->words_alone)
            reader->in_chunk = !(lanes.spaces >> (step.count - 1) & 1);
        else
            step_chunks(reader, lanes, &step);
    }
    tokens->length += step.count;
    reader->at += step.count;
    if (step.count == stop) /* of repeated spaces one is enough */
        reader->at += run_length(lanes.spaces >> stop, left - stop);
}

void tokens_read(Tokens *tokens, TextRef text, TokenStyle style)
{
    size_t length = text.bytes ? text.length : 0;
    Reader reader = {.tokens = tokens, .source = (const unsigned char *)text.bytes, .style = style};
    size_t wanted;

    reader.length = length > TEXT_BYTES_MAX ? TEXT_BYTES_MAX : length;
    wanted = reader.length * 3 + 2 + TOKEN_SPARE_BYTES;
    if (wanted > tokens->byte_capacity) {
        tokens->byte_capacity = wanted;
        tokens->bytes = arena_alloc(tokens->arena, wanted, 1);
    }
    tokens->words.count = tokens->chunks.count = tokens->gram_count = 0;
    tokens->is_ascii = true;
    tokens->bytes[0] = ' ';
    tokens->length = 1;
    while (reader.at < reader.length) {
        if (reader.source[reader.at] < 128) {
            read_ascii(&reader);
        } else {
            tokens->is_ascii = false;
            read_wide_character(&reader);
        }
    }
    turn(&reader, CHARACTER_SPACE, reader.at);
}

const Token *tokens_chunk_at(const Tokens *tokens, size_t byte)
{
    size_t low = 0, high = tokens->chunks.count;

    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;

        if (tokens->chunks.items[middle].start - 1 <= byte)
            low = middle;
        else
            high = middle;
    }
    return &tokens->chunks.items[low];
}
