/* fault.c: loaded before the C library (LD_PRELOAD), it makes what changes files below a folder
 * fail, and allocations, and moves the clock on the wall.
 *
 *     FAULT_FOLDER   where: the path that the program opens files by begins so
 *     FAULT_PROGRAM  in processes of this program's name alone, not in what they start; else in all
 *     FAULT_CONTROL  a file of 64-bit numbers that the driver writes and all processes share:
 *                    0  calls so far that change files there
 *                    1  the call that fails first; 0: none
 *                    2  how many calls fail from there on
 *                    3  the errno; a write that is torn puts half of its bytes there first
 *                    4  1: writes are torn
 *                    5  calls that failed so far
 *                    6  allocations so far
 *                    7  the allocation that fails first; 0: none
 *                    8  how many fail from there on
 *                    9  where: 0: in what is no step, 1: in steps alone
 *                    10 allocations that failed so far
 *                    11 seconds that the clock on the wall is ahead; of all programs
 *
 * Counted are open() for writing, write, pwrite, writev, fsync, fdatasync, ftruncate, rename and
 * mkdir, in every process that the program starts. What the C library does inside itself (stdio) is
 * not, nor are stores into memory that is mapped from a file. Allocations are malloc, calloc,
 * realloc, the aligned ones and mmap, as far as they are not the C library's own. The monotonic
 * clock is left alone, and so are the times of files. tools/faults.py, tools/memory.py,
 * tools/faults_pipeline.py and tools/clock.py drive this.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

typedef struct Control {
    atomic_int_fast64_t count, first, length, number, torn, failed;
    atomic_int_fast64_t allocations, first_allocation, allocation_length, in_steps,
        failed_allocations;
    atomic_int_fast64_t ahead_seconds;
} Control;

static Control *control;
static const char *folder;
static bool is_step;   /* this process is `slipway step NAME` */
static bool is_spared; /* this process is not of the program whose files are to fail */

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* The C library's own, which need no look-up: that would allocate. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static bool read_is_step(void)
{
    char line[4096];
    int descriptor = REAL(open)("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t size = descriptor < 0 ? 0 : read(descriptor, line, sizeof(line) - 1);

    if (descriptor >= 0)
        close(descriptor);
    line[size > 0 ? size : 0] = '\0';
    return size > 0 && strlen(line) + 6 <= (size_t)size &&
           strcmp(line + strlen(line) + 1, "step") == 0;
}

static bool read_is_spared(void)
{
    const char *program = getenv("FAULT_PROGRAM"), *name;
    char path[4096];
    ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);

    if (!program || length < 0)
        return false;
    path[length] = '\0';
    name = strrchr(path, '/');
    return !name || strcmp(name + 1, program) != 0;
}

