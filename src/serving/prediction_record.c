#include "serving/prediction_record.h"

#include <stdalign.h>
#include <string.h>

#include "base/varint.h"

static size_t cell_size(const FrameColumn *column, size_t row)
{
    const TextRef *text;

    if (column->kind == COLUMN_NUMBER)
        return sizeof(double);
    text = &column->texts[row];
    return text->bytes ? number_size(text->length + 1) + text->length : 1;
}

static size_t row_size(const Frame *frame, size_t row)
{
    size_t size = 0;

    for (size_t i = 0; i < frame->column_count; i++)
        size += cell_size(&frame->columns[i], row);
    return size;
}

/* The first rows that fit the limit, and their bytes. */
static void measure_inputs(const Frame *frame, RecordSize *measured)
{
    for (; measured->input_rows < frame->row_count; measured->input_rows++) {
        size_t size = row_size(frame, measured->input_rows);

        if (measured->inputs + size > LOGGED_INPUT_BYTES_MAX)
            return;
        measured->inputs += size;
    }
}

RecordSize record_measure(const Prediction *prediction)
{
    const ServedEndpoint *endpoint = prediction->endpoint;
    RecordSize size = {.id_length = strnlen(prediction->request_id, REQUEST_ID_BYTES_MAX)};
    size_t names = size.id_length + strlen(endpoint->name) + strlen(endpoint->model) + 3;

    measure_inputs(&prediction->frame, &size);
    size.total = sizeof(PredictionRecord) + prediction->frame.row_count * sizeof(PredictionAnswer) +
                 size.inputs + names;
    size.total += -size.total % alignof(PredictionRecord);
    return size;
}

static char *put_bytes(char *at, const void *bytes, size_t size)
{
    if (size)
        memcpy(at, bytes, size);
    return at + size;
}

/* With its NUL. */
static char *put_name(char *at, const char *name, size_t length)
{
    at = put_bytes(at, name, length);
    *at++ = '\0';
    return at;
}

/* A missing text is 0, every other its length and one. */
static char *put_cell(char *at, const FrameColumn *column, size_t row)
{
    const TextRef *text;

    if (column->kind == COLUMN_NUMBER)
        return put_bytes(at, &column->numbers[row], sizeof(double));
    text = &column->texts[row];
    if (!text->bytes)
        return put_number(at, 0);
    at = put_number(at, text->length + 1);
    return put_bytes(at, text->bytes, text->length);
}

static char *put_answers(void *at, const Prediction *prediction)
{
    PredictionAnswer *answers = at;

    for (size_t row = 0; row < prediction->frame.row_count; row++)
        answers[row] =
            (PredictionAnswer){prediction_number(prediction, row), prediction->labels[row]};
    return (char *)(answers + prediction->frame.row_count);
}

static char *put_inputs(char *at, const Frame *frame, size_t row_count)
{
    for (size_t row = 0; row < row_count; row++)
        for (size_t i = 0; i < frame->column_count; i++)
            at = put_cell(at, &frame->columns[i], row);
    return at;
}

void record_write(void *at, const Prediction *prediction, const RecordSize *size,
                  int64_t created_at, int64_t duration_us)
{
    const ServedEndpoint *endpoint = prediction->endpoint;
    PredictionRecord *record = at;
    char *end;

    *record = (PredictionRecord){
        .size = size->total,
        .loaded = loaded_model_ref(endpoint->loaded),
        .version = endpoint->version,
        .deployment_id = endpoint->deployment_id,
        .created_at = created_at,
        .duration_us = duration_us,
        .row_count = (uint32_t)prediction->frame.row_count,
        .input_row_count = (uint32_t)size->input_rows,
        .input_size = (uint32_t)size->inputs,
        .id_length = (uint32_t)size->id_length,
        .endpoint_length = (uint32_t)strlen(endpoint->name),
    };
    end = put_answers(record + 1, prediction);
    end = put_inputs(end, &prediction->frame, size->input_rows);
    end = put_name(end, prediction->request_id, size->id_length);
    end = put_name(end, endpoint->name, record->endpoint_length);
    put_name(end, endpoint->model, strlen(endpoint->model));
}

void record_release(const PredictionRecord *record)
{
    loaded_model_unref(record->loaded);
}
