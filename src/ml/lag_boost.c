#include "ml/lag_boost.h"

#include <math.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "base/flag.h"
#include "base/parallel.h"
#include "base/time.h"
#include "ml/boost.h"
#include "ml/forest.h"
#include "ml/random.h"

enum {
    ROWS_MIN = 500,
    HELD_ROWS_MIN = 50,
    HELD_EACH = 5, /* one series of so many is not learnt from */
    BUCKETS_MAX = 8,
    BUCKET_ROWS_MIN = 30,
};

static const double target_max = 10; /* of what is learnt: one wild value must not decide */

static const BoostSpec settings = {
    .objective = BOOST_NUMBER,
    .rounds = 300,
    .patience = 20,
    .learning_rate = 0.06,
    .depth = 6,
    .least_weight = 20,
    .row_share = 0.8,
    .column_share = 0.5,
    .lambda = 5,
    .seed = 7,
    .thread_count = 1,
};

typedef struct LagModel {
    Arena *arena; /* owns what is below */
    Forest forest;
    size_t bucket_count;
    double deviations[BUCKETS_MAX]; /* of steps, over the scale */
    Error error;                    /* why it could not be learnt; ERROR_NONE */
    bool is_stopped;                /* on the way, by the deadline */
    double seconds;
} LagModel;

struct LagBoost {
    LagShape shape;
    size_t horizon, model_count;
    LagModel models[LAG_MODELS_MAX];
    bool is_stopped; /* by the deadline */
    Arena *arena;    /* owns this */
};

const SeriesLearner lag_boost_learner = {
    .name = "lag_boost",
    .summary = "boosted trees on the past values of all series",
};

/* ---- rows ---- */

typedef struct Rows {
    size_t count, width;
    float *values, *targets;
    size_t *steps;
} Rows;

static Rows rows_create(size_t most, size_t width, Arena *arena)
{
    return (Rows){0, width, arena_take(arena, most * width * sizeof(float) + 1),
                  arena_array(arena, float, most), arena_array(arena, size_t, most)};
}

static void add_row(Rows *rows, const LagRow *row, double value, size_t step)
{
    double target = (value - row->anchor) / row->scale;

    memcpy(rows->values + rows->count * rows->width, row->features, rows->width * sizeof(float));
    rows->targets[rows->count] = (float)fmin(fmax(target, -target_max), target_max);
    rows->steps[rows->count++] = step;
}

/* Evenly spread over all pairs of an origin and a step, each drawn from its own stretch. */
static void draw_rows(const LagView *view, size_t most, Random *random, Rows *rows)
{
    const LagShape *shape = view->shape;
    size_t first = shape->least, pairs, wanted;
    LagRow row;

    if (view->count < first + shape->block)
        return;
    pairs = (view->count - first - shape->block + 1) * shape->block;
    wanted = pairs < most ? pairs : most;
    for (size_t i = 0; i < wanted; i++) {
        size_t pair = (size_t)(((double)i + random_unit(random)) * (double)pairs / (double)wanted);
        size_t origin, step;

        if (pair >= pairs)
            pair = pairs - 1;
        origin = first + pair / shape->block;
        step = 1 + pair % shape->block;
        if (lag_row(view, origin, step, &row) && row.scale > 0)
            add_row(rows, &row, view->values[origin + step - 1], step);
    }
}

/* ---- one model ---- */

typedef struct Learning {
    const LagBoostSpec *spec;
    LagBoost *boost; /* whether it is stopped is guarded by lock, as the next */
    pthread_mutex_t lock;
    size_t begun, done; /* models */
    double spent;       /* microseconds of those that are done, by the clock on the wall */
} Learning;

/* Whether the rest of the models, each as long as those so far, goes beyond the deadline. With the
 * lock held. */
static bool is_too_late(const Learning *learning)
{
    size_t threads = learning->spec->thread_count > 1 ? learning->spec->thread_count : 1;
    size_t rounds = (learning->spec->model_count - learning->begun + threads - 1) / threads;
    double each = learning->done > 0 ? learning->spent / (double)learning->done : 0;

    return (double)time_monotonic_us() + each * (double)rounds >
           (double)learning->spec->deadline_us;
}

static bool may_begin(Learning *learning)
{
    LagBoost *boost = learning->boost;
    bool may;

    pthread_mutex_lock(&learning->lock);
    if (!boost->is_stopped)
        boost->is_stopped = flag_is_set(learning->spec->finish) ||
                            (learning->spec->deadline_us && is_too_late(learning));
    may = !boost->is_stopped;
    learning->begun++;
    pthread_mutex_unlock(&learning->lock);
    return may;
}

