/* endpoint.c: slipway endpoint ..., deploy, rollback, predict, explain, prediction show */

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "cli/candidate.h"
#include "cli/commands.h"
#include "cli/forecast.h"
#include "cli/rule.h"
#include "cli/what_if.h"

enum { FILE_BYTES_MAX = 16 * 1024 * 1024, SHOWN_TEXT_BYTES = 60 };

static const char *version_text(Cli *cli, const JsonValue *object)
{
    const char *model = json_as_text(json_member(object, "model"), NULL);

    if (!model)
        return "-";
    return cli_format(cli, "%s@%lld", model,
                      (long long)json_as_int(json_member(object, "version"), 0));
}

static const char *endpoint_path(Cli *cli, const char *name, const char *rest)
{
    return cli_format(cli, "/api/v1/endpoints/%s%s", cli_encoded(cli, name), rest);
}

static bool list_endpoints(Cli *cli)
{
    static const char *const head[] = {"NAME", "PROJECT", "LIVE", "DEPLOYED", "BY"};
    TextList cells = {0};
    ClientReply reply;

    if (!cli_get_all(cli, "/api/v1/endpoints", "endpoints", &reply))
        return false;
    if (cli->json)
        return cli_print_json(cli, &reply);
    for (size_t i = 0; i < COUNT(head); i++)
        text_list_add(&cells, cli->arena, head[i]);
    for (JsonWalk walk = json_walk(json_member(reply.json, "endpoints")); json_walk_next(&walk);) {
        text_list_add(&cells, cli->arena, cli_text(walk.value, "name"));
        text_list_add(&cells, cli->arena, cli_text(walk.value, "project"));
        text_list_add(&cells, cli->arena, version_text(cli, walk.value));
        text_list_add(&cells, cli->arena, cli_time(cli, json_member(walk.value, "deployed_at")));
        text_list_add(&cells, cli->arena, cli_text(walk.value, "deployed_by"));
    }
    cli_print_table(cells.items, COUNT(head), cells.count / COUNT(head), "lllll");
    return true;
}

static bool print_deployments(Cli *cli, const char *name)
{
    static const char *const head[] = {"DEPLOYED", "VERSION", "WHY", "BY", "COMMENT"};
    TextList cells = {0};
    ClientReply reply;

    if (!cli_get_all(cli, endpoint_path(cli, name, "/deployments"), "deployments", &reply))
        return false;
    for (size_t i = 0; i < COUNT(head); i++)
        text_list_add(&cells, cli->arena, head[i]);
    for (JsonWalk walk = json_walk(json_member(reply.json, "deployments"));
         json_walk_next(&walk);) {
        text_list_add(&cells, cli->arena, cli_time(cli, json_member(walk.value, "created_at")));
        text_list_add(&cells, cli->arena, version_text(cli, walk.value));
        text_list_add(&cells, cli->arena, cli_text(walk.value, "reason"));
        text_list_add(&cells, cli->arena, cli_text(walk.value, "created_by"));
        text_list_add(&cells, cli->arena, cli_text(walk.value, "comment"));
    }
    printf("\n");
    cli_print_table(cells.items, COUNT(head), cells.count / COUNT(head), "lllll");
    return true;
}

static bool show_endpoint(Cli *cli)
{
    const char *name = cli_argument(cli, 0);
    ClientReply reply;

    if (!cli_get(cli, endpoint_path(cli, name, ""), &reply))
        return false;
    if (cli->json)
        return cli_print_json(cli, &reply);
    printf("endpoint  %s\nproject   %s\nurl       /endpoints/%s/predict\nlive      %s\n", name,
           cli_text(reply.json, "project"), name, version_text(cli, reply.json));
    printf("gate      %s\n", cli_rule(cli, json_member(reply.json, "rule")));
    return cli_print_candidate(cli, reply.json) && print_deployments(cli, name);
}

