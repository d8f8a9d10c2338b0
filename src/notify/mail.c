/* mail.c: a delivery as a mail, header and text. */

#include <openssl/evp.h>
#include <string.h>
#include <time.h>

#include "base/time.h"
#include "notify/message.h"

enum { SUBJECT_BYTES_MAX = 200, WORD_BYTES_MAX = 45, LINE_BYTES = 57 };

/* What a mail of any event says. */
typedef struct Letter {
    const char *subject, *text;
} Letter;

/* What is told of a model has a name, and perhaps a version. */
static const char *subject_of(const char *event, const JsonValue *data, Arena *arena)
{
    const char *name = json_as_text(json_member(data, "name"), NULL);
    const char *version = json_as_text(json_member(data, "version"), NULL);

    if (!name)
        return event;
    return version ? arena_format(arena, "%s: %s version %s", event, name, version)
                   : arena_format(arena, "%s: %s", event, name);
}

static Letter letter_of(const Delivery *delivery, Arena *arena)
{
    const JsonValue *body = NULL, *data;
    Error ignored = {0};
    Letter letter = {delivery->event, delivery->body};

    if (!json_parse(delivery->body, strlen(delivery->body), arena, &body, &ignored))
        return letter;
    data = json_member(body, "data");
    letter.subject = json_as_text(json_member(data, "subject"), NULL);
    letter.text = json_as_text(json_member(data, "text"), NULL);
    if (!letter.subject)
        letter.subject = subject_of(delivery->event, data, arena);
    if (!letter.text)
        letter.text = arena_format(arena, "%s\n\n%s\n", delivery->event, json_print(data, arena));
    return letter;
}

static bool is_plain(const char *text)
{
    for (const char *at = text; *at; at++)
        if (*at < ' ' || *at > '~')
            return false;
    return true;
}

static void append_base64(TextBuilder *builder, const char *bytes, size_t size)
{
    unsigned char text[4 * ((LINE_BYTES + 2) / 3) + 1];

    EVP_EncodeBlock(text, (const unsigned char *)bytes, (int)size);
    text_append(builder, (const char *)text);
}

/* RFC 2047: what is not plain ASCII goes in words of base64, none of which cuts a character. */
static void append_subject(TextBuilder *builder, const char *subject, Arena *arena)
{
    const char *short_one = arena_copy(arena, subject, text_cut(subject, SUBJECT_BYTES_MAX));

    text_append(builder, "Subject: ");
    if (is_plain(short_one)) {
        text_append(builder, short_one);
    } else {
        for (const char *at = short_one, *space = ""; *at; space = "\r\n ") {
            size_t size = text_cut(at, WORD_BYTES_MAX);

            text_append_format(builder, "%s=?UTF-8?B?", space);
            append_base64(builder, at, size);
            text_append(builder, "?=");
            at += size;
        }
    }
    text_append(builder, "\r\n");
}

static void append_date(TextBuilder *builder)
{
    time_t now = (time_t)(time_now_ms() / 1000);
    char text[64];
    struct tm parts;

    gmtime_r(&now, &parts);
    strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S +0000", &parts);
    text_append_format(builder, "Date: %s\r\n", text);
}

const char *mail_write(const NotifySettings *settings, const char *recipient,
                       const Delivery *delivery, Arena *arena)
{
    Letter letter = letter_of(delivery, arena);
    TextBuilder builder = {.arena = arena};
    const char *domain = strchr(settings->mail_sender, '@');

    text_append_format(&builder, "From: Slipway <%s>\r\nTo: <%s>\r\n", settings->mail_sender,
                       recipient);
    append_subject(&builder, letter.subject, arena);
    append_date(&builder);
    text_append_format(&builder, "Message-ID: <%s%s>\r\n", delivery->public_id,
                       domain ? domain : "@slipway");
    text_append_format(&builder, "X-Slipway-Event: %s\r\n", delivery->event);
    text_append(&builder, "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
                          "Content-Type: text/plain; charset=utf-8\r\n"
                          "Content-Transfer-Encoding: base64\r\n\r\n");
    for (size_t at = 0, length = strlen(letter.text); at < length; at += LINE_BYTES) {
        append_base64(&builder, letter.text + at,
                      length - at < LINE_BYTES ? length - at : LINE_BYTES);
        text_append(&builder, "\r\n");
    }
    return text_built(&builder);
}
