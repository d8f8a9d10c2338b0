#include "pipelines/release_file.h"

#include <math.h>
#include <string.h>

#include "pipelines/environment.h"
#include "plan/field.h"

typedef struct Parts {
    ReleaseFile file;
    const YamlNode *gate, *staging, *production;
    const YamlNode *benchmark, *abort;
    const char *approval, *wait;
    TextList traffic, hold;
} Parts;

static const YamlField release_fields[] = {
    {"endpoint", YAML_FIELD_TEXT, offsetof(Parts, file.endpoint), JSON_REQUIRED},
    {"gate", YAML_FIELD_ANY, offsetof(Parts, gate), JSON_OPTIONAL},
    {"staging", YAML_FIELD_MAP, offsetof(Parts, staging), JSON_OPTIONAL},
    {"production", YAML_FIELD_MAP, offsetof(Parts, production), JSON_OPTIONAL},
    {0},
};

const YamlField release_staging_fields[] = {
    {"smoke", YAML_FIELD_TEXT, offsetof(Parts, file.smoke), JSON_OPTIONAL},
    {"benchmark", YAML_FIELD_MAP, offsetof(Parts, benchmark), JSON_OPTIONAL},
    {0},
};

const YamlField release_benchmark_fields[] = {
    {"p99_ms", YAML_FIELD_NUMBER, offsetof(Parts, file.p99_ms), JSON_REQUIRED},
    {0},
};

const YamlField release_production_fields[] = {
    {"approval", YAML_FIELD_TEXT, offsetof(Parts, approval), JSON_OPTIONAL},
    {"approvals", YAML_FIELD_INT, offsetof(Parts, file.approvals), JSON_OPTIONAL},
    {"four_eyes", YAML_FIELD_BOOL, offsetof(Parts, file.four_eyes), JSON_OPTIONAL},
    {"traffic", YAML_FIELD_TEXT_LIST, offsetof(Parts, traffic), JSON_OPTIONAL},
    {"hold", YAML_FIELD_TEXT_LIST, offsetof(Parts, hold), JSON_OPTIONAL},
    {"wait", YAML_FIELD_TEXT, offsetof(Parts, wait), JSON_OPTIONAL},
    {"abort", YAML_FIELD_MAP, offsetof(Parts, abort), JSON_OPTIONAL},
    {0},
};

const YamlField release_abort_fields[] = {
    {"errors_max", YAML_FIELD_NUMBER, offsetof(CanaryRule, errors_max), JSON_OPTIONAL},
    {"p99_ms_max", YAML_FIELD_NUMBER, offsetof(CanaryRule, p99_ms_max), JSON_OPTIONAL},
    {"requests_min", YAML_FIELD_INT, offsetof(CanaryRule, requests_min), JSON_OPTIONAL},
    {0},
};

typedef struct Reader {
    Parts *parts;
    Arena *arena;
    Error *error;
} Reader;

static const YamlNode *member(const Reader *reader, const char *name)
{
    return yaml_member(reader->parts->production, name);
}

/* ---- traffic in steps ---- */

/* Percent as thousandths; 0: it is no share. */
static int64_t read_share(const YamlNode *node)
{
    double percent, share;

    if (!yaml_to_number(node, &percent) || !(percent > 0 && percent <= 100))
        return 0;
    share = round(percent * SHARE_WHOLE / 100);
    return fabs(percent * SHARE_WHOLE / 100 - share) > 1e-6 ? 0 : (int64_t)share;
}

static bool read_traffic(Reader *reader)
{
    const YamlNode *traffic = reader->parts->traffic.count ? member(reader, "traffic") : NULL;
    ReleaseShareList *shares = &reader->parts->file.shares;
    int64_t before = 0;

    for (const YamlNode *node = field_first(traffic); node; node = field_next(traffic, node)) {
        int64_t share = read_share(node);

        if (!share)
            return yaml_fail(node, reader->arena, reader->error,
                             "\"release.production.traffic\" is percent, 0.1 to 100 in steps of "
                             "0.1, not \"%.40s\"",
                             node->text);
        if (share <= before)
            return yaml_fail(node, reader->arena, reader->error,
                             "\"release.production.traffic\" rises: %g comes after %g",
                             (double)share / 10, (double)before / 10);
        before = share;
        if (share == SHARE_WHOLE) /* where it goes in any case */
            continue;
        if (shares->count == RELEASE_SHARES_MAX)
            return yaml_fail(node, reader->arena, reader->error,
                             "\"release.production.traffic\" has at most %d steps before 100",
                             RELEASE_SHARES_MAX);
        *arena_push(reader->arena, shares) = (ReleaseShare){.share = share};
    }
    return true;
}

static bool read_duration(const Reader *reader, const char *name, const YamlNode *node,
                          int64_t *duration_ms)
{
    *duration_ms = field_duration_ms(node, -1);
    return (*duration_ms >= RELEASE_HOLD_MS_MIN && *duration_ms <= RELEASE_HOLD_MS_MAX) ||
           yaml_fail(node, reader->arena, reader->error,
                     "\"release.production.%s\" is a duration of 1s to 30d, such as 90s, 10m or "
                     "2h, not \"%.40s\"",
                     name, node->text);
}

