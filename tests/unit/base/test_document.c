/* A document's texts are whatever people wrote: in both forms they read as what they are. */

#include "base/document.h"
#include "tests/test.h"

static void document_close(Document **document)
{
    arena_destroy((*document)->arena);
}

static Document *open_document(const char *title)
{
    return document_create(title, arena_create());
}

static void expect_has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fprintf(stderr, "missing: %s\nin: %s\n", part, text);
    EXPECT(strstr(text, part));
}

static void expect_lacks(const char *text, const char *part)
{
    if (strstr(text, part))
        fprintf(stderr, "there is: %s\nin: %s\n", part, text);
    EXPECT(!strstr(text, part));
}

static const char hostile[] = "</td><script>alert(\"1\")</script>&amp;'x'";

static void add_everywhere(Document *document, const char *text)
{
    TextList head = {0};

    document_section(document, text);
    document_heading(document, text);
    document_paragraph(document, text);
    document_item(document, text);
    document_fact(document, text, text);
    document_command(document, text);
    text_list_add(&head, document->arena, text);
    document_table_of(document, &head, "l");
    document_cell(document, text);
}

static size_t count_of(const char *text, const char *part)
{
    size_t count = 0;

    for (; (text = strstr(text, part)); text += strlen(part))
        count++;
    return count;
}

static void test_html_holds_no_markup_of_a_text_wherever_it_stands(void)
{
    CLEANUP(document_close) Document *document = open_document(hostile);
    const char *html;

    add_everywhere(document, hostile);
    html = document_html(document);
    expect_lacks(html, "<script");
    expect_lacks(html, "alert(\"");
    /* title, heading of the page, contents, and each of the nine places */
    EXPECT(count_of(html, "&lt;/td&gt;&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;"
                          "&amp;amp;&#39;x&#39;") == 12);
}

static void test_the_page_needs_nothing_from_elsewhere(void)
{
    CLEANUP(document_close) Document *document = open_document("a report");
    const char *html;

    add_everywhere(document, "text");
    html = document_html(document);
    expect_has(html, "content=\"default-src 'none'; style-src 'unsafe-inline'\"");
    expect_lacks(html, "src=");
    expect_lacks(html, "url(");
    expect_lacks(html, "http:");
    expect_lacks(html, "https:");
    expect_lacks(html, "<script");
    expect_has(html, "prefers-color-scheme: dark");
    expect_has(html, "@media print");
}

static void test_a_table_of_markdown_keeps_its_cells_whatever_is_in_them(void)
{
    CLEANUP(document_close) Document *document = open_document("a report");

    document_table(document, "name|rows", "lr");
    document_cell(document, "a|b `c` \\| <i>\nnext | line");
    document_cell(document, "7");
    expect_has(document_markdown(document),
               "| name | rows |\n| --- | ---: |\n"
               "| a\\|b \\`c\\` \\\\\\| &lt;i&gt; next \\| line | 7 |\n");
}

static void expect_markdown(const char *text, const char *markdown)
{
    CLEANUP(document_close) Document *document = open_document("a report");

    document_paragraph(document, text);
    EXPECT_TEXT(document_markdown(document) + strlen("# a report\n\n"), markdown);
}

static void test_markdown_has_no_markup_of_a_text(void)
{
    static const struct {
        const char *text, *markdown;
    } cases[] = {
        {"plain p50_ms, 0.5 and a-b", "plain p50_ms, 0.5 and a-b\n"},
        {"_this_ and *that*", "\\_this\\_ and \\*that\\*\n"},
        {"[a](javascript:b) ![c]", "\\[a\\](javascript:b) !\\[c\\]\n"},
        {"`x` ~~y~~ $z$ \\", "\\`x\\` \\~\\~y\\~\\~ \\$z\\$ \\\\\n"},
        {"<b>&lt;", "&lt;b&gt;&amp;lt;\n"},
        {"# no heading", "\\# no heading\n"},
        {"#12 is a number", "#12 is a number\n"},
        {"- no list", "\\- no list\n"},
        {"---", "\\---\n"},
        {"-1 is a number", "-1 is a number\n"},
        {"+ no list", "\\+ no list\n"},
        {"===", "\\===\n"},
        {"12. no list", "12\\. no list\n"},
        {"1) no list", "1\\) no list\n"},
        {"12.5 is a number", "12.5 is a number\n"},
        {"    no code", "no code\n"},
        {"one\r\n\n# line\x01\x7f", "one # line\n"},
        {"> no quote", "&gt; no quote\n"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        expect_markdown(cases[i].text, cases[i].markdown);
}

static void test_a_command_is_code_in_one_line(void)
{
    CLEANUP(document_close) Document *document = open_document("a report");

    document_command(document, "slipway reproduce a#1\n</pre>");
    expect_has(document_markdown(document), "\n    slipway reproduce a#1 </pre>\n");
    expect_has(document_html(document), "<pre>slipway reproduce a#1 &lt;/pre&gt;</pre>");
}

static void test_what_is_missing_is_no_data(void)
{
    CLEANUP(document_close) Document *document = open_document("a report");

    document_fact(document, "seed", NULL);
    document_fact(document, "commit", "");
    document_no_data(document, "nobody was asked.");
    document_table(document, "a|b", "ll");
    document_cell(document, NULL);
    document_cell(document, "");
    expect_has(document_markdown(document), "- **seed**: no data\n- **commit**: no data\n\n"
                                            "no data: nobody was asked.\n\n"
                                            "| a | b |\n| --- | --- |\n| no data | no data |\n");
    expect_has(document_html(document), "<dt>seed</dt>\n<dd>no data</dd>");
    expect_has(document_html(document), "<p>no data: nobody was asked.</p>");
}

static void test_lists_begin_and_end_with_their_items(void)
{
    CLEANUP(document_close) Document *document = open_document("a report");

    document_item(document, "one");
    document_item(document, "two");
    document_fact(document, "three", "3");
    expect_has(document_html(document), "<ul>\n<li>one</li>\n<li>two</li>\n</ul>\n"
                                        "<dl>\n<dt>three</dt>\n<dd>3</dd>\n</dl>\n</main>");
    expect_has(document_markdown(document), "\n- one\n- two\n\n- **three**: 3\n");
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_html_holds_no_markup_of_a_text_wherever_it_stands),
        TEST(test_the_page_needs_nothing_from_elsewhere),
        TEST(test_a_table_of_markdown_keeps_its_cells_whatever_is_in_them),
        TEST(test_markdown_has_no_markup_of_a_text),
        TEST(test_a_command_is_code_in_one_line),
        TEST(test_what_is_missing_is_no_data),
        TEST(test_lists_begin_and_end_with_their_items),
        {0},
    };

    return test_main(tests, count, names);
}
