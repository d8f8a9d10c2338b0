#include <string.h>

#include "net/http_internal.h"

/* A bare LF at the end of a header's line, or a line that goes on in the next one, is read in one
 * way by some programs and in another by others. What stands before us may then see other headers
 * than we do (RFC 9112, 2.2 and 5.2). libmicrohttpd accepts both; from 0.9.77.1 on it can be told
 * not to. Before that it shows what was there: names and values are where they were received, with
 * nothing moved, and it says how long the header was. So the distances between them are those of
 * the line ends, and a line that was put together from several lies elsewhere. Only addresses are
 * compared, nothing is read. */

#if MHD_VERSION >= 0x00097701

struct MHD_OptionItem http_lines_options[] = {
    {MHD_OPTION_CLIENT_DISCIPLINE_LVL, 1, NULL},
    {MHD_OPTION_END, 0, NULL},
};

HttpLines http_lines_begin(const char *version UNUSED)
{
    return (HttpLines){0};
}

void http_lines_pass(HttpLines *lines UNUSED, const char *name UNUSED, const char *value UNUSED,
                     size_t value_length UNUSED)
{
}

bool http_lines_are_whole(const HttpLines *lines UNUSED, struct MHD_Connection *connection UNUSED,
                          const char *method UNUSED)
{
    return true;
}

#else

enum { LINE_END_SIZE = 2 };

struct MHD_OptionItem http_lines_options[] = {{MHD_OPTION_END, 0, NULL}};

HttpLines http_lines_begin(const char *version)
{
    return (HttpLines){version + strlen(version) + LINE_END_SIZE};
}

void http_lines_pass(HttpLines *lines, const char *name, const char *value, size_t value_length)
{
    bool is_there = name == lines->next && value;

    lines->next = is_there ? value + value_length + LINE_END_SIZE : NULL;
}

bool http_lines_are_whole(const HttpLines *lines, struct MHD_Connection *connection,
                          const char *method)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

    return info && lines->next && lines->next + LINE_END_SIZE == method + info->header_size;
}

#endif
