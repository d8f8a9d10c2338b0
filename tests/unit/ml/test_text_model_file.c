/* Files of every version, with the answers that the program gave that wrote them. */
#include <math.h>

#include "base/file.h"
#include "ml/text_model.h"
#include "tests/test.h"

enum { ROWS = 5, CLASSES_MAX = 3, FILE_BYTES_MAX = 1 << 20 };

#define TEXT(literal)                                                                              \
    {                                                                                              \
        (literal), sizeof(literal) - 1                                                             \
    }

static const TextRef texts[ROWS] = {
    TEXT("click free channel"),
    TEXT("lovely summer voice, lovely"),
    TEXT("goal! match goal goal"),
    TEXT("\xC3\x89t\xC3\xA9 remember subscribe"),
    TEXT(""),
};
static const TextRef channels[ROWS] = {TEXT("mail"), TEXT("web"), TEXT("web"), TEXT(""),
                                       TEXT("mail")};
static const double sizes[ROWS] = {1, 250.5, -300, 0.25, 1e9};

static const FrameColumn columns[] = {
    {"text", COLUMN_TEXT, texts, NULL},
    {"channel", COLUMN_CATEGORY, channels, NULL},
    {"size", COLUMN_NUMBER, NULL, sizes},
};
static const Frame frame = {columns, COUNT(columns), ROWS};

typedef struct Written {
    const char *name;
    size_t class_count;
    double answers[ROWS * CLASSES_MAX];
} Written;

static const Written files[] = {
    {"two_classes",
     2,
     {0.952488687782805, 0.0475113122171946, 0.0798319327731092, 0.920168067226891,
      0.952488687782805, 0.0475113122171946, 0.804085741892873, 0.195914258107127,
      0.747474046336941, 0.252525953663059}},
    {"three_classes",
     3,
     {0.979638054100292, 0.0102933427158179, 0.0100686031838897, 0.00996869340636314,
      0.980060554447557, 0.00997075214607983, 0.00998403474369562, 0.0101243926794185,
      0.979891572576886, 0.530478751886768, 0.274628291846334, 0.194892956266897, 0.315871113986218,
      0.362133559531497, 0.321995326482285}},
    {"columns",
     2,
     {0.656343794921907, 0.343656205078093, 0.656343794921907, 0.343656205078093, 0.656343794921907,
      0.343656205078093, 0.656343794921907, 0.343656205078093, 0.656343794921907,
      0.343656205078093}},
};

static const char *path_of(const Written *file, const char *prefix, Arena *arena)
{
    return arena_format(arena, "tests/fuzz/corpus/text_model/%s%s.model", prefix, file->name);
}

static void expect_answers(const TextModel *model, const Written *file)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    double answers[ROWS * CLASSES_MAX];
    Error error = {0};

    EXPECT(text_model_classes(model)->count == file->class_count);
    EXPECT_OK(text_model_predict(model, &frame, answers, arena, &error), error);
    for (size_t i = 0; i < ROWS * file->class_count; i++)
        EXPECT(fabs(answers[i] - file->answers[i]) < 1e-9);
}

static void expect_file_answers(const Written *file, const char *prefix)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    CLEANUP(text_model_unload) TextModel *model = NULL;
    const char *bytes;
    size_t size;
    Error error = {0};

    EXPECT_OK(file_read(path_of(file, prefix, arena), FILE_BYTES_MAX, arena, &bytes, &size, &error),
              error);
    EXPECT_OK(text_model_load(bytes, size, &model, &error), error);
    expect_answers(model, file);
}

static void test_files_of_version_1_answer_as_they_did(void)
{
    for (size_t i = 0; i < COUNT(files); i++)
        expect_file_answers(&files[i], "version_1_");
}

static void test_files_of_version_2_answer_as_they_did(void)
{
    for (size_t i = 0; i < COUNT(files); i++)
        expect_file_answers(&files[i], "");
}

