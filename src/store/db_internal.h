/* db_internal.h: what db.c shares with the writer and the migrations. */
#pragma once

#include "store/db.h"

/* Runs a script of several statements, without values. */
bool db_run_script(Db *db, const char *sql, Error *error) MUST_CHECK;

/* false after an error that made the store undo the whole transaction by itself (a full or broken
 * disk). */
bool db_in_transaction(const Db *db);

/* The text of a statement that is kept, for tests of what they cost; "": none; NULL: behind the
 * last. */
const char *db_statement(const Db *db, size_t index);

/* An empty file for a database, if there is none, that its owner alone may read: SQLite would take
 * 0644 less the umask, and gives what it keeps beside a database the mode of the database. */
void db_create_file(const char *path);
