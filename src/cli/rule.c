#include "cli/rule.h"

#include <math.h>

const char *cli_rule(Cli *cli, const JsonValue *rule)
{
    TextBuilder text = {.arena = cli->arena};
    double relative = json_as_double(json_member(rule, "relative_margin"), 0);
    double minimum = json_as_double(json_member(rule, "minimum"), NAN);

    text_append_format(&text, "%s %s, margin %g", json_as_text(json_member(rule, "metric"), ""),
                       json_as_text(json_member(rule, "demand"), ""),
                       json_as_double(json_member(rule, "margin"), 0));
    if (relative > 0)
        text_append_format(&text, " + %g %% of the champion's", relative * 100);
    if (!isnan(minimum))
        text_append_format(&text, ", minimum %g", minimum);
    text_append_format(&text, ", level %g", json_as_double(json_member(rule, "level"), 0));
    return text_built(&text);
}
