/* steps.h: the worker steps of pipelines: what runs in a child process (base/worker.h).
 *
 *     train      learns, judges on the hold-out, writes a package into a folder
 *     evaluate   judges a package on rows
 *     gate       judges a challenger and a champion on the hold-out
 *     score      writes a package's answers to many rows into a file
 *     benchmark  measures how fast a package answers
 */
#pragma once

#include "base/worker.h"

/* Ends with a row of zeros. */
extern const WorkerStep pipeline_steps[];

bool train_step(const JsonValue *job, JsonWriter *result, Arena *arena, Error *error);
bool evaluate_step(const JsonValue *job, JsonWriter *result, Arena *arena, Error *error);
bool gate_step(const JsonValue *job, JsonWriter *result, Arena *arena, Error *error);
bool benchmark_step(const JsonValue *job, JsonWriter *result, Arena *arena, Error *error);
bool score_step(const JsonValue *job, JsonWriter *result, Arena *arena, Error *error);
