#include "net/encoding.h"

#include <string.h>
#include <strings.h>
#include <zlib.h>

#include "base/text.h"

/* What inflateInit2() takes: the size of the window, and what is around the data. */
enum { WINDOW = 15, GZIP = WINDOW + 16, ZLIB = WINDOW, RAW = -WINDOW, PART_BYTES = 64 * 1024 };

/* One byte more than allowed is asked for, so that a body of exactly that size is none too many. */
static int inflate_all(z_stream *stream, size_t size_max, TextBuilder *plain)
{
    int status = Z_OK;

    while (status == Z_OK && plain->count <= size_max) {
        size_t room = size_max + 1 - plain->count, part = room < PART_BYTES ? room : PART_BYTES;

        stream->next_out = (unsigned char *)text_reserve(plain, part);
        stream->avail_out = (unsigned)part;
        status = inflate(stream, Z_NO_FLUSH);
        plain->count += part - stream->avail_out;
    }
    return status;
}

/* frame: GZIP, ZLIB or RAW. false without an error: the bytes are no such stream. */
static bool unpack(int frame, const PackedBody *packed, size_t size_max, TextBuilder *plain,
                   Error *error)
{
    z_stream stream = {
        .next_in = (unsigned char *)(uintptr_t)packed->bytes,
        .avail_in = (unsigned)packed->size,
    };
    int status;

    if (inflateInit2(&stream, frame) != Z_OK)
        out_of_memory();
    plain->count = 0;
    status = inflate_all(&stream, size_max, plain);
    inflateEnd(&stream);
    if (plain->count > size_max)
        return fail(error, ERROR_TOO_LARGE, "the body has more than %zu bytes when it is unpacked",
                    size_max);
    return status == Z_STREAM_END && stream.avail_in == 0;
}

bool body_decode(const PackedBody *packed, size_t size_max, Arena *arena, PlainBody *plain,
                 Error *error)
{
    const char *encoding = packed->encoding;
    TextBuilder builder = {.arena = arena};
    bool is_gzip = encoding && strcasecmp(encoding, "gzip") == 0, done;

    if (!encoding || strcasecmp(encoding, "identity") == 0) {
        *plain = (PlainBody){packed->bytes, packed->size};
        return true;
    }
    if (!is_gzip && strcasecmp(encoding, "deflate") != 0)
        return fail(error, ERROR_MEDIA_TYPE,
                    "Unsupported Content-Encoding: %.50s; it is gzip, deflate or none", encoding);
    done = unpack(is_gzip ? GZIP : ZLIB, packed, size_max, &builder, error);
    if (!done && error->kind == ERROR_NONE && !is_gzip)
        done = unpack(RAW, packed, size_max, &builder, error);
    if (!done)
        return error->kind != ERROR_NONE
                   ? false
                   : fail(error, ERROR_INVALID, "Failed to decompress %s payload", encoding);
    *plain = (PlainBody){text_built(&builder), builder.count};
    return true;
}
