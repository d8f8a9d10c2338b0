#include "ml/boost.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/flag.h"
#include "base/library.h"
#include "base/time.h"
#include "ml/loss.h"

/* ---- the library ---- */

#define BINS "256" /* of a feature's values, which splits lie between */

typedef void *MatrixHandle;
typedef void *BoosterHandle;

typedef struct BoostFunctions {
    const char *(*last_error)(void);
    int (*matrix_create)(const float *values, uint64_t rows, uint64_t columns, float missing,
                         MatrixHandle *matrix);
    int (*proxy_create)(MatrixHandle *proxy);
    int (*proxy_set)(MatrixHandle proxy, const char *array);
    int (*matrix_create_binned)(void *rows, MatrixHandle proxy, void *like, void (*reset)(void *),
                                int (*next)(void *), const char *settings, MatrixHandle *matrix);
    int (*matrix_set)(MatrixHandle matrix, const char *field, const float *values, uint64_t count);
    int (*matrix_free)(MatrixHandle matrix);
    int (*create)(const MatrixHandle *matrices, uint64_t count, BoosterHandle *booster);
    int (*set)(BoosterHandle booster, const char *name, const char *value);
    int (*update)(BoosterHandle booster, int round, MatrixHandle training);
    int (*predict)(BoosterHandle booster, MatrixHandle matrix, const char *settings,
                   const uint64_t **shape, uint64_t *dimensions, const float **values);
    int (*slice)(BoosterHandle booster, int first, int end, int step, BoosterHandle *slice);
    int (*save)(BoosterHandle booster, const char *settings, uint64_t *size, const char **bytes);
    int (*free)(BoosterHandle booster);
} BoostFunctions;

static const LibraryFunction functions[] = {
    {"XGBGetLastError", offsetof(BoostFunctions, last_error)},
    {"XGDMatrixCreateFromMat", offsetof(BoostFunctions, matrix_create)},
    {"XGProxyDMatrixCreate", offsetof(BoostFunctions, proxy_create)},
    {"XGProxyDMatrixSetDataDense", offsetof(BoostFunctions, proxy_set)},
    {"XGQuantileDMatrixCreateFromCallback", offsetof(BoostFunctions, matrix_create_binned)},
    {"XGDMatrixSetFloatInfo", offsetof(BoostFunctions, matrix_set)},
    {"XGDMatrixFree", offsetof(BoostFunctions, matrix_free)},
    {"XGBoosterCreate", offsetof(BoostFunctions, create)},
    {"XGBoosterSetParam", offsetof(BoostFunctions, set)},
    {"XGBoosterUpdateOneIter", offsetof(BoostFunctions, update)},
    {"XGBoosterPredictFromDMatrix", offsetof(BoostFunctions, predict)},
    {"XGBoosterSlice", offsetof(BoostFunctions, slice)},
    {"XGBoosterSaveModelToBuffer", offsetof(BoostFunctions, save)},
    {"XGBoosterFree", offsetof(BoostFunctions, free)},
    {0}};
static const char *const files[] = {"libxgboost.so.0", "libxgboost.so", NULL};
static BoostFunctions xgboost;
static Library library = {"learning boosted trees", files, functions, &xgboost};

bool boost_open(Error *error)
{
    return library_open(&library, error) ||
           fail(error, ERROR_UNAVAILABLE,
                "boosted trees need the library XGBoost 1.7 or later: install the package "
                "libxgboost0 (of Debian), or put its libxgboost.so where the loader looks");
}

/* The first line of what the library says, without where in its source it stood. */
static bool fail_library(Error *error)
{
    const char *text = xgboost.last_error(), *behind;
    size_t length;

    behind = text && *text == '[' ? strstr(text, ": ") : NULL;
    text = behind ? behind + 2 : text ? text : "";
    length = strcspn(text, "\n");
    return fail(error, ERROR_INTERNAL, "XGBoost could not learn: %.*s",
                (int)(length < 200 ? length : 200), length ? text : "no reason was given");
}

