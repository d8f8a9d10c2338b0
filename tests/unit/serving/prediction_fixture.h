/* prediction_fixture.h: predictions without a model that made them: a column of each kind, two
 * classes. */
#pragma once

#include "base/id.h"
#include "serving/prediction_batch.h"

typedef struct FixturePrediction {
    const char *request_id, *endpoint;
    int64_t deployment_id, created_at, duration_us;
    const char *text, *kind; /* NULL: missing */
    double age;
    size_t row_count; /* all alike; 0: one */
    bool has_numbers; /* of a model that answers with them: 12.5 for row 0, 13.5 for row 1 ... */
} FixturePrediction;

enum { FIXTURE_ROWS_MAX = 8 };

static inline LoadedModel *fixture_loaded(bool has_numbers)
{
    static const ModelInput columns[] = {
        {"text", COLUMN_TEXT}, {"kind", COLUMN_CATEGORY}, {"age", COLUMN_NUMBER}};
    static const char *const names[] = {"ham", "spam"};
    static const ClassNames classes = {names, 2};
    static const ClassNames no_classes;
    static LoadedModel loaded = {
        .references = 1, .inputs = {columns, COUNT(columns)}, .classes = &classes};
    static LoadedModel of_numbers = {
        .references = 1, .inputs = {columns, COUNT(columns)}, .classes = &no_classes};

    return has_numbers ? &of_numbers : &loaded;
}

static inline TextRef fixture_text(const char *text)
{
    return (TextRef){text, text ? strlen(text) : 0};
}

/* Row 0 is spam, row 1 is ham and so on, with 0.9. */
static inline Prediction fixture_prediction(const FixturePrediction *spec, Arena *arena)
{
    static const double chances[] = {0.1, 0.9, 0.9, 0.1};
    ServedEndpoint *endpoint = arena_new(arena, ServedEndpoint);
    TextRef *texts = arena_array(arena, TextRef, FIXTURE_ROWS_MAX);
    TextRef *kinds = arena_array(arena, TextRef, FIXTURE_ROWS_MAX);
    double *ages = arena_array(arena, double, FIXTURE_ROWS_MAX);
    FrameColumn *columns = arena_array(arena, FrameColumn, 3);
    Prediction prediction = {.endpoint = endpoint, .request_id = spec->request_id};

    *endpoint = (ServedEndpoint){.name = spec->endpoint ? spec->endpoint : "spam",
                                 .model = "comments",
                                 .version = 3,
                                 .loaded = fixture_loaded(spec->has_numbers),
                                 .deployment_id = spec->deployment_id ? spec->deployment_id : 7};
    prediction.frame = (Frame){columns, 3, spec->row_count ? spec->row_count : 1};
    prediction.answers = arena_array(arena, double, FIXTURE_ROWS_MAX * 2);
    prediction.labels = arena_array(arena, size_t, FIXTURE_ROWS_MAX);
    columns[0] = (FrameColumn){.name = "text", .kind = COLUMN_TEXT, .texts = texts};
    columns[1] = (FrameColumn){.name = "kind", .kind = COLUMN_CATEGORY, .texts = kinds};
    columns[2] = (FrameColumn){.name = "age", .kind = COLUMN_NUMBER, .numbers = ages};
    for (size_t row = 0; row < prediction.frame.row_count; row++) {
        texts[row] = fixture_text(spec->text);
        kinds[row] = fixture_text(spec->kind);
        ages[row] = spec->age;
        if (spec->has_numbers) {
            prediction.answers[row] = 12.5 + (double)row;
            continue;
        }
        prediction.labels[row] = row % 2 == 0;
        memcpy(prediction.answers + 2 * row, chances + row % 2 * 2, 2 * sizeof(double));
    }
    return prediction;
}

static inline const PredictionRecord *fixture_record(const FixturePrediction *spec, Arena *arena)
{
    const Prediction prediction = fixture_prediction(spec, arena);
    RecordSize size = record_measure(&prediction);
    void *at = arena_alloc(arena, size.total, 1);

    record_write(at, &prediction, &size, spec->created_at, spec->duration_us);
    return at;
}
