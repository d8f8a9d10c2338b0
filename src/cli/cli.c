/* cli.c: reads the command line by the command tables, and prints help from them. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/version.h"
#include "cli/command.h"

static const CommandOption common_options[] = {
    {"--json", OPTION_FLAG, NULL, "print the answer as JSON"},
    {"--data", OPTION_TEXT, "FOLDER", "the data folder ($SLIPWAY_FOLDER, ./slipway-data)"},
    {"--server", OPTION_TEXT, "URL",
     "the server to ask ($SLIPWAY_SERVER); default: the one on the data folder, if any"},
    {"--token", OPTION_TEXT, "TOKEN", "the token to send ($SLIPWAY_TOKEN shows it to fewer)"},
    {"--help", OPTION_FLAG, NULL, "show this"},
    {0},
};

static const CommandOption *find_in(const CommandOption options[], const char *name, size_t length)
{
    for (; options && options->name; options++)
        if (strlen(options->name) == length && strncmp(options->name, name, length) == 0)
            return options;
    return NULL;
}

static const CommandOption *find_option(const Command *command, const char *name, size_t length)
{
    const CommandOption *option = find_in(command->options, name, length);

    return option ? option : find_in(common_options, name, length);
}

/* How many of the first arguments are the words of this command; 0: it is another one. */
static int words_match(const Command *command, int count, char **arguments, Arena *arena)
{
    TextList words = text_split(command->words, ' ', arena);

    if ((size_t)count < words.count)
        return 0;
    for (size_t i = 0; i < words.count; i++)
        if (strcmp(words.items[i], arguments[i]) != 0)
            return 0;
    return (int)words.count;
}

static const Command *find_command(int count, char **arguments, int *word_count, Arena *arena)
{
    const Command *best = NULL;

    *word_count = 0;
    for (size_t table = 0; command_tables[table]; table++) {
        for (const Command *command = command_tables[table]; command->words; command++) {
            int words = words_match(command, count, arguments, arena);

            if (words <= *word_count)
                continue;
            *word_count = words;
            best = command;
        }
    }
    return best;
}

static void print_options(const CommandOption options[])
{
    for (; options && options->name; options++) {
        char head[64];

        snprintf(head, sizeof(head), "%s%s%s", options->name, options->value ? " " : "",
                 options->value ? options->value : "");
        printf("  %-26s %s\n", head, options->summary);
    }
}

static void print_command_help(const Command *command)
{
    printf("usage: slipway %s%s%s [options]\n\n%s\n\noptions:\n", command->words,
           command->arguments ? " " : "", command->arguments ? command->arguments : "",
           command->summary);
    print_options(command->options);
    print_options(common_options);
    if (command->example)
        printf("\nexample:\n  %s\n", command->example);
}

/* With a word: only the commands that start with it. Returns how many there are. */
static size_t print_overview(FILE *file, const char *word)
{
    size_t printed = 0;

    for (size_t table = 0; command_tables[table]; table++) {
        for (const Command *command = command_tables[table]; command->words; command++) {
            char head[96];

            if (word && !text_has_prefix(command->words, word))
                continue;
            snprintf(head, sizeof(head), "%s %s", command->words,
                     command->arguments ? command->arguments : "");
            fprintf(file, "  %-40s %s\n", head, command->summary);
            printed++;
        }
    }
    return printed;
}

static int print_help(void)
{
    printf("slipway: takes a model from data to production and keeps it honest there\n\n"
           "usage: slipway COMMAND [arguments] [options]\n\ncommands:\n");
    print_overview(stdout, NULL);
    printf("\noptions of every command:\n");
    print_options(common_options);
    printf("\nslipway --version prints the version\n\nexit codes:\n"
           "  0 done, 1 a fault of the program or the disk, 2 wrong input, 3 not allowed,\n"
           "  4 not found, 5 the state forbids it (a gate said no), 6 try again later,\n"
           "  7 done again, and not the same\n");
    return 0;
}

static int print_version(void)
{
    printf("slipway %s\n", SLIPWAY_VERSION);
    return 0;
}

static int fail_usage(const char *word)
{
    if (word[0] == '-') {
        fprintf(stderr, "slipway: the command comes before its options; see slipway help\n");
        return 2;
    }
    fprintf(stderr, "slipway: there is no command \"%s\"; there are:\n", word);
    if (!print_overview(stderr, word))
        print_overview(stderr, NULL);
    return 2;
}

static bool check_value(Cli *cli, const CommandOption *option, const char *value)
{
    int64_t integer;
    double number;

    if (option->kind == OPTION_INT && !text_to_int(value, &integer))
        return fail_field(&cli->error, option->name, "%s takes an integer, not \"%s\"",
                          option->name, value);
    if (option->kind == OPTION_NUMBER && !text_to_double(value, &number))
        return fail_field(&cli->error, option->name, "%s takes a number, not \"%s\"", option->name,
                          value);
    return true;
}

