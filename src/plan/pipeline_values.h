/* pipeline_values.h: what the names of a plan's expressions stand for. */
#pragma once

#include "plan/pipeline_internal.h"

/* A value of a param, held to its declaration, as JSON. ERROR_FIELD on its name. */
bool param_take(const PipelineParam *param, const JsonValue *value, Arena *arena, const char **json,
                Error *error) MUST_CHECK;

/* All params of a run: those given, and the defaults of the others. */
bool params_take(const PipelineParamList *params, const JsonValue *values, Arena *arena,
                 const JsonValue **taken, Error *error) MUST_CHECK;

const char *param_names(const PipelineParamList *params, Arena *arena);

/* The tree as JSON that keeps what Python would print: 1.0 is no integer. */
bool yaml_to_json(const YamlNode *node, Arena *arena, const JsonValue **json,
                  Error *error) MUST_CHECK;

/* What stands behind the name's parts from the one at position on; NULL: nothing. */
const JsonValue *json_at(const JsonValue *root, const TextList *name, size_t position);

typedef struct JsonItem {
    const JsonValue *value;
} JsonItem;

/* What the names of one step stand for while it is planned. */
typedef struct ValueScope {
    const JsonValue *params, *vars;
    const JsonValue *item, *key; /* of foreach; of matrix, the item is a map; NULL: none */
    bool is_matrix;
} ValueScope;

/* A PlanLookup on a ValueScope. */
const JsonValue *value_find(void *context, const TextList *name);

/* Files of values, each read once. */
typedef struct ValueFile {
    const char *path;
    const JsonValue *json; /* a map */
} ValueFile;

typedef struct ValueFiles {
    const PlanSource *source;
    Arena *arena;
    Error *error;
    ValueFile *items;
    size_t count;
} ValueFiles;

bool value_file_read(ValueFiles *files, const char *path, const JsonValue **json) MUST_CHECK;

typedef struct VarsSpec {
    const YamlNode *node;    /* a list of maps and files, or one of them; NULL: none */
    const char *folder;      /* where its paths begin */
    bool has_default;        /* params.yaml comes first, if it is there */
    const JsonValue *before; /* those of the file, for those of a stage; NULL: none */
} VarsSpec;

bool vars_read(ValueFiles *files, const VarsSpec *spec, const JsonValue **vars) MUST_CHECK;

/* Whether the form is right; sets has_files when it names one. */
bool vars_check(const PipelineReader *reader, const YamlNode *node, bool *has_files) MUST_CHECK;
