/* xgboost.h: XGBoost's own library as the oracle of trees, and tables of numbers to train it on,
 * for tests and benches. A process that has trained must not fork afterwards: its threads would be
 * waited for.
 *
 *     if (!xgboost_open(&xgboost) || !numbers_read(&spec, arena, &table))
 *         return;
 *     XgboostModel model = xgboost_train(&table, parameters, 100);
 *     ... xgboost_predict(&model, XGBOOST_MARGIN) ...
 *     xgboost_free(&model);
 */
#pragma once

#include <stdint.h>

#include "base/file.h"
#include "base/library.h"
#include "tests/test.h"

typedef struct Xgboost {
    void (*version)(int *major, int *minor, int *patch);
    const char *(*last_error)(void);
    int (*matrix_create)(const float *values, uint64_t rows, uint64_t columns, float missing,
                         void **matrix);
    int (*matrix_set_floats)(void *matrix, const char *field, const float *values, uint64_t count);
    int (*matrix_free)(void *matrix);
    int (*create)(void *const *matrices, uint64_t count, void **booster);
    int (*set)(void *booster, const char *name, const char *value);
    int (*update)(void *booster, int round, void *matrix);
    int (*predict)(void *booster, void *matrix, const char *options, const uint64_t **shape,
                   uint64_t *dimensions, const float **answers);
    int (*save)(void *booster, const char *options, uint64_t *size, const char **bytes);
    int (*free)(void *booster);
} Xgboost;

static Xgboost xgboost;

/* Says why not. */
static inline bool xgboost_open(void)
{
    static const LibraryFunction functions[] = {
        {"XGBoostVersion", offsetof(Xgboost, version)},
        {"XGBGetLastError", offsetof(Xgboost, last_error)},
        {"XGDMatrixCreateFromMat", offsetof(Xgboost, matrix_create)},
        {"XGDMatrixSetFloatInfo", offsetof(Xgboost, matrix_set_floats)},
        {"XGDMatrixFree", offsetof(Xgboost, matrix_free)},
        {"XGBoosterCreate", offsetof(Xgboost, create)},
        {"XGBoosterSetParam", offsetof(Xgboost, set)},
        {"XGBoosterUpdateOneIter", offsetof(Xgboost, update)},
        {"XGBoosterPredictFromDMatrix", offsetof(Xgboost, predict)},
        {"XGBoosterSaveModelToBuffer", offsetof(Xgboost, save)},
        {"XGBoosterFree", offsetof(Xgboost, free)},
        {0},
    };
    static const char *const files[] = {"libxgboost.so.0", "libxgboost.so", NULL};
    static Library library = {"comparing trees", files, functions, &xgboost};
    Error error = {0};

    if (library_open(&library, &error))
        return true;
    printf("SKIP: %s\n", error.message);
    return false;
}

