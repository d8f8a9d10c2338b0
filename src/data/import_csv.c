#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "data/import.h"

static bool has_number(const TextList *fields)
{
    double number;

    for (size_t i = 0; i < fields->count; i++)
        if (text_to_double(fields->items[i], &number))
            return true;
    return false;
}

static bool name_columns(Import *import, ImportFile *file, const TextList *first)
{
    const DatasetOptions *options = &import->options;

    /* Given names speak for a file without a header, unless the user says that it has one. */
    file->has_header = options->header ? text_equal(options->header, "yes")
                                       : options->names.count == 0 && !has_number(first);
    if (options->names.count && options->names.count != first->count)
        return fail_field(import->error, "names", "\"%s\" has %zu columns, but %zu names are given",
                          file->name, first->count, options->names.count);
    for (size_t i = 0; i < first->count; i++) {
        const char *name = options->names.count ? options->names.items[i]
                           : file->has_header   ? first->items[i]
                                                : "";

        text_list_add(&file->columns, import->arena,
                      *name ? name : arena_format(import->arena, "column_%zu", i + 1));
    }
    return true;
}

static bool check_facts(Import *import, const ImportFile *file)
{
    const CsvFacts *facts = &file->facts;

    if (facts->nul_line)
        return fail(import->error, ERROR_INVALID,
                    "\"%s\" line %" PRId64 " has a NUL byte (byte %" PRId64
                    "): a text file has none",
                    file->name, facts->nul_line, facts->nul_offset);
    if (facts->invalid_line)
        return fail_field(import->error, "encoding",
                          "\"%s\" line %" PRId64 " is not UTF-8 (byte %" PRId64
                          "): if the file is Latin-1, pass encoding \"latin-1\"",
                          file->name, facts->invalid_line, facts->invalid_offset);
    if (facts->record_count == 0)
        return fail(import->error, ERROR_INVALID, "\"%s\" is empty", file->name);
    return true;
}

/* Latin-1 and mixed line ends, which DuckDB refuses, are read from a copy without them. */
static bool copy_plain(Import *import, ImportFile *file, bool from_latin1, bool one_newline)
{
    const CsvCopy copy = {
        .source = file->path,
        .target = arena_format(import->arena, "%s/plain-%zu-%d.csv", import->folder, file->index,
                               one_newline),
        .from_latin1 = from_latin1,
        .one_newline = one_newline,
    };

    if (!csv_copy(&copy, import->error))
        return fail_in(import->error, "\"%s\"", file->name);
    file->path = copy.target;
    file->is_gzip = false;
    return true;
}

static char one_character(const char *value, const char *word, char meaning)
{
    return text_equal(value, word) ? meaning : *value;
}

static bool find_dialect(Import *import, ImportFile *file)
{
    const DatasetOptions *options = &import->options;
    size_t length = strlen(file->name);

    file->dialect.quote = options->quote ? one_character(options->quote, "none", '\0') : '"';
    if (options->delimiter) {
        file->dialect.delimiter = one_character(options->delimiter, "tab", '\t');
        return true;
    }
    if (length > 4 && text_equal(file->name + length - 4, ".tsv")) {
        file->dialect.delimiter = '\t';
        return true;
    }
    return csv_find_delimiter(file->path, file->dialect.quote, &file->dialect.delimiter,
                              import->error) ||
           fail_in(import->error, "\"%s\"", file->name);
}

static bool look(Import *import, ImportFile *file)
{
    TextList first = {0};

    if (text_equal(import->options.encoding, "latin-1") && !copy_plain(import, file, true, false))
        return false;
    if (!find_dialect(import, file))
        return false;
    if (!csv_check(file->path, file->dialect, &file->facts, import->error))
        return fail_in(import->error, "\"%s\"", file->name);
    if (!check_facts(import, file))
        return false;
    if (file->facts.has_mixed_newlines && !copy_plain(import, file, false, true))
        return false;
    if (!csv_read_first(file->path, file->dialect, import->arena, &first, import->error))
        return fail_in(import->error, "\"%s\"", file->name);
    return name_columns(import, file, &first);
}

