/* The search for a model of a table: baseline, linear, boosted trees with usual settings; then a
 * portfolio of settings that are good for tables of many kinds; then steps away from the best one
 * in random directions (Wu, Wang & Huang 2021, "FLOW2"); then an ensemble of what was tried. Any
 * time it may end, the best so far wins. */
#include "ml/tabular_model.h"

#include <math.h>
#include <string.h>

#include "base/time.h"
#include "ml/random.h"
#include "ml/tabular_search_internal.h"

enum {
    ROUNDS_MAX = 3000,
    PATIENCE_LEAST = 25,
    PATIENCE_MOST = 100,
    STEPS_WITHOUT_BUDGET = 6, /* of the local search, where neither clock nor trials end it */
};

/* ---- settings ---- */

/* A point of the space that is searched. */
typedef struct Settings {
    double rate, depth, least_weight;
    double row_share, column_share; /* columns: drawn anew for each split */
    double lambda;
} Settings;

/* The first is what everybody tries first. The rest in the order in which they help after those
 * before them, on public tables (bench/study_tabular.c). */
static const Settings portfolio[] = {
    /* rate, depth, least weight, shares of rows and columns, lambda */
    {0.1, 6, 1, 1, 1, 1},       {0.05, 8, 2, 0.8, 0.4, 1}, {0.1, 4, 1, 0.9, 0.8, 1},
    {0.07, 10, 1, 0.8, 0.3, 1}, {0.05, 5, 5, 0.8, 0.6, 1}, {0.05, 7, 20, 0.6, 0.3, 10},
    {0.05, 12, 1, 0.8, 0.3, 1}, {0.1, 3, 1, 0.9, 1, 1},
};

/* With more than two classes a round has a tree for each, and there is time for few: twice the rate
 * takes half of them and was no worse (covertype: log loss 0.4728 and 0.4718, in 18 s of CPU time
 * instead of 31). */
static const double rate_of_classes = 2;

static Settings settings_at(const TabularSearch *search, size_t place)
{
    Settings settings = portfolio[place];

    if (search->search.margin_count > 1)
        settings.rate *= rate_of_classes;
    return settings;
}

static BoostSpec spec_of(const TabularSearch *search, const Settings *settings)
{
    const EncodingTarget *target = &search->encoded;
    double patience = fmin(PATIENCE_MOST, fmax(PATIENCE_LEAST, 3 / settings->rate));

    return (BoostSpec){
        .objective = target->numbers            ? BOOST_NUMBER
                     : target->class_count == 2 ? BOOST_TWO
                                                : BOOST_CLASSES,
        .class_count = target->class_count,
        .rounds = ROUNDS_MAX,
        .patience = (size_t)patience,
        .learning_rate = settings->rate,
        .depth = (unsigned)round(settings->depth),
        .least_weight = settings->least_weight,
        .row_share = settings->row_share,
        .column_share = settings->column_share,
        .lambda = settings->lambda,
        .seed = search->search.spec->seed,
        /* folds run side by side instead */
        .thread_count = search->fold_count == 1 ? search->search.spec->thread_count : 1,
    };
}

static const char *describe(const Settings *settings, Arena *arena)
{
    return arena_format(arena,
                        "learning rate %.3g, depth %.0f, weight of a leaf %.3g, rows %.2g, "
                        "columns %.2g, lambda %.3g",
                        settings->rate, settings->depth, settings->least_weight,
                        settings->row_share, settings->column_share, settings->lambda);
}

/* ---- trials ---- */

static Candidate *new_candidate(TabularSearch *search, const char *name, const char *description)
{
    Candidate *candidate = &search->search.candidates[search->search.candidate_count++];

    *candidate =
        (Candidate){.name = name, .description = description, .score = NAN, .threshold = 0.5};
    trial_record_begin(&candidate->trial);
    return candidate;
}

static bool finish_trial(TabularSearch *search, Candidate *candidate, bool must_finish,
                         bool *is_finished, Error *error)
{
    size_t index = (size_t)(candidate - search->search.candidates);

    search->search.tried++;
    if (!tabular_cross_validate(search, index, must_finish, is_finished, error) ||
        (*is_finished && !tabular_score(search, candidate, error)))
        return false;
    tabular_release_models(search, false);
    search_report_progress(&search->search);
    return true;
}

static bool try_linear(TabularSearch *search, double cost, Error *error)
{
    Arena *arena = search->search.arena;
    bool is_number = search->target->numbers, is_finished;
    Candidate *candidate =
        is_number ? new_candidate(search, "ridge", arena_format(arena, "penalty=%g", cost))
                  : new_candidate(search, "logistic_regression", arena_format(arena, "C=%g", cost));

    *trial_of(search, candidate) = (Trial){.is_linear = true, .cost = cost};
    trial_record_number(&candidate->trial, is_number ? "penalty" : "C", cost, arena);
    return finish_trial(search, candidate, true, &is_finished, error);
}

