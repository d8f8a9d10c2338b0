/* Forecasts of series that depend on known columns: which rows count, and what they make of the
 * paths that the model keeps. */
#include <math.h>
#include <string.h>

#include "base/time.h"
#include "ml/forecast_model_internal.h"

/* As the ask has it, else as it came with the series; NaN where neither has it. */
static double value_of(const ForecastModel *model, const ForecastAsk *ask, size_t step,
                       size_t column)
{
    const EntryKnown *known = model->entries[ask->series].known;
    size_t at = step * model->known.count + column;

    if (ask->known && !isnan(ask->known[at]))
        return ask->known[at];
    return step < known->future_count ? known->future[at] : NAN;
}

static const char *name_time(int64_t time_ms, char text[TIME_TEXT_SIZE])
{
    time_format(time_ms, text);
    if (time_ms % FREQUENCY_DAY_MS == 0)
        text[strlen("2026-11-27")] = '\0';
    return text;
}

static bool fail_missing(const ForecastModel *model, const ForecastAsk *ask, size_t step,
                         size_t column, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const KnownColumn *missing = &model->known.items[column];
    int64_t time_ms = 0;
    char text[TIME_TEXT_SIZE];

    if (!frequency_add(&model->frequency, model->entries[ask->series].last_ms, (int64_t)step + 1,
                       &time_ms))
        return fail(error, ERROR_INVALID, "step %zu would be after the year 9999", step + 1);
    return fail_field(error, missing->name,
                      "the known column \"%.64s\" has no value for %s, step %zu: it takes %s, sent "
                      "with \"known\" or in a row of the data behind the last value",
                      missing->name, name_time(time_ms, text), step + 1,
                      known_column_allows(missing, arena));
}

static bool check_value(const ForecastModel *model, size_t column, double value, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const KnownColumn *wrong = &model->known.items[column];

    return known_value_is_allowed(wrong, value) ||
           fail_field(error, wrong->name, "the known column \"%.64s\" takes %s", wrong->name,
                      known_column_allows(wrong, arena));
}

static bool read_rows(const ForecastModel *model, const ForecastAsk *ask, double *rows,
                      Error *error)
{
    size_t columns = model->known.count;

    for (size_t step = 0; step < ask->steps; step++)
        for (size_t i = 0; i < columns; i++) {
            double value = value_of(model, ask, step, i);

            rows[step * columns + i] = value;
            if (isnan(value) && !ask->may_miss_known)
                return fail_missing(model, ask, step, i, error);
            if (!isnan(value) && !check_value(model, i, value, error))
                return false;
        }
    return true;
}

static Combination combination_of(const ForecastEntry *entry)
{
    Combination combination = {.kind = entry->kind, .count = entry->member_count};

    for (size_t i = 0; i < entry->member_count; i++)
        combination.weights[i] = entry->members[i].weight;
    return combination;
}

/* The members at these rows, as one. */
static void combine(const ForecastModel *model, const ForecastEntry *entry, const double *rows,
                    Forecast *path)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const Combination combination = combination_of(entry);
    const KnownRows known = {&model->known, rows, path->horizon};
    size_t bytes = path->horizon * sizeof(double);
    Forecast members[COMBINATION_MAX];

    for (size_t i = 0; i < entry->member_count; i++) {
        const Forecast *kept = &entry->known->members[i];

        members[i] = (Forecast){path->horizon, arena_array(arena, double, path->horizon),
                                arena_array(arena, double, path->horizon)};
        memcpy(members[i].mean, kept->mean, bytes);
        memcpy(members[i].deviation, kept->deviation, bytes);
        if (entry->members[i].with_known)
            known_effect_add(&entry->known->effect, &known, &members[i]);
    }
    combination_forecast(&combination, members, path);
    for (size_t i = 0; i < path->horizon && entry->is_nonnegative; i++)
        path->mean[i] = fmax(path->mean[i], 0);
}

bool forecast_entry_follow(const ForecastModel *model, const ForecastAsk *ask, Forecast *path,
                           Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    double *rows = arena_array(arena, double, ask->steps * model->known.count);

    if (!read_rows(model, ask, rows, error))
        return false;
    combine(model, &model->entries[ask->series], rows, path);
    return true;
}

/* ---- effects ---- */

/* The path of the rows, without one column: as usual, which is what a missing value is. */
static double *combine_without(const ForecastModel *model, const ForecastEntry *entry,
                               const KnownRows *rows, size_t column, Arena *arena)
{
    size_t columns = model->known.count, steps = rows->count;
    double *changed = arena_array(arena, double, steps *columns);
    Forecast path = {steps, arena_array(arena, double, steps), arena_array(arena, double, steps)};

    memcpy(changed, rows->values, steps * columns * sizeof(*changed));
    for (size_t step = 0; step < steps && column < columns; step++)
        changed[step * columns + column] = NAN;
    combine(model, entry, changed, &path);
    return path.mean;
}

bool forecast_model_effects(const ForecastModel *model, const ForecastAsk *ask, Arena *arena,
                            ForecastEffects *effects, Error *error)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    const ForecastEntry *entry = &model->entries[ask->series];
    size_t columns = model->known.count, steps = ask->steps;
    double *rows = arena_array(arena, double, steps *columns);
    double *found = arena_array(arena, double, steps *columns);
    const KnownRows known = {&model->known, rows, steps};
    const double *whole;

    if (!entry->known)
        return fail(error, ERROR_CONFLICT, "the series is not forecast with known columns");
    if (!read_rows(model, ask, rows, error))
        return false;
    whole = combine_without(model, entry, &known, columns, scratch);
    for (size_t i = 0; i < columns; i++) {
        const double *without = combine_without(model, entry, &known, i, scratch);

        for (size_t step = 0; step < steps; step++)
            found[step * columns + i] = whole[step] - without[step];
    }
    *effects = (ForecastEffects){rows, found, entry->known->effect.usual};
    return true;
}
