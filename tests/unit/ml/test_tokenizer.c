#include "ml/tokenizer.h"

#include <strings.h>

#include "tests/test.h"

static Tokens read_text(const char *text, TokenStyle style, Arena *arena)
{
    Tokens tokens = tokens_in(arena);

    tokens_read(&tokens, (TextRef){text, strlen(text)}, style);
    return tokens;
}

/* The words joined by "|". */
static const char *words_of(const char *text, TokenStyle style, Arena *arena)
{
    Tokens tokens = read_text(text, style, arena);
    char *joined = arena_text(arena, "");

    for (size_t i = 0; i < tokens.words.count; i++)
        joined =
            arena_format(arena, "%s%s%.*s", joined, i ? "|" : "", (int)tokens.words.items[i].length,
                         tokens.bytes + tokens.words.items[i].start);
    return joined;
}

static void test_plain_words_are_runs_of_two_or_more_word_characters(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();

    EXPECT_TEXT(words_of("A Cat_1 isn't -- x 42!", TOKEN_STYLE_PLAIN, arena), "cat_1|isn|42");
    EXPECT_TEXT(words_of("", TOKEN_STYLE_PLAIN, arena), "");
    EXPECT_TEXT(words_of("   \t\n", TOKEN_STYLE_PLAIN, arena), "");
}

static void test_rich_words_keep_single_characters_and_symbols(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();

    EXPECT_TEXT(words_of("A WIN: £100!!", TOKEN_STYLE_RICH, arena), "a|win|:|£|100|!|!");
}

static void test_rich_words_drop_byte_order_marks_and_keep_marks_with_their_letter(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();

    EXPECT_TEXT(words_of("\xEF\xBB\xBFhello\xEF\xBB\xBF", TOKEN_STYLE_RICH, arena), "hello");
    EXPECT_TEXT(words_of("e\xCC\x81te\xCC\x81", TOKEN_STYLE_RICH, arena), "e\xCC\x81te\xCC\x81");
    EXPECT_TEXT(words_of("e\xCC\x81te\xCC\x81", TOKEN_STYLE_PLAIN, arena), "te");
}

static void test_letters_are_lowered_as_python_lowers_them(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();

    EXPECT_TEXT(words_of("ÉTÉ ÜBER ДОМ", TOKEN_STYLE_PLAIN, arena), "été|über|дом");
    EXPECT_TEXT(words_of("ΣΟΦΟΣ", TOKEN_STYLE_PLAIN, arena), "σοφος");
    EXPECT_TEXT(words_of("İZMİR", TOKEN_STYLE_PLAIN, arena), "zmi"); /* i, a mark, zmi, a mark, r */
}

static void test_wrong_bytes_count_as_the_replacement_character(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    static const char *const wrong[] = {"\xff",     "\xc3",         "\xe2\x82",
                                        "\xc0\x80", "\xed\xa0\x80", "\xf5\x80\x80\x80"};

    EXPECT_TEXT(words_of("ab\xff"
                         "cd",
                         TOKEN_STYLE_RICH, arena),
                "ab|\xEF\xBF\xBD|cd");
    for (size_t i = 0; i < COUNT(wrong); i++) {
        Tokens tokens = read_text(wrong[i], TOKEN_STYLE_RICH, arena);

        EXPECT(tokens.words.count == strlen(wrong[i]));
        for (size_t j = 0; j < tokens.words.count; j++)
            EXPECT(memcmp(tokens.bytes + tokens.words.items[j].start, "\xEF\xBF\xBD", 3) == 0);
    }
}

static void test_tokens_know_their_bytes_in_the_original(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const char *text = "  \xC3\x89t\xC3\xA9\xff, NOW!";
    Tokens tokens = read_text(text, TOKEN_STYLE_RICH, arena);

    EXPECT(tokens.chunks.count == 2);
    EXPECT(tokens.chunks.items[0].source_start == 2 && tokens.chunks.items[0].source_length == 7);
    EXPECT(tokens.chunks.items[1].source_start == 10 && tokens.chunks.items[1].source_length == 4);
    EXPECT(tokens.words.items[0].source_start == 2 && tokens.words.items[0].source_length == 5);
    EXPECT(tokens_chunk_at(&tokens, tokens.words.items[3].start) == &tokens.chunks.items[1]);
    EXPECT(tokens_chunk_at(&tokens, 0) == &tokens.chunks.items[0]);
    EXPECT(memcmp(text + tokens.words.items[3].source_start, "NOW", 3) == 0);
}

static void test_a_missing_text_has_no_tokens(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Tokens tokens = tokens_in(arena);

    tokens_read(&tokens, (TextRef){NULL, 0}, TOKEN_STYLE_RICH);
    EXPECT(tokens.words.count == 0 && tokens.chunks.count == 0);
    tokens_word_grams(&tokens, 1, 2);
    EXPECT(tokens.gram_count == 0);
    tokens_character_grams(&tokens, 2, 5);
    EXPECT(tokens.gram_count == 0);
}

