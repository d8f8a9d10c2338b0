#include "serving/body.h"

#include <string.h>
#include <strings.h>

#include "serving/cells.h"
#include "serving/csv.h"

typedef struct Reading {
    const Body *body;
    size_t rows_max;
    Cells cells;
    Arena *arena;
    Error *error;
} Reading;

static bool begin(Reading *reading, size_t row_count)
{
    return cells_begin(&reading->cells, row_count, reading->rows_max);
}

static bool set_object(Cells *cells, size_t row, const JsonValue *object)
{
    for (JsonWalk walk = json_walk(object); json_walk_next(&walk);) {
        size_t column;

        if (!cells_find(cells, (TextRef){walk.key, strlen(walk.key)}, row + 1, &column) ||
            !cells_set_json(cells, row, column, walk.value))
            return false;
    }
    return cells_end_row(cells, row + 1);
}

/* The columns of the values of each row: a header's. */
typedef struct Order {
    size_t *columns;
    size_t count;
} Order;

/* order NULL: the values are the model's columns in its own order. */
static bool set_list(Cells *cells, size_t row, const JsonValue *list, const Order *order)
{
    size_t count = order ? order->count : cells->inputs->count;

    if (json_count(list) != count)
        return fail(cells->error, ERROR_FIELD, "row %zu has %zu values where the %s %zu", row + 1,
                    json_count(list), order ? "header has" : "model reads", count);
    for (JsonWalk walk = json_walk(list); json_walk_next(&walk);)
        if (!cells_set_json(cells, row, order ? order->columns[walk.index] : walk.index,
                            walk.value))
            return false;
    return true;
}

static bool set_row(Cells *cells, size_t row, const JsonValue *value)
{
    if (json_is_object(value))
        return set_object(cells, row, value);
    if (json_is_array(value))
        return set_list(cells, row, value, NULL);
    if (cells->inputs->count == 1 || cells->inputs->are_optional)
        return cells_set_json(cells, row, 0, value);
    return fail(cells->error, ERROR_FIELD,
                "row %zu must be an object by column name or a list of %zu values", row + 1,
                cells->inputs->count);
}

static bool read_rows(Reading *reading, const JsonValue *rows)
{
    if (!begin(reading, json_count(rows)))
        return false;
    for (JsonWalk walk = json_walk(rows); json_walk_next(&walk);)
        if (!set_row(&reading->cells, walk.index, walk.value))
            return false;
    return true;
}

static const JsonValue *first_member(const JsonValue *object)
{
    JsonWalk walk = json_walk(object);

    return json_walk_next(&walk) ? walk.value : NULL;
}

/* {"a": [1, 2], "b": ["x", "y"]}: the rows column by column. */
static bool read_columns(Reading *reading, const JsonValue *columns)
{
    Cells *cells = &reading->cells;

    if (!begin(reading, json_count(first_member(columns))))
        return false;
    for (JsonWalk walk = json_walk(columns); json_walk_next(&walk);) {
        size_t column;

        if (!cells_find(cells, (TextRef){walk.key, strlen(walk.key)}, 0, &column))
            return false;
        if (!json_is_array(walk.value) || json_count(walk.value) != cells->row_count)
            return fail_field(reading->error, walk.key, "\"%.90s\" must be a list of %zu values",
                              walk.key, cells->row_count);
        for (JsonWalk value = json_walk(walk.value); json_walk_next(&value);)
            if (!cells_set_json(cells, value.index, column, value.value))
                return false;
    }
    return cells_end_row(cells, 0);
}

static bool read_any(Reading *reading, const char *key, const JsonValue *value)
{
    if (json_is_array(value))
        return read_rows(reading, value);
    if (!json_is_object(value))
        return fail_field(reading->error, key, "\"%s\" must be a list of rows or an object", key);
    if (json_is_array(first_member(value)))
        return read_columns(reading, value);
    return begin(reading, 1) && set_row(&reading->cells, 0, value);
}

static bool read_records(Reading *reading, const char *key, const JsonValue *value)
{
    if (!json_is_array(value))
        return fail_field(reading->error, key, "\"%s\" must be a list of objects", key);
    return read_rows(reading, value);
}

