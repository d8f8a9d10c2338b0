/* score_parquet.c: the rows of a data set's version, in their order. */

#include <math.h>

#include "data/duck.h"
#include "ml/date.h"
#include "pipelines/score_internal.h"

struct ScoreReader {
    Duck *duck;
    DuckQuery query;
    bool is_open;
};

static void close_reader(ScoreReader *reader)
{
    if (reader->is_open)
        duck_finalize(&reader->query);
    duck_close(&reader->duck);
}

static bool has_column(const ScoreSource *source, const char *name)
{
    for (size_t i = 0; i < source->columns.count; i++)
        if (text_equal(source->columns.items[i].name, name))
            return true;
    return false;
}

static bool check_column(const ScoreSource *source, const char *name, Error *error)
{
    if (has_column(source, name))
        return true;
    return fail_field(error, name, "%s has no column \"%.128s\"", source->name, name);
}

/* Rows of the file know their number and file, too. */
static bool check_key(const ScoreSource *source, const char *name, Error *error)
{
    return text_equal(name, "_row") || text_equal(name, "_file") ||
           check_column(source, name, error);
}

/* The model's columns, then the keys. */
static bool select_columns(const ScoreInput *input, Arena *arena, const char **sql, Error *error)
{
    const ScoreSource *source = input->source;
    TextBuilder text = {.arena = arena};
    size_t found = 0;

    text_append(&text, "SELECT ");
    for (size_t i = 0; i < input->inputs->count; i++) {
        const ModelInput *column = &input->inputs->items[i];
        bool is_there = has_column(source, column->name);

        if (!input->inputs->are_optional && !check_column(source, column->name, error))
            return false;
        found += is_there;
        text_append_format(&text, "CAST(%s AS %s), ",
                           is_there ? duck_name(column->name, arena) : "NULL",
                           column->kind == COLUMN_NUMBER ? "DOUBLE" : "VARCHAR");
    }
    if (!score_input_check_found(input, found, error))
        return fail_in(error, "%s", source->name);
    for (size_t i = 0; i < source->keys.count; i++) {
        if (!check_key(source, source->keys.items[i], error))
            return false;
        text_append_format(&text, "CAST(%s AS VARCHAR), ", duck_name(source->keys.items[i], arena));
    }
    text_append_format(&text, "0 FROM read_parquet(%s)", duck_literal(source->path, arena));
    *sql = text_built(&text);
    return true;
}

static TextRef text_at(const DuckVector *vector, size_t row)
{
    TextRef text = {0};

    if (duck_vector_has(vector, row))
        text.bytes = duck_vector_text(vector, row, &text.length);
    return text;
}

static FrameColumn read_column(const ModelInput *input, const DuckVector *vector, Arena *arena)
{
    bool is_number = input->kind == COLUMN_NUMBER;
    double *numbers = is_number ? arena_array(arena, double, vector->count) : NULL;
    TextRef *texts = is_number ? NULL : arena_array(arena, TextRef, vector->count);

    for (size_t row = 0; row < vector->count; row++) {
        if (is_number)
            numbers[row] =
                duck_vector_has(vector, row) ? ((const double *)vector->values)[row] : NAN;
        else
            texts[row] = text_at(vector, row);
    }
    return (FrameColumn){input->name, input->kind, texts, numbers};
}

/* What the file has of another type is no date. */
static bool check_dates(const ScoreInput *input, const FrameColumn *column, size_t row_count,
                        Error *error)
{
    double seconds;

    for (size_t row = 0; row < row_count; row++)
        if (!date_is_missing(column->texts[row]) && !date_read(column->texts[row], &seconds))
            return fail_field(error, column->name,
                              "\"%s\" in row %zu must be a date or time such as " DATE_EXAMPLES
                              ", or missing",
                              column->name, input->row_count + row + 1);
    return true;
}

static bool next_batch(ScoreInput *input, Arena *arena, ScoreBatch *batch, Error *error)
{
    DuckQuery *query = &input->reader->query;
    const InputList *inputs = input->inputs;
    size_t key_count = input->source->keys.count;
    FrameColumn *columns = arena_array(arena, FrameColumn, inputs->count + 1);

    if (!duck_next_chunk(query))
        return duck_end(query, error);
    batch->frame = (Frame){columns, inputs->count, (size_t)query->row_count};
    batch->keys = arena_array(arena, TextRef, batch->frame.row_count * key_count + 1);
    for (size_t i = 0; i < inputs->count; i++) {
        DuckVector vector = duck_vector(query, (int)i);

        columns[i] = read_column(&inputs->items[i], &vector, arena);
        if (columns[i].kind == COLUMN_DATE && !check_dates(input, &columns[i], vector.count, error))
            return false;
    }
    for (size_t i = 0; i < key_count; i++) {
        DuckVector vector = duck_vector(query, (int)(inputs->count + i));

        for (size_t row = 0; row < vector.count; row++)
            batch->keys[row * key_count + i] = text_at(&vector, row);
    }
    return true;
}

bool score_open_parquet(ScoreInput *input, Arena *arena, Error *error)
{
    ScoreReader *reader = arena_new(arena, ScoreReader);
    DuckSpec spec = {0};
    const char *sql;

    input->reader = reader;
    input->next = next_batch;
    input->close = close_reader;
    text_list_add(&spec.files, arena, input->source->path);
    if (!select_columns(input, arena, &sql, error))
        return false;
    reader->duck = duck_open(&spec, error);
    if (!reader->duck)
        return false;
    reader->query = duck_query(reader->duck, sql);
    reader->is_open = true;
    return true;
}
