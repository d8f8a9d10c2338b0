#include "serving/prediction_ring.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A missing text. */
static const size_t no_text = SIZE_MAX;

static size_t cell_size(const FrameColumn *column, size_t row)
{
    return column->kind == COLUMN_NUMBER ? sizeof(double)
                                         : sizeof(size_t) + column->texts[row].length;
}

/* How many of the first rows fit the limit, and their bytes. */
static size_t measure_inputs(const Frame *frame, size_t *bytes)
{
    size_t total = 0;

    for (size_t row = 0; row < frame->row_count; row++) {
        size_t size = 0;

        for (size_t i = 0; i < frame->column_count; i++)
            size += cell_size(&frame->columns[i], row);
        if (total + size > LOGGED_INPUT_BYTES_MAX) {
            *bytes = total;
            return row;
        }
        total += size;
    }
    *bytes = total;
    return frame->row_count;
}

static char *put_bytes(char *at, const void *bytes, size_t size)
{
    if (size)
        memcpy(at, bytes, size);
    return at + size;
}

/* A text with its NUL. */
static char *put_name(char *at, const char *name, const char **copy)
{
    *copy = at;
    return put_bytes(at, name, strlen(name) + 1);
}

static char *put_cell(char *at, const FrameColumn *column, size_t row)
{
    const TextRef *text;

    if (column->kind == COLUMN_NUMBER)
        return put_bytes(at, &column->numbers[row], sizeof(double));
    text = &column->texts[row];
    at = put_bytes(at, text->bytes ? &text->length : &no_text, sizeof(size_t));
    return put_bytes(at, text->bytes, text->bytes ? text->length : 0);
}

static void put_inputs(PredictionRecord *record, const Frame *frame, char *at)
{
    record->inputs = at;
    for (size_t row = 0; row < record->input_row_count; row++)
        for (size_t i = 0; i < frame->column_count; i++)
            at = put_cell(at, &frame->columns[i], row);
}

PredictionRecord *record_create(const Prediction *prediction, int64_t created_at,
                                int64_t duration_us)
{
    const ServedEndpoint *endpoint = prediction->endpoint;
    size_t rows = prediction->frame.row_count, input_bytes, size;
    size_t input_rows = measure_inputs(&prediction->frame, &input_bytes);
    PredictionRecord *record;
    char *at;

    size = sizeof(*record) + rows * (sizeof(double) + sizeof(size_t)) + input_bytes +
           strlen(endpoint->name) + strlen(endpoint->model) + 2;
    record = malloc(size);
    if (!record)
        abort();
    *record = (PredictionRecord){
        .version = endpoint->version,
        .deployment_id = endpoint->deployment_id,
        .created_at = created_at,
        .duration_us = duration_us,
        .loaded = loaded_model_ref(endpoint->loaded),
        .row_count = rows,
        .input_row_count = input_rows,
        .size = size,
        .confidences = (double *)(record + 1),
    };
    record->labels = (size_t *)(void *)(record->confidences + rows);
    snprintf(record->request_id, sizeof(record->request_id), "%s", prediction->request_id);
    for (size_t row = 0; row < rows; row++)
        record->confidences[row] = prediction_confidence(prediction, row);
    memcpy(record->labels, prediction->labels, rows * sizeof(*record->labels));
    at = put_name((char *)(record->labels + rows), endpoint->name, &record->endpoint);
    at = put_name(at, endpoint->model, &record->model);
    put_inputs(record, &prediction->frame, at);
    return record;
}

void record_destroy(PredictionRecord *record)
{
    if (!record)
        return;
    loaded_model_unref(record->loaded);
    free(record);
}

const char *record_answers_json(const PredictionRecord *record, Arena *arena)
{
    JsonWriter *json = json_writer_create(arena);

    json_open_array(json, NULL);
    for (size_t row = 0; row < record->row_count; row++) {
        json_open_object(json, NULL);
        json_text(json, "label", record->loaded->classes->items[record->labels[row]]);
        json_double(json, "confidence", record->confidences[row]);
        json_close(json);
    }
    json_close(json);
    return json_finish(json);
}

