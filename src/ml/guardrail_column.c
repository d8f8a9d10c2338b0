#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ml/guardrail_internal.h"
#include "ml/random.h"
#include "ml/table.h"

enum {
    CELLS_MAX = 2000000, /* columns x answers x rows that are looked at */
    ROWS_FEW = 500,      /* of many columns, too */
    VALUES_FEW = 64,     /* numbers of so many values are taken value by value */
    BIN_ROWS_LEAST = 20, /* of a stretch of numbers */
    BINS_ABOUT = 100,
    PRIOR_ROWS = 5, /* by which the mean of a bin is drawn to that of all */
    SAMPLE_SEED = 42,
};

/* ---- the sample ---- */

uint64_t guardrail_key(const FrameColumn *column, size_t row)
{
    uint64_t bits;
    double number;

    if (column->kind != COLUMN_NUMBER)
        return cell_of_text(column->texts[row]).key;
    number = column->numbers[row] + 0.0; /* -0 is 0 */
    if (!isfinite(number))
        return CELL_MISSING;
    memcpy(&bits, &number, sizeof(bits));
    return bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}

static size_t sample_size(const Frame *frame, size_t answer_count)
{
    size_t most = CELLS_MAX / (frame->column_count * answer_count + 1);

    if (most > GUARDRAIL_ROWS_MAX)
        most = GUARDRAIL_ROWS_MAX;
    if (most < ROWS_FEW)
        most = ROWS_FEW;
    return frame->row_count < most ? frame->row_count : most;
}

/* One row of each of so many stretches, so that early and late rows have their say. */
static void draw_rows(GuardrailSample *sample, Arena *arena)
{
    Random random = random_seeded(SAMPLE_SEED);
    size_t all = sample->frame->row_count;

    sample->rows = arena_array(arena, size_t, sample->count + 1);
    sample->sides = arena_array(arena, uint8_t, sample->count + 1);
    for (size_t i = 0; i < sample->count; i++) {
        size_t start = all * i / sample->count, end = all * (i + 1) / sample->count;

        sample->rows[i] = start + random_below(&random, end - start);
        sample->sides[i] = (uint8_t)random_below(&random, 2);
    }
}

/* The most frequent classes, at most GUARDRAIL_ANSWERS_MAX; of two only the second. */
static size_t choose_classes(const Frame *frame, const Target *target,
                             int chosen[GUARDRAIL_ANSWERS_MAX])
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    size_t classes = target->classes->count, count = 0;
    size_t *rows = arena_array(scratch, size_t, classes + 1);

    if (classes <= 2) {
        chosen[0] = 1;
        return 1;
    }
    for (size_t row = 0; row < frame->row_count; row++)
        rows[target->labels[row]]++;
    while (count < GUARDRAIL_ANSWERS_MAX && count < classes) {
        size_t most = 0;

        for (size_t i = 1; i < classes; i++)
            most = rows[i] > rows[most] ? i : most;
        rows[most] = 0;
        chosen[count++] = (int)most;
    }
    return count;
}

GuardrailSample guardrail_sample(const Frame *frame, const Target *target, Arena *arena)
{
    int chosen[GUARDRAIL_ANSWERS_MAX] = {0};
    const double *numbers = target->numbers;
    GuardrailSample sample = {.frame = frame, .is_number = numbers, .answer_count = 1};
    double *answers;

    if (!numbers)
        sample.answer_count = choose_classes(frame, target, chosen);
    sample.count = sample_size(frame, sample.answer_count);
    draw_rows(&sample, arena);
    answers = arena_array(arena, double, sample.answer_count *sample.count + 1);
    for (size_t answer = 0; answer < sample.answer_count; answer++)
        for (size_t i = 0; i < sample.count; i++)
            answers[answer * sample.count + i] =
                numbers ? numbers[sample.rows[i]]
                        : target->labels[sample.rows[i]] == chosen[answer];
    sample.answers = answers;
    return sample;
}

/* ---- the values of a column ---- */

typedef struct KeyAt {
    uint64_t key;
    uint32_t at; /* row of the sample */
} KeyAt;

