#include "cli/data_show.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"

enum { CELL_CHARACTERS_MAX = 32, SET_ASIDE_SHOWN = 10, TOP_SHOWN = 8, BAR_WIDTH = 30 };

static int64_t int_member(const JsonValue *value, const char *key)
{
    return json_as_int(json_member(value, key), 0);
}

/* "1 row", "2 rows" */
static const char *counted(Cli *cli, size_t count, const char *noun)
{
    return cli_format(cli, "%zu %s%s", count, noun, count == 1 ? "" : "s");
}

static const char *count_text(Cli *cli, int64_t count)
{
    return cli_format(cli, "%lld", (long long)count);
}

/* One line of at most so many characters; line ends become spaces. */
static const char *shorten(Cli *cli, const char *text)
{
    char *line = arena_text(cli->arena, text);
    size_t characters = 0;

    for (char *at = line; *at; at++) {
        if ((unsigned char)*at < ' ')
            *at = ' ';
        if ((*at & 0xc0) == 0x80)
            continue;
        if (characters++ == CELL_CHARACTERS_MAX) {
            *at = '\0';
            return cli_format(cli, "%s…", line);
        }
    }
    return line;
}

/* "spam@2" as the path of a version; without "@" the latest. */
static const char *version_path(Cli *cli)
{
    const char *argument = cli_argument(cli, 0);
    const char *at = strrchr(argument, '@');
    const char *name = at ? arena_copy(cli->arena, argument, (size_t)(at - argument)) : argument;

    return cli_format(cli, "/api/v1/datasets/%s/versions/%s", cli_encoded(cli, name),
                      at ? cli_encoded(cli, at + 1) : "latest");
}

bool data_list(Cli *cli)
{
    enum { COLUMNS = 3 };
    static const char *const head[COLUMNS] = {"NAME", "LATEST", "CREATED"};
    TextList cells = {0};
    ClientReply reply;

    if (!cli_get_all(cli, "/api/v1/datasets", "datasets", &reply))
        return false;
    if (cli->json)
        return cli_print_json(cli, &reply);
    for (size_t i = 0; i < COLUMNS; i++)
        text_list_add(&cells, cli->arena, head[i]);
    for (JsonWalk walk = json_walk(json_member(reply.json, "datasets")); json_walk_next(&walk);) {
        text_list_add(&cells, cli->arena, cli_text(walk.value, "name"));
        text_list_add(&cells, cli->arena,
                      count_text(cli, int_member(walk.value, "latest_version")));
        text_list_add(&cells, cli->arena, cli_time(cli, json_member(walk.value, "created_at")));
    }
    cli_print_table(cells.items, COLUMNS, cells.count / COLUMNS, "lrl");
    return true;
}

static void print_set_aside(Cli *cli, const JsonValue *version)
{
    int64_t count = int_member(version, "set_aside_count");

    if (count == 0)
        return;
    printf("%lld rows were set aside:\n", (long long)count);
    for (JsonWalk walk = json_walk(json_member(version, "set_aside")); json_walk_next(&walk);) {
        const char *column = json_as_text(json_member(walk.value, "column"), NULL);

        if (walk.index == SET_ASIDE_SHOWN) {
            printf("  ...\n");
            break;
        }
        printf("  %s line %lld%s: %s\n", cli_text(walk.value, "path"),
               (long long)int_member(walk.value, "line"),
               column ? cli_format(cli, ", column \"%s\"", column) : "",
               cli_text(walk.value, "reason"));
    }
}

/* A version that was added before there were notes has none. */
static void print_notes(const JsonValue *profile)
{
    for (JsonWalk walk = json_walk(json_member(profile, "notes")); json_walk_next(&walk);)
        printf("note: %s\n", json_as_text(walk.value, ""));
}

/* What is to be said of the version beside that it is there; nothing, where that cannot be asked.
 */
static void print_version_notes(Cli *cli, const JsonValue *version)
{
    const char *path = cli_format(cli, "/api/v1/datasets/%s/versions/%lld/profile",
                                  cli_encoded(cli, cli_text(version, "name")),
                                  (long long)int_member(version, "version"));
    Error kept = cli->error;
    ClientReply reply;

    if (cli_get(cli, path, &reply))
        print_notes(json_member(reply.json, "profile"));
    else
        cli->error = kept;
}

void data_print_added(Cli *cli, const ClientReply *reply)
{
    const JsonValue *version = reply->json;

    printf("%s@%lld  %s, %s, %s%s\n", cli_text(version, "name"),
           (long long)int_member(version, "version"),
           counted(cli, (size_t)int_member(version, "row_count"), "row"),
           counted(cli, json_count(json_member(version, "columns")), "column"),
           counted(cli, json_count(json_member(version, "files")), "file"),
           reply->status == 201 ? "" : "  (the same bytes were there already)");
    print_set_aside(cli, version);
    print_version_notes(cli, version);
}

