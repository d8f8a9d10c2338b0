#include "base/unit.h"

#include <assert.h>
#include <string.h>

#include "base/text.h"

const Unit unit_sizes[] = {
    {"KB", 1000},
    {"MB", 1000 * 1000},
    {"GB", 1000 * 1000 * 1000},
    {"TB", INT64_C(1000) * 1000 * 1000 * 1000},
    {"KiB", 1 << 10},
    {"MiB", 1 << 20},
    {"GiB", 1 << 30},
    {"TiB", INT64_C(1) << 40},
    {0},
};

bool unit_read(const char *text, const Unit units[], size_t digits_max, int64_t *value)
{
    char digits[UNIT_DIGITS_MAX + 1];
    size_t length = strspn(text, "0123456789");
    int64_t number;

    assert(digits_max <= UNIT_DIGITS_MAX);
    if (!length || length > digits_max)
        return false;
    memcpy(digits, text, length);
    digits[length] = '\0';
    for (const Unit *unit = units; unit->name; unit++) {
        if (strcmp(text + length, unit->name) != 0)
            continue;
        return text_to_int(digits, &number) && !__builtin_mul_overflow(number, unit->size, value);
    }
    return false;
}
