/* plan.h: what one run of a pipeline does: its steps, and which waits for which.
 *
 * A plan is made from a pipeline's file, the values of its params and the files beside it
 * (pipeline_file.h). Every step is concrete: foreach and matrix are spread out, each name is there
 * once, and a step stands behind all that it waits for. What is only known when a step starts (what
 * another one measured, the id of the run) stays in it as ${{ }} until plan_resolve(): in
 * arguments, with and environment, which a start resolves, and nowhere else. Commands are final:
 * what a start fills in reaches them through the environment, never as a part of the line.
 *
 * A step as JSON is what the store keeps; what was read back is what was written.
 */
#pragma once

#include <stdint.h>

#include "base/json.h"
#include "base/text.h"

enum { PLAN_STEPS_MAX = 20000, PLAN_EDGES_MAX = 1000000 };

/* A name with a text: of the environment, of "with", or a param that was read from a file. */
typedef struct PlanValue {
    const char *name, *text;
} PlanValue;

typedef struct PlanValueList {
    PlanValue *items;
    size_t count;
} PlanValueList;

typedef enum PlanPathUse { PLAN_OUT, PLAN_METRICS, PLAN_PLOTS } PlanPathUse;

typedef struct PlanPath {
    const char
        *path;       /* relative to the project's folder: plain parts, no "..", no "/" at its end */
    PlanPathUse use; /* of what it makes */
    bool is_data;    /* of what it needs: the name of a data set, "comments" or "comments@3" */
    bool persist;    /* of what it makes: that of the last time is there when it starts */
} PlanPath;

typedef struct PlanPathList {
    PlanPath *items;
    size_t count;
} PlanPathList;

typedef struct PlanNeeds {
    size_t *items; /* positions in the plan, ascending, each once, all before the step's own */
    size_t count;
} PlanNeeds;

typedef struct PlanStep {
    const char *name;    /* "train", "train@fast", "train@0"; no control characters, but what is
                            behind the "@" may hold "/" or blanks: it is no name of a file */
    const char *stage;   /* "train" */
    const char *summary; /* or NULL */

    /* What it does: exactly one of the three. */
    TextList commands;  /* lines for /bin/sh, one after the other until one fails */
    TextList arguments; /* a program with its arguments, without a shell */
    const char *uses;   /* a built-in step by name */

    PlanValueList with;        /* of a built-in step */
    PlanValueList environment; /* of a command, beside what every step gets */
    const char *folder;        /* where a command starts: relative as a path, "." for the top */
    PlanPathList deps, outs;
    PlanValueList params; /* values it depends on: "params.yaml:train.c" ("params.yaml:", the whole
                             file), as JSON */
    PlanNeeds needs;
    const char *when; /* an expression that must be true for it to run; NULL: success() */

    int64_t timeout_ms;                      /* 0: the server's */
    int64_t retries, backoff_ms;             /* after a failure; the wait doubles each time */
    int64_t cpus, memory_bytes, gpus, files; /* 0: the server's */
    const char *executor;                    /* NULL: the server's */
    const char
        *place;  /* the environment ("production") whose rules hold before it starts; or NULL */
    bool always; /* never taken from the cache */
    bool frozen; /* its outs are those of the last time, whatever changed */
} PlanStep;

typedef struct Plan {
    PlanStep *items;
    size_t count;
} Plan;

/* What stands under "with" by this name, or NULL. */
const char *plan_step_with(const PlanStep *step, const char *name);

void plan_step_write_json(JsonWriter *json, const char *key, const PlanStep *step);
bool plan_step_read_json(const JsonValue *object, Arena *arena, PlanStep *step,
                         Error *error) MUST_CHECK;

/* What a name of an expression stands for, by its parts: {"steps", "train", "metrics", "f1"},
 * {"run", "id"}, {"trigger", ...}. NULL when nothing has that name; the sentence about it is the
 * expression's. What has a name but no value yet is null. success() and failure() are asked for as
 * {"success()"} and {"failure()"}, of the needs of the step that is about to start. */
typedef const JsonValue *PlanLookup(void *context, const TextList *name);

typedef struct PlanNames {
    PlanLookup *lookup;
    void *context;
} PlanNames;

/* The text with every ${{ }} in it evaluated. */
bool plan_resolve(const char *text, const PlanNames *names, Arena *arena, const char **resolved,
                  Error *error) MUST_CHECK;

/* Whether an expression (without its braces) is true: not false, 0, "" or null. */
bool plan_is_true(const char *expression, const PlanNames *names, Arena *arena, bool *is_true,
                  Error *error) MUST_CHECK;
