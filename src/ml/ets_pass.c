#include <math.h>
#include <string.h>

#include "base/lanes.h"
#include "ml/ets_step.h"

enum {
    BATCH = 4, /* rows of derivatives that are multiplied at once */
};

static void first_seasons(const EtsProblem *problem, const double *point, double *seasonal)
{
    double rest = problem->form.season == ETS_SEASON_TIMES ? (double)problem->period : 0;

    for (size_t i = 0; i + 1 < problem->period; i++) {
        seasonal[i] = point[ETS_SEASONAL + i];
        rest -= seasonal[i];
    }
    seasonal[problem->period - 1] = rest;
}

static double objective(const EtsProblem *problem, double squares, double logs)
{
    double count = (double)problem->count;
    double value = squares / count * exp(2 * logs / count);

    return value >= 0 && value < INFINITY ? value : INFINITY;
}

/* ---- the value ---- */

static ALWAYS_INLINE double least_of(const Step *step, double least, EtsForm form)
{
    least = step->mean < least ? step->mean : least;
    return form.season == ETS_SEASON_TIMES && step->season < least ? step->season : least;
}

static ALWAYS_INLINE double value_of(EtsProblem *problem, const double *point, EtsForm form)
{
    Parameters p;
    Step step = {.level = point[ETS_LEVEL], .slope = point[ETS_SLOPE]};
    Logs logs = {0, 1};
    double squares = 0, least = INFINITY, *seasonal = problem->last.seasonal;

    read_parameters(point, &p);
    if (form.season)
        first_seasons(problem, point, seasonal);
    for (size_t t = 0, at = 0; t < problem->count; t++) {
        step.season = form.season ? seasonal[at] : 0;
        see_value(&step, &p, problem->values[t], form);
        if (form.season) {
            seasonal[at] = next_season(&step, &p, form);
            at = at + 1 == problem->period ? 0 : at + 1;
        }
        if (form.is_relative) {
            least = least_of(&step, least, form);
            add_log(&logs, step.mean, t);
        }
        squares += step.error * step.error;
        move_on(&step, &p, form);
    }
    problem->last.level = step.level;
    problem->last.slope = step.slope;
    problem->squares = squares;
    problem->logs = logs.sum + log(logs.product);
    return least > 0 ? objective(problem, squares, problem->logs) : INFINITY;
}

/* ---- the normal equations ---- */

/* Sums over the rows r of derivatives of e, and over those of ln mu. */
typedef struct Sums {
    double squares;
    Logs logs;
    EtsLanes errors[ETS_LANES_MAX];                      /* e r */
    EtsLanes means[ETS_LANES_MAX];                       /* derivatives of ln mu */
    EtsLanes products[LEAST_SQUARES_MAX][ETS_LANES_MAX]; /* r r' */
} Sums;

/* The errors times the geometric mean of mu are what is squared: its derivative comes in here. */
static void finish(const EtsProblem *problem, const Sums *sums, size_t slots,
                   NormalEquations *equations)
{
    double count = (double)problem->count, scale = exp(2 * sums->logs.sum / count) / count;
    double errors[LEAST_SQUARES_MAX], means[LEAST_SQUARES_MAX], row[LEAST_SQUARES_MAX];

    memcpy(errors, sums->errors, sizeof(errors));
    memcpy(means, sums->means, sizeof(means));
    for (size_t i = 0; i < slots; i++)
        means[i] /= count;
    for (size_t i = 0; i < slots; i++) {
        memcpy(row, sums->products[i], sizeof(row));
        equations->gradient[i] = scale * (errors[i] + sums->squares * means[i]);
        for (size_t j = i; j < slots; j++)
            equations->matrix[i][j] =
                scale * (row[j] + errors[i] * means[j] + means[i] * errors[j] +
                         sums->squares * means[i] * means[j]);
    }
}

/* Without a season there are six derivatives at most: two lanes, and all sums in registers. */
typedef struct Plain {
    EtsLanes level_0, level_1, slope_0, slope_1; /* derivatives of the states */
    EtsLanes ahead_0, ahead_1, row_0, row_1;     /* of u and of the error, less its sign */
    EtsLanes errors_0, errors_1, means_0, means_1;
    EtsLanes alpha_0, alpha_1, beta_0, beta_1, phi_0, phi_1, level_row, slope_row; /* of r r' */
} Plain;

