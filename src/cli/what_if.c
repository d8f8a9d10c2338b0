#include "cli/what_if.h"

#include <math.h>
#include <stdio.h>

const char *cli_what_if_query(Cli *cli)
{
    TextList changes = cli_option_list(cli, "--what-if");
    TextBuilder query = {.arena = cli->arena};

    for (size_t i = 0; i < changes.count; i++)
        text_append_format(&query, "%swhat_if=%s", i ? "&" : "",
                           cli_encoded(cli, changes.items[i]));
    return text_built(&query);
}

static double number_of(const JsonValue *object, const char *key)
{
    return json_as_double(json_member(object, key), NAN);
}

static const char *changes_text(Cli *cli)
{
    TextList changes = cli_option_list(cli, "--what-if");
    TextBuilder text = {.arena = cli->arena};

    for (size_t i = 0; i < changes.count; i++)
        text_append_format(&text, "%s%s", i ? ", " : "", cli_plain(cli, changes.items[i]));
    return text_built(&text);
}

static void print_answer(Cli *cli, const JsonValue *explanation, const JsonValue *what_if)
{
    const char *before = json_as_text(json_member(explanation, "label"), NULL);
    const JsonValue *probabilities = json_member(what_if, "probabilities");

    printf("  if %s:\n", changes_text(cli));
    if (!before) {
        printf("  %.6g instead of %.6g\n", number_of(what_if, "value"),
               number_of(explanation, "value"));
        return;
    }
    printf("  %s, confidence %s; %s %s instead of %s\n", cli_text(what_if, "label"),
           cli_number(cli, number_of(what_if, "confidence"), 3), before,
           cli_number(cli, number_of(probabilities, before), 3),
           cli_number(cli, number_of(explanation, "confidence"), 3));
}

/* A value as it was given; a text of many words by its beginning. */
static const char *value_text(Cli *cli, const JsonValue *value)
{
    enum { SHOWN_BYTES = 60 };
    const char *text = json_as_text(value, NULL);
    size_t shown;

    if (json_is_null(value))
        return "missing";
    if (!text)
        return cli_format(cli, "%.10g", json_as_double(value, NAN));
    shown = text_cut(text, SHOWN_BYTES);
    return cli_plain(cli, cli_format(cli, "%.*s%s", (int)shown, text, text[shown] ? "..." : ""));
}

static void print_column(Cli *cli, const JsonValue *column)
{
    const JsonValue *from = json_member(column, "from"), *to = json_member(column, "to");

    printf("  %+9.4f  %s", number_of(column, "difference"),
           cli_plain(cli, cli_text(column, "column")));
    if (to)
        printf(", %s instead of %s", value_text(cli, to), value_text(cli, from));
    printf("\n");
}

void cli_print_what_if(Cli *cli, const JsonValue *explanation)
{
    const JsonValue *what_if = json_member(explanation, "what_if");
    const JsonValue *rest = json_member(what_if, "rest");
    double before = number_of(explanation, "margin"), after = number_of(what_if, "margin");

    if (!what_if)
        return;
    print_answer(cli, explanation, what_if);
    for (JsonWalk walk = json_walk(json_member(what_if, "columns")); json_walk_next(&walk);)
        print_column(cli, walk.value);
    if (json_as_int(json_member(rest, "count"), 0))
        printf("  %+9.4f  %lld more\n", number_of(rest, "difference"),
               (long long)json_as_int(json_member(rest, "count"), 0));
    printf("  %+9.4f  in all, from %.4f to %.4f\n", after - before, before, after);
}
