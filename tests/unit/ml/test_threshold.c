/* The decision threshold, against a search through all there are, on real rows: one in nine clients
 * of a bank says yes. SLIPWAY_DATA names the folder. */
#include "base/file.h"
#include "base/text.h"
#include "ml/predictor.h"
#include "ml/random.h"
#include "ml/report.h"
#include "tests/test.h"

enum { ROWS_MAX = 6000, FILE_BYTES_MAX = 16 << 20, COLUMNS_MAX = 32 };

static const char *const names[] = {"no", "yes"};
static const ClassNames classes = {names, 2};

typedef struct Clients {
    Frame frame;
    FrameColumn columns[COLUMNS_MAX];
    int labels[ROWS_MAX];
} Clients;

/* What is known only after the call, is left out. */
static void add_column(Clients *clients, const char *name, const char **cells, size_t rows,
                       Arena *arena)
{
    FrameColumn column = {name, COLUMN_NUMBER, NULL, NULL};
    double *numbers = arena_array(arena, double, ROWS_MAX);
    TextRef *texts = arena_array(arena, TextRef, ROWS_MAX);

    if (strcmp(name, "duration") == 0)
        return;
    for (size_t row = 0; row < rows; row++) {
        texts[row] = (TextRef){cells[row], strlen(cells[row])};
        if (!text_to_double(cells[row], &numbers[row]))
            column.kind = COLUMN_CATEGORY;
    }
    if (column.kind == COLUMN_NUMBER)
        column.numbers = numbers;
    else
        column.texts = texts;
    clients->columns[clients->frame.column_count++] = column;
}

static bool read_clients(Clients *clients, Arena *arena)
{
    static const char *cells[COLUMNS_MAX][ROWS_MAX];
    const char *root = getenv("SLIPWAY_DATA"), *bytes;
    const char *path = arena_format(arena, "%s/bank-marketing/bankmarketing_train.csv",
                                    root ? root : "../shared/data");
    size_t size, rows = 0;
    TextList heading;
    char *text;
    Error error;

    *clients = (Clients){0};
    if (!file_read(path, FILE_BYTES_MAX, arena, &bytes, &size, &error)) {
        printf("SKIP: %s is not there\n", path);
        return false;
    }
    text = arena_copy(arena, bytes, size);
    heading = text_split(text_trim(strsep(&text, "\n"), arena), ',', arena);
    EXPECT(heading.count == 21);
    for (char *line; rows < ROWS_MAX && (line = strsep(&text, "\n")) && *line; rows++)
        for (size_t i = 0; i < heading.count; i++)
            cells[i][rows] = text_trim(strsep(&line, ","), arena);
    for (size_t i = 0; i + 1 < heading.count; i++)
        add_column(clients, heading.items[i], cells[i], rows, arena);
    for (size_t row = 0; row < rows; row++)
        clients->labels[row] = strcmp(cells[heading.count - 1][row], "yes") == 0;
    clients->frame.columns = clients->columns;
    clients->frame.row_count = rows;
    return true;
}

typedef struct Found {
    double threshold;
    const double *answers; /* out of fold, two for each row */
} Found;

static Found learn(const Frame *frame, const int *labels, const SearchSpec *spec, Arena *arena)
{
    const Target target = {.labels = labels, .classes = &classes};
    Learnt learnt = {0};
    Found found;
    Error error;

    EXPECT_OK(predictor_learn(frame, &target, spec, arena, &learnt, &error), error);
    found = (Found){predictor_threshold(learnt.model), learnt.out_of_fold};
    predictor_unload(&learnt.model);
    return found;
}

/* ---- the reference: counts and formulas of its own ---- */

typedef struct Counts {
    double yes_named, yes_missed, no_named, no_left;
} Counts;

static Counts count_at(const double *answers, const int *labels, size_t rows, double threshold)
{
    Counts counts = {0};

    for (size_t row = 0; row < rows; row++) {
        bool is_named = answers[2 * row + 1] >= threshold;

        if (labels[row])
            *(is_named ? &counts.yes_named : &counts.yes_missed) += 1;
        else
            *(is_named ? &counts.no_named : &counts.no_left) += 1;
    }
    return counts;
}

static double f1_of(double right, double wrong, double missed)
{
    return right > 0 ? 2 * right / (2 * right + wrong + missed) : 0;
}

