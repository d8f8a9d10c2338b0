/* training.h: following a training that was started, until it ends. */
#pragma once

#include "cli/command.h"

/* started: the answer of the route that started it. Draws the leaderboard while it grows (on a
 * terminal), then prints what came of it. Fails when the run did. */
bool cli_follow_training(Cli *cli, const ClientReply *started) MUST_CHECK;
