#include "ml/tokenizer.h"

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

    for (size_t i = 0; i < tokens.word_count; i++)
        joined = arena_format(arena, "%s%s%.*s", joined, i ? "|" : "", (int)tokens.words[i].length,
                              tokens.bytes + tokens.words[i].start);
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

        EXPECT(tokens.word_count == strlen(wrong[i]));
        for (size_t j = 0; j < tokens.word_count; j++)
            EXPECT(memcmp(tokens.bytes + tokens.words[j].start, "\xEF\xBF\xBD", 3) == 0);
    }
}

static void test_tokens_know_their_bytes_in_the_original(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const char *text = "  \xC3\x89t\xC3\xA9\xff, NOW!";
    Tokens tokens = read_text(text, TOKEN_STYLE_RICH, arena);

    EXPECT(tokens.chunk_count == 2);
    EXPECT(tokens.chunks[0].source_start == 2 && tokens.chunks[0].source_length == 7);
    EXPECT(tokens.chunks[1].source_start == 10 && tokens.chunks[1].source_length == 4);
    EXPECT(tokens.words[0].source_start == 2 && tokens.words[0].source_length == 5);
    EXPECT(tokens.words[3].chunk == 1);
    EXPECT(memcmp(text + tokens.words[3].source_start, "NOW", 3) == 0);
}

static void test_a_missing_text_has_no_tokens(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Tokens tokens = tokens_in(arena);

    tokens_read(&tokens, (TextRef){NULL, 0}, TOKEN_STYLE_RICH);
    EXPECT(tokens.word_count == 0 && tokens.chunk_count == 0);
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
        {0},
    };

    return test_main(tests, count, names);
}
