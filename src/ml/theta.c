#include "ml/theta.h"

#include <math.h>

#include "ml/least_squares.h"
#include "ml/season.h"

enum { ALPHA, LEVEL, PARAMETERS };

static const double tolerance = 1e-9;

typedef struct ThetaModel {
    size_t count;
    Season season;
    double scale; /* of the level and the slope */
    double alpha, level, slope, deviation;
} ThetaModel;

/* Simple exponential smoothing of scaled values: u_t = l_{t-1}, l_t = l_{t-1} + a (y_t - u_t). */
typedef struct Smoothing {
    const double *values;
    size_t count;
    double last; /* the level after the last value */
} Smoothing;

static double smoothing_value(void *context, const double *point)
{
    Smoothing *smoothing = context;
    double level = point[LEVEL], alpha = point[ALPHA], keep = 1 - alpha, sum = 0;

    for (size_t t = 0; t < smoothing->count; t++) {
        double error = smoothing->values[t] - level;

        sum += error * error;
        level = keep * level + alpha * smoothing->values[t];
    }
    smoothing->last = level;
    return sum;
}

/* With the level's derivatives by alpha and by the first level carried along. */
static double smoothing_equations(void *context, const double *point, NormalEquations *equations)
{
    const Smoothing *smoothing = context;
    double level = point[LEVEL], alpha = point[ALPHA], keep = 1 - alpha, sum = 0;
    double by_alpha = 0, by_level = 1;
    double gradient[PARAMETERS] = {0}, matrix[3] = {0};

    for (size_t t = 0; t < smoothing->count; t++) {
        double error = smoothing->values[t] - level;

        sum += error * error;
        gradient[ALPHA] -= error * by_alpha;
        gradient[LEVEL] -= error * by_level;
        matrix[0] += by_alpha * by_alpha;
        matrix[1] += by_alpha * by_level;
        matrix[2] += by_level * by_level;
        level = keep * level + alpha * smoothing->values[t];
        by_alpha = keep * by_alpha + error;
        by_level = keep * by_level;
    }
    equations->gradient[ALPHA] = gradient[ALPHA];
    equations->gradient[LEVEL] = gradient[LEVEL];
    equations->matrix[ALPHA][ALPHA] = matrix[0];
    equations->matrix[ALPHA][LEVEL] = matrix[1];
    equations->matrix[LEVEL][LEVEL] = matrix[2];
    return sum;
}

static double smooth(Smoothing *smoothing, double alpha, double *point)
{
    static const double low[] = {1e-4, -INFINITY}, high[] = {0.9999, INFINITY};
    LeastSquares problem = {.count = PARAMETERS,
                            .point = point,
                            .low = low,
                            .high = high,
                            .tolerance = tolerance,
                            .turns_max = 100,
                            .context = smoothing,
                            .value = smoothing_value,
                            .equations = smoothing_equations};
    size_t first = smoothing->count < 10 ? smoothing->count : 10;

    point[ALPHA] = alpha;
    point[LEVEL] = 0;
    for (size_t t = 0; t < first; t++)
        point[LEVEL] += smoothing->values[t] / (double)first;
    return least_squares(&problem);
}

/* Half the slope of the least-squares line. */
static double half_slope(const double *values, size_t count)
{
    double middle = (double)(count - 1) / 2, sum = 0, squares = 0;

    for (size_t t = 0; t < count; t++) {
        sum += ((double)t - middle) * values[t];
        squares += ((double)t - middle) * ((double)t - middle);
    }
    return sum / squares / 2;
}

static const void *fit_theta(const Series *series, Arena *arena)
{
    ThetaModel *model = arena_new(arena, ThetaModel);
    Smoothing smoothing = {NULL, series->count, 0};
    double slow[PARAMETERS], quick[PARAMETERS], *point = slow, sum;

    model->count = series->count;
    model->season = season_detect(series, arena);
    smoothing.values = season_adjusted(&model->season, series, &model->scale, arena);
    if (smooth(&smoothing, 0.2, slow) > smooth(&smoothing, 0.8, quick))
        point = quick;
    sum = smoothing_value(&smoothing, point);
    model->alpha = point[ALPHA];
    model->level = smoothing.last;
    model->slope = half_slope(smoothing.values, series->count);
    model->deviation = sqrt(sum / (double)(series->count - PARAMETERS));
    return model;
}

static void forecast_theta(const void *state, Forecast *forecast, Arena *arena)
{
    const ThetaModel *model = state;
    double alpha = model->alpha, start = (1 - pow(1 - alpha, (double)model->count)) / alpha;

    (void)arena;
    for (size_t step = 0; step < forecast->horizon; step++) {
        double ahead = (double)step, mean = model->level + model->slope * (ahead + start);

        forecast->mean[step] =
            season_restore(&model->season, model->count + step, mean * model->scale);
        forecast->deviation[step] = season_restore_deviation(&model->season, model->count + step,
                                                             model->deviation * model->scale *
                                                                 sqrt(1 + ahead * alpha * alpha));
    }
}

const SeriesLearner theta_learner = {"theta", "Theta: smoothing and half the trend, season apart",
                                     4, fit_theta, forecast_theta};
