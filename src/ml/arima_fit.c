#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/text.h"
#include "ml/arima_internal.h"

static const double partial_max = 0.9999;
static const double step_size = 1e-6;       /* of differences for derivatives */
static const double squares_min = 1e-28;    /* a series that is followed exactly */
static const double fit_tolerance = 1e-8;   /* of -2 log likelihood */
static const double constant_below = 1e-12; /* of the values' size: differences that are rounding */

/* First partial autocorrelations to start from, of ar, ma, seasonal_ar and seasonal_ma. */
static const double starts[][4] = {
    {0.1, 0.02, 0.1, 0.02}, {0.3, 0.4, 0.2, 0.4}, {0.85, 0.5, 0.1, 0.7}, {0.05, -0.3, 0.6, 0.1}};

enum { TURNS_MAX = 60, ALIGNMENT = sizeof(ArimaLanes) };

/* ---- the differenced series ---- */

void arima_difference(double *values, size_t count, size_t lag)
{
    for (size_t i = 0; i + lag < count; i++)
        values[i] = values[i + lag] - values[i];
}

static double greatest_size(const double *values, size_t count)
{
    double most = 0;

    for (size_t i = 0; i < count; i++)
        most = fmax(most, fabs(values[i]));
    return most;
}

/* Values that are all alike but for rounding have no size. */
static void standardize(ArimaProblem *problem, double *plain, double *centred, double size_before)
{
    double count = (double)problem->count, squares = 0, scale;

    for (size_t i = 0; i < problem->count; i++)
        problem->offset += plain[i] / count;
    for (size_t i = 0; i < problem->count; i++) {
        centred[i] = plain[i] - problem->offset;
        if (fabs(centred[i]) <= constant_below * size_before)
            centred[i] = 0;
        squares += centred[i] * centred[i] / count;
    }
    problem->is_constant = !(squares > 0);
    scale = squares > 0 ? sqrt(squares) : fmax(fabs(problem->offset), 1e-100);
    problem->scale = scale;
    for (size_t i = 0; i < problem->count; i++) {
        centred[i] /= scale;
        plain[i] /= scale;
    }
}

static size_t lost_count(const ArimaOrder *order, size_t period)
{
    return order->differences + period * order->seasonal_differences;
}

static Series newest(const Series *series)
{
    size_t skipped = series->count > ARIMA_COUNT_MAX ? series->count - ARIMA_COUNT_MAX : 0;

    return (Series){series->values + skipped, series->count - skipped, series->period};
}

static void take_differences(ArimaProblem *problem, const Series *series, Arena *arena)
{
    const ArimaOrder *order = &problem->order;
    double *plain = arena_array(arena, double, series->count);
    double *centred = arena_array(arena, double, series->count);
    size_t left = series->count;

    memcpy(plain, series->values, series->count * sizeof(*plain));
    if (order->seasonal_differences) {
        arima_difference(plain, left, series->period);
        left -= series->period;
    }
    for (size_t i = 0; i < order->differences; i++)
        arima_difference(plain, left--, 1);
    problem->count = left;
    standardize(problem, plain, centred, greatest_size(series->values, series->count));
    problem->plain = plain;
    problem->centred = centred;
}

/* ---- room ---- */

/* An arena's alignment is less than lanes need. */
static void *take_aligned(Arena *arena, size_t size)
{
    char *bytes = arena_alloc(arena, size + ALIGNMENT, 1);

    return bytes + (ALIGNMENT - (uintptr_t)bytes % ALIGNMENT);
}

static ArimaLanes *take_lanes(Arena *arena, size_t count)
{
    return take_aligned(arena, count * sizeof(ArimaLanes));
}

static void make_room(ArimaProblem *problem, Arena *arena)
{
    ArimaFilter *filter = &problem->filter;
    ArimaColumn *columns[] = {&filter->row, &filter->ones};
    size_t states = ARIMA_TERMS_MAX + ARIMA_SEASONAL_MAX * problem->period + 1;

    problem->start = arena_new(arena, ArimaStart);
    problem->errors = arena_array(arena, double, problem->count);
    filter->gain = take_lanes(arena, states);
    filter->change = take_lanes(arena, states);
    filter->dense = take_lanes(arena, states);
    for (size_t i = 0; i < COUNT(columns); i++) {
        columns[i]->state = take_lanes(arena, states);
        columns[i]->pending = take_lanes(arena, problem->count + states);
        columns[i]->errors = take_lanes(arena, problem->count);
    }
    for (size_t i = 0; i < ARIMA_GROUPS; i++)
        problem->slopes[i] = take_lanes(arena, problem->count);
}

