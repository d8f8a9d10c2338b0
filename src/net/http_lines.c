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

bool http_lines_are_whole(struct MHD_Connection *connection UNUSED, const char *method UNUSED,
                          const char *version UNUSED)
{
    return true;
}

#else

enum { LINE_END_SIZE = 2 };

struct MHD_OptionItem http_lines_options[] = {{MHD_OPTION_END, 0, NULL}};

static const char *behind_line(const char *last_text)
{
    return last_text + strlen(last_text) + LINE_END_SIZE;
}

/* Moves on to the next line, if this is where it has to start. */
static enum MHD_Result pass_line(void *context, enum MHD_ValueKind kind UNUSED, const char *name,
                                 const char *value)
{
    const char **at = context;
    bool is_there = name == *at && value;

    *at = is_there ? behind_line(value) : NULL;
    return is_there ? MHD_YES : MHD_NO;
}

bool http_lines_are_whole(struct MHD_Connection *connection, const char *method,
                          const char *version)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    const char *at = behind_line(version);

    MHD_get_connection_values(connection, MHD_HEADER_KIND, pass_line, &at);
    return info && at && at + LINE_END_SIZE == method + info->header_size;
}

#endif
