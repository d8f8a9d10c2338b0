#include "cli/forecast.h"

#include <math.h>
#include <stdio.h>

bool cli_has_forecasts(const JsonValue *answers)
{
    JsonWalk first = json_walk(answers);

    return json_walk_next(&first) && json_member(first.value, "forecast");
}

static bool has_names(const JsonValue *answers)
{
    for (JsonWalk walk = json_walk(answers); json_walk_next(&walk);)
        if (*json_as_text(json_member(walk.value, "series"), ""))
            return true;
    return false;
}

static const char *figure(Cli *cli, const JsonValue *step, const char *key)
{
    return cli_format(cli, "%.6g", json_as_double(json_member(step, key), NAN));
}

static void add_steps(Cli *cli, const JsonValue *answer, bool with_name, TextList *cells)
{
    static const char *const keys[] = {"value", "low", "high"};

    for (JsonWalk walk = json_walk(json_member(answer, "forecast")); json_walk_next(&walk);) {
        if (with_name)
            text_list_add(cells, cli->arena, json_as_text(json_member(answer, "series"), ""));
        text_list_add(cells, cli->arena, json_as_text(json_member(walk.value, "time"), ""));
        for (size_t i = 0; i < COUNT(keys); i++)
            text_list_add(cells, cli->arena, figure(cli, walk.value, keys[i]));
    }
}

void cli_print_forecasts(Cli *cli, const JsonValue *answers)
{
    static const char *const head[] = {"SERIES", "TIME", "VALUE", "LOW", "HIGH"};
    bool with_name = has_names(answers);
    size_t skipped = with_name ? 0 : 1, width = COUNT(head) - skipped;
    TextList cells = {0};

    for (size_t i = skipped; i < COUNT(head); i++)
        text_list_add(&cells, cli->arena, head[i]);
    for (JsonWalk walk = json_walk(answers); json_walk_next(&walk);)
        add_steps(cli, walk.value, with_name, &cells);
    cli_print_table(cells.items, width, cells.count / width, &"llrrr"[skipped]);
}

static void print_backtest(Cli *cli, const JsonValue *backtest)
{
    printf("  in %lld back-tests\n", (long long)json_as_int(json_member(backtest, "windows"), 0));
    for (JsonWalk walk = json_walk(backtest); json_walk_next(&walk);)
        if (walk.index)
            printf("  %-8s %s\n", walk.key, figure(cli, backtest, walk.key));
}

static const JsonValue *item_at(const JsonValue *list, size_t index)
{
    JsonWalk walk = json_walk(list);

    while (json_walk_next(&walk))
        if (walk.index == index)
            return walk.value;
    return NULL;
}

/* A row for each date: what each known column is and does there. */
static void print_effects(Cli *cli, const JsonValue *answer)
{
    const JsonValue *known = json_member(answer, "known");
    TextBuilder align = {.arena = cli->arena};
    TextList cells = {0};

    text_list_add(&cells, cli->arena, "TIME");
    text_append(&align, "l");
    for (JsonWalk column = json_walk(known); json_walk_next(&column);) {
        text_list_add(&cells, cli->arena, column.key);
        text_list_add(&cells, cli->arena, "EFFECT");
        text_append(&align, "rr");
    }
    for (JsonWalk step = json_walk(json_member(answer, "forecast")); json_walk_next(&step);) {
        text_list_add(&cells, cli->arena, json_as_text(json_member(step.value, "time"), ""));
        for (JsonWalk column = json_walk(known); json_walk_next(&column);) {
            const JsonValue *value = item_at(json_member(column.value, "values"), step.index);
            const JsonValue *effect = item_at(json_member(column.value, "effects"), step.index);

            text_list_add(&cells, cli->arena,
                          json_is_text(value)
                              ? json_as_text(value, "")
                              : cli_format(cli, "%.6g", json_as_double(value, NAN)));
            text_list_add(&cells, cli->arena,
                          cli_format(cli, "%+.6g", json_as_double(effect, NAN)));
        }
    }
    cli_print_table(cells.items, 1 + 2 * json_count(known),
                    cells.count / (1 + 2 * json_count(known)), text_built(&align));
}

static void print_reasons(Cli *cli, const JsonValue *answer)
{
    const char *id = json_as_text(json_member(answer, "series"), "");
    const JsonValue *backtest = json_member(answer, "backtest");

    printf("%s\n  by       %s\n  learnt   %lld values, the last of %.10s\n",
           *id ? id : "the series", json_as_text(json_member(answer, "choice"), ""),
           (long long)json_as_int(json_member(answer, "values"), 0),
           json_as_text(json_member(answer, "last"), ""));
    if (json_is_object(backtest))
        print_backtest(cli, backtest);
    if (json_count(json_member(answer, "known")))
        print_effects(cli, answer);
}

void cli_print_forecast_reasons(Cli *cli, const JsonValue *answers)
{
    for (JsonWalk walk = json_walk(answers); json_walk_next(&walk);)
        print_reasons(cli, walk.value);
}

/* ---- by the step ---- */

static const char *const step_figures[] = {"mase", "smape", "rmse",    "mae",
                                           "r2",   "msis",  "coverage"};

static void add_step(Cli *cli, const JsonValue *part, const char *count, const char *metrics,
                     TextList *cells)
{
    long long first = (long long)json_as_int(json_member(part, "first"), 0);
    long long last = (long long)json_as_int(json_member(part, "last"), 0);

    text_list_add(cells, cli->arena,
                  first == last ? cli_format(cli, "%lld", first)
                                : cli_format(cli, "%lld to %lld", first, last));
    text_list_add(cells, cli->arena,
                  cli_format(cli, "%lld", (long long)json_as_int(json_member(part, count), 0)));
    for (size_t i = 0; i < COUNT(step_figures); i++) {
        double value =
            json_as_double(json_member(json_member(part, metrics), step_figures[i]), NAN);

        text_list_add(cells, cli->arena, isnan(value) ? "no data" : cli_format(cli, "%.6g", value));
    }
}

static void print_steps(Cli *cli, const JsonValue *parts, const char *count, const char *metrics)
{
    static const char *const head[] = {"STEP", "VALUES", "MASE", "SMAPE",   "RMSE",
                                       "MAE",  "R2",     "MSIS", "COVERAGE"};
    TextList cells = {0};

    for (size_t i = 0; i < COUNT(head); i++)
        text_list_add(&cells, cli->arena, head[i]);
    for (JsonWalk walk = json_walk(parts); json_walk_next(&walk);)
        add_step(cli, walk.value, count, metrics, &cells);
    cli_print_table(cells.items, COUNT(head), cells.count / COUNT(head), "lrrrrrrrr");
}

static bool has_backtests(const JsonValue *parts)
{
    JsonWalk first = json_walk(parts);

    return json_walk_next(&first) &&
           json_as_int(json_member(first.value, "backtest_values"), 0) > 0;
}

void cli_print_steps(Cli *cli, const JsonValue *report)
{
    const JsonValue *parts = json_member(report, "steps");

    if (!json_count(parts))
        return;
    printf("\nby the step of the horizon\n");
    print_steps(cli, parts, "values", "metrics");
    printf("\nby the step, in back-tests%s\n", has_backtests(parts) ? "" : ": no data");
    if (has_backtests(parts))
        print_steps(cli, parts, "backtest_values", "backtest_metrics");
}
