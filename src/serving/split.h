/* split.h: two versions behind one endpoint: which of them answers a request, and what each did.
 *
 * A request is answered whole by one version. A canary takes its share of them: the nth request of
 * a split is the canary's when the fraction of n times the golden ratio lies below the share. So
 * any run of requests has its share to within a few, not only on the average, at the price of one
 * atomic addition; and unlike every tenth request, no rhythm of the callers falls on one side again
 * and again. It is no hash of the request id, which is the caller's to choose: one id for all
 * requests would be all or nothing, and callers could choose their version.
 *
 * A request that the canary fails at is answered by the live version. That is an error of the
 * canary, whatever its reason, if the live version could answer; else only a fault (a status of 500
 * or above) is one: the request was wrong, and counts on neither side. A shadow is asked what the
 * live version has answered (shadow.h), so each of its failures is an error.
 *
 * A split lives as long as a snapshot or a waiting request refers to it, and never changes but for
 * its counts. They begin at zero with each candidate.
 */
#pragma once

#include <pthread.h>

#include "serving/candidate.h"
#include "serving/predict.h"
#include "serving/window.h"

typedef struct Split {
    atomic_size_t references;
    Arena *arena;
    ServedEndpoint candidate; /* loaded; without a split of its own */
    int64_t live_id;          /* the deployment beside it */
    int64_t share;
    bool is_shadow;
    uint64_t below; /* the share of 2^32 */
    int64_t since;  /* when it began, in this process */
    DeploymentCounts candidate_counts, live_counts;
    atomic_uint_fast64_t turn; /* requests that were shared out */
    pthread_mutex_t lock;
    Error failure; /* of the candidate, a late one; guarded by lock */
} Split;

/* Takes a reference of its own to the candidate's model, and copies of its texts. */
Split *split_create(const ServedEndpoint *candidate, const Candidate *set, int64_t live_id);
Split *split_ref(Split *split); /* NULL is fine */
void split_unref(Split *split); /* NULL is fine */

/* Whether the next request is the canary's. */
bool split_takes_next(Split *split);

/* What answered, and since when it was asked. */
typedef struct SplitAnswer {
    Prediction prediction;
    int64_t began_us;
} SplitAnswer;

/* By whichever is to answer. Failures are counted, answers are not yet: they have to be written. */
bool split_predict(const ServedEndpoint *live, const PredictRequest *request, Arena *arena,
                   SplitAnswer *answer, Error *error) MUST_CHECK;
void split_count(Split *split, const SplitAnswer *answer);

/* An error of the candidate. */
void split_fail(Split *split, const Error *error);

/* One of the two versions, and what it did. */
typedef struct SplitSide {
    const char *model;
    int64_t version, deployment_id;
    Window window;
} SplitSide;

typedef struct SplitFigures {
    const char *endpoint;
    bool is_shadow;
    int64_t share, since;
    SplitSide live, candidate;
    const char *failure; /* of the candidate, a late one; NULL: none */
} SplitFigures;

/* Of an endpoint with a split; the texts are the arena's. */
SplitFigures split_figures(const ServedEndpoint *live, Arena *arena);
void split_figures_write_json(JsonWriter *json, const char *key, const SplitFigures *figures);
