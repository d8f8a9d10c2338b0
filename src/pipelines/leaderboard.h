/* leaderboard.h: what was tried, as the steps that train write it. */
#pragma once

#include "base/json.h"
#include "ml/task.h"
#include "ml/text_model.h"

/* The member "leaderboard". Seconds differ from run to run, so a package's has none. */
void leaderboard_write_json(JsonWriter *json, const Leaderboard *leaderboard, ModelTask task,
                            bool with_seconds);

const LeaderboardRow *leaderboard_chosen(const Leaderboard *leaderboard); /* NULL: none is */

/* How many threads learn: one core is left to who asks the server. A low priority alone does not
 * keep a core's cache, nor the moment until the system takes the core back. */
size_t learning_threads(void);
