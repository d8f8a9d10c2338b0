#include "base/file.h"
#include "ml/arima_internal.h"
#include "ml/random.h"
#include "tests/fixtures/datasets.h"
#include "tests/fixtures/passengers.h"
#include "tests/test.h"

enum { SMALL = 40 };

static double logarithms[PASSENGER_COUNT];

static Series log_passengers(void)
{
    for (size_t i = 0; i < PASSENGER_COUNT; i++)
        logarithms[i] = log(passengers[i]);
    return (Series){logarithms, PASSENGER_COUNT, 12};
}

/* ---- the likelihood ---- */

/* Orders and partial autocorrelations to look at; D and d are 0, so that w is y. */
typedef struct PointCase {
    ArimaOrder order;
    size_t period;
    double point[ARIMA_POINT_MAX];
} PointCase;

static const PointCase points[] = {
    {{0, 0, 0, 0, 0, 0, false}, 1, {0}},
    {{0, 0, 0, 0, 0, 0, true}, 1, {0}},
    {{1, 0, 0, 0, 0, 0, true}, 1, {0.7}},
    {{0, 0, 1, 0, 0, 0, false}, 1, {-0.9999}},
    {{1, 0, 1, 0, 0, 0, false}, 1, {0.9999, 0.5}},
    {{2, 0, 2, 0, 0, 0, true}, 1, {0.6, -0.5, 0.4, 0.3}},
    {{5, 0, 5, 0, 0, 0, true}, 1, {0.6, -0.5, 0.4, 0.3, -0.2, 0.5, 0.1, -0.6, 0.2, 0.7}},
    {{0, 0, 1, 0, 0, 1, true}, 4, {0.4, 0.6}},
    {{2, 0, 1, 1, 0, 1, true}, 4, {0.5, -0.3, 0.4, 0.8, 0.2}},
    {{1, 0, 0, 2, 0, 2, true}, 7, {0.5, 0.6, -0.4, 0.3, 0.5}},
    {{0, 0, 3, 2, 0, 0, false}, 3, {0.5, 0.6, -0.4, 0.3, 0.5}},
    {{5, 0, 1, 1, 0, 2, true}, 2, {0.5, 0.6, -0.4, 0.3, 0.5, 0.2, 0.6, 0.3, -0.3}},
};

static void fill_values(double *values, size_t count, uint64_t seed)
{
    Random random = random_seeded(seed);
    double value = 0;

    for (size_t i = 0; i < count; i++) {
        value = 0.6 * value + random_unit(&random) - 0.5;
        values[i] = 3 + value;
    }
}

/* Autocovariances by the effects of errors long past, which fade. */
static void covariances_of(const PointCase *point, double *covariances, size_t count)
{
    enum { EFFECTS = 400000 };
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    double *effects = arena_array(arena, double, EFFECTS);
    ArimaCoefficients coefficients;
    ArimaPolynomial ar, ma;

    arima_read_point(&point->order, point->point, &coefficients);
    ar = arima_ar(&point->order, &coefficients, point->period);
    ma = arima_ma(&point->order, &coefficients, point->period);
    effects[0] = 1;
    for (size_t i = 0; i < ma.count; i++)
        effects[ma.lags[i]] += ma.values[i];
    for (size_t k = 1; k < EFFECTS; k++)
        for (size_t i = 0; i < ar.count; i++)
            effects[k] += ar.lags[i] <= k ? ar.values[i] * effects[k - ar.lags[i]] : 0;
    for (size_t lag = 0; lag < count; lag++) {
        covariances[lag] = 0;
        for (size_t k = 0; k + lag < EFFECTS; k++)
            covariances[lag] += effects[k] * effects[k + lag];
    }
}

/* Cholesky's factor of the matrix of all values' covariances. */
static void factorize(const double *covariances, double factor[SMALL][SMALL])
{
    for (size_t i = 0; i < SMALL; i++)
        for (size_t j = 0; j <= i; j++) {
            double sum = covariances[i - j];

            for (size_t k = 0; k < j; k++)
                sum -= factor[i][k] * factor[j][k];
            factor[i][j] = i == j ? sqrt(sum) : sum / factor[j][j];
        }
}