static const CommandOption rule_options[] = {
    {"--metric", OPTION_TEXT, "METRIC", "on the frozen hold-out (f1)"},
    {"--margin", OPTION_NUMBER, "NUMBER", "by how much it may be worse, or must be better (0)"},
    {"--relative-margin", OPTION_NUMBER, "SHARE",
     "the same as a share of the champion's value: 0.01 is 1 % (0)"},
    {"--minimum", OPTION_NUMBER, "NUMBER", "that every version must reach (none)"},
    {"--level", OPTION_NUMBER, "NUMBER", "of the confidence interval (0.95)"},
    {"--demand", OPTION_TEXT, "DEMAND", "not-worse (the default) or better"},
    {0},
};

static bool set_rule(Cli *cli)
{
    static const char *const texts[] = {"metric", "demand"};
    static const char *const numbers[] = {"margin", "relative_margin", "minimum", "level"};
    static const char *const number_options[] = {"--margin", "--relative-margin", "--minimum",
                                                 "--level"};
    JsonWriter *json = json_writer_create(cli->arena);
    ClientReply reply;

    json_open_object(json, NULL);
    for (size_t i = 0; i < COUNT(texts); i++) {
        const char *value = cli_option(cli, cli_format(cli, "--%s", texts[i]));

        if (value)
            json_text(json, texts[i], value);
    }
    for (size_t i = 0; i < COUNT(numbers); i++) {
        const char *option = number_options[i];

        if (cli_has_option(cli, option))
            json_double(json, numbers[i], cli_option_number(cli, option, 0));
    }
    json_close(json);
    if (!cli_send(cli, "PUT", endpoint_path(cli, cli_argument(cli, 0), "/rule"), json_finish(json),
                  &reply))
        return false;
    if (cli->json)
        return cli_print_json(cli, &reply);
    printf("gate      %s\n", cli_rule(cli, json_member(reply.json, "rule")));
    for (JsonWalk walk = json_walk(json_member(reply.json, "warnings")); json_walk_next(&walk);)
        fprintf(stderr, "warning: %s\n", json_as_text(walk.value, ""));
    return true;
}

static bool print_live(Cli *cli, const ClientReply *reply)
{
    if (cli->json)
        return cli_print_json(cli, reply);
    printf("endpoint %s serves %s\n", cli_text(reply->json, "name"),
           version_text(cli, reply->json));
    return true;
}

/* "comments@3", "comments@latest" or "comments@champion" as model and number. */
static bool resolve_version(Cli *cli, const char *name, const char **model, int64_t *version)
{
    const char *at = strrchr(name, '@');
    ClientReply reply;

    if (!at || at == name || !at[1])
        return fail(&cli->error, ERROR_INVALID,
                    "a version is written MODEL@VERSION: \"comments@3\" or \"comments@latest\"");
    *model = arena_copy(cli->arena, name, (size_t)(at - name));
    if (!cli_get(cli,
                 cli_format(cli, "/api/v1/models/%s/versions/%s", cli_encoded(cli, *model),
                            cli_encoded(cli, at + 1)),
                 &reply))
        return false;
    *version = json_as_int(json_member(reply.json, "version"), 0);
    return true;
}

static const CommandOption deploy_options[] = {
    {"--endpoint", OPTION_TEXT, "ENDPOINT", "where it is to serve; made if it is not there"},
    {"--project", OPTION_TEXT, "PROJECT", "of a new endpoint (default)"},
    {"--comment", OPTION_TEXT, "TEXT",
     "why; needed where a version serves already, for the gate is not asked"},
    {0},
};

static bool deploy(Cli *cli)
{
    const char *endpoint = cli_option(cli, "--endpoint"), *model = NULL;
    JsonWriter *json = json_writer_create(cli->arena);
    ClientReply reply;
    int64_t version = 0;

    if (!endpoint)
        return fail(&cli->error, ERROR_INVALID, "name the endpoint: --endpoint ENDPOINT");
    if (!resolve_version(cli, cli_argument(cli, 0), &model, &version))
        return false;
    json_open_object(json, NULL);
    json_text(json, "model", model);
    json_int(json, "version", version);
    json_text(json, "comment", cli_option(cli, "--comment"));
    json_text(json, "project", cli_option(cli, "--project"));
    json_close(json);
    return cli_send(cli, "POST", endpoint_path(cli, endpoint, "/deploy"), json_finish(json),
                    &reply) &&
           print_live(cli, &reply);
}

