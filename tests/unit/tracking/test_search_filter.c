#include "tracking/search_filter.h"

#include "tests/test.h"

static const char *const entity_names[] = {"attribute", "metric",  "param",
                                           "tag",       "dataset", "metadata"};

/* "metric f1 > 0.5; tag team IN [a b]" */
static const char *describe(const SearchFilter *filter, Arena *arena)
{
    TextBuilder text = {.arena = arena};

    for (size_t i = 0; i < filter->count; i++) {
        const SearchClause *clause = &filter->items[i];

        text_append_format(&text, "%s%s %s %s", i ? "; " : "", entity_names[clause->entity],
                           clause->key, search_comparator_name(clause->comparator));
        if (clause->value == SEARCH_TEXT)
            text_append_format(&text, " <%s>", clause->text);
        if (clause->value == SEARCH_NUMBER)
            text_append_format(&text, " %g", clause->number);
        for (size_t j = 0; j < clause->list.count; j++)
            text_append_format(&text, " [%s]", clause->list.items[j]);
    }
    return text_built(&text);
}

typedef struct FilterCase {
    const SearchGrammar *grammar;
    const char *text;
    const char *meaning; /* or the sentence */
} FilterCase;

static void check_meanings(const FilterCase *cases, size_t count)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();

    for (size_t i = 0; i < count; i++) {
        SearchFilter filter = {0};
        Error error = {0};

        EXPECT_OK(search_filter_parse(cases[i].grammar, cases[i].text, arena, &filter, &error),
                  error);
        EXPECT_TEXT(describe(&filter, arena), cases[i].meaning);
    }
}

static void test_a_filter_is_read_as_mlflow_reads_it(void)
{
    static const FilterCase cases[] = {
        {&search_runs, "", ""},
        {&search_runs, NULL, ""},
        {&search_runs, "metrics.acc > 0.72", "metric acc > 0.72"},
        {&search_runs, "metric.a>=-1.5E-3 and params.b='x'AND run.status!='FAILED'",
         "metric a >= -0.0015; param b = <x>; attribute status != <FAILED>"},
        {&search_runs, "metrics.a > -.5 AND metrics.b < 2.", "metric a > -0.5; metric b < 2"},
        {&search_runs, "`metrics`.`a b/c` <= 1 \n\t AND parameters.\"x.y\" = \"it's\"",
         "metric a b/c <= 1; param x.y = <it's>"},
        {&search_runs, "tags.'a-b' = 'c'", "tag a-b = <c>"},
        {&search_traces, "trace.status IN ('OK') AND metadata.`a b` = 'c' AND timestamp > 1",
         "attribute status IN [OK]; metadata a b = <c>; attribute timestamp_ms > 1"},
        {&search_traces, "request_metadata.k IS NULL AND execution_time <= 0.5",
         "metadata k IS NULL; attribute execution_time_ms <= 0.5"},
        {&search_runs, "tags.mlflow.source.name LIKE '%.py'", "tag mlflow.source.name LIKE <%.py>"},
        {&search_runs, "tags.`mlflow.runName` ilike 'A_b'", "tag mlflow.runName ILIKE <A_b>"},
        {&search_runs, "param.p is null AND tag.t IS  NOT  NULL",
         "param p IS NULL; tag t IS NOT NULL"},
        {&search_runs, "run_id IN ('a', \"b\",) AND attributes.run_id not in('c')",
         "attribute run_id IN [a] [b]; attribute run_id NOT IN [c]"},
        {&search_runs, "Created > 5 AND \"Run Name\" = 'x' AND attr.end_time < 1.5",
         "attribute start_time > 5; attribute run_name = <x>; attribute end_time < 1.5"},
        {&search_runs, "dataset.name = 'd' AND datasets.context IN ('train')",
         "dataset name = <d>; dataset context IN [train]"},
        {&search_runs, "params.a = 'it''s' AND params.b = 'a\\'b' AND params.c = 'C:\\'",
         "param a = <it''s>; param b = <a\\'b>; param c = <C:\\>"},
        {&search_runs, "params.a = '' AND params.b = ' AND '", "param a = <>; param b = < AND >"},
        {&search_runs, "metrics.\u00e9 > 1 AND params.and = 'x' AND metrics.1a = 1",
         "metric \u00e9 > 1; param and = <x>; metric 1a = 1"},
        {&search_runs, "metrics.a > 1 AND", "metric a > 1"},
        {&search_runs, "params.x = 'a' params.y = 'b'", "param x = <a>; param y = <b>"},
        {&search_experiments, "name LIKE 'a%' AND tags.team IS NULL AND creation_time >= 7",
         "attribute name LIKE <a%>; tag team IS NULL; attribute creation_time >= 7"},
        {&search_experiments, "attribute.experiment_id IN ('1', '2')",
         "attribute experiment_id IN [1] [2]"},
        {&search_registered_models, "name ILIKE '%a' AND tag.k != 'v'",
         "attribute name ILIKE <%a>; tag k != <v>"},
        {&search_model_versions, "name='m' AND version_number > 2 AND version_number != '3'",
         "attribute name = <m>; attribute version_number > 2; attribute version_number != 3"},
        {&search_model_versions, "run_id IN ('a') AND source_path LIKE 's3%'",
         "attribute run_id IN [a]; attribute source_path LIKE <s3%>"},
        {&search_logged_models, "creation_time > 5 AND metrics.f1 > 0.5 AND status IN ('READY')",
         "attribute creation_timestamp > 5; metric f1 > 0.5; attribute status IN [READY]"},
    };

    check_meanings(cases, COUNT(cases));
}