/* ---- rows ---- */

struct BoostMatrix {
    MatrixHandle handle;
    size_t row_count;
    float *targets, *weights; /* weights: or NULL */
    Arena *arena;             /* owns this */
};

static bool set_rows(const BoostMatrix *matrix, MatrixHandle handle)
{
    return xgboost.matrix_set(handle, "label", matrix->targets, matrix->row_count) == 0 &&
           (!matrix->weights ||
            xgboost.matrix_set(handle, "weight", matrix->weights, matrix->row_count) == 0);
}

/* The library asks for the rows several times, block by block; here they are one block. */
typedef struct Block {
    const BoostMatrix *matrix;
    const BoostRows *rows;
    MatrixHandle proxy;
    bool is_given;
} Block;

static void block_reset(void *context)
{
    ((Block *)context)->is_given = false;
}

/* 0: there is none. What is refused is so at once; the rows would lack then. */
static int block_next(void *context)
{
    Block *block = context;
    char array[192];

    if (block->is_given)
        return 0;
    block->is_given = true;
    snprintf(array, sizeof(array),
             "{\"data\":[%" PRIuPTR ",true],\"shape\":[%zu,%zu],\"typestr\":\"<f4\",\"version\":3}",
             (uintptr_t)block->rows->values, block->rows->row_count, block->rows->feature_count);
    return xgboost.proxy_set(block->proxy, array) == 0 && set_rows(block->matrix, block->proxy);
}

static void block_clear(Block *block)
{
    if (block->proxy)
        xgboost.matrix_free(block->proxy);
}

static bool fill_binned(BoostMatrix *matrix, const BoostRows *rows, Error *error)
{
    CLEANUP(block_clear) Block block = {matrix, rows, NULL, false};

    return (xgboost.proxy_create(&block.proxy) == 0 &&
            xgboost.matrix_create_binned(&block, block.proxy, NULL, block_reset, block_next,
                                         "{\"missing\":NaN,\"nthread\":1,\"max_bin\":" BINS "}",
                                         &matrix->handle) == 0) ||
           fail_library(error);
}

static bool fill_matrix(BoostMatrix *matrix, const BoostRows *rows, Error *error)
{
    if (rows->is_binned)
        return fill_binned(matrix, rows, error);
    return (xgboost.matrix_create(rows->values, rows->row_count, rows->feature_count, NAN,
                                  &matrix->handle) == 0 &&
            set_rows(matrix, matrix->handle)) ||
           fail_library(error);
}

bool boost_matrix_create(const BoostRows *rows, BoostMatrix **matrix, Error *error)
{
    size_t bytes = rows->row_count * sizeof(float);
    BoostMatrix *made;
    Arena *arena;

    if (!boost_open(error))
        return false;
    arena = arena_create();
    made = arena_new(arena, BoostMatrix);
    *made = (BoostMatrix){.row_count = rows->row_count, .arena = arena};
    made->targets = memcpy(arena_take(arena, bytes + 1), rows->targets, bytes);
    if (rows->weights)
        made->weights = memcpy(arena_take(arena, bytes + 1), rows->weights, bytes);
    if (!fill_matrix(made, rows, error)) {
        boost_matrix_destroy(&made);
        return false;
    }
    *matrix = made;
    return true;
}

void boost_matrix_destroy(BoostMatrix **matrix)
{
    if (!*matrix)
        return;
    if ((*matrix)->handle)
        xgboost.matrix_free((*matrix)->handle);
    arena_destroy((*matrix)->arena);
    *matrix = NULL;
}

/* ---- settings ---- */

typedef struct Booster {
    BoosterHandle handle;
    bool is_bad; /* a setting was refused: asked once, at the end */
} Booster;

static void booster_free(Booster *booster)
{
    if (booster->handle)
        xgboost.free(booster->handle);
    booster->handle = NULL;
}