static const CommandOption rollback_options[] = {
    {"--comment", OPTION_TEXT, "TEXT", "why"},
    {0},
};

static bool rollback(Cli *cli)
{
    JsonWriter *json = json_writer_create(cli->arena);
    ClientReply reply;

    json_open_object(json, NULL);
    json_text(json, "comment", cli_option(cli, "--comment"));
    json_close(json);
    return cli_send(cli, "POST", endpoint_path(cli, cli_argument(cli, 0), "/rollback"),
                    json_finish(json), &reply) &&
           print_live(cli, &reply);
}

#define ROW_OPTIONS                                                                                \
    {"--file", OPTION_TEXT, "FILE", "rows to predict: .csv with a header, .jsonl or .json"},       \
        {"--row", OPTION_LIST, "JSON", "a row, as an object by column; may be given for several"}, \
        {"--steps", OPTION_INT, "STEPS", "of a forecast: how many steps after the series' end"},   \
        {"--series", OPTION_TEXT, "NAME", "of a forecast: which series, where there are many"},    \
        {"--level", OPTION_NUMBER, "SHARE", "of a forecast's intervals (0.95)"},                   \
        {"--known", OPTION_LIST, "COLUMN=A,B,...",                                                 \
         "of a forecast: a known column's value at each step, or one for all"},                    \
    {                                                                                              \
        "--ignore-extra", OPTION_FLAG, NULL, "leave out columns that the model does not read"      \
    }

static const CommandOption predict_options[] = {ROW_OPTIONS, {0}};

static const CommandOption explain_options[] = {
    ROW_OPTIONS,
    {"--what-if", OPTION_LIST, "COLUMN=VALUE",
     "also what would be answered if the column had this value; may be given for several"},
    {0},
};

static const char *type_of_file(const char *path)
{
    if (text_has_suffix(path, ".csv"))
        return "text/csv";
    return text_has_suffix(path, ".jsonl") ? "application/jsonl" : "application/json";
}

static bool read_rows_file(Cli *cli, const char *path, ClientCall *call)
{
    if (cli->arguments.count > 1 || cli_has_option(cli, "--row"))
        return fail(&cli->error, ERROR_INVALID, "give texts, --row or --file, one of them");
    call->content_type = type_of_file(path);
    return file_read(path, FILE_BYTES_MAX, cli->arena, &call->body, &call->body_size, &cli->error);
}

/* The texts of the command line as {"data": [...]}. */
static bool write_texts(Cli *cli, ClientCall *call)
{
    JsonWriter *json = json_writer_create(cli->arena);

    if (cli->arguments.count < 2)
        return fail(&cli->error, ERROR_INVALID,
                    "give texts to predict, --row JSON, --file FILE, or --steps STEPS of a "
                    "forecast");
    json_open_object(json, NULL);
    json_open_array(json, "data");
    for (size_t i = 1; i < cli->arguments.count; i++)
        json_text(json, NULL, cli->arguments.items[i]);
    json_close(json);
    json_close(json);
    call->body = json_finish(json);
    call->body_size = json_size(json);
    return true;
}

