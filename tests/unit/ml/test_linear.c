#include "ml/linear.h"

#include <linear.h>

#include "ml/random.h"
#include "tests/test.h"

/* ---- BLAS ---- */

/* The four functions that LIBLINEAR calls, so that no BLAS library is linked. Names, parameters and
 * meaning are the BLAS standard's. */
double ddot_(int *count, double *x, int *x_step, double *y, int *y_step);
int daxpy_(int *count, double *factor, double *x, int *x_step, double *y, int *y_step);
double dnrm2_(int *count, double *x, int *x_step);
int dscal_(int *count, double *factor, double *x, int *x_step);

double ddot_(int *count, double *x, int *x_step, double *y, int *y_step)
{
    double sum = 0;

    for (long i = 0; i < *count; i++)
        sum += x[i * *x_step] * y[i * *y_step];
    return sum;
}

int daxpy_(int *count, double *factor, double *x, int *x_step, double *y, int *y_step)
{
    for (long i = 0; i < *count; i++)
        y[i * *y_step] += *factor * x[i * *x_step];
    return 0;
}

double dnrm2_(int *count, double *x, int *x_step)
{
    return sqrt(ddot_(count, x, x_step, x, x_step));
}

int dscal_(int *count, double *factor, double *x, int *x_step)
{
    for (long i = 0; i < *count; i++)
        x[i * *x_step] *= *factor;
    return 0;
}

/* ---- made rows ---- */

enum { ROWS = 200, COLUMNS = 30, ENTRIES_PER_ROW = 6 };

typedef struct Made {
    size_t starts[ROWS + 1];
    uint32_t columns[ROWS * ENTRIES_PER_ROW];
    double values[ROWS * ENTRIES_PER_ROW];
    int labels[ROWS];
    Matrix matrix;
} Made;

/* Rows whose first columns tell the class, with one label in ten turned around. */
static void make_rows(Made *made, size_t class_count)
{
    Random random = random_seeded(3);

    for (size_t row = 0; row < ROWS; row++) {
        size_t label = random_below(&random, class_count);

        made->starts[row + 1] = (row + 1) * ENTRIES_PER_ROW;
        for (size_t i = 0; i < ENTRIES_PER_ROW; i++) {
            size_t at = row * ENTRIES_PER_ROW + i;
            size_t column = i < 2 ? label * 2 + i : 8 + i * 4 + random_below(&random, 4);

            made->columns[at] = (uint32_t)column;
            made->values[at] = 0.2 + random_unit(&random);
        }
        if (random_below(&random, 10) == 0)
            label = (label + 1) % class_count;
        made->labels[row] = (int)label;
    }
    made->matrix = (Matrix){ROWS, 36, made->starts, made->columns, made->values};
}

static TrainingSet set_of(const Made *made, size_t class_count)
{
    return (TrainingSet){
        .matrix = &made->matrix, .labels = made->labels, .class_count = class_count, .seed = 42};
}

static LinearModel one_margin(const LinearModel *model, size_t margin)
{
    return (LinearModel){1, model->column_count, model->weights + margin * model->column_count,
                         model->intercepts + margin};
}

/* w'w/2 (the intercept is a weight too) + C sum of the loss of each row. */
static double objective(const Made *made, const LinearModel *model, int positive, double cost,
                        bool is_hinge)
{
    double margins[ROWS], sum = model->intercepts[0] * model->intercepts[0] / 2;

    for (size_t i = 0; i < model->column_count; i++)
        sum += model->weights[i] * model->weights[i] / 2;
    linear_margins(model, &made->matrix, margins);
    for (size_t row = 0; row < ROWS; row++) {
        double signed_margin = made->labels[row] == positive ? margins[row] : -margins[row];
        double hinge = fmax(0, 1 - signed_margin);

        sum += cost * (is_hinge ? hinge * hinge : log1p(exp(-signed_margin)));
    }
    return sum;
}

static void print_nothing(const char *text)
{
    (void)text;
}