static void solve(double factor[SMALL][SMALL], const double *values, double *solved)
{
    for (size_t i = 0; i < SMALL; i++) {
        solved[i] = values[i];
        for (size_t k = 0; k < i; k++)
            solved[i] -= factor[i][k] * solved[k];
        solved[i] /= factor[i][i];
    }
}

/* The likelihood of a multivariate normal distribution, its variance and mean the likeliest. */
static double normal_likelihood(const PointCase *point, const double *values, double *mean)
{
    static double factor[SMALL][SMALL];
    double covariances[SMALL], solved[SMALL], ones[SMALL], one[SMALL], logs = 0, squares = 0;
    double products = 0, weights = 0;

    covariances_of(point, covariances, SMALL);
    factorize(covariances, factor);
    for (size_t i = 0; i < SMALL; i++)
        one[i] = 1;
    solve(factor, values, solved);
    solve(factor, one, ones);
    for (size_t i = 0; i < SMALL; i++) {
        products += solved[i] * ones[i];
        weights += ones[i] * ones[i];
        logs += 2 * log(factor[i][i]);
    }
    *mean = point->order.has_constant ? products / weights : 0;
    for (size_t i = 0; i < SMALL; i++)
        squares += (solved[i] - *mean * ones[i]) * (solved[i] - *mean * ones[i]);
    return -(SMALL * (log(squares / SMALL) + 1 + log(2 * M_PI)) + logs) / 2;
}

static void test_the_filters_likelihood_is_the_normal_distributions(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    double values[SMALL];

    fill_values(values, SMALL, 3);
    for (size_t i = 0; i < COUNT(points); i++) {
        Series series = {values, SMALL, points[i].period};
        ArimaProblem *problem = arima_problem(&series, &points[i].order, arena);
        ArimaModel model = arima_model(problem, points[i].point, &series, arena);
        double mean, expected = normal_likelihood(&points[i], values, &mean);

        EXPECT_NEAR(model.likelihood, expected, 1e-6);
        EXPECT_NEAR(model.constant, mean, 1e-6);
    }
}

/* As the first test, where the filter has settled within the values, and where it has not. */
static void test_some_filters_settle_and_some_do_not(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    double values[SMALL];
    size_t settled = 0;

    fill_values(values, SMALL, 3);
    for (size_t i = 0; i < COUNT(points); i++) {
        Series series = {values, SMALL, points[i].period};
        ArimaProblem *problem = arima_problem(&series, &points[i].order, arena);

        (void)arima_model(problem, points[i].point, &series, arena);
        settled += problem->filter.settled_at < SMALL;
    }
    EXPECT(settled >= 3 && settled + 3 <= COUNT(points));
}

static void test_an_order_is_judged_alike_after_a_greater_one(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Series series = {passengers, PASSENGER_COUNT, 12};
    ArimaOrder small = {1, 0, 1, 0, 0, 0, true}, great = {5, 0, 2, 2, 0, 2, true};
    double point[ARIMA_POINT_MAX] = {0.9, 0.2, 0.3, -0.3, 0.2, 0.5, -0.4, 0.3, 0.3, 0.2, 0.1};
    ArimaProblem *problem = arima_problem(&series, &small, arena);
    double likelihood = arima_model(problem, point, &series, arena).likelihood;

    arima_set_order(problem, &great);
    (void)arima_model(problem, point, &series, arena);
    arima_set_order(problem, &small);
    EXPECT(arima_model(problem, point, &series, arena).likelihood == likelihood);
}

static void test_wider_processors_give_the_same_bytes(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    double values[SMALL];

    fill_values(values, SMALL, 5);
    for (size_t i = 0; i < COUNT(points); i++) {
        Series series = {values, SMALL, points[i].period};
        ArimaProblem *problem = arima_problem(&series, &points[i].order, arena);
        ArimaModel wide = arima_model(problem, points[i].point, &series, arena), plain;

        problem->pass = arima_pass(points[i].order.has_constant, LANES_OF_ALL);
        plain = arima_model(problem, points[i].point, &series, arena);
        EXPECT(wide.likelihood == plain.likelihood && wide.constant == plain.constant);
        EXPECT(memcmp(wide.state, plain.state, wide.state_count * sizeof(double)) == 0);
    }
}

/* ---- R ---- */

typedef enum Data { AIR, HURON, DEATHS, NILE } Data;

