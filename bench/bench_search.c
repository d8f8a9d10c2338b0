/* bench_search: what a search of many runs costs, without a server.
 *
 *     bench_search fill FOLDER RUNS     makes a store of so many runs in one experiment
 *     bench_search ask FOLDER ROUNDS [WORD]
 *                                       asks each kind of question so often; or those named so
 *
 * A run has 10 metrics with a point each, 10 params and 5 tags. "fill" prints runs, seconds and the
 * bytes of the store; "ask" prints for each question its name, the runs of its page, and
 * milliseconds: median and 99th percentile by the clock, and of the processor's time.
 * The answer's JSON is counted in.
 */
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#include "access/platform.h"
#include "api/mlflow.h"
#include "base/text.h"
#include "tracking/run.h"

enum { METRICS = 10, PARAMS = 10, RUNS_PER_COMMIT = 10000, ROUNDS_MAX = 10000 };

static const int64_t first_start = 1700000000000;

static void must(bool done, const Error *error)
{
    if (done)
        return;
    fprintf(stderr, "bench_search: %s\n", error->message);
    exit(1);
}

static double milliseconds(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* xorshift: the same runs every time. */
static uint64_t dice = 88172645463325252u;

static uint64_t roll(void)
{
    dice ^= dice << 13;
    dice ^= dice >> 7;
    dice ^= dice << 17;
    return dice;
}

static int64_t roll_below(int64_t limit)
{
    return (int64_t)(roll() % (uint64_t)limit);
}

static double roll_unit(void)
{
    return (double)(roll() >> 11) / 9007199254740992.0;
}

/* ---- filling ---- */

typedef struct Filler {
    sqlite3 *db;
    sqlite3_stmt *run, *param, *tag, *point, *latest;
} Filler;

static void check(const Filler *filler, int status)
{
    if (status == SQLITE_OK || status == SQLITE_DONE)
        return;
    fprintf(stderr, "bench_search: %s\n", sqlite3_errmsg(filler->db));
    exit(1);
}

static void script(const Filler *filler, const char *sql)
{
    check(filler, sqlite3_exec(filler->db, sql, NULL, NULL, NULL));
}

static sqlite3_stmt *prepare(const Filler *filler, const char *sql)
{
    sqlite3_stmt *statement;

    check(filler, sqlite3_prepare_v2(filler->db, sql, -1, &statement, NULL));
    return statement;
}

static void step(const Filler *filler, sqlite3_stmt *statement)
{
    check(filler, sqlite3_step(statement));
    sqlite3_reset(statement);
}

static void insert_run(const Filler *filler, int64_t key)
{
    static const char *const statuses[] = {"FINISHED", "RUNNING", "FAILED"};
    char id[40], name[32];
    int64_t luck = roll_below(100);

    snprintf(id, sizeof(id), "%016" PRIx64 "%016" PRIx64, roll(), roll());
    snprintf(name, sizeof(name), "amber-otter-%" PRId64, key % 1000);
    sqlite3_bind_int64(filler->run, 1, key);
    sqlite3_bind_text(filler->run, 2, id, -1, SQLITE_TRANSIENT);
    sqlite3_bind_text(filler->run, 3, name, -1, SQLITE_TRANSIENT);
    sqlite3_bind_text(filler->run, 4, statuses[luck < 90 ? 0 : 1 + (luck > 97)], -1, SQLITE_STATIC);
    sqlite3_bind_int64(filler->run, 5, first_start + key * 1000 + roll_below(5000));
    step(filler, filler->run);
}

static void insert_text(const Filler *filler, sqlite3_stmt *statement, int64_t run, const char *key,
                        const char *value)
{
    sqlite3_bind_int64(statement, 1, run);
    sqlite3_bind_text(statement, 2, key, -1, SQLITE_TRANSIENT);
    sqlite3_bind_text(statement, 3, value, -1, SQLITE_TRANSIENT);
    step(filler, statement);
}

/* p0 has 10 values, p1 100, p2 1000, p3 10000, the others as many as there are runs. */
static void insert_texts(const Filler *filler, int64_t run)
{
    int64_t values = 10;

    for (int i = 0; i < PARAMS; i++) {
        char key[32], value[32];

        snprintf(key, sizeof(key), "p%d", i);
        snprintf(value, sizeof(value), "v%" PRId64, roll_below(values));
        insert_text(filler, filler->param, run, key, value);
        values = i < 3 ? values * 10 : INT64_C(1) << 40;
    }
    for (int i = 0; i < 5; i++) {
        static const char *const keys[] = {"mlflow.user", "mlflow.source.name",
                                           "mlflow.source.type", "team", "note"};
        char value[48];

        snprintf(value, sizeof(value), "%s-%" PRId64, keys[i], roll_below(i == 4 ? 100000 : 10));
        insert_text(filler, filler->tag, run, keys[i], value);
    }
}

/* m9 has only three values. */
static void insert_metrics(const Filler *filler, int64_t run)
{
    for (int i = 0; i < METRICS; i++) {
        sqlite3_stmt *const both[] = {filler->point, filler->latest};
        double value = i == 9 ? (double)roll_below(3) / 2 : roll_unit();

        for (size_t j = 0; j < COUNT(both); j++) {
            sqlite3_bind_int64(both[j], 1, run);
            sqlite3_bind_int64(both[j], 2, i + 1);
            sqlite3_bind_double(both[j], 3, value);
            step(filler, both[j]);
        }
    }
}

/* Indexes that are filled out of order are made at the end. */
static char *drop_indexes(const Filler *filler, Arena *arena)
{
    sqlite3_stmt *list = prepare(filler, "SELECT name, sql FROM sqlite_master"
                                         " WHERE type = 'index' AND name LIKE '%by_value'");
    TextBuilder make = {.arena = arena}, drop = {.arena = arena};

    while (sqlite3_step(list) == SQLITE_ROW) {
        text_append_format(&drop, "DROP INDEX %s;", (const char *)sqlite3_column_text(list, 0));
        text_append_format(&make, "%s;", (const char *)sqlite3_column_text(list, 1));
    }
    sqlite3_finalize(list);
    script(filler, text_built(&drop));
    return make.items ? make.items : "";
}

static void insert_all(const Filler *filler, int64_t runs)
{
    script(filler, "BEGIN; INSERT INTO experiments(id, name, created_at, updated_at)"
                   "       VALUES (1, 'many', 0, 0)");
    for (int i = 0; i < METRICS; i++) {
        char sql[96];

        snprintf(sql, sizeof(sql), "INSERT INTO metric_keys VALUES (%d, 'm%d')", i + 1, i);
        script(filler, sql);
    }
    for (int64_t run = 1; run <= runs; run++) {
        insert_run(filler, run);
        insert_texts(filler, run);
        insert_metrics(filler, run);
        if (run % RUNS_PER_COMMIT == 0)
            script(filler, "COMMIT; BEGIN");
    }
    script(filler, "COMMIT");
}

static void fill_store(const char *path, int64_t runs, Arena *arena)
{
    Filler filler = {0};
    const char *indexes;

    check(&filler, sqlite3_open(path, &filler.db));
    script(&filler, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
                    "PRAGMA cache_size = -400000");
    filler.run =
        prepare(&filler, "INSERT INTO runs(key, id, experiment_id, name, user_name, status,"
                         "                 started_at, ended_at)"
                         "VALUES (?1, ?2, 1, ?3, 'ada', ?4, ?5, ?5 + 60000)");
    filler.param = prepare(&filler, "INSERT INTO run_params(run_key, key, start, experiment_id)"
                                    "VALUES (?1, ?2, ?3, 1)");
    filler.tag = prepare(&filler, "INSERT INTO run_tags(run_key, key, start, experiment_id)"
                                  "VALUES (?1, ?2, ?3, 1)");
    filler.point = prepare(&filler, "INSERT INTO metric_points(run_key, key_id, step, timestamp,"
                                    "                          value, is_nan)"
                                    "VALUES (?1, ?2, 0, 1700000000000, ?3, 0)");
    filler.latest =
        prepare(&filler, "INSERT INTO latest_metrics(run_key, key_id, experiment_id, step,"
                         "                           timestamp, value, is_nan)"
                         "VALUES (?1, ?2, 1, 0, 1700000000000, ?3, 0)");
    indexes = drop_indexes(&filler, arena);
    insert_all(&filler, runs);
    script(&filler, indexes);
    script(&filler, "PRAGMA journal_mode = WAL");
    sqlite3_finalize(filler.run);
    sqlite3_finalize(filler.param);
    sqlite3_finalize(filler.tag);
    sqlite3_finalize(filler.point);
    sqlite3_finalize(filler.latest);
    sqlite3_close(filler.db);
}

static void fill(const char *folder, int64_t runs)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    double began = milliseconds(CLOCK_MONOTONIC);
    Platform *platform;
    struct stat status;
    const char *path;
    Error error = {0};

    must(platform_open(folder, &platform, &error), &error);
    path = platform_database(platform, arena);
    platform_close(platform);
    fill_store(path, runs, arena);
    stat(path, &status);
    printf("%" PRId64 " runs in %.1f s, %lld bytes, %lld a run\n", runs,
           (milliseconds(CLOCK_MONOTONIC) - began) / 1e3, (long long)status.st_size,
           (long long)(status.st_size / runs));
}

