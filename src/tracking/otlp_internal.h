/* otlp_internal.h: the tree that both encodings are read into. */
#pragma once

#include "tracking/otlp.h"

typedef enum OtlpType {
    OTLP_TEXT,
    OTLP_BYTES, /* JSON: base64 */
    OTLP_ID,    /* bytes; in OTLP's JSON hexadecimal */
    OTLP_BOOL,
    OTLP_INT,
    OTLP_ENUM,
    OTLP_DOUBLE,
    OTLP_FIXED64,
    OTLP_FIXED32,
    OTLP_MESSAGE,
} OtlpType;

typedef struct OtlpField {
    unsigned number;
    const char *name;      /* snake_case, as it is written */
    const char *json_name; /* as OTLP's JSON has it */
    OtlpType type;
    bool is_repeated;
    const struct OtlpMessage *message;
    const char *const *words; /* of an enum, NULL behind the last */
} OtlpField;

typedef struct OtlpMessage {
    const OtlpField *fields; /* ends with {0} */
    bool is_choice;          /* only the last of its fields counts */
} OtlpMessage;

extern const OtlpMessage otlp_request, otlp_value;

typedef struct OtlpNode {
    const OtlpField *field; /* NULL: the request itself */
    union {
        const char *bytes;
        uint64_t number;
        double real;
        struct OtlpNode *first; /* of a message's, as they came */
    };
    union {
        size_t size;
        struct OtlpNode *last;
    };
    struct OtlpNode *next;
} OtlpNode;

typedef struct OtlpReader {
    Arena *arena;
    Error *error;
    size_t node_count;
} OtlpReader;

/* One more field of a message; NULL: they are too many, and the error is there. */
OtlpNode *otlp_add(OtlpReader *reader, OtlpNode *parent, const OtlpField *field);

bool otlp_read_protobuf(OtlpReader *reader, const char *bytes, size_t size,
                        OtlpNode *request) MUST_CHECK;
bool otlp_read_json(OtlpReader *reader, const char *bytes, size_t size,
                    OtlpNode *request) MUST_CHECK;

/* The last field of that name; NULL: none. */
const OtlpNode *otlp_find(const OtlpNode *message, const char *name);

void otlp_write_json(JsonWriter *json, const char *key, const OtlpNode *message,
                     const OtlpMessage *type, Arena *arena);

/* An attribute's value as a text: texts as they are, others as plain JSON. */
const char *otlp_value_text(const OtlpNode *value, Arena *arena);
