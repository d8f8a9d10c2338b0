/* study_forecast: how good and how fast the learners of one series are on public sets.
 *
 *     study_forecast [SET [EVERY]]          a line for each learner of each set whose name has SET
 *     study_forecast series SET EVERY       the series themselves, for peers: id, how many values
 * are learnt from, and all values
 *     study_forecast likelihood SET EVERY   the form, deviance and AICc of each series
 *     study_forecast choice SET EVERY       the rule and the leaderboard of the automatic choice
 *
 * EVERY 10 takes each tenth series. Fields are parted by tabs. One origin: the end of what is
 * learnt from. bench/study_forecast.py runs it beside its peers and writes
 * docs/results/forecast.md.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/parallel.h"
#include "base/text.h"
#include "ml/ets.h"
#include "ml/forecast_metric.h"
#include "ml/forecast_model.h"

enum { SERIES_MAX = 500, FILE_BYTES_MAX = 1 << 24 };

static const double level = 0.95;

typedef struct Example {
    const char *id;
    double *values; /* those to learn from, then those that came */
    size_t learnt, count;
} Example;

typedef struct Examples {
    Example *items;
    size_t count;
} Examples;

/* A file of one series a line (and a second one with what came), or of one a column. */
typedef struct Set {
    const char *name, *file, *test_file;
    size_t horizon, period;
    int first_column, last_column; /* of a file of columns; -1: the last one */
    size_t longer;                 /* a longer season that may be there; 0: none */
} Set;

static const Set sets[] = {
    {"M4 Hourly", "m4/Hourly-train.csv", "m4/Hourly-test.csv", 48, 24, .longer = 168},
    {"M4 Weekly", "m4/Weekly-train.csv", "m4/Weekly-test.csv", 13, 1, .longer = 52},
    {"nn5-daily", "nn5-daily/nn5_daily.csv", NULL, 56, 7, 1, -1, 365},
    {"air-passengers 12", "air-passengers/airline-passengers.csv", NULL, 12, 12, 1, 1},
    {"air-passengers 24", "air-passengers/airline-passengers.csv", NULL, 24, 12, 1, 1},
    {"bike-sharing day", "bike-sharing/day.csv", NULL, 28, 7, 15, 15, 365},
    {"adventureworks", "adventureworks-daily/mlops_forecast_data.csv", NULL, 28, 7, 1, 1, 365},
    {"adventureworks 31", "adventureworks-daily/mlops_forecast_data.csv", NULL, 31, 7, 1, 1, 365},
    {"adventureworks 2013", "adventureworks-daily/mlops_forecast_data2013.csv", NULL, 16, 7, 1, 1},
};

/* ---- reading ---- */

static bool read_text(const char *file, Arena *arena, const char **text, Error *error)
{
    const char *root = getenv("SLIPWAY_DATA");
    size_t size;

    return file_read(arena_format(arena, "%s/%s", root ? root : "../shared/data", file),
                     FILE_BYTES_MAX, arena, text, &size, error);
}

/* The fields of a line without their quotes; an empty one is NULL. */
static size_t split_line(char *line, char **fields, size_t most)
{
    size_t count = 0;

    line[strcspn(line, "\r\n")] = '\0';
    for (char *field; (field = strsep(&line, ",")) && count < most;) {
        field += *field == '"';
        field[strcspn(field, "\"")] = '\0';
        fields[count++] = *field ? field : NULL;
    }
    return count;
}

enum { FIELDS_MAX = 4096 };

static void append(Example *example, double value, Arena *arena)
{
    example->values = arena_grow(arena, example->values, example->count, sizeof(double));
    example->values[example->count++] = value;
}

static void append_fields(Example *example, char **fields, size_t count, Arena *arena)
{
    for (size_t i = 1; i < count && fields[i]; i++)
        append(example, strtod(fields[i], NULL), arena);
}