ArimaProblem *arima_problem(const Series *series, const ArimaOrder *order, Arena *arena)
{
    Series used = newest(series);
    ArimaProblem *problem = take_aligned(arena, sizeof(*problem));

    problem->order = *order;
    problem->period = used.period;
    take_differences(problem, &used, arena);
    problem->filter.count = problem->count;
    make_room(problem, arena);
    arima_set_order(problem, order);
    return problem;
}

void arima_set_order(ArimaProblem *problem, const ArimaOrder *order)
{
    assert(order->differences == problem->order.differences &&
           order->seasonal_differences == problem->order.seasonal_differences);
    problem->order = *order;
    problem->filter.values = order->has_constant ? problem->centred : problem->plain;
    problem->pass = arima_pass(order->has_constant, lanes_level());
    problem->products = arima_products(lanes_level());
}

/* ---- models in lanes ---- */

static void set_taps(ArimaTaps *taps, const ArimaPolynomial *polynomial, size_t lane)
{
    taps->count = polynomial->count;
    for (size_t i = 0; i < polynomial->count; i++) {
        taps->lags[i] = polynomial->lags[i];
        taps->values[i][lane] = polynomial->values[i];
    }
}

static void set_dense(ArimaFilter *filter)
{
    memset(filter->dense, 0, filter->state_count * sizeof(*filter->dense));
    for (size_t i = 0; i < filter->ar.count; i++)
        filter->dense[filter->ar.lags[i] - 1] += filter->ar.values[i];
}

/* A model into some lanes, from first to last. */
static bool set_lanes(ArimaProblem *problem, const double *point, size_t first, size_t last)
{
    ArimaFilter *filter = &problem->filter;
    ArimaCoefficients coefficients;
    ArimaPolynomial ar, ma;
    double gain[ARIMA_STATES_MAX], variance;

    arima_read_point(&problem->order, point, &coefficients);
    ar = arima_ar(&problem->order, &coefficients, problem->period);
    ma = arima_ma(&problem->order, &coefficients, problem->period);
    if (!arima_start(&ar, &ma, problem->start, &variance, gain))
        return false;
    filter->state_count = ar.degree > ma.degree ? ar.degree : ma.degree;
    for (size_t lane = first; lane <= last; lane++) {
        filter->variance[lane] = variance;
        set_taps(&filter->ar, &ar, lane);
        set_taps(&filter->ma, &ma, lane);
        for (size_t i = 0; i < filter->state_count; i++)
            filter->gain[i][lane] = gain[i];
    }
    return true;
}

static void run(ArimaProblem *problem, bool finds_settled)
{
    set_dense(&problem->filter);
    problem->pass(&problem->filter, finds_settled);
}

/* Lane 0 of the first group is the point itself, and the lanes after it, through all groups, have
 * one parameter moved each, by a step inwards: their inverses go to inverse. Lanes that have no
 * parameter, or one that rounding does not let move, stay at the point. */
static bool load_group(ArimaProblem *problem, const double *point, size_t group,
                       ArimaLanes *inverse)
{
    size_t count = arima_point_count(&problem->order);
    double moved[ARIMA_POINT_MAX];

    *inverse = (ArimaLanes){0};
    if (!set_lanes(problem, point, 0, ARIMA_LANE - 1))
        return false;
    for (size_t lane = group == 0; lane < ARIMA_LANE; lane++) {
        size_t at = group * ARIMA_LANE + lane - 1;
        double step;

        if (at >= count)
            break;
        step = point[at] > 0 ? -step_size : step_size;
        memcpy(moved, point, count * sizeof(*moved));
        moved[at] += step;
        if (set_lanes(problem, moved, lane, lane))
            (*inverse)[lane] = 1 / step;
    }
    return true;
}

static void follow_slopes(ArimaProblem *problem, size_t group, const ArimaLanes *inverse)
{
    const ArimaLanes *errors = problem->filter.row.errors;

    for (size_t t = 0; t < problem->count; t++)
        problem->slopes[group][t] = (errors[t] - problem->errors[t]) * *inverse;
}

/* Three derivatives come along with the value. */
static double value_at(void *context, const double *point)
{
    ArimaProblem *problem = context;
    ArimaLanes inverse;

    if (!load_group(problem, point, 0, &inverse))
        return INFINITY;
    run(problem, true);
    for (size_t t = 0; t < problem->count; t++)
        problem->errors[t] = problem->filter.row.errors[t][0];
    follow_slopes(problem, 0, &inverse);
    return problem->filter.squares[0];
}

static void add_gradient(const ArimaProblem *problem, size_t group, NormalEquations *equations)
{
    const ArimaLanes *rows = problem->slopes[group];
    ArimaLanes gradient = {0};

    for (size_t t = 0; t < problem->count; t++)
        gradient += problem->errors[t] * rows[t];
    for (size_t lane = group == 0; lane < ARIMA_LANE; lane++)
        equations->gradient[group * ARIMA_LANE + lane - 1] = gradient[lane];
}

