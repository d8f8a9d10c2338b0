/* builtin.h: the steps that need no command: "uses: train".
 *
 * The work of one is done in a shim, as that of any step, by a ready-made step of the program
 * (`slipway step NAME`); before and after it the server does what needs the store:
 *
 *     prepare   makes the job of the ready-made step; may be slow, and may be done again
 *     finish    stores what came of it; may be slow, and may be done again
 *     write     inside the write that ends the step: whatever it does is done once, or not at all
 *
 * One without a ready-made step has no shim: finish does its work.
 */
#pragma once

#include "pipelines/pipeline_internal.h"
#include "pipelines/project_file.h"
#include "plan/pipeline_file.h"

/* What a built-in step works with. */
typedef struct BuiltinStep {
    const StepStart *start;
    const StepAttempt *attempt;
    const char *folder; /* of the attempt */
    const char *made;   /* the folder in it that is there for what it makes */
    struct Serving *serving;
} BuiltinStep;

typedef struct Builtin {
    const char *name;
    const char *worker; /* NULL: none */

    /* What the step depends on beside "with" and deps; quick: inside a write. Or NULL. */
    bool (*inputs)(Scope *scope, const StepStart *start, JsonWriter *json);
    bool (*prepare)(Scope *scope, const BuiltinStep *step, const char **job);
    bool (*finish)(Scope *scope, const BuiltinStep *step, AttemptEnd *end);

    /* Why there is nothing for it to do, which skips it; *reason stays NULL: there is. Quick:
     * inside a write. Or NULL. */
    bool (*skip)(Scope *scope, const StepStart *start, const char **reason);
    const char *approved_as; /* the step of the run whose approval lets it go; NULL: its own */
} Builtin;

extern const PlanBuiltin pipeline_builtins[]; /* ends with a row of zeros */

/* What the step uses; NULL: it has commands, or uses what is not there. */
const Builtin *builtin_of(const PlanStep *step);

/* Whether "with" of a step that uses this may have such a member. */
bool builtin_takes(const char *uses, const char *name);

/* The value of a member of "with", or NULL. */
const char *builtin_with(const StepStart *start, const char *name);

/* The same for a path, as the step's deps and outs have it. */
bool builtin_path(Scope *scope, const StepStart *start, const char *name,
                  const char **path) MUST_CHECK;

/* The data set of this name in the project's file as what is to be registered, without its files:
 * how it is read, and what it must be. */
bool builtin_data_spec(Scope *scope, const ProjectData *data, DatasetSpec *spec) MUST_CHECK;

extern const Builtin builtin_train, builtin_check_data, builtin_prepare, builtin_evaluate,
    builtin_register, builtin_score, builtin_benchmark, builtin_release_gate,
    builtin_release_staging, builtin_release_canary, builtin_release_production;