static bool read_lines(const char *file, Examples *examples, Arena *arena, Error *error)
{
    const char *text;
    char *copy, *fields[FIELDS_MAX];
    size_t at = 0;

    if (!read_text(file, arena, &text, error))
        return false;
    copy = arena_text(arena, text);
    strsep(&copy, "\n");
    for (char *line; (line = strsep(&copy, "\n")) && *line && at < SERIES_MAX; at++) {
        size_t count = split_line(line, fields, FIELDS_MAX);

        examples->items[at].id = fields[0];
        append_fields(&examples->items[at], fields, count, arena);
    }
    examples->count = at;
    return true;
}

static bool read_columns(const Set *set, Examples *examples, Arena *arena, Error *error)
{
    const char *text;
    char *copy, *fields[FIELDS_MAX];
    size_t first = (size_t)set->first_column;

    if (!read_text(set->file, arena, &text, error))
        return false;
    copy = arena_text(arena, text);
    for (char *line; (line = strsep(&copy, "\n")) && *line;) {
        size_t count = split_line(line, fields, FIELDS_MAX);
        size_t last = set->last_column < 0 ? count - 1 : (size_t)set->last_column;
        bool is_heading = examples->count == 0;

        for (size_t i = first; i <= last && i - first < SERIES_MAX; i++)
            if (is_heading)
                examples->items[i - first].id = fields[i];
            else
                append(&examples->items[i - first], fields[i] ? strtod(fields[i], NULL) : NAN,
                       arena);
        examples->count = last - first + 1;
    }
    return true;
}

/* A missing value is learnt as that of a period ago, the first ones as that of a period later; one
 * that came and is missing stays so. */
static void fill_gaps(Example *example, size_t period)
{
    for (size_t i = period; i < example->learnt; i++)
        if (isnan(example->values[i]))
            example->values[i] = example->values[i - period];
    for (size_t i = example->learnt - period; i-- > 0;)
        if (isnan(example->values[i]))
            example->values[i] = example->values[i + period];
}

static bool load_all(const Set *set, Examples *examples, Arena *arena, Error *error)
{
    examples->items = arena_array(arena, Example, SERIES_MAX);
    if (!set->test_file) {
        if (!read_columns(set, examples, arena, error))
            return false;
        for (size_t i = 0; i < examples->count; i++) {
            examples->items[i].learnt = examples->items[i].count - set->horizon;
            fill_gaps(&examples->items[i], set->period);
        }
        return true;
    }
    if (!read_lines(set->file, examples, arena, error))
        return false;
    for (size_t i = 0; i < examples->count; i++)
        examples->items[i].learnt = examples->items[i].count;
    return read_lines(set->test_file, examples, arena, error);
}

static bool load(const Set *set, size_t every, Examples *examples, Arena *arena, Error *error)
{
    size_t count = 0;

    if (!load_all(set, examples, arena, error))
        return false;
    for (size_t i = 0; i < examples->count; i += every)
        examples->items[count++] = examples->items[i];
    examples->count = count;
    return true;
}

/* ---- measuring ---- */

typedef struct Figures {
    double smape, mase, rmse, msis, coverage, seconds;
} Figures;

static double cpu_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void add_score(Figures *sums, const ForecastScore *score)
{
    sums->smape += score->smape;
    sums->mase += score->mase;
    sums->rmse += score->rmse;
    sums->msis += score->msis;
    sums->coverage += score->coverage;
}

static Figures means_of(const Figures *sums, size_t series_count)
{
    double count = (double)series_count;

    return (Figures){sums->smape / count, sums->mase / count,     sums->rmse / count,
                     sums->msis / count,  sums->coverage / count, sums->seconds};
}

static bool measure_one(const SeriesLearner *learner, const Set *set, const Example *example,
                        Figures *sums, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Series series = {example->values, example->learnt, set->period, &set->longer, set->longer > 0};
    SeriesModel model;
    Forecast forecast;
    ForecastScore score;
    double started = cpu_seconds();

    if (!series_fit(learner, &series, arena, &model, error) ||
        !series_forecast(&model, set->horizon, arena, &forecast, error))
        return fail_in(error, "%s", example->id);
    sums->seconds += cpu_seconds() - started;
    score = forecast_score(example->values + example->learnt, &forecast, level, &series);
    add_score(sums, &score);
    return true;
}

