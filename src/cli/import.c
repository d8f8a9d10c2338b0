/* import.c: slipway import ... */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/time.h"
#include "cli/commands.h"
#include "cli/import.h"
#include "cli/mlflow_server.h"

/* ---- which source ---- */

static const char *const databases[] = {"postgresql", "postgres", "mysql", "mssql", "oracle"};

/* "postgresql+psycopg2://..." */
static bool is_database(const char *source)
{
    for (size_t i = 0; i < COUNT(databases); i++)
        if (text_has_prefix(source, databases[i]) && strstr(source, "://"))
            return true;
    return false;
}

/* "sqlite:///mlflow.db" is a file here, "sqlite:////srv/mlflow.db" one by its whole path. */
static const char *path_of(const char *source)
{
    static const char *const prefixes[] = {"sqlite:///", "file://"};

    for (size_t i = 0; i < COUNT(prefixes); i++)
        if (text_has_prefix(source, prefixes[i]))
            return source + strlen(prefixes[i]);
    return source;
}

static bool is_server(const char *source)
{
    return text_has_prefix(source, "http://") || text_has_prefix(source, "https://");
}

/* server: of the source, and as long-lived. */
static TransferSource *open_source(Cli *cli, const char *source, MlflowServer *server)
{
    SourceSpec spec = {path_of(source), cli_option(cli, "--artifacts")};

    if (spec.artifacts && !folder_exists(spec.artifacts)) {
        error_set(&cli->error, ERROR_NOT_FOUND, "there is no folder \"%s\"", spec.artifacts);
        return NULL;
    }
    if (is_database(source)) {
        error_set(&cli->error, ERROR_INVALID,
                  "a database of another machine is imported through its MLflow server: start "
                  "\"mlflow server --backend-store-uri ...\" and give its http address");
        return NULL;
    }
    if (is_server(source)) {
        *server = mlflow_server_at(source, cli->arena);
        return rest_source_open(&(RestSpec){.transport = mlflow_server_transport(server)},
                                &cli->error);
    }
    if (strstr(spec.path, "://")) {
        error_set(&cli->error, ERROR_INVALID,
                  "\"%s\" is no source: it is an MLflow database (mlflow.db, sqlite:///mlflow.db), "
                  "a folder (mlruns) or the http address of a server",
                  source);
        return NULL;
    }
    return folder_exists(spec.path) ? folder_source_open(&spec, &cli->error)
                                    : sqlite_source_open(&spec, &cli->error);
}

/* ---- what came of it ---- */

static int64_t missing_of(const ImportTally *tally)
{
    return tally->source - tally->imported - tally->present;
}

static int64_t count_missing(const Importer *importer)
{
    int64_t missing = 0;

    for (size_t i = 0; i < IMPORT_KINDS; i++)
        missing += missing_of(&importer->tallies[i]);
    return missing;
}

/* What the source counts apart from the reading is what it has. */
static void take_totals(Importer *importer)
{
    const TransferTotals *totals = &importer->source->totals;
    const struct {
        ImportKind kind;
        int64_t total;
    } rows[] = {
        {IMPORT_EXPERIMENTS, totals->experiments}, {IMPORT_RUNS, totals->runs},
        {IMPORT_PARAMS, totals->params},           {IMPORT_TAGS, totals->tags},
        {IMPORT_POINTS, totals->points},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        ImportTally *tally = &importer->tallies[rows[i].kind];

        if (rows[i].total <= tally->source)
            continue;
        import_note(importer, &importer->refused,
                    cli_format(importer->cli, "%" PRId64 " %s", rows[i].total - tally->source,
                               import_kind_names[rows[i].kind]),
                    "they belong to nothing that the source has");
        tally->source = rows[i].total;
    }
}

static void write_reasons(JsonWriter *json, const char *key, const ImportReasonList *list)
{
    json_open_array(json, key);
    for (size_t i = 0; i < list->count; i++) {
        json_open_object(json, NULL);
        json_text(json, "what", list->items[i].what);
        json_text(json, "why", list->items[i].why);
        json_close(json);
    }
    json_close(json);
}

