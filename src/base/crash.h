/* crash.h: places where a test may kill the program.
 *
 *     CRASH_POINT("artifact: before its rename");
 *
 * A point stands where a death between two lines would show whether the store holds. It is nothing
 * at all unless the build defines SLIPWAY_CRASH_POINTS, as the debug and sanitizer builds do.
 * There:
 *
 *     SLIPWAY_CRASH=7           SIGKILL to the process that passes the seventh point
 *     SLIPWAY_CRASH=NAME        SIGKILL to the process that is the first to pass the point of that
 *                               name: threads of the background pass points when they like, so a
 *                               number need not be the same point a second time
 *     SLIPWAY_CRASH="3 NAME"    the third that passes it, with a file
 *     SLIPWAY_CRASH=list        the name of each point that is passed, on standard error
 *     SLIPWAY_CRASH_LOG=FILE    each point that is passed, one line of CRASH_LINE_BYTES bytes; with
 *                               it points are counted over all processes that share the file
 *
 * Without a file each process counts its own. tools/crash.py drives this.
 */
#pragma once

enum { CRASH_LINE_BYTES = 64 };

#ifdef SLIPWAY_CRASH_POINTS
#define CRASH_POINT(name) crash_point(name)
#else
#define CRASH_POINT(name) ((void)0)
#endif

/* The name is printable ASCII shorter than a line. From any thread. */
void crash_point(const char *name);
