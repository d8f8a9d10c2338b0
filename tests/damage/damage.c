/* damage.c: damaged model packages, as a child meets them that is to try one. tools/damage.py
 * drives this.
 *
 *     damage many FOLDER SEED FIRST COUNT MEMORY PACKAGE...
 *
 * FOLDER is an artifact store that this program may change, PACKAGE the digest of a sound package
 * in it, MEMORY a limit in MiB (0: none). Cases FIRST to FIRST + COUNT - 1 are made and tried, each
 * batch in a process of its own with limits. Prints "KIND<TAB>OUTCOME<TAB>number" for each pair
 * that occurred, a line for each case that went wrong, and exits with 1 when there was one.
 *
 *     damage one FOLDER SEED CASE PACKAGE...
 *
 * makes that case and leaves it there: prints "KIND<TAB>the damaged blob's path or -<TAB>the digest
 * of the package to deploy<TAB>which of PACKAGE it was, from 0".
 */
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "registry/package_internal.h"
#include "tests/damage/mutate.h"

enum {
    PACKAGES_MAX = 8,
    BATCH = 500,
    BATCH_CPU_SECONDS = 120,
    FILE_BYTES_MAX = 256 << 20,
    DIGEST_LENGTH = 64,
    ERROR_OUTPUT_BYTES = 4096,
};

static const double tolerance = 1e-9;

/* ---- sound packages ---- */

typedef struct Sound {
    char digest[DIGEST_TEXT_SIZE];
    Bytes listing;
    Tree tree;
    Bytes *files;    /* as many as tree.count */
    Golden golden;   /* its rows */
    double *answers; /* what the sound model says to them */
    size_t answer_count;
} Sound;

typedef struct Store {
    ArtifactStore *store;
    Arena *arena;
    Sound packages[PACKAGES_MAX];
    size_t count;
} Store;

static _Noreturn void give_up(const char *what, const char *why)
{
    fprintf(stderr, "damage: %s: %s\n", what, why);
    exit(2);
}

static Bytes read_blob(const Store *store, const char *digest)
{
    Bytes bytes;
    Error error = {0};

    if (!artifact_read(store->store, digest, FILE_BYTES_MAX, store->arena, &bytes.items,
                       &bytes.size, &error))
        give_up("a sound package", error.message);
    return bytes;
}

static bool answer(const Package *package, const Golden *golden, Arena *arena, double **answers,
                   Error *error)
{
    size_t count = golden->frame.row_count * predictor_width(package->model);

    *answers = arena_array(arena, double, count + 1);
    return predictor_predict(package->model, &golden->frame, *answers, arena, error);
}

static const Bytes *file_named(const Sound *sound, const char *name)
{
    const TreeEntry *entry = tree_find(&sound->tree, name);

    if (!entry)
        give_up("a sound package has no file", name);
    return &sound->files[entry - sound->tree.items];
}

static void read_package(Store *store, const char *digest)
{
    Sound *sound = &store->packages[store->count++];
    CLEANUP(package_close) Package package = {0};
    const Bytes *golden;
    Error error = {0};

    snprintf(sound->digest, sizeof(sound->digest), "%s", digest);
    sound->listing = read_blob(store, digest);
    if (!tree_read(store->store, digest, store->arena, &sound->tree, &error))
        give_up("a sound package", error.message);
    sound->files = arena_array(store->arena, Bytes, sound->tree.count);
    for (size_t i = 0; i < sound->tree.count; i++)
        sound->files[i] = read_blob(store, sound->tree.items[i].digest);
    golden = file_named(sound, PACKAGE_GOLDEN);
    if (!golden_read(golden->items, golden->size, store->arena, &sound->golden, &error) ||
        !package_open(store->store, digest, store->arena, &package, &error) ||
        !answer(&package, &sound->golden, store->arena, &sound->answers, &error))
        give_up("a sound package", error.message);
    sound->answer_count = sound->golden.frame.row_count * sound->golden.width;
}

