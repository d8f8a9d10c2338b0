/* document_html.c: a document as one HTML page. */

#include <string.h>

#include "base/document.h"

/* No source is allowed but the style in the page itself, whoever shows it. */
static const char page_head[] =
    "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"" DOCUMENT_HTML_POLICY "\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<meta name=\"color-scheme\" content=\"light dark\">\n";

static const char style[] =
    "<style>\n"
    ":root { color-scheme: light dark; --text: #1b1f24; --back: #ffffff; --faint: #59636e;"
    " --line: #d1d9e0; --shade: #f4f6f8; --link: #0b57d0; }\n"
    "@media (prefers-color-scheme: dark) { :root { --text: #e6e9ed; --back: #14171b;"
    " --faint: #a3adb8; --line: #3a424c; --shade: #1e2329; --link: #8ab4f8; } }\n"
    "body { margin: 0; color: var(--text); background: var(--back);"
    " font: 16px/1.5 system-ui, sans-serif; }\n"
    "main { max-width: 60rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }\n"
    "h1 { margin: 0 0 1rem; font-size: 1.8rem; line-height: 1.2; overflow-wrap: anywhere; }\n"
    "h2 { margin: 2.2rem 0 .6rem; padding-bottom: .2rem; border-bottom: 1px solid var(--line);"
    " font-size: 1.3rem; }\n"
    "h3 { margin: 1.2rem 0 .4rem; font-size: 1rem; overflow-wrap: anywhere; }\n"
    "p, li, dd, td, th { overflow-wrap: anywhere; }\n"
    "a { color: var(--link); }\n"
    "nav ul { display: flex; flex-wrap: wrap; gap: .2rem 1rem; margin: 0; padding: 0;"
    " list-style: none; }\n"
    "dl { display: grid; grid-template-columns: minmax(7rem, 12rem) 1fr; gap: .25rem 1rem;"
    " margin: .6rem 0; }\n"
    "dt { color: var(--faint); overflow-wrap: anywhere; }\ndd { margin: 0; }\n"
    ".wide { overflow-x: auto; margin: .6rem 0; }\n"
    "table { border-collapse: collapse; font-variant-numeric: tabular-nums; }\n"
    "th, td { padding: .3rem .7rem; border: 1px solid var(--line); text-align: left;"
    " vertical-align: top; min-width: 3rem; }\n"
    "thead th { background: var(--shade); }\ntbody th { font-weight: inherit; }\n"
    "th.r, td.r { text-align: right; }\n"
    "pre { padding: .6rem .8rem; background: var(--shade); white-space: pre-wrap;"
    " overflow-wrap: anywhere; }\n"
    "@media (max-width: 40rem) { dl { grid-template-columns: 1fr; gap: 0; }"
    " dd { margin-bottom: .5rem; } }\n"
    "@media print { :root { --text: #000; --back: #fff; --faint: #333; --line: #888;"
    " --shade: #fff; --link: #000; } body { font-size: 10pt; } main { max-width: none;"
    " padding: 0; } nav { display: none; } h2, h3 { break-after: avoid; }"
    " tr, dd { break-inside: avoid; } .wide { overflow: visible; } }\n"
    "</style>\n";

/* Control characters would be nothing that anybody sees. */
static void append_text(TextBuilder *out, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '&':
            text_append(out, "&amp;");
            break;
        case '<':
            text_append(out, "&lt;");
            break;
        case '>':
            text_append(out, "&gt;");
            break;
        case '"':
            text_append(out, "&quot;");
            break;
        case '\'':
            text_append(out, "&#39;");
            break;
        default:
            text_append_bytes(out, (unsigned char)*text < ' ' || *text == 0x7f ? " " : text, 1);
        }
    }
}

static void append_element(TextBuilder *out, const char *name, const char *text)
{
    text_append_format(out, "<%s>", name);
    append_text(out, text);
    text_append_format(out, "</%s>\n", name);
}

static void append_cell(TextBuilder *out, const char *open, char alignment, const char *text)
{
    text_append_format(out, "<%s%s>", open, alignment == 'r' ? " class=\"r\"" : "");
    append_text(out, text);
    text_append_format(out, "</%.2s>", open);
}

static void append_row(TextBuilder *out, const DocumentBlock *table, size_t first)
{
    text_append(out, "<tr>");
    for (size_t i = 0; i < table->head.count && first + i < table->cells.count; i++)
        append_cell(out, i ? "td" : "th scope=\"row\"", table->alignment[i],
                    table->cells.items[first + i]);
    text_append(out, "</tr>\n");
}

static void append_table(TextBuilder *out, const DocumentBlock *table)
{
    text_append(out, "<div class=\"wide\"><table>\n<thead><tr>");
    for (size_t i = 0; i < table->head.count; i++)
        append_cell(out, "th scope=\"col\"", table->alignment[i], table->head.items[i]);
    text_append(out, "</tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < table->cells.count; i += table->head.count)
        append_row(out, table, i);
    text_append(out, "</tbody>\n</table></div>\n");
}

static void append_block(TextBuilder *out, const DocumentBlock *block, size_t position)
{
    switch (block->kind) {
    case DOCUMENT_SECTION:
        text_append_format(out, "<h2 id=\"s%zu\">", position);
        append_text(out, block->text);
        text_append(out, "</h2>\n");
        return;
    case DOCUMENT_HEADING:
        append_element(out, "h3", block->text);
        return;
    case DOCUMENT_PARAGRAPH:
        append_element(out, "p", block->text);
        return;
    case DOCUMENT_ITEM:
        append_element(out, "li", block->text);
        return;
    case DOCUMENT_FACT:
        append_element(out, "dt", block->text);
        append_element(out, "dd", block->value);
        return;
    case DOCUMENT_COMMAND:
        append_element(out, "pre", block->text);
        return;
    case DOCUMENT_TABLE:
        append_table(out, block);
        return;
    }
}

/* What blocks of this kind that follow one another are within; NULL: nothing. */
static const char *group_of(const Document *document, size_t position)
{
    if (position >= document->count)
        return NULL;
    switch (document->items[position].kind) {
    case DOCUMENT_ITEM:
        return "ul";
    case DOCUMENT_FACT:
        return "dl";
    default:
        return NULL;
    }
}

static void append_blocks(TextBuilder *out, const Document *document)
{
    const char *within = NULL;

    for (size_t i = 0; i <= document->count; i++) {
        const char *group = group_of(document, i);

        if (within && !text_equal(within, group))
            text_append_format(out, "</%s>\n", within);
        if (group && !text_equal(within, group))
            text_append_format(out, "<%s>\n", group);
        within = group;
        if (i < document->count)
            append_block(out, &document->items[i], i);
    }
}

static void append_contents(TextBuilder *out, const Document *document)
{
    text_append(out, "<nav aria-label=\"Contents\"><ul>\n");
    for (size_t i = 0; i < document->count; i++) {
        if (document->items[i].kind != DOCUMENT_SECTION)
            continue;
        text_append_format(out, "<li><a href=\"#s%zu\">", i);
        append_text(out, document->items[i].text);
        text_append(out, "</a></li>\n");
    }
    text_append(out, "</ul></nav>\n");
}

const char *document_html(const Document *document)
{
    TextBuilder out = {.arena = document->arena};

    text_append(&out, page_head);
    append_element(&out, "title", document->title);
    text_append(&out, style);
    text_append(&out, "</head>\n<body>\n<main>\n");
    append_element(&out, "h1", document->title);
    append_contents(&out, document);
    append_blocks(&out, document);
    text_append(&out, "</main>\n</body>\n</html>\n");
    return text_built(&out);
}
