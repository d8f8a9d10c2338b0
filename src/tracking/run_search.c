/* run_search.c: MLflow's search of runs: what was asked, page by page. */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tracking/run_search_internal.h"

enum { EXPERIMENTS_MAX = 10000, OFFSET_MAX = 1000000000 };

/* ---- what is asked ---- */

/* The name is a tag to MLflow, and not one here. */
static bool take_subject(Scope *scope, SearchEntity entity, const char *key, Subject *subject)
{
    bool is_name = entity == SEARCH_TAG && strcmp(key, RUN_NAME_TAG) == 0;

    *subject = is_name ? (Subject){SEARCH_ATTRIBUTE, "run_name"} : (Subject){entity, key};
    if (entity != SEARCH_METRIC)
        return true;

    CLEANUP(query_finalize)
    Query query = db_query(scope->db, "SELECT id FROM metric_keys WHERE name = $1", db_text(key));

    if (query_next(&query))
        subject->key_id = query_int(&query, 0);
    return query_end(&query, &scope->error);
}

static bool take_filter(Searcher *searcher, const char *text)
{
    Scope *scope = searcher->scope;
    SearchFilter filter = {0};

    if (!search_filter_parse(&search_runs, text, scope->arena, &filter, &scope->error))
        return false;
    searcher->terms.items = arena_array(scope->arena, Term, filter.count + 1);
    for (size_t i = 0; i < filter.count; i++) {
        Term *term = &searcher->terms.items[searcher->terms.count++];

        term->clause = filter.items[i];
        if (!take_subject(scope, term->clause.entity, term->clause.key, &term->subject))
            return false;
    }
    return true;
}

static bool take_orders(Searcher *searcher, const TextList *texts)
{
    Scope *scope = searcher->scope;
    SearchOrderList orders = {0};

    if (!search_orders_parse(&search_runs, texts, scope->arena, &orders, &scope->error))
        return false;
    searcher->orders.items = arena_array(scope->arena, Order, orders.count + 1);
    for (size_t i = 0; i < orders.count; i++) {
        Order *order = &searcher->orders.items[searcher->orders.count++];

        order->is_descending = orders.items[i].is_descending;
        if (!take_subject(scope, orders.items[i].entity, orders.items[i].key, &order->subject))
            return false;
    }
    return true;
}

/* A metric that no run has: nothing matches. */
static bool is_hopeless(const Searcher *searcher)
{
    for (size_t i = 0; i < searcher->terms.count; i++) {
        const Subject *subject = &searcher->terms.items[i].subject;

        if (subject->entity == SEARCH_METRIC && !subject->key_id)
            return true;
    }
    return false;
}

/* ---- page tokens ---- */

/* A token says where the page ended: by the run's own place where there is one order at most, so
 * that no page has to pass those before it; otherwise by their count. */
typedef enum TokenKind { TOKEN_START, TOKEN_METRIC, TOKEN_OFFSET } TokenKind;

static TokenKind token_kind(const Searcher *searcher)
{
    const Subject *first = searcher->orders.count ? &searcher->orders.items[0].subject : NULL;

    if (!first || (searcher->orders.count == 1 && first->entity == SEARCH_ATTRIBUTE &&
                   strcmp(first->key, "start_time") == 0))
        return TOKEN_START;
    return searcher->orders.count == 1 && first->entity == SEARCH_METRIC ? TOKEN_METRIC
                                                                         : TOKEN_OFFSET;
}

static const char *write_token(const Searcher *searcher, const Candidate *last, int64_t offset)
{
    Arena *arena = searcher->scope->arena;
    int64_t bits;

    switch (token_kind(searcher)) {
    case TOKEN_START:
        return arena_format(arena, "s.%" PRId64 ".%s", last->started_at, last->id);
    case TOKEN_METRIC:
        memcpy(&bits, &last->values[0].number, sizeof(bits));
        return arena_format(arena, "m.%" PRId64 ".%s.%d.%" PRId64, last->started_at, last->id,
                            last->values[0].rank, bits);
    default:
        return arena_format(arena, "o.%" PRId64, offset);
    }
}

static bool read_place(Searcher *searcher, const TextList *parts, Candidate *after)
{
    int64_t rank = RANK_VALUE, bits = 0;

    if (!text_to_int(parts->items[1], &after->started_at) ||
        strlen(parts->items[2]) >= sizeof(after->id))
        return false;
    memcpy(after->id, parts->items[2], strlen(parts->items[2]));
    if (parts->count == 5) {
        if (!text_to_int(parts->items[3], &rank) || rank < 0 || rank > RANK_MISSING ||
            !text_to_int(parts->items[4], &bits))
            return false;
        after->values[0].rank = (OrderRank)rank;
        memcpy(&after->values[0].number, &bits, sizeof(bits));
        if (after->values[0].number != after->values[0].number)
            return false;
    } else if (searcher->orders.count) {
        after->values[0].number = (double)after->started_at;
    }
    searcher->after = after;
    return true;
}

