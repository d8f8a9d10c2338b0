/* statement.h: SQL that is put together from constant parts, with what the user said bound.
 *
 *     Statement statement = statement_create(arena);
 *
 *     statement_add(&statement, "SELECT id FROM runs WHERE true");
 *     statement_add_value(&statement, " AND name = ?", db_text(name));
 *     CLEANUP(query_finalize) Query query = statement_query(&statement, db);
 */
#pragma once

#include "base/text.h"
#include "store/db.h"

typedef struct Statement {
    Arena *arena;
    TextBuilder sql;
    struct {
        DbValue *items;
        size_t count;
    } values; /* of $1, $2 ...; the first is db_query()'s dummy */
} Statement;

Statement statement_create(Arena *arena);
void statement_add(Statement *statement, const char *sql);

/* sql, whose one "?" becomes the number of this value. */
void statement_add_value(Statement *statement, const char *sql, DbValue value);

/* "($1, $2, ...)" */
void statement_add_texts(Statement *statement, const TextList *list);
void statement_add_integers(Statement *statement, const int64_t *items, size_t count);

Query statement_query(const Statement *statement, Db *db);