static const char *select_statement(const Import *import, const ImportFile *file)
{
    Arena *arena = import->arena;
    TextBuilder sql = {.arena = arena};

    text_append(&sql, "INSERT INTO raw SELECT ");
    for (size_t i = 0; i < import->column_count; i++)
        text_append_format(&sql, "nullif(f%zu, ''), ", file->places[i]);
    text_append_format(&sql, "%zu, NULL FROM read_csv(%s, columns = {", file->index,
                       duck_literal(file->path, arena));
    for (size_t i = 0; i < file->columns.count; i++)
        text_append_format(&sql, "%s'f%zu': 'VARCHAR'", i ? ", " : "", i);
    text_append_format(&sql,
                       "}, auto_detect = false, delim = %s, quote = %s, escape = %s, "
                       "header = %s, skip = %" PRId64 ", compression = '%s', "
                       "strict_mode = true, null_padding = false, max_line_size = %d, "
                       "store_rejects = true, rejects_limit = 0, rejects_table = 'rejects_%zu', "
                       "rejects_scan = 'scans_%zu')",
                       duck_literal((char[]){file->dialect.delimiter, 0}, arena),
                       duck_literal((char[]){file->dialect.quote, 0}, arena),
                       duck_literal((char[]){file->dialect.quote, 0}, arena),
                       file->has_header ? "true" : "false", file->facts.leading_blank_count,
                       file->is_gzip ? "gzip" : "none", IMPORT_RECORD_BYTES_MAX, file->index,
                       file->index);
    return text_built(&sql);
}

typedef struct Broken {
    int64_t offset; /* of the row's start */
    const char *column, *reason;
} Broken;

typedef struct BrokenList {
    Broken *items;
    size_t count;
} BrokenList;

static const char *field_count_reason(const Import *import, const ImportFile *file, int64_t found)
{
    return arena_format(import->arena, "the row has %" PRId64 " field%s, the %s has %zu", found,
                        found == 1 ? "" : "s", file->has_header ? "header" : "first row",
                        file->columns.count);
}

static const char *reason_of(const Import *import, const ImportFile *file, const DuckQuery *query)
{
    const char *type = duck_text(query, 2, import->arena);
    const char *message = duck_text(query, 3, import->arena);
    const char *found = strstr(message, "Found: ");

    if (strstr(type, "COLUMNS") && found)
        return field_count_reason(import, file, strtoll(found + strlen("Found: "), NULL, 10));
    if (text_equal(type, "UNQUOTED VALUE"))
        return "a quote is not closed, or text follows the closing one";
    if (text_equal(type, "LINE SIZE OVER MAXIMUM"))
        return arena_format(import->arena, "the row has more than %d bytes",
                            IMPORT_RECORD_BYTES_MAX);
    return arena_format(import->arena, "%.*s", (int)strcspn(message, "\n"), message);
}

/* What DuckDB refused, a row once, in the file's order. The column is known by its name, "f3": the
 * number beside it counts differently from mistake to mistake. */
static bool list_broken(Import *import, const ImportFile *file, BrokenList *list)
{
    CLEANUP(duck_finalize)
    DuckQuery query = duck_query(
        import->duck,
        arena_format(
            import->arena,
            "SELECT CAST(line_byte_position AS BIGINT) - 1, CAST(substr(column_name, 2) AS BIGINT),"
            "       CAST(error_type AS VARCHAR), error_message"
            "  FROM rejects_%zu ORDER BY line_byte_position, column_idx",
            file->index));

    while (duck_next(&query)) {
        int64_t offset = duck_int(&query, 0), column = duck_int(&query, 1);
        bool is_known =
            !duck_is_null(&query, 1) && column >= 0 && column < (int64_t)file->columns.count;

        if (list->count && list->items[list->count - 1].offset == offset)
            continue;
        *arena_push(import->arena, list) = (Broken){
            .offset = offset,
            .column = is_known ? file->columns.items[column] : NULL,
            .reason = reason_of(import, file, &query),
        };
    }
    return duck_end(&query, import->error);
}