static void print_columns(Cli *cli, const JsonValue *profile)
{
    enum { COLUMNS = 5 };
    static const char *const head[COLUMNS] = {"COLUMN", "TYPE", "ROLE", "MISSING", "DISTINCT"};
    TextList cells = {0};

    for (size_t i = 0; i < COLUMNS; i++)
        text_list_add(&cells, cli->arena, head[i]);
    for (JsonWalk walk = json_walk(json_member(profile, "columns")); json_walk_next(&walk);) {
        double missing = json_as_double(json_member(walk.value, "missing_share"), NAN);

        text_list_add(&cells, cli->arena, cli_text(walk.value, "name"));
        text_list_add(&cells, cli->arena, cli_text(walk.value, "type"));
        text_list_add(&cells, cli->arena, cli_text(walk.value, "role"));
        text_list_add(&cells, cli->arena, cli_format(cli, "%.1f %%", missing * 100));
        text_list_add(&cells, cli->arena, count_text(cli, int_member(walk.value, "distinct")));
    }
    cli_print_table(cells.items, COLUMNS, cells.count / COLUMNS, "lllrr");
}

static const char *value_text(Cli *cli, const JsonValue *value)
{
    if (json_is_null(value))
        return "-";
    return shorten(cli,
                   json_is_text(value) ? json_as_text(value, "") : json_print(value, cli->arena));
}

/* Slipway's own columns, which start every row, are not shown. */
static void print_rows(Cli *cli, const JsonValue *rows)
{
    TextList cells = {0};
    size_t columns = 0, row_count = 1;
    TextBuilder alignment = {.arena = cli->arena};
    JsonWalk first = json_walk(rows);

    if (!json_walk_next(&first))
        return;
    for (JsonWalk walk = json_walk(first.value); json_walk_next(&walk);) {
        if (*walk.key == '_')
            continue;
        text_list_add(&cells, cli->arena, walk.key);
        text_append(&alignment, json_is_number(walk.value) ? "r" : "l");
        columns++;
    }
    for (JsonWalk row = json_walk(rows); json_walk_next(&row); row_count++)
        for (JsonWalk walk = json_walk(row.value); json_walk_next(&walk);)
            if (*walk.key != '_')
                text_list_add(&cells, cli->arena, value_text(cli, walk.value));
    cli_print_table(cells.items, columns, row_count, text_built(&alignment));
}

static bool get_three(Cli *cli, ClientReply *version, ClientReply *profile, ClientReply *rows)
{
    const char *path = version_path(cli);

    return cli_get(cli, path, version) &&
           cli_get(cli, cli_format(cli, "%s/profile", path), profile) &&
           cli_get(cli, cli_format(cli, "%s/rows?limit=10", path), rows);
}

static bool print_show_json(Cli *cli, const ClientReply *version, const ClientReply *rows)
{
    JsonWriter *json = json_writer_create(cli->arena);

    json_open_object(json, NULL);
    json_raw(json, "version", version->body);
    json_raw(json, "rows", json_print(json_member(rows->json, "rows"), cli->arena));
    json_close(json);
    printf("%s\n", json_finish(json));
    return true;
}

bool data_show(Cli *cli)
{
    ClientReply version, profile, rows;

    if (!get_three(cli, &version, &profile, &rows))
        return false;
    if (cli->json)
        return print_show_json(cli, &version, &rows);
    printf("%s@%lld  %lld rows  created %s by %s\ndigest %s\n\n", cli_text(version.json, "name"),
           (long long)int_member(version.json, "version"),
           (long long)int_member(version.json, "row_count"),
           cli_time(cli, json_member(version.json, "created_at")),
           cli_text(version.json, "created_by"), cli_text(version.json, "digest"));
    print_columns(cli, json_member(profile.json, "profile"));
    printf("\n");
    print_rows(cli, json_member(rows.json, "rows"));
    print_set_aside(cli, version.json);
    return true;
}

/* The bar behind two spaces; nothing for none, so that no line ends in spaces. */
static const char *bar(Cli *cli, int64_t count, int64_t most)
{
    TextBuilder text = {.arena = cli->arena};
    int64_t width = most > 0 ? (count * BAR_WIDTH + most - 1) / most : 0;

    for (int64_t i = 0; i < width; i++)
        text_append(&text, i ? "█" : "  █");
    return text_built(&text);
}

static const char *number_text(Cli *cli, const JsonValue *value, bool is_time)
{
    char text[TIME_TEXT_SIZE];
    double number = json_as_double(value, NAN);

    if (json_is_null(value))
        return "-";
    if (is_time)
        return cli_format(cli, "%.10s", time_format((int64_t)(number * 1000), text));
    return cli_format(cli, "%.6g", number);
}

