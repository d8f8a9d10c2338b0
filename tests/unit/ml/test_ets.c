#include "ml/ets_internal.h"
#include "ml/random.h"
#include "tests/fixtures/passengers.h"
#include "tests/test.h"

static const Series monthly = {passengers, PASSENGER_COUNT, 12};

/* R 4.2, forecast 8.20, for each form: f <- ets(AirPassengers, model = "ANN", damped = FALSE), then
 * -2 * f$loglik, f$aicc, f$sigma2. */
typedef struct FormCase {
    EtsForm form;
    const char *name;
    double deviance, aicc;
} FormCase;

static const FormCase forms[] = {
    {{false, ETS_TREND_NONE, ETS_SEASON_NONE}, "ETS(A,N,N)", 1727.7867552, 1733.95818377},
    {{false, ETS_TREND_LINEAR, ETS_SEASON_NONE}, "ETS(A,A,N)", 1727.29460499, 1737.7293876},
    {{false, ETS_TREND_DAMPED, ETS_SEASON_NONE}, "ETS(A,Ad,N)", 1727.59213613, 1740.20527482},
    {{true, ETS_TREND_NONE, ETS_SEASON_NONE}, "ETS(M,N,N)", 1667.90026119, 1674.07168976},
    {{true, ETS_TREND_LINEAR, ETS_SEASON_NONE}, "ETS(M,A,N)", 1663.79515406, 1674.22993666},
    {{true, ETS_TREND_DAMPED, ETS_SEASON_NONE}, "ETS(M,Ad,N)", 1666.82345126, 1679.43658995},
    {{false, ETS_TREND_NONE, ETS_SEASON_ADDS}, "ETS(A,N,A)", 1534.85907793, 1568.60907793},
    {{false, ETS_TREND_LINEAR, ETS_SEASON_ADDS}, "ETS(A,A,A)", 1531.87169502, 1570.72883788},
    {{false, ETS_TREND_DAMPED, ETS_SEASON_ADDS}, "ETS(A,Ad,A)", 1535.23089124, 1576.70289124},
    {{true, ETS_TREND_NONE, ETS_SEASON_ADDS}, "ETS(M,N,A)", 1550.79230674, 1584.54230674},
    {{true, ETS_TREND_LINEAR, ETS_SEASON_ADDS}, "ETS(M,A,A)", 1536.46682011, 1575.32396297},
    {{true, ETS_TREND_DAMPED, ETS_SEASON_ADDS}, "ETS(M,Ad,A)", 1547.20994359, 1588.68194359},
    {{true, ETS_TREND_NONE, ETS_SEASON_TIMES}, "ETS(M,N,M)", 1431.3143938, 1465.0643938},
    {{true, ETS_TREND_LINEAR, ETS_SEASON_TIMES}, "ETS(M,A,M)", 1364.80723812, 1403.66438097},
    {{true, ETS_TREND_DAMPED, ETS_SEASON_TIMES}, "ETS(M,Ad,M)", 1359.16643247, 1400.63843247},
};

/* One step as the book writes it, with an error of its own kind: e or mu e. */
static double book_mean(const EtsModel *model, const EtsState *state, double season)
{
    double ahead = state->level + model->phi * state->slope;

    if (model->form.season == ETS_SEASON_TIMES)
        return ahead * season;
    return ahead + (model->form.season ? season : 0);
}

static void book_step(const EtsModel *model, EtsState *state, double *season, double error)
{
    double ahead = state->level + model->phi * state->slope;
    double old = model->form.season ? *season : 0;
    double moved = model->form.is_relative ? (ahead + old) * error : error;

    if (model->form.season == ETS_SEASON_TIMES) {
        state->level = ahead * (1 + model->alpha * error);
        state->slope = model->phi * state->slope + model->beta * ahead * error;
        *season = old * (1 + model->gamma * error);
        return;
    }
    state->level = ahead + model->alpha * moved;
    state->slope = model->phi * state->slope + model->beta * moved;
    if (model->form.season)
        *season = old + model->gamma * moved;
}

/* Runs the book's recursion from the first state; the deviance, and the last state into the model.
 */
