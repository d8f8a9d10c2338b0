/* A forecast from a data set to its gate: what is held out, which dates are compared, what is said
 * of data that cannot be forecast. */
#include "base/time.h"
#include "pipelines/gate.h"
#include "registry/model.h"
#include "tests/unit/pipelines/pipeline_fixture.h"

enum { HORIZON = 14 };

static const char sales_file[] = "project: sales\n"
                                 "data: {sales: {target: sold}}\n"
                                 "release: {endpoint: sales}\n";

/* A week's season on a slow wave, and noise that is the same each time. */
static double sold(size_t store, size_t day)
{
    return 100 + 40 * (double)(day % 7 >= 5) + 10 * (double)store + 8 * sin((double)day / 20) +
           (double)((day * 7919 + store * 104729) % 101) / 10;
}

static const char *date(size_t day, Arena *arena)
{
    char text[TIME_TEXT_SIZE];

    return arena_format(arena, "%.10s",
                        time_format(INT64_C(1704067200000) + (int64_t)day * 86400000, text));
}

static const char *make_days(size_t stores, size_t days, Arena *arena)
{
    TextBuilder csv = {.arena = arena};

    text_append(&csv, "day,store,sold\n");
    for (size_t day = 0; day < days; day++)
        for (size_t store = 0; store < stores; store++)
            text_append_format(&csv, "%s,store %zu,%.3f\n", date(day, arena), store,
                               sold(store, day));
    return text_built(&csv);
}

typedef struct Columns {
    const char *target, *time, *group, *known;
} Columns;

static const Columns usual = {"sold", "day", "store", NULL};

static void add_version(Fixture *fixture, const char *csv, const Columns *columns)
{
    DatasetSpec spec = {.name = "sales", .source = "made up"};
    TreeEntry entry = {.path = "sales.csv"};
    Scope *scope = &fixture->scope;
    DatasetVersion version;
    Artifact artifact;
    bool is_new;

    EXPECT_OK(artifact_add_bytes(fixture->platform->artifacts, csv, strlen(csv), &artifact,
                                 &scope->error),
              scope->error);
    memcpy(entry.digest, artifact.digest, sizeof(entry.digest));
    *arena_push(fixture->arena, &spec.files) = entry;
    spec.options.target = columns->target;
    spec.options.time = columns->time;
    spec.options.group = columns->group;
    if (columns->known)
        text_list_add(&spec.options.known, fixture->arena, columns->known);
    EXPECT_OK(dataset_add(scope, &spec, &version, &is_new), scope->error);
    EXPECT(is_new);
}

static Fixture open_sales(void)
{
    Fixture fixture = fixture_open();
    FixturePut put = {"sales", sales_file, {.is_new = false}};

    EXPECT_OK(scope_write(&fixture.scope, fixture_write_project, &put), fixture.scope.error);
    return fixture;
}

static TrainingSpec forecast_spec(void)
{
    TrainingSpec spec = training_spec_default();

    spec.project = "sales";
    spec.task = "forecast";
    spec.horizon = HORIZON;
    return spec;
}

static Run train(Fixture *fixture, const char *data)
{
    TrainingSpec spec = forecast_spec();
    Run run;

    spec.data = data;
    EXPECT_OK(training_start(&fixture->scope, fixture->trainer, &spec, &run), fixture->scope.error);
    return fixture_wait(fixture, run.id);
}

static ModelVersion version_of(Fixture *fixture, int64_t number)
{
    ModelVersion version;

    EXPECT_OK(model_version_resolve(&fixture->scope, "sales",
                                    arena_format(fixture->arena, "%lld", (long long)number),
                                    &version),
              fixture->scope.error);
    return version;
}

static const JsonValue *judge(Fixture *fixture, int64_t challenger, int64_t champion)
{
    ModelVersion version = version_of(fixture, challenger), serving;
    Endpoint endpoint = {.name = "sales", .project = "sales", .rule = gate_rule_default()};
    const JsonValue *verdict;
    Gate gate;

    if (champion) {
        serving = version_of(fixture, champion);
        endpoint.model = "sales";
        endpoint.version = champion;
        endpoint.package = serving.package;
    }
    gate = gate_judge(&fixture->scope, &endpoint, &version);
    EXPECT_OK(json_parse(gate.verdict, strlen(gate.verdict), fixture->arena, &verdict,
                         &fixture->scope.error),
              fixture->scope.error);
    return verdict;
}

