#include "base/number.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <yyjson.h>

#include "base/text.h"

enum {
    DIGITS_MAX = 17,
    PRECISION_LEAST = 15, /* integers below 10^15 have no exponent */
    EXPONENT_LEAST = -4,  /* %g: smaller ones have an exponent */
    WRITER_BYTES = 512,   /* yyjson asks its pool for 40 bytes and a little more */
};

/* value = 0.d1d2d3... x 10^point */
typedef struct Decimal {
    char digits[DIGITS_MAX + 1];
    size_t count;
    int point;
    bool is_negative;
} Decimal;

static void take_digit(Decimal *decimal, char digit, bool is_fraction)
{
    if (decimal->count == 0 && digit == '0') {
        decimal->point -= is_fraction;
        return;
    }
    decimal->point += !is_fraction;
    if (decimal->count < DIGITS_MAX)
        decimal->digits[decimal->count++] = digit;
}

/* From any way to write a decimal number. */
static Decimal decimal_read(const char *text)
{
    Decimal decimal = {.is_negative = *text == '-'};
    bool is_fraction = false;

    for (text += decimal.is_negative; *text; text++) {
        if (*text == 'e' || *text == 'E') {
            decimal.point += (int)strtol(text + 1, NULL, 10);
            break;
        }
        if (*text == '.')
            is_fraction = true;
        else
            take_digit(&decimal, *text, is_fraction);
    }
    while (decimal.count && decimal.digits[decimal.count - 1] == '0')
        decimal.count--;
    return decimal;
}

static char *put(char *at, const char *bytes, size_t count)
{
    memcpy(at, bytes, count);
    return at + count;
}

static char *put_zeros(char *at, int count)
{
    memset(at, '0', (size_t)count);
    return at + count;
}

static char *put_plain(char *at, const Decimal *decimal)
{
    size_t whole = decimal->point > 0 ? (size_t)decimal->point : 0;

    if (whole >= decimal->count)
        return put_zeros(put(at, decimal->digits, decimal->count), (int)(whole - decimal->count));
    if (whole)
        at = put(put(at, decimal->digits, whole), ".", 1);
    else
        at = put_zeros(put(at, "0.", 2), -decimal->point);
    return put(at, decimal->digits + whole, decimal->count - whole);
}

static char *put_exponent(char *at, int exponent)
{
    unsigned size = (unsigned)abs(exponent);

    *at++ = 'e';
    *at++ = exponent < 0 ? '-' : '+';
    if (size >= 100)
        *at++ = (char)('0' + size / 100);
    *at++ = (char)('0' + size / 10 % 10);
    *at++ = (char)('0' + size % 10);
    return at;
}

static char *put_decimal(char *at, const Decimal *decimal)
{
    int exponent = decimal->point - 1;
    int precision = decimal->count > PRECISION_LEAST ? (int)decimal->count : PRECISION_LEAST;

    if (exponent >= EXPONENT_LEAST && exponent < precision)
        return put_plain(at, decimal);
    *at++ = decimal->digits[0];
    if (decimal->count > 1)
        at = put(put(at, ".", 1), decimal->digits + 1, decimal->count - 1);
    return put_exponent(at, exponent);
}

/* Within these bounds both write all digits and no exponent, but for ".0". */
static bool is_plain(double value)
{
    double size = fabs(value);

    return size >= 1e-4 && size < 1e15;
}

static const char *copy_plain(const char *written, char text[NUMBER_TEXT_SIZE])
{
    size_t length = strlen(written);

    if (text_has_suffix(written, ".0"))
        length -= 2;
    *put(text, written, length) = '\0';
    return text;
}

/* yyjson finds the digits at once; trying %.15g to %.17g was a tenth of what a predict costs. */
const char *number_format(double value, char text[NUMBER_TEXT_SIZE])
{
    char pool[WRITER_BYTES], *at = text;
    yyjson_mut_val number = {0};
    yyjson_alc allocator;
    const char *written;
    Decimal decimal;

    yyjson_alc_pool_init(&allocator, pool, sizeof(pool));
    yyjson_mut_set_real(&number, value);
    written = yyjson_mut_val_write_opts(&number, 0, &allocator, NULL, NULL);
    if (!written)
        abort();
    if (is_plain(value))
        return copy_plain(written, text);
    decimal = decimal_read(written);
    if (decimal.is_negative)
        *at++ = '-';
    at = decimal.count ? put_decimal(at, &decimal) : put(at, "0", 1);
    *at = 0;
    return text;
}
