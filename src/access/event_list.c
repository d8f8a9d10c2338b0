/* event_list.c: a page of the audit trail, found without the rest of it.
 *
 * The events are walked in the order of their numbers along one index: those of a subject, of an
 * object, or all. The other conditions are looked at on the way. As nobody knows how many events
 * such a walk passes before it finds any, it ends after EVENT_LOOKED_MAX of them and says where to
 * go on. A span of time is one of numbers first: from the first to the last event in it, whatever
 * the clock did meanwhile. */

#include <string.h>

#include "access/event_internal.h"
#include "access/event_subject.h"

enum { LIST_LIMIT = 1000, LIST_LIMIT_MAX = 10000, SUBJECTS_MAX = 4 };

typedef enum Way { BY_NUMBER, BY_SUBJECT, BY_OBJECT, WAYS } Way;

typedef struct Walk {
    EventFilter filter;
    Way way;
    int64_t low, high; /* of the numbers; neither is among them */
    int64_t limit;
    int64_t driving;              /* the subject by which it goes, or 0 */
    int64_t others[SUBJECTS_MAX]; /* that the events must have, too; 0 behind the last */
    bool is_empty;                /* nothing can be found */
} Walk;

/* ---- the statements: by way, then forward and backward ---- */

#define HAS(number)                                                                                \
    " AND ($" number " = 0 OR EXISTS (SELECT 1 FROM event_mentions o"                              \
    " WHERE o.subject_id = $" number " AND o.event_id = e.id))"

/* Texts and times that a filter leaves out are '' and 0, which every event passes. */
#define SELECT_PAGE(source, id, order)                                                             \
    "SELECT " EVENT_COLUMNS " FROM " source " AND " id " > $1 AND " id " < $2"                     \
    " AND ($3 = '' OR substr(e.action, 1, length($3)) = $3)"                                       \
    " AND ($4 = '' OR e.object = $4)"                                                              \
    " AND ($5 = 0 OR e.created_at >= $5) AND ($6 = 0 OR e.created_at < $6)" HAS("8") HAS("9")      \
        HAS("10") HAS("11") " ORDER BY " id order " LIMIT $12"

#define OF_SUBJECT                                                                                 \
    "event_mentions m CROSS JOIN events e WHERE m.subject_id = $7 AND e.id = m.event_id"

static const char *const select_page[WAYS][2] = {
    [BY_NUMBER] = {SELECT_PAGE("events e WHERE $7 = 0", "e.id", ""),
                   SELECT_PAGE("events e WHERE $7 = 0", "e.id", " DESC")},
    [BY_SUBJECT] = {SELECT_PAGE(OF_SUBJECT, "m.event_id", ""),
                    SELECT_PAGE(OF_SUBJECT, "m.event_id", " DESC")},
    [BY_OBJECT] = {SELECT_PAGE("events e WHERE $7 = 0 AND e.object = $4", "e.id", ""),
                   SELECT_PAGE("events e WHERE $7 = 0 AND e.object = $4", "e.id", " DESC")},
};

/* The first one that is not looked at any more. */
static const char *const select_end[WAYS][2] = {
    [BY_SUBJECT] = {"SELECT event_id FROM event_mentions WHERE event_id > $1 AND event_id < $2"
                    " AND subject_id = $3 ORDER BY event_id LIMIT 1 OFFSET $4",
                    "SELECT event_id FROM event_mentions WHERE event_id > $1 AND event_id < $2"
                    " AND subject_id = $3 ORDER BY event_id DESC LIMIT 1 OFFSET $4"},
    [BY_OBJECT] = {"SELECT id FROM events WHERE id > $1 AND id < $2"
                   " AND object = $3 ORDER BY id LIMIT 1 OFFSET $4",
                   "SELECT id FROM events WHERE id > $1 AND id < $2"
                   " AND object = $3 ORDER BY id DESC LIMIT 1 OFFSET $4"},
};

const char *event_list_statement(size_t number)
{
    const char *const *all[] = {select_page[BY_NUMBER], select_page[BY_SUBJECT],
                                select_page[BY_OBJECT], select_end[BY_SUBJECT],
                                select_end[BY_OBJECT]};

    return number < 2 * COUNT(all) ? all[number / 2][number % 2] : NULL;
}

