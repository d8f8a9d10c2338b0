/* gate_rule.h: what an endpoint's gate asks of a version that wants to serve. The rule belongs to
 * the endpoint; pipelines/gate.h judges by it. */
#pragma once

#include "base/json.h"

typedef struct GateRule {
    const char *metric; /* a name of ml/report.h; never NULL */
    double margin;  /* the challenger must not be worse by more than this; "better" means better by
                       it */
    double minimum; /* NaN: none; for metrics where less is better, a maximum */
    double level;   /* of the interval: 0.95 */
    const char *demand;     /* "not-worse" (the default): accept unless worse beyond the noise;
                               "better": only when better */
    double relative_margin; /* a share of the champion's value, added to the margin: 0.01 is 1 % */
} GateRule;

/* f1 on the frozen hold-out, not worse beyond the noise at level 0.95, no minimum. An endpoint that
 * still has all of it was never told by what to judge: models that answer with numbers are judged
 * there by rmse instead. */
GateRule gate_rule_default(void);
bool gate_rule_is_default(const GateRule *rule);
bool gate_rule_is_equal(const GateRule *a, const GateRule *b);
extern const JsonField gate_rule_fields[]; /* of a GateRule */

/* A rule that can decide something: a metric by its exact name, a margin within the metric's range,
 * a minimum that a model can reach, a level, a demand. */
bool gate_rule_check(const GateRule *rule, Error *error) MUST_CHECK;

/* What a reader should know about a rule that is allowed: a minimum that every model passes. NULL:
 * nothing. */
const char *gate_rule_warning(const GateRule *rule, Arena *arena);

/* Whether a margin decides, and not the noise alone; and how wide it is beside this champion. */
bool gate_rule_has_margin(const GateRule *rule);
double gate_rule_margin(const GateRule *rule, double champion);

/* Whether whatever passes proposed passes current too: the only way a file may change a rule. */
bool gate_rule_is_tighter(const GateRule *current, const GateRule *proposed);

void gate_rule_write_json(JsonWriter *json, const char *key, const GateRule *rule);
