#include <math.h>
#include <string.h>

#include "ml/arima_internal.h"

static const double strength_min = 0.64; /* of a season that is differenced */
static const double root_min = 1.001;
static const double search_tolerance = 1e-2; /* of -2 log likelihood */
static const double final_tolerance = 1e-7;

typedef struct Candidate {
    ArimaOrder order;
    double aicc, point[ARIMA_POINT_MAX];
} Candidate;

typedef struct Choice {
    ArimaProblem *problem;
    ArimaOrder limits, tried[ARIMA_CANDIDATES_MAX];
    size_t tried_count;
    Candidate best;
} Choice;

/* ---- one candidate ---- */

static bool is_same(const ArimaOrder *one, const ArimaOrder *other)
{
    return one->ar == other->ar && one->ma == other->ma && one->seasonal_ar == other->seasonal_ar &&
           one->seasonal_ma == other->seasonal_ma && one->has_constant == other->has_constant;
}

/* Counts below 0 have come round to great ones. */
static bool is_new(const Choice *choice, const ArimaOrder *order)
{
    const ArimaOrder *limits = &choice->limits;

    if (order->ar > limits->ar || order->ma > limits->ma ||
        order->seasonal_ar > limits->seasonal_ar || order->seasonal_ma > limits->seasonal_ma ||
        (order->has_constant && !limits->has_constant) ||
        arima_point_count(order) + order->has_constant + 2 >= choice->problem->count)
        return false;
    for (size_t i = 0; i < choice->tried_count; i++)
        if (is_same(&choice->tried[i], order))
            return false;
    return choice->tried_count < ARIMA_CANDIDATES_MAX;
}

static void copy_part(double **to, size_t count, const double **from, size_t from_count)
{
    for (size_t i = 0; i < count; i++)
        (*to)[i] = i < from_count ? (*from)[i] : 0;
    *to += count;
    *from += from_count;
}

/* The best candidate's parameters for another order: partial autocorrelations that it has not are
 * 0. */
static void start_from(const Candidate *best, const ArimaOrder *order, double *point)
{
    const double *from = best->point;

    copy_part(&point, order->ar, &from, best->order.ar);
    copy_part(&point, order->ma, &from, best->order.ma);
    copy_part(&point, order->seasonal_ar, &from, best->order.seasonal_ar);
    copy_part(&point, order->seasonal_ma, &from, best->order.seasonal_ma);
}

static bool is_allowed(const Candidate *candidate)
{
    ArimaCoefficients coefficients;

    arima_read_point(&candidate->order, candidate->point, &coefficients);
    return arima_is_outside(&candidate->order, &coefficients, root_min);
}

/* Whether it is new and better than the best one so far. */
static bool try_order(Choice *choice, ArimaOrder order)
{
    ArimaProblem *problem = choice->problem;
    Candidate candidate = {.order = order};
    double start[ARIMA_POINT_MAX], value;

    if (!is_new(choice, &order))
        return false;
    choice->tried[choice->tried_count++] = order;
    start_from(&choice->best, &order, start);
    arima_set_order(problem, &order);
    value = arima_search(problem, start, search_tolerance, candidate.point);
    candidate.aicc = arima_aicc(problem, value);
    if (!isfinite(value) || !is_allowed(&candidate) || !(candidate.aicc < choice->best.aicc))
        return false;
    choice->best = candidate;
    return true;
}

/* ---- the search ---- */

/* The counts of a row of the tables below, added to an order's. */
typedef struct Move {
    int ar, ma, seasonal_ar, seasonal_ma;
} Move;

static const Move starts[] = {{2, 2, 1, 1}, {0, 0, 0, 0}, {1, 0, 1, 0}, {0, 1, 0, 1}};

static const Move moves[] = {
    {0, 0, -1, 0},  {0, 0, 0, -1}, {0, 0, 1, 0},  {0, 0, 0, 1},  {0, 0, -1, -1}, {0, 0, -1, 1},
    {0, 0, 1, -1},  {0, 0, 1, 1},  {-1, 0, 0, 0}, {0, -1, 0, 0}, {1, 0, 0, 0},   {0, 1, 0, 0},
    {-1, -1, 0, 0}, {-1, 1, 0, 0}, {1, -1, 0, 0}, {1, 1, 0, 0},
};

static ArimaOrder moved(ArimaOrder order, const Move *move)
{
    order.ar += (size_t)move->ar;
    order.ma += (size_t)move->ma;
    order.seasonal_ar += (size_t)move->seasonal_ar;
    order.seasonal_ma += (size_t)move->seasonal_ma;
    return order;
}

static size_t least_of(size_t one, size_t other)
{
    return one < other ? one : other;
}

