#include "ml/text_model.h"

#include "base/text.h"
#include "ml/random.h"
#include "ml/report.h"
#include "tests/test.h"

/* Made-up messages of two or three kinds; every sixth has a word of another kind too. */
enum { ROWS = 240 };

typedef struct Messages {
    TextRef texts[ROWS], channels[ROWS];
    double sizes[ROWS];
    int labels[ROWS];
    FrameColumn columns[3];
    Frame frame;
    const char *names[3];
    ClassNames classes;
    Arena *arena;
} Messages;

static const char *const common[] = {"the", "a", "my", "this", "video", "song", "today", "and"};
static const char *const telling[3][4] = {
    {"lovely", "voice", "remember", "summer"},
    {"subscribe", "channel", "free", "click"},
    {"goal", "match", "team", "score"},
};

static const char *message(Random *random, size_t label, size_t row, Arena *arena)
{
    char *text = arena_format(arena, "%s", telling[label][random_below(random, 4)]);

    for (int i = 0; i < 5; i++)
        text = arena_format(arena, "%s %s", text, common[random_below(random, COUNT(common))]);
    if (row % 6 == 0)
        text = arena_format(arena, "%s %s", text, telling[(label + 1) % 2][0]);
    return arena_format(arena, "%s %zu!", text, row);
}

static void make_messages(Messages *messages, size_t class_count, Arena *arena)
{
    Random random = random_seeded(9);

    *messages = (Messages){.names = {"ham", "spam", "sport"}, .arena = arena};
    for (size_t row = 0; row < ROWS; row++) {
        size_t label = random_below(&random, class_count);
        const char *text = message(&random, label, row, arena);

        messages->labels[row] = (int)label;
        messages->texts[row] = (TextRef){text, strlen(text)};
        messages->channels[row] = (TextRef){row % 5 ? "web" : "mail", row % 5 ? 3 : 4};
        messages->sizes[row] = row % 7 ? (double)row : NAN;
    }
    messages->columns[0] = (FrameColumn){"text", COLUMN_TEXT, messages->texts, NULL};
    messages->columns[1] = (FrameColumn){"channel", COLUMN_CATEGORY, messages->channels, NULL};
    messages->columns[2] = (FrameColumn){"size", COLUMN_NUMBER, NULL, messages->sizes};
    messages->frame = (Frame){messages->columns, 1, ROWS};
    messages->classes = (ClassNames){messages->names, class_count};
}

static SearchResult search(const Messages *messages, const SearchSpec *spec)
{
    SearchResult result = {0};
    Error error = {0};

    EXPECT_OK(text_model_search(&messages->frame, messages->labels, &messages->classes, spec,
                                messages->arena, &result, &error),
              error);
    EXPECT(error.kind == ERROR_NONE);
    return result;
}

static const char *save(const TextModel *model, size_t *size, Arena *arena)
{
    const char *bytes;

    text_model_save(model, arena, &bytes, size);
    return bytes;
}

static double accuracy_of(const TextModel *model, const Messages *messages)
{
    size_t classes = messages->classes.count, right = 0;
    double *probabilities = arena_array(messages->arena, double, ROWS *classes);
    Error error;

    EXPECT_OK(text_model_predict(model, &messages->frame, probabilities, messages->arena, &error),
              error);
    for (size_t row = 0; row < ROWS; row++) {
        double sum = 0;

        for (size_t i = 0; i < classes; i++)
            sum += probabilities[row * classes + i];
        EXPECT_NEAR(sum, 1, 1e-12);
        right += text_model_decide(model, probabilities + row * classes) ==
                 (size_t)messages->labels[row];
    }
    return (double)right / ROWS;
}

