/* run_search_walk.c: runs of an experiment in the order of an index. */

#include <float.h>
#include <math.h>
#include <string.h>

#include "tracking/run_search_internal.h"

enum { STEPS_MAX = 8192 };

bool subject_equal(const Subject *a, const Subject *b)
{
    return a->entity == b->entity && strcmp(a->key, b->key) == 0;
}

static void narrow(NumberRange *range, const SearchClause *clause)
{
    SearchComparator comparator = clause->comparator;
    bool is_equal = comparator == SEARCH_EQUAL;
    double number = clause->number;

    if (comparator == SEARCH_GREATER)
        range->from = fmax(range->from, nextafter(number, INFINITY));
    if (comparator == SEARCH_GREATER_EQUAL || is_equal)
        range->from = fmax(range->from, number);
    if (comparator == SEARCH_LESS)
        range->to = fmin(range->to, nextafter(number, -INFINITY));
    if (comparator == SEARCH_LESS_EQUAL || is_equal)
        range->to = fmin(range->to, number);
}

NumberRange searcher_range(const Searcher *searcher, const Subject *subject)
{
    NumberRange range = {-DBL_MAX, DBL_MAX};

    for (size_t i = 0; i < searcher->terms.count; i++)
        if (subject_equal(&searcher->terms.items[i].subject, subject))
            narrow(&range, &searcher->terms.items[i].clause);
    return range;
}

/* Whole numbers within the range. */
static void whole_range(NumberRange range, int64_t *low, int64_t *high)
{
    const double most = 9.2e18;

    *low = range.from > -most ? (int64_t)fmin(ceil(range.from), most) : INT64_MIN + 1;
    *high = range.to < most ? (int64_t)fmax(floor(range.to), -most) : INT64_MAX - 1;
}

static void open_rest(Walk *walk, Searcher *searcher)
{
    static const char newest[] = "SELECT key FROM runs"
                                 " WHERE experiment_id = $1 AND started_at >= $2"
                                 "   AND started_at <= $3 ORDER BY started_at DESC, id";
    static const char oldest[] = "SELECT key FROM runs"
                                 " WHERE experiment_id = $1 AND started_at >= $2"
                                 "   AND started_at <= $3 ORDER BY started_at, id";

    walk->query = db_query(searcher->scope->db, walk->is_descending ? newest : oldest,
                           db_int(searcher->experiment_id), db_int(walk->low), db_int(walk->high));
    walk->is_open = true;
    walk->has_more = false;
}

/* Behind a run: first those that started at the same time. */
static void open_behind(Walk *walk, Searcher *searcher)
{
    static const char sql[] = "SELECT key FROM runs"
                              " WHERE experiment_id = $1 AND started_at = $2 AND id > $3"
                              " ORDER BY id";
    int64_t started_at = searcher->after->started_at;

    walk->query = db_query(searcher->scope->db, sql, db_int(searcher->experiment_id),
                           db_int(started_at), db_text(searcher->after->id));
    walk->is_open = true;
    walk->has_more = true;
    if (walk->is_descending && started_at <= walk->high)
        walk->high = started_at - 1;
    if (!walk->is_descending && started_at >= walk->low)
        walk->low = started_at + 1;
}

/* Whether all that the walk gives has the first value of the run that the page comes behind. */
static bool is_behind(const Searcher *searcher)
{
    const OrderList *orders = &searcher->orders;
    const Candidate *after = searcher->after;
    OrderRank rank = RANK_VALUE;
    double number = 0;

    if (!after || !orders->count || orders->items[0].subject.entity == SEARCH_ATTRIBUTE)
        return after != NULL;
    for (size_t i = 0; i < searcher->terms.count; i++) {
        const Term *term = &searcher->terms.items[i];

        if (!subject_equal(&term->subject, &orders->items[0].subject))
            continue;
        if (term->is_missing || term->is_nan)
            rank = term->is_missing ? RANK_MISSING : RANK_NAN;
        else if (term->clause.comparator == SEARCH_EQUAL)
            number = term->clause.number;
    }
    return after->values[0].rank == rank &&
           (rank != RANK_VALUE || after->values[0].number == number);
}