/* ---- asking ---- */

/* %1 and %2 in a filter are new numbers each time. */
typedef struct Question {
    const char *name;
    const char *filter;
    const char *order;
    int64_t limit;
    bool is_deep; /* a page in the middle of all */
} Question;

static const Question questions[] = {
    {"metric and param, by metric", "metrics.m0 > 0.%1 AND params.p0 = 'v%2'", "metrics.m1 DESC",
     100},
    {"the same, page of 1000", "metrics.m0 > 0.%1 AND params.p0 = 'v%2'", "metrics.m1 DESC", 1000},
    {"by the metric itself", "metrics.m0 > 0.%1 AND params.p0 = 'v%2'", "metrics.m0 ASC", 100},
    {"a rarer param", "metrics.m0 > 0.%1 AND params.p1 = 'v%2'", "metrics.m1 DESC", 100},
    {"a rarer param, page of 1000", "metrics.m0 > 0.%1 AND params.p1 = 'v%2'", "metrics.m1 DESC",
     1000},
    {"a rare param", "metrics.m0 > 0.%1 AND params.p2 = 'v%2'", "metrics.m1 DESC", 100},
    {"a rare param, page of 1000", "metrics.m0 > 0.%1 AND params.p2 = 'v%2'", "metrics.m1 DESC",
     1000},
    {"two metrics, by a third", "metrics.m0 > 0.9%1 AND metrics.m2 < 0.0%2", "metrics.m1", 100},
    {"tag", "tags.team = 'team-%2'", NULL, 100},
    {"rare tag", "tags.note = 'note-%1%2%1%2'", NULL, 100},
    {"status and start", "status = 'FINISHED' AND start_time > 1700000%1000", NULL, 100},
    {"rare status", "status = 'FAILED'", NULL, 100},
    {"param LIKE '%x%'", "params.p3 LIKE '%%%1%2%%'", NULL, 100},
    {"param LIKE 'x%'", "params.p3 LIKE 'v%1%%'", "metrics.m3", 100},
    {"newest", NULL, NULL, 100},
    {"newest, page of 1000", NULL, NULL, 1000},
    {"by metric", NULL, "metrics.m4 DESC", 100},
    {"by metric of three values", NULL, "metrics.m9 DESC", 100},
    {"deep page of newest", NULL, NULL, 1000, true},
    {"deep page by metric", NULL, "metrics.m4", 1000, true},
    {0},
};

