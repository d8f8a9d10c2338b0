/* The file of a forecast model. All numbers are little-endian.
 *
 *     8 bytes  "SLPFCST" and a NUL
 *     u32      version: 1, or 2 where there are known columns
 *     u32      0
 *     u64      frequency: milliseconds of a step, or 0
 *     u32      months of a step, u32 day of the month, or 0 and 0
 *     u64      horizon, u64 steps that can be asked for
 *     u64      number of seasons, and the length of each as u64, rising
 *     of version 2
 *         u64      number of known columns; each: text name, u64 number of levels (0: numbers), and
 *                  the levels as rising texts
 *     u64      windows behind the intervals
 *     doubles  factor of each step of the horizon, the usual scale
 *     u64      number of scores, and as many rising doubles
 *     u64      number of series; each:
 *         text     id, and the choice as it reads
 *         u64      time of the last value, as a two's complement
 *         u32      kind of the combination, u32 1 where nothing was below 0
 *         u64      number of members; each: text learner, u64 period, double weight
 *         double   scale
 *         u64      number of values, and as many doubles
 *         doubles  mean of each step, then deviation of each step
 *         of version 2
 *             u32      which members are with known columns, a bit for each, the first the lowest;
 *                      0: nothing follows
 *             u32      1 where the effect is on logarithms
 *             doubles  weight of each feature, usual value of each column
 *             doubles  of each member: mean of each step, then deviation of each step
 *             u64      number of rows behind the series' end, and the doubles of each; one that is
 *                      missing is the largest finite double
 *
 * A text is its length as u64 and its bytes. Nothing lies between or behind. Every number is
 * checked on loading; learners are names only, so that one that this program does not know is no
 * reason to refuse. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ml/bytes.h"
#include "ml/forecast_model_internal.h"

enum {
    VERSION_PLAIN = 1,
    VERSION_KNOWN = 2,
    PREFIX_BYTES = 16,
    ENTRY_BYTES_MIN = 64,
    MEMBER_BYTES_MIN = 24,
    COLUMN_BYTES_MIN = 16
};

static const char magic[8] = "SLPFCST";

/* A scale, factor or score beyond it is no figure of a back-test. */
static const double figure_max = 1e100;

/* ---- writing ---- */

static void write_doubles(ByteWriter *writer, const double *values, size_t count)
{
    write_items(writer, values, count, sizeof(*values));
}

static void write_columns(const KnownColumns *columns, ByteWriter *writer)
{
    write_u64(writer, columns->count);
    for (size_t i = 0; i < columns->count; i++) {
        const KnownColumn *column = &columns->items[i];

        write_text(writer, column->name);
        write_u64(writer, column->level_count);
        for (size_t level = 0; level < column->level_count; level++)
            write_text(writer, column->levels[level]);
    }
}

static uint32_t members_with_known(const ForecastEntry *entry)
{
    uint32_t bits = 0;

    for (size_t i = 0; i < entry->member_count; i++)
        bits |= (uint32_t)entry->members[i].with_known << i;
    return bits;
}

static void write_known(const ForecastModel *model, const ForecastEntry *entry, ByteWriter *writer)
{
    const EntryKnown *known = entry->known;
    size_t cells = known ? known->future_count * model->known.count : 0;

    write_u32(writer, known ? members_with_known(entry) : 0);
    if (!known)
        return;
    write_u32(writer, known->effect.is_log);
    write_doubles(writer, known->effect.weights, known_feature_count(&model->known));
    write_doubles(writer, known->effect.usual, model->known.count);
    for (size_t i = 0; i < entry->member_count; i++) {
        write_doubles(writer, known->members[i].mean, model->steps_max);
        write_doubles(writer, known->members[i].deviation, model->steps_max);
    }
    write_u64(writer, known->future_count);
    for (size_t i = 0; i < cells; i++)
        write_double(writer, isnan(known->future[i]) ? DBL_MAX : known->future[i]);
}

