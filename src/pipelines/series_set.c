#include "pipelines/series_set.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "pipelines/series_known.h"

enum { SHORT_SHOWN_MAX = 5, BROKEN_SHOWN_MAX = 5 }; /* left out, with a sentence for each */

/* Rows of a data set, put into the order of their series. */
typedef struct Sorting {
    const Rows *rows;
    size_t series_count;
    size_t *starts; /* series_count + 1 */
    int64_t *times;
    double *values;
    bool *is_broken;     /* by series: it cannot be put on dates */
    size_t *order;       /* the row of each */
    const double *known; /* by row, as the set's known columns have them */
    Arena *arena;
    Error *error;
} Sorting;

static const char *date_text(int64_t time_ms, Arena *arena)
{
    char text[TIME_TEXT_SIZE];

    return arena_text(arena, time_format(time_ms, text));
}

/* Of the whole data set. */

static bool check_columns(const RowsSpec *spec, Error *error)
{
    const DatasetColumn *time = dataset_column_by_role(&spec->columns, "time");

    if (!time)
        return fail_field(error, "time",
                          "the data has no column with the role \"time\": a forecast needs to know "
                          "when each value was; register the data with one (--time COLUMN)");
    return text_equal(time->type, "time") ||
           fail_field(error, time->name,
                      "the column \"%.128s\" of role \"time\" is of type %s: a forecast needs "
                      "dates, type time",
                      time->name, time->type);
}

static bool check_known(const DatasetColumns *columns, Error *error)
{
    for (size_t i = 0; i < columns->count; i++)
        if (text_equal(columns->items[i].role, "known") &&
            text_equal(columns->items[i].type, "time"))
            return fail_field(error, columns->items[i].name,
                              "the column \"%.128s\" of role \"known\" is of type time: a known "
                              "column has numbers or the values of a category",
                              columns->items[i].name);
    return true;
}

static bool check_rows(const Rows *rows, Arena *arena, Error *error)
{
    size_t timeless = 0, nameless = 0, later = 0;

    for (size_t i = 0; i < rows->row_count; i++) {
        timeless += rows->times[i] == INT64_MIN;
        later += rows->times[i] != rows->times[0];
        nameless += rows->groups && rows->groups[i] == rows->group_names.count;
    }
    if (rows->row_count == 0)
        return fail(error, ERROR_CONFLICT, "the data has no rows to learn from");
    if (timeless)
        return fail(error, ERROR_CONFLICT,
                    "%zu of %zu rows have no time: remove them before, or give them one", timeless,
                    rows->row_count);
    if (!later)
        return fail(error, ERROR_CONFLICT,
                    "there are values of one time only, %.19s: a forecast learns from how they "
                    "change, and takes %d times and the horizon at least",
                    date_text(rows->times[0], arena), SERIES_LEARNT_MIN);
    return !nameless ||
           fail(error, ERROR_CONFLICT,
                "%zu of %zu rows name no series in the column of role \"group\": remove them "
                "before, or name it",
                nameless, rows->row_count);
}

static size_t series_of(const Rows *rows, size_t row)
{
    return rows->groups ? rows->groups[row] : 0;
}

/* By counting, so that rows keep their order within a series. */
static void sort_rows(Sorting *sorting)
{
    const Rows *rows = sorting->rows;
    size_t count = sorting->series_count, *next;

    sorting->starts = arena_array(sorting->arena, size_t, count + 1);
    sorting->times = arena_array(sorting->arena, int64_t, rows->row_count);
    sorting->values = arena_array(sorting->arena, double, rows->row_count);
    sorting->order = arena_array(sorting->arena, size_t, rows->row_count);
    next = arena_array(sorting->arena, size_t, count + 1);
    for (size_t i = 0; i < rows->row_count; i++)
        sorting->starts[series_of(rows, i) + 1]++;
    for (size_t i = 0; i < count; i++) {
        sorting->starts[i + 1] += sorting->starts[i];
        next[i] = sorting->starts[i];
    }
    for (size_t i = 0; i < rows->row_count; i++) {
        size_t place = next[series_of(rows, i)]++;

        sorting->times[place] = rows->times[i];
        sorting->values[place] = rows->targets[i];
        sorting->order[place] = i;
    }
}

