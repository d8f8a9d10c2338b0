#include "server/open_files.h"

#include <stdint.h>
#include <sys/resource.h>

enum { OTHER_FILES = 256, FILES_PER_CONNECTION = 2 };

size_t connections_within(size_t file_max, size_t wanted)
{
    size_t most = file_max > OTHER_FILES ? (file_max - OTHER_FILES) / FILES_PER_CONNECTION : 0;

    if (most < 1)
        most = 1;
    return wanted < most ? wanted : most;
}

size_t open_files_allow(size_t wanted)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return wanted;
    if (limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
            getrlimit(RLIMIT_NOFILE, &limit);
    }
    return connections_within(limit.rlim_cur == RLIM_INFINITY ? SIZE_MAX : limit.rlim_cur, wanted);
}
