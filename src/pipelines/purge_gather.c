/* purge_gather.c: every blob that something refers to.
 *
 * Whoever adds a column that holds digests of blobs adds it here; a test looks for digests of
 * stored blobs in every text of the store. */

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/text.h"
#include "pipelines/purge_internal.h"

typedef struct Gathering {
    Scope *scope;
    PurgePlan *plan;
    const atomic_bool *stopped;
    DigestSet *kept;
    DigestSet trees; /* whose listings are still to be read */
    Arena *turn;     /* for a row */
} Gathering;

static bool check_stopped(const Gathering *gathering)
{
    return !gathering->stopped || !atomic_load(gathering->stopped) ||
           fail(&gathering->scope->error, ERROR_UNAVAILABLE, "the purge was stopped");
}

static bool next_row(Gathering *gathering, Query *query)
{
    arena_reset(gathering->turn);
    return query_next(query);
}

static void add(Gathering *gathering, const char *text)
{
    if (text)
        digest_set_add_found(gathering->kept, text);
}

/* ---- what is left out of it when it is due ---- */

static bool gather_run_files(Gathering *gathering)
{
    Scope *scope = gathering->scope;
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, "SELECT run_key, digest, size FROM run_artifacts");

    while (next_row(gathering, &query)) {
        PurgeItem *item = purge_find(&gathering->plan->runs, query_int(&query, 0));

        if (item)
            item->bytes += query_int(&query, 2);
        else
            add(gathering, query_text(&query, 1, gathering->turn));
    }
    return query_end(&query, &scope->error);
}

static int compare_path(const void *path, const void *root)
{
    return strcmp(path, ((const PurgeRoot *)root)->path);
}

/* The one of the roots that the path lies below, or NULL. */
static const PurgeRoot *find_root(const Gathering *gathering, const char *path)
{
    const PurgeRootList *roots = &gathering->plan->roots;
    const PurgeRoot *found = NULL;

    for (const char *slash = strchr(path, '/'); slash && roots->count && !(found && found->item);
         slash = strchr(slash + 1, '/')) {
        const char *folder = arena_copy(gathering->turn, path, (size_t)(slash - path));
        const PurgeRoot *root =
            bsearch(folder, roots->items, roots->count, sizeof(*roots->items), compare_path);

        found = root ? root : found;
    }
    return found;
}

static bool gather_files(Gathering *gathering)
{
    Scope *scope = gathering->scope;
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, "SELECT path, digest, size FROM artifact_files");

    while (next_row(gathering, &query)) {
        const PurgeRoot *root = find_root(gathering, query_text(&query, 0, gathering->turn));

        if (!root)
            add(gathering, query_text(&query, 1, gathering->turn));
        else if (root->item)
            root->item->bytes += query_int(&query, 2);
    }
    return query_end(&query, &scope->error);
}

/* A rerun says there which package it made, which no version has: only its listing hangs on that.
 * A user may have written anything into such a tag. */
static bool gather_tags(Gathering *gathering)
{
    Scope *scope = gathering->scope;
    CLEANUP(query_finalize)
    Query query = db_query(scope->db, "SELECT run_key, coalesce(value, start) FROM run_tags"
                                      " WHERE key = 'slipway.package'");

    while (next_row(gathering, &query))
        if (!purge_find(&gathering->plan->runs, query_int(&query, 0)))
            add(gathering, query_text(&query, 1, gathering->turn));
    return query_end(&query, &scope->error);
}

/* ---- what never goes ---- */

static bool gather_texts(Gathering *gathering)
{
    static const char *const columns[] = {
        "SELECT rows_digest FROM dataset_versions",
        "SELECT files FROM dataset_versions",
        "SELECT rows_digest FROM holdouts",
        "SELECT holdout_digest FROM model_versions",
        "SELECT gate FROM deployments",
    };

    for (size_t i = 0; i < COUNT(columns); i++) {
        CLEANUP(query_finalize) Query query = db_query(gathering->scope->db, columns[i]);

        while (next_row(gathering, &query))
            add(gathering, query_text(&query, 0, gathering->turn));
        if (!query_end(&query, &gathering->scope->error))
            return false;
    }
    return true;
}

