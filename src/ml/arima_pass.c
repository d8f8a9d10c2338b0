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

/* From the states at a time on, with F = 1: each value and error is added to what it tells of those
 * that come. */
static ALWAYS_INLINE void run_settled(ArimaFilter *filter, size_t start, bool has_constant)
{
    ArimaLanes *pending = filter->row.pending, *ones = filter->ones.pending;
    size_t count = filter->count, states = filter->state_count;
    const ArimaTaps *ar = &filter->ar, *ma = &filter->ma;

    memcpy(pending + start, filter->row.state, states * sizeof(*pending));
    memset(pending + start + states, 0, (count - start) * sizeof(*pending));
    if (has_constant) {
        memcpy(ones + start, filter->ones.state, states * sizeof(*ones));
        memset(ones + start + states, 0, (count - start) * sizeof(*ones));
    }
    for (size_t t = start; t < count; t++) {
        double value = filter->values[t];
        ArimaLanes error = value - pending[t], unit_error = 1 - ones[t];

        filter->row.errors[t] = error;
        if (has_constant)
            filter->ones.errors[t] = unit_error;
        for (size_t i = 0; i < ar->count; i++) {
            pending[t + ar->lags[i]] += ar->values[i] * value;
            if (has_constant)
                ones[t + ar->lags[i]] += ar->values[i];
        }
        for (size_t i = 0; i < ma->count; i++) {
            pending[t + ma->lags[i]] += ma->values[i] * error;
            if (has_constant)
                ones[t + ma->lags[i]] += ma->values[i] * unit_error;
        }
    }
    memcpy(filter->row.state, pending + count, states * sizeof(*pending));
    if (has_constant)
        memcpy(filter->ones.state, ones + count, states * sizeof(*ones));
}

/* The constant that makes the sum of squares least, and what the errors are with it, times the
 * geometric mean of sqrt F. */
static ALWAYS_INLINE void finish(ArimaFilter *filter, bool has_constant)
{
    ArimaLanes *errors = filter->row.errors, *units = filter->ones.errors;
    ArimaLanes products = {0}, squares = {0}, factor;

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

static ALWAYS_INLINE void multiply(const ArimaLanes *rows, const ArimaLanes *columns, size_t count,
                                   ArimaLanes *products)
{
    ArimaLanes sums[ARIMA_LANE] = {0};

    for (size_t t = 0; t < count; t++)
        for (size_t lane = 0; lane < ARIMA_LANE; lane++)
            sums[lane] += rows[t][lane] * columns[t];
    memcpy(products, sums, sizeof(sums));
}

static void multiply_plain(const ArimaLanes *rows, const ArimaLanes *columns, size_t count,
                           ArimaLanes *products)
{
    multiply(rows, columns, count, products);
}

static LANES_AVX2 void multiply_wide(const ArimaLanes *rows, const ArimaLanes *columns,
                                     size_t count, ArimaLanes *products)
{
    multiply(rows, columns, count, products);
}

ArimaProducts arima_products(LaneLevel level)
{
    return level == LANES_OF_ALL ? multiply_plain : multiply_wide;
}
