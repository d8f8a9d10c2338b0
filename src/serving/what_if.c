#include "serving/what_if.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ml/date.h"
#include "serving/cells.h"

enum { SHOWN_BYTES = 60 };

/* ---- changes ---- */

/* A frame while columns of it are exchanged. */
typedef struct Changing {
    const InputList *inputs;
    FrameColumn *columns;
    bool *is_changed; /* by column */
    size_t row_count;
    Arena *arena;
    Error *error;
} Changing;

static bool fail_change(Error *error, const char *change)
{
    return fail_field(error, "what_if", "a what-if is COLUMN=VALUE, as in age=41, not \"%.*s\"",
                      SHOWN_BYTES, change);
}

static bool fail_unknown(const Changing *changing, const char *change)
{
    size_t length = strcspn(change, "=");

    return fail_field(changing->error, "what_if",
                      "unrecognized column \"%.*s\" in a what-if: the model reads %s",
                      length < SHOWN_BYTES ? (int)length : SHOWN_BYTES, change,
                      input_list_names(changing->inputs, changing->arena));
}

/* A name may have "=" in it: the shortest that is one. */
static bool find_column(const Changing *changing, const char *change, size_t *column,
                        const char **value)
{
    const char *at = strchr(change, '=');

    if (!at || at == change)
        return fail_change(changing->error, change);
    for (; at; at = strchr(at + 1, '=')) {
        size_t length = (size_t)(at - change);

        for (size_t i = 0; i < changing->inputs->count; i++) {
            const char *name = changing->inputs->items[i].name;

            if (strncmp(name, change, length) != 0 || name[length])
                continue;
            *column = i;
            *value = at + 1;
            return true;
        }
    }
    return fail_unknown(changing, change);
}

static bool set_number(Changing *changing, FrameColumn *column, const char *value)
{
    double *numbers = arena_array(changing->arena, double, changing->row_count);
    double number = NAN;

    if (*value && !text_to_double(value, &number))
        return fail_field(changing->error, "what_if",
                          "the what-if of \"%.128s\" must be a number or empty, not \"%.*s\"",
                          column->name, SHOWN_BYTES, value);
    for (size_t row = 0; row < changing->row_count; row++)
        numbers[row] = number;
    column->numbers = numbers;
    return true;
}

static bool check_date(Changing *changing, const FrameColumn *column, const char *value)
{
    TextRef text = {value, strlen(value)};
    double seconds;

    return date_is_missing(text) || date_read(text, &seconds) ||
           fail_field(changing->error, "what_if",
                      "the what-if of \"%.128s\" must be a date or time such as " DATE_EXAMPLES
                      ", or empty, not \"%.*s\"",
                      column->name, SHOWN_BYTES, value);
}

static bool set_text(Changing *changing, FrameColumn *column, const char *value)
{
    TextRef *texts = arena_array(changing->arena, TextRef, changing->row_count);
    bool is_missing = column->kind != COLUMN_TEXT && !*value;

    if (column->kind == COLUMN_DATE && !check_date(changing, column, value))
        return false;
    for (size_t row = 0; row < changing->row_count && !is_missing; row++)
        texts[row] = (TextRef){value, strlen(value)};
    column->texts = texts;
    return true;
}

static bool change_column(Changing *changing, const char *change)
{
    size_t place;
    const char *value;
    FrameColumn *column;

    if (!find_column(changing, change, &place, &value))
        return false;
    column = &changing->columns[place];
    if (changing->is_changed[place])
        return fail_field(changing->error, "what_if", "the what-if of \"%.128s\" is given twice",
                          column->name);
    changing->is_changed[place] = true;
    if (column->kind == COLUMN_NUMBER)
        return set_number(changing, column, value);
    return set_text(changing, column, value);
}

/* body_read() gives the columns in the order of the inputs. */
static bool change_frame(const Prediction *before, const TextList *changes, Arena *arena,
                         Frame *frame, Error *error)
{
    const InputList *inputs = &before->endpoint->loaded->inputs;
    Changing changing = {
        .inputs = inputs,
        .columns = arena_array(arena, FrameColumn, inputs->count),
        .is_changed = arena_array(arena, bool, inputs->count),
        .row_count = before->frame.row_count,
        .arena = arena,
        .error = error,
    };

    memcpy(changing.columns, before->frame.columns, inputs->count * sizeof(*changing.columns));
    for (size_t i = 0; i < changes->count; i++)
        if (!change_column(&changing, changes->items[i]))
            return false;
    *frame = (Frame){changing.columns, inputs->count, before->frame.row_count};
    return true;
}

