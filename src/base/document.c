#include "base/document.h"

#include <assert.h>
#include <string.h>

Document *document_create(const char *title, Arena *arena)
{
    Document *document = arena_new(arena, Document);

    document->arena = arena;
    document->title = arena_text(arena, title);
    return document;
}

static DocumentBlock *add(Document *document, DocumentKind kind, const char *text)
{
    DocumentBlock *block = arena_push(document->arena, document);

    *block = (DocumentBlock){.kind = kind, .text = arena_text(document->arena, text)};
    return block;
}

void document_section(Document *document, const char *text)
{
    add(document, DOCUMENT_SECTION, text);
}

void document_heading(Document *document, const char *text)
{
    add(document, DOCUMENT_HEADING, text);
}

void document_paragraph(Document *document, const char *text)
{
    add(document, DOCUMENT_PARAGRAPH, text);
}

void document_item(Document *document, const char *text)
{
    add(document, DOCUMENT_ITEM, text);
}

void document_command(Document *document, const char *line)
{
    add(document, DOCUMENT_COMMAND, line);
}

static const char *or_no_data(const char *text)
{
    return text && *text ? text : DOCUMENT_NO_DATA;
}

void document_fact(Document *document, const char *label, const char *value)
{
    DocumentBlock *block = add(document, DOCUMENT_FACT, label);

    block->value = arena_text(document->arena, or_no_data(value));
}

void document_no_data(Document *document, const char *why)
{
    document_paragraph(document, arena_format(document->arena, DOCUMENT_NO_DATA ": %s", why));
}

void document_table_of(Document *document, const TextList *head, const char *alignment)
{
    DocumentBlock *block = add(document, DOCUMENT_TABLE, NULL);

    assert(head->count == strlen(alignment));
    block->head = *head;
    block->alignment = alignment;
}

void document_table(Document *document, const char *head, const char *alignment)
{
    TextList names = text_split(head, '|', document->arena);

    document_table_of(document, &names, alignment);
}

void document_cell(Document *document, const char *text)
{
    DocumentBlock *block = &document->items[document->count - 1];

    assert(block->kind == DOCUMENT_TABLE);
    text_list_add(&block->cells, document->arena, or_no_data(text));
}