static void record_boost(Candidate *candidate, const BoostSpec *boost, Arena *arena)
{
    TrialRecord *record = &candidate->trial;

    trial_record_number(record, "learning_rate", boost->learning_rate, arena);
    trial_record_number(record, "depth", boost->depth, arena);
    trial_record_number(record, "least_weight", boost->least_weight, arena);
    trial_record_number(record, "row_share", boost->row_share, arena);
    trial_record_number(record, "column_share", boost->column_share, arena);
    trial_record_number(record, "lambda", boost->lambda, arena);
}

/* *finished: NULL when it was stopped. */
static bool try_trees(TabularSearch *search, const Settings *settings, const Candidate **finished,
                      Error *error)
{
    bool is_first = !*finished, is_finished;
    Candidate *candidate =
        new_candidate(search, "boosted_trees", describe(settings, search->search.arena));
    Trial *trial = trial_of(search, candidate);

    *trial = (Trial){.boost = spec_of(search, settings)};
    record_boost(candidate, &trial->boost, search->search.arena);
    if (!finish_trial(search, candidate, is_first, &is_finished, error))
        return false;
    if (is_finished) {
        candidate->description = arena_format(search->search.arena, "%s, %zu rounds",
                                              candidate->description, trial->rounds);
        trial_record_number(&candidate->trial, "rounds", (double)trial->rounds,
                            search->search.arena);
    }
    *finished = is_finished ? candidate : NULL;
    return true;
}

/* The ensemble is no trial of its own: nothing is learnt for it. */
static bool may_go_on(TabularSearch *search)
{
    return tabular_seconds_left(search) > 0 && search_may_try(&search->search);
}

/* ---- local search ---- */

enum { DIMENSIONS = 6 };

typedef struct Range {
    size_t offset; /* in Settings */
    double least, most;
    bool is_even; /* else by ratio */
} Range;

static const Range ranges[DIMENSIONS] = {
    {offsetof(Settings, rate), 0.01, 0.3},
    {offsetof(Settings, depth), 2, 14, true},
    {offsetof(Settings, least_weight), 0.3, 100},
    {offsetof(Settings, row_share), 0.4, 1, true},
    {offsetof(Settings, column_share), 0.2, 1, true},
    {offsetof(Settings, lambda), 0.05, 50},
};

static double *setting_at(Settings *settings, const Range *range)
{
    return (void *)((char *)settings + range->offset);
}

static Settings moved(const Settings *from, const double *direction, double step)
{
    Settings to = *from;

    for (size_t i = 0; i < DIMENSIONS; i++) {
        const Range *range = &ranges[i];
        double *value = setting_at(&to, range);
        double width =
            range->is_even ? range->most - range->least : log(range->most / range->least);

        *value = range->is_even ? *value + step * direction[i] * width
                                : *value * exp(step * direction[i] * width);
        *value = fmin(range->most, fmax(range->least, *value));
    }
    return to;
}

/* Even over the directions: by normal numbers (Box & Muller 1958). */
static void draw_direction(Random *random, double *direction)
{
    double length = 0;

    for (size_t i = 0; i < DIMENSIONS; i++) {
        double radius = sqrt(-2 * log(1 - random_unit(random)));

        direction[i] = radius * cos(2 * 3.14159265358979323846 * random_unit(random));
        length += direction[i] * direction[i];
    }
    for (size_t i = 0; i < DIMENSIONS; i++)
        direction[i] /= sqrt(length);
}

typedef struct Walk {
    Settings best;
    const Candidate *best_candidate;
    double step;
    size_t tries, failures;
    bool is_better; /* after the last try */
} Walk;

static bool try_step(TabularSearch *search, Walk *walk, const double *direction, double step,
                     Error *error)
{
    Settings settings = moved(&walk->best, direction, step);
    const Candidate *candidate = walk->best_candidate;

    walk->is_better = false;
    walk->tries++;
    if (!try_trees(search, &settings, &candidate, error))
        return false;
    if (!candidate || candidate->log_loss >= walk->best_candidate->log_loss)
        return true;
    walk->is_better = true;
    walk->best = settings;
    walk->best_candidate = candidate;
    return true;
}

static bool walk_is_over(TabularSearch *search, const Walk *walk)
{
    const SearchSpec *spec = search->search.spec;
    bool is_bounded = spec->budget_seconds > 0 || spec->trials_max > 0;

    return !may_go_on(search) || (!is_bounded && walk->tries >= STEPS_WITHOUT_BUDGET);
}