static void test_a_search_finds_a_model_better_than_the_baseline(void)
{
    for (size_t classes = 2; classes <= 3; classes++) {
        CLEANUP(arena_cleanup) Arena *arena = arena_create();
        CLEANUP(text_model_unload) TextModel *model = NULL;
        static Messages messages;
        SearchSpec spec = {.metric = "f1_macro", .seed = 1};
        SearchResult result;
        size_t chosen = 0;

        make_messages(&messages, classes, arena);
        result = search(&messages, &spec);
        model = result.model;
        EXPECT(result.leaderboard.count >= 5);
        EXPECT(result.leaderboard.items[0].is_baseline);
        EXPECT_TEXT(result.leaderboard.items[0].name, "majority");
        for (size_t i = 1; i < result.leaderboard.count; i++) {
            EXPECT(!result.leaderboard.items[i].is_baseline);
            EXPECT(i == 1 ||
                   result.leaderboard.items[i].score <= result.leaderboard.items[i - 1].score);
            chosen += result.leaderboard.items[i].chosen;
        }
        EXPECT(chosen == 1);
        EXPECT(result.leaderboard.items[1].score > 0.85);
        EXPECT(accuracy_of(model, &messages) > 0.9);
        for (size_t i = 0; i < ROWS * classes; i++)
            EXPECT(result.out_of_fold[i] > 0 && result.out_of_fold[i] < 1);
    }
}

static void test_the_same_data_and_seed_give_the_same_bytes_on_any_number_of_threads(void)
{
    static const size_t thread_counts[] = {0, 1, 2, 3, 8};

    for (size_t classes = 2; classes <= 3; classes++) {
        CLEANUP(arena_cleanup) Arena *arena = arena_create();
        static Messages messages;
        SearchSpec spec = {.metric = "accuracy", .seed = 4};
        const char *first = NULL;
        size_t first_size = 0;

        make_messages(&messages, classes, arena);
        messages.frame.column_count = 3;
        for (size_t i = 0; i < COUNT(thread_counts); i++) {
            CLEANUP(text_model_unload) TextModel *model = NULL;
            const char *bytes;
            size_t size;

            spec.thread_count = thread_counts[i];
            model = search(&messages, &spec).model;
            bytes = save(model, &size, arena);
            EXPECT(!first || (size == first_size && memcmp(bytes, first, size) == 0));
            first = bytes;
            first_size = size;
        }
    }
}

static void test_a_saved_model_answers_the_same_and_saves_the_same(void)
{
    for (size_t classes = 2; classes <= 3; classes++) {
        CLEANUP(arena_cleanup) Arena *arena = arena_create();
        CLEANUP(text_model_unload) TextModel *model = NULL;
        CLEANUP(text_model_unload) TextModel *loaded = NULL;
        static Messages messages;
        static double before[ROWS * 3], after[ROWS * 3];
        SearchSpec spec = {.metric = "f1", .seed = 4};
        size_t size, again_size;
        const char *bytes, *again;
        Error error;

        make_messages(&messages, classes, arena);
        model = search(&messages, &spec).model;
        bytes = save(model, &size, arena);
        EXPECT_OK(text_model_load(bytes, size, &loaded, &error), error);
        EXPECT_OK(text_model_predict(model, &messages.frame, before, arena, &error), error);
        EXPECT_OK(text_model_predict(loaded, &messages.frame, after, arena, &error), error);
        EXPECT(memcmp(before, after, ROWS * classes * sizeof(double)) == 0);
        again = save(loaded, &again_size, arena);
        EXPECT(again_size == size && memcmp(again, bytes, size) == 0);
        EXPECT_TEXT(text_model_classes(loaded)->items[1], "spam");
        EXPECT(text_model_input_count(loaded) == 1);
        EXPECT_TEXT(text_model_input(loaded, 0).name, "text");
    }
}

/* A small model with a block of every kind. */
static TextModel *small_model(Messages *messages, Arena *arena)
{
    SearchSpec spec = {.metric = "accuracy", .seed = 2, .fold_count = 2};

    make_messages(messages, 2, arena);
    messages->columns[0].kind = COLUMN_CATEGORY; /* without a text, all columns are used */
    messages->frame.column_count = 3;
    messages->frame.row_count = 24;
    return search(messages, &spec).model;
}

