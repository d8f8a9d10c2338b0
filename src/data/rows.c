#include "data/rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/duck.h"
#include "data/row_id.h"

/* What becomes of a column of the file. */
typedef enum Part {
    PART_TEXT,
    PART_NUMBER,
    PART_LABEL,  /* the target as a class */
    PART_TARGET, /* the target as a number */
    PART_GROUP,
    PART_TIME,
} Part;

typedef struct PartColumn {
    Part part;
    const DatasetColumn *column;
    TextRef *texts;   /* PART_TEXT */
    double *numbers;  /* PART_NUMBER, PART_TARGET */
    ClassNames names; /* the distinct values: PART_LABEL, PART_GROUP */
    TextRef *known;   /* PART_TEXT of categories: KNOWN_TEXTS by hash, each the latest one */
} PartColumn;

enum { KNOWN_TEXTS = 1024, KNOWN_BYTES_MAX = 64 };

typedef struct Reader {
    const RowsSpec *spec;
    Arena *arena;
    Error *error;
    Duck *duck;
    PartColumn *parts;
    size_t part_count;
    const char *from; /* "FROM ... WHERE ..." */
    bool has_where;
    const char *id; /* the SQL of a row's id */
    Rows rows;
} Reader;

static bool part_of(const DatasetColumn *column, Part *part)
{
    static const struct {
        const char *role, *type; /* NULL: any; "feature": or known */
        Part part;
    } table[] = {
        {"target", NULL, PART_LABEL},        {"group", NULL, PART_GROUP},
        {"time", NULL, PART_TIME},           {"feature", "text", PART_TEXT},
        {"feature", "category", PART_TEXT},  {"feature", "boolean", PART_TEXT},
        {"feature", "integer", PART_NUMBER}, {"feature", "number", PART_NUMBER},
        {"feature", "time", PART_TEXT},
    };

    for (size_t i = 0; i < COUNT(table); i++) {
        bool is_role = text_equal(table[i].role, "feature")
                           ? dataset_column_is_feature(column)
                           : text_equal(table[i].role, column->role);

        if (!is_role || (table[i].type && !text_equal(table[i].type, column->type)))
            continue;
        *part = table[i].part;
        return true;
    }
    return false;
}

static void list_parts(Reader *reader)
{
    const DatasetColumns *columns = &reader->spec->columns;

    reader->parts = arena_array(reader->arena, PartColumn, columns->count + 1);
    for (size_t i = 0; i < columns->count; i++) {
        PartColumn *part = &reader->parts[reader->part_count];

        part->column = &columns->items[i];
        if (!part_of(part->column, &part->part))
            continue;
        if (part->part == PART_LABEL && reader->spec->task == TASK_REGRESSION)
            part->part = PART_TARGET;
        reader->part_count++;
    }
}

/* A text of digits is a name, not a number: who means a number says so when the data is added. */
static bool check_target(const Reader *reader)
{
    for (size_t i = 0; i < reader->part_count; i++) {
        const DatasetColumn *column = reader->parts[i].column;

        if (reader->parts[i].part == PART_TARGET && !dataset_column_has_numbers(column))
            return fail_field(reader->error, column->name,
                              "the target \"%.128s\" is of type %s: numbers are learnt from one of "
                              "type number or integer",
                              column->name, column->type);
    }
    return true;
}

static bool open_duck(Reader *reader)
{
    DuckSpec spec = {0};

    text_list_add(&spec.files, reader->arena, reader->spec->path);
    if (reader->spec->without_path)
        text_list_add(&spec.files, reader->arena, reader->spec->without_path);
    reader->duck = duck_open(&spec, reader->error);
    return reader->duck != NULL;
}

/* That the file has the columns, which may have come with a later version of the data. */
static bool check_columns(Reader *reader)
{
    CLEANUP(duck_finalize)
    DuckQuery query =
        duck_query(reader->duck, arena_format(reader->arena, "SELECT name FROM parquet_schema(%s)",
                                              duck_literal(reader->spec->path, reader->arena)));
    TextList names = {0};

    while (duck_next(&query))
        text_list_add(&names, reader->arena, duck_text(&query, 0, reader->arena));
    if (!duck_end(&query, reader->error))
        return false;
    for (size_t i = 0; i < reader->part_count; i++)
        if (!text_list_has(&names, reader->parts[i].column->name))
            return fail_field(reader->error, reader->parts[i].column->name,
                              "there is no column \"%.128s\"", reader->parts[i].column->name);
    return true;
}

