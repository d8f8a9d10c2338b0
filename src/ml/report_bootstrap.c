#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ml/random.h"
#include "ml/report_internal.h"

/* What a metric is made of, prepared once per model and used for each resample. */
typedef enum MetricFamily {
    FAMILY_COUNTS,
    FAMILY_LOG_LOSS,
    FAMILY_BRIER,
    FAMILY_RANKING,
    FAMILY_CALIBRATION,
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
    for (size_t i = 0; i < COUNT(families); i++)
        if (families[i].offset == metric->offset)
            return families[i].family;
    return FAMILY_COUNTS;
}

/* A model as judged by one metric. */
typedef struct Judge {
    const MetricKind *metric;
    MetricFamily family;
    Sample sample;
    Tally tally;
    RankingList rankings;
    const double *losses;
} Judge;

static Judge judge_create(const Sample *sample, const MetricKind *metric, Arena *arena)
{
    Judge judge = {.metric = metric, .family = metric_family(metric), .sample = *sample};

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
        break;
    }
    return judge;
}

static double judge_value(Judge *judge, const uint32_t *weights)
{
    Report report = {0};

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
    }
    return metric_value(judge->metric, &report);
}

static void draw_weights(Random *random, uint32_t *weights, size_t count)
{
    memset(weights, 0, count * sizeof(*weights));
    for (size_t i = 0; i < count; i++)
        weights[random_below(random, count)]++;
}

static int number_compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

/* Between the two nearest of the sorted values, as NumPy's percentile does by default. */
static double percentile(const double *sorted, size_t count, double share)
{
    double place = share * (double)(count - 1);
    size_t below = (size_t)place;
    size_t above = below + 1 < count ? below + 1 : below;

    return sorted[below] + (place - (double)below) * (sorted[above] - sorted[below]);
}

static bool check_request(double level, size_t resamples, Error *error)
{
    if (!(level > 0 && level < 1))
        return fail(error, ERROR_INVALID,
                    "the level of an interval is %g, but it must be between 0 and 1", level);
    if (resamples == 0 || resamples > BOOTSTRAP_RESAMPLES_MAX)
        return fail(error, ERROR_INVALID, "a bootstrap takes 1 to %d resamples, not %zu",
                    BOOTSTRAP_RESAMPLES_MAX, resamples);
    return true;
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
    size_t row_count = champion->sample.row_count, count = 0;
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

bool paired_bootstrap(const int *truth, const Predictions *champion, const Predictions *challenger,
                      size_t row_count, const ClassNames *classes, size_t positive,
                      const MetricKind *metric, double level, size_t resamples, uint64_t seed,
                      PairedInterval *interval, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Sample samples[] = {{truth, champion, row_count, classes->count, positive},
                        {truth, challenger, row_count, classes->count, positive}};
    const char *const names[] = {"champion", "challenger"};
    Judge judges[2];
    double values[2], *differences;
    size_t count;

    if (!check_request(level, resamples, error))
        return false;
    for (size_t i = 0; i < 2; i++) {
        judges[i] = (Judge){.metric = metric, .sample = samples[i]};
        if (!judge_all_rows(&judges[i], names[i], classes, &values[i], error))
            return false;
        judges[i] = judge_create(&samples[i], metric, arena);
    }
    differences = arena_array(arena, double, resamples);
    count = resample(&judges[0], &judges[1], resamples, seed, differences);
    if ((double)count < 0.9 * (double)resamples)
        return fail(error, ERROR_INVALID,
                    "only %zu of %zu resamples gave a number for \"%s\": a class has too few rows",
                    count, resamples, metric->name);
    *interval = (PairedInterval){
        .champion = values[0],
        .challenger = values[1],
        .difference = values[1] - values[0],
        .low = percentile(differences, count, (1 - level) / 2),
        .high = percentile(differences, count, (1 + level) / 2),
        .resamples = count,
    };
    return true;
}
