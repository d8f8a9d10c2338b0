#include "ml/time_index.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "ml/outlier.h"

/* A time further from its place than this share of a step is not that place's. */
static const double slack = 0.1;

typedef struct TimedValue {
    int64_t time_ms;
    double value;
    size_t row; /* where it came */
} TimedValue;

static int compare_times(const void *a, const void *b)
{
    const TimedValue *one = a, *two = b;

    if (one->time_ms != two->time_ms)
        return one->time_ms < two->time_ms ? -1 : 1;
    return (one->row > two->row) - (one->row < two->row);
}

/* ---- places ---- */

typedef struct Building {
    const TimeIndexSpec *spec;
    TimedValue *rows; /* by time */
    size_t count;
    TimeIndex index;
    Arena *arena;
} Building;

static const char *day_or_time(int64_t time_ms, char text[TIME_TEXT_SIZE])
{
    time_format(time_ms, text);
    if (time_ms % FREQUENCY_DAY_MS == 0)
        text[strlen("2026-11-20")] = '\0';
    return text;
}

/* The number of the step that a time lies in, counted from the first one. */
static int64_t step_of(const Frequency *frequency, int64_t first_ms, int64_t time_ms)
{
    if (frequency->months)
        return (calendar_month(time_ms) - calendar_month(first_ms)) / frequency->months;
    return (time_ms - first_ms) / frequency->step_ms;
}

/* Where the step of the calendar begins that a time lies in: midnight, the full hour, the first of
 * the month. Weeks begin on Monday: 1970 began on a Thursday. */
static int64_t begin_of_step(const Frequency *frequency, int64_t time_ms)
{
    int64_t width = frequency->step_ms, shift = 0, rest;

    if (frequency->months) {
        int64_t month = calendar_month(time_ms), width_months = frequency->months;

        return calendar_begin(month - month % (width_months < 12 ? width_months : 12));
    }
    if (width % FREQUENCY_WEEK_MS == 0)
        shift = 3 * FREQUENCY_DAY_MS;
    rest = ((time_ms + shift) % width + width) % width;
    return time_ms - rest;
}

static double joined(const TimedValue *rows, size_t count, Aggregate aggregate)
{
    double sum = 0, least = NAN, most = NAN, last = NAN;
    size_t present = 0;

    for (size_t i = 0; i < count; i++) {
        if (isnan(rows[i].value))
            continue;
        present++;
        sum += rows[i].value;
        least = fmin(least, rows[i].value);
        most = fmax(most, rows[i].value);
        last = rows[i].value;
    }
    switch (aggregate) {
    case AGGREGATE_COUNT:
        return (double)present;
    case AGGREGATE_SUM:
        return present > 0 ? sum : NAN;
    case AGGREGATE_LEAST:
        return least;
    case AGGREGATE_MOST:
        return most;
    case AGGREGATE_LAST:
        return last;
    case AGGREGATE_NONE:
    case AGGREGATE_MEAN:
        break;
    }
    return present > 0 ? sum / (double)present : NAN;
}

/* Of one place, rows in the order of their times and, within one time, as they came. */
static bool join_rows(Building *building, size_t begin, size_t end, double *value, Error *error)
{
    static const Aggregate aggregates[] = {
        [DUPLICATE_MEAN] = AGGREGATE_MEAN,
        [DUPLICATE_LAST] = AGGREGATE_LAST,
    };
    const TimeIndexSpec *spec = building->spec;
    Aggregate aggregate = spec->aggregate;
    char text[TIME_TEXT_SIZE];

    building->index.report.duplicates += end - begin - 1;
    if (aggregate == AGGREGATE_NONE && end - begin > 1 && spec->duplicates == DUPLICATE_REFUSE)
        return fail(error, ERROR_INVALID,
                    "%s has %zu rows, but a series has one value at each time; take their mean, or "
                    "the last one (resample of a prepare step does)",
                    day_or_time(building->rows[begin].time_ms, text), end - begin);
    if (aggregate == AGGREGATE_NONE)
        aggregate = end - begin > 1 ? aggregates[spec->duplicates] : AGGREGATE_LAST;
    *value = joined(building->rows + begin, end - begin, aggregate);
    return true;
}

/* The place of a row: the step it lies in with an aggregate, else the nearest one. */
static bool find_place(Building *building, const TimedValue *row, int64_t *place, Error *error)
{
    const Frequency *frequency = &building->index.frequency;
    int64_t first = building->index.first_ms, step = step_of(frequency, first, row->time_ms);
    int64_t here = first, next = first, width, off;
    char text[TIME_TEXT_SIZE];

    *place = step;
    if (building->spec->aggregate != AGGREGATE_NONE)
        return true;
    if (!frequency_add(frequency, first, step, &here) ||
        !frequency_add(frequency, first, step + 1, &next))
        return fail(error, ERROR_INVALID, "a time is not of the years 1 to 9999");
    width = next - here;
    off = row->time_ms - here;
    if (off > width / 2) {
        *place = step + 1;
        off -= width;
    }
    if (off == 0)
        return true;
    building->index.report.moved++;
    return fabs((double)off) <= slack * (double)width ||
           fail(error, ERROR_INVALID,
                "%s is no whole number of steps (%s) after the first time; name the frequency, or "
                "how the values of a step are made one (as daily mean)",
                day_or_time(row->time_ms, text), frequency_name(frequency, building->arena));
}

