#include "plan/shell_quote.h"

#include <ctype.h>
#include <string.h>

static ShellPlace top(const ShellQuote *quote)
{
    return quote->depth ? quote->open[quote->depth - 1] : SHELL_BARE;
}

static void push(ShellQuote *quote, ShellPlace place)
{
    if (quote->depth == SHELL_DEPTH_MAX) {
        quote->is_unclear = true;
        return;
    }
    quote->parentheses[quote->depth] = 0;
    quote->open[quote->depth++] = place;
}

static void pop(ShellQuote *quote)
{
    if (quote->depth)
        quote->depth--;
}

static bool is_open(const ShellQuote *quote, ShellPlace place)
{
    for (size_t i = 0; i < quote->depth; i++)
        if (quote->open[i] == place)
            return true;
    return false;
}

/* What "$", a backquote or a quote opens, the same in all places that read them; returns how many
 * bytes it took, 0 for none. */
static size_t read_opening(ShellQuote *quote, const char *at)
{
    static const struct {
        const char *sign;
        ShellPlace place;
    } openings[] = {
        {"$((", SHELL_ARITHMETIC}, {"$(", SHELL_SUBSTITUTION}, {"${", SHELL_BRACE},
        {"$[", SHELL_ARITHMETIC},  {"`", SHELL_BACKQUOTE},
    };

    for (size_t i = 0; i < sizeof(openings) / sizeof(openings[0]); i++) {
        size_t length = strlen(openings[i].sign);

        if (strncmp(at, openings[i].sign, length) != 0)
            continue;
        push(quote, openings[i].place);
        return length;
    }
    return 0;
}

/* "case a in b) ...": a ")" that closes nothing. */
static bool starts_case(const ShellQuote *quote, const char *at)
{
    return !isalnum((unsigned char)quote->before) && quote->before != '_' &&
           strncmp(at, "case", 4) == 0 && !isalnum((unsigned char)at[4]) && at[4] != '_';
}

static bool starts_comment(const ShellQuote *quote, const char *at)
{
    return *at == '#' && (!quote->before || strchr(" \t\n;&|()", quote->before));
}

static void begin_here(ShellQuote *quote, bool is_tab_stripped)
{
    if (quote->has_here) /* two at once: their order is more than this follows */
        quote->is_unclear = true;
    quote->wants_delimiter = true;
    quote->is_tab_stripped = is_tab_stripped;
    quote->delimiter_length = 0;
}

static void end_delimiter(ShellQuote *quote)
{
    quote->wants_delimiter = false;
    quote->has_here = true;
    quote->delimiter[quote->delimiter_length] = '\0';
}

/* Between "<<" and the end of the word behind it. */
static size_t read_delimiter(ShellQuote *quote, const char *at)
{
    if (strchr("'\"\\", *at)) {
        quote->is_delimiter_quoted = true;
        return 1;
    }
    if (!quote->delimiter_length && !quote->is_delimiter_quoted && (*at == ' ' || *at == '\t'))
        return 1;
    if (strchr(" \t\n;&|<>()", *at)) {
        end_delimiter(quote);
        return 0;
    }
    if (quote->delimiter_length == SHELL_DELIMITER_MAX || strchr("$`", *at))
        quote->is_unclear = true;
    else
        quote->delimiter[quote->delimiter_length++] = *at;
    return 1;
}

static size_t read_redirection(ShellQuote *quote, const char *at)
{
    if (strncmp(at, "<<<", 3) == 0)
        return 3;
    begin_here(quote, at[2] == '-');
    return at[2] == '-' ? 3 : 2;
}

static size_t read_parenthesis(ShellQuote *quote, const char *at)
{
    if (*at == ')') {
        if (top(quote) == SHELL_SUBSTITUTION)
            pop(quote);
        return 1;
    }
    push(quote, at[1] == '(' ? SHELL_ARITHMETIC : SHELL_SUBSTITUTION);
    return at[1] == '(' ? 2 : 1;
}

static void end_line(ShellQuote *quote)
{
    if (!quote->has_here)
        return;
    quote->has_here = false;
    quote->line_length = 0;
    push(quote, SHELL_HERE);
}