/* Which columns the ids of a file were made from: a JSON array of names, or "". */
static bool read_note(Reader *reader, const char *path, const char **note)
{
    CLEANUP(duck_finalize)
    DuckQuery query =
        duck_query(reader->duck, arena_format(reader->arena,
                                              "SELECT decode(value) FROM parquet_kv_metadata(%s)"
                                              " WHERE decode(key) = '" ROW_ID_KEY "'",
                                              duck_literal(path, reader->arena)));

    *note = duck_next(&query) ? duck_text(&query, 0, reader->arena) : "";
    return duck_end(&query, reader->error);
}

static const DatasetColumn *column_by_name(const DatasetColumns *columns, const char *name)
{
    for (size_t i = 0; i < columns->count; i++)
        if (text_equal(columns->items[i].name, name))
            return &columns->items[i];
    return NULL;
}

/* The SQL of these rows' ids as others were made, whose note this is. */
static bool id_as_in(Reader *reader, const char *note, const char **expression)
{
    DatasetColumns columns = {0};
    TextList names = {0};
    const JsonValue *array;

    if (!json_parse(note, strlen(note), reader->arena, &array, reader->error))
        return fail_in(reader->error, "it is not said what the ids of the rows are made from");
    for (JsonWalk walk = json_walk(array); json_walk_next(&walk);) {
        const char *name = json_as_text(walk.value, "");
        const DatasetColumn *column = column_by_name(&reader->spec->columns, name);

        if (!column)
            return fail_field(reader->error, name,
                              "the rows that are compared are told apart by column \"%.128s\", "
                              "which these rows do not have",
                              name);
        *arena_push(reader->arena, &columns) = *column;
        text_list_add(&names, reader->arena, duck_name(name, reader->arena));
    }
    *expression = row_id_expression(&columns, names.items, reader->arena);
    return true;
}

/* As stored, where they were made from the same columns. */
static bool id_like(Reader *reader, const char *own, const char *other, const char **expression)
{
    *expression = "_id";
    return text_equal(own, other) || id_as_in(reader, other, expression);
}

static bool make_id(Reader *reader, const char *own)
{
    const char *wanted = reader->spec->id_columns ? reader->spec->id_columns : own;

    reader->rows.id_columns = wanted;
    return id_like(reader, own, wanted, &reader->id);
}

static bool make_from(Reader *reader)
{
    const RowsSpec *spec = reader->spec;
    const char *own = "", *other = "", *id;

    reader->from = arena_format(reader->arena, " FROM read_parquet(%s)",
                                duck_literal(spec->path, reader->arena));
    if (!read_note(reader, spec->path, &own) || !make_id(reader, own))
        return false;
    if (!spec->without_path)
        return true;
    if (!read_note(reader, spec->without_path, &other) || !id_like(reader, own, other, &id))
        return false;
    reader->has_where = true;
    reader->from =
        arena_format(reader->arena, "%s WHERE %s NOT IN (SELECT _id FROM read_parquet(%s))",
                     reader->from, id, duck_literal(spec->without_path, reader->arena));
    return true;
}

static bool count_kept(Reader *reader, int64_t *kept)
{
    return duck_get_int(reader->duck, reader->error, kept,
                        arena_format(reader->arena, "SELECT count(*)%s", reader->from));
}

/* Ids are digests: the share of them below a number is that number's of all. */
static bool draw_rows(Reader *reader, int64_t *kept)
{
    uint64_t most = reader->spec->cells_max / (reader->part_count + 1);
    int64_t all = *kept;

    if (reader->spec->cells_max == 0 || (uint64_t)all <= most)
        return true;
    reader->from = arena_format(reader->arena, "%s %s substr(%s, 1, 8) < '%08x'", reader->from,
                                reader->has_where ? "AND" : "WHERE", reader->id,
                                (unsigned)((double)most / (double)all * UINT32_MAX));
    reader->has_where = true;
    if (!count_kept(reader, kept))
        return false;
    reader->rows.undrawn_count = (size_t)(all - *kept);
    return true;
}

static bool count_rows(Reader *reader)
{
    int64_t all = 0, kept = 0, limit = reader->spec->limit;

    if (!duck_get_int(reader->duck, reader->error, &all,
                      arena_format(reader->arena, "SELECT count(*) FROM read_parquet(%s)",
                                   duck_literal(reader->spec->path, reader->arena))) ||
        !count_kept(reader, &kept))
        return false;
    reader->rows.left_out_count = (size_t)(all - kept);
    if (!draw_rows(reader, &kept))
        return false;
    reader->rows.row_count = (size_t)(limit > 0 && limit < kept ? limit : kept);
    return true;
}

