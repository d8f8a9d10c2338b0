/* main.c: slipway COMMAND, or slipway step NAME, as which the program starts itself for work in a
 * child process, or slipway shim FOLDER, as which an executor starts it for one attempt of a step.
 */

#include <signal.h>
#include <string.h>

#include "base/worker.h"
#include "cli/command.h"
#include "data/steps.h"
#include "engine/shim.h"
#include "pipelines/steps.h"
#include "prepare/recipe_step.h"
#include "registry/package.h"

static const WorkerStep registry_steps[] = {
    {"verify-package", package_verify_step},
    {0},
};

static const WorkerStep *const step_tables[] = {data_steps, prepare_steps, registry_steps,
                                                pipeline_steps, NULL};

int main(int count, char **arguments)
{
    /* A reader that went away is an error of write(), not the end of the program. */
    signal(SIGPIPE, SIG_IGN);
    if (count == 3 && strcmp(arguments[1], "step") == 0)
        return worker_main(step_tables, arguments[2]);
    if (count == 3 && strcmp(arguments[1], "shim") == 0)
        return shim_main(arguments[2]);
    return cli_main(count, arguments);
}