static void print_histogram(Cli *cli, const JsonValue *column, bool is_time)
{
    const JsonValue *bins = json_member(column, "histogram");
    double from = json_as_double(json_member(column, "min"), 0);
    double width = (json_as_double(json_member(column, "max"), 0) - from) / 10;
    int64_t most = 0;

    for (JsonWalk walk = json_walk(bins); json_walk_next(&walk);)
        if (json_as_int(walk.value, 0) > most)
            most = json_as_int(walk.value, 0);
    for (JsonWalk walk = json_walk(bins); json_walk_next(&walk);) {
        if (width == 0 && walk.index > 0) /* all values are alike */
            break;
        double start = from + width * (double)walk.index;
        char text[TIME_TEXT_SIZE];
        const char *label =
            is_time ? cli_format(cli, "%.10s", time_format((int64_t)(start * 1000), text))
                    : cli_format(cli, "%.6g", start);

        if (walk.index > 0 && width <= 0) /* one value alone: the other bins are empty */
            break;
        printf("    %12s  %8lld%s\n", label, (long long)json_as_int(walk.value, 0),
               bar(cli, json_as_int(walk.value, 0), most));
    }
}

static void print_top(Cli *cli, const JsonValue *top)
{
    int64_t most = 0;

    for (JsonWalk walk = json_walk(top); json_walk_next(&walk) && walk.index < TOP_SHOWN;) {
        int64_t count = int_member(walk.value, "count");

        if (walk.index == 0)
            most = count;
        printf("    %-24s  %8lld%s\n", shorten(cli, cli_text(walk.value, "value")),
               (long long)count, bar(cli, count, most));
    }
}

static void print_column(Cli *cli, const JsonValue *column)
{
    static const char *const quantiles[] = {"p5", "p25", "p50", "p75", "p95"};
    const char *measure = cli_text(column, "measure");
    bool is_time = strcmp(measure, "time") == 0;

    printf("\n%s  %s, %s, missing %.1f %%, distinct %lld, repeated %lld\n",
           cli_text(column, "name"), cli_text(column, "type"), cli_text(column, "role"),
           json_as_double(json_member(column, "missing_share"), 0) * 100,
           (long long)int_member(column, "distinct"), (long long)int_member(column, "repeated"));
    printf("  %s: min %s, mean %s, max %s;", measure,
           number_text(cli, json_member(column, "min"), is_time),
           number_text(cli, json_member(column, "mean"), is_time),
           number_text(cli, json_member(column, "max"), is_time));
    for (size_t i = 0; i < COUNT(quantiles); i++)
        printf(
            " %s %s", quantiles[i],
            number_text(cli, json_member(json_member(column, "quantiles"), quantiles[i]), is_time));
    printf("\n");
    if (json_count(json_member(column, "top")))
        print_top(cli, json_member(column, "top"));
    else
        print_histogram(cli, column, is_time);
}

static void print_classes(Cli *cli, const JsonValue *profile)
{
    const JsonValue *classes = json_member(profile, "classes");
    int64_t most = 0;

    if (!json_count(classes))
        return;
    for (JsonWalk walk = json_walk(classes); json_walk_next(&walk);)
        if (json_as_int(walk.value, 0) > most)
            most = json_as_int(walk.value, 0);
    printf("\ntarget \"%s\"\n", cli_text(profile, "target"));
    for (JsonWalk walk = json_walk(classes); json_walk_next(&walk);)
        printf("    %-24s  %8lld%s\n", shorten(cli, walk.key),
               (long long)json_as_int(walk.value, 0), bar(cli, json_as_int(walk.value, 0), most));
}

bool data_profile(Cli *cli)
{
    const JsonValue *profile;
    ClientReply reply;

    if (!cli_get(cli, cli_format(cli, "%s/profile", version_path(cli)), &reply))
        return false;
    if (cli->json)
        return cli_print_json(cli, &reply);
    profile = json_member(reply.json, "profile");
    printf("%s@%lld  %lld rows, %lld set aside\n", cli_text(reply.json, "name"),
           (long long)int_member(reply.json, "version"), (long long)int_member(profile, "rows"),
           (long long)int_member(profile, "set_aside"));
    printf("%lld rows repeat a whole row, %lld the features of an earlier one\n",
           (long long)int_member(profile, "duplicate_rows"),
           (long long)int_member(profile, "duplicate_contents"));
    print_notes(profile);
    print_classes(cli, profile);
    for (JsonWalk walk = json_walk(json_member(profile, "columns")); json_walk_next(&walk);)
        print_column(cli, walk.value);
    return true;
}

void data_print_violations(const JsonValue *report)
{
    for (JsonWalk walk = json_walk(json_member(report, "violations")); json_walk_next(&walk);)
        printf("  %s: %s\n", json_as_text(json_member(walk.value, "expect"), ""),
               json_as_text(json_member(walk.value, "message"), ""));
}
