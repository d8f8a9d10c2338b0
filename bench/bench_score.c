/* bench_score: what scoring itself costs, without HTTP: CPU time in a loop over comments.
 *
 *     bench_score MODEL.slipway COMMENTS.txt [TIMES]
 *
 * A comment a line. Prints "one SECONDS ROWS BYTES SUM" (a call a row) and "bulk ..." (all rows in
 * one call); SUM is of all probabilities of the second class, and a faster way must not change a
 * bit of it.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/text.h"
#include "bench/study_data.h"
#include "ml/text_model.h"

enum { FILE_BYTES_MAX = 1 << 28 };

static double cpu_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static size_t text_bytes(const Frame *frame)
{
    size_t bytes = 0;

    for (size_t row = 0; row < frame->row_count; row++)
        bytes += frame->columns[0].texts[row].length;
    return bytes;
}

static void report(const char *name, double seconds, const Frame *frame, size_t times, double sum)
{
    printf("%s %.6f %zu %zu %.17g\n", name, seconds, frame->row_count * times,
           text_bytes(frame) * times, sum);
}

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

static bool score_all(const TextModel *model, const Frame *frame, double *sum, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    double *probabilities = arena_array(arena, double, frame->row_count * 2);

    if (!text_model_predict(model, frame, probabilities, arena, error))
        return false;
    for (size_t row = 0; row < frame->row_count; row++)
        *sum += probabilities[2 * row + 1];
    return true;
}

typedef bool Score(const TextModel *model, const Frame *frame, double *sum, Error *error);

static bool measure(const char *name, Score *score, const TextModel *model, const Frame *frame,
                    size_t times, Error *error)
{
    double sum = 0, began;

    if (!score(model, frame, &sum, error)) /* warm */
        return false;
    sum = 0;
    began = cpu_seconds();
    for (size_t i = 0; i < times; i++)
        if (!score(model, frame, &sum, error))
            return false;
    report(name, cpu_seconds() - began, frame, times, sum);
    return true;
}

/* A comment a line; an escaped line end is of no matter here. */
static Frame read_lines(const char *text, size_t size, Arena *arena)
{
    FrameColumn *column = arena_new(arena, FrameColumn);
    struct {
        TextRef *items;
        size_t count;
    } lines = {0};

    for (const char *at = text, *end; at < text + size; at = end + 1) {
        end = memchr(at, '\n', (size_t)(text + size - at));
        end = end ? end : text + size;
        *arena_push(arena, &lines) = (TextRef){at, (size_t)(end - at)};
    }
    *column = (FrameColumn){.name = "CONTENT", .kind = COLUMN_TEXT, .texts = lines.items};
    return (Frame){column, 1, lines.count};
}

int main(int count, char **arguments)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    CLEANUP(text_model_unload) TextModel *model = NULL;
    const char *bytes, *text;
    size_t size, text_size;
    int64_t times = 20;
    Error error = {0};
    Frame frame;

    if (count < 3 || (count > 3 && !text_to_int(arguments[3], &times))) {
        fputs("usage: bench_score MODEL.slipway COMMENTS.txt [TIMES]\n", stderr);
        return 2;
    }
    if (!file_read(arguments[1], FILE_BYTES_MAX, arena, &bytes, &size, &error) ||
        !text_model_load(bytes, size, &model, &error) ||
        !file_read(arguments[2], FILE_BYTES_MAX, arena, &text, &text_size, &error)) {
        fprintf(stderr, "bench_score: %s\n", error.message);
        return 1;
    }
    frame = read_lines(text, text_size, arena);
    if (!measure("one", score_each, model, &frame, (size_t)times, &error) ||
        !measure("bulk", score_all, model, &frame, (size_t)times, &error)) {
        fprintf(stderr, "bench_score: %s\n", error.message);
        return 1;
    }
    return 0;
}
