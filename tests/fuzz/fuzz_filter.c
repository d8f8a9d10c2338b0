/* fuzz_filter.c: any text is refused with a message by every grammar, or becomes clauses and orders
 * that are whole: each has a key and the value that its comparator wants, and matching ends. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tracking/search_filter.h"

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void check_clause(const SearchClause *clause, const char *text)
{
    require(clause->entity < SEARCH_ENTITY_COUNT && clause->key && *clause->key);
    require(*search_comparator_name(clause->comparator));
    require((clause->value == SEARCH_TEXT) == (clause->text != NULL));
    require((clause->value == SEARCH_LIST) == (clause->list.count != 0));
    require(clause->list.count <= SEARCH_LIST_MAX);
    if (clause->value == SEARCH_TEXT || clause->value == SEARCH_LIST)
        search_matches_text(clause, text);
    if (clause->value == SEARCH_NUMBER)
        search_matches_number(clause, clause->number);
}

static void check_grammar(const SearchGrammar *grammar, const char *text, Arena *arena)
{
    TextList texts = {&text, 1};
    SearchFilter filter = {0};
    SearchOrderList orders = {0};
    SearchOrder order = {0};
    Error error = {0};

    if (!search_filter_parse(grammar, text, arena, &filter, &error))
        require(error.kind && error.message[0]);
    require(filter.count <= SEARCH_CLAUSES_MAX);
    for (size_t i = 0; i < filter.count; i++)
        check_clause(&filter.items[i], text);
    error = (Error){0};
    if (search_orders_parse(grammar, &texts, arena, &orders, &error))
        require(orders.count == 1 && *orders.items[0].key);
    else
        require(error.kind && error.message[0]);
    if (search_key_parse(grammar, text, arena, &order, &error))
        require(*order.key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const SearchGrammar *const grammars[] = {
        &search_runs,           &search_experiments,   &search_registered_models,
        &search_model_versions, &search_logged_models, &search_traces};
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const char *text = arena_copy(arena, (const char *)data, size);

    for (size_t i = 0; i < COUNT(grammars); i++)
        check_grammar(grammars[i], text, arena);
    return 0;
}