static double value_of(const JsonValue *verdict, const char *role)
{
    return json_as_double(json_member(json_member(verdict, role), "value"), NAN);
}

static const char *text_of(const JsonValue *verdict, const char *key)
{
    return json_as_text(json_member(verdict, key), "");
}

static void test_the_last_dates_are_held_out_and_then_learnt(void)
{
    CLEANUP(package_close) Package package = {0};
    CLEANUP(fixture_close) Fixture fixture = open_sales();
    const ForecastModel *model;
    const JsonValue *verdict;
    Run run;

    add_version(&fixture, make_days(2, 120, fixture.arena), &usual);
    run = train(&fixture, NULL);
    EXPECT_TEXT(run.failure ? run.failure : "", "");
    EXPECT_TEXT(fixture_param(&run.params, "holdout_rows"), "28");
    EXPECT(fixture_metric(&run, "holdout.mase") > 0 && fixture_metric(&run, "holdout.r2") > 0.5);
    EXPECT(fixture_metric(&run, "holdout.coverage") > 0.7);
    EXPECT(fixture_count_events(&fixture, "holdout.frozen") == 0);

    EXPECT_OK(package_open(fixture.platform->artifacts, version_of(&fixture, 1).package,
                           fixture.arena, &package, &fixture.scope.error),
              fixture.scope.error);
    model = predictor_forecast(package.model);
    EXPECT(forecast_model_count(model) == 2 && forecast_model_horizon(model) == HORIZON);
    EXPECT(forecast_model_series(model, 1).count == 120);
    EXPECT_TEXT(json_as_text(json_member(package.signature, "frequency"), ""), "day");

    /* Renewed on what was before the dates it is the model that had not seen them. */
    verdict = judge(&fixture, 1, 0);
    EXPECT_TEXT(text_of(verdict, "outcome"), "accepted");
    EXPECT(fabs(value_of(verdict, "challenger") - fixture_metric(&run, "holdout.mase")) < 1e-9);
    EXPECT(value_of(verdict, "challenger") < json_as_double(json_member(verdict, "baseline"), 0));
}

/* Two stores with a fair now and then, which brings 100 more; the last week is still to come. */
static const char *make_fairs(size_t days, Arena *arena)
{
    TextBuilder csv = {.arena = arena};

    text_append(&csv, "day,store,sold,fair\n");
    for (size_t day = 0; day < days + 7; day++)
        for (size_t store = 0; store < 2; store++) {
            bool is_fair = (day * 37 + store * 3) % 41 < 5;

            text_append_format(&csv, "%s,store %zu,", date(day, arena), store);
            if (day < days)
                text_append_format(&csv, "%.3f", sold(store, day) + 100 * is_fair);
            text_append_format(&csv, ",%s\n", is_fair ? "fair" : "");
        }
    return text_built(&csv);
}

static void test_known_columns_are_learnt_with_and_kept_for_the_days_to_come(void)
{
    static const Columns with = {"sold", "day", "store", "fair"};
    CLEANUP(package_close) Package package = {0};
    CLEANUP(fixture_close) Fixture fixture = open_sales();
    ForecastAsk ask = {.steps = 7, .level = 0.95};
    const JsonValue *verdict;
    const ForecastModel *model;
    DatedForecast dated;
    Run with_known, without;

    add_version(&fixture, make_fairs(150, fixture.arena), &usual);
    add_version(&fixture, make_fairs(150, fixture.arena), &with);
    without = train(&fixture, "sales@1");
    with_known = train(&fixture, "sales@2");
    EXPECT_TEXT(with_known.failure ? with_known.failure : "", "");
    EXPECT(fixture_metric(&with_known, "holdout.mae") < 15);
    EXPECT(fixture_metric(&with_known, "holdout.mae") <
           fixture_metric(&without, "holdout.mae") / 2);

    EXPECT_OK(package_open(fixture.platform->artifacts, version_of(&fixture, 2).package,
                           fixture.arena, &package, &fixture.scope.error),
              fixture.scope.error);
    model = predictor_forecast(package.model);
    EXPECT(forecast_model_known(model)->count == 1 && forecast_model_series(model, 1).count == 150);
    for (ask.series = 0; ask.series < 2; ask.series++) {
        EXPECT_OK(forecast_model_predict(model, &ask, fixture.arena, &dated, &fixture.scope.error),
                  fixture.scope.error);
        for (size_t i = 0; i < 7; i++) {
            bool is_fair = ((150 + i) * 37 + ask.series * 3) % 41 < 5;

            EXPECT(fabs(dated.mean[i] - sold(ask.series, 150 + i) - 100 * is_fair) < 30);
        }
    }

    verdict = judge(&fixture, 2, 1); /* on the same dates, one with the fairs */
    EXPECT(fabs(value_of(verdict, "challenger") - fixture_metric(&with_known, "holdout.mase")) <
           1e-9);
    EXPECT(value_of(verdict, "champion") > 1.5 * value_of(verdict, "challenger"));
}

