/* run_name.c: names for runs that were given none. */

#include <inttypes.h>

#include "base/id.h"
#include "tracking/run_internal.h"

static const char *const adjectives[] = {
    "amber",   "brave",  "brisk",  "calm",   "clever", "copper", "cosy",   "crisp",
    "deft",    "eager",  "early",  "fair",   "fleet",  "fond",   "frank",  "fresh",
    "gentle",  "glad",   "golden", "grand",  "hardy",  "hazel",  "honest", "humble",
    "ivory",   "jolly",  "keen",   "kind",   "lively", "lucid",  "lucky",  "mellow",
    "merry",   "mild",   "misty",  "modest", "neat",   "nimble", "noble",  "opal",
    "patient", "plain",  "polite", "proud",  "quick",  "quiet",  "rapid",  "ready",
    "rosy",    "rustic", "sandy",  "sharp",  "silent", "silver", "sleek",  "snug",
    "spry",    "steady", "sunny",  "swift",  "tidy",   "vivid",  "warm",   "witty",
};

static const char *const nouns[] = {
    "anchor", "badger", "beacon", "birch",  "bridge", "brook",  "buoy",    "canal",
    "cedar",  "cliff",  "comet",  "cove",   "crane",  "delta",  "dune",    "eagle",
    "falcon", "fern",   "ferry",  "finch",  "fjord",  "gannet", "gull",    "harbour",
    "heron",  "island", "jetty",  "keel",   "kelp",   "lagoon", "lantern", "linnet",
    "marsh",  "meadow", "moor",   "osprey", "otter",  "oyster", "pebble",  "pier",
    "plover", "quay",   "raft",   "reed",   "reef",   "ridge",  "river",   "robin",
    "rudder", "sail",   "seal",   "shoal",  "spruce", "stork",  "swan",    "tern",
    "tide",   "trout",  "vessel", "wave",   "wharf",  "willow", "wren",    "yacht",
};

const char *run_name_random(Arena *arena)
{
    uint32_t chance[3];

    random_bytes(chance, sizeof(chance));
    return arena_format(arena, "%s-%s-%" PRIu32, adjectives[chance[0] % COUNT(adjectives)],
                        nouns[chance[1] % COUNT(nouns)], chance[2] % 1000);
}
