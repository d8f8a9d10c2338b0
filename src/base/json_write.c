/* json_write.c: the writing half of json.h. */

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/json.h"
#include "base/lanes.h"
#include "base/number.h"
#include "base/time.h"

enum { FIRST_BYTES = 500 }; /* most answers are shorter */

struct JsonWriter {
    TextBuilder text;
    char closers[JSON_WRITE_DEPTH_MAX]; /* what json_close() will append, innermost last */
    size_t depth;
    bool needs_comma;
};

JsonWriter *json_writer_create(Arena *arena)
{
    JsonWriter *json = arena_new(arena, JsonWriter);

    json->text.arena = arena;
    text_reserve(&json->text, FIRST_BYTES);
    return json;
}

static void append_escaped(TextBuilder *text, unsigned char byte)
{
    static const char escapes[] = "\"\"\\\\\bb\ff\nn\rr\tt";

    for (const char *pair = escapes; *pair; pair += 2) {
        if ((unsigned char)pair[0] != byte)
            continue;
        text_append_bytes(text, (char[]){'\\', pair[1]}, 2);
        return;
    }
    text_append_format(text, "\\u%04x", byte);
}

static bool is_plain(unsigned char byte)
{
    return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

/* How many bytes from here on can stand in a JSON text as they are. */
static size_t plain_length(const char *bytes, size_t size)
{
    size_t length = 0;

    while (length < size) {
        size_t width = 1;

        if (!is_plain((unsigned char)bytes[length])) {
            if ((unsigned char)bytes[length] < 0x80)
                break;
            width = text_utf8_length(bytes + length, size - length);
        }
        if (!width)
            break;
        length += width;
    }
    return length;
}

/* Messages quote what was sent, and cut it: bytes that are no UTF-8 become U+FFFD, so that what is
 * written always reads as JSON. */
static void append_with_escapes(TextBuilder *text, const char *bytes, size_t size)
{
    text_append_bytes(text, "\"", 1);
    for (size_t at = 0; at < size; at++) {
        size_t length = plain_length(bytes + at, size - at);

        text_append_bytes(text, bytes + at, length);
        at += length;
        if (at == size)
            break;
        if ((unsigned char)bytes[at] < 0x80)
            append_escaped(text, (unsigned char)bytes[at]);
        else
            text_append(text, "\xef\xbf\xbd");
    }
    text_append_bytes(text, "\"", 1);
}

static bool any_is_special(uint64_t eight)
{
    return (lanes_any_below(eight, 0x20) | lanes_any_equal(eight, '"') |
            lanes_any_equal(eight, '\\') | (eight & LANE_EACH * 0x80)) != 0;
}

/* Copies what can stand as it is, up to the first byte that cannot; how many bytes. */
static size_t copy_plain(char *at, const char *bytes, size_t size)
{
    size_t copied = 0;
    uint64_t eight;

    for (; size - copied >= sizeof(eight); copied += sizeof(eight)) {
        eight = lanes_eight(bytes + copied);
        if (any_is_special(eight))
            break;
        memcpy(at + copied, &eight, sizeof(eight));
    }
    for (; copied < size && is_plain((unsigned char)bytes[copied]); copied++)
        at[copied] = bytes[copied];
    return copied;
}

/* Copied as it is checked: nearly every text is plain ASCII. */
static void append_quoted(TextBuilder *text, const char *bytes, size_t size)
{
    char *at = text_reserve(text, size + 2);

    at[0] = '"';
    if (copy_plain(at + 1, bytes, size) < size) {
        append_with_escapes(text, bytes, size);
        return;
    }
    at[size + 1] = '"';
    at[size + 2] = '\0';
    text->count += size + 2;
}

static void append_byte(TextBuilder *text, char byte)
{
    char *at = text_reserve(text, 1);

    at[0] = byte;
    at[1] = '\0';
    text->count++;
}

static void begin_value(JsonWriter *json, const char *key)
{
    if (json->needs_comma)
        append_byte(&json->text, ',');
    json->needs_comma = true;
    if (!key)
        return;
    append_quoted(&json->text, key, strlen(key));
    append_byte(&json->text, ':');
}

static void open_scope(JsonWriter *json, const char *key, char opener, char closer)
{
    assert(json->depth < JSON_WRITE_DEPTH_MAX);
    begin_value(json, key);
    append_byte(&json->text, opener);
    json->closers[json->depth++] = closer;
    json->needs_comma = false;
}

void json_open_object(JsonWriter *json, const char *key)
{
    open_scope(json, key, '{', '}');
}

void json_open_array(JsonWriter *json, const char *key)
{
    open_scope(json, key, '[', ']');
}

void json_close(JsonWriter *json)
{
    assert(json->depth > 0);
    append_byte(&json->text, json->closers[--json->depth]);
    json->needs_comma = true;
}

void json_bytes(JsonWriter *json, const char *key, const char *bytes, size_t size)
{
    begin_value(json, key);
    append_quoted(&json->text, bytes, size);
}

void json_text(JsonWriter *json, const char *key, const char *value)
{
    if (value)
        json_bytes(json, key, value, strlen(value));
    else
        json_null(json, key);
}

void json_texts(JsonWriter *json, const char *key, const TextList *values)
{
    json_open_array(json, key);
    for (size_t i = 0; i < values->count; i++)
        json_text(json, NULL, values->items[i]);
    json_close(json);
}

void json_int(JsonWriter *json, const char *key, int64_t value)
{
    begin_value(json, key);
    text_append_int(&json->text, value);
}

void json_double(JsonWriter *json, const char *key, double value)
{
    if (!isfinite(value)) {
        json_null(json, key);
        return;
    }
    begin_value(json, key);
    json->text.count += strlen(number_format(value, text_reserve(&json->text, NUMBER_TEXT_SIZE)));
    if (value == 0 && signbit(value)) /* a reader takes "-0" for the integer 0 */
        text_append(&json->text, ".0");
}

void json_bool(JsonWriter *json, const char *key, bool value)
{
    begin_value(json, key);
    text_append(&json->text, value ? "true" : "false");
}

void json_null(JsonWriter *json, const char *key)
{
    begin_value(json, key);
    text_append(&json->text, "null");
}

void json_time(JsonWriter *json, const char *key, int64_t time_ms)
{
    char text[TIME_TEXT_SIZE];

    if (time_ms)
        json_text(json, key, time_format(time_ms, text));
    else
        json_null(json, key);
}

void json_raw(JsonWriter *json, const char *key, const char *document)
{
    begin_value(json, key);
    text_append(&json->text, document ? document : "null");
}

const char *json_finish(JsonWriter *json)
{
    assert(json->depth == 0);
    return text_built(&json->text);
}

size_t json_size(const JsonWriter *json)
{
    return json->text.count;
}
