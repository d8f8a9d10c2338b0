/* digest.h: SHA-256 as 64 lowercase hexadecimal digits, and HMAC with it. */
#pragma once

#include <stddef.h>

#include "base/error.h"

enum { DIGEST_TEXT_SIZE = 65, HMAC_SIZE = 32 };

typedef struct Digest Digest; /* a digest under way */

Digest *digest_create(void);
void digest_add(Digest *digest, const void *bytes, size_t size);

/* Writes the digits, frees the digest, returns text. */
const char *digest_finish(Digest *digest, char text[DIGEST_TEXT_SIZE]);

const char *digest_bytes(const void *bytes, size_t size, char text[DIGEST_TEXT_SIZE]);
bool digest_file(const char *path, char text[DIGEST_TEXT_SIZE], Error *error) MUST_CHECK;
bool digest_is_valid(const char *text);

/* 2 * size digits and a NUL; returns text. */
const char *hex_format(const void *bytes, size_t size, char *text);

/* HMAC-SHA-256 (RFC 2104): that who made it knows the key. */
void hmac_bytes(const void *key, size_t key_size, const void *bytes, size_t size,
                unsigned char mac[HMAC_SIZE]);

/* Whether two texts are the same, in a time that does not tell where they differ. */
bool text_equal_secretly(const char *given, const char *secret);
