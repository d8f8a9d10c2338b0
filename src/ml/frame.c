#include "ml/frame.h"

#include <stdlib.h>
#include <string.h>

static const TextRef *pick_texts(const TextRef *texts, const size_t *rows, size_t count,
                                 Arena *arena)
{
    TextRef *picked = texts ? arena_array(arena, TextRef, count) : NULL;

    for (size_t i = 0; picked && i < count; i++)
        picked[i] = texts[rows[i]];
    return picked;
}

static const double *pick_numbers(const double *numbers, const size_t *rows, size_t count,
                                  Arena *arena)
{
    double *picked = numbers ? arena_array(arena, double, count) : NULL;

    for (size_t i = 0; picked && i < count; i++)
        picked[i] = numbers[rows[i]];
    return picked;
}

FrameColumn frame_column_pick(const FrameColumn *column, const size_t *rows, size_t count,
                              Arena *arena)
{
    FrameColumn picked = *column;

    picked.texts = pick_texts(column->texts, rows, count, arena);
    picked.numbers = pick_numbers(column->numbers, rows, count, arena);
    return picked;
}

Frame frame_pick(const Frame *frame, const size_t *rows, size_t count, Arena *arena)
{
    FrameColumn *columns = arena_array(arena, FrameColumn, frame->column_count);

    for (size_t i = 0; i < frame->column_count; i++)
        columns[i] = frame_column_pick(&frame->columns[i], rows, count, arena);
    return (Frame){columns, frame->column_count, count};
}

Frame frame_exchange(const Frame *frame, size_t place, const FrameColumn *column, Arena *arena)
{
    FrameColumn *columns = arena_array(arena, FrameColumn, frame->column_count);

    memcpy(columns, frame->columns, frame->column_count * sizeof(*columns));
    columns[place] = *column;
    return (Frame){columns, frame->column_count, frame->row_count};
}

bool frame_find(const Frame *frame, const char *name, size_t *place)
{
    for (size_t i = 0; i < frame->column_count; i++)
        if (strcmp(frame->columns[i].name, name) == 0) {
            *place = i;
            return true;
        }
    return false;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int class_names_find(const ClassNames *classes, const char *name)
{
    const char *const *found =
        bsearch(&name, classes->items, classes->count, sizeof(*classes->items), compare_names);

    return found ? (int)(found - classes->items) : -1;
}
