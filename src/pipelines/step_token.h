/* step_token.h: who acts with the token of an attempt (engine/attempt_token.h).
 *
 * A step acts as "spam#12/train", which no token can be called, with ROLE_STEP, and only while its
 * attempt runs: the row of the attempt is asked first, and what ends it ends the token in the same
 * transaction. Then the record of the attempt shows whether the token is its own. Nothing of it is
 * in the store.
 *
 *     if (step_token_is_one(secret))
 *         return token_cache_ask(cache, scope, secret, step_token_find, &scope->principal);
 */
#pragma once

#include "access/token.h"
#include "pipelines/pipeline.h"

/* Whether it has the form of one. */
bool step_token_is_one(const char *secret);

/* Fails with ERROR_UNAUTHENTICATED when it is no token of an attempt that runs. */
bool step_token_find(Scope *scope, const char *secret, TokenHolder *holder) MUST_CHECK;

/* The run of the pipeline that a step acted in, by the name that it acts under; NULL: it is the
 * name of no step. */
bool step_token_run_of(Scope *scope, const char *name, const PipelineRun **run) MUST_CHECK;
