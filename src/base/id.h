/* id.h: random identifiers and secrets, from the kernel. */
#pragma once

#include <stddef.h>

enum { ID_TEXT_SIZE = 33 };

/* 32 lowercase hexadecimal digits: run ids. Returns text. */
const char *id_random(char text[ID_TEXT_SIZE]);

/* The same, but the first 12 digits are the milliseconds since 1970: request ids, so that those of
 * one moment stand together in an index. */
const char *id_timed(char text[ID_TEXT_SIZE]);

void random_bytes(void *bytes, size_t size);
