#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "serving/model_cache.h"
#include "tests/unit/serving/serving_fixture.h"

static void close_cache(ModelCache **cache)
{
    model_cache_destroy(*cache);
}

/* The same package with one more file, so that it has another digest. */
static const char *variant(Scene *scene, const char *package, int number)
{
    ArtifactStore *store = scene->platform->artifacts;
    const char *text = arena_format(scene->arena, "%d", number);
    Artifact blob, tree_blob;
    Error error = {0};
    TreeEntry entry;
    Tree tree;

    EXPECT_OK(tree_read(store, package, scene->arena, &tree, &error), error);
    EXPECT_OK(artifact_add_bytes(store, text, strlen(text), &blob, &error), error);
    entry = (TreeEntry){.path = arena_format(scene->arena, "note-%d", number), .size = blob.size};
    memcpy(entry.digest, blob.digest, sizeof(entry.digest));
    *arena_push(scene->arena, &tree) = entry;
    EXPECT_OK(tree_add(store, &tree, scene->arena, &tree_blob, &error), error);
    return arena_text(scene->arena, tree_blob.digest);
}

static const char *model_path(Scene *scene, const char *package)
{
    Error error = {0};
    Tree tree;

    EXPECT_OK(tree_read(scene->platform->artifacts, package, scene->arena, &tree, &error), error);
    return artifact_path(scene->platform->artifacts, tree_find(&tree, "model.slipway")->digest,
                         scene->arena);
}

static LoadedModel *obtain(ModelCache *cache, const char *package)
{
    Error error = {0};
    LoadedModel *loaded = model_cache_obtain(cache, package, &error);

    EXPECT_OK(loaded != NULL, error);
    return loaded;
}

static void overwrite_first_byte(const char *path)
{
    FILE *file = fopen(path, "r+b");

    EXPECT(file && fputc('?', file) == '?' && fclose(file) == 0);
}

static void test_a_model_that_was_given_back_is_handed_out_again(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    CLEANUP(close_cache) ModelCache *cache = model_cache_create(scene.platform->artifacts);
    const char *one = fixture_package(&scene, false), *two = fixture_package(&scene, true);
    LoadedModel *first = obtain(cache, one), *second = obtain(cache, two);

    EXPECT(first != second && obtain(cache, one) == first);
    loaded_model_unref(first);
    loaded_model_unref(first);
    EXPECT(obtain(cache, one) == first && model_cache_count(cache) == 2);
    loaded_model_unref(first);
    loaded_model_unref(second);
}

static void test_only_the_models_used_last_stay_when_nobody_uses_them(void)
{
    enum { PACKAGES = 3 * MODEL_CACHE_IDLE_MAX };
    CLEANUP(scene_close) Scene scene = scene_open();
    CLEANUP(close_cache) ModelCache *cache = model_cache_create(scene.platform->artifacts);
    const char *package = fixture_package(&scene, false);
    LoadedModel *used = obtain(cache, package);

    for (int i = 0; i < PACKAGES; i++)
        loaded_model_unref(obtain(cache, variant(&scene, package, i)));
    /* what is used, what was asked for last, and the others that may stay */
    EXPECT(model_cache_count(cache) == 2 + MODEL_CACHE_IDLE_MAX);
    EXPECT(obtain(cache, package) == used);
    loaded_model_unref(used);
    loaded_model_unref(used);
}

static void test_a_model_outlives_the_cache_while_someone_holds_it(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    ModelCache *cache = model_cache_create(scene.platform->artifacts);
    LoadedModel *held = obtain(cache, fixture_package(&scene, false));

    model_cache_destroy(cache);
    EXPECT(held->classes->count == 2);
    loaded_model_unref(held);
}

static void test_a_check_counts_until_the_bytes_of_a_file_change(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    CLEANUP(close_cache) ModelCache *cache = model_cache_create(scene.platform->artifacts);
    const char *package = fixture_package(&scene, false);
    const struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 1}};

    model_cache_set_checked(cache, package);
    EXPECT(!model_cache_is_checked(cache, package));
    loaded_model_unref(obtain(cache, package));
    EXPECT(!model_cache_is_checked(cache, package));
    model_cache_set_checked(cache, package);
    EXPECT(model_cache_is_checked(cache, package));
    EXPECT(!model_cache_is_checked(cache, variant(&scene, package, 1)));

    EXPECT(utimensat(AT_FDCWD, model_path(&scene, package), times, 0) == 0);
    EXPECT(model_cache_is_checked(cache, package)); /* touched, as by a claim: the same bytes */
    overwrite_first_byte(model_path(&scene, package));
    EXPECT(!model_cache_is_checked(cache, package));
}

static void test_a_damaged_file_is_found_although_the_model_is_in_memory(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    CLEANUP(close_cache) ModelCache *cache = model_cache_create(scene.platform->artifacts);
    const char *package = fixture_package(&scene, false);
    LoadedModel *held = obtain(cache, package);
    Error error = {0};

    model_cache_set_checked(cache, package);
    overwrite_first_byte(model_path(&scene, package));
    EXPECT(!model_cache_is_checked(cache, package));
    EXPECT(!model_cache_obtain(cache, package, &error));
    EXPECT(strstr(error.message, "damaged"));
    EXPECT(held->classes->count == 2);
    loaded_model_unref(held);
}

static void test_a_package_that_is_not_there_is_an_error(void)
{
    CLEANUP(scene_close) Scene scene = scene_open();
    CLEANUP(close_cache) ModelCache *cache = model_cache_create(scene.platform->artifacts);
    const char *package = fixture_package(&scene, false);
    Error error = {0};

    EXPECT(unlink(model_path(&scene, package)) == 0);
    EXPECT(!model_cache_obtain(cache, package, &error) && error.kind == ERROR_NOT_FOUND);
    EXPECT(model_cache_count(cache) == 0);
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_a_model_that_was_given_back_is_handed_out_again),
        TEST(test_only_the_models_used_last_stay_when_nobody_uses_them),
        TEST(test_a_model_outlives_the_cache_while_someone_holds_it),
        TEST(test_a_check_counts_until_the_bytes_of_a_file_change),
        TEST(test_a_damaged_file_is_found_although_the_model_is_in_memory),
        TEST(test_a_package_that_is_not_there_is_an_error),
        {0},
    };

    return test_main(tests, count, names);
}