static bool make_room(Building *building, Error *error)
{
    int64_t last = 0;

    if (!find_place(building, &building->rows[building->count - 1], &last, error))
        return false;
    building->index.report.moved = 0;
    if (last >= SERIES_COUNT_MAX)
        return fail(error, ERROR_TOO_LARGE,
                    "the series would have %lld values from first to last time, but at most %d are "
                    "allowed",
                    (long long)last + 1, SERIES_COUNT_MAX);
    building->index.count = (size_t)last + 1;
    building->index.values = arena_array(building->arena, double, building->index.count);
    for (size_t i = 0; i < building->index.count; i++)
        building->index.values[i] = NAN;
    return true;
}

static bool place_rows(Building *building, Error *error)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    int64_t *places = arena_array(scratch, int64_t, building->count);
    size_t begin = 0;

    for (size_t i = 0; i < building->count; i++)
        if (!find_place(building, &building->rows[i], &places[i], error))
            return false;
    for (size_t i = 1; i <= building->count; i++) {
        if (i < building->count && places[i] == places[begin])
            continue;
        building->index.report.gaps +=
            begin > 0 ? (size_t)(places[begin] - places[begin - 1]) - 1 : 0;
        if (!join_rows(building, begin, i, &building->index.values[places[begin]], error))
            return false;
        building->index.report.missing += isnan(building->index.values[places[begin]]) ? 1 : 0;
        begin = i;
    }
    return true;
}

/* ---- filling ---- */

static void cut_ends(TimeIndex *index)
{
    size_t begin = 0;

    while (index->count > 0 && isnan(index->values[index->count - 1]))
        index->count--;
    while (begin < index->count && isnan(index->values[begin]))
        begin++;
    index->values += begin;
    index->count -= begin;
    if (!frequency_add(&index->frequency, index->first_ms, (int64_t)begin, &index->first_ms))
        index->count = 0;
}

/* Between the value before begin and the one at end; neighbours are there. */
static void fill_line(double *values, size_t begin, size_t end)
{
    double before = values[begin - 1], slope = (values[end] - before) / (double)(end - begin + 1);

    for (size_t i = begin; i < end; i++)
        values[i] = before + slope * (double)(i - begin + 1);
}

static void fill_run(TimeIndex *index, size_t begin, size_t end, GapRule rule)
{
    size_t period = index->periods[0];

    if (rule == GAP_INTERPOLATE || (rule == GAP_SEASON && period == 1)) {
        fill_line(index->values, begin, end);
        return;
    }
    for (size_t i = begin; i < end; i++) {
        if (rule == GAP_SEASON && i < period) {
            fill_line(index->values, i, end);
            return;
        }
        if (rule == GAP_SEASON)
            index->values[i] = index->values[i - period];
        else
            index->values[i] = rule == GAP_ZERO ? 0 : index->values[i - 1];
    }
}

static bool fill_gaps(Building *building, Error *error)
{
    TimeIndex *index = &building->index;
    char text[TIME_TEXT_SIZE];

    for (size_t begin = 1, end; begin < index->count; begin = end + 1) {
        end = begin;
        while (isnan(index->values[end]))
            end++;
        if (end == begin)
            continue;
        if (index->report.filled == 0 &&
            !frequency_add(&index->frequency, index->first_ms, (int64_t)begin,
                           &index->report.first_gap_ms))
            return fail(error, ERROR_INVALID, "a time is not of the years 1 to 9999");
        if (building->spec->gaps == GAP_REFUSE)
            return fail(error, ERROR_INVALID,
                        "%s has no value, but every value must be there; fill gaps with the line "
                        "between their neighbours, the value before, that of the season before, or "
                        "0",
                        day_or_time(index->report.first_gap_ms, text));
        index->report.filled += end - begin;
        fill_run(index, begin, end, building->spec->gaps);
    }
    return true;
}

static void treat_outliers(Building *building, Arena *scratch)
{
    TimeIndex *index = &building->index;
    const Series series = {index->values, index->count, index->periods[0]};
    double *expected = arena_array(scratch, double, index->count);
    bool has_seen_one = false;

    index->report.outliers = outliers_find(&series, expected);
    for (size_t i = 0; i < index->count; i++) {
        if (isnan(expected[i]))
            continue;
        if (!has_seen_one)
            has_seen_one = frequency_add(&index->frequency, index->first_ms, (int64_t)i,
                                         &index->report.first_outlier_ms);
        if (building->spec->outliers == OUTLIER_REPLACE)
            index->values[i] = expected[i];
    }
}

/* ---- the whole ---- */