static const char *write_cell(JsonWriter *json, const ModelInput *input, const char *at)
{
    size_t length;
    double number;

    if (input->kind == COLUMN_NUMBER) {
        memcpy(&number, at, sizeof(number));
        json_double(json, input->name, number);
        return at + sizeof(number);
    }
    memcpy(&length, at, sizeof(length));
    at += sizeof(length);
    if (length == no_text) {
        json_null(json, input->name);
        return at;
    }
    json_bytes(json, input->name, at, length);
    return at + length;
}

const char *record_inputs_json(const PredictionRecord *record, Arena *arena)
{
    const InputList *inputs = &record->loaded->inputs;
    JsonWriter *json = json_writer_create(arena);
    const char *at = record->inputs;

    json_open_array(json, NULL);
    for (size_t row = 0; row < record->input_row_count; row++) {
        json_open_object(json, NULL);
        for (size_t i = 0; i < inputs->count; i++)
            at = write_cell(json, &inputs->items[i], at);
        json_close(json);
    }
    json_close(json);
    return json_finish(json);
}

void ring_init(PredictionRing *ring)
{
    for (size_t i = 0; i < RING_RECORDS; i++) {
        atomic_init(&ring->cells[i].turn, i);
        ring->cells[i].record = NULL;
    }
    atomic_init(&ring->head, 0);
    atomic_init(&ring->bytes, 0);
    atomic_init(&ring->dropped, 0);
    ring->tail = 0;
}

void ring_clear(PredictionRing *ring)
{
    PredictionRecord *record;

    while ((record = ring_take(ring)))
        record_destroy(record);
}

/* Claims a position whose cell is free; NULL when the queue is full. */
static RingCell *claim_cell(PredictionRing *ring, size_t *position)
{
    size_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);

    for (;;) {
        RingCell *cell = &ring->cells[head % RING_RECORDS];
        size_t turn = atomic_load_explicit(&cell->turn, memory_order_acquire);

        if (turn == head &&
            atomic_compare_exchange_weak_explicit(&ring->head, &head, head + 1,
                                                  memory_order_relaxed, memory_order_relaxed)) {
            *position = head;
            return cell;
        }
        if (turn < head)
            return NULL; /* it still holds the record of one round before */
        if (turn > head)
            head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    }
}

static bool drop(PredictionRing *ring, PredictionRecord *record)
{
    atomic_fetch_sub_explicit(&ring->bytes, record->size, memory_order_relaxed);
    atomic_fetch_add_explicit(&ring->dropped, 1, memory_order_relaxed);
    record_destroy(record);
    return false;
}

bool ring_put(PredictionRing *ring, PredictionRecord *record)
{
    size_t before = atomic_fetch_add_explicit(&ring->bytes, record->size, memory_order_relaxed);
    RingCell *cell;
    size_t position;

    if (before + record->size > RING_BYTES_MAX)
        return drop(ring, record);
    cell = claim_cell(ring, &position);
    if (!cell)
        return drop(ring, record);
    cell->record = record;
    atomic_store_explicit(&cell->turn, position + 1, memory_order_release);
    return true;
}

PredictionRecord *ring_take(PredictionRing *ring)
{
    RingCell *cell = &ring->cells[ring->tail % RING_RECORDS];
    PredictionRecord *record;

    if (atomic_load_explicit(&cell->turn, memory_order_acquire) != ring->tail + 1)
        return NULL;
    record = cell->record;
    atomic_fetch_sub_explicit(&ring->bytes, record->size, memory_order_relaxed);
    atomic_store_explicit(&cell->turn, ring->tail + RING_RECORDS, memory_order_release);
    ring->tail++;
    return record;
}