static double book_run(EtsModel *model, double *seasonal, double *squares)
{
    EtsState state = model->first;
    double logs = 0;

    *squares = 0;
    for (size_t i = 0; model->form.season && i < model->period; i++)
        seasonal[i] = model->first.seasonal[i];
    for (size_t t = 0; t < model->count; t++) {
        double *season = &seasonal[t % model->period];
        double mean = book_mean(model, &state, *season);
        double error = passengers[t] - mean;

        if (model->form.is_relative) {
            error /= mean;
            logs += log(fabs(mean));
        }
        *squares += error * error;
        book_step(model, &state, season, error);
    }
    state.seasonal = model->form.season ? seasonal : NULL;
    model->last = state;
    return (double)model->count * log(*squares) + 2 * logs;
}

static void test_every_form_follows_the_books_recursion(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();

    for (size_t i = 0; i < COUNT(forms); i++) {
        EtsModel model = ets_fit(&monthly, forms[i].form, arena), copy = model;
        double seasonal[12] = {0}, squares, deviance = book_run(&copy, seasonal, &squares);

        EXPECT_TEXT(ets_form_name(model.form, arena), forms[i].name);
        EXPECT_NEAR(model.deviance, deviance, 1e-7);
        EXPECT_NEAR(model.last.level, copy.last.level, 1e-8);
        EXPECT_NEAR(model.last.slope, copy.last.slope, 1e-8);
        for (size_t k = 0; model.form.season && k < 12; k++)
            EXPECT_NEAR(model.last.seasonal[k], seasonal[k], 1e-8);
        EXPECT_NEAR(model.variance, squares / (double)(145 - model.parameter_count),
                    1e-9 * model.variance);
    }
}

static void test_every_form_is_as_likely_as_rs(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();

    for (size_t i = 0; i < COUNT(forms); i++) {
        EtsModel model = ets_fit(&monthly, forms[i].form, arena);

        if (model.deviance > forms[i].deviance + 0.05) {
            fprintf(stderr, "%s: %.4f, R has %.4f\n", forms[i].name, model.deviance,
                    forms[i].deviance);
            exit(1);
        }
        EXPECT_NEAR(model.aicc - model.deviance, forms[i].aicc - forms[i].deviance, 1e-6);
    }
}

static void test_the_form_of_least_aicc_is_chosen(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    EtsModel chosen = ets_choose(&monthly, arena);

    for (size_t i = 0; i < COUNT(forms); i++) {
        EtsModel model = ets_fit(&monthly, forms[i].form, arena);

        if (forms[i].form.trend != ETS_TREND_LINEAR || model.beta > 1.1e-4 * model.alpha)
            EXPECT(chosen.aicc <= model.aicc + 0.05);
    }
    EXPECT(chosen.aicc <= forms[COUNT(forms) - 1].aicc); /* R's choice */
}

/* The logarithm comes back to 5 again and again. By likelihood alone M,A,N would win, and go on to
 * 2.4 times the last level. */
static void test_values_that_come_back_are_given_no_trend(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Random random = random_seeded(5);
    double values[600], log_value = 5, means[100], deviations[100];
    Forecast forecast = {100, means, deviations};
    EtsModel model;

    for (size_t i = 0; i < 600; i++) {
        values[i] = exp(log_value);
        log_value = 5 + 0.9 * (log_value - 5) + 1.2 * (random_unit(&random) - 0.5);
    }
    model = ets_choose(&(Series){values, 600, 1}, arena);
    ets_forecast(&model, &forecast, arena);
    EXPECT(model.form.is_relative);
    EXPECT(fabs(means[99] / means[0] - 1) < 0.3);
}

/* Ten years of passengers, whose last two are foreseen better with it. */
static void test_values_that_go_along_a_line_are_given_its_trend(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    EtsModel model = ets_choose(&(Series){passengers, 120, 12}, arena);

    EXPECT_TEXT(ets_form_name(model.form, arena), "ETS(M,A,M)");
    EXPECT(model.beta < 1.1e-4 * model.alpha);
}

/* ---- derivatives ---- */