/* ---- packages ---- */

static bool fail_package(Scope *scope, const char *package)
{
    static const char sql[] =
        "SELECT m.name, v.version FROM model_versions v JOIN models m ON m.id = v.model_id"
        " WHERE v.package = $1 ORDER BY v.id LIMIT 1";
    CLEANUP(query_finalize) Query query = db_query(scope->db, sql, db_text(package));

    if (query_next(&query))
        return fail_in(&scope->error,
                       "nothing is purged, because the package of version %lld of model \"%.100s\" "
                       "cannot be read",
                       (long long)query_int(&query, 1), query_text(&query, 0, scope->arena));
    return fail_in(&scope->error, "nothing is purged, because package %.12s cannot be read",
                   package);
}

/* Of one that is due: what can be told. */
static void measure_package(Gathering *gathering, const char *package, PurgeItem *item)
{
    Tree tree = {0};
    Error ignored = {0};

    if (!tree_read(gathering->scope->platform->artifacts, package, gathering->turn, &tree,
                   &ignored))
        return;
    for (size_t i = 0; i < tree.count; i++)
        item->bytes += tree.items[i].size;
}

static bool find_packages(Gathering *gathering)
{
    static const char sql[] = "SELECT id, package FROM model_versions WHERE package <> ''"
                              " UNION ALL SELECT 0, package FROM deployments"
                              " UNION ALL SELECT 0, package FROM candidates"
                              " UNION ALL SELECT 0, tree FROM pipelines";
    Scope *scope = gathering->scope;
    CLEANUP(query_finalize) Query query = db_query(scope->db, sql);

    while (next_row(gathering, &query)) {
        PurgeItem *item = purge_find(&gathering->plan->model_versions, query_int(&query, 0));
        const char *package = query_text(&query, 1, gathering->turn);

        if (!digest_is_valid(package))
            return fail(&scope->error, ERROR_INTERNAL, "package \"%.64s\" has no valid digest",
                        package) ||
                   fail_package(scope, package);
        if (item)
            measure_package(gathering, package, item);
        else
            digest_set_add(&gathering->trees, package);
    }
    digest_set_sort(&gathering->trees);
    return query_end(&query, &scope->error);
}

/* ---- runs of pipelines ---- */

/* Of rows of a run's key, a text with digests, and the bytes that they stand for. */
static bool gather_of_runs(Gathering *gathering)
{
    static const char *const columns[] = {
        "SELECT r.rowid, s.result, 0 FROM pipeline_steps s JOIN pipeline_runs r ON r.id = s.run_id"
        " WHERE s.result IS NOT NULL",
        "SELECT r.rowid, a.log_digest, a.log_size FROM step_attempts a"
        "  JOIN pipeline_runs r ON r.id = a.run_id WHERE a.log_digest IS NOT NULL",
        "SELECT COALESCE(r.rowid, 0), p.detail, 0 FROM approvals p"
        "  LEFT JOIN pipeline_runs r ON r.id = p.run_id WHERE r.purged_at IS NULL",
    };

    for (size_t i = 0; i < COUNT(columns); i++) {
        CLEANUP(query_finalize) Query query = db_query(gathering->scope->db, columns[i]);

        while (next_row(gathering, &query)) {
            PurgeItem *item = purge_find(&gathering->plan->pipeline_runs, query_int(&query, 0));

            if (item)
                item->bytes += query_int(&query, 2);
            else
                add(gathering, query_text(&query, 1, gathering->turn));
        }
        if (!query_end(&query, &gathering->scope->error))
            return false;
    }
    return true;
}

