/* data.c: slipway data add */

#include <glob.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "cli/commands.h"
#include "cli/data_show.h"
#include "cli/project.h"
#include "cli/upload.h"
#include "data/dataset.h"

static const CommandOption add_options[] = {
    {"--target", OPTION_TEXT, "COLUMN", "the column to be predicted"},
    {"--column", OPTION_LIST, "NAME=KIND",
     "text, category, integer, number, boolean, time or date, ignore, known or known_after"},
    {"--group", OPTION_TEXT, "COLUMN",
     "rows with the same value stay on one side of a split; \"_file\": the file's name"},
    {"--time", OPTION_TEXT, "COLUMN", "the column that orders the rows in time"},
    {"--known", OPTION_TEXT, "A,B,...",
     "columns whose values are known for the future, too: what a forecast is made with"},
    {"--format", OPTION_TEXT, "FORMAT", "csv, jsonl, json or parquet; default: found out"},
    {"--delimiter", OPTION_TEXT, "CHARACTER", "or \"tab\"; default: found out"},
    {"--quote", OPTION_TEXT, "CHARACTER", "or \"none\"; default: \""},
    {"--encoding", OPTION_TEXT, "NAME", "utf-8 (the default) or latin-1"},
    {"--no-header", OPTION_FLAG, NULL, "the first row is data"},
    {"--header", OPTION_FLAG, NULL, "the first row is a header, also if it has numbers"},
    {"--names", OPTION_TEXT, "A,B,...", "the columns' names, for files without a header"},
    {"--set-aside", OPTION_FLAG, NULL, "put broken rows aside and count them; default: refuse"},
    {"--file", OPTION_TEXT, "PATH", "the project's file (slipway.yaml), where no source is given"},
    {0},
};

/* The files and urls of the body under way. */
typedef struct Upload {
    Cli *cli;
    const char *name;          /* of the data set */
    const ProjectData *stated; /* by the project's file; NULL: by the command line */
    JsonWriter *files, *urls;
    TextBuilder source;
    size_t file_count;
} Upload;

static bool put_file(Upload *upload, const char *name, const char *path)
{
    Cli *cli = upload->cli;
    char digest[DIGEST_TEXT_SIZE];

    if (!cli_upload(cli, name, path, digest))
        return false;
    json_open_object(upload->files, NULL);
    {
        json_text(upload->files, "path", name);
        json_text(upload->files, "digest", digest);
    }
    json_close(upload->files);
    upload->file_count++;
    return true;
}

static bool put_folder(Upload *upload, const char *folder)
{
    Cli *cli = upload->cli;
    size_t before = upload->file_count;
    TextList paths = {0};

    if (!folder_walk(folder, cli->arena, &paths, &cli->error))
        return false;
    for (size_t i = 0; i < paths.count; i++)
        if (dataset_file_has_rows(paths.items[i]) &&
            !put_file(upload, paths.items[i], cli_format(cli, "%s/%s", folder, paths.items[i])))
            return false;
    return upload->file_count > before ||
           fail(&cli->error, ERROR_INVALID,
                "\"%s\" holds no file of rows (csv, tsv, jsonl, json or parquet)", folder);
}

static bool put_source(Upload *upload, const char *source)
{
    text_append_format(&upload->source, "%s%s", upload->source.count ? " " : "", source);
    if (text_has_prefix(source, "http://") || text_has_prefix(source, "https://")) {
        json_text(upload->urls, NULL, source);
        return true;
    }
    if (strstr(source, "://"))
        return fail(&upload->cli->error, ERROR_INVALID,
                    "the source \"%s\" is no file, folder, or http or https URL", source);
    if (folder_exists(source))
        return put_folder(upload, source);
    return put_file(upload, path_name(source), source);
}

