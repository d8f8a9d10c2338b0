#include "ml/seasonal_regression.h"

#include <math.h>
#include <string.h>

#include "base/text.h"
#include "ml/mstl.h"

enum {
    LAGS_MAX = 64,
    FEATURES_MAX = LAGS_MAX + 1, /* and the constant */
    FIRST_LAGS_MAX = 26,
    PLAIN_LAGS = 13,       /* without a season */
    INNER_REPEATS_MAX = 7, /* multiples of a season that a longer one follows */
    OUTER_REPEATS_MAX = 4,
    COUNT_MIN = 12,
    COUNT_KEPT = 1 << 14, /* older values are left out */
    STEPS_MIN = 12,       /* of the forecasts that choose: two periods, but of long ones */
    STEPS_MAX = 60,
    STEPS_LONG = 24,
    ORIGINS_MAX = 12,
    MEMBERS_MAX = 8, /* forms whose forecasts are averaged */
    LAST_MAX = 4,    /* values of an anchor without a season */
};

static const double lambdas[] = {1e-4, 1e-3, 1e-2, 0.1, 1, 10, 1e6};
static const size_t repeat_counts[] = {1, 2, 4, 8, 16};
static const double log_max = 300;    /* so that factors stay finite */
static const double share_power = 16; /* a form's share goes by 1 / error^16 */
static const double effect_max = 1e6; /* of an error on a later step */

/* ---- the form ---- */

typedef struct Form {
    bool is_log;
    size_t season, repeats;
    size_t lag_count, lags[LAGS_MAX];
    size_t reach; /* the furthest value that a row looks at */
} Form;

static void add_lag(Form *form, size_t lag, size_t most)
{
    if (lag == 0 || lag > most || form->lag_count == LAGS_MAX)
        return;
    for (size_t i = 0; i < form->lag_count; i++)
        if (form->lags[i] == lag)
            return;
    form->lags[form->lag_count++] = lag;
    if (lag > form->reach)
        form->reach = lag;
}

static size_t smaller(size_t one, size_t two)
{
    return one < two ? one : two;
}

/* The multiples of a season up to the next longer one, and the neighbours of the first. */
static void add_season(Form *form, size_t season, size_t next, size_t most)
{
    size_t repeats = next > 0 ? INNER_REPEATS_MAX : OUTER_REPEATS_MAX;

    add_lag(form, season - 1, most);
    add_lag(form, season + 1, most);
    for (size_t i = 1; i <= repeats && (next == 0 || i * season <= next); i++)
        add_lag(form, i * season, most);
}

/* The lags that all forms of a series have. */
static Form form_of(size_t count, const size_t *seasons, size_t season_count)
{
    Form form = {.season = 1, .repeats = 1};
    size_t first = season_count > 0 ? smaller(seasons[0] + 1, FIRST_LAGS_MAX) : PLAIN_LAGS;

    first = smaller(first, count / 4);
    for (size_t lag = 1; lag <= first; lag++)
        add_lag(&form, lag, first);
    for (size_t i = 0; i < season_count; i++)
        add_season(&form, seasons[i], i + 1 < season_count ? seasons[i + 1] : 0, count / 2);
    return form;
}

static size_t feature_count(const Form *form)
{
    return form->lag_count + 1;
}

/* now points to the value of the row's time, which is not looked at. */
static double anchor_of(const Form *form, const double *now)
{
    double sum = 0;

    for (size_t i = 1; i <= form->repeats; i++)
        sum += *(now - i * form->season);
    return sum / (double)form->repeats;
}

static double fill_row(const Form *form, const double *now, double *row)
{
    double anchor = anchor_of(form, now);

    for (size_t i = 0; i < form->lag_count; i++)
        row[i] = *(now - form->lags[i]) - anchor;
    row[form->lag_count] = 1;
    return anchor;
}

/* ---- ridge ---- */

typedef struct Equations {
    size_t size;
    double target[FEATURES_MAX];
    double matrix[FEATURES_MAX][FEATURES_MAX]; /* the lower triangle */
} Equations;

