/* shadow.h: what a shadow would have answered, found out beside the answers that are given.
 *
 * One thread of low priority asks the candidates. A request is copied for it after the live version
 * has answered; nothing waits for it, and what it finds goes into the prediction log, under the
 * candidate's number and the request's id, and into the candidate's counts. While SHADOW_BYTES_MAX
 * wait, further requests are dropped and counted as dropped.
 */
#pragma once

#include "serving/prediction_log.h"
#include "serving/split.h"

enum { SHADOW_BYTES_MAX = 4 * 1024 * 1024 }; /* that wait; as many may be under way */

typedef struct Shadow Shadow;

Shadow *shadow_create(PredictionLog *log);

/* When no request runs any more, and before the log ends. What waits is dropped. */
void shadow_destroy(Shadow *shadow);

/* From any thread. */
void shadow_offer(Shadow *shadow, Split *split, const PredictRequest *request);