static bool write_columns(Cli *cli, JsonWriter *json)
{
    TextList columns = cli_option_list(cli, "--column");

    json_open_object(json, "columns");
    for (size_t i = 0; i < columns.count; i++) {
        const char *text = columns.items[i];
        const char *equals = strrchr(text, '=');

        if (!equals || equals == text)
            return fail(&cli->error, ERROR_INVALID, "--column takes NAME=KIND, not \"%s\"", text);
        json_text(json, arena_copy(cli->arena, text, (size_t)(equals - text)), equals + 1);
    }
    json_close(json);
    return true;
}

static bool write_options(Cli *cli, JsonWriter *json)
{
    static const char *const names[] = {"target",    "group", "time",    "format",
                                        "delimiter", "quote", "encoding"};
    const char *columns = cli_option(cli, "--names"), *known = cli_option(cli, "--known");

    if (cli_has_option(cli, "--header") && cli_has_option(cli, "--no-header"))
        return fail(&cli->error, ERROR_INVALID, "--header and --no-header exclude each other");
    json_open_object(json, "options");
    for (size_t i = 0; i < COUNT(names); i++) {
        const char *value = cli_option(cli, cli_format(cli, "--%s", names[i]));

        if (value)
            json_text(json, names[i], value);
    }
    if (cli_has_option(cli, "--header") || cli_has_option(cli, "--no-header"))
        json_text(json, "header", cli_has_option(cli, "--header") ? "yes" : "no");
    if (cli_has_option(cli, "--set-aside"))
        json_text(json, "on_error", "set-aside");
    if (columns) {
        TextList list = text_split(columns, ',', cli->arena);

        json_texts(json, "names", &list);
    }
    if (known) {
        TextList list = text_split(known, ',', cli->arena);

        json_texts(json, "known", &list);
    }
    if (!write_columns(cli, json))
        return false;
    json_close(json);
    return true;
}

static bool send_version(Upload *upload, ClientReply *reply)
{
    Cli *cli = upload->cli;
    JsonWriter *body = json_writer_create(cli->arena);

    json_close(upload->files);
    json_close(upload->urls);
    json_open_object(body, NULL);
    json_text(body, "source", text_built(&upload->source));
    json_raw(body, "files", json_finish(upload->files));
    json_raw(body, "urls", json_finish(upload->urls));
    if (upload->stated)
        project_data_write_options(body, upload->stated);
    else if (!write_options(cli, body))
        return false;
    json_close(body);
    cli_progress(cli, "importing");
    return cli_send(cli, "POST",
                    cli_format(cli, "/api/v1/datasets/%s/versions", cli_encoded(cli, upload->name)),
                    json_finish(body), reply);
}

/* The first option that says how data are read, or NULL. */
static const char *given_option(const Cli *cli)
{
    for (const CommandOption *option = add_options; option->name; option++)
        if (strcmp(option->name, "--file") != 0 && cli_has_option(cli, option->name))
            return option->name;
    return NULL;
}

/* A source of the project's file may be a pattern: "data" followed by "*.csv". */
static bool put_pattern(Upload *upload, const char *pattern)
{
    glob_t found;
    bool done = true;

    if (!strpbrk(pattern, "*?[") || strstr(pattern, "://"))
        return put_source(upload, pattern);
    if (glob(pattern, GLOB_ERR, NULL, &found) != 0)
        return fail(&upload->cli->error, ERROR_NOT_FOUND, "no file matches the source \"%s\"",
                    pattern);
    for (size_t i = 0; done && i < found.gl_pathc; i++)
        done = put_source(upload, found.gl_pathv[i]);
    globfree(&found);
    return done;
}

/* The sources of slipway.yaml, relative to it, read as it says. */
static bool put_stated(Upload *upload)
{
    Cli *cli = upload->cli;

    if (given_option(cli))
        return fail(&cli->error, ERROR_INVALID,
                    "%s goes with sources on the command line; without them the project's file "
                    "says how data are read",
                    given_option(cli));
    if (!cli_project_data(cli, cli_argument(cli, 0), &upload->stated))
        return false;
    upload->name = upload->stated->name;
    for (size_t i = 0; i < upload->stated->sources.count; i++) {
        const char *source = upload->stated->sources.items[i];
        bool is_relative = source[0] != '/' && !strstr(source, "://");

        if (is_relative && strcmp(cli_project_folder(cli), ".") != 0)
            source = cli_format(cli, "%s/%s", cli_project_folder(cli), source);
        if (!put_pattern(upload, source))
            return false;
    }
    return true;
}

