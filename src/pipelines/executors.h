/* executors.h: which executors a program has, and which of them a step is for.
 *
 * Names are kept in the platform, so that a plan is refused before anything of it runs; the
 * scheduler opens what the settings say. A step is for one executor from the moment its run is
 * accepted: a server that is started with other settings leaves it waiting.
 */
#pragma once

#include "access/scope.h"
#include "engine/executor_slurm.h"
#include "plan/plan.h"

enum { SLURM_SLOTS_DEFAULT = 500, SLURM_SLOTS_MAX = 2000 };

/* Texts belong to the caller, and live as long as the program. */
typedef struct ExecutorSettings {
    const char *standard;     /* of steps that name none; NULL: "local" */
    SlurmSpec slurm;          /* address NULL: there is none */
    size_t slurm_slots;       /* jobs at a time, waiting ones included; 0: SLURM_SLOTS_DEFAULT */
    const char *slurm_server; /* where jobs reach the server; NULL: where it listens */
} ExecutorSettings;

/* The names for the platform; settings NULL: local alone. */
bool executors_choose(const ExecutorSettings *settings, const char *const **names,
                      Error *error) MUST_CHECK;

/* Refuses a plan with a step that names an executor which is not there. */
bool executors_check(Scope *scope, const Plan *plan) MUST_CHECK;

/* A built-in step that the server does itself is local, whatever it says. */
const char *executor_of(const Platform *platform, const PlanStep *step);