static EtsProblem problem_of(EtsForm form, double *scaled, double *seasonal)
{
    EtsProblem problem = {.form = form,
                          .count = PASSENGER_COUNT,
                          .period = form.season ? 12 : 1,
                          .values = scaled,
                          .last.seasonal = seasonal};

    for (size_t t = 0; t < PASSENGER_COUNT; t++)
        scaled[t] = passengers[t] / 280;
    return problem;
}

static size_t fill_point(EtsForm form, double *point)
{
    size_t count = form.season ? ETS_SEASONAL + 11 : ETS_SEASONAL;

    point[ETS_ALPHA] = 0.4;
    point[ETS_BETA_SHARE] = form.trend ? 0.2 : 0;
    point[ETS_GAMMA_SHARE] = form.season ? 0.3 : 0;
    point[ETS_PHI] = form.trend == ETS_TREND_DAMPED ? 0.9 : 1;
    point[ETS_LEVEL] = 0.42;
    point[ETS_SLOPE] = form.trend ? 0.011 : 0;
    for (size_t i = 0; i < 11; i++)
        point[ETS_SEASONAL + i] =
            (form.season == ETS_SEASON_TIMES ? 1 : 0) + 0.02 * (double)(i * 5 % 7) - 0.05;
    return count;
}

static bool is_used(EtsForm form, size_t slot)
{
    if (slot == ETS_BETA_SHARE || slot == ETS_SLOPE)
        return form.trend != ETS_TREND_NONE;
    if (slot == ETS_PHI)
        return form.trend == ETS_TREND_DAMPED;
    return slot != ETS_GAMMA_SHARE || form.season != ETS_SEASON_NONE;
}

static void test_derivatives_are_those_of_the_value(void)
{
    for (size_t i = 0; i < COUNT(forms); i++) {
        EtsForm form = forms[i].form;
        double scaled[PASSENGER_COUNT], seasonal[12], point[LEAST_SQUARES_MAX] = {0};
        EtsProblem problem = problem_of(form, scaled, seasonal);
        EtsPasses passes = ets_passes(form, LANES_OF_ALL);
        NormalEquations equations = {0};
        size_t count = fill_point(form, point);
        double value = passes.value(&problem, point);

        EXPECT_NEAR(passes.equations(&problem, point, &equations), value, 1e-12 * value);
        for (size_t slot = 0; slot < count; slot++) {
            double step = 1e-6, kept = point[slot], slope;

            if (!is_used(form, slot))
                continue;
            point[slot] = kept + step;
            slope = passes.value(&problem, point);
            point[slot] = kept - step;
            slope = (slope - passes.value(&problem, point)) / (2 * step);
            point[slot] = kept;
            EXPECT_NEAR(2 * equations.gradient[slot], slope, 1e-6 * fabs(slope) + 1e-8);
        }
    }
}

/* J'J without the residuals' own bend: its quadratic form is the squared change of all residuals
 * along a direction, here found by moving the errors themselves. */
static double moved_squares(EtsForm form, double *point, size_t slot, double step)
{
    double scaled[PASSENGER_COUNT], seasonal[12], errors[2][PASSENGER_COUNT], sum = 0;
    double kept = point[slot];

    for (int side = 0; side < 2; side++) {
        EtsProblem problem = problem_of(form, scaled, seasonal);
        double squares = 0, logs = 0;

        point[slot] = kept + (side ? step : -step);
        for (size_t t = 0; t < PASSENGER_COUNT; t++) {
            problem.count = t + 1;
            ets_passes(form, LANES_OF_ALL).value(&problem, point);
            errors[side][t] = problem.squares - squares;
            squares = problem.squares;
            logs = problem.logs;
        }
        for (size_t t = 0; t < PASSENGER_COUNT; t++)
            errors[side][t] = sqrt(errors[side][t]) * exp(logs / PASSENGER_COUNT);
    }
    point[slot] = kept;
    for (size_t t = 0; t < PASSENGER_COUNT; t++) {
        double change = (errors[1][t] - errors[0][t]) / (2 * step);

        sum += change * change / PASSENGER_COUNT;
    }
    return sum;
}

