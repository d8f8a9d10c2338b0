#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ml/random.h"
#include "ml/report_internal.h"
#include "ml/report_slice.h"

/* What a metric is made of, prepared once per model and used for each resample. */
typedef enum MetricFamily {
    FAMILY_COUNTS,
    FAMILY_LOG_LOSS,
    FAMILY_BRIER,
    FAMILY_RANKING,
    FAMILY_CALIBRATION,
    FAMILY_NUMBERS,
} MetricFamily;

static const struct {
    size_t offset;
    MetricFamily family;
} families[] = {
    {offsetof(Report, log_loss), FAMILY_LOG_LOSS},
    {offsetof(Report, brier), FAMILY_BRIER},
    {offsetof(Report, auc), FAMILY_RANKING},
    {offsetof(Report, average_precision), FAMILY_RANKING},
    {offsetof(Report, calibration_error), FAMILY_CALIBRATION},
};

static MetricFamily metric_family(const MetricKind *metric)
{
    if (metric->task == TASK_REGRESSION)
        return FAMILY_NUMBERS;
    for (size_t i = 0; i < COUNT(families); i++)
        if (families[i].offset == metric->offset)
            return families[i].family;
    return FAMILY_COUNTS;
}

/* A model as judged by one metric. */
typedef struct Judge {
    const MetricKind *metric;
    MetricFamily family;
    size_t row_count;
    Sample sample;        /* of classes */
    NumberSample numbers; /* of numbers */
    Tally tally;
    RankingList rankings;
    const double *losses;
} Judge;

static Judge judge_create(const Sample *sample, const MetricKind *metric, Arena *arena)
{
    Judge judge = {.metric = metric,
                   .family = metric_family(metric),
                   .row_count = sample->row_count,
                   .sample = *sample};

    switch (judge.family) {
    case FAMILY_COUNTS:
        judge.tally = tally_create(sample, arena);
        break;
    case FAMILY_LOG_LOSS:
        judge.losses = sample_log_losses(sample, arena);
        break;
    case FAMILY_BRIER:
        judge.losses = sample_briers(sample, arena);
        break;
    case FAMILY_RANKING:
        judge.rankings = rankings_create(sample, arena);
        break;
    case FAMILY_CALIBRATION:
    case FAMILY_NUMBERS:
        break;
    }
    return judge;
}

static Judge judge_create_numbers(const NumberSample *sample, const MetricKind *metric,
                                  Arena *arena)
{
    Judge judge = {.metric = metric,
                   .family = FAMILY_NUMBERS,
                   .row_count = sample->row_count,
                   .numbers = *sample};

    if (metric_needs_order(metric))
        judge.numbers.by_error = number_sample_order(sample, arena);
    return judge;
}

static double judge_value(Judge *judge, const uint32_t *weights)
{
    Report report = {.task = judge->metric->task};

    switch (judge->family) {
    case FAMILY_COUNTS:
        tally_fill(&judge->tally, &judge->sample, weights);
        tally_figures(&judge->tally, &report);
        break;
    case FAMILY_LOG_LOSS:
    case FAMILY_BRIER:
        return weighted_mean(judge->losses, weights, judge->sample.row_count);
    case FAMILY_RANKING:
        rankings_figures(&judge->rankings, weights, &report);
        break;
    case FAMILY_CALIBRATION:
        calibration_figures(&judge->sample, weights, &report);
        break;
    case FAMILY_NUMBERS:
        number_figures(&judge->numbers, weights, &report);
        break;
    }
    return metric_value(judge->metric, &report);
}

typedef struct BootstrapSpec {
    double level;
    size_t resamples;
    uint64_t seed;
} BootstrapSpec;

static void draw_weights(Random *random, uint32_t *weights, size_t count)
{
    memset(weights, 0, count * sizeof(*weights));
    for (size_t i = 0; i < count; i++)
        weights[random_below(random, count)]++;
}