/* ---- damage ---- */

typedef enum Kind {
    KIND_IN_PLACE,
    KIND_MISSING,
    KIND_MODEL,
    KIND_SIGNATURE,
    KIND_GOLDEN,
    KIND_OTHER_FILE,
    KIND_LISTING,
    KIND_EXCHANGED,
    KIND_COUNT,
} Kind;

/* How often of 20, and whether the bytes still do not have the digest that they are named by. */
static const struct {
    const char *name;
    unsigned share;
    bool is_in_place;
} kinds[] = {
    [KIND_IN_PLACE] = {"a file or the listing, digest as before", 5, true},
    [KIND_MISSING] = {"a file is gone", 1, true},
    [KIND_MODEL] = {"model, digests made right", 6, false},
    [KIND_SIGNATURE] = {"signature, digests made right", 2, false},
    [KIND_GOLDEN] = {"golden rows, digests made right", 2, false},
    [KIND_OTHER_FILE] = {"another file, digests made right", 1, false},
    [KIND_LISTING] = {"listing, digest made right", 2, false},
    [KIND_EXCHANGED] = {"files exchanged, digests made right", 1, false},
};

typedef struct Case {
    Kind kind;
    size_t package;                /* its sound one */
    char digest[DIGEST_TEXT_SIZE]; /* of the package as it is to be tried */
    const char *changed;           /* path of the blob that is not as it was or is new, or NULL */
    const char *listing;           /* path of the new listing, or NULL */
    bool has_golden;               /* the golden rows are those of the sound package */
} Case;

typedef struct Maker {
    Store *store;
    Random random;
    Arena *arena;
} Maker;

static Kind draw_kind(Random *random)
{
    uint64_t left = random_below(random, 20);

    for (size_t i = 0; i < KIND_COUNT; i++) {
        if (left < kinds[i].share)
            return (Kind)i;
        left -= kinds[i].share;
    }
    return KIND_MODEL;
}

static void write_plain(const char *path, Bytes bytes)
{
    FILE *file = fopen(path, "wb");

    if (!file || fwrite(bytes.items, 1, bytes.size, file) != bytes.size || fclose(file) != 0)
        give_up(path, strerror(errno));
}

/* A blob under the digest of its bytes; the path is NULL when it was there before. */
static const char *add_blob(const Maker *maker, Bytes bytes, char digest[DIGEST_TEXT_SIZE])
{
    const char *path;
    Error error = {0};

    path = artifact_path(maker->store->store, digest_bytes(bytes.items, bytes.size, digest),
                         maker->arena);
    if (file_exists(path))
        return NULL;
    if (!folder_make(path_folder(path, maker->arena), &error))
        give_up(path, error.message);
    write_plain(path, bytes);
    return path;
}

static Bytes mutate_file(Maker *maker, const char *name, Bytes bytes)
{
    bool is_binary = strcmp(name, PACKAGE_MODEL) == 0 || strcmp(name, "train_ids") == 0;

    return (is_binary ? mutate_binary : mutate_json)(bytes, &maker->random, maker->arena);
}

static void damage_in_place(Maker *maker, const Sound *sound, Case *made)
{
    size_t index = (size_t)random_below(&maker->random, sound->tree.count + 1);
    bool is_listing = index == sound->tree.count;
    const char *digest = is_listing ? sound->digest : sound->tree.items[index].digest;
    Bytes damaged = is_listing
                        ? mutate_listing(sound->listing, &maker->random, maker->arena)
                        : mutate_file(maker, sound->tree.items[index].path, sound->files[index]);

    made->changed = artifact_path(maker->store->store, digest, maker->arena);
    if (made->kind == KIND_MISSING)
        unlink(made->changed);
    else
        write_plain(made->changed, damaged);
}

static void add_listing(Maker *maker, Bytes listing, Case *made)
{
    made->listing = add_blob(maker, listing, made->digest);
}

