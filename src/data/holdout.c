#include "data/holdout.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "access/event.h"
#include "base/crash.h"
#include "base/file.h"
#include "base/time.h"
#include "base/worker.h"

enum { DRAW_TIMEOUT_MS = 30 * 60 * 1000 };

/* Every select starts with these columns, in the order from_row() reads. */
#define SELECT_HOLDOUT                                                                             \
    "SELECT h.id, h.project, d.name, h.dataset_version, h.drawn_by, h.share, h.seed,"              \
    "       h.group_values, h.row_count, h.duplicate_row_count, h.rows_digest, h.classes,"         \
    "       h.created_at"                                                                          \
    "  FROM holdouts h JOIN datasets d ON d.id = h.dataset_id"

static Holdout from_row(const Query *query, Arena *arena)
{
    return (Holdout){
        .id = query_int(query, 0),
        .project = query_text(query, 1, arena),
        .dataset = query_text(query, 2, arena),
        .dataset_version = query_int(query, 3),
        .by = query_text(query, 4, arena),
        .share = query_double(query, 5),
        .seed = query_int(query, 6),
        .group_values = query_text(query, 7, arena),
        .row_count = query_int(query, 8),
        .duplicate_row_count = query_int(query, 9),
        .rows = query_text(query, 10, arena),
        .classes = query_text(query, 11, arena),
        .created_at = query_int(query, 12),
    };
}

static bool look_up(Scope *scope, const char *project, const char *dataset, Holdout *holdout,
                    bool *found)
{
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, SELECT_HOLDOUT " WHERE h.project = $1 AND d.name = $2",
                           db_text(project), db_text(dataset));

    *found = query_next(&query);
    if (*found)
        *holdout = from_row(&query, scope->arena);
    return query_end(&query, &scope->error);
}

bool holdout_find(Scope *scope, const char *project, const char *dataset, Holdout *holdout)
{
    bool found = false;

    return look_up(scope, project, dataset, holdout, &found) &&
           (found || fail(&scope->error, ERROR_NOT_FOUND,
                          "project \"%.128s\" has no hold-out of data set \"%.128s\" yet", project,
                          dataset));
}

bool holdout_find_rows(Scope *scope, const char *rows, Holdout *holdout)
{
    CLEANUP(query_finalize)
    Query query = db_query(
        scope->db, SELECT_HOLDOUT " WHERE h.rows_digest = $1 ORDER BY h.id LIMIT 1", db_text(rows));
    Holdout taken = {0};
    bool found = query_next(&query);

    if (found)
        taken = from_row(&query, scope->arena);
    if (!query_end(&query, &scope->error))
        return false;
    if (!found)
        return fail(&scope->error, ERROR_NOT_FOUND, "there is no hold-out \"%.64s\"", rows);
    *holdout = taken;
    return true;
}

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

static bool check_spec(Scope *scope, const HoldoutSpec *spec)
{
    bool has_groups = *or_empty(spec->group_values) != '\0';

    if (has_groups && !text_equal(spec->by, "group"))
        return fail_field(&scope->error, "group_values",
                          "named groups need a hold-out by \"group\"");
    return name_check("project", "project", spec->project, &scope->error) &&
           (has_groups || (spec->share > 0 && spec->share < 1) ||
            fail_field(&scope->error, "share", "the share of a hold-out is between 0 and 1"));
}

/* The frozen one speaks: another wish for the same project and data set is a mistake. */
static bool check_same(Scope *scope, const HoldoutSpec *spec, const Holdout *frozen)
{
    bool is_same = text_equal(spec->by, frozen->by) && spec->seed == frozen->seed &&
                   text_equal(or_empty(spec->group_values), frozen->group_values) &&
                   (*frozen->group_values || fabs(spec->share - frozen->share) < 1e-12);

    if (is_same)
        return true;
    return fail(&scope->error, ERROR_CONFLICT,
                "the hold-out of project \"%s\" is frozen: %s, share %g, seed %" PRId64 "%s%s",
                spec->project, frozen->by, frozen->share, frozen->seed,
                *frozen->group_values ? ", groups " : "", frozen->group_values);
}

typedef struct Freeze {
    const HoldoutSpec *spec;
    const DatasetVersion *version;
    const JsonValue *result; /* of the step */
    Artifact rows;
    Holdout *holdout;
} Freeze;

static const char *job_text(Scope *scope, const Freeze *freeze, const char *folder,
                            const char *target)
{
    JsonWriter *job = json_writer_create(scope->arena);
    TextList groups = text_split(or_empty(freeze->spec->group_values), ',', scope->arena);

    json_open_object(job, NULL);
    json_text(job, "rows",
              artifact_path(scope->platform->artifacts, freeze->version->rows, scope->arena));
    json_text(job, "folder", folder);
    json_text(job, "holdout", target);
    dataset_columns_write_json(job, "columns", &freeze->version->columns);
    json_text(job, "by", freeze->spec->by);
    json_double(job, "share", freeze->spec->share);
    json_int(job, "seed", freeze->spec->seed);
    json_open_array(job, "groups");
    for (size_t i = 0; i < groups.count; i++)
        json_text(job, NULL, text_trim(groups.items[i], scope->arena));
    json_close(job);
    json_close(job);
    return json_finish(job);
}