static void add_rows(Equations *equations, const Form *form, const double *values, size_t from,
                     size_t to)
{
    double row[FEATURES_MAX];

    equations->size = feature_count(form);
    for (size_t t = from; t < to; t++) {
        double target = values[t] - fill_row(form, values + t, row);

        for (size_t i = 0; i < equations->size; i++) {
            equations->target[i] += row[i] * target;
            for (size_t j = 0; j <= i; j++)
                equations->matrix[i][j] += row[i] * row[j];
        }
    }
}

/* Cholesky's L L' = X'X + lambda diag(X'X); what never differs from the anchor has no weight. */
static void solve(const Equations *equations, double lambda, double *weights)
{
    double factor[FEATURES_MAX][FEATURES_MAX];
    size_t size = equations->size;

    for (size_t i = 0; i < size; i++) {
        for (size_t j = 0; j <= i; j++) {
            double sum = equations->matrix[i][j];

            for (size_t k = 0; k < j; k++)
                sum -= factor[i][k] * factor[j][k];
            if (i == j)
                sum += lambda * equations->matrix[i][i];
            factor[i][j] = i == j ? sqrt(fmax(sum, 1e-200)) : sum / factor[j][j];
        }
        weights[i] = equations->target[i];
        for (size_t k = 0; k < i; k++)
            weights[i] -= factor[i][k] * weights[k];
        weights[i] /= factor[i][i];
    }
    for (size_t i = size; i-- > 0;) {
        for (size_t k = i + 1; k < size; k++)
            weights[i] -= factor[k][i] * weights[k];
        weights[i] /= factor[i][i];
    }
}

/* ---- forecasts ---- */

typedef struct RegressionModel {
    Form form;
    double weights[FEATURES_MAX];
    double scale, low, high; /* of what is learnt; means are kept within low and high */
    double deviation;
    const double *last; /* the last reach values */
} RegressionModel;

/* path holds reach values and has room for the steps, which follow them. */
static void follow(const RegressionModel *model, double *path, size_t steps)
{
    double row[FEATURES_MAX];
    size_t width = feature_count(&model->form);

    for (size_t step = 0; step < steps; step++) {
        double *now = path + model->form.reach + step, sum = fill_row(&model->form, now, row);

        for (size_t i = 0; i < width; i++)
            sum += model->weights[i] * row[i];
        *now = fmin(fmax(sum, model->low), model->high);
    }
}

/* The variance of each step when that of an error is 1: what an error does to the steps after it
 * is what the recursion makes of a 1 among zeros. */
static void follow_variances(const RegressionModel *model, double *variances, size_t steps,
                             Arena *arena)
{
    RegressionModel plain = *model;
    double *path = arena_array(arena, double, model->form.reach + steps), sum = 0;
    double *effects = path + model->form.reach - 1;

    plain.weights[model->form.lag_count] = 0;
    plain.low = -effect_max;
    plain.high = effect_max;
    effects[0] = 1;
    follow(&plain, path, steps - 1);
    for (size_t step = 0; step < steps; step++) {
        sum += effects[step] * effects[step];
        variances[step] = sum;
    }
}

/* ---- the choice ---- */

/* Values or logarithms, scaled, and where the last quarter begins. */
typedef struct Sample {
    bool is_log;
    const double *values, *truth; /* truth: the series' own */
    size_t count, split, steps;
    double size; /* the mean of |truth| */
    double scale, low, high;
} Sample;

static double restore(const RegressionModel *model, double value)
{
    return model->form.is_log ? exp(value) : value * model->scale;
}

static Sample sample_of(const Series *series, bool is_log, Arena *arena)
{
    size_t count = series->count;
    const double *truth = series->values;
    double *values = arena_array(arena, double, count), size = 0, low, high;
    size_t tail;
    Sample sample = {.is_log = is_log, .values = values, .truth = truth, .count = count};

    for (size_t t = 0; t < count; t++)
        size += fabs(truth[t]) / (double)count;
    sample.size = size > 0 ? size : 1;
    sample.scale = is_log ? 1 : sample.size;
    for (size_t t = 0; t < count; t++)
        values[t] = is_log ? log(truth[t]) : truth[t] / sample.scale;
    low = high = values[0];
    for (size_t t = 1; t < count; t++) {
        low = fmin(low, values[t]);
        high = fmax(high, values[t]);
    }
    sample.low = 2 * low - high;
    sample.high = is_log ? fmin(2 * high - low, log_max) : 2 * high - low;
    sample.steps = series->period > STEPS_MAX / 2 ? STEPS_LONG : 2 * series->period;
    sample.steps = sample.steps > STEPS_MIN ? sample.steps : STEPS_MIN;
    sample.steps = smaller(sample.steps, count / 4);
    tail = smaller(count / 4, sample.steps * ORIGINS_MAX / 2);
    sample.split = count - tail;
    return sample;
}