static const char *notes_of(Fixture *fixture, const JsonValue *verdict)
{
    return json_print(json_member(verdict, "notes"), fixture->arena);
}

/* What the champion serves for the dates, against what came. */
static double served_mae(Fixture *fixture, int64_t number, size_t first, size_t last)
{
    CLEANUP(package_close) Package package = {0};
    ForecastAsk ask = {.steps = last - first + 1, .level = 0.95};
    size_t skipped = ask.steps - HORIZON;
    DatedForecast dated;
    double sum = 0;

    EXPECT_OK(package_open(fixture->platform->artifacts, version_of(fixture, number).package,
                           fixture->arena, &package, &fixture->scope.error),
              fixture->scope.error);
    EXPECT_OK(forecast_model_predict(predictor_forecast(package.model), &ask, fixture->arena,
                                     &dated, &fixture->scope.error),
              fixture->scope.error);
    for (size_t i = skipped; i < ask.steps; i++)
        sum += fabs(dated.mean[i] - round(sold(0, first + i) * 1000) / 1000);
    return sum / HORIZON;
}

static void test_both_forecast_the_same_dates_and_neither_has_seen_them(void)
{
    CLEANUP(fixture_close) Fixture fixture = open_sales();
    const JsonValue *verdict, *metrics;

    add_version(&fixture, make_days(1, 100, fixture.arena), &usual);
    add_version(&fixture, make_days(1, 120, fixture.arena), &usual);
    add_version(&fixture, make_days(1, 200, fixture.arena), &usual);
    for (size_t i = 1; i <= 3; i++)
        EXPECT(train(&fixture, arena_format(fixture.arena, "sales@%zu", i)).status == RUN_FINISHED);

    verdict = judge(&fixture, 2, 1); /* it ends 6 days before the dates */
    metrics = json_member(json_member(verdict, "metrics"), "champion");
    EXPECT(strstr(notes_of(&fixture, verdict), "the champion ends before the dates, and forecast "
                                               "them as it serves"));
    EXPECT(fabs(json_as_double(json_member(metrics, "mae"), NAN) -
                served_mae(&fixture, 1, 100, 119)) < 1e-9);
    EXPECT_TEXT(text_of(json_member(verdict, "holdout"), "first"), "2024-04-16T00:00:00.000Z");
    EXPECT_TEXT(text_of(json_member(verdict, "holdout"), "last"), "2024-04-29T00:00:00.000Z");

    verdict = judge(&fixture, 3, 1); /* 86 days, and it forecasts 56 */
    EXPECT(strstr(notes_of(&fixture, verdict), "beyond the 56 steps that the champion forecasts"));
    EXPECT(!isnan(value_of(verdict, "champion")));

    verdict = judge(&fixture, 2, 3);
    EXPECT(strstr(notes_of(&fixture, verdict), "the champion has seen the dates"));

    verdict = judge(&fixture, 2, 2);
    EXPECT(value_of(verdict, "champion") == value_of(verdict, "challenger"));
    EXPECT_TEXT(text_of(verdict, "finding"), "not worse, within noise");
}

