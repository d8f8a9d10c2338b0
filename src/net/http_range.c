#include "net/http_range.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* Reads digits; a number too big for 64 bits becomes the biggest one, which is beyond any file. */
static bool take_number(const char **text, uint64_t *number)
{
    const char *start = *text;

    *number = 0;
    for (; **text >= '0' && **text <= '9'; (*text)++) {
        uint64_t digit = (uint64_t)(**text - '0');

        if (*number > (UINT64_MAX - digit) / 10)
            *number = UINT64_MAX;
        else
            *number = *number * 10 + digit;
    }
    return *text > start;
}

static HttpRange part_of(uint64_t first, uint64_t last, uint64_t file_size)
{
    if (first >= file_size)
        return (HttpRange){.kind = HTTP_RANGE_UNSATISFIABLE};
    if (last >= file_size)
        last = file_size - 1;
    return (HttpRange){.kind = HTTP_RANGE_PART, .offset = first, .size = last - first + 1};
}

/* The last bytes of the file: "bytes=-500". */
static HttpRange end_of(uint64_t count, uint64_t file_size)
{
    if (count == 0 || file_size == 0)
        return (HttpRange){.kind = HTTP_RANGE_UNSATISFIABLE};
    if (count > file_size)
        count = file_size;
    return (HttpRange){.kind = HTTP_RANGE_PART, .offset = file_size - count, .size = count};
}

HttpRange http_range_read(const char *header, uint64_t file_size)
{
    const HttpRange whole = {.kind = HTTP_RANGE_WHOLE, .size = file_size};
    uint64_t first, last = UINT64_MAX;
    bool has_first, has_last;

    if (!header || strncasecmp(header, "bytes=", 6) != 0)
        return whole;

    header += 6;
    has_first = take_number(&header, &first);
    if (*header != '-')
        return whole;
    header++;
    has_last = take_number(&header, &last);
    if (*header != '\0' || (!has_first && !has_last))
        return whole;

    if (!has_first)
        return end_of(last, file_size);
    if (!has_last)
        last = UINT64_MAX;
    return last < first ? whole : part_of(first, last, file_size);
}
