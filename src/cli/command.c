/* command.c: what commands use to read their options, call the API and print. */

#include "cli/command.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/url.h"

const char *cli_argument(const Cli *cli, size_t index)
{
    return index < cli->arguments.count ? cli->arguments.items[index] : NULL;
}

const char *cli_option(const Cli *cli, const char *name)
{
    const char *value = NULL;

    for (size_t i = 0; i < cli->options.count; i++)
        if (strcmp(cli->options.items[i].name, name) == 0)
            value = cli->options.items[i].value;
    return value;
}

bool cli_has_option(const Cli *cli, const char *name)
{
    return cli_option(cli, name) != NULL;
}

TextList cli_option_list(const Cli *cli, const char *name)
{
    TextList values = {0};

    for (size_t i = 0; i < cli->options.count; i++)
        if (strcmp(cli->options.items[i].name, name) == 0)
            *arena_push(cli->arena, &values) = cli->options.items[i].value;
    return values;
}

int64_t cli_option_int(const Cli *cli, const char *name, int64_t otherwise)
{
    const char *value = cli_option(cli, name);
    int64_t number = otherwise;

    if (value)
        text_to_int(value, &number); /* checked when it was read */
    return number;
}

double cli_option_number(const Cli *cli, const char *name, double otherwise)
{
    const char *value = cli_option(cli, name);
    double number = otherwise;

    if (value)
        text_to_double(value, &number); /* checked when it was read */
    return number;
}

bool cli_call(Cli *cli, const ClientCall *call, ClientReply *reply)
{
    return client_call(cli->client, call, cli->arena, reply, &cli->error);
}

bool cli_send(Cli *cli, const char *method, const char *path, const char *body, ClientReply *reply)
{
    ClientCall call = {
        .method = method,
        .path = path,
        .body = body,
        .body_size = body ? strlen(body) : 0,
    };

    return cli_call(cli, &call, reply);
}

bool cli_get(Cli *cli, const char *path, ClientReply *reply)
{
    return cli_send(cli, "GET", path, NULL, reply);
}

/* The path of the page that an answer's "next" names; NULL: there is none. */
static const char *next_page(Cli *cli, const char *path, const JsonValue *next)
{
    enum { ITEMS_PER_PAGE = 1000 };

    if (json_is_number(next))
        return cli_format(cli, "%s?limit=%d&before=%lld", path, ITEMS_PER_PAGE,
                          (long long)json_as_int(next, 0));
    if (json_is_text(next))
        return cli_format(cli, "%s?limit=%d&after=%s", path, ITEMS_PER_PAGE,
                          cli_encoded(cli, json_as_text(next, "")));
    return NULL;
}

bool cli_get_all(Cli *cli, const char *path, const char *list, ClientReply *reply)
{
    JsonWriter *json = json_writer_create(cli->arena);
    ClientReply all = {.status = 200}, page;

    json_open_object(json, NULL);
    json_open_array(json, list);
    for (const char *at = path; at; at = next_page(cli, path, json_member(page.json, "next"))) {
        if (!cli_get(cli, at, &page))
            return false;
        for (JsonWalk walk = json_walk(json_member(page.json, list)); json_walk_next(&walk);)
            json_raw(json, NULL, json_print(walk.value, cli->arena));
    }
    json_close(json);
    json_null(json, "next");
    json_close(json);
    all.body = json_finish(json);
    all.size = json_size(json);
    if (!json_parse(all.body, all.size, cli->arena, &all.json, &cli->error))
        return false;
    *reply = all;
    return true;
}

bool cli_print_json(Cli *cli, const ClientReply *reply)
{
    (void)cli;
    fwrite(reply->body, 1, reply->size, stdout);
    if (reply->size)
        putchar('\n');
    return true;
}

void cli_progress(Cli *cli, const char *format, ...)
{
    va_list arguments;
    const char *text;

    if (cli->json)
        return;
    va_start(arguments, format);
    text = arena_format_list(cli->arena, format, arguments);
    va_end(arguments);
    if (cli->is_terminal)
        fprintf(stderr, "\r\033[K%s", text);
    else if (!cli->progress || strcmp(cli->progress, text) != 0)
        fprintf(stderr, "%s\n", text);
    fflush(stderr);
    cli->progress = text;
}

void cli_progress_end(Cli *cli)
{
    if (cli->progress && cli->is_terminal)
        fputc('\n', stderr);
    cli->progress = NULL;
}

const char *cli_format(Cli *cli, const char *format, ...)
{
    va_list arguments;
    const char *text;

    va_start(arguments, format);
    text = arena_format_list(cli->arena, format, arguments);
    va_end(arguments);
    return text;
}

const char *cli_encoded(Cli *cli, const char *text)
{
    return url_encode(cli->arena, text);
}

enum { TABLE_COLUMNS_MAX = 32 };

/* Columns on the screen: code points, which is right for all but wide and combining ones. */
static size_t display_width(const char *text)
{
    size_t width = 0;

    for (; *text; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

static size_t column_width(const char *const *cells, size_t column_count, size_t row_count,
                           size_t column)
{
    size_t widest = 0;

    for (size_t row = 0; row < row_count; row++) {
        size_t width = display_width(cells[row * column_count + column]);

        widest = width > widest ? width : widest;
    }
    return widest;
}

/* As text_as_line() has it. */
static void print_as_line(const char *text)
{
    while (*text) {
        size_t length = text_control_length(text);

        putchar(length ? ' ' : *text);
        text += length ? length : 1;
    }
}

static void print_cell(const char *text, size_t width, bool right, bool last)
{
    int padding = (int)(width - display_width(text));

    if (right)
        printf("%*s", padding, "");
    print_as_line(text);
    if (!right && !last)
        printf("%*s", padding, "");
    fputs(last ? "\n" : "  ", stdout);
}

const char *cli_plain(Cli *cli, const char *text)
{
    return text_as_line(text, strlen(text), cli->arena);
}

const char *cli_text(const JsonValue *object, const char *key)
{
    return json_as_text(json_member(object, key), "-");
}

void cli_print_table(const char *const *cells, size_t column_count, size_t row_count,
                     const char *alignment)
{
    size_t widths[TABLE_COLUMNS_MAX];

    assert(column_count <= TABLE_COLUMNS_MAX);
    for (size_t column = 0; column < column_count; column++)
        widths[column] = column_width(cells, column_count, row_count, column);
    for (size_t row = 0; row < row_count; row++)
        for (size_t column = 0; column < column_count; column++)
            print_cell(cells[row * column_count + column], widths[column], alignment[column] == 'r',
                       column + 1 == column_count);
}

const char *cli_number(Cli *cli, double value, int decimals)
{
    return isnan(value) ? "-" : cli_format(cli, "%.*f", decimals, value);
}

const char *cli_time(Cli *cli, const JsonValue *rfc3339)
{
    const char *text = json_as_text(rfc3339, NULL);

    if (!text || strlen(text) < 19)
        return "-";
    return cli_format(cli, "%.10s %.8s", text, text + 11);
}
