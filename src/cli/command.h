/* command.h: a command is one row of a table that says everything about it.
 *
 * `slipway help`, `slipway NOUN VERB --help` and docs/reference/cli.md are printed from the rows;
 * options are checked by them. A command is a client of the API (client.h): it reads its arguments,
 * calls a route, prints the answer: for people, or with --json as the API gave it. What it prints
 * for people goes to standard output, progress and errors to standard error. Exit codes are those
 * of base/error.h.
 *
 *     static bool show_model(Cli *cli)
 *     {
 *         ClientReply reply;
 *         const char *path = cli_format(cli, "/api/v1/models/%s", cli_encoded(cli,
 * cli_argument(cli, 0)));
 *
 *         if (!cli_get(cli, path, &reply))
 *             return false;
 *         if (cli->json)
 *             return cli_print_json(cli, &reply);
 *         printf("%s\n", json_as_text(json_member(reply.json, "name"), ""));
 *         return true;
 *     }
 */
#pragma once

#include "cli/client.h"
#include "net/http.h"

typedef enum OptionKind {
    OPTION_FLAG,
    OPTION_TEXT,
    OPTION_INT,
    OPTION_NUMBER,
    OPTION_LIST, /* may be given several times */
} OptionKind;

typedef struct CommandOption {
    const char *name; /* "--target" */
    OptionKind kind;
    const char *value; /* "COLUMN": how help calls the value; NULL for a flag */
    const char *summary;
} CommandOption;

typedef struct Cli Cli;

typedef struct Command {
    const char *words;     /* "data add" */
    const char *arguments; /* "NAME SOURCE...", "[RUN]": in brackets may be missing, "..." may
                              repeat; NULL: none */
    bool (*run)(Cli *cli); /* false: cli->error says why */
    const char *summary;
    const char *example; /* a whole command line */
    const CommandOption
        *options; /* besides --json, --data, --server, --token, --help; NULL: none */
} Command;

struct Cli {
    Arena *arena;
    Client *client;
    const Command *command;
    const char *folder;   /* the data folder */
    bool json;            /* --json */
    bool is_terminal;     /* standard error is one: progress may be redrawn */
    TextList arguments;   /* without options */
    HttpPairList options; /* as given: name, value ("" for a flag) */
    const char *progress; /* the progress line that stands there; private */
    Error error;
};

/* Each cli/ file's table; ends with NULL. */
extern const Command *const command_tables[];

const char *cli_argument(const Cli *cli, size_t index); /* NULL when it was not given */
bool cli_has_option(const Cli *cli, const char *name);
const char *cli_option(const Cli *cli, const char *name); /* the last one given, or NULL */
TextList cli_option_list(const Cli *cli, const char *name);
int64_t cli_option_int(const Cli *cli, const char *name, int64_t otherwise);
double cli_option_number(const Cli *cli, const char *name, double otherwise);

/* Calls of the API; a failure is in cli->error. path: see ClientCall. body: a finished JSON
 * document, or NULL. */
bool cli_get(Cli *cli, const char *path, ClientReply *reply) MUST_CHECK;
bool cli_send(Cli *cli, const char *method, const char *path, const char *body,
              ClientReply *reply) MUST_CHECK;
bool cli_call(Cli *cli, const ClientCall *call, ClientReply *reply) MUST_CHECK;

/* The answer itself, and a newline; returns true. */
bool cli_print_json(Cli *cli, const ClientReply *reply);

/* Of a route that answers a page of the array "list" at a time: all pages as one answer. path has
 * no query. */
bool cli_get_all(Cli *cli, const char *path, const char *list, ClientReply *reply) MUST_CHECK;

/* A line about work that takes a while, on standard error: redrawn in place on a terminal, else one
 * line each time it changes. cli_progress_end() goes to the next line. Nothing with --json. */
void cli_progress(Cli *cli, const char *format, ...) PRINTF_LIKE(2, 3);
void cli_progress_end(Cli *cli);

const char *cli_format(Cli *cli, const char *format, ...) PRINTF_LIKE(2, 3);
const char *cli_encoded(Cli *cli, const char *text); /* for one part of a path or query */

/* A text member of an answer; "-" where it is missing. */
const char *cli_text(const JsonValue *object, const char *key);

/* What others wrote, as one line that does nothing to the screen (text_as_line). */
const char *cli_plain(Cli *cli, const char *text);

/* Rows of texts in aligned columns, each as one line, the first row as the head; alignment: an 'l'
 * or 'r' per column.
 */
void cli_print_table(const char *const *cells, size_t column_count, size_t row_count,
                     const char *alignment);

/* "0.968", "2026-11-20 16:20:00"; "-" for missing. The text is in the arena. */
const char *cli_number(Cli *cli, double value, int decimals);
const char *cli_time(Cli *cli, const JsonValue *rfc3339);

/* Runs the command line; returns the exit code. */
int cli_main(int count, char **arguments);
