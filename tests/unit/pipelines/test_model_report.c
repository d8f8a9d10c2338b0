/* The report of a version says what is known, and of everything else that it is not. */

#include "pipelines/model_report_internal.h"
#include "tests/test.h"

static const char *section_of(const char *markdown, const char *title, Arena *arena)
{
    const char *begin, *end;
    char head[128];

    snprintf(head, sizeof(head), "\n## %s\n", title);
    begin = strstr(markdown, head);
    if (!begin)
        fprintf(stderr, "no section %s\n", title);
    EXPECT(begin);
    end = strstr(begin + 1, "\n## ");
    return arena_copy(arena, begin, end ? (size_t)(end - begin) : strlen(begin));
}

static void expect_in(const char *section, const char *part)
{
    if (!strstr(section, part))
        fprintf(stderr, "missing: %s\nin: %s\n", part, section);
    EXPECT(strstr(section, part));
}

static ModelReport bare_report(void)
{
    return (ModelReport){
        .lineage = {.version = {.model = "a|model",
                                .version = 3,
                                .created_at = 1000,
                                .created_by = "<ada>"}},
    };
}

static const char *print(ModelReport *report, Arena *arena)
{
    model_report_add_limits(report, arena);
    return document_markdown(model_report_document(report, arena));
}

static void test_each_section_of_a_version_that_nothing_is_known_of_says_so(void)
{
    static const struct {
        const char *section, *text;
    } cases[] = {
        {"Version", "- **package**: no data\n"},
        {"Version", "- **description**: no data\n"},
        {"Version", "- **made**: 1970-01-01 00:00:01 UTC by &lt;ada&gt;\n"},
        {"Version", "- **first served**: never\n"},
        {"Known limits", "- Its files are not here"},
        {"Known limits", "- Nothing is known of how good it is"},
        {"Known limits", "- No gate has judged it."},
        {"Known limits", "no commit is recorded"},
        {"Known limits", "no data, the store says nothing of them"},
        {"Where it came from", "- **run**: no data\n"},
        {"Where it came from", "- **trained by**: no data\n"},
        {"Where it came from", "- **commit**: no data\n"},
        {"Where it came from", "- **seed**: no data\n"},
        {"Where it came from", "- **environment**: no data\n"},
        {"Where it came from", "no data: no run of a pipeline"},
        {"Data", "no data: it does not say which data set"},
        {"Data", "### Hold-out\n\nno data: it does not say which rows"},
        {"What was learnt", "- **target**: no data\n"},
        {"What was learnt", "- **learner**: no data\n"},
        {"What was learnt", "- **settings and features**: no data\n"},
        {"What was learnt", "no data: its package does not say which"},
        {"What was learnt", "### Params of the run\n\nno data"},
        {"Metrics", "no data: its run has none"},
        {"On the hold-out", "no data: its package has no report"},
        {"On the hold-out", "### Slices\n\nno data"},
        {"What it answers by", "no data: its training has not measured it"},
        {"Leaderboard", "no data: its package does not say"},
        {"Gate", "no data: it was not asked."},
        {"Evaluations", "no data: no step"},
        {"Benchmark", "no data: no step"},
        {"Smoke test", "no data: no release"},
        {"Steps of traffic", "no data: no release"},
        {"Approvals", "no data: nobody was asked."},
        {"Where it serves or served", "no data: it was never deployed"},
        {"How to do it again", "no data: no training"},
    };
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    ModelReport report = bare_report();
    const char *markdown = print(&report, arena);

    expect_in(markdown, "# a\\|model, version 3\n");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        expect_in(section_of(markdown, cases[i].section, arena), cases[i].text);
}

static void test_who_caused_a_run_is_told_with_whom_that_means(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    static Originator originators[] = {
        {"ada", ORIGINATOR_STARTED, "ada", true},
        {"octo|cat", ORIGINATOR_PUSHED, "ada", true},
        {"<b@example.com>", ORIGINATOR_WRITTEN, NULL, false},
        {NULL, ORIGINATOR_PUT, NULL, false},
    };
    ReportRun run = {
        .run = {.id = "1f",
                .project = "spam",
                .number = 12,
                .status = "succeeded",
                .created_at = 1000,
                .created_by = "ada",
                .params = "{\"seed\":7,\"deep\":{\"a\":null}}",
                .origin = "{\"trigger\":\"push\",\"commit\":\"abc\",\"branch\":\"main\","
                          "\"is_dirty\":true}"},
        .originators = {originators, 4},
        .has_trained = true,
    };
    ModelReport report = bare_report();
    const char *markdown, *section;

    report.runs = (ReportRunList){&run, 1};
    markdown = print(&report, arena);
    section = section_of(markdown, "Where it came from", arena);
    expect_in(section, "### Pipeline run spam#12, which made it\n");
    expect_in(section,
              "- **by**: started by ada; pushed by octo\\|cat, who is ada here; written by "
              "&lt;b@example.com&gt;, whom nobody here is known to be; put by somebody "
              "whom nobody has named\n");
    expect_in(section, "- **trigger**: push, commit abc on main, and files had changed since\n");
    expect_in(section, "- **params**: seed 7, deep (a none)\n");
    expect_in(section_of(markdown, "How to do it again", arena), "    slipway reproduce spam#12\n");
}

