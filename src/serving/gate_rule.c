#include "serving/gate_rule.h"

#include <math.h>
#include <string.h>

#include "ml/report.h"

const JsonField gate_rule_fields[] = {
    {"metric", JSON_TEXT, offsetof(GateRule, metric), JSON_OPTIONAL,
     "on the frozen hold-out; \"f1\", or \"rmse\" of models that answer with numbers"},
    {"margin", JSON_NUMBER, offsetof(GateRule, margin), JSON_OPTIONAL,
     "by how much the new version may be worse, or must be better; 0"},
    {"relative_margin", JSON_NUMBER, offsetof(GateRule, relative_margin), JSON_OPTIONAL,
     "the same as a share of the champion's value, added to the margin: 0.01 is 1 %; 0"},
    {"minimum", JSON_NUMBER, offsetof(GateRule, minimum), JSON_OPTIONAL,
     "that every version must reach (a maximum where less is better); none"},
    {"level", JSON_NUMBER, offsetof(GateRule, level), JSON_OPTIONAL,
     "of the confidence interval; 0.95"},
    {"demand", JSON_TEXT, offsetof(GateRule, demand), JSON_OPTIONAL,
     "\"not-worse\" (the default) or \"better\""},
    {0},
};

GateRule gate_rule_default(void)
{
    return (GateRule){.metric = "f1", .minimum = NAN, .level = 0.95, .demand = "not-worse"};
}

bool gate_rule_is_equal(const GateRule *a, const GateRule *b)
{
    return strcmp(a->metric, b->metric) == 0 && a->margin == b->margin &&
           a->relative_margin == b->relative_margin && a->level == b->level &&
           strcmp(a->demand, b->demand) == 0 &&
           (a->minimum == b->minimum || (isnan(a->minimum) && isnan(b->minimum)));
}

bool gate_rule_is_default(const GateRule *rule)
{
    GateRule usual = gate_rule_default();

    return gate_rule_is_equal(rule, &usual);
}

/* A margin may not be so wide that nothing is ever worse by more than it. */
static bool check_margin(const GateRule *rule, const MetricKind *metric, Error *error)
{
    double range = metric->most - metric->least;

    if (!(rule->margin >= 0))
        return fail_field(error, "margin", "a margin is 0 or more");
    if (!(rule->margin < range))
        return fail_field(error, "margin",
                          "a margin of %g is outside the range of \"%s\", which goes from %g to %g",
                          rule->margin, metric->name, metric->least, metric->most);
    if (!(rule->relative_margin >= 0 && rule->relative_margin < 1))
        return fail_field(error, "relative_margin",
                          "a relative margin is at least 0 and below 1: 0.01 is 1 %%");
    return true;
}

static bool check_minimum(const GateRule *rule, const MetricKind *metric, Error *error)
{
    if (isnan(rule->minimum))
        return true;
    if (isinf(rule->minimum))
        return fail_field(error, "minimum", "a minimum is a finite number");
    if (metric->higher_is_better && rule->minimum > metric->most)
        return fail_field(error, "minimum",
                          "no model can reach a minimum of %g: \"%s\" goes from %g to %g",
                          rule->minimum, metric->name, metric->least, metric->most);
    if (!metric->higher_is_better && rule->minimum < metric->least)
        return fail_field(error, "minimum",
                          "no model can stay below a limit of %g: \"%s\" goes from %g to %g",
                          rule->minimum, metric->name, metric->least, metric->most);
    return true;
}

bool gate_rule_check(const GateRule *rule, Error *error)
{
    const MetricKind *metric = rule->metric ? metric_find(rule->metric) : NULL;

    if (!metric)
        return fail_field(error, "metric", "\"%s\" is not a metric",
                          rule->metric ? rule->metric : "");
    if (!check_margin(rule, metric, error) || !check_minimum(rule, metric, error))
        return false;
    if (!(rule->level >= 0.5 && rule->level < 1))
        return fail_field(error, "level", "a level is at least 0.5 and below 1, such as 0.95");
    if (!text_equal(rule->demand, "not-worse") && !text_equal(rule->demand, "better"))
        return fail_field(error, "demand", "a demand is \"not-worse\" or \"better\", not \"%s\"",
                          rule->demand ? rule->demand : "");
    return true;
}

const char *gate_rule_warning(const GateRule *rule, Arena *arena)
{
    const MetricKind *metric = metric_find(rule->metric);

    if (isnan(rule->minimum))
        return NULL;
    if (metric->higher_is_better ? rule->minimum > metric->least : rule->minimum < metric->most)
        return NULL;
    return arena_format(arena, "every model passes a %s of %g: \"%s\" goes from %g to %g",
                        metric->higher_is_better ? "minimum" : "limit", rule->minimum, metric->name,
                        metric->least, metric->most);
}

static bool minimum_is_tighter(const GateRule *current, const GateRule *proposed)
{
    if (isnan(current->minimum))
        return true;
    return metric_find(current->metric)->higher_is_better ? proposed->minimum >= current->minimum
                                                          : proposed->minimum <= current->minimum;
}

/* With a margin of 0 noise decides, and a narrower interval (a lower level) excuses less; with one
 * above 0 the margin does. Of one kind and the other neither is tighter. */
static bool not_worse_is_tighter(const GateRule *current, const GateRule *proposed)
{
    if (gate_rule_has_margin(current))
        return gate_rule_has_margin(proposed) && proposed->margin <= current->margin &&
               proposed->relative_margin <= current->relative_margin;
    return !gate_rule_has_margin(proposed) && proposed->level <= current->level;
}

bool gate_rule_has_margin(const GateRule *rule)
{
    return rule->margin > 0 || rule->relative_margin > 0;
}

double gate_rule_margin(const GateRule *rule, double champion)
{
    return rule->margin + rule->relative_margin * fabs(champion);
}

bool gate_rule_is_tighter(const GateRule *current, const GateRule *proposed)
{
    bool current_better = strcmp(current->demand, "better") == 0;
    bool proposed_better = strcmp(proposed->demand, "better") == 0;

    if (strcmp(current->metric, proposed->metric) != 0 || !metric_find(current->metric) ||
        !minimum_is_tighter(current, proposed))
        return false;
    if (current_better)
        return proposed_better && proposed->margin >= current->margin &&
               proposed->relative_margin >= current->relative_margin &&
               proposed->level >= current->level;
    return proposed_better || not_worse_is_tighter(current, proposed);
}

void gate_rule_write_json(JsonWriter *json, const char *key, const GateRule *rule)
{
    json_open_object(json, key);
    {
        json_text(json, "metric", rule->metric);
        json_double(json, "margin", rule->margin);
        json_double(json, "relative_margin", rule->relative_margin);
        json_double(json, "minimum", rule->minimum);
        json_double(json, "level", rule->level);
        json_text(json, "demand", rule->demand);
    }
    json_close(json);
}