typedef struct Trial {
    double error;             /* mean, of what is forecast */
    double squares, variance; /* of what is learnt, over all steps */
    size_t origins;
} Trial;

static Trial try_model(const RegressionModel *model, const Sample *sample, Arena *arena)
{
    size_t reach = model->form.reach, steps = sample->steps;
    double *path = arena_array(arena, double, reach + steps);
    double *variances = arena_array(arena, double, steps);
    Trial trial = {0};

    follow_variances(model, variances, steps, arena);
    for (size_t origin = sample->split; origin + steps <= sample->count;
         origin += (steps + 1) / 2) {
        memcpy(path, sample->values + origin - reach, reach * sizeof(*path));
        follow(model, path, steps);
        trial.origins++;
        for (size_t step = 0; step < steps; step++) {
            double value = path[reach + step], miss = sample->values[origin + step] - value;

            trial.error +=
                fabs(sample->truth[origin + step] - restore(model, value)) / sample->size;
            trial.squares += miss * miss;
            trial.variance += variances[step];
        }
    }
    trial.error /= (double)(trial.origins * steps);
    return trial;
}

static RegressionModel model_of(const Sample *sample, const Form *form, const Equations *equations,
                                double lambda)
{
    RegressionModel model = {
        .form = *form, .scale = sample->scale, .low = sample->low, .high = sample->high};

    model.form.is_log = sample->is_log;
    solve(equations, lambda, model.weights);
    return model;
}

/* The best lambda of a form. */
typedef struct Choice {
    Trial trial;
    Form form;
    double lambda;
} Choice;

/* The best forms, best first. */
typedef struct Choices {
    Choice items[MEMBERS_MAX];
    size_t count;
} Choices;

static void keep(Choices *choices, const Choice *choice)
{
    size_t at = choices->count;

    while (at > 0 && choice->trial.error < choices->items[at - 1].trial.error)
        at--;
    if (at == MEMBERS_MAX || !isfinite(choice->trial.error))
        return;
    if (choices->count < MEMBERS_MAX)
        choices->count++;
    memmove(choices->items + at + 1, choices->items + at,
            (choices->count - at - 1) * sizeof(*choices->items));
    choices->items[at] = *choice;
}

static void try_form(const Sample *sample, const Form *form, Choices *choices)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    Equations *equations = arena_new(scratch, Equations);
    Choice best = {.trial.error = INFINITY};

    if (form->reach >= sample->split)
        return;
    add_rows(equations, form, sample->values, form->reach, sample->split);
    for (size_t i = 0; i < COUNT(lambdas); i++) {
        RegressionModel model = model_of(sample, form, equations, lambdas[i]);
        Trial trial = try_model(&model, sample, scratch);

        if (trial.error < best.trial.error)
            best = (Choice){trial, model.form, lambdas[i]};
    }
    keep(choices, &best);
}

static void try_sample(const Sample *sample, const size_t *seasons, size_t season_count,
                       Choices *choices)
{
    for (size_t i = 0; i <= season_count; i++)
        for (size_t j = 0; j < COUNT(repeat_counts); j++) {
            Form form = form_of(sample->count, seasons, season_count);

            form.season = i == 0 ? 1 : seasons[i - 1];
            form.repeats = repeat_counts[j];
            if (form.season * form.repeats > sample->count / 2 ||
                (i == 0 && form.repeats > LAST_MAX))
                continue;
            if (form.season * form.repeats > form.reach)
                form.reach = form.season * form.repeats;
            try_form(sample, &form, choices);
        }
}