static void test_a_file_of_version_1_is_saved_as_one_of_version_2(void)
{
    for (size_t i = 0; i < COUNT(files); i++) {
        CLEANUP(arena_cleanup) Arena *arena = arena_create();
        CLEANUP(text_model_unload) TextModel *model = NULL;
        const char *old, *saved, *now;
        size_t old_size, saved_size, now_size;
        Error error = {0};

        EXPECT_OK(file_read(path_of(&files[i], "version_1_", arena), FILE_BYTES_MAX, arena, &old,
                            &old_size, &error),
                  error);
        EXPECT_OK(file_read(path_of(&files[i], "", arena), FILE_BYTES_MAX, arena, &now, &now_size,
                            &error),
                  error);
        EXPECT_OK(text_model_load(old, old_size, &model, &error), error);
        text_model_save(model, arena, &saved, &saved_size);
        EXPECT(saved_size == now_size && memcmp(saved, now, now_size) == 0);
    }
}

static void test_a_mapped_file_is_used_where_it_lies(void)
{
    for (size_t i = 0; i < COUNT(files); i++) {
        CLEANUP(arena_cleanup) Arena *arena = arena_create();
        CLEANUP(file_unmap) FileMap map = {0};
        CLEANUP(text_model_unload) TextModel *model = NULL;
        Error error = {0};

        EXPECT_OK(file_map(path_of(&files[i], "", arena), FILE_BYTES_MAX, &map, &error), error);
        EXPECT_OK(text_model_load_in_place(map.bytes, map.size, &model, &error), error);
        expect_answers(model, &files[i]);
    }
}

static void test_bytes_that_are_not_aligned_are_copied(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    CLEANUP(text_model_unload) TextModel *model = NULL;
    const char *bytes;
    char *shifted;
    size_t size;
    Error error = {0};

    EXPECT_OK(
        file_read(path_of(&files[0], "", arena), FILE_BYTES_MAX, arena, &bytes, &size, &error),
        error);
    shifted = arena_alloc(arena, size + 65, 1);
    shifted += 64 - (uintptr_t)shifted % 64 + 1;
    memcpy(shifted, bytes, size);
    EXPECT_OK(text_model_load_in_place(shifted, size, &model, &error), error);
    memset(shifted, 0xff, size);
    expect_answers(model, &files[0]);
}

static void test_other_versions_are_refused_with_their_number(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    CLEANUP(text_model_unload) TextModel *model = NULL;
    const char *bytes;
    char *other;
    size_t size;
    Error error = {0};

    EXPECT_OK(
        file_read(path_of(&files[0], "", arena), FILE_BYTES_MAX, arena, &bytes, &size, &error),
        error);
    other = arena_copy(arena, bytes, size);
    other[8] = 3;
    EXPECT(!text_model_load(other, size, &model, &error));
    EXPECT_TEXT(error.message,
                "the text model has format version 3, this program reads versions 1 to 2");
}

static void test_threads_answer_what_one_answers(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    CLEANUP(text_model_unload) TextModel *model = NULL;
    enum { MANY = 1500 };
    TextRef *rows = arena_array(arena, TextRef, MANY);
    double *one = arena_array(arena, double, MANY * 3),
           *many = arena_array(arena, double, MANY * 3);
    FrameColumn column = {"text", COLUMN_TEXT, rows, NULL};
    Frame all = {&column, 1, MANY}, none = {&column, 1, 0}, other = {columns + 1, 1, ROWS};
    const char *bytes;
    size_t size;
    Error error = {0};

    for (size_t row = 0; row < MANY; row++)
        rows[row] = (TextRef){"goal free lovely match click", 1 + row % 28};
    EXPECT_OK(
        file_read(path_of(&files[1], "", arena), FILE_BYTES_MAX, arena, &bytes, &size, &error),
        error);
    EXPECT_OK(text_model_load(bytes, size, &model, &error), error);
    EXPECT_OK(text_model_predict(model, &all, one, arena, &error), error);
    EXPECT_OK(text_model_predict_on(3, model, &all, many, &error), error);
    EXPECT(memcmp(one, many, MANY * 3 * sizeof(*one)) == 0);
    EXPECT_OK(text_model_predict_on(3, model, &none, many, &error), error);
    EXPECT(!text_model_predict_on(3, model, &other, many, &error));
}