/* The projects' files. */
static bool find_trees(Gathering *gathering)
{
    Scope *scope = gathering->scope;
    CLEANUP(query_finalize)
    Query query =
        db_query(scope->db, "SELECT rowid, tree FROM pipeline_runs WHERE tree IS NOT NULL");

    while (next_row(gathering, &query)) {
        const char *tree = query_text(&query, 1, gathering->turn);

        if (purge_find(&gathering->plan->pipeline_runs, query_int(&query, 0)))
            continue;
        if (!digest_is_valid(tree))
            return fail(&scope->error, ERROR_INTERNAL,
                        "nothing is purged, because tree \"%.64s\" of a run has no valid digest",
                        tree);
        digest_set_add(&gathering->trees, tree);
    }
    return query_end(&query, &scope->error);
}

static void add_outs(Gathering *gathering, const JsonValue *outs, PurgeItem *item)
{
    for (JsonWalk walk = json_walk(outs); json_walk_next(&walk);) {
        const char *digest = json_as_text(json_member(walk.value, "digest"), "");
        bool is_folder = json_as_bool(json_member(walk.value, "is_folder"), false);

        if (item)
            item->bytes += json_as_int(json_member(walk.value, "size"), 0);
        else if (digest_is_valid(digest))
            digest_set_add(is_folder ? &gathering->trees : gathering->kept, digest);
    }
}

/* What steps made: files, and listings of folders, whose size is that of the listing. */
static bool find_outs(Gathering *gathering)
{
    Scope *scope = gathering->scope;
    CLEANUP(query_finalize)
    Query query =
        db_query(scope->db, "SELECT r.rowid, s.outs FROM pipeline_steps s JOIN"
                            " pipeline_runs r ON r.id = s.run_id WHERE s.outs IS NOT NULL");

    while (next_row(gathering, &query)) {
        const char *text = query_text(&query, 1, gathering->turn);
        const JsonValue *outs;

        if (!json_parse(text, strlen(text), gathering->turn, &outs, &scope->error))
            return fail_in(&scope->error, "nothing is purged, because what a step made is unknown");
        add_outs(gathering, outs,
                 purge_find(&gathering->plan->pipeline_runs, query_int(&query, 0)));
    }
    return query_end(&query, &scope->error);
}

/* ---- listings ---- */

static bool gather_packages(Gathering *gathering)
{
    Scope *scope = gathering->scope;

    if (!find_outs(gathering) || !find_trees(gathering) || !find_packages(gathering))
        return false;
    for (size_t i = 0; i < gathering->trees.count; i++) {
        char package[DIGEST_TEXT_SIZE];
        Tree tree = {0};

        arena_reset(gathering->turn);
        hex_format(gathering->trees.items[i], DIGEST_BYTES, package);
        if (!check_stopped(gathering))
            return false;
        if (!tree_read(scope->platform->artifacts, package, gathering->turn, &tree, &scope->error))
            return fail_package(scope, package);
        digest_set_add(gathering->kept, package);
        for (size_t j = 0; j < tree.count; j++)
            digest_set_add(gathering->kept, tree.items[j].digest);
    }
    return true;
}

static bool gather_all(Gathering *gathering)
{
    static bool (*const steps[])(Gathering *) = {
        gather_packages, gather_of_runs, gather_run_files, gather_files, gather_tags, gather_texts,
    };

    for (size_t i = 0; i < COUNT(steps); i++)
        if (!check_stopped(gathering) || !steps[i](gathering))
            return false;
    digest_set_sort(gathering->kept);
    return true;
}

bool purge_gather(Scope *scope, PurgePlan *plan, const atomic_bool *stopped, DigestSet *kept)
{
    CLEANUP(arena_cleanup) Arena *turn = arena_create();
    Gathering gathering = {
        .scope = scope, .plan = plan, .stopped = stopped, .kept = kept, .turn = turn};
    bool done = gather_all(&gathering);

    digest_set_clear(&gathering.trees);
    return done;
}
