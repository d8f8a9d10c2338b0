/* pipelines.h: what the routes of pipelines and those of what starts them share. */
#pragma once

#include "api/route.h"

/* A page of runs, the newest first; project NULL: of all. */
bool pipelines_answer_runs(Scope *scope, const Request *request, const char *project,
                           Response *response) MUST_CHECK;