#define CLAUSE(rest)                                                                               \
    "Invalid clause(s) in filter string: '" rest "'; a filter has clauses like metrics.f1 > 0.9 "  \
    "AND params.\"a key\" = 'text', and no OR"

static const FilterCase wrong_cases[] = {
    {&search_runs, "params.a = 'x' OR params.b = 'y'", CLAUSE("OR params.b = 'y'")},
    {&search_runs, "(metrics.a > 1)", CLAUSE("(metrics.a > 1)")},
    {&search_runs, "metrics.a > 1;", CLAUSE(";")},
    {&search_runs, "metrics.a > 1 -- x", CLAUSE("-- x")},
    {&search_runs, "0.5 < metrics.a", ""},
    {&search_runs, "metrics.a-b > 1", CLAUSE("-b > 1")},
    {&search_runs, "metrics.a", CLAUSE("")},
    {&search_runs, "metrics.a > '1'", "Expected numeric value type for metric. Found '1'"},
    {&search_runs, "metrics.a > inf", "Expected numeric value type for metric. Found inf"},
    {&search_runs, "metrics.a > +1", "Expected numeric value type for metric. Found +1"},
    {&search_runs, "metrics.a = 0x10", "Expected numeric value type for metric. Found 0x10"},
    {&search_runs, "start_time > '5'",
     "Expected numeric value type for numeric attribute: start_time. Found '5'"},
    {&search_runs, "params.a = 1",
     "Expected a quoted string value for parameter 'a' (e.g. 'my-value'). Got value 1"},
    {&search_runs, "params.a = b", ""},
    {&search_runs, "params.a = `b`", ""},
    {&search_runs, "params.a = 'b", "a quote is not closed: 'b"},
    {&search_runs, "params.`a = 'b'", "a quote is not closed: `a = 'b'"},
    {&search_runs, "params. = 'b'", "a parameter has a key, as in parameter.name"},
    {&search_runs, "a.b = 'c'",
     "Invalid entity type 'a'. Valid values are ['attribute', 'metric', 'parameter', 'tag', "
     "'dataset']"},
    {&search_runs, "name = 'c'",
     "Invalid attribute key 'name' specified. Valid keys are ['run_id', 'run_name', 'user_id', "
     "'status', 'artifact_uri', 'start_time', 'end_time']"},
    {&search_runs, "dataset.size = 'c'",
     "Invalid dataset key 'size' specified. Valid keys are ['name', 'digest', 'context']"},
    {&search_runs, "params.a > 'x'",
     "Invalid comparator '>' for parameter 'a', not one of ['=', '!=', 'LIKE', 'ILIKE', "
     "'IS NULL', 'IS NOT NULL']"},
    {&search_runs, "params.a == 'x'", ""},
    {&search_runs, "params.a NOT LIKE 'x'", ""},
    {&search_runs, "status IN ('x')", ""},
    {&search_runs, "metrics.a LIKE 'x'", ""},
    {&search_runs, "metrics.a IS NULL", ""},
    {&search_runs, "run_id IN ()",
     "While parsing a list in the query, expected a non-empty list of string values, but got "
     "empty list"},
    {&search_runs, "run_id IN (1)", ""},
    {&search_runs, "run_id IN ('a' 'b')", ""},
    {&search_runs, "run_id IN ('a'", ""},
    {&search_runs, "run_id IN 'a'", CLAUSE("'a'")},
    {&search_experiments, "metrics.a > 1",
     "Invalid entity type 'metrics'. Valid values are ['attribute', 'tag']"},
    {&search_experiments, "creation_time > 1.5",
     "Expected integer value type for numeric attribute: creation_time. Found 1.5"},
    {&search_experiments, "experiment_id LIKE '1%'", ""},
    {&search_registered_models, "tags.a IS NULL", ""},
    {&search_registered_models, "timestamp > 1",
     "Invalid attribute key 'timestamp' specified. Valid keys are ['name']"},
    {&search_model_versions, "version_number > 'x'",
     "Expected integer value type for numeric attribute: version_number. Found 'x'"},
    {&search_model_versions, "run_id > 'x'", ""},
    {&search_logged_models, "dataset.name = 'x'", ""},
    {&search_traces, "span.name = 'x'",
     "Invalid entity type 'span'. Valid values are ['attribute', 'tag', 'metadata']"},
    {&search_runs, "metadata.x = 'x'",
     "Invalid entity type 'metadata'. Valid values are ['attribute', 'metric', 'parameter', "
     "'tag', 'dataset']"},
};