static bool walk_on(TabularSearch *search, Walk *walk, Error *error)
{
    Random random = random_seeded(search->search.spec->seed);

    while (!walk_is_over(search, walk)) {
        double direction[DIMENSIONS];

        draw_direction(&random, direction);
        if (!try_step(search, walk, direction, walk->step, error))
            return false;
        if (!walk->is_better && !walk_is_over(search, walk) &&
            !try_step(search, walk, direction, -walk->step, error))
            return false;
        walk->failures = walk->is_better ? 0 : walk->failures + 1;
        if (walk->failures < 3)
            continue;
        walk->failures = 0;
        walk->step /= 2;
    }
    return true;
}

/* ---- the plan ---- */

static bool run_trees(TabularSearch *search, Error *error)
{
    Walk walk = {.step = 0.25};
    const Candidate *first = NULL;

    for (size_t i = 0; i < COUNT(portfolio); i++) {
        Settings settings = settings_at(search, i);
        const Candidate *candidate = first;

        if (i > 0 && !may_go_on(search))
            break;
        if (!try_trees(search, &settings, &candidate, error))
            return false;
        first = first ? first : candidate;
        if (candidate &&
            (!walk.best_candidate || candidate->log_loss < walk.best_candidate->log_loss)) {
            walk.best_candidate = candidate;
            walk.best = settings;
        }
    }
    return !walk.best_candidate || walk_on(search, &walk, error);
}

static bool run_plan(TabularSearch *search, Error *error)
{
    static const double costs[] = {0.1}, penalties[] = {1};
    const double *linear = search->target->numbers ? penalties : costs;

    /* what the linear model needs is gone before the trees take theirs */
    if (!tabular_learn_texts(search, error) || !try_linear(search, linear[0], error) ||
        (search_may_try(&search->search) && !tabular_prepare_trees(search, error)))
        return false;
    if (search->search.is_limited)
        return true;
    if (!search->has_trees) {
        Candidate *candidate = new_candidate(search, "boosted_trees", "");

        candidate->note =
            arena_format(search->search.arena, "left out: %s", search->no_trees.message);
        trial_record_end(&candidate->trial, TRIAL_LEFT_OUT);
        return true;
    }
    return run_trees(search, error) && tabular_add_ensemble(search, error);
}

/* ---- the whole search ---- */

static bool standardise(TabularSearch *search, Error *error)
{
    size_t count = search->table.row_count;
    double *numbers = arena_array(search->search.work, double, count), sum = 0, squares = 0;

    for (size_t row = 0; row < count; row++) {
        if (!isfinite(search->target->numbers[row]))
            return fail(error, ERROR_INVALID, "row %zu has no finite number to learn", row + 1);
        sum += search->target->numbers[row] / (double)count;
    }
    for (size_t row = 0; row < count; row++)
        squares += (search->target->numbers[row] - sum) * (search->target->numbers[row] - sum);
    search->shift = sum;
    search->scale = sqrt(squares / (double)count);
    if (!(search->scale > 0))
        return fail(error, ERROR_INVALID, "the target is the same number in every row");
    if (!isfinite(search->scale) || !isfinite(search->shift))
        return fail(error, ERROR_INVALID, "the numbers of the target are too large");
    for (size_t row = 0; row < count; row++)
        numbers[row] = (search->target->numbers[row] - search->shift) / search->scale;
    search->encoded = (EncodingTarget){.numbers = numbers};
    return true;
}

static bool find_metric(Search *search, Error *error)
{
    ModelTask task = search->classes ? TASK_CLASSIFICATION : TASK_REGRESSION;
    const char *usual = task == TASK_REGRESSION ? "rmse" : "accuracy";
    const char *name = search->spec->metric ? search->spec->metric : usual;

    search->metric = metric_find(name);
    return metric_check(name, task, error);
}

static bool check_target(TabularSearch *search, Error *error)
{
    Search *inner = &search->search;
    const Target *target = search->target;

    if (target->numbers)
        return standardise(search, error);
    if (inner->classes->count > TABULAR_CLASSES_MAX)
        return fail(error, ERROR_TOO_LARGE, "training takes at most %d classes",
                    TABULAR_CLASSES_MAX);
    search->encoded = (EncodingTarget){target->labels, inner->classes->count, NULL};
    inner->margin_count = margin_count_of(inner->classes->count);
    return search_check_labels(target->labels, search->table.row_count, inner->classes, error) &&
           search_find_positive(inner->classes, inner->spec->positive, &inner->positive, error);
}