static ALWAYS_INLINE void plain_see(Plain *plain, const Step *step, const Parameters *p,
                                    EtsForm form)
{
    plain->ahead_0 = plain->level_0;
    plain->ahead_1 = plain->level_1;
    if (form.trend) {
        plain->ahead_0 += p->phi * plain->slope_0 + step->slope * p->by_phi;
        plain->ahead_1 += p->phi * plain->slope_1;
    }
    plain->row_0 = plain->ahead_0;
    plain->row_1 = plain->ahead_1;
    if (form.is_relative) {
        plain->means_0 += step->inverse * plain->ahead_0;
        plain->means_1 += step->inverse * plain->ahead_1;
        plain->row_0 *= step->share;
        plain->row_1 *= step->share;
    }
}

static ALWAYS_INLINE void plain_add(Plain *plain, double error, EtsForm form)
{
    plain->errors_0 -= error * plain->row_0;
    plain->errors_1 -= error * plain->row_1;
    plain->alpha_0 += plain->row_0[ETS_ALPHA] * plain->row_0;
    plain->alpha_1 += plain->row_0[ETS_ALPHA] * plain->row_1;
    plain->level_row += plain->row_1[ETS_LEVEL - ETS_LANE] * plain->row_1;
    if (form.trend) {
        plain->beta_0 += plain->row_0[ETS_BETA_SHARE] * plain->row_0;
        plain->beta_1 += plain->row_0[ETS_BETA_SHARE] * plain->row_1;
        plain->slope_row += plain->row_1[ETS_SLOPE - ETS_LANE] * plain->row_1;
    }
    if (form.trend == ETS_TREND_DAMPED) {
        plain->phi_0 += plain->row_0[ETS_PHI] * plain->row_0;
        plain->phi_1 += plain->row_0[ETS_PHI] * plain->row_1;
    }
}

static ALWAYS_INLINE void plain_move(Plain *plain, const Step *step, const Parameters *p,
                                     EtsForm form)
{
    plain->level_0 = (1 - p->alpha) * plain->ahead_0 + step->miss * p->by_alpha;
    plain->level_1 = (1 - p->alpha) * plain->ahead_1;
    if (!form.trend)
        return;
    plain->slope_0 = p->phi * plain->slope_0 + step->slope * p->by_phi - p->beta * plain->ahead_0 +
                     step->miss * p->by_beta;
    plain->slope_1 = p->phi * plain->slope_1 - p->beta * plain->ahead_1;
}

static void plain_finish(const Plain *plain, Sums *sums)
{
    sums->logs.sum += log(sums->logs.product);
    sums->errors[0] = plain->errors_0;
    sums->errors[1] = plain->errors_1;
    sums->means[0] = plain->means_0;
    sums->means[1] = plain->means_1;
    sums->products[ETS_ALPHA][0] = plain->alpha_0;
    sums->products[ETS_ALPHA][1] = plain->alpha_1;
    sums->products[ETS_BETA_SHARE][0] = plain->beta_0;
    sums->products[ETS_BETA_SHARE][1] = plain->beta_1;
    sums->products[ETS_PHI][0] = plain->phi_0;
    sums->products[ETS_PHI][1] = plain->phi_1;
    sums->products[ETS_LEVEL][1] = plain->level_row;
    sums->products[ETS_SLOPE][1] = plain->slope_row;
}

static ALWAYS_INLINE double equations_plain(EtsProblem *problem, const double *point,
                                            NormalEquations *equations, EtsForm form)
{
    Parameters p;
    Sums sums = {.logs = {0, 1}};
    Plain plain = {.level_1 = {1, 0, 0, 0}, .slope_1 = {0, 1, 0, 0}};
    Step step = {.level = point[ETS_LEVEL], .slope = point[ETS_SLOPE]};

    read_parameters(point, &p);
    for (size_t t = 0; t < problem->count; t++) {
        see_value(&step, &p, problem->values[t], form);
        if (form.is_relative) {
            step.share = problem->values[t] * step.inverse * step.inverse;
            add_log(&sums.logs, step.mean, t);
        }
        sums.squares += step.error * step.error;
        plain_see(&plain, &step, &p, form);
        plain_add(&plain, step.error, form);
        plain_move(&plain, &step, &p, form);
        move_on(&step, &p, form);
    }
    plain_finish(&plain, &sums);
    finish(problem, &sums, ETS_SEASONAL, equations);
    return objective(problem, sums.squares, sums.logs.sum);
}

/* ---- with a season ---- */

/* Derivatives of the states by all parameters, in lanes. */
typedef struct Slopes {
    EtsLanes level[ETS_LANES_MAX], slope[ETS_LANES_MAX], mean[ETS_LANES_MAX];
    EtsLanes rows[BATCH][ETS_LANES_MAX];
    size_t lanes, row_count;
} Slopes;

