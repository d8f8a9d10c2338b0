/* hmac.h: HMAC-SHA256 (RFC 2104), for who signs what they send. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/digest.h"

typedef struct Hmac {
    const void *key;
    size_t key_size;
} Hmac;

/* 64 digits; returns text. */
const char *hmac_bytes(const Hmac *hmac, const void *bytes, size_t size,
                       char text[DIGEST_TEXT_SIZE]);

/* Whether two texts are the same, in a time that does not tell where they differ. */
bool text_equal_secretly(const char *given, const char *secret);
