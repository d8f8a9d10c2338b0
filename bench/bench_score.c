/* bench_score: what scoring itself costs, without HTTP: time in a loop over texts.
 *
 *     bench_score MODEL.slipway TEXTS.txt [TIMES]
 *     bench_score words|grams LABELS.txt TEXTS.txt [TIMES]
 *
 * A text a line. The second form first learns a model from the texts, a label a line, "0" or "1":
 * words as scikit-learn's TfidfVectorizer takes them, or what the automatic choice takes, words 1-2
 * and characters 2-5.
 *
 * Prints "one SECONDS ROWS BYTES SUM" (a call a row), "bulk ..." (all rows in one call), "cores
 * ..." (by all cores) and, of words, "limit ..." (a loop that cuts, hashes and looks up and does
 * nothing else). Seconds are CPU time, those of all cores wall-clock time; SUM is of all
 * probabilities of the second class.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/parallel.h"
#include "base/text.h"
#include "ml/text_model_internal.h"

enum { FILE_BYTES_MAX = 1 << 28 };

static double seconds_of(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static size_t text_bytes(const Frame *frame)
{
    size_t bytes = 0;

    for (size_t row = 0; row < frame->row_count; row++)
        bytes += frame->columns[0].texts[row].length;
    return bytes;
}

/* ---- ways to score ---- */

static bool score_each(const TextModel *model, const Frame *frame, double *sum, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();

    for (size_t row = 0; row < frame->row_count; row++) {
        FrameColumn column = frame->columns[0];
        Frame one = {&column, 1, 1};
        double probabilities[2];

        column.texts += row;
        if (!text_model_predict(model, &one, probabilities, arena, error))
            return false;
        *sum += probabilities[1];
        arena_reset(arena);
    }
    return true;
}

static double sum_of(const double *probabilities, const Frame *frame)
{
    double sum = 0;

    for (size_t row = 0; row < frame->row_count; row++)
        sum += probabilities[2 * row + 1];
    return sum;
}

static bool score_all(const TextModel *model, const Frame *frame, double *sum, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    double *probabilities = arena_array(arena, double, frame->row_count * 2);

    if (!text_model_predict(model, frame, probabilities, arena, error))
        return false;
    *sum += sum_of(probabilities, frame);
    return true;
}

static bool score_by_all_cores(const TextModel *model, const Frame *frame, double *sum,
                               Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    double *probabilities = arena_array(arena, double, frame->row_count * 2);

    if (!text_model_predict_on(parallel_core_count(), model, frame, probabilities, error))
        return false;
    *sum += sum_of(probabilities, frame);
    return true;
}

/* ---- the limit ---- */

/* As many places as the vocabulary needs, each with something to add. */
typedef struct BareTable {
    struct {
        uint32_t hash;
        float weight;
    } * places;
    uint32_t mask;
} BareTable;

static BareTable bare_table(const TextModel *model, Arena *arena)
{
    BareTable table = {.mask = 1024};

    while (table.mask < 2 * model->blocks[0].terms.row_count)
        table.mask *= 2;
    table.places = arena_alloc(arena, table.mask, sizeof(*table.places));
    for (uint32_t i = 0; i < table.mask; i += 2) {
        table.places[i].hash = i;
        table.places[i].weight = 1.0f / (float)(i + 1);
    }
    table.mask--;
    return table;
}

static double cut_and_look_up(const BareTable *table, TextRef text)
{
    double sum = 0;
    uint32_t hash = 0;

    for (size_t i = 0; i < text.length; i++) {
        uint32_t byte = (unsigned char)text.bytes[i] | 32u;

        if (byte - 'a' < 26 || byte - '0' < 10) {
            hash = (hash ^ byte) * UINT32_C(16777619);
        } else if (hash) {
            sum += (double)table->places[hash & table->mask].weight;
            hash = 0;
        }
    }
    return sum;
}

static bool score_barely(const TextModel *model, const Frame *frame, double *sum, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    BareTable table = bare_table(model, arena);

    (void)error;
    for (size_t row = 0; row < frame->row_count; row++)
        *sum += cut_and_look_up(&table, frame->columns[0].texts[row]);
    return true;
}

/* ---- measuring ---- */

typedef struct Way {
    const char *name;
    bool (*score)(const TextModel *model, const Frame *frame, double *sum, Error *error);
    clockid_t clock;
} Way;

static const Way ways[] = {
    {"one", score_each, CLOCK_PROCESS_CPUTIME_ID},
    {"bulk", score_all, CLOCK_PROCESS_CPUTIME_ID},
    {"cores", score_by_all_cores, CLOCK_MONOTONIC},
    {"limit", score_barely, CLOCK_PROCESS_CPUTIME_ID},
};

static bool measure(const Way *way, const TextModel *model, const Frame *frame, size_t times,
                    Error *error)
{
    double sum = 0, began;

    if (!way->score(model, frame, &sum, error)) /* warm */
        return false;
    sum = 0;
    began = seconds_of(way->clock);
    for (size_t i = 0; i < times; i++)
        if (!way->score(model, frame, &sum, error))
            return false;
    printf("%s %.6f %zu %zu %.17g\n", way->name, seconds_of(way->clock) - began,
           frame->row_count * times, text_bytes(frame) * times, sum);
    return true;
}

