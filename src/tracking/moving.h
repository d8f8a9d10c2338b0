/* moving.h: taking in what another store had, with its ids and times.
 *
 * All of it may come again: what is here stays as it is, what is missing is added. So moving can be
 * interrupted anywhere and started anew, and a source that grew adds what is new. A run that was
 * still running when it came ends as the source says later. Deleted ones come as deleted ones.
 * All functions are called inside a write.
 */
#pragma once

#include "tracking/experiment.h"
#include "tracking/logged_model.h"

typedef struct MovingCount {
    int64_t imported, present;
} MovingCount;

typedef struct MovingCounts {
    MovingCount experiments, experiment_tags, runs, params, tags, points, datasets;
    MovingCount logged_models, models, versions, aliases, files;
} MovingCounts;

static inline void moving_count(MovingCount *count, bool is_new)
{
    if (is_new)
        count->imported++;
    else
        count->present++;
}

static inline void moving_add(MovingCounts *counts, const MovingCounts *more)
{
    MovingCount *target = (MovingCount *)counts;
    const MovingCount *source = (const MovingCount *)more;

    for (size_t i = 0; i < sizeof(*counts) / sizeof(*target); i++) {
        target[i].imported += source[i].imported;
        target[i].present += source[i].present;
    }
}

/* given->id is its number there, which it keeps where that is free. Number 0 is ours, whatever it
 * is called; any other one of the same name is taken for the same. */
bool experiment_import(Scope *scope, const Experiment *given, Experiment *experiment,
                       MovingCounts *counts) MUST_CHECK;

/* Something of a run that is left out, as it cannot be here. */
typedef void MovingRefusal(void *context, const char *what, const char *why);

typedef struct RunMove {
    const Run *run;     /* without metrics; experiment_id is the one here */
    int64_t deleted_at; /* 0: it is not */
    MovingRefusal *refuse;
    void *context;
} RunMove;

/* Params and tags that cannot be here are refused one by one. */
bool run_import(Scope *scope, const RunMove *move, MovingCounts *counts) MUST_CHECK;

/* Points of one key of a run, deleted or not. */
bool run_import_points(Scope *scope, const char *run_id, const MetricList *points,
                       MovingCounts *counts) MUST_CHECK;

/* A file of a run, deleted or not, whose blob is in the artifact store; one of another content is
 * replaced. */
bool run_import_file(Scope *scope, const char *run_id, const TreeEntry *entry,
                     MovingCounts *counts) MUST_CHECK;

/* A logged model, deleted or not, with its metrics, whose runs are here. */
bool logged_model_import(Scope *scope, const LoggedModel *given, MovingCounts *counts) MUST_CHECK;

/* A file of it; entry as with runs. */
bool logged_model_import_file(Scope *scope, const char *model_id, const TreeEntry *entry,
                              MovingCounts *counts) MUST_CHECK;

/* Whether a file is there, and as large. Exactly one of the ids. */
bool moving_has_file(Scope *scope, const char *run_id, const char *model_id, const char *path,
                     int64_t size);