/* The package with other bytes in one file, all digests right. */
static void replace_file(Maker *maker, const Sound *sound, const char *name, Bytes bytes,
                         Case *made)
{
    TextBuilder listing = {.arena = maker->arena};
    char digest[DIGEST_TEXT_SIZE];

    made->changed = add_blob(maker, bytes, digest);
    text_append(&listing, "slipway-tree 1\n");
    for (size_t i = 0; i < sound->tree.count; i++) {
        const TreeEntry *entry = &sound->tree.items[i];
        bool is_it = strcmp(entry->path, name) == 0;

        text_append_format(&listing, "%s %lld %s\n", is_it ? digest : entry->digest,
                           (long long)(is_it ? (int64_t)bytes.size : entry->size), entry->path);
    }
    add_listing(maker, (Bytes){text_built(&listing), listing.count}, made);
}

static void damage_file(Maker *maker, const Sound *sound, const char *name, Case *made)
{
    replace_file(maker, sound, name, mutate_file(maker, name, *file_named(sound, name)), made);
}

static void damage_other_file(Maker *maker, const Sound *sound, Case *made)
{
    static const char *const read[] = {PACKAGE_MODEL, PACKAGE_SIGNATURE, PACKAGE_GOLDEN};
    size_t index = (size_t)random_below(&maker->random, sound->tree.count);

    for (size_t i = 0; i < COUNT(read); i++)
        if (strcmp(sound->tree.items[index].path, read[i]) == 0)
            index = 0; /* MLmodel: capitals sort first */
    damage_file(maker, sound, sound->tree.items[index].path, made);
}

/* A file of another package, or another file of this one, under its name. */
static void exchange(Maker *maker, const Sound *sound, Case *made)
{
    static const char *const names[] = {PACKAGE_MODEL, PACKAGE_SIGNATURE, PACKAGE_MODEL};
    const char *name = names[random_below(&maker->random, COUNT(names))];
    size_t other = (size_t)random_below(&maker->random, maker->store->count);
    const Sound *from = &maker->store->packages[other];
    size_t file = (size_t)random_below(&maker->random, sound->tree.count);

    replace_file(maker, sound, name, from == sound ? sound->files[file] : *file_named(from, name),
                 made);
}

static Case make_case(Store *store, uint64_t seed, uint64_t number, Arena *arena)
{
    Maker maker = {store, random_seeded(seed * 1000003 + number), arena};
    Case made = {.kind = draw_kind(&maker.random), .has_golden = true};
    const Sound *sound;

    made.package = (size_t)random_below(&maker.random, store->count);
    sound = &store->packages[made.package];
    memcpy(made.digest, sound->digest, sizeof(made.digest));
    if (kinds[made.kind].is_in_place)
        damage_in_place(&maker, sound, &made);
    else if (made.kind == KIND_LISTING)
        add_listing(&maker, mutate_listing(sound->listing, &maker.random, arena), &made);
    else if (made.kind == KIND_EXCHANGED)
        exchange(&maker, sound, &made);
    else if (made.kind == KIND_OTHER_FILE)
        damage_other_file(&maker, sound, &made);
    else
        damage_file(&maker, sound,
                    made.kind == KIND_MODEL       ? PACKAGE_MODEL
                    : made.kind == KIND_SIGNATURE ? PACKAGE_SIGNATURE
                                                  : PACKAGE_GOLDEN,
                    &made);
    made.has_golden = made.kind != KIND_GOLDEN && made.kind != KIND_LISTING;
    return made;
}

static void restore(const Store *store)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();

    for (size_t i = 0; i < store->count; i++) {
        const Sound *sound = &store->packages[i];

        write_plain(artifact_path(store->store, sound->digest, arena), sound->listing);
        for (size_t k = 0; k < sound->tree.count; k++)
            write_plain(artifact_path(store->store, sound->tree.items[k].digest, arena),
                        sound->files[k]);
    }
}

