#include "base/digest.h"

#include "base/arena.h"

/* The plain functions of SHA-256 need nothing else of libcrypto, and so little of it is linked; its
 * newer interface brings 4 MB of providers along. OpenSSL calls them deprecated, but has them. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct Digest {
    SHA256_CTX context;
};

const char *hex_format(const void *bytes, size_t size, char *text)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *at = bytes;

    for (size_t i = 0; i < size; i++) {
        text[2 * i] = digits[at[i] >> 4];
        text[2 * i + 1] = digits[at[i] & 15];
    }
    text[2 * size] = '\0';
    return text;
}

Digest *digest_create(void)
{
    Digest *digest = calloc(1, sizeof(*digest));

    if (!digest || !SHA256_Init(&digest->context))
        out_of_memory();
    return digest;
}

void digest_add(Digest *digest, const void *bytes, size_t size)
{
    if (!SHA256_Update(&digest->context, bytes, size))
        out_of_memory();
}

const char *digest_finish(Digest *digest, char text[DIGEST_TEXT_SIZE])
{
    unsigned char bytes[SHA256_DIGEST_LENGTH];

    if (!SHA256_Final(bytes, &digest->context))
        out_of_memory();
    free(digest);
    return hex_format(bytes, sizeof(bytes), text);
}

const char *digest_bytes(const void *bytes, size_t size, char text[DIGEST_TEXT_SIZE])
{
    Digest *digest = digest_create();

    digest_add(digest, bytes, size);
    return digest_finish(digest, text);
}

bool digest_file(const char *path, char text[DIGEST_TEXT_SIZE], Error *error)
{
    FILE *file = fopen(path, "rbe");
    char buffer[65536];
    Digest *digest;
    bool whole;

    if (!file)
        return fail_errno(error, "open", path);
    digest = digest_create();
    for (size_t size; (size = fread(buffer, 1, sizeof(buffer), file)) > 0;)
        digest_add(digest, buffer, size);
    whole = !ferror(file);
    fclose(file);
    digest_finish(digest, text);
    return whole || fail_errno(error, "read", path);
}

bool digest_is_valid(const char *text)
{
    return text && strlen(text) == DIGEST_TEXT_SIZE - 1 &&
           strspn(text, "0123456789abcdef") == DIGEST_TEXT_SIZE - 1;
}

/* HMAC() of libcrypto goes by its newer interface; see above. */
void hmac_bytes(const void *key, size_t key_size, const void *bytes, size_t size,
                unsigned char mac[HMAC_SIZE])
{
    unsigned char inner[SHA256_CBLOCK] = {0}, outer[SHA256_CBLOCK];
    SHA256_CTX context;

    if (key_size > sizeof(inner)) {
        SHA256_Init(&context);
        SHA256_Update(&context, key, key_size);
        SHA256_Final(inner, &context);
    } else {
        memcpy(inner, key, key_size);
    }
    for (size_t i = 0; i < sizeof(inner); i++) {
        outer[i] = inner[i] ^ 0x5c;
        inner[i] ^= 0x36;
    }
    SHA256_Init(&context);
    SHA256_Update(&context, inner, sizeof(inner));
    SHA256_Update(&context, bytes, size);
    SHA256_Final(mac, &context);
    SHA256_Init(&context);
    SHA256_Update(&context, outer, sizeof(outer));
    SHA256_Update(&context, mac, HMAC_SIZE);
    SHA256_Final(mac, &context);
}

bool text_equal_secretly(const char *given, const char *secret)
{
    size_t length = strlen(secret);

    return strlen(given) == length && CRYPTO_memcmp(given, secret, length) == 0;
}
