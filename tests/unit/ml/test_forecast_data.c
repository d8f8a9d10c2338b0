/* The automatic choice on public data. SLIPWAY_DATA names the folder. */
#include "base/file.h"
#include "base/parallel.h"
#include "base/text.h"
#include "base/time.h"
#include "ml/forecast_model.h"
#include "ml/time_index.h"
#include "tests/test.h"

enum { ROWS_MAX = 2000, FILE_BYTES_MAX = 1 << 20 };

static bool read_file(const char *name, Arena *arena, const char **text)
{
    const char *root = getenv("SLIPWAY_DATA");
    const char *path = arena_format(arena, "%s/%s", root ? root : "../shared/data", name);
    size_t size;
    Error error;

    if (file_read(path, FILE_BYTES_MAX, arena, text, &size, &error))
        return true;
    printf("SKIP: %s is not there\n", path);
    return false;
}

/* The day in the first column and the number in another one; a missing number is NaN. */
static bool read_days(const char *name, size_t column, Arena *arena, TimeRows *rows)
{
    int64_t *times = arena_array(arena, int64_t, ROWS_MAX);
    double *values = arena_array(arena, double, ROWS_MAX);
    const char *text;
    size_t count = 0;

    if (!read_file(name, arena, &text))
        return false;
    for (const char *line = strchr(text, '\n') + 1; *line; line = strchrnul(line, '\n') + 1) {
        const char *day = arena_format(arena, "%.10sT00:00:00Z", line), *field = line;

        for (size_t i = 0; i < column; i++)
            field = strchr(field, ',') + 1;
        EXPECT(count < ROWS_MAX && time_parse(day, &times[count]));
        values[count++] = *field == ',' || *field == '\n' ? NAN : strtod(field, NULL);
        if (!strchr(line, '\n'))
            break;
    }
    *rows = (TimeRows){times, values, count};
    return true;
}

static TimeIndex index_of(const TimeRows *rows, Arena *arena)
{
    TimeIndexSpec spec = {.gaps = GAP_SEASON};
    TimeIndex index;
    Error error = {0};

    EXPECT_OK(time_index_make(rows, &spec, arena, &index, &error), error);
    return index;
}

typedef struct Judged {
    ForecastScore wide, narrow; /* at 95 and at 80 % */
} Judged;

/* The last values of a series, forecast from those before. */
static Judged judge(const TimeIndex *index, size_t horizon, Arena *arena)
{
    size_t learnt = index->count - horizon;
    ForecastInput input = {"", index->values, learnt,
                           index->last_ms - (int64_t)horizon * FREQUENCY_DAY_MS};
    ForecastSpec spec = {.frequency = index->frequency,
                         .horizon = horizon,
                         .periods = {index->periods[0]},
                         .period_count = 1};
    Series series = {index->values, learnt, index->periods[0]};
    ForecastResult result;
    DatedForecast wide, narrow;
    Judged judged;
    Error error = {0};

    EXPECT_OK(forecast_model_train(&(ForecastInputs){&input, 1, parallel_core_count()}, &spec,
                                   arena, &result, &error),
              error);
    EXPECT_OK(forecast_model_predict(result.model, &(ForecastAsk){0, horizon, 0.95}, arena, &wide,
                                     &error),
              error);
    EXPECT_OK(forecast_model_predict(result.model, &(ForecastAsk){0, horizon, 0.8}, arena, &narrow,
                                     &error),
              error);
    EXPECT(wide.times_ms[horizon - 1] == index->last_ms);
    judged.wide = forecast_score_intervals(
        index->values + learnt, &(ForecastIntervals){horizon, wide.mean, wide.low, wide.high}, 0.95,
        &series);
    judged.narrow = forecast_score_intervals(
        index->values + learnt, &(ForecastIntervals){horizon, narrow.mean, narrow.low, narrow.high},
        0.8, &series);
    forecast_model_unload(&result.model);
    return judged;
}

/* The mean of each weekday has 396.3, an ARIMA(2,0,2) 437.2. */
static void test_sales_of_the_last_month_are_forecast_better_than_by_weekdays(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    TimeRows rows;
    TimeIndex index;
    Judged judged;

    if (!read_days("adventureworks-daily/mlops_forecast_data.csv", 1, arena, &rows))
        return;
    index = index_of(&rows, arena);
    EXPECT(index.count == 305 && index.report.filled == 0 && index.periods[0] == 7);
    EXPECT(index.frequency.step_ms == FREQUENCY_DAY_MS);
    judged = judge(&index, 31, arena);
    EXPECT(judged.wide.rmse <= 390);
    EXPECT(judged.narrow.coverage >= 0.7 && judged.narrow.coverage <= 0.9);
    EXPECT(judged.wide.coverage > judged.narrow.coverage);
}

/* Withdrawals of money have days without a value, which are filled with those of a week before. The
 * seasonal naive has a MASE of 1.03 over all of them, Holt and Winters' method 0.875. */
static void test_withdrawals_are_forecast_with_intervals_that_hold(void)
{
    enum { STEP = 20, HORIZON = 56, COLUMNS = 111 };
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    double mase = 0, coverage = 0, count = 0;

    for (size_t column = 1; column <= COLUMNS; column += STEP) {
        TimeRows rows;
        TimeIndex index;
        Judged judged;

        if (!read_days("nn5-daily/nn5_daily.csv", column, arena, &rows))
            return;
        index = index_of(&rows, arena);
        EXPECT(index.period_count == 1 && index.periods[0] == 7);
        EXPECT(index.report.filled == index.report.missing);
        judged = judge(&index, HORIZON, arena);
        mase += judged.wide.mase;
        coverage += judged.wide.coverage;
        count++;
    }
    EXPECT(mase / count < 0.95);
    EXPECT_NEAR(coverage / count, 0.95, 0.04);
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_sales_of_the_last_month_are_forecast_better_than_by_weekdays),
        TEST(test_withdrawals_are_forecast_with_intervals_that_hold),
        {0},
    };
    return test_main(tests, count, names);
}
