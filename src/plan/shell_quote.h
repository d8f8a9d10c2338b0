/* shell_quote.h: how the shell would read what stands at a place of a line. Fed with the line piece
 * by piece; it follows quotes, substitutions, comments and here-documents, and says so when it
 * cannot follow. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

typedef enum ShellPlace {
    SHELL_BARE,
    SHELL_DOUBLE, /* "..." */
    SHELL_SINGLE, /* '...' */
    SHELL_ANSI,   /* $'...' */
    SHELL_BACKQUOTE,
    SHELL_ARITHMETIC,   /* $(( )), (( )), $[ ] */
    SHELL_BRACE,        /* ${...} */
    SHELL_SUBSTITUTION, /* $( ), ( ): bare inside */
    SHELL_COMMENT,
    SHELL_HERE,    /* a here-document, or its delimiter */
    SHELL_ESCAPED, /* right behind a backslash */
    SHELL_UNCLEAR,
} ShellPlace;

enum { SHELL_DEPTH_MAX = 32, SHELL_DELIMITER_MAX = 64 };

typedef struct ShellQuote {
    ShellPlace open[SHELL_DEPTH_MAX]; /* private, as all of it */
    unsigned parentheses[SHELL_DEPTH_MAX];
    size_t depth;
    char before; /* the byte before, 0 at the start */
    bool is_escaped, is_unclear;
    bool wants_delimiter, has_here, is_tab_stripped, is_delimiter_quoted;
    char delimiter[SHELL_DELIMITER_MAX + 1], line[SHELL_DELIMITER_MAX + 1];
    size_t delimiter_length, line_length;
} ShellQuote;

void shell_quote_read(ShellQuote *quote, const char *text);

/* A word was put here that the shell takes as one. */
void shell_quote_word(ShellQuote *quote);

ShellPlace shell_quote_place(const ShellQuote *quote);
