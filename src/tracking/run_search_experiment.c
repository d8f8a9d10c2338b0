/* run_search_experiment.c: the best runs of one experiment; run_search_internal.h says how. */

#include <math.h>
#include <string.h>

#include "tracking/experiment.h"
#include "tracking/run_search_internal.h"

enum {
    TIES_MAX = 4096,  /* runs of one value; of more, the newest are walked to */
    GATHER_COST = 40, /* to look at a run of a set, in steps of a walk past runs that are in none */
};

/* How far a walk has come. */
typedef enum Outcome { WALK_ENDED, WALK_ENOUGH, WALK_GATHER } Outcome;

typedef struct Race {
    Searcher *searcher;
    Collectors collectors;
} Race;

/* ---- when to stop ---- */

/* Keeps the best together, so that what cannot be among them is known. */
static void settle(Searcher *searcher, const Walk *walk)
{
    const Found *found = &searcher->found;

    if (found->count >= found->wanted &&
        (!found->is_full || (walk->kind != WALK_ANYHOW && found->count > found->wanted)))
        found_sort(searcher);
}

static bool has_enough(const Searcher *searcher, const Walk *walk)
{
    const Found *found = &searcher->found;
    const Candidate *last;

    if (!found->is_full || walk->kind == WALK_ANYHOW)
        return false;
    last = found_item(found, found->wanted - 1);
    if (walk->kind == WALK_BY_START)
        return searcher->matched && searcher_compare(searcher, searcher->worst, last) >= 0;
    if (walk->is_nan || last->values[0].rank != RANK_VALUE)
        return walk->is_nan && last->values[0].rank == RANK_VALUE;
    return walk->is_descending ? walk->number < last->values[0].number
                               : walk->number > last->values[0].number;
}

/* Whether to look at all runs of the smallest set is less than to walk on, as it went so far. */
static bool is_better_gathered(const Searcher *searcher, const Walk *walk)
{
    const Term *term = searcher_smallest(searcher);
    double seen = fmax((double)searcher->seen, SEARCH_BATCH);

    if (!term ||
        (searcher->walks > 1 && !searcher->seen)) /* a later one may give next to nothing */
        return false;
    return walk->kind == WALK_ANYHOW ||
           (double)term->set.count * GATHER_COST <=
               seen / (double)(searcher->matched + 1) * (double)searcher->found.wanted;
}

/* ---- walks ---- */

static bool has_ties(const Searcher *searcher, const Walk *walk)
{
    return walk->kind == WALK_BY_FIRST && walk->repeats > TIES_MAX && searcher->orders.count == 1;
}

static bool walk_on(Race *race, Walk *walk, Outcome *outcome)
{
    Searcher *searcher = race->searcher;
    bool more = true;
    Batch batch;

    for (;;) {
        *outcome = WALK_GATHER;
        if (is_better_gathered(searcher, walk))
            return true;
        if (!walk_fill(walk, searcher, &batch, &more) || !searcher_check(searcher, &batch))
            return false;
        settle(searcher, walk);
        *outcome = has_enough(searcher, walk) ? WALK_ENOUGH : WALK_ENDED;
        if (*outcome == WALK_ENOUGH || !more || has_ties(searcher, walk))
            return true;
        if (!collectors_advance(&race->collectors, searcher))
            return false;
    }
}

/* Among those that also match this term. */
static bool walk_with(Race *race, Term term, Outcome *outcome)
{
    Searcher *searcher = race->searcher;
    Walk walk;
    bool done;

    searcher->terms.items[searcher->terms.count++] = term; /* there is room for one */
    walk = walk_by_start(searcher, WALK_BY_START, true);
    done = walk_on(race, &walk, outcome);
    walk_close(&walk);
    searcher->terms.count--;
    return done;
}

/* Of very many runs with one value the walk cannot wait for all, to sort them. */
static bool walk_ties(Race *race, const Walk *walk, Outcome *outcome)
{
    Searcher *searcher = race->searcher;
    OrderValue value = {walk->is_nan ? RANK_NAN : RANK_VALUE, walk->is_nan ? 0 : walk->number};
    Term term = {.subject = searcher->orders.items[0].subject, .is_nan = walk->is_nan};

    term.clause =
        (SearchClause){.comparator = SEARCH_EQUAL, .value = SEARCH_NUMBER, .number = walk->number};
    found_drop(searcher, &value);
    return walk_with(race, term, outcome);
}

static bool walk_values(Race *race, NumberRange range, bool is_nan, Outcome *outcome)
{
    Searcher *searcher = race->searcher;

    for (;;) {
        Walk walk = walk_by_metric(searcher, range, is_nan);
        bool done = walk_on(race, &walk, outcome), are_ties;

        walk_close(&walk);
        are_ties = done && *outcome == WALK_ENDED && has_ties(searcher, &walk);
        if (!are_ties)
            return done;
        if (!walk_ties(race, &walk, outcome))
            return false;
        if (*outcome == WALK_GATHER || is_nan)
            return true;
        if (walk.is_descending)
            range.to = nextafter(walk.number, -INFINITY);
        else
            range.from = nextafter(walk.number, INFINITY);
    }
}

static bool is_by_metric(const Searcher *searcher)
{
    return searcher->orders.count && searcher->orders.items[0].subject.entity == SEARCH_METRIC &&
           searcher->orders.items[0].subject.key_id;
}

/* Terms of the walk's own metric, but for those that also hold for what is no number: neither is
 * there anything to check, nor to collect. */
