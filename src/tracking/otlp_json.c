/* otlp_json.c: OTLP's JSON into the tree, and the tree as protobuf's JSON. */

#include <math.h>
#include <openssl/evp.h>
#include <string.h>
#include <strings.h>

#include "tracking/otlp_internal.h"

/* ---- in ---- */

static bool fail_value(OtlpReader *reader, const OtlpField *field)
{
    return fail(reader->error, ERROR_INVALID,
                "Invalid OpenTelemetry format: \"%s\" has a value of another type",
                field->json_name);
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool take_hex(OtlpReader *reader, const char *text, OtlpNode *node)
{
    size_t length = strlen(text);
    char *bytes = arena_take(reader->arena, length / 2 + 1);

    for (size_t i = 0; i + 1 < length; i += 2) {
        int high = digit_of(text[i]), low = digit_of(text[i + 1]);

        if (high < 0 || low < 0)
            return fail_value(reader, node->field);
        bytes[i / 2] = (char)(high << 4 | low);
    }
    node->bytes = bytes;
    node->size = length / 2;
    return length % 2 == 0 || fail_value(reader, node->field);
}

static bool take_base64(OtlpReader *reader, const char *text, OtlpNode *node)
{
    size_t length = strlen(text);
    unsigned char *bytes = arena_take(reader->arena, length + 1);
    int size = EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)length);

    if (size < 0)
        return fail_value(reader, node->field);
    for (size_t i = length; i && size && text[i - 1] == '='; i--)
        size--;
    node->bytes = (const char *)bytes;
    node->size = (size_t)size;
    return true;
}

/* Numbers of 64 bits come as numbers or as texts. */
static bool take_integer(OtlpReader *reader, const JsonValue *value, OtlpNode *node)
{
    int64_t number = json_as_int(value, 0);
    bool is_read = number == json_as_int(value, 1) ||
                   (json_is_text(value) && text_to_int(json_as_text(value, ""), &number));

    node->number = (uint64_t)number;
    return (is_read && (number >= 0 || node->field->type == OTLP_INT)) ||
           fail_value(reader, node->field);
}

static bool take_word(OtlpReader *reader, const JsonValue *value, OtlpNode *node)
{
    const char *word = json_as_text(value, NULL);

    if (!word)
        return take_integer(reader, value, node);
    for (size_t i = 0; node->field->words[i]; i++) {
        node->number = i;
        if (strcmp(node->field->words[i], word) == 0)
            return true;
    }
    return fail_value(reader, node->field);
}

static bool take_double(OtlpReader *reader, const JsonValue *value, OtlpNode *node)
{
    const char *text = json_as_text(value, NULL);

    node->real = json_as_double(value, 0);
    if (!text)
        return json_is_number(value) || fail_value(reader, node->field);
    if (strcmp(text, "NaN") == 0)
        node->real = NAN;
    else if (strcmp(text, "Infinity") == 0 || strcmp(text, "-Infinity") == 0)
        node->real = *text == '-' ? -INFINITY : INFINITY;
    else
        return text_to_double(text, &node->real) || fail_value(reader, node->field);
    return true;
}

static bool read_object(OtlpReader *reader, const JsonValue *object, const OtlpMessage *message,
                        OtlpNode *node);

static bool take_value(OtlpReader *reader, const JsonValue *value, OtlpNode *node)
{
    const char *text = json_as_text(value, "");

    switch (node->field->type) {
    case OTLP_MESSAGE:
        return read_object(reader, value, node->field->message, node);
    case OTLP_TEXT:
        node->bytes = text;
        node->size = json_text_size(value);
        return json_is_text(value) || fail_value(reader, node->field);
    case OTLP_ID:
        return json_is_text(value) ? take_hex(reader, text, node) : fail_value(reader, node->field);
    case OTLP_BYTES:
        return json_is_text(value) ? take_base64(reader, text, node)
                                   : fail_value(reader, node->field);
    case OTLP_BOOL:
        node->number = json_as_bool(value, false);
        return json_is_bool(value) || fail_value(reader, node->field);
    case OTLP_DOUBLE:
        return take_double(reader, value, node);
    case OTLP_ENUM:
        return take_word(reader, value, node);
    default:
        return take_integer(reader, value, node);
    }
}

static bool add_value(OtlpReader *reader, const JsonValue *value, const OtlpField *field,
                      OtlpNode *node)
{
    OtlpNode *added = otlp_add(reader, node, field);

    return added && take_value(reader, value, added);
}

