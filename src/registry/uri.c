#include "registry/uri.h"

#include <ctype.h>
#include <string.h>

/* More encodings than these are no accident. */
enum { DECODINGS_MAX = 10 };

static int digit_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    digit = (char)tolower((unsigned char)digit);
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* One round; *changed says whether there was anything to decode. */
static const char *decode(const char *text, Arena *arena, bool *changed)
{
    TextBuilder decoded = {.arena = arena};

    *changed = false;
    for (; *text; text++) {
        int high = *text == '%' ? digit_value(text[1]) : -1;
        int low = high >= 0 ? digit_value(text[2]) : -1;
        char byte = low >= 0 ? (char)(high * 16 + low) : *text;

        text_append_bytes(&decoded, &byte, 1);
        text += low >= 0 ? 2 : 0;
        *changed |= low >= 0;
    }
    return text_built(&decoded);
}

static bool has_hazard(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f || text[i] == '\\')
            return true;
    return false;
}

static bool has_up(const char *text, Arena *arena)
{
    TextList parts = text_split(text, '/', arena);

    for (size_t i = 0; i < parts.count; i++)
        if (strcmp(parts.items[i], "..") == 0 || text_has_suffix(parts.items[i], ":.."))
            return true;
    return false;
}

/* An encoded NUL would end the text: "%00" is looked for before each round. */
static bool is_plain(const char *text, Arena *arena)
{
    bool changed = true;

    for (int round = 0; changed && round < DECODINGS_MAX; round++) {
        if (strstr(text, "%00") || has_hazard(text, strlen(text)) || has_up(text, arena))
            return false;
        text = decode(text, arena, &changed);
    }
    return !changed;
}

bool uri_refuse(Scope *scope, const Uri *uri, const char *why)
{
    return fail(&scope->error, ERROR_INVALID, "Invalid model version source: '%.100s': %s",
                text_is_utf8(uri->text, strlen(uri->text)) ? uri->text : "(not UTF-8)", why);
}

static const char *lower(const char *text, size_t size, Arena *arena)
{
    char *copy = arena_copy(arena, text, size);

    for (char *at = copy; *at; at++)
        *at = (char)tolower((unsigned char)*at);
    return copy;
}

static TextList without_empty(TextList parts, Arena *arena)
{
    TextList kept = {0};

    for (size_t i = 0; i < parts.count; i++)
        if (*parts.items[i] && strcmp(parts.items[i], ".") != 0)
            text_list_add(&kept, arena, parts.items[i]);
    return kept;
}

static size_t scheme_length(const char *text)
{
    size_t length = 0;

    if (!isalpha((unsigned char)*text))
        return 0;
    while (isalnum((unsigned char)text[length]) || (text[length] && strchr("+-.", text[length])))
        length++;
    return text[length] == ':' && length > 1 ? length : 0;
}

static Uri split(const char *text, Arena *arena)
{
    size_t length = scheme_length(text);
    const char *path = length ? text + length + 1 : text;
    Uri uri = {.text = text, .scheme = lower(text, length, arena), .authority = ""};

    if (length && text_has_prefix(path, "//")) {
        size_t size = strcspn(path + 2, "/");

        uri.authority = lower(path + 2, size, arena);
        path += 2 + size;
    }
    if (strcmp(uri.scheme, "file") == 0)
        uri.scheme = "";
    uri.parts = without_empty(text_split(path, '/', arena), arena);
    return uri;
}

bool uri_is_proxied(const Uri *uri)
{
    static const char *const route[] = {"api", "2.0", "mlflow-artifacts", "artifacts"};
    bool is_http = strcmp(uri->scheme, "http") == 0 || strcmp(uri->scheme, "https") == 0;

    if (strcmp(uri->scheme, "mlflow-artifacts") == 0)
        return true;
    for (size_t i = 0; is_http && i + COUNT(route) <= uri->parts.count; i++) {
        size_t same = 0;

        while (same < COUNT(route) && strcmp(uri->parts.items[i + same], route[same]) == 0)
            same++;
        if (same == COUNT(route))
            return true;
    }
    return false;
}

bool uri_read(Scope *scope, const char *text, Uri *uri)
{
    size_t length = strlen(text);
    Uri taken = {.text = text};

    if (length > URI_BYTES_MAX)
        return fail(&scope->error, ERROR_INVALID, "a source has at most %d bytes", URI_BYTES_MAX);
    if (!text_is_utf8(text, length) || !is_plain(text, scope->arena))
        return uri_refuse(
            scope, &taken,
            "it may have no \"..\", control character or backslash, also not encoded");
    taken = split(text, scope->arena);
    if (uri_is_proxied(&taken) && strpbrk(text, "?#"))
        return uri_refuse(scope, &taken, "it may have no \"?\" and \"#\"");
    *uri = taken;
    return true;
}

const char *uri_path(const Uri *uri, size_t from, Arena *arena)
{
    TextBuilder path = {.arena = arena};

    for (size_t i = from; i < uri->parts.count; i++) {
        text_append(&path, i > from ? "/" : "");
        text_append(&path, uri->parts.items[i]);
    }
    return text_built(&path);
}

bool uri_is_within(const Uri *uri, const Uri *root, Arena *arena, const char **path)
{
    size_t depth = root->parts.count;

    if (strcmp(uri->scheme, root->scheme) != 0 || strcmp(uri->authority, root->authority) != 0 ||
        !depth || uri->parts.count < depth)
        return false;
    for (size_t i = 0; i < depth; i++)
        if (strcmp(uri->parts.items[i], root->parts.items[i]) != 0)
            return false;
    *path = uri_path(uri, depth, arena);
    return true;
}
