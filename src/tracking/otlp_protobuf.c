/* otlp_protobuf.c: protobuf's wire format, as far as OTLP's messages need it. */

#include <string.h>

#include "base/varint.h"
#include "tracking/otlp_internal.h"

enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

static unsigned wire_of(OtlpType type)
{
    switch (type) {
    case OTLP_BOOL:
    case OTLP_INT:
    case OTLP_ENUM:
        return WIRE_VARINT;
    case OTLP_DOUBLE:
    case OTLP_FIXED64:
        return WIRE_64;
    case OTLP_FIXED32:
        return WIRE_32;
    default:
        return WIRE_BYTES;
    }
}

/* Little endian, as the wire has it. */
static uint64_t take_fixed(ByteCursor *cursor, size_t size)
{
    const char *at = take_bytes(cursor, size);
    uint64_t number = 0;

    for (size_t i = 0; at && i < size; i++)
        number |= (uint64_t)(unsigned char)at[i] << (8 * i);
    return number;
}

/* Any value of the wire type: a number, or where its bytes are. */
typedef struct WireValue {
    uint64_t number;
    const char *bytes;
    size_t size;
} WireValue;

static WireValue take_value(ByteCursor *cursor, unsigned wire)
{
    WireValue value = {0};

    switch (wire) {
    case WIRE_VARINT:
        value.number = take_number(cursor);
        break;
    case WIRE_64:
        value.number = take_fixed(cursor, 8);
        break;
    case WIRE_32:
        value.number = take_fixed(cursor, 4);
        break;
    case WIRE_BYTES:
        value.size = take_number(cursor);
        value.bytes = take_bytes(cursor, value.size);
        break;
    default: /* groups, which nobody sends */
        take_damage(cursor);
    }
    return value;
}

static const OtlpField *find_field(const OtlpMessage *message, uint64_t number)
{
    for (const OtlpField *field = message->fields; field->number; field++)
        if (field->number == number)
            return field;
    return NULL;
}

static bool read_message(OtlpReader *reader, ByteCursor cursor, const OtlpMessage *message,
                         OtlpNode *node, unsigned depth);

static bool take_node(OtlpReader *reader, OtlpNode *node, const WireValue *value, unsigned depth)
{
    switch (node->field->type) {
    case OTLP_MESSAGE:
        return read_message(reader, (ByteCursor){value->bytes, value->bytes + value->size, false},
                            node->field->message, node, depth + 1);
    case OTLP_TEXT:
    case OTLP_BYTES:
    case OTLP_ID:
        node->bytes = value->bytes;
        node->size = value->size;
        return true;
    case OTLP_DOUBLE:
        memcpy(&node->real, &value->number, sizeof(node->real));
        return true;
    default:
        node->number = value->number;
        return true;
    }
}

static bool fail_damaged(OtlpReader *reader)
{
    return fail(reader->error, ERROR_INVALID,
                "Invalid OpenTelemetry format: the protobuf message is damaged");
}

/* Depth is bounded, and so is the recursion. */
static bool read_message(OtlpReader *reader, ByteCursor cursor, const OtlpMessage *message,
                         OtlpNode *node, unsigned depth)
{
    if (depth > OTLP_DEPTH_MAX)
        return fail(reader->error, ERROR_INVALID,
                    "values of spans are nested deeper than %d messages", OTLP_DEPTH_MAX);
    while (bytes_left(&cursor)) {
        uint64_t tag = take_number(&cursor);
        WireValue value = take_value(&cursor, (unsigned)(tag & 7));
        const OtlpField *field = find_field(message, tag >> 3);
        OtlpNode *added;

        if (cursor.is_damaged)
            return fail_damaged(reader);
        if (!field || wire_of(field->type) != (tag & 7))
            continue;
        added = otlp_add(reader, node, field);
        if (!added || !take_node(reader, added, &value, depth))
            return false;
    }
    return true;
}

bool otlp_read_protobuf(OtlpReader *reader, const char *bytes, size_t size, OtlpNode *request)
{
    return read_message(reader, (ByteCursor){.at = bytes, .end = bytes + size}, &otlp_request,
                        request, 1);
}
