/* http_range.h: the Range header of a request (RFC 9110, 14.2), as a pure function. */
#pragma once

#include <stdint.h>

typedef enum HttpRangeKind {
    HTTP_RANGE_WHOLE,         /* no range that we follow: send everything, 200 */
    HTTP_RANGE_PART,          /* send the part, 206 */
    HTTP_RANGE_UNSATISFIABLE, /* nothing of it exists, 416 */
} HttpRangeKind;

typedef struct HttpRange {
    HttpRangeKind kind;
    uint64_t offset;
    uint64_t size;
} HttpRange;

/* What a header (or NULL) asks of a file of that size. Other units, several ranges and malformed
 * headers are ignored, as the standard allows, and give the whole file. */
HttpRange http_range_read(const char *header, uint64_t file_size);