/* ---- where it goes ---- */

/* A subject that no event is about leaves nothing to find. */
static bool add_subject(Scope *scope, Walk *walk, const char *kind, const char *name)
{
    int64_t id;

    if (!name)
        return true;
    if (!event_subject_find(scope, kind, name, &id))
        return false;
    walk->is_empty = walk->is_empty || !id;
    for (size_t i = 0; i < SUBJECTS_MAX; i++) {
        if (walk->others[i])
            continue;
        walk->others[i] = id;
        break;
    }
    return true;
}

/* What is an object is looked for as one. */
static bool add_wanted(Scope *scope, Walk *walk)
{
    const char *object = walk->filter.object;
    EventSubject wanted;

    if (!walk->filter.subject)
        return true;
    if (!event_subject_read(walk->filter.subject, scope->arena, &wanted, &scope->error))
        return false;
    if (!wanted.is_object)
        return add_subject(scope, walk, wanted.kind, wanted.name);
    walk->is_empty = walk->is_empty || (object && strcmp(object, wanted.name) != 0);
    walk->filter.object = wanted.name;
    return add_subject(scope, walk, SUBJECT_NOUN, wanted.kind);
}

/* The one that is likely to have the fewest events first. */
static bool add_subjects(Scope *scope, Walk *walk)
{
    const EventFilter *filter = &walk->filter;

    return add_wanted(scope, walk) && add_subject(scope, walk, EVENT_PROJECT, filter->project) &&
           (!filter->action ||
            add_subject(scope, walk, SUBJECT_NOUN, event_noun(filter->action, scope->arena))) &&
           add_subject(scope, walk, SUBJECT_BY, filter->by);
}

static void choose_way(Walk *walk)
{
    walk->way = walk->filter.object ? BY_OBJECT : walk->others[0] ? BY_SUBJECT : BY_NUMBER;
    if (walk->way != BY_SUBJECT)
        return;
    walk->driving = walk->others[0];
    memmove(walk->others, walk->others + 1, (SUBJECTS_MAX - 1) * sizeof(walk->others[0]));
    walk->others[SUBJECTS_MAX - 1] = 0;
}

static bool find_number(Scope *scope, const char *sql, const DbValue *value, int64_t *number)
{
    CLEANUP(query_finalize) Query query = db_query(scope->db, sql, *value);

    *number = query_next(&query) ? query_int(&query, 0) : 0;
    return query_end(&query, &scope->error);
}

/* The first event that is not before this moment; last + 1: none is. Numbers have no gap, and the
 * clock never went back. */
static bool find_moment(Scope *scope, int64_t moment, int64_t last, int64_t *first)
{
    static const char sql[] = "SELECT created_at FROM events WHERE id = $1";
    int64_t low = 1, high = last + 1;

    while (low < high) {
        int64_t middle = low + (high - low) / 2, at;
        DbValue id = db_int(middle);

        if (!find_number(scope, sql, &id, &at))
            return false;
        if (at < moment)
            low = middle + 1;
        else
            high = middle;
    }
    *first = low;
    return true;
}

/* Of a trail whose clock once went back: all are looked at, and this is rare. */
static bool scan_span(Scope *scope, const EventFilter *filter, int64_t *first, int64_t *last)
{
    static const char from[] = "SELECT MIN(id) FROM events WHERE created_at >= $1";
    static const char to[] = "SELECT MAX(id) FROM events WHERE created_at < $1";
    DbValue begin = db_int(filter->from), end = db_int(filter->to ? filter->to : INT64_MAX);

    return find_number(scope, from, &begin, first) && find_number(scope, to, &end, last);
}

/* Numbers of the first and the last event that may be in the span; first 0: none is. */
static bool find_ends(Scope *scope, const EventFilter *filter, int64_t *first, int64_t *last)
{
    static const char newest[] = "SELECT id FROM events WHERE id <= $1 ORDER BY id DESC LIMIT 1";
    DbValue any = db_int(INT64_MAX);
    int64_t back, behind;

    if (!find_number(scope, newest, &any, last))
        return false;
    *first = 1;
    if (!filter->from && !filter->to)
        return true;
    if (!event_subject_find(scope, SUBJECT_CLOCK, SUBJECT_CLOCK_BACK, &back))
        return false;
    if (back)
        return scan_span(scope, filter, first, last);
    behind = *last + 1;
    if ((filter->to && !find_moment(scope, filter->to, *last, &behind)) ||
        (filter->from && !find_moment(scope, filter->from, *last, first)))
        return false;
    *last = behind - 1;
    return true;
}

