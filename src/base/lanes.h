/* lanes.h: many small values compared or multiplied at once.
 *
 * By the vector instructions that every x86-64 has, by plain C elsewhere; the answers are the same.
 * What pays for more of them is also compiled for newer processors, and chosen as the program runs:
 *
 *     static LANES_AVX2 ALWAYS_INLINE void add_wide(...)         by Lanes4
 *     static LANES_AVX2 void add_avx2(...)                       { add_wide(...); }
 *     static LANES_AVX512 void add_avx512(...)                   { add_wide(...); }
 *     static void (*const adders[LANE_LEVELS])(...) = {add_plain, add_avx2, add_avx512};
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/attributes.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

enum { LANE_BYTES = 64 };

/* What 64 bytes of text are, a bit for each byte. Bytes from 128 are wide and nothing else. */
typedef struct TextLanes {
    uint64_t words;  /* ASCII letters, digits and _ */
    uint64_t spaces; /* what Python's str.isspace() says of ASCII */
    uint64_t wide;
} TextLanes;

/* Eight bytes of a text in one word, which any machine has. */
#define LANE_EACH UINT64_C(0x0101010101010101)

static inline uint64_t lanes_eight(const char *bytes)
{
    uint64_t eight;

    memcpy(&eight, bytes, sizeof(eight));
    return eight;
}

/* Not 0 when any of the eight is below the limit, which is 128 at most: a difference below 0 sets a
 * byte's highest bit. */
static inline uint64_t lanes_any_below(uint64_t eight, unsigned char limit)
{
    return (eight - LANE_EACH * limit) & ~eight & LANE_EACH * 0x80;
}

/* Not 0 when any of the eight is that byte. */
static inline uint64_t lanes_any_equal(uint64_t eight, char byte)
{
    return lanes_any_below(eight ^ LANE_EACH * (unsigned char)byte, 1);
}

/* How many of the eight are that byte: those whose difference has no bit. */
static inline size_t lanes_count_equal(uint64_t eight, char byte)
{
    uint64_t others = eight ^ LANE_EACH * (unsigned char)byte;
    uint64_t highest = ((others & LANE_EACH * 0x7f) + LANE_EACH * 0x7f) | others;

    return ((~highest >> 7 & LANE_EACH) * LANE_EACH) >> 56;
}

/* Four numbers; memcpy() loads and stores them wherever they lie. */
typedef uint64_t Lanes4 __attribute__((vector_size(32)));

/* The processors that code is compiled for; on others than x86-64 it is always the first. */
typedef enum LaneLevel { LANES_OF_ALL, LANES_OF_AVX2, LANES_OF_AVX512, LANE_LEVELS } LaneLevel;

#ifdef __x86_64__

/* Bit i is set when values[i] is the value. */
static inline uint32_t lanes_equal(const uint16_t values[16], uint16_t value)
{
    const __m128i *at = (const void *)values;
    __m128i wanted = _mm_set1_epi16((short)value);

    return (uint32_t)_mm_movemask_epi8(
        _mm_packs_epi16(_mm_cmpeq_epi16(_mm_load_si128(at), wanted),
                        _mm_cmpeq_epi16(_mm_load_si128(at + 1), wanted)));
}

/* All bits where a byte is first to last; bytes from 128 are below all others here. */
static inline __m128i lanes_between(__m128i bytes, char first, char last)
{
    return _mm_and_si128(_mm_cmpgt_epi8(bytes, _mm_set1_epi8((char)(first - 1))),
                         _mm_cmplt_epi8(bytes, _mm_set1_epi8((char)(last + 1))));
}

/* Copies 64 bytes in lower case, each space as a blank, and says what they are. */
static inline TextLanes lanes_read_text(const unsigned char *source, char *target)
{
    TextLanes lanes = {0};

    for (int i = 0; i < LANE_BYTES; i += 16) {
        __m128i bytes = _mm_loadu_si128((const void *)(source + i));
        __m128i blank = _mm_set1_epi8(' ');
        __m128i space =
            _mm_or_si128(lanes_between(bytes, '\t', '\r'), lanes_between(bytes, 0x1C, ' '));
        __m128i lower = _mm_or_si128(bytes, _mm_and_si128(lanes_between(bytes, 'A', 'Z'), blank));
        __m128i word = _mm_or_si128(
            _mm_or_si128(lanes_between(lower, 'a', 'z'), lanes_between(lower, '0', '9')),
            _mm_cmpeq_epi8(lower, _mm_set1_epi8('_')));

        _mm_storeu_si128((void *)(target + i),
                         _mm_or_si128(_mm_andnot_si128(space, lower), _mm_and_si128(space, blank)));
        lanes.words |= (uint64_t)(uint32_t)_mm_movemask_epi8(word) << i;
        lanes.spaces |= (uint64_t)(uint32_t)_mm_movemask_epi8(space) << i;
        lanes.wide |= (uint64_t)(uint32_t)_mm_movemask_epi8(bytes) << i;
    }
    return lanes;
}

/* ---- four numbers at once ---- */

#define LANES_AVX2   __attribute__((target("avx2,bmi,bmi2")))
#define LANES_AVX512 __attribute__((target("avx2,bmi,bmi2,avx512f,avx512dq,avx512bw,avx512vl")))

static inline LaneLevel lanes_level(void)
{
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("bmi") ||
        !__builtin_cpu_supports("bmi2"))
        return LANES_OF_ALL;
    return __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
                   __builtin_cpu_supports("avx512vl")
               ? LANES_OF_AVX512
               : LANES_OF_AVX2;
}

