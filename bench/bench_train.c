/* bench_train: one learner on the words of 20newsgroups, whole: read, count, weigh, fit, judge.
 *
 *     bench_train logistic_regression|linear_svm
 *
 * Features as scikit-learn's TfidfVectorizer makes them by default, C = 1, no search. Prints the
 * number of features and the accuracy on the set's own test part.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parallel.h"
#include "bench/study_data.h"
#include "ml/linear.h"
#include "ml/vectorizer.h"

enum { CLASSES_MAX = 32, TEXT_BYTES = 36 << 20 /* of both parts, about */ };

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

/* Posts as counts of words, their texts forgotten. */
typedef struct News {
    Block block;
    BlockReader reader;
    int *labels; /* numbers of names, by first sight */
    size_t label_capacity;
    const char *names[CLASSES_MAX];
    size_t class_count;
    Arena *arena;
} News;

static int label_of(News *news, TextRef name)
{
    size_t i = 0;

    while (i < news->class_count && (strlen(news->names[i]) != name.length ||
                                     memcmp(news->names[i], name.bytes, name.length) != 0))
        i++;
    if (i == CLASSES_MAX)
        abort();
    if (i == news->class_count)
        news->names[news->class_count++] = arena_copy(news->arena, name.bytes, name.length);
    return (int)i;
}

static void take_post(void *context, TextRef text, TextRef label)
{
    News *news = context;
    size_t row = news->block.row_count;

    news->labels = arena_grow(news->arena, news->labels, row, sizeof(int));
    news->labels[row] = label_of(news, label);
    block_reader_add(&news->reader, text);
}

static RowList rows_between(size_t first, size_t end, Arena *arena)
{
    size_t *rows = arena_array(arena, size_t, end - first);

    for (size_t i = 0; i < end - first; i++)
        rows[i] = first + i;
    return (RowList){rows, end - first};
}

static LinearModel train(const News *news, const Vectorizer *vectorizer, RowList rows, Fit *fit,
                         Arena *arena)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    Matrix matrix = vectorizer_apply(vectorizer, rows, scratch);
    TrainingSet set = {.matrix = &matrix,
                       .labels = news->labels,
                       .class_count = news->class_count,
                       .seed = 42,
                       .thread_count = parallel_core_count()};

    return fit(&set, 1, arena);
}

static size_t count_right(const News *news, const Vectorizer *vectorizer, const LinearModel *model,
                          RowList rows)
{
    CLEANUP(arena_cleanup) Arena *scratch = arena_create();
    Matrix matrix = vectorizer_apply(vectorizer, rows, scratch);
    double *margins = arena_array(scratch, double, rows.count * model->margin_count);
    size_t right = 0;

    linear_margins(model, &matrix, margins);
    for (size_t row = 0; row < rows.count; row++) {
        const double *own = margins + row * model->margin_count;
        size_t best = 0;

        for (size_t i = 1; i < model->margin_count; i++)
            if (own[i] > own[best])
                best = i;
        right += best == (size_t)news->labels[rows.items[row]];
    }
    return right;
}

static bool read_news(News *news, size_t *train_count, Error *error)
{
    static const BlockSpec spec = {
        .kind = BLOCK_WORDS, .style = TOKEN_STYLE_PLAIN, .least = 1, .most = 1};
    bool done;

    block_reader_start(&news->reader, &news->block, &spec, TEXT_BYTES, news->arena);
    done = study_news_posts(false, take_post, news, error);
    *train_count = news->block.row_count;
    done = done && study_news_posts(true, take_post, news, error);
    block_reader_end(&news->reader);
    return done;
}

int main(int count, char **arguments)
{
    static const bool used[] = {true};
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Fit *fit = find_learner(count == 2 ? arguments[1] : NULL);
    News news = {.arena = arena};
    Corpus corpus = {&news.block, 1, 0};
    size_t train_count;
    Vectorizer vectorizer;
    RowList test;
    LinearModel model;
    Error error = {0};

    if (!fit) {
        fputs("usage: bench_train logistic_regression|linear_svm\n", stderr);
        return 2;
    }
    if (!read_news(&news, &train_count, &error)) {
        fprintf(stderr, "bench_train: %s\n", error.message);
        return 1;
    }
    corpus.row_count = news.block.row_count;
    vectorizer = vectorizer_fit(&corpus, used, rows_between(0, train_count, arena), arena);
    model = train(&news, &vectorizer, rows_between(0, train_count, arena), fit, arena);
    test = rows_between(train_count, corpus.row_count, arena);
    printf("%zu %.4f\n", vectorizer.column_count,
           (double)count_right(&news, &vectorizer, &model, test) / (double)test.count);
    return 0;
}