/* Sources of the command line; for a data set of slipway.yaml they are read as it says, unless
 * options say otherwise. */
static bool put_given(Upload *upload)
{
    Error ignored = upload->cli->error;

    if (!given_option(upload->cli) &&
        !cli_project_data(upload->cli, upload->name, &upload->stated)) {
        upload->stated = NULL;
        upload->cli->error = ignored;
    }
    for (size_t i = 1; cli_argument(upload->cli, i); i++)
        if (!put_source(upload, cli_argument(upload->cli, i)))
            return false;
    return true;
}

static bool add_data(Cli *cli)
{
    Upload upload = {.cli = cli,
                     .name = cli_argument(cli, 0),
                     .files = json_writer_create(cli->arena),
                     .urls = json_writer_create(cli->arena),
                     .source = {.arena = cli->arena}};
    ClientReply reply;

    json_open_array(upload.files, NULL);
    json_open_array(upload.urls, NULL);
    if (!(cli_argument(cli, 1) ? put_given(&upload) : put_stated(&upload)) ||
        !send_version(&upload, &reply))
        return false;
    cli_progress_end(cli);
    if (cli->json)
        return cli_print_json(cli, &reply);
    data_print_added(cli, &reply);
    return true;
}

static const CommandOption check_options[] = {PROJECT_OPTIONS, {0}};

static bool check_data(Cli *cli)
{
    JsonWriter *body = json_writer_create(cli->arena);
    const char *project, *failure;
    const JsonValue *report;
    ClientReply reply;

    json_open_object(body, NULL);
    json_text(body, "data", cli_argument(cli, 0));
    json_close(body);
    if (!cli_project(cli, &project) ||
        !cli_send(cli, "POST",
                  cli_format(cli, "/api/v1/projects/%s/check-data", cli_encoded(cli, project)),
                  json_finish(body), &reply))
        return false;
    failure = json_as_text(json_member(reply.json, "failure"), NULL);
    report = json_member(reply.json, "expect");
    if (cli->json && !cli_print_json(cli, &reply))
        return false;
    if (!cli->json)
        printf("%s@%lld: %lld of %lld expectations are met\n",
               json_as_text(json_member(reply.json, "data"), ""),
               (long long)json_as_int(json_member(reply.json, "version"), 0),
               (long long)(json_as_int(json_member(report, "checks"), 0) -
                           json_as_int(json_member(report, "failed"), 0)),
               (long long)json_as_int(json_member(report, "checks"), 0));
    if (!cli->json)
        data_print_violations(report);
    return !failure || fail(&cli->error, ERROR_CONFLICT, "%s", failure);
}

const Command data_commands[] = {
    {"data add", "[NAME] [SOURCE...]", add_data,
     "Import files, folders, zips or URLs as a version of a data set; without a source: those that "
     "slipway.yaml names.",
     "slipway data add comments data/*.csv --target CLASS --column COMMENT_ID=ignore", add_options},
    {"data list", NULL, data_list, "List the data sets.", "slipway data list"},
    {"data show", "NAME[@VERSION]", data_show, "Show a version: columns, types, first rows.",
     "slipway data show comments@1"},
    {"data profile", "NAME[@VERSION]", data_profile,
     "Show what is in a version: spreads, missing shares, classes, charts.",
     "slipway data profile comments"},
    {"data check", "[NAME[@VERSION]]", check_data,
     "Look whether a version is what slipway.yaml expects; the exit code is 5 when it is not.",
     "slipway data check comments@2", check_options},
    {0},
};