static void restore_blob(const Store *store, const Sound *sound, const char *path, Arena *arena)
{
    if (strcmp(path, artifact_path(store->store, sound->digest, arena)) == 0)
        write_plain(path, sound->listing);
    for (size_t i = 0; i < sound->tree.count; i++)
        if (strcmp(path, artifact_path(store->store, sound->tree.items[i].digest, arena)) == 0)
            write_plain(path, sound->files[i]);
}

static void undo(const Store *store, const Case *made, Arena *arena)
{
    if (kinds[made->kind].is_in_place) {
        restore_blob(store, &store->packages[made->package], made->changed, arena);
        return;
    }
    if (made->changed)
        unlink(made->changed);
    if (made->listing)
        unlink(made->listing);
}

/* ---- what comes of it ---- */

typedef enum Outcome {
    REFUSED_DIGEST,
    REFUSED_FORM,
    REFUSED_GOLDEN,
    ACCEPTED_SAME,
    ACCEPTED_ITS_OWN,
    ENDED_MEMORY,
    WRONG_NOT_REFUSED,
    WRONG_DIFFERENT,
    WRONG_ANSWER,
    WRONG_ENDED,
    OUTCOME_COUNT,
} Outcome;

static const char *const outcomes[] = {
    [REFUSED_DIGEST] = "refused: not the digest",
    [REFUSED_FORM] = "refused: malformed",
    [REFUSED_GOLDEN] = "refused: golden rows",
    [ACCEPTED_SAME] = "accepted: the same answers",
    [ACCEPTED_ITS_OWN] = "accepted: other golden rows, answered as they promise",
    [ENDED_MEMORY] = "the child ended: out of memory",
    [WRONG_NOT_REFUSED] = "WRONG: not refused",
    [WRONG_DIFFERENT] = "WRONG: answers differ from the golden rows",
    [WRONG_ANSWER] = "WRONG: no answer",
    [WRONG_ENDED] = "WRONG: the child was ended",
};

static Outcome judge_refusal(const Case *made, const Error *error)
{
    if (strstr(error->message, "is damaged: its bytes have digest") ||
        strstr(error->message, "is not in the store"))
        return REFUSED_DIGEST;
    if (kinds[made->kind].is_in_place)
        return WRONG_NOT_REFUSED; /* somebody read what does not have its digest */
    return strstr(error->message, "golden") ? REFUSED_GOLDEN : REFUSED_FORM;
}

static bool are_probabilities(const double *values, size_t count)
{
    double sum = 0;

    for (size_t i = 0; i < count; i++) {
        if (!(values[i] >= 0 && values[i] <= 1))
            return false;
        sum += values[i];
    }
    return fabs(sum - 1) < 1e-6;
}

/* What a forecast is asked, for as many steps as it never has, is refused with a sentence. */
static bool refuses_nonsense(const Predictor *model, const Frame *frame, Arena *arena)
{
    double *answers = arena_array(arena, double, predictor_width(model));
    Error error = {0};

    return !predictor_predict(model, frame, answers, arena, &error) && error.message[0];
}

static bool is_answer(const Predictor *model, const double *answers)
{
    if (predictor_task(model) == TASK_REGRESSION)
        return isfinite(answers[0]);
    return are_probabilities(answers, predictor_width(model)) &&
           predictor_decide(model, answers) < predictor_width(model);
}