/* Of one series. */

static const char *id_of(const Sorting *sorting, size_t series)
{
    return sorting->rows->groups ? sorting->rows->group_names.items[series] : "";
}

static bool make_index(const Sorting *sorting, size_t series, const Frequency *frequency,
                       TimeIndex *index)
{
    size_t start = sorting->starts[series];
    TimeRows rows = {sorting->times + start, sorting->values + start,
                     sorting->starts[series + 1] - start};
    TimeIndexSpec spec = {.frequency = *frequency, .gaps = GAP_INTERPOLATE};
    const char *id = id_of(sorting, series);

    if (time_index_make(&rows, &spec, sorting->arena, index, sorting->error))
        return true;
    return *id ? fail_in(sorting->error, "series \"%.80s\"", id) : false;
}

/* Of those that are not broken; false without one. */
static bool find_longest(const Sorting *sorting, size_t *longest)
{
    size_t most = 0;

    for (size_t i = 0; i < sorting->series_count; i++) {
        size_t count = sorting->starts[i + 1] - sorting->starts[i];

        if (sorting->is_broken[i] || count <= most)
            continue;
        most = count;
        *longest = i;
    }
    return most > 0;
}

static bool was_mended(const DatedSeries *series)
{
    const TimeReport *report = &series->index.report;

    return report->filled || report->moved || report->outliers;
}

static const char *name_series(const char *id, Arena *arena)
{
    return *id ? arena_format(arena, "series \"%.80s\"", id) : "the series";
}

static const char *describe_mended(const DatedSeries *series, Arena *arena)
{
    const TimeReport *report = &series->index.report;
    const char *first = "";

    if (report->filled)
        first = arena_format(arena, ", the first at %.10s", date_text(report->first_gap_ms, arena));
    return arena_format(arena, "%s: %s%s", name_series(series->id, arena),
                        time_report_describe(&series->index, arena), first);
}

/* One sentence of many series: the package's report has each. */
static void note_mended(SeriesSet *set, Arena *arena)
{
    const DatedSeries *mended = NULL;

    for (size_t i = 0; i < set->count && !mended; i++)
        if (was_mended(&set->items[i]))
            mended = &set->items[i];
    if (!mended)
        return;
    text_list_add(&set->notes, arena, describe_mended(mended, arena));
    if (set->mended_count > 1)
        text_list_add(&set->notes, arena,
                      arena_format(arena,
                                   "%zu of %zu series were mended like this, %zu values filled in "
                                   "all: report.json has each",
                                   set->mended_count, set->count, set->filled_count));
}

static void note_short(SeriesSet *set, const DatedSeries *series, size_t least, Arena *arena)
{
    if (set->short_count++ < SHORT_SHOWN_MAX)
        text_list_add(&set->notes, arena,
                      arena_format(arena,
                                   "%s is left out: it has %zu values, and with this horizon %zu "
                                   "are needed",
                                   name_series(series->id, arena), series->index.count, least));
}

static void note_more_short(SeriesSet *set, Arena *arena)
{
    if (set->short_count > SHORT_SHOWN_MAX)
        text_list_add(&set->notes, arena,
                      arena_format(arena, "%zu more series are left out, as they are too short",
                                   set->short_count - SHORT_SHOWN_MAX));
}

/* One of many series stops none of the others. */
static void leave_broken(const Sorting *sorting, SeriesSet *set, size_t series)
{
    set->left_out_count += sorting->starts[series + 1] - sorting->starts[series];
    if (set->broken_count++ < BROKEN_SHOWN_MAX)
        text_list_add(&set->notes, sorting->arena,
                      arena_format(sorting->arena, "%s; it is left out", sorting->error->message));
    *sorting->error = (Error){0};
}