static void test_only_series_that_both_forecast_are_compared(void)
{
    CLEANUP(fixture_close) Fixture fixture = open_sales();
    const JsonValue *verdict;

    add_version(&fixture, make_days(1, 100, fixture.arena), &usual);
    add_version(&fixture, make_days(3, 100, fixture.arena), &usual);
    EXPECT(train(&fixture, "sales@1").status == RUN_FINISHED);
    EXPECT(train(&fixture, "sales@2").status == RUN_FINISHED);
    verdict = judge(&fixture, 2, 1);
    EXPECT(json_as_int(json_member(json_member(verdict, "holdout"), "series"), 0) == 1);
    EXPECT(strstr(notes_of(&fixture, verdict),
                  "judged on the 1 of 3 series that all models forecast"));
}

static void test_a_series_that_is_too_short_is_left_out_and_said(void)
{
    CLEANUP(fixture_close) Fixture fixture = open_sales();
    const char *csv = make_days(1, 100, fixture.arena);
    Run run;

    add_version(
        &fixture,
        arena_format(fixture.arena, "%s2024-01-01,new store,5\n2024-01-02,new store,6\n", csv),
        &usual);
    run = train(&fixture, NULL);
    EXPECT(run.status == RUN_FINISHED);
    EXPECT_TEXT(fixture_param(&run.tags, "slipway.notes"),
                "series \"new store\" is left out: it has 2 values, and with this horizon 22 are "
                "needed");
}

static void test_a_series_whose_dates_are_wrong_stops_none_of_the_others(void)
{
    CLEANUP(fixture_close) Fixture fixture = open_sales();
    TextBuilder csv = {.arena = fixture.arena};
    const char *notes;
    Run run;

    text_append(&csv, make_days(1, 60, fixture.arena));
    for (size_t day = 0; day < 90; day++) /* the longest of all */
        text_append_format(&csv, "%s,twice,%zu\n", date(day / 2, fixture.arena), day);
    add_version(&fixture, text_built(&csv), &usual);
    run = train(&fixture, NULL);
    EXPECT_TEXT(run.failure ? run.failure : "", "");
    notes = fixture_param(&run.tags, "slipway.notes");
    EXPECT(notes && strstr(notes, "series \"twice\": ") && strstr(notes, "; it is left out"));
    EXPECT_TEXT(fixture_param(&run.params, "holdout_rows"), "14");
}

static void test_gaps_are_filled_and_said(void)
{
    CLEANUP(fixture_close) Fixture fixture = open_sales();
    TextBuilder csv = {.arena = fixture.arena};
    Run run;

    text_append(&csv, "day,store,sold\n");
    for (size_t day = 0; day < 100; day++)
        if (day != 50 && day != 60)
            text_append_format(&csv, "%s,a,%.3f\n", date(day, fixture.arena), sold(0, day));
    add_version(&fixture, text_built(&csv), &usual);
    run = train(&fixture, NULL);
    EXPECT(run.status == RUN_FINISHED);
    EXPECT(strstr(fixture_param(&run.tags, "slipway.notes"), "the first at 2024-02-20"));
}

/* Data that cannot be forecast, and the sentence that says what to do. */
typedef struct Unfit {
    const char *csv;
    Columns columns;
    const char *sentence;
} Unfit;

static const Unfit unfit[] = {
    {"day,store,sold\n2024-01-01,a,1\n2024-01-02,a,2\n",
     {"sold", "day", "store"},
     "no series is long enough: a horizon of 14 takes 22 values, the last 14 of which are held "
     "out; "
     "series \"a\" is left out: it has 2 values, and with this horizon 22 are needed"},
    {"day,store,sold\n2024-01-01,a,1\n2024-01-01,a,2\n2024-01-02,a,2\n2024-01-03,a,2\n",
     {"sold", "day", "store"},
     "series \"a\": "},
    {"day,store,sold\n2024-01-01,a,1\n,a,2\n2024-01-02,a,2\n",
     {"sold", "day", "store"},
     "1 of 3 rows have no time: remove them before, or give them one"},
    {"day,store,sold\n2024-01-01,a,1\n2024-01-02,,2\n2024-01-03,a,2\n",
     {"sold", "day", "store"},
     "1 of 3 rows name no series in the column of role \"group\": remove them before, or name it"},
    {"day,due,sold\n2024-01-01,2024-01-05,1\n2024-01-02,2024-01-06,2\n",
     {"sold", "day", NULL, "due"},
     "the column \"due\" of role \"known\" is of type time: a known column has numbers or the "
     "values of a category"},
    {"day,price,sold\n2024-01-01,1e120,1\n2024-01-02,1,2\n",
     {"sold", "day", NULL, "price"},
     "the known column \"price\" of row 1 is 1e+120: numbers are at most 1e+100 in size"},
};