/* The rows of the command line as {"data": [...]}; what they hold is the server's to check. */
static bool write_rows(Cli *cli, ClientCall *call)
{
    TextList rows = cli_option_list(cli, "--row");
    JsonWriter *json = json_writer_create(cli->arena);

    if (cli->arguments.count > 1)
        return fail(&cli->error, ERROR_INVALID, "give texts, --row or --file, one of them");
    json_open_object(json, NULL);
    json_open_array(json, "data");
    for (size_t i = 0; i < rows.count; i++) {
        const JsonValue *row;

        if (!json_parse(rows.items[i], strlen(rows.items[i]), cli->arena, &row, &cli->error))
            return fail_in(&cli->error, "--row %zu", i + 1);
        if (!json_is_object(row))
            return fail(&cli->error, ERROR_INVALID,
                        "--row %zu must be a JSON object by column, as in {\"age\": 41}", i + 1);
        json_raw(json, NULL, rows.items[i]);
    }
    json_close(json);
    json_close(json);
    call->body = json_finish(json);
    call->body_size = json_size(json);
    return true;
}

static bool is_forecast_asked(Cli *cli)
{
    return cli_has_option(cli, "--steps") || cli_has_option(cli, "--series") ||
           cli_has_option(cli, "--level") || cli_option_list(cli, "--known").count > 0;
}

/* Numbers as numbers; what else there is are levels of a category, which digits may be, too: there
 * a number is as good. */
static void write_known_value(JsonWriter *json, const char *key, const char *text)
{
    double number;

    if (text_to_double(text, &number))
        json_double(json, key, number);
    else
        json_text(json, key, text);
}

static bool write_known(Cli *cli, JsonWriter *json)
{
    TextList columns = cli_option_list(cli, "--known");

    if (columns.count == 0)
        return true;
    json_open_object(json, "known");
    for (size_t i = 0; i < columns.count; i++) {
        const char *text = columns.items[i], *equals = strchr(text, '=');
        TextList values = text_split(equals ? equals + 1 : "", ',', cli->arena);
        const char *name;

        if (!equals || equals == text)
            return fail(&cli->error, ERROR_INVALID,
                        "--known takes COLUMN=VALUE, or a value for each step, not \"%s\"", text);
        name = arena_copy(cli->arena, text, (size_t)(equals - text));
        if (values.count < 2) {
            write_known_value(json, name, equals + 1);
            continue;
        }
        json_open_array(json, name);
        for (size_t step = 0; step < values.count; step++)
            write_known_value(json, NULL, values.items[step]);
        json_close(json);
    }
    json_close(json);
    return true;
}

static bool write_ask(Cli *cli, ClientCall *call)
{
    JsonWriter *json = json_writer_create(cli->arena);

    if (cli->arguments.count > 1 || cli_has_option(cli, "--file") || cli_has_option(cli, "--row"))
        return fail(&cli->error, ERROR_INVALID,
                    "give --steps, --series, --level and --known, or rows, not both");
    json_open_object(json, NULL);
    json_open_array(json, "data");
    json_open_object(json, NULL);
    if (cli_has_option(cli, "--steps"))
        json_int(json, "steps", cli_option_int(cli, "--steps", 0));
    if (cli_has_option(cli, "--series"))
        json_text(json, "series", cli_option(cli, "--series"));
    if (cli_has_option(cli, "--level"))
        json_double(json, "level", cli_option_number(cli, "--level", 0));
    if (!write_known(cli, json))
        return false;
    json_close(json);
    json_close(json);
    json_close(json);
    call->body = json_finish(json);
    call->body_size = json_size(json);
    return true;
}

static bool read_rows(Cli *cli, ClientCall *call)
{
    const char *path = cli_option(cli, "--file");

    if (is_forecast_asked(cli))
        return write_ask(cli, call);
    if (path)
        return read_rows_file(cli, path, call);
    return cli_has_option(cli, "--row") ? write_rows(cli, call) : write_texts(cli, call);
}

static bool ask_endpoint(Cli *cli, const char *verb, ClientReply *reply)
{
    const char *extra = cli_has_option(cli, "--ignore-extra") ? "extra=ignore" : "";
    const char *what_if = cli_what_if_query(cli);
    ClientCall call = {
        .method = "POST",
        .path = cli_format(cli, "/endpoints/%s/%s%s%s%s%s", cli_encoded(cli, cli_argument(cli, 0)),
                           verb, *extra || *what_if ? "?" : "", extra,
                           *extra && *what_if ? "&" : "", what_if),
    };

    if (!read_rows(cli, &call))
        return false;
    return cli_call(cli, &call, reply);
}

