#include "data/dataset.h"

#include <string.h>
#include <strings.h>

#include "base/file.h"

/* Every select starts with these columns, in the order from_row() reads. */
#define SELECT_DATASET "SELECT id, name, created_at, last_version FROM datasets"

static Dataset from_row(const Query *query, Arena *arena)
{
    return (Dataset){
        .id = query_int(query, 0),
        .name = query_text(query, 1, arena),
        .created_at = query_int(query, 2),
        .latest_version = query_int(query, 3),
    };
}

bool dataset_find(Scope *scope, const char *name, Dataset *dataset)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, SELECT_DATASET " WHERE name = $1", db_text(name));

    if (query_next(&query)) {
        *dataset = from_row(&query, scope->arena);
        return true;
    }
    return query_end(&query, &scope->error) &&
           fail(&scope->error, ERROR_NOT_FOUND, "data set \"%.128s\" does not exist", name);
}

bool dataset_list(Scope *scope, const Page *page, DatasetList *list)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, SELECT_DATASET " WHERE name > $1 ORDER BY name LIMIT $2",
                           db_text(page_after(page)), db_int(page_limit(page)));
    DatasetList found = {0};

    while (query_next(&query))
        *arena_push(scope->arena, &found) = from_row(&query, scope->arena);
    *list = found;
    return query_end(&query, &scope->error);
}

void dataset_write_json(JsonWriter *json, const char *key, const Dataset *dataset)
{
    json_open_object(json, key);
    {
        json_text(json, "name", dataset->name);
        json_int(json, "latest_version", dataset->latest_version);
        json_time(json, "created_at", dataset->created_at);
    }
    json_close(json);
}

bool dataset_file_has_rows(const char *path)
{
    static const char *const suffixes[] = {".csv",    ".tsv",  ".jsonl",
                                           ".ndjson", ".json", ".parquet"};
    const char *name = path_name(path);
    size_t length = strlen(name);

    if (*name == '.' || text_has_prefix(path, "__MACOSX/"))
        return false;
    if (length > 3 && strcasecmp(name + length - 3, ".gz") == 0)
        length -= 3;
    for (size_t i = 0; i < COUNT(suffixes); i++) {
        size_t size = strlen(suffixes[i]);

        if (length > size && strncasecmp(name + length - size, suffixes[i], size) == 0)
            return true;
    }
    return false;
}

void folder_cleanup(const char **path)
{
    Error ignored;

    /* What stays behind is emptied when the platform starts again. */
    if (*path && !folder_remove(*path, &ignored))
        *path = NULL;
}
