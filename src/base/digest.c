#include "base/digest.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct Digest {
    EVP_MD_CTX *context;
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

    if (digest)
        digest->context = EVP_MD_CTX_new();
    if (!digest || !digest->context || !EVP_DigestInit_ex(digest->context, EVP_sha256(), NULL))
        abort();
    return digest;
}

void digest_add(Digest *digest, const void *bytes, size_t size)
{
    if (!EVP_DigestUpdate(digest->context, bytes, size))
        abort();
}

const char *digest_finish(Digest *digest, char text[DIGEST_TEXT_SIZE])
{
    unsigned char bytes[EVP_MAX_MD_SIZE];

    if (!EVP_DigestFinal_ex(digest->context, bytes, NULL))
        abort();
    EVP_MD_CTX_free(digest->context);
    free(digest);
    return hex_format(bytes, 32, text);
}

static EVP_MD *sha256;

static void find_sha256(void)
{
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    if (!sha256)
        abort();
}

/* The algorithm is looked up once: of a short text, that took longer than its digest. */
const char *digest_bytes(const void *bytes, size_t size, char text[DIGEST_TEXT_SIZE])
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    unsigned char digest[EVP_MAX_MD_SIZE];

    pthread_once(&once, find_sha256);
    if (!EVP_Digest(bytes, size, digest, NULL, sha256, NULL))
        abort();
    return hex_format(digest, 32, text);
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
