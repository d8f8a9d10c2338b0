#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/lanes.h"
#include "base/text.h"
#include "ml/ets_internal.h"
#include "ml/season.h"

static const double alpha_starts[] = {0.05, 0.2, 0.5, 0.9};
static const double beta_starts[] = {0.05, 0.4};
static const double gamma_starts[] = {0.05, 0.7}; /* seasons that hardly move, and that do */
static const double deviance_tolerance = 2e-3;    /* R's search ends at about as much */
static const double squares_min = 1e-28;          /* a series that is followed exactly */
static const double steepness_max = 1.5;          /* of a fixed slope over that of the line */
static const double share_min = 1e-4;             /* of beta in alpha, of gamma in 1 - alpha */
static const double index_min = 0.01;             /* of a season that multiplies, at the start */

enum { TURNS_MAX = 60, FORMS = 2 * 3 * 3 };

/* A point of the search and what it gives. */
typedef struct Candidate {
    double value, point[LEAST_SQUARES_MAX];
} Candidate;

typedef struct Fitting {
    EtsProblem problem;
    EtsPasses passes;
    double scale;
    double low[LEAST_SQUARES_MAX], high[LEAST_SQUARES_MAX];
} Fitting;

static size_t parameter_count(EtsForm form, size_t period)
{
    size_t season = form.season ? period : 0; /* gamma, and all its states but one */

    return 3 + 2 * (size_t)(form.trend != ETS_TREND_NONE) +
           (size_t)(form.trend == ETS_TREND_DAMPED) + season;
}

bool ets_can_fit(const Series *series, EtsForm form)
{
    bool needs_positive = form.is_relative || form.season == ETS_SEASON_TIMES;

    if (form.season == ETS_SEASON_TIMES && !form.is_relative)
        return false;
    if (form.season && (series->period < 2 || series->period > ETS_PERIOD_MAX ||
                        series->count < 2 * series->period))
        return false;
    if (needs_positive && !series_is_positive(series))
        return false;
    return series->count >= parameter_count(form, series->period) + 2;
}

/* ---- where the search starts ---- */

/* The line of least squares through the first values, before the first of them. */
static void start_line(const double *values, size_t count, double *level, double *slope)
{
    double middle = (double)(count - 1) / 2, sum = 0, weighted = 0, squares = 0;

    for (size_t i = 0; i < count; i++) {
        sum += values[i];
        weighted += ((double)i - middle) * values[i];
        squares += ((double)i - middle) * ((double)i - middle);
    }
    *slope = weighted / squares;
    *level = sum / (double)count - *slope * (middle + 1);
}

static void start_seasons(const Season *season, double *point)
{
    double sum = 0, count = (double)season->period;
    bool times = season->kind == SEASON_MULTIPLICATIVE;

    for (size_t i = 0; i < season->period; i++)
        sum += times ? fmax(season->indices[i], index_min) : season->indices[i];
    for (size_t i = 0; i + 1 < season->period; i++)
        point[ETS_SEASONAL + i] = times ? fmax(season->indices[i], index_min) / sum * count
                                        : season->indices[i] - sum / count;
}

static void start_states(const EtsProblem *problem, double *point, Arena *scratch)
{
    static const SeasonKind kinds[] = {SEASON_NONE, SEASON_ADDITIVE, SEASON_MULTIPLICATIVE};
    Series series = {problem->values, problem->count, problem->period};
    size_t used = problem->period > 5 ? 2 * problem->period : 10;
    double *adjusted = arena_array(scratch, double, problem->count);
    Season season = {SEASON_NONE, 1, NULL};
    double sum = 0;

    if (problem->form.season) {
        season = season_decompose(&series, kinds[problem->form.season], scratch);
        start_seasons(&season, point);
    }
    season_remove(&season, &series, adjusted);
    used = used < problem->count ? used : problem->count;
    for (size_t i = 0; i < used; i++)
        sum += adjusted[i];
    if (problem->form.trend)
        start_line(adjusted, used, &point[ETS_LEVEL], &point[ETS_SLOPE]);
    else
        point[ETS_LEVEL] = sum / (double)used;
}

static void set_bounds(Fitting *fitting)
{
    EtsForm form = fitting->problem.form;
    double *low = fitting->low, *high = fitting->high;

    for (size_t i = 0; i < LEAST_SQUARES_MAX; i++) {
        low[i] = -INFINITY;
        high[i] = INFINITY;
    }
    low[ETS_ALPHA] = 1e-4;
    high[ETS_ALPHA] = 0.9999;
    low[ETS_BETA_SHARE] = form.trend ? share_min : 0;
    high[ETS_BETA_SHARE] = form.trend ? 1 : 0;
    low[ETS_GAMMA_SHARE] = form.season ? share_min : 0;
    high[ETS_GAMMA_SHARE] = form.season ? 1 : 0;
    low[ETS_PHI] = form.trend == ETS_TREND_DAMPED ? 0.8 : 1;
    high[ETS_PHI] = form.trend == ETS_TREND_DAMPED ? 0.98 : 1;
    if (!form.trend)
        low[ETS_SLOPE] = high[ETS_SLOPE] = 0;
}

