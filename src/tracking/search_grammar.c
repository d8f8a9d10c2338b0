/* search_grammar.c: what can be asked of which noun. */

#include "tracking/search_filter.h"

#define BIT(name) (1u << SEARCH_##name)

enum {
    EQUALITY = BIT(EQUAL) | BIT(DIFFERENT),
    NUMBERS = EQUALITY | BIT(GREATER) | BIT(GREATER_EQUAL) | BIT(LESS) | BIT(LESS_EQUAL),
    TEXTS = EQUALITY | BIT(LIKE) | BIT(ILIKE),
    LISTS = BIT(IN) | BIT(NOT_IN),
    NULLS = BIT(NULL) | BIT(NOT_NULL),
};

static const SearchKey run_keys[] = {
    {"run_id", SEARCH_ATTRIBUTE, SEARCH_TYPE_TEXT, TEXTS | LISTS, true},
    {"run_name", SEARCH_ATTRIBUTE, SEARCH_TYPE_TEXT, TEXTS, true},
    {"run name", SEARCH_ATTRIBUTE, SEARCH_TYPE_TEXT, TEXTS, true, "run_name"},
    {"Run name", SEARCH_ATTRIBUTE, SEARCH_TYPE_TEXT, TEXTS, true, "run_name"},
    {"Run Name", SEARCH_ATTRIBUTE, SEARCH_TYPE_TEXT, TEXTS, true, "run_name"},
    {"user_id", SEARCH_ATTRIBUTE, SEARCH_TYPE_TEXT, TEXTS, true},
    {"status", SEARCH_ATTRIBUTE, SEARCH_TYPE_TEXT, TEXTS, true},
    {"artifact_uri", SEARCH_ATTRIBUTE, SEARCH_TYPE_TEXT, TEXTS, true},
    {"start_time", SEARCH_ATTRIBUTE, SEARCH_TYPE_NUMBER, NUMBERS, true},
    {"created", SEARCH_ATTRIBUTE, SEARCH_TYPE_NUMBER, NUMBERS, true, "start_time"},
    {"Created", SEARCH_ATTRIBUTE, SEARCH_TYPE_NUMBER, NUMBERS, true, "start_time"},
    {"end_time", SEARCH_ATTRIBUTE, SEARCH_TYPE_NUMBER, NUMBERS, true},
    {"name", SEARCH_DATASET, SEARCH_TYPE_TEXT, TEXTS | LISTS, false},
    {"digest", SEARCH_DATASET, SEARCH_TYPE_TEXT, TEXTS | LISTS, false},
    {"context", SEARCH_DATASET, SEARCH_TYPE_TEXT, TEXTS | LISTS, false},
    {0},
};

const SearchGrammar search_runs = {
    .keys = run_keys,
    .comparators =
        {[SEARCH_METRIC] = NUMBERS, [SEARCH_PARAM] = TEXTS | NULLS, [SEARCH_TAG] = TEXTS | NULLS},
    .orders = BIT(METRIC) | BIT(PARAM) | BIT(TAG),
};

static const SearchKey experiment_keys[] = {
    {"name", SEARCH_ATTRIBUTE, SEARCH_TYPE_TEXT, TEXTS, true},
    {"experiment_id", SEARCH_ATTRIBUTE, SEARCH_TYPE_TEXT, EQUALITY | LISTS, true},
    {"creation_time", SEARCH_ATTRIBUTE, SEARCH_TYPE_INTEGER, NUMBERS, true},
    {"last_update_time", SEARCH_ATTRIBUTE, SEARCH_TYPE_INTEGER, NUMBERS, true},
    {0},
};

const SearchGrammar search_experiments = {
    .keys = experiment_keys,
    .comparators = {[SEARCH_TAG] = TEXTS | NULLS},
};

static const SearchKey registered_model_keys[] = {
    {"name", SEARCH_ATTRIBUTE, SEARCH_TYPE_TEXT, TEXTS | LISTS, true},
    {"last_updated_timestamp", SEARCH_ATTRIBUTE, SEARCH_TYPE_INTEGER, 0, true},
    {"timestamp", SEARCH_ATTRIBUTE, SEARCH_TYPE_INTEGER, 0, true, "last_updated_timestamp"},
    {0},
};

const SearchGrammar search_registered_models = {
    .keys = registered_model_keys,
    .comparators = {[SEARCH_TAG] = TEXTS},
};

