#include "data/duck.h"
#include "import_fixture.h"

static const char spam_options[] = "{\"target\": \"CLASS\", \"columns\": {\"CONTENT\": \"text\", "
                                   "\"COMMENT_ID\": \"ignore\", \"AUTHOR\": \"ignore\", "
                                   "\"DATE\": \"ignore\"}}";

static const char *const videos[] = {
    "youtube-spam/Youtube01-Psy.csv",     "youtube-spam/Youtube02-KatyPerry.csv",
    "youtube-spam/Youtube03-LMFAO.csv",   "youtube-spam/Youtube04-Eminem.csv",
    "youtube-spam/Youtube05-Shakira.csv",
};

static int64_t number(const JsonValue *object, const char *key)
{
    return json_as_int(json_member(object, key), -1);
}

static void test_the_five_comment_files_give_1956_rows_of_5_columns(void)
{
    Fixture fixture = fixture_start();

    for (size_t i = 0; i < COUNT(videos); i++)
        fixture_add(&fixture, videos[i]);
    EXPECT_OK(fixture_run(&fixture, NULL), fixture.error);
    EXPECT(fixture_rows(&fixture) == 1956);
    EXPECT(json_count(json_member(fixture.result, "columns")) == 5);
    EXPECT_TEXT(fixture_type(&fixture, "CONTENT"), "text");
    EXPECT_TEXT(fixture_type(&fixture, "COMMENT_ID"), "text");
    EXPECT_TEXT(fixture_type(&fixture, "AUTHOR"), "text");
    EXPECT_TEXT(fixture_type(&fixture, "CLASS"), "integer");
    EXPECT_TEXT(fixture_type(&fixture, "DATE"), "time");
    EXPECT(number(fixture_column(&fixture, "DATE"), "missing") == 245);
    EXPECT(number(fixture_column(&fixture, "CONTENT"), "repeated") == 196);
    EXPECT(number(fixture_column(&fixture, "COMMENT_ID"), "repeated") == 3);
    fixture_end(&fixture);
}

static void test_three_comment_files_give_1138_rows_with_103_repeated_texts(void)
{
    Fixture fixture = fixture_start();
    const JsonValue *classes;

    fixture_add(&fixture, videos[0]);
    fixture_add(&fixture, videos[1]);
    fixture_add(&fixture, videos[2]);
    EXPECT_OK(fixture_run(&fixture, spam_options), fixture.error);
    EXPECT(fixture_rows(&fixture) == 1138);
    classes = json_member(fixture_profile(&fixture), "classes");
    EXPECT(number(classes, "1") == 586);
    EXPECT(number(classes, "0") == 552);
    EXPECT(number(fixture_profile(&fixture), "duplicate_contents") == 103);
    fixture_end(&fixture);
}

/* Rows, columns and the type of one column of each kind of file that the samples have. */
static const struct Sample {
    const char *files[2], *options;
    int64_t rows;
    size_t columns;
    const char *column, *type;
} samples[] = {
    {{"sms-spam/SMSSpamCollection.tsv"},
     "{\"names\": [\"label\", \"message\"], \"quote\": \"none\", \"target\": \"label\"}",
     5574,
     2,
     "message",
     "text"},
    {{"bank-marketing/bankmarketing_train.csv"}, NULL, 32950, 21, "emp.var.rate", "number"},
    {{"bank-marketing/bank-additional-full.csv.gz"}, NULL, 41188, 21, "job", "category"},
    {{"20newsgroups/20news-bydate-train.jsonl.gz"}, NULL, 11314, 3, "label", "category"},
    {{"disaster-tweets/train.csv"}, NULL, 7613, 5, "keyword", "category"},
    {{"adventureworks-daily/mlops_forecast_data2013.csv"}, NULL, 154, 2, "TransactionDate", "time"},
    {{"nyc-green-taxi/green_tripdata_2021-01.csv"},
     NULL,
     73908,
     19,
     "lpep_pickup_datetime",
     "time"},
    {{"titanic/train.csv"}, NULL, 891, 12, "Age", "number"},
    {{"credit-default/UCI_Credit_Card.csv"}, NULL, 30000, 25, "LIMIT_BAL", "number"},
};

static void test_each_sample_has_its_rows_columns_and_types(void)
{
    for (size_t i = 0; i < COUNT(samples); i++) {
        Fixture fixture = fixture_start();
        const struct Sample *sample = &samples[i];

        for (size_t j = 0; j < COUNT(sample->files) && sample->files[j]; j++)
            fixture_add(&fixture, sample->files[j]);
        EXPECT_OK(fixture_run(&fixture, sample->options), fixture.error);
        if (fixture_rows(&fixture) != sample->rows)
            fprintf(stderr, "%s: %lld rows\n", sample->files[0], (long long)fixture_rows(&fixture));
        EXPECT(fixture_rows(&fixture) == sample->rows);
        EXPECT(json_count(json_member(fixture.result, "columns")) == sample->columns);
        EXPECT_TEXT(fixture_type(&fixture, sample->column), sample->type);
        fixture_end(&fixture);
    }
}

/* The rows of a Parquet file as one MD5 over their ids in order. */
static const char *ids_of(Fixture *fixture, const char *path)
{
    DuckSpec spec = {.folder = fixture->folder};
    CLEANUP(duck_close) Duck *duck = NULL;
    const char *text;

    text_list_add(&spec.files, fixture->arena, path);
    duck = duck_open(&spec, &fixture->error);
    EXPECT_OK(duck != NULL, fixture->error);
    DuckQuery query = duck_query(
        duck, arena_format(fixture->arena,
                           "SELECT md5(string_agg(_id, '' ORDER BY _row)) FROM read_parquet('%s')",
                           path));

    EXPECT(duck_next(&query));
    text = duck_text(&query, 0, fixture->arena);
    duck_finalize(&query);
    return text;
}

static void test_a_taxi_parquet_gives_the_same_rows_as_its_csv(void)
{
    Fixture csv = fixture_start(), parquet = fixture_start();
    const char *export = arena_format(csv.arena, "%s/taxi.parquet", csv.folder);
    DuckSpec spec = {.folder = csv.folder};
    Duck *duck;

    fixture_add(&csv, "nyc-green-taxi/green_tripdata_2021-01.csv");
    EXPECT_OK(fixture_run(&csv, NULL), csv.error);
    duck = duck_open(&spec, &csv.error);
    EXPECT_OK(duck_run(duck, &csv.error,
                       arena_format(csv.arena,
                                    "COPY (SELECT * EXCLUDE (_row, _file, _id)"
                                    "  FROM read_parquet('%s') ORDER BY _row) TO '%s'",
                                    csv.rows, export)),
              csv.error);
    duck_close(&duck);
    fixture_add_path(&parquet, "taxi.parquet", export);
    EXPECT_OK(fixture_run(&parquet, NULL), parquet.error);
    EXPECT(fixture_rows(&parquet) == 73908);
    EXPECT_TEXT(ids_of(&parquet, parquet.rows), ids_of(&csv, csv.rows));
    fixture_end(&csv);
    fixture_end(&parquet);
}

int main(int count, char **names)
{
    static const Test tests[] = {
        TEST(test_the_five_comment_files_give_1956_rows_of_5_columns),
        TEST(test_three_comment_files_give_1138_rows_with_103_repeated_texts),
        TEST(test_each_sample_has_its_rows_columns_and_types),
        TEST(test_a_taxi_parquet_gives_the_same_rows_as_its_csv),
        {0},
    };

    return data_is_absent() ? test_none() : test_main(tests, count, names);
}
