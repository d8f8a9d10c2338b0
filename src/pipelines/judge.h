/* judge.h: models judged on the same labelled rows. Used in worker steps only.
 *
 * Models may know different classes, and the rows others still. All are judged over the union of
 * them, so that one that has never heard of a class is wrong about its rows instead of excused.
 * Models that answer with numbers are judged by the target as numbers; a model of classes and one
 * of numbers are not compared.
 *
 *     ModelSet models = {{challenger, champion}, 2};
 *     Bench bench;
 *
 *     if (!bench_read(&spec, &models, arena, &bench, error) ||
 *         !bench_predict(&bench, challenger, arena, &predictions, error) ||
 *         !bench_report(&bench, &predictions, arena, &report, error))
 *         return false;
 */
#pragma once

#include "data/rows.h"
#include "ml/predictor.h"
#include "ml/report.h"

/* Who is judged. */
typedef struct ModelSet {
    const Predictor *items[2];
    size_t count;
} ModelSet;

/* The rows with a target, and the classes that all are judged over. */
typedef struct Bench {
    ModelTask task;
    Rows rows;
    size_t unlabelled_count; /* rows without a target, which judge nobody */
    size_t positive;
    size_t thread_count; /* that answer, at most; 0: as many as there are cores */
} Bench;

/* Takes the rows without a target out; returns how many. */
size_t rows_drop_unlabelled(Rows *rows, Arena *arena);

/* The first rows of a frame. */
Frame frame_head(const Frame *frame, size_t row_count);

/* Conflict when the models do not agree on which class is the positive one, or on the task. The
 * spec's task is that of the models. */
bool bench_read(const RowsSpec *spec, const ModelSet *models, Arena *arena, Bench *bench,
                Error *error) MUST_CHECK;

/* For judging again with rows that are in memory already. */
bool bench_from_rows(const Rows *rows, const ModelSet *models, Arena *arena, Bench *bench,
                     Error *error) MUST_CHECK;

/* probabilities are rows x classes of the bench; a class the model does not know has 0. */
bool bench_predict(const Bench *bench, const Predictor *model, Arena *arena,
                   Predictions *predictions, Error *error) MUST_CHECK;

/* What always giving the commonest class of these rows comes to, with the shares as
 * probabilities; of numbers, always their mean. */
Predictions bench_baseline(const Bench *bench, Arena *arena);

bool bench_report(const Bench *bench, const Predictions *predictions, Arena *arena, Report *report,
                  Error *error) MUST_CHECK;

/* What a gate judges models of that task by: its rule's metric, or with NULL, where nobody named
 * one, the usual one. Fails on one of another task. */
bool judge_find_metric(ModelTask task, const char *named, const MetricKind **metric,
                       Error *error) MUST_CHECK;
