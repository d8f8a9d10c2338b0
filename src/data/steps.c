#include "data/steps.h"

const WorkerStep data_steps[] = {
    {"import-data", import_data_step},
    {"preview", preview_step},
    {0},
};