static bool find_span(Scope *scope, Walk *walk)
{
    const EventFilter *filter = &walk->filter;
    int64_t first, last;

    if (!find_ends(scope, filter, &first, &last))
        return false;
    walk->is_empty = !first || first > last;
    walk->low = filter->after > first - 1 ? filter->after : first - 1;
    walk->high = filter->before && filter->before <= last ? filter->before : last + 1;
    return true;
}

static bool begin(Scope *scope, const EventFilter *filter, Walk *walk)
{
    *walk = (Walk){.filter = *filter, .limit = filter->limit ? filter->limit : LIST_LIMIT};
    if (walk->limit < 1 || walk->limit > LIST_LIMIT_MAX)
        return fail_field(&scope->error, "limit", "a limit is 1 to %d", LIST_LIMIT_MAX);
    if (filter->from && filter->to && filter->from >= filter->to)
        return fail_field(&scope->error, "to", "a span of time ends after it begins");
    if (!add_subjects(scope, walk))
        return false;
    choose_way(walk);
    return walk->is_empty || find_span(scope, walk);
}

/* ---- how far it goes ---- */

/* *end: the first event that is not looked at; 0: all are. Numbers have no gap. */
static bool find_end(Scope *scope, const Walk *walk, int64_t *end)
{
    bool is_newest_first = walk->filter.newest_first;

    *end = 0;
    if (walk->high - walk->low - 1 <= EVENT_LOOKED_MAX)
        return true;
    if (walk->way == BY_NUMBER) {
        *end =
            is_newest_first ? walk->high - EVENT_LOOKED_MAX - 1 : walk->low + EVENT_LOOKED_MAX + 1;
        return true;
    }

    CLEANUP(query_finalize)
    Query query = db_query(
        scope->db, select_end[walk->way][is_newest_first], db_int(walk->low), db_int(walk->high),
        walk->way == BY_OBJECT ? db_text(walk->filter.object) : db_int(walk->driving),
        db_int(EVENT_LOOKED_MAX));

    *end = query_next(&query) ? query_int(&query, 0) : 0;
    return query_end(&query, &scope->error);
}

static Query select_events(Scope *scope, const Walk *walk)
{
    const EventFilter *filter = &walk->filter;

    return db_query(scope->db, select_page[walk->way][filter->newest_first], db_int(walk->low),
                    db_int(walk->high), db_text(filter->action ? filter->action : ""),
                    db_text(filter->object ? filter->object : ""), db_int(filter->from),
                    db_int(filter->to), db_int(walk->driving), db_int(walk->others[0]),
                    db_int(walk->others[1]), db_int(walk->others[2]), db_int(walk->others[3]),
                    db_int(walk->limit));
}

static bool take_page(Scope *scope, const Walk *walk, EventList *list)
{
    CLEANUP(query_finalize) Query query = select_events(scope, walk);
    size_t size = 0;

    while (query_next(&query)) {
        Event event = event_from_row(&query, scope->arena);

        *arena_push(scope->arena, list) = event;
        size += strlen(event.detail);
        if ((int64_t)list->count < walk->limit && size < EVENT_PAGE_BYTES_MAX)
            continue;
        list->next = event.id;
        return true;
    }
    return query_end(&query, &scope->error);
}

bool event_list(Scope *scope, const EventFilter *filter, EventList *list)
{
    EventList found = {0};
    int64_t end;
    Walk walk;

    if (!begin(scope, filter, &walk))
        return false;
    if (!walk.is_empty && walk.high - walk.low > 1) {
        if (!find_end(scope, &walk, &end))
            return false;
        if (end && filter->newest_first)
            walk.low = end;
        else if (end)
            walk.high = end;
        if (!take_page(scope, &walk, &found))
            return false;
        if (!found.next && end)
            found.next = filter->newest_first ? end + 1 : end - 1;
    }
    *list = found;
    return true;
}
