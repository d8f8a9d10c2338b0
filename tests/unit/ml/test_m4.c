/* The organisers' own figures on M4's files. SLIPWAY_DATA names the folder. */
#include "base/file.h"
#include "ml/forecast_metric.h"
#include "tests/test.h"

enum { SERIES_MAX = 500, LINE_VALUES_MAX = 4000 };

typedef struct Line {
    double values[LINE_VALUES_MAX];
    size_t count;
} Line;

typedef struct Part {
    Line *lines;
    size_t count;
} Part;

/* "W1","1089.2",...,"","" */
static void read_line(const char *text, const char *end, Line *line)
{
    const char *comma = memchr(text, ',', (size_t)(end - text));

    while (comma && comma + 2 < end) {
        const char *value = comma + 1 + (comma[1] == '"');

        if (*value == '"' || *value == ',')
            return;
        line->values[line->count++] = strtod(value, NULL);
        comma = memchr(value, ',', (size_t)(end - value));
    }
}

static bool read_part(const char *name, Arena *arena, Part *part)
{
    const char *root = getenv("SLIPWAY_DATA"), *bytes;
    const char *path = arena_format(arena, "%s/m4/%s.csv", root ? root : "../shared/data", name);
    size_t size;
    Error error;

    if (!file_read(path, 1 << 23, arena, &bytes, &size, &error)) {
        printf("SKIP: %s is not there\n", path);
        return false;
    }
    part->lines = arena_array(arena, Line, SERIES_MAX);
    for (const char *line = strchr(bytes, '\n') + 1, *end; line < bytes + size; line = end + 1) {
        end = strchrnul(line, '\n');
        read_line(line, end, &part->lines[part->count++]);
    }
    return true;
}

static void expect_figures(const char *set, size_t period, const char *learner, const char *smape,
                           const char *mase)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Part train = {0}, test = {0};
    double smape_sum = 0, mase_sum = 0;
    Error error = {0};

    if (!read_part(arena_format(arena, "%s-train", set), arena, &train) ||
        !read_part(arena_format(arena, "%s-test", set), arena, &test))
        return;
    for (size_t i = 0; i < train.count; i++) {
        Series series = {train.lines[i].values, train.lines[i].count, period};
        SeriesModel model;
        Forecast forecast;
        ForecastScore score;

        EXPECT_OK(series_fit(series_learner_find(learner), &series, arena, &model, &error) &&
                      series_forecast(&model, test.lines[i].count, arena, &forecast, &error),
                  error);
        score = forecast_score(test.lines[i].values, &forecast, 0.95, &series);
        smape_sum += score.smape / (double)train.count;
        mase_sum += score.mase / (double)train.count;
    }
    EXPECT_TEXT(arena_format(arena, "%.3f", smape_sum), smape);
    EXPECT_TEXT(arena_format(arena, "%.3f", mase_sum), mase);
}

static void test_naive2_has_the_published_figures(void)
{
    expect_figures("Weekly", 1, "naive2", "9.161", "2.777");
    expect_figures("Hourly", 24, "naive2", "18.383", "2.395");
}

static void test_naive_and_seasonal_naive_have_the_published_figures(void)
{
    expect_figures("Hourly", 24, "naive", "43.003", "11.608");
    expect_figures("Hourly", 24, "seasonal_naive", "13.912", "1.193");
    expect_figures("Weekly", 1, "naive", "9.161", "2.777");
}

/* Published: 18.138 / 2.455 and 9.093 / 2.637; R's thetaf() has 9.089 / 2.639 on Weekly. */
static void test_theta_has_the_published_figures(void)
{
    expect_figures("Hourly", 24, "theta", "18.138", "2.455");
    expect_figures("Weekly", 1, "theta", "9.088", "2.639");
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_naive2_has_the_published_figures),
        TEST(test_naive_and_seasonal_naive_have_the_published_figures),
        TEST(test_theta_has_the_published_figures),
        {0},
    };
    return test_main(tests, count, names);
}