/* What the row was: its text where it came from the command line, else its number. */
static const char *row_name(Cli *cli, size_t row)
{
    const char *text = cli_argument(cli, row + 1);

    if (!text)
        return cli_format(cli, "row %zu", row + 1);
    if (strlen(text) <= SHOWN_TEXT_BYTES)
        return text;
    return cli_format(cli, "%.*s...", SHOWN_TEXT_BYTES, text);
}

static void print_source(Cli *cli, const ClientReply *reply)
{
    fprintf(stderr, "%s, request %s\n", version_text(cli, reply->json),
            cli_text(reply->json, "request_id"));
}

static const char *value_text(Cli *cli, const JsonValue *answer)
{
    return cli_format(cli, "%.6g", json_as_double(json_member(answer, "value"), NAN));
}

/* Of a model that answers with numbers. */
static void print_values(Cli *cli, const JsonValue *predictions)
{
    TextList cells = {0};

    text_list_add(&cells, cli->arena, "VALUE");
    text_list_add(&cells, cli->arena, "INPUT");
    for (JsonWalk walk = json_walk(predictions); json_walk_next(&walk);) {
        text_list_add(&cells, cli->arena, value_text(cli, walk.value));
        text_list_add(&cells, cli->arena, row_name(cli, walk.index));
    }
    cli_print_table(cells.items, 2, cells.count / 2, "rl");
}

static void print_labels(Cli *cli, const JsonValue *predictions)
{
    static const char *const head[] = {"LABEL", "CONFIDENCE", "INPUT"};
    TextList cells = {0};

    for (size_t i = 0; i < COUNT(head); i++)
        text_list_add(&cells, cli->arena, head[i]);
    for (JsonWalk walk = json_walk(predictions); json_walk_next(&walk);) {
        double confidence = json_as_double(json_member(walk.value, "confidence"), 0);

        text_list_add(&cells, cli->arena, cli_text(walk.value, "label"));
        text_list_add(&cells, cli->arena, cli_number(cli, confidence, 3));
        text_list_add(&cells, cli->arena, row_name(cli, walk.index));
    }
    cli_print_table(cells.items, COUNT(head), cells.count / COUNT(head), "lrl");
}

static bool has_values(const JsonValue *answers)
{
    JsonWalk first = json_walk(answers);

    return json_walk_next(&first) && json_member(first.value, "value");
}

static bool predict(Cli *cli)
{
    const JsonValue *predictions;
    ClientReply reply;

    if (!ask_endpoint(cli, "predict", &reply))
        return false;
    if (cli->json)
        return cli_print_json(cli, &reply);
    predictions = json_member(reply.json, "predictions");
    if (cli_has_forecasts(predictions))
        cli_print_forecasts(cli, predictions);
    else if (has_values(predictions))
        print_values(cli, predictions);
    else
        print_labels(cli, predictions);
    print_source(cli, &reply);
    return true;
}

static void print_explanation(Cli *cli, const JsonValue *explanation, size_t row)
{
    const JsonValue *rest = json_member(explanation, "rest");
    double confidence = json_as_double(json_member(explanation, "confidence"), 0);
    bool is_value = json_member(explanation, "value") != NULL;

    if (is_value)
        printf("%s\n  %s\n", row_name(cli, row), value_text(cli, explanation));
    else
        printf("%s\n  %s, confidence %s\n", row_name(cli, row), cli_text(explanation, "label"),
               cli_number(cli, confidence, 3));
    for (JsonWalk walk = json_walk(json_member(explanation, "contributions"));
         json_walk_next(&walk);)
        printf("  %+9.4f  %s\n", json_as_double(json_member(walk.value, "weight"), 0),
               cli_text(walk.value, "text"));
    if (json_as_int(json_member(rest, "count"), 0))
        printf("  %+9.4f  %lld more\n", json_as_double(json_member(rest, "weight"), 0),
               (long long)json_as_int(json_member(rest, "count"), 0));
    printf("  %+9.4f  the intercept\n  %+9.4f  in all, %s\n",
           json_as_double(json_member(explanation, "intercept"), 0),
           json_as_double(json_member(explanation, "margin"), 0),
           is_value ? "the value" : "the margin: calibrated, it is the confidence");
    cli_print_what_if(cli, explanation);
}