static bool add_values(OtlpReader *reader, const JsonValue *value, const OtlpField *field,
                       OtlpNode *node)
{
    if (!field->is_repeated)
        return add_value(reader, value, field, node);
    if (!json_is_array(value))
        return fail_value(reader, field);
    for (JsonWalk walk = json_walk(value); json_walk_next(&walk);)
        if (!add_value(reader, walk.value, field, node))
            return false;
    return true;
}

static const OtlpField *find_named(const OtlpMessage *message, const char *name)
{
    for (const OtlpField *field = message->fields; field->number; field++)
        if (strcmp(field->json_name, name) == 0 || strcmp(field->name, name) == 0)
            return field;
    return NULL;
}

/* No deeper than the JSON may be nested. */
static bool read_object(OtlpReader *reader, const JsonValue *object, const OtlpMessage *message,
                        OtlpNode *node)
{
    if (!json_is_object(object))
        return fail(reader->error, ERROR_INVALID,
                    "Invalid OpenTelemetry format: \"%s\" must be an object",
                    node->field ? node->field->json_name : "the body");
    for (JsonWalk walk = json_walk(object); json_walk_next(&walk);) {
        const OtlpField *field = find_named(message, walk.key);

        if (field && !json_is_null(walk.value) && !add_values(reader, walk.value, field, node))
            return false;
    }
    return true;
}

bool otlp_read_json(OtlpReader *reader, const char *bytes, size_t size, OtlpNode *request)
{
    const JsonValue *body = NULL;

    if (!json_parse(bytes, size, reader->arena, &body, reader->error))
        return fail_in(reader->error, "Invalid OpenTelemetry format");
    return read_object(reader, body, &otlp_request, request);
}

/* ---- out ---- */

static void write_base64(JsonWriter *json, const char *key, const OtlpNode *node, Arena *arena)
{
    unsigned char *text = arena_take(arena, (node->size + 2) / 3 * 4 + 1);
    int length = EVP_EncodeBlock(text, (const unsigned char *)node->bytes, (int)node->size);

    json_bytes(json, key, (const char *)text, (size_t)length);
}

static void write_double(JsonWriter *json, const char *key, double value)
{
    if (isfinite(value))
        json_double(json, key, value);
    else if (isnan(value))
        json_text(json, key, "NaN");
    else
        json_text(json, key, value > 0 ? "Infinity" : "-Infinity");
}

static void write_word(JsonWriter *json, const char *key, const OtlpNode *node)
{
    for (size_t i = 0; node->field->words[i]; i++) {
        if (i != node->number)
            continue;
        json_text(json, key, node->field->words[i]);
        return;
    }
    json_int(json, key, (int32_t)node->number);
}

static void write_node(JsonWriter *json, const char *key, const OtlpNode *node, Arena *arena)
{
    switch (node->field->type) {
    case OTLP_TEXT:
        json_bytes(json, key, node->bytes, node->size);
        break;
    case OTLP_ID:
    case OTLP_BYTES:
        write_base64(json, key, node, arena);
        break;
    case OTLP_BOOL:
        json_bool(json, key, node->number != 0);
        break;
    case OTLP_DOUBLE:
        write_double(json, key, node->real);
        break;
    case OTLP_ENUM:
        write_word(json, key, node);
        break;
    case OTLP_MESSAGE:
        otlp_write_json(json, key, node, node->field->message, arena);
        break;
    default:
        json_int(json, key, (int64_t)node->number);
    }
}

static void write_repeated(JsonWriter *json, const OtlpNode *message, const OtlpField *field,
                           Arena *arena)
{
    bool is_open = false;

    for (const OtlpNode *node = message->first; node; node = node->next) {
        if (node->field != field)
            continue;
        if (!is_open)
            json_open_array(json, field->name);
        is_open = true;
        write_node(json, NULL, node, arena);
    }
    if (is_open)
        json_close(json);
}

/* Fields of a message may come in any order and more than once; of one that is not repeated the
 * last counts. */
void otlp_write_json(JsonWriter *json, const char *key, const OtlpNode *message,
                     const OtlpMessage *type, Arena *arena)
{
    json_open_object(json, key);
    for (const OtlpField *field = type->fields; field->number; field++) {
        const OtlpNode *node = type->is_choice ? message->last : NULL;

        if (field->is_repeated) {
            write_repeated(json, message, field, arena);
            continue;
        }
        if (!type->is_choice)
            node = otlp_find(message, field->name);
        if (node && node->field == field)
            write_node(json, field->name, node, arena);
    }
    json_close(json);
}
