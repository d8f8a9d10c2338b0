#include <math.h>
#include <string.h>

#include "ml/arima_internal.h"

static const double settled_below = 1e-11; /* of F - 1; gains are then right to its root */

enum { LOG_STRIDE = 8 };

static ALWAYS_INLINE void take_roots(ArimaLanes *lanes)
{
    for (size_t i = 0; i < ARIMA_LANE; i++)
        (*lanes)[i] = sqrt((*lanes)[i]);
}

static ALWAYS_INLINE void add_logs(const ArimaLanes *lanes, ArimaLanes *sum)
{
    for (size_t i = 0; i < ARIMA_LANE; i++)
        (*sum)[i] += log((*lanes)[i]);
}

/* F never grows, and is not below 1 but for rounding. */
static ALWAYS_INLINE bool is_settled(const ArimaLanes *variance)
{
    double most = (*variance)[0];

    for (size_t i = 1; i < ARIMA_LANE; i++)
        most = (*variance)[i] > most ? (*variance)[i] : most;
    return most - 1 < settled_below;
}

/* What one value does to the states. */
typedef struct Move {
    ArimaLanes error, unit_error;   /* v / F, of the values and of ones */
    ArimaLanes state, ones, change; /* the first ones, before */
    ArimaLanes share, weight;       /* l / F and D l, see below */
} Move;

static ALWAYS_INLINE void move_states(ArimaFilter *filter, const Move *move, bool has_constant)
{
    ArimaLanes *state = filter->row.state, *ones = filter->ones.state;
    ArimaLanes *gains = filter->gain, *changes = filter->change;
    const ArimaLanes *dense = filter->dense;

    for (size_t i = 0; i < filter->state_count; i++) {
        ArimaLanes gain = gains[i], change = changes[i + 1] + dense[i] * move->change;

        state[i] = state[i + 1] + dense[i] * move->state + gain * move->error;
        if (has_constant)
            ones[i] = ones[i + 1] + dense[i] * move->ones + gain * move->unit_error;
        changes[i] = change - gain * move->share;
        gains[i] = gain + change * move->weight;
    }
}

/* Until F is 1. The variances of the states change from step to step by D L L', whose first item is
 * l: F' = F + D l^2, K' = K + D l T L, L' = T L - K l / F, D' = D F / F', where T moves states on
 * by one, and at the start L is K, D is -1 / F. Returns the time it came to. */
static ALWAYS_INLINE size_t run_start(ArimaFilter *filter, bool finds_settled, bool has_constant)
{
    ArimaLanes variance = filter->variance, product = {1, 1, 1, 1}, sum = {0};
    ArimaLanes size = -1 / variance;
    size_t end = finds_settled ? filter->count : filter->settled_at, t = 0;

    for (; t < end && !(finds_settled && is_settled(&variance)); t++) {
        ArimaLanes inverse = 1 / variance, scale = inverse, next;
        ArimaLanes error = filter->values[t] - filter->row.state[0], unit_error = {0};
        Move move = {.state = filter->row.state[0], .change = filter->change[0]};

        take_roots(&scale);
        if (has_constant) {
            move.ones = filter->ones.state[0];
            unit_error = 1 - move.ones;
            filter->ones.errors[t] = unit_error * scale;
            move.unit_error = unit_error * inverse;
        }
        filter->row.errors[t] = error * scale;
        move.error = error * inverse;
        move.share = move.change * inverse;
        move.weight = move.change * size;
        move_states(filter, &move, has_constant);
        product *= variance;
        if (t % LOG_STRIDE == LOG_STRIDE - 1) {
            add_logs(&product, &sum);
            product = (ArimaLanes){1, 1, 1, 1};
        }
        next = variance + move.weight * move.change;
        size *= variance / next;
        variance = next;
    }
    add_logs(&product, &sum);
    filter->logs = sum;
    return t;
}

/* A column with F = 1. What one value tells of the next waits for nothing in memory. */
typedef struct Settled {
    ArimaLanes *pending, *errors, next;
} Settled;

static Settled settle(const ArimaFilter *filter, const ArimaColumn *column, size_t start)
{
    size_t states = filter->state_count, left = filter->count - start;

    memcpy(column->pending + start, column->state, states * sizeof(ArimaLanes));
    memset(column->pending + start + states, 0, (left + 1) * sizeof(ArimaLanes));
    return (Settled){column->pending, column->errors, {0}};
}

static void unsettle(const ArimaFilter *filter, const Settled *settled, ArimaColumn *column)
{
    column->pending[filter->count] += settled->next;
    memcpy(column->state, column->pending + filter->count,
           filter->state_count * sizeof(ArimaLanes));
}

static ALWAYS_INLINE bool starts_with_next(const ArimaTaps *taps)
{
    return taps->count > 0 && taps->lags[0] == 1;
}

