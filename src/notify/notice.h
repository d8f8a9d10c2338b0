/* notice.h: one event as people and programs are told of it: a subject of one line, a text that
 * says all that is needed to act on it, and the same as members of a JSON object.
 *
 * What comes from people, files or other programs goes in as a member, a plain() word or a quote.
 * Each of those is kept to a line, or to lines of its own, and to a length: nobody can add a line
 * that looks like ours to a text, or to the head of a mail.
 *
 *     Notice *notice;
 *
 *     if (!notice_begin(scope, EVENT_PIPELINE_RUN_FAILED, &notice))
 *         return false;
 *     if (!notice)
 *         return true; // nobody wants to know
 *     notice->subject = arena_format(scope->arena, "%s has failed", name);
 *     notice_text(notice, "project", project);
 *     return notice_raise(scope, notice);
 */
#pragma once

#include "notify/delivery.h"

enum {
    NOTICE_LINE_BYTES_MAX = 2000, /* of a member */
    NOTICE_TEXT_BYTES_MAX = 64 * 1024,
    NOTICE_QUOTE_LINES_MAX = 50,
};

typedef struct Notice {
    EventKind kind;
    const char *subject; /* cleaned when it is raised */
    TextBuilder text;
    JsonWriter *json; /* an open object, for members that are more than a line */
} Notice;

/* Inside a write, as all of it. *notice is NULL when nobody wants it. */
bool notice_begin(Scope *scope, EventKind kind, Notice **notice) MUST_CHECK;

/* A paragraph of ours, and a line break; what others wrote goes in as notice_plain(). */
void notice_say(Notice *notice, const char *format, ...) PRINTF_LIKE(2, 3);

/* A member, and a line "asked by  ada"; of NULL, or of the time 0, there is no line. */
void notice_text(Notice *notice, const char *key, const char *value);
void notice_int(Notice *notice, const char *key, int64_t value);
void notice_time(Notice *notice, const char *key, int64_t time_ms);

/* A line without a member; label "": more of the one before. */
void notice_line(Notice *notice, const char *label, const char *value);

/* The same words, each line behind "  | ". */
void notice_quote(Notice *notice, const char *words);

/* What others wrote, as one line of a bounded length. */
const char *notice_plain(const char *words, Arena *arena);

/* Its end, where there is too much: what a program said last is what went wrong. */
const char *notice_tail(const char *words, size_t limit, Arena *arena);

/* A document of the store, of which something is told; NULL when there is none, or none that can be
 * read: that is no reason for the change to fail. */
const JsonValue *notice_read(const char *document, Arena *arena);

bool notice_raise(Scope *scope, Notice *notice) MUST_CHECK;
