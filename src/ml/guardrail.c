#include "ml/guardrail.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ml/guardrail_internal.h"

/* Of real tables no honest column comes near the first two limits, copies of the target under
 * other names and columns made of it do (docs/decisions/0027-guardrails.md). */
static const double leak_auc = 0.98, leak_r2 = 0.95;
static const double strongest_auc = 0.7, strongest_r2 = 0.3; /* less is not worth a word */
static const double rare_ratio = 0.2;                        /* to the largest class */
static const double share_least = 0.01, repeated_most = 0.5;
static const double id_share = 0.9;
enum {
    NAME_BYTES_MAX = 100, /* of a class in a sentence */
    PAIRS_MAX = 28,       /* of dates that are looked at: of eight columns all */
};

static const char *const kind_names[GUARDRAIL_KIND_COUNT] = {
    "copy", "leak", "strongest", "id", "duplicate", "imbalance", "repeated", "contradiction"};

/* A look under way. */
typedef struct Look {
    const Frame *asked; /* as it was given */
    Frame dated;        /* with dates as numbers */
    const Frame *frame; /* that one */
    const Target *target;
    GuardrailSample sample;
    GuardrailColumn *columns; /* by column of the frame; from NULL: a copy, or text */
    bool *counts;             /* columns that rows are compared by */
    double *totals;           /* answer_count x count: the scores of all columns together */
    GuardrailList found;
    Arena *arena, *scratch;
} Look;

static void say(Look *look, GuardrailKind kind, const char *column, double figure,
                const char *sentence)
{
    *arena_push(look->arena, &look->found) =
        (Guardrail){.kind = kind, .column = column, .figure = figure, .sentence = sentence};
}

static const char *figure_name(const Look *look)
{
    return look->sample.is_number ? "R2" : "AUC";
}

/* ---- copies of the target ---- */

static bool is_class(const FrameColumn *column, size_t row, const char *name)
{
    const TextRef text = column->texts[row];

    return text.bytes && strlen(name) == text.length && memcmp(text.bytes, name, text.length) == 0;
}

/* What each class is as a number; NaN: none. */
static double *class_numbers(const ClassNames *classes, Arena *scratch)
{
    double *numbers = arena_array(scratch, double, classes->count + 1);

    for (size_t i = 0; i < classes->count; i++)
        if (!text_to_double(classes->items[i], &numbers[i]))
            numbers[i] = NAN;
    return numbers;
}

static bool is_copy(const Look *look, const FrameColumn *column)
{
    const Target *target = look->target;
    const double *numbers = target->numbers;
    const double *names = numbers ? NULL : class_numbers(target->classes, look->scratch);

    if (column->kind != COLUMN_NUMBER && numbers)
        return false;
    for (size_t row = 0; row < look->frame->row_count; row++) {
        bool is_same =
            column->kind != COLUMN_NUMBER
                ? is_class(column, row, target->classes->items[target->labels[row]])
                : column->numbers[row] == (numbers ? numbers[row] : names[target->labels[row]]);

        if (!is_same)
            return false;
    }
    return true;
}

static void say_copy(Look *look, const char *column)
{
    say(look, GUARDRAIL_COPY, column, NAN,
        arena_format(look->arena, "\"%s\" is left out: it has the target's own value in every row",
                     column));
}

/* ---- columns ---- */

/* Whole numbers, another in each row: rising, or as many as there is room for. */
static bool is_row_number(const Look *look, const GuardrailColumn *column)
{
    const double *numbers = column->from->numbers;
    size_t count = look->frame->row_count;
    double least = INFINITY, most = -INFINITY;
    bool is_rising = true;

    if (column->from->kind != COLUMN_NUMBER || column->distinct < look->sample.count ||
        column->present < look->sample.count)
        return false;
    for (size_t row = 0; row < count; row++) {
        if (!isfinite(numbers[row]) || numbers[row] != floor(numbers[row]))
            return false;
        is_rising = is_rising && (row == 0 || numbers[row] > numbers[row - 1]);
        least = fmin(least, numbers[row]);
        most = fmax(most, numbers[row]);
    }
    return is_rising || most - least < 2 * (double)count;
}

