/* main.c: slipway COMMAND, or slipway step NAME, as which the program starts itself for work in a
 * child process. */

#include <signal.h>
#include <string.h>

#include "base/worker.h"
#include "cli/command.h"
#include "data/steps.h"
#include "registry/package.h"

static const WorkerStep steps[] = {
    {"verify-package", package_verify_step},
    {0},
};

/* The table that has the step, or the first one, which then says that there is none. */
static const WorkerStep *table_with(const char *name)
{
    for (const WorkerStep *step = data_steps; step->name; step++)
        if (strcmp(step->name, name) == 0)
            return data_steps;
    return steps;
}

int main(int count, char **arguments)
{
    signal(
        SIGPIPE,
        SIG_IGN); /* a reader that went away is an error of write(), not the end of the program */
    if (count == 3 && strcmp(arguments[1], "step") == 0)
        return worker_main(table_with(arguments[2]), arguments[2]);
    return cli_main(count, arguments);
}