static bool measure(const SeriesLearner *learner, const Set *set, const Examples *examples,
                    Figures *figures, Error *error)
{
    Figures sums = {0};

    for (size_t i = 0; i < examples->count; i++)
        if (!measure_one(learner, set, &examples->items[i], &sums, error))
            return false;
    *figures = means_of(&sums, examples->count);
    return true;
}

/* ---- the automatic choice ---- */

static bool train(const Set *set, const Examples *examples, Arena *arena, ForecastResult *result,
                  Error *error)
{
    ForecastInput *inputs = arena_array(arena, ForecastInput, examples->count);
    ForecastSpec spec = {.frequency = {FREQUENCY_DAY_MS, 0, 0},
                         .horizon = set->horizon,
                         .periods = {set->period, set->longer},
                         .period_count = set->longer ? 2 : 1};

    for (size_t i = 0; i < examples->count; i++)
        inputs[i] = (ForecastInput){examples->items[i].id, examples->items[i].values,
                                    examples->items[i].learnt, 0};
    return forecast_model_train(&(ForecastInputs){inputs, examples->count, parallel_core_count()},
                                &spec, arena, result, error);
}

static bool measure_dated(const Set *set, const Example *example, const ForecastModel *model,
                          Figures *sums, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Series series = {example->values, example->learnt, set->period};
    ForecastAsk ask = {.steps = set->horizon, .level = level};
    DatedForecast made;
    ForecastScore score;

    if (!forecast_model_find(model, example->id, &ask.series))
        return fail(error, ERROR_INVALID, "%s was not learnt", example->id);
    if (!forecast_model_predict(model, &ask, arena, &made, error))
        return fail_in(error, "%s", example->id);
    score = forecast_score_intervals(
        example->values + example->learnt,
        &(ForecastIntervals){made.count, made.mean, made.low, made.high}, level, &series);
    add_score(sums, &score);
    return true;
}

static bool measure_automatic(const Set *set, const Examples *examples, Figures *figures,
                              Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    CLEANUP(forecast_model_unload) ForecastModel *model = NULL;
    double started = cpu_seconds();
    ForecastResult result;
    Figures sums = {0};

    if (!train(set, examples, arena, &result, error))
        return false;
    model = result.model;
    sums.seconds = cpu_seconds() - started;
    for (size_t i = 0; i < examples->count; i++)
        if (!measure_dated(set, &examples->items[i], model, &sums, error))
            return false;
    *figures = means_of(&sums, examples->count);
    return true;
}

static void print_choice(const ForecastResult *result)
{
    printf("rule\t%s\n", result->rule);
    for (size_t i = 0; i < result->leaderboard.count; i++) {
        const LeaderboardRow *row = &result->leaderboard.items[i];

        printf("%s\t%.3f\t%.3f\t%.1f\t%s\t%s\n", row->name, row->score, row->score_deviation,
               row->seconds, row->below_baseline ? "below baseline" : "", row->note);
    }
}

static bool run_choice(const Set *set, size_t every, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Examples examples = {0};
    ForecastResult result;

    if (!load(set, every, &examples, arena, error) || !train(set, &examples, arena, &result, error))
        return fail_in(error, "%s", set->name);
    printf("%s\n", set->name);
    print_choice(&result);
    for (size_t i = 0; i < examples.count && i < 10; i++)
        printf("%s\t%s\t%s\n", result.outcomes[i].id, result.outcomes[i].choice,
               result.outcomes[i].failure);
    forecast_model_unload(&result.model);
    return true;
}

/* ---- lines ---- */