/* R 4.2: f <- arima(x, c(p, d, q), list(order = c(P, D, Q)), optim.control = list(reltol = 1e-14,
 * maxit = 2000)); f$loglik, f$sigma2, coef(f); a <- predict(f, n.ahead = 15): some of a$pred and
 * a$se. With d = 1 and a constant: xreg = 1:100. R begins differences with a variance of 1e6 where
 * ours has none to begin with: that is the distance of likelihoods. */
typedef struct ReferenceCase {
    Data data;
    ArimaOrder order;
    double likelihood, squares; /* per value */
    ArimaCoefficients coefficients;
    double constant;
    double means[3], deviations[3]; /* of steps 1, 2 and 4; 0: not asked for */
} ReferenceCase;

static const ReferenceCase references[] = {
    {AIR,
     {0, 1, 1, 0, 1, 1, false},
     244.699530597,
     0.00134803482041,
     {.ma = {-0.401827900952}, .seasonal_ma = {-0.556944838110}},
     0,
     {6.11018574072, 6.05377526871, 6.19930044564},
     {0.03671562248, 0.04278290954, 0.05286830977}},
    {AIR,
     {1, 1, 1, 1, 1, 1, false},
     245.155441424,
     0.0013360216762,
     {.ar = {0.1677389739435},
      .ma = {-0.5624104238685},
      .seasonal_ar = {-0.0992129064373},
      .seasonal_ma = {-0.4971590090211}},
     0,
     {6.11168730687, 6.05580754512, 6.20049075155},
     {0.03655163354, 0.04272669596, 0.05085654576}},
    {HURON,
     {1, 0, 1, 0, 0, 0, true},
     -103.245260626,
     0.474939844963,
     {.ar = {0.744899187817}, .ma = {0.320588649639}},
     579.055450975869,
     {579.733371999, 579.560433795, 579.335653217},
     {0.6891587952, 1.0070363006, 1.2162678394}},
    {HURON,
     {1, 1, 0, 0, 0, 0, false},
     -108.226999489,
     0.545209203477,
     {.ar = {0.136241936066}},
     0,
     {579.969536936, 579.970836266, 579.971037407},
     {0.7383828299, 1.1176310758, 1.6451256525}},
    {DEATHS,
     {0, 1, 1, 0, 1, 1, false},
     -425.439993553,
     99346.8915916,
     {.ma = {-0.430268135606}, .seasonal_ma = {-0.552791279564}},
     0,
     {8336.06149778, 7531.82937483, 8616.86898591},
     {315.4480961, 363.0057758, 443.0627234}},
    {NILE,
     {0, 1, 1, 0, 0, 0, false},
     -632.545624383,
     20599.8674707,
     {.ma = {-0.732941572932}},
     0,
     {798.36699558, 798.36699558, 798.36699558},
     {143.5265393, 148.5565691, 0}},
    {NILE,
     {0, 1, 1, 0, 0, 0, true},
     -632.154631746,
     20415.51261,
     {.ma = {-0.764575136753}},
     -3.258268260694,
     {0, 0, 0},
     {0, 0, 0}},
};

static Series series_of(Data data)
{
    switch (data) {
    case AIR:
        return log_passengers();
    case HURON:
        return (Series){huron, HURON_COUNT, 1};
    case DEATHS:
        return (Series){deaths, DEATH_COUNT, 12};
    case NILE:
        break;
    }
    return (Series){nile, NILE_COUNT, 1};
}

static void expect_coefficients(const double *actual, const double *expected, size_t count)
{
    for (size_t i = 0; i < count; i++)
        EXPECT_NEAR(actual[i], expected[i], 1e-3);
}

/* R's deviations are those of the variance per value. */
static void expect_forecast(const ArimaModel *model, const ReferenceCase *reference)
{
    static const size_t steps[] = {0, 1, 3};
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    double means[4], deviations[4];
    Forecast forecast = {4, means, deviations};
    double shrink = sqrt(model->squares / (double)model->count / model->variance);

    arima_forecast(model, &forecast, arena);
    for (size_t i = 0; i < COUNT(steps); i++) {
        double mean = reference->means[i], deviation = reference->deviations[i];

        if (mean != 0)
            EXPECT_NEAR(means[steps[i]], mean, 1e-4 * fabs(mean));
        if (deviation != 0)
            EXPECT_NEAR(deviations[steps[i]] * shrink, deviation, 2e-3 * deviation);
    }
}