/* Trees that were stopped on the way are not what they would be: nothing is made of them. */
static void end_model(Learning *learning, double took_us, bool is_stopped)
{
    pthread_mutex_lock(&learning->lock);
    learning->spent += took_us;
    learning->done++;
    learning->boost->is_stopped = learning->boost->is_stopped || is_stopped;
    pthread_mutex_unlock(&learning->lock);
}

/* The series without what lies behind the model's end, or without any value. */
static LagSeries cut(const LagSeries *series, size_t left_out)
{
    size_t more = left_out > series->behind ? left_out - series->behind : 0;

    if (more >= series->count)
        return (LagSeries){0};
    return (LagSeries){series->values, series->count - more, series->behind + more};
}

static void draw_all(const Learning *learning, size_t left_out, Rows *training, Rows *held)
{
    const LagBoostSpec *spec = learning->spec;
    size_t stride = (spec->count + LAG_SERIES_MAX - 1) / LAG_SERIES_MAX;
    size_t drawn = (spec->count + stride - 1) / stride, each = LAG_ROWS_MAX / drawn;

    for (size_t i = 0; i < drawn; i++) {
        CLEANUP(arena_cleanup) Arena *scratch = arena_create();
        LagSeries series = cut(&spec->series[i * stride], left_out);
        Random random = random_seeded(i);
        LagView view;

        if (series.count <= learning->boost->shape.least)
            continue;
        view = lag_view(&learning->boost->shape, &series, 0, scratch);
        draw_rows(&view, each, &random, i % HELD_EACH == HELD_EACH - 1 ? held : training);
    }
}

static size_t bucket_of(const LagShape *shape, size_t step)
{
    size_t buckets = shape->block < BUCKETS_MAX ? shape->block : BUCKETS_MAX;

    return (step - 1) * buckets / shape->block;
}

static void find_deviations(const LagShape *shape, const Rows *held, const double *margins,
                            LagModel *model)
{
    double squares[BUCKETS_MAX] = {0}, all = 0;
    size_t counts[BUCKETS_MAX] = {0};

    model->bucket_count = bucket_of(shape, shape->block) + 1;
    for (size_t i = 0; i < held->count; i++) {
        double miss = held->targets[i] - margins[i];
        size_t bucket = bucket_of(shape, held->steps[i]);

        squares[bucket] += miss * miss;
        counts[bucket]++;
        all += miss * miss;
    }
    for (size_t i = 0; i < model->bucket_count; i++)
        model->deviations[i] = counts[i] < BUCKET_ROWS_MIN ? sqrt(all / (double)held->count)
                                                           : sqrt(squares[i] / (double)counts[i]);
}

static bool make_matrix(const Rows *rows, BoostMatrix **matrix, Error *error)
{
    const BoostRows given = {rows->values, rows->count, rows->width, rows->targets, NULL};

    return boost_matrix_create(&given, matrix, error);
}

static bool fit_trees(const Learning *learning, const Rows *training, const Rows *held,
                      LagModel *model)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    CLEANUP(boost_matrix_destroy) BoostMatrix *learnt = NULL, *watched = NULL;
    CLEANUP(boost_model_destroy) BoostModel *trees = NULL;
    BoostResult result;
    const char *json;
    size_t size;

    if (!make_matrix(training, &learnt, &model->error) ||
        !make_matrix(held, &watched, &model->error) ||
        !boost_fit(&(BoostJob){&settings, learnt, watched, learning->spec->deadline_us,
                               learning->spec->finish},
                   scratch, &result, &model->error))
        return false;
    trees = result.model;
    model->is_stopped = result.is_stopped;
    find_deviations(&learning->boost->shape, held, result.margins, model);
    return boost_model_save(trees, scratch, &json, &size, &model->error) &&
           forest_from_xgboost(json, size, model->arena, &model->forest, &model->error);
}

static bool learn_model(const Learning *learning, size_t left_out, LagModel *model)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    const LagShape *shape = &learning->boost->shape;
    Rows training = rows_create(LAG_ROWS_MAX, shape->feature_count, scratch);
    Rows held = rows_create(LAG_ROWS_MAX, shape->feature_count, scratch);

    if (!boost_open(&model->error))
        return false;
    draw_all(learning, left_out, &training, &held);
    if (training.count < ROWS_MIN || held.count < HELD_ROWS_MIN)
        return fail(&model->error, ERROR_INVALID, "the series have too few values before that day");
    return fit_trees(learning, &training, &held, model);
}

static double thread_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void learn_turn(void *context, size_t turn)
{
    Learning *learning = context;
    LagModel *model = &learning->boost->models[turn];
    int64_t began_us = time_monotonic_us();
    double started = thread_seconds();

    model->arena = arena_create();
    if (!may_begin(learning))
        return;
    if (learn_model(learning, turn * learning->spec->horizon, model))
        model->error.kind = ERROR_NONE;
    model->seconds = thread_seconds() - started;
    end_model(learning, (double)(time_monotonic_us() - began_us), model->is_stopped);
}

