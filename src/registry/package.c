#include "registry/package.h"

#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/worker.h"
#include "registry/flavor.h"
#include "registry/package_internal.h"

enum {
    MODEL_BYTES_MAX = 1 << 30,
    DOCUMENT_BYTES_MAX = 64 << 20,
    VERIFY_TIMEOUT_MS = 10 * 60 * 1000,
    SIGNATURE_SERIES_MAX = 1000, /* whose ids are in the signature */
    REPORT_BYTES_MAX = 4 << 20,  /* of a forecast, that is kept to explain it */
};

static const double golden_tolerance = 1e-9;

static bool write_file(const PackageSpec *spec, const char *name, const char *bytes, size_t size,
                       Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();

    return file_write(arena_format(arena, "%s/%s", spec->folder, name), bytes, size, error);
}

static void write_forecast(JsonWriter *json, const ForecastModel *model, Arena *arena)
{
    Frequency frequency = forecast_model_frequency(model);
    size_t count = forecast_model_count(model);

    json_int(json, "series_count", (int64_t)count);
    json_open_array(json, "series");
    for (size_t i = 0; i < count && i < SIGNATURE_SERIES_MAX; i++)
        json_text(json, NULL, forecast_model_series(model, i).id);
    json_close(json);
    json_text(json, "frequency", frequency_name(&frequency, arena));
    json_int(json, "horizon", (int64_t)forecast_model_horizon(model));
    json_int(json, "steps_max", (int64_t)forecast_model_steps_max(model));
}

static const char *print_signature(const PackageSpec *spec, Arena *arena)
{
    JsonWriter *json = json_writer_create(arena);
    const ClassNames *classes = predictor_classes(spec->model);

    json_open_object(json, NULL);
    json_text(json, "task", model_task_name(predictor_task(spec->model)));
    json_text(json, "target", spec->target);
    json_open_array(json, "inputs");
    for (size_t i = 0; i < predictor_input_count(spec->model); i++) {
        ModelInput input = predictor_input(spec->model, i);

        json_open_object(json, NULL);
        json_text(json, "name", input.name);
        json_text(json, "kind", column_kind_name(input.kind));
        json_close(json);
    }
    json_close(json);
    json_open_array(json, "classes");
    for (size_t i = 0; i < classes->count; i++)
        json_text(json, NULL, classes->items[i]);
    json_close(json);
    if (classes->count)
        json_text(json, "positive", classes->items[predictor_positive(spec->model)]);
    if (classes->count == 2)
        json_double(json, "threshold", predictor_threshold(spec->model));
    if (predictor_forecast(spec->model))
        write_forecast(json, predictor_forecast(spec->model), arena);
    json_close(json);
    return json_finish(json);
}

static bool write_documents(const PackageSpec *spec, Error *error)
{
    const struct {
        const char *name, *document;
    } documents[] = {
        {"report.json", spec->report},           {"holdout.json", spec->holdout},
        {"leaderboard.json", spec->leaderboard}, {"profile.json", spec->profile},
        {"environment.json", spec->environment},
    };

    for (size_t i = 0; i < COUNT(documents); i++)
        if (documents[i].document && !write_file(spec, documents[i].name, documents[i].document,
                                                 strlen(documents[i].document), error))
            return false;
    return true;
}

bool package_write(const PackageSpec *spec, Arena *arena, Error *error)
{
    const char *model, *signature, *golden_text, *mlmodel;
    Golden golden;
    size_t size;

    if (!golden_make(spec->model, spec->golden, arena, &golden, error))
        return false;
    predictor_save(spec->model, arena, &model, &size);
    signature = print_signature(spec, arena);
    golden_text = golden_print(&golden, arena);
    mlmodel = mlmodel_print(spec, model, size, arena);
    return write_file(spec, PACKAGE_MODEL, model, size, error) &&
           write_file(spec, PACKAGE_SIGNATURE, signature, strlen(signature), error) &&
           write_file(spec, PACKAGE_GOLDEN, golden_text, strlen(golden_text), error) &&
           write_documents(spec, error) &&
           write_file(spec, "MLmodel", mlmodel, strlen(mlmodel), error);
}

/* A package's files, and one of them. */
typedef struct PackageFiles {
    const ArtifactStore *store;
    Tree tree;
} PackageFiles;

typedef struct PackageFile {
    const char *bytes;
    size_t size;
} PackageFile;

static bool read_file(const PackageFiles *files, const char *name, Arena *arena, PackageFile *file,
                      Error *error)
{
    const TreeEntry *entry = tree_find(&files->tree, name);

    if (!entry)
        return fail(error, ERROR_INVALID, "the package has no file \"%s\"", name);
    if (!artifact_read(files->store, entry->digest, DOCUMENT_BYTES_MAX, arena, &file->bytes,
                       &file->size, error))
        return fail_in(error, "file \"%s\" of the package", name);
    return true;
}