static void print_figures(const Set *set, const char *name, size_t count, const Figures *figures,
                          const Figures *yardstick)
{
    printf(
        "%s\t%zu\t%zu\t%zu\t%s\t%.3f\t%.3f\t%.3f\t%.4g\t%.2f\t%.3f\t%.3g\n", set->name, count,
        set->horizon, set->period, name, figures->smape, figures->mase,
        overall_weighted_average(figures->smape, figures->mase, yardstick->smape, yardstick->mase),
        figures->rmse, figures->msis, figures->coverage, (double)count / figures->seconds);
    fflush(stdout);
}

static bool run_set(const Set *set, size_t every, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Examples examples = {0};
    Figures yardstick, figures;

    if (!load(set, every, &examples, arena, error) ||
        !measure(series_learner_find("naive2"), set, &examples, &yardstick, error))
        return fail_in(error, "%s", set->name);
    for (const SeriesLearner *const *learner = series_learners; *learner; learner++) {
        if (!measure(*learner, set, &examples, &figures, error))
            return fail_in(error, "%s", set->name);
        print_figures(set, (*learner)->name, examples.count, &figures, &yardstick);
    }
    if (!measure_automatic(set, &examples, &figures, error))
        return fail_in(error, "%s", set->name);
    print_figures(set, "automatic", examples.count, &figures, &yardstick);
    return true;
}

static void print_model(const Example *example, const char *what, const EtsModel *model,
                        Arena *arena)
{
    printf("%s\t%s\t%s\t%.6f\t%.6f\n", example->id, what, ets_form_name(model->form, arena),
           model->deviance, model->aicc);
}

static void print_likelihood(const Set *set, const Example *example)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Series series = {example->values, example->learnt, set->period};
    EtsModel model = ets_choose(&series, arena);

    print_model(example, "chosen", &model, arena);
    for (unsigned i = 0; i < 18; i++) {
        EtsForm form = {i % 2 == 1, (EtsTrend)(i / 2 % 3), (EtsSeason)(i / 6)};

        if (!ets_can_fit(&series, form))
            continue;
        model = ets_fit(&series, form, arena);
        print_model(example, "form", &model, arena);
    }
}

static void print_series(const Set *set, const Example *example)
{
    printf("%s\t%zu\t%zu", example->id, example->learnt, set->period);
    for (size_t i = 0; i < example->count; i++)
        printf("\t%.17g", example->values[i]);
    printf("\n");
}

static bool print_each(const Set *set, size_t every,
                       void (*print)(const Set *set, const Example *example), Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Examples examples = {0};

    if (!load(set, every, &examples, arena, error))
        return fail_in(error, "%s", set->name);
    for (size_t i = 0; i < examples.count; i++)
        print(set, &examples.items[i]);
    return true;
}

static bool run(const char *what, const char *name, size_t every, Error *error)
{
    for (size_t i = 0; i < COUNT(sets); i++) {
        if (!strstr(sets[i].name, name))
            continue;
        if (strcmp(what, "series") == 0 && !print_each(&sets[i], every, print_series, error))
            return false;
        if (strcmp(what, "likelihood") == 0 &&
            !print_each(&sets[i], every, print_likelihood, error))
            return false;
        if (strcmp(what, "choice") == 0 && !run_choice(&sets[i], every, error))
            return false;
        if (strcmp(what, "measure") == 0 && !run_set(&sets[i], every, error))
            return false;
    }
    return true;
}

int main(int count, char **words)
{
    bool is_said =
        count > 1 && (strcmp(words[1], "series") == 0 || strcmp(words[1], "likelihood") == 0 ||
                      strcmp(words[1], "choice") == 0);
    int at = is_said ? 2 : 1;
    const char *name = count > at ? words[at] : "";
    size_t every = count > at + 1 ? (size_t)strtoul(words[at + 1], NULL, 10) : 1;
    Error error;

    if (run(is_said ? words[1] : "measure", name, every ? every : 1, &error))
        return 0;
    fprintf(stderr, "%s\n", error.message);
    return 1;
}