static bool read_header(Reading *reading, const JsonValue *names, Order *order)
{
    *order = (Order){arena_array(reading->arena, size_t, json_count(names)), json_count(names)};
    for (JsonWalk walk = json_walk(names); json_walk_next(&walk);) {
        TextRef name = {json_as_text(walk.value, NULL), json_text_size(walk.value)};
        size_t column;

        if (!name.bytes)
            return fail_field(reading->error, "columns", "\"columns\" must be a list of texts");
        if (!cells_find(&reading->cells, name, 0, &column))
            return false;
        order->columns[walk.index] = column;
    }
    return cells_end_row(&reading->cells, 0);
}

typedef struct Split {
    const JsonValue *columns, *index, *data;
} Split;

static const JsonField split_fields[] = {
    {"columns", JSON_ARRAY, offsetof(Split, columns), JSON_REQUIRED, "the names of the columns"},
    {"index", JSON_ARRAY, offsetof(Split, index), JSON_OPTIONAL, "not used"},
    {"data", JSON_ARRAY, offsetof(Split, data), JSON_REQUIRED, "a list of values per row"},
    {0},
};

static bool read_split(Reading *reading, const char *key, const JsonValue *value)
{
    Split split = {0};
    Order order;

    if (!json_is_object(value))
        return fail_field(reading->error, key, "\"%s\" must be an object", key);
    if (!json_read_value(value, split_fields, &split, reading->arena, reading->error) ||
        !begin(reading, json_count(split.data)) || !read_header(reading, split.columns, &order))
        return false;
    for (JsonWalk walk = json_walk(split.data); json_walk_next(&walk);) {
        if (!json_is_array(walk.value))
            return fail(reading->error, ERROR_FIELD, "row %zu must be a list of values",
                        walk.index + 1);
        if (!set_list(&reading->cells, walk.index, walk.value, &order))
            return false;
    }
    return true;
}

static const struct {
    const char *key;
    bool (*read)(Reading *reading, const char *key, const JsonValue *value);
} forms[] = {
    {"data", read_any},
    {"inputs", read_any},
    {"instances", read_any},
    {"dataframe_split", read_split},
    {"dataframe_records", read_records},
};

static bool read_json(Reading *reading)
{
    const JsonValue *object;

    if (!json_parse(reading->body->bytes, reading->body->size, reading->arena, &object,
                    reading->error))
        return false;
    if (!json_is_object(object))
        return fail(reading->error, ERROR_INVALID, "the body must be a JSON object%s",
                    json_is_text(object) ? ", not a text that holds one" : "");
    if (json_count(object) == 1)
        for (size_t i = 0; i < COUNT(forms); i++)
            if (json_member(object, forms[i].key))
                return forms[i].read(reading, forms[i].key, first_member(object));
    return fail(reading->error, ERROR_INVALID,
                "the body must have one member: \"data\", \"inputs\", \"instances\", "
                "\"dataframe_split\" or \"dataframe_records\"");
}

/* The next line that is not blank, without its line end; false at the end. */
static bool next_line(const char **at, const char *end, TextRef *line)
{
    while (*at < end) {
        const char *start = *at;
        const char *stop = memchr(start, '\n', (size_t)(end - start));

        stop = stop ? stop : end;
        *at = stop < end ? stop + 1 : end;
        *line = (TextRef){start, (size_t)(stop - start)};
        for (const char *byte = start; byte < stop; byte++)
            if (*byte != ' ' && *byte != '\t' && *byte != '\r')
                return true;
    }
    return false;
}

static size_t count_lines(const char *at, const char *end, size_t limit)
{
    size_t count = 0;
    TextRef line;

    while (count < limit && next_line(&at, end, &line))
        count++;
    return count;
}

static bool read_lines(Reading *reading)
{
    const char *at = reading->body->bytes, *end = at + reading->body->size;
    TextRef line;

    if (!begin(reading, count_lines(at, end, reading->rows_max + 1)))
        return false;
    for (size_t row = 0; next_line(&at, end, &line); row++) {
        const JsonValue *value;

        if (!json_parse(line.bytes, line.length, reading->arena, &value, reading->error))
            return fail_in(reading->error, "row %zu", row + 1);
        if (!set_row(&reading->cells, row, value))
            return false;
    }
    return true;
}

static bool read_csv_header(Reading *reading, CsvReader *reader, Order *order)
{
    CsvRow header = {0};

    if (!csv_next(reader, &header, reading->error))
        return reading->error->kind
                   ? false
                   : fail(reading->error, ERROR_INVALID, "the CSV must start with a header line");
    *order = (Order){arena_array(reading->arena, size_t, header.count), header.count};
    for (size_t i = 0; i < header.count; i++)
        if (!cells_find(&reading->cells, header.items[i], 0, &order->columns[i]))
            return false;
    return cells_end_row(&reading->cells, 0);
}

