/* duck_header.h: duckdb.h, whose functions without parameters are declared in the old way. */
#pragma once

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wstrict-prototypes"
#include <duckdb.h>
#pragma GCC diagnostic pop