/* A row as nobody meant it: the model answers and explains it, whatever it holds. */
static bool answers_anything(const Predictor *model, Arena *arena)
{
    static const char text[] = "free \xff\xc3\x28 Click!!! \xF0\x9F\x98\x80 click 1e9 \xCE\xA3 buy";
    static const TextRef texts[] = {{text, sizeof(text) - 1}};
    static const double numbers[] = {1e308};
    size_t input_count = predictor_input_count(model), width = predictor_width(model);
    FrameColumn *columns = arena_array(arena, FrameColumn, input_count + 1);
    double *answers = arena_array(arena, double, width);
    Frame frame = {columns, input_count, 1};
    Explanation explanation;
    Error error = {0};

    for (size_t i = 0; i < input_count; i++) {
        ModelInput input = predictor_input(model, i);

        columns[i] = (FrameColumn){input.name, input.kind, texts, numbers};
    }
    if (predictor_task(model) == TASK_FORECAST)
        return refuses_nonsense(model, &frame, arena);
    return predictor_predict(model, &frame, answers, arena, &error) && is_answer(model, answers) &&
           predictor_explain(model, &frame, 0, width - 1, arena, &explanation, &error);
}

static bool are_equal(const Sound *sound, const double *answers)
{
    for (size_t i = 0; i < sound->answer_count; i++)
        if (!(fabs(answers[i] - sound->answers[i]) <= tolerance * fmax(1, fabs(sound->answers[i]))))
            return false;
    return true;
}

/* What was accepted is opened as the server opens it, and asked what the sound one was asked. */
static Outcome judge_accepted(const Store *store, const Case *made, Arena *arena)
{
    const Sound *sound = &store->packages[made->package];
    CLEANUP(package_close) Package package = {0};
    Error error = {0};
    double *answers;

    if (made->kind == KIND_MISSING || made->kind == KIND_IN_PLACE)
        return WRONG_NOT_REFUSED;
    if (!package_open(store->store, made->digest, arena, &package, &error) ||
        !answers_anything(package.model, arena))
        return WRONG_ANSWER;
    if (predictor_width(package.model) == sound->golden.width &&
        answer(&package, &sound->golden, arena, &answers, &error) && are_equal(sound, answers))
        return ACCEPTED_SAME;
    return made->has_golden ? WRONG_DIFFERENT : ACCEPTED_ITS_OWN;
}

static Outcome try_case(const Store *store, const Case *made, Arena *arena, Error *error)
{
    if (!package_check_golden(store->store, made->digest, arena, error))
        return judge_refusal(made, error);
    return judge_accepted(store, made, arena);
}

/* ---- many, in processes with limits ---- */

typedef struct Shared {
    uint64_t next; /* the case under way */
    Kind kind;     /* its kind */
    uint64_t counts[KIND_COUNT][OUTCOME_COUNT];
} Shared;

typedef struct Run {
    Store *store;
    Shared *shared;
    uint64_t seed, end;
    rlim_t memory_bytes; /* 0: no limit */
} Run;

static void tell_wrong(const Run *run, Outcome outcome, const char *why)
{
    printf("case %llu of seed %llu, %s: %s: %s\n", (unsigned long long)run->shared->next,
           (unsigned long long)run->seed, kinds[run->shared->kind].name, outcomes[outcome], why);
    fflush(stdout);
}

static void set_limits(const Run *run)
{
    struct rlimit cpu = {BATCH_CPU_SECONDS, BATCH_CPU_SECONDS};
    struct rlimit memory = {run->memory_bytes, run->memory_bytes};
    struct rlimit core = {0, 0};

    setrlimit(RLIMIT_CPU, &cpu);
    setrlimit(RLIMIT_CORE, &core);
    if (run->memory_bytes)
        setrlimit(RLIMIT_AS, &memory);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static void try_batch(const Run *run)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    uint64_t last = run->shared->next + BATCH < run->end ? run->shared->next + BATCH : run->end;

    set_limits(run);
    while (run->shared->next < last) {
        Case made = make_case(run->store, run->seed, run->shared->next, arena);
        Error error = {0};
        Outcome outcome;

        run->shared->kind = made.kind;
        outcome = try_case(run->store, &made, arena, &error);
        undo(run->store, &made, arena);
        if (outcome >= WRONG_NOT_REFUSED)
            tell_wrong(run, outcome, error.message);
        run->shared->counts[made.kind][outcome]++;
        run->shared->next++;
        arena_reset(arena);
    }
}

