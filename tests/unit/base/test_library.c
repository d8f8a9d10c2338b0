#include "base/library.h"

#include <pthread.h>

#include "base/text.h"
#include "tests/test.h"

typedef struct Functions {
    double (*cosine)(double);
    double (*root)(double);
} Functions;

static const LibraryFunction both[] = {
    {"cos", offsetof(Functions, cosine)},
    {"sqrt", offsetof(Functions, root)},
    {0},
};
static const LibraryFunction lacking[] = {
    {"cos", offsetof(Functions, cosine)},
    {"no_such_function", offsetof(Functions, root)},
    {0},
};
static const char *const mathematics[] = {"no-such-library.so.1", "libm.so.6", NULL};
static const char *const nothing[] = {"no-such-library.so.1", "nor-this.so", NULL};

static void test_the_first_library_that_is_there_is_taken(void)
{
    Functions functions = {0};
    Library library = {"adding up", mathematics, both, &functions};
    Error error = {0};

    EXPECT_OK(library_open(&library, &error), error);
    EXPECT_OK(library_open(&library, &error), error);
    EXPECT_NEAR(functions.cosine(0), 1, 0);
    EXPECT_NEAR(functions.root(9), 3, 0);
}

static void test_a_missing_library_is_named_with_what_needs_it(void)
{
    Functions functions = {0};
    Library library = {"adding up", nothing, both, &functions};
    Error error = {0};

    EXPECT(!library_open(&library, &error) && error.kind == ERROR_UNAVAILABLE);
    EXPECT(text_has_prefix(error.message, "adding up needs the library \"no-such-library.so.1\", "
                                          "which could not be opened: "));
    EXPECT(!functions.cosine);
}

static void test_a_library_without_a_function_is_not_used(void)
{
    Functions functions = {0};
    Library library = {"adding up", mathematics + 1, lacking, &functions};
    Error error = {0};

    EXPECT(!library_open(&library, &error) && error.kind == ERROR_UNAVAILABLE);
    EXPECT_TEXT(error.message, "adding up needs the function \"no_such_function\", which the "
                               "library \"libm.so.6\" does not have");
    error = (Error){0};
    EXPECT(!library_open(&library, &error) && error.kind == ERROR_UNAVAILABLE);
}

static Functions shared;
static Library shared_library = {"adding up", mathematics, both, &shared};

static void *open_and_call(void *result)
{
    Error error = {0};

    *(double *)result = library_open(&shared_library, &error) ? shared.root(16) : 0;
    return NULL;
}

static void test_threads_may_open_it_at_once(void)
{
    pthread_t threads[8];
    double results[COUNT(threads)] = {0};

    for (size_t i = 0; i < COUNT(threads); i++)
        EXPECT(pthread_create(&threads[i], NULL, open_and_call, &results[i]) == 0);
    for (size_t i = 0; i < COUNT(threads); i++) {
        pthread_join(threads[i], NULL);
        EXPECT_NEAR(results[i], 4, 0);
    }
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_the_first_library_that_is_there_is_taken),
        TEST(test_a_missing_library_is_named_with_what_needs_it),
        TEST(test_a_library_without_a_function_is_not_used),
        TEST(test_threads_may_open_it_at_once),
        {0},
    };

    return test_main(tests, count, names);
}