static const char *make_filter(const char *text, Arena *arena)
{
    TextBuilder filter = {.arena = arena};

    if (!text)
        return NULL;
    for (; *text; text++) {
        bool is_hole = *text == '%' && (text[1] == '1' || text[1] == '2' || text[1] == '%');

        if (is_hole && *++text != '%')
            text_append_format(&filter, "%" PRId64, roll_below(10));
        else
            text_append_bytes(&filter, text, 1);
    }
    return text_built(&filter);
}

static RunSearch make_search(const Question *question, Arena *arena)
{
    static const int64_t experiment = 1;
    RunSearch search = {
        .experiment_ids = &experiment,
        .experiment_count = 1,
        .filter = make_filter(question->filter, arena),
        .limit = question->limit,
    };

    if (question->order)
        text_list_add(&search.order_by, arena, question->order);
    return search;
}

static size_t answer(const Session *session, const Platform *platform, const RunSearch *search,
                     const char **token)
{
    Scope scope = session_scope(session, platform, (Principal){"bench", ROLE_VIEWER});
    JsonWriter *json = json_writer_create(scope.arena);
    RunList list = {0};

    must(run_search(&scope, search, &list, token), &scope.error);
    json_open_array(json, NULL);
    for (size_t i = 0; i < list.count; i++)
        mlflow_write_run(json, NULL, &list.items[i]);
    json_close(json);
    return json_finish(json) ? list.count : 0;
}