/* The part of the matrix that two groups have. */
static void add_products(const ArimaProblem *problem, size_t one, size_t other,
                         NormalEquations *equations)
{
    ArimaLanes sums[ARIMA_LANE];

    problem->products(problem->slopes[one], problem->slopes[other], problem->count, sums);
    for (size_t row = one == 0; row < ARIMA_LANE; row++)
        for (size_t i = other == 0; i < ARIMA_LANE; i++)
            equations->matrix[one * ARIMA_LANE + row - 1][other * ARIMA_LANE + i - 1] =
                sums[row][i];
}

/* Where value() was last. */
static double equations_at(void *context, const double *point, NormalEquations *equations)
{
    ArimaProblem *problem = context;
    size_t groups = arima_point_count(&problem->order) / ARIMA_LANE + 1;
    double value = problem->filter.squares[0];
    ArimaLanes inverse;

    for (size_t group = 1; group < groups; group++) {
        (void)load_group(problem, point, group, &inverse);
        run(problem, false);
        follow_slopes(problem, group, &inverse);
    }
    for (size_t one = 0; one < groups; one++) {
        add_gradient(problem, one, equations);
        for (size_t other = one; other < groups; other++)
            add_products(problem, one, other, equations);
    }
    return value;
}

/* ---- the search ---- */

static void fill_start(const ArimaOrder *order, const double *start, double *point)
{
    const size_t counts[] = {order->ar, order->ma, order->seasonal_ar, order->seasonal_ma};

    memset(point, 0, arima_point_count(order) * sizeof(*point));
    for (size_t i = 0; i < COUNT(counts); point += counts[i++])
        if (counts[i] > 0)
            point[0] = start[i];
}

/* Tries four starts at once, into point the best one. */
static bool find_start(ArimaProblem *problem, const double *other, double *point)
{
    double points[ARIMA_LANE][ARIMA_POINT_MAX], least = INFINITY;
    size_t size = arima_point_count(&problem->order) * sizeof(*point);

    for (size_t lane = 0; lane < ARIMA_LANE; lane++) {
        fill_start(&problem->order, starts[lane], points[lane]);
        if (lane == 0 && other)
            memcpy(points[lane], other, size);
        if (!set_lanes(problem, points[lane], lane, lane))
            return false;
    }
    run(problem, true);
    for (size_t lane = 0; lane < ARIMA_LANE; lane++) {
        if (!(problem->filter.squares[lane] < least))
            continue;
        least = problem->filter.squares[lane];
        memcpy(point, points[lane], size);
    }
    return isfinite(least);
}

/* From where point is to a least value. */
static double descend(ArimaProblem *problem, double tolerance, double *point)
{
    double low[ARIMA_POINT_MAX], high[ARIMA_POINT_MAX];
    LeastSquares search = {.count = arima_point_count(&problem->order),
                           .point = point,
                           .low = low,
                           .high = high,
                           .tolerance = tolerance / (double)problem->count,
                           .turns_max = TURNS_MAX,
                           .context = problem,
                           .value = value_at,
                           .equations = equations_at};

    for (size_t i = 0; i < ARIMA_POINT_MAX; i++) {
        low[i] = -partial_max;
        high[i] = partial_max;
    }
    return least_squares(&search);
}

double arima_search(ArimaProblem *problem, const double *other, double tolerance, double *point)
{
    return find_start(problem, other, point) ? descend(problem, tolerance, point) : INFINITY;
}

/* Each start may lead into another valley. */
static void search_all(ArimaProblem *problem, double *point)
{
    double least = INFINITY, end[ARIMA_POINT_MAX];

    for (size_t i = 0; i < COUNT(starts); i++) {
        double value;

        fill_start(&problem->order, starts[i], end);
        value = descend(problem, fit_tolerance, end);
        if (!(value < least))
            continue;
        least = value;
        memcpy(point, end, arima_point_count(&problem->order) * sizeof(*point));
    }
}

/* ---- the model ---- */

static double deviance_of(const ArimaProblem *problem, double value)
{
    double count = (double)problem->count;

    return count *
           (log(fmax(value / count, squares_min)) + 2 * log(problem->scale) + 1 + log(2 * M_PI));
}

static size_t parameter_count(const ArimaOrder *order)
{
    return arima_point_count(order) + order->has_constant + 1;
}

double arima_aicc(const ArimaProblem *problem, double value)
{
    double k = (double)parameter_count(&problem->order);

    return deviance_of(problem, value) + 2 * k + 2 * k * (k + 1) / ((double)problem->count - k - 1);
}