static void look_at_id(Look *look, size_t index)
{
    const GuardrailColumn *column = &look->columns[index];
    bool is_date = look->asked->columns[index].kind == COLUMN_DATE;
    bool is_number = !is_date && is_row_number(look, column);
    bool is_text_id = column->from->kind == COLUMN_CATEGORY &&
                      (double)column->distinct > id_share * (double)column->present;

    look->counts[index] = !is_number && !is_text_id;
    if (is_number)
        say(look, GUARDRAIL_ID, column->from->name, NAN,
            arena_format(look->arena,
                         "\"%s\" is another whole number in every row, as row numbers are: give it "
                         "the role ignore, unless its order means something",
                         column->from->name));
}

/* The same values; or, where they come often enough for it to be no chance, the same ones under
 * other names. */
static bool is_repeated(const Look *look, const GuardrailColumn *first,
                        const GuardrailColumn *second)
{
    if (!first->from || first->distinct < 2)
        return false;
    if (first->from->kind == second->from->kind && first->content == second->content)
        return true;
    return first->pattern == second->pattern && first->distinct <= look->sample.count / 2;
}

static void look_for_duplicate(Look *look, size_t index)
{
    const GuardrailColumn *column = &look->columns[index];

    for (size_t i = 0; i < index; i++) {
        const GuardrailColumn *other = &look->columns[i];
        bool is_same = other->content == column->content;
        const char *name = column->from->name;

        if (!is_repeated(look, other, column))
            continue;
        say(look, GUARDRAIL_DUPLICATE, name, NAN,
            arena_format(look->arena,
                         is_same ? "\"%s\" has the values of \"%s\" in every row%s"
                                 : "\"%s\" says what \"%s\" says under other names in every row%s",
                         name, other->from->name,
                         look->sample.count < look->frame->row_count ? " that was looked at" : ""));
        look->found.items[look->found.count - 1].other = other->from->name;
        return;
    }
}

/* ---- what columns tell ---- */

static bool is_leak(const Look *look, const GuardrailColumn *column)
{
    return column->alone >= (look->sample.is_number ? leak_r2 : leak_auc);
}

static void look_for_leak(Look *look, const GuardrailColumn *column)
{
    if (is_leak(look, column))
        say(look, GUARDRAIL_LEAK, column->from->name, column->alone,
            arena_format(look->arena,
                         "\"%s\" alone nearly decides the target (%s %.3f): if it is known only "
                         "after the outcome, give it the role known_after",
                         column->from->name, figure_name(look), column->alone));
}

/* What it says of each row. */
static const double *measure_alone(const Look *look, GuardrailColumn *column, Arena *arena)
{
    size_t scores = look->sample.answer_count * look->sample.count;
    double *said = arena_array(arena, double, scores + 1);

    guardrail_score(&look->sample, column, said);
    column->alone =
        fmax(guardrail_figure(&look->sample, said), guardrail_straight(&look->sample, column));
    return said;
}

static void measure_column(Look *look, GuardrailColumn *column)
{
    CLEANUP(arena_cleanup) Arena *turn = arena_create();
    size_t scores = look->sample.answer_count * look->sample.count;
    const double *said = measure_alone(look, column, turn);

    for (size_t i = 0; i < scores; i++)
        look->totals[i] += said[i];
}

/* What all columns but one tell, each by itself and added up. */
static double figure_without(const Look *look, const GuardrailColumn *column)
{
    CLEANUP(arena_cleanup) Arena *turn = arena_create();
    size_t scores = look->sample.answer_count * look->sample.count;
    double *said = arena_array(turn, double, scores + 1);

    guardrail_score(&look->sample, column, said);
    for (size_t i = 0; i < scores; i++)
        said[i] = look->totals[i] - said[i];
    return guardrail_figure(&look->sample, said);
}

/* Texts tell something, too, that is not measured here. */
static bool has_text(const Frame *frame)
{
    for (size_t i = 0; i < frame->column_count; i++)
        if (frame->columns[i].kind == COLUMN_TEXT)
            return true;
    return false;
}

