#include "ml/encoding.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ml/random.h"

enum { PARTS = 5 }; /* of the rows, for codes made without the row itself */

/* ---- one row ---- */

static size_t find_level(const EncodedColumn *column, uint64_t key)
{
    size_t low = 0, high = column->level_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (column->levels[middle] < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low < column->level_count && column->levels[low] == key ? low : column->level_count;
}

static void encode_dense(const EncodedColumn *column, Cell cell, float *features)
{
    size_t level;

    switch (column->kind) {
    case ENCODED_NUMBER:
        features[0] = (float)cell.number;
        if (isinf(features[0])) /* beyond what a float holds */
            features[0] = NAN;
        return;
    case ENCODED_CODES:
        level = find_level(column, cell.key);
        memcpy(features, column->codes + level * column->count, column->count * sizeof(float));
        return;
    default: /* of linear models: encoding_sparse() */
        return;
    }
}

void encoding_dense(const Encoding *encoding, const Cell *cells, float *features)
{
    for (size_t i = 0; i < encoding->column_count; i++) {
        const EncodedColumn *column = &encoding->columns[i];

        encode_dense(column, cells[column->input], features + column->first);
    }
}

/* Standardised numbers are bounded: beyond that a value is a mistake, and would drown the rest. */
static const double standard_most = 20;

/* Where a column has its 1, or the value that *value becomes; column->count: nowhere. */
static size_t sparse_place(const EncodedColumn *column, Cell cell, double *value)
{
    double apart = cell.number - column->mean;

    switch (column->kind) {
    case ENCODED_STANDARD:
        if (isnan(cell.number))
            return 1;
        *value = fmax(-standard_most, fmin(standard_most, apart * column->scale));
        return 0;
    case ENCODED_STEPS:
        return apart >= 0 && apart < (double)column->count ? (size_t)apart : column->count;
    default:
        return find_level(column, cell.key);
    }
}

size_t encoding_sparse(const Encoding *encoding, const Cell *cells, uint32_t *features,
                       double *values)
{
    size_t count = 0;

    for (size_t i = 0; i < encoding->column_count; i++) {
        const EncodedColumn *column = &encoding->columns[i];
        double value = 1;
        size_t at = sparse_place(column, cells[column->input], &value);

        if (at == column->count)
            continue; /* a value that has no place */
        values[count] = value;
        features[count++] = (uint32_t)(column->first + at);
    }
    return count;
}

/* ---- rows of a table ---- */

static void gather(const Table *table, size_t row, Cell *cells)
{
    for (size_t i = 0; i < table->column_count; i++)
        cells[i] = table->columns[i].cells[row];
}

void encoding_apply(const Encoding *encoding, const Table *table, RowList rows, float *features)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    Cell *cells = arena_array(scratch, Cell, table->column_count);

    for (size_t i = 0; i < rows.count; i++) {
        gather(table, rows.items[i], cells);
        encoding_dense(encoding, cells, features + i * encoding->feature_count);
    }
}

Matrix encoding_apply_sparse(const Encoding *encoding, const Table *table, RowList rows,
                             Arena *arena)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    Cell *cells = arena_array(scratch, Cell, table->column_count);
    size_t most = rows.count * encoding->column_count;
    Matrix matrix = {rows.count, encoding->feature_count,
                     arena_array(arena, size_t, rows.count + 1),
                     arena_array(arena, uint32_t, most + 1), arena_array(arena, double, most + 1)};
    size_t at = 0;

    for (size_t i = 0; i < rows.count; i++) {
        gather(table, rows.items[i], cells);
        at += encoding_sparse(encoding, cells, matrix.columns + at, matrix.values + at);
        matrix.starts[i + 1] = at;
    }
    return matrix;
}

/* ---- the values of a category ---- */

typedef struct Level {
    uint64_t key;
    size_t rows;
} Level;

typedef struct LevelList {
    Level *items;
    size_t count;
} LevelList;

static int compare_keys(const void *a, const void *b)
{
    uint64_t first = *(const uint64_t *)a, second = *(const uint64_t *)b;

    return (first > second) - (first < second);
}