static void test_given_orders_are_fitted_as_by_r(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();

    for (size_t i = 0; i < COUNT(references); i++) {
        const ReferenceCase *reference = &references[i];
        Series series = series_of(reference->data);
        ArimaModel model;
        Error error = {0};

        EXPECT_OK(arima_fit(&series, reference->order, arena, &model, &error), error);
        EXPECT_NEAR(model.likelihood, reference->likelihood,
                    reference->order.differences ? 5e-3 : 1e-7);
        EXPECT_NEAR(model.squares / (double)model.count, reference->squares,
                    5e-4 * reference->squares);
        expect_coefficients(model.coefficients.ar, reference->coefficients.ar, ARIMA_TERMS_MAX);
        expect_coefficients(model.coefficients.ma, reference->coefficients.ma, ARIMA_TERMS_MAX);
        expect_coefficients(model.coefficients.seasonal_ar, reference->coefficients.seasonal_ar,
                            ARIMA_SEASONAL_MAX);
        expect_coefficients(model.coefficients.seasonal_ma, reference->coefficients.seasonal_ma,
                            ARIMA_SEASONAL_MAX);
        EXPECT_NEAR(model.constant, reference->constant, 1e-2);
        expect_forecast(&model, reference);
    }
}

/* As above, where R's search ends in another valley. */
static void test_orders_with_several_valleys_are_fitted_better_than_by_r(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Series air = log_passengers();
    ArimaModel model;
    Error error = {0};

    EXPECT_OK(arima_fit(&air, (ArimaOrder){2, 1, 1, 2, 0, 0, false}, arena, &model, &error), error);
    EXPECT(model.likelihood > 252.479049774);
    EXPECT_OK(arima_fit(&(Series){huron, HURON_COUNT, 1}, (ArimaOrder){2, 0, 2, 0, 0, 0, true},
                        arena, &model, &error),
              error);
    EXPECT(model.likelihood > -103.20527287);
}

/* ---- what is known of other series ---- */

/* Draws that look normal enough: the sum of twelve even ones. */
static double draw(Random *random)
{
    double sum = -6;

    for (int i = 0; i < 12; i++)
        sum += random_unit(random);
    return sum;
}

static void test_white_noise_is_forecast_by_its_mean(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Random random = random_seeded(11);
    double values[400], means[30], deviations[30], mean = 0;
    Forecast forecast = {30, means, deviations};
    ArimaModel model;
    Error error = {0};

    for (size_t i = 0; i < 400; i++) {
        values[i] = 50 + 2 * draw(&random);
        mean += values[i] / 400;
    }
    EXPECT_OK(arima_fit(&(Series){values, 400, 1}, (ArimaOrder){.ar = 1, .has_constant = true},
                        arena, &model, &error),
              error);
    arima_forecast(&model, &forecast, arena);
    EXPECT_NEAR(means[29], mean, 0.05);
    EXPECT_NEAR(deviations[29], 2, 0.2);
    EXPECT(fabs(model.coefficients.ar[0]) < 0.15);
}

static void test_a_random_walk_is_forecast_by_its_last_value(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Random random = random_seeded(12);
    double values[400] = {100}, means[30], deviations[30];
    Forecast forecast = {30, means, deviations};
    ArimaModel model;
    Error error = {0};

    for (size_t i = 1; i < 400; i++)
        values[i] = values[i - 1] + draw(&random);
    EXPECT_OK(
        arima_fit(&(Series){values, 400, 1}, (ArimaOrder){.differences = 1}, arena, &model, &error),
        error);
    arima_forecast(&model, &forecast, arena);
    for (size_t i = 0; i < 30; i++) {
        EXPECT(means[i] == values[399]);
        EXPECT_NEAR(deviations[i], sqrt((double)(i + 1) * model.variance), 1e-9);
    }
    EXPECT_NEAR(model.variance, 1, 0.2);
}

