#include "pipelines/score_output.h"

#include <inttypes.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/number.h"

static const char row_key[] = "row";

static TextRef text_ref(const char *text)
{
    return (TextRef){text, strlen(text)};
}

/* ---- CSV ---- */

/* A missing value is nothing, an empty text a pair of quotes. */
static void put_field(FILE *file, TextRef field)
{
    bool is_plain = field.length > 0;

    if (!field.bytes)
        return;
    for (size_t i = 0; is_plain && i < field.length; i++)
        is_plain = !strchr(",\"\r\n", field.bytes[i]);
    if (is_plain) {
        fwrite(field.bytes, 1, field.length, file);
        return;
    }
    fputc('"', file);
    for (size_t i = 0; i < field.length; i++) {
        if (field.bytes[i] == '"')
            fputc('"', file);
        fputc(field.bytes[i], file);
    }
    fputc('"', file);
}

static const char *const heads[] = {
    [SCORE_LABELS] = "label,confidence\n",
    [SCORE_NUMBERS] = "value\n",
    [SCORE_FORECASTS] = "series,time,value,low,high\n",
};

static void put_header(ScoreOutput *output)
{
    if (!output->keys.count)
        fprintf(output->file, "%s,", row_key);
    for (size_t i = 0; i < output->keys.count; i++) {
        put_field(output->file, text_ref(output->keys.items[i]));
        fputc(',', output->file);
    }
    fputs(heads[output->kind], output->file);
}

static void put_csv(ScoreOutput *output, const ScoreAnswer *answer)
{
    char number[NUMBER_TEXT_SIZE];

    if (!output->keys.count)
        fprintf(output->file, "%zu,", answer->row + 1);
    for (size_t i = 0; i < output->keys.count; i++) {
        put_field(output->file, answer->keys[i]);
        fputc(',', output->file);
    }
    if (output->kind == SCORE_LABELS) {
        put_field(output->file, text_ref(answer->label));
        fputc(',', output->file);
    }
    if (output->kind == SCORE_FORECASTS) {
        put_field(output->file, text_ref(answer->series));
        fprintf(output->file, ",%s,", answer->time);
    }
    fputs(number_format(answer->number, number), output->file);
    if (output->kind == SCORE_FORECASTS) {
        fprintf(output->file, ",%s", number_format(answer->low, number));
        fprintf(output->file, ",%s", number_format(answer->high, number));
    }
    fputc('\n', output->file);
}

/* ---- JSON lines ---- */

static void put_json(ScoreOutput *output, const ScoreAnswer *answer, Arena *arena)
{
    JsonWriter *json = json_writer_create(arena);

    json_open_object(json, NULL);
    if (!output->keys.count)
        json_int(json, row_key, (int64_t)answer->row + 1);
    for (size_t i = 0; i < output->keys.count; i++) {
        if (answer->keys[i].bytes)
            json_bytes(json, output->keys.items[i], answer->keys[i].bytes, answer->keys[i].length);
        else
            json_null(json, output->keys.items[i]);
    }
    if (output->kind == SCORE_LABELS)
        json_text(json, "label", answer->label);
    if (output->kind == SCORE_FORECASTS) {
        json_text(json, "series", answer->series);
        json_text(json, "time", answer->time);
    }
    json_double(json, output->kind == SCORE_LABELS ? "confidence" : "value", answer->number);
    if (output->kind == SCORE_FORECASTS) {
        json_double(json, "low", answer->low);
        json_double(json, "high", answer->high);
    }
    json_close(json);
    fprintf(output->file, "%s\n", json_finish(json));
}

/* ---- both ---- */

bool score_output_open(ScoreOutput *output, const char *path, Error *error)
{
    CLEANUP(arena_cleanup) Arena *arena = arena_create();

    output->path = path;
    output->is_json = text_has_suffix(path, ".jsonl");
    if (!folder_make(path_folder(path, arena), error))
        return false;
    output->file = fopen(path, "we");
    if (!output->file)
        return fail_errno(error, "write", path);
    if (!output->is_json)
        put_header(output);
    return true;
}

void score_output_write(ScoreOutput *output, const ScoreAnswer *answer, Arena *arena)
{
    if (output->is_json)
        put_json(output, answer, arena);
    else
        put_csv(output, answer);
}

bool score_output_end(ScoreOutput *output, Error *error)
{
    FILE *file = output->file;
    bool done = !ferror(file);

    output->file = NULL;
    done = fclose(file) == 0 && done;
    return done || fail_errno(error, "write", output->path);
}

void score_output_close(ScoreOutput *output)
{
    if (output->file)
        fclose(output->file);
}