static int compare_keys(const void *a, const void *b)
{
    const KeyAt *first = a, *second = b;

    if (first->key != second->key)
        return first->key < second->key ? -1 : 1;
    return (first->at > second->at) - (first->at < second->at);
}

static size_t count_distinct(const KeyAt *sorted, size_t count)
{
    size_t distinct = 0;

    for (size_t i = 0; i < count; i++)
        distinct += i == 0 || sorted[i].key != sorted[i - 1].key;
    return distinct;
}

/* How many rows a bin has at least: categories and a few numbers are taken value by value. */
static size_t bin_rows(const GuardrailColumn *column, size_t count)
{
    size_t rows = count / BINS_ABOUT;

    if (column->from->kind != COLUMN_NUMBER || column->distinct <= VALUES_FEW)
        return 1;
    return rows > BIN_ROWS_LEAST ? rows : BIN_ROWS_LEAST;
}

/* values: by row, the place of its value among all. */
static void fill_bins(const KeyAt *sorted, size_t count, GuardrailColumn *column, uint32_t *values)
{
    size_t least = bin_rows(column, count), in_bin = 0, bin = 0, value = 0;

    for (size_t i = 0; i < count; i++) {
        bool is_new = i > 0 && sorted[i].key != sorted[i - 1].key;

        value += is_new;
        if (is_new && (in_bin >= least || sorted[i - 1].key == CELL_MISSING)) {
            bin++;
            in_bin = 0;
        }
        in_bin++;
        column->bins[sorted[i].at] = (uint32_t)bin;
        values[sorted[i].at] = (uint32_t)value;
        column->present += sorted[i].key != CELL_MISSING;
    }
    column->bin_count = bin + 1;
}

/* Values are numbered as they first come: the same numbers, the same pattern. */
static void fingerprint(const GuardrailSample *sample, GuardrailColumn *column,
                        const uint32_t *values, Arena *scratch)
{
    uint32_t *order = arena_array(scratch, uint32_t, column->distinct + 1), next = 0;

    for (size_t i = 0; i < sample->count; i++) {
        if (!order[values[i]])
            order[values[i]] = ++next;
        column->pattern = guardrail_mix(column->pattern, order[values[i]]);
        column->content =
            guardrail_mix(column->content, guardrail_key(column->from, sample->rows[i]));
    }
}

GuardrailColumn guardrail_column(const GuardrailSample *sample, const FrameColumn *from,
                                 Arena *arena)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    GuardrailColumn column = {.from = from,
                              .bins = arena_array(arena, uint32_t, sample->count + 1)};
    KeyAt *sorted = arena_array(scratch, KeyAt, sample->count + 1);
    uint32_t *values = arena_array(scratch, uint32_t, sample->count + 1);

    for (size_t i = 0; i < sample->count; i++)
        sorted[i] = (KeyAt){guardrail_key(from, sample->rows[i]), (uint32_t)i};
    qsort(sorted, sample->count, sizeof(*sorted), compare_keys);
    column.distinct = count_distinct(sorted, sample->count);
    fill_bins(sorted, sample->count, &column, values);
    fingerprint(sample, &column, values, scratch);
    return column;
}

/* ---- what it tells ---- */

static double log_odds(double share)
{
    static const double least = 1e-6;
    double inside = fmin(1 - least, fmax(least, share));

    return log(inside / (1 - inside));
}

/* Of one half of the rows. */
typedef struct Half {
    double *sums, *counts; /* by bin */
    double sum, count;
} Half;

static Half half_of(size_t bin_count, Arena *scratch)
{
    return (Half){arena_array(scratch, double, bin_count), arena_array(scratch, double, bin_count),
                  0, 0};
}

static void sum_halves(const GuardrailSample *sample, const GuardrailColumn *column,
                       const double *answers, Half halves[2])
{
    for (size_t i = 0; i < sample->count; i++) {
        Half *half = &halves[sample->sides[i]];

        half->sums[column->bins[i]] += answers[i];
        half->counts[column->bins[i]]++;
        half->sum += answers[i];
        half->count++;
    }
}