/* Takes "--name value", "--name=value" or "--flag" at *index. */
static bool take_option(Cli *cli, int count, char **arguments, int *index)
{
    const char *text = arguments[*index];
    const char *equals = strchr(text, '=');
    size_t length = equals ? (size_t)(equals - text) : strlen(text);
    const CommandOption *option = find_option(cli->command, text, length);
    const char *value = equals ? equals + 1 : NULL;

    if (!option)
        return fail(&cli->error, ERROR_INVALID,
                    "slipway %s has no option %.*s; slipway %s --help lists them",
                    cli->command->words, (int)length, text, cli->command->words);
    if (option->kind == OPTION_FLAG && equals)
        return fail(&cli->error, ERROR_INVALID, "%s takes no value", option->name);
    if (option->kind != OPTION_FLAG && !value) {
        if (*index + 1 >= count)
            return fail(&cli->error, ERROR_INVALID, "%s needs a value: %s", option->name,
                        option->value);
        value = arguments[++*index];
    }
    *arena_push(cli->arena, &cli->options) = (HttpPair){option->name, value ? value : ""};
    return option->kind == OPTION_FLAG || check_value(cli, option, value);
}

static bool take_arguments(Cli *cli, int count, char **arguments)
{
    bool only_arguments = false;

    for (int i = 0; i < count; i++) {
        if (!only_arguments && strcmp(arguments[i], "--") == 0)
            only_arguments = true;
        else if (only_arguments || !text_has_prefix(arguments[i], "--"))
            *arena_push(cli->arena, &cli->arguments) = arguments[i];
        else if (!take_option(cli, count, arguments, &i))
            return false;
    }
    return true;
}

static bool check_argument_count(Cli *cli)
{
    const char *described = cli->command->arguments ? cli->command->arguments : "";
    TextList names = text_split(described, ' ', cli->arena);
    bool repeats = strstr(described, "...") != NULL;
    size_t least = 0;

    for (size_t i = 0; i < names.count; i++)
        least += names.items[i][0] != '[';
    if (cli->arguments.count >= least && (repeats || cli->arguments.count <= names.count))
        return true;
    return fail(&cli->error, ERROR_INVALID, "usage: slipway %s%s%s", cli->command->words,
                *described ? " " : "", described);
}

static const char *option_or_environment(const Cli *cli, const char *option, const char *variable)
{
    const char *value = cli_option(cli, option);

    if (!value)
        value = getenv(variable);
    return value && *value ? value : NULL;
}

/* Before the options are read, so that what is wrong with them is said as JSON too. */
static bool wants_json(int count, char **arguments)
{
    for (int i = 0; i < count && strcmp(arguments[i], "--") != 0; i++)
        if (strcmp(arguments[i], "--json") == 0)
            return true;
    return false;
}

static bool run_command(Cli *cli, int count, char **arguments)
{
    ClientSpec spec;
    bool done;

    cli->json = wants_json(count, arguments);
    if (!take_arguments(cli, count, arguments))
        return false;
    if (cli_has_option(cli, "--help")) {
        print_command_help(cli->command);
        return true;
    }
    cli->json = cli_has_option(cli, "--json");
    cli->folder = option_or_environment(cli, "--data", "SLIPWAY_FOLDER");
    if (!cli->folder)
        cli->folder = "slipway-data";
    if (!check_argument_count(cli))
        return false;
    spec = (ClientSpec){
        .server = option_or_environment(cli, "--server", "SLIPWAY_SERVER"),
        .token = option_or_environment(cli, "--token", "SLIPWAY_TOKEN"),
        .folder = cli->folder,
    };
    cli->client = client_create(&spec);
    done = cli->command->run(cli);
    cli_progress_end(cli);
    client_destroy(cli->client);
    return done;
}

static void print_error(const Cli *cli)
{
    JsonWriter *json = json_writer_create(cli->arena);

    if (!cli->json) {
        fprintf(stderr, "slipway: %s\n", cli->error.message);
        return;
    }
    json_open_object(json, NULL);
    json_open_object(json, "error");
    json_text(json, "code", error_code(&cli->error));
    json_text(json, "message", cli->error.message);
    if (cli->error.field[0])
        json_text(json, "field", cli->error.field);
    json_close(json);
    json_close(json);
    fprintf(stderr, "%s\n", json_finish(json));
}

int cli_main(int count, char **arguments)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Cli cli = {.arena = arena, .is_terminal = isatty(STDERR_FILENO)};
    int word_count;

    if (count < 2 || strcmp(arguments[1], "help") == 0 || strcmp(arguments[1], "--help") == 0)
        return print_help();
    if (strcmp(arguments[1], "--version") == 0)
        return print_version();
    cli.command = find_command(count - 1, arguments + 1, &word_count, arena);
    if (!cli.command)
        return fail_usage(arguments[1]);
    if (run_command(&cli, count - 1 - word_count, arguments + 1 + word_count))
        return fflush(stdout) == 0 ? 0 : 1;
    fflush(stdout);
    print_error(&cli);
    return error_exit_code(&cli.error);
}