static void write_entry(const ForecastModel *model, const ForecastEntry *entry, ByteWriter *writer)
{
    write_text(writer, entry->id);
    write_text(writer, entry->choice);
    write_u64(writer, (uint64_t)entry->last_ms);
    write_u32(writer, entry->kind);
    write_u32(writer, entry->is_nonnegative);
    write_u64(writer, entry->member_count);
    for (size_t i = 0; i < entry->member_count; i++) {
        write_text(writer, entry->members[i].learner);
        write_u64(writer, entry->members[i].period);
        write_double(writer, entry->members[i].weight);
    }
    write_double(writer, entry->scale);
    write_u64(writer, entry->count);
    write_doubles(writer, entry->values, entry->count);
    write_doubles(writer, entry->mean, model->steps_max);
    write_doubles(writer, entry->deviation, model->steps_max);
    if (model->known.count > 0)
        write_known(model, entry, writer);
}

void forecast_model_save(const ForecastModel *model, Arena *arena, const char **bytes, size_t *size)
{
    const IntervalTable *table = &model->table;
    ByteWriter writer = {.arena = arena};

    write_items(&writer, magic, 1, sizeof(magic));
    write_u32(&writer, model->known.count > 0 ? VERSION_KNOWN : VERSION_PLAIN);
    write_u32(&writer, 0);
    write_u64(&writer, (uint64_t)model->frequency.step_ms);
    write_u32(&writer, model->frequency.months);
    write_u32(&writer, model->frequency.day);
    write_u64(&writer, model->horizon);
    write_u64(&writer, model->steps_max);
    write_u64(&writer, model->period_count);
    for (size_t i = 0; i < model->period_count; i++)
        write_u64(&writer, model->periods[i]);
    if (model->known.count > 0)
        write_columns(&model->known, &writer);
    write_u64(&writer, table->window_count);
    write_doubles(&writer, table->factors, model->horizon);
    write_double(&writer, table->usual);
    write_u64(&writer, table->count);
    write_doubles(&writer, table->scores, table->count);
    write_u64(&writer, model->count);
    for (size_t i = 0; i < model->count; i++)
        write_entry(model, &model->entries[i], &writer);
    *bytes = writer.bytes;
    *size = writer.size;
}

/* ---- reading ---- */

static void require(ByteReader *reader, bool condition)
{
    reader->is_bad = reader->is_bad || !condition;
}

static bool is_figure(double value)
{
    return value > 0 && value <= figure_max;
}

static void require_sizes(ByteReader *reader, const double *values, size_t count, double most)
{
    for (size_t i = 0; i < count && !reader->is_bad; i++)
        require(reader, fabs(values[i]) <= most);
}

static void read_head(ForecastModel *model, ByteReader *reader)
{
    model->frequency.step_ms = (int64_t)read_u64(reader);
    model->frequency.months = read_u32(reader);
    model->frequency.day = read_u32(reader);
    model->horizon = read_u64(reader);
    model->steps_max = read_u64(reader);
    require(reader, frequency_is_valid(&model->frequency) &&
                        (model->frequency.months > 0 || model->frequency.day == 0) &&
                        model->horizon >= 1 && model->horizon <= model->steps_max &&
                        model->steps_max <= FORECAST_HORIZON_MAX);
}

static void read_periods(ForecastModel *model, ByteReader *reader)
{
    model->period_count = read_count(reader, sizeof(uint64_t), FORECAST_PERIODS_MAX);
    require(reader, model->period_count >= 1);
    for (size_t i = 0; i < model->period_count && !reader->is_bad; i++) {
        model->periods[i] = read_u64(reader);
        require(reader, model->periods[i] <= SERIES_PERIOD_MAX &&
                            model->periods[i] > (i > 0 ? model->periods[i - 1] : 0));
    }
}

static void read_column(KnownColumn *column, ByteReader *reader, Arena *arena)
{
    const char **levels;

    column->name = read_text(reader, arena);
    column->level_count = read_count(reader, sizeof(uint64_t), KNOWN_LEVELS_MAX);
    levels = arena_array(arena, const char *, column->level_count);
    read_texts(reader, levels, column->level_count, arena);
    column->levels = levels;
}