static void score_answer(const GuardrailSample *sample, const GuardrailColumn *column,
                         size_t answer, double *scores)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    Half halves[2] = {half_of(column->bin_count, scratch), half_of(column->bin_count, scratch)};

    sum_halves(sample, column, sample->answers + answer * sample->count, halves);
    for (size_t i = 0; i < sample->count; i++) {
        const Half *learnt = &halves[!sample->sides[i]];
        size_t bin = column->bins[i];
        double mean = learnt->sum / fmax(1, learnt->count);
        double said = (learnt->sums[bin] + PRIOR_ROWS * mean) / (learnt->counts[bin] + PRIOR_ROWS);

        scores[i] = sample->is_number ? said - mean : log_odds(said) - log_odds(mean);
    }
}

void guardrail_score(const GuardrailSample *sample, const GuardrailColumn *column, double *scores)
{
    for (size_t answer = 0; answer < sample->answer_count; answer++)
        score_answer(sample, column, answer, scores + answer * sample->count);
}

typedef struct ScoreAt {
    double score, answer;
} ScoreAt;

static int compare_scores(const void *a, const void *b)
{
    const ScoreAt *first = a, *second = b;

    return (first->score > second->score) - (first->score < second->score);
}

/* By ranks, equal scores sharing theirs (Mann & Whitney 1947). */
static double area_under_curve(const double *scores, const double *answers, size_t count)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    ScoreAt *sorted = arena_array(scratch, ScoreAt, count + 1);
    double ranks = 0, positives = 0, negatives;

    for (size_t i = 0; i < count; i++)
        sorted[i] = (ScoreAt){scores[i], answers[i]};
    qsort(sorted, count, sizeof(*sorted), compare_scores);
    for (size_t start = 0, end; start < count; start = end) {
        double inside = 0;

        for (end = start; end < count && sorted[end].score == sorted[start].score; end++)
            inside += sorted[end].answer;
        ranks += inside * ((double)(start + end) + 1) / 2;
        positives += inside;
    }
    negatives = (double)count - positives;
    return (ranks - positives * (positives + 1) / 2) / (positives * negatives);
}

static double squared_correlation(const double *a, const double *b, size_t count)
{
    double means[2] = {0}, squares[2] = {0}, product = 0;

    for (size_t i = 0; i < count; i++) {
        means[0] += a[i] / (double)count;
        means[1] += b[i] / (double)count;
    }
    for (size_t i = 0; i < count; i++) {
        squares[0] += (a[i] - means[0]) * (a[i] - means[0]);
        squares[1] += (b[i] - means[1]) * (b[i] - means[1]);
        product += (a[i] - means[0]) * (b[i] - means[1]);
    }
    if (!(squares[0] > 0) || !(squares[1] > 0))
        return squares[1] > 0 ? 0 : NAN;
    return product / squares[0] * (product / squares[1]);
}

double guardrail_figure(const GuardrailSample *sample, const double *scores)
{
    size_t count = sample->count;
    double sum = 0, weights = 0;

    if (sample->is_number)
        return squared_correlation(scores, sample->answers, count);
    for (size_t answer = 0; answer < sample->answer_count; answer++) {
        const double *answers = sample->answers + answer * count;
        double rows = 0;

        for (size_t i = 0; i < count; i++)
            rows += answers[i];
        if (rows == 0 || rows == (double)count)
            continue;
        sum += rows * area_under_curve(scores + answer * count, answers, count);
        weights += rows;
    }
    return sum / weights;
}

double guardrail_straight(const GuardrailSample *sample, const GuardrailColumn *column)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    double *numbers = arena_array(scratch, double, sample->count + 1), mean = 0;

    if (!sample->is_number || column->from->kind != COLUMN_NUMBER || column->present == 0)
        return 0;
    for (size_t i = 0; i < sample->count; i++) {
        numbers[i] = column->from->numbers[sample->rows[i]];
        mean += isfinite(numbers[i]) ? numbers[i] / (double)column->present : 0;
    }
    for (size_t i = 0; i < sample->count; i++)
        numbers[i] = isfinite(numbers[i]) ? numbers[i] : mean;
    return squared_correlation(numbers, sample->answers, sample->count);
}
