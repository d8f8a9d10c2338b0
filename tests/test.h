/* test.h: a test is a function; a broken EXPECT prints where and ends the test.
 *
 *     static void test_an_empty_name_is_refused(void) { EXPECT(...); }
 *
 *     int main(int count, char **names)
 *     {
 *         static const Test tests[] = {TEST(test_an_empty_name_is_refused), {0}};
 *         return test_main(tests, count, names);
 *     }
 *
 * Each test runs in a child process, so that a crash fails one test. Arguments
 * choose the tests whose name contains one of them. The last line is
 * "N passed, N failed".
 */
#pragma once

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct Test {
    const char *name;
    void (*run)(void);
} Test;

#define TEST(function)                                                                             \
    {                                                                                              \
#function, function                                                                        \
    }

#define EXPECT(condition)                                                                          \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: expected %s\n", __FILE__, __LINE__, #condition);               \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

/* For a call that takes an Error: prints its message when it fails. */
#define EXPECT_OK(condition, error)                                                                \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #condition, (error).message);   \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

#define EXPECT_TEXT(actual, expected)                                                              \
    do {                                                                                           \
        const char *actual_ = (actual), *expected_ = (expected);                                   \
        if (!actual_ || strcmp(actual_, expected_) != 0) {                                         \
            fprintf(stderr, "%s:%d: got      %s\n%*sexpected %s\n", __FILE__, __LINE__,            \
                    actual_ ? actual_ : "(null)", 8, "", expected_);                               \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

#define EXPECT_NEAR(actual, expected, tolerance)                                                   \
    do {                                                                                           \
        double actual_ = (actual), expected_ = (expected);                                         \
        if (!(fabs(actual_ - expected_) <= (tolerance))) {                                         \
            fprintf(stderr, "%s:%d: %s is %.17g, expected %.17g\n", __FILE__, __LINE__, #actual,   \
                    actual_, expected_);                                                           \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

static inline int test_is_chosen(const Test *test, int count, char **names)
{
    if (count < 2)
        return 1;
    for (int i = 1; i < count; i++)
        if (strstr(test->name, names[i]))
            return 1;
    return 0;
}

static inline int test_passes(const Test *test)
{
    int status = 1;
    pid_t child;

    fflush(NULL);
    child = fork();
    if (child == 0) {
        test->run();
        exit(0); /* not _exit: the leak check runs at exit */
    }
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status))
        fprintf(stderr, "%s: killed by signal %d\n", test->name, WTERMSIG(status));
    return status == 0;
}

/* The end of a program whose tests all need something that is not there; a SKIP line says what. */
static inline int test_none(void)
{
    printf("0 passed, 0 failed\n");
    return 0;
}

static inline int test_main(const Test tests[], int count, char **names)
{
    int passed = 0, failed = 0;

    for (const Test *test = tests; test->name; test++) {
        if (!test_is_chosen(test, count, names))
            continue;
        if (test_passes(test)) {
            passed++;
            continue;
        }
        failed++;
        printf("FAILED %s\n", test->name);
    }
    printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
