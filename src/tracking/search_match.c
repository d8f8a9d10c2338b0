/* search_match.c: whether a value satisfies a clause. */

#include <math.h>
#include <string.h>
#include <utf8proc.h>

#include "tracking/search_filter.h"

/* The character at text, folded for comparison in any case, and how many bytes it has. */
static int32_t character(const char *text, bool in_any_case, size_t *size)
{
    utf8proc_int32_t code = (unsigned char)*text;
    utf8proc_ssize_t length = 1;

    if (code >= 0x80)
        length = utf8proc_iterate((const utf8proc_uint8_t *)text, -1, &code);
    if (length < 1) {
        *size = 1;
        return (unsigned char)*text;
    }
    *size = (size_t)length;
    return in_any_case ? utf8proc_tolower(code) : code;
}

/* Only the last % ever has to take more: what matched before it stays matched. */
static bool is_like(const char *text, const char *pattern, bool in_any_case)
{
    const char *after_percent = NULL, *retry = NULL;
    size_t text_size, pattern_size;

    while (*text) {
        int32_t code = character(text, in_any_case, &text_size);
        int32_t wanted = character(pattern, in_any_case, &pattern_size);

        if (*pattern == '%') {
            after_percent = ++pattern;
            retry = text;
        } else if (*pattern && (*pattern == '_' || code == wanted)) {
            text += text_size;
            pattern += pattern_size;
        } else if (after_percent) {
            character(retry, false, &text_size);
            retry += text_size;
            text = retry;
            pattern = after_percent;
        } else {
            return false;
        }
    }
    return pattern[strspn(pattern, "%")] == '\0';
}

bool search_matches_text(const SearchClause *clause, const char *value)
{
    switch (clause->comparator) {
    case SEARCH_EQUAL:
        return strcmp(value, clause->text) == 0;
    case SEARCH_DIFFERENT:
        return strcmp(value, clause->text) != 0;
    case SEARCH_LIKE:
        return is_like(value, clause->text, false);
    case SEARCH_ILIKE:
        return is_like(value, clause->text, true);
    case SEARCH_IN:
        return text_list_has(&clause->list, value);
    case SEARCH_NOT_IN:
        return !text_list_has(&clause->list, value);
    default:
        return clause->comparator == SEARCH_NOT_NULL;
    }
}

bool search_matches_number(const SearchClause *clause, double value)
{
    switch (clause->comparator) {
    case SEARCH_EQUAL:
        return value == clause->number;
    case SEARCH_DIFFERENT:
        return value != clause->number;
    case SEARCH_GREATER:
        return value > clause->number;
    case SEARCH_GREATER_EQUAL:
        return value >= clause->number;
    case SEARCH_LESS:
        return value < clause->number;
    case SEARCH_LESS_EQUAL:
        return value <= clause->number;
    default:
        return clause->comparator == SEARCH_NOT_NULL;
    }
}
