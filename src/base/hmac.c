#include "base/hmac.h"

/* As digest.c: the plain functions. OpenSSL's own HMAC stands on its newer interface, which brings
 * 4 MB of providers along. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <string.h>

enum { BLOCK_BYTES = 64, INNER = 0x36, OUTER = 0x5c };

static void add_padded(Digest *digest, const unsigned char key[BLOCK_BYTES], unsigned char pad)
{
    unsigned char block[BLOCK_BYTES];

    for (size_t i = 0; i < sizeof(block); i++)
        block[i] = key[i] ^ pad;
    digest_add(digest, block, sizeof(block));
}

static unsigned nibble(char digit)
{
    return digit <= '9' ? (unsigned)(digit - '0') : (unsigned)(digit - 'a' + 10);
}

static void digest_raw(Digest *digest, unsigned char bytes[SHA256_DIGEST_LENGTH])
{
    char text[DIGEST_TEXT_SIZE];

    digest_finish(digest, text);
    for (size_t i = 0; i < SHA256_DIGEST_LENGTH; i++)
        bytes[i] = (unsigned char)(nibble(text[2 * i]) << 4 | nibble(text[2 * i + 1]));
}

const char *hmac_bytes(const Hmac *hmac, const void *bytes, size_t size,
                       char text[DIGEST_TEXT_SIZE])
{
    unsigned char key[BLOCK_BYTES] = {0}, inner[SHA256_DIGEST_LENGTH];
    Digest *digest = digest_create();

    if (hmac->key_size > sizeof(key)) {
        digest_add(digest, hmac->key, hmac->key_size);
        digest_raw(digest, key);
        digest = digest_create();
    } else if (hmac->key_size) {
        memcpy(key, hmac->key, hmac->key_size);
    }
    add_padded(digest, key, INNER);
    digest_add(digest, bytes, size);
    digest_raw(digest, inner);
    digest = digest_create();
    add_padded(digest, key, OUTER);
    digest_add(digest, inner, sizeof(inner));
    OPENSSL_cleanse(key, sizeof(key));
    return digest_finish(digest, text);
}

bool text_equal_secretly(const char *given, const char *secret)
{
    size_t length = strlen(secret);

    return strlen(given) == length && CRYPTO_memcmp(given, secret, length) == 0;
}
