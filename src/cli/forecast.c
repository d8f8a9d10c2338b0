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

static void print_reasons(Cli *cli, const JsonValue *answer)
{
    const char *id = json_as_text(json_member(answer, "series"), "");
    const JsonValue *backtest = json_member(answer, "backtest");

    printf("%s\n  by       %s\n  learnt   %lld values, the last of %.10s\n",
           *id ? id : "the series", json_as_text(json_member(answer, "choice"), ""),
           (long long)json_as_int(json_member(answer, "values"), 0),
           json_as_text(json_member(answer, "last"), ""));
    if (!json_is_object(backtest))
        return;
    printf("  in %lld back-tests\n", (long long)json_as_int(json_member(backtest, "windows"), 0));
    for (JsonWalk walk = json_walk(backtest); json_walk_next(&walk);)
        if (walk.index)
            printf("  %-8s %s\n", walk.key, figure(cli, backtest, walk.key));
}

void cli_print_forecast_reasons(Cli *cli, const JsonValue *answers)
{
    for (JsonWalk walk = json_walk(answers); json_walk_next(&walk);)
        print_reasons(cli, walk.value);
}