static const SearchKey model_version_keys[] = {
    {"name", SEARCH_ATTRIBUTE, SEARCH_TYPE_TEXT, TEXTS | LISTS, true},
    {"version_number", SEARCH_ATTRIBUTE, SEARCH_TYPE_VERSION, NUMBERS, true},
    {"run_id", SEARCH_ATTRIBUTE, SEARCH_TYPE_TEXT, TEXTS | LISTS, false},
    {"source_path", SEARCH_ATTRIBUTE, SEARCH_TYPE_TEXT, TEXTS, false},
    {"creation_timestamp", SEARCH_ATTRIBUTE, SEARCH_TYPE_INTEGER, 0, true},
    {"last_updated_timestamp", SEARCH_ATTRIBUTE, SEARCH_TYPE_INTEGER, 0, true},
    {0},
};

const SearchGrammar search_model_versions = {
    .keys = model_version_keys,
    .comparators = {[SEARCH_TAG] = TEXTS},
};

static const SearchKey logged_model_keys[] = {
    {"name", SEARCH_ATTRIBUTE, SEARCH_TYPE_TEXT, TEXTS | LISTS, true},
    {"model_id", SEARCH_ATTRIBUTE, SEARCH_TYPE_TEXT, TEXTS | LISTS, true},
    {"model_type", SEARCH_ATTRIBUTE, SEARCH_TYPE_TEXT, TEXTS | LISTS, true},
    {"status", SEARCH_ATTRIBUTE, SEARCH_TYPE_TEXT, TEXTS | LISTS, true},
    {"source_run_id", SEARCH_ATTRIBUTE, SEARCH_TYPE_TEXT, TEXTS | LISTS, true},
    {"creation_timestamp", SEARCH_ATTRIBUTE, SEARCH_TYPE_NUMBER, NUMBERS, true},
    {"creation_time", SEARCH_ATTRIBUTE, SEARCH_TYPE_NUMBER, NUMBERS, true, "creation_timestamp"},
    {"last_updated_timestamp", SEARCH_ATTRIBUTE, SEARCH_TYPE_NUMBER, NUMBERS, true},
    {"last_updated_time", SEARCH_ATTRIBUTE, SEARCH_TYPE_NUMBER, NUMBERS, true,
     "last_updated_timestamp"},
    {0},
};

const SearchGrammar search_logged_models = {
    .keys = logged_model_keys,
    .comparators =
        {[SEARCH_METRIC] = NUMBERS, [SEARCH_PARAM] = TEXTS | LISTS, [SEARCH_TAG] = TEXTS | LISTS},
    .orders = BIT(METRIC),
};

static const SearchKey trace_keys[] = {
    {"request_id", SEARCH_ATTRIBUTE, SEARCH_TYPE_TEXT, TEXTS | LISTS, true},
    {"timestamp_ms", SEARCH_ATTRIBUTE, SEARCH_TYPE_NUMBER, NUMBERS, true},
    {"timestamp", SEARCH_ATTRIBUTE, SEARCH_TYPE_NUMBER, NUMBERS, true, "timestamp_ms"},
    {"execution_time_ms", SEARCH_ATTRIBUTE, SEARCH_TYPE_NUMBER, NUMBERS, true},
    {"execution_time", SEARCH_ATTRIBUTE, SEARCH_TYPE_NUMBER, NUMBERS, true, "execution_time_ms"},
    {"end_time_ms", SEARCH_ATTRIBUTE, SEARCH_TYPE_NUMBER, NUMBERS, true},
    {"end_time", SEARCH_ATTRIBUTE, SEARCH_TYPE_NUMBER, NUMBERS, true, "end_time_ms"},
    {"status", SEARCH_ATTRIBUTE, SEARCH_TYPE_TEXT, TEXTS | LISTS, true},
    {"client_request_id", SEARCH_ATTRIBUTE, SEARCH_TYPE_TEXT, TEXTS | LISTS, false},
    {"name", SEARCH_ATTRIBUTE, SEARCH_TYPE_TEXT, TEXTS | LISTS, true},
    {"run_id", SEARCH_ATTRIBUTE, SEARCH_TYPE_TEXT, TEXTS | LISTS, true},
    {"experiment_id", SEARCH_ATTRIBUTE, SEARCH_TYPE_TEXT, 0, true},
    {0},
};

const SearchGrammar search_traces = {
    .keys = trace_keys,
    .comparators = {[SEARCH_TAG] = TEXTS | NULLS, [SEARCH_METADATA] = TEXTS | NULLS},
    .orders = BIT(TAG) | BIT(METADATA),
};