__attribute__((constructor)) static void start(void)
{
    const char *path = getenv("FAULT_CONTROL");
    int descriptor = path ? REAL(open)(path, O_RDWR | O_CLOEXEC) : -1;
    void *mapped;

    if (descriptor < 0)
        return;
    is_step = read_is_step();
    is_spared = read_is_spared();
    mapped = mmap(NULL, sizeof(Control), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    close(descriptor);
    if (mapped == MAP_FAILED)
        return;
    control = mapped;
    folder = getenv("FAULT_FOLDER");
}

static bool is_there(const char *path)
{
    return control && !is_spared && folder && path && strncmp(path, folder, strlen(folder)) == 0;
}

static bool descriptor_is_there(int descriptor)
{
    char link[64], path[4096];
    int saved = errno;
    ssize_t length;

    if (!control)
        return false;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", descriptor);
    length = readlink(link, path, sizeof(path) - 1);
    errno = saved;
    if (length < 0)
        return false;
    path[length] = '\0';
    return is_there(path);
}

/* Counts a call; true with errno set when it is one that fails. */
static bool must_fail(void)
{
    int_fast64_t number = atomic_fetch_add(&control->count, 1) + 1;
    int_fast64_t first = atomic_load(&control->first);

    if (!first || number < first || number >= first + atomic_load(&control->length))
        return false;
    atomic_fetch_add(&control->failed, 1);
    errno = (int)atomic_load(&control->number);
    return true;
}

static int open_any(int (*real)(const char *, int, ...), const char *path, int flags, mode_t mode)
{
    if ((flags & O_ACCMODE) != O_RDONLY && is_there(path) && must_fail())
        return -1;
    return real(path, flags, mode);
}

static mode_t mode_of(int flags, va_list arguments)
{
    return flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
}

int open(const char *path, int flags, ...)
{
    va_list arguments;
    mode_t mode;

    va_start(arguments, flags);
    mode = mode_of(flags, arguments);
    va_end(arguments);
    return open_any(REAL(open), path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    va_list arguments;
    mode_t mode;

    va_start(arguments, flags);
    mode = mode_of(flags, arguments);
    va_end(arguments);
    return open_any(REAL(open64), path, flags, mode);
}

ssize_t write(int descriptor, const void *bytes, size_t size)
{
    if (!descriptor_is_there(descriptor) || !must_fail())
        return REAL(write)(descriptor, bytes, size);
    if (atomic_load(&control->torn) && size > 1)
        (void)!REAL(write)(descriptor, bytes, size / 2);
    errno = (int)atomic_load(&control->number);
    return -1;
}

static ssize_t pwrite_any(int descriptor, const void *bytes, size_t size, off64_t at)
{
    if (!descriptor_is_there(descriptor) || !must_fail())
        return REAL(pwrite64)(descriptor, bytes, size, at);
    if (atomic_load(&control->torn) && size > 1)
        (void)!REAL(pwrite64)(descriptor, bytes, size / 2, at);
    errno = (int)atomic_load(&control->number);
    return -1;
}

ssize_t pwrite(int descriptor, const void *bytes, size_t size, off_t at)
{
    return pwrite_any(descriptor, bytes, size, at);
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t size, off64_t at)
{
    return pwrite_any(descriptor, bytes, size, at);
}

ssize_t writev(int descriptor, const struct iovec *parts, int count)
{
    return descriptor_is_there(descriptor) && must_fail() ? -1
                                                          : REAL(writev)(descriptor, parts, count);
}

int fsync(int descriptor)
{
    return descriptor_is_there(descriptor) && must_fail() ? -1 : REAL(fsync)(descriptor);
}

int fdatasync(int descriptor)
{
    return descriptor_is_there(descriptor) && must_fail() ? -1 : REAL(fdatasync)(descriptor);
}

int ftruncate(int descriptor, off_t size)
{
    return descriptor_is_there(descriptor) && must_fail() ? -1 : REAL(ftruncate)(descriptor, size);
}

int ftruncate64(int descriptor, off64_t size)
{
    return descriptor_is_there(descriptor) && must_fail() ? -1
                                                          : REAL(ftruncate64)(descriptor, size);
}

int rename(const char *from, const char *into)
{
    return is_there(into) && must_fail() ? -1 : REAL(rename)(from, into);
}

int mkdir(const char *path, mode_t mode)
{
    return is_there(path) && must_fail() ? -1 : REAL(mkdir)(path, mode);
}

/* ---- the clock ---- */

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int done = (int)syscall(SYS_clock_gettime, clock, now);

    if (done == 0 && control && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        now->tv_sec += atomic_load(&control->ahead_seconds);
    return done;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec exact;

    (void)zone;
    clock_gettime(CLOCK_REALTIME, &exact);
    *now = (struct timeval){exact.tv_sec, exact.tv_nsec / 1000};
    return 0;
}

time_t time(time_t *kept)
{
    struct timespec exact;

    clock_gettime(CLOCK_REALTIME, &exact);
    if (kept)
        *kept = exact.tv_sec;
    return exact.tv_sec;
}

/* ---- memory ---- */

/* Counts an allocation; true with errno set when it is one that fails. */
static bool must_lack(void)
{
    int_fast64_t number, first;

    if (!control || (atomic_load(&control->in_steps) != 0) != is_step)
        return false;
    number = atomic_fetch_add(&control->allocations, 1) + 1;
    first = atomic_load(&control->first_allocation);
    if (!first || number < first || number - first >= atomic_load(&control->allocation_length))
        return false;
    atomic_fetch_add(&control->failed_allocations, 1);
    errno = ENOMEM;
    return true;
}

void *malloc(size_t size)
{
    return must_lack() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return must_lack() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    return must_lack() ? NULL : __libc_realloc(old, size);
}

void *memalign(size_t alignment, size_t size)
{
    return must_lack() ? NULL : __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return must_lack() ? NULL : __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
    void *made = must_lack() ? NULL : __libc_memalign(alignment, size);

    if (!made)
        return ENOMEM;
    *memory = made;
    return 0;
}

void *mmap(void *address, size_t size, int protection, int flags, int descriptor, off_t at)
{
    if (must_lack())
        return MAP_FAILED;
    return (void *)syscall(SYS_mmap, address, size, protection, flags, descriptor, at);
}

/* Offsets have 64 bits anyway where this is built. */
void *mmap64(void *address, size_t size, int protection, int flags, int descriptor, off64_t at)
{
    return mmap(address, size, protection, flags, descriptor, at);
}
