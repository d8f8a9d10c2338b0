#include "tests/damage/mutate.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { HEAD_BYTES = 512, TRIES = 16 };

typedef Bytes Mutation(Bytes bytes, Random *random, Arena *arena);

static char *copy_of(Bytes bytes, Arena *arena)
{
    return arena_copy(arena, bytes.items, bytes.size);
}

/* bytes with length bytes at start replaced. */
static Bytes splice(Bytes bytes, size_t start, size_t length, Bytes other, Arena *arena)
{
    size_t tail = bytes.size - start - length;
    char *made = arena_alloc(arena, start + other.size + tail + 1, 1);

    memcpy(made, bytes.items, start);
    memcpy(made + start, other.items, other.size);
    memcpy(made + start + other.size, bytes.items + start + length, tail);
    return (Bytes){made, start + other.size + tail};
}

/* A place below size, half of the time in the head; size > 0. */
static size_t place(size_t size, Random *random)
{
    size_t bound = size > HEAD_BYTES && random_below(random, 2) ? HEAD_BYTES : size;

    return (size_t)random_below(random, bound);
}

static size_t piece_length(size_t most, Random *random)
{
    size_t bound = random_below(random, 4) ? 64 : 65536;

    return 1 + (size_t)random_below(random, most < bound ? most : bound);
}

/* ---- any bytes ---- */

static Bytes cut(Bytes bytes, Random *random, Arena *arena)
{
    (void)arena;
    return (Bytes){bytes.items, place(bytes.size, random)};
}

static Bytes empty(Bytes bytes, Random *random, Arena *arena)
{
    (void)random, (void)arena;
    return (Bytes){bytes.items, 0};
}

static Bytes flip_bits(Bytes bytes, Random *random, Arena *arena)
{
    char *made = copy_of(bytes, arena);

    for (uint64_t left = 1 + random_below(random, 4); left; left--)
        made[place(bytes.size, random)] ^= (char)(1 << random_below(random, 8));
    return (Bytes){made, bytes.size};
}

static Bytes zero_piece(Bytes bytes, Random *random, Arena *arena)
{
    char *made = copy_of(bytes, arena);
    size_t start = place(bytes.size, random);

    memset(made + start, random_below(random, 2) ? 0 : 0xff,
           piece_length(bytes.size - start, random));
    return (Bytes){made, bytes.size};
}

static Bytes remove_piece(Bytes bytes, Random *random, Arena *arena)
{
    size_t start = place(bytes.size, random);

    return splice(bytes, start, piece_length(bytes.size - start, random), (Bytes){"", 0}, arena);
}

static Bytes repeat_piece(Bytes bytes, Random *random, Arena *arena)
{
    size_t start = place(bytes.size, random);
    Bytes piece = {bytes.items + start, piece_length(bytes.size - start, random)};

    return splice(bytes, place(bytes.size, random), 0, piece, arena);
}

static Bytes overwrite_piece(Bytes bytes, Random *random, Arena *arena)
{
    char *made = copy_of(bytes, arena);
    size_t from = place(bytes.size, random), into = place(bytes.size, random);
    size_t most = bytes.size - (from > into ? from : into);

    memmove(made + into, made + from, piece_length(most, random));
    return (Bytes){made, bytes.size};
}

static Bytes lengthen(Bytes bytes, Random *random, Arena *arena)
{
    char tail[64];
    size_t size = 1 + (size_t)random_below(random, sizeof(tail));

    for (size_t i = 0; i < size; i++)
        tail[i] = (char)random_next(random);
    return splice(bytes, bytes.size, 0, (Bytes){tail, size}, arena);
}

static Mutation *const byte_mutations[] = {cut,          empty,        flip_bits,       zero_piece,
                                           remove_piece, repeat_piece, overwrite_piece, lengthen};

/* ---- numbers of a binary file ---- */

static uint64_t odd_number(uint64_t number, size_t file_size, Random *random)
{
    const uint64_t numbers[] = {
        0,
        1,
        number + 1,
        number - 1,
        number * 2,
        number / 2,
        UINT32_MAX,
        INT32_MAX,
        UINT64_MAX,
        INT64_MAX,
        UINT64_MAX / 8,
        UINT32_MAX / 8,
        file_size,
        file_size - 1,
        file_size + 1,
        1ULL << 31,
        1ULL << 40,
        random_next(random),
        number ^ (1ULL << random_below(random, 64)),
        number + random_below(random, 256),
    };

    return numbers[random_below(random, sizeof(numbers) / sizeof(*numbers))];
}

static Bytes set_number(Bytes bytes, Random *random, Arena *arena)
{
    size_t width = random_below(random, 2) ? 4 : 8;
    uint64_t number = 0;
    char *made = copy_of(bytes, arena);
    size_t at;

    if (bytes.size < 16)
        return bytes;
    at = place(bytes.size - 8, random) / 4 * 4;
    memcpy(&number, made + at, width);
    number = odd_number(number, bytes.size, random);
    memcpy(made + at, &number, width);
    return (Bytes){made, bytes.size};
}