bool what_if_predict(const Prediction *before, const TextList *changes, Arena *arena,
                     Prediction *after, Error *error)
{
    Prediction made = {.endpoint = before->endpoint, .request_id = before->request_id};

    if (before->forecasts)
        return fail_field(error, "what_if",
                          "a forecast has no columns that a what-if could change: ask it for other "
                          "steps or another series");
    if (!change_frame(before, changes, arena, &made.frame, error) ||
        !predict_frame(&made, arena, error))
        return false;
    *after = made;
    return true;
}

/* ---- differences ---- */

typedef struct ColumnDifference {
    size_t column;
    double before, after;
    bool is_changed;
} ColumnDifference;

static double difference_of(const ColumnDifference *item)
{
    return item->after - item->before;
}

/* Those whose value changes first, then the largest. */
static int compare_differences(const void *a, const void *b)
{
    const ColumnDifference *first = a, *second = b;
    double x = fabs(difference_of(first)), y = fabs(difference_of(second));

    if (first->is_changed != second->is_changed)
        return first->is_changed ? -1 : 1;
    if (x != y)
        return x < y ? 1 : -1;
    return (first->column > second->column) - (first->column < second->column);
}

/* What a column adds in all: of a text many words. */
static double weight_of(const Explanation *explanation, const char *column)
{
    double sum = 0;

    for (size_t i = 0; i < explanation->count; i++)
        if (strcmp(explanation->items[i].column, column) == 0)
            sum += explanation->items[i].weight;
    return sum;
}

static void write_cell(JsonWriter *json, const char *key, const FrameColumn *column, size_t row)
{
    if (column->kind == COLUMN_NUMBER)
        json_double(json, key, column->numbers[row]);
    else if (column->texts[row].bytes)
        json_bytes(json, key, column->texts[row].bytes, column->texts[row].length);
    else
        json_null(json, key);
}

static void write_difference(JsonWriter *json, const Prediction *before, size_t row,
                             const ColumnDifference *item)
{
    json_open_object(json, NULL);
    json_text(json, "column", before->frame.columns[item->column].name);
    if (item->is_changed) {
        write_cell(json, "from", &before->frame.columns[item->column], row);
        write_cell(json, "to", &before->what_if->frame.columns[item->column], row);
    }
    json_double(json, "weight_before", item->before);
    json_double(json, "weight_after", item->after);
    json_double(json, "difference", difference_of(item));
    json_close(json);
}

static bool has_other_values(const FrameColumn *before, const FrameColumn *after)
{
    return before->numbers != after->numbers || before->texts != after->texts;
}

/* Of all columns that are changed or whose weight is another. */
static size_t find_differences(const Prediction *before, const Explanation explanations[2],
                               ColumnDifference *items)
{
    size_t count = 0;

    for (size_t i = 0; i < before->frame.column_count; i++) {
        const FrameColumn *column = &before->frame.columns[i];
        ColumnDifference item = {
            .column = i,
            .before = weight_of(&explanations[0], column->name),
            .after = weight_of(&explanations[1], column->name),
            .is_changed = has_other_values(column, &before->what_if->frame.columns[i]),
        };

        if (item.is_changed || item.after != item.before)
            items[count++] = item;
    }
    qsort(items, count, sizeof(*items), compare_differences);
    return count;
}

static void write_differences(JsonWriter *json, const Prediction *before, size_t row,
                              const ColumnDifference *items, size_t count)
{
    size_t shown = count < EXPLAIN_TERMS_MAX ? count : EXPLAIN_TERMS_MAX;
    double rest = 0;

    json_open_array(json, "columns");
    for (size_t i = 0; i < shown; i++)
        write_difference(json, before, row, &items[i]);
    json_close(json);
    for (size_t i = shown; i < count; i++)
        rest += difference_of(&items[i]);
    json_open_object(json, "rest");
    json_int(json, "count", (int64_t)(count - shown));
    json_double(json, "difference", rest);
    json_close(json);
}

bool what_if_write_json(JsonWriter *json, const Prediction *before, size_t row,
                        const Explanation *explanation, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const Prediction *after = before->what_if;
    ColumnDifference *items = arena_array(arena, ColumnDifference, before->frame.column_count);
    Explanation explanations[2] = {*explanation};
    size_t count;

    if (!predictor_explain(before->endpoint->loaded->package.model, &after->frame, row,
                           before->labels[row], arena, &explanations[1], error))
        return false;
    count = find_differences(before, explanations, items);
    json_open_object(json, "what_if");
    prediction_write_answer(json, after, row);
    json_double(json, "margin", explanations[1].margin);
    write_differences(json, before, row, items, count);
    json_close(json);
    return true;
}