static void test_the_normal_matrix_is_that_of_the_errors(void)
{
    for (size_t i = 0; i < COUNT(forms); i++) {
        EtsForm form = forms[i].form;
        double scaled[PASSENGER_COUNT], seasonal[12], point[LEAST_SQUARES_MAX] = {0};
        EtsProblem problem = problem_of(form, scaled, seasonal);
        NormalEquations equations = {0};
        size_t count = fill_point(form, point);

        ets_passes(form, LANES_OF_ALL).equations(&problem, point, &equations);
        for (size_t slot = 0; slot < count; slot++)
            if (is_used(form, slot))
                EXPECT_NEAR(equations.matrix[slot][slot], moved_squares(form, point, slot, 1e-6),
                            1e-4 * equations.matrix[slot][slot]);
    }
}

static void test_wider_processors_give_the_same_bytes(void)
{
    if (lanes_level() == LANES_OF_ALL)
        return;
    for (size_t i = 0; i < COUNT(forms); i++) {
        double scaled[PASSENGER_COUNT], seasonal[12], point[LEAST_SQUARES_MAX] = {0};
        EtsProblem problem = problem_of(forms[i].form, scaled, seasonal);
        NormalEquations one = {0}, two = {0};

        fill_point(forms[i].form, point);
        ets_passes(forms[i].form, LANES_OF_ALL).equations(&problem, point, &one);
        ets_passes(forms[i].form, LANES_OF_AVX2).equations(&problem, point, &two);
        EXPECT(memcmp(&one, &two, sizeof(one)) == 0);
    }
}

/* ---- stability ---- */

/* How much of an error is left in the forecasts after many periods, by the recursion without data.
 */
static double what_is_left(EtsTrend trend, const double *point, size_t period)
{
    double alpha = point[ETS_ALPHA], beta = alpha * point[ETS_BETA_SHARE], phi = point[ETS_PHI];
    double gamma = (1 - alpha) * point[ETS_GAMMA_SHARE];
    double level = 0.3, slope = trend ? 0.2 : 0, seasonal[ETS_PERIOD_MAX] = {1}, size = 0;

    for (size_t t = 0; t < 400 * period; t++) {
        double *season = &seasonal[t % period], ahead = level + phi * slope;
        double miss = -(ahead + *season);

        level = ahead + alpha * miss;
        slope = phi * slope + beta * miss;
        *season += gamma * miss;
        if (t >= 399 * period)
            size += fabs(miss);
    }
    return size;
}

static void test_stable_is_what_forgets(void)
{
    static const size_t periods[] = {2, 4, 7, 12, 24};
    Random random = random_seeded(7);
    size_t stable = 0, unstable = 0;

    for (size_t i = 0; i < 3000; i++) {
        EtsTrend trend = (EtsTrend)(i % 3);
        size_t period = periods[i % COUNT(periods)];
        double point[LEAST_SQUARES_MAX] = {random_unit(&random),
                                           random_unit(&random) * (trend != 0),
                                           random_unit(&random), 1},
               left;

        if (trend == ETS_TREND_DAMPED)
            point[ETS_PHI] = 0.8 + 0.18 * random_unit(&random);
        left = what_is_left(trend, point, period);
        if (left < 1e-3)
            EXPECT(ets_is_stable(trend, point, period));
        if (left > 1e3)
            EXPECT(!ets_is_stable(trend, point, period));
        stable += left < 1e-3;
        unstable += left > 1e3;
    }
    EXPECT(stable > 500 && unstable > 20);
}

/* ---- forecasts ---- */

/* A model of R's parameters, whose states before the first value R lists from the last one back,
 * and leaves the first one out. */
static EtsModel model_of(EtsForm form, const double *numbers, const double *listed, double *first,
                         double *last)
{
    EtsModel model = {.form = form,
                      .count = PASSENGER_COUNT,
                      .period = 12,
                      .alpha = numbers[0],
                      .beta = numbers[1],
                      .gamma = numbers[2],
                      .phi = numbers[3],
                      .first = {numbers[4], numbers[5], first}};
    double squares;
    size_t parameters = form.trend == ETS_TREND_DAMPED ? 18 : 17;

    first[0] = form.season == ETS_SEASON_TIMES ? 12 : 0;
    for (size_t i = 0; i < 11; i++) {
        first[11 - i] = listed[i];
        first[0] -= listed[i];
    }
    book_run(&model, last, &squares);
    model.variance = squares / (double)(PASSENGER_COUNT - parameters + 1);
    return model;
}

