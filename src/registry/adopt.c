#include "registry/adopt.h"

#include <string.h>

#include "base/varint.h"
#include "registry/flavor.h"
#include "registry/package.h"

enum { ONNX_BYTES_MAX = 1 << 30, ONNX_FIELDS_MAX = 100000 };

/* ---- ONNX ---- */

/* A ModelProto's fields, and how protobuf writes their values. */
enum { ONNX_IR_VERSION = 1, ONNX_GRAPH = 7 };
enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

static void skip_value(ByteCursor *cursor, unsigned wire)
{
    switch (wire) {
    case WIRE_VARINT:
        take_number(cursor);
        return;
    case WIRE_64:
        take_bytes(cursor, 8);
        return;
    case WIRE_32:
        take_bytes(cursor, 4);
        return;
    case WIRE_BYTES:
        take_bytes(cursor, take_number(cursor));
        return;
    default:
        take_damage(cursor);
    }
}

/* It is whole as far as its outermost parts, and has the two that every model has. */
static bool is_onnx(const char *bytes, size_t size)
{
    ByteCursor cursor = {bytes, bytes + size, false};
    bool has_version = false, has_graph = false;

    for (size_t i = 0; bytes_left(&cursor) && i < ONNX_FIELDS_MAX; i++) {
        uint64_t tag = take_number(&cursor);

        has_version |= tag == (ONNX_IR_VERSION << 3 | WIRE_VARINT);
        has_graph |= tag == (ONNX_GRAPH << 3 | WIRE_BYTES);
        skip_value(&cursor, tag & 7);
    }
    return has_version && has_graph && !cursor.is_damaged && !bytes_left(&cursor);
}

static bool check_onnx(Scope *scope, const TreeEntry *file)
{
    CLEANUP(file_unmap) FileMap map = {0};

    if (!artifact_map(scope->platform->artifacts, file->digest, ONNX_BYTES_MAX, &map,
                      &scope->error))
        return false;
    return is_onnx(map.bytes, map.size) ||
           fail(&scope->error, ERROR_INVALID, "\"%.200s\" is not an ONNX model", file->path);
}

/* The only one at the top, or NULL. */
static const TreeEntry *find_onnx(const Tree *files)
{
    const TreeEntry *found = NULL;

    for (size_t i = 0; i < files->count; i++) {
        const TreeEntry *entry = &files->items[i];

        if (strchr(entry->path, '/') || !text_has_suffix(entry->path, ".onnx"))
            continue;
        if (found)
            return NULL;
        found = entry;
    }
    return found;
}

/* The id comes from the model's bytes: the same model has the same one. */
static bool add_mlmodel(Scope *scope, const TreeEntry *model, Tree *files)
{
    JsonWriter *quoted = json_writer_create(scope->arena);
    TreeEntry entry = {.path = "MLmodel"};
    const char *text;
    Artifact artifact;

    json_text(quoted, NULL, model->path);
    text = arena_format(scope->arena,
                        "flavors:\n  onnx:\n    data: %s\nmodel_size_bytes: %lld\n"
                        "model_uuid: %.32s\n",
                        json_finish(quoted), (long long)model->size, model->digest);
    if (!artifact_add_bytes(scope->platform->artifacts, text, strlen(text), &artifact,
                            &scope->error))
        return false;
    memcpy(entry.digest, artifact.digest, sizeof(entry.digest));
    entry.size = artifact.size;
    *arena_push(scope->arena, files) = entry;
    return true;
}

/* ---- all of them ---- */

static bool complete(Scope *scope, const char *name, Tree *files)
{
    const TreeEntry *model;

    if (tree_find(files, "MLmodel"))
        return true;
    model = find_onnx(files);
    if (model)
        return check_onnx(scope, model) && add_mlmodel(scope, model, files);
    return fail(
        &scope->error, ERROR_INVALID,
        "\"%.200s\" is no model that can be registered: a folder with an MLmodel (as MLflow "
        "or Slipway writes it) or one file NAME.onnx is",
        name);
}

static bool add(Scope *scope, Tree *files, Adopted *adopted)
{
    Artifact artifact;

    if (!tree_add(scope->platform->artifacts, files, scope->arena, &artifact, &scope->error) ||
        !flavors_read(scope->platform->artifacts, files, scope->arena, &adopted->flavors,
                      &scope->error))
        return false;
    adopted->package = arena_text(scope->arena, artifact.digest);
    adopted->refusal = flavors_refusal(&adopted->flavors, scope->arena);
    return adopted->refusal || package_verify(scope, adopted->package);
}

bool package_adopt(Scope *scope, const char *name, Tree *files, Adopted *adopted)
{
    Adopted done = {0};

    if (!complete(scope, name, files) || !add(scope, files, &done))
        return false;
    *adopted = done;
    return true;
}
