#include "pipelines/train_columns.h"

#include <math.h>
#include <stdio.h>

#include "ml/dependence.h"
#include "ml/importance.h"

static const double budget_default = 60, budget_share = 0.05, seconds_least = 0.2,
                    seconds_most = 10;

/* Of the time, the rest being for the importance. */
static const double dependence_share = 0.25;

static double seconds_of(const ColumnsSpec *spec)
{
    double budget = spec->budget_seconds > 0 ? spec->budget_seconds : budget_default;

    return fmin(seconds_most, fmax(seconds_least, budget * budget_share));
}

static bool measure(const ColumnsSpec *spec, Arena *arena, Importance *importance, Error *error)
{
    const Rows *rows = &spec->bench->rows;
    Target target = spec->bench->task == TASK_REGRESSION
                        ? (Target){.numbers = rows->targets}
                        : (Target){.labels = rows->labels, .classes = &rows->classes};
    ImportanceSpec asked = {
        .model = spec->model,
        .frame = &rows->frame,
        .target = &target,
        .metric = metric_find(spec->metric),
        .positive = spec->bench->positive,
        .seconds = seconds_of(spec) * (1 - dependence_share),
        .seed = (uint64_t)spec->seed,
        .thread_count = spec->thread_count,
    };

    return importance_measure(&asked, arena, importance, error);
}

/* Of columns that help; what cannot be asked is left out. */
static void write_dependence(JsonWriter *json, const ColumnsSpec *spec,
                             const Importance *importance)
{
    DependenceSpec asked = {
        .model = spec->model,
        .frame = &spec->bench->rows.frame,
        .seconds = seconds_of(spec) * dependence_share / COLUMNS_DEPENDENCE_MAX,
        .seed = (uint64_t)spec->seed,
        .thread_count = spec->thread_count,
    };
    size_t written = 0;

    for (size_t i = 0; i < importance->count && written < COLUMNS_DEPENDENCE_MAX; i++) {
        CLEANUP(arena_cleanup) Arena *arena = arena_create();
        Dependence dependence;
        Error ignored = {0};

        asked.column = importance->items[i].column;
        if (!(importance->items[i].mean > 0) ||
            !dependence_measure(&asked, arena, &dependence, &ignored))
            continue;
        dependence_write_json(json, NULL, &dependence);
        written++;
    }
}

static void write_problem(JsonWriter *json, const Error *error)
{
    fprintf(stderr, "the importance of the columns is not known: %s\n", error->message);
    json_open_object(json, "importance");
    json_text(json, "problem", error->message);
    json_close(json);
}

void train_columns_write_json(JsonWriter *json, const ColumnsSpec *spec)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Importance importance = {0};
    Error error = {0};

    if (!importance_has_columns(spec->model))
        return;
    if (measure(spec, arena, &importance, &error))
        importance_write_json(json, "importance", &importance);
    else
        write_problem(json, &error);
    json_open_array(json, "dependence");
    write_dependence(json, spec, &importance);
    json_close(json);
}
