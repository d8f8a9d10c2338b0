/* Dates as a guardrail looks at them: as numbers, and by how far two of a row are apart. */
#include <math.h>

#include "ml/date.h"
#include "ml/guardrail_internal.h"

static const double *seconds_of(const TextRef *texts, size_t row_count, Arena *arena)
{
    double *seconds = arena_array(arena, double, row_count);

    for (size_t row = 0; row < row_count; row++)
        if (!date_read(texts[row], &seconds[row]))
            seconds[row] = NAN;
    return seconds;
}

Frame guardrail_dated(const Frame *frame, Arena *arena)
{
    FrameColumn *columns = arena_array(arena, FrameColumn, frame->column_count + 1);

    for (size_t i = 0; i < frame->column_count; i++) {
        columns[i] = frame->columns[i];
        if (columns[i].kind != COLUMN_DATE)
            continue;
        columns[i].kind = COLUMN_NUMBER;
        columns[i].numbers = seconds_of(columns[i].texts, frame->row_count, arena);
    }
    return (Frame){columns, frame->column_count, frame->row_count};
}

FrameColumn guardrail_apart(const FrameColumn *later, const FrameColumn *earlier, size_t row_count,
                            Arena *arena)
{
    double *apart = arena_array(arena, double, row_count);

    for (size_t row = 0; row < row_count; row++)
        apart[row] = later->numbers[row] - earlier->numbers[row];
    return (FrameColumn){later->name, COLUMN_NUMBER, NULL, apart};
}
