/* HMAC-SHA256 against the vectors of RFC 4231, and texts that are compared in secret. */
#include "base/hmac.h"

#include <string.h>

#include "tests/test.h"

static const struct {
    int key_byte;
    size_t key_size;
    const char *key, *text, *digits;
} vectors[] = {
    {0x0b, 20, NULL, "Hi There",
     "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
    {0, 4, "Jefe", "what do ya want for nothing?",
     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
    {0xaa, 131, NULL, "Test Using Larger Than Block-Size Key - Hash Key First",
     "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
    {0, 0, "", "", "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"},
};

static void test_it_gives_what_the_standard_says(void)
{
    for (size_t i = 0; i < COUNT(vectors); i++) {
        unsigned char key[131];
        Hmac hmac = {vectors[i].key ? (const void *)vectors[i].key : key, vectors[i].key_size};
        char text[DIGEST_TEXT_SIZE];

        memset(key, vectors[i].key_byte, sizeof(key));
        EXPECT_TEXT(hmac_bytes(&hmac, vectors[i].text, strlen(vectors[i].text), text),
                    vectors[i].digits);
    }
}

static const struct {
    const char *given, *secret;
    bool equal;
} secrets[] = {
    {"abc", "abc", true}, {"abd", "abc", false},  {"ab", "abc", false},
    {"", "abc", false},   {"abcd", "abc", false}, {"ABC", "abc", false},
};

static void test_only_the_whole_secret_is_the_secret(void)
{
    for (size_t i = 0; i < COUNT(secrets); i++)
        EXPECT(text_equal_secretly(secrets[i].given, secrets[i].secret) == secrets[i].equal);
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_it_gives_what_the_standard_says),
        TEST(test_only_the_whole_secret_is_the_secret),
        {0},
    };

    return test_main(tests, count, names);
}
