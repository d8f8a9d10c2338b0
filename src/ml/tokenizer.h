/* tokenizer.h: text to words, whitespace-separated chunks and n-gram keys.
 *
 * A text is lower-cased as Python's str.lower() does it and cut in one pass. Any bytes are welcome:
 * what is not strict UTF-8 counts as U+FFFD, one for each wrong byte. The buffers of a Tokens are
 * reused from text to text, so nothing is allocated for a token.
 *
 *     Tokens tokens = tokens_in(arena);
 *     tokens_read(&tokens, text, TOKEN_STYLE_RICH);
 *     tokens_word_grams(&tokens, 1, 2);
 *     for (size_t i = 0; i < tokens.gram_count; i++) use(tokens.grams[i].key);
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/lanes.h"
#include "ml/frame.h"

typedef enum TokenStyle {
    TOKEN_STYLE_PLAIN, /* scikit-learn's \b\w\w+\b: runs of two or more letters, digits and _ */
    TOKEN_STYLE_RICH,  /* runs of one or more, and each other visible character alone: ! $ # */
} TokenStyle;

typedef struct Token {
    uint32_t start, length;               /* bytes of Tokens.bytes */
    uint32_t source_start, source_length; /* bytes of the text as it came */
} Token;

typedef struct TokenList {
    Token *items;
    size_t count, capacity;
} TokenList;

typedef struct Gram {
    uint64_t key;   /* 64-bit hash of the n-gram, never 0; equal n-grams have equal keys */
    uint32_t first; /* word grams: index of the first word; character grams: first byte in bytes */
    uint32_t size;  /* number of words, or of bytes */
} Gram;

typedef struct Tokens {
    char *bytes; /* lower-cased, valid UTF-8: " chunk chunk chunk ", one blank around each chunk */
    size_t length;
    bool is_ascii;
    TokenList words, chunks;
    bool words_alone; /* set by who needs no chunks: they are not to be relied on then */
    Gram *grams;      /* of the last tokens_*_grams() */
    size_t gram_count;
    uint64_t *keys; /* of the last tokens_*_keys() and what was added */
    size_t key_count;

    LaneLevel lanes; /* what the processor has; a lower level gives the same */

    /* Buffers grow in the arena; the first ones may be the caller's. */
    Arena *arena;
    size_t byte_capacity, gram_capacity, key_capacity;
} Tokens;

/* Texts longer than this are cut: offsets have 32 bits and bad bytes grow to three. */
enum { TEXT_BYTES_MAX = 1 << 30 };

/* So many bytes behind the text may be read and written: characters are copied 64 at once. */
enum { TOKEN_SPARE_BYTES = 64 };

Tokens tokens_in(Arena *arena);

/* Replaces what the last call read. A missing text (bytes == NULL) is an empty one. */
void tokens_read(Tokens *tokens, TextRef text, TokenStyle style);

/* n-grams of words, least to most words each, in scikit-learn's meaning of ngram_range. */
void tokens_word_grams(Tokens *tokens, size_t least, size_t most);

/* n-grams of characters inside chunks, a blank on both sides: scikit-learn's analyzer "char_wb". */
void tokens_character_grams(Tokens *tokens, size_t least, size_t most);

/* The keys of the same n-grams, in any order, without their places: into tokens->keys. */
void tokens_word_keys(Tokens *tokens, size_t least, size_t most);
void tokens_character_keys(Tokens *tokens, size_t least, size_t most);

/* tokens_word_keys() behind the keys that are there, of texts read before. */
void tokens_add_word_keys(Tokens *tokens, size_t least, size_t most);

/* The chunk that a word or an n-gram of characters begins in; there must be one. The blank before a
 * chunk belongs to it. */
const Token *tokens_chunk_at(const Tokens *tokens, size_t byte);

/* A gram as text: words joined by one blank, or the slice of bytes. */
char *tokens_word_gram_text(const Tokens *tokens, const Gram *gram, Arena *arena);
char *tokens_character_gram_text(const Tokens *tokens, const Gram *gram, Arena *arena);

/* The key of a whole value (a category), as if it were one word. */
uint64_t text_key(const char *bytes, size_t length);