int number_compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

double sorted_quantile(const double *sorted, size_t count, double share)
{
    double place = share * (double)(count - 1);
    size_t below = (size_t)place;
    size_t above = below + 1 < count ? below + 1 : below;

    return sorted[below] + (place - (double)below) * (sorted[above] - sorted[below]);
}

static bool check_request(const BootstrapSpec *spec, const MetricKind *metric, ModelTask task,
                          Error *error)
{
    if (!(spec->level > 0 && spec->level < 1))
        return fail(error, ERROR_INVALID,
                    "the level of an interval is %g, but it must be between 0 and 1", spec->level);
    if (spec->resamples == 0 || spec->resamples > BOOTSTRAP_RESAMPLES_MAX)
        return fail(error, ERROR_INVALID, "a bootstrap takes 1 to %d resamples, not %zu",
                    BOOTSTRAP_RESAMPLES_MAX, spec->resamples);
    return metric_check(metric->name, task, error);
}

static bool judge_all_rows(const Judge *judge, const char *who, const ClassNames *classes,
                           double *value, Error *error)
{
    const Sample *sample = &judge->sample;
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Report report;

    if (!report_make(sample->truth, sample->predictions->predicted,
                     sample->predictions->probabilities, sample->row_count, classes,
                     sample->positive, arena, &report, error))
        return fail_in(error, "the %s", who);
    *value = metric_value(judge->metric, &report);
    if (!isnan(*value))
        return true;
    if (!sample->predictions->probabilities)
        return fail(error, ERROR_INVALID, "the %s has no probabilities, which \"%s\" needs", who,
                    judge->metric->name);
    return fail(error, ERROR_INVALID,
                "\"%s\" of the %s is not defined on these rows: each class must occur in them",
                judge->metric->name, who);
}

/* Resamples that leave out a whole class can be undefined; they are skipped, not counted as 0. */
static size_t resample(Judge *champion, Judge *challenger, size_t resamples, uint64_t seed,
                       double *differences)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    size_t row_count = champion->row_count, count = 0;
    uint32_t *weights = arena_array(arena, uint32_t, row_count);
    Random random = random_seeded(seed);

    for (size_t i = 0; i < resamples; i++) {
        double difference;

        draw_weights(&random, weights, row_count);
        difference = judge_value(challenger, weights) - judge_value(champion, weights);
        if (!isnan(difference))
            differences[count++] = difference;
    }
    qsort(differences, count, sizeof(*differences), number_compare);
    return count;
}

/* values: of both on all rows. */
static bool make_interval(Judge judges[2], const double values[2], const BootstrapSpec *spec,
                          PairedInterval *interval, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    double *differences = arena_array(arena, double, spec->resamples);
    size_t count = resample(&judges[0], &judges[1], spec->resamples, spec->seed, differences);

    if ((double)count < 0.9 * (double)spec->resamples)
        return fail(error, ERROR_INVALID,
                    "only %zu of %zu resamples gave a number for \"%s\": a class has too few rows",
                    count, spec->resamples, judges[0].metric->name);
    *interval = (PairedInterval){
        .champion = values[0],
        .challenger = values[1],
        .difference = values[1] - values[0],
        .low = sorted_quantile(differences, count, (1 - spec->level) / 2),
        .high = sorted_quantile(differences, count, (1 + spec->level) / 2),
        .resamples = count,
    };
    return true;
}

static const char *const contenders[] = {"champion", "challenger"};