static void read_columns(ForecastModel *model, ByteReader *reader)
{
    size_t count = read_count(reader, COLUMN_BYTES_MIN, KNOWN_COLUMNS_MAX);
    KnownColumn *items = arena_array(model->arena, KnownColumn, count);
    Error error;

    for (size_t i = 0; i < count && !reader->is_bad; i++)
        read_column(&items[i], reader, model->arena);
    if (reader->is_bad)
        return;
    model->known = (KnownColumns){items, count};
    require(reader, count > 0 && known_columns_check(&model->known, &error));
}

static int compare_doubles(const void *a, const void *b)
{
    double one = *(const double *)a, two = *(const double *)b;

    return (one > two) - (one < two);
}

static void read_table(ForecastModel *model, ByteReader *reader)
{
    IntervalTable *table = &model->table;

    table->horizon = model->horizon;
    table->window_count = read_u64(reader);
    table->factors = read_doubles(reader, model->horizon, model->arena);
    table->usual = read_double(reader);
    table->count = read_count(reader, sizeof(double), INTERVAL_SCORES_MAX);
    table->scores = read_doubles(reader, table->count, model->arena);
    require(reader, is_figure(table->usual));
    for (size_t i = 0; i < model->horizon && !reader->is_bad; i++)
        require(reader, is_figure(table->factors[i]));
    for (size_t i = 0; i < table->count && !reader->is_bad; i++)
        require(reader, fabs(table->scores[i]) <= figure_max &&
                            (i == 0 || table->scores[i] >= table->scores[i - 1]));
    if (reader->is_bad)
        return;
    table->sizes = arena_array(model->arena, double, table->count);
    for (size_t i = 0; i < table->count; i++)
        table->sizes[i] = fabs(table->scores[i]);
    qsort(table->sizes, table->count, sizeof(*table->sizes), compare_doubles);
}

static void read_members(ForecastModel *model, ForecastEntry *entry, ByteReader *reader)
{
    uint32_t kind = read_u32(reader), is_nonnegative = read_u32(reader);

    entry->kind = (CombinationKind)kind;
    entry->is_nonnegative = is_nonnegative == 1;
    entry->member_count = read_count(reader, MEMBER_BYTES_MIN, COMBINATION_MAX);
    require(reader,
            kind < COMBINATION_KIND_COUNT && is_nonnegative <= 1 && entry->member_count > 0);
    for (size_t i = 0; i < entry->member_count && !reader->is_bad; i++) {
        EntryMember *member = &entry->members[i];

        member->learner = read_text(reader, model->arena);
        member->period = read_u64(reader);
        member->weight = read_double(reader);
        require(reader, member->period >= 1 && member->period <= SERIES_PERIOD_MAX &&
                            member->weight >= 0 && member->weight <= 1);
    }
}

static Forecast read_path(ForecastModel *model, ByteReader *reader)
{
    size_t steps = model->steps_max;
    Forecast path = {.horizon = steps};

    path.mean = read_doubles(reader, steps, model->arena);
    path.deviation = read_doubles(reader, steps, model->arena);
    for (size_t i = 0; i < steps && !reader->is_bad; i++)
        require(reader, path.deviation[i] >= 0);
    return path;
}

static void read_future(ForecastModel *model, EntryKnown *known, ByteReader *reader)
{
    size_t columns = model->known.count, cells;
    double *future;

    known->future_count = read_count(reader, columns * sizeof(double), model->steps_max);
    cells = known->future_count * columns;
    known->future = future = read_doubles(reader, cells, model->arena);
    for (size_t i = 0; i < cells && !reader->is_bad; i++) {
        require(reader, future[i] == DBL_MAX ||
                            known_value_is_allowed(&model->known.items[i % columns], future[i]));
        if (future[i] == DBL_MAX)
            future[i] = NAN;
    }
}

