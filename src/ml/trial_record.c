#include "ml/trial_record.h"

#include "base/time.h"

const char *trial_end_name(TrialEnd end)
{
    static const char *const names[] = {
        [TRIAL_FINISHED] = "finished", [TRIAL_BEHIND] = "behind", [TRIAL_BUDGET] = "budget",
        [TRIAL_TOLD] = "told",         [TRIAL_FAILED] = "failed", [TRIAL_LEFT_OUT] = "left_out",
    };

    return names[end];
}

void trial_record_begin(TrialRecord *record)
{
    record->started_at = time_now_ms();
}

void trial_record_end(TrialRecord *record, TrialEnd end)
{
    record->end = end;
    record->ended_at = time_now_ms();
}

void trial_record_text(TrialRecord *record, const char *name, const char *value, Arena *arena)
{
    *arena_push(arena, &record->params) = (TrialParam){name, value};
}

void trial_record_number(TrialRecord *record, const char *name, double value, Arena *arena)
{
    trial_record_text(record, name, arena_format(arena, "%.6g", value), arena);
}
