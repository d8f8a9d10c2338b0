#include <math.h>
#include <string.h>

#include "ml/least_squares.h"
#include "ml/season.h"
#include "ml/theta.h"

/* u_t = l_{t-1} + (1 - 1/theta) (r^{t-1} A_{t-1} + (1 - r^t) / a B_{t-1}) with r = 1 - a, then
 * l_t = a y_t + r l_{t-1}. A and B are the line through y_1 .. y_t, made anew with each value; they
 * depend on nothing that is optimised, so they are reckoned once. */
enum { ALPHA, WEIGHT, LEVEL, PARAMETERS }; /* WEIGHT: 1 - 1/theta, in which u is linear */

enum { FIRST_COUNTED = 3 }; /* errors before it are not in the sum */

static const double tolerance = 1e-9;
static const double alpha_starts[] = {0.15, 0.5, 0.9};

typedef struct Line {
    double intercept, slope, mean;
} Line;

typedef struct DotmModel {
    size_t count;
    Season season;
    double scale, alpha, weight, level, deviation;
    double power; /* (1 - alpha)^count */
    Line line;
} DotmModel;

typedef struct Fit {
    const double *values;
    const Line *lines; /* before the value of the same number came */
    size_t count;
    double level, power; /* after the last value */
} Fit;

/* The line after one more value, which is the count-th. */
static Line line_next(const Line *line, double value, size_t count)
{
    double t = (double)count;
    double slope = ((t - 2) * line->slope + 6 * (value - line->mean) / t) / (t + 1);
    double mean = line->mean + (value - line->mean) / t;

    if (count == 1)
        return (Line){value, 0, value};
    return (Line){mean - (t + 1) / 2 * slope, slope, mean};
}

static double fit_value(void *context, const double *point)
{
    Fit *fit = context;
    double alpha = point[ALPHA], keep = 1 - alpha, level = point[LEVEL], power = 1, sum = 0;

    for (size_t t = 0; t < fit->count; t++) {
        double next = power * keep;
        double line = power * fit->lines[t].intercept + (1 - next) / alpha * fit->lines[t].slope;
        double error = fit->values[t] - level - point[WEIGHT] * line;

        if (t >= FIRST_COUNTED)
            sum += error * error;
        level = keep * level + alpha * fit->values[t];
        power = next;
    }
    fit->level = level;
    fit->power = power;
    return sum;
}

static void add_row(NormalEquations *equations, const double *row, double error)
{
    for (size_t i = 0; i < PARAMETERS; i++) {
        equations->gradient[i] += error * row[i];
        for (size_t j = i; j < PARAMETERS; j++)
            equations->matrix[i][j] += row[i] * row[j];
    }
}

static double fit_equations(void *context, const double *point, NormalEquations *equations)
{
    const Fit *fit = context;
    double alpha = point[ALPHA], keep = 1 - alpha, level = point[LEVEL], power = 1, sum = 0;
    double level_slope = 0, power_slope = 0; /* by alpha */
    NormalEquations sums = {0};

    for (size_t t = 0; t < fit->count; t++) {
        double next = power * keep, next_slope = power_slope * keep - power;
        double share = (1 - next) / alpha, share_slope = (-next_slope - share) / alpha;
        double intercept = fit->lines[t].intercept, slope = fit->lines[t].slope;
        double line = power * intercept + share * slope;
        double error = fit->values[t] - level - point[WEIGHT] * line;
        double row[] = {-level_slope -
                            point[WEIGHT] * (power_slope * intercept + share_slope * slope),
                        -line, -power};

        if (t >= FIRST_COUNTED) {
            sum += error * error;
            add_row(&sums, row, error);
        }
        level_slope = keep * level_slope + fit->values[t] - level;
        level = keep * level + alpha * fit->values[t];
        power = next;
        power_slope = next_slope;
    }
    *equations = sums;
    return sum;
}

