/* purge.c: slipway purge */

#include <inttypes.h>
#include <stdio.h>

#include "cli/commands.h"

enum { PURGE_SECONDS_MAX = 24 * 60 * 60 };

static const CommandOption purge_options[] = {
    {"--older-than", OPTION_INT, "DAYS",
     "what was deleted so many days ago or earlier (30); 0: all that is deleted"},
    {"--dry-run", OPTION_FLAG, NULL, "only say what would go and what would stay"},
    {0},
};

static bool ask(Cli *cli, ClientReply *reply)
{
    JsonWriter *json = json_writer_create(cli->arena);
    ClientCall call = {
        .method = "POST", .path = "/api/v1/purge", .timeout_seconds = PURGE_SECONDS_MAX};

    json_open_object(json, NULL);
    if (cli_has_option(cli, "--older-than"))
        json_int(json, "older_than_days", cli_option_int(cli, "--older-than", 0));
    json_bool(json, "dry_run", cli_has_option(cli, "--dry-run"));
    json_close(json);
    call.body = json_finish(json);
    call.body_size = json_size(json);
    return cli_call(cli, &call, reply);
}

static int64_t member(const JsonValue *report, const char *key, const char *part)
{
    return json_as_int(json_member(json_member(report, key), part), 0);
}

static void print_counts(Cli *cli, const JsonValue *report)
{
    enum { COLUMNS = 3 };
    static const struct {
        const char *label, *key;
    } rows[] = {
        {"runs", "runs"},
        {"logged models", "logged_models"},
        {"model versions", "model_versions"},
        {"pipeline runs", "pipeline_runs"},
        {"uploads", "uploads"},
        {"blobs", "blobs"},
    };
    const char *cells[(COUNT(rows) + 2) * COLUMNS] = {
        cli_has_option(cli, "--dry-run") ? "WOULD GO" : "GONE", "COUNT", "BYTES"};
    size_t at = COLUMNS;

    for (size_t i = 0; i < COUNT(rows); i++) {
        cells[at++] = rows[i].label;
        cells[at++] = cli_format(cli, "%" PRId64, member(report, rows[i].key, "count"));
        cells[at++] = cli_format(cli, "%" PRId64, member(report, rows[i].key, "bytes"));
    }
    cells[at++] = "experiments";
    cells[at++] =
        cli_format(cli, "%" PRId64, json_as_int(json_member(report, "experiment_count"), 0));
    cells[at++] = "-";
    cli_print_table(cells, COLUMNS, at / COLUMNS, "lrr");
}

static void print_kept(const JsonValue *report)
{
    int64_t count = json_as_int(json_member(report, "kept_count"), 0);
    const JsonValue *kept = json_member(report, "kept");

    printf("\nin use: %" PRId64 " blobs of %" PRId64 " bytes\n",
           member(report, "blobs_in_use", "count"), member(report, "blobs_in_use", "bytes"));
    if (member(report, "blobs_too_young", "count"))
        printf("stored or asked for within an hour, so they stay for now: %" PRId64
               " blobs of %" PRId64 " bytes\n",
               member(report, "blobs_too_young", "count"),
               member(report, "blobs_too_young", "bytes"));
    if (count)
        printf("\nkept though due\n");
    for (JsonWalk walk = json_walk(kept); json_walk_next(&walk);)
        printf("  %s %s: %s\n", json_as_text(json_member(walk.value, "noun"), "-"),
               json_as_text(json_member(walk.value, "name"), "-"),
               json_as_text(json_member(walk.value, "reason"), "-"));
    if (count > (int64_t)json_count(kept))
        printf("  and %" PRId64 " more\n", count - (int64_t)json_count(kept));
}

static bool purge(Cli *cli)
{
    ClientReply reply;

    if (!ask(cli, &reply))
        return false;
    if (cli->json)
        return cli_print_json(cli, &reply);
    print_counts(cli, reply.json);
    print_kept(reply.json);
    return true;
}

const Command purge_commands[] = {
    {"purge", NULL, purge,
     "Remove for good what was deleted long ago, and the bytes that nothing refers to then.",
     "slipway purge --older-than 30 --dry-run", purge_options},
    {0},
};
