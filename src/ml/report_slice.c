#include "ml/report_slice.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double slice_level = 0.95;

/* The work of all intervals together is bounded: rows times columns times resamples. */
static const double resampled_cells_max = 2e8;
enum { RESAMPLES_LEAST = 40, RESAMPLES_MOST = 400 };

typedef struct Slicing {
    const SliceSpec *spec;
    IntervalSpec interval;
    SliceReport report;
    Arena *arena;
} Slicing;

/* ---- one slice ---- */

/* Which rows of all it has. */
typedef struct SliceRows {
    size_t *items;
    size_t count;
} SliceRows;

static JudgedRows pick(const JudgedRows *all, SliceRows rows, Arena *arena)
{
    size_t width = all->classes ? all->classes->count : 1;
    int *truth = arena_array(arena, int, rows.count), *named = arena_array(arena, int, rows.count);
    double *answers = arena_array(arena, double, rows.count *width);
    double *numbers = arena_array(arena, double, rows.count);
    JudgedRows picked = *all;

    for (size_t i = 0; i < rows.count; i++) {
        size_t row = rows.items[i];

        if (all->numbers) {
            numbers[i] = all->numbers[row];
            answers[i] = all->predictions.numbers[row];
            continue;
        }
        truth[i] = all->truth[row];
        named[i] = all->predictions.predicted[row];
        memcpy(answers + i * width, all->predictions.probabilities + row * width,
               width * sizeof(double));
    }
    picked.row_count = rows.count;
    picked.truth = truth;
    if (all->numbers) {
        picked.numbers = numbers;
        picked.predictions = (Predictions){.numbers = answers};
    } else {
        picked.predictions = (Predictions){named, answers, NULL};
    }
    return picked;
}

/* Without rows of a class some figures are 0 or nothing whatever the model says. */
static bool needs_both_classes(const MetricKind *metric)
{
    static const char *const others[] = {"accuracy", "log_loss", "brier", "calibration_error"};

    for (size_t i = 0; i < COUNT(others); i++)
        if (strcmp(others[i], metric->name) == 0)
            return false;
    return true;
}

static bool has_both_classes(const JudgedRows *rows)
{
    size_t positives = 0;

    for (size_t row = 0; row < rows->row_count; row++)
        positives += rows->truth[row] == (int)rows->positive;
    return positives >= SLICE_CLASS_ROWS_LEAST &&
           rows->row_count - positives >= SLICE_CLASS_ROWS_LEAST;
}

static bool is_enough(const JudgedRows *rows)
{
    return rows->numbers || rows->classes->count != 2 || !needs_both_classes(rows->metric) ||
           has_both_classes(rows);
}

/* How much worse than nothing: what is worst is largest. */
static double badness(const MetricKind *metric, double score)
{
    return metric->higher_is_better ? -score : score;
}

static void keep(Slicing *slicing, const Slice *slice)
{
    SliceReport *report = &slicing->report;
    double bad = badness(report->metric, slice->interval.score);
    size_t at = report->count;

    report->judged_count++;
    while (at > 0 && bad > badness(report->metric, report->items[at - 1].interval.score))
        at--;
    if (at == SLICES_MAX)
        return;
    report->count += report->count < SLICES_MAX;
    memmove(report->items + at + 1, report->items + at,
            (report->count - 1 - at) * sizeof(*report->items));
    report->items[at] = *slice;
}

static void judge(Slicing *slicing, const FrameColumn *column, const char *value, SliceRows rows)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    const MetricKind *metric = slicing->report.metric;
    Slice slice = {.column = column->name, .row_count = rows.count};
    JudgedRows judged;
    double better_end;

    if (rows.count < SLICE_ROWS_LEAST || rows.count == slicing->spec->rows->row_count)
        return;
    judged = pick(slicing->spec->rows, rows, scratch);
    if (!is_enough(&judged) || !report_interval(&judged, &slicing->interval, &slice.interval))
        return;
    better_end = metric->higher_is_better ? slice.interval.high : slice.interval.low;
    slice.is_apart = badness(metric, better_end) > badness(metric, slicing->report.score);
    slice.value = arena_copy(slicing->arena, value, strlen(value));
    keep(slicing, &slice);
}

/* ---- categories ---- */

typedef struct Valued {
    TextRef value;
    size_t row;
} Valued;

static int compare_texts(TextRef a, TextRef b)
{
    size_t shared = a.length < b.length ? a.length : b.length;
    int order;

    if (!a.bytes || !b.bytes)
        return (a.bytes != NULL) - (b.bytes != NULL);
    order = memcmp(a.bytes, b.bytes, shared);
    return order ? order : (a.length > b.length) - (a.length < b.length);
}

static int compare_valued(const void *left, const void *right)
{
    const Valued *a = left, *b = right;
    int order = compare_texts(a->value, b->value);

    return order ? order : (a->row > b->row) - (a->row < b->row);
}

/* Neighbours among the sorted rows that have the same value. */
typedef struct Span {
    size_t start, count;
} Span;

static int more_rows_first(const void *left, const void *right)
{
    const Span *a = left, *b = right;

    if (a->count != b->count)
        return a->count > b->count ? -1 : 1;
    return (a->start > b->start) - (a->start < b->start);
}

static size_t find_spans(const Valued *valued, size_t count, Span *spans)
{
    size_t found = 0;

    for (size_t i = 0; i < count; i++) {
        if (i == 0 || compare_texts(valued[i].value, valued[i - 1].value) != 0)
            spans[found++] = (Span){i, 0};
        spans[found - 1].count++;
    }
    qsort(spans, found, sizeof(*spans), more_rows_first);
    return found < SLICE_VALUES_MAX ? found : SLICE_VALUES_MAX;
}

