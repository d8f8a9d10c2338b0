/* leaderboard.h: what was tried, as the steps that train write it. */
#pragma once

#include "base/json.h"
#include "ml/task.h"
#include "ml/text_model.h"

/* The member "leaderboard". */
void leaderboard_write_json(JsonWriter *json, const Leaderboard *leaderboard, ModelTask task,
                            bool with_seconds);

/* The member "trials": what else is known of each row, in the same order. It has times, so that no
 * file is made of it. */
void leaderboard_write_trials(JsonWriter *json, const Leaderboard *leaderboard);

/* A package's file, with the metric that the scores are of. Seconds differ from run to run, so it
 * has none. */
const char *leaderboard_document(const Leaderboard *leaderboard, ModelTask task, const char *metric,
                                 Arena *arena);

/* That a limit of trials has ended the search. */
const char *leaderboard_limit_note(size_t trials, Arena *arena);

const LeaderboardRow *leaderboard_chosen(const Leaderboard *leaderboard); /* NULL: none is */