/* Where it lies: nothing is copied, and what no request needs is not read. */
static bool map_model(const PackageFiles *files, Package *package, Error *error)
{
    const TreeEntry *entry = tree_find(&files->tree, PACKAGE_MODEL);

    if (!entry)
        return fail(error, ERROR_INVALID, "the package has no file \"%s\"", PACKAGE_MODEL);
    if (!artifact_map(files->store, entry->digest, MODEL_BYTES_MAX, &package->map, error))
        return fail_in(error, "file \"%s\" of the package", PACKAGE_MODEL);
    return predictor_load_in_place(package->map.bytes, package->map.size, &package->model, error);
}

static bool inputs_agree(const JsonValue *inputs, const Predictor *model)
{
    if (json_count(inputs) != predictor_input_count(model))
        return false;
    for (JsonWalk walk = json_walk(inputs); json_walk_next(&walk);) {
        ModelInput input = predictor_input(model, walk.index);

        if (!text_equal(json_as_text(json_member(walk.value, "name"), NULL), input.name) ||
            !text_equal(json_as_text(json_member(walk.value, "kind"), NULL),
                        column_kind_name(input.kind)))
            return false;
    }
    return true;
}

static bool classes_agree(const JsonValue *names, const ClassNames *classes)
{
    if (json_count(names) != classes->count)
        return false;
    for (JsonWalk walk = json_walk(names); json_walk_next(&walk);)
        if (!text_equal(json_as_text(walk.value, NULL), classes->items[walk.index]))
            return false;
    return true;
}

/* Packages from before there was another task do not name theirs. */
static bool task_agrees(const JsonValue *task, ModelTask expected)
{
    return text_equal(json_as_text(task, task ? NULL : model_task_name(TASK_CLASSIFICATION)),
                      model_task_name(expected));
}

/* The signature says what the model says, or the package was put together wrongly. */
static bool check_signature(const Package *package, Error *error)
{
    if (package->target &&
        task_agrees(json_member(package->signature, "task"), predictor_task(package->model)) &&
        inputs_agree(json_member(package->signature, "inputs"), package->model) &&
        classes_agree(json_member(package->signature, "classes"),
                      predictor_classes(package->model)))
        return true;
    return fail(error, ERROR_INVALID, "the signature of the package is not that of its model");
}

/* A model of another kind is not taken for one of Slipway's that lacks a file. */
static bool check_kind(const PackageFiles *files, Arena *arena, Error *error)
{
    const char *refusal = NULL;
    TextList flavors;
    Error ignored = {0};

    if (!tree_find(&files->tree, PACKAGE_SIGNATURE) &&
        flavors_read(files->store, &files->tree, arena, &flavors, &ignored))
        refusal = flavors_refusal(&flavors, arena);
    return !refusal || fail(error, ERROR_CONFLICT, "%s", refusal);
}

bool package_check_kind(const ArtifactStore *store, const char *tree_digest, Arena *arena,
                        Error *error)
{
    PackageFiles files = {.store = store};

    return tree_read(store, tree_digest, arena, &files.tree, error) &&
           check_kind(&files, arena, error);
}

bool package_task(const ArtifactStore *store, const char *tree_digest, Arena *arena,
                  ModelTask *task, Error *error)
{
    PackageFiles files = {.store = store};
    const JsonValue *signature;
    PackageFile file;

    if (!tree_read(store, tree_digest, arena, &files.tree, error) ||
        !check_kind(&files, arena, error) ||
        !read_file(&files, PACKAGE_SIGNATURE, arena, &file, error) ||
        !json_parse(file.bytes, file.size, arena, &signature, error))
        return fail_in(error, "package \"%.64s\"", tree_digest);
    if (!model_task_find(json_as_text(json_member(signature, "task"), ""), task))
        *task = TASK_CLASSIFICATION; /* from before there was another */
    return true;
}

/* Without it a forecast is served, and its explanations say less. */
static void read_report(const PackageFiles *files, Arena *arena, Package *package)
{
    const TreeEntry *entry = tree_find(&files->tree, "report.json");
    const char *bytes;
    Error ignored = {0};
    size_t size;

    if (!predictor_forecast(package->model) || !entry)
        return;
    if (!artifact_read(files->store, entry->digest, REPORT_BYTES_MAX, arena, &bytes, &size,
                       &ignored) ||
        !json_parse(bytes, size, arena, &package->report, &ignored))
        package->report = NULL;
}

static bool open_files(const PackageFiles *files, Arena *arena, Package *package, Error *error)
{
    CLEANUP(package_close) Package opened = {0};
    PackageFile signature;

    if (!check_kind(files, arena, error) ||
        !read_file(files, PACKAGE_SIGNATURE, arena, &signature, error) ||
        !json_parse(signature.bytes, signature.size, arena, &opened.signature, error) ||
        !map_model(files, &opened, error))
        return false;
    opened.target = json_as_text(json_member(opened.signature, "target"), NULL);
    if (!check_signature(&opened, error))
        return false;
    read_report(files, arena, &opened);
    *package = opened;
    opened = (Package){0};
    return true;
}