static bool check_rows(const TimeRows *rows, const TimeIndexSpec *spec, Error *error)
{
    if (rows->count == 0)
        return fail(error, ERROR_INVALID, "a series without rows cannot be forecast");
    if (spec->aggregate != AGGREGATE_NONE && !frequency_is_valid(&spec->frequency))
        return fail(error, ERROR_INVALID, "values of a step are made one only with a frequency");
    for (size_t i = 0; i < rows->count; i++) {
        if (rows->times_ms[i] < FREQUENCY_TIME_MIN_MS || rows->times_ms[i] > FREQUENCY_TIME_MAX_MS)
            return fail(error, ERROR_INVALID, "the time of row %zu is not of the years 1 to 9999",
                        i + 1);
        if (!isnan(rows->values[i]) && !(fabs(rows->values[i]) <= SERIES_VALUE_MAX))
            return fail(error, ERROR_INVALID,
                        "the value of row %zu is %g, but at most %g is allowed", i + 1,
                        rows->values[i], SERIES_VALUE_MAX);
    }
    return true;
}

static void sort_rows(Building *building, const TimeRows *rows, Arena *scratch)
{
    building->rows = arena_array(scratch, TimedValue, rows->count);
    building->count = rows->count;
    building->index.report.rows = rows->count;
    for (size_t i = 0; i < rows->count; i++) {
        building->rows[i] = (TimedValue){rows->times_ms[i], rows->values[i], i};
        building->index.report.unordered += i > 0 && rows->times_ms[i] < rows->times_ms[i - 1];
    }
    qsort(building->rows, building->count, sizeof(*building->rows), compare_times);
}

/* Months that are named do not say on which of their days values come. */
static void set_day(Building *building)
{
    Frequency *frequency = &building->index.frequency;

    if (frequency->months == 0)
        return;
    frequency->day = 1;
    for (size_t i = 0; i < building->count && building->spec->aggregate == AGGREGATE_NONE; i++) {
        unsigned day = calendar_day(building->rows[i].time_ms);

        if (day > frequency->day)
            frequency->day = day;
    }
}

static bool find_frequency(Building *building, Arena *scratch, Error *error)
{
    int64_t *times = arena_array(scratch, int64_t, building->count);
    size_t count = 0;

    if (frequency_is_valid(&building->spec->frequency)) {
        building->index.frequency = building->spec->frequency;
        set_day(building);
        return true;
    }
    for (size_t i = 0; i < building->count; i++)
        if (i == 0 || building->rows[i].time_ms != building->rows[i - 1].time_ms)
            times[count++] = building->rows[i].time_ms;
    return frequency_detect(times, count, &building->index.frequency, error);
}

bool time_index_make(const TimeRows *rows, const TimeIndexSpec *spec, Arena *arena,
                     TimeIndex *index, Error *error)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    Building building = {.spec = spec, .arena = arena};
    TimeIndex *made = &building.index;

    if (!check_rows(rows, spec, error))
        return false;
    sort_rows(&building, rows, scratch);
    if (!find_frequency(&building, scratch, error))
        return false;
    made->first_ms = spec->aggregate == AGGREGATE_NONE
                         ? building.rows[0].time_ms
                         : begin_of_step(&made->frequency, building.rows[0].time_ms);
    if (!make_room(&building, error) || !place_rows(&building, error))
        return false;
    cut_ends(made);
    if (made->count == 0)
        return fail(error, ERROR_INVALID, "all values of the series are missing");
    made->period_count = frequency_periods(&made->frequency, made->count, made->periods);
    if (!fill_gaps(&building, error) ||
        !frequency_add(&made->frequency, made->first_ms, (int64_t)made->count - 1, &made->last_ms))
        return false;
    treat_outliers(&building, scratch);
    *index = *made;
    return true;
}

bool time_index_place(const TimeIndex *index, int64_t time_ms, size_t *place)
{
    const Frequency *frequency = &index->frequency;
    int64_t step = step_of(frequency, index->first_ms, time_ms), here, next;

    if (!frequency_add(frequency, index->first_ms, step, &here) ||
        !frequency_add(frequency, index->first_ms, step + 1, &next))
        return false;
    if (time_ms - here > (next - here) / 2)
        step++;
    if (step < 0 || here - time_ms > (next - here) / 2)
        return false;
    *place = (size_t)step;
    return true;
}

static const char *counted(Arena *arena, const char *text, size_t count, const char *what)
{
    return count > 0 ? arena_format(arena, "%s, %zu %s", text, count, what) : text;
}

const char *time_report_describe(const TimeIndex *index, Arena *arena)
{
    const TimeReport *report = &index->report;
    const char *text = arena_format(arena, "%zu values, one every %s", index->count,
                                    frequency_name(&index->frequency, arena));

    text = counted(arena, text, report->unordered, "rows out of order");
    text = counted(arena, text, report->duplicates, "rows joined with others of their time");
    text = counted(arena, text, report->moved, "times moved to their place");
    text = counted(arena, text, report->gaps, "times without a row");
    text = counted(arena, text, report->missing, "values missing");
    text = counted(arena, text, report->filled, "filled");
    return counted(arena, text, report->outliers, "that stand out");
}
