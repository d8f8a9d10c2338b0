/* bench_predict: what an answer costs without HTTP: the same request again and again.
 *
 *     bench_predict FOLDER ENDPOINT BODY.json [TIMES]
 *
 * FOLDER is a data folder that no server holds. Prints "SECONDS TIMES", of CPU time. Two numbers of
 * TIMES under callgrind give the instructions of one answer.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "access/platform.h"
#include "base/file.h"
#include "base/text.h"
#include "serving/serving.h"

enum { BODY_BYTES_MAX = 1 << 20 };

typedef struct Bench {
    Platform *platform;
    Session session;
    Serving *serving;
    PredictRequest request;
    size_t times;
} Bench;

static double cpu_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static bool bench_open(Bench *bench, const char *folder, Error *error)
{
    Scope scope;

    if (!platform_open(folder, &bench->platform, error) ||
        !session_open(bench->platform, &bench->session, error))
        return false;
    bench->serving = serving_create(bench->platform);
    scope = session_scope(&bench->session, bench->platform, (Principal){"bench", ROLE_OWNER});
    if (serving_reload(bench->serving, &scope))
        return true;
    *error = scope.error;
    return false;
}

static void bench_close(Bench *bench)
{
    serving_destroy(bench->serving);
    session_close(&bench->session);
    platform_close(bench->platform);
}

static bool bench_run(Bench *bench, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    double began = cpu_seconds();

    for (size_t i = 0; i < bench->times; i++) {
        if (!serving_predict(bench->serving, &bench->request, arena, json_writer_create(arena),
                             error))
            return false;
        arena_reset(arena);
    }
    printf("%.6f %zu\n", cpu_seconds() - began, bench->times);
    return true;
}

int main(int count, char **arguments)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Bench bench = {0};
    Error error = {0};
    int64_t times = 10000;
    bool done;

    if (count < 4 || (count > 4 && !text_to_int(arguments[4], &times))) {
        fputs("usage: bench_predict FOLDER ENDPOINT BODY.json [TIMES]\n", stderr);
        return 2;
    }
    bench.times = (size_t)times;
    bench.request = (PredictRequest){.endpoint = arguments[2], .request_id = "bench"};
    done = file_read(arguments[3], BODY_BYTES_MAX, arena, &bench.request.body.bytes,
                     &bench.request.body.size, &error) &&
           bench_open(&bench, arguments[1], &error) && bench_run(&bench, &error);
    if (!done)
        fprintf(stderr, "bench_predict: %s\n", error.message);
    bench_close(&bench);
    return done ? 0 : 1;
}