/* A seasonal random walk repeats its last season; its constant is what a season adds. */
static void test_seasonal_differences_repeat_the_season(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    double values[30], means[10], deviations[10];
    Forecast forecast = {10, means, deviations};
    ArimaModel model;
    Error error = {0};

    for (size_t i = 0; i < 30; i++)
        values[i] = (double)(i % 5 * (i % 5) + i / 5 * 2) + (double)(i * 7 % 3) / 4;
    EXPECT_OK(arima_fit(&(Series){values, 30, 5},
                        (ArimaOrder){.seasonal_differences = 1, .has_constant = true}, arena,
                        &model, &error),
              error);
    arima_forecast(&model, &forecast, arena);
    for (size_t i = 0; i < 10; i++)
        EXPECT_NEAR(means[i], values[25 + i % 5] + model.constant * (double)(i / 5 + 1), 1e-9);
}

/* ---- bad input ---- */

typedef struct BadCase {
    ArimaOrder order;
    size_t count, period;
    const char *sentence;
} BadCase;

static const BadCase bad_cases[] = {
    {{6, 0, 0, 0, 0, 0, true}, 144, 12, "an ARIMA model has at most 5 autoregressive terms, not 6"},
    {{0, 0, 9, 0, 0, 0, true}, 144, 12, "an ARIMA model has at most 5 moving-average terms, not 9"},
    {{0, 3, 0, 0, 0, 0, true}, 144, 12, "an ARIMA model has at most 2 differences, not 3"},
    {{0, 0, 0, 3, 0, 0, true},
     144,
     12,
     "an ARIMA model has at most 2 seasonal autoregressive terms, not 3"},
    {{0, 0, 0, 0, 0, 3, true},
     144,
     12,
     "an ARIMA model has at most 2 seasonal moving-average terms, not 3"},
    {{0, 0, 0, 0, 2, 0, true}, 144, 12, "an ARIMA model has at most 1 seasonal difference, not 2"},
    {{0, 0, 0, 1, 0, 0, true},
     144,
     1,
     "seasonal terms need a season of 2 to 60 values, but the series' has 1"},
    {{0, 0, 0, 1, 0, 0, true},
     144,
     61,
     "seasonal terms need a season of 2 to 60 values, but the series' has 61"},
    {{0, 0, 0, 0, 0, 0, true}, 144, 0, "a season has 1 to 10000 values, not 0"},
    {{1, 1, 0, 0, 1, 0, true}, 17, 12, "the series has 17 values, but at least 18 are needed"},
};

static void test_orders_that_cannot_be_are_refused_with_a_sentence(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();

    for (size_t i = 0; i < COUNT(bad_cases); i++) {
        Series series = {passengers, bad_cases[i].count, bad_cases[i].period};
        ArimaModel model = {.count = 7};
        Error error = {0};

        EXPECT(!arima_fit(&series, bad_cases[i].order, arena, &model, &error));
        EXPECT_TEXT(error.message, bad_cases[i].sentence);
        EXPECT(model.count == 7);
    }
}

static void test_a_missing_value_is_refused(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    double values[] = {1, 2, NAN, 4, 5, 6, 7, 8};
    ArimaModel model;
    Error error = {0};

    EXPECT(!arima_fit(&(Series){values, 8, 1}, (ArimaOrder){.ar = 1}, arena, &model, &error));
    EXPECT_TEXT(error.message, "value 2 of the series is missing, but every value must be there");
}

static void test_names_are_as_r_writes_them(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();

    EXPECT_TEXT(arima_order_name((ArimaOrder){2, 0, 1, 0, 0, 0, true}, 12, arena),
                "ARIMA(2,0,1) with constant");
    EXPECT_TEXT(arima_order_name((ArimaOrder){0, 1, 1, 0, 1, 1, false}, 12, arena),
                "ARIMA(0,1,1)(0,1,1)[12]");
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_the_filters_likelihood_is_the_normal_distributions),
        TEST(test_some_filters_settle_and_some_do_not),
        TEST(test_an_order_is_judged_alike_after_a_greater_one),
        TEST(test_wider_processors_give_the_same_bytes),
        TEST(test_given_orders_are_fitted_as_by_r),
        TEST(test_orders_with_several_valleys_are_fitted_better_than_by_r),
        TEST(test_white_noise_is_forecast_by_its_mean),
        TEST(test_a_random_walk_is_forecast_by_its_last_value),
        TEST(test_seasonal_differences_repeat_the_season),
        TEST(test_orders_that_cannot_be_are_refused_with_a_sentence),
        TEST(test_a_missing_value_is_refused),
        TEST(test_names_are_as_r_writes_them),
        {0},
    };
    return test_main(tests, count, names);
}
