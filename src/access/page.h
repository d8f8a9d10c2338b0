/* page.h: the part of a long list that one answer holds, so that an answer, and the memory that it
 * takes, does not grow with what is stored.
 *
 * Lists by name go on after the last name that was shown, lists with the newest first before the
 * last number; both stay right while others add and remove. A function that lists takes a page, or
 * NULL for all there is:
 *
 *     SELECT_TOKEN " WHERE name > $1 ORDER BY name LIMIT $2",
 *     db_text(page_after(page)), db_int(page_limit(page))
 */
#pragma once

#include "base/json.h"

enum { PAGE_LIMIT = 100, PAGE_LIMIT_MAX = 1000 };

typedef struct Page {
    int64_t limit;     /* at most so many; 0: PAGE_LIMIT; -1, never from outside: all */
    int64_t before;    /* of a list with the newest first: only smaller numbers; 0: the newest */
    const char *after; /* of a list by name: only names behind this one; NULL: the first */
} Page;

extern const JsonField page_by_number_fields[], page_by_name_fields[];

bool page_check(const Page *page, Error *error) MUST_CHECK;

/* For the statement: what a page leaves out is what every row passes, and -1 is no limit. */
int64_t page_limit(const Page *page);
int64_t page_before(const Page *page);
const char *page_after(const Page *page);

/* "next": with what the next page is asked for; null when this one was not full. */
void page_write_next_number(JsonWriter *json, const Page *page, size_t count, int64_t last);
void page_write_next_name(JsonWriter *json, const Page *page, size_t count, const char *last);