static void test_equal_grams_have_equal_keys_and_other_grams_others(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Tokens tokens = read_text("big cat big cat cat big", TOKEN_STYLE_PLAIN, arena);

    tokens_word_grams(&tokens, 2, 2);
    EXPECT(tokens.gram_count == 5);
    EXPECT(tokens.grams[0].key == tokens.grams[2].key);
    EXPECT(tokens.grams[0].key != tokens.grams[4].key);
    EXPECT_TEXT(tokens_word_gram_text(&tokens, &tokens.grams[4], arena), "cat big");
}

static void test_any_bytes_can_be_read(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Tokens tokens = tokens_in(arena);
    unsigned state = 7;
    char bytes[64];

    for (int turn = 0; turn < 20000; turn++) {
        size_t length = (size_t)turn % sizeof(bytes);

        for (size_t i = 0; i < length; i++) {
            state = state * 1103515245u + 12345u;
            bytes[i] = (char)(state >> 16);
        }
        tokens_read(&tokens, (TextRef){bytes, length},
                    turn & 1 ? TOKEN_STYLE_RICH : TOKEN_STYLE_PLAIN);
        tokens_word_grams(&tokens, 1, 3);
        tokens_character_grams(&tokens, 1, 6);
        for (size_t i = 0; i < tokens.gram_count; i++)
            EXPECT(tokens.grams[i].first + tokens.grams[i].size <= tokens.length);
    }
}

/* Any mixture of characters, with long runs of words and of spaces. */
static size_t mixed_text(unsigned *state, char *bytes, size_t length_max)
{
    static const char *const pieces[] = {"a",
                                         "Bc",
                                         "x_9",
                                         " ",
                                         " ",
                                         " ",
                                         "  ",
                                         "\t\r\n",
                                         "!",
                                         "--",
                                         "\xC3\x89",
                                         "\xF0\x9F\x98\x80",
                                         "\xE2\x80\x8B",
                                         "e\xCC\x81",
                                         "\xff",
                                         "Abcdefghijklmnopqrstuvwxyz0123456789",
                                         "                                      ",
                                         "\x1C",
                                         "\x7F",
                                         "\xC2\xA0",
                                         "\xCE\xA3"};
    size_t length = 0;

    while (length < length_max - 64) {
        const char *piece;

        *state = *state * 1103515245u + 12345u;
        piece = pieces[(*state >> 16) % COUNT(pieces)];
        if ((*state >> 9) % 16 == 0)
            break;
        memcpy(bytes + length, piece, strlen(piece));
        length += strlen(piece);
    }
    return length;
}

static void expect_same_tokens(const TokenList *tokens, const TokenList *others, uint32_t shift)
{
    EXPECT(tokens->count == others->count);
    for (size_t i = 0; i < tokens->count && i < others->count; i++) {
        EXPECT(tokens->items[i].start == others->items[i].start);
        EXPECT(tokens->items[i].length == others->items[i].length);
        EXPECT(tokens->items[i].source_start + shift == others->items[i].source_start);
        EXPECT(tokens->items[i].source_length == others->items[i].source_length);
    }
}

/* Characters are read many at once: where a step begins must not matter, nor by which instructions.
 */
static void test_a_text_is_cut_the_same_wherever_it_lies(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Tokens tokens = tokens_in(arena), others = tokens_in(arena);
    unsigned state = 5;
    char bytes[600];

    for (int turn = 0; turn < 4000; turn++) {
        TokenStyle style = turn & 1 ? TOKEN_STYLE_RICH : TOKEN_STYLE_PLAIN;
        size_t shift = (size_t)turn % 67, length = mixed_text(&state, bytes + shift, 500);

        memset(bytes, ' ', shift);
        others.lanes = (LaneLevel)((size_t)turn / 2 % (lanes_level() + 1u));
        tokens_read(&tokens, (TextRef){bytes + shift, length}, style);
        tokens_read(&others, (TextRef){bytes, shift + length}, style);
        EXPECT(tokens.length == others.length &&
               memcmp(tokens.bytes, others.bytes, tokens.length) == 0);
        expect_same_tokens(&tokens.words, &others.words, (uint32_t)shift);
        expect_same_tokens(&tokens.chunks, &others.chunks, (uint32_t)shift);
    }
}