static bool explain(Cli *cli)
{
    const JsonValue *answers;
    ClientReply reply;

    if (!ask_endpoint(cli, "explain", &reply))
        return false;
    if (cli->json)
        return cli_print_json(cli, &reply);
    answers = json_member(reply.json, "explanations");
    if (cli_has_forecasts(answers))
        cli_print_forecast_reasons(cli, answers);
    else
        for (JsonWalk walk = json_walk(answers); json_walk_next(&walk);)
            print_explanation(cli, walk.value, walk.index);
    print_source(cli, &reply);
    return true;
}

static bool show_prediction(Cli *cli)
{
    const JsonValue *prediction, *deployment, *version;
    ClientReply reply;

    if (!cli_get(cli,
                 cli_format(cli, "/api/v1/predictions/%s", cli_encoded(cli, cli_argument(cli, 0))),
                 &reply))
        return false;
    if (cli->json)
        return cli_print_json(cli, &reply);
    prediction = json_member(reply.json, "prediction");
    deployment = json_member(reply.json, "deployment");
    version = json_member(json_member(reply.json, "lineage"), "version");
    printf("answered  %s by endpoint %s with %s\n",
           cli_time(cli, json_member(prediction, "created_at")), cli_text(prediction, "endpoint"),
           version_text(cli, prediction));
    printf("answers   %s\n", json_print(json_member(prediction, "predictions"), cli->arena));
    printf("inputs    %s\n", json_print(json_member(prediction, "inputs"), cli->arena));
    printf("deployed  %s by %s (%s)\n", cli_time(cli, json_member(deployment, "created_at")),
           cli_text(deployment, "created_by"), cli_text(deployment, "reason"));
    printf("run       %s\ndata      %s version %lld, %s\ncode      %s\n",
           cli_text(version, "run_id"), cli_text(version, "dataset"),
           (long long)json_as_int(json_member(version, "dataset_version"), 0),
           cli_text(version, "dataset_digest"), cli_text(version, "code_commit"));
    return true;
}

const Command endpoint_commands[] = {
    {"endpoint list", NULL, list_endpoints, "List the endpoints and what they serve.",
     "slipway endpoint list"},
    {"endpoint show", "NAME", show_endpoint, "Show an endpoint and what it served.",
     "slipway endpoint show spam"},
    {"endpoint rule", "NAME", set_rule,
     "Set the rule of an endpoint's gate; what is not given "
     "takes its default.",
     "slipway endpoint rule spam --metric f1 --minimum 0.85", rule_options},
    {"deploy", "MODEL@VERSION", deploy, "Check a model version and serve it.",
     "slipway deploy comments@3 --endpoint spam", deploy_options},
    {"rollback", "ENDPOINT", rollback, "Serve the version again that served before.",
     "slipway rollback spam --comment \"answers got worse\"", rollback_options},
    {"predict", "ENDPOINT [TEXT...]", predict, "Predict texts or rows.",
     "slipway predict spam \"check out my channel\"", predict_options},
    {"explain", "ENDPOINT [TEXT...]", explain,
     "Predict, and show what drove each answer; and what would be answered if.",
     "slipway explain bank --file client.csv --what-if age=30", explain_options},
    {"prediction show", "REQUEST", show_prediction,
     "Show a logged answer and what it came from: deployment, version, run, data, code.",
     "slipway prediction show 0af7651916cd43dd8448eb211c80319c"},
    {0},
};
