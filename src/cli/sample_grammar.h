/* sample_grammar.h: made-up comments, by a small grammar.
 *
 * A rule has a name and its texts; "{name}" in a text stands for one text of that rule, drawn
 * evenly. Equal seeds give equal comments. The words are ours; nobody wrote these comments.
 *
 *     Random random = random_seeded(42);
 *     const char *text = grammar_draw("spam", &random, arena);
 */
#pragma once

#include "base/text.h"
#include "ml/random.h"

/* rule must be one of the grammar's: "spam", "song" (about the video), "either" (could be both),
 * "late spam" and "late song" (words that come up later), "author". */
const char *grammar_draw(const char *rule, Random *random, Arena *arena);