/* The least objective, by LIBLINEAR's Newton method with a tight tolerance. */
static double least_objective(const Made *made, int solver, int positive, double cost)
{
    static struct feature_node nodes[ROWS][ENTRIES_PER_ROW + 2];
    struct feature_node *rows[ROWS];
    double truth[ROWS], weights[36], intercept;
    struct problem problem = {.l = ROWS, .n = 37, .y = truth, .x = rows, .bias = 1};
    struct parameter parameter = {.solver_type = solver, .eps = 1e-9, .C = cost};
    LinearModel model = {1, 36, weights, &intercept};
    struct model *fitted;
    double sign;

    for (size_t row = 0; row < ROWS; row++) {
        truth[row] = made->labels[row] == positive ? 1 : -1;
        rows[row] = nodes[row];
        for (size_t i = 0; i < ENTRIES_PER_ROW; i++) {
            size_t at = row * ENTRIES_PER_ROW + i;

            nodes[row][i] = (struct feature_node){(int)made->columns[at] + 1, made->values[at]};
        }
        nodes[row][ENTRIES_PER_ROW] = (struct feature_node){37, 1};
        nodes[row][ENTRIES_PER_ROW + 1] = (struct feature_node){-1, 0};
    }
    set_print_string_function(print_nothing);
    fitted = train(&problem, &parameter);
    sign = fitted->label[0];
    for (size_t i = 0; i < 36; i++)
        weights[i] = sign * fitted->w[i];
    intercept = sign * fitted->w[36];
    free_and_destroy_model(&fitted);
    return objective(made, &model, positive, cost, solver == L2R_L2LOSS_SVC);
}

static void test_support_vectors_reach_the_least_objective(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    static const double costs[] = {0.1, 1, 10};
    static Made made;
    TrainingSet set;

    make_rows(&made, 2);
    set = set_of(&made, 2);
    for (size_t i = 0; i < COUNT(costs); i++) {
        LinearModel model = svm_fit(&set, costs[i], arena);
        double least = least_objective(&made, L2R_L2LOSS_SVC, 1, costs[i]);

        EXPECT(objective(&made, &model, 1, costs[i], true) < least * 1.01);
        EXPECT(objective(&made, &model, 1, costs[i], true) > least * 0.999999);
    }
}

/* The bar is what linear_internal.h promises: a thousandth of a part of the objective. */
static void test_every_margin_reaches_the_least_objective(void)
{
    static const struct {
        LinearModel (*fit)(const TrainingSet *set, double cost, Arena *arena);
        int solver;
        size_t classes;
        double cost_most; /* few columns and wrong labels at higher costs end without the promise */
    } rows[] = {{logistic_fit, L2R_LR, 2, 100},
                {logistic_fit, L2R_LR, 4, 100},
                {svm_fit, L2R_L2LOSS_SVC, 4, 1}};
    static const double costs[] = {0.1, 1, 10, 100};
    static Made made;

    for (size_t i = 0; i < COUNT(rows) * COUNT(costs); i++) {
        CLEANUP(arena_cleanup) Arena *arena = arena_create();
        size_t at = i / COUNT(costs), classes = rows[at].classes;
        double cost = costs[i % COUNT(costs)];
        bool is_hinge = rows[at].solver == L2R_L2LOSS_SVC;
        TrainingSet set;
        LinearModel model;

        if (cost > rows[at].cost_most)
            continue;
        make_rows(&made, classes);
        set = set_of(&made, classes);
        model = rows[at].fit(&set, cost, arena);
        for (size_t margin = 0; margin < model.margin_count; margin++) {
            int positive = classes == 2 ? 1 : (int)margin;
            LinearModel own = one_margin(&model, margin);
            double reached = objective(&made, &own, positive, cost, is_hinge);
            double least = least_objective(&made, rows[at].solver, positive, cost);

            EXPECT(reached < least * 1.001);
            EXPECT(reached > least * 0.99999);
        }
    }
}

typedef LinearModel Fit(const TrainingSet *set, double parameter, Arena *arena);

static Fit *const all_fits[] = {svm_fit, nb_svm_fit, logistic_fit, multinomial_nb_fit,
                                complement_nb_fit};

static void test_every_learner_finds_classes_that_are_there(void)
{
    static Made made;
    static double margins[ROWS * 4];

    for (size_t classes = 2; classes <= 4; classes++) {
        make_rows(&made, classes);
        for (size_t i = 0; i < COUNT(all_fits); i++) {
            CLEANUP(arena_cleanup) Arena *arena = arena_create();
            TrainingSet set = set_of(&made, classes);
            LinearModel model = all_fits[i](&set, 1, arena);
            size_t right = 0;

            EXPECT(model.margin_count == (classes == 2 ? 1 : classes));
            linear_margins(&model, &made.matrix, margins);
            for (size_t row = 0; row < ROWS; row++) {
                const double *values = margins + row * model.margin_count;
                size_t best = classes == 2 ? values[0] > 0 : 0;

                for (size_t k = 1; k < model.margin_count; k++)
                    if (values[k] > values[best])
                        best = k;
                right += (int)best == made.labels[row];
            }
            EXPECT(right >= ROWS * 85 / 100); /* one in ten has a wrong label */
        }
    }
}

