#include "notify/notice.h"

#include <string.h>

#include "base/time.h"

enum { LABEL_WIDTH = 12 };

const char *notice_plain(const char *words, Arena *arena)
{
    size_t size = text_cut(words, NOTICE_LINE_BYTES_MAX);
    const char *line = text_as_line(words, size, arena);

    return words[size] ? arena_format(arena, "%s...", line) : line;
}

const char *notice_tail(const char *words, size_t limit, Arena *arena)
{
    size_t length = strlen(words), from = length > limit ? length - limit : 0;

    while (from && ((unsigned char)words[from] & 0xc0) == 0x80)
        from++;
    return from ? arena_format(arena, "...%s", words + from) : words;
}

bool notice_begin(Scope *scope, EventKind kind, Notice **notice)
{
    bool is_wanted;

    *notice = NULL;
    if (!delivery_is_wanted(scope, kind, &is_wanted))
        return false;
    if (!is_wanted)
        return true;
    *notice = arena_new(scope->arena, Notice);
    **notice = (Notice){
        .kind = kind, .text.arena = scope->arena, .json = json_writer_create(scope->arena)};
    json_open_object((*notice)->json, NULL);
    return true;
}

void notice_say(Notice *notice, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    text_append(&notice->text, arena_format_list(notice->text.arena, format, arguments));
    va_end(arguments);
    text_append(&notice->text, "\n");
}

void notice_line(Notice *notice, const char *label, const char *value)
{
    Arena *arena = notice->text.arena;

    text_append_format(&notice->text, "  %-*s  %s\n", LABEL_WIDTH, label,
                       notice_plain(value, arena));
}

/* "asked_by" as people read it. */
static const char *label_of(const char *key, Arena *arena)
{
    char *label = arena_text(arena, key);

    for (char *at = label; *at; at++)
        if (*at == '_')
            *at = ' ';
    return label;
}

void notice_text(Notice *notice, const char *key, const char *value)
{
    Arena *arena = notice->text.arena;

    if (!value) {
        json_null(notice->json, key);
        return;
    }
    json_bytes(notice->json, key, value, text_cut(value, NOTICE_LINE_BYTES_MAX));
    notice_line(notice, label_of(key, arena), value);
}

void notice_int(Notice *notice, const char *key, int64_t value)
{
    Arena *arena = notice->text.arena;

    json_int(notice->json, key, value);
    notice_line(notice, label_of(key, arena), arena_format(arena, "%lld", (long long)value));
}

void notice_time(Notice *notice, const char *key, int64_t time_ms)
{
    char text[TIME_TEXT_SIZE];

    json_time(notice->json, key, time_ms);
    if (time_ms)
        notice_line(notice, label_of(key, notice->text.arena), time_format(time_ms, text));
}

void notice_quote(Notice *notice, const char *words)
{
    Arena *arena = notice->text.arena;
    int lines = 0;

    for (const char *at = words; *at && lines < NOTICE_QUOTE_LINES_MAX; lines++) {
        size_t size = strcspn(at, "\n");

        text_append_format(&notice->text, "  | %s\n",
                           notice_plain(arena_copy(arena, at, size), arena));
        at += size + (at[size] == '\n');
    }
}

const JsonValue *notice_read(const char *document, Arena *arena)
{
    const JsonValue *value = NULL;
    Error ignored = {0};

    return document && json_parse(document, strlen(document), arena, &value, &ignored) ? value
                                                                                       : NULL;
}

static void write_words(JsonWriter *json, const char *subject, const char *text)
{
    json_text(json, "subject", subject);
    json_bytes(json, "text", text, text_cut(text, NOTICE_TEXT_BYTES_MAX));
    json_close(json);
}

bool notice_raise(Scope *scope, Notice *notice)
{
    const char *subject = notice_plain(notice->subject, scope->arena);
    const char *text = text_built(&notice->text), *data;
    JsonWriter *json;

    write_words(notice->json, subject, text);
    data = json_finish(notice->json);
    if (strlen(data) <= DELIVERY_DATA_BYTES_MAX)
        return delivery_raise(scope, notice->kind, data);
    json = json_writer_create(scope->arena);
    json_open_object(json, NULL);
    json_bool(json, "is_shortened", true);
    write_words(json, subject, text);
    return delivery_raise(scope, notice->kind, json_finish(json));
}
