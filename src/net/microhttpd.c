#include "net/microhttpd.h"

#include "base/library.h"

#define FUNCTION(name)                                                                             \
    {                                                                                              \
        "MHD_" #name, offsetof(Microhttpd, name)                                                   \
    }

static const LibraryFunction functions[] = {
    FUNCTION(start_daemon),
    FUNCTION(quiesce_daemon),
    FUNCTION(stop_daemon),
    FUNCTION(run),
    FUNCTION(get_timeout),
    FUNCTION(get_daemon_info),
    FUNCTION(get_connection_info),
    FUNCTION(get_connection_values),
    FUNCTION(suspend_connection),
    FUNCTION(resume_connection),
    FUNCTION(create_response_from_buffer),
    FUNCTION(create_response_from_fd_at_offset64),
    FUNCTION(add_response_header),
    FUNCTION(queue_response),
    FUNCTION(destroy_response),
    FUNCTION(get_reason_phrase_for),
    FUNCTION(get_version),
    {0},
};

static const char *const files[] = {"libmicrohttpd.so.12", NULL};

Microhttpd microhttpd;
static Library library = {"the HTTP server", files, functions, &microhttpd};

bool microhttpd_open(Error *error)
{
    return library_open(&library, error);
}
