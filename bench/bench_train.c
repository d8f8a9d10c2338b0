/* bench_train: one learner on the words of 20newsgroups, whole: read, count, weigh, fit, judge.
 *
 *     bench_train logistic_regression|linear_svm
 *
 * Features as scikit-learn's TfidfVectorizer makes them by default, C = 1, no search. Prints the
 * number of features and the accuracy on the set's own test part.
 */
#include <stdio.h>
#include <string.h>

#include "bench/study_data.h"
#include "ml/linear.h"
#include "ml/vectorizer.h"

typedef LinearModel Fit(const TrainingSet *set, double cost, Arena *arena);

static const struct {
    const char *name;
    Fit *fit;
} learners[] = {{"logistic_regression", logistic_fit}, {"linear_svm", svm_fit}};

static Fit *find_learner(const char *name)
{
    for (size_t i = 0; name && i < COUNT(learners); i++)
        if (strcmp(learners[i].name, name) == 0)
            return learners[i].fit;
    return NULL;
}

static RowList rows_between(size_t first, size_t end, Arena *arena)
{
    size_t *rows = arena_array(arena, size_t, end - first);

    for (size_t i = 0; i < end - first; i++)
        rows[i] = first + i;
    return (RowList){rows, end - first};
}

static size_t count_right(const double *margins, const int *labels, size_t rows, size_t classes)
{
    size_t right = 0;

    for (size_t row = 0; row < rows; row++) {
        const double *own = margins + row * classes;
        size_t best = 0;

        for (size_t i = 1; i < classes; i++)
            if (own[i] > own[best])
                best = i;
        right += best == (size_t)labels[row];
    }
    return right;
}

static void train_and_judge(const StudyData *data, Fit *fit, Arena *arena)
{
    BlockSpec spec = {.kind = BLOCK_WORDS, .style = TOKEN_STYLE_PLAIN, .least = 1, .most = 1};
    const bool used[] = {true};
    size_t rows = data->frame.row_count, classes = data->classes.count;
    RowList train = rows_between(0, data->test_start, arena);
    RowList test = rows_between(data->test_start, rows, arena);
    Block *block = arena_new(arena, Block);
    Corpus corpus = {block, 1, rows};
    Vectorizer vectorizer;
    Matrix matrix, unseen;
    LinearModel model;
    double *margins;

    block_read(block, &data->frame, &spec, arena);
    vectorizer = vectorizer_fit(&corpus, used, train, arena);
    matrix = vectorizer_apply(&vectorizer, train, arena);
    model = fit(
        &(TrainingSet){
            .matrix = &matrix, .labels = data->labels, .class_count = classes, .seed = 42},
        1, arena);
    unseen = vectorizer_apply(&vectorizer, test, arena);
    margins = arena_array(arena, double, test.count *classes);
    linear_margins(&model, &unseen, margins);
    printf("%zu %.4f\n", vectorizer.column_count,
           (double)count_right(margins, data->labels + data->test_start, test.count, classes) /
               (double)test.count);
}

int main(int count, char **arguments)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Fit *fit = find_learner(count == 2 ? arguments[1] : NULL);
    StudyData data = {0};
    Error error = {0};

    if (!fit) {
        fputs("usage: bench_train logistic_regression|linear_svm\n", stderr);
        return 2;
    }
    if (!study_news(&data, arena, &error)) {
        fprintf(stderr, "bench_train: %s\n", error.message);
        return 1;
    }
    train_and_judge(&data, fit, arena);
    return 0;
}