static double value_at(void *context, const double *point)
{
    Fitting *fitting = context;
    const EtsProblem *problem = &fitting->problem;

    if (problem->form.season && !ets_is_stable(problem->form.trend, point, problem->period))
        return INFINITY;
    return fitting->passes.value(&fitting->problem, point);
}

static double equations_at(void *context, const double *point, NormalEquations *equations)
{
    Fitting *fitting = context;

    return fitting->passes.equations(&fitting->problem, point, equations);
}

static void try_start(Fitting *fitting, const double *point, Candidate *best)
{
    double value = value_at(fitting, point);

    if (!(value < best->value))
        return;
    best->value = value;
    memcpy(best->point, point, sizeof(best->point));
}

static void try_usual_starts(Fitting *fitting, const double *states, double gamma_share,
                             Candidate *best)
{
    EtsForm form = fitting->problem.form;
    size_t betas = form.trend ? COUNT(beta_starts) : 1;
    double point[LEAST_SQUARES_MAX];

    memcpy(point, states, sizeof(point));
    point[ETS_GAMMA_SHARE] = form.season ? gamma_share : 0;
    point[ETS_PHI] = form.trend == ETS_TREND_DAMPED ? 0.9 : 1;
    for (size_t i = 0; i < COUNT(alpha_starts) * betas; i++) {
        point[ETS_ALPHA] = alpha_starts[i / betas];
        point[ETS_BETA_SHARE] = form.trend ? beta_starts[i % betas] : 0;
        try_start(fitting, point, best);
    }
}

/* ---- one form ---- */

static EtsProblem problem_of(const Series *series, EtsForm form, double *scale, Arena *arena)
{
    Season none = {SEASON_NONE, 1, NULL};
    EtsProblem problem = {.form = form,
                          .count = series->count,
                          .period = form.season ? series->period : 1,
                          .values = season_adjusted(&none, series, scale, arena)};

    if (form.season)
        problem.last.seasonal = arena_array(arena, double, problem.period);
    return problem;
}

static void improve(Fitting *fitting, Candidate *candidate)
{
    LeastSquares problem = {
        .count = ETS_SEASONAL + fitting->problem.period - 1,
        .point = candidate->point,
        .low = fitting->low,
        .high = fitting->high,
        .tolerance = deviance_tolerance / (double)fitting->problem.count,
        .turns_max = TURNS_MAX,
        .context = fitting,
        .value = value_at,
        .equations = equations_at,
    };

    if (isfinite(candidate->value))
        candidate->value = least_squares(&problem);
}

/* Goes on from the best start; with a season from the best of those whose season hardly moves, and
 * of those whose season does: there is often a valley for each. The end of the same form's search
 * with other errors may be a start, too. (That of a simpler trend leads into its valley too often.)
 */
static void search(Fitting *fitting, const Candidate *other, Candidate *best, Arena *scratch)
{
    double states[LEAST_SQUARES_MAX] = {0};
    size_t valleys = fitting->problem.form.season ? COUNT(gamma_starts) : 1;

    set_bounds(fitting);
    start_states(&fitting->problem, states, scratch);
    best->value = INFINITY;
    for (size_t i = 0; i < valleys; i++) {
        Candidate candidate = {.value = INFINITY};

        try_usual_starts(fitting, states, gamma_starts[i], &candidate);
        if (i == 0 && other && isfinite(other->value))
            try_start(fitting, other->point, &candidate);
        improve(fitting, &candidate);
        if (candidate.value < best->value)
            *best = candidate;
    }
}

static double aicc_of(double deviance, size_t parameters, size_t count)
{
    double k = (double)parameters;

    return deviance + 2 * k + 2 * k * (k + 1) / ((double)count - k - 1);
}

/* Of the scaled values: each deviance is this much more without scaling. */
static double deviance_of(const Fitting *fitting, double value)
{
    double count = (double)fitting->problem.count;

    return count * (log(fmax(value, squares_min)) + log(count) + 2 * log(fitting->scale));
}

static EtsState state_of(const EtsProblem *problem, const EtsState *scaled, double scale,
                         Arena *arena)
{
    EtsState state = {scaled->level * scale, scaled->slope * scale, NULL};
    double season_scale = problem->form.season == ETS_SEASON_ADDS ? scale : 1;

    if (!problem->form.season)
        return state;
    state.seasonal = arena_array(arena, double, problem->period);
    for (size_t i = 0; i < problem->period; i++)
        state.seasonal[i] = scaled->seasonal[i] * season_scale;
    return state;
}