static void test_damaged_bytes_are_an_error_and_never_more(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    CLEANUP(text_model_unload) TextModel *model = NULL;
    static Messages messages;
    Random random = random_seeded(1);
    const char *bytes;
    size_t size;
    char *damaged;
    Error error;

    model = small_model(&messages, arena);
    bytes = save(model, &size, arena);
    for (size_t length = 0; length < size; length++) {
        TextModel *loaded = NULL;
        char *cut = malloc(length + 1); /* of its own, so that a read past the end is seen */

        memcpy(cut, bytes, length);
        EXPECT(!text_model_load(cut, length, &loaded, &error) && !loaded);
        free(cut);
    }
    damaged = malloc(size);
    for (size_t turn = 0; turn < 3000; turn++) {
        CLEANUP(text_model_unload) TextModel *loaded = NULL;
        CLEANUP(arena_cleanup) Arena *scratch = arena_create();
        double probabilities[24 * 2];

        memcpy(damaged, bytes, size);
        for (size_t i = 0; i <= turn % 4; i++)
            damaged[random_below(&random, size)] = (char)random_next(&random);
        if (!text_model_load(damaged, size, &loaded, &error))
            continue;
        if (text_model_classes(loaded)->count == 2 &&
            text_model_predict(loaded, &messages.frame, probabilities, scratch, &error))
            text_model_decide(loaded, probabilities);
    }
    free(damaged);
}

static void expect_explained(const TextModel *model, const Frame *frame, size_t row, Arena *arena)
{
    Explanation spam, ham;
    Error error;
    double sum;

    EXPECT_OK(text_model_explain(model, frame, row, 1, arena, &spam, &error), error);
    EXPECT_OK(text_model_explain(model, frame, row, 0, arena, &ham, &error), error);
    sum = spam.intercept;
    for (size_t i = 0; i < spam.count; i++) {
        const Contribution *item = &spam.items[i];

        sum += item->weight;
        EXPECT(i == 0 || fabs(item->weight) <= fabs(spam.items[i - 1].weight));
        if (item->length)
            EXPECT(memcmp(frame->columns[0].texts[row].bytes + item->start, item->text,
                          item->length) == 0);
    }
    EXPECT_NEAR(sum, spam.margin, 1e-9);
    EXPECT_NEAR(spam.margin, -ham.margin, 1e-9);
}

static void test_contributions_sum_to_the_margin_and_point_into_the_text(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    CLEANUP(text_model_unload) TextModel *model = NULL;
    static Messages messages;
    SearchSpec spec = {.metric = "accuracy", .seed = 4};

    make_messages(&messages, 2, arena);
    model = search(&messages, &spec).model;
    for (size_t row = 0; row < ROWS; row++)
        expect_explained(model, &messages.frame, row, arena);
}

static void test_margins_of_explanations_rank_rows_as_probabilities_do(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    CLEANUP(text_model_unload) TextModel *model = NULL;
    static Messages messages;
    static double probabilities[ROWS * 2], margins[ROWS];
    SearchSpec spec = {.metric = "accuracy", .seed = 4};
    Error error;

    make_messages(&messages, 2, arena);
    model = search(&messages, &spec).model;
    EXPECT_OK(text_model_predict(model, &messages.frame, probabilities, arena, &error), error);
    for (size_t row = 0; row < ROWS; row++) {
        Explanation explanation;

        EXPECT_OK(text_model_explain(model, &messages.frame, row, 1, arena, &explanation, &error),
                  error);
        margins[row] = explanation.margin;
    }
    for (size_t a = 0; a < ROWS; a++)
        for (size_t b = 0; b < ROWS; b++)
            EXPECT(margins[a] < margins[b] + 1e-6 ||
                   probabilities[a * 2 + 1] >= probabilities[b * 2 + 1] - 1e-6);
}

static bool mentions(const Explanation *terms, const char *word)
{
    for (size_t i = 0; i < terms->count; i++)
        if (strstr(terms->items[i].text, word))
            return true;
    return false;
}

