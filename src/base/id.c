#include "base/id.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/digest.h"
#include "base/time.h"

void random_bytes(void *bytes, size_t size)
{
    if (getrandom(bytes, size, 0) != (ssize_t)size)
        abort(); /* at most 256 bytes are asked for, which the kernel never cuts short */
}

const char *id_random(char text[ID_TEXT_SIZE])
{
    unsigned char bytes[16];

    random_bytes(bytes, sizeof(bytes));
    return hex_format(bytes, sizeof(bytes), text);
}

/* Random bytes that were asked for ahead, since a call into the kernel for each request would cost
 * as much as writing its answer. For what must be unique, not for what must be secret. */
static void take_stocked(unsigned char *bytes, size_t size)
{
    enum { STOCK_SIZE = 250 };
    static _Thread_local unsigned char stock[STOCK_SIZE];
    static _Thread_local size_t left;

    if (left < size) {
        random_bytes(stock, sizeof(stock));
        left = sizeof(stock);
    }
    left -= size;
    memcpy(bytes, stock + left, size);
}

const char *id_timed(char text[ID_TEXT_SIZE])
{
    enum { TIME_BYTES = 6 };
    uint64_t now = (uint64_t)time_now_ms();
    unsigned char bytes[16];

    for (size_t i = 0; i < TIME_BYTES; i++)
        bytes[i] = (unsigned char)(now >> (8 * (TIME_BYTES - 1 - i)));
    take_stocked(bytes + TIME_BYTES, sizeof(bytes) - TIME_BYTES);
    return hex_format(bytes, sizeof(bytes), text);
}