static bool read_token(Searcher *searcher, const char *token, int64_t *offset)
{
    static const struct {
        const char *letter;
        size_t parts;
    } kinds[] = {[TOKEN_START] = {"s", 3}, [TOKEN_METRIC] = {"m", 5}, [TOKEN_OFFSET] = {"o", 2}};
    TokenKind kind = token_kind(searcher);
    Arena *arena = searcher->scope->arena;
    TextList parts;

    if (!token || !*token)
        return true;
    parts = text_split(token, '.', arena);
    if (parts.count == kinds[kind].parts && strcmp(parts.items[0], kinds[kind].letter) == 0 &&
        (kind == TOKEN_OFFSET
             ? text_to_int(parts.items[1], offset) && *offset >= 0 && *offset <= OFFSET_MAX
             : read_place(searcher, &parts, arena_alloc(arena, 1, searcher->found.item_size))))
        return true;
    return fail_field(&searcher->scope->error, "page_token",
                      "Invalid page token: it must be one that an answer to the same search had");
}

/* ---- the page ---- */

static bool check_search(Scope *scope, const RunSearch *search)
{
    if (search->limit < 1 || search->limit > RUN_LIMIT_MAX)
        return fail_field(&scope->error, "max_results",
                          "Invalid value %" PRId64 " for parameter 'max_results' supplied. It must "
                          "be at least 1 and at most %d",
                          search->limit, RUN_LIMIT_MAX);
    if (search->experiment_count > EXPERIMENTS_MAX)
        return fail_field(&scope->error, "experiment_ids", "a search takes at most %d experiments",
                          EXPERIMENTS_MAX);
    return true;
}

static int compare_ids(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;

    return (a > b) - (a < b);
}

static bool search_experiments_of(Searcher *searcher, const RunSearch *search)
{
    int64_t *ids = arena_array(searcher->scope->arena, int64_t, search->experiment_count + 1);

    if (is_hopeless(searcher))
        return true;
    for (size_t i = 0; i < search->experiment_count; i++)
        ids[i] = search->experiment_ids[i];
    qsort(ids, search->experiment_count, sizeof(*ids), compare_ids);
    for (size_t i = 0; i < search->experiment_count; i++)
        if ((i == 0 || ids[i] != ids[i - 1]) && !searcher_search(searcher, ids[i]))
            return false;
    found_sort(searcher);
    return true;
}

static bool load_page(Searcher *searcher, size_t start, size_t end, RunList *list)
{
    int64_t *keys = arena_array(searcher->scope->arena, int64_t, end - start + 1);

    for (size_t i = start; i < end; i++)
        keys[i - start] = found_item(&searcher->found, i)->key;
    return run_load_rows(searcher->scope, keys, end - start, list) &&
           run_load_details(searcher->scope, list);
}

static bool search_runs_of(Scope *scope, const RunSearch *search, RunList *list,
                           const char **next_page_token)
{
    Searcher searcher = {.scope = scope, .life = search->life};
    RunList taken = {0};
    int64_t offset = 0;
    size_t start, end;

    if (!check_search(scope, search) || !take_filter(&searcher, search->filter) ||
        !take_orders(&searcher, &search->order_by))
        return false;
    found_create(&searcher, 0);
    if (!read_token(&searcher, search->page_token, &offset))
        return false;
    searcher.found.wanted = (size_t)(offset + search->limit + 1);
    if (!search_experiments_of(&searcher, search))
        return false;
    start = searcher.found.count < (size_t)offset ? searcher.found.count : (size_t)offset;
    end = searcher.found.count < start + (size_t)search->limit ? searcher.found.count
                                                               : start + (size_t)search->limit;
    if (!load_page(&searcher, start, end, &taken))
        return false;
    *list = taken;
    *next_page_token =
        end < searcher.found.count
            ? write_token(&searcher, found_item(&searcher.found, end - 1), offset + search->limit)
            : NULL;
    return true;
}

bool run_search(Scope *scope, const RunSearch *search, RunList *list, const char **next_page_token)
{
    bool done;

    db_read_much(scope->db, true);
    done = search_runs_of(scope, search, list, next_page_token);
    db_read_much(scope->db, false);
    return done;
}