static void test_the_words_that_tell_come_first(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    CLEANUP(text_model_unload) TextModel *model = NULL;
    static Messages messages;
    SearchSpec spec = {.metric = "accuracy", .seed = 4};
    TextRef text = {"the song and \xC3\x89t\xC3\xA9 SUBSCRIBE today", 34};
    FrameColumn column = {"text", COLUMN_TEXT, &text, NULL};
    Frame frame = {&column, 1, 1};
    Explanation explanation, terms;
    Error error;

    make_messages(&messages, 2, arena);
    model = search(&messages, &spec).model;
    EXPECT_OK(text_model_explain(model, &frame, 0, 1, arena, &explanation, &error), error);
    EXPECT_TEXT(explanation.items[0].text, "SUBSCRIBE");
    EXPECT(explanation.items[0].start == 19 && explanation.items[0].length == 9);
    EXPECT(explanation.items[0].weight > 0);
    EXPECT_OK(text_model_top_terms(model, 1, 40, arena, &terms, &error), error);
    EXPECT(terms.count == 40);
    for (size_t i = 0; i < 4; i++)
        EXPECT(mentions(&terms, telling[1][i]));
    for (size_t i = 1; i < 4; i++) /* the first of them is in messages of both kinds */
        EXPECT(!mentions(&terms, telling[0][i]));
}

static void test_t3_missing_columns_are_named_and_what_is_missing_or_never_seen_is_no_error(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    CLEANUP(text_model_unload) TextModel *model = NULL;
    static Messages messages;
    TextRef texts[] = {{NULL, 0}, {"never seen", 10}};
    double numbers[] = {NAN, 1e300}, probabilities[4];
    FrameColumn columns[] = {{"size", COLUMN_NUMBER, NULL, numbers},
                             {"more", COLUMN_TEXT, texts, NULL},
                             {"channel", COLUMN_CATEGORY, texts, NULL},
                             {"text", COLUMN_CATEGORY, texts, NULL}};
    Frame frame = {columns, 3, 2};
    Error error = {0};

    model = small_model(&messages, arena);
    EXPECT(!text_model_predict(model, &frame, probabilities, arena, &error));
    EXPECT_TEXT(error.field, "text");
    frame.column_count = 4;
    EXPECT_OK(text_model_predict(model, &frame, probabilities, arena, &error), error);
    for (size_t i = 0; i < 4; i++)
        EXPECT(probabilities[i] >= 0 && probabilities[i] <= 1);
    columns[0].numbers = NULL;
    EXPECT(!text_model_predict(model, &frame, probabilities, arena, &error));
    EXPECT_TEXT(error.field, "size");
}

static void test_a_budget_that_is_used_up_still_gives_a_model(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    CLEANUP(text_model_unload) TextModel *model = NULL;
    static Messages messages;
    SearchSpec spec = {.metric = "accuracy", .seed = 4, .budget_seconds = 1e-9};
    SearchResult result;

    make_messages(&messages, 2, arena);
    result = search(&messages, &spec);
    model = result.model;
    EXPECT(result.leaderboard.items[1].chosen);
    for (size_t i = 2; i < result.leaderboard.count; i++) {
        EXPECT(isnan(result.leaderboard.items[i].score));
        EXPECT_TEXT(result.leaderboard.items[i].note, "left out: the time budget is used up");
    }
    EXPECT(accuracy_of(model, &messages) > 0.9);
}

static size_t count_learnt(const Leaderboard *board)
{
    size_t count = 0;

    for (size_t i = 0; i < board->count; i++)
        count += !board->items[i].is_baseline && strcmp(board->items[i].name, "average") != 0;
    return count;
}

