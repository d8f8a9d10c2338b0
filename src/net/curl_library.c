#include "net/curl_library.h"

#include <pthread.h>

#include "base/library.h"

#define FUNCTION(name)                                                                             \
    {                                                                                              \
        "curl_" #name, offsetof(CurlLibrary, name)                                                 \
    }

static const LibraryFunction functions[] = {
    FUNCTION(global_init),
    FUNCTION(easy_init),
    FUNCTION(easy_setopt),
    FUNCTION(easy_getinfo),
    FUNCTION(easy_perform),
    FUNCTION(easy_strerror),
    FUNCTION(easy_reset),
    FUNCTION(easy_cleanup),
    FUNCTION(slist_append),
    FUNCTION(slist_free_all),
    FUNCTION(multi_init),
    FUNCTION(multi_setopt),
    FUNCTION(multi_add_handle),
    FUNCTION(multi_poll),
    FUNCTION(multi_perform),
    FUNCTION(multi_cleanup),
    FUNCTION(multi_info_read),
    FUNCTION(url),
    FUNCTION(multi_remove_handle),
    FUNCTION(url_set),
    FUNCTION(url_get),
    FUNCTION(url_cleanup),
    FUNCTION(free),
    {0},
};

/* Debian has it with OpenSSL and with GnuTLS, and one is enough. */
static const char *const files[] = {"libcurl.so.4", "libcurl-gnutls.so.4", NULL};

static CurlLibrary curl;
static Library library = {"a request to another server", files, functions, &curl};

static void start(void)
{
    curl.global_init(CURL_GLOBAL_DEFAULT);
}

const CurlLibrary *curl_library_open(Error *error)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    if (!library_open(&library, error))
        return NULL;
    pthread_once(&once, start);
    return &curl;
}
