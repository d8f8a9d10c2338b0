#include "bench/study_data.h"

#include <stdlib.h>
#include <string.h>
#include <yyjson.h>
#include <zlib.h>

#include "base/file.h"

enum { COLUMNS_MAX = 8, FILE_BYTES_MAX = 256 << 20 };

typedef struct RowTable {
    struct RowTexts {
        TextRef cells[COLUMNS_MAX];
        TextRef label;
        size_t group;
    } * items;
    size_t count;
} RowTable;

static const char *path_of(const char *name, Arena *arena)
{
    const char *root = getenv("SLIPWAY_DATA");

    return arena_format(arena, "%s/%s", root ? root : "../shared/data", name);
}

/* ---- CSV ---- */

/* One cell of RFC 4180; *at is moved behind it and its separator. *last: it ended the row. */
static TextRef read_cell(const char *text, size_t size, size_t *at, bool *last, Arena *arena)
{
    bool quoted = *at < size && text[*at] == '"';
    size_t start = *at += quoted, length = 0;
    char *cell;

    if (!quoted) {
        while (*at < size && text[*at] != ',' && text[*at] != '\n' && text[*at] != '\r')
            ++*at;
        cell = arena_copy(arena, text + start, length = *at - start);
    } else {
        cell = arena_copy(arena, text + start, size - start < 65536 ? size - start : 65536);
        for (; *at < size; ++*at) {
            if (text[*at] == '"' && (*at + 1 >= size || text[*at + 1] != '"'))
                break;
            *at += text[*at] == '"';
            cell[length++] = text[*at];
        }
        ++*at;
    }
    *at += *at < size && text[*at] == '\r';
    *last = *at >= size || text[*at] == '\n';
    ++*at;
    return (TextRef){length || quoted ? cell : NULL, length};
}

/* Columns are chosen by position; label_column is the target's. */
typedef struct CsvSpec {
    const char *path;
    int columns[COLUMNS_MAX]; /* positions, -1 behind the last */
    int label_column;
    size_t group;
} CsvSpec;

static bool read_csv(const CsvSpec *spec, RowTable *table, Arena *arena, Error *error)
{
    const char *text;
    size_t size, at = 0, line = 0;

    if (!file_read(path_of(spec->path, arena), FILE_BYTES_MAX, arena, &text, &size, error))
        return false;
    while (at < size && text[at] == '\n')
        at++;
    for (; at < size; line++) {
        struct RowTexts row = {.group = spec->group};
        bool last = false;

        for (int cell = 0; !last; cell++) {
            TextRef value = read_cell(text, size, &at, &last, arena);

            if (cell == spec->label_column)
                row.label = value;
            for (size_t i = 0; i < COLUMNS_MAX && spec->columns[i] >= 0; i++)
                if (spec->columns[i] == cell)
                    row.cells[i] = value;
        }
        if (line && row.label.bytes)
            *arena_push(arena, table) = row;
    }
    return true;
}

/* ---- JSON lines ---- */

static bool read_gzip(const char *path, Arena *arena, char **bytes, size_t *size, Error *error)
{
    gzFile file = gzopen(path, "rb");
    size_t capacity = FILE_BYTES_MAX, length = 0;
    int got;

    if (!file)
        return fail_errno(error, "open", path);
    *bytes = arena_alloc(arena, capacity, 1);
    while ((got = gzread(file, *bytes + length, 1 << 20)) > 0 &&
           (length += (size_t)got) + (1 << 20) < capacity)
        continue;
    gzclose(file);
    *size = length;
    return got == 0 || fail(error, ERROR_INVALID, "could not read \"%s\"", path);
}

typedef struct JsonSpec {
    const char *path;
    const char *members[COLUMNS_MAX];
} JsonSpec;

static TextRef member(yyjson_val *object, const char *name, Arena *arena)
{
    yyjson_val *value = yyjson_obj_get(object, name);
    size_t length = yyjson_get_len(value);

    return (TextRef){arena_copy(arena, yyjson_get_str(value), length), length};
}

static bool read_json_lines(const JsonSpec *spec, RowTable *table, Arena *arena, Error *error)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    char *bytes = NULL, *end;
    size_t size = 0;

    if (!read_gzip(path_of(spec->path, arena), scratch, &bytes, &size, error))
        return false;
    for (char *line = bytes; line < bytes + size; line = end + 1) {
        struct RowTexts row = {0};
        yyjson_doc *document;

        end = memchr(line, '\n', (size_t)(bytes + size - line));
        end = end ? end : bytes + size;
        document = yyjson_read(line, (size_t)(end - line), 0);
        if (!document)
            return fail(error, ERROR_INVALID, "a line of \"%s\" is not JSON", spec->path);
        row.label = member(yyjson_doc_get_root(document), "label", arena);
        for (size_t i = 0; spec->members[i]; i++)
            row.cells[i] = member(yyjson_doc_get_root(document), spec->members[i], arena);
        yyjson_doc_free(document);
        *arena_push(arena, table) = row;
    }
    return true;
}

/* ---- tables to frames ---- */

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static size_t name_index(const ClassNames *classes, const char *name)
{
    size_t i = 0;

    while (i < classes->count && strcmp(classes->items[i], name) != 0)
        i++;
    return i;
}

static void find_classes(const RowTable *table, StudyData *data, Arena *arena)
{
    const char **names = arena_array(arena, const char *, table->count);
    ClassNames classes = {names, 0};
    int *labels = arena_array(arena, int, table->count);

    for (size_t row = 0; row < table->count; row++)
        if (name_index(&classes, table->items[row].label.bytes) == classes.count)
            names[classes.count++] = table->items[row].label.bytes;
    qsort(names, classes.count, sizeof(*names), compare_names);
    for (size_t row = 0; row < table->count; row++)
        labels[row] = (int)name_index(&classes, table->items[row].label.bytes);
    data->classes = classes;
    data->labels = labels;
}