static double mcc_of(const Counts *counts)
{
    double product = (counts->yes_named + counts->no_named) *
                     (counts->yes_named + counts->yes_missed) *
                     (counts->no_left + counts->no_named) * (counts->no_left + counts->yes_missed);

    if (product <= 0)
        return 0;
    return (counts->yes_named * counts->no_left - counts->no_named * counts->yes_missed) /
           sqrt(product);
}

static double value_of(const char *metric, const Counts *counts)
{
    double yes = counts->yes_named + counts->yes_missed, no = counts->no_named + counts->no_left;
    double of_yes = f1_of(counts->yes_named, counts->no_named, counts->yes_missed);
    double of_no = f1_of(counts->no_left, counts->yes_missed, counts->no_named);

    if (strcmp(metric, "f1") == 0)
        return of_yes;
    if (strcmp(metric, "f1_macro") == 0)
        return (of_yes + of_no) / 2;
    if (strcmp(metric, "f1_weighted") == 0)
        return (of_yes * yes + of_no * no) / (yes + no);
    if (strcmp(metric, "mcc") == 0)
        return mcc_of(counts);
    if (strcmp(metric, "balanced_accuracy") == 0)
        return (counts->yes_named / yes + counts->no_left / no) / 2;
    return (counts->yes_named + counts->no_left) / (yes + no);
}

static double value_at(const char *metric, const Found *found, const Clients *clients,
                       double threshold)
{
    Counts counts = count_at(found->answers, clients->labels, clients->frame.row_count, threshold);

    return value_of(metric, &counts);
}

static int rising(const void *a, const void *b)
{
    const double *first = a, *second = b;

    return (*first > *second) - (*first < *second);
}

/* At the probability of each row, and of none. */
static double best_of_all(const char *metric, const Found *found, const Clients *clients)
{
    static double tried[ROWS_MAX];
    size_t rows = clients->frame.row_count;
    double best = value_at(metric, found, clients, 2);

    for (size_t row = 0; row < rows; row++)
        tried[row] = found->answers[2 * row + 1];
    qsort(tried, rows, sizeof(double), rising);
    for (size_t row = 0; row < rows; row++)
        if (row == 0 || tried[row] != tried[row - 1])
            best = fmax(best, value_at(metric, found, clients, tried[row]));
    return best;
}

/* Of 0.05, 0.06, ... 0.95 that with the best mean over the eleven around it. */
static double best_plateau(const char *metric, const Found *found, const Clients *clients)
{
    double values[101], best = -INFINITY;
    int at = 0;

    for (int percent = 5; percent <= 95; percent++)
        values[percent] = value_at(metric, found, clients, percent / 100.0);
    for (int percent = 5; percent <= 95; percent++) {
        double sum = 0, count = 0;

        for (int near = percent - 5; near <= percent + 5; near++)
            if (near >= 5 && near <= 95) {
                sum += values[near];
                count++;
            }
        if (sum / count > best + 1e-12) {
            best = sum / count;
            at = percent;
        }
    }
    return at / 100.0;
}

/* ---- the tests ---- */

static const char *const metrics[] = {"accuracy", "balanced_accuracy", "f1",
                                      "f1_macro", "f1_weighted",       "mcc"};

/* Beside a metric that ranks. */
static void expect_chosen_for(const char *metric, const Clients *clients)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const SearchSpec spec = {
        .metric = "auc", .threshold_for = metric, .seed = 42, .fold_count = 3, .trials_max = 1};
    Found found = learn(&clients->frame, clients->labels, &spec, arena);
    double plateau = best_plateau(metric, &found, clients);
    double value = value_at(metric, &found, clients, found.threshold);
    double half = value_at(metric, &found, clients, 0.5);
    double best = best_of_all(metric, &found, clients);
    bool is_far = strcmp(metric, "f1") == 0 || strcmp(metric, "balanced_accuracy") == 0;

    printf("%s: %.2f, of which %.4f; at one half %.4f; the best of all %.4f\n", metric,
           found.threshold, value, half, best);
    EXPECT(found.threshold == plateau || (found.threshold == 0.5 && !is_far));
    EXPECT(!is_far || plateau < 0.4);
    EXPECT(value >= half && value > best - 0.02);
}

static void
test_on_real_rows_the_threshold_is_the_plateau_of_its_metric_and_near_the_best_there_is(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    static Clients clients;

    if (!read_clients(&clients, arena))
        return;
    for (size_t i = 0; i < COUNT(metrics); i++)
        expect_chosen_for(metrics[i], &clients);
}

