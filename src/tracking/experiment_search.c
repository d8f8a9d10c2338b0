/* experiment_search.c: MLflow's search of experiments. There are few, so that each is looked at. */

#include <stdlib.h>
#include <string.h>

#include "tracking/experiment.h"
#include "tracking/search_filter.h"

typedef struct Asked {
    SearchFilter filter;
    SearchOrderList orders;
    bool is_default; /* no order was given */
} Asked;

static int64_t time_of(const Experiment *experiment, const char *key)
{
    return strcmp(key, "creation_time") == 0 ? experiment->created_at : experiment->updated_at;
}

/* Ids are numbers, which a clause has as texts. */
static bool id_matches(const SearchClause *clause, int64_t id)
{
    bool is_list = clause->value == SEARCH_LIST;
    bool wants_none = clause->comparator == SEARCH_DIFFERENT || clause->comparator == SEARCH_NOT_IN;
    size_t count = is_list ? clause->list.count : 1;

    for (size_t i = 0; i < count; i++) {
        int64_t given = 0;

        if (text_to_int(is_list ? clause->list.items[i] : clause->text, &given) && given == id)
            return !wants_none;
    }
    return wants_none;
}

static bool clause_matches(const SearchClause *clause, const Experiment *experiment)
{
    const char *tag;

    if (clause->entity == SEARCH_TAG) {
        tag = param_find(&experiment->tags, clause->key);
        return tag ? clause->comparator != SEARCH_NULL && search_matches_text(clause, tag)
                   : clause->comparator == SEARCH_NULL;
    }
    if (clause->value == SEARCH_NUMBER)
        return search_matches_number(clause, (double)time_of(experiment, clause->key));
    return strcmp(clause->key, "name") == 0 ? search_matches_text(clause, experiment->name)
                                            : id_matches(clause, experiment->id);
}

static bool all_match(const SearchFilter *filter, const Experiment *experiment)
{
    for (size_t i = 0; i < filter->count; i++)
        if (!clause_matches(&filter->items[i], experiment))
            return false;
    return true;
}

static bool check_ids(const SearchFilter *filter, Error *error)
{
    int64_t ignored;

    for (size_t i = 0; i < filter->count; i++) {
        const SearchClause *clause = &filter->items[i];
        bool is_list = clause->value == SEARCH_LIST;

        if (clause->entity != SEARCH_ATTRIBUTE || strcmp(clause->key, "experiment_id") != 0)
            continue;
        for (size_t j = 0; j < (is_list ? clause->list.count : 1); j++)
            if (!text_to_int(is_list ? clause->list.items[j] : clause->text, &ignored))
                return fail_field(error, "filter",
                                  "Invalid experiment ID: '%.100s'; it must be an integer",
                                  is_list ? clause->list.items[j] : clause->text);
    }
    return true;
}

static int compare_int(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int compare_by(const char *key, const Experiment *a, const Experiment *b)
{
    if (strcmp(key, "name") == 0)
        return strcmp(a->name, b->name);
    if (strcmp(key, "experiment_id") == 0)
        return compare_int(a->id, b->id);
    return compare_int(time_of(a, key), time_of(b, key));
}

/* Newest first if nothing is asked. */
static int compare(const void *left, const void *right, void *context)
{
    const Asked *asked = context;
    int order = asked->is_default ? -compare_by("creation_time", left, right) : 0;

    for (size_t i = 0; !order && i < asked->orders.count; i++) {
        order = compare_by(asked->orders.items[i].key, left, right);
        if (asked->orders.items[i].is_descending)
            order = -order;
    }
    if (order)
        return order;
    order = compare_by("experiment_id", left, right);
    return asked->is_default ? order : -order;
}

static bool read_search(Scope *scope, const ExperimentSearch *search, Asked *asked)
{
    if (search->limit < 1 || search->limit > EXPERIMENT_LIMIT_MAX)
        return fail_field(&scope->error, "max_results",
                          "Invalid value for parameter 'max_results' supplied. It must be at least "
                          "1 and at most %d",
                          EXPERIMENT_LIMIT_MAX);
    asked->is_default = search->order_by.count == 0;
    return search_filter_parse(&search_experiments, search->filter, scope->arena, &asked->filter,
                               &scope->error) &&
           check_ids(&asked->filter, &scope->error) &&
           search_orders_parse(&search_experiments, &search->order_by, scope->arena, &asked->orders,
                               &scope->error);
}

bool experiment_search(Scope *scope, const ExperimentSearch *search, ExperimentList *list,
                       bool *has_more)
{
    ExperimentFilter listed = {
        .with_deleted = search->life != EXPERIMENT_LIFE_ACTIVE, .after = -1, .page.limit = -1};
    ExperimentList all = {0};
    Asked asked = {0};
    size_t kept = 0, start, end;

    if (!read_search(scope, search, &asked) || !experiment_list(scope, &listed, &all))
        return false;
    for (size_t i = 0; i < all.count; i++) {
        bool is_in = search->life == EXPERIMENT_LIFE_ALL ||
                     all.items[i].is_deleted == (search->life == EXPERIMENT_LIFE_DELETED);

        if (is_in && all_match(&asked.filter, &all.items[i]))
            all.items[kept++] = all.items[i];
    }
    if (kept)
        qsort_r(all.items, kept, sizeof(*all.items), compare, &asked);
    start = (size_t)search->offset < kept ? (size_t)search->offset : kept;
    end = kept - start < (size_t)search->limit ? kept : start + (size_t)search->limit;
    *list = (ExperimentList){all.items + start, end - start};
    *has_more = end < kept;
    return true;
}
