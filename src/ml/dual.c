#include <math.h>
#include <string.h>

#include "base/parallel.h"
#include "ml/linear_internal.h"
#include "ml/random.h"

/* Every class against the rest is a problem of its own, but all have the same rows. So they are
 * solved in turn row by row, with the weights of a column side by side: a row is read once for all
 * of them, and the processor computes four margins at once. Each margin's arithmetic is that of
 * being alone: it does not matter which ones share a group, so each thread may have a group. */

enum { LANES = 4, WIDTH_MAX = 5, MARGINS_MAX = LANES * WIDTH_MAX, EPOCHS_MAX = 300 };

static const double tolerance = 1e-3; /* of the objective, see dual_fit() */

typedef float Lane __attribute__((vector_size(LANES * sizeof(float))));

typedef union Lanes {
    Lane vectors[WIDTH_MAX];
    float values[MARGINS_MAX];
} Lanes;

typedef struct Margin {
    double intercept;
    double length;    /* squared, of the weights and the intercept */
    double gap, loss; /* as this pass met them */
    float positive_cost, negative_cost;
    bool seems_done, is_done;
} Margin;

typedef struct Group {
    const TrainingSet *set;
    DualLoss *loss;
    size_t first, count; /* margins */
    size_t width;        /* vectors that hold so many */
    Lane *weights;       /* column_count x width; on scaled features what a raw value counts */
    Lane *scales;        /* as many: squared factors of the features; NULL: none */
    signed char *signs;  /* row_count x count, like the two below */
    float *multipliers, *squares;
    Margin margins[MARGINS_MAX];
    bool is_checking; /* nothing moves */
    Arena *arena;
} Group;

/* ---- a row and all margins ---- */

/* The width is a constant where these are called: then sums stay in registers. */
static ALWAYS_INLINE void sum_row(const Group *group, size_t row, size_t width, Lanes *sums)
{
    const Matrix *matrix = group->set->matrix;
    Lane own[WIDTH_MAX] = {0};

    for (size_t at = matrix->starts[row]; at < matrix->starts[row + 1]; at++) {
        const Lane *weights = group->weights + matrix->columns[at] * width;
        float value = (float)matrix->values[at];

#pragma GCC unroll 5
        for (size_t i = 0; i < width; i++)
            own[i] += weights[i] * value;
    }
    memcpy(sums->vectors, own, sizeof(own));
}

static ALWAYS_INLINE void add_row(const Group *group, size_t row, size_t width, const Lanes *steps)
{
    const Matrix *matrix = group->set->matrix;
    Lane own[WIDTH_MAX];

    memcpy(own, steps->vectors, sizeof(own));
    for (size_t at = matrix->starts[row]; at < matrix->starts[row + 1]; at++) {
        Lane *weights = group->weights + matrix->columns[at] * width;
        float value = (float)matrix->values[at];

#pragma GCC unroll 5
        for (size_t i = 0; i < width; i++)
            weights[i] += own[i] * value;
    }
}

static ALWAYS_INLINE void add_scaled_row(const Group *group, size_t row, size_t width,
                                         const Lanes *steps)
{
    const Matrix *matrix = group->set->matrix;

    for (size_t at = matrix->starts[row]; at < matrix->starts[row + 1]; at++) {
        Lane *weights = group->weights + matrix->columns[at] * width;
        const Lane *scales = group->scales + matrix->columns[at] * width;
        float value = (float)matrix->values[at];

#pragma GCC unroll 5
        for (size_t i = 0; i < width; i++)
            weights[i] += steps->vectors[i] * scales[i] * value;
    }
}

/* The sign decides once more: what a row adds to every margin's weights. */
static bool choose_steps(Group *group, size_t row, const Lanes *sums, Lanes *steps)
{
    bool any = false;

    for (size_t i = 0; i < group->count; i++) {
        Margin *margin = &group->margins[i];
        size_t at = row * group->count + i;
        float sign = (float)group->signs[at];
        float sum = sums->values[i] + (float)margin->intercept, moved;
        DualStep step;

        steps->values[i] = 0;
        if (margin->is_done || (group->is_checking && !margin->seems_done))
            continue;
        step = group->loss((DualRow){sign * sum, group->multipliers[at],
                                     sign > 0 ? margin->positive_cost : margin->negative_cost,
                                     group->squares[at]});
        margin->gap += (double)step.gap;
        margin->loss += (double)step.loss;
        moved = sign * (step.multiplier - group->multipliers[at]);
        if (moved == 0 || group->is_checking)
            continue;
        any = true;
        steps->values[i] = moved;
        group->multipliers[at] = step.multiplier;
        margin->intercept += (double)moved;
        margin->length +=
            (double)moved * (2 * (double)sum + (double)moved * (double)group->squares[at]);
    }
    return any;
}

static ALWAYS_INLINE void visit_row(Group *group, size_t row, size_t width)
{
    Lanes sums, steps = {0};

    sum_row(group, row, width, &sums);
    if (!choose_steps(group, row, &sums, &steps))
        return;
    if (group->scales)
        add_scaled_row(group, row, width, &steps);
    else
        add_row(group, row, width, &steps);
}

static void visit_rows(Group *group, const size_t *order)
{
    for (size_t i = 0; i < group->set->matrix->row_count; i++) {
        switch (group->width) {
        case 1:
            visit_row(group, order[i], 1);
            break;
        case 2:
            visit_row(group, order[i], 2);
            break;
        case 3:
            visit_row(group, order[i], 3);
            break;
        case 4:
            visit_row(group, order[i], 4);
            break;
        default:
            visit_row(group, order[i], WIDTH_MAX);
        }
    }
}

/* ---- a group of margins ---- */

