#include <inttypes.h>

#include "base/file.h"
#include "data/import.h"
#include "data/steps.h"

bool import_sets_aside(const Import *import)
{
    return text_equal(import->options.on_error, "set-aside");
}

static bool refuse(Import *import, const ImportRejected *rejected)
{
    const char *column =
        rejected->column ? arena_format(import->arena, ", column \"%s\"", rejected->column) : "";

    fail_field(import->error, rejected->column ? rejected->column : "",
               "\"%s\" line %" PRId64 "%s: %s", rejected->file->name, rejected->line, column,
               rejected->reason);
    import->error->kind = ERROR_INVALID;
    return false;
}

bool import_reject(Import *import, const ImportRejected *rejected)
{
    if (!import_sets_aside(import))
        return refuse(import, rejected);
    import->rejected_count++;
    if (import->rejected.count < IMPORT_REJECTED_MAX)
        *arena_push(import->arena, &import->rejected) = *rejected;
    return true;
}

bool import_load(Import *import)
{
    TextBuilder sql = {.arena = import->arena};
    int64_t row = 0;

    text_append(&sql, "CREATE TABLE raw (");
    for (size_t i = 0; i < import->column_count; i++)
        text_append_format(&sql, "c%zu %s, ", i, import->columns[i].sql_type);
    text_append(&sql, "file_index BIGINT, line BIGINT)");
    if (!duck_run(import->duck, import->error, text_built(&sql)))
        return false;
    for (size_t i = 0; i < import->file_count; i++) {
        ImportFile *file = &import->files[i];

        file->first_row = row;
        if (!file->format->load(import, file))
            return false;
        row += file->row_count;
    }
    return true;
}

static bool read_files(Import *import, const JsonValue *files)
{
    size_t count = json_count(files);

    if (count == 0 || count > IMPORT_FILES_MAX)
        return fail(import->error, ERROR_INVALID, "a data set has 1 to %d files", IMPORT_FILES_MAX);
    import->files = arena_array(import->arena, ImportFile, count);
    for (JsonWalk walk = json_walk(files); json_walk_next(&walk);) {
        ImportFile *file = &import->files[import->file_count];

        file->index = import->file_count++;
        file->name = json_as_text(json_member(walk.value, "path"), "");
        file->path = json_as_text(json_member(walk.value, "file"), "");
        if (!file_exists(file->path))
            return fail(import->error, ERROR_NOT_FOUND, "\"%s\" is not there", file->path);
    }
    return true;
}

static bool read_job(Import *import, const JsonValue *job)
{
    import->folder = json_as_text(json_member(job, "folder"), NULL);
    import->rows_path = json_as_text(json_member(job, "rows"), NULL);
    if (!import->folder || !import->rows_path)
        return fail(import->error, ERROR_INVALID, "the job needs \"folder\" and \"rows\"");
    if (!json_is_null(json_member(job, "options")) &&
        !json_read_value(json_member(job, "options"), dataset_options_fields, &import->options,
                         import->arena, import->error))
        return false;
    return dataset_options_check(&import->options, import->error) &&
           read_files(import, json_member(job, "files"));
}

static void write_columns(const Import *import, JsonWriter *json)
{
    DatasetColumns columns = {0};

    for (size_t i = 0; i < import->column_count; i++)
        *arena_push(import->arena, &columns) = import->columns[i].column;
    if (text_equal(import->options.group, "_file") && !dataset_column_by_role(&columns, "group"))
        *arena_push(import->arena, &columns) = (DatasetColumn){"_file", "category", "group"};
    dataset_columns_write_json(json, "columns", &columns);
}

static void write_files(const Import *import, JsonWriter *json)
{
    json_open_array(json, "files");
    for (size_t i = 0; i < import->file_count; i++) {
        json_open_object(json, NULL);
        {
            json_text(json, "path", import->files[i].name);
            json_int(json, "rows", import->files[i].row_count);
        }
        json_close(json);
    }
    json_close(json);
}

static void write_set_aside(const Import *import, JsonWriter *json)
{
    json_open_array(json, "set_aside");
    for (size_t i = 0; i < import->rejected.count; i++) {
        const ImportRejected *rejected = &import->rejected.items[i];

        json_open_object(json, NULL);
        {
            json_text(json, "path", rejected->file->name);
            json_int(json, "line", rejected->line);
            json_text(json, "column", rejected->column);
            json_text(json, "reason", rejected->reason);
        }
        json_close(json);
    }
    json_close(json);
}

static Duck *open_duck(const Import *import)
{
    DuckSpec spec = {.folder = import->folder};

    text_list_add(&spec.files, import->arena, import->rows_path);
    for (size_t i = 0; i < import->file_count; i++)
        text_list_add(&spec.files, import->arena, import->files[i].path);
    return duck_open(&spec, import->error);
}

bool import_data_step(const JsonValue *job, JsonWriter *result, Arena *arena, Error *error)
{
    Import import = {.arena = arena, .error = error};
    CLEANUP(duck_close) Duck *duck = NULL;

    if (!read_job(&import, job))
        return false;
    duck = open_duck(&import);
    import.duck = duck;
    if (!duck || !import_look(&import) || !import_load(&import) || !import_type(&import) ||
        !import_write(&import))
        return false;
    json_int(result, "row_count", import.row_count);
    json_int(result, "set_aside_count", import.rejected_count);
    write_columns(&import, result);
    write_files(&import, result);
    write_set_aside(&import, result);
    return import_profile(&import, result);
}