static void note_more_broken(SeriesSet *set, Arena *arena)
{
    if (set->broken_count > BROKEN_SHOWN_MAX)
        text_list_add(&set->notes, arena,
                      arena_format(arena, "%zu more series are left out for their dates",
                                   set->broken_count - BROKEN_SHOWN_MAX));
}

/* The distance of the dates and the seasons are those of the longest series that has some; what is
 * wrong is said of the first one where none has. */
static bool find_frequency(Sorting *sorting, SeriesSet *set)
{
    Error first = {0};
    TimeIndex index;
    size_t longest;

    while (find_longest(sorting, &longest)) {
        if (make_index(sorting, longest, &(Frequency){0}, &index)) {
            set->frequency = index.frequency;
            set->period_count = index.period_count;
            memcpy(set->periods, index.periods, sizeof(set->periods));
            return true;
        }
        if (sorting->series_count == 1)
            return false;
        first = first.kind ? first : *sorting->error;
        sorting->is_broken[longest] = true;
        leave_broken(sorting, set, longest);
    }
    *sorting->error = first;
    return false;
}

/* On the places of the series, as far behind its end as rows go. */
static void place_known(const Sorting *sorting, const SeriesSet *set, size_t series,
                        DatedSeries *made)
{
    size_t columns = set->known.count, most = made->index.count + FORECAST_HORIZON_MAX, place;
    size_t begin = sorting->starts[series], end = sorting->starts[series + 1];
    size_t count = made->index.count;
    double *known;

    for (size_t i = begin; i < end; i++)
        if (time_index_place(&made->index, sorting->times[i], &place) && place < most &&
            place >= count)
            count = place + 1;
    known = arena_array(sorting->arena, double, count *columns);
    for (size_t i = 0; i < count * columns; i++)
        known[i] = NAN;
    for (size_t i = begin; i < end; i++)
        if (time_index_place(&made->index, sorting->times[i], &place) && place < count)
            memcpy(known + place * columns, sorting->known + sorting->order[i] * columns,
                   columns * sizeof(*known));
    made->known = known;
    made->future_count = count - made->index.count;
}

static bool add_series(const Sorting *sorting, SeriesSet *set, size_t series, size_t least)
{
    DatedSeries made = {.id = id_of(sorting, series)};
    Arena *arena = sorting->arena;

    if (sorting->starts[series + 1] == sorting->starts[series] || sorting->is_broken[series])
        return true;
    if (!make_index(sorting, series, &set->frequency, &made.index)) {
        if (sorting->series_count == 1)
            return false;
        leave_broken(sorting, set, series);
        return true;
    }
    if (made.index.count < least) {
        set->left_out_count += made.index.report.rows;
        note_short(set, &made, least, arena);
        return true;
    }
    if (set->known.count > 0)
        place_known(sorting, set, series, &made);
    set->mended_count += was_mended(&made);
    set->filled_count += made.index.report.filled;
    set->items[set->count++] = made;
    return true;
}

static size_t count_missing(const SeriesSet *set, size_t column, size_t *all)
{
    size_t missing = 0;

    *all = 0;
    for (size_t i = 0; i < set->count; i++) {
        const DatedSeries *series = &set->items[i];

        *all += series->index.count;
        for (size_t place = 0; place < series->index.count; place++)
            missing += isnan(series->known[place * set->known.count + column]) ? 1 : 0;
    }
    return missing;
}

static void note_missing(SeriesSet *set, Arena *arena)
{
    for (size_t i = 0; i < set->known.count; i++) {
        size_t all, missing = count_missing(set, i, &all);

        if (missing)
            text_list_add(&set->notes, arena,
                          arena_format(arena,
                                       "the known column \"%.64s\" has no value at %zu of %zu "
                                       "times, which are learnt from as if it had its usual one",
                                       set->known.items[i].name, missing, all));
    }
}