static LevelList count_levels(const TableColumn *column, RowList rows, Arena *arena)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    uint64_t *keys = arena_array(scratch, uint64_t, rows.count + 1);
    LevelList list = {0};

    for (size_t i = 0; i < rows.count; i++)
        keys[i] = column->cells[rows.items[i]].key;
    qsort(keys, rows.count, sizeof(*keys), compare_keys);
    for (size_t i = 0; i < rows.count; i++) {
        if (i == 0 || keys[i] != keys[i - 1])
            *arena_push(arena, &list) = (Level){keys[i], 0};
        list.items[list.count - 1].rows++;
    }
    return list;
}

static int more_rows_first(const void *a, const void *b)
{
    const Level *first = a, *second = b;

    if (first->rows != second->rows)
        return first->rows > second->rows ? -1 : 1;
    return (first->key > second->key) - (first->key < second->key);
}

static void set_levels(EncodedColumn *column, const LevelList *list, Arena *arena)
{
    uint64_t *levels = arena_array(arena, uint64_t, list->count + 1);

    for (size_t i = 0; i < list->count; i++)
        levels[i] = list->items[i].key;
    qsort(levels, list->count, sizeof(*levels), compare_keys);
    column->levels = levels;
    column->level_count = list->count;
}

/* ---- codes ---- */

typedef struct CodeSums {
    size_t each;    /* codes a value */
    double *sums;   /* PARTS x level_count x each */
    double *counts; /* PARTS x level_count */
    double *means;  /* each: over all rows */
    size_t level_count;
} CodeSums;

static double target_of(const EncodingTarget *target, size_t row, size_t code, size_t each)
{
    int label;

    if (target->numbers)
        return target->numbers[row];
    label = target->labels[row];
    if (each > 1)
        return label == (int)code;
    return target->class_count == 2 ? label == 1 : label;
}

static size_t codes_of(const EncodingTarget *target)
{
    return !target->numbers && target->class_count > 2 && target->class_count <= ENCODING_CODES_MAX
               ? target->class_count
               : 1;
}

/* Rows to learn from, of one column. */
typedef struct CodeRows {
    const Cell *cells; /* of the table */
    RowList rows;
    const EncodingTarget *target;
    const uint8_t *parts; /* by row of the list; NULL: all in the first one */
} CodeRows;

static CodeSums sum_codes(const EncodedColumn *column, const CodeRows *from, Arena *arena)
{
    CodeSums sums = {.each = codes_of(from->target), .level_count = column->level_count};

    sums.sums = arena_array(arena, double, PARTS *sums.level_count *sums.each);
    sums.counts = arena_array(arena, double, PARTS *sums.level_count);
    sums.means = arena_array(arena, double, sums.each);
    for (size_t i = 0; i < from->rows.count; i++) {
        size_t row = from->rows.items[i];
        size_t level = find_level(column, from->cells[row].key);
        size_t at = (from->parts ? from->parts[i] : 0) * sums.level_count + level;

        sums.counts[at]++;
        for (size_t code = 0; code < sums.each; code++) {
            double value = target_of(from->target, row, code, sums.each);

            sums.sums[at * sums.each + code] += value;
            sums.means[code] += value / (double)from->rows.count;
        }
    }
    return sums;
}

/* Without the rows of a part; PARTS: with all. */
static double code_of(const CodeSums *sums, size_t level, size_t code, size_t without)
{
    double sum = ENCODING_PRIOR * sums->means[code], count = ENCODING_PRIOR;

    for (size_t part = 0; part < PARTS; part++) {
        size_t at = part * sums->level_count + level;

        if (part == without)
            continue;
        sum += sums->sums[at * sums->each + code];
        count += sums->counts[at];
    }
    return sum / count;
}

static void fit_codes(EncodedColumn *column, const TableColumn *from, RowList rows,
                      const EncodingTarget *target, Arena *arena)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    LevelList list = count_levels(from, rows, scratch);
    CodeSums sums;
    float *codes;

    set_levels(column, &list, arena);
    sums = sum_codes(column, &(CodeRows){from->cells, rows, target, NULL}, scratch);
    column->count = sums.each;
    codes = arena_array(arena, float, (column->level_count + 1) * sums.each);
    for (size_t code = 0; code < sums.each; code++) {
        for (size_t level = 0; level < column->level_count; level++)
            codes[level * sums.each + code] = (float)code_of(&sums, level, code, PARTS);
        codes[column->level_count * sums.each + code] = (float)sums.means[code];
    }
    column->codes = codes;
}