/* A value and its error are added to what they tell of those that come. */
static ALWAYS_INLINE void see(const ArimaFilter *filter, Settled *settled, size_t t, double value)
{
    const ArimaTaps *ar = &filter->ar, *ma = &filter->ma;
    ArimaLanes error = value - settled->pending[t] - settled->next, next = {0};
    size_t ar_first = starts_with_next(ar), ma_first = starts_with_next(ma);

    settled->errors[t] = error;
    if (ar_first)
        next = ar->values[0] * value;
    if (ma_first)
        next += ma->values[0] * error;
    settled->next = next;
    for (size_t i = ar_first; i < ar->count; i++)
        settled->pending[t + ar->lags[i]] += ar->values[i] * value;
    for (size_t i = ma_first; i < ma->count; i++)
        settled->pending[t + ma->lags[i]] += ma->values[i] * error;
}

static ALWAYS_INLINE void run_settled(ArimaFilter *filter, size_t start, bool has_constant)
{
    Settled row = settle(filter, &filter->row, start);
    Settled ones = settle(filter, &filter->ones, start);

    for (size_t t = start; t < filter->count; t++) {
        see(filter, &row, t, filter->values[t]);
        if (has_constant)
            see(filter, &ones, t, 1);
    }
    unsettle(filter, &row, &filter->row);
    unsettle(filter, &ones, &filter->ones);
}

/* The constant that makes the sum of squares least, and what the errors are with it, times the
 * geometric mean of sqrt F. */
static ALWAYS_INLINE void finish(ArimaFilter *filter, bool has_constant)
{
    ArimaLanes *errors = filter->row.errors, *units = filter->ones.errors;
    ArimaLanes products = {0}, squares = {0}, factor = {0};

    for (size_t t = 0; has_constant && t < filter->count; t++) {
        products += errors[t] * units[t];
        squares += units[t] * units[t];
    }
    filter->mean = has_constant ? products / squares : products;
    for (size_t i = 0; i < ARIMA_LANE; i++)
        factor[i] = exp(filter->logs[i] / (double)(2 * filter->count));
    filter->factor = factor;
    filter->squares = (ArimaLanes){0};
    for (size_t t = 0; t < filter->count; t++) {
        if (has_constant)
            errors[t] -= filter->mean * units[t];
        errors[t] *= factor;
        filter->squares += errors[t] * errors[t];
    }
}

static ALWAYS_INLINE void run(ArimaFilter *filter, bool finds_settled, bool has_constant)
{
    size_t room = (filter->state_count + 1) * sizeof(ArimaLanes), start;

    memcpy(filter->change, filter->gain, filter->state_count * sizeof(ArimaLanes));
    filter->change[filter->state_count] = (ArimaLanes){0};
    memset(filter->row.state, 0, room);
    memset(filter->ones.state, 0, room);
    start = run_start(filter, finds_settled, has_constant);
    filter->settled_at = start;
    if (start < filter->count)
        run_settled(filter, start, has_constant);
    finish(filter, has_constant);
}

static void run_plain(ArimaFilter *filter, bool finds_settled)
{
    run(filter, finds_settled, false);
}

static void run_constant(ArimaFilter *filter, bool finds_settled)
{
    run(filter, finds_settled, true);
}

static LANES_AVX2 void run_plain_wide(ArimaFilter *filter, bool finds_settled)
{
    run(filter, finds_settled, false);
}

static LANES_AVX2 void run_constant_wide(ArimaFilter *filter, bool finds_settled)
{
    run(filter, finds_settled, true);
}

ArimaPass arima_pass(bool has_constant, LaneLevel level)
{
    static const ArimaPass all[2][2] = {{run_plain, run_plain_wide},
                                        {run_constant, run_constant_wide}};

    return all[has_constant][level != LANES_OF_ALL];
}

/* ---- sums of products ---- */

static ALWAYS_INLINE void multiply(const ArimaLanes *rows, const ArimaLanes *columns,
                                   const double *errors, size_t count, ArimaLanes *products)
{
    ArimaLanes sums[ARIMA_LANE + 1] = {0};

    for (size_t t = 0; t < count; t++) {
        for (size_t lane = 0; lane < ARIMA_LANE; lane++)
            sums[lane] += rows[t][lane] * columns[t];
        sums[ARIMA_LANE] += errors[t] * rows[t];
    }
    memcpy(products, sums, sizeof(sums));
}

static void multiply_plain(const ArimaLanes *rows, const ArimaLanes *columns, const double *errors,
                           size_t count, ArimaLanes *products)
{
    multiply(rows, columns, errors, count, products);
}

static LANES_AVX2 void multiply_wide(const ArimaLanes *rows, const ArimaLanes *columns,
                                     const double *errors, size_t count, ArimaLanes *products)
{
    multiply(rows, columns, errors, count, products);
}

ArimaProducts arima_products(LaneLevel level)
{
    return level == LANES_OF_ALL ? multiply_plain : multiply_wide;
}
