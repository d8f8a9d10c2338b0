/* pipeline_fixture.h: a data folder of its own, made-up comments, and the steps in child processes:
 * this program starts itself as "step NAME", as slipway does. */
#pragma once

#include "access/event.h"
#include "access/platform.h"
#include "base/file.h"
#include "data/steps.h"
#include "engine/shim.h"
#include "pipelines/project.h"
#include "pipelines/steps.h"
#include "pipelines/trainer.h"
#include "pipelines/training.h"
#include "registry/package.h"
#include "tests/test.h"

typedef struct Fixture {
    const char *folder;
    Platform *platform;
    Session session;
    Arena *arena;
    Scope scope;
    Trainer *trainer;
} Fixture;

static inline Fixture fixture_open(void)
{
    Fixture fixture = {.arena = arena_create()};
    Error error = {0};

    EXPECT_OK(folder_make_temporary("/tmp", fixture.arena, &fixture.folder, &error), error);
    EXPECT_OK(platform_open(fixture.folder, &fixture.platform, &error), error);
    EXPECT_OK(session_open(fixture.platform, &fixture.session, &error), error);
    fixture.scope =
        session_scope(&fixture.session, fixture.platform, (Principal){"ada", ROLE_APPROVER});
    fixture.trainer = trainer_create(fixture.platform, &error);
    EXPECT_OK(fixture.trainer, error);
    return fixture;
}

static inline void fixture_close(Fixture *fixture)
{
    Error error = {0};

    trainer_destroy(fixture->trainer);
    session_close(&fixture->session);
    platform_close(fixture->platform);
    EXPECT_OK(folder_remove(fixture->folder, &error), error);
    arena_destroy(fixture->arena);
}

/* Comments that a learner can tell apart from their words, with one in noise_every labelled the
 * wrong way round (0: none), and a column that gives the label away. */
static inline const char *made_up_comments(Arena *arena, size_t first, size_t count,
                                           size_t noise_every)
{
    static const char *const spam[] = {"subscribe", "channel", "free", "check", "click", "win"};
    static const char *const ham[] = {"love", "song", "dance", "voice", "video", "beautiful"};
    TextBuilder csv = {.arena = arena};

    text_append(&csv, "CONTENT,REMOVED,CLASS\n");
    for (size_t i = first; i < first + count; i++) {
        bool is_spam = i % 2, says_spam = noise_every && i % noise_every == 0 ? !is_spam : is_spam;
        const char *const *words = is_spam ? spam : ham;

        text_append_format(&csv, "%s %s the %s of number %zu,%s,%d\n", words[i % 6],
                           words[(i / 6) % 6], words[(i / 36) % 6], i, says_spam ? "yes" : "no",
                           says_spam);
    }
    return text_built(&csv);
}

static inline DatasetVersion fixture_add_columns(Fixture *fixture, const char *csv,
                                                 const char *columns)
{
    Scope *scope = &fixture->scope;
    DatasetSpec spec = {.name = "comments", .source = "made up"};
    TreeEntry entry = {.path = "comments.csv"};
    DatasetVersion version;
    Artifact artifact;
    bool is_new;

    EXPECT_OK(artifact_add_bytes(fixture->platform->artifacts, csv, strlen(csv), &artifact,
                                 &scope->error),
              scope->error);
    memcpy(entry.digest, artifact.digest, sizeof(entry.digest));
    *arena_push(fixture->arena, &spec.files) = entry;
    spec.options.target = "CLASS";
    EXPECT_OK(
        json_parse(columns, strlen(columns), fixture->arena, &spec.options.columns, &scope->error),
        scope->error);
    EXPECT_OK(dataset_add(scope, &spec, &version, &is_new), scope->error);
    return version;
}

static inline DatasetVersion fixture_add_data(Fixture *fixture, const char *csv)
{
    return fixture_add_columns(fixture, csv, "{\"CONTENT\":\"text\",\"REMOVED\":\"known_after\"}");
}

static const char fixture_file[] = "project: spam\n"
                                   "data: {comments: {target: CLASS}}\n"
                                   "release: {endpoint: spam, gate: {metric: f1, margin: 0.01}}\n";

typedef struct FixturePut {
    const char *name, *yaml;
    ProjectChange change;
} FixturePut;

static inline bool fixture_write_project(Scope *scope, void *context)
{
    FixturePut *put = context;

    return project_put(scope, put->name, put->yaml, strlen(put->yaml), &put->change);
}

static inline ProjectChange fixture_put(Fixture *fixture, const char *yaml)
{
    FixturePut put = {"spam", yaml, {.is_new = false}};

    EXPECT_OK(scope_write(&fixture->scope, fixture_write_project, &put), fixture->scope.error);
    return put.change;
}

static inline Run fixture_wait(Fixture *fixture, const char *run_id)
{
    Run run;

    trainer_drain(fixture->trainer);
    EXPECT_OK(run_find(&fixture->scope, run_id, &run), fixture->scope.error);
    return run;
}

static inline Run fixture_train(Fixture *fixture)
{
    TrainingSpec spec = training_spec_default();
    Run run;

    spec.project = "spam";
    EXPECT_OK(training_start(&fixture->scope, fixture->trainer, &spec, &run), fixture->scope.error);
    run = fixture_wait(fixture, run.id);
    if (run.status != RUN_FINISHED)
        fprintf(stderr, "%s\n", run.failure);
    EXPECT(run.status == RUN_FINISHED);
    return run;
}

static inline const char *fixture_param(const ParamList *list, const char *key)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i].key, key) == 0)
            return list->items[i].value;
    return NULL;
}

static inline double fixture_metric(const Run *run, const char *key)
{
    for (size_t i = 0; i < run->metrics.count; i++)
        if (strcmp(run->metrics.items[i].key, key) == 0)
            return run->metrics.items[i].value;
    return NAN;
}

static inline size_t fixture_count_events(Fixture *fixture, const char *action)
{
    EventFilter filter = {.action = action};
    EventList list = {0};

    EXPECT_OK(event_list(&fixture->scope, &filter, &list), fixture->scope.error);
    return list.count;
}

/* What each test program's main is. */
static inline int fixture_main(const Test tests[], int count, char **arguments)
{
    static const WorkerStep registry_steps[] = {{"verify-package", package_verify_step}, {0}};
    static const WorkerStep *const tables[] = {data_steps, pipeline_steps, registry_steps, NULL};

    if (count == 3 && strcmp(arguments[1], "step") == 0)
        return worker_main(tables, arguments[2]);
    if (count == 3 && strcmp(arguments[1], "shim") == 0)
        return shim_main(arguments[2]);
    return test_main(tests, count, arguments);
}