static void expect_forecast(const EtsModel *model, const double *mean, const double *deviation,
                            double tolerance)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    double means[15], deviations[15];
    Forecast forecast = {15, means, deviations};

    ets_forecast(model, &forecast, arena);
    for (size_t i = 0; i < 15; i++) {
        EXPECT_NEAR(means[i], mean[i], tolerance * mean[i]);
        EXPECT_NEAR(deviations[i], deviation[i], tolerance * deviation[i]);
    }
}

/* R: f <- ets(AirPassengers, model = "AAA", damped = TRUE); f$par; fc <- forecast(f, h = 15, level
 * = 95); fc$mean; (fc$upper - fc$mean) / qnorm(0.975). Likewise the next two. */
static void test_errors_that_add_give_rs_forecast(void)
{
    static const double numbers[] = {9.9989742109304e-01, 2.1748050880413e-03, 1.0102574293013e-04,
                                     9.7996961214825e-01, 1.2059393148389e+02, 1.7381179306167e+00};
    static const double listed[] = {
        -2.8309526828782e+01, -5.3748572993037e+01, -2.0667546665037e+01, 1.6511783901636e+01,
        6.2683472406666e+01,  6.5375767216467e+01,  3.5240122068706e+01,  -4.4037974195064e+00,
        -7.9698060712270e+00, -2.3577338973258e+00, -3.5886467546594e+01};
    static const double mean[] = {434.126597833, 424.979199749, 458.777058505, 453.431002519,
                                  457.255025116, 497.152185252, 527.548493057, 525.091935980,
                                  479.153710955, 442.213720606, 409.360207569, 435.029746470,
                                  437.095682124, 427.888812129, 461.628390222};
    static const double deviation[] = {18.3305537894, 25.9496259478, 31.8145380398, 36.7740272166,
                                       41.1564195112, 45.1298751288, 48.7941511149, 52.2141526015,
                                       55.4348974903, 58.4891146071, 61.4014744863, 64.1911145520,
                                       66.8737496734, 69.4606236090, 71.9623994066};
    double first[12], last[12];
    EtsModel model =
        model_of((EtsForm){false, ETS_TREND_DAMPED, ETS_SEASON_ADDS}, numbers, listed, first, last);

    expect_forecast(&model, mean, deviation, 1e-6);
}

static void test_relative_errors_give_rs_forecast(void)
{
    static const double numbers[] = {9.6895970775630e-01, 5.5042564411466e-04,
                                     1.2756936422214e-02, 1,
                                     1.2057761612726e+02, 4.0928223265700e+00};
    static const double listed[] = {
        -3.0455718546720e+01, -4.8082402797199e+01, -2.0308319623648e+01, 1.8343837188948e+01,
        5.8227580113210e+01,  6.2390085091401e+01,  3.6163476453095e+01,  5.4426784432889e-01,
        -5.4065746027233e+00, -4.7871083069750e+00, -3.5201097295382e+01};
    static const double mean[] = {434.442234109, 432.798726882, 468.317959199, 470.577070748,
                                  480.591333639, 521.020391779, 552.551890105, 550.953755627,
                                  513.030888385, 480.097035651, 455.080697835, 479.174698335,
                                  481.932847210, 480.289339983, 515.808572301};
    static const double deviation[] = {
        31.0158016503,  43.1687030371,  54.1665607852,  63.3377344876,  71.7188528082,
        80.5335220328,  89.4178988575,  97.4416396910,  103.9132457661, 109.3373112772,
        114.0576271688, 119.1297830739, 124.1466266475, 128.8677020591, 134.1401065088};
    double first[12], last[12];
    EtsModel model =
        model_of((EtsForm){true, ETS_TREND_LINEAR, ETS_SEASON_ADDS}, numbers, listed, first, last);

    expect_forecast(&model, mean, deviation, 1e-6);
}