bool paired_bootstrap(const int *truth, const Predictions *champion, const Predictions *challenger,
                      size_t row_count, const ClassNames *classes, size_t positive,
                      const MetricKind *metric, double level, size_t resamples, uint64_t seed,
                      PairedInterval *interval, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Sample samples[] = {{truth, champion, row_count, classes->count, positive},
                        {truth, challenger, row_count, classes->count, positive}};
    BootstrapSpec spec = {level, resamples, seed};
    Judge judges[2];
    double values[2];

    if (!check_request(&spec, metric, TASK_CLASSIFICATION, error))
        return false;
    for (size_t i = 0; i < 2; i++) {
        judges[i] = (Judge){.metric = metric, .sample = samples[i]};
        if (!judge_all_rows(&judges[i], contenders[i], classes, &values[i], error))
            return false;
        judges[i] = judge_create(&samples[i], metric, arena);
    }
    return make_interval(judges, values, &spec, interval, error);
}

static bool judge_all_numbers(const NumberSample *sample, const MetricKind *metric, const char *who,
                              double *value, Error *error)
{
    Report report;

    if (!report_make_numbers(sample->truth, sample->predicted, sample->row_count, &report, error))
        return fail_in(error, "the %s", who);
    *value = metric_value(metric, &report);
    return !isnan(*value) ||
           fail(error, ERROR_INVALID, "\"%s\" of the %s is not defined on %zu row%s", metric->name,
                who, sample->row_count, sample->row_count == 1 ? "" : "s");
}

bool paired_bootstrap_numbers(const NumberRivals *rivals, PairedInterval *interval, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    NumberSample samples[] = {{rivals->truth, rivals->champion, rivals->row_count, NULL},
                              {rivals->truth, rivals->challenger, rivals->row_count, NULL}};
    BootstrapSpec spec = {rivals->level, rivals->resamples, rivals->seed};
    Judge judges[2];
    double values[2];

    if (!check_request(&spec, rivals->metric, TASK_REGRESSION, error))
        return false;
    for (size_t i = 0; i < 2; i++) {
        if (!judge_all_numbers(&samples[i], rivals->metric, contenders[i], &values[i], error))
            return false;
        judges[i] = judge_create_numbers(&samples[i], rivals->metric, arena);
    }
    return make_interval(judges, values, &spec, interval, error);
}

/* ---- several answers of the challenger ---- */

typedef struct Judged {
    Judge judge;
    double value; /* on all rows */
} Judged;

static bool judge_one(const RepeatedRivals *rivals, const Predictions *answers, Arena *arena,
                      Judged *judged, Error *error)
{
    NumberSample numbers = {rivals->true_numbers, answers->numbers, rivals->row_count, NULL};
    Sample sample = {.truth = rivals->truth,
                     .predictions = answers,
                     .row_count = rivals->row_count,
                     .class_count = rivals->classes ? rivals->classes->count : 0,
                     .positive = rivals->positive};
    Judge judge = {.metric = rivals->metric, .sample = sample};

    if (!rivals->classes) {
        if (!judge_all_numbers(&numbers, rivals->metric, "model", &judged->value, error))
            return false;
        judged->judge = judge_create_numbers(&numbers, rivals->metric, arena);
        return true;
    }
    if (!judge_all_rows(&judge, "model", rivals->classes, &judged->value, error))
        return false;
    judged->judge = judge_create(&sample, rivals->metric, arena);
    return true;
}

/* How many challengers are drawn, and how often each. */
typedef struct Turns {
    Random random;
    uint32_t *times;
    size_t count;
} Turns;

static void draw_turns(Turns *turns)
{
    memset(turns->times, 0, turns->count * sizeof(*turns->times));
    for (size_t i = 0; i < turns->count; i++)
        turns->times[random_below(&turns->random, turns->count)]++;
}

/* The mean of the differences, which is exactly 0 where all are. */
static double mean_difference(Judged *judged, const Turns *turns, const uint32_t *weights)
{
    double champion = judge_value(&judged[0].judge, weights), sum = 0;

    for (size_t i = 0; i < turns->count; i++)
        if (turns->times[i])
            sum += turns->times[i] * (judge_value(&judged[i + 1].judge, weights) - champion);
    return sum / (double)turns->count;
}