typedef struct ColumnSpec {
    const char *name;
    ColumnKind kind;
} ColumnSpec;

static void make_data(const RowTable *table, const ColumnSpec *specs, StudyData *data, Arena *arena)
{
    FrameColumn *columns = arena_array(arena, FrameColumn, COLUMNS_MAX);
    size_t *groups = arena_array(arena, size_t, table->count);

    find_classes(table, data, arena);
    data->frame = (Frame){columns, 0, table->count};
    for (size_t i = 0; specs[i].name; i++, data->frame.column_count++) {
        TextRef *texts = arena_array(arena, TextRef, table->count);

        for (size_t row = 0; row < table->count; row++)
            texts[row] = table->items[row].cells[i];
        columns[i] = (FrameColumn){specs[i].name, specs[i].kind, texts, NULL};
    }
    for (size_t row = 0; row < table->count; row++)
        groups[row] = table->items[row].group;
    data->groups = groups;
}

bool study_youtube(StudyData *data, Arena *arena, Error *error)
{
    static const char *const videos[] = {"Youtube01-Psy", "Youtube02-KatyPerry", "Youtube03-LMFAO",
                                         "Youtube04-Eminem", "Youtube05-Shakira"};
    static const ColumnSpec columns[] = {{"CONTENT", COLUMN_TEXT}, {0}};
    RowTable table = {0};

    for (size_t i = 0; i < COUNT(videos); i++) {
        CsvSpec spec = {arena_format(arena, "youtube-spam/%s.csv", videos[i]), {3, -1}, 4, i};

        if (!read_csv(&spec, &table, arena, error))
            return false;
    }
    make_data(&table, columns, data, arena);
    return true;
}

bool study_disaster(StudyData *data, Arena *arena, Error *error)
{
    static const CsvSpec spec = {"disaster-tweets/train.csv", {3, 1, 2, -1}, 4, 0};
    static const ColumnSpec columns[] = {
        {"text", COLUMN_TEXT}, {"keyword", COLUMN_CATEGORY}, {"location", COLUMN_TEXT}, {0}};
    RowTable table = {0};

    if (!read_csv(&spec, &table, arena, error))
        return false;
    make_data(&table, columns, data, arena);
    return true;
}

bool study_sms(StudyData *data, Arena *arena, Error *error)
{
    static const ColumnSpec columns[] = {{"text", COLUMN_TEXT}, {0}};
    RowTable table = {0};
    const char *text, *end;
    size_t size;

    if (!file_read(path_of("sms-spam/SMSSpamCollection.tsv", arena), FILE_BYTES_MAX, arena, &text,
                   &size, error))
        return false;
    for (const char *line = text; line < text + size; line = end + 1) {
        const char *tab = strchr(line, '\t');
        struct RowTexts row = {0};

        end = strchrnul(line, '\n');
        if (!tab || tab > end)
            continue;
        row.label = (TextRef){arena_copy(arena, line, (size_t)(tab - line)), (size_t)(tab - line)};
        row.cells[0] = (TextRef){tab + 1, (size_t)(end - tab - 1)};
        *arena_push(arena, &table) = row;
    }
    make_data(&table, columns, data, arena);
    return true;
}

bool study_enron(StudyData *data, Arena *arena, Error *error)
{
    static const JsonSpec spec = {"enron1-spam/enron1.jsonl.gz", {"subject", "body"}};
    static const ColumnSpec columns[] = {{"subject", COLUMN_TEXT}, {"body", COLUMN_TEXT}, {0}};
    RowTable table = {0};

    if (!read_json_lines(&spec, &table, arena, error))
        return false;
    make_data(&table, columns, data, arena);
    return true;
}

bool study_news(StudyData *data, Arena *arena, Error *error)
{
    static const JsonSpec train = {"20newsgroups/20news-bydate-train.jsonl.gz", {"text"}};
    static const JsonSpec test = {"20newsgroups/20news-bydate-test.jsonl.gz", {"text"}};
    static const ColumnSpec columns[] = {{"text", COLUMN_TEXT}, {0}};
    RowTable table = {0};
    size_t train_count;

    if (!read_json_lines(&train, &table, arena, error))
        return false;
    train_count = table.count;
    if (!read_json_lines(&test, &table, arena, error))
        return false;
    make_data(&table, columns, data, arena);
    data->test_start = train_count;
    return true;
}

StudyData study_pick(const StudyData *data, const size_t *rows, size_t count, Arena *arena)
{
    StudyData picked = {.classes = data->classes};
    FrameColumn *columns = arena_array(arena, FrameColumn, data->frame.column_count);
    int *labels = arena_array(arena, int, count);
    size_t *groups = arena_array(arena, size_t, count);

    for (size_t i = 0; i < data->frame.column_count; i++) {
        TextRef *texts = arena_array(arena, TextRef, count);

        for (size_t row = 0; row < count; row++)
            texts[row] = data->frame.columns[i].texts[rows[row]];
        columns[i] = data->frame.columns[i];
        columns[i].texts = texts;
    }
    for (size_t row = 0; row < count; row++) {
        labels[row] = data->labels[rows[row]];
        groups[row] = data->groups[rows[row]];
    }
    picked.frame = (Frame){columns, data->frame.column_count, count};
    picked.labels = labels;
    picked.groups = groups;
    return picked;
}