static bool fail_too_short(const SeriesSet *set, size_t horizon, Error *error)
{
    return fail(
        error, ERROR_CONFLICT,
        "no series is long enough: a horizon of %zu takes %zu values, the last %zu of which "
        "are held out; %s",
        horizon, horizon + SERIES_LEARNT_MIN, horizon,
        set->notes.count ? set->notes.items[0] : "there is none");
}

static bool make_all(Sorting *sorting, size_t horizon, SeriesSet *set)
{
    set->items = arena_array(sorting->arena, DatedSeries, sorting->series_count);
    sorting->is_broken = arena_array(sorting->arena, bool, sorting->series_count);
    if (!find_frequency(sorting, set))
        return false;
    for (size_t i = 0; i < sorting->series_count; i++)
        if (!add_series(sorting, set, i, horizon + SERIES_LEARNT_MIN))
            return false;
    note_more_broken(set, sorting->arena);
    note_more_short(set, sorting->arena);
    note_mended(set, sorting->arena);
    note_missing(set, sorting->arena);
    return set->count > 0 || fail_too_short(set, horizon, sorting->error);
}

/* Features of other tasks are not read. */
static DatasetColumns columns_needed(const DatasetColumns *columns, Arena *arena)
{
    DatasetColumns needed = {0};

    for (size_t i = 0; i < columns->count; i++)
        if (!text_equal(columns->items[i].role, "feature"))
            *arena_push(arena, &needed) = columns->items[i];
    return needed;
}

bool series_set_read(const RowsSpec *spec, size_t horizon, Arena *arena, SeriesSet *set,
                     Error *error)
{
    RowsSpec numbers = *spec;
    SeriesSet made = {0};
    Sorting sorting = {.arena = arena, .error = error};
    Rows rows;

    numbers.task = TASK_REGRESSION;
    numbers.columns = columns_needed(&spec->columns, arena);
    if (!check_columns(spec, error) || !check_known(&spec->columns, error) ||
        !rows_read(&numbers, arena, &rows, error) || !check_rows(&rows, arena, error) ||
        !series_known_read(&rows, arena, &made.known, &sorting.known, error))
        return false;
    sorting.rows = &rows;
    sorting.series_count = rows.groups ? rows.group_names.count : 1;
    sort_rows(&sorting);
    made.row_count = rows.row_count;
    if (!make_all(&sorting, horizon, &made))
        return false;
    *set = made;
    return true;
}

/* What others take. */

int64_t dated_series_time(const SeriesSet *set, const DatedSeries *series, size_t place)
{
    int64_t time_ms = series->index.last_ms;
    int64_t steps = (int64_t)place - (int64_t)(series->index.count - 1);

    return frequency_add(&set->frequency, series->index.last_ms, steps, &time_ms)
               ? time_ms
               : series->index.last_ms; /* cannot be: it lies between the first and the last */
}

ForecastInputs series_set_before(const SeriesSet *set, size_t held, Arena *arena)
{
    ForecastInput *inputs = arena_array(arena, ForecastInput, set->count);

    for (size_t i = 0; i < set->count; i++) {
        const DatedSeries *series = &set->items[i];
        size_t count = series->index.count - held;

        inputs[i] = (ForecastInput){.id = series->id,
                                    .values = series->index.values,
                                    .count = count,
                                    .last_ms = dated_series_time(set, series, count - 1),
                                    .known = series->known,
                                    .future_count = series->future_count + held};
    }
    return (ForecastInputs){.items = inputs, .count = set->count, .known = set->known};
}

static int compare_id(const void *id, const void *series)
{
    return strcmp(id, ((const DatedSeries *)series)->id);
}

const DatedSeries *series_set_find(const SeriesSet *set, const char *id)
{
    return bsearch(id, set->items, set->count, sizeof(*set->items), compare_id);
}
