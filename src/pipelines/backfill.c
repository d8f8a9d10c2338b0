#include "pipelines/backfill.h"

#include <string.h>

#include "base/time.h"
#include "pipelines/pipeline_source.h"

enum { DATE_BYTES = 10, MONTHS = 12 };

#define DAY_MS ((int64_t)24 * 60 * 60 * 1000)

typedef struct Pace {
    const char *name;
    int days, months;
} Pace;

static const Pace paces[] = {{"day", 1, 0}, {"week", 7, 0}, {"month", 0, 1}, {"year", 0, MONTHS}};

static const char *date_text(int64_t time_ms, Arena *arena)
{
    char text[TIME_TEXT_SIZE];

    return arena_copy(arena, time_format(time_ms, text), DATE_BYTES);
}

/* Only a day that its month has comes out as it went in. */
static bool parse_date(const char *text, int64_t *time_ms, Arena *arena)
{
    return strlen(text) == DATE_BYTES &&
           time_parse(arena_format(arena, "%sT00:00:00Z", text), time_ms) &&
           strcmp(date_text(*time_ms, arena), text) == 0;
}

static bool read_date(const char *field, const char *text, int64_t *time_ms, Arena *arena,
                      Error *error)
{
    return parse_date(text, time_ms, arena) ||
           fail_field(error, field, "\"%.20s\" is not a date as 2026-03-29", text);
}

/* So many months behind a date, on its day or the last that there is. */
static int64_t add_months(const char *from, int64_t months, Arena *arena)
{
    int64_t year = 0, month = 0, time_ms = 0;
    bool ignored = text_to_int(arena_copy(arena, from, 4), &year) &&
                   text_to_int(arena_copy(arena, from + 5, 2), &month);

    (void)ignored; /* a date that was read has them */
    month += months - 1;
    year += month / MONTHS;
    month %= MONTHS;
    for (int back = 0; back < 4; back++) {
        int64_t day = 10 * (from[8] - '0') + from[9] - '0' - back;

        if (parse_date(arena_format(arena, "%04lld-%02lld-%02lld", (long long)year,
                                    (long long)month + 1, (long long)day),
                       &time_ms, arena))
            break;
    }
    return time_ms;
}

static bool find_pace(const char *name, const Pace **pace, Error *error)
{
    for (size_t i = 0; i < COUNT(paces); i++)
        if (!name || strcmp(paces[i].name, name) == 0) {
            *pace = &paces[i];
            return true;
        }
    return fail_field(error, "every", "\"%.20s\" is none of day, week, month, year", name);
}

bool backfill_dates(const BackfillSpec *spec, Arena *arena, TextList *dates, Error *error)
{
    int64_t from, to, at;
    const Pace *pace;

    if (!find_pace(spec->every, &pace, error) ||
        !read_date("from", spec->from, &from, arena, error) ||
        !read_date("to", spec->to, &to, arena, error))
        return false;
    if (to < from)
        return fail_field(error, "to", "%s is before %s", spec->to, spec->from);
    at = from;
    for (int64_t i = 1; at <= to && dates->count <= BACKFILL_RUNS_MAX; i++) {
        text_list_add(dates, arena, date_text(at, arena));
        at = pace->months ? add_months(spec->from, i * pace->months, arena)
                          : from + i * pace->days * DAY_MS;
    }
    if (dates->count <= BACKFILL_RUNS_MAX)
        return true;
    return fail_field(error, "to", "a backfill has at most %d runs", BACKFILL_RUNS_MAX);
}

/* The params of one run: the others, and the date. */
static bool params_of(Scope *scope, const BackfillSpec *spec, const char *date,
                      const JsonValue **params)
{
    JsonWriter *json = json_writer_create(scope->arena);

    json_open_object(json, NULL);
    for (JsonWalk walk = json_walk(spec->params); json_walk_next(&walk);)
        if (strcmp(walk.key, spec->param) != 0)
            json_raw(json, walk.key, json_print(walk.value, scope->arena));
    json_text(json, spec->param, date);
    json_close(json);
    return json_parse(json_finish(json), json_size(json), scope->arena, params, &scope->error);
}

bool backfill_start(Scope *scope, const BackfillSpec *spec, PipelineRunList *runs, int64_t *started)
{
    TextList dates = {0};

    *started = 0;
    if (!backfill_dates(spec, scope->arena, &dates, &scope->error))
        return false;
    for (size_t i = 0; i < dates.count; i++) {
        const char *date = dates.items[i];
        PipelineOrder order = {.project = spec->project,
                               .trigger = "backfill",
                               .cause = arena_format(scope->arena, "%s=%s", spec->param, date),
                               .is_forced = spec->is_forced,
                               .queues = true};
        PipelineRun run;
        bool is_new;

        order.trigger_key = arena_format(scope->arena, "backfill:%s", order.cause);
        if (!params_of(scope, spec, date, &order.params) ||
            !pipeline_source_start(scope, &order, &run, &is_new))
            return false;
        *arena_push(scope->arena, runs) = run;
        *started += is_new;
    }
    return true;
}
