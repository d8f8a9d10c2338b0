#include "base/id.h"

#include <stdlib.h>
#include <sys/random.h>

#include "base/digest.h"

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
