/* candidate_fixture.h: candidates of the endpoint "spam". */
#pragma once

#include "tests/unit/serving/serving_fixture.h"

/* The record needs versions, not models: any tree with an MLmodel is a package. */
static inline void fixture_add_bare_versions(Scene *scene, int count)
{
    for (int i = 0; i < count; i++) {
        Tree tree = {0};
        Error error = {0};
        Artifact blob, package;
        char text[32];

        snprintf(text, sizeof(text), "version: %d\n", i);
        EXPECT_OK(artifact_add_bytes(scene->platform->artifacts, text, strlen(text), &blob, &error),
                  error);
        *arena_push(scene->arena, &tree) = (TreeEntry){.path = "MLmodel", .size = blob.size};
        memcpy(tree.items[0].digest, blob.digest, sizeof(blob.digest));
        EXPECT_OK(tree_add(scene->platform->artifacts, &tree, scene->arena, &package, &error),
                  error);
        EXPECT_OK(scope_write(&scene->scope, fixture_add_version,
                              arena_text(scene->arena, package.digest)),
                  scene->scope.error);
    }
}

static inline bool fixture_make_endpoint(Scope *scope, void *name)
{
    Endpoint endpoint;

    return endpoint_ensure(scope, name, NULL, &endpoint);
}

typedef struct FixtureCandidate {
    CandidateSpec spec;
    Endpoint endpoint;
} FixtureCandidate;

static inline bool fixture_do_set(Scope *scope, void *context)
{
    FixtureCandidate *change = context;

    return endpoint_candidate_set(scope, &change->spec, &change->endpoint);
}

static inline Candidate fixture_set_as(Scene *scene, const CandidateSpec *spec)
{
    FixtureCandidate change = {.spec = *spec};

    EXPECT_OK(scope_write(&scene->scope, fixture_do_set, &change), scene->scope.error);
    return change.endpoint.candidate;
}

/* share: of 1000 */
static inline Candidate fixture_set(Scene *scene, int64_t version, int64_t share)
{
    return fixture_set_as(
        scene, &(CandidateSpec){
                   .endpoint = "spam", .version = version, .share = share, .comment = "try it"});
}

static inline Candidate fixture_set_shadow(Scene *scene, int64_t version)
{
    return fixture_set_as(
        scene, &(CandidateSpec){.endpoint = "spam", .version = version, .is_shadow = true});
}

static inline bool fixture_do_clear(Scope *scope, void *comment)
{
    Endpoint endpoint;

    return endpoint_candidate_clear(scope, "spam", comment, &endpoint);
}

static inline bool fixture_clear(Scene *scene, const char *comment)
{
    return scope_write(&scene->scope, fixture_do_clear, (void *)(uintptr_t)comment);
}

static inline bool fixture_do_promote(Scope *scope, void *context)
{
    (void)context;
    Endpoint endpoint;

    return endpoint_candidate_promote(scope, "spam", "it did well", "{\"outcome\":\"accepted\"}",
                                      &endpoint);
}

static inline bool fixture_promote(Scene *scene)
{
    return scope_write(&scene->scope, fixture_do_promote, NULL);
}