/* judged: the champion, then the challengers. */
static void repeated_interval(const RepeatedRivals *rivals, Judged *judged,
                              PairedInterval *interval)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    uint32_t *weights = arena_array(arena, uint32_t, rivals->row_count);
    double *differences = arena_array(arena, double, rivals->resamples);
    Turns turns = {random_seeded(rivals->seed),
                   arena_array(arena, uint32_t, rivals->challenger_count),
                   rivals->challenger_count};
    size_t count = 0;

    for (size_t i = 0; i < rivals->resamples; i++) {
        double difference;

        draw_weights(&turns.random, weights, rivals->row_count);
        draw_turns(&turns);
        difference = mean_difference(judged, &turns, weights);
        if (!isnan(difference))
            differences[count++] = difference;
    }
    interval->low = interval->high = NAN;
    interval->resamples = count;
    if ((double)count < 0.9 * (double)rivals->resamples)
        return;
    qsort(differences, count, sizeof(*differences), number_compare);
    interval->low = sorted_quantile(differences, count, (1 - rivals->level) / 2);
    interval->high = sorted_quantile(differences, count, (1 + rivals->level) / 2);
}

bool repeated_bootstrap(const RepeatedRivals *rivals, PairedInterval *interval, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    BootstrapSpec spec = {rivals->level, rivals->resamples, rivals->seed};
    ModelTask task = rivals->classes ? TASK_CLASSIFICATION : TASK_REGRESSION;
    Judged *judged = arena_array(arena, Judged, rivals->challenger_count + 1);
    PairedInterval made = {0};

    if (!check_request(&spec, rivals->metric, task, error) ||
        !judge_one(rivals, rivals->champion, arena, &judged[0], error))
        return false;
    for (size_t i = 0; i < rivals->challenger_count; i++) {
        if (!judge_one(rivals, &rivals->challengers[i], arena, &judged[i + 1], error))
            return false;
        made.challenger += judged[i + 1].value / (double)rivals->challenger_count;
        made.difference +=
            (judged[i + 1].value - judged[0].value) / (double)rivals->challenger_count;
    }
    made.champion = judged[0].value;
    repeated_interval(rivals, judged, &made);
    *interval = made;
    return true;
}

/* ---- one model ---- */

static size_t resample_alone(Judge *judge, const IntervalSpec *spec, double *scores)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    uint32_t *weights = arena_array(arena, uint32_t, judge->row_count);
    Random random = random_seeded(spec->seed);
    size_t count = 0;

    for (size_t i = 0; i < spec->resamples; i++) {
        double score;

        draw_weights(&random, weights, judge->row_count);
        score = judge_value(judge, weights);
        if (!isnan(score))
            scores[count++] = score;
    }
    qsort(scores, count, sizeof(*scores), number_compare);
    return count;
}

bool report_interval(const JudgedRows *rows, const IntervalSpec *spec, ScoreInterval *interval)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const Sample sample = {rows->truth, &rows->predictions, rows->row_count,
                           rows->classes ? rows->classes->count : 0, rows->positive};
    const NumberSample numbers = {rows->numbers, rows->predictions.numbers, rows->row_count, NULL};
    Judge judge = rows->numbers ? judge_create_numbers(&numbers, rows->metric, arena)
                                : judge_create(&sample, rows->metric, arena);
    uint32_t *ones = arena_array(arena, uint32_t, rows->row_count);
    double *scores = arena_array(arena, double, spec->resamples);
    size_t count;
    double score;

    for (size_t row = 0; row < rows->row_count; row++)
        ones[row] = 1;
    score = judge_value(&judge, ones);
    count = isnan(score) ? 0 : resample_alone(&judge, spec, scores);
    if (count == 0 || (double)count < 0.9 * (double)spec->resamples)
        return false;
    *interval = (ScoreInterval){score, sorted_quantile(scores, count, (1 - spec->level) / 2),
                                sorted_quantile(scores, count, (1 + spec->level) / 2)};
    return true;
}
