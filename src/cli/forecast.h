/* forecast.h: forecasts as a person reads them. */
#pragma once

#include "cli/command.h"

/* Whether the answers are those of a model that forecasts. */
bool cli_has_forecasts(const JsonValue *answers);

/* A table of all dates. */
void cli_print_forecasts(Cli *cli, const JsonValue *answers);

/* How good each step is, of a report (ml/report.h); nothing where it does not say. */
void cli_print_steps(Cli *cli, const JsonValue *report);

/* What each series is forecast by, and how well that did in its back-tests. */
void cli_print_forecast_reasons(Cli *cli, const JsonValue *answers);
