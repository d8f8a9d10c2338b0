#include "pipelines/train_guard.h"

#include <string.h>

/* Copies are among what is excluded, which is said as such. */
static void note_findings(TrainGuard *guard, Arena *arena)
{
    for (size_t i = 0; i < guard->found.count; i++)
        if (guard->found.items[i].kind != GUARDRAIL_COPY)
            text_list_add(&guard->notes, arena, guard->found.items[i].sentence);
}

/* The sentence of a training without features: what became of those that there are. */
static bool fail_without_features(const TrainGuard *guard, Error *error)
{
    for (size_t i = 0; i < guard->found.count; i++)
        if (guard->found.items[i].kind == GUARDRAIL_COPY)
            return fail(error, ERROR_INVALID, "no column can be learnt from: %s",
                        guard->found.items[i].sentence);
    return fail(
        error, ERROR_INVALID,
        "there is no column to learn from beside the target: the other columns are ignored, "
        "known only after the outcome, or the group or time of a row");
}

bool train_guard_look(TrainGuard *guard, Rows *rows, Arena *arena, Error *error)
{
    Target target = {.numbers = rows->targets};

    if (!rows->targets)
        target = (Target){.labels = rows->labels, .classes = &rows->classes};
    guard->found = guardrail_look(&rows->frame, &target, guard->is_balanced, arena);
    rows->frame = guardrail_keep(&rows->frame, &guard->found, arena);
    note_findings(guard, arena);
    return rows->frame.column_count > 0 || fail_without_features(guard, error);
}

void train_guard_add_notes(TrainGuard *guard, const TextList *notes, Arena *arena)
{
    for (size_t i = 0; i < notes->count; i++)
        if (!text_list_has(&guard->notes, notes->items[i]))
            text_list_add(&guard->notes, arena, notes->items[i]);
}

void train_guard_look_across(TrainGuard *guard, const Rows *rows, const Bench *holdout,
                             const TextList *ignored, Arena *arena)
{
    size_t shared =
        guardrail_count_shared(&rows->frame, &holdout->rows.frame, &guard->found, ignored);
    size_t held = holdout->rows.row_count + holdout->unlabelled_count;

    if (shared)
        text_list_add(&guard->notes, arena,
                      arena_format(arena,
                                   "%zu of the %zu rows of the hold-out have the features of a row "
                                   "that was learnt from, but for columns that are not read: on "
                                   "them the model is judged too well",
                                   shared, holdout->rows.row_count));
    if (rows->left_out_count > held)
        text_list_add(&guard->notes, arena,
                      arena_format(arena,
                                   "%zu more rows are left out: they have the content of a row of "
                                   "the hold-out",
                                   rows->left_out_count - held));
}

static const char *taken_as(const DatasetColumn *column, const TrainGuard *guard,
                            const TextList *left_out)
{
    if (!text_equal(column->role, "feature"))
        return column->role;
    if (guardrail_leaves_out(&guard->found, column->name) || text_list_has(left_out, column->name))
        return "left out";
    if (dataset_column_has_numbers(column))
        return "number";
    if (text_equal(column->type, "time"))
        return "date";
    return text_equal(column->type, "text") ? "text" : "category";
}

void train_guard_write_json(JsonWriter *json, const TrainGuard *guard, const TextList *left_out)
{
    const DatasetColumns *columns = guard->columns;

    json_texts(json, "notes", &guard->notes);
    guardrail_write_json(json, "guardrails", &guard->found);
    json_open_array(json, "columns");
    for (size_t i = 0; i < columns->count; i++) {
        json_open_object(json, NULL);
        {
            json_text(json, "name", columns->items[i].name);
            json_text(json, "type", columns->items[i].type);
            json_text(json, "as", taken_as(&columns->items[i], guard, left_out));
        }
        json_close(json);
    }
    json_close(json);
}
