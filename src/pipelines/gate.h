/* gate.h: may this model version take the place of the one that serves?
 *
 * Both are judged on the same frozen rows, none of which either has learnt from, and the difference
 * is weighed against its noise (paired bootstrap). gain = challenger - champion, turned so that
 * more is better; [low, high] is its interval at the rule's level.
 *
 *     "not-worse", margin > 0   accepted while gain >= -margin
 *     "not-worse", margin = 0   accepted unless gain < 0 and high < 0: worse beyond the noise
 *     "better"                  accepted when low > margin
 *
 * margin = the rule's margin + its relative margin times the champion's value.
 *
 * A minimum (a maximum where less is better) must hold in any case, and a first model, which has no
 * champion to beat, must be better than always giving the commonest answer, or the mean of numbers.
 *
 * A gate fails closed: a missing number, a metric without a name, another hold-out, a champion that
 * cannot be read, rows that were learnt from, any error at all: GATE_REFUSED with the reason. Only
 * GATE_ACCEPTED promotes.
 */
#pragma once

#include "data/holdout.h"
#include "ml/report.h"
#include "serving/endpoint.h"

enum { GATE_RESAMPLES = 2000, GATE_SEED = 42 };

typedef enum GateOutcome {
    GATE_REFUSED,  /* "refused": could not be judged. Zero, so that forgetting to decide refuses */
    GATE_REJECTED, /* "rejected": judged, and not good enough */
    GATE_ACCEPTED, /* "accepted" */
} GateOutcome;

const char *gate_outcome_name(GateOutcome outcome);

/* The numbers that a decision rests on; NaN where one is missing. */
typedef struct GateNumbers {
    bool has_champion;
    double challenger, champion;
    double baseline; /* of always giving the commonest answer, or the mean */
    PairedInterval interval;
} GateNumbers;

typedef struct GateDecision {
    GateOutcome outcome;
    const char *finding; /* "better", "not worse, within noise", "worse", ... */
    const char *reason;  /* a sentence with the numbers */
    bool within_noise;   /* the interval of the difference holds 0 */
    TextList warnings;   /* a minimum that lets everything in, ... */
} GateDecision;

/* Pure: the numbers and the rule decide, nothing else. */
GateDecision gate_decide(const GateRule *rule, const GateNumbers *numbers, Arena *arena);

/* A judged promotion, as it is kept. */
typedef struct Gate {
    int64_t id;
    const char *endpoint, *model;
    int64_t version;
    const char *outcome, *reason;
    const char *verdict; /* a JSON object with all of it */
    int64_t created_at;
    const char *created_by;
} Gate;

typedef struct GateList {
    Gate *items;
    size_t count;
} GateList;

/* Judges version as the next of endpoint, in a child process (slow; it writes nothing but the
 * project's hold-out, which one that was registered may be the first to need); one that the numbers
 * accept must also answer its golden rows as when it was made. It does not fail: what goes
 * wrong is a refusal. */
Gate gate_judge(Scope *scope, const Endpoint *endpoint, const ModelVersion *version);

/* Inside a write. Keeps the verdict and appends gate.passed, gate.rejected or gate.refused. */
bool gate_record(Scope *scope, Gate *gate) MUST_CHECK;
/* The newest first; page NULL: all. */
bool gate_list(Scope *scope, const char *endpoint, const Page *page, GateList *list) MUST_CHECK;

/* Of a version, wherever it was to go; the newest first, at most limit. */
bool gate_list_version(Scope *scope, const char *model, int64_t version, int64_t limit,
                       GateList *list) MUST_CHECK;

/* What is judged. */
typedef struct GateSubject {
    const char *endpoint, *model;
    int64_t version;
} GateSubject;

/* The last time that it was judged until then; found false: it never was. */
bool gate_find_last(Scope *scope, const GateSubject *subject, int64_t until, Gate *gate,
                    bool *found) MUST_CHECK;
void gate_write_json(JsonWriter *json, const char *key, const Gate *gate);
