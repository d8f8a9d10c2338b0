/* flag.h: a flag that another thread, or the handler of a signal, may set. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

/* NULL is never set. */
static inline bool flag_is_set(const atomic_bool *flag)
{
    return flag && atomic_load(flag);
}