/* The distinct values of a column, sorted by bytes. */
static bool list_values(Reader *reader, PartColumn *part)
{
    CLEANUP(duck_finalize)
    DuckQuery query = duck_query(
        reader->duck, arena_format(reader->arena,
                                   "SELECT DISTINCT CAST(%s AS VARCHAR) AS v%s %s v IS NOT NULL"
                                   " ORDER BY v",
                                   duck_name(part->column->name, reader->arena), reader->from,
                                   reader->has_where ? "AND" : "WHERE"));
    TextList values = {0};

    while (duck_next(&query))
        text_list_add(&values, reader->arena, duck_text(&query, 0, reader->arena));
    part->names = (ClassNames){values.items, values.count};
    return duck_end(&query, reader->error);
}

static bool prepare_part(Reader *reader, PartColumn *part)
{
    Rows *rows = &reader->rows;
    size_t count = rows->row_count + 1;

    switch (part->part) {
    case PART_TEXT:
        part->texts = arena_array(reader->arena, TextRef, count);
        if (!text_equal(part->column->type, "text"))
            part->known = arena_array(reader->arena, TextRef, KNOWN_TEXTS);
        return true;
    case PART_NUMBER:
        part->numbers = arena_array(reader->arena, double, count);
        return true;
    case PART_TARGET:
        rows->targets = part->numbers = arena_array(reader->arena, double, count);
        return true;
    case PART_LABEL:
        rows->labels = arena_array(reader->arena, int, count);
        if (reader->spec->classes)
            part->names = *reader->spec->classes;
        else if (!list_values(reader, part))
            return false;
        rows->classes = part->names;
        return true;
    case PART_GROUP:
        rows->groups = arena_array(reader->arena, size_t, count);
        if (!list_values(reader, part))
            return false;
        rows->group_names = part->names;
        return true;
    case PART_TIME:
        rows->times = arena_array(reader->arena, int64_t, count);
        return true;
    }
    return true;
}

static const char *time_expression(const DatasetColumn *column, const char *name, Arena *arena)
{
    if (text_equal(column->type, "time"))
        return arena_format(arena, "epoch_ms(%s)", name);
    return arena_format(arena, "TRY_CAST(%s AS BIGINT)", name);
}

static bool is_number(Part part)
{
    return part == PART_NUMBER || part == PART_TARGET;
}

static const char *select_clause(const Reader *reader)
{
    TextBuilder sql = {.arena = reader->arena};

    text_append_format(&sql, "SELECT %s", reader->id);
    for (size_t i = 0; i < reader->part_count; i++) {
        const PartColumn *part = &reader->parts[i];
        const char *name = duck_name(part->column->name, reader->arena);

        if (part->part == PART_TIME)
            text_append_format(&sql, ", %s", time_expression(part->column, name, reader->arena));
        else
            text_append_format(&sql, ", CAST(%s AS %s)", name,
                               is_number(part->part) ? "DOUBLE" : "VARCHAR");
    }
    text_append_format(&sql, "%s LIMIT %zu", reader->from, reader->rows.row_count);
    return text_built(&sql);
}

/* The place of a text among sorted names, or their count. */
static size_t find_name(const ClassNames *names, const char *text, size_t length)
{
    size_t low = 0, high = names->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const char *name = names->items[middle];
        size_t name_length = strlen(name);
        int order = memcmp(name, text, name_length < length ? name_length : length);

        if (order == 0 && name_length == length)
            return middle;
        if (order < 0 || (order == 0 && name_length < length))
            low = middle + 1;
        else
            high = middle;
    }
    return names->count;
}

static size_t value_place(const PartColumn *part, const DuckVector *vector, size_t row)
{
    size_t length;
    const char *text;

    if (!duck_vector_has(vector, row))
        return part->names.count;
    text = duck_vector_text(vector, row, &length);
    return find_name(&part->names, text, length);
}

/* The values of a category come again and again: rows share one copy of what came lately. */
static TextRef keep_text(const PartColumn *part, const char *bytes, size_t length, Arena *arena)
{
    uint32_t hash = 2166136261; /* FNV-1a */
    TextRef *known;

    if (!part->known || length > KNOWN_BYTES_MAX)
        return (TextRef){arena_copy(arena, bytes, length), length};
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * 16777619;
    known = &part->known[hash % KNOWN_TEXTS];
    if (!known->bytes || known->length != length || memcmp(known->bytes, bytes, length) != 0)
        *known = (TextRef){arena_copy(arena, bytes, length), length};
    return *known;
}

static void copy_texts(const PartColumn *part, const DuckVector *vector, size_t at, Arena *arena)
{
    for (size_t i = 0; i < vector->count; i++) {
        size_t length;
        const char *bytes;

        if (!duck_vector_has(vector, i))
            continue;
        bytes = duck_vector_text(vector, i, &length);
        part->texts[at + i] = keep_text(part, bytes, length, arena);
    }
}

