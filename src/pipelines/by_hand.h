/* by_hand.h: a change of what serves that somebody makes themselves, without a release.
 *
 * An endpoint belongs to an environment: "staging" when its name says so, else "production". What
 * goes there by hand goes by the rules of that environment, too:
 *
 * - Whoever does it is an approver, and counts as one approval; where more are demanded a release
 *   is the way. Where there are tokens that may approve they say why.
 * - Four eyes: whoever made the version, or caused the run that did, does not do it. Where nobody
 *   knows who that was, it would take two.
 * - It happens within the windows. What is deployed by hand is of no branch, so where branches are
 *   named it may not. An owner may do either, with a comment.
 *
 * Each that had to pass by rules appends environment.bypassed, with the rules, in the same write.
 * Back is always free: a rollback, the end of a candidate, less of it.
 *
 * Deployments of releases do not come here: they have waited for the environment as steps.
 */
#pragma once

#include "pipelines/environment.h"
#include "serving/endpoint.h"

/* Whether it would be refused now; before slow work that would be in vain. */
bool by_hand_check(Scope *scope, const DeploySpec *spec) MUST_CHECK;

/* Inside a write: endpoint_deploy() by the rules. */
bool by_hand_deploy(Scope *scope, const DeploySpec *spec, Endpoint *endpoint) MUST_CHECK;

/* The same of a candidate: one that answers somebody, and more than it did until now. */
bool by_hand_check_candidate(Scope *scope, const CandidateSpec *spec) MUST_CHECK;
bool by_hand_set_candidate(Scope *scope, const CandidateSpec *spec, Endpoint *endpoint) MUST_CHECK;
