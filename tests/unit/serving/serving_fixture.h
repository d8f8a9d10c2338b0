/* serving_fixture.h: a platform with two versions of a tiny model, trained on made-up comments: the
 * second learnt the labels the other way round, so that each answer tells which version gave it. */
#pragma once

#include "registry/model.h"
#include "serving/serving.h"
#include "tests/scene.h"

static const char *const fixture_comments[] = {
    "check out my channel please",
    "subscribe to my channel for free gifts",
    "free money visit my site",
    "please subscribe and win a free phone",
    "visit my channel for free music",
    "check my site and subscribe",
    "win money on my site now",
    "free gifts for all who subscribe",
    "I love this song",
    "what a beautiful voice",
    "this song reminds me of summer",
    "best singer of all time",
    "the video is great",
    "my favourite song ever",
    "listening to this in the night",
    "great voice and great song",
};

/* The digest of a package that reads this column; flipped: with the labels the other way round. */
static inline const char *fixture_package_of(Scene *scene, const char *column_name, bool flipped)
{
    enum { COUNT_OF_COMMENTS = COUNT(fixture_comments) };
    static const char *const names[] = {"ham", "spam"};
    static TextRef texts[COUNT_OF_COMMENTS];
    static int labels[COUNT_OF_COMMENTS];
    const FrameColumn column = {.name = column_name, .kind = COLUMN_TEXT, .texts = texts};
    const Frame frame = {&column, 1, COUNT_OF_COMMENTS};
    const ClassNames classes = {names, 2};
    SearchSpec spec = {.metric = "accuracy", .seed = 1, .fold_count = 2, .positive = "spam"};
    PackageSpec package = {.target = "CLASS", .flavor = "text", .golden = &frame};
    Error error = {0};
    Artifact tree;

    for (size_t i = 0; i < COUNT_OF_COMMENTS; i++) {
        texts[i] = (TextRef){fixture_comments[i], strlen(fixture_comments[i])};
        labels[i] = (i < COUNT_OF_COMMENTS / 2) != flipped;
    }

    Learnt result = {0};
    Target target = {.labels = labels, .classes = &classes};

    EXPECT_OK(predictor_learn(&frame, &target, &spec, scene->arena, &result, &error), error);
    package.model = result.model;
    EXPECT_OK(folder_make_temporary(scene->folder, scene->arena, &package.folder, &error), error);
    EXPECT_OK(package_write(&package, scene->arena, &error), error);
    EXPECT_OK(
        tree_add_folder(scene->platform->artifacts, package.folder, scene->arena, &tree, &error),
        error);
    predictor_unload(&result.model);
    return arena_text(scene->arena, tree.digest);
}

static inline const char *fixture_package(Scene *scene, bool flipped)
{
    return fixture_package_of(scene, "CONTENT", flipped);
}

static inline bool fixture_add_version(Scope *scope, void *package)
{
    ModelVersionSpec spec = {.model = "comments", .package = package, .dataset = "comments"};
    ModelVersion version;

    return model_version_create(scope, &spec, &version);
}

/* Its MLmodel is one byte. */
static inline bool fixture_add_damaged_version(Scope *scope, void *context)
{
    Tree tree = {0};
    Artifact blob, package;

    (void)context;
    *arena_push(scope->arena, &tree) = (TreeEntry){.path = "MLmodel"};
    if (!artifact_add_bytes(scope->platform->artifacts, "x", 1, &blob, &scope->error))
        return false;
    memcpy(tree.items[0].digest, blob.digest, sizeof(blob.digest));
    tree.items[0].size = blob.size;
    return tree_add(scope->platform->artifacts, &tree, scope->arena, &package, &scope->error) &&
           fixture_add_version(scope, package.digest);
}

/* Versions 1 and 2 of the model "comments". */
static inline void fixture_add_versions(Scene *scene)
{
    for (int flipped = 0; flipped < 2; flipped++)
        EXPECT_OK(scope_write(&scene->scope, fixture_add_version,
                              (void *)(uintptr_t)fixture_package(scene, flipped)),
                  scene->scope.error);
}

typedef struct FixtureChange {
    DeploySpec spec;
    Endpoint endpoint;
} FixtureChange;

static inline bool fixture_do_deploy(Scope *scope, void *context)
{
    FixtureChange *change = context;

    return endpoint_deploy(scope, &change->spec, &change->endpoint);
}

static inline bool fixture_do_rollback(Scope *scope, void *context)
{
    FixtureChange *change = context;

    return endpoint_rollback(scope, change->spec.endpoint, change->spec.comment, &change->endpoint);
}

/* Puts this version on the endpoint "spam"; the live deployment. */
static inline Endpoint fixture_deploy(Scene *scene, int64_t version)
{
    FixtureChange change = {.spec = {.endpoint = "spam", .model = "comments", .version = version}};

    EXPECT_OK(scope_write(&scene->scope, fixture_do_deploy, &change), scene->scope.error);
    return change.endpoint;
}

/* The version that is live afterwards, or 0 and the scope's error. */
static inline int64_t fixture_rollback(Scene *scene)
{
    FixtureChange change = {.spec = {.endpoint = "spam", .comment = "it is worse"}};

    if (!scope_write(&scene->scope, fixture_do_rollback, &change))
        return 0;
    return change.endpoint.version;
}

static inline void fixture_close_serving(Serving **serving)
{
    serving_destroy(*serving);
}

static inline void fixture_reload(Scene *scene, Serving *serving)
{
    EXPECT_OK(serving_reload(serving, &scene->scope), scene->scope.error);
}
