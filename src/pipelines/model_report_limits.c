/* model_report_limits.c: what a version is known to be weak at, as far as stored facts say so. */

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "pipelines/model_report_internal.h"

enum {
    FEW_ROWS = 30,        /* of a class: one more mistake is more than 3 % of it */
    SMALL_HOLDOUT = 1000, /* rows: a share is known to 3 % at best */
    COLUMNS_SHOWN_MAX = 30,
    CLASSES_SHOWN_MAX = 10,
    NOTES_SHOWN_MAX = 20,
};

#define CALIBRATION_ERROR_MUCH 0.05

static void say(ModelReport *report, Arena *arena, const char *sentence)
{
    *arena_push(arena, &report->limits) = sentence;
}

/* Wilson's interval of a share (Wilson 1927) at 95 %: what is true of other rows like these. */
static void say_sureness(ModelReport *report, double share, double rows, Arena *arena)
{
    static const double z = 1.959963984540054;
    double scale = 1 + z * z / rows, middle = (share + z * z / (2 * rows)) / scale;
    double half = z * sqrt(share * (1 - share) / rows + z * z / (4 * rows * rows)) / scale;

    say(report, arena,
        arena_format(
            arena,
            "The hold-out has %.0f rows%s: an accuracy of %.4f there means %.4f to %.4f on "
            "rows like these (95 %%, Wilson).",
            rows, rows < SMALL_HOLDOUT ? ", which are few" : "", share, fmax(0, middle - half),
            fmin(1, middle + half)));
}

/* What the middle nine tenths of the rows were off by, which says more than a mean. */
static void say_residuals(ModelReport *report, double rows, const JsonValue *quantiles,
                          Arena *arena)
{
    double low = NAN, high = NAN;

    for (JsonWalk walk = json_walk(quantiles); json_walk_next(&walk);) {
        double share = json_as_double(json_member(walk.value, "share"), NAN);

        if (share == 0.05)
            low = json_as_double(json_member(walk.value, "value"), NAN);
        if (share == 0.95)
            high = json_as_double(json_member(walk.value, "value"), NAN);
    }
    say(report, arena,
        arena_format(arena,
                     "The hold-out has %.0f rows%s: of nine in ten there the truth was from %+.4g "
                     "to %+.4g beside the answer.",
                     rows, rows < SMALL_HOLDOUT ? ", which are few" : "", low, high));
}

static void add_holdout(ModelReport *report, const JsonValue *judgement, Arena *arena)
{
    double rows = json_as_double(json_member(judgement, "row_count"), 0);
    double accuracy =
        json_as_double(json_member(json_member(judgement, "metrics"), "accuracy"), NAN);
    const JsonValue *quantiles = json_member(judgement, "residual_quantiles");

    if (rows >= 1 && json_count(quantiles)) {
        say_residuals(report, rows, quantiles, arena);
        return;
    }
    if (rows >= 1 && accuracy >= 0 && accuracy <= 1)
        say_sureness(report, accuracy, rows, arena);
    else
        say(report, arena,
            "Nothing is known of how good it is on rows that it has not learnt from: its package "
            "has no report on a hold-out.");
}

static void add_few_rows(ModelReport *report, const JsonValue *judgement, Arena *arena)
{
    TextBuilder names = {.arena = arena};
    size_t count = 0;

    for (JsonWalk walk = json_walk(json_member(judgement, "classes")); json_walk_next(&walk);) {
        int64_t support = json_as_int(json_member(walk.value, "support"), FEW_ROWS);

        if (support >= FEW_ROWS || ++count > CLASSES_SHOWN_MAX)
            continue;
        text_append_format(&names, "%s\"%s\" (%" PRId64 ")", count > 1 ? ", " : "",
                           json_as_text(json_member(walk.value, "name"), ""), support);
    }
    if (count > CLASSES_SHOWN_MAX)
        text_append_format(&names, " and %zu more", count - CLASSES_SHOWN_MAX);
    if (count)
        say(report, arena,
            arena_format(arena,
                         "Classes with fewer than %d rows in the hold-out, whose figures say "
                         "little: %s.",
                         FEW_ROWS, text_built(&names)));
}

static void add_calibration(ModelReport *report, const JsonValue *judgement, Arena *arena)
{
    double error =
        json_as_double(json_member(json_member(judgement, "metrics"), "calibration_error"), NAN);

    if (error > CALIBRATION_ERROR_MUCH)
        say(report, arena,
            arena_format(arena,
                         "Its confidence is off by %.3g on average: a confidence of 0.9 is not "
                         "right nine times of ten.",
                         error));
}