bool package_open(const ArtifactStore *store, const char *tree_digest, Arena *arena,
                  Package *package, Error *error)
{
    PackageFiles files = {.store = store};

    if (!tree_read(store, tree_digest, arena, &files.tree, error) ||
        !open_files(&files, arena, package, error))
        return fail_in(error, "package \"%.64s\"", tree_digest);
    return true;
}

void package_close(Package *package)
{
    predictor_unload(&package->model);
    file_unmap(&package->map);
}

/* Numbers may be of any size: of large ones it is the share that counts. */
static bool is_same(double answer, double golden)
{
    return fabs(answer - golden) <= golden_tolerance * fmax(1, fabs(golden));
}

static bool compare_answers(const Golden *golden, const double *answers, const ClassNames *classes,
                            Error *error)
{
    size_t count = golden->frame.row_count * golden->width;

    for (size_t i = 0; i < count; i++) {
        const char *class = classes->count ? classes->items[i % classes->count] : NULL;

        if (is_same(answers[i], golden->answers[i]))
            continue;
        return fail(error, ERROR_CONFLICT,
                    "the model answers golden row %zu with %.12g%s%.64s%s, not %.12g as when it "
                    "was made",
                    i / golden->width + 1, answers[i], class ? " for class \"" : "",
                    class ? class : "", class ? "\"" : "", golden->answers[i]);
    }
    return true;
}

static bool check_golden(const Package *package, const Golden *golden, Arena *arena, Error *error)
{
    const ClassNames *classes = predictor_classes(package->model);
    size_t width = predictor_width(package->model);
    double *answers = arena_array(arena, double, golden->frame.row_count *width);

    if (golden->has_numbers != !classes->count)
        return fail(error, ERROR_CONFLICT, "the golden rows are answered by %s, the model by %s",
                    golden->has_numbers ? "numbers" : "classes",
                    classes->count ? "classes" : "numbers");
    if (golden->width != width)
        return fail(error, ERROR_CONFLICT, "the golden rows have %zu classes, the model has %zu",
                    golden->width, width);
    return predictor_predict(package->model, &golden->frame, answers, arena, error) &&
           compare_answers(golden, answers, classes, error);
}

/* All files before any is read. *row_count: of the golden rows that were asked. */
static bool verify(const ArtifactStore *store, const char *tree_digest, Arena *arena,
                   size_t *row_count, Error *error)
{
    CLEANUP(package_close) Package package = {0};
    PackageFile file;
    Golden golden;
    PackageFiles files = {.store = store};

    if (!tree_read(store, tree_digest, arena, &files.tree, error) ||
        !tree_check(store, &files.tree, error) || !open_files(&files, arena, &package, error) ||
        !read_file(&files, PACKAGE_GOLDEN, arena, &file, error) ||
        !golden_read(file.bytes, file.size, arena, &golden, error) ||
        !check_golden(&package, &golden, arena, error))
        return fail_in(error, "package \"%.64s\"", tree_digest);
    *row_count = golden.frame.row_count;
    return true;
}

bool package_check_golden(const ArtifactStore *store, const char *tree_digest, Arena *arena,
                          Error *error)
{
    size_t row_count = 0;

    return verify(store, tree_digest, arena, &row_count, error);
}

static void close_store(ArtifactStore **store)
{
    artifact_store_close(*store);
}

bool package_verify(Scope *scope, const char *tree_digest)
{
    JsonWriter *json = json_writer_create(scope->arena);
    WorkerSpec spec = {.step = "verify-package", .timeout_ms = VERIFY_TIMEOUT_MS};
    const JsonValue *result;

    json_open_object(json, NULL);
    json_text(json, "artifacts",
              arena_format(scope->arena, "%s/artifacts", scope->platform->folder));
    json_text(json, "package", tree_digest);
    json_close(json);
    spec.job = json_finish(json);
    return worker_run(&spec, scope->arena, &result, &scope->error);
}

bool package_verify_step(const JsonValue *job, JsonWriter *result, Arena *arena, Error *error)
{
    const char *folder = json_as_text(json_member(job, "artifacts"), NULL);
    const char *digest = json_as_text(json_member(job, "package"), NULL);
    CLEANUP(close_store) ArtifactStore *store = NULL;
    size_t row_count = 0;

    if (!folder || !digest || !digest_is_valid(digest))
        return fail(error, ERROR_INVALID,
                    "the step needs \"artifacts\", a folder, and \"package\", a digest");
    store = artifact_store_open(folder, error);
    if (!store || !verify(store, digest, arena, &row_count, error))
        return false;
    json_int(result, "golden_rows", (int64_t)row_count);
    return true;
}