static void judge_end(const Run *run, int status, int errors)
{
    char text[ERROR_OUTPUT_BYTES] = {0};
    ssize_t size = pread(errors, text, sizeof(text) - 1, 0);
    bool is_memory = size > 0 && strstr(text, "out of memory") && WIFSIGNALED(status) &&
                     WTERMSIG(status) == SIGABRT;
    Outcome outcome = is_memory ? ENDED_MEMORY : WRONG_ENDED;

    if (!is_memory) {
        snprintf(text + strlen(text), sizeof(text) - strlen(text), " (wait status %d)", status);
        tell_wrong(run, outcome, text);
    }
    run->shared->counts[run->shared->kind][outcome]++;
    run->shared->next++;
    restore(run->store);
}

static void run_batch(const Run *run)
{
    int errors = memfd_create("errors", MFD_CLOEXEC), status = 0;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (errors < 0 || child < 0)
        give_up("a process for a batch", strerror(errno));
    if (child == 0) {
        dup2(errors, STDERR_FILENO);
        try_batch(run);
        fflush(stdout);
        _exit(0);
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    if (status != 0)
        judge_end(run, status, errors);
    close(errors);
}

static int tell_counts(const Shared *shared)
{
    bool is_wrong = false;

    for (size_t kind = 0; kind < KIND_COUNT; kind++)
        for (size_t outcome = 0; outcome < OUTCOME_COUNT; outcome++) {
            if (!shared->counts[kind][outcome])
                continue;
            is_wrong |= outcome >= WRONG_NOT_REFUSED;
            printf("%s\t%s\t%llu\n", kinds[kind].name, outcomes[outcome],
                   (unsigned long long)shared->counts[kind][outcome]);
        }
    return is_wrong ? 1 : 0;
}

static int run_many(Store *store, uint64_t seed, uint64_t first, uint64_t count, uint64_t mebibytes)
{
    Run run = {.store = store, .seed = seed, .end = first + count, .memory_bytes = mebibytes << 20};

    run.shared =
        mmap(NULL, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (run.shared == MAP_FAILED)
        give_up("shared memory", strerror(errno));
    for (run.shared->next = first; run.shared->next < run.end;)
        run_batch(&run);
    return tell_counts(run.shared);
}

static int run_one(Store *store, uint64_t seed, uint64_t number)
{
    Case made = make_case(store, seed, number, store->arena);

    printf("%s\t%s\t%s\t%zu\n", kinds[made.kind].name,
           kinds[made.kind].is_in_place ? made.changed : "-", made.digest, made.package);
    return 0;
}

static uint64_t number_of(const char *text)
{
    int64_t number;

    if (!text_to_int(text, &number) || number < 0)
        give_up(text, "not a whole number");
    return (uint64_t)number;
}

int main(int argc, char **argv)
{
    bool is_many = argc > 7 && strcmp(argv[1], "many") == 0;
    bool is_one = argc > 5 && strcmp(argv[1], "one") == 0;
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Store store = {.arena = arena};
    Error error = {0};
    int status;

    if (!is_many && !is_one)
        give_up("usage", "damage many FOLDER SEED FIRST COUNT MEMORY PACKAGE... or "
                         "damage one FOLDER SEED CASE PACKAGE...");
    store.store = artifact_store_open(argv[2], &error);
    if (!store.store)
        give_up(argv[2], error.message);
    for (int i = is_many ? 7 : 5; i < argc && store.count < PACKAGES_MAX; i++)
        read_package(&store, argv[i]);
    if (is_many)
        status = run_many(&store, number_of(argv[3]), number_of(argv[4]), number_of(argv[5]),
                          number_of(argv[6]));
    else
        status = run_one(&store, number_of(argv[3]), number_of(argv[4]));
    artifact_store_close(store.store);
    return status;
}
