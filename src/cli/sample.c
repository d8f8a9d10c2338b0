/* sample.c: slipway sample ...: made-up data to try the product with, where no other is at hand. */

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "cli/commands.h"
#include "cli/sample_grammar.h"

typedef struct SampleFile {
    const char *name;
    int spam_count, row_count;
    int late_percent;    /* of the rows use words that the files before did not have */
    int undated_percent; /* have no DATE */
} SampleFile;

/* The shape of a well-known collection of comments under five videos. */
static const SampleFile files[] = {
    {"sample01.csv", 175, 350, 0, 0},  {"sample02.csv", 175, 350, 0, 0},
    {"sample03.csv", 236, 438, 0, 0},  {"sample04.csv", 245, 448, 40, 55},
    {"sample05.csv", 174, 370, 15, 0},
};

/* Of a hundred comments; so that the classes overlap as real ones do. */
enum { EITHER_PERCENT = 9, MISLABELLED_PERCENT = 2, REPEATED_PERCENT = 10, SLOPPY_PERCENT = 25 };
enum { DEFAULT_SEED = 42, ID_LENGTH = 34 };

typedef struct SampleWriter {
    Random random;
    Arena *arena;
    TextBuilder csv;
    TextList spam, song; /* said so far in this file, to be repeated */
} SampleWriter;

static bool chance(SampleWriter *writer, int percent)
{
    return random_below(&writer->random, 100) < (uint64_t)percent;
}

/* As people type: all capitals, a letter twice, three exclamation marks. */
static const char *make_sloppy(SampleWriter *writer, const char *text)
{
    size_t length = strlen(text), at = (size_t)random_below(&writer->random, length + 1);
    char *copy = arena_text(writer->arena, text);

    switch (random_below(&writer->random, 4)) {
    case 0:
        for (char *c = copy; *c; c++)
            *c = (char)toupper((unsigned char)*c);
        return copy;
    case 1:
        if (!isalpha((unsigned char)text[at]))
            return text;
        return arena_format(writer->arena, "%.*s%c%s", (int)at, text, text[at], text + at);
    case 2:
        return arena_format(writer->arena, "%s!!!", text);
    default: /* what the end of a comment looks like in exports of such pages */
        return arena_format(writer->arena, "%s\xEF\xBB\xBF", text);
    }
}

static const char *draw_comment(SampleWriter *writer, const SampleFile *file, bool is_spam)
{
    TextList *said = is_spam ? &writer->spam : &writer->song;
    const char *rule = is_spam ? "spam" : "song", *text;

    if (said->count && chance(writer, REPEATED_PERCENT))
        return said->items[random_below(&writer->random, said->count)];
    if (chance(writer, MISLABELLED_PERCENT))
        rule = is_spam ? "song" : "spam";
    else if (chance(writer, EITHER_PERCENT))
        rule = "either";
    else if (chance(writer, file->late_percent))
        rule = is_spam ? "late spam" : "late song";
    text = grammar_draw(rule, &writer->random, writer->arena);
    if (chance(writer, SLOPPY_PERCENT))
        text = make_sloppy(writer, text);
    text_list_add(said, writer->arena, text);
    return text;
}

/* In quotes where it must be, its quotes doubled. */
static void write_field(TextBuilder *csv, const char *text)
{
    if (!strpbrk(text, ",\"\r\n")) {
        text_append(csv, text);
        return;
    }
    text_append(csv, "\"");
    for (; *text; text++) {
        text_append_bytes(csv, text, 1);
        if (*text == '"')
            text_append(csv, "\"");
    }
    text_append(csv, "\"");
}

static void write_id(SampleWriter *writer)
{
    static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";

    text_append(&writer->csv, "z");
    for (int i = 1; i < ID_LENGTH; i++)
        text_append_bytes(&writer->csv, &digits[random_below(&writer->random, 36)], 1);
}

static void write_date(SampleWriter *writer, const SampleFile *file)
{
    int day = (int)random_below(&writer->random, 28) + 1;
    int month = (int)random_below(&writer->random, 12) + 1;
    int second = (int)random_below(&writer->random, 86400);

    if (chance(writer, file->undated_percent))
        return;
    text_append_format(&writer->csv, "2014-%02d-%02dT%02d:%02d:%02d", month, day, second / 3600,
                       second / 60 % 60, second % 60);
}

static void write_row(SampleWriter *writer, const SampleFile *file, bool is_spam)
{
    write_id(writer);
    text_append(&writer->csv, ",");
    write_field(&writer->csv, grammar_draw("author", &writer->random, writer->arena));
    text_append(&writer->csv, ",");
    write_date(writer, file);
    text_append(&writer->csv, ",");
    write_field(&writer->csv, draw_comment(writer, file, is_spam));
    text_append(&writer->csv, is_spam ? ",1\n" : ",0\n");
}

static bool write_file(SampleWriter *writer, const SampleFile *file, const char *path, Error *error)
{
    int spam_left = file->spam_count;

    writer->csv = (TextBuilder){.arena = writer->arena};
    writer->spam = writer->song = (TextList){0};
    text_append(&writer->csv, "COMMENT_ID,AUTHOR,DATE,CONTENT,CLASS\n");
    for (int left = file->row_count; left > 0; left--) {
        bool is_spam = random_below(&writer->random, (uint64_t)left) < (uint64_t)spam_left;

        spam_left -= is_spam;
        write_row(writer, file, is_spam);
    }
    return file_write(path, text_built(&writer->csv), writer->csv.count, error);
}

static bool check_none_exists(Cli *cli, const char *folder)
{
    for (size_t i = 0; i < COUNT(files); i++)
        if (file_exists(cli_format(cli, "%s/%s", folder, files[i].name)))
            return fail(&cli->error, ERROR_CONFLICT,
                        "\"%s/%s\" exists already; name a folder without such files", folder,
                        files[i].name);
    return true;
}

static void print_files(Cli *cli, const char *folder, int row_count)
{
    JsonWriter *json = json_writer_create(cli->arena);

    if (!cli->json) {
        printf("%d made-up comments in %zu files in %s\n", row_count, COUNT(files), folder);
        return;
    }
    json_open_object(json, NULL);
    json_text(json, "folder", folder);
    json_int(json, "rows", row_count);
    json_open_array(json, "files");
    for (size_t i = 0; i < COUNT(files); i++)
        json_text(json, NULL, files[i].name);
    json_close(json);
    json_close(json);
    printf("%s\n", json_finish(json));
}

static bool write_comments(Cli *cli)
{
    const char *folder = cli_argument(cli, 0);
    int64_t seed = cli_option_int(cli, "--seed", DEFAULT_SEED);
    SampleWriter writer = {.random = random_seeded((uint64_t)seed), .arena = cli->arena};
    int row_count = 0;

    if (seed < 0)
        return fail_field(&cli->error, "--seed", "a seed is 0 or more");
    if (!check_none_exists(cli, folder) || !folder_make(folder, &cli->error))
        return false;
    for (size_t i = 0; i < COUNT(files); i++) {
        if (!write_file(&writer, &files[i], cli_format(cli, "%s/%s", folder, files[i].name),
                        &cli->error))
            return false;
        row_count += files[i].row_count;
    }
    print_files(cli, folder, row_count);
    return true;
}

static const CommandOption comments_options[] = {
    {"--seed", OPTION_INT, "SEED", "the same seed writes the same comments (42)"},
    {0},
};

const Command sample_commands[] = {
    {"sample comments", "FOLDER", write_comments,
     "Write five CSV files of made-up comments, spam and not, to try things with.",
     "slipway sample comments comments/ --seed 7", comments_options},
    {0},
};
