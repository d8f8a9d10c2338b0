/* document.h: a document of sections, sentences, facts and tables, printed as Markdown or as one
 * HTML page.
 *
 * Every text that goes in is plain: whatever it holds (markup, line breaks, pipes, a script), it
 * reads in both forms as what it is, in its place. The page needs nothing from elsewhere, has no
 * script, and is fit for paper and for dark screens. What is not known is printed as "no data".
 *
 *     Document *document = document_create("spam, version 3", arena);
 *
 *     document_section(document, "Data");
 *     document_fact(document, "rows", "1568");
 *     document_table(document, "class|rows", "lr");
 *     document_cell(document, "spam");
 *     document_cell(document, "114");
 *     puts(document_html(document));
 */
#pragma once

#include "base/text.h"

#define DOCUMENT_NO_DATA "no data"

/* What the page is allowed: whoever sends it over HTTP says the same in a header. */
#define DOCUMENT_HTML_POLICY "default-src 'none'; style-src 'unsafe-inline'"

typedef enum DocumentKind {
    DOCUMENT_SECTION,
    DOCUMENT_HEADING, /* in a section */
    DOCUMENT_PARAGRAPH,
    DOCUMENT_ITEM, /* those that follow one another are a list */
    DOCUMENT_FACT, /* the same */
    DOCUMENT_COMMAND,
    DOCUMENT_TABLE,
} DocumentKind;

typedef struct DocumentBlock {
    DocumentKind kind;
    const char *text;      /* of a fact its label; of a table NULL */
    const char *value;     /* of a fact */
    const char *alignment; /* of a table: 'l' or 'r' for each column */
    TextList head, cells;  /* of a table; the cells row by row */
} DocumentBlock;

typedef struct Document {
    Arena *arena;
    const char *title;
    DocumentBlock *items;
    size_t count;
} Document;

Document *document_create(const char *title, Arena *arena);

void document_section(Document *document, const char *text);
void document_heading(Document *document, const char *text);
void document_paragraph(Document *document, const char *text);
void document_item(Document *document, const char *text);
void document_command(Document *document, const char *line);

/* A value that is NULL or empty is "no data". */
void document_fact(Document *document, const char *label, const char *value);

/* "no data: " and why, as a sentence of its own. */
void document_no_data(Document *document, const char *why);

/* head: the names of the columns with "|" between; none is the user's. The first column names its
 * row. */
void document_table(Document *document, const char *head, const char *alignment);

/* The same with names that may be anything: those that follow, one for each column. */
void document_table_of(Document *document, const TextList *head, const char *alignment);

/* The next cell of the last table, which is the last block; NULL or empty: "no data". */
void document_cell(Document *document, const char *text);

/* Both live in the document's arena. */
const char *document_markdown(const Document *document);
const char *document_html(const Document *document);
