/* What R's arima() comes to on the sales of AdventureWorks. SLIPWAY_DATA names the folder. */
#include "base/file.h"
#include "ml/arima.h"
#include "ml/forecast_metric.h"
#include "tests/test.h"

enum { DAYS_MAX = 400, BETTER = 3 };

static bool read_sales(double *values, size_t *count)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const char *root = getenv("SLIPWAY_DATA"), *bytes;
    const char *path = arena_format(arena, "%s/adventureworks-daily/mlops_forecast_data.csv",
                                    root ? root : "../shared/data");
    size_t size;
    Error error;

    *count = 0;
    if (!file_read(path, 1 << 20, arena, &bytes, &size, &error)) {
        printf("SKIP: %s is not there\n", path);
        return false;
    }
    for (const char *line = strchr(bytes, '\n'); line && line[1]; line = strchr(line + 1, '\n'))
        values[(*count)++] = strtod(strchr(line, ',') + 1, NULL);
    return true;
}

/* R 4.2: a <- arima(x[1:learnt], c(p, d, q), list(order = c(P, D, Q), period = 7)); a$loglik, and
 * the root mean square of x - predict(a)$pred. statsmodels' ARIMA ends in a worse valley for the
 * first (-1045.7, 511.1) and near R's for the others (435.0, 437.2, 414.2, 440.1). Ours comes to a
 * better one than both for the seasonal order. */
typedef struct SalesCase {
    size_t learnt, count;
    ArimaOrder order;
    double likelihood, rmse;
} SalesCase;

static const SalesCase cases[] = {
    {138, 154, {2, 0, 2, 0, 0, 0, true}, -1041.093, 461.62},
    {138, 154, {5, 1, 1, 0, 0, 0, false}, -1032.374, 433.80},
    {274, 305, {2, 0, 2, 0, 0, 0, true}, -2043.444, 439.49},
    {274, 305, {2, 0, 2, 1, 0, 1, true}, -2025.952, 417.10},
    {274, 305, {5, 1, 1, 0, 0, 0, false}, -2038.979, 440.04},
};

static void test_sales_are_forecast_as_by_r(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    double values[DAYS_MAX], means[31], deviations[31];
    size_t count;

    if (!read_sales(values, &count))
        return;
    EXPECT(count == 305);
    for (size_t i = 0; i < COUNT(cases); i++) {
        Forecast forecast = {cases[i].count - cases[i].learnt, means, deviations};
        Series series = {values, cases[i].learnt, 7};
        ForecastScore score;
        ArimaModel model;
        Error error = {0};

        EXPECT_OK(arima_fit(&series, cases[i].order, arena, &model, &error), error);
        arima_forecast(&model, &forecast, arena);
        score = forecast_score(values + cases[i].learnt, &forecast, 0.95, &series);
        EXPECT(model.likelihood > cases[i].likelihood - 0.005);
        EXPECT_NEAR(score.rmse, cases[i].rmse, (i == BETTER ? 0.02 : 5e-4) * cases[i].rmse);
    }
}

int main(int count, char **names)
{
    static const Test tests[] = {TEST(test_sales_are_forecast_as_by_r), {0}};
    return test_main(tests, count, names);
}