/* A reader that knows only one character at a time, of ASCII. */
static size_t count_plain_words(const char *bytes, size_t length)
{
    size_t count = 0, run = 0;

    for (size_t i = 0; i <= length; i++) {
        char byte = i < length ? bytes[i] : ' ';

        if (byte == '_' || (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
            (byte >= 'a' && byte <= 'z')) {
            run++;
            continue;
        }
        count += run >= 2;
        run = 0;
    }
    return count;
}

static void test_every_byte_of_ascii_is_what_it_is(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Tokens tokens = tokens_in(arena);
    unsigned state = 11;
    char bytes[200];

    for (int turn = 0; turn < 4000; turn++) {
        size_t length = (size_t)turn % sizeof(bytes);

        for (size_t i = 0; i < length; i++) {
            state = state * 1103515245u + 12345u;
            bytes[i] = (char)(state >> 16 & 127);
        }
        tokens_read(&tokens, (TextRef){bytes, length}, TOKEN_STYLE_PLAIN);
        EXPECT(tokens.words.count == count_plain_words(bytes, length));
        for (size_t i = 0; i < tokens.words.count; i++) {
            Token word = tokens.words.items[i];

            EXPECT(strncasecmp(tokens.bytes + word.start, bytes + word.source_start, word.length) ==
                   0);
        }
    }
}

/* What words_alone leaves out is chunks and nothing else. */
static void test_words_are_the_same_without_chunks(void)
{
    unsigned state = 11;

    for (int turn = 0; turn < 2000; turn++) {
        CLEANUP(arena_cleanup) Arena *arena = arena_create();
        Tokens with = tokens_in(arena), without = tokens_in(arena);
        TokenStyle style = turn % 2 ? TOKEN_STYLE_RICH : TOKEN_STYLE_PLAIN;
        char bytes[300];
        size_t length = mixed_text(&state, bytes, sizeof(bytes));

        without.words_alone = true;
        tokens_read(&with, (TextRef){bytes, length}, style);
        tokens_read(&without, (TextRef){bytes, length}, style);
        EXPECT(with.length == without.length && with.words.count == without.words.count);
        EXPECT(memcmp(with.bytes, without.bytes, with.length) == 0);
        if (with.words.count && with.words.count == without.words.count)
            EXPECT(memcmp(with.words.items, without.words.items,
                          with.words.count * sizeof(Token)) == 0);
    }
}

static int compare_keys(const void *a, const void *b)
{
    uint64_t first = *(const uint64_t *)a, second = *(const uint64_t *)b;

    return first < second ? -1 : first > second;
}

/* As sets: the order of keys is free. */
static void expect_keys_of_grams(Tokens *tokens, Arena *arena)
{
    uint64_t *keys = arena_array(arena, uint64_t, tokens->gram_count);

    EXPECT(tokens->key_count == tokens->gram_count);
    if (tokens->key_count != tokens->gram_count || !tokens->key_count)
        return;
    for (size_t i = 0; i < tokens->gram_count; i++)
        keys[i] = tokens->grams[i].key;
    qsort(keys, tokens->gram_count, sizeof(*keys), compare_keys);
    qsort(tokens->keys, tokens->key_count, sizeof(*keys), compare_keys);
    EXPECT(memcmp(keys, tokens->keys, tokens->key_count * sizeof(*keys)) == 0);
}

static void test_keys_alone_are_those_of_the_grams(void)
{
    static const size_t sizes[][2] = {{1, 1}, {1, 2}, {2, 5}, {2, 3},
                                      {3, 8}, {4, 4}, {1, 9}, {5, 6}};
    unsigned state = 3;

    for (int turn = 0; turn < 2000; turn++) {
        CLEANUP(arena_cleanup) Arena *arena = arena_create();
        Tokens tokens = tokens_in(arena);
        const size_t *of = sizes[(size_t)turn % COUNT(sizes)];
        char bytes[300];
        size_t length = mixed_text(&state, bytes, sizeof(bytes));

        tokens.lanes = (LaneLevel)((unsigned)turn / COUNT(sizes) % (lanes_level() + 1u));
        tokens_read(&tokens, (TextRef){bytes, length}, TOKEN_STYLE_RICH);
        tokens_word_grams(&tokens, of[0], of[1]);
        tokens_word_keys(&tokens, of[0], of[1]);
        expect_keys_of_grams(&tokens, arena);
        tokens_character_keys(&tokens, of[0], of[1]);
        tokens_character_grams(&tokens, of[0], of[1]);
        expect_keys_of_grams(&tokens, arena);
    }
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_plain_words_are_runs_of_two_or_more_word_characters),
        TEST(test_rich_words_keep_single_characters_and_symbols),
        TEST(test_rich_words_drop_byte_order_marks_and_keep_marks_with_their_letter),
        TEST(test_letters_are_lowered_as_python_lowers_them),
        TEST(test_wrong_bytes_count_as_the_replacement_character),
        TEST(test_tokens_know_their_bytes_in_the_original),
        TEST(test_a_missing_text_has_no_tokens),
        TEST(test_equal_grams_have_equal_keys_and_other_grams_others),
        TEST(test_any_bytes_can_be_read),
        TEST(test_a_text_is_cut_the_same_wherever_it_lies),
        TEST(test_every_byte_of_ascii_is_what_it_is),
        TEST(test_words_are_the_same_without_chunks),
        TEST(test_keys_alone_are_those_of_the_grams),
        {0},
    };

    return test_main(tests, count, names);
}
