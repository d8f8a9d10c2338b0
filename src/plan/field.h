/* field.h: which keys a map of the pipeline's file may have: the one table that reading, messages
 * and the JSON Schema for editors are made from.
 *
 * Reading puts each member's node into a struct of node pointers and checks its form and shape;
 * what the text means is asked for later (field_int(), field_duration_ms() ...), when the
 * expressions in it have become values.
 */
#pragma once

#include "base/yaml.h"
#include "plan/template.h"

typedef enum FieldForm {
    FORM_ONE,
    FORM_LIST,
    FORM_ONE_OR_LIST,
    FORM_MAP,     /* of any names to one each */
    FORM_ENTRIES, /* a list of texts, or of maps of one text each to a map of fields */
} FieldForm;

typedef enum FieldShape {
    SHAPE_TEXT, /* any scalar but null */
    SHAPE_NAME,
    SHAPE_WORD,     /* one of words */
    SHAPE_COUNT,    /* a whole number of 1 or more */
    SHAPE_NUMBER,   /* any */
    SHAPE_BOOL,     /* true or false */
    SHAPE_DURATION, /* 500ms, 5s, 2m, 1h, 1d */
    SHAPE_BYTES,    /* 512MB, 2GB, 1GiB */
    SHAPE_FIELDS,   /* a map of fields; with is_short, what is no map stands for its first field */
    SHAPE_ANY,
} FieldShape;

typedef struct Field Field;

/* A table ends with a row of zeros. */
struct Field {
    const char *name;
    FieldForm form;
    FieldShape shape;
    size_t offset; /* of a const YamlNode * in the struct that is filled */
    const char *summary;
    const Field *fields;
    const char *const *words; /* ends with NULL */
    bool is_short, is_required;
    bool is_elsewhere; /* another reader's: let through as it is, and no part of the schema here */
};

typedef struct FieldReader {
    Arena *arena;
    Error *error;
    TemplateStyle style;
    bool has_expressions; /* a scalar with one may stand where another shape is asked for */
} FieldReader;

/* Fills target by the table; null is as if absent. ERROR_FIELD as yaml_read(). */
bool fields_read(const FieldReader *reader, const YamlNode *map, const Field fields[],
                 void *target) MUST_CHECK;

/* Whether the node has the form and shape of the row. */
bool field_check(const FieldReader *reader, const YamlNode *node, const Field *field) MUST_CHECK;

/* "a, b, c": the words, or the names of the fields. */
const char *field_words(const char *const words[], Arena *arena);
const char *field_names(const Field fields[], Arena *arena);

/* Of a node that was checked; otherwise, when node is NULL. */
const char *field_text(const YamlNode *node, const char *otherwise);
int64_t field_int(const YamlNode *node, int64_t otherwise);
bool field_bool(const YamlNode *node, bool otherwise);
int64_t field_duration_ms(const YamlNode *node, int64_t otherwise);
int64_t field_bytes(const YamlNode *node, int64_t otherwise);

/* for (const YamlNode *item = field_first(node); item; item = field_next(node, item)): of a list,
 * or the one alone. */
const YamlNode *field_first(const YamlNode *node);
const YamlNode *field_next(const YamlNode *node, const YamlNode *item);