/* At most; 0: who knows, as the time ends the search. */
static size_t trials_planned(const SearchSpec *spec)
{
    if (spec->trials_max)
        return spec->trials_max;
    return spec->budget_seconds > 0 ? 0 : COUNT(portfolio) + STEPS_WITHOUT_BUDGET + 1;
}

static bool prepare(TabularSearch *search, const Frame *frame, Error *error)
{
    Search *inner = &search->search;
    Candidate *baseline;

    inner->started_us = time_monotonic_us();
    inner->margin_count = 1;
    if (!find_metric(inner, error) || !table_read(frame, inner->work, &search->table, error) ||
        !check_target(search, error) || !tabular_assign_folds(search, error))
        return false;
    inner->planned = search->fold_count * trials_planned(inner->spec);
    baseline = search->target->numbers
                   ? new_candidate(search, "mean", "always the mean")
                   : new_candidate(search, "majority", "always the most frequent class");
    baseline->is_baseline = true;
    baseline->trial.folds = search->fold_count;
    if (!tabular_score(search, baseline, error))
        return false;
    search_report_progress(inner);
    return true;
}

/* Rows that no fold judged have no answer: NaN. */
static double *answers_of(const TabularSearch *search, const Candidate *candidate, Arena *arena)
{
    size_t width = search->target->numbers ? 1 : search->search.classes->count;
    double *answers = arena_array(arena, double, search->table.row_count *width);

    for (size_t row = 0; row < search->table.row_count; row++)
        for (size_t i = 0; i < width; i++)
            answers[row * width + i] =
                search->places[row] == SIZE_MAX
                    ? NAN
                    : candidate->probabilities[search->places[row] * width + i];
    return answers;
}

/* Three or five folds say little of how far a score may be off by chance; those of all candidates
 * together say more. */
static double standard_error(const Search *search)
{
    double sum = 0, count = 0;

    for (size_t i = 1; i < search->candidate_count; i++) {
        if (!search->candidates[i].is_finished)
            continue;
        sum += search->candidates[i].score_deviation;
        count++;
    }
    return sum / count / sqrt((double)search->fold_count);
}

/* Far behind the best, trees are not kept. */
static bool can_be_built(const Trial *trial)
{
    return trial->is_linear || trial->part_count || trial->models;
}

/* As search_choose(): the least loss of those within a standard error of the best score. */
static Candidate *choose(TabularSearch *search)
{
    Search *inner = &search->search;
    Candidate *best = search_best(inner), *chosen = best;
    double sign = inner->metric->higher_is_better ? 1 : -1, margin = standard_error(inner);

    for (size_t i = 1; i < inner->candidate_count; i++) {
        Candidate *candidate = &inner->candidates[i];

        if (candidate->is_finished && can_be_built(&search->trials[i]) &&
            (candidate->mcc > 0) == (best->mcc > 0) &&
            sign * (best->score - candidate->score) <= margin &&
            candidate->log_loss < chosen->log_loss)
            chosen = candidate;
    }
    if (chosen != best)
        chosen->note = "chosen: the least loss within a standard error of the best score";
    return chosen;
}

static bool give(TabularSearch *search, TabularResult *result, Error *error)
{
    Arena *arena = search->search.arena;
    Candidate *chosen = choose(search);
    TabularModel *model;

    if (!tabular_build(search, chosen, &model, error))
        return false;
    *result = (TabularResult){.model = model,
                              .leaderboard = search_leaderboard(&search->search, chosen, arena),
                              .out_of_fold = answers_of(search, chosen, arena),
                              .ended_after = search_ended_after(&search->search)};
    for (size_t i = 0; i < search->table.notes.count; i++)
        text_list_add(&result->notes, arena, arena_text(arena, search->table.notes.items[i]));
    for (size_t i = 0; i < search->table.left_out_count; i++)
        text_list_add(&result->left_out, arena, arena_text(arena, search->table.left_out[i]->name));
    return true;
}

bool tabular_search(const Frame *frame, const Target *target, const SearchSpec *spec, Arena *arena,
                    TabularResult *result, Error *error)
{
    CLEANUP(arena_cleanup) Arena *work = arena_create();
    TabularSearch *search = arena_new(work, TabularSearch);
    bool is_done;

    search->target = target;
    search->search.classes = target->numbers ? NULL : target->classes;
    search->search.spec = spec;
    search->search.arena = arena;
    search->search.work = work;
    is_done =
        prepare(search, frame, error) && run_plan(search, error) && give(search, result, error);
    tabular_release_models(search, true);
    tabular_release_folds(search);
    tabular_release_texts(search);
    return is_done;
}