static void start_slopes(EtsProblem *problem, Slopes *slopes)
{
    size_t period = problem->period;

    memset(problem->season_slopes, 0, sizeof(problem->season_slopes));
    slopes->level[ETS_LEVEL / ETS_LANE][ETS_LEVEL % ETS_LANE] = 1;
    slopes->slope[ETS_SLOPE / ETS_LANE][ETS_SLOPE % ETS_LANE] = 1;
    for (size_t i = 0; i + 1 < period; i++) {
        size_t slot = ETS_SEASONAL + i;

        problem->season_slopes[i][slot / ETS_LANE][slot % ETS_LANE] = 1;
        problem->season_slopes[period - 1][slot / ETS_LANE][slot % ETS_LANE] = -1;
    }
    slopes->lanes = (ETS_SEASONAL + period - 1 + ETS_LANE - 1) / ETS_LANE;
}

static ALWAYS_INLINE void add_batch(Sums *sums, Slopes *slopes)
{
    EtsLanes(*rows)[ETS_LANES_MAX] = slopes->rows;

    for (size_t i = 0; i < slopes->lanes; i++)
        for (size_t k = 0; k < ETS_LANE; k++)
            for (size_t j = i; j < slopes->lanes; j++)
                sums->products[i * ETS_LANE + k][j] +=
                    rows[0][i][k] * rows[0][j] + rows[1][i][k] * rows[1][j] +
                    rows[2][i][k] * rows[2][j] + rows[3][i][k] * rows[3][j];
    slopes->row_count = 0;
}

static void add_rest(Sums *sums, Slopes *slopes)
{
    size_t missing = BATCH - slopes->row_count;

    memset(slopes->rows[slopes->row_count], 0, missing * sizeof(slopes->rows[0]));
    add_batch(sums, slopes);
}

/* All that a lane of derivatives moves by. */
typedef struct Walk {
    Parameters p;
    Step step;
    Slopes slopes;
    Sums sums;
} Walk;

/* Derivatives of the mean; the level's change and the season move with them. */
static ALWAYS_INLINE void see_lane(Walk *walk, EtsLanes *season_slopes, size_t lane, EtsForm form)
{
    const Parameters *p = &walk->p;
    const Step *step = &walk->step;
    Slopes *slopes = &walk->slopes;
    EtsLanes ahead = slopes->level[lane], season = season_slopes[lane], mean, change;

    if (form.trend)
        ahead += p->phi * slopes->slope[lane];
    if (form.trend && lane == 0)
        ahead += step->slope * p->by_phi;
    if (form.season == ETS_SEASON_TIMES) {
        double over_season = 1 / step->season, over_ahead = 1 / step->ahead;

        mean = step->season * ahead + step->ahead * season;
        change = -over_season * (mean + step->miss * over_season * season);
        season -= p->gamma * over_ahead * (mean + step->miss * over_ahead * ahead);
        if (lane == 0)
            season += step->miss * over_ahead * p->by_gamma;
    } else {
        mean = ahead + season;
        change = -mean;
        season -= p->gamma * mean;
        if (lane == 0)
            season += step->miss * p->by_gamma;
    }
    season_slopes[lane] = season;
    slopes->mean[lane] = mean;
    slopes->level[lane] = ahead + p->alpha * change;
    if (form.trend)
        slopes->slope[lane] = p->phi * slopes->slope[lane] + p->beta * change;
}

static ALWAYS_INLINE void add_lane(Walk *walk, size_t lane, EtsForm form)
{
    EtsLanes mean = walk->slopes.mean[lane], row = -walk->step.share * mean;

    walk->slopes.rows[walk->slopes.row_count][lane] = row;
    walk->sums.errors[lane] += walk->step.error * row;
    if (form.is_relative)
        walk->sums.means[lane] += walk->step.inverse * mean;
}

static ALWAYS_INLINE void move_lanes(Walk *walk, EtsLanes *season_slopes, EtsForm form)
{
    Slopes *slopes = &walk->slopes;

    for (size_t lane = 0; lane < slopes->lanes; lane++) {
        see_lane(walk, season_slopes, lane, form);
        add_lane(walk, lane, form);
    }
    slopes->level[0] += walk->step.change * walk->p.by_alpha;
    if (form.trend)
        slopes->slope[0] += walk->step.change * walk->p.by_beta + walk->step.slope * walk->p.by_phi;
    if (++slopes->row_count == BATCH)
        add_batch(&walk->sums, slopes);
}