/* The low halves of two numbers multiplied: one instruction where 64 bits take several. */
static LANES_AVX2 ALWAYS_INLINE Lanes4 lanes_times_half(Lanes4 one, Lanes4 other)
{
    return (Lanes4)_mm256_mul_epu32((__m256i)one, (__m256i)other);
}

/* As lanes_equal(), with two bits for each value. */
static LANES_AVX2 ALWAYS_INLINE uint32_t lanes_equal_twice(const uint16_t values[16],
                                                           uint16_t value)
{
    return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi16(
        _mm256_load_si256((const void *)values), _mm256_set1_epi16((short)value)));
}

/* 32 when there is none. */
static LANES_AVX2 ALWAYS_INLINE uint32_t lanes_first(uint32_t bits)
{
    return _tzcnt_u32(bits);
}

static LANES_AVX512 ALWAYS_INLINE uint64_t lanes_within(__m512i bytes, char first, char last)
{
    return _mm512_cmple_epu8_mask(_mm512_sub_epi8(bytes, _mm512_set1_epi8(first)),
                                  _mm512_set1_epi8((char)(last - first)));
}

/* lanes_read_text() of up to 64 bytes, none behind which is looked at; they are as NULs. */
static LANES_AVX512 ALWAYS_INLINE TextLanes lanes_read_text_avx512(const unsigned char *source,
                                                                   size_t count, char *target)
{
    const __m512i blank = _mm512_set1_epi8(' ');
    __m512i bytes = _mm512_maskz_loadu_epi8(UINT64_MAX >> (64 - count), source);
    __m512i lower = _mm512_mask_add_epi8(bytes, lanes_within(bytes, 'A', 'Z'), bytes, blank);
    TextLanes lanes;

    lanes.spaces = lanes_within(bytes, '\t', '\r') | lanes_within(bytes, 0x1C, ' ');
    lanes.words = lanes_within(lower, 'a', 'z') | lanes_within(lower, '0', '9') |
                  _mm512_cmpeq_epi8_mask(lower, _mm512_set1_epi8('_'));
    lanes.wide = _mm512_movepi8_mask(bytes);
    _mm512_storeu_si512(target, _mm512_mask_mov_epi8(lower, lanes.spaces, blank));
    return lanes;
}

/* Bit i is set when ids[i] is the id. */
static LANES_AVX2 ALWAYS_INLINE uint32_t lanes_equal_ids(const uint32_t ids[16], uint32_t id)
{
    const __m256i *at = (const void *)ids;
    __m256i wanted = _mm256_set1_epi32((int)id);
    __m256i low = _mm256_cmpeq_epi32(_mm256_loadu_si256(at), wanted);
    __m256i high = _mm256_cmpeq_epi32(_mm256_loadu_si256(at + 1), wanted);

    return (uint32_t)_mm256_movemask_ps((__m256)low) | (uint32_t)_mm256_movemask_ps((__m256)high)
                                                           << 8;
}

#else

static inline uint32_t lanes_equal(const uint16_t values[16], uint16_t value)
{
    uint32_t equal = 0;

    for (int i = 0; i < 16; i++)
        equal |= (uint32_t)(values[i] == value) << i;
    return equal;
}

static inline TextLanes lanes_read_text(const unsigned char *source, char *target)
{
    TextLanes lanes = {0};

    for (int i = 0; i < LANE_BYTES; i++) {
        unsigned char byte = source[i];
        unsigned char lower = byte >= 'A' && byte <= 'Z' ? byte | ' ' : byte;
        uint64_t space = (byte >= '\t' && byte <= '\r') || (byte >= 0x1C && byte <= ' ');
        uint64_t word =
            (lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9') || lower == '_';

        target[i] = space ? ' ' : (char)lower;
        lanes.words |= word << i;
        lanes.spaces |= space << i;
        lanes.wide |= (uint64_t)(byte >> 7) << i;
    }
    return lanes;
}

/* ---- four numbers at once ---- */

#define LANES_AVX2
#define LANES_AVX512

static inline LaneLevel lanes_level(void)
{
    return LANES_OF_ALL;
}

static ALWAYS_INLINE Lanes4 lanes_times_half(Lanes4 one, Lanes4 other)
{
    return (one & UINT32_MAX) * (other & UINT32_MAX);
}

static ALWAYS_INLINE uint32_t lanes_equal_twice(const uint16_t values[16], uint16_t value)
{
    uint32_t equal = 0;

    for (int i = 0; i < 16; i++)
        equal |= (values[i] == value ? UINT32_C(3) : 0) << (2 * i);
    return equal;
}

static ALWAYS_INLINE uint32_t lanes_first(uint32_t bits)
{
    return bits ? (uint32_t)__builtin_ctz(bits) : 32;
}

static ALWAYS_INLINE TextLanes lanes_read_text_avx512(const unsigned char *source, size_t count,
                                                      char *target)
{
    unsigned char padded[LANE_BYTES] = {0};

    memcpy(padded, source, count);
    return lanes_read_text(padded, target);
}

static ALWAYS_INLINE uint32_t lanes_equal_ids(const uint32_t ids[16], uint32_t id)
{
    uint32_t equal = 0;

    for (int i = 0; i < 16; i++)
        equal |= (uint32_t)(ids[i] == id) << i;
    return equal;
}

#endif