static void begin(Searcher *searcher)
{
    searcher->walks++;
    searcher->seen = searcher->checked = searcher->matched = 0;
}

Walk walk_by_start(Searcher *searcher, WalkKind kind, bool is_descending)
{
    static const Subject start = {SEARCH_ATTRIBUTE, "start_time"};
    Walk walk = {.kind = kind, .is_descending = is_descending};

    begin(searcher);
    searcher->keeps_worst = kind == WALK_BY_START;
    whole_range(searcher_range(searcher, &start), &walk.low, &walk.high);
    if (kind == WALK_BY_START && is_behind(searcher))
        open_behind(&walk, searcher);
    else
        open_rest(&walk, searcher);
    return walk;
}

Walk walk_by_metric(Searcher *searcher, NumberRange range, bool is_nan)
{
#define BY_VALUE                                                                                   \
    "SELECT run_key, value FROM latest_metrics"                                                    \
    " WHERE experiment_id = $1 AND key_id = $2 AND is_nan = $3 AND value >= $4 AND value <= $5"    \
    " ORDER BY value"
    const Order *order = &searcher->orders.items[0];
    const Candidate *after = searcher->after;
    Walk walk = {.kind = WALK_BY_FIRST,
                 .is_descending = order->is_descending,
                 .is_open = true,
                 .is_nan = is_nan};

    if (after && after->values[0].rank == RANK_VALUE && !is_nan) {
        if (walk.is_descending)
            range.to = fmin(range.to, after->values[0].number);
        else
            range.from = fmax(range.from, after->values[0].number);
    }
    begin(searcher);
    searcher->keeps_worst = false;
    walk.query = db_query(searcher->scope->db, walk.is_descending ? BY_VALUE " DESC" : BY_VALUE,
                          db_int(searcher->experiment_id), db_int(order->subject.key_id),
                          db_int(is_nan), db_double(range.from), db_double(range.to));
    return walk;
}

void walk_close(Walk *walk)
{
    if (walk->is_open)
        query_finalize(&walk->query);
    walk->is_open = false;
}

static bool next_row(Walk *walk, Searcher *searcher, bool *more)
{
    *more = query_next(&walk->query);
    if (*more)
        return true;
    if (!query_end(&walk->query, &searcher->scope->error))
        return false;
    if (!walk->has_more)
        return true;
    walk_close(walk);
    open_rest(walk, searcher);
    return next_row(walk, searcher, more);
}

static void take_number(Walk *walk, Batch *batch)
{
    double number = query_double(&walk->query, 1);

    walk->repeats = walk->repeats && number == walk->number ? walk->repeats + 1 : 1;
    walk->number = number;
    batch->firsts[batch->count] =
        walk->is_nan ? (OrderValue){.rank = RANK_NAN} : (OrderValue){.number = number};
}

/* As many as probably fill the page, as it went so far: more would be looked at in vain. */
static size_t batch_size(const Searcher *searcher)
{
    size_t wanted = searcher->found.wanted, matched = searcher->matched;
    double left = matched < wanted ? (double)(wanted - matched) : 1;
    double each = matched ? (double)searcher->checked / (double)matched : 1;
    size_t turns = (size_t)fmin(left * each / SOME_KEYS_COUNT, SEARCH_BATCH) + 1;

    if (searcher->checked && !matched)
        return SEARCH_BATCH;
    return turns * SOME_KEYS_COUNT < SEARCH_BATCH ? turns * SOME_KEYS_COUNT : SEARCH_BATCH;
}

bool walk_fill(Walk *walk, Searcher *searcher, Batch *batch, bool *more)
{
    size_t steps = 0, size = batch_size(searcher);

    batch->count = 0;
    batch->has_firsts = walk->kind == WALK_BY_FIRST;
    *more = true;
    for (; batch->count < size && steps < STEPS_MAX; steps++) {
        if (!next_row(walk, searcher, more))
            return false;
        if (!*more)
            break;
        batch->keys[batch->count] = query_int(&walk->query, 0);
        if (batch->has_firsts)
            take_number(walk, batch);
        batch->count += searcher_has_in_sets(searcher, batch->keys[batch->count]);
    }
    searcher->seen += steps;
    return true;
}
