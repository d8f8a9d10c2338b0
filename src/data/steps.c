#include "data/steps.h"

const WorkerStep data_steps[] = {
    {"import-data", import_data_step},
    {"preview", preview_step},
    {"draw-holdout", draw_holdout_step},
    {"check-data", check_data_step},
    {0},
};
