/* experiment_internal.h: what the files of an experiment share. */
#pragma once

#include "tracking/experiment.h"

bool experiment_name_check(Scope *scope, const char *name) MUST_CHECK;

/* NULL is fine: with the server. */
bool experiment_location_check(Scope *scope, const char *location) MUST_CHECK;