static void test_a_commit_that_a_client_logged_is_told(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    Param tag = {"mlflow.source.git.commit", "fedcba"};
    ModelReport report = bare_report();
    const char *markdown;

    report.lineage.run.tags = (ParamList){&tag, 1};
    markdown = print(&report, arena);
    expect_in(section_of(markdown, "Where it came from", arena), "- **commit**: fedcba\n");
    EXPECT(!strstr(markdown, "no commit is recorded"));
}

static const JsonValue *parse(const char *text, Arena *arena)
{
    const JsonValue *value;
    Error error = {0};

    EXPECT_OK(json_parse(text, strlen(text), arena, &value, &error), error);
    return value;
}

static ModelReport judged_report(const char *judgement, Arena *arena)
{
    ModelReport report = bare_report();

    report.lineage.version.package = "0123";
    report.lineage.version.code_commit = "abc-dirty";
    report.files.judgement = parse(judgement, arena);
    return report;
}

static void test_limits_are_derived_from_the_report_on_the_hold_out(void)
{
    static const char judgement[] =
        "{\"rows\":196,\"report\":{\"row_count\":196,\"metrics\":{\"accuracy\":0.9,"
        "\"calibration_error\":0.08},\"classes\":[{\"name\":\"ham\",\"support\":170},"
        "{\"name\":\"s|am\",\"support\":26}]}}";
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    ModelReport report = judged_report(judgement, arena);
    const char *limits = section_of(print(&report, arena), "Known limits", arena);

    /* Wilson's interval of 0.9 over 196 rows: 0.8500 to 0.9346 */
    expect_in(limits, "has 196 rows, which are few: an accuracy of 0.9000 there means 0.8500 to "
                      "0.9346 on rows");
    expect_in(limits, "fewer than 30 rows in the hold-out, whose figures say little: \"s\\|am\" "
                      "(26).");
    expect_in(limits, "off by 0.08 on average");
    expect_in(limits, "Files had changed since the commit");
}

static void test_what_is_good_is_no_limit(void)
{
    static const char judgement[] =
        "{\"report\":{\"row_count\":5000,\"metrics\":{\"accuracy\":0.9,\"calibration_error\":0.01},"
        "\"classes\":[{\"name\":\"ham\",\"support\":2500},{\"name\":\"spam\",\"support\":2500}]}}";
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    ModelReport report = judged_report(judgement, arena);
    const char *limits = section_of(print(&report, arena), "Known limits", arena);

    EXPECT(!strstr(limits, "which are few"));
    EXPECT(!strstr(limits, "whose figures say little"));
    EXPECT(!strstr(limits, "confidence is off"));
}

/* A package of Slipway's own kind may come from anybody. */
static void test_files_of_another_form_than_they_should_have_do_no_harm(void)
{
    static const char *const judgements[] = {
        "{}",
        "{\"report\":7}",
        "{\"report\":{\"classes\":7,\"confusion\":{\"a\":1},\"calibration\":\"x\",\"metrics\":[]}}",
        ("{\"report\":{\"row_count\":-3,\"metrics\":{\"accuracy\":7},\"classes\":[{\"name\":\"a\"},"
         "null],\"confusion\":[[1],[1,2,3]],\"calibration\":[1,null]}}"),
        "{\"report\":{\"classes\":[1,2],\"confusion\":[[\"x\",null],[{},[]]]}}",
        "{\"importance\":7,\"dependence\":{\"a\":1}}",
        ("{\"importance\":{\"metric\":\"no\",\"columns\":[1,{\"column\":[],\"mean\":\"x\"}],"
         "\"left_out\":-3},\"dependence\":[1,{\"column\":\"a\",\"points\":[1,{\"answers\":[1,2,3]}]"
         ","
         "\"classes\":[7,null]},{\"column\":\"b\",\"points\":{\"x\":{}}}]}"),
    };

    for (size_t i = 0; i < sizeof(judgements) / sizeof(judgements[0]); i++) {
        CLEANUP(arena_cleanup) Arena *arena = arena_create();
        ModelReport report = judged_report(judgements[i], arena);

        report.files.signature = parse("{\"inputs\":[1,{\"name\":[]}],\"target\":{}}", arena);
        report.files.leaderboard =
            parse("{\"metric\":3,\"leaderboard\":[null,{\"name\":1,\"score\":\"x\"}]}", arena);
        expect_in(section_of(print(&report, arena), "Leaderboard", arena), "| no data | no data |");
        expect_in(document_html(model_report_document(&report, arena)), "</html>\n");
    }
}

