#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "data/byte_source.h"
#include "data/import.h"

static const struct {
    const char *suffix;
    const ImportFormat *format;
} suffixes[] = {
    {".csv", &import_csv},         {".tsv", &import_csv},      {".txt", &import_csv},
    {".jsonl", &import_jsonl},     {".ndjson", &import_jsonl}, {".json", &import_json},
    {".parquet", &import_parquet},
};

static const ImportFormat *const formats[] = {&import_csv, &import_jsonl, &import_json,
                                              &import_parquet};

static bool read_start(const char *path, unsigned char *bytes, size_t size, size_t *got,
                       Error *error)
{
    FILE *file = fopen(path, "rbe");

    if (!file)
        return fail_errno(error, "open", path);
    *got = fread(bytes, 1, size, file);
    fclose(file);
    return true;
}

static bool has_suffix(const char *name, size_t length, const char *suffix)
{
    size_t suffix_length = strlen(suffix);

    return length >= suffix_length &&
           strncasecmp(name + length - suffix_length, suffix, suffix_length) == 0;
}

static const ImportFormat *format_by_name(const ImportFile *file)
{
    size_t length = strlen(file->name);

    if (has_suffix(file->name, length, ".gz"))
        length -= strlen(".gz");
    for (size_t i = 0; i < COUNT(suffixes); i++)
        if (has_suffix(file->name, length, suffixes[i].suffix))
            return suffixes[i].format;
    return NULL;
}

/* The first byte that is not a space says what a text file without a telling name is. A ".json"
 * whose first byte is a brace holds objects, one a line. */
static bool format_by_content(Import *import, ImportFile *file)
{
    CLEANUP(byte_source_close) ByteSource source;
    int byte;

    if (!byte_source_open(&source, file->path, CSV_BYTES_MAX, import->error))
        return false;
    do
        byte = byte_source_next(&source);
    while (byte > 0 && strchr(" \t\r\n\xef\xbb\xbf", byte));
    if (byte < 0 && !byte_source_end(&source, import->error))
        return fail_in(import->error, "\"%s\"", file->name);
    file->format = byte == '{' ? &import_jsonl : byte == '[' ? &import_json : &import_csv;
    return true;
}

static bool find_format(Import *import, ImportFile *file)
{
    unsigned char start[4] = {0};
    size_t got = 0;

    if (!read_start(file->path, start, sizeof(start), &got, import->error))
        return false;
    if (got == 0)
        return fail(import->error, ERROR_INVALID, "\"%s\" is empty", file->name);
    file->is_gzip = got >= 2 && start[0] == 0x1f && start[1] == 0x8b;
    for (size_t i = 0; i < COUNT(formats); i++)
        if (text_equal(formats[i]->name, import->options.format))
            file->format = formats[i];
    if (!file->format && memcmp(start, "PAR1", 4) == 0)
        file->format = &import_parquet;
    if (!file->format)
        file->format = format_by_name(file);
    if (!file->format || file->format == &import_json)
        return format_by_content(import, file);
    return true;
}

static bool check_names(Import *import, const ImportFile *file)
{
    static const char *const reserved[] = {"_row", "_file", "_id"};
    const TextList *names = &file->columns;

    if (names->count == 0)
        return fail(import->error, ERROR_INVALID, "\"%s\" has no columns", file->name);
    if (names->count > IMPORT_COLUMNS_MAX)
        return fail(import->error, ERROR_TOO_LARGE, "\"%s\" has %zu columns, %d are allowed",
                    file->name, names->count, IMPORT_COLUMNS_MAX);
    for (size_t i = 0; i < names->count; i++) {
        for (size_t j = 0; j < COUNT(reserved); j++)
            if (strcasecmp(names->items[i], reserved[j]) == 0)
                return fail_field(import->error, names->items[i],
                                  "\"%s\": a column cannot be named \"%s\", which is Slipway's own",
                                  file->name, names->items[i]);
        for (size_t j = 0; j < i; j++)
            if (strcasecmp(names->items[i], names->items[j]) == 0)
                return fail_field(import->error, names->items[i],
                                  "\"%s\" has two columns named \"%s\" (columns %zu and %zu)",
                                  file->name, names->items[i], j + 1, i + 1);
    }
    return true;
}

static bool find_place(const TextList *names, const char *name, size_t *place)
{
    for (*place = 0; *place < names->count; (*place)++)
        if (text_equal(names->items[*place], name))
            return true;
    return false;
}

