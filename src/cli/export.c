/* export.c: slipway export ... */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "transfer/folder_writer.h"

typedef struct Exporter {
    Cli *cli;
    int64_t told;
} Exporter;

/* MLflow's routes are this program's, too. */
static bool ask(void *context, const RestQuestion *question, const JsonValue **answer, Error *error)
{
    const Exporter *exporter = context;
    const ClientCall call = {.method = question->body ? "POST" : "GET",
                             .path = question->path,
                             .body = question->body,
                             .body_size = question->body ? strlen(question->body) : 0};
    ClientReply reply = {0};

    if (!client_call(exporter->cli->client, &call, question->arena, &reply, error))
        return false;
    *answer = reply.json;
    return true;
}

static bool download(void *context, const char *path, const char *target, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const Exporter *exporter = context;
    const ClientCall call = {.method = "GET", .path = path, .reply_file = target};
    ClientReply reply = {0};

    return client_call(exporter->cli->client, &call, arena, &reply, error);
}

static void tell(void *context, const char *what, const char *why)
{
    Exporter *exporter = context;

    exporter->told++;
    fprintf(stderr, "left out: %s: %s\n", what, why);
}

static void print_counts(const Cli *cli, const char *folder, const FolderCounts *counts)
{
    JsonWriter *json = json_writer_create(cli->arena);

    if (!cli->json) {
        printf("%" PRId64 " experiments, %" PRId64 " runs, %" PRId64 " metric points, %" PRId64
               " logged models, %" PRId64 " models with %" PRId64 " versions, %" PRId64
               " files are in %s\n",
               counts->experiments, counts->runs, counts->points, counts->logged_models,
               counts->models, counts->versions, counts->files, folder);
        if (counts->elsewhere)
            printf("the files of %" PRId64 " runs and models are elsewhere; their places stay\n",
                   counts->elsewhere);
        return;
    }
    json_open_object(json, NULL);
    json_text(json, "folder", folder);
    json_int(json, "experiments", counts->experiments);
    json_int(json, "runs", counts->runs);
    json_int(json, "points", counts->points);
    json_int(json, "logged_models", counts->logged_models);
    json_int(json, "models", counts->models);
    json_int(json, "versions", counts->versions);
    json_int(json, "files", counts->files);
    json_int(json, "elsewhere", counts->elsewhere);
    json_close(json);
    printf("%s\n", json_finish(json));
}

static const CommandOption export_options[] = {
    {"--experiment", OPTION_TEXT, "NAME", "only this experiment, without registered models"},
    {0},
};

static bool export_mlflow(Cli *cli)
{
    const char *folder = cli_argument(cli, 0);
    Exporter exporter = {.cli = cli};
    const RestSpec spec = {{ask, download, &exporter}, cli_option(cli, "--experiment")};
    CLEANUP(source_close) TransferSource *source = rest_source_open(&spec, &cli->error);
    CLEANUP(folder_writer_close)
    FolderWriter *writer = source ? folder_writer_open(folder, source, &cli->error) : NULL;
    TransferSink sink;
    FolderCounts counts;

    if (!writer)
        return false;
    sink = folder_writer_sink(writer, tell, &exporter);
    if (!source->read(source, &sink, &cli->error))
        return false;
    counts = folder_writer_counts(writer);
    print_counts(cli, folder, &counts);
    return !exporter.told ||
           fail(&cli->error, ERROR_INTERNAL,
                "%" PRId64 " things were left out; the lines above say why", exporter.told);
}

const Command export_commands[] = {
    {"export mlflow", "FOLDER", export_mlflow,
     "Write all of it as a folder that MLflow's client reads.",
     "slipway export mlflow mlruns --experiment churn", export_options},
    {0},
};
