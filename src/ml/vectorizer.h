/* vectorizer.h: counts of terms to weighted features: TF-IDF, one-hot, standardised numbers.
 *
 * Fitted on some rows of a corpus, applied to any. Formulas (scikit-learn's TfidfVectorizer):
 *     tf    = count, or 1 + ln(count) when sublinear
 *     idf   = ln((1 + n) / (1 + df)) + 1       n, df: rows and rows with the term, of the rows
 * fitted value = tf * idf / sqrt(sum of squares over the row's known terms of the same block) A
 * category is 1 in its column, a number (x - mean) / deviation; an unseen or missing one is 0.
 */
#pragma once

#include <math.h>

#include "ml/corpus.h"
#include "ml/matrix.h"

typedef struct BlockFit {
    uint32_t *columns; /* by term id: its column, TERM_NONE when left out */
    double *idf;       /* by term id */
    size_t column_count;
    size_t first_column;    /* its columns are neighbours */
    double mean, deviation; /* numbers */
} BlockFit;

typedef struct Vectorizer {
    const Corpus *corpus;
    BlockFit *fits; /* one for each block of the corpus */
    const bool *used;
    size_t column_count;
} Vectorizer;

/* Rows of a corpus, by index. */
typedef struct RowList {
    const size_t *items;
    size_t count;
} RowList;

/* used: for each block whether it takes part; it must live as long as the vectorizer. */
Vectorizer vectorizer_fit(const Corpus *corpus, const bool *used, RowList rows, Arena *arena);
Matrix vectorizer_apply(const Vectorizer *vectorizer, RowList rows, Arena *arena);

/* 1 + ln(count) of small counts: nearly all are, and a logarithm costs as much as a look-up. */
enum { SUBLINEAR_COUNTS = 17 };
extern const double sublinear_counts[SUBLINEAR_COUNTS];

static inline double term_frequency(uint32_t count, bool sublinear)
{
    if (!sublinear)
        return count;
    return count < SUBLINEAR_COUNTS ? sublinear_counts[count] : 1 + log(count);
}
