#include "cli/sample_grammar.h"

#include "tests/test.h"

static const char *const roots[] = {"spam", "song", "either", "late spam", "late song", "author"};

/* A rule that is named in a text but does not exist ends the program, and so fails this. */
static void test_every_text_of_every_rule_can_be_drawn(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Random random = random_seeded(1);

    for (size_t root = 0; root < COUNT(roots); root++) {
        for (int i = 0; i < 3000; i++) {
            const char *text = grammar_draw(roots[root], &random, arena);

            EXPECT(*text);
            EXPECT(!strpbrk(text, "{}"));
            EXPECT(!strstr(text, ", ,") && !strstr(text, "  "));
            EXPECT(text_is_utf8(text, strlen(text)));
        }
    }
}

static void test_the_same_seed_draws_the_same_comments(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Random one = random_seeded(7), same = random_seeded(7), other = random_seeded(8);
    int different = 0;

    for (int i = 0; i < 50; i++) {
        const char *text = grammar_draw("spam", &one, arena);

        EXPECT_TEXT(grammar_draw("spam", &same, arena), text);
        different += strcmp(grammar_draw("spam", &other, arena), text) != 0;
    }
    EXPECT(different > 40);
}

int main(int count, char **names)
{
    static const Test tests[] = {TEST(test_every_text_of_every_rule_can_be_drawn),
                                 TEST(test_the_same_seed_draws_the_same_comments),
                                 {0}};

    return test_main(tests, count, names);
}