static void hold_terms(Searcher *searcher)
{
    for (size_t i = 0; i < searcher->terms.count; i++) {
        Term *term = &searcher->terms.items[i];

        term->is_held = is_by_metric(searcher) &&
                        subject_equal(&term->subject, &searcher->orders.items[0].subject) &&
                        term->clause.comparator != SEARCH_DIFFERENT;
    }
}

/* Whether there are terms of the walk's own metric, and such as it holds. */
static bool has_terms(const Searcher *searcher, bool *held)
{
    bool found = false;

    *held = false;
    for (size_t i = 0; i < searcher->terms.count; i++) {
        const Term *term = &searcher->terms.items[i];

        found = found || subject_equal(&term->subject, &searcher->orders.items[0].subject);
        *held = *held || term->is_held;
    }
    return found;
}

static bool has_missing(Searcher *searcher, bool *some)
{
    int64_t count = 0;

    if (!db_get_int(searcher->scope->db, &searcher->scope->error, &count,
                    "SELECT (SELECT count(*) FROM runs WHERE experiment_id = $1)"
                    "     - (SELECT count(*) FROM latest_metrics"
                    "         WHERE experiment_id = $1 AND key_id = $2)",
                    db_int(searcher->experiment_id),
                    db_int(searcher->orders.items[0].subject.key_id)))
        return false;
    *some = count != 0;
    return true;
}

/* Whether what comes later in the order is of no use. */
static bool is_over(const Searcher *searcher, OrderRank rank)
{
    const Found *found = &searcher->found;

    return found->is_full && found_item(found, found->wanted - 1)->values[0].rank < rank;
}

/* First numbers, then NaN, then runs without the metric. */
static bool walk_ranks(Race *race, Outcome *outcome)
{
    Searcher *searcher = race->searcher;
    const Subject *subject = &searcher->orders.items[0].subject;
    OrderRank first = searcher->after ? searcher->after->values[0].rank : RANK_VALUE;
    bool held = false, some = false, judges = has_terms(searcher, &held);

    if (first == RANK_VALUE &&
        !walk_values(race, searcher_range(searcher, subject), false, outcome))
        return false;
    if (*outcome == WALK_GATHER || held || is_over(searcher, RANK_NAN))
        return true;
    if (first <= RANK_NAN && !walk_values(race, (NumberRange){0, 0}, true, outcome))
        return false;
    if (*outcome == WALK_GATHER || judges || is_over(searcher, RANK_MISSING))
        return true;
    if (!has_missing(searcher, &some))
        return false;
    return !some || walk_with(race, (Term){.subject = *subject, .is_missing = true}, outcome);
}

static bool is_by_start(const Searcher *searcher)
{
    return searcher->orders.count == 0 ||
           (searcher->orders.count == 1 &&
            strcmp(searcher->orders.items[0].subject.key, "start_time") == 0 &&
            searcher->orders.items[0].subject.entity == SEARCH_ATTRIBUTE);
}

static bool walk_in_order(Race *race, Outcome *outcome)
{
    Searcher *searcher = race->searcher;
    const Order *order = searcher->orders.count ? &searcher->orders.items[0] : NULL;
    WalkKind kind = is_by_start(searcher) ? WALK_BY_START : WALK_ANYHOW;
    Walk walk;
    bool done;

    if (is_by_metric(searcher))
        return walk_ranks(race, outcome);
    walk = walk_by_start(searcher, kind, kind == WALK_ANYHOW || !order || order->is_descending);
    done = walk_on(race, &walk, outcome);
    walk_close(&walk);
    return done;
}

/* ---- all of a set ---- */

static bool gather(Searcher *searcher)
{
    const KeySet *set = &searcher_smallest(searcher)->set;
    Batch batch = {.has_firsts = false};

    found_drop(searcher, NULL);
    for (size_t i = 0; i < set->capacity; i++) {
        if (set->slots[i] && searcher_has_in_sets(searcher, set->slots[i]))
            batch.keys[batch.count++] = set->slots[i];
        if (batch.count < SEARCH_BATCH && (i + 1 < set->capacity || !batch.count))
            continue;
        if (!searcher_check(searcher, &batch))
            return false;
        batch.count = 0;
    }
    return true;
}

/* false without an error: there is no such experiment. */
static bool find_location(Searcher *searcher, bool *found)
{
    Scope *scope = searcher->scope;
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, "SELECT artifact_location FROM experiments WHERE id = $1",
                           db_int(searcher->experiment_id));

    *found = query_next(&query);
    if (*found)
        searcher->location = experiment_location(searcher->experiment_id,
                                                 query_text(&query, 0, scope->arena), scope->arena);
    return query_end(&query, &scope->error);
}

static bool run_race(Race *race)
{
    Searcher *searcher = race->searcher;
    Outcome outcome = WALK_ENDED;

    hold_terms(searcher);
    if (!collectors_open(&race->collectors, searcher) ||
        !collectors_advance(&race->collectors, searcher) || !walk_in_order(race, &outcome))
        return false;
    collectors_close(&race->collectors);
    for (size_t i = 0; i < searcher->terms.count; i++)
        searcher->terms.items[i].is_held = false;
    return outcome != WALK_GATHER || gather(searcher);
}

bool searcher_search(Searcher *searcher, int64_t experiment_id)
{
    Race race = {.searcher = searcher};
    bool found = false, done;

    searcher->experiment_id = experiment_id;
    searcher->walks = 0;
    if (!find_location(searcher, &found))
        return false;
    if (!found)
        return true;
    done = run_race(&race);
    collectors_close(&race.collectors);
    return done;
}