/* What is known of w - c ahead: less what the filter knows of ones, by the constant. */
static const double *copy_state(const ArimaProblem *problem, Arena *arena)
{
    const ArimaFilter *filter = &problem->filter;
    double *state = arena_array(arena, double, filter->state_count + 1);

    for (size_t i = 0; i < filter->state_count; i++) {
        state[i] = filter->row.state[i][0];
        if (problem->order.has_constant)
            state[i] -= filter->mean[0] * filter->ones.state[i][0];
        state[i] *= problem->scale;
    }
    return state;
}

static const double *copy_last(const Series *series, size_t count, Arena *arena)
{
    double *values = arena_array(arena, double, count + 1);

    memcpy(values, series->values + series->count - count, count * sizeof(*values));
    return values;
}

ArimaModel arima_model(ArimaProblem *problem, const double *point, const Series *series,
                       Arena *arena)
{
    const ArimaOrder *order = &problem->order;
    const ArimaFilter *filter = &problem->filter;
    double value = value_at(problem, point);
    ArimaModel model = {.order = *order, .period = problem->period, .count = problem->count};

    arima_read_point(order, point, &model.coefficients);
    if (order->has_constant)
        model.constant = problem->offset + problem->scale * filter->mean[0];
    model.likelihood = -deviance_of(problem, value) / 2;
    model.aicc = arima_aicc(problem, value);
    model.squares =
        value / (filter->factor[0] * filter->factor[0]) * problem->scale * problem->scale;
    model.variance = model.squares / (double)(problem->count + 1 - parameter_count(order));
    model.last_values = copy_last(series, lost_count(order, problem->period), arena);
    model.state_count = filter->state_count;
    model.state = copy_state(problem, arena);
    return model;
}

/* ---- one order ---- */

static bool check_most(const char *what, size_t count, size_t most, Error *error)
{
    return count <= most || fail(error, ERROR_INVALID, "an ARIMA model has at most %zu %s, not %zu",
                                 most, what, count);
}

static bool check_order(const Series *series, const ArimaOrder *order, Error *error)
{
    const struct {
        const char *what;
        size_t count, most;
    } rows[] = {
        {"autoregressive terms", order->ar, ARIMA_TERMS_MAX},
        {"moving-average terms", order->ma, ARIMA_TERMS_MAX},
        {"differences", order->differences, ARIMA_DIFFERENCES_MAX},
        {"seasonal autoregressive terms", order->seasonal_ar, ARIMA_SEASONAL_MAX},
        {"seasonal moving-average terms", order->seasonal_ma, ARIMA_SEASONAL_MAX},
        {"seasonal difference", order->seasonal_differences, ARIMA_SEASONAL_DIFFERENCES_MAX},
    };
    bool is_seasonal = order->seasonal_ar + order->seasonal_ma + order->seasonal_differences > 0;

    for (size_t i = 0; i < COUNT(rows); i++)
        if (!check_most(rows[i].what, rows[i].count, rows[i].most, error))
            return false;
    if (is_seasonal && (series->period < 2 || series->period > ARIMA_PERIOD_MAX))
        return fail(error, ERROR_INVALID,
                    "seasonal terms need a season of 2 to %d values, but the series' has %zu",
                    ARIMA_PERIOD_MAX, series->period);
    return true;
}

bool arima_fit(const Series *series, ArimaOrder order, Arena *arena, ArimaModel *model,
               Error *error)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    Series plain = *series;
    double point[ARIMA_POINT_MAX] = {0};
    ArimaProblem *problem;

    if (!check_order(series, &order, error) ||
        !series_check(series, lost_count(&order, series->period) + parameter_count(&order) + 2,
                      error))
        return false;
    if (order.seasonal_ar + order.seasonal_ma + order.seasonal_differences == 0)
        plain.period = 1;
    problem = arima_problem(&plain, &order, scratch);
    search_all(problem, point);
    *model = arima_model(problem, point, series, arena);
    return true;
}

const char *arima_order_name(ArimaOrder order, size_t period, Arena *arena)
{
    const char *constant = order.has_constant ? " with constant" : "";

    if (order.seasonal_ar + order.seasonal_differences + order.seasonal_ma == 0)
        return arena_format(arena, "ARIMA(%zu,%zu,%zu)%s", order.ar, order.differences, order.ma,
                            constant);
    return arena_format(arena, "ARIMA(%zu,%zu,%zu)(%zu,%zu,%zu)[%zu]%s", order.ar,
                        order.differences, order.ma, order.seasonal_ar, order.seasonal_differences,
                        order.seasonal_ma, period, constant);
}
