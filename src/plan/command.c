#include "plan/command.h"

#include <ctype.h>
#include <string.h>

#include "plan/shell_quote.h"

enum { SHOWN_BYTES_MAX = 100 };

/* Where an expression stands that is refused, as the message says it; NULL: a place for it. */
static const char *const refused_places[] = {
    [SHELL_SINGLE] = "stands in single quotes, where the shell reads no variable",
    [SHELL_ANSI] = "stands in single quotes, where the shell reads no variable",
    [SHELL_BACKQUOTE] = "stands in backquotes",
    [SHELL_ARITHMETIC] = "stands in arithmetic, which would take its value as code",
    [SHELL_BRACE] = "stands in \"${ }\"",
    [SHELL_HERE] = "stands in a here-document",
    [SHELL_ESCAPED] = "stands behind a backslash",
    [SHELL_UNCLEAR] = "stands where the quotes around it are not clear",
    [SHELL_UNCLEAR + 1] = NULL,
};

static bool check_place(const Command *command, const TemplatePart *part, ShellPlace place)
{
    if (!refused_places[place])
        return true;
    return fail(command->error, ERROR_INVALID,
                "\"%.*s\" %s: give it to the command by \"env\", or use \"argv\"", SHOWN_BYTES_MAX,
                part->text, refused_places[place]);
}

static const char *add_variable(Command *command, const char *source, const char *value)
{
    const char *name;

    if (command->values.count == COMMAND_VALUES_MAX)
        return NULL;
    name = arena_format(command->arena, COMMAND_VARIABLE "%zu", command->values.count + 1);
    *arena_push(command->arena, &command->values) = (PlanValue){name, value};
    *arena_push(command->arena, &command->sources) = source;
    return name;
}

static bool fail_too_many(const Command *command)
{
    return fail(command->error, ERROR_INVALID, "the commands of a step have at most %d values",
                COMMAND_VALUES_MAX);
}

static const char *find_variable(const Command *command, const char *source)
{
    for (size_t i = 0; i < command->sources.count; i++)
        if (strcmp(command->sources.items[i], source) == 0)
            return command->values.items[i].name;
    return NULL;
}

/* The variable of an expression; one for each that is written alike. */
static bool take_variable(Command *command, const TemplatePart *part, const char **name)
{
    const TemplatePartList alone = {(TemplatePart *)(uintptr_t)part, 1};
    const char *value = "";

    *name = find_variable(command, part->text);
    if (*name)
        return true;
    if (command->names && !template_settle(&alone, command->names, &value))
        return false;
    *name = add_variable(command, part->text, value);
    return *name || fail_too_many(command);
}

static void append_variable(TextBuilder *line, const char *name, ShellPlace place)
{
    text_append_format(line, place == SHELL_DOUBLE ? "${%s}" : "\"${%s}\"", name);
}

/* DVC's arguments of a map: --key value, --key for true, nothing for false, --key a b for a list;
 * the keys of maps inside are joined by ".". */

static bool check_key(const Command *command, const char *key)
{
    for (const char *at = key; *at; at++)
        if (!isalnum((unsigned char)*at) && !strchr("_-.", *at))
            return fail(command->error, ERROR_INVALID,
                        "\"%.100s\" cannot be an option of a command: it has letters, digits, "
                        "\"_\", \"-\" and \".\"",
                        key);
    return true;
}

static bool append_word(Command *command, TextBuilder *line, const JsonValue *json)
{
    const ExpressionValue value = expression_value_of(json, command->arena);
    TemplatePart part = {.text = TEMPLATE_DVC_NULL};
    const char *settled, *name;

    if ((value.type != EXPRESSION_NULL &&
         !expression_value_text(&value, &part.text, command->error)) ||
        !template_settle(&(TemplatePartList){&part, 1}, command->names, &settled))
        return false;
    name = add_variable(command, "", settled);
    if (!name)
        return fail_too_many(command);
    text_append(line, " ");
    append_variable(line, name, SHELL_BARE);
    return true;
}

static bool append_options(Command *command, TextBuilder *line, const JsonValue *map,
                           const char *prefix);

static bool append_option(Command *command, TextBuilder *line, const JsonValue *value,
                          const char *key)
{
    if (json_is_object(value))
        return append_options(command, line, value, arena_format(command->arena, "%s.", key));
    if (!check_key(command, key))
        return false;
    if (json_is_bool(value) && !json_as_bool(value, false))
        return true;
    text_append_format(line, "%s--%s", line->count ? " " : "", key);
    if (json_is_bool(value))
        return true;
    if (!json_is_array(value))
        return append_word(command, line, value);
    for (JsonWalk walk = json_walk(value); json_walk_next(&walk);)
        if (!append_word(command, line, walk.value))
            return fail_in(command->error, "in \"%.100s\"", key);
    return true;
}

/* JSON is at most JSON_DEPTH_MAX deep, and so is this. */
static bool append_options(Command *command, TextBuilder *line, const JsonValue *map,
                           const char *prefix)
{
    for (JsonWalk walk = json_walk(map); json_walk_next(&walk);)
        if (!append_option(command, line, walk.value,
                           arena_format(command->arena, "%s%s", prefix, walk.key)))
            return false;
    return true;
}

/* Whether it is one of DVC's names for a map; its options are then in line. */
static bool take_map(Command *command, const TemplatePart *part, const JsonValue **map)
{
    ExpressionValue value = {0};

    *map = NULL;
    if (!command->names || text_has_prefix(part->text, "${{"))
        return true;
    if (!expression_evaluate(part->expression, command->names, &value))
        return fail_in(command->error, "\"%.*s\"", SHOWN_BYTES_MAX, part->text);
    if (value.type == EXPRESSION_MAP)
        *map = value.json;
    return true;
}

static bool append_map(Command *command, const JsonValue *map, ShellPlace place, TextBuilder *line)
{
    TextBuilder options = {.arena = command->arena};

    if (place == SHELL_DOUBLE)
        return fail(command->error, ERROR_INVALID,
                    "a map becomes several arguments: it cannot stand in quotes");
    if (!append_options(command, &options, map, ""))
        return false;
    text_append(line, text_built(&options));
    return true;
}

static bool append_expression(Command *command, const TemplatePart *part, ShellPlace place,
                              TextBuilder *line)
{
    const JsonValue *map;
    const char *name;

    if (!check_place(command, part, place) || !take_map(command, part, &map))
        return false;
    if (map)
        return append_map(command, map, place, line) ||
               fail_in(command->error, "\"%.*s\"", SHOWN_BYTES_MAX, part->text);
    if (!take_variable(command, part, &name))
        return false;
    append_variable(line, name, place);
    return true;
}

bool command_line(Command *command, const TemplatePartList *parts, const char **line)
{
    TextBuilder built = {.arena = command->arena};
    ShellQuote quote = {0};

    for (size_t i = 0; i < parts->count; i++) {
        const TemplatePart *part = &parts->items[i];

        if (!part->expression) {
            text_append(&built, part->text);
            shell_quote_read(&quote, part->text);
            continue;
        }
        if (!append_expression(command, part, shell_quote_place(&quote), &built))
            return false;
        shell_quote_word(&quote);
    }
    if (built.count > COMMAND_BYTES_MAX)
        return fail(command->error, ERROR_INVALID, "a command has at most %d bytes",
                    COMMAND_BYTES_MAX);
    *line = text_built(&built);
    return true;
}