/* Half the runs are before it. */
static const char *deep_token(const Session *session, const Platform *platform,
                              const Question *question, Arena *arena)
{
    RunSearch search = make_search(question, arena);
    int64_t count = 0;
    const char *token = NULL, *last = NULL;
    Error error = {0};

    must(db_get_int(session->db, &error, &count, "SELECT count(*) FROM runs"), &error);
    for (count /= 2; count > 0; count -= search.limit) {
        search.limit = count < 20000 ? count : 20000;
        search.page_token = last;
        answer(session, platform, &search, &token);
        last = token ? arena_text(arena, token) : last;
        arena_reset(session->arena);
    }
    return last;
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

static void ask_question(const Session *session, const Platform *platform, const Question *question,
                         size_t rounds)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    double *clock = arena_array(arena, double, rounds), *cpu = arena_array(arena, double, rounds);
    const char *token = question->is_deep ? deep_token(session, platform, question, arena) : NULL;
    const char *next;
    size_t found = 0;

    for (size_t i = 0; i < rounds; i++) {
        RunSearch search = make_search(question, arena);
        double began = milliseconds(CLOCK_MONOTONIC);
        double cpu_began = milliseconds(CLOCK_THREAD_CPUTIME_ID);

        search.page_token = token;
        found = answer(session, platform, &search, &next);
        clock[i] = milliseconds(CLOCK_MONOTONIC) - began;
        cpu[i] = milliseconds(CLOCK_THREAD_CPUTIME_ID) - cpu_began;
        arena_reset(session->arena);
    }
    qsort(clock, rounds, sizeof(*clock), compare);
    qsort(cpu, rounds, sizeof(*cpu), compare);
    printf("%-32s %5zu %9.2f %9.2f %9.2f %9.2f\n", question->name, found, clock[rounds / 2],
           clock[rounds * 99 / 100], cpu[rounds / 2], cpu[rounds * 99 / 100]);
    fflush(stdout);
}

static void ask(const char *folder, int64_t rounds, const char *word)
{
    struct rusage usage;
    Platform *platform;
    Session session;
    Error error = {0};

    must(platform_open(folder, &platform, &error), &error);
    must(session_open(platform, &session, &error), &error);
    printf("%-32s %5s %9s %9s %9s %9s\n", "", "runs", "p50 ms", "p99 ms", "CPU p50", "CPU p99");
    for (const Question *question = questions; question->name; question++)
        if (strstr(question->name, word))
            ask_question(&session, platform, question, (size_t)rounds);
    getrusage(RUSAGE_SELF, &usage);
    printf("greatest resident memory: %ld MB\n", usage.ru_maxrss / 1024);
    session_close(&session);
    platform_close(platform);
}

int main(int count, char **arguments)
{
    int64_t number = 0;

    if (count >= 4 && text_to_int(arguments[3], &number) && number > 0) {
        if (strcmp(arguments[1], "fill") == 0) {
            fill(arguments[2], number);
            return 0;
        }
        if (strcmp(arguments[1], "ask") == 0 && number <= ROUNDS_MAX) {
            ask(arguments[2], number, count > 4 ? arguments[4] : "");
            return 0;
        }
    }
    fputs("usage: bench_search fill FOLDER RUNS | ask FOLDER ROUNDS [WORD]\n", stderr);
    return 2;
}