static bool measure_all(const TextModel *model, const Frame *frame, size_t times, Error *error)
{
    bool is_words = model->block_count == 1;

    for (size_t i = 0; i < COUNT(ways); i++)
        if ((is_words || ways[i].score != score_barely) &&
            !measure(&ways[i], model, frame, times, error))
            return false;
    return true;
}

/* ---- models ---- */

/* A text a line; an escaped line end is of no matter here. */
static bool read_lines(const char *path, Arena *arena, Frame *frame, Error *error)
{
    FrameColumn *column = arena_new(arena, FrameColumn);
    const char *text;
    size_t size;
    struct {
        TextRef *items;
        size_t count;
    } lines = {0};

    if (!file_read(path, FILE_BYTES_MAX, arena, &text, &size, error))
        return false;
    for (const char *at = text, *end; at < text + size; at = end + 1) {
        end = memchr(at, '\n', (size_t)(text + size - at));
        end = end ? end : text + size;
        *arena_push(arena, &lines) = (TextRef){at, (size_t)(end - at)};
    }
    *column = (FrameColumn){.name = "CONTENT", .kind = COLUMN_TEXT, .texts = lines.items};
    *frame = (Frame){column, 1, lines.count};
    return true;
}

static RowList all_rows(size_t count, Arena *arena)
{
    size_t *rows = arena_array(arena, size_t, count);

    for (size_t i = 0; i < count; i++)
        rows[i] = i;
    return (RowList){rows, count};
}

static TextModel *fit(const Corpus *corpus, const Frame *frame, const int *labels, Arena *arena)
{
    static const char *const names[] = {"0", "1"};
    static const ClassNames classes = {names, 2};
    static const bool used[] = {true, true};
    RowList rows = all_rows(frame->row_count, arena);
    Vectorizer vectorizer = vectorizer_fit(corpus, used, rows, arena);
    Matrix matrix = vectorizer_apply(&vectorizer, rows, arena);
    LinearModel linear = logistic_fit(
        &(TrainingSet){.matrix = &matrix, .labels = labels, .class_count = 2}, 1, arena);
    double slope = 1, offset = 0;
    Calibration calibration = {.kind = CALIBRATION_LOGISTIC,
                               .margin_count = 1,
                               .row_count = frame->row_count,
                               .slopes = &slope,
                               .offsets = &offset};

    return text_model_build(&(ModelParts){.frame = frame,
                                          .classes = &classes,
                                          .positive = 1,
                                          .vectorizer = &vectorizer,
                                          .linear = &linear,
                                          .calibration = &calibration,
                                          .threshold = 0.5});
}

static bool learn(bool is_words, const char *labels_path, const Frame *frame, TextModel **model,
                  Error *error)
{
    static const BlockSpec specs[][2] = {
        {{BLOCK_WORDS, 0, TOKEN_STYLE_RICH, 1, 2, 1, true},
         {BLOCK_CHARACTERS, 0, TOKEN_STYLE_RICH, 2, 5, 2, true}},
        {{BLOCK_WORDS, 0, TOKEN_STYLE_PLAIN, 1, 1, 1, false}},
    };
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Block blocks[2];
    Corpus corpus = {blocks, is_words ? 1 : 2, frame->row_count};
    Frame lines;
    int *labels;

    if (!read_lines(labels_path, arena, &lines, error))
        return false;
    if (lines.row_count != frame->row_count)
        return fail(error, ERROR_INVALID, "there are %zu labels of %zu texts", lines.row_count,
                    frame->row_count);
    labels = arena_array(arena, int, lines.row_count);
    for (size_t row = 0; row < lines.row_count; row++)
        labels[row] = lines.columns[0].texts[row].bytes[0] == '1';
    for (size_t i = 0; i < corpus.block_count; i++)
        block_read(&blocks[i], frame, &specs[is_words][i], arena);
    *model = fit(&corpus, frame, labels, arena);
    return true;
}

static bool load(const char *path, Arena *arena, TextModel **model, Error *error)
{
    const char *bytes;
    size_t size;

    return file_read(path, FILE_BYTES_MAX, arena, &bytes, &size, error) &&
           text_model_load(bytes, size, model, error);
}

int main(int count, char **arguments)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    CLEANUP(text_model_unload) TextModel *model = NULL;
    bool is_words = count > 1 && strcmp(arguments[1], "words") == 0;
    bool learns = is_words || (count > 1 && strcmp(arguments[1], "grams") == 0);
    int texts = learns ? 3 : 2;
    int64_t times = 20;
    Error error = {0};
    Frame frame;

    if (count <= texts || (count > texts + 1 && !text_to_int(arguments[texts + 1], &times))) {
        fputs("usage: bench_score MODEL.slipway TEXTS.txt [TIMES]\n"
              "       bench_score words|grams LABELS.txt TEXTS.txt [TIMES]\n",
              stderr);
        return 2;
    }
    if (!read_lines(arguments[texts], arena, &frame, &error) ||
        !(learns ? learn(is_words, arguments[2], &frame, &model, &error)
                 : load(arguments[1], arena, &model, &error)) ||
        !measure_all(model, &frame, (size_t)times, &error)) {
        fprintf(stderr, "bench_score: %s\n", error.message);
        return 1;
    }
    return 0;
}