static void recode(const Encoding *encoding, const EncodedColumn *column, const CodeRows *from,
                   float *features)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    CodeSums sums = sum_codes(column, from, scratch);

    for (size_t i = 0; i < from->rows.count; i++) {
        size_t level = find_level(column, from->cells[from->rows.items[i]].key);
        float *values = features + i * encoding->feature_count + column->first;

        for (size_t code = 0; code < sums.each; code++)
            values[code] = (float)code_of(&sums, level, code, from->parts[i]);
    }
}

void encoding_apply_training(const Encoding *encoding, const Table *table, RowList rows,
                             const EncodingTarget *target, float *features)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    uint8_t *parts = arena_array(scratch, uint8_t, rows.count + 1);
    Random random = random_seeded(PARTS);

    encoding_apply(encoding, table, rows, features);
    for (size_t i = 0; i < rows.count; i++)
        parts[i] = (uint8_t)random_below(&random, PARTS);
    for (size_t i = 0; i < encoding->column_count; i++) {
        const EncodedColumn *column = &encoding->columns[i];

        if (column->kind == ENCODED_CODES && column->level_count > ENCODING_MANY_LEVELS)
            recode(encoding, column,
                   &(CodeRows){table->columns[column->input].cells, rows, target, parts}, features);
    }
}

/* ---- fitting ---- */

static void fit_standard(EncodedColumn *column, const TableColumn *from, RowList rows)
{
    double sum = 0, squares = 0, count = 0, deviation;

    for (size_t i = 0; i < rows.count; i++) {
        double number = from->cells[rows.items[i]].number;

        count += !isnan(number);
        sum += isnan(number) ? 0 : number;
    }
    column->mean = count > 0 ? sum / count : 0;
    for (size_t i = 0; i < rows.count; i++) {
        double apart = from->cells[rows.items[i]].number - column->mean;

        squares += isnan(apart) ? 0 : apart * apart;
    }
    deviation = count > 0 ? sqrt(squares / count) : 0;
    column->mean = isfinite(column->mean) ? column->mean : 0;
    column->scale = deviation > 0 && isfinite(deviation) ? 1 / deviation : 0;
    column->count = 2;
}

/* A value of one row has nobody to learn from it but that row. */
static void fit_one_hot(EncodedColumn *column, const TableColumn *from, RowList rows, Arena *arena)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    LevelList list = count_levels(from, rows, scratch);

    if (list.count > 1)
        qsort(list.items, list.count, sizeof(Level), more_rows_first);
    if (list.count > ENCODING_ONE_HOT_MAX)
        list.count = ENCODING_ONE_HOT_MAX;
    while (list.count > 0 && list.items[list.count - 1].rows < 2)
        list.count--;
    set_levels(column, &list, arena);
    column->count = list.count;
}

static void fit_steps(EncodedColumn *column, const DateSteps *steps)
{
    column->mean = steps->first;
    column->count = steps->count;
}

static EncodedKind linear_kind(const TableColumn *column)
{
    if (column->steps)
        return ENCODED_STEPS;
    return column->kind == COLUMN_NUMBER ? ENCODED_STANDARD : ENCODED_ONE_HOT;
}

static void add_column(Encoding *encoding, EncodedKind kind)
{
    size_t input = encoding->column_count++;

    encoding->columns[input] = (EncodedColumn){
        .kind = kind, .input = (uint32_t)input, .first = encoding->feature_count, .count = 1};
}

Encoding encoding_fit_trees(const Table *table, RowList rows, const EncodingTarget *target,
                            Arena *arena)
{
    Encoding encoding = {.columns = arena_array(arena, EncodedColumn, table->column_count)};

    for (size_t i = 0; i < table->column_count; i++) {
        bool is_number = table->columns[i].kind == COLUMN_NUMBER;

        add_column(&encoding, is_number ? ENCODED_NUMBER : ENCODED_CODES);
        if (!is_number)
            fit_codes(&encoding.columns[i], &table->columns[i], rows, target, arena);
        encoding.feature_count += encoding.columns[i].count;
    }
    return encoding;
}