/* ---- the learner ---- */

typedef struct RegressionMean {
    size_t count;
    double shares[MEMBERS_MAX]; /* they sum to 1 */
    RegressionModel members[MEMBERS_MAX];
} RegressionMean;

/* Errors of few origins tell little of those to come: the variance is that of Student's
 * distribution with as many degrees of freedom as there were origins. */
static double deviation_of(const Trial *trial)
{
    double degrees = trial->origins > 3 ? (double)trial->origins : 3;

    return sqrt(trial->squares / trial->variance * degrees / (degrees - 2));
}

/* Learnt anew from all values. */
static RegressionModel learn(const Sample *sample, const Choice *choice, Arena *arena)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    Equations *equations = arena_new(scratch, Equations);
    size_t reach = choice->form.reach;
    double *last = arena_array(arena, double, reach);
    RegressionModel model;

    add_rows(equations, &choice->form, sample->values, reach, sample->count);
    model = model_of(sample, &choice->form, equations, choice->lambda);
    memcpy(last, sample->values + sample->count - reach, reach * sizeof(*last));
    model.last = last;
    model.deviation = deviation_of(&choice->trial);
    return model;
}

static void fill_shares(const Choices *choices, double *shares)
{
    double sum = 0;

    for (size_t i = 0; i < choices->count; i++) {
        double error = choices->items[i].trial.error;

        shares[i] = error > 0 ? pow(choices->items[0].trial.error / error, share_power) : 1;
        sum += shares[i];
    }
    for (size_t i = 0; i < choices->count; i++)
        shares[i] /= sum;
}

static const void *fit_seasonal_regression(const Series *whole, Arena *arena)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    size_t left_out = whole->count > COUNT_KEPT ? whole->count - COUNT_KEPT : 0;
    Series series = {whole->values + left_out, whole->count - left_out, whole->period,
                     whole->longer, whole->longer_count};
    size_t seasons[MSTL_SEASONS_MAX] = {0}, season_count = mstl_find_seasons(&series, seasons);
    Sample samples[] = {sample_of(&series, false, scratch), {0}};
    RegressionMean *mean = arena_new(arena, RegressionMean);
    Choices choices = {0};

    try_sample(&samples[0], seasons, season_count, &choices);
    if (series_is_positive(&series)) {
        samples[1] = sample_of(&series, true, scratch);
        try_sample(&samples[1], seasons, season_count, &choices);
    }
    mean->count = choices.count;
    fill_shares(&choices, mean->shares);
    for (size_t i = 0; i < choices.count; i++)
        mean->members[i] = learn(&samples[choices.items[i].form.is_log], &choices.items[i], arena);
    return mean;
}

static void add_member(const RegressionModel *model, double share, Forecast *forecast, Arena *arena)
{
    size_t reach = model->form.reach, steps = forecast->horizon;
    double *path = arena_array(arena, double, reach + steps);
    double *variances = arena_array(arena, double, steps);

    memcpy(path, model->last, reach * sizeof(*path));
    follow(model, path, steps);
    follow_variances(model, variances, steps, arena);
    for (size_t step = 0; step < steps; step++) {
        double mean = restore(model, path[reach + step]);
        double spread = fmin(model->deviation * sqrt(variances[step]), model->high - model->low);

        forecast->mean[step] += share * mean;
        forecast->deviation[step] += share * spread * (model->form.is_log ? mean : model->scale);
    }
}

static void forecast_seasonal_regression(const void *state, Forecast *forecast, Arena *arena)
{
    const RegressionMean *mean = state;

    for (size_t step = 0; step < forecast->horizon; step++)
        forecast->mean[step] = forecast->deviation[step] = 0;
    for (size_t i = 0; i < mean->count; i++)
        add_member(&mean->members[i], mean->shares[i], forecast, arena);
}

const SeriesLearner seasonal_regression_learner = {
    .name = "seasonal_regression",
    .summary = "ridge regression on past values and seasons",
    .least = COUNT_MIN,
    .fit = fit_seasonal_regression,
    .forecast = forecast_seasonal_regression,
    .knows_longer = true};