static void test_a_filter_that_is_wrong_is_refused_with_a_sentence(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();

    for (size_t i = 0; i < COUNT(wrong_cases); i++) {
        SearchFilter filter = {0};
        Error error = {0};

        if (search_filter_parse(wrong_cases[i].grammar, wrong_cases[i].text, arena, &filter,
                                &error))
            fprintf(stderr, "accepted: %s\n", wrong_cases[i].text);
        EXPECT(error.kind == ERROR_FIELD);
        EXPECT_TEXT(error.field, "filter");
        if (*wrong_cases[i].meaning)
            EXPECT_TEXT(error.message, wrong_cases[i].meaning);
    }
}

static void test_what_is_too_much_is_refused(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    TextBuilder clauses = {.arena = arena}, list = {.arena = arena};
    SearchFilter filter = {0};
    Error error = {0};
    char *spaces = arena_alloc(arena, SEARCH_FILTER_BYTES_MAX + 2, 1);

    for (size_t i = 0; i <= SEARCH_CLAUSES_MAX; i++)
        text_append_format(&clauses, "metrics.m%zu > 1 AND ", i);
    EXPECT(!search_filter_parse(&search_runs, text_built(&clauses), arena, &filter, &error));
    EXPECT_TEXT(error.message, "a filter has at most 64 clauses");

    text_append(&list, "run_id IN ('a'");
    for (size_t i = 0; i < SEARCH_LIST_MAX; i++)
        text_append(&list, ",'a'");
    text_append(&list, ")");
    EXPECT(!search_filter_parse(&search_runs, text_built(&list), arena, &filter, &error));

    memset(spaces, ' ', SEARCH_FILTER_BYTES_MAX + 1);
    EXPECT(!search_filter_parse(&search_runs, spaces, arena, &filter, &error));
    EXPECT_TEXT(error.message, "a filter has at most 65536 bytes");
    EXPECT(!search_filter_parse(&search_runs, spaces + 1, arena, &filter, &error));
    EXPECT_TEXT(error.message, "Invalid filter: there are only blanks in it.");
}

static void test_an_order_is_a_key_and_a_direction(void)
{
    static const struct {
        const SearchGrammar *grammar;
        const char *text, *meaning; /* NULL: refused */
    } cases[] = {
        {&search_runs, "metrics.f1", "metric f1 up"},
        {&search_runs, " metrics.`a b`  DESC ", "metric a b down"},
        {&search_runs, "params.\"x.y\" asc", "param x.y up"},
        {&search_runs, "tags.a.b Desc", "tag a.b down"},
        {&search_runs, "Created DESC", "attribute start_time down"},
        {&search_runs, "metrics.asc", "metric asc up"},
        {&search_runs, "start_time down", NULL},
        {&search_runs, "start_time desc asc", NULL},
        {&search_runs, "metrics.a,metrics.b", NULL},
        {&search_runs, "dataset.name", NULL},
        {&search_runs, "name", NULL},
        {&search_runs, "", NULL},
        {&search_runs, "params.a-b", NULL},
        {&search_experiments, "experiment_id", "attribute experiment_id up"},
        {&search_experiments, "tags.a", NULL},
        {&search_registered_models, "timestamp DESC", "attribute last_updated_timestamp down"},
        {&search_registered_models, "last_updated_timestamp",
         "attribute last_updated_timestamp up"},
        {&search_model_versions, "run_id", NULL},
        {&search_model_versions, "creation_timestamp", "attribute creation_timestamp up"},
    };
    CLEANUP(arena_cleanup) Arena *arena = arena_create();

    for (size_t i = 0; i < COUNT(cases); i++) {
        TextList texts = {(const char *[]){cases[i].text}, 1};
        SearchOrderList list = {0};
        Error error = {0};
        bool is_read = search_orders_parse(cases[i].grammar, &texts, arena, &list, &error);

        EXPECT(is_read == (cases[i].meaning != NULL));
        if (is_read)
            EXPECT_TEXT(arena_format(arena, "%s %s %s", entity_names[list.items[0].entity],
                                     list.items[0].key,
                                     list.items[0].is_descending ? "down" : "up"),
                        cases[i].meaning);
        else
            EXPECT_TEXT(error.field, "order_by");
    }
}