Encoding encoding_fit_linear(const Table *table, RowList rows, Arena *arena)
{
    Encoding encoding = {.columns = arena_array(arena, EncodedColumn, table->column_count)};

    for (size_t i = 0; i < table->column_count; i++) {
        EncodedKind kind = linear_kind(&table->columns[i]);

        add_column(&encoding, kind);
        if (kind == ENCODED_STEPS)
            fit_steps(&encoding.columns[i], table->columns[i].steps);
        else if (kind == ENCODED_STANDARD)
            fit_standard(&encoding.columns[i], &table->columns[i], rows);
        else
            fit_one_hot(&encoding.columns[i], &table->columns[i], rows, arena);
        encoding.feature_count += encoding.columns[i].count;
    }
    return encoding;
}

/* ---- bytes ---- */

void encoding_write(const Encoding *encoding, ByteWriter *writer)
{
    write_u64(writer, encoding->column_count);
    for (size_t i = 0; i < encoding->column_count; i++) {
        const EncodedColumn *column = &encoding->columns[i];
        size_t codes = (column->level_count + 1) * column->count;

        write_u32(writer, column->kind);
        write_u32(writer, column->input);
        write_u64(writer, column->count);
        write_double(writer, column->mean);
        write_double(writer, column->scale);
        write_u64(writer, column->level_count);
        write_items(writer, column->levels, column->level_count, sizeof(uint64_t));
        if (column->kind == ENCODED_CODES)
            write_items(writer, column->codes, codes, sizeof(float));
    }
}

static bool is_rising(const uint64_t *keys, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (keys[i] <= keys[i - 1])
            return false;
    return true;
}

static bool is_sound(const EncodedColumn *column, bool is_sparse)
{
    if (is_sparse != (column->kind != ENCODED_NUMBER && column->kind != ENCODED_CODES))
        return false;
    switch (column->kind) {
    case ENCODED_NUMBER:
        return column->count == 1 && column->level_count == 0;
    case ENCODED_STANDARD:
        return column->count == 2 && column->level_count == 0;
    case ENCODED_CODES:
        return column->count >= 1 && column->count <= ENCODING_CODES_MAX;
    case ENCODED_STEPS:
        return column->count >= 1 && column->count <= ENCODING_STEPS_MAX &&
               column->level_count == 0;
    default:
        return column->count == column->level_count;
    }
}

static void read_column(ByteReader *reader, bool is_sparse, Arena *arena, EncodedColumn *column)
{
    uint32_t kind = read_u32(reader);

    *column = (EncodedColumn){.kind = (EncodedKind)kind, .input = read_u32(reader)};
    column->count = read_u64(reader);
    column->mean = read_double(reader);
    column->scale = read_double(reader);
    column->level_count = read_count(reader, sizeof(uint64_t), ENCODING_FEATURES_MAX);
    reader->is_bad |= kind >= ENCODED_KIND_COUNT || !is_sound(column, is_sparse);
    if (reader->is_bad)
        return;
    column->levels = read_keys(reader, column->level_count, arena);
    if (column->kind == ENCODED_CODES)
        column->codes = read_floats(reader, (column->level_count + 1) * column->count, arena);
    reader->is_bad = reader->is_bad || !is_rising(column->levels, column->level_count);
}

enum { COLUMN_BYTES_LEAST = 40 };

void encoding_read(ByteReader *reader, size_t input_count, bool is_sparse, Arena *arena,
                   Encoding *encoding)
{
    size_t count = read_count(reader, COLUMN_BYTES_LEAST, TABLE_COLUMNS_MAX);

    *encoding = (Encoding){arena_array(arena, EncodedColumn, count), count, 0};
    for (size_t i = 0; i < count && !reader->is_bad; i++) {
        EncodedColumn *column = &encoding->columns[i];

        read_column(reader, is_sparse, arena, column);
        column->first = encoding->feature_count;
        encoding->feature_count += column->count;
        reader->is_bad |=
            column->input >= input_count || encoding->feature_count > ENCODING_FEATURES_MAX;
    }
    if (reader->is_bad)
        *encoding = (Encoding){0};
}