static Bytes set_double(Bytes bytes, Random *random, Arena *arena)
{
    const double doubles[] = {NAN, INFINITY, -INFINITY, 0, -0.0, 1e308, -1e308, 1e-308, 1, -1};
    double number = doubles[random_below(random, sizeof(doubles) / sizeof(*doubles))];
    char *made = copy_of(bytes, arena);

    if (bytes.size < 16)
        return bytes;
    memcpy(made + place(bytes.size - 8, random) / 4 * 4, &number, sizeof(number));
    return (Bytes){made, bytes.size};
}

/* Weights: of one term a great one, of all a little other ones. */
static Bytes change_floats(Bytes bytes, Random *random, Arena *arena)
{
    char *made = copy_of(bytes, arena);
    float factor = (float)(random_unit(random) * 4 - 2);
    size_t at = place(bytes.size, random) / 4 * 4, count = 1 + random_below(random, 4096);

    for (; count && at + 4 <= bytes.size; count--, at += 4) {
        float number;

        memcpy(&number, made + at, sizeof(number));
        number *= factor;
        memcpy(made + at, &number, sizeof(number));
    }
    return (Bytes){made, bytes.size};
}

static Bytes swap_numbers(Bytes bytes, Random *random, Arena *arena)
{
    char *made = copy_of(bytes, arena);
    size_t one, other;

    if (bytes.size < 16)
        return bytes;
    one = place(bytes.size - 8, random) / 8 * 8;
    other = place(bytes.size - 8, random) / 8 * 8;
    memcpy(made + one, bytes.items + other, 8);
    memcpy(made + other, bytes.items + one, 8);
    return (Bytes){made, bytes.size};
}

static Mutation *const binary_mutations[] = {
    set_number, set_number,    set_number,   set_double,   change_floats,
    set_double, change_floats, swap_numbers, mutate_bytes, mutate_bytes,
};

/* ---- parts of a text ---- */

/* From start to the end of a number, a text with its quotes, a word, or one character. */
static size_t token_length(Bytes bytes, size_t start)
{
    size_t end = start + 1;

    if (bytes.items[start] == '"') {
        while (end < bytes.size && bytes.items[end] != '"')
            end += bytes.items[end] == '\\' && end + 1 < bytes.size ? 2 : 1;
        return (end < bytes.size ? end + 1 : end) - start;
    }
    if (isalnum((unsigned char)bytes.items[start]) || bytes.items[start] == '-')
        while (end < bytes.size && (isalnum((unsigned char)bytes.items[end]) ||
                                    (bytes.items[end] && strchr("+-._", bytes.items[end]))))
            end++;
    return end - start;
}

/* Tokens follow one another from a place on; the first may be the rest of one. */
static Bytes draw_token(Bytes bytes, Random *random, size_t *start)
{
    size_t length = 0;

    *start = (size_t)random_below(random, bytes.size);
    for (uint64_t left = 1 + random_below(random, 8); left && *start + length < bytes.size;
         left--) {
        *start += length;
        length = token_length(bytes, *start);
    }
    return (Bytes){bytes.items + *start, length};
}

static Bytes replace_token(Bytes bytes, Random *random, Arena *arena)
{
    static const char *const others[] = {
        "0",
        "-1",
        "1",
        "0.5",
        "1e308",
        "1e999",
        "-0.0",
        "18446744073709551616",
        "1e-300",
        "NaN",
        "null",
        "true",
        "{}",
        "[]",
        "\"\"",
        "\"x\"",
        "\"text\"",
        "\"number\"",
        "\"category\"",
        "\"\\u0000\"",
        "\"\\ud800\"",
        "\"\xff\xfe\"",
        "[[[[[[[[",
        "{\"a\":",
        ",",
        ":",
        "]",
        "}",
        "99999999999",
        "0.9999999999",
        "\"CONTENT\"",
        "\"golden.json\"",
    };
    const char *other = others[random_below(random, sizeof(others) / sizeof(*others))];
    size_t start;
    Bytes token = draw_token(bytes, random, &start);

    return splice(bytes, start, token.size, (Bytes){other, strlen(other)}, arena);
}

static Bytes remove_token(Bytes bytes, Random *random, Arena *arena)
{
    size_t start;
    Bytes token = draw_token(bytes, random, &start);

    return splice(bytes, start, token.size, (Bytes){"", 0}, arena);
}

static Bytes exchange_token(Bytes bytes, Random *random, Arena *arena)
{
    size_t start, ignored;
    Bytes token = draw_token(bytes, random, &start);

    return splice(bytes, start, token.size, draw_token(bytes, random, &ignored), arena);
}

static Bytes change_digit(Bytes bytes, Random *random, Arena *arena)
{
    char *made = copy_of(bytes, arena);
    size_t at = (size_t)random_below(random, bytes.size);

    while (at < bytes.size && !isdigit((unsigned char)made[at]))
        at++;
    if (at < bytes.size)
        made[at] = (char)('0' + random_below(random, 10));
    return (Bytes){made, bytes.size};
}