static void copy_part(Reader *reader, const PartColumn *part, const DuckVector *vector, size_t at)
{
    Rows *rows = &reader->rows;

    if (part->part == PART_TEXT) {
        copy_texts(part, vector, at, reader->arena);
        return;
    }
    for (size_t i = 0; i < vector->count; i++) {
        bool has = duck_vector_has(vector, i);
        size_t place;

        switch (part->part) {
        case PART_NUMBER:
        case PART_TARGET:
            part->numbers[at + i] = has ? ((const double *)vector->values)[i] : NAN;
            break;
        case PART_TIME:
            rows->times[at + i] = has ? ((const int64_t *)vector->values)[i] : INT64_MIN;
            break;
        case PART_LABEL:
            place = value_place(part, vector, i);
            rows->labels[at + i] = place == part->names.count ? -1 : (int)place;
            break;
        default: /* rows without a group are one group */
            rows->groups[at + i] = value_place(part, vector, i);
        }
    }
}

/* Side by side: there is one for each row, and none is longer. */
static void copy_ids(Reader *reader, const DuckVector *vector, size_t at)
{
    char *ids = arena_alloc(reader->arena, vector->count, ROW_ID_DIGITS + 1);

    for (size_t i = 0; i < vector->count; i++, ids += ROW_ID_DIGITS + 1) {
        size_t length = 0;
        const char *id = duck_vector_has(vector, i) ? duck_vector_text(vector, i, &length) : "";

        memcpy(ids, id, length < ROW_ID_DIGITS ? length : ROW_ID_DIGITS);
        reader->rows.row_ids[at + i] = ids;
    }
}

static bool copy_rows(Reader *reader)
{
    CLEANUP(duck_finalize) DuckQuery query = duck_query(reader->duck, select_clause(reader));
    size_t at = 0;

    reader->rows.row_ids = arena_array(reader->arena, const char *, reader->rows.row_count + 1);
    while (duck_next_chunk(&query)) {
        DuckVector ids = duck_vector(&query, 0);

        copy_ids(reader, &ids, at);
        for (size_t i = 0; i < reader->part_count; i++) {
            DuckVector vector = duck_vector(&query, (int)i + 1);

            copy_part(reader, &reader->parts[i], &vector, at);
        }
        at += ids.count;
    }
    return duck_end(&query, reader->error);
}

static bool check_finite(const Reader *reader)
{
    const double *targets = reader->rows.targets;
    const DatasetColumn *target = dataset_column_by_role(&reader->spec->columns, "target");

    for (size_t i = 0; targets && i < reader->rows.row_count; i++)
        if (isinf(targets[i]))
            return fail_field(reader->error, target->name,
                              "the target \"%.128s\" of row %zu is %g: numbers to learn from are "
                              "finite",
                              target->name, i + 1, targets[i]);
    return true;
}

static ColumnKind kind_of(const PartColumn *part)
{
    if (part->part == PART_NUMBER)
        return COLUMN_NUMBER;
    if (text_equal(part->column->type, "time"))
        return COLUMN_DATE;
    return text_equal(part->column->type, "text") ? COLUMN_TEXT : COLUMN_CATEGORY;
}

static void make_frame(Reader *reader)
{
    FrameColumn *columns = arena_array(reader->arena, FrameColumn, reader->part_count + 1);
    size_t count = 0;

    for (size_t i = 0; i < reader->part_count; i++) {
        const PartColumn *part = &reader->parts[i];
        if (part->part != PART_TEXT && part->part != PART_NUMBER)
            continue;
        columns[count++] = (FrameColumn){
            .name = arena_text(reader->arena, part->column->name),
            .kind = kind_of(part),
            .texts = part->texts,
            .numbers = part->numbers,
        };
    }
    reader->rows.frame = (Frame){columns, count, reader->rows.row_count};
}

static bool read_rows(Reader *reader)
{
    if (!check_target(reader) || !open_duck(reader) || !check_columns(reader) ||
        !make_from(reader) || !count_rows(reader))
        return false;
    for (size_t i = 0; i < reader->part_count; i++)
        if (!prepare_part(reader, &reader->parts[i]))
            return false;
    if (!copy_rows(reader) || !check_finite(reader))
        return false;
    make_frame(reader);
    return true;
}

bool rows_read(const RowsSpec *spec, Arena *arena, Rows *rows, Error *error)
{
    Reader reader = {.spec = spec, .arena = arena, .error = error};
    bool is_done;

    list_parts(&reader);
    is_done = read_rows(&reader);
    duck_close(&reader.duck);
    if (is_done)
        *rows = reader.rows;
    return is_done;
}