/* R's variance and mean are exact here, ours the book's approximation. */
static void test_a_season_that_multiplies_gives_rs_forecast(void)
{
    static const double numbers[] = {7.0955191620879e-01, 2.0408919332236e-02, 1.0046830971865e-04,
                                     9.7999992668399e-01, 1.2099393550720e+02, 1.7705401971117e+00};
    static const double listed[] = {8.9444747568887e-01, 7.9932202829107e-01, 9.2165959839727e-01,
                                    1.0592019298383e+00, 1.2203006972404e+00, 1.2317985071671e+00,
                                    1.1105001809469e+00, 9.7861276076047e-01, 9.8038207347181e-01,
                                    1.0110300880415e+00, 8.8689228722261e-01};
    static const double mean[] = {441.801847278, 434.118620069, 496.630046777, 483.237479446,
                                  483.991353447, 551.024400008, 613.179679246, 609.364830849,
                                  530.540834527, 463.033214487, 402.747800051, 451.969373093,
                                  459.013858981, 450.633278829, 515.079696614};
    static const double deviation[] = {17.3041796291, 21.0306071093, 28.0916856800, 30.9128895620,
                                       34.3082529597, 42.6729964318, 51.3386636707, 54.7150578158,
                                       50.7615830715, 46.9615042913, 43.1104819310, 50.8714656341,
                                       54.1542299074, 55.5734829142, 66.2373831481};
    double first[12], last[12];
    EtsModel model =
        model_of((EtsForm){true, ETS_TREND_DAMPED, ETS_SEASON_TIMES}, numbers, listed, first, last);

    expect_forecast(&model, mean, deviation, 5e-3);
}

static void test_an_exact_line_is_gone_on_with(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    double line[40], means[5], deviations[5];
    Forecast forecast = {5, means, deviations};
    EtsModel model;

    for (size_t i = 0; i < 40; i++)
        line[i] = 7 + 3 * (double)i;
    model = ets_choose(&(Series){line, 40, 1}, arena);
    ets_forecast(&model, &forecast, arena);
    for (size_t i = 0; i < 5; i++)
        EXPECT_NEAR(means[i], 7 + 3 * (double)(40 + i), 1e-3);
}

static void test_what_cannot_be_fitted_is_known(void)
{
    double values[48];

    for (size_t i = 0; i < 48; i++)
        values[i] = (double)(i % 6);
    EXPECT(!ets_can_fit(&(Series){values, 48, 6}, forms[3].form)); /* zeros */
    EXPECT(ets_can_fit(&(Series){values, 48, 6}, forms[6].form));
    EXPECT(!ets_can_fit(&monthly, (EtsForm){false, ETS_TREND_NONE, ETS_SEASON_TIMES}));
    EXPECT(!ets_can_fit(&(Series){passengers, 23, 12}, forms[6].form));
    EXPECT(!ets_can_fit(&(Series){passengers, 144, 25}, forms[6].form));
    EXPECT(!ets_can_fit(&(Series){passengers, 4, 1}, forms[0].form));
    EXPECT(ets_can_fit(&(Series){passengers, 5, 1}, forms[0].form));
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_every_form_follows_the_books_recursion),
        TEST(test_every_form_is_as_likely_as_rs),
        TEST(test_the_form_of_least_aicc_is_chosen),
        TEST(test_values_that_come_back_are_given_no_trend),
        TEST(test_values_that_go_along_a_line_are_given_its_trend),
        TEST(test_derivatives_are_those_of_the_value),
        TEST(test_the_normal_matrix_is_that_of_the_errors),
        TEST(test_wider_processors_give_the_same_bytes),
        TEST(test_stable_is_what_forgets),
        TEST(test_errors_that_add_give_rs_forecast),
        TEST(test_relative_errors_give_rs_forecast),
        TEST(test_a_season_that_multiplies_gives_rs_forecast),
        TEST(test_an_exact_line_is_gone_on_with),
        TEST(test_what_cannot_be_fitted_is_known),
        {0},
    };
    return test_main(tests, count, names);
}
