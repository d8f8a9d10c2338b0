#include "store/statement.h"

#include <assert.h>
#include <string.h>

Statement statement_create(Arena *arena)
{
    Statement statement = {.arena = arena, .sql = {.arena = arena}};

    *arena_push(arena, &statement.values) = (DbValue){0};
    return statement;
}

void statement_add(Statement *statement, const char *sql)
{
    text_append(&statement->sql, sql);
}

void statement_add_value(Statement *statement, const char *sql, DbValue value)
{
    const char *hole = strchr(sql, '?');

    assert(hole && !strchr(hole + 1, '?'));
    text_append_bytes(&statement->sql, sql, (size_t)(hole - sql));
    text_append_format(&statement->sql, "$%zu", statement->values.count);
    text_append(&statement->sql, hole + 1);
    *arena_push(statement->arena, &statement->values) = value;
}

void statement_add_texts(Statement *statement, const TextList *list)
{
    text_append(&statement->sql, "(");
    for (size_t i = 0; i < list->count; i++)
        statement_add_value(statement, i ? ", ?" : "?", db_text(list->items[i]));
    text_append(&statement->sql, ")");
}

void statement_add_integers(Statement *statement, const int64_t *items, size_t count)
{
    text_append(&statement->sql, "(");
    for (size_t i = 0; i < count; i++)
        statement_add_value(statement, i ? ", ?" : "?", db_int(items[i]));
    text_append(&statement->sql, ")");
}

Query statement_query(const Statement *statement, Db *db)
{
    TextBuilder sql = statement->sql;

    return db_query_values(db, text_built(&sql), statement->values.items, statement->values.count);
}
