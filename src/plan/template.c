#include "plan/template.h"

#include <ctype.h>
#include <string.h>

#define OPENING     "${{"
#define CLOSING     "}}"
#define DVC_OPENING "${"

enum { SHOWN_BYTES_MAX = 120 };

typedef struct Splitter {
    const char *at;
    TextBuilder plain;
    TemplateStyle style;
    TemplatePartList *parts;
    Arena *arena;
    Error *error;
} Splitter;

static void end_plain(Splitter *splitter)
{
    if (!splitter->plain.count)
        return;
    *arena_push(splitter->arena, splitter->parts) = (TemplatePart){text_built(&splitter->plain)};
    splitter->plain = (TextBuilder){.arena = splitter->arena};
}

static void add_expression(Splitter *splitter, const Expression *expression, size_t size)
{
    end_plain(splitter);
    *arena_push(splitter->arena, splitter->parts) =
        (TemplatePart){arena_copy(splitter->arena, splitter->at, size), expression};
    splitter->at += size;
}

/* Behind the opening; the closing may stand in a text of the expression. */
static const char *find_closing(const char *at)
{
    for (bool is_text = false; *at; at++) {
        if (*at == '\'')
            is_text = !is_text;
        else if (!is_text && text_has_prefix(at, CLOSING))
            return at;
    }
    return NULL;
}

static bool take_expression(Splitter *splitter)
{
    const char *start = splitter->at + strlen(OPENING), *end = find_closing(start), *inner;
    const Expression *expression;

    if (!end)
        return fail(splitter->error, ERROR_INVALID, "\"%.*s\" has no end \"%s\"", SHOWN_BYTES_MAX,
                    splitter->at, CLOSING);
    inner = text_trim(arena_copy(splitter->arena, start, (size_t)(end - start)), splitter->arena);
    if (!expression_parse(inner, splitter->arena, &expression, splitter->error))
        return false;
    add_expression(splitter, expression, (size_t)(end - splitter->at) + strlen(CLOSING));
    return true;
}

/* DVC's names: words of letters, digits, "_", "-", "/" and blanks, with "." between, and [0]. */
static bool read_dvc_name(const char *inner, Arena *arena, TextList *name)
{
    text_list_add(name, arena, EXPRESSION_DVC_ROOT);
    for (;;) {
        size_t length = 0;

        while (isalnum((unsigned char)inner[length]) || (unsigned char)inner[length] >= 0x80 ||
               (inner[length] && strchr("_-/ ", inner[length])))
            length++;
        if (!length)
            return false;
        *arena_push(arena, name) = text_trim(arena_copy(arena, inner, length), arena);
        for (inner += length; *inner == '['; inner += length + 2) {
            length = strspn(inner + 1, "0123456789");
            if (!length || inner[length + 1] != ']')
                return false;
            *arena_push(arena, name) = arena_copy(arena, inner + 1, length);
        }
        if (*inner == '\0')
            return true;
        if (*inner++ != '.')
            return false;
    }
}

static bool take_dvc_name(Splitter *splitter)
{
    const char *start = splitter->at + strlen(DVC_OPENING), *end = strchr(start, '}'), *inner;
    TextList name = {0};

    if (!end)
        return fail(splitter->error, ERROR_INVALID,
                    "\"%.*s\" has no end \"}\"; a plain \"${\" is written \"\\${\"",
                    SHOWN_BYTES_MAX, splitter->at);
    inner = text_trim(arena_copy(splitter->arena, start, (size_t)(end - start)), splitter->arena);
    if (!read_dvc_name(inner, splitter->arena, &name))
        return fail(splitter->error, ERROR_INVALID,
                    "\"${%.*s}\" is no name such as ${train.lr} or ${layers[0]}; a \"${\" for the "
                    "shell is written \"\\${\"",
                    SHOWN_BYTES_MAX, inner);
    add_expression(splitter, expression_of_name(&name, splitter->arena),
                   (size_t)(end + 1 - splitter->at));
    return true;
}

static bool take_next(Splitter *splitter)
{
    bool is_dvc = splitter->style == TEMPLATE_DVC;

    if (is_dvc && text_has_prefix(splitter->at, "\\" DVC_OPENING)) {
        text_append(&splitter->plain, DVC_OPENING);
        splitter->at += strlen("\\" DVC_OPENING);
        return true;
    }
    if (text_has_prefix(splitter->at, OPENING))
        return take_expression(splitter);
    if (is_dvc && text_has_prefix(splitter->at, DVC_OPENING))
        return take_dvc_name(splitter);
    text_append_bytes(&splitter->plain, splitter->at++, 1);
    return true;
}

bool template_parse(const char *text, TemplateStyle style, Arena *arena, TemplatePartList *parts,
                    Error *error)
{
    TemplatePartList read = {0};
    Splitter splitter = {
        .at = text, .plain = {.arena = arena}, .style = style, .parts = &read, arena, error};

    while (*splitter.at) {
        size_t length = strcspn(splitter.at, "$\\");

        text_append_bytes(&splitter.plain, splitter.at, length);
        splitter.at += length;
        if (*splitter.at && !take_next(&splitter))
            return false;
    }
    end_plain(&splitter);
    *parts = read;
    return true;
}