static void test_a_key_is_ordered_by_once(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    TextList texts = {(const char *[]){"start_time", "metrics.a", "Created DESC"}, 3};
    SearchOrderList list = {0};
    Error error = {0};

    EXPECT(!search_orders_parse(&search_runs, &texts, arena, &list, &error));
    EXPECT_TEXT(error.message, "`order_by` contains duplicate fields: Created DESC");
}

static void test_logged_models_are_ordered_by_a_key_alone(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    SearchOrder order = {0};
    Error error = {0};

    EXPECT_OK(search_key_parse(&search_logged_models, "metrics.a b", arena, &order, &error), error);
    EXPECT(order.entity == SEARCH_METRIC);
    EXPECT_TEXT(order.key, "a b");
    EXPECT_OK(search_key_parse(&search_logged_models, "creation_time", arena, &order, &error),
              error);
    EXPECT_TEXT(order.key, "creation_timestamp");
    EXPECT(!search_key_parse(&search_logged_models, "params.a", arena, &order, &error));
    EXPECT_TEXT(error.message, "Invalid order_by entity: parameter");
    EXPECT(!search_key_parse(&search_logged_models, "size", arena, &order, &error));
}

static void test_like_minds_case_and_ilike_does_not(void)
{
    static const struct {
        const char *pattern, *text;
        bool is_like, is_ilike;
    } cases[] = {
        {"abc", "abc", true, true},
        {"abc", "ABC", false, true},
        {"a%", "abc", true, true},
        {"a%", "ba", false, false},
        {"%b%", "abc", true, true},
        {"%B%", "abc", false, true},
        {"a_c", "abc", true, true},
        {"a_c", "a\u00e9c", true, true},
        {"a_c", "ac", false, false},
        {"\u00c9%", "\u00e9t\u00e9", false, true},
        {"%a%a%b", "xaxaxb", true, true},
        {"%a%a%b", "xaxb", false, false},
        {"", "", true, true},
        {"", "a", false, false},
        {"%", "", true, true},
        {"_%_", "a", false, false},
        {"a\\%", "a\\b", true, true},
        {"100%", "100", true, true},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        SearchClause clause = {.text = cases[i].pattern, .comparator = SEARCH_LIKE};

        EXPECT(search_matches_text(&clause, cases[i].text) == cases[i].is_like);
        clause.comparator = SEARCH_ILIKE;
        EXPECT(search_matches_text(&clause, cases[i].text) == cases[i].is_ilike);
    }
}

static void test_nan_differs_from_every_number(void)
{
    SearchClause clause = {.number = 0, .comparator = SEARCH_DIFFERENT};

    EXPECT(search_matches_number(&clause, NAN));
    for (SearchComparator comparator = SEARCH_GREATER; comparator <= SEARCH_LESS_EQUAL;
         comparator++) {
        clause.comparator = comparator;
        EXPECT(!search_matches_number(&clause, NAN));
    }
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_a_filter_is_read_as_mlflow_reads_it),
        TEST(test_a_filter_that_is_wrong_is_refused_with_a_sentence),
        TEST(test_what_is_too_much_is_refused),
        TEST(test_an_order_is_a_key_and_a_direction),
        TEST(test_a_key_is_ordered_by_once),
        TEST(test_logged_models_are_ordered_by_a_key_alone),
        TEST(test_like_minds_case_and_ilike_does_not),
        TEST(test_nan_differs_from_every_number),
        {0},
    };

    return test_main(tests, count, names);
}
