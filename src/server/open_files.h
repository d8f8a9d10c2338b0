/* open_files.h: how many connections the system's limit of open files allows. */
#pragma once

#include <stddef.h>

/* Raises the limit of open files of this process to what the system allows, and leaves room for the
 * store, worker steps and a file beside each connection. Returns the connections that may be open:
 * wanted, or fewer. */
size_t open_files_allow(size_t wanted);

/* The same for a limit that is given: at least one. */
size_t connections_within(size_t file_max, size_t wanted);