static void try_starts(Choice *choice, const ArimaOrder *empty)
{
    const ArimaOrder *limits = &choice->limits;

    for (size_t i = 0; i < COUNT(starts); i++) {
        ArimaOrder order = moved(*empty, &starts[i]);

        order.ar = least_of(order.ar, limits->ar);
        order.ma = least_of(order.ma, limits->ma);
        order.seasonal_ar = least_of(order.seasonal_ar, limits->seasonal_ar);
        order.seasonal_ma = least_of(order.seasonal_ma, limits->seasonal_ma);
        order.has_constant = limits->has_constant;
        try_order(choice, order);
    }
    try_order(choice, *empty);
}

static bool improve(Choice *choice)
{
    ArimaOrder order = choice->best.order;

    for (size_t i = 0; i < COUNT(moves); i++)
        if (try_order(choice, moved(order, &moves[i])))
            return true;
    order.has_constant = !order.has_constant;
    return try_order(choice, order);
}

static void search(Choice *choice)
{
    const ArimaProblem *problem = choice->problem;
    size_t third = problem->count / 3, seasons = problem->period > 1 ? third / problem->period : 0;
    ArimaOrder empty = problem->order, *limits = &choice->limits;

    *limits = empty;
    limits->ar = limits->ma = least_of(ARIMA_TERMS_MAX, third);
    limits->seasonal_ar = limits->seasonal_ma = least_of(ARIMA_SEASONAL_MAX, seasons);
    choice->best = (Candidate){.order = empty, .aicc = INFINITY};
    empty.has_constant = false;
    try_starts(choice, &empty);
    while (improve(choice)) {
    }
}

/* ---- the choice ---- */

/* The differences, and whether there may be a constant. */
static ArimaOrder differences_of(const Series *series, Arena *scratch)
{
    ArimaOrder order = {0};
    size_t count = series->count;
    double *values = arena_array(scratch, double, count);

    memcpy(values, series->values, count * sizeof(*values));
    if (series->period > 1 && arima_season_strength(series) > strength_min) {
        order.seasonal_differences = 1;
        arima_difference(values, count, series->period);
        count -= series->period;
    }
    order.differences = arima_differences(values, count);
    order.has_constant = order.differences + order.seasonal_differences <= 1;
    return order;
}

static ArimaModel choose(const Series *series, Arena *arena)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    Choice choice = {0};
    ArimaOrder order = differences_of(series, scratch);

    choice.problem = arima_problem(series, &order, scratch);
    choice.best.order = order;
    if (!choice.problem->is_constant)
        search(&choice);
    arima_set_order(choice.problem, &choice.best.order);
    if (arima_point_count(&choice.best.order) > 0)
        arima_search(choice.problem, choice.best.point, final_tolerance, choice.best.point);
    return arima_model(choice.problem, choice.best.point, series, arena);
}

/* The likelihood of values is that of their logarithms over their product. */
static ArimaModel choose_logarithmic(const Series *series, Arena *arena)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    double *logarithms = arena_array(scratch, double, series->count), sum = 0;
    ArimaModel model;

    for (size_t i = 0; i < series->count; i++)
        logarithms[i] = log(series->values[i]);
    model = choose(&(Series){logarithms, series->count, series->period}, arena);
    for (size_t i = series->count - model.count; i < series->count; i++)
        sum += logarithms[i];
    model.is_logarithmic = true;
    model.likelihood -= sum;
    model.aicc += 2 * sum;
    return model;
}

/* Differences may have left them other counts of values. */
static bool is_better(const ArimaModel *one, const ArimaModel *other)
{
    return one->aicc / (double)one->count < other->aicc / (double)other->count;
}

ArimaModel arima_choose(const Series *series, Arena *arena)
{
    size_t count = least_of(series->count, ARIMA_COUNT_MAX);
    Series used = {series->values + series->count - count, count, series->period};
    ArimaModel model, other;

    if (used.period > ARIMA_PERIOD_MAX || count <= 2 * used.period)
        used.period = 1;
    model = choose(&used, arena);
    if (used.period == 1 || !series_is_positive(&used) || series_is_constant(&used))
        return model;
    other = choose_logarithmic(&used, arena);
    return is_better(&other, &model) ? other : model;
}

static const void *fit_arima(const Series *series, Arena *arena)
{
    ArimaModel *model = arena_new(arena, ArimaModel);

    *model = arima_choose(series, arena);
    return model;
}

static void forecast_arima(const void *state, Forecast *forecast, Arena *arena)
{
    arima_forecast(state, forecast, arena);
}

/* A season of a year of weeks takes ten times as long as all other candidates of a series together,
 * and on M4 Weekly the choice is no better for it. */
enum { WORTHWHILE_PERIOD_MAX = 24 };

const SeriesLearner arima_learner = {
    .name = "arima",
    .summary = "autoregressive moving averages, the order chosen by AICc",
    .least = ARIMA_COUNT_MIN,
    .fit = fit_arima,
    .forecast = forecast_arima,
    .period_max = WORTHWHILE_PERIOD_MAX,
};
