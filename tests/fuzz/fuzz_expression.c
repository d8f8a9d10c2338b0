/* fuzz_expression.c: any text is an expression or is refused with a sentence; it evaluates or says
 * why not; and settling what is known and resolving the rest later is the same as resolving all at
 * once. As a line of the shell it never has a value in it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "plan/command.h"

static const char document[] =
    "{\"params\":{\"n\":3,\"f\":0.5,\"t\":\"a ${{ run.id }} 'b'\",\"e\":\"\",\"y\":true,\"z\":null,"
    "\"l\":[1,\"a\",[2]],\"m\":{\"k\":1}},\"steps\":{\"a\":{\"metrics\":{\"f1\":0.9}}},"
    "\"run\":{\"id\":\"$\",\"number\":7},\"success()\":true,\"failure()\":false,"
    "\"$\":{\"x\":1,\"m\":{\"a\":\"b c\",\"on\":true}}}";

static void require(bool condition)
{
    if (!condition)
        abort();
}

static const JsonValue *find(void *context, const TextList *name)
{
    const JsonValue *value = context;

    for (size_t i = 0; value && i < name->count; i++)
        value = json_member(value, name->items[i]);
    return value;
}

static bool visit(void *context, const TextList *name)
{
    require(name->count && name->items[0]);
    (*(size_t *)context)++;
    return true;
}

static void check_expression(const char *text, const ExpressionNames *names)
{
    const Expression *expression;
    ExpressionValue value;
    const char *written;
    size_t count = 0;

    *names->error = (Error){0};
    if (!expression_parse(text, names->arena, &expression, names->error)) {
        require(names->error->kind && names->error->message[0]);
        return;
    }
    require(expression_each_name(expression, visit, &count));
    if (!expression_evaluate(expression, names, &value)) {
        require(names->error->kind && names->error->message[0]);
        return;
    }
    expression_is_true(&value);
    require(expression_value_text(&value, &written, names->error) == (value.json == NULL));
}

/* Now and then, or all at once. */
static void check_settling(const char *text, const ExpressionNames *names)
{
    const PlanNames late = {names->lookup, names->context};
    const char *settled, *twice = NULL, *once = NULL;
    TemplatePartList parts;
    Error error = {0};

    *names->error = (Error){0};
    if (!template_parse(text, TEMPLATE_PLAIN, names->arena, &parts, names->error) ||
        !template_settle(&parts, names, &settled))
        return;
    if (!plan_resolve(text, &late, names->arena, &once, &error))
        return;
    require(plan_resolve(settled, &late, names->arena, &twice, &error));
    require(strcmp(once, twice) == 0);
}

/* What was put in is a variable. */
static void check_line(const char *text, TemplateStyle style, const ExpressionNames *names)
{
    Command command = {.names = names, .arena = names->arena, .error = names->error};
    TemplatePartList parts;
    const char *line;

    *names->error = (Error){0};
    if (!template_parse(text, style, names->arena, &parts, names->error) ||
        !command_line(&command, &parts, &line)) {
        require(names->error->kind && names->error->message[0]);
        return;
    }
    for (size_t i = 0; i < command.values.count; i++)
        require(strstr(line, command.values.items[i].name) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const char *text = arena_copy(arena, (const char *)data, size);
    Error error = {0};
    const JsonValue *root = NULL;
    ExpressionNames names = {find, NULL, arena, &error};

    require(json_parse(document, strlen(document), arena, &root, &error));
    names.context = (void *)(uintptr_t)root;
    check_expression(text, &names);
    check_settling(text, &names);
    check_line(text, TEMPLATE_PLAIN, &names);
    check_line(text, TEMPLATE_DVC, &names);
    return 0;
}