static void read_known(ForecastModel *model, ForecastEntry *entry, ByteReader *reader)
{
    size_t columns = model->known.count, features = known_feature_count(&model->known);
    uint32_t bits = read_u32(reader), is_log;
    EntryKnown *known;

    if (bits == 0 || reader->is_bad)
        return;
    known = arena_new(model->arena, EntryKnown);
    is_log = read_u32(reader);
    require(reader, bits >> entry->member_count == 0 && is_log <= 1);
    for (size_t i = 0; i < entry->member_count; i++)
        entry->members[i].with_known = bits >> i & 1;
    known->effect.is_log = is_log == 1;
    known->effect.weights = read_doubles(reader, features, model->arena);
    known->effect.usual = read_doubles(reader, columns, model->arena);
    require_sizes(reader, known->effect.weights, features, SERIES_VALUE_MAX);
    for (size_t i = 0; i < columns && !reader->is_bad; i++)
        require(reader, known_value_is_allowed(&model->known.items[i], known->effect.usual[i]));
    for (size_t i = 0; i < entry->member_count && !reader->is_bad; i++)
        known->members[i] = read_path(model, reader);
    read_future(model, known, reader);
    entry->known = known;
}

static void read_entry(ForecastModel *model, ForecastEntry *entry, ByteReader *reader)
{
    entry->id = read_text(reader, model->arena);
    entry->choice = read_text(reader, model->arena);
    entry->last_ms = (int64_t)read_u64(reader);
    read_members(model, entry, reader);
    entry->scale = read_double(reader);
    entry->count = read_count(reader, sizeof(double), SERIES_COUNT_MAX);
    entry->values = read_doubles(reader, entry->count, model->arena);
    entry->mean = read_doubles(reader, model->steps_max, model->arena);
    entry->deviation = read_doubles(reader, model->steps_max, model->arena);
    require(reader, entry->last_ms >= FREQUENCY_TIME_MIN_MS &&
                        entry->last_ms <= FREQUENCY_TIME_MAX_MS && entry->count > 0 &&
                        entry->scale >= 0 && entry->scale <= figure_max);
    require_sizes(reader, entry->values, entry->count, SERIES_VALUE_MAX);
    for (size_t i = 0; i < model->steps_max && !reader->is_bad; i++)
        require(reader, entry->deviation[i] >= 0);
    if (model->known.count > 0 && !reader->is_bad)
        read_known(model, entry, reader);
}

static bool read_model(ForecastModel *model, uint32_t version, const char *bytes, size_t size)
{
    ByteReader reader = {.bytes = bytes, .size = size, .at = PREFIX_BYTES};
    Error error;

    read_head(model, &reader);
    read_periods(model, &reader);
    if (version == VERSION_KNOWN && !reader.is_bad)
        read_columns(model, &reader);
    if (reader.is_bad)
        return false;
    read_table(model, &reader);
    model->count = read_count(&reader, ENTRY_BYTES_MIN, FORECAST_SERIES_MAX);
    if (reader.is_bad || model->count == 0)
        return false;
    model->entries = arena_array(model->arena, ForecastEntry, model->count);
    for (size_t i = 0; i < model->count && !reader.is_bad; i++)
        read_entry(model, &model->entries[i], &reader);
    return !reader.is_bad && reader.at == size && forecast_model_index(model, &error);
}

bool forecast_model_is_file(const char *bytes, size_t size)
{
    return size >= PREFIX_BYTES && memcmp(bytes, magic, sizeof(magic)) == 0;
}

bool forecast_model_load(const char *bytes, size_t size, ForecastModel **model, Error *error)
{
    ByteReader prefix = {.bytes = bytes, .size = size, .at = sizeof(magic)};
    CLEANUP(forecast_model_unload) ForecastModel *loaded = NULL;
    Arena *arena;
    uint32_t version;

    if (!forecast_model_is_file(bytes, size))
        return fail(error, ERROR_INVALID, "the file is not a forecast model of Slipway");
    version = read_u32(&prefix);
    if (version != VERSION_PLAIN && version != VERSION_KNOWN)
        return fail(error, ERROR_INVALID,
                    "the forecast model has format version %u, this program reads versions 1 to %d",
                    version, VERSION_KNOWN);
    arena = arena_create();
    loaded = arena_new(arena, ForecastModel);
    loaded->arena = arena;
    if (read_u32(&prefix) != 0 || !read_model(loaded, version, bytes, size))
        return fail(error, ERROR_INVALID, "the forecast model is damaged");
    *model = loaded;
    loaded = NULL;
    return true;
}