static void set_text(Booster *booster, const char *name, const char *value)
{
    booster->is_bad = booster->is_bad || xgboost.set(booster->handle, name, value) != 0;
}

static void set_number(Booster *booster, const char *name, double value)
{
    char text[32];

    snprintf(text, sizeof(text), "%.9g", value);
    set_text(booster, name, text);
}

static void set_count(Booster *booster, const char *name, uint64_t value)
{
    char text[32];

    snprintf(text, sizeof(text), "%" PRIu64, value);
    set_text(booster, name, text);
}

static void set_shape(Booster *booster, const BoostSpec *spec)
{
    set_count(booster, "max_depth", spec->depth);
    set_number(booster, "min_child_weight", spec->least_weight);
    set_number(booster, "subsample", spec->row_share);
    set_number(booster, "colsample_bynode", spec->column_share);
    set_number(booster, "lambda", spec->lambda);
}

/* What a version takes by default, as the margin to start from, is said here: so that all do the
 * same. */
static bool set_all(Booster *booster, const BoostSpec *spec, Error *error)
{
    static const char *const objectives[] = {
        [BOOST_NUMBER] = "reg:squarederror",
        [BOOST_TWO] = "binary:logistic",
        [BOOST_CLASSES] = "multi:softprob",
    };
    double base = spec->objective != BOOST_NUMBER && spec->base <= 0 ? 0.5 : spec->base;

    set_text(booster, "verbosity", "0");
    set_text(booster, "booster", "gbtree");
    set_text(booster, "tree_method", "hist");
    set_text(booster, "max_bin", BINS);
    set_text(booster, "disable_default_eval_metric", "1");
    set_text(booster, "objective", objectives[spec->objective]);
    if (spec->objective == BOOST_CLASSES)
        set_count(booster, "num_class", spec->class_count);
    set_number(booster, "base_score", base);
    set_number(booster, "learning_rate", spec->learning_rate);
    set_count(booster, "seed", spec->seed % INT32_MAX);
    set_count(booster, "nthread", spec->thread_count ? spec->thread_count : 1);
    set_shape(booster, spec);
    return !booster->is_bad || fail_library(error);
}

/* ---- learning ---- */

static double row_loss(const BoostSpec *spec, const double *margins, float target)
{
    if (spec->objective == BOOST_NUMBER)
        return (margins[0] - target) * (margins[0] - target);
    if (spec->objective == BOOST_TWO)
        return loss_of_two(margins[0], (int)target);
    return loss_of_classes(margins, spec->class_count, (size_t)target);
}

static double loss_of(const BoostSpec *spec, const BoostMatrix *held, const double *margins)
{
    size_t each = boost_margin_count(spec);
    double sum = 0, weights = 0;

    for (size_t row = 0; row < held->row_count; row++) {
        double weight = held->weights ? held->weights[row] : 1;

        sum += weight * row_loss(spec, margins + row * each, held->targets[row]);
        weights += weight;
    }
    return sum / fmax(weights, 1e-300);
}

typedef struct Fit {
    const BoostJob *job;
    Booster *booster;
    double *margins; /* of the rows held, as of now */
    BoostResult *result;
} Fit;

/* The library keeps the margins of matrices it was created with, so that a round adds the last
 * trees only. */
static bool look(const Fit *fit, size_t round, Error *error)
{
    static const char settings[] = "{\"type\":1,\"training\":false,\"iteration_begin\":0,"
                                   "\"iteration_end\":0,\"strict_shape\":false}";
    const BoostMatrix *held = fit->job->held;
    size_t count = held->row_count * boost_margin_count(fit->job->spec);
    const uint64_t *shape;
    uint64_t dimensions;
    const float *margins;
    double loss;

    if (xgboost.predict(fit->booster->handle, held->handle, settings, &shape, &dimensions,
                        &margins) != 0)
        return fail_library(error);
    for (size_t i = 0; i < count; i++)
        fit->margins[i] = margins[i];
    loss = loss_of(fit->job->spec, held, fit->margins);
    if (round > 1 && !(loss < fit->result->loss))
        return true;
    fit->result->loss = loss;
    fit->result->rounds = round;
    memcpy(fit->result->margins, fit->margins, count * sizeof(double));
    return true;
}