static bool read_csv_rows(Reading *reading, CsvReader *reader, const Order *order, size_t *rows)
{
    Cells *cells = &reading->cells;
    CsvRow fields = {0};
    size_t row = 0;

    for (; csv_next(reader, &fields, reading->error); row++) {
        if (row == reading->rows_max)
            return fail(reading->error, ERROR_TOO_LARGE, "a request has at most %zu rows",
                        reading->rows_max);
        if (fields.count != order->count)
            return fail(reading->error, ERROR_FIELD,
                        "row %zu has %zu values where the header has %zu", row + 1, fields.count,
                        order->count);
        for (size_t i = 0; i < fields.count; i++)
            if (!cells_set_field(cells, row, order->columns[i], fields.items[i]))
                return false;
    }
    *rows = row;
    return !reading->error->kind;
}

/* What bounds the number of rows, whatever quotes mean: a row ends with a line feed or the text. */
static size_t count_line_feeds(const char *at, const char *end, size_t limit)
{
    size_t count = 0;

    while (count < limit && (at = memchr(at, '\n', (size_t)(end - at)))) {
        count++;
        at++;
    }
    return count;
}

static bool read_csv(Reading *reading)
{
    const Body *body = reading->body;
    CsvReader reader = csv_reader(body->bytes, body->size, reading->arena);
    Order order;
    size_t lines = count_line_feeds(body->bytes, body->bytes + body->size, reading->rows_max);
    size_t rows = 0;

    *reading->error = (Error){0}; /* csv_next() tells its end from a mistake by it */
    if (!text_is_utf8(body->bytes, body->size))
        return fail(reading->error, ERROR_INVALID, "the CSV must be UTF-8 text");
    if (!begin(reading, lines < reading->rows_max ? lines + 1 : reading->rows_max) ||
        !read_csv_header(reading, &reader, &order) ||
        !read_csv_rows(reading, &reader, &order, &rows))
        return false;
    reading->cells.row_count = rows;
    return rows || fail(reading->error, ERROR_FIELD, "the body has no rows");
}

typedef bool Reader(Reading *reading);

static const struct {
    const char *type;
    Reader *read;
} media_types[] = {
    {"application/json", read_json},
    {"text/csv", read_csv},
    {"application/jsonl", read_lines},
    {"application/x-ndjson", read_lines},
    {"application/x-jsonlines", read_lines},
    {"application/x-www-form-urlencoded", read_json}, /* what curl -d says of any body */
};

/* The parameters behind the media type may only say that the text is UTF-8. */
static bool charset_is_utf8(const char *parameters)
{
    const char *charset = strcasestr(parameters, "charset=");

    if (!charset)
        return true;
    charset += strlen("charset=");
    charset += *charset == '"';
    return strncasecmp(charset, "utf-8", 5) == 0 || strncasecmp(charset, "utf8", 4) == 0;
}

static Reader *find_reader(const char *content_type)
{
    size_t length = strcspn(content_type, "; \t");

    if (!charset_is_utf8(content_type + length))
        return NULL;
    for (size_t i = 0; i < COUNT(media_types); i++)
        if (strlen(media_types[i].type) == length &&
            strncasecmp(content_type, media_types[i].type, length) == 0)
            return media_types[i].read;
    return NULL;
}

InputList input_list_of(const Predictor *model, Arena *arena)
{
    size_t count = predictor_input_count(model);
    ModelInput *items = arena_array(arena, ModelInput, count);

    for (size_t i = 0; i < count; i++)
        items[i] = predictor_input(model, i);
    return (InputList){items, count, predictor_forecast(model) != NULL};
}

bool body_read(const Body *body, const InputList *inputs, Arena *arena, Frame *frame, Error *error)
{
    Reader *read = find_reader(body->content_type ? body->content_type : "application/json");
    Reading reading = {
        .body = body,
        .rows_max = body->rows_max ? body->rows_max : PREDICT_ROWS_MAX,
        .cells = {.inputs = inputs,
                  .leaves_out_others = body->leaves_out_others,
                  .arena = arena,
                  .error = error},
        .arena = arena,
        .error = error,
    };

    if (!read)
        return fail(error, ERROR_MEDIA_TYPE,
                    "a body is application/json, text/csv or application/jsonl, in UTF-8");
    if (!read(&reading))
        return false;
    *frame = (Frame){reading.cells.columns, inputs->count, reading.cells.row_count};
    return true;
}