static ALWAYS_INLINE double equations_seasonal(EtsProblem *problem, const double *point,
                                               NormalEquations *equations, EtsForm form)
{
    Walk walk = {.step = {.level = point[ETS_LEVEL], .slope = point[ETS_SLOPE], .share = 1},
                 .sums = {.logs = {0, 1}}};
    Step *step = &walk.step;
    double *seasonal = problem->last.seasonal;

    read_parameters(point, &walk.p);
    first_seasons(problem, point, seasonal);
    start_slopes(problem, &walk.slopes);
    for (size_t t = 0, at = 0; t < problem->count; t++) {
        step->season = seasonal[at];
        see_value(step, &walk.p, problem->values[t], form);
        if (form.is_relative) {
            step->share = problem->values[t] * step->inverse * step->inverse;
            add_log(&walk.sums.logs, step->mean, t);
        }
        walk.sums.squares += step->error * step->error;
        move_lanes(&walk, problem->season_slopes[at], form);
        seasonal[at] = next_season(step, &walk.p, form);
        move_on(step, &walk.p, form);
        at = at + 1 == problem->period ? 0 : at + 1;
    }
    add_rest(&walk.sums, &walk.slopes);
    walk.sums.logs.sum += log(walk.sums.logs.product);
    finish(problem, &walk.sums, ETS_SEASONAL + problem->period - 1, equations);
    return objective(problem, walk.sums.squares, walk.sums.logs.sum);
}

/* ---- one pair of passes for each form ---- */

static ALWAYS_INLINE double equations_of(EtsProblem *problem, const double *point,
                                         NormalEquations *equations, EtsForm form)
{
    return form.season ? equations_seasonal(problem, point, equations, form)
                       : equations_plain(problem, point, equations, form);
}

#define PASSES(name, relative, trend, season)                                                      \
    static double value_##name(EtsProblem *problem, const double *point)                           \
    {                                                                                              \
        return value_of(problem, point, (EtsForm){relative, trend, season});                       \
    }                                                                                              \
    static double equations_##name(EtsProblem *problem, const double *point,                       \
                                   NormalEquations *equations)                                     \
    {                                                                                              \
        return equations_of(problem, point, equations, (EtsForm){relative, trend, season});        \
    }                                                                                              \
    static LANES_AVX2 double equations_wide_##name(EtsProblem *problem, const double *point,       \
                                                   NormalEquations *equations)                     \
    {                                                                                              \
        return equations_of(problem, point, equations, (EtsForm){relative, trend, season});        \
    }

PASSES(ann, false, ETS_TREND_NONE, ETS_SEASON_NONE)
PASSES(aan, false, ETS_TREND_LINEAR, ETS_SEASON_NONE)
PASSES(adn, false, ETS_TREND_DAMPED, ETS_SEASON_NONE)
PASSES(mnn, true, ETS_TREND_NONE, ETS_SEASON_NONE)
PASSES(man, true, ETS_TREND_LINEAR, ETS_SEASON_NONE)
PASSES(mdn, true, ETS_TREND_DAMPED, ETS_SEASON_NONE)
PASSES(ana, false, ETS_TREND_NONE, ETS_SEASON_ADDS)
PASSES(aaa, false, ETS_TREND_LINEAR, ETS_SEASON_ADDS)
PASSES(ada, false, ETS_TREND_DAMPED, ETS_SEASON_ADDS)
PASSES(mna, true, ETS_TREND_NONE, ETS_SEASON_ADDS)
PASSES(maa, true, ETS_TREND_LINEAR, ETS_SEASON_ADDS)
PASSES(mda, true, ETS_TREND_DAMPED, ETS_SEASON_ADDS)
PASSES(mnm, true, ETS_TREND_NONE, ETS_SEASON_TIMES)
PASSES(mam, true, ETS_TREND_LINEAR, ETS_SEASON_TIMES)
PASSES(mdm, true, ETS_TREND_DAMPED, ETS_SEASON_TIMES)

#define ROW(name)                                                                                  \
    {value_##name, equations_##name},                                                              \
    {                                                                                              \
        value_##name, equations_wide_##name                                                        \
    }

EtsPasses ets_passes(EtsForm form, LaneLevel level)
{
    static const EtsPasses all[2][3][3][2] = {
        {{{ROW(ann)}, {ROW(ana)}, {{0}}},
         {{ROW(aan)}, {ROW(aaa)}, {{0}}},
         {{ROW(adn)}, {ROW(ada)}, {{0}}}},
        {{{ROW(mnn)}, {ROW(mna)}, {ROW(mnm)}},
         {{ROW(man)}, {ROW(maa)}, {ROW(mam)}},
         {{ROW(mdn)}, {ROW(mda)}, {ROW(mdm)}}},
    };

    return all[form.is_relative][form.trend][form.season][level != LANES_OF_ALL];
}