static bool learn(const Fit *fit, Error *error)
{
    int64_t deadline_us = fit->job->deadline_us;
    BoostResult *result = fit->result;

    for (size_t round = 1; round <= fit->job->spec->rounds; round++) {
        if (xgboost.update(fit->booster->handle, (int)round - 1, fit->job->training->handle) != 0)
            return fail_library(error);
        if (!look(fit, round, error))
            return false;
        if (round - result->rounds >= fit->job->spec->patience)
            return true;
        if ((deadline_us && time_monotonic_us() > deadline_us) || flag_is_set(fit->job->finish)) {
            result->is_stopped = true;
            return true;
        }
    }
    return true;
}

struct BoostModel {
    Booster booster; /* with the rounds behind the best one too */
    size_t rounds;
    Arena *arena; /* owns this */
};

static BoostModel *model_of(Booster *booster, size_t rounds)
{
    Arena *arena = arena_create();
    BoostModel *model = arena_new(arena, BoostModel);

    *model = (BoostModel){*booster, rounds, arena};
    booster->handle = NULL;
    return model;
}

void boost_model_destroy(BoostModel **model)
{
    if (!*model)
        return;
    booster_free(&(*model)->booster);
    arena_destroy((*model)->arena);
    *model = NULL;
}

/* The rounds up to the best one, as the library writes them. */
typedef struct Saved {
    Booster best; /* owns the bytes */
    const char *bytes;
    uint64_t count;
} Saved;

static void saved_free(Saved *saved)
{
    booster_free(&saved->best);
}

static bool save_best(const BoostModel *model, const char *settings, Saved *saved, Error *error)
{
    return (xgboost.slice(model->booster.handle, 0, (int)model->rounds, 1, &saved->best.handle) ==
                0 &&
            xgboost.save(saved->best.handle, settings, &saved->count, &saved->bytes) == 0) ||
           fail_library(error);
}

bool boost_model_save(const BoostModel *model, Arena *arena, const char **json, size_t *size,
                      Error *error)
{
    CLEANUP(saved_free) Saved saved = {0};

    if (!save_best(model, "{\"format\":\"json\"}", &saved, error))
        return false;
    *json = arena_copy(arena, saved.bytes, saved.count);
    *size = saved.count;
    return true;
}

/* What the library's own binary form takes for a node, and ours. */
enum { LIBRARY_NODE_BYTES = 34, OWN_NODE_BYTES = 16 };

bool boost_model_size(const BoostModel *model, size_t *bytes, Error *error)
{
    CLEANUP(saved_free) Saved saved = {0};

    if (!save_best(model, "{\"format\":\"ubj\"}", &saved, error))
        return false;
    *bytes = saved.count / LIBRARY_NODE_BYTES * OWN_NODE_BYTES;
    return true;
}

bool boost_fit(const BoostJob *job, Arena *arena, BoostResult *result, Error *error)
{
    CLEANUP(booster_free) Booster booster = {0};
    const MatrixHandle matrices[] = {job->training->handle, job->held->handle};
    size_t count = job->held->row_count * boost_margin_count(job->spec);
    BoostResult made = {.margins = arena_array(arena, double, count + 1)};
    Fit fit = {job, &booster, arena_array(arena, double, count + 1), &made};

    if (xgboost.create(matrices, COUNT(matrices), &booster.handle) != 0)
        return fail_library(error);
    if (!set_all(&booster, job->spec, error) || !learn(&fit, error))
        return false;
    made.model = model_of(&booster, made.rounds);
    *result = made;
    return true;
}