/* Few rows have the rare class, and a size tells it a little. */
static void make_rare(Clients *clients, double *sizes)
{
    Random random = random_seeded(3);

    *clients = (Clients){.columns = {{"size", COLUMN_NUMBER, NULL, sizes}}};
    clients->frame = (Frame){clients->columns, 1, ROWS_MAX};
    for (size_t row = 0; row < ROWS_MAX; row++) {
        clients->labels[row] = row % 100 == 0;
        sizes[row] = random_unit(&random) + 0.4 * clients->labels[row];
    }
}

static void test_a_class_of_one_row_in_a_hundred_is_named_below_one_in_twenty(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    static Clients clients;
    static double sizes[ROWS_MAX];
    const SearchSpec spec = {
        .metric = "balanced_accuracy", .seed = 42, .fold_count = 3, .trials_max = 1};
    Found found;
    double value;

    make_rare(&clients, sizes);
    found = learn(&clients.frame, clients.labels, &spec, arena);
    value = value_at("balanced_accuracy", &found, &clients, found.threshold);
    printf("%.4f, of which %.4f; at 0.05 %.4f; the best of all %.4f\n", found.threshold, value,
           value_at("balanced_accuracy", &found, &clients, 0.05),
           best_of_all("balanced_accuracy", &found, &clients));
    EXPECT(found.threshold > 0.0005 && found.threshold < 0.05);
    EXPECT(value > value_at("balanced_accuracy", &found, &clients, 0.05) + 0.03);
    EXPECT(value > best_of_all("balanced_accuracy", &found, &clients) - 0.05); /* of 60 rows */
}

static void test_what_a_threshold_is_for_follows_from_what_was_asked(void)
{
    static const struct {
        SearchSpec spec;
        const char *metric;
    } rows[] = {
        {{.metric = "mcc"}, "mcc"},
        {{.metric = "auc"}, "accuracy"},
        {{.metric = "recall"}, "accuracy"},
        {{0}, "accuracy"},
        {{.metric = "f1", .balance_classes = true}, "balanced_accuracy"},
        {{.metric = "auc", .threshold_for = "f1"}, "f1"},
        {{.metric = "mcc", .threshold_for = "f1", .balance_classes = true}, "f1"},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        EXPECT_TEXT(threshold_metric(&rows[i].spec)->name, rows[i].metric);
}

/* As it was before there was a choice: models of old orders come out the same. */
static void test_a_ranking_metric_leaves_the_likelier_class_and_balance_its_share(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    static Clients clients;
    static double sizes[ROWS_MAX];
    SearchSpec spec = {.metric = "auc", .seed = 42, .fold_count = 3, .trials_max = 1};

    make_rare(&clients, sizes);
    EXPECT(learn(&clients.frame, clients.labels, &spec, arena).threshold == 0.5);
    spec.balance_classes = true;
    EXPECT_NEAR(learn(&clients.frame, clients.labels, &spec, arena).threshold, 0.01, 1e-12);
}

static void expect_refused(const char *metric)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Error error = {0};

    EXPECT(!metric_check_threshold(metric, &error));
    EXPECT_TEXT(error.field, "threshold_for");
    EXPECT_TEXT(error.message,
                arena_format(arena,
                             "a threshold can be chosen for accuracy, balanced_accuracy, f1, "
                             "f1_macro, f1_weighted, mcc, not for \"%s\"",
                             metric));
}

static void test_metrics_without_a_threshold_are_refused_with_those_that_have_one(void)
{
    static const char *const others[] = {"auc", "recall", "rmse", "F1", ""};
    Error error = {0};

    for (size_t i = 0; i < COUNT(metrics); i++)
        EXPECT_OK(metric_check_threshold(metrics[i], &error), error);
    for (size_t i = 0; i < COUNT(others); i++)
        expect_refused(others[i]);
}

int main(int count, char **arguments)
{
    static const Test tests[] = {
        TEST(
            test_on_real_rows_the_threshold_is_the_plateau_of_its_metric_and_near_the_best_there_is),
        TEST(test_a_class_of_one_row_in_a_hundred_is_named_below_one_in_twenty),
        TEST(test_what_a_threshold_is_for_follows_from_what_was_asked),
        TEST(test_a_ranking_metric_leaves_the_likelier_class_and_balance_its_share),
        TEST(test_metrics_without_a_threshold_are_refused_with_those_that_have_one),
        {0},
    };

    return test_main(tests, count, arguments);
}
