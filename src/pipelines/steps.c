#include "pipelines/steps.h"

const WorkerStep pipeline_steps[] = {
    {"train", train_step}, {"evaluate", evaluate_step},   {"gate", gate_step},
    {"score", score_step}, {"benchmark", benchmark_step}, {0},
};