static void look_for_strongest(Look *look)
{
    const GuardrailColumn *best = NULL;
    size_t measured = 0;
    double rest;

    for (size_t i = 0; i < look->frame->column_count; i++) {
        const GuardrailColumn *column = &look->columns[i];

        measured += column->from != NULL;
        if (column->from && (!best || column->alone > best->alone))
            best = column;
    }
    if (measured < 3 || has_text(look->frame) || is_leak(look, best) ||
        !(best->alone >= (look->sample.is_number ? strongest_r2 : strongest_auc)))
        return;
    rest = figure_without(look, best);
    if (best->alone > rest)
        say(look, GUARDRAIL_STRONGEST, best->from->name, best->alone,
            arena_format(look->arena,
                         "\"%s\" alone tells more of the target (%s %.2f) than all other columns "
                         "together (%.2f): if it is known only after the outcome, give it the role "
                         "known_after",
                         best->from->name, figure_name(look), best->alone, rest));
}

/* ---- what two dates tell together ---- */

static double mean_of(const FrameColumn *column, size_t row_count)
{
    double sum = 0, count = 0;

    for (size_t row = 0; row < row_count; row++) {
        count += !isnan(column->numbers[row]);
        sum += isnan(column->numbers[row]) ? 0 : column->numbers[row];
    }
    return sum / fmax(1, count);
}

/* A time at which something was over tells with its beginning how long it took, and alone nothing.
 */
static void look_at_pair(Look *look, size_t first, size_t second)
{
    CLEANUP(arena_cleanup) Arena *turn = arena_create();
    const FrameColumn *columns = look->frame->columns;
    size_t count = look->frame->row_count;
    bool is_second_later = mean_of(&columns[second], count) >= mean_of(&columns[first], count);
    const FrameColumn *later = &columns[is_second_later ? second : first];
    const FrameColumn *earlier = &columns[is_second_later ? first : second];
    FrameColumn apart = guardrail_apart(later, earlier, count, turn);
    GuardrailColumn column = guardrail_column(&look->sample, &apart, turn);

    measure_alone(look, &column, turn);
    if (!is_leak(look, &column))
        return;
    say(look, GUARDRAIL_LEAK, later->name, column.alone,
        arena_format(
            look->arena,
            "how long \"%s\" is after \"%s\" nearly decides the target (%s %.3f): if one of "
            "them is known only after the outcome, give it the role known_after",
            later->name, earlier->name, figure_name(look), column.alone));
    look->found.items[look->found.count - 1].other = earlier->name;
}

/* Of those that say less alone. */
static bool is_date_to_pair(const Look *look, size_t index)
{
    const GuardrailColumn *column = &look->columns[index];

    return look->asked->columns[index].kind == COLUMN_DATE && column->from &&
           !is_leak(look, column);
}

static void look_at_pairs(Look *look)
{
    size_t pairs = 0;

    for (size_t second = 1; second < look->frame->column_count; second++) {
        if (!is_date_to_pair(look, second))
            continue;
        for (size_t first = 0; first < second && pairs < PAIRS_MAX; first++)
            if (is_date_to_pair(look, first)) {
                look_at_pair(look, first, second);
                pairs++;
            }
    }
}

static void look_at_columns(Look *look)
{
    size_t count = look->frame->column_count;

    for (size_t i = 0; i < count; i++) {
        const FrameColumn *from = &look->frame->columns[i];
        bool copied = is_copy(look, from);

        look->counts[i] = !copied;
        if (copied)
            say_copy(look, from->name);
        if (copied || from->kind == COLUMN_TEXT)
            continue;
        look->columns[i] = guardrail_column(&look->sample, from, look->scratch);
        measure_column(look, &look->columns[i]);
    }
    for (size_t i = 0; i < count; i++) {
        const GuardrailColumn *column = &look->columns[i];

        if (!column->from)
            continue;
        look_for_leak(look, column);
        look_at_id(look, i);
        look_for_duplicate(look, i);
    }
    look_at_pairs(look);
    look_for_strongest(look);
}

/* ---- rows ---- */

static bool any_counts(const Look *look)
{
    for (size_t i = 0; i < look->frame->column_count; i++)
        if (look->counts[i])
            return true;
    return false;
}

static void say_contradiction(Look *look, const GuardrailRows *rows)
{
    say(look, GUARDRAIL_CONTRADICTION, NULL, rows->ceiling,
        look->sample.is_number
            ? arena_format(look->arena,
                           "%.1f %% of the rows have the features of a row with another target: no "
                           "model can explain more than %.1f %% of how these rows differ (R2)",
                           100 * rows->contradicted, 100 * rows->ceiling)
            : arena_format(look->arena,
                           "%.1f %% of the rows have the features of a row with another target: no "
                           "model can be right in more than %.1f %% of these rows",
                           100 * rows->contradicted, 100 * rows->ceiling));
}

