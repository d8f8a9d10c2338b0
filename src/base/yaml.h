/* yaml.h: YAML in: a small tree of maps, lists and scalars that know where they stood.
 *
 *     const YamlNode *root;
 *
 *     if (!yaml_parse(bytes, size, arena, &root, error) ||
 *         !yaml_read(root, file_fields, &file, arena, error))
 *         return false;
 *
 * Parsing is libyaml's. One document; no anchors, aliases or tags, so that a small file stays small
 * and nothing is made from it but texts; a key that comes twice is refused. Every message says the
 * line and the column, both from 1. A tree lives in the arena.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"

enum { YAML_BYTES_MAX = 1024 * 1024, YAML_DEPTH_MAX = 32, YAML_NODES_MAX = 100000 };

typedef enum YamlType { YAML_SCALAR, YAML_LIST, YAML_MAP } YamlType;

typedef struct YamlNode YamlNode;

struct YamlNode {
    YamlType type;
    size_t line, column;
    const char *text; /* of a scalar */
    bool is_quoted;   /* a quoted scalar is a text, whatever it looks like */

    const char *key; /* when it stands in a map, with the key's own place */
    size_t key_line, key_column;
    const YamlNode *parent; /* NULL: the document itself */
    YamlNode *first, *next; /* the members or items, in order; the next one beside this */
    YamlNode *last;         /* private */
    size_t count;
};

/* ERROR_INVALID on what is not YAML, or not the part of it that is read here. */
bool yaml_parse(const char *bytes, size_t size, Arena *arena, const YamlNode **root,
                Error *error) MUST_CHECK;

/* NULL when node is NULL, is no map, or has no such member. */
const YamlNode *yaml_member(const YamlNode *node, const char *key);

/* The keys that lead to a node: "data.comments.target"; "" for the document. */
const char *yaml_path(const YamlNode *node, Arena *arena);

/* Records "line 3, column 5: ..." as a mistake in the field of the node's path; returns false. */
bool yaml_fail(const YamlNode *node, Arena *arena, Error *error, const char *format, ...)
    PRINTF_LIKE(4, 5);

/* A scalar as YAML 1.2's core schema types it: null, boolean, number or text. */
bool yaml_is_null(const YamlNode *node);
bool yaml_to_bool(const YamlNode *node, bool *value);
bool yaml_to_number(const YamlNode *node, double *value);

/* The tree as JSON. */
void yaml_write_json(JsonWriter *json, const char *key, const YamlNode *node);

typedef enum YamlFieldType {
    YAML_FIELD_TEXT,      /* const char *: any scalar but null, as written */
    YAML_FIELD_INT,       /* int64_t */
    YAML_FIELD_NUMBER,    /* double */
    YAML_FIELD_BOOL,      /* bool */
    YAML_FIELD_TEXT_LIST, /* TextList: one scalar or a list of them */
    YAML_FIELD_MAP,       /* const YamlNode * */
    YAML_FIELD_ANY,       /* const YamlNode * */
} YamlFieldType;

/* A member that a map may have, and where it lands; as JsonField, ends with a row of zeros. */
typedef struct YamlField {
    const char *name;
    YamlFieldType type;
    size_t offset;
    JsonNeed need;
} YamlField;

/* Fills target by the table from a map; members that are absent or null are left as they are. An
 * unlisted, missing or mistyped member is an ERROR_FIELD that names it, where it stands, and what
 * is allowed. */
bool yaml_read(const YamlNode *map, const YamlField fields[], void *target, Arena *arena,
               Error *error) MUST_CHECK;