#define EXPECT_XGBOOST(call)                                                                       \
    do {                                                                                           \
        if ((call) != 0) {                                                                         \
            fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #call, xgboost.last_error());   \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

/* ---- tables ---- */

enum { NUMBERS_COLUMNS_MAX = 64, NUMBERS_WORDS_MAX = 128 };

/* A file of the data folder, with a heading; which column is what is to be learnt. */
typedef struct NumbersSpec {
    const char *file;
    size_t target, rows_most;
} NumbersSpec;

typedef struct Numbers {
    float *values; /* by row; words as the number of words that came before them in their column */
    float *targets;
    size_t row_count, column_count;
} Numbers;

typedef struct NumbersWords {
    const char *words[NUMBERS_WORDS_MAX];
    size_t count;
} NumbersWords;

static inline float numbers_cell(const char *cell, NumbersWords *words)
{
    char *end;
    float number = strtof(cell, &end);
    size_t i = 0;

    if (*cell == '\0' || strcmp(cell, "?") == 0)
        return NAN;
    if (*end == '\0')
        return number;
    while (i < words->count && strcmp(words->words[i], cell) != 0)
        i++;
    EXPECT(i < NUMBERS_WORDS_MAX);
    if (i == words->count)
        words->words[words->count++] = cell;
    return (float)i;
}

static inline void numbers_row(char *line, size_t target, NumbersWords *words, Numbers *numbers)
{
    float *row = numbers->values + numbers->row_count * numbers->column_count;
    size_t column = 0;

    line[strcspn(line, "\r")] = '\0';
    for (char *cell; (cell = strsep(&line, ","));) {
        float value = numbers_cell(cell, &words[column]);

        if (column++ == target)
            numbers->targets[numbers->row_count] = value;
        else
            *row++ = value;
    }
    EXPECT(column == numbers->column_count + 1);
    numbers->row_count++;
}

/* Says why not. */
static inline bool numbers_read(const NumbersSpec *spec, Arena *arena, Numbers *numbers)
{
    const char *root = getenv("SLIPWAY_DATA"), *bytes;
    const char *path = arena_format(arena, "%s/%s", root ? root : "../shared/data", spec->file);
    NumbersWords *words = arena_array(arena, NumbersWords, NUMBERS_COLUMNS_MAX);
    char *text, *heading;
    size_t size;
    Error error;

    if (!file_read(path, 1 << 24, arena, &bytes, &size, &error)) {
        printf("SKIP: %s is not there\n", path);
        return false;
    }
    text = arena_text(arena, bytes);
    heading = strsep(&text, "\n");
    *numbers = (Numbers){0};
    for (; (heading = strchr(heading, ',')); heading++)
        numbers->column_count++;
    EXPECT(numbers->column_count < NUMBERS_COLUMNS_MAX);
    numbers->values = arena_array(arena, float, spec->rows_most * numbers->column_count);
    numbers->targets = arena_array(arena, float, spec->rows_most);
    for (char *line; numbers->row_count < spec->rows_most && (line = strsep(&text, "\n")) && *line;)
        numbers_row(line, spec->target, words, numbers);
    return true;
}

/* ---- models ---- */

typedef struct XgboostParameter {
    const char *name, *value;
} XgboostParameter;

typedef struct XgboostModel {
    void *matrix, *booster; /* the matrix has the first prediction_rows of the table */
    const char *json;       /* the booster's, until it is asked for again */
    size_t json_size;
} XgboostModel;

static inline void *xgboost_matrix(const Numbers *numbers, size_t row_count)
{
    void *matrix;

    EXPECT_XGBOOST(
        xgboost.matrix_create(numbers->values, row_count, numbers->column_count, NAN, &matrix));
    return matrix;
}

/* On one thread; parameters end with a NULL. Predictions are for the first so many rows. */
static inline XgboostModel xgboost_train(const Numbers *numbers, const XgboostParameter *parameters,
                                         int round_count, size_t prediction_rows)
{
    XgboostModel model = {0};
    void *matrix = xgboost_matrix(numbers, numbers->row_count);
    uint64_t size;

    EXPECT_XGBOOST(
        xgboost.matrix_set_floats(matrix, "label", numbers->targets, numbers->row_count));
    EXPECT_XGBOOST(xgboost.create(&matrix, 1, &model.booster));
    EXPECT_XGBOOST(xgboost.set(model.booster, "nthread", "1"));
    for (; parameters->name; parameters++)
        EXPECT_XGBOOST(xgboost.set(model.booster, parameters->name, parameters->value));
    for (int i = 0; i < round_count; i++)
        EXPECT_XGBOOST(xgboost.update(model.booster, i, matrix));
    EXPECT_XGBOOST(xgboost.matrix_free(matrix));
    EXPECT_XGBOOST(xgboost.save(model.booster, "{\"format\":\"json\"}", &size, &model.json));
    model.json_size = (size_t)size;
    model.matrix = xgboost_matrix(numbers, prediction_rows);
    return model;
}

typedef enum XgboostKind { XGBOOST_MARGIN = 1, XGBOOST_CONTRIBUTIONS = 2 } XgboostKind;

/* The library's own memory, until it is asked for again. */
static inline const float *xgboost_predict(const XgboostModel *model, XgboostKind kind)
{
    char options[160];
    const uint64_t *shape;
    const float *answers;
    uint64_t dimensions;

    snprintf(options, sizeof(options),
             "{\"type\":%d,\"training\":false,\"iteration_begin\":0,\"iteration_end\":0,"
             "\"strict_shape\":true}",
             (int)kind);
    EXPECT_XGBOOST(
        xgboost.predict(model->booster, model->matrix, options, &shape, &dimensions, &answers));
    return answers;
}

static inline void xgboost_free(XgboostModel *model)
{
    EXPECT_XGBOOST(xgboost.matrix_free(model->matrix));
    EXPECT_XGBOOST(xgboost.free(model->booster));
}
