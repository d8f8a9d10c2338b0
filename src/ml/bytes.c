#include "ml/bytes.h"

#include <math.h>
#include <string.h>

#include "base/attributes.h"

/* Values are copied as they lie in memory. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "model files are little-endian");

static bool take(ByteReader *reader, void *target, size_t size)
{
    if (reader->is_bad || size > reader->size - reader->at) {
        reader->is_bad = true;
        return false;
    }
    if (size)
        memcpy(target, reader->bytes + reader->at, size);
    reader->at += size;
    return true;
}

uint32_t read_u32(ByteReader *reader)
{
    uint32_t value = 0;

    return take(reader, &value, sizeof(value)) ? value : 0;
}

uint64_t read_u64(ByteReader *reader)
{
    uint64_t value = 0;

    return take(reader, &value, sizeof(value)) ? value : 0;
}

double read_double(ByteReader *reader)
{
    double value = 0;

    if (!take(reader, &value, sizeof(value)) || !isfinite(value)) {
        reader->is_bad = true;
        return 0;
    }
    return value;
}

size_t read_count(ByteReader *reader, size_t item_bytes, size_t most)
{
    uint64_t count = read_u64(reader);

    if (reader->is_bad || count > most || count > (reader->size - reader->at) / item_bytes) {
        reader->is_bad = true;
        return 0;
    }
    return (size_t)count;
}

const char *read_text(ByteReader *reader, Arena *arena)
{
    size_t length = read_count(reader, 1, SIZE_MAX);
    char *text;

    if (reader->is_bad || memchr(reader->bytes + reader->at, 0, length)) {
        reader->is_bad = true;
        return "";
    }
    text = arena_copy(arena, reader->bytes + reader->at, length);
    reader->at += length;
    return text;
}

/* In the file a text has its length in front, eight bytes; in memory a NUL behind. */
void read_texts(ByteReader *reader, const char **texts, size_t count, Arena *arena)
{
    size_t left = reader->size - reader->at, text_bytes;
    char *at;

    reader->is_bad |= count > left / sizeof(uint64_t);
    if (reader->is_bad)
        return;
    text_bytes = left - count * sizeof(uint64_t); /* what all texts have at most */
    at = arena_alloc(arena, text_bytes + count, 1);
    for (size_t i = 0; i < count; i++) {
        size_t length = read_count(reader, 1, text_bytes);

        if (!take(reader, at, length) || memchr(at, 0, length)) {
            reader->is_bad = true;
            return;
        }
        texts[i] = at;
        text_bytes -= length;
        at += length + 1;
    }
}

static void *read_items(ByteReader *reader, size_t count, size_t item_bytes, Arena *arena)
{
    void *items;

    if (reader->is_bad || count > (reader->size - reader->at) / item_bytes) {
        reader->is_bad = true;
        return NULL;
    }
    items = arena_alloc(arena, count, item_bytes);
    take(reader, items, count * item_bytes);
    return items;
}

float *read_floats(ByteReader *reader, size_t count, Arena *arena)
{
    float *values = read_items(reader, count, sizeof(float), arena);

    for (size_t i = 0; values && i < count; i++)
        reader->is_bad |= !isfinite(values[i]);
    return values;
}

double *read_doubles(ByteReader *reader, size_t count, Arena *arena)
{
    double *values = read_items(reader, count, sizeof(double), arena);

    for (size_t i = 0; values && i < count; i++)
        reader->is_bad |= !isfinite(values[i]);
    return values;
}

uint64_t *read_keys(ByteReader *reader, size_t count, Arena *arena)
{
    return read_items(reader, count, sizeof(uint64_t), arena);
}

void write_items(ByteWriter *writer, const void *items, size_t count, size_t item_bytes)
{
    size_t size = count * item_bytes;

    if (writer->size + size > writer->capacity) {
        char *larger;

        writer->capacity = (writer->size + size) * 2 + 256;
        larger = arena_alloc(writer->arena, writer->capacity, 1);
        if (writer->size)
            memcpy(larger, writer->bytes, writer->size);
        writer->bytes = larger;
    }
    if (size)
        memcpy(writer->bytes + writer->size, items, size);
    writer->size += size;
}

void write_u32(ByteWriter *writer, uint32_t value)
{
    write_items(writer, &value, 1, sizeof(value));
}

void write_u64(ByteWriter *writer, uint64_t value)
{
    write_items(writer, &value, 1, sizeof(value));
}

void write_double(ByteWriter *writer, double value)
{
    write_items(writer, &value, 1, sizeof(value));
}

void write_text(ByteWriter *writer, const char *text)
{
    size_t length = text ? strlen(text) : 0;

    write_u64(writer, length);
    write_items(writer, text, length, 1);
}
