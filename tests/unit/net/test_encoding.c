#include "net/encoding.h"

#include <stdint.h>
#include <zlib.h>

#include "tests/test.h"

/* frame: what deflateInit2() takes for gzip, zlib and neither. */
static PackedBody pack(const char *bytes, size_t size, int frame, Arena *arena)
{
    z_stream stream = {.next_in = (unsigned char *)(uintptr_t)bytes, .avail_in = (unsigned)size};
    size_t room = size + 1000;
    char *packed = arena_take(arena, room);

    EXPECT(deflateInit2(&stream, 9, Z_DEFLATED, frame, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    stream.next_out = (unsigned char *)packed;
    stream.avail_out = (unsigned)room;
    EXPECT(deflate(&stream, Z_FINISH) == Z_STREAM_END);
    deflateEnd(&stream);
    return (PackedBody){NULL, packed, room - stream.avail_out};
}

static const struct {
    const char *encoding;
    int frame;
} encodings[] = {{"gzip", 31}, {"GZIP", 31}, {"deflate", 15}, {"deflate", -15}};

static void test_a_body_comes_out_as_it_was(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    size_t size = 300000;
    char *bytes = arena_alloc(arena, size, 1);

    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)(i * i >> 3);
    for (size_t i = 0; i < COUNT(encodings); i++) {
        PackedBody packed = pack(bytes, size, encodings[i].frame, arena);
        PlainBody plain = {0};
        Error error = {0};

        packed.encoding = encodings[i].encoding;
        EXPECT_OK(body_decode(&packed, size, arena, &plain, &error), error);
        EXPECT(plain.size == size && memcmp(plain.bytes, bytes, size) == 0);
    }
}

static void test_one_byte_too_many_is_too_large(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    char *bytes = arena_alloc(arena, 70000, 1);

    for (size_t i = 0; i < COUNT(encodings); i++) {
        PackedBody packed = pack(bytes, 70000, encodings[i].frame, arena);
        PlainBody plain = {0};
        Error error = {0};

        packed.encoding = encodings[i].encoding;
        EXPECT(!body_decode(&packed, 69999, arena, &plain, &error));
        EXPECT(error.kind == ERROR_TOO_LARGE && !plain.bytes);
    }
}

static void test_a_cut_or_longer_stream_is_refused(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();

    for (size_t i = 0; i < COUNT(encodings); i++) {
        PackedBody packed = pack("spans and spans", 15, encodings[i].frame, arena);
        PlainBody plain = {0};

        for (size_t size = 0; size <= packed.size + 1; size++) {
            Error error = {0};
            bool done = body_decode(&(PackedBody){encodings[i].encoding, packed.bytes, size}, 100,
                                    arena, &plain, &error);

            EXPECT(done == (size == packed.size));
            EXPECT(done || error.kind == ERROR_INVALID);
        }
    }
}

static void test_other_encodings_have_a_sentence(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    PlainBody plain = {0};
    PackedBody body = {"br", "x", 1};
    Error error = {0};

    EXPECT(!body_decode(&body, 100, arena, &plain, &error));
    EXPECT(error.kind == ERROR_MEDIA_TYPE);
    EXPECT_TEXT(error.message, "Unsupported Content-Encoding: br; it is gzip, deflate or none");
    body.encoding = NULL;
    EXPECT_OK(body_decode(&body, 100, arena, &plain, &error), error);
    EXPECT(plain.bytes == body.bytes);
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_a_body_comes_out_as_it_was),
        TEST(test_one_byte_too_many_is_too_large),
        TEST(test_a_cut_or_longer_stream_is_refused),
        TEST(test_other_encodings_have_a_sentence),
        {0},
    };

    return test_main(tests, count, names);
}
