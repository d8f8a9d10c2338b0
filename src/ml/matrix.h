/* matrix.h: rows of few non-zero values (compressed sparse rows). */
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef struct Matrix {
    size_t row_count, column_count;
    size_t *starts;    /* row_count + 1: row r is [starts[r], starts[r + 1]) */
    uint32_t *columns; /* rising within a block of features */
    double *values;
} Matrix;
