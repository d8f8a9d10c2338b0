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
    FRACTION_BITS = 52,   /* of a double, without the one before them */
    EXPONENT_BIAS = 1023,
};

__extension__ typedef unsigned __int128 Wide;

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

/* A number from 0.0001 to 1 as exact integers: middle / 2^shift / 10^places. All above low and
 * below high reads as the same number. */
typedef struct Fraction {
    Wide low, middle, high;
    int shift;
    size_t places;
} Fraction;

/* 54 bits of the number and 67 of 10^20 fit into 128. Without powers of two: their neighbours lie
 * at two distances. */
static bool fraction_read(double value, Fraction *fraction)
{
    static const uint64_t least_scale = UINT64_C(100000000000000000); /* 10^DIGITS_MAX */
    static const uint64_t more_scale[] = {1, 10, 100, 1000};
    size_t zeros = value < 0.001 ? 3 : value < 0.01 ? 2 : value < 0.1;
    uint64_t bits, significant, is_even;
    Wide scale, middle;

    memcpy(&bits, &value, sizeof(bits));
    significant = bits & ((UINT64_C(1) << FRACTION_BITS) - 1);
    if (!(value >= 1e-4 && value < 1) || !significant)
        return false;
    significant |= UINT64_C(1) << FRACTION_BITS;
    is_even = ~significant & 1; /* halfway to its neighbour still reads as it */
    scale = (Wide)least_scale * more_scale[zeros];
    middle = scale * (2 * significant);
    *fraction = (Fraction){
        .low = middle - scale - is_even,
        .middle = middle,
        .high = middle + scale + is_even,
        .shift = EXPONENT_BIAS + FRACTION_BITS + 1 - (int)(bits >> FRACTION_BITS),
        .places = DIGITS_MAX + zeros,
    };
    return true;
}

/* Up from the half on, and of two that are as near to the even one, as printf does. */
static bool rounds_up(const Fraction *fraction, uint64_t digits, uint64_t unit)
{
    int shift = fraction->shift - 1;
    uint64_t twice_rest = (uint64_t)(fraction->middle >> shift) - 2 * digits * unit;

    if (twice_rest != unit)
        return twice_rest > unit;
    return digits % 2 || fraction->middle & (((Wide)1 << shift) - 1);
}

/* What is nearest to the middle with as many zeros at its end as anything between low and high has;
 * these are left out. */
static uint64_t fraction_digits(Fraction *fraction)
{
    uint64_t most = (uint64_t)((fraction->high - 1) >> fraction->shift);
    uint64_t least = (uint64_t)(fraction->low >> fraction->shift) + 1;
    uint64_t digits = (uint64_t)(fraction->middle >> fraction->shift), unit = 1;

    for (; most / 10 * 10 >= least; most /= 10, least = (least + 9) / 10, unit *= 10) {
        fraction->places--;
        digits /= 10;
    }
    return digits + rounds_up(fraction, digits, unit);
}

/* Two at a time: a division has to wait for the one before it. */
static const char *fraction_write(uint64_t digits, size_t places, char text[NUMBER_TEXT_SIZE])
{
    static const char pairs[] = "0001020304050607080910111213141516171819"
                                "2021222324252627282930313233343536373839"
                                "4041424344454647484950515253545556575859"
                                "6061626364656667686970717273747576777879"
                                "8081828384858687888990919293949596979899";
    char *at = text + strlen("0.") + places;

    text[0] = '0';
    text[1] = '.';
    *at = '\0';
    for (; places >= 2; places -= 2, digits /= 100)
        memcpy(at -= 2, pairs + digits % 100 * 2, 2);
    if (places)
        *--at = (char)('0' + digits);
    return text;
}

/* yyjson finds the digits at once; trying %.15g to %.17g was a tenth of what a predict costs. */
static const char *any_format(double value, char text[NUMBER_TEXT_SIZE])
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

/* Probabilities, of which an answer is full, take a fifth of what yyjson does for any number. */
const char *number_format(double value, char text[NUMBER_TEXT_SIZE])
{
    Fraction fraction;
    uint64_t digits;

    if (!fraction_read(value, &fraction))
        return any_format(value, text);
    digits = fraction_digits(&fraction);
    return fraction_write(digits, fraction.places, text);
}
