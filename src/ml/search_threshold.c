/* The threshold of two classes: from which probability on the positive one is named. */
#include <math.h>

#include "ml/decide.h"
#include "ml/search_internal.h"

/* In percent: the thresholds that are tried in any case, and how many neighbours on either side
 * have a say. */
enum { PERCENT_LEAST = 5, PERCENT_MOST = 95, REACH = 5 };

/* A class that is rarer than the least of them may be best named far below it: further thresholds
 * rise by such a ratio of the odds, from such a part of the share of the class. */
static const double odds_ratio = 1.2, share_part = 0.05;

enum { THRESHOLDS_MAX = 256 }; /* with a class of one row in 2^32: 213 */

typedef struct ThresholdList {
    double items[THRESHOLDS_MAX];
    size_t count;
} ThresholdList;

static double odds(double probability)
{
    return probability / (1 - probability);
}

static size_t count_below(double share)
{
    double least = (double)PERCENT_LEAST / 100;

    if (!(share > 0) || share >= least)
        return 0;
    return (size_t)ceil(log(odds(least) / odds(share * share_part)) / log(odds_ratio));
}

/* The at-th threshold, from 1 on, on the way from the least percent to 0. */
static double threshold_below(size_t at)
{
    double value = odds((double)PERCENT_LEAST / 100) * pow(odds_ratio, -(double)at);

    return value / (1 + value);
}

/* share: of the positive class. They rise. */
static ThresholdList list_thresholds(double share)
{
    size_t low = count_below(share), high = count_below(1 - share);
    ThresholdList list = {0};

    for (size_t at = low; at > 0; at--)
        list.items[list.count++] = threshold_below(at);
    for (int percent = PERCENT_LEAST; percent <= PERCENT_MOST; percent++)
        list.items[list.count++] = percent / 100.0;
    for (size_t at = 1; at <= high; at++)
        list.items[list.count++] = 1 - threshold_below(at);
    return list;
}

const MetricKind *threshold_metric(const SearchSpec *spec)
{
    const MetricKind *metric = metric_find(spec->metric ? spec->metric : "accuracy");

    if (spec->threshold_for)
        return metric_find(spec->threshold_for);
    if (spec->balance_classes)
        return metric_find("balanced_accuracy");
    return metric_has_threshold(metric) ? metric : metric_find("accuracy");
}

/* Whether one is looked for. Classes that are balanced have theirs at once, and where the metric
 * has none the likelier class is named. */
static bool is_searched(const SearchSpec *spec)
{
    return spec->threshold_for ||
           (!spec->balance_classes &&
            metric_has_threshold(metric_find(spec->metric ? spec->metric : "accuracy")));
}

void search_decide(const Search *search, const double *probabilities, double threshold,
                   int *predicted)
{
    size_t classes = search->classes->count;

    for (size_t row = 0; row < search->frame->row_count; row++)
        predicted[row] =
            (int)class_decide(probabilities + row * classes, classes, search->positive, threshold);
}

static bool score_threshold(const Search *search, const Candidate *candidate, double threshold,
                            double *score, Error *error)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    int *predicted = arena_array(scratch, int, search->frame->row_count);
    Report report;

    search_decide(search, candidate->probabilities, threshold, predicted);
    if (!report_make(search->labels, predicted, NULL, search->frame->row_count, search->classes,
                     search->positive, scratch, &report, error))
        return false;
    *score = metric_value(threshold_metric(search->spec), &report);
    return true;
}

/* Another threshold than one half must beat it on resampled rows too. */
static bool threshold_helps(const Search *search, const Candidate *candidate, double threshold)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    int *half = arena_array(scratch, int, search->frame->row_count);
    int *moved = arena_array(scratch, int, search->frame->row_count);
    Predictions champion = {half, NULL}, challenger = {moved, NULL};
    PairedInterval interval;
    Error ignored;

    search_decide(search, candidate->probabilities, 0.5, half);
    search_decide(search, candidate->probabilities, threshold, moved);
    return paired_bootstrap(search->labels, &champion, &challenger, search->frame->row_count,
                            search->classes, search->positive, threshold_metric(search->spec), 0.9,
                            200, search->spec->seed, &interval, &ignored) &&
           interval.low > 0;
}

static double mean_around(const double *scores, size_t count, size_t at)
{
    size_t first = at > REACH ? at - REACH : 0;
    size_t last = at + REACH < count ? at + REACH : count - 1;
    double sum = 0;

    for (size_t near = first; near <= last; near++)
        sum += scores[near];
    return sum / (double)(last - first + 1);
}

/* The best mean over neighbours: the best of many thresholds is the luckiest one, a plateau is not
 * luck. */
static size_t best_smoothed(const double *scores, size_t count)
{
    double best = -HUGE_VAL;
    size_t best_at = 0;

    for (size_t at = 0; at < count; at++) {
        double mean = mean_around(scores, count, at);

        if (mean > best) {
            best = mean;
            best_at = at;
        }
    }
    return best_at;
}

static double positive_share(const Search *search)
{
    size_t count = 0;

    for (size_t row = 0; row < search->frame->row_count; row++)
        count += search->labels[row] == (int)search->positive;
    return (double)count / (double)search->frame->row_count;
}

static bool search_threshold(const Search *search, Candidate *candidate, Error *error)
{
    ThresholdList list = list_thresholds(positive_share(search));
    double scores[THRESHOLDS_MAX], threshold;

    for (size_t i = 0; i < list.count; i++)
        if (!score_threshold(search, candidate, list.items[i], &scores[i], error))
            return false;
    threshold = list.items[best_smoothed(scores, list.count)];
    if (threshold_helps(search, candidate, threshold))
        candidate->threshold = threshold;
    return true;
}

/* With balanced classes a mistake counts by 1/frequency of the true class: since calibration gives
 * the probabilities of the rows as they come, the balance must come back in the decision, at the
 * share of the class. */
bool candidate_choose_threshold(const Search *search, Candidate *candidate, Error *error)
{
    candidate->threshold = 0.5;
    if (search->classes->count != 2 || candidate->is_baseline)
        return true;
    if (is_searched(search->spec))
        return search_threshold(search, candidate, error);
    if (search->spec->balance_classes)
        candidate->threshold = positive_share(search);
    return true;
}
