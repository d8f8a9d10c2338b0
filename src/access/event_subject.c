#include "access/event_subject.h"

#include <string.h>

/* What an action's object is: all of it, or what stands before the mark. */
typedef struct SubjectRow {
    const char *noun, *kind;
    char mark;      /* the last one counts; 0: all of it */
    bool is_object; /* and nothing else is about it: it is found by noun and object, unmentioned */
} SubjectRow;

static const SubjectRow rows[] = {
    {"alarm", EVENT_PROJECT, 0, false},
    {"approval", EVENT_PROJECT, '#', false},
    {"approval", EVENT_PIPELINE_RUN, '/', false},
    {"dataset", "dataset", 0, false},
    {"dataset_version", "dataset", '@', false},
    {"endpoint", EVENT_ENDPOINT, 0, false},
    {"environment", "environment", 0, true},
    {"experiment", "experiment", 0, true},
    {"gate", EVENT_ENDPOINT, 0, false},
    {"hook", EVENT_PROJECT, 0, false},
    {"identity", "identity", 0, true},
    {"logged_model", "logged_model", 0, true},
    {"model", EVENT_MODEL, 0, false},
    {"model_alias", EVENT_MODEL, '@', false},
    {"model_version", EVENT_MODEL, '@', false},
    {"pipeline", EVENT_PROJECT, 0, false},
    {"pipeline_run", EVENT_PROJECT, '#', false},
    {"pipeline_run", EVENT_PIPELINE_RUN, 0, false},
    {"project", EVENT_PROJECT, 0, false},
    {"push", EVENT_PROJECT, 0, false},
    {"release", EVENT_PROJECT, '#', false},
    {"release", EVENT_PIPELINE_RUN, 0, false},
    {"retention", EVENT_PROJECT, 0, false},
    {"run", "run", 0, true},
    {"token", "token", 0, true},
    {"trigger", EVENT_PROJECT, 0, false},
    {"webhook", "webhook", 0, true},
    {"workspace", "workspace", 0, true},
};

const char *event_noun(const char *action, Arena *arena)
{
    const char *dot = strchr(action, '.');

    return dot && dot > action ? arena_copy(arena, action, (size_t)(dot - action)) : NULL;
}

bool event_subject_find(Scope *scope, const char *kind, const char *name, int64_t *id)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, "SELECT id FROM event_subjects WHERE kind = $1 AND name = $2",
                           db_text(kind), db_text(name));

    *id = query_next(&query) ? query_int(&query, 0) : 0;
    return query_end(&query, &scope->error);
}

static bool mention(Scope *scope, int64_t event_id, const char *kind, const char *name)
{
    int64_t id;

    if (!name || !*name)
        return true;
    if (!event_subject_find(scope, kind, name, &id) ||
        (!id && !db_get_int(scope->db, &scope->error, &id,
                            "INSERT INTO event_subjects (id, kind, name) VALUES"
                            " ((SELECT coalesce(max(id), 0) + 1 FROM event_subjects), $1, $2)"
                            " RETURNING id",
                            db_text(kind), db_text(name))))
        return false;
    return db_run(scope->db, &scope->error,
                  "INSERT INTO event_mentions (subject_id, event_id) VALUES ($1, $2)"
                  " ON CONFLICT (subject_id, event_id) DO NOTHING",
                  db_int(id), db_int(event_id));
}

/* NULL: it has no such mark, and names nothing. */
static const char *name_of(const SubjectRow *row, const char *object, Arena *arena)
{
    const char *end = row->mark ? strrchr(object, row->mark) : object + strlen(object);

    return end ? arena_copy(arena, object, (size_t)(end - object)) : NULL;
}

bool event_subjects_add(Scope *scope, const Event *event)
{
    const char *noun = event_noun(event->action, scope->arena);

    if (!mention(scope, event->id, SUBJECT_BY, event->principal) ||
        !mention(scope, event->id, SUBJECT_NOUN, noun) ||
        !mention(scope, event->id, EVENT_PROJECT, scope->topic.project) ||
        !mention(scope, event->id, EVENT_PIPELINE_RUN, scope->topic.pipeline_run))
        return false;
    for (size_t i = 0; i < COUNT(rows); i++)
        if (text_equal(rows[i].noun, noun) && !rows[i].is_object &&
            !mention(scope, event->id, rows[i].kind,
                     name_of(&rows[i], event->object, scope->arena)))
            return false;
    return true;
}

bool event_about(Scope *scope, const char *kind, const char *name)
{
    int64_t last;

    return db_get_int(scope->db, &scope->error, &last, "SELECT MAX(id) FROM events") &&
           mention(scope, last, kind, name);
}

/* ---- from outside ---- */

static const SubjectRow *find_kind(const char *kind)
{
    for (size_t i = 0; i < COUNT(rows); i++)
        if (strcmp(rows[i].kind, kind) == 0)
            return &rows[i];
    return NULL;
}

/* Each once, in the order of the rows. */
static const char *all_kinds(Arena *arena)
{
    TextList kinds = {0};
    TextBuilder text = {.arena = arena};

    for (size_t i = 0; i < COUNT(rows); i++)
        if (!text_list_has(&kinds, rows[i].kind))
            text_list_add(&kinds, arena, rows[i].kind);
    for (size_t i = 0; i < kinds.count; i++)
        text_append_format(&text, "%s%s", i ? ", " : "", kinds.items[i]);
    return text_built(&text);
}

bool event_subject_read(const char *text, Arena *arena, EventSubject *subject, Error *error)
{
    const char *colon = strchr(text, ':');
    const char *kind = colon ? arena_copy(arena, text, (size_t)(colon - text)) : "";
    const SubjectRow *row = find_kind(kind);

    if (!colon || !colon[1] || !row)
        return fail_field(error, "subject",
                          "a subject is a kind and a name, as \"model:spam\", not \"%.80s\"; kinds "
                          "are %s",
                          text, all_kinds(arena));
    *subject = (EventSubject){kind, colon + 1, row->is_object};
    return true;
}
