#include "access/page.h"

const JsonField page_by_number_fields[] = {
    {"limit", JSON_COUNT, offsetof(Page, limit), JSON_OPTIONAL, "1 to 1000; 100"},
    {"before", JSON_COUNT, offsetof(Page, before), JSON_OPTIONAL,
     "the \"next\" of the page before: only those with a smaller number"},
    {0},
};

const JsonField page_by_name_fields[] = {
    {"limit", JSON_COUNT, offsetof(Page, limit), JSON_OPTIONAL, "1 to 1000; 100"},
    {"after", JSON_TEXT, offsetof(Page, after), JSON_OPTIONAL,
     "the \"next\" of the page before: only names behind this one"},
    {0},
};

bool page_check(const Page *page, Error *error)
{
    return page->limit <= PAGE_LIMIT_MAX ||
           fail_field(error, "limit", "a limit is 1 to %d", PAGE_LIMIT_MAX);
}

int64_t page_limit(const Page *page)
{
    if (!page)
        return -1;
    return page->limit ? page->limit : PAGE_LIMIT;
}

int64_t page_before(const Page *page)
{
    return page && page->before ? page->before : INT64_MAX;
}

const char *page_after(const Page *page)
{
    return page && page->after ? page->after : "";
}

void page_write_next_number(JsonWriter *json, const Page *page, size_t count, int64_t last)
{
    if (count && (int64_t)count == page_limit(page))
        json_int(json, "next", last);
    else
        json_null(json, "next");
}

void page_write_next_name(JsonWriter *json, const Page *page, size_t count, const char *last)
{
    json_text(json, "next", (int64_t)count == page_limit(page) ? last : NULL);
}