static void find_scales(Group *group, size_t index, const signed char *signs)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    size_t columns = group->set->matrix->column_count;
    double *ratios = arena_array(scratch, double, columns);

    linear_log_ratios(group->set->matrix, signs, ratios, scratch);
    for (size_t column = 0; column < columns; column++)
        group->scales[column * group->width + index / LANES][index % LANES] =
            (float)(ratios[column] * ratios[column]);
}

static void find_squares(Group *group)
{
    const Matrix *matrix = group->set->matrix;

    for (size_t row = 0; row < matrix->row_count; row++) {
        Lanes sums = {0};

        for (size_t at = matrix->starts[row]; at < matrix->starts[row + 1]; at++) {
            float square = (float)(matrix->values[at] * matrix->values[at]);

            for (size_t i = 0; i < group->width; i++)
                sums.vectors[i] +=
                    group->scales ? group->scales[matrix->columns[at] * group->width + i] * square
                                  : (Lane){0} + square;
        }
        for (size_t i = 0; i < group->count; i++)
            group->squares[row * group->count + i] = 1 + sums.values[i];
    }
}

static void start_margin(Group *group, size_t index, double cost)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    size_t rows = group->set->matrix->row_count;
    signed char *signs = arena_array(scratch, signed char, rows);
    size_t positives = linear_mark_rows(group->set, group->first + index, signs);
    MarginCosts costs = linear_costs(group->set, cost, positives);

    group->margins[index].positive_cost = (float)costs.positive;
    group->margins[index].negative_cost = (float)costs.negative;
    for (size_t row = 0; row < rows; row++)
        group->signs[row * group->count + index] = signs[row];
    if (group->scales)
        find_scales(group, index, signs);
}

static void start_group(Group *group, double cost, bool scale_by_ratio)
{
    const Matrix *matrix = group->set->matrix;
    size_t values = matrix->row_count * group->count;

    group->width = (group->count + LANES - 1) / LANES;
    group->weights = arena_array(group->arena, Lane, matrix->column_count * group->width);
    if (scale_by_ratio)
        group->scales = arena_array(group->arena, Lane, matrix->column_count * group->width);
    group->signs = arena_array(group->arena, signed char, values);
    group->multipliers = arena_array(group->arena, float, values);
    group->squares = arena_array(group->arena, float, values);
    for (size_t i = 0; i < group->count; i++)
        start_margin(group, i, cost);
    find_squares(group);
}

static bool is_small(const Margin *margin)
{
    return margin->gap <= tolerance * (margin->length / 2 + margin->loss);
}

/* Gap and loss are summed up as the rows are met, while the weights move: that says when it is
 * worth to look at all rows with the weights at rest. */
static bool some_seem_done(Group *group)
{
    bool some = false;

    for (size_t i = 0; i < group->count; i++) {
        Margin *margin = &group->margins[i];

        margin->seems_done = !margin->is_done && is_small(margin);
        margin->gap = margin->loss = 0;
        some = some || margin->seems_done;
    }
    return some;
}

static bool all_are_done(Group *group)
{
    bool all = true;

    for (size_t i = 0; i < group->count; i++) {
        Margin *margin = &group->margins[i];

        if (margin->seems_done && is_small(margin))
            margin->is_done = true;
        margin->gap = margin->loss = 0;
        all = all && margin->is_done;
    }
    return all;
}

static void descend(Group *group)
{
    size_t rows = group->set->matrix->row_count;
    size_t *order = arena_array(group->arena, size_t, rows);
    Random random = random_seeded(group->set->seed);

    for (size_t row = 0; row < rows; row++)
        order[row] = row;
    for (size_t epoch = 0; epoch < EPOCHS_MAX; epoch++) {
        random_shuffle(&random, order, rows);
        visit_rows(group, order);
        if (!some_seem_done(group))
            continue;
        group->is_checking = true;
        visit_rows(group, order);
        group->is_checking = false;
        if (all_are_done(group))
            return;
    }
}

static void copy_weights(const Group *group, LinearModel *model)
{
    for (size_t i = 0; i < group->count; i++) {
        double *weights = model->weights + (group->first + i) * model->column_count;

        for (size_t column = 0; column < model->column_count; column++)
            weights[column] = (double)group->weights[column * group->width + i / LANES][i % LANES];
        model->intercepts[group->first + i] = group->margins[i].intercept;
    }
}

/* ---- all margins ---- */

typedef struct AllGroups {
    const TrainingSet *set;
    double cost;
    DualLoss *loss;
    bool scale_by_ratio;
    size_t group_count;
    LinearModel *model;
} AllGroups;

static void fit_group(void *context, size_t index)
{
    const AllGroups *all = context;
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    Group *group = arena_new(scratch, Group);
    size_t margins = all->model->margin_count;
    size_t first = index * margins / all->group_count;
    size_t end = (index + 1) * margins / all->group_count;

    *group = (Group){
        .set = all->set, .loss = all->loss, .first = first, .count = end - first, .arena = scratch};
    start_group(group, all->cost, all->scale_by_ratio);
    descend(group);
    copy_weights(group, all->model);
}

static size_t group_count(const TrainingSet *set, size_t margins)
{
    size_t least = (margins + MARGINS_MAX - 1) / MARGINS_MAX;
    size_t wanted = set->thread_count < margins ? set->thread_count : margins;

    return wanted > least ? wanted : least;
}

LinearModel dual_fit(const TrainingSet *set, double cost, DualLoss *loss, bool scale_by_ratio,
                     Arena *arena)
{
    LinearModel model = linear_model_new(set, arena);
    AllGroups all = {set, cost, loss, scale_by_ratio, group_count(set, model.margin_count), &model};

    parallel_run(all.group_count, set->thread_count, fit_group, &all);
    return model;
}
