/* unit.h: whole numbers with a unit, as "10GB" and "5s".
 *
 *     if (!unit_read(text, unit_sizes, 15, &bytes)) ...
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A table ends with a row of zeros. */
typedef struct Unit {
    const char *name;
    int64_t size;
} Unit;

extern const Unit unit_sizes[]; /* of bytes: KB to TB, KiB to TiB */

enum { UNIT_DIGITS_MAX = 18 };

/* digits_max: 1 to UNIT_DIGITS_MAX. False without digits or a unit of the table, and on what is
 * 2^63 or more. */
bool unit_read(const char *text, const Unit units[], size_t digits_max, int64_t *value);