bool template_has_expression(const char *text, TemplateStyle style)
{
    return strstr(text, style == TEMPLATE_DVC ? DVC_OPENING : OPENING) != NULL;
}

bool template_is_exact(const TemplatePartList *parts)
{
    return parts->count == 1 && parts->items[0].expression;
}

static bool fail_in_part(const TemplatePart *part, Error *error)
{
    return fail_in(error, "\"%.*s\"", SHOWN_BYTES_MAX, part->text);
}

static bool append_value(TextBuilder *text, const TemplatePart *part, const ExpressionNames *names)
{
    ExpressionValue value;
    const char *written;

    if (!expression_evaluate(part->expression, names, &value) ||
        !expression_value_text(&value, &written, names->error))
        return fail_in_part(part, names->error);
    if (value.type == EXPRESSION_NULL && !text_has_prefix(part->text, OPENING))
        written = TEMPLATE_DVC_NULL;
    if (text->count + strlen(written) > EXPRESSION_RESULT_MAX)
        return fail(names->error, ERROR_TOO_LARGE, "the text has more than %d bytes",
                    EXPRESSION_RESULT_MAX);
    text_append(text, written);
    return true;
}

bool template_fill(const TemplatePartList *parts, const ExpressionNames *names, const char **text)
{
    TextBuilder filled = {.arena = names->arena};

    for (size_t i = 0; i < parts->count; i++) {
        const TemplatePart *part = &parts->items[i];

        if (!part->expression)
            text_append(&filled, part->text);
        else if (expression_is_late(part->expression))
            return fail(names->error, ERROR_INVALID,
                        "\"%.*s\" is only known when the step starts: it can stand in cmd, argv, "
                        "env, with and when",
                        SHOWN_BYTES_MAX, part->text);
        else if (!append_value(&filled, part, names))
            return false;
    }
    *text = text_built(&filled);
    return true;
}

/* What is known so far, with each "${{" written as an expression that gives it. */
static void append_escaped(TextBuilder *text, TextBuilder *known, Arena *arena)
{
    const char *at = text_built(known);

    for (const char *found; (found = strstr(at, OPENING)); at = found + strlen(OPENING)) {
        text_append_bytes(text, at, (size_t)(found - at));
        text_append(text, OPENING " '" OPENING "' " CLOSING);
    }
    text_append(text, at);
    *known = (TextBuilder){.arena = arena};
}

/* An expression whose known names have become values is read once more: it must fit the limits. */
static bool append_late(TextBuilder *text, const TemplatePart *part, const ExpressionNames *names)
{
    TextBuilder settled = {.arena = names->arena};
    const Expression *again;

    if (!expression_settle(part->expression, names, &settled) ||
        !expression_parse(text_built(&settled), names->arena, &again, names->error))
        return fail_in_part(part, names->error);
    text_append_format(text, OPENING " %s " CLOSING, text_built(&settled));
    return true;
}

bool template_settle(const TemplatePartList *parts, const ExpressionNames *names, const char **text)
{
    TextBuilder settled = {.arena = names->arena}, known = {.arena = names->arena};

    for (size_t i = 0; i < parts->count; i++) {
        const TemplatePart *part = &parts->items[i];

        if (!part->expression) {
            text_append(&known, part->text);
        } else if (!expression_is_late(part->expression)) {
            if (!append_value(&known, part, names))
                return false;
        } else {
            append_escaped(&settled, &known, names->arena);
            if (!append_late(&settled, part, names))
                return false;
        }
    }
    append_escaped(&settled, &known, names->arena);
    *text = text_built(&settled);
    return true;
}

bool plan_resolve(const char *text, const PlanNames *names, Arena *arena, const char **resolved,
                  Error *error)
{
    const ExpressionNames all = {names->lookup, names->context, arena, error};
    TemplatePartList parts;
    TextBuilder built = {.arena = arena};

    if (!template_parse(text, TEMPLATE_PLAIN, arena, &parts, error))
        return false;
    for (size_t i = 0; i < parts.count; i++) {
        if (!parts.items[i].expression)
            text_append(&built, parts.items[i].text);
        else if (!append_value(&built, &parts.items[i], &all))
            return false;
    }
    *resolved = text_built(&built);
    return true;
}

bool plan_is_true(const char *expression, const PlanNames *names, Arena *arena, bool *is_true,
                  Error *error)
{
    const ExpressionNames all = {names->lookup, names->context, arena, error};
    const Expression *parsed;
    ExpressionValue value;

    if (!expression_parse(expression, arena, &parsed, error) ||
        !expression_evaluate(parsed, &all, &value))
        return false;
    *is_true = expression_is_true(&value);
    return true;
}
