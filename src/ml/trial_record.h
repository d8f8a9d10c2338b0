/* trial_record.h: what a search keeps of one of its trials beside the scores: what tells it apart,
 * when it ran, and how it ended.
 *
 *     TrialRecord record = {0};
 *     trial_record_begin(&record);
 *     trial_record_number(&record, "C", 0.3, arena);
 *     trial_record_end(&record, TRIAL_FINISHED);
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

typedef enum TrialEnd {
    TRIAL_FINISHED,
    TRIAL_BEHIND,   /* behind the best one after some folds */
    TRIAL_BUDGET,   /* the time was used up, or would not have sufficed */
    TRIAL_TOLD,     /* somebody told the search to end */
    TRIAL_FAILED,   /* it cannot learn these rows */
    TRIAL_LEFT_OUT, /* it cannot be tried here */
} TrialEnd;         /* "finished", "behind", ... */

const char *trial_end_name(TrialEnd end);

typedef struct TrialParam {
    const char *name, *value;
} TrialParam;

typedef struct TrialParams {
    TrialParam *items;
    size_t count;
} TrialParams;

typedef struct TrialRecord {
    TrialEnd end;
    TrialParams params;           /* "learner" only where a leaderboard's name says more than it */
    size_t folds;                 /* or windows, that it was judged by; 0: not known */
    int64_t started_at, ended_at; /* ms UTC, by the clock on the wall; 0: not known */
} TrialRecord;

void trial_record_begin(TrialRecord *record);
void trial_record_end(TrialRecord *record, TrialEnd end);

/* The texts live as long as the record. */
void trial_record_text(TrialRecord *record, const char *name, const char *value, Arena *arena);
void trial_record_number(TrialRecord *record, const char *name, double value, Arena *arena);
