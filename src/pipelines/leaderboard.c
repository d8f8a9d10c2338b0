#include "pipelines/leaderboard.h"

static void write_row(JsonWriter *json, const LeaderboardRow *row, ModelTask task,
                      bool with_seconds)
{
    json_open_object(json, NULL);
    {
        json_text(json, "name", row->name);
        json_text(json, "description", row->description);
        json_double(json, "score", row->score);
        json_double(json, "score_deviation", row->score_deviation);
        if (task == TASK_CLASSIFICATION) {
            json_double(json, "accuracy", row->accuracy);
            json_double(json, "f1", row->f1);
            json_double(json, "log_loss", row->log_loss);
        }
        if (with_seconds)
            json_double(json, "seconds", row->seconds);
        json_bool(json, "is_baseline", row->is_baseline);
        json_bool(json, "below_baseline", row->below_baseline);
        json_bool(json, "chosen", row->chosen);
        json_text(json, "note", row->note ? row->note : "");
    }
    json_close(json);
}

void leaderboard_write_json(JsonWriter *json, const Leaderboard *leaderboard, ModelTask task,
                            bool with_seconds)
{
    json_open_array(json, "leaderboard");
    for (size_t i = 0; i < leaderboard->count; i++)
        write_row(json, &leaderboard->items[i], task, with_seconds);
    json_close(json);
}

static void write_record(JsonWriter *json, const TrialRecord *record)
{
    json_open_object(json, NULL);
    {
        json_text(json, "end", trial_end_name(record->end));
        json_open_object(json, "params");
        for (size_t i = 0; i < record->params.count; i++)
            json_text(json, record->params.items[i].name, record->params.items[i].value);
        json_close(json);
        json_int(json, "folds", (int64_t)record->folds);
        json_int(json, "started_at", record->started_at);
        json_int(json, "ended_at", record->ended_at);
    }
    json_close(json);
}

void leaderboard_write_trials(JsonWriter *json, const Leaderboard *leaderboard)
{
    json_open_array(json, "trials");
    for (size_t i = 0; i < leaderboard->count; i++)
        write_record(json, &leaderboard->items[i].trial);
    json_close(json);
}

const char *leaderboard_document(const Leaderboard *leaderboard, ModelTask task, const char *metric,
                                 Arena *arena)
{
    JsonWriter *json = json_writer_create(arena);

    json_open_object(json, NULL);
    json_text(json, "metric", metric);
    leaderboard_write_json(json, leaderboard, task, false);
    json_close(json);
    return json_finish(json);
}

const char *leaderboard_limit_note(size_t trials, Arena *arena)
{
    return arena_format(arena, "the search ended after %zu trial%s, its limit", trials,
                        trials == 1 ? "" : "s");
}

const LeaderboardRow *leaderboard_chosen(const Leaderboard *leaderboard)
{
    for (size_t i = 0; i < leaderboard->count; i++)
        if (leaderboard->items[i].chosen)
            return &leaderboard->items[i];
    return NULL;
}
