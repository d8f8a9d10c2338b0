/* shim.h: `slipway shim FOLDER`: the small program that does one attempt of a step.
 *
 * Every executor starts it and does little else; so all of them behave alike. It claims the attempt
 * (attempt.h), puts the files of the step into a folder of their own, runs what is to be run with
 * its limits and at a low priority, keeps what that prints, adds what it made to the artifact store
 * by digest, and writes how it went, last. Commands have the attempt's token, which it makes
 * (attempt_token.h). It needs no server while it works: one that is stopped, killed or replaced
 * meanwhile finds the end when it looks.
 *
 * It ends at SIGTERM, when FOLDER/cancel appears, or when its time is up: the processes of the step
 * get SIGTERM, and SIGKILL after grace_ms. spec.json is read by shim_spec_fields; the end is
 *
 *     {"outcome": "succeeded" | "failed" | "cancelled" | "timed_out", "reason": "...",
 *      "exit_code": 0, "signal": 0, "started_at": ms, "ended_at": ms, "cpu_ms": 12,
 *      "memory_bytes": 9000, "log": {"digest": "...", "size": 1},
 *      "outs": [{"path": "model", "use": "out", "digest": "...", "size": 1, "is_folder": true}],
 *      "result": {...}}                                       (of a built-in step)
 */
#pragma once

#include "base/json.h"

/* Ready-made steps run in the program itself: `slipway step NAME`. */
typedef struct ShimSpec {
    const char *key;              /* of the attempt: SLIPWAY_ATTEMPT_KEY */
    const char *artifacts;        /* the folder of the artifact store */
    const char *tree;             /* of the project's files, or NULL */
    const JsonValue *files;       /* [{"path", "digest", "is_folder"}], over those of the tree */
    TextList commands;            /* for /bin/sh */
    TextList arguments;           /* or one program without a shell */
    const char *step;             /* or a ready-made step */
    const JsonValue *job;         /* of the ready-made step */
    const char *made;             /* a folder in work/ that is there before the work, or NULL */
    const char *folder;           /* where commands start, relative to the work folder */
    const JsonValue *environment; /* {"NAME": "text"} */
    const JsonValue *outs;        /* [{"path", "use"}] */
    int64_t timeout_ms, grace_ms; /* 0: no limit; at once */
    int64_t memory_bytes, files_max;
} ShimSpec;

extern const JsonField shim_spec_fields[];

/* The exit status: 0 when the attempt has its end, whatever that is, or is another one's. */
int shim_main(const char *folder);