/* A text that outgrows the buffers on the stack, between others that do not. */
static void test_texts_of_any_length_are_answered_alike(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    CLEANUP(text_model_unload) TextModel *model = NULL;
    enum { LONG = 200000 };
    char *text = arena_alloc(arena, LONG, 1);
    TextRef rows[] = {{text, 27}, {text, LONG}, {text, 27}, {text, 5000}, {text, LONG}};
    FrameColumn column = {"text", COLUMN_TEXT, rows, NULL};
    double together[COUNT(rows) * 2], alone[2];
    const char *bytes;
    size_t size;
    Error error = {0};

    for (size_t i = 0; i < LONG; i++)
        text[i] = "free click lovely channel voice "[i % 32];
    EXPECT_OK(
        file_read(path_of(&files[0], "", arena), FILE_BYTES_MAX, arena, &bytes, &size, &error),
        error);
    EXPECT_OK(text_model_load(bytes, size, &model, &error), error);
    EXPECT_OK(text_model_predict(model, &(Frame){&column, 1, COUNT(rows)}, together, arena, &error),
              error);
    for (size_t row = 0; row < COUNT(rows); row++) {
        FrameColumn own = {"text", COLUMN_TEXT, &rows[row], NULL};

        EXPECT_OK(text_model_predict(model, &(Frame){&own, 1, 1}, alone, arena, &error), error);
        EXPECT(memcmp(alone, together + 2 * row, sizeof(alone)) == 0);
    }
    EXPECT(memcmp(together, together + 4, sizeof(alone)) == 0);
}

/* Whatever a byte of a table says: the answers may be wrong, but there are some and they are
 * probabilities. */
static void test_any_byte_may_be_wrong(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    const char *bytes;
    size_t size, loaded_count = 0;
    char *damaged;
    Error error = {0};

    EXPECT_OK(
        file_read(path_of(&files[1], "", arena), FILE_BYTES_MAX, arena, &bytes, &size, &error),
        error);
    damaged = malloc(size);
    for (size_t at = 0; at < size; at++) {
        CLEANUP(text_model_unload) TextModel *model = NULL;
        CLEANUP(arena_cleanup) Arena *scratch = arena_create();
        double answers[ROWS * CLASSES_MAX];
        Explanation explanation;

        memcpy(damaged, bytes, size);
        damaged[at] = (char)0xff;
        if (!text_model_load(damaged, size, &model, &error) ||
            text_model_classes(model)->count != 3 ||
            !text_model_predict(model, &frame, answers, scratch, &error))
            continue;
        loaded_count++;
        for (size_t row = 0; row < ROWS; row++)
            EXPECT(fabs(answers[row * 3] + answers[row * 3 + 1] + answers[row * 3 + 2] - 1) < 1e-6);
        EXPECT_OK(text_model_explain(model, &frame, 0, 1, scratch, &explanation, &error), error);
        EXPECT_OK(text_model_top_terms(model, 1, 5, scratch, &explanation, &error), error);
    }
    free(damaged);
    EXPECT(loaded_count > size / 2);
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_files_of_version_1_answer_as_they_did),
        TEST(test_files_of_version_2_answer_as_they_did),
        TEST(test_a_file_of_version_1_is_saved_as_one_of_version_2),
        TEST(test_a_mapped_file_is_used_where_it_lies),
        TEST(test_bytes_that_are_not_aligned_are_copied),
        TEST(test_other_versions_are_refused_with_their_number),
        TEST(test_threads_answer_what_one_answers),
        TEST(test_texts_of_any_length_are_answered_alike),
        TEST(test_any_byte_may_be_wrong),
        {0},
    };

    return test_main(tests, count, names);
}