static void test_a_limit_of_trials_is_kept_and_one_that_suffices_changes_nothing(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    static Messages messages;
    SearchSpec spec = {.metric = "f1", .seed = 4, .fold_count = 3};
    SearchResult whole, limited;
    const char *bytes[2];
    size_t sizes[2], all;

    make_messages(&messages, 2, arena);
    messages.frame.column_count = 3;
    whole = search(&messages, &spec);
    all = count_learnt(&whole.leaderboard);
    EXPECT(whole.ended_after == 0 && all > 4);
    for (spec.trials_max = 1; spec.trials_max <= all; spec.trials_max++) {
        limited = search(&messages, &spec);
        EXPECT(count_learnt(&limited.leaderboard) == spec.trials_max);
        EXPECT(limited.ended_after == (spec.trials_max < all ? spec.trials_max : 0));
        if (spec.trials_max < all)
            text_model_unload(&limited.model);
    }
    bytes[0] = save(whole.model, &sizes[0], arena);
    bytes[1] = save(limited.model, &sizes[1], arena);
    EXPECT(sizes[0] == sizes[1] && memcmp(bytes[0], bytes[1], sizes[0]) == 0);
    text_model_unload(&limited.model);
    text_model_unload(&whole.model);
}

typedef struct Heard {
    size_t calls, last_done;
    bool is_wrong;
} Heard;

static void hear(void *context, const Leaderboard *so_far, size_t done, size_t planned)
{
    Heard *heard = context;

    heard->is_wrong |= done < heard->last_done || done > planned || so_far->count < 1 ||
                       !so_far->items[0].is_baseline;
    heard->last_done = done;
    heard->calls++;
}

static void test_the_listener_hears_every_fold(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    CLEANUP(text_model_unload) TextModel *model = NULL;
    static Messages messages;
    Heard heard = {0};
    SearchSpec spec = {.metric = "accuracy", .fold_count = 3, .listener = {hear, &heard}};

    make_messages(&messages, 2, arena);
    model = search(&messages, &spec).model;
    EXPECT(heard.calls >= 5 * 3);
    EXPECT(!heard.is_wrong);
}

static void test_wrong_input_is_refused_with_a_reason(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    static Messages messages;
    SearchSpec spec = {.metric = "wit"};
    SearchResult result = {0};
    Error error;

    make_messages(&messages, 2, arena);
    EXPECT(!text_model_search(&messages.frame, messages.labels, &messages.classes, &spec, arena,
                              &result, &error));
    EXPECT_TEXT(
        error.message,
        "\"wit\" is not a metric; those of classification are accuracy, balanced_accuracy, f1, "
        "f1_macro, f1_micro, f1_weighted, precision, recall, precision_macro, "
        "recall_macro, mcc, auc, average_precision, log_loss, brier, calibration_error");
    spec = (SearchSpec){.metric = "f1", .positive = "eggs"};
    EXPECT(!text_model_search(&messages.frame, messages.labels, &messages.classes, &spec, arena,
                              &result, &error));
    EXPECT_TEXT(error.message, "there is no class \"eggs\"");
    spec = (SearchSpec){.metric = "f1"};
    memset(messages.labels, 0, sizeof(messages.labels));
    EXPECT(!text_model_search(&messages.frame, messages.labels, &messages.classes, &spec, arena,
                              &result, &error));
    messages.labels[3] = 7;
    EXPECT(!text_model_search(&messages.frame, messages.labels, &messages.classes, &spec, arena,
                              &result, &error));
    EXPECT(!result.model);
}

static void test_texts_that_are_all_alike_are_refused_with_a_sentence(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    static Messages messages;
    SearchSpec spec = {.metric = "f1"};
    SearchResult result = {0};
    Error error;

    make_messages(&messages, 2, arena);
    for (size_t row = 0; row < ROWS; row++)
        messages.texts[row] = messages.texts[0];
    EXPECT(!text_model_search(&messages.frame, messages.labels, &messages.classes, &spec, arena,
                              &result, &error));
    EXPECT_TEXT(error.message,
                "training needs two different texts at least: repeats cannot judge themselves");
    EXPECT(!result.model);
}

