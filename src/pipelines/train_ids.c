#include "pipelines/train_ids.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"

enum { ID_SIZE = 8, ID_DIGITS = 16, IDS_BYTES_MAX = 1024 * 1024 * 1024 };

static const char file_name[] = "train_ids";

static bool id_parse(const char *text, uint64_t *id)
{
    char digits[ID_DIGITS + 1] = "";
    char *end;

    if (!text || strnlen(text, ID_DIGITS) < ID_DIGITS)
        return false;
    memcpy(digits, text, ID_DIGITS);
    if (strspn(digits, "0123456789abcdef") != ID_DIGITS)
        return false;
    *id = strtoull(digits, &end, 16);
    return true;
}

static int compare_ids(const void *a, const void *b)
{
    uint64_t first = *(const uint64_t *)a, second = *(const uint64_t *)b;

    return (first > second) - (first < second);
}

static bool collect(const Rows *rows, Arena *arena, TrainIds *ids, Error *error)
{
    uint64_t *items = arena_array(arena, uint64_t, rows->row_count + 1);
    size_t distinct = 0;

    for (size_t i = 0; i < rows->row_count; i++)
        if (!id_parse(rows->row_ids[i], &items[i]))
            return fail(error, ERROR_INTERNAL, "row %zu has no id", i);
    qsort(items, rows->row_count, sizeof(*items), compare_ids);
    for (size_t i = 0; i < rows->row_count; i++)
        if (distinct == 0 || items[distinct - 1] != items[i])
            items[distinct++] = items[i];
    *ids = (TrainIds){rows->id_columns, items, distinct};
    return true;
}

bool train_ids_write(const Rows *rows, const char *folder, Arena *arena, Error *error)
{
    TextBuilder file = {.arena = arena};
    TrainIds ids = {0};

    if (!collect(rows, arena, &ids, error))
        return false;
    text_append_format(&file, "%s\n", ids.columns);
    for (size_t i = 0; i < ids.count; i++) {
        char bytes[ID_SIZE];

        for (size_t j = 0; j < ID_SIZE; j++)
            bytes[j] = (char)(ids.items[i] >> (8 * (ID_SIZE - 1 - j)));
        text_append_bytes(&file, bytes, ID_SIZE);
    }
    return file_write(arena_format(arena, "%s/%s", folder, file_name), text_built(&file),
                      file.count, error);
}

static bool read_items(const char *bytes, size_t size, Arena *arena, TrainIds *ids, Error *error)
{
    size_t count = size / ID_SIZE;
    uint64_t *items = arena_array(arena, uint64_t, count + 1);

    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < ID_SIZE; j++)
            items[i] = items[i] << 8 | (unsigned char)bytes[i * ID_SIZE + j];
    for (size_t i = 1; i < count; i++)
        if (items[i - 1] >= items[i])
            return fail(error, ERROR_CONFLICT, "the package's file \"%s\" is not sorted",
                        file_name);
    if (size % ID_SIZE)
        return fail(error, ERROR_CONFLICT, "the package's file \"%s\" is cut off", file_name);
    ids->items = items;
    ids->count = count;
    return true;
}

bool train_ids_read(const ArtifactStore *store, const char *package, Arena *arena, TrainIds *ids,
                    Error *error)
{
    Tree tree = {0};
    TrainIds read = {0};
    const TreeEntry *entry;
    const char *bytes, *line_end;
    size_t size, line_size;

    if (!tree_read(store, package, arena, &tree, error))
        return false;
    entry = tree_find(&tree, file_name);
    if (!entry)
        return fail(error, ERROR_CONFLICT,
                    "the package does not say which rows it has learnt from");
    if (!artifact_read(store, entry->digest, IDS_BYTES_MAX, arena, &bytes, &size, error))
        return false;
    line_end = size && *bytes == '[' ? memchr(bytes, '\n', size) : NULL;
    if (!line_end)
        return fail(error, ERROR_CONFLICT,
                    "the package does not say by which columns its rows are told apart");
    line_size = (size_t)(line_end - bytes);
    read.columns = arena_copy(arena, bytes, line_size);
    if (!read_items(line_end + 1, size - line_size - 1, arena, &read, error))
        return false;
    *ids = read;
    return true;
}

bool train_ids_count_in(const TrainIds *ids, const RowsSpec *spec, Arena *arena, size_t *count,
                        Error *error)
{
    RowsSpec own = *spec;
    size_t found = 0;
    uint64_t id;
    bool has_target;
    Rows rows;

    own.id_columns = ids->columns;
    if (!rows_read(&own, arena, &rows, error))
        return fail_in(error, "it cannot be told which rows the model has learnt from");
    has_target = rows.labels || rows.targets;
    for (size_t i = 0; i < rows.row_count; i++)
        if ((!has_target || rows_have_answer(&rows, i)) && id_parse(rows.row_ids[i], &id) &&
            bsearch(&id, ids->items, ids->count, sizeof(id), compare_ids))
            found++;
    *count = found;
    return true;
}