static size_t read_bare(ShellQuote *quote, const char *at)
{
    size_t length;

    if (starts_comment(quote, at)) {
        push(quote, SHELL_COMMENT);
        return 1;
    }
    if (starts_case(quote, at) && top(quote) == SHELL_SUBSTITUTION)
        quote->is_unclear = true;
    if (*at == '\n')
        end_line(quote);
    if (*at == '(' || *at == ')')
        return read_parenthesis(quote, at);
    if (strncmp(at, "<<", 2) == 0)
        return read_redirection(quote, at);
    if (strncmp(at, "$'", 2) == 0) {
        push(quote, SHELL_ANSI);
        return 2;
    }
    length = read_opening(quote, at);
    if (length)
        return length;
    if (*at == '"')
        push(quote, SHELL_DOUBLE);
    else if (*at == '\'')
        push(quote, SHELL_SINGLE);
    else
        quote->is_escaped = *at == '\\';
    return 1;
}

static size_t read_double(ShellQuote *quote, const char *at)
{
    size_t length = read_opening(quote, at);

    if (length)
        return length;
    if (*at == '"')
        pop(quote);
    quote->is_escaped = *at == '\\';
    return 1;
}

/* Whether a single quote quotes in "${x:-'}'}" depends on the shell and on what it stands in. */
static size_t read_brace(ShellQuote *quote, const char *at)
{
    size_t length = read_opening(quote, at);

    if (length)
        return length;
    if (*at == '}')
        pop(quote);
    else if (*at == '"')
        push(quote, SHELL_DOUBLE);
    else if (*at == '\'' && is_open(quote, SHELL_DOUBLE))
        quote->is_unclear = true;
    else if (*at == '\'')
        push(quote, SHELL_SINGLE);
    quote->is_escaped = *at == '\\';
    return 1;
}

static size_t read_arithmetic(ShellQuote *quote, const char *at)
{
    unsigned *parentheses = &quote->parentheses[quote->depth - 1];

    if (*at == '(' || *at == '[')
        (*parentheses)++;
    if (*at != ')' && *at != ']')
        return 1;
    if (*parentheses) {
        (*parentheses)--;
        return 1;
    }
    pop(quote);
    return at[0] == ')' && at[1] == ')' ? 2 : 1;
}

/* Up to a closing sign; in $'...' a backslash takes what follows, in some shells. */
static size_t read_closed(ShellQuote *quote, const char *at)
{
    ShellPlace place = top(quote);

    if (place == SHELL_ANSI && *at == '\\')
        quote->is_unclear = true;
    if (place == SHELL_BACKQUOTE)
        quote->is_escaped = *at == '\\';
    if (*at == (place == SHELL_BACKQUOTE ? '`' : '\''))
        pop(quote);
    return 1;
}

static size_t read_comment(ShellQuote *quote, const char *at)
{
    if (*at != '\n')
        return 1;
    pop(quote);
    return 0; /* the end of the line belongs to what is around the comment */
}

static size_t read_here(ShellQuote *quote, const char *at)
{
    if (*at != '\n') {
        bool is_stripped = quote->is_tab_stripped && *at == '\t' && !quote->line_length;

        if (!is_stripped && quote->line_length <= SHELL_DELIMITER_MAX)
            quote->line[quote->line_length++] = *at;
        return 1;
    }
    if (quote->line_length == quote->delimiter_length &&
        memcmp(quote->line, quote->delimiter, quote->line_length) == 0)
        pop(quote);
    quote->line_length = 0;
    return 1;
}

static size_t read_next(ShellQuote *quote, const char *at)
{
    if (quote->is_escaped) {
        quote->is_escaped = false;
        return 1;
    }
    if (quote->wants_delimiter)
        return read_delimiter(quote, at);
    switch (top(quote)) {
    case SHELL_BARE:
    case SHELL_SUBSTITUTION:
        return read_bare(quote, at);
    case SHELL_DOUBLE:
        return read_double(quote, at);
    case SHELL_BRACE:
        return read_brace(quote, at);
    case SHELL_ARITHMETIC:
        return read_arithmetic(quote, at);
    case SHELL_COMMENT:
        return read_comment(quote, at);
    case SHELL_HERE:
        return read_here(quote, at);
    default:
        return read_closed(quote, at);
    }
}

void shell_quote_read(ShellQuote *quote, const char *text)
{
    while (*text) {
        size_t length = read_next(quote, text);

        if (length)
            quote->before = text[length - 1];
        text += length;
    }
}

void shell_quote_word(ShellQuote *quote)
{
    quote->before = 'x';
}

ShellPlace shell_quote_place(const ShellQuote *quote)
{
    if (quote->is_unclear || quote->before == '$')
        return SHELL_UNCLEAR;
    if (quote->is_escaped)
        return SHELL_ESCAPED;
    if (is_open(quote, SHELL_ARITHMETIC)) /* which takes the output of $( ) in it as code */
        return SHELL_ARITHMETIC;
    return quote->wants_delimiter ? SHELL_HERE : top(quote);
}
