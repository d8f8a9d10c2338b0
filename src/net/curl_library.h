/* curl_library.h: the functions of libcurl, found when the first request to another server is made.
 */
#pragma once

#include <curl/curl.h>

#include "base/error.h"

typedef struct CurlLibrary {
    __typeof__(curl_global_init) *global_init;
    __typeof__(curl_easy_init) *easy_init;
    __typeof__(curl_easy_setopt) *easy_setopt;
    __typeof__(curl_easy_getinfo) *easy_getinfo;
    __typeof__(curl_easy_perform) *easy_perform;
    __typeof__(curl_easy_strerror) *easy_strerror;
    __typeof__(curl_easy_cleanup) *easy_cleanup;
    __typeof__(curl_slist_append) *slist_append;
    __typeof__(curl_slist_free_all) *slist_free_all;
} CurlLibrary;

/* NULL when it is not there. */
const CurlLibrary *curl_library_open(Error *error) MUST_CHECK;