static void test_what_it_answers_by_is_shown_with_intervals(void)
{
    static const char judgement[] =
        "{\"importance\":{\"metric\":\"rmse\",\"score\":2,\"rows\":100,\"of_rows\":400,"
        "\"repeats\":5,\"level\":0.95,\"left_out\":3,\"columns\":[{\"column\":\"a|ge\","
        "\"mean\":1.5,\"low\":1.25,\"high\":null}]},"
        "\"dependence\":[{\"column\":\"a|ge\",\"classes\":[],\"points\":["
        "{\"value\":30.5,\"share\":0.125,\"answers\":[7]},"
        "{\"value\":null,\"share\":0.5,\"answers\":[8.25]}]},"
        "{\"column\":\"job\",\"classes\":[\"no\",\"yes\"],\"points\":["
        "{\"value\":\"cook\",\"share\":1,\"answers\":[0.75,0.25]}]}]}";
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    ModelReport report = judged_report(judgement, arena);
    const char *section = section_of(print(&report, arena), "What it answers by", arena);

    expect_in(section, "How much rmse rises when a column's values change places");
    expect_in(section, "of 5 shuffles on 100 of the 400 rows of the hold-out, and its interval at "
                       "95 %");
    expect_in(section, "| a\\|ge | 1.5 | 1.25 | no data |\n");
    expect_in(section, "3 more columns, which add less to the answers, were not measured.");
    expect_in(section, "| a\\|ge | rows near it | mean answer |\n");
    expect_in(section, "| 30.5 | 12.5 % | 7 |\n| missing | 50 % | 8.25 |\n");
    expect_in(section,
              "| job | rows near it | mean probability of no | mean probability of yes |\n");
    expect_in(section, "| cook | 100 % | 0.75 | 0.25 |\n");
}

static void test_why_it_was_not_measured_is_told(void)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    ModelReport report = judged_report("{\"importance\":{\"problem\":\"too many\"}}", arena);

    expect_in(section_of(print(&report, arena), "What it answers by", arena),
              "no data: it could not be measured: too many.");
}

static void test_a_confusion_that_is_too_large_is_not_shown(void)
{
    enum { CLASSES = REPORT_CONFUSION_MAX + 1 };
    CLEANUP(arena_cleanup) Arena *arena = arena_create();
    TextBuilder json = {.arena = arena};
    ModelReport report;

    text_append(&json, "{\"report\":{\"classes\":[");
    for (int i = 0; i < CLASSES; i++)
        text_append_format(&json, "%s{\"name\":\"c%d\"}", i ? "," : "", i);
    text_append(&json, "],\"confusion\":[");
    for (int i = 0; i < CLASSES; i++) {
        text_append_format(&json, "%s[0", i ? "," : "");
        for (int j = 1; j < CLASSES; j++)
            text_append(&json, ",0");
        text_append(&json, "]");
    }
    text_append(&json, "]}}");
    report = judged_report(text_built(&json), arena);
    expect_in(section_of(print(&report, arena), "On the hold-out", arena),
              "Of 21 classes it is too large to be shown.");
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_each_section_of_a_version_that_nothing_is_known_of_says_so),
        TEST(test_who_caused_a_run_is_told_with_whom_that_means),
        TEST(test_a_commit_that_a_client_logged_is_told),
        TEST(test_limits_are_derived_from_the_report_on_the_hold_out),
        TEST(test_what_is_good_is_no_limit),
        TEST(test_files_of_another_form_than_they_should_have_do_no_harm),
        TEST(test_what_it_answers_by_is_shown_with_intervals),
        TEST(test_why_it_was_not_measured_is_told),
        TEST(test_a_confusion_that_is_too_large_is_not_shown),
        {0},
    };

    return test_main(tests, count, names);
}