static void test_the_same_rows_and_seed_give_the_same_bits(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    static Made made;
    TrainingSet set;

    make_rows(&made, 3);
    set = set_of(&made, 3);
    for (size_t i = 0; i < COUNT(all_fits); i++) {
        LinearModel first = all_fits[i](&set, 1, arena), second = all_fits[i](&set, 1, arena);

        EXPECT(memcmp(first.weights, second.weights, 3 * 36 * sizeof(double)) == 0);
        EXPECT(memcmp(first.intercepts, second.intercepts, 3 * sizeof(double)) == 0);
    }
}

static void test_any_number_of_threads_gives_the_same_bits(void)
{
    static const size_t class_counts[] = {3, 7, 30};
    static Made made;

    for (size_t i = 0; i < COUNT(class_counts) * COUNT(all_fits); i++) {
        CLEANUP(arena_cleanup) Arena *arena = arena_create();
        size_t classes = class_counts[i / COUNT(all_fits)];
        Fit *fit = all_fits[i % COUNT(all_fits)];
        TrainingSet set;
        LinearModel alone;

        make_rows(&made, 4);
        for (size_t row = 0; row < ROWS; row++) /* 36 columns tell four classes: the others are
                                                   parts of them */
            made.labels[row] = (int)(((size_t)made.labels[row] + 4 * row) % classes);
        set = set_of(&made, classes);
        alone = fit(&set, 1, arena);
        for (set.thread_count = 2; set.thread_count <= 4; set.thread_count++) {
            LinearModel shared = fit(&set, 1, arena);

            EXPECT(memcmp(alone.weights, shared.weights, classes * 36 * sizeof(double)) == 0);
            EXPECT(memcmp(alone.intercepts, shared.intercepts, classes * sizeof(double)) == 0);
        }
    }
}

static void test_balanced_classes_raise_the_rare_ones_margins(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    static Made made;
    TrainingSet set;
    double plain = 0, balanced = 0, margins[ROWS];
    LinearModel model;

    make_rows(&made, 2);
    for (size_t row = 0; row < ROWS; row++)
        made.labels[row] = made.labels[row] == 1 && row % 8 == 0;
    set = set_of(&made, 2);
    model = svm_fit(&set, 1, arena);
    linear_margins(&model, &made.matrix, margins);
    for (size_t row = 0; row < ROWS; row++)
        plain += margins[row] > 0;
    set.balance_classes = true;
    model = svm_fit(&set, 1, arena);
    linear_margins(&model, &made.matrix, margins);
    for (size_t row = 0; row < ROWS; row++)
        balanced += margins[row] > 0;
    EXPECT(balanced > plain + 10);
}

static void test_multinomial_bayes_is_its_formula(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    size_t starts[] = {0, 1, 2, 3};
    uint32_t columns[] = {0, 0, 1};
    double values[] = {2, 1, 4};
    int labels[] = {0, 1, 1};
    Matrix matrix = {3, 2, starts, columns, values};
    TrainingSet set = {.matrix = &matrix, .labels = labels, .class_count = 2};
    LinearModel model = multinomial_nb_fit(&set, 1, arena);

    /* class 0: 3 of 4 and 1 of 4; class 1: 2 of 7 and 5 of 7 */
    EXPECT_NEAR(model.weights[0], log(2.0 / 7) - log(3.0 / 4), 1e-12);
    EXPECT_NEAR(model.weights[1], log(5.0 / 7) - log(1.0 / 4), 1e-12);
    EXPECT_NEAR(model.intercepts[0], log(3.0 / 3) - log(2.0 / 3), 1e-12);
    model = complement_nb_fit(&set, 1, arena);
    EXPECT_NEAR(model.weights[0], -log(3.0 / 4) + log(2.0 / 7), 1e-12);
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_support_vectors_reach_the_least_objective),
        TEST(test_every_margin_reaches_the_least_objective),
        TEST(test_every_learner_finds_classes_that_are_there),
        TEST(test_the_same_rows_and_seed_give_the_same_bits),
        TEST(test_any_number_of_threads_gives_the_same_bits),
        TEST(test_balanced_classes_raise_the_rare_ones_margins),
        TEST(test_multinomial_bayes_is_its_formula),
        {0},
    };

    return test_main(tests, count, names);
}