static void print_json(const Importer *importer)
{
    JsonWriter *json = json_writer_create(importer->cli->arena);

    json_open_object(json, NULL);
    json_open_object(json, "counts");
    for (size_t i = 0; i < IMPORT_KINDS; i++) {
        const ImportTally *tally = &importer->tallies[i];

        json_open_object(json, import_kind_names[i]);
        json_int(json, "source", tally->source);
        json_int(json, "imported", tally->imported);
        json_int(json, "present", tally->present);
        json_int(json, "left_out", missing_of(tally));
        json_close(json);
    }
    json_close(json);
    json_int(json, "elsewhere_count", importer->elsewhere_count);
    write_reasons(json, "elsewhere", &importer->elsewhere);
    write_reasons(json, "left_out", &importer->refused);
    json_open_array(json, "merged_experiments");
    for (size_t i = 0; i < importer->merged.count; i++)
        json_text(json, NULL, importer->merged.items[i].what);
    json_close(json);
    json_close(json);
    printf("%s\n", json_finish(json));
}

static void print_tallies(const Importer *importer)
{
    enum { COLUMNS = 5 };
    static const char *const head[COLUMNS] = {"", "SOURCE", "IMPORTED", "WAS HERE", "LEFT OUT"};
    static const char *const titles[IMPORT_KINDS] = {
        "experiments", "experiment tags", "runs",   "params",   "tags",    "metric points",
        "data sets",   "logged models",   "models", "versions", "aliases", "files",
    };
    const char *cells[(IMPORT_KINDS + 1) * COLUMNS];
    Cli *cli = importer->cli;
    size_t rows = 1;

    memcpy(cells, head, sizeof(head));
    for (size_t i = 0; i < IMPORT_KINDS; i++) {
        const ImportTally *tally = &importer->tallies[i];
        const char **row = &cells[rows * COLUMNS];

        if (!tally->source)
            continue;
        rows++;
        row[0] = titles[i];
        row[1] = cli_format(cli, "%" PRId64, tally->source);
        row[2] = cli_format(cli, "%" PRId64, tally->imported);
        row[3] = cli_format(cli, "%" PRId64, tally->present);
        row[4] = cli_format(cli, "%" PRId64, missing_of(tally));
    }
    cli_print_table(cells, COLUMNS, rows, "lrrrr");
}

static void print_summary(const Importer *importer)
{
    const ImportReasonList *refused = &importer->refused, *elsewhere = &importer->elsewhere;

    print_tallies(importer);
    for (size_t i = 0; i < importer->merged.count; i++)
        printf("experiment \"%s\" was here: its runs are added to it\n",
               importer->merged.items[i].what);
    if (importer->elsewhere_count)
        printf("files that are elsewhere, of %" PRId64 " runs and models; their places stay:\n",
               importer->elsewhere_count);
    for (size_t i = 0; i < elsewhere->count; i++)
        printf("  %s: %s\n", elsewhere->items[i].what, elsewhere->items[i].why);
    if (refused->count)
        printf("left out:\n");
    for (size_t i = 0; i < refused->count; i++)
        printf("  %s: %s\n", refused->items[i].what, refused->items[i].why);
}

static bool move_all(Importer *importer)
{
    Error *error = &importer->cli->error;
    TransferSink sink = import_sink(importer);

    return importer->source->read(importer->source, &sink, error) && import_flush(importer, error);
}

static bool finish(Importer *importer)
{
    int64_t missing;

    take_totals(importer);
    missing = count_missing(importer);
    if (importer->cli->json)
        print_json(importer);
    else
        print_summary(importer);
    missing += importer->damage_count;
    return !missing ||
           fail(&importer->cli->error, ERROR_INTERNAL,
                "%" PRId64 " things of the source are not here; the lines above say why", missing);
}

static const CommandOption import_options[] = {
    {"--artifacts", OPTION_TEXT, "FOLDER",
     "the files of a database's runs; default: mlartifacts or mlruns beside it"},
    {0},
};

static bool import_mlflow(Cli *cli)
{
    MlflowServer server;
    CLEANUP(source_close) TransferSource *source = open_source(cli, cli_argument(cli, 0), &server);
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Importer importer = {.cli = cli, .source = source, .arena = arena};
    int64_t started_at = time_monotonic_us();
    Error ignored = {0};
    bool done;

    if (!source)
        return false;
    done = move_all(&importer);
    cli_progress_end(cli);
    if (importer.temporary && !folder_remove(importer.temporary, &ignored))
        fprintf(stderr, "slipway: %s\n", ignored.message);
    if (!done)
        return false;
    done = finish(&importer);
    if (!cli->json)
        printf("read %s in %.1f s\n", source->kind,
               (double)(time_monotonic_us() - started_at) / 1e6);
    return done;
}

const Command import_commands[] = {
    {"import mlflow", "SOURCE", import_mlflow,
     "Copy all of an MLflow database, folder or server; again copies what is new.",
     "slipway import mlflow mlflow.db", import_options},
    {0},
};
