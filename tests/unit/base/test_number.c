#include "base/number.h"

#include <stdbool.h>
#include <stdint.h>

#include "base/attributes.h"
#include "tests/test.h"

/* The shortest of %.15g to %.17g that reads as the same number. */
static const char *by_trying(double value, char text[NUMBER_TEXT_SIZE])
{
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(text, NUMBER_TEXT_SIZE, "%.*g", precision, value);
        if (strtod(text, NULL) == value)
            break;
    }
    return text;
}

static double double_of(uint64_t bits)
{
    double value;

    memcpy(&value, &bits, sizeof(value));
    return value;
}

static uint64_t next_bits(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state ^ *state >> 29;
}

static void test_numbers_look_as_printf_shows_them(void)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {0, "0"},
        {-0.0, "-0"},
        {1, "1"},
        {-3, "-3"},
        {10, "10"},
        {0.1, "0.1"},
        {0.0001, "0.0001"},
        {0.00001, "1e-05"},
        {1.5e-7, "1.5e-07"},
        {123456.789, "123456.789"},
        {999999999999999, "999999999999999"},
        {1e15, "1e+15"},
        {1234567890123456, "1234567890123456"},
        {9007199254740992, "9007199254740992"},
        {1e22, "1e+22"},
        {1.7976931348623157e308, "1.7976931348623157e+308"},
        {5e-324, "5e-324"},
        {0.1 + 0.2, "0.30000000000000004"},
        {100, "100"},
        {120000, "120000"},
    };
    char text[NUMBER_TEXT_SIZE];

    for (size_t i = 0; i < COUNT(cases); i++)
        EXPECT_TEXT(number_format(cases[i].value, text), cases[i].text);
}

static bool reads_back(double value)
{
    char text[NUMBER_TEXT_SIZE];

    return !isfinite(value) || strtod(number_format(value, text), NULL) == value;
}

static void test_any_number_reads_back_as_itself(void)
{
    uint64_t state = 42;

    for (int i = 0; i < 100000; i++)
        EXPECT(reads_back(double_of(next_bits(&state))));
}

static void test_probabilities_have_the_digits_that_printf_gives(void)
{
    char text[NUMBER_TEXT_SIZE], tried[NUMBER_TEXT_SIZE];
    uint64_t state = 7;

    for (int i = 0; i < 100000; i++) {
        double value = (double)(next_bits(&state) >> 11) / 9007199254740992.0;

        EXPECT_TEXT(number_format(value, text), by_trying(value, tried));
    }
}

/* With few bits the nearest two decimals are often as far away. */
static void test_fractions_of_few_bits_have_the_digits_that_printf_gives(void)
{
    char text[NUMBER_TEXT_SIZE], tried[NUMBER_TEXT_SIZE];

    for (int bits = 1; bits <= 19; bits++)
        for (int i = 1; i < 1 << bits; i += 2) {
            double value = ldexp(i, -bits);

            EXPECT_TEXT(number_format(value, text), by_trying(value, tried));
        }
}

static void test_neighbours_of_short_decimals_have_the_digits_that_printf_gives(void)
{
    char text[NUMBER_TEXT_SIZE], tried[NUMBER_TEXT_SIZE];

    for (int i = 1; i < 10000; i++)
        for (int step = -1; step <= 1; step++) {
            double value = step ? nextafter(i / 10000.0, step) : i / 10000.0;

            EXPECT_TEXT(number_format(value, text), by_trying(value, tried));
        }
}

static void test_small_fractions_have_the_digits_that_printf_gives(void)
{
    char text[NUMBER_TEXT_SIZE], tried[NUMBER_TEXT_SIZE];
    uint64_t state = 11;

    for (int i = 0; i < 100000; i++) {
        double value = (double)(next_bits(&state) >> 11) / 9007199254740992.0 / 1000;

        EXPECT_TEXT(number_format(value, text), by_trying(value, tried));
    }
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_numbers_look_as_printf_shows_them),
        TEST(test_any_number_reads_back_as_itself),
        TEST(test_probabilities_have_the_digits_that_printf_gives),
        TEST(test_fractions_of_few_bits_have_the_digits_that_printf_gives),
        TEST(test_neighbours_of_short_decimals_have_the_digits_that_printf_gives),
        TEST(test_small_fractions_have_the_digits_that_printf_gives),
        {0},
    };

    return test_main(tests, count, names);
}