/* Where most rows come again, features are coarse, and that is no news. */
static void look_at_rows(Look *look)
{
    GuardrailRows rows;

    if (!any_counts(look))
        return;
    rows = guardrail_rows(look->frame, look->counts, look->target);
    if (rows.repeated >= share_least && rows.repeated <= repeated_most)
        say(look, GUARDRAIL_REPEATED, NULL, rows.repeated,
            arena_format(look->arena,
                         "%.1f %% of the rows repeat the features of an earlier one: where one of "
                         "them is learnt from and another one judges, the folds are too hopeful",
                         100 * rows.repeated));
    if (rows.contradicted >= share_least && rows.ceiling <= 1 - share_least)
        say_contradiction(look, &rows);
}

static void look_for_imbalance(Look *look, bool is_balanced)
{
    const Target *target = look->target;
    size_t count = target->classes->count, least = 0, most = 0;
    size_t *rows = arena_array(look->scratch, size_t, count + 1);
    const char *name;
    double share;

    for (size_t row = 0; row < look->frame->row_count; row++)
        rows[target->labels[row]]++;
    for (size_t i = 1; i < count; i++) {
        least = rows[i] < rows[least] ? i : least;
        most = rows[i] > rows[most] ? i : most;
    }
    if (count < 2 || (double)rows[least] >= rare_ratio * (double)rows[most])
        return;
    name = target->classes->items[least];
    share = (double)rows[least] / (double)look->frame->row_count;
    say(look, GUARDRAIL_IMBALANCE, NULL, share,
        arena_format(look->arena, "the class \"%.*s\" has %.3g %% of the rows (%zu): %s",
                     (int)text_cut(name, NAME_BYTES_MAX), name, 100 * share, rows[least],
                     is_balanced ? "classes weigh the more the rarer they are, as it was asked for"
                                 : "accuracy says little of it; choose by auc, mcc or f1, and "
                                   "--balance has rare classes weigh more"));
    look->found.items[look->found.count - 1].other = name;
}

/* ---- the whole ---- */

GuardrailList guardrail_look(const Frame *frame, const Target *target, bool is_balanced,
                             Arena *arena)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    Look look = {.asked = frame, .target = target, .arena = arena, .scratch = scratch};

    if (frame->row_count < GUARDRAIL_ROWS_LEAST || frame->column_count == 0)
        return look.found;
    look.dated = guardrail_dated(frame, scratch);
    look.frame = &look.dated;
    look.sample = guardrail_sample(look.frame, target, scratch);
    look.columns = arena_array(scratch, GuardrailColumn, frame->column_count);
    look.counts = arena_array(scratch, bool, frame->column_count);
    look.totals = arena_array(scratch, double, look.sample.answer_count *look.sample.count + 1);
    look_at_columns(&look);
    look_at_rows(&look);
    if (!target->numbers)
        look_for_imbalance(&look, is_balanced);
    return look.found;
}

bool guardrail_leaves_out(const GuardrailList *list, const char *column)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].kind == GUARDRAIL_COPY && text_equal(list->items[i].column, column))
            return true;
    return false;
}

Frame guardrail_keep(const Frame *frame, const GuardrailList *list, Arena *arena)
{
    FrameColumn *columns = arena_array(arena, FrameColumn, frame->column_count + 1);
    Frame kept = {columns, 0, frame->row_count};

    for (size_t i = 0; i < frame->column_count; i++)
        if (!guardrail_leaves_out(list, frame->columns[i].name))
            columns[kept.column_count++] = frame->columns[i];
    return kept;
}

void guardrail_write_json(JsonWriter *json, const char *key, const GuardrailList *list)
{
    json_open_array(json, key);
    for (size_t i = 0; i < list->count; i++) {
        const Guardrail *one = &list->items[i];

        json_open_object(json, NULL);
        {
            json_text(json, "kind", kind_names[one->kind]);
            json_text(json, "column", one->column);
            json_text(json, "other", one->other);
            json_double(json, "figure", one->figure);
            json_text(json, "sentence", one->sentence);
        }
        json_close(json);
    }
    json_close(json);
}