static void append_column(TextBuilder *names, size_t index, const JsonValue *input)
{
    const char *name = json_as_text(json_member(input, "name"), NULL);
    const char *kind = model_report_input_kind(input);

    text_append_format(names, "%s%s%s%s (%s)", index ? ", " : "", name ? "\"" : "",
                       name ? name : "one without a name", name ? "\"" : "",
                       kind ? kind : DOCUMENT_NO_DATA);
}

static void add_columns(ModelReport *report, Arena *arena)
{
    const JsonValue *inputs = model_report_inputs(report);
    TextBuilder names = {.arena = arena};
    size_t count = json_count(inputs);

    for (JsonWalk walk = json_walk(inputs); json_walk_next(&walk);)
        if (walk.index < COLUMNS_SHOWN_MAX)
            append_column(&names, walk.index, walk.value);
    if (count > COLUMNS_SHOWN_MAX)
        text_append_format(&names, " and %zu more", count - COLUMNS_SHOWN_MAX);
    if (count)
        say(report, arena,
            arena_format(arena, "It answers by these columns alone: %s.", text_built(&names)));
}

static void add_code(ModelReport *report, Arena *arena)
{
    const char *commit = model_report_commit(report);

    if (!commit)
        say(report, arena, "The code that it was made with is not known: no commit is recorded.");
    else if (text_has_suffix(commit, "-dirty"))
        say(report, arena, "Files had changed since the commit that it was made from.");
}

static const char *describe_below(const ModelReport *report)
{
    if (model_report_is_forecast(report))
        return "In back-tests it was not better than the best of the baselines.";
    return text_equal(param_find(&report->lineage.run.params, "task"), "regression")
               ? "In cross-validation it was not better than always giving the mean."
               : "In cross-validation it was not better than always giving the commonest answer.";
}

static void add_training(ModelReport *report, Arena *arena)
{
    const ParamList *tags = &report->lineage.run.tags;
    const char *excluded = param_find(tags, "slipway.excluded");

    if (text_equal(param_find(tags, "slipway.below_baseline"), "true"))
        say(report, arena, describe_below(report));
    if (excluded)
        say(report, arena, arena_format(arena, "Columns of the data left out: %s.", excluded));
    if (report->has_data && report->data.set_aside_count)
        say(report, arena,
            arena_format(arena, "%" PRId64 " broken rows of the data were set aside.",
                         report->data.set_aside_count));
}

/* What its training said of the rows that it learnt from. */
static void add_notes(ModelReport *report, Arena *arena)
{
    const JsonValue *notes = json_member(report->files.judgement, "notes");
    size_t count = json_count(notes);

    for (JsonWalk walk = json_walk(notes); json_walk_next(&walk) && walk.index < NOTES_SHOWN_MAX;)
        say(report, arena,
            arena_format(arena, "Of its training: %s.", json_as_text(walk.value, "")));
    if (count > NOTES_SHOWN_MAX)
        say(report, arena,
            arena_format(arena, "Its training said %zu things more: its report.json has them.",
                         count - NOTES_SHOWN_MAX));
}

static void add_gate(ModelReport *report, Arena *arena)
{
    const JsonValue *verdict;

    if (!report->gates.count) {
        say(report, arena, "No gate has judged it.");
        return;
    }
    verdict = model_report_parse(report->gates.items[0].verdict, arena);
    for (JsonWalk walk = json_walk(json_member(verdict, "warnings")); json_walk_next(&walk);)
        say(report, arena,
            arena_format(arena, "The gate warns: %s.", json_as_text(walk.value, "")));
}

static void add_package(ModelReport *report, Arena *arena)
{
    if (!report->lineage.version.package)
        say(report, arena, "Its files are not here, so nothing of them is known.");
    if (report->files.refusal)
        say(report, arena, arena_format(arena, "It cannot be served: %s.", report->files.refusal));
    if (report->files.problem)
        say(report, arena,
            arena_format(arena, "Of its package not all could be read: %s.",
                         report->files.problem));
}

void model_report_add_limits(ModelReport *report, Arena *arena)
{
    const JsonValue *judgement = model_report_judgement(report);

    add_package(report, arena);
    add_holdout(report, judgement, arena);
    add_few_rows(report, judgement, arena);
    add_calibration(report, judgement, arena);
    add_training(report, arena);
    add_notes(report, arena);
    add_code(report, arena);
    add_gate(report, arena);
    add_columns(report, arena);
    say(report, arena,
        "Languages, groups of people and uses that it is not meant for: " DOCUMENT_NO_DATA
        ", the store says nothing of them.");
}