/* Brackets nested deeper than anybody reads. */
static Bytes nest(Bytes bytes, Random *random, Arena *arena)
{
    size_t depth = (size_t)random_below(random, 100000) + 1, start;
    char *brackets = arena_alloc(arena, depth, 1);
    Bytes token = draw_token(bytes, random, &start);

    memset(brackets, random_below(random, 2) ? '[' : '{', depth);
    return splice(bytes, start, token.size, (Bytes){brackets, depth}, arena);
}

static Mutation *const json_mutations[] = {
    replace_token, replace_token,  remove_token, exchange_token, change_digit,
    change_digit,  exchange_token, nest,         mutate_bytes,
};

/* ---- lines of a listing ---- */

static Bytes draw_line(Bytes bytes, Random *random, size_t *start)
{
    size_t at = (size_t)random_below(random, bytes.size), end;

    while (at && bytes.items[at - 1] != '\n')
        at--;
    for (end = at; end < bytes.size && bytes.items[end] != '\n';)
        end++;
    *start = at;
    return (Bytes){bytes.items + at, (end < bytes.size ? end + 1 : end) - at};
}

static Bytes drop_line(Bytes bytes, Random *random, Arena *arena)
{
    size_t start;
    Bytes line = draw_line(bytes, random, &start);

    return splice(bytes, start, line.size, (Bytes){"", 0}, arena);
}

static Bytes repeat_line(Bytes bytes, Random *random, Arena *arena)
{
    size_t start, other;
    Bytes line = draw_line(bytes, random, &start);

    (void)draw_line(bytes, random, &other);
    return splice(bytes, other, 0, line, arena);
}

/* The digest of one line before the rest of another: two files under each other's names. */
static Bytes exchange_digest(Bytes bytes, Random *random, Arena *arena)
{
    size_t one, other, length = 64;
    Bytes line = draw_line(bytes, random, &one);

    (void)draw_line(bytes, random, &other);
    if (line.size < length || other + length > bytes.size)
        return bytes;
    return splice(bytes, other, length, (Bytes){line.items, length}, arena);
}

static Bytes replace_path(Bytes bytes, Random *random, Arena *arena)
{
    static const char *const paths[] = {
        "../model.slipway\n",
        "/etc/passwd\n",
        "a/../../b\n",
        "\n",
        "model.slipway\n",
        "./x\n",
        "a//b\n",
        "zzz\n",
        "a\r\n",
        "x\0y\n",
        "CON\n",
    };
    const char *path = paths[random_below(random, sizeof(paths) / sizeof(*paths))];
    size_t start, space;
    Bytes line = draw_line(bytes, random, &start);

    for (space = line.size; space && line.items[space - 1] != ' ';)
        space--;
    return splice(bytes, start + space, line.size - space, (Bytes){path, strlen(path)}, arena);
}

static Bytes replace_size(Bytes bytes, Random *random, Arena *arena)
{
    static const char *const sizes[] = {"0",   "-1", "1",    "9223372036854775807",
                                        "1e9", "",   "0x10", "99999999999999999999"};
    const char *size = sizes[random_below(random, sizeof(sizes) / sizeof(*sizes))];
    size_t start, end;
    Bytes line = draw_line(bytes, random, &start);

    if (line.size < 66)
        return bytes;
    for (end = 65; end < line.size && line.items[end] != ' ';)
        end++;
    return splice(bytes, start + 65, end - 65, (Bytes){size, strlen(size)}, arena);
}

static Mutation *const listing_mutations[] = {
    drop_line,    repeat_line,  exchange_digest, replace_path, replace_size,
    change_digit, replace_path, exchange_digest, mutate_bytes,
};

/* ---- choosing ---- */

static bool differs(Bytes one, Bytes other)
{
    return one.size != other.size || (one.size && memcmp(one.items, other.items, one.size) != 0);
}

/* Draws until something has changed. */
static Bytes draw(Mutation *const *mutations, size_t count, Bytes bytes, Random *random,
                  Arena *arena)
{
    for (size_t i = 0; i < TRIES && bytes.size; i++) {
        Bytes made = mutations[random_below(random, count)](bytes, random, arena);

        if (differs(made, bytes))
            return made;
    }
    return lengthen(bytes, random, arena);
}

Bytes mutate_bytes(Bytes bytes, Random *random, Arena *arena)
{
    return draw(byte_mutations, COUNT(byte_mutations), bytes, random, arena);
}

Bytes mutate_binary(Bytes bytes, Random *random, Arena *arena)
{
    return draw(binary_mutations, COUNT(binary_mutations), bytes, random, arena);
}

Bytes mutate_json(Bytes bytes, Random *random, Arena *arena)
{
    return draw(json_mutations, COUNT(json_mutations), bytes, random, arena);
}

Bytes mutate_listing(Bytes bytes, Random *random, Arena *arena)
{
    return draw(listing_mutations, COUNT(listing_mutations), bytes, random, arena);
}