static EtsState first_state(const EtsProblem *problem, const double *point, double *seasonal)
{
    double rest = problem->form.season == ETS_SEASON_TIMES ? (double)problem->period : 0;

    for (size_t i = 0; i + 1 < problem->period; i++) {
        seasonal[i] = point[ETS_SEASONAL + i];
        rest -= seasonal[i];
    }
    seasonal[problem->period - 1] = rest;
    return (EtsState){point[ETS_LEVEL], point[ETS_SLOPE], seasonal};
}

static EtsModel model_of(Fitting *fitting, const Candidate *best, Arena *arena)
{
    EtsProblem *problem = &fitting->problem;
    const double *point = best->point;
    double seasonal[ETS_PERIOD_MAX], value = fitting->passes.value(problem, point);
    EtsState first = first_state(problem, point, seasonal);
    size_t parameters = parameter_count(problem->form, problem->period);
    double deviance = deviance_of(fitting, value), unit = fitting->scale;

    return (EtsModel){
        .form = problem->form,
        .count = problem->count,
        .period = problem->period,
        .parameter_count = parameters,
        .alpha = point[ETS_ALPHA],
        .beta = point[ETS_ALPHA] * point[ETS_BETA_SHARE],
        .gamma = (1 - point[ETS_ALPHA]) * point[ETS_GAMMA_SHARE],
        .phi = point[ETS_PHI],
        .first = state_of(problem, &first, unit, arena),
        .last = state_of(problem, &problem->last, unit, arena),
        .deviance = deviance,
        .aicc = aicc_of(deviance, parameters, problem->count),
        .variance = problem->squares * (problem->form.is_relative ? 1 : unit * unit) /
                    (double)(problem->count - parameters + 1),
    };
}

static void begin(Fitting *fitting, const Series *series, EtsForm form, Arena *scratch)
{
    fitting->problem = problem_of(series, form, &fitting->scale, scratch);
    fitting->passes = ets_passes(form, lanes_level());
}

EtsModel ets_fit(const Series *series, EtsForm form, Arena *arena)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    Fitting fitting;
    Candidate best = {0};

    assert(ets_can_fit(series, form));
    begin(&fitting, series, form, scratch);
    search(&fitting, NULL, &best, scratch);
    return model_of(&fitting, &best, arena);
}

/* ---- the choice ---- */

/* Relative errors weigh steps by 1 / mu^2: those up from a low count most. A slope that they fix
 * for all time is the mean of such steps, which is up where the values just go up and down, unless
 * the values themselves go along a line as steep. */
static bool is_one_sided(EtsForm form, const double *point, const EtsProblem *problem)
{
    double level, slope, share;

    if (!form.is_relative || form.trend != ETS_TREND_LINEAR ||
        !(point[ETS_BETA_SHARE] < 1.01 * share_min))
        return false;
    start_line(problem->values, problem->count, &level, &slope);
    share = point[ETS_SLOPE] / slope;
    return !(share > 1 / steepness_max && share < steepness_max);
}

/* Errors that add before relative ones. */
static EtsForm form_of(size_t number)
{
    return (EtsForm){number % 2 == 1, (EtsTrend)(number / 2 % 3), (EtsSeason)(number / 6)};
}

EtsModel ets_choose(const Series *series, Arena *arena)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    Fitting fitting;
    Candidate *all = arena_array(scratch, Candidate, FORMS);
    size_t best = 0;
    double least = INFINITY;

    for (size_t i = 0; i < FORMS; i++) {
        EtsForm form = form_of(i);
        const Candidate *other =
            form.is_relative && form.season != ETS_SEASON_TIMES ? &all[i - 1] : NULL;
        double aicc;

        all[i].value = INFINITY;
        if (!ets_can_fit(series, form))
            continue;
        begin(&fitting, series, form, scratch);
        search(&fitting, other, &all[i], scratch);
        aicc = aicc_of(deviance_of(&fitting, all[i].value),
                       parameter_count(form, fitting.problem.period), series->count);
        if (!isfinite(all[i].value) || is_one_sided(form, all[i].point, &fitting.problem) ||
            !(aicc < least))
            continue;
        best = i;
        least = aicc;
    }
    begin(&fitting, series, form_of(best), scratch);
    return model_of(&fitting, &all[best], arena);
}

const char *ets_form_name(EtsForm form, Arena *arena)
{
    static const char *const trends[] = {"N", "A", "Ad"};
    static const char *const seasons[] = {"N", "A", "M"};

    return arena_format(arena, "ETS(%s,%s,%s)", form.is_relative ? "M" : "A", trends[form.trend],
                        seasons[form.season]);
}