typedef struct LineSearch {
    const BrokenList *list;
    int64_t *lines;
    size_t at;
} LineSearch;

/* DuckDB may place a row at the line end before it: the first record at or behind an offset. */
static bool note_line(void *context, const CsvRecord *record)
{
    LineSearch *search = context;

    while (search->at < search->list->count &&
           search->list->items[search->at].offset <= record->offset)
        search->lines[search->at++] = record->line;
    return search->at < search->list->count;
}

static bool reject_broken(Import *import, ImportFile *file, const BrokenList *list)
{
    LineSearch search = {.list = list,
                         .lines = arena_array(import->arena, int64_t, list->count + 1)};
    const CsvWalk walk = {.dialect = file->dialect,
                          .with_blank = file->columns.count == 1,
                          .call = note_line,
                          .context = &search};

    file->rejected_count = list->count;
    file->rejected_offsets = arena_array(import->arena, int64_t, list->count + 1);
    if (list->count && !csv_walk(file->path, &walk, import->error))
        return false;
    for (size_t i = 0; i < list->count; i++) {
        const ImportRejected rejected = {.file = file,
                                         .line = search.lines[i],
                                         .column = list->items[i].column,
                                         .reason = list->items[i].reason};

        file->rejected_offsets[i] = list->items[i].offset;
        if (!import_reject(import, &rejected))
            return false;
    }
    return true;
}

/* Every record was read or is on the list: what two readers count alike is not lost. */
static bool check_count(Import *import, const ImportFile *file)
{
    int64_t expected = file->facts.record_count - file->has_header;

    if (file->columns.count == 1)
        expected += file->facts.blank_count;
    if (expected == file->row_count + (int64_t)file->rejected_count)
        return true;
    return fail(import->error, ERROR_INVALID,
                "\"%s\" has %" PRId64 " records, but %" PRId64
                " could be read: its quotes or line ends can be understood in two ways",
                file->name, expected, file->row_count);
}

static bool load(Import *import, ImportFile *file)
{
    BrokenList broken = {0};

    if (!duck_get_int(import->duck, import->error, &file->row_count,
                      select_statement(import, file)))
        return fail_in(import->error, "\"%s\"", file->name);
    return list_broken(import, file, &broken) && reject_broken(import, file, &broken) &&
           check_count(import, file);
}

typedef struct RowSearch {
    const ImportFile *file;
    const int64_t *rows;
    int64_t *lines;
    size_t at, count, rejected_at;
    int64_t row; /* of the next record */
} RowSearch;

static bool note_row(void *context, const CsvRecord *record)
{
    RowSearch *search = context;
    const ImportFile *file = search->file;

    if (record->number == 0 && file->has_header)
        return true;
    if (search->rejected_at < file->rejected_count &&
        file->rejected_offsets[search->rejected_at] <= record->offset) {
        search->rejected_at++;
        return true;
    }
    if (search->row++ == search->rows[search->at])
        search->lines[search->at++] = record->line;
    return search->at < search->count;
}

bool import_csv_lines(Import *import, const ImportFile *file, const int64_t *rows, int64_t *lines,
                      size_t count)
{
    RowSearch search = {.file = file, .rows = rows, .lines = lines, .count = count};
    const CsvWalk walk = {.dialect = file->dialect,
                          .with_blank = file->columns.count == 1,
                          .call = note_row,
                          .context = &search};

    return csv_walk(file->path, &walk, import->error);
}

const ImportFormat import_csv = {"csv", look, load};
