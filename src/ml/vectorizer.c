#include "ml/vectorizer.h"

#include <float.h>
#include <math.h>
#include <string.h>

const double sublinear_counts[SUBLINEAR_COUNTS] = {
    0,
    1,
    1.6931471805599454,
    2.09861228866811,
    2.386294361119891,
    2.6094379124341005,
    2.791759469228055,
    2.9459101490553135,
    3.0794415416798357,
    3.1972245773362196,
    3.302585092994046,
    3.3978952727983707,
    3.4849066497880004,
    3.5649493574615367,
    3.6390573296152584,
    3.70805020110221,
    3.772588722239781,
};

static void count_rows_with_terms(const Block *block, RowList rows, uint32_t *row_counts)
{
    for (size_t i = 0; i < rows.count; i++) {
        CountedRow row = block->rows[rows.items[i]];

        for (size_t at = 0; at < row.count; at++)
            row_counts[row.items[at].id]++;
    }
}

static void fit_terms(const Block *block, RowList rows, BlockFit *fit, Arena *arena)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    uint32_t *row_counts = arena_array(scratch, uint32_t, block->terms.count);
    uint32_t least = block->spec.least_rows ? block->spec.least_rows : 1;
    double n = (double)rows.count;

    count_rows_with_terms(block, rows, row_counts);
    fit->columns = arena_array(arena, uint32_t, block->terms.count);
    fit->idf = arena_array(arena, double, block->terms.count);
    for (size_t id = 0; id < block->terms.count; id++) {
        fit->columns[id] = (uint32_t)TERM_NONE;
        if (row_counts[id] < least)
            continue;
        fit->columns[id] = (uint32_t)(fit->first_column + fit->column_count++);
        fit->idf[id] = log((1 + n) / (1 + row_counts[id])) + 1;
    }
}

static void fit_number(const Block *block, RowList rows, BlockFit *fit)
{
    double sum = 0, squares = 0;
    size_t known = 0;

    for (size_t i = 0; i < rows.count; i++) {
        double number = block->numbers[rows.items[i]];

        if (!isfinite(number))
            continue;
        known++;
        sum += number;
    }
    fit->column_count = 1;
    fit->mean = known ? sum / (double)known : 0;
    for (size_t i = 0; i < rows.count; i++) {
        double number = block->numbers[rows.items[i]];

        if (isfinite(number))
            squares += (number - fit->mean) * (number - fit->mean);
    }
    fit->deviation = known && squares > 0 ? sqrt(squares / (double)known) : 1;
    if (!isfinite(fit->mean) || !isfinite(fit->deviation)) {
        fit->mean = 0; /* numbers near the end of the range: their sum is beyond it */
        fit->deviation = DBL_MAX;
    }
}

Vectorizer vectorizer_fit(const Corpus *corpus, const bool *used, RowList rows, Arena *arena)
{
    Vectorizer vectorizer = {.corpus = corpus, .used = used};

    vectorizer.fits = arena_array(arena, BlockFit, corpus->block_count);
    for (size_t i = 0; i < corpus->block_count; i++) {
        BlockFit *fit = &vectorizer.fits[i];

        if (!used[i])
            continue;
        fit->first_column = vectorizer.column_count;
        if (corpus->blocks[i].spec.kind == BLOCK_NUMBER)
            fit_number(&corpus->blocks[i], rows, fit);
        else
            fit_terms(&corpus->blocks[i], rows, fit, arena);
        vectorizer.column_count += fit->column_count;
    }
    return vectorizer;
}

static size_t append_terms(const Block *block, const BlockFit *fit, CountedRow row, Matrix *matrix,
                           size_t at)
{
    size_t first = at;
    double squares = 0, scale;

    for (size_t i = 0; i < row.count; i++) {
        TermCount term = row.items[i];
        double value;

        if (fit->columns[term.id] == (uint32_t)TERM_NONE)
            continue;
        value = term_frequency(term.count, block->spec.sublinear) * fit->idf[term.id];
        matrix->columns[at] = fit->columns[term.id];
        matrix->values[at++] = value;
        squares += value * value;
    }
    scale = squares > 0 ? 1 / sqrt(squares) : 0;
    for (size_t i = first; i < at; i++)
        matrix->values[i] *= scale;
    return at;
}

static size_t append_block(const Block *block, const BlockFit *fit, size_t row, Matrix *matrix,
                           size_t at)
{
    if (block->spec.kind == BLOCK_NUMBER) {
        double number = block->numbers[row];

        matrix->columns[at] = (uint32_t)fit->first_column;
        matrix->values[at] = isfinite(number) ? (number - fit->mean) / fit->deviation : 0;
        return at + 1;
    }
    if (block->spec.kind == BLOCK_CATEGORY) {
        for (size_t i = 0; i < block->rows[row].count; i++) {
            uint32_t column = fit->columns[block->rows[row].items[i].id];

            if (column == (uint32_t)TERM_NONE)
                continue;
            matrix->columns[at] = column;
            matrix->values[at++] = 1;
        }
        return at;
    }
    return append_terms(block, fit, block->rows[row], matrix, at);
}

/* Room for all terms of the rows, known or not. */
static size_t size_most(const Vectorizer *vectorizer, RowList rows)
{
    size_t most = 0;

    for (size_t block = 0; block < vectorizer->corpus->block_count; block++) {
        const CountedRow *terms = vectorizer->corpus->blocks[block].rows;

        if (!vectorizer->used[block])
            continue;
        for (size_t i = 0; i < rows.count; i++)
            most += terms ? terms[rows.items[i]].count : 1;
    }
    return most;
}

Matrix vectorizer_apply(const Vectorizer *vectorizer, RowList rows, Arena *arena)
{
    size_t most = size_most(vectorizer, rows), at = 0;
    Matrix matrix = {.row_count = rows.count, .column_count = vectorizer->column_count};

    matrix.starts = arena_array(arena, size_t, rows.count + 1);
    matrix.columns = arena_array(arena, uint32_t, most);
    matrix.values = arena_array(arena, double, most);
    for (size_t i = 0; i < rows.count; i++) {
        for (size_t block = 0; block < vectorizer->corpus->block_count; block++) {
            if (vectorizer->used[block])
                at = append_block(&vectorizer->corpus->blocks[block], &vectorizer->fits[block],
                                  rows.items[i], &matrix, at);
        }
        matrix.starts[i + 1] = at;
    }
    return matrix;
}
