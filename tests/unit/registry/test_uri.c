#include "registry/uri.h"

#include "tests/unit/tracking/store_fixture.h"

static void test_a_uri_is_its_scheme_authority_and_path(void)
{
    static const struct {
        const char *text, *scheme, *authority, *path;
    } rows[] = {
        {"s3://Bucket/a//b/./c/", "s3", "bucket", "a/b/c"},
        {"mlflow-artifacts:/0/run/artifacts", "mlflow-artifacts", "", "0/run/artifacts"},
        {"MLflow-Artifacts://Host:5000/0/run", "mlflow-artifacts", "host:5000", "0/run"},
        {"runs:/r/model of mine", "runs", "", "r/model of mine"},
        {"models:/m-1", "models", "", "m-1"},
        {"file:///etc", "", "", "etc"},
        {"file://localhost/etc", "", "localhost", "etc"},
        {"/etc/passwd", "", "", "etc/passwd"},
        {"C:/etc", "", "", "C:/etc"},
        {"dummy-source", "", "", "dummy-source"},
        {"a%20b", "", "", "a%20b"},
    };
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Uri uri;

    for (size_t i = 0; i < COUNT(rows); i++) {
        EXPECT_OK(uri_read(scope, rows[i].text, &uri), scope->error);
        EXPECT_TEXT(uri.scheme, rows[i].scheme);
        EXPECT_TEXT(uri.authority, rows[i].authority);
        EXPECT_TEXT(uri_path(&uri, 0, scope->arena), rows[i].path);
    }
}

static void test_what_looks_one_way_and_leads_another_is_refused(void)
{
    static const char *const texts[] = {
        "s3://b/../c",
        "..",
        "s3://b/%2e%2e/c",
        "s3://b/%252e%2E/c",
        "s3:..",
        "a\\b",
        "a%5cb",
        "a\nb",
        "a%0ab",
        "a%00b",
        "a%2500b",
        "s3://b/%25252525252525252525252e",
        "a\xff",
        "s3://b/..%2f",
        "mlflow-artifacts:/0/r?x",
        "http://h/api/2.0/mlflow-artifacts/artifacts/0/r#x",
    };
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Uri uri;

    for (size_t i = 0; i < COUNT(texts); i++)
        EXPECT(!uri_read(&fixture.scope, texts[i], &uri) &&
               fixture.scope.error.kind == ERROR_INVALID);
}

static void test_within_is_by_whole_parts_of_the_same_place(void)
{
    static const struct {
        const char *text, *root;
        const char *path; /* NULL: not within */
    } rows[] = {
        {"s3://b/a/c/d", "s3://b/a", "c/d"},
        {"s3://b/a", "s3://b/a/", ""},
        {"s3://b/ab", "s3://b/a", NULL},
        {"s3://b/a", "s3://b/a/c", NULL},
        {"s3://c/a", "s3://b/a", NULL},
        {"gs://b/a", "s3://b/a", NULL},
        {"s3://b/a", "s3://b", NULL},
        {"s3://b/A/c", "s3://b/a", NULL},
        {"file:///data/run/m", "/data/run", "m"},
    };
    CLEANUP(fixture_close) Fixture fixture = fixture_open();
    Scope *scope = &fixture.scope;
    Uri uri, root;

    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *path = NULL;

        EXPECT_OK(uri_read(scope, rows[i].text, &uri), scope->error);
        EXPECT_OK(uri_read(scope, rows[i].root, &root), scope->error);
        EXPECT(uri_is_within(&uri, &root, scope->arena, &path) == (rows[i].path != NULL));
        if (rows[i].path)
            EXPECT_TEXT(path, rows[i].path);
    }
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_a_uri_is_its_scheme_authority_and_path),
        TEST(test_what_looks_one_way_and_leads_another_is_refused),
        TEST(test_within_is_by_whole_parts_of_the_same_place),
        {0},
    };
    return test_main(tests, count, names);
}
