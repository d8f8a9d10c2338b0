/* bytes.h: reading and writing little-endian binary sections whose sizes cannot be trusted.
 *
 * A reader goes bad at the first value that is not there and then only gives zeros: read a section,
 * then ask once whether it was whole. Arrays are checked against the bytes that are left before
 * anything is allocated.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

typedef struct ByteReader {
    const char *bytes;
    size_t size, at;
    bool is_bad;
} ByteReader;

uint32_t read_u32(ByteReader *reader);
uint64_t read_u64(ByteReader *reader);
double read_double(ByteReader *reader); /* bad when not finite */

/* A count of items of item_bytes each that the rest of the bytes can hold, at most most. */
size_t read_count(ByteReader *reader, size_t item_bytes, size_t most);

/* A text with its length in front; NUL-terminated in the arena; bad when it holds a NUL. */
const char *read_text(ByteReader *reader, Arena *arena);

/* count such texts, in one piece: a model has ten thousands of a few bytes each. */
void read_texts(ByteReader *reader, const char **texts, size_t count, Arena *arena);

/* count numbers; bad when one is not finite. */
float *read_floats(ByteReader *reader, size_t count, Arena *arena);
double *read_doubles(ByteReader *reader, size_t count, Arena *arena);
uint64_t *read_keys(ByteReader *reader, size_t count, Arena *arena);

typedef struct ByteWriter {
    char *bytes;
    size_t size, capacity;
    Arena *arena;
} ByteWriter;

void write_u32(ByteWriter *writer, uint32_t value);
void write_u64(ByteWriter *writer, uint64_t value);
void write_double(ByteWriter *writer, double value);
void write_text(ByteWriter *writer, const char *text);
void write_items(ByteWriter *writer, const void *items, size_t count, size_t item_bytes);
