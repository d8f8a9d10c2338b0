#include "notify/uuid.h"

#include <stdio.h>

#include "base/digest.h"
#include "base/id.h"

enum { UUID_BYTES = 16 };

const char *uuid_make(char text[UUID_TEXT_SIZE])
{
    unsigned char bytes[UUID_BYTES];
    char digits[2 * UUID_BYTES + 1];

    random_bytes(bytes, sizeof(bytes));
    bytes[6] = (unsigned char)((bytes[6] & 0x0f) | 0x40); /* version 4 */
    bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80); /* variant 1 */
    hex_format(bytes, sizeof(bytes), digits);
    snprintf(text, UUID_TEXT_SIZE, "%.8s-%.4s-%.4s-%.4s-%.12s", digits, digits + 8, digits + 12,
             digits + 16, digits + 20);
    return text;
}