static void test_few_rows_are_enough(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    CLEANUP(text_model_unload) TextModel *model = NULL;
    static Messages messages;
    int labels[] = {0, 1, 0, 1};
    SearchSpec spec = {.metric = "f1"};

    make_messages(&messages, 2, arena);
    memcpy(messages.labels, labels, sizeof(labels));
    messages.frame.row_count = 4;
    model = search(&messages, &spec).model;
    EXPECT(model != NULL);
}

static void test_t10_models_below_the_baseline_are_marked(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    CLEANUP(text_model_unload) TextModel *model = NULL;
    static Messages messages;
    SearchSpec spec = {.metric = "log_loss", .seed = 4};
    SearchResult result;
    Random random = random_seeded(3);
    size_t marked = 0;

    make_messages(&messages, 2, arena);
    for (size_t row = 0; row < ROWS; row++) /* nothing to be learnt, and two in three are ham */
        messages.labels[row] = random_below(&random, 3) == 0;
    result = search(&messages, &spec);
    model = result.model;
    EXPECT(result.leaderboard.items[0].is_baseline && !result.leaderboard.items[0].below_baseline);
    for (size_t i = 1; i < result.leaderboard.count; i++) {
        const LeaderboardRow *row = &result.leaderboard.items[i];

        EXPECT(row->below_baseline == (row->score > result.leaderboard.items[0].score));
        marked += row->below_baseline;
    }
    EXPECT(marked > 0);
}

static void test_fewer_groups_than_folds_are_enough_and_no_error_is_left(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    CLEANUP(text_model_unload) TextModel *model = NULL;
    static Messages messages;
    size_t groups[ROWS];
    SearchSpec spec = {.metric = "f1", .groups = groups};

    make_messages(&messages, 2, arena);
    for (size_t row = 0; row < ROWS; row++)
        groups[row] = row % 3;
    model = search(&messages, &spec).model;
    EXPECT(model != NULL);
}

static void test_an_always_majority_model_never_ranks_above_a_useful_one(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    CLEANUP(text_model_unload) TextModel *model = NULL;
    static Messages messages;
    SearchSpec spec = {.metric = "accuracy", .seed = 4};
    SearchResult result;
    double last = 1;

    make_messages(&messages, 2, arena);
    for (size_t row = 0; row < ROWS; row++) /* one spam in twelve, told by its words */
        if (messages.labels[row] == 1 && row % 6 != 0) {
            messages.labels[row] = 0;
            messages.texts[row] = messages.texts[(row * 7) % 5];
        }
    result = search(&messages, &spec);
    model = result.model;
    for (size_t i = 1; i < result.leaderboard.count; i++) {
        double useful = result.leaderboard.items[i].f1 > 0;

        EXPECT(useful <= last);
        last = useful;
    }
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_a_search_finds_a_model_better_than_the_baseline),
        TEST(test_the_same_data_and_seed_give_the_same_bytes_on_any_number_of_threads),
        TEST(test_a_saved_model_answers_the_same_and_saves_the_same),
        TEST(test_damaged_bytes_are_an_error_and_never_more),
        TEST(test_contributions_sum_to_the_margin_and_point_into_the_text),
        TEST(test_margins_of_explanations_rank_rows_as_probabilities_do),
        TEST(test_the_words_that_tell_come_first),
        TEST(test_t3_missing_columns_are_named_and_what_is_missing_or_never_seen_is_no_error),
        TEST(test_a_budget_that_is_used_up_still_gives_a_model),
        TEST(test_a_limit_of_trials_is_kept_and_one_that_suffices_changes_nothing),
        TEST(test_the_listener_hears_every_fold),
        TEST(test_wrong_input_is_refused_with_a_reason),
        TEST(test_texts_that_are_all_alike_are_refused_with_a_sentence),
        TEST(test_few_rows_are_enough),
        TEST(test_t10_models_below_the_baseline_are_marked),
        TEST(test_fewer_groups_than_folds_are_enough_and_no_error_is_left),
        TEST(test_an_always_majority_model_never_ranks_above_a_useful_one),
        {0},
    };

    return test_main(tests, count, names);
}