static void slice_category(Slicing *slicing, const FrameColumn *column)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    size_t count = slicing->spec->rows->row_count, span_count;
    Valued *valued = arena_array(scratch, Valued, count);
    size_t *rows = arena_array(scratch, size_t, count);
    Span *spans = arena_array(scratch, Span, count);

    for (size_t row = 0; row < count; row++)
        valued[row] = (Valued){column->texts[row], row};
    qsort(valued, count, sizeof(*valued), compare_valued);
    for (size_t i = 0; i < count; i++)
        rows[i] = valued[i].row;
    span_count = find_spans(valued, count, spans);
    for (size_t i = 0; i < span_count; i++) {
        TextRef value = valued[spans[i].start].value;

        judge(slicing, column,
              value.bytes ? arena_copy(scratch, value.bytes, value.length) : "missing",
              (SliceRows){rows + spans[i].start, spans[i].count});
    }
}

/* ---- numbers ---- */

typedef struct Numbered {
    double number;
    size_t row;
} Numbered;

static int compare_numbered(const void *left, const void *right)
{
    const Numbered *a = left, *b = right;

    if (a->number != b->number)
        return a->number < b->number ? -1 : 1;
    return (a->row > b->row) - (a->row < b->row);
}

/* Behind the last row of a part that may end at the given place: equal numbers stay together. */
static size_t end_of_part(const Numbered *numbered, size_t count, size_t end)
{
    while (end > 0 && end < count && numbered[end].number == numbered[end - 1].number)
        end++;
    return end;
}

static const char *range_of(double low, double high, Arena *arena)
{
    return low == high ? arena_format(arena, "%.6g", low)
                       : arena_format(arena, "%.6g to %.6g", low, high);
}

static void slice_parts(Slicing *slicing, const FrameColumn *column, const Numbered *numbered,
                        size_t count)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    size_t *rows = arena_array(scratch, size_t, count + 1), start = 0;

    for (size_t i = 0; i < count; i++)
        rows[i] = numbered[i].row;
    for (size_t part = 0; part < SLICE_PARTS && start < count; part++) {
        size_t end = end_of_part(numbered, count, count * (part + 1) / SLICE_PARTS);

        if (end <= start)
            continue;
        judge(slicing, column, range_of(numbered[start].number, numbered[end - 1].number, scratch),
              (SliceRows){rows + start, end - start});
        start = end;
    }
}

static void slice_number(Slicing *slicing, const FrameColumn *column)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    size_t rows = slicing->spec->rows->row_count, count = 0;
    Numbered *numbered = arena_array(scratch, Numbered, rows);
    SliceRows missing = {arena_array(scratch, size_t, rows), 0};

    for (size_t row = 0; row < rows; row++) {
        if (isfinite(column->numbers[row]))
            numbered[count++] = (Numbered){column->numbers[row], row};
        else
            missing.items[missing.count++] = row;
    }
    if (count)
        qsort(numbered, count, sizeof(*numbered), compare_numbered);
    slice_parts(slicing, column, numbered, count);
    judge(slicing, column, "missing", missing);
}

/* ---- all ---- */

static size_t resamples_for(const SliceSpec *spec)
{
    double cells = (double)spec->rows->row_count * (double)spec->frame->column_count;
    double count = resampled_cells_max / fmax(cells, 1);

    return (size_t)fmax(RESAMPLES_LEAST, fmin(RESAMPLES_MOST, count));
}

void slices_make(const SliceSpec *spec, Arena *arena, SliceReport *report)
{
    const MetricKind *metric = spec->rows->metric;
    Slicing slicing = {
        .spec = spec,
        .interval = {slice_level, resamples_for(spec), spec->seed},
        .report = {.metric = metric,
                   .score = NAN,
                   .level = slice_level,
                   .items = arena_array(arena, Slice, SLICES_MAX + 1)},
        .arena = arena,
    };
    ScoreInterval all;

    if (report_interval(spec->rows, &(IntervalSpec){slice_level, 1, spec->seed}, &all)) {
        slicing.report.score = all.score;
        for (size_t i = 0; i < spec->frame->column_count; i++) {
            const FrameColumn *column = &spec->frame->columns[i];

            if (column->kind == COLUMN_CATEGORY)
                slice_category(&slicing, column);
            else if (column->kind == COLUMN_NUMBER)
                slice_number(&slicing, column);
        }
    }
    *report = slicing.report;
}

void slices_write_json(JsonWriter *json, const char *key, const SliceReport *report)
{
    json_open_object(json, key);
    json_text(json, "metric", report->metric->name);
    json_double(json, "score", report->score);
    json_double(json, "level", report->level);
    json_int(json, "judged", (int64_t)report->judged_count);
    json_open_array(json, "items");
    for (size_t i = 0; i < report->count; i++) {
        const Slice *slice = &report->items[i];

        json_open_object(json, NULL);
        json_text(json, "column", slice->column);
        json_text(json, "value", slice->value);
        json_int(json, "row_count", (int64_t)slice->row_count);
        json_double(json, "score", slice->interval.score);
        json_double(json, "low", slice->interval.low);
        json_double(json, "high", slice->interval.high);
        json_bool(json, "apart", slice->is_apart);
        json_close(json);
    }
    json_close(json);
    json_close(json);
}
