/* http.h: words that the HTTP server and the HTTP client share. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* A header or a query parameter. */
typedef struct HttpPair {
    const char *name;
    const char *value;
} HttpPair;

typedef struct HttpPairList {
    HttpPair *items;
    size_t count;
} HttpPairList;
