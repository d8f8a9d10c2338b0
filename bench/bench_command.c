/* bench_command.c: runs a command and prints its wall time and CPU time in seconds and its peak of
 * resident memory in bytes.
 *
 * usage: bench_command PROGRAM [ARGUMENT...]
 *
 * The system counts for a process also what it was a copy of before it became another program,
 * which makes every child of a Python program as large as that. This program is small. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/time.h"

static double seconds(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static void run(char **command)
{
    int nowhere = open("/dev/null", O_WRONLY);

    dup2(nowhere, STDOUT_FILENO);
    execv(command[0], command);
    _exit(127);
}

int main(int count, char **arguments)
{
    int64_t began = time_monotonic_us();
    struct rusage used;
    int status;
    pid_t child;

    if (count < 2)
        return 2;
    child = fork();
    if (child == 0)
        run(arguments + 1);
    if (child < 0 || wait4(child, &status, 0, &used) < 0 || status != 0)
        return 1;
    printf("%.6f %.6f %ld\n", (double)(time_monotonic_us() - began) / 1e6,
           seconds(used.ru_utime) + seconds(used.ru_stime), used.ru_maxrss * 1024);
    return 0;
}