/* Of the starts the one whose sum is least as it is: where the search ends hardly depends on it. */
static void choose_start(Fit *fit, double *start)
{
    double least = INFINITY;

    for (size_t i = 0; i < COUNT(alpha_starts); i++) {
        double point[] = {alpha_starts[i], 0.5, fit->values[0] / 2};
        double sum = fit_value(fit, point);

        if (!(sum < least))
            continue;
        least = sum;
        memcpy(start, point, sizeof(point));
    }
}

/* theta from 1 to a million. */
static double fit_best(Fit *fit, double *point)
{
    static const double low[] = {0.1, 0, -INFINITY}, high[] = {0.99, 1 - 1e-6, INFINITY};
    LeastSquares problem = {.count = PARAMETERS,
                            .point = point,
                            .low = low,
                            .high = high,
                            .tolerance = tolerance,
                            .turns_max = 100,
                            .context = fit,
                            .value = fit_value,
                            .equations = fit_equations};

    choose_start(fit, point);
    return least_squares(&problem);
}

static const Line *follow_lines(const double *values, size_t count, Line *last, Arena *arena)
{
    Line *lines = arena_array(arena, Line, count);

    *last = (Line){0};
    for (size_t t = 0; t < count; t++) {
        lines[t] = *last;
        *last = line_next(last, values[t], t + 1);
    }
    return lines;
}

static const void *fit_dotm(const Series *series, Arena *arena)
{
    DotmModel *model = arena_new(arena, DotmModel);
    Fit fit = {.count = series->count};
    double point[PARAMETERS] = {0}, sum;

    model->count = series->count;
    model->season = season_detect(series, arena);
    fit.values = season_adjusted(&model->season, series, &model->scale, arena);
    fit.lines = follow_lines(fit.values, series->count, &model->line, arena);
    (void)fit_best(&fit, point);
    sum = fit_value(&fit, point);
    model->alpha = point[ALPHA];
    model->weight = point[WEIGHT];
    model->level = fit.level;
    model->power = fit.power;
    model->deviation = sqrt(sum / (double)(series->count - FIRST_COUNTED));
    return model;
}

/* Forecasts with no error but one of the given size at the given step. */
static void follow(const DotmModel *model, size_t horizon, size_t step, double error, double *means)
{
    double level = model->level, power = model->power, keep = 1 - model->alpha;
    Line line = model->line;

    for (size_t i = 0; i < horizon; i++) {
        double next = power * keep;
        double along = power * line.intercept + (1 - next) / model->alpha * line.slope;
        double value;

        means[i] = level + model->weight * along;
        value = means[i] + (i == step ? error : 0);
        level = keep * level + model->alpha * value;
        line = line_next(&line, value, model->count + i + 1);
        power = next;
    }
}

/* A forecast is linear in the errors before it: what one of size 1 does to those after it adds up
 * to their variance. Its effect depends on its time only by the line, which has long settled, so
 * that of the first is taken for all. */
static void forecast_dotm(const void *state, Forecast *forecast, Arena *arena)
{
    const DotmModel *model = state;
    double *moved = arena_array(arena, double, forecast->horizon), variance = 1;

    follow(model, forecast->horizon, 0, 0, forecast->mean);
    follow(model, forecast->horizon, 0, 1, moved);
    for (size_t step = 0; step < forecast->horizon; step++) {
        size_t time = model->count + step;
        double effect = moved[step] - forecast->mean[step];

        variance += effect * effect;
        forecast->deviation[step] = season_restore_deviation(
            &model->season, time, model->deviation * model->scale * sqrt(variance));
    }
    for (size_t step = 0; step < forecast->horizon; step++)
        forecast->mean[step] = season_restore(&model->season, model->count + step,
                                              forecast->mean[step] * model->scale);
}

const SeriesLearner dotm_learner = {"dotm", "dynamic optimised Theta, season apart", 6, fit_dotm,
                                    forecast_dotm};