/* Of the many values of a category. */
static void test_a_known_category_of_too_many_values_is_refused(void)
{
    static const Columns columns = {"sold", "day", NULL, "store"};
    CLEANUP(fixture_close) Fixture fixture = open_sales();
    TextBuilder csv = {.arena = fixture.arena};
    Run run;

    text_append(&csv, "day,store,sold\n");
    for (size_t day = 0; day < 100; day++)
        text_append_format(&csv, "%s,store %zu,%zu\n", date(day, fixture.arena), day, day);
    add_version(&fixture, text_built(&csv), &columns);
    run = train(&fixture, NULL);
    EXPECT(run.status == RUN_FAILED);
    EXPECT(text_has_prefix(run.failure, "the known column \"store\" has more than 64 different "
                                        "values: a category has at most so many"));
}

static void test_data_that_cannot_be_forecast_is_refused_with_what_to_do(void)
{
    CLEANUP(fixture_close) Fixture fixture = open_sales();

    for (size_t i = 0; i < COUNT(unfit); i++) {
        Run run;

        add_version(&fixture, unfit[i].csv, &unfit[i].columns);
        run = train(&fixture, NULL);
        EXPECT(run.status == RUN_FAILED);
        if (!text_has_prefix(run.failure, unfit[i].sentence))
            fprintf(stderr, "said: %s\n", run.failure);
        EXPECT(text_has_prefix(run.failure, unfit[i].sentence));
    }
}

static void refused(Fixture *fixture, const TrainingSpec *spec, const char *sentence)
{
    Run run;

    EXPECT(!training_start(&fixture->scope, fixture->trainer, spec, &run));
    EXPECT_TEXT(fixture->scope.error.message, sentence);
    fixture->scope.error = (Error){0};
}

static void test_what_is_asked_wrongly_is_refused_at_once(void)
{
    CLEANUP(fixture_close) Fixture fixture = open_sales();
    TrainingSpec spec = forecast_spec();

    add_version(&fixture, make_days(1, 100, fixture.arena), &usual);
    spec.horizon = 0;
    refused(&fixture, &spec,
            "a forecast needs a horizon: how many steps ahead it is judged by, 1 to 10000");
    spec = forecast_spec();
    spec.task = "regression";
    refused(&fixture, &spec, "a horizon is of a forecast: say that the task is \"forecast\"");
    spec = forecast_spec();
    spec.metric = "f1";
    refused(&fixture, &spec,
            "\"f1\" is a metric of classification, not of forecast, whose are rmse, mae, r2, mase, "
            "smape, msis");
    spec = forecast_spec();
    spec.balance = true;
    refused(&fixture, &spec, "classes are balanced, and the target \"sold\" is learnt as numbers");
    add_version(&fixture, make_days(1, 101, fixture.arena), &(Columns){"sold", NULL, "store"});
    spec = forecast_spec();
    refused(&fixture, &spec,
            "data set \"sales\" version 2 has no column with the role \"time\", which a forecast "
            "needs: register it with one");
}

int main(int count, char **arguments)
{
    static const Test tests[] = {
        TEST(test_the_last_dates_are_held_out_and_then_learnt),
        TEST(test_both_forecast_the_same_dates_and_neither_has_seen_them),
        TEST(test_only_series_that_both_forecast_are_compared),
        TEST(test_a_series_that_is_too_short_is_left_out_and_said),
        TEST(test_a_series_whose_dates_are_wrong_stops_none_of_the_others),
        TEST(test_gaps_are_filled_and_said),
        TEST(test_known_columns_are_learnt_with_and_kept_for_the_days_to_come),
        TEST(test_a_known_category_of_too_many_values_is_refused),
        TEST(test_data_that_cannot_be_forecast_is_refused_with_what_to_do),
        TEST(test_what_is_asked_wrongly_is_refused_at_once),
        {0},
    };

    return fixture_main(tests, count, arguments);
}
