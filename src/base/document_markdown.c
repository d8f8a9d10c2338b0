/* document_markdown.c: a document as Markdown, as CommonMark and GitHub's tables read it.
 *
 * Texts keep to their line, and each character in them that could begin markup or HTML is escaped.
 */

#include <ctype.h>
#include <string.h>

#include "base/document.h"

static bool is_word(char byte)
{
    return isalnum((unsigned char)byte) || (unsigned char)byte >= 0x80;
}

/* p50_ms needs no escape, and _this_ does. */
static bool is_within_word(const char *text, size_t at)
{
    return at > 0 && is_word(text[at - 1]) && is_word(text[at + 1]);
}

static void append_escaped(TextBuilder *out, const char *text, size_t at)
{
    static const char escaped[] = "\\`*[]|~$";
    char byte = text[at];

    if (byte == '<')
        text_append(out, "&lt;");
    else if (byte == '>')
        text_append(out, "&gt;");
    else if (byte == '&')
        text_append(out, "&amp;");
    else if (strchr(escaped, byte) || (byte == '_' && !is_within_word(text, at)))
        text_append_format(out, "\\%c", byte);
    else
        text_append_bytes(out, &byte, 1);
}

static bool ends_marker(char byte)
{
    return byte == ' ' || !byte;
}

/* Of what begins a list, a heading or a rule at the beginning of a line ("- ", "12. ", "# ", "---")
 * the position behind what is to be escaped; 0: nothing is. */
static size_t marker_end(const char *text)
{
    size_t digits = strspn(text, "0123456789"), hashes = strspn(text, "#");

    if (hashes)
        return ends_marker(text[hashes]) ? 1 : 0;
    if (*text == '-' || *text == '+' || *text == '=')
        return ends_marker(text[1]) || text[1] == *text ? 1 : 0;
    return digits && (text[digits] == '.' || text[digits] == ')') && ends_marker(text[digits + 1])
               ? digits + 1
               : 0;
}

/* Blanks and control characters are one blank, and none is at the beginning. */
static const char *in_one_line(const char *text, Arena *arena)
{
    TextBuilder line = {.arena = arena};
    bool is_apart = false;

    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;

        if (byte <= ' ' || byte == 0x7f) {
            is_apart = line.count > 0;
            continue;
        }
        if (is_apart)
            text_append(&line, " ");
        is_apart = false;
        text_append_bytes(&line, text, 1);
    }
    return text_built(&line);
}

/* Within a line. */
static void append_text(TextBuilder *out, const char *given)
{
    const char *text = in_one_line(given, out->arena);

    for (size_t i = 0; text[i]; i++)
        append_escaped(out, text, i);
}

/* A line, or what begins one within its list. */
static void append_line(TextBuilder *out, const char *prefix, const char *given)
{
    const char *text = in_one_line(given, out->arena);
    size_t marker = marker_end(text);

    text_append(out, prefix);
    for (size_t i = 0; text[i]; i++) {
        if (marker && i == marker - 1)
            text_append(out, "\\");
        append_escaped(out, text, i);
    }
    text_append(out, "\n");
}

static void append_row(TextBuilder *out, const TextList *cells, size_t first, size_t count)
{
    text_append(out, "|");
    for (size_t i = first; i < first + count; i++) {
        text_append(out, " ");
        if (i < cells->count)
            append_text(out, cells->items[i]);
        text_append(out, " |");
    }
    text_append(out, "\n");
}

static void append_table(TextBuilder *out, const DocumentBlock *table)
{
    size_t columns = table->head.count;

    append_row(out, &table->head, 0, columns);
    text_append(out, "|");
    for (size_t i = 0; i < columns; i++)
        text_append(out, table->alignment[i] == 'r' ? " ---: |" : " --- |");
    text_append(out, "\n");
    for (size_t i = 0; i < table->cells.count; i += columns)
        append_row(out, &table->cells, i, columns);
}

static void append_fact(TextBuilder *out, const DocumentBlock *fact)
{
    text_append(out, "- **");
    append_text(out, fact->text);
    text_append(out, "**: ");
    append_text(out, fact->value);
    text_append(out, "\n");
}

static void append_block(TextBuilder *out, const DocumentBlock *block)
{
    switch (block->kind) {
    case DOCUMENT_SECTION:
        append_line(out, "## ", block->text);
        return;
    case DOCUMENT_HEADING:
        append_line(out, "### ", block->text);
        return;
    case DOCUMENT_PARAGRAPH:
        append_line(out, "", block->text);
        return;
    case DOCUMENT_ITEM:
        append_line(out, "- ", block->text);
        return;
    case DOCUMENT_FACT:
        append_fact(out, block);
        return;
    case DOCUMENT_COMMAND: /* in a block of code nothing but its end has a meaning */
        text_append_format(out, "    %s\n", in_one_line(block->text, out->arena));
        return;
    case DOCUMENT_TABLE:
        append_table(out, block);
        return;
    }
}

/* Whether they are lines of one list. */
static bool belong_together(const DocumentBlock *block, const DocumentBlock *next)
{
    return block->kind == next->kind &&
           (block->kind == DOCUMENT_ITEM || block->kind == DOCUMENT_FACT);
}

const char *document_markdown(const Document *document)
{
    TextBuilder out = {.arena = document->arena};

    append_line(&out, "# ", document->title);
    for (size_t i = 0; i < document->count; i++) {
        if (!i || !belong_together(&document->items[i - 1], &document->items[i]))
            text_append(&out, "\n");
        append_block(&out, &document->items[i]);
    }
    return text_built(&out);
}