static bool draw(Scope *scope, Freeze *freeze)
{
    CLEANUP(folder_cleanup) const char *folder = NULL;
    WorkerSpec step = {.step = "draw-holdout", .timeout_ms = DRAW_TIMEOUT_MS};
    const char *target;

    if (!folder_make_temporary(scope->platform->temporary, scope->arena, &folder, &scope->error))
        return false;
    target = arena_format(scope->arena, "%s/holdout.parquet", folder);
    step.job = job_text(scope, freeze, folder, target);
    return worker_run(&step, scope->arena, &freeze->result, &scope->error) &&
           artifact_add_file(scope->platform->artifacts, target, &freeze->rows, &scope->error);
}

static bool insert(Scope *scope, const Freeze *freeze)
{
    static const char sql[] =
        "INSERT INTO holdouts"
        " (id, project, dataset_id, dataset_version, drawn_by, share, seed, group_values,"
        "  row_count, duplicate_row_count, rows_digest, classes, created_at, created_by)"
        " VALUES ((SELECT coalesce(max(id), 0) + 1 FROM holdouts),"
        "  $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    const HoldoutSpec *spec = freeze->spec;
    const JsonValue *result = freeze->result;

    return db_run(scope->db, &scope->error, sql, db_text(spec->project),
                  db_int(freeze->version->dataset_id), db_int(freeze->version->version),
                  db_text(spec->by), db_double(spec->share), db_int(spec->seed),
                  db_text(or_empty(spec->group_values)),
                  db_int(json_as_int(json_member(result, "row_count"), 0)),
                  db_int(json_as_int(json_member(result, "duplicate_row_count"), 0)),
                  db_text(freeze->rows.digest),
                  db_text(json_print(json_member(result, "classes"), scope->arena)),
                  db_int(time_now_ms()), db_text(scope->principal.name));
}

/* Two may have drawn at once: the first freezes, the second gets the first's. */
static bool freeze_once(Scope *scope, void *context)
{
    Freeze *freeze = context;
    const HoldoutSpec *spec = freeze->spec;
    JsonWriter *detail = json_writer_create(scope->arena);
    bool found = false;

    if (!look_up(scope, spec->project, spec->dataset, freeze->holdout, &found))
        return false;
    if (found)
        return check_same(scope, spec, freeze->holdout);
    if (!insert(scope, freeze) ||
        !holdout_find(scope, spec->project, spec->dataset, freeze->holdout))
        return false;
    holdout_write_json(detail, NULL, freeze->holdout);
    scope->topic.project = spec->project;
    return event_append(scope, "holdout.frozen",
                        arena_format(scope->arena, "%s/%s", spec->project, spec->dataset),
                        json_finish(detail)) &&
           event_about(scope, "dataset", spec->dataset);
}

bool holdout_ensure(Scope *scope, const HoldoutSpec *spec, Holdout *holdout)
{
    Holdout found = {0};
    Freeze freeze = {.spec = spec, .holdout = &found};
    DatasetVersion version;
    bool is_there = false;

    if (!check_spec(scope, spec) ||
        !look_up(scope, spec->project, spec->dataset, &found, &is_there))
        return false;
    if (is_there) {
        if (!check_same(scope, spec, &found))
            return false;
        *holdout = found;
        return true;
    }
    if (!dataset_version_find(scope, spec->dataset, spec->version, &version))
        return false;
    freeze.version = &version;
    if (!draw(scope, &freeze))
        return false;
    CRASH_POINT("hold-out: blob stored, no row");
    if (!scope_write(scope, freeze_once, &freeze))
        return false;
    *holdout = found;
    return true;
}

void holdout_write_json(JsonWriter *json, const char *key, const Holdout *holdout)
{
    json_open_object(json, key);
    {
        json_text(json, "project", holdout->project);
        json_text(json, "dataset", holdout->dataset);
        json_int(json, "dataset_version", holdout->dataset_version);
        json_text(json, "digest", holdout->rows);
        json_text(json, "by", holdout->by);
        json_double(json, "share", holdout->share);
        json_int(json, "seed", holdout->seed);
        json_text(json, "group_values", *holdout->group_values ? holdout->group_values : NULL);
        json_int(json, "row_count", holdout->row_count);
        json_int(json, "duplicate_row_count", holdout->duplicate_row_count);
        json_raw(json, "classes", holdout->classes);
        json_time(json, "created_at", holdout->created_at);
    }
    json_close(json);
}