/* One for all, or one for each. */
static bool read_holds(Reader *reader)
{
    const YamlNode *hold = member(reader, "hold");
    const YamlNode *node = field_first(hold);
    const ReleaseShareList *shares = &reader->parts->file.shares;
    size_t count = reader->parts->hold.count;

    if (count > 1 && count != shares->count)
        return yaml_fail(hold, reader->arena, reader->error,
                         "\"release.production.hold\" is one duration, or one for each of the %zu "
                         "steps of traffic before 100",
                         shares->count);
    for (size_t i = 0; i < shares->count; i++) {
        ReleaseShare *share = &shares->items[i];

        share->hold = count ? node->text : "10m";
        share->hold_ms = RELEASE_HOLD_MS;
        if (count && !read_duration(reader, "hold", node, &share->hold_ms))
            return false;
        if (count > 1)
            node = field_next(hold, node);
    }
    return true;
}

static bool read_wait(Reader *reader)
{
    const YamlNode *node = member(reader, "wait");
    const ReleaseShareList *shares = &reader->parts->file.shares;
    int64_t wait_ms = 0;

    if (reader->parts->wait && !read_duration(reader, "wait", node, &wait_ms))
        return false;
    for (size_t i = 0; i < shares->count; i++) {
        int64_t usual = 10 * shares->items[i].hold_ms;

        if (usual < RELEASE_WAIT_MS_MIN)
            usual = RELEASE_WAIT_MS_MIN;
        shares->items[i].wait_ms = wait_ms ? wait_ms : usual;
    }
    return true;
}

static bool read_rule(Reader *reader)
{
    const YamlNode *map = reader->parts->abort, *node;
    CanaryRule *rule = &reader->parts->file.rule;
    Error problem = {0};

    if (!map)
        return true;
    if (!yaml_read(map, release_abort_fields, rule, reader->arena, reader->error))
        return false;
    if (canary_rule_check(rule, &problem))
        return true;
    node = yaml_member(map, problem.field);
    return yaml_fail(node ? node : map, reader->arena, reader->error, "%s", problem.message);
}

/* A setting that does nothing must not look as if it did. */
static bool check_needs(Reader *reader)
{
    static const char *const names[] = {"hold", "wait", "abort"};

    for (size_t i = 0; !reader->parts->file.shares.count && i < COUNT(names); i++)
        if (!yaml_is_null(member(reader, names[i])))
            return yaml_fail(member(reader, names[i]), reader->arena, reader->error,
                             "\"release.production.%s\" is about steps of traffic, and there are "
                             "none: traffic: [10, 50]",
                             names[i]);
    return true;
}

/* ---- production ---- */

/* The file may demand more than the server does, so less is no mistake: it changes nothing. */
static bool read_approvals(Reader *reader)
{
    Parts *parts = reader->parts;

    if (parts->approval && strcmp(parts->approval, "required") != 0)
        return yaml_fail(member(reader, "approval"), reader->arena, reader->error,
                         "\"approval\" is required, or left out");
    if (parts->file.approvals < 0 || parts->file.approvals > ENVIRONMENT_APPROVALS_MAX)
        return yaml_fail(member(reader, "approvals"), reader->arena, reader->error,
                         "\"approvals\" is 0 to %d", ENVIRONMENT_APPROVALS_MAX);
    if (parts->approval && !parts->file.approvals)
        parts->file.approvals = 1;
    return true;
}

static bool read_production(Reader *reader)
{
    Parts *parts = reader->parts;

    if (!parts->production)
        return true;
    return yaml_read(parts->production, release_production_fields, parts, reader->arena,
                     reader->error) &&
           read_approvals(reader) && read_traffic(reader) && check_needs(reader) &&
           read_holds(reader) && read_wait(reader) && read_rule(reader);
}

bool release_file_read(const YamlNode *root, Arena *arena, ReleaseFile *file, Error *error)
{
    const YamlNode *release = yaml_member(root, "release");
    Parts parts = {.file.rule = canary_rule_default()};
    Reader reader = {&parts, arena, error};

    *file = (ReleaseFile){0};
    if (!release || yaml_is_null(release))
        return true;
    if (!yaml_read(release, release_fields, &parts, arena, error) ||
        (parts.staging &&
         !yaml_read(parts.staging, release_staging_fields, &parts, arena, error)) ||
        (parts.benchmark &&
         !yaml_read(parts.benchmark, release_benchmark_fields, &parts, arena, error)) ||
        !read_production(&reader))
        return false;
    if (parts.benchmark && !(parts.file.p99_ms > 0))
        return yaml_fail(parts.benchmark, arena, error, "\"p99_ms\" is more than 0");
    *file = parts.file;
    return true;
}