/* The first file says which columns there are; the others must have the same, in any order. */
static bool match_columns(Import *import, ImportFile *file)
{
    const ImportFile *first = &import->files[0];
    size_t place;

    for (size_t i = 0; i < file->columns.count; i++)
        if (!find_place(&first->columns, file->columns.items[i], &place))
            return fail_field(import->error, file->columns.items[i],
                              "\"%s\" has a column \"%s\" that \"%s\" has not", file->name,
                              file->columns.items[i], first->name);
    file->places = arena_array(import->arena, size_t, first->columns.count);
    for (size_t i = 0; i < first->columns.count; i++)
        if (!find_place(&file->columns, first->columns.items[i], &file->places[i]))
            return fail_field(import->error, first->columns.items[i],
                              "\"%s\" has no column \"%s\", which \"%s\" has", file->name,
                              first->columns.items[i], first->name);
    return true;
}

static bool fail_no_column(Import *import, const char *what, const char *name)
{
    TextBuilder names = {.arena = import->arena};

    for (size_t i = 0; i < import->column_count && names.count < 300; i++)
        text_append_format(&names, "%s\"%s\"", i ? ", " : "", import->columns[i].column.name);
    return fail_field(import->error, name, "%s \"%s\" is not a column; the columns are %s", what,
                      name, text_built(&names));
}

static ImportColumn *find_column(Import *import, const char *name)
{
    for (size_t i = 0; i < import->column_count; i++)
        if (text_equal(import->columns[i].column.name, name))
            return &import->columns[i];
    return NULL;
}

static bool take_overrides(Import *import)
{
    for (JsonWalk walk = json_walk(import->options.columns); json_walk_next(&walk);) {
        ImportColumn *column = find_column(import, walk.key);
        const char *value = json_as_text(walk.value, "");
        bool is_role = text_equal(value, "ignore") || text_equal(value, "known") ||
                       text_equal(value, "known_after");

        if (!column)
            return fail_no_column(import, "the option \"columns\":", walk.key);
        if (is_role)
            column->column.role = value;
        else
            column->override = text_equal(value, "date") ? "time" : value;
    }
    return true;
}

static bool take_role(Import *import, const char *role, const char *name)
{
    ImportColumn *column = find_column(import, name);

    if (!column)
        return fail_no_column(import, role, name);
    if (!text_equal(column->column.role, "feature") && !text_equal(column->column.role, role))
        return fail_field(import->error, name, "column \"%s\" cannot be both %s and %s", name,
                          column->column.role, role);
    column->column.role = role;
    return true;
}

static bool take_roles(Import *import)
{
    const struct {
        const char *role, *name;
    } roles[] = {
        {"target", import->options.target},
        {"group", import->options.group},
        {"time", import->options.time},
    };

    for (size_t i = 0; i < COUNT(roles); i++) {
        const char *name = roles[i].name;

        if (!name || (!find_column(import, name) && text_equal(name, "_file")))
            continue;
        if (!take_role(import, roles[i].role, name))
            return false;
    }
    for (size_t i = 0; i < import->options.known.count; i++)
        if (!take_role(import, "known", import->options.known.items[i]))
            return false;
    return true;
}

static bool make_columns(Import *import)
{
    const ImportFile *first = &import->files[0];

    import->column_count = first->columns.count;
    import->columns = arena_array(import->arena, ImportColumn, import->column_count);
    for (size_t i = 0; i < import->column_count; i++) {
        ImportColumn *column = &import->columns[i];

        column->column.name = first->columns.items[i];
        column->column.role = "feature";
        column->sql_type = first->sql_types.count ? first->sql_types.items[i] : "VARCHAR";
        column->is_text = first->sql_types.count && text_equal(column->sql_type, "VARCHAR");
    }
    return take_overrides(import) && take_roles(import);
}

bool import_look(Import *import)
{
    for (size_t i = 0; i < import->file_count; i++) {
        ImportFile *file = &import->files[i];

        if (!find_format(import, file) || !file->format->look(import, file) ||
            !check_names(import, file) || !match_columns(import, file))
            return false;
        if (file->format != import->files[0].format)
            return fail(import->error, ERROR_INVALID,
                        "\"%s\" is %s and \"%s\" is %s: the files of a data set "
                        "have one format",
                        import->files[0].name, import->files[0].format->name, file->name,
                        file->format->name);
    }
    return make_columns(import);
}
