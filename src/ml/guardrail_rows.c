/* What is said of whole rows: those that come again, and those that contradict each other. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ml/guardrail_internal.h"

enum { CONTENTS_MAX = 200000 }; /* rows that are compared; all rows of a content, or none of them */

typedef struct Content {
    uint64_t hash;
    double answer; /* the class, or the number */
} Content;

typedef struct ContentList {
    Content *items;
    size_t count;
} ContentList;

static int compare_contents(const void *a, const void *b)
{
    const Content *first = a, *second = b;

    if (first->hash != second->hash)
        return first->hash < second->hash ? -1 : 1;
    return (first->answer > second->answer) - (first->answer < second->answer);
}

static void mix_column(const FrameColumn *column, size_t count, uint64_t *hashes)
{
    for (size_t row = 0; row < count; row++)
        hashes[row] = guardrail_mix(hashes[row], guardrail_key(column, row));
}

/* Of very many rows those with the smallest hashes, so that equal rows stay together. */
static ContentList list_contents(const Frame *frame, const bool *counts, const Target *target,
                                 Arena *scratch)
{
    size_t count = frame->row_count;
    uint64_t *hashes = arena_array(scratch, uint64_t, count + 1);
    uint64_t most = count > CONTENTS_MAX ? UINT64_MAX / count * CONTENTS_MAX : UINT64_MAX;
    ContentList list = {
        arena_array(scratch, Content, (count > CONTENTS_MAX ? 2 * CONTENTS_MAX : count) + 1), 0};

    for (size_t i = 0; i < frame->column_count; i++)
        if (counts[i])
            mix_column(&frame->columns[i], count, hashes);
    for (size_t row = 0; row < count && list.count < 2 * CONTENTS_MAX; row++)
        if (hashes[row] <= most)
            list.items[list.count++] = (Content){
                hashes[row], target->numbers ? target->numbers[row] : target->labels[row]};
    qsort(list.items, list.count, sizeof(*list.items), compare_contents);
    return list;
}

/* The rows of one content, by answer: what is best said of all of them. */
typedef struct Group {
    size_t commonest; /* rows of the most frequent answer */
    double squares;   /* around their mean */
} Group;

static Group measure(const Content *contents, size_t count)
{
    Group group = {0};
    double mean = 0;
    size_t run = 0;

    for (size_t i = 0; i < count; i++) {
        run = i > 0 && contents[i].answer == contents[i - 1].answer ? run + 1 : 1;
        group.commonest = run > group.commonest ? run : group.commonest;
        mean += contents[i].answer / (double)count;
    }
    for (size_t i = 0; i < count; i++)
        group.squares += (contents[i].answer - mean) * (contents[i].answer - mean);
    return group;
}

static double squares_of_all(const ContentList *list)
{
    double mean = 0, squares = 0;

    for (size_t i = 0; i < list->count; i++)
        mean += list->items[i].answer / (double)list->count;
    for (size_t i = 0; i < list->count; i++)
        squares += (list->items[i].answer - mean) * (list->items[i].answer - mean);
    return squares;
}

GuardrailRows guardrail_rows(const Frame *frame, const bool *counts, const Target *target)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    ContentList list = list_contents(frame, counts, target, scratch);
    double repeated = 0, contradicted = 0, right = 0, squares = 0;

    for (size_t start = 0, end; start < list.count; start = end) {
        Group group;

        for (end = start; end < list.count && list.items[end].hash == list.items[start].hash;)
            end++;
        group = measure(list.items + start, end - start);
        repeated += (double)(end - start - 1);
        contradicted += group.commonest < end - start ? (double)(end - start) : 0;
        right += (double)group.commonest;
        squares += group.squares;
    }
    if (list.count == 0)
        return (GuardrailRows){.ceiling = NAN};
    return (GuardrailRows){
        .repeated = repeated / (double)list.count,
        .contradicted = contradicted / (double)list.count,
        .ceiling =
            target->numbers ? 1 - squares / squares_of_all(&list) : right / (double)list.count,
    };
}

/* ---- two sets of rows ---- */

static const FrameColumn *find_column(const Frame *frame, const char *name)
{
    for (size_t i = 0; i < frame->column_count; i++)
        if (strcmp(frame->columns[i].name, name) == 0)
            return &frame->columns[i];
    return NULL;
}

static bool tells_rows_apart(const GuardrailList *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].kind == GUARDRAIL_ID && text_equal(list->items[i].column, name))
            return true;
    return false;
}

static int compare_hashes(const void *a, const void *b)
{
    uint64_t first = *(const uint64_t *)a, second = *(const uint64_t *)b;

    return (first > second) - (first < second);
}

/* How many of those asked for are among the hashes. They are sorted, as they are mostly fewer. */
static size_t count_found(const uint64_t *hashes, size_t count, uint64_t *asked, size_t asked_count)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    bool *is_found = arena_array(scratch, bool, asked_count + 1);
    size_t found = 0;

    qsort(asked, asked_count, sizeof(*asked), compare_hashes);
    for (size_t i = 0; i < count; i++) {
        const uint64_t *at =
            bsearch(&hashes[i], asked, asked_count, sizeof(*asked), compare_hashes);

        if (at)
            is_found[at - asked] = true;
    }
    for (size_t start = 0, end; start < asked_count; start = end) {
        bool any = false;

        for (end = start; end < asked_count && asked[end] == asked[start]; end++)
            any |= is_found[end];
        found += any ? end - start : 0;
    }
    return found;
}

size_t guardrail_count_shared(const Frame *frame, const Frame *others, const GuardrailList *list,
                              const TextList *ignored)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    uint64_t *hashes = arena_array(scratch, uint64_t, frame->row_count + 1);
    uint64_t *asked = arena_array(scratch, uint64_t, others->row_count + 1);
    size_t columns = 0;

    for (size_t i = 0; i < frame->column_count; i++) {
        const FrameColumn *column = &frame->columns[i];
        const FrameColumn *other = find_column(others, column->name);

        if (!other || other->kind != column->kind || text_list_has(ignored, column->name) ||
            tells_rows_apart(list, column->name))
            continue;
        mix_column(column, frame->row_count, hashes);
        mix_column(other, others->row_count, asked);
        columns++;
    }
    return columns ? count_found(hashes, frame->row_count, asked, others->row_count) : 0;
}