/* ---- all of them ---- */

bool lag_boost_is_worth(const LagSeries *series, size_t count)
{
    size_t series_count = 0, values = 0;

    for (size_t i = 0; i < count; i++) {
        series_count += series[i].count > 0;
        values += series[i].count;
    }
    return series_count >= LAG_SERIES_MIN && values >= LAG_VALUES_MIN;
}

LagBoost *lag_boost_learn(const LagBoostSpec *spec)
{
    Arena *arena = arena_create();
    LagBoost *boost = arena_new(arena, LagBoost);
    Learning learning = {.spec = spec, .boost = boost, .lock = PTHREAD_MUTEX_INITIALIZER};
    size_t block = spec->horizon < LAG_BLOCK_MAX ? spec->horizon : LAG_BLOCK_MAX;

    *boost = (LagBoost){.shape = lag_shape(spec->periods, spec->period_count, block),
                        .horizon = spec->horizon,
                        .model_count = spec->model_count,
                        .arena = arena};
    parallel_run(spec->model_count, spec->thread_count, learn_turn, &learning);
    pthread_mutex_destroy(&learning.lock);
    return boost;
}

void lag_boost_destroy(LagBoost **boost)
{
    if (!*boost)
        return;
    for (size_t i = 0; i < (*boost)->model_count; i++)
        arena_destroy((*boost)->models[i].arena);
    arena_destroy((*boost)->arena);
    *boost = NULL;
}

bool lag_boost_is_stopped(const LagBoost *boost)
{
    return boost->is_stopped;
}

double lag_boost_seconds(const LagBoost *boost)
{
    double sum = 0;

    for (size_t i = 0; i < boost->model_count; i++)
        sum += boost->models[i].seconds;
    return sum;
}

/* ---- forecasts ---- */

/* The newest one that has seen nothing behind the series' end. */
static const LagModel *model_for(const LagBoost *boost, const LagSeries *series, Error *error)
{
    size_t index = (series->behind + boost->horizon - 1) / boost->horizon;
    const LagModel *model;

    if (boost->is_stopped) {
        fail(error, ERROR_CONFLICT, "stopped: the time budget is used up");
        return NULL;
    }
    if (index >= boost->model_count) {
        fail(error, ERROR_INVALID, "the series ends too long before the others");
        return NULL;
    }
    model = &boost->models[index];
    if (model->error.kind == ERROR_NONE)
        return model;
    *error = model->error;
    return NULL;
}

/* The steps of one block, from the view's end. */
static bool forecast_block(const LagView *view, const LagModel *model, size_t steps, double *mean,
                           double *deviation)
{
    for (size_t step = 1; step <= steps; step++) {
        LagRow row;
        double margin = 0;

        if (!lag_row(view, view->count, step, &row))
            return false;
        if (row.scale > 0)
            forest_margins(&model->forest, row.features, 1, &margin);
        mean[step - 1] = fmin(fmax(row.anchor + row.scale * margin, 2 * view->low - view->high),
                              2 * view->high - view->low);
        deviation[step - 1] = row.scale * model->deviations[bucket_of(view->shape, step)];
    }
    return true;
}

/* A block after another, each from the means of those before it. */
static bool forecast_all(LagView *view, const LagModel *model, Forecast *forecast)
{
    size_t block = view->shape->block, blocks = 1;

    for (size_t done = 0; done < forecast->horizon; done += block, blocks++) {
        size_t steps = forecast->horizon - done < block ? forecast->horizon - done : block;

        if (!forecast_block(view, model, steps, forecast->mean + done, forecast->deviation + done))
            return false;
        for (size_t i = done; i < done + steps; i++) {
            lag_view_append(view, forecast->mean[i]);
            forecast->deviation[i] *= sqrt((double)blocks);
        }
    }
    return true;
}

bool lag_boost_forecast(const LagBoost *boost, const LagAsk *ask, Arena *arena, Forecast *forecast,
                        Error *error)
{
    size_t steps = ask->steps;
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    const LagModel *model = model_for(boost, &ask->series, error);
    Forecast made = {steps, arena_array(arena, double, steps), arena_array(arena, double, steps)};
    LagView view;

    if (!model)
        return fail_in(error, "%s", lag_boost_learner.name);
    view = lag_view(&boost->shape, &ask->series, steps, scratch);
    if (!forecast_all(&view, model, &made))
        return fail(error, ERROR_INVALID, "%s: the series has too few values",
                    lag_boost_learner.name);
    *forecast = made;
    return true;
}
