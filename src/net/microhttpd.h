/* microhttpd.h: libmicrohttpd, opened when a server is: with what it brings for TLS it costs each
 * command and each step a millisecond and 2 MB.
 *
 * Its functions are called by their own names. One that is not in the table is missed by the
 * linker; calling one before microhttpd_open() has succeeded is a mistake. */
#pragma once

#include <microhttpd.h>

#include "base/error.h"

typedef struct Microhttpd {
    __typeof__(MHD_start_daemon) *start_daemon;
    __typeof__(MHD_quiesce_daemon) *quiesce_daemon;
    __typeof__(MHD_stop_daemon) *stop_daemon;
    __typeof__(MHD_run) *run;
    __typeof__(MHD_get_timeout) *get_timeout;
    __typeof__(MHD_get_daemon_info) *get_daemon_info;
    __typeof__(MHD_get_connection_info) *get_connection_info;
    __typeof__(MHD_get_connection_values) *get_connection_values;
    __typeof__(MHD_suspend_connection) *suspend_connection;
    __typeof__(MHD_resume_connection) *resume_connection;
    __typeof__(MHD_create_response_from_buffer) *create_response_from_buffer;
    __typeof__(MHD_create_response_from_fd_at_offset64) *create_response_from_fd_at_offset64;
    __typeof__(MHD_add_response_header) *add_response_header;
    __typeof__(MHD_queue_response) *queue_response;
    __typeof__(MHD_destroy_response) *destroy_response;
    __typeof__(MHD_get_reason_phrase_for) *get_reason_phrase_for;
    __typeof__(MHD_get_version) *get_version;
} Microhttpd;

extern Microhttpd microhttpd; /* set by microhttpd_open() */

#define MHD_start_daemon                        microhttpd.start_daemon
#define MHD_quiesce_daemon                      microhttpd.quiesce_daemon
#define MHD_stop_daemon                         microhttpd.stop_daemon
#define MHD_run                                 microhttpd.run
#define MHD_get_timeout                         microhttpd.get_timeout
#define MHD_get_daemon_info                     microhttpd.get_daemon_info
#define MHD_get_connection_info                 microhttpd.get_connection_info
#define MHD_get_connection_values               microhttpd.get_connection_values
#define MHD_suspend_connection                  microhttpd.suspend_connection
#define MHD_resume_connection                   microhttpd.resume_connection
#define MHD_create_response_from_buffer         microhttpd.create_response_from_buffer
#define MHD_create_response_from_fd_at_offset64 microhttpd.create_response_from_fd_at_offset64
#define MHD_add_response_header                 microhttpd.add_response_header
#define MHD_queue_response                      microhttpd.queue_response
#define MHD_destroy_response                    microhttpd.destroy_response
#define MHD_get_reason_phrase_for               microhttpd.get_reason_phrase_for
#define MHD_get_version                         microhttpd.get_version

bool microhttpd_open(Error *error) MUST_CHECK;
