/* attributes.h: the only place that spells compiler extensions. */
#pragma once

#include <stddef.h>

#define PRINTF_LIKE(at, first) __attribute__((format(printf, at, first)))
#define MUST_CHECK             __attribute__((warn_unused_result))
#define CLEANUP(function)      __attribute__((cleanup(function)))
#define UNUSED                 __attribute__((unused))
#define NORETURN               __attribute__((noreturn))
#define ALWAYS_INLINE          inline __attribute__((always_inline))

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
