/* id.h: random identifiers and secrets, from the kernel. */
#pragma once

#include <stddef.h>

enum { ID_TEXT_SIZE = 33 };

/* 32 lowercase hexadecimal digits: run ids, request ids. Returns text. */
const char *id_random(char text[ID_TEXT_SIZE]);

void random_bytes(void *bytes, size_t size);
