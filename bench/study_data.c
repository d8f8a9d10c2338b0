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

enum { LINE_BYTES_MAX = 16 << 20, GZIP_BYTES = 1 << 16 };

/* Lines of a gzipped file, each until the next one is read. */
typedef struct LineReader {
    gzFile file;
    char *bytes; /* [at, count) is not yet handed out */
    size_t at, count, capacity;
    Arena *arena;
} LineReader;

static void close_lines(LineReader *reader)
{
    if (reader->file)
        gzclose(reader->file);
}

/* Moves what is left to the front and reads more behind it; false at the end of the file. */
static bool read_more(LineReader *reader)
{
    size_t left = reader->count - reader->at;
    int got;

    if (reader->capacity - left < GZIP_BYTES) {
        char *larger = arena_alloc(reader->arena, reader->capacity * 2 + GZIP_BYTES, 1);

        memcpy(larger, reader->bytes + reader->at, left);
        reader->capacity = reader->capacity * 2 + GZIP_BYTES;
        reader->bytes = larger;
    } else {
        memmove(reader->bytes, reader->bytes + reader->at, left);
    }
    reader->at = 0;
    got = gzread(reader->file, reader->bytes + left, GZIP_BYTES);
    reader->count = left + (got > 0 ? (size_t)got : 0);
    return got > 0;
}

static bool next_line(LineReader *reader, TextRef *line)
{
    size_t searched = 0;
    char *end = NULL;

    for (;;) {
        size_t left = reader->count - reader->at;

        if (left > searched)
            end = memchr(reader->bytes + reader->at + searched, '\n', left - searched);
        if (end || left > LINE_BYTES_MAX)
            break;
        searched = left;
        if (!read_more(reader))
            break;
    }
    *line = (TextRef){reader->bytes + reader->at, reader->count - reader->at};
    if (end)
        line->length = (size_t)(end - line->bytes);
    reader->at += line->length + (end != NULL);
    return end || line->length;
}

typedef void TakeObject(void *context, yyjson_val *object);

static bool read_objects(const char *name, TakeObject *take, void *context, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const char *path = path_of(name, arena);
    CLEANUP(close_lines) LineReader reader = {.file = gzopen(path, "rb"), .arena = arena};
    TextRef line;

    if (!reader.file)
        return fail_errno(error, "open", path);
    reader.bytes = arena_alloc(arena, reader.capacity = GZIP_BYTES, 1);
    while (next_line(&reader, &line)) {
        yyjson_doc *document = yyjson_read(line.bytes, line.length, 0);

        if (!document)
            return fail(error, ERROR_INVALID, "a line of \"%s\" is not JSON", name);
        take(context, yyjson_doc_get_root(document));
        yyjson_doc_free(document);
    }
    return true;
}

typedef struct JsonSpec {
    const char *path;
    const char *members[COLUMNS_MAX];
} JsonSpec;

typedef struct JsonTable {
    const JsonSpec *spec;
    RowTable *table;
    Arena *arena;
} JsonTable;

static TextRef member(yyjson_val *object, const char *name)
{
    yyjson_val *value = yyjson_obj_get(object, name);

    return (TextRef){yyjson_get_str(value), yyjson_get_len(value)};
}

static TextRef kept(TextRef text, Arena *arena)
{
    return (TextRef){arena_copy(arena, text.bytes, text.length), text.length};
}

static void take_row(void *context, yyjson_val *object)
{
    JsonTable *into = context;
    struct RowTexts row = {.label = kept(member(object, "label"), into->arena)};

    for (size_t i = 0; into->spec->members[i]; i++)
        row.cells[i] = kept(member(object, into->spec->members[i]), into->arena);
    *arena_push(into->arena, into->table) = row;
}

static bool read_json_lines(const JsonSpec *spec, RowTable *table, Arena *arena, Error *error)
{
    return read_objects(spec->path, take_row, &(JsonTable){spec, table, arena}, error);
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

static const char news_train[] = "20newsgroups/20news-bydate-train.jsonl.gz";
static const char news_test[] = "20newsgroups/20news-bydate-test.jsonl.gz";

bool study_news(StudyData *data, Arena *arena, Error *error)
{
    static const JsonSpec train = {news_train, {"text"}}, test = {news_test, {"text"}};
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

typedef struct Posts {
    TakePost *take;
    void *context;
} Posts;

static void take_post(void *context, yyjson_val *object)
{
    const Posts *posts = context;

    posts->take(posts->context, member(object, "text"), member(object, "label"));
}

bool study_news_posts(bool is_test, TakePost *take, void *context, Error *error)
{
    return read_objects(is_test ? news_test : news_train, take_post, &(Posts){take, context},
                        error);
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
